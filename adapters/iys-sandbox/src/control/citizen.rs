//! `/_sandbox/citizen/movements`: what the citizen, or an operator, does at the registry (protocol 7.15).

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

use super::problem::{Problem, read};
use crate::address;
use crate::draft::Key;
use crate::error::Result;
use crate::http::App;
use crate::registry::Desk;
use crate::registry::citizen::{self, Act};
use crate::store::consents::{self, Written};
use crate::store::providers;
use crate::wire_time;
use crate::words::{Channel, LINE_CLOSED, REGISTRY_SOURCES, RecipientType, Status};

/// A movement of a citizen.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Movement {
    brand_code: i64,
    recipient: String,
    #[serde(default = "individual")]
    recipient_type: RecipientType,
    r#type: Channel,
    status: Status,
    /// `IYS_…`
    source: String,
    /// When the citizen acted, as the registry writes dates; now when absent.
    consent_date: Option<String>,
    /// Shown in the feed with `IYS_WEB_YENI`.
    citizen_name: Option<String>,
}

pub(super) fn individual() -> RecipientType {
    RecipientType::Individual
}

/// Writes a movement of the registry's side.
pub(super) async fn add_movement(State(app): State<Arc<App>>, body: Bytes) -> Result<Json<Value>, Problem> {
    let movement: Movement = read(&body)?;
    let settings = app.registry.settings.get();
    if !settings.settings.takes_registry_source(&movement.source) {
        return Err(Problem::invalid("source", &REGISTRY_SOURCES.join(", ")));
    }
    if movement.source == LINE_CLOSED && movement.status != Status::Rejection {
        return Err(Problem::invalid("status", "RET"));
    }
    let recipient = address::lenient(&movement.recipient);
    if let Some(wrong) = address::misfit(&recipient, movement.r#type, settings.settings.address_policy()) {
        return Err(Problem::unusable("recipient", wrong));
    }
    let consent_date = match &movement.consent_date {
        None => None,
        Some(text) => {
            let date =
                wire_time::read(text).map_err(|_| Problem::invalid("consentDate", "2026-11-20 10:05:00"))?;
            Some(date)
        }
    };
    let key = Key { recipient, recipient_type: movement.recipient_type, channel: movement.r#type };
    let written = app.registry.run(move |desk| write(desk, movement, &key, consent_date)).await?;
    written.map(Json)
}

fn write(
    desk: &Desk<'_>,
    movement: Movement,
    key: &Key,
    consent_date: Option<i64>,
) -> Result<Result<Value, Problem>> {
    let Some(brand) = providers::find_brand(desk.db, movement.brand_code)? else {
        return Ok(Err(Problem::not_found("brandCode")));
    };
    let current = consents::find_current(desk.db, brand.code, key)?;
    let written = match (&current, movement.source.as_str()) {
        (Some(current), LINE_CLOSED) => citizen::close_line(desk, &brand, key.clone(), current)?,
        (None, LINE_CLOSED) => return Ok(Err(Problem::no_line_to_close())),
        _ => {
            let act = Act {
                key: key.clone(),
                status: movement.status,
                source: movement.source,
                date: Some(consent_date.unwrap_or_else(|| desk.now())),
                citizen_name: movement.citizen_name,
            };
            citizen::act(desk, &brand, act, current.as_ref())?
        }
    };
    told(desk, brand.code, key, written).map(Ok)
}

/// A movement that was just written, as the control interface tells it.
pub(super) fn told(desk: &Desk<'_>, brand_code: i64, key: &Key, written: Written) -> Result<Value> {
    let consent_date = consents::find_current(desk.db, brand_code, key)?.and_then(|now| now.consent_date);
    Ok(json!({
        "brandCode": brand_code,
        "recipientType": key.recipient_type,
        "type": key.channel,
        "transactionId": hex::encode(written.transaction_id),
        "creationDate": wire_time::write(written.created_at),
        "consentDate": consent_date.map(wire_time::write),
    }))
}
