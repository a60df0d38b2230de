//! `/_sandbox/consents` and `/_sandbox/movements`: what the registry holds, with nothing hidden.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::{Value, json};

use super::problem::{Params, Problem};
use crate::address;
use crate::draft::Key;
use crate::error::Result;
use crate::http::App;
use crate::registry::Desk;
use crate::store::consents::{self, Movement, TransactionId};
use crate::store::providers;
use crate::wire_time;

/// The most movements that are told of one record.
const HISTORY_MAX: i64 = 1000;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ConsentsQuery {
    brand_code: Option<i64>,
    recipient: Option<String>,
    #[serde(default = "hundred")]
    limit: i64,
}

fn hundred() -> i64 {
    100
}

/// The current records of a brand or of all, each with its history.
pub(super) async fn consents(
    State(app): State<Arc<App>>,
    Params(query): Params<ConsentsQuery>,
) -> Result<Json<Value>, Problem> {
    let list = app
        .registry
        .run(move |desk| {
            let recipient = query.recipient.as_deref().map(address::lenient);
            let limit = query.limit.clamp(1, HISTORY_MAX);
            let mut list = Vec::new();
            for brand_code in brands(desk, query.brand_code)? {
                for key in consents::keys(desk.db, brand_code, recipient.as_deref(), limit)? {
                    list.extend(record(desk, brand_code, &key)?);
                }
            }
            list.truncate(limit as usize);
            Ok(list)
        })
        .await?;
    Ok(Json(json!({ "list": list })))
}

/// The brands that a query is about.
fn brands(desk: &Desk<'_>, brand_code: Option<i64>) -> Result<Vec<i64>> {
    if let Some(brand_code) = brand_code {
        return Ok(vec![brand_code]);
    }
    let mut brands = Vec::new();
    for provider in providers::list(desk.db)? {
        brands.extend(providers::list_brands(desk.db, provider.iys_code)?.into_iter().map(|b| b.code));
    }
    Ok(brands)
}

fn record(desk: &Desk<'_>, brand_code: i64, key: &Key) -> Result<Option<Value>> {
    let Some(current) = consents::find_current(desk.db, brand_code, key)? else { return Ok(None) };
    let (history, _) = consents::history(desk.db, brand_code, key, 0, HISTORY_MAX)?;
    let history: Vec<Value> = history.iter().map(movement).collect();
    Ok(Some(json!({
        "brandCode": brand_code,
        "recipient": key.recipient,
        "recipientType": key.recipient_type,
        "type": key.channel,
        "status": current.status,
        "source": current.source,
        "consentDate": current.consent_date.map(wire_time::write),
        "creationDate": wire_time::write(current.created_at),
        "transactionId": hex::encode(current.transaction_id),
        "retailerCode": current.retailer_code,
        "retailerAccess": current.retailer_access,
        "history": history,
    })))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MovementsQuery {
    brand_code: Option<i64>,
    #[serde(default)]
    after: i64,
    #[serde(default = "thousand")]
    limit: i64,
}

fn thousand() -> i64 {
    1000
}

/// The most movements on a page of this interface.
const PAGE_MAX: i64 = 10_000;

/// Every movement in the order of writing. `after` of an answer asks for the next page.
pub(super) async fn movements(
    State(app): State<Arc<App>>,
    Params(query): Params<MovementsQuery>,
) -> Result<Json<Value>, Problem> {
    let limit = query.limit.clamp(1, PAGE_MAX);
    let mut list = app
        .registry
        .run(move |desk| consents::movements_after(desk.db, query.brand_code, query.after, limit + 1))
        .await?;
    let has_more = list.len() as i64 > limit;
    list.truncate(limit as usize);
    let after = list.last().map_or(query.after, |last| last.seq);
    let list: Vec<Value> = list.iter().map(movement).collect();
    Ok(Json(json!({ "list": list, "after": after, "hasMore": has_more })))
}

/// A movement as the control interface tells it.
fn movement(movement: &Movement) -> Value {
    json!({
        "seq": movement.seq,
        "brandCode": movement.brand_code,
        "recipient": movement.recipient,
        "recipientType": movement.recipient_type,
        "type": movement.channel,
        "status": movement.status,
        "source": movement.source,
        "side": movement.side,
        "consentDate": movement.consent_date.map(wire_time::write),
        "creationDate": wire_time::write(movement.created_at),
        "transactionId": hex::encode(movement.transaction_id),
        "citizenName": movement.citizen_name,
    })
}

/// The registry loses what it wrote under an id, as after a fault of its own: no record, no history and no file has it.
pub(super) async fn lose(
    State(app): State<Arc<App>>,
    Path(transaction_id): Path<String>,
) -> Result<Json<Value>, Problem> {
    let mut id = TransactionId::default();
    if hex::decode_to_slice(&transaction_id, &mut id).is_err() {
        return Err(Problem::invalid("transactionId", "64 hex"));
    }
    let lost = app.registry.run(move |desk| consents::lose(desk.db, &id)).await?;
    if lost == 0 {
        return Err(Problem::not_found("transactionId"));
    }
    Ok(Json(json!({ "lost": lost })))
}
