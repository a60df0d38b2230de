//! `/_sandbox/pushes`: what still waits to be delivered to push connections.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use super::problem::Problem;
use crate::http::App;
use crate::store::push;
use crate::wire_time;

/// The most deliveries that are listed.
const LIST_MAX: usize = 1000;

/// The deliveries that wait, the first due first.
pub(super) async fn list(State(app): State<Arc<App>>) -> Result<Json<Value>, Problem> {
    let waiting = app.registry.run(|desk| push::waiting(desk.db, LIST_MAX)).await?;
    let list: Vec<Value> = waiting
        .into_iter()
        .map(|waiting| {
            json!({
                "url": waiting.url,
                "seq": waiting.seq,
                "attempts": waiting.attempt,
                "dueDate": wire_time::write(waiting.due_at),
            })
        })
        .collect();
    Ok(Json(json!({ "list": list })))
}
