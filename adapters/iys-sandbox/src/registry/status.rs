//! Asking what is recorded: one address (protocol 4.7), many (4.8), the history of one (4.9).

use iys::wire::{Change, HistoryResponse, Pagination, StatusResponse, StatusesResponse};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::Desk;
use super::access::Access;
use super::answer::{Answer, Outcome, Stop};
use super::operation::Call;
use crate::address;
use crate::draft::Key;
use crate::error::Result;
use crate::rules::query::{MANY, ManyCase, Number, PAGE, PAGE_MAX, PageCase, SINGLE, SingleCase};
use crate::rules::shape::Wanted;
use crate::rules::{ErrorItem, Refusal, effect, together};
use crate::settings::MissingStatus;
use crate::store::consents::{self, Current, Movement};
use crate::store::retailers;
use crate::wire_time;
use crate::words::{Channel, RecipientType, Status};

/// The current record of one address.
pub(crate) fn one(desk: &Desk<'_>, call: &Call, access: &Access) -> Outcome {
    let body = call.json(desk, Wanted::StatusKey)?;
    let Some(key) = asked_key(desk, access, &body)? else { return Ok(missing(desk)) };
    match consents::find_current(desk.db, access.brand_code, &key)? {
        None => Ok(missing(desk)),
        Some(current) => Ok(Answer::ok(&shown(desk, access.brand_code, key, current)?)?),
    }
}

/// The answer about an address without a record, as the settings assume it (protocol 11, U1).
fn missing(desk: &Desk<'_>) -> Answer {
    let refused = |status| {
        let message = "Bu adres için kayıtlı izin yok.".to_owned();
        let item = ErrorItem { code: "", message, location: Vec::new(), value: None, index: None };
        Answer::Refused(Refusal { status, errors: vec![item] })
    };
    match desk.settings.settings.missing_status {
        MissingStatus::NotFound => refused(404),
        MissingStatus::Unprocessable => refused(422),
        MissingStatus::NoContent => Answer::Empty(204),
        MissingStatus::EmptyObject => Answer::Json(200, json!({})),
    }
}

fn shown(desk: &Desk<'_>, brand_code: i64, key: Key, current: Current) -> Result<StatusResponse> {
    let title = match current.retailer_code {
        Some(code) => retailers::title(desk.db, brand_code, code)?,
        None => None,
    };
    let access_count = current.retailer_access.len() as i64;
    Ok(StatusResponse {
        consent_date: current.consent_date.map(wire_time::write),
        creation_date: Some(wire_time::write(current.created_at)),
        source: current.source,
        recipient: key.recipient,
        recipient_type: key.recipient_type.as_str().to_owned(),
        status: current.status.as_str().to_owned(),
        r#type: key.channel.as_str().to_owned(),
        retailer_code: current.retailer_code,
        retailer_title: title,
        retailer_access_count: (access_count > 0).then_some(access_count),
        retailer_access: Vec::new(),
        transaction_id: Some(hex::encode(current.transaction_id)),
    })
}

/// The key a body asks about, once the rules have passed.
pub(super) fn asked_key(desk: &Desk<'_>, access: &Access, body: &Value) -> Result<Option<Key>, Stop> {
    let empty = Map::new();
    let map = body.as_object().unwrap_or(&empty);
    let case = SingleCase { map, addresses: desk.settings.settings.address_policy() };
    desk.settings.all(SINGLE, |check| check(&case))?;
    let text = |field: &str| map.get(field).and_then(Value::as_str);
    let (Some(recipient), Some(channel)) = (text("recipient"), case.channel()) else { return Ok(None) };
    let Some(recipient_type) = text("recipientType").and_then(RecipientType::parse) else { return Ok(None) };
    access.permit(desk, channel, false, None)?;
    Ok(Some(Key { recipient: stored(desk, recipient), recipient_type, channel }))
}

/// The form in which an address is stored.
pub(super) fn stored(desk: &Desk<'_>, recipient: &str) -> String {
    let lower = desk.settings.is_on(effect::LOWER_CASE_EMAIL);
    if lower { address::stored(recipient) } else { recipient.to_owned() }
}

/// Which of many addresses are in ONAY.
pub(crate) fn many(desk: &Desk<'_>, call: &Call, access: &Access) -> Outcome {
    let body = call.json(desk, Wanted::Object)?;
    let (kind, channel) = (call.variable("recipientType"), call.variable("type"));
    let recipients = body.get("recipients");
    let addresses = desk.settings.settings.address_policy();
    let case = ManyCase { recipient_type: kind, channel, recipients, addresses };
    desk.settings.all(MANY, |check| check(&case))?;
    let (Some(recipient_type), Some(channel)) = (RecipientType::parse(kind), Channel::parse(channel)) else {
        return Ok(missing(desk));
    };
    access.permit(desk, channel, false, None)?;
    let mut list = Vec::new();
    for recipient in recipients.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
        let key = Key { recipient: stored(desk, recipient), recipient_type, channel };
        let current = consents::find_current(desk.db, access.brand_code, &key)?;
        if current.is_some_and(|current| current.status == Status::Approval) {
            list.push(key.recipient);
        }
    }
    Ok(Answer::ok(&StatusesResponse { request_id: Uuid::new_v4().to_string(), list })?)
}

/// The page a query string asks for, once the rules have passed: offset and limit.
pub(super) fn page(desk: &Desk<'_>, call: &Call) -> Result<(i64, i64), Stop> {
    checked_page(desk, call, Ok(()))
}

/// As [`page`], with findings about other parameters that are told together with those about the page.
pub(super) fn checked_page(
    desk: &Desk<'_>,
    call: &Call,
    others: Result<(), Refusal>,
) -> Result<(i64, i64), Stop> {
    let case = PageCase { offset: Number(call.parameter("offset")), limit: Number(call.parameter("limit")) };
    together(desk.settings.all(PAGE, |check| check(&case)), others)?;
    Ok((case.offset.or(0).unwrap_or_default(), case.limit.or(PAGE_MAX).unwrap_or_default()))
}

/// The movements of one address.
pub(crate) fn history(desk: &Desk<'_>, call: &Call, access: &Access) -> Outcome {
    let body = call.json(desk, Wanted::Object)?;
    let (offset, limit) = page(desk, call)?;
    let Some(key) = asked_key(desk, access, &body)? else { return Ok(missing(desk)) };
    let (movements, total_count) = consents::history(desk.db, access.brand_code, &key, offset, limit)?;
    let page_size = movements.len() as i64;
    // The name of a citizen is told by the change feed alone.
    let list = movements.into_iter().map(|movement| Change { citizen_name: None, ..listed(movement) });
    let pagination = Pagination { offset, page_size, total_count };
    Ok(Answer::ok(&HistoryResponse { list: list.collect(), pagination })?)
}

/// A movement as history and feed tell it.
pub(super) fn listed(movement: Movement) -> Change {
    Change {
        consent_date: movement.consent_date.map(wire_time::write),
        creation_date: wire_time::write(movement.created_at),
        source: movement.source,
        recipient: movement.recipient,
        recipient_type: movement.recipient_type.as_str().to_owned(),
        status: movement.status.as_str().to_owned(),
        r#type: movement.channel.as_str().to_owned(),
        transaction_id: hex::encode(movement.transaction_id),
        citizen_name: movement.citizen_name,
    }
}
