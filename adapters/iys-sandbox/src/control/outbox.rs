//! `/_sandbox/outbox`: the messages that the registry would have sent to citizens.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::problem::{Params, Problem};
use crate::address;
use crate::http::App;
use crate::store::outbox::{self, Letter};
use crate::wire_time;

/// The most letters in an answer.
const LIST_MAX: i64 = 1000;

#[derive(Debug, Deserialize)]
pub(super) struct OutboxQuery {
    recipient: Option<String>,
    #[serde(default = "hundred")]
    limit: i64,
}

fn hundred() -> i64 {
    100
}

/// The newest letters, to one recipient or to all, in the order of sending.
pub(super) async fn list(
    State(app): State<Arc<App>>,
    Params(query): Params<OutboxQuery>,
) -> Result<Json<Value>, Problem> {
    let recipient = query.recipient.as_deref().map(address::lenient);
    let limit = query.limit.clamp(1, LIST_MAX);
    let letters = app.registry.run(move |desk| outbox::list(desk.db, recipient.as_deref(), limit)).await?;
    Ok(Json(json!({ "list": letters.iter().map(view).collect::<Vec<_>>() })))
}

fn view(letter: &Letter) -> Value {
    json!({
        "id": letter.id,
        "recipient": letter.recipient,
        "channel": letter.carrier.as_str(),
        "text": letter.text,
        // A letter about two subjects holds two codes: `codes` tells them apart.
        "code": letter.codes.values().next(),
        "codes": letter.codes,
        "link": letter.link,
        "sentDate": wire_time::write(letter.sent_at),
    })
}
