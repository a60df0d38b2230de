//! How the second-factor service writes a refusal (protocol 5.4).

use serde_json::{Map, Value, json};

use crate::messages;
use crate::rules::{ErrorItem, Refusal};

/// What says that another service refused.
const SUB_SYSTEM: &str = "ERR-SYS-0007";
/// What says that fields are wrong, and which.
const FIELDS: &str = "ERR-VLD-001";
/// What stands where no code is known.
const UNKNOWN: &str = "ERR-SYS-0004";

/// The HTTP status of a refusal. What another service has said of itself, its failures and limits, stands in the body
/// only: the service's own status is 400 then, as in its document's examples (H1058 with 500 and H083 with 429).
pub(crate) fn status(refusal: &Refusal) -> u16 {
    let is_inner = refusal.errors.first().is_some_and(|item| item.code.starts_with('H'));
    if is_inner && (refusal.status == 429 || refusal.status >= 500) { 400 } else { refusal.status }
}

/// The body of a refusal.
pub(crate) fn body(refusal: Refusal) -> Value {
    let status = refusal.status;
    let first = refusal.errors.first().map_or(UNKNOWN, |item| item.code);
    if first == FIELDS {
        let data: Vec<Value> = refusal.errors.iter().map(field).collect();
        json!({"errorCode": FIELDS, "errorMessage": messages::text("", FIELDS, ""), "data": data})
    } else if first.starts_with('H') {
        let errors: Vec<Value> = refusal.errors.into_iter().map(inner).collect();
        json!({
            "errorCode": SUB_SYSTEM,
            "errorMessage": messages::text("", SUB_SYSTEM, ""),
            "subSystemErrorInfo": {"status": status, "errors": errors},
        })
    } else {
        let code = if first.is_empty() { UNKNOWN } else { first };
        let message = refusal.errors.into_iter().next().map(|item| item.message).unwrap_or_default();
        json!({"errorCode": code, "errorMessage": message})
    }
}

fn field(item: &ErrorItem) -> Value {
    json!({"field": item.location.first(), "message": item.message})
}

fn inner(item: ErrorItem) -> Value {
    let mut inner = Map::new();
    inner.insert("code".to_owned(), item.code.into());
    inner.insert("message".to_owned(), item.message.into());
    if let Some(value) = item.value {
        inner.insert("value".to_owned(), value);
    }
    inner.into()
}
