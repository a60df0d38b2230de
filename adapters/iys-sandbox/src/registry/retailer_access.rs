//! Which retailers can see which consents (protocol 4.15). None of it is a movement.

use iys::wire::{AddResponse, Pagination};
use serde_json::{Map, Value, json};

use super::Desk;
use super::access::Access;
use super::answer::{Answer, Outcome, Stop};
use super::operation::Call;
use super::{add, retailers as profiles, status};
use crate::draft::Key;
use crate::error::Result;
use crate::rules::consent::{RETAILER, RetailerCase};
use crate::rules::retailer_access::{ACCESS_LIST, ACCESS_RECORD, AccessCase, RecordCase};
use crate::rules::shape::Wanted;
use crate::store::consents::{self, Current};
use crate::store::{random_text, retailers};

/// A request that has passed the rules.
struct Request {
    keys: Vec<Key>,
    retailers: Vec<i64>,
}

/// What a method's body looks like.
#[derive(Clone, Copy)]
struct Form {
    wanted: Wanted,
    many: bool,
    names_retailers: bool,
}

/// Reads a request; the caller must be permitted to write the channel.
fn read(desk: &Desk<'_>, call: &Call, access: &Access, form: Form) -> Result<Request, Stop> {
    let body = call.json(desk, form.wanted)?;
    let empty = Map::new();
    let map = body.as_object().unwrap_or(&empty);
    let Form { many, names_retailers, .. } = form;
    let case = AccessCase { map, many, names_retailers, addresses: desk.settings.settings.address_policy() };
    desk.settings.all(ACCESS_LIST, |check| check(&case))?;
    let (Some(channel), Some(recipient_type)) = (case.channel(), case.recipient_type()) else {
        return Err(add::impossible());
    };
    access.permit(desk, channel, true, None)?;
    check_retailers(desk, access.brand_code, case.retailers(), form.wanted)?;
    let recipients = case.recipients().iter().filter_map(Value::as_str);
    let keys = recipients.map(|text| Key { recipient: status::stored(desk, text), recipient_type, channel });
    Ok(Request {
        keys: keys.collect(),
        retailers: case.retailers().iter().filter_map(Value::as_i64).collect(),
    })
}

/// Asks whether the retailers are the brand's.
fn check_retailers(desk: &Desk<'_>, brand_code: i64, list: &[Value], wanted: Wanted) -> Result<(), Stop> {
    for (position, value) in list.iter().enumerate() {
        let known = match value.as_i64() {
            Some(code) => retailers::title(desk.db, brand_code, code)?.is_some(),
            None => false,
        };
        if known {
            continue;
        }
        if wanted == Wanted::AccessRemoval {
            let case = RecordCase { unknown_retailer: Some(value.clone()), ..RecordCase::default() };
            desk.settings.first(ACCESS_RECORD, |check| check(&case))?;
        } else {
            let unknown_access = Some((position, value.clone()));
            let case = RetailerCase { unknown_access, ..RetailerCase::default() };
            desk.settings.first(RETAILER, |check| check(&case))?;
        }
    }
    Ok(())
}

/// Lets retailers see one consent, besides those that can.
pub(crate) fn grant(desk: &Desk<'_>, call: &Call, access: &Access) -> Outcome {
    let form = Form { wanted: Wanted::AccessGrant, many: false, names_retailers: true };
    let Request { keys, retailers } = read(desk, call, access, form)?;
    let Some(key) = keys.first() else { return Err(add::impossible()) };
    let current = consents::find_current(desk.db, access.brand_code, key)?;
    let case = RecordCase { consent_missing: current.is_none(), ..RecordCase::default() };
    desk.settings.first(ACCESS_RECORD, |check| check(&case))?;
    if let Some(current) = current {
        let mut list = current.retailer_access.clone();
        list.extend(retailers.into_iter().filter(|code| !current.retailer_access.contains(code)));
        consents::put_retailers(desk.db, access.brand_code, key, &current, current.retailer_code, &list)?;
    }
    Ok(Answer::ok(&AddResponse { transaction_id: random_text(32)?, creation_date: desk.today() })?)
}

/// Lets retailers see consents, and nobody else, not even the one that took it.
pub(crate) fn replace(desk: &Desk<'_>, call: &Call, access: &Access) -> Outcome {
    let form = Form { wanted: Wanted::AccessReplacement, many: true, names_retailers: true };
    change(desk, call, access, form, |_, retailers| (None, retailers.to_vec()))
}

/// Lets retailers not see consents any more.
pub(crate) fn remove(desk: &Desk<'_>, call: &Call, access: &Access) -> Outcome {
    let form = Form { wanted: Wanted::AccessRemoval, many: true, names_retailers: true };
    change(desk, call, access, form, |current, retailers| {
        let stays = |code: &i64| !retailers.contains(code);
        let list = current.retailer_access.iter().copied().filter(stays).collect();
        (current.retailer_code.filter(stays), list)
    })
}

/// Lets no retailer see consents any more.
pub(crate) fn remove_all(desk: &Desk<'_>, call: &Call, access: &Access) -> Outcome {
    let form = Form { wanted: Wanted::AccessRemoval, many: true, names_retailers: false };
    change(desk, call, access, form, |_, _| (None, Vec::new()))
}

/// Changes the records that are there; addresses without one are passed over. The registry answers before
/// it has done the work, this one afterwards; what it says is the same.
fn change(
    desk: &Desk<'_>,
    call: &Call,
    access: &Access,
    form: Form,
    new: impl Fn(&Current, &[i64]) -> (Option<i64>, Vec<i64>),
) -> Outcome {
    let Request { keys, retailers } = read(desk, call, access, form)?;
    for key in &keys {
        if let Some(current) = consents::find_current(desk.db, access.brand_code, key)? {
            let (retailer_code, list) = new(&current, &retailers);
            consents::put_retailers(desk.db, access.brand_code, key, &current, retailer_code, &list)?;
        }
    }
    Ok(Answer::Json(202, Value::Null))
}

/// The retailers that can see one consent.
pub(crate) fn list(desk: &Desk<'_>, call: &Call, access: &Access) -> Outcome {
    let body = call.json(desk, Wanted::AccessKey)?;
    let (offset, limit) = status::page(desk, call)?;
    let Some(key) = status::asked_key(desk, access, &body)? else { return Err(add::impossible()) };
    let current = consents::find_current(desk.db, access.brand_code, &key)?;
    let codes = current.as_ref().map(Current::retailers).unwrap_or_default();
    let total_count = codes.len() as i64;
    let mut list = Vec::new();
    for code in codes.into_iter().skip(offset as usize).take(limit as usize) {
        if let Some(retailer) = retailers::find(desk.db, access.brand_code, code)? {
            list.push(profiles::listed(desk, retailer)?);
        }
    }
    let pagination = Pagination { offset, page_size: list.len() as i64, total_count };
    Ok(Answer::Json(200, json!({ "pagination": serde_json::to_value(pagination)?, "list": list })))
}
