//! Opt-ins that the registry itself takes from the citizen (protocol 10.1 to 10.6).

pub(crate) mod confirm;
pub(crate) mod end;
pub(crate) mod evidence;
pub(crate) mod kvk;
pub(crate) mod start;
pub(crate) mod status;

use serde_json::{Map, Value, json};

use super::Desk;
use super::add;
use super::answer::{Answer, Stop};
use super::operation::Call;
use crate::error::Result;
use crate::rules::via::{BODY, BodyCase};
use crate::store::consents;
use crate::store::providers::{self, Provider};

/// The body of a method, once it is an object.
fn body(desk: &Desk<'_>, call: &Call) -> Result<Map<String, Value>, Stop> {
    let json: Option<Value> = serde_json::from_slice(&call.body).ok();
    let case = BodyCase { empty: call.body.iter().all(u8::is_ascii_whitespace), json: json.as_ref() };
    desk.settings.first(BODY, |check| check(&case))?;
    match json {
        Some(Value::Object(map)) => Ok(map),
        // Only with rules taken out.
        _ => Err(add::impossible()),
    }
}

/// What every method of this family answers with.
fn ok(message: &Value) -> Answer {
    Answer::Json(200, json!({ "message": message, "code": "OK" }))
}

/// Whether an address would be a new one, and the provider may have no more.
fn quota_full(desk: &Desk<'_>, provider: &Provider, recipient: &str) -> Result<bool> {
    let subscription = providers::find_subscription(desk.db, provider.iys_code)?;
    let quota = add::quota_case(provider, subscription.as_ref(), true);
    let full = quota.limit.is_some_and(|limit| quota.used >= limit);
    Ok(full && !consents::knows_address(desk.db, provider.iys_code, recipient)?)
}
