//! Which personal-data texts were agreed to (protocol 10.6).

use serde_json::{Map, Value, json};

use super::super::access::Access;
use super::super::add;
use super::super::answer::Outcome;
use super::super::operation::Call;
use super::ok;
use crate::address;
use crate::registry::Desk;
use crate::rules::via::KVK;
use crate::rules::via_end::{KVK_LIST, KVK_ONE, KvkListCase, QuestionCase};
use crate::store::via::{self, Item};

/// The texts that one process brought the agreement to. The date is in milliseconds here, as text.
pub(crate) fn one(desk: &Desk<'_>, call: &Call, access: &Access) -> Outcome {
    let process = via::find(desk.db, access.iys_code(), call.variable("requestId"))?;
    desk.settings.first(KVK_ONE, |check| check(&QuestionCase { process: process.as_ref() }))?;
    let Some(process) = process else { return Err(add::impossible()) };
    let told = |item: &Item| {
        let grant = item.grant.as_ref().filter(|_| item.title == KVK)?;
        let mut told = json!({
            "requestId": process.request_id,
            "type": item.choice,
            "source": process.method.source(),
            "iysCode": process.iys_code.to_string(),
            "recipient": process.recipient,
            "consentDate": grant.at_millis.to_string(),
            "status": "ONAY",
            "transactionId": grant.transaction_id,
        });
        if let Some(person) = &process.person {
            told["recipientName"] = person.name.clone().into();
            if let Some(number) = &person.id_number {
                told["recipientIdNumber"] = number.clone().into();
            }
        }
        Some(told)
    };
    Ok(ok(&process.items.iter().filter_map(told).collect()))
}

/// The processes in which an address agreed to a text, oldest first.
pub(crate) fn list(desk: &Desk<'_>, call: &Call, access: &Access) -> Outcome {
    let map: Option<Map<String, Value>> = serde_json::from_slice(&call.body).ok();
    let case = KvkListCase { map: map.as_ref(), addresses: desk.settings.settings.address_policy() };
    desk.settings.first(KVK_LIST, |check| check(&case))?;
    let map = map.unwrap_or_default();
    let text = |field: &str| map.get(field).and_then(Value::as_str).unwrap_or_default();
    let (recipient, wanted) = (address::stored(text("recipient")), text("type"));
    let agreed = |item: &Item| item.title == KVK && item.choice == wanted && item.grant.is_some();
    let found = via::list_of_recipient(desk.db, access.iys_code(), &recipient)?;
    let found = found.into_iter().filter(|process| process.items.iter().any(agreed));
    Ok(ok(&found.map(|process| Value::from(process.request_id)).collect()))
}
