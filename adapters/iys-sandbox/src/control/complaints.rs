//! `/_sandbox/complaints`: filing complaints and moving them on.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State as Shared};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

use super::problem::{Params, Problem, read};
use crate::address;
use crate::http::App;
use crate::registry::complaint::{self, Stay};
use crate::store::complaints::{self, Complaint, Of, State};
use crate::store::providers;
use crate::wire_time;
use crate::words::Channel;

/// The most complaints of one answer.
const LIST_MAX: i64 = 1000;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Filter {
    recipient: Option<String>,
    iys_code: Option<i64>,
}

/// The newest complaints: of an address, about a provider, or all.
pub(super) async fn list(
    Shared(app): Shared<Arc<App>>,
    Params(filter): Params<Filter>,
) -> Result<Json<Value>, Problem> {
    let list = app
        .registry
        .run(move |desk| {
            let recipient = filter.recipient.as_deref().map(address::lenient);
            let of = match (&recipient, filter.iys_code) {
                (Some(recipient), _) => Of::Recipient(recipient),
                (None, Some(iys_code)) => Of::Provider(iys_code),
                (None, None) => Of::Everybody,
            };
            complaint::list(desk, of, LIST_MAX)
        })
        .await?;
    Ok(Json(json!({ "list": list.iter().map(view).collect::<Vec<_>>() })))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Filing {
    brand_code: i64,
    recipient: String,
    r#type: Channel,
    text: String,
}

/// Files a complaint as the citizen.
pub(super) async fn file(Shared(app): Shared<Arc<App>>, body: Bytes) -> Result<Json<Value>, Problem> {
    let filing: Filing = read(&body)?;
    if filing.text.trim().is_empty() {
        return Err(Problem::invalid("text", "…"));
    }
    let recipient = address::lenient(&filing.recipient);
    let filed = app
        .registry
        .run(move |desk| {
            if providers::find_brand(desk.db, filing.brand_code)?.is_none() {
                return Ok(None);
            }
            let Filing { brand_code, r#type, text, .. } = &filing;
            let id = complaints::add(desk.db, *brand_code, &recipient, *r#type, text, desk.now())?;
            complaints::find(desk.db, id)
        })
        .await?;
    let filed = filed.ok_or_else(|| Problem::not_found("brandCode"))?;
    Ok(Json(view(&filed)))
}

/// Where a complaint is to go.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    state: String,
    answer: Option<String>,
}

/// Moves a complaint on.
pub(super) async fn advance(
    Shared(app): Shared<Arc<App>>,
    id: Result<Path<i64>, PathRejection>,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    let Path(id) = id.map_err(|_| Problem::not_found("id"))?;
    let step: Step = read(&body)?;
    let wanted = || Problem::invalid("state", "sent, answered, closed");
    let state = State::parse(&step.state).ok_or_else(wanted)?;
    let moved = app.registry.run(move |desk| complaint::advance(desk, id, state, step.answer)).await?;
    match moved {
        Ok(complaint) => Ok(Json(view(&complaint))),
        Err(Stay::Unknown) => Err(Problem::not_found("id")),
        Err(Stay::Further) => Err(Problem::complaint_is_further()),
        Err(Stay::Unanswered) => Err(Problem::invalid("answer", "…")),
    }
}

fn view(complaint: &Complaint) -> Value {
    let date = |instant: Option<i64>| instant.map(wire_time::write);
    json!({
        "id": complaint.id,
        "brandCode": complaint.brand_code,
        "recipient": complaint.recipient,
        "type": complaint.channel,
        "text": complaint.text,
        "state": complaint.state.as_str(),
        "receivedDate": wire_time::write(complaint.received_at),
        "sentDate": date(complaint.sent_at),
        "answeredDate": date(complaint.answered_at),
        "closedDate": date(complaint.closed_at),
        "answer": complaint.answer,
    })
}
