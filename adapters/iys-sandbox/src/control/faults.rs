//! `/_sandbox/faults`: ordering failures.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

use super::problem::{Problem, read};
use crate::http::App;
use crate::http::faults::{Fault, Kind, PUSH, orderable};
use crate::registry::operation::OPERATIONS;

/// An order.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Order {
    /// The name of an operation, or `*`.
    #[serde(default = "every_operation")]
    operation: String,
    kind: Value,
    #[serde(default = "once")]
    count: u64,
    /// The registry's code, for kinds that are a status.
    code: Option<String>,
    /// For `slow`.
    #[serde(default = "two_seconds")]
    delay_millis: u64,
    /// Hits one of so many requests, the first ones spared; 1 is each.
    #[serde(default = "once")]
    every: u64,
}

fn every_operation() -> String {
    "*".to_owned()
}

fn once() -> u64 {
    1
}

fn two_seconds() -> u64 {
    2000
}

/// What faults may name besides operations.
const OTHERS: [&str; 2] = ["*", PUSH];

pub(super) async fn list(State(app): State<Arc<App>>) -> Json<Value> {
    let list: Vec<Value> = app.faults.list().iter().map(view).collect();
    Json(json!({ "list": list }))
}

pub(super) async fn add(State(app): State<Arc<App>>, body: Bytes) -> Result<Json<Value>, Problem> {
    let fault = app.faults.add(fault(read(&body)?)?);
    Ok(Json(view(&fault)))
}

/// What an order asks for.
pub(crate) fn fault(order: Order) -> Result<Fault, Problem> {
    let known = |name: &str| OTHERS.contains(&name) || OPERATIONS.iter().any(|o| o.name == name);
    if !known(&order.operation) {
        return Err(Problem::invalid("operation", &names()));
    }
    // A status may be written as a number.
    let kind = order.kind.as_str().map_or_else(|| order.kind.to_string(), str::to_owned);
    let kind = Kind::parse(&kind).filter(|kind| kind.suits(&order.operation)).ok_or_else(|| {
        let wanted = if order.operation == PUSH {
            "drop, duplicate, slow, out_of_order"
        } else {
            "429, 500, 503, html, slow, timeout_before_write, timeout_after_write, cut, cut_after_write"
        };
        Problem::invalid("kind", wanted)
    })?;
    let code = match &order.code {
        None => None,
        Some(code) => {
            Some(orderable(code).ok_or_else(|| Problem::invalid("code", "H015, H101, H103, H123 …"))?)
        }
    };
    if order.count == 0 {
        return Err(Problem::invalid("count", "1, 2, 3 …"));
    }
    if order.every == 0 {
        return Err(Problem::invalid("every", "1, 2, 3 …"));
    }
    Ok(Fault {
        id: 0,
        operation: order.operation,
        kind,
        remaining: order.count,
        code,
        delay: Duration::from_millis(order.delay_millis),
        every: order.every,
        spared: 0,
    })
}

pub(super) async fn clear(State(app): State<Arc<App>>) -> Json<Value> {
    app.faults.clear();
    Json(json!({ "list": [] }))
}

fn names() -> String {
    let mut names: Vec<&str> = OPERATIONS.iter().map(|operation| operation.name).chain(OTHERS).collect();
    names.sort_unstable();
    names.dedup();
    names.join(", ")
}

fn view(fault: &Fault) -> Value {
    json!({
        "id": fault.id,
        "operation": fault.operation,
        "kind": fault.kind.name(),
        "count": fault.remaining,
        "code": fault.code,
        "delayMillis": fault.delay.as_millis() as u64,
        "every": fault.every,
    })
}
