//! Adding one consent (protocol 4.1 and 4.2), and the checks that adding many shares with it.

use iys::wire::AddResponse;
use rusqlite::Connection;
use serde_json::{Map, Value};

use super::access::Access;
use super::answer::{Answer, Outcome, Stop};
use super::operation::Call;
use super::{Desk, push};
use crate::draft::{Consent, Draft};
use crate::error::Result;
use crate::rules::consent::{FIELDS, FieldCase, RETAILER, RetailerCase};
use crate::rules::shape::Wanted;
use crate::rules::state::{QUOTA, QuotaCase, STATE, StateCase};
use crate::rules::{ErrorItem, Refusal, effect};
use crate::store::consents::{self, Current, Earlier, Origin, Written};
use crate::store::providers::{self, Provider, Subscription};
use crate::store::retailers;
use crate::wire_time;

/// Adds one consent.
pub(crate) fn add(desk: &Desk<'_>, call: &Call, access: &Access) -> Outcome {
    add_one(desk, call, access, false)
}

/// Adds one consent; the same body again answers with its first transaction.
pub(crate) fn add_v2(desk: &Desk<'_>, call: &Call, access: &Access) -> Outcome {
    add_one(desk, call, access, true)
}

fn add_one(desk: &Desk<'_>, call: &Call, access: &Access, v2: bool) -> Outcome {
    let body = call.json(desk, Wanted::Consent)?;
    let consents = check_fields(desk, access, body.as_object().into_iter().map(|map| (None, map)), v2)?;
    let Some(consent) = consents.into_iter().next() else { return Err(impossible()) };
    access.permit(desk, consent.key.channel, true, None)?;
    check_retailers(desk, access.brand_code, &consent, body.as_object(), None)?;
    let earlier = if v2 { find_earlier(desk, access.brand_code, &consent)? } else { None };
    let written = match earlier {
        Some(earlier) => earlier.written,
        None => write(desk, access, &consent, &Origin::default(), desk.now())?,
    };
    Ok(Answer::ok(&AddResponse {
        transaction_id: hex::encode(written.transaction_id),
        creation_date: wire_time::write(written.created_at),
    })?)
}

/// What a request ends in that passed the rules about its form without having it. Only with rules taken
/// out can that be.
pub(super) fn impossible() -> Stop {
    let message = crate::messages::text("", "H015", "");
    let item = ErrorItem { code: "H015", message, location: Vec::new(), value: None, index: None };
    Stop::Refused(Refusal { status: 500, errors: vec![item] })
}

/// Asks the field rules of one or many consents; all findings come together.
pub(super) fn check_fields<'a>(
    desk: &Desk<'_>,
    access: &Access,
    items: impl Iterator<Item = (Option<usize>, &'a Map<String, Value>)>,
    v2: bool,
) -> Result<Vec<Consent>, Stop> {
    let active = access.provider.as_ref().and_then(|p| p.activation_at).is_none_or(|at| at <= desk.now());
    let age = active.then_some(desk.settings.settings.h467);
    let addresses = desk.settings.settings.address_policy();
    let mut consents = Vec::new();
    let mut errors: Vec<ErrorItem> = Vec::new();
    for (index, map) in items {
        let draft = Draft::read(map);
        let consent = draft.finish(desk.settings);
        let mut case = FieldCase { draft: &draft, now: desk.now(), age, addresses };
        let mut found = desk.settings.all(FIELDS, |check| check(&case));
        // A consent that was recorded in time may be said again in v2 however old it has become.
        if found.is_err()
            && v2
            && desk.settings.is_on(effect::V2_REPEAT_AGES)
            && let Some(consent) = &consent
            && find_earlier(desk, access.brand_code, consent)?.is_some()
        {
            case.age = None;
            found = desk.settings.all(FIELDS, |check| check(&case));
        }
        if let Err(refusal) = found {
            errors.extend(refusal.errors.into_iter().map(|item| ErrorItem { index, ..item }));
        }
        consents.extend(consent);
    }
    if errors.is_empty() { Ok(consents) } else { Err(Refusal { status: 422, errors }.into()) }
}

/// Asks the retailer rules. `raw` is the consent as it came, for values that are no numbers.
pub(super) fn check_retailers(
    desk: &Desk<'_>,
    brand_code: i64,
    consent: &Consent,
    raw: Option<&Map<String, Value>>,
    index: Option<usize>,
) -> Result<(), Stop> {
    let Some(raw) = raw.filter(|raw| raw.contains_key("retailerCode") || raw.contains_key("retailerAccess"))
    else {
        return Ok(());
    };
    let known = |code: Option<i64>| -> Result<bool> {
        let Some(code) = code else { return Ok(false) };
        Ok(retailers::title(desk.db, brand_code, code)?.is_some())
    };
    let mut case = RetailerCase::default();
    if raw.contains_key("retailerCode") && !known(consent.retailer_code)? {
        case.unknown_intermediary = raw.get("retailerCode").cloned();
    }
    let access = raw.get("retailerAccess").and_then(Value::as_array);
    for (position, value) in access.into_iter().flatten().enumerate() {
        if !known(value.as_i64())? {
            case.unknown_access = Some((position, value.clone()));
            break;
        }
    }
    desk.settings.first(RETAILER, |check| check(&case).map(|finding| finding.index(index)))?;
    Ok(())
}

/// The first movement that said exactly this, where v2 looks for it.
pub(super) fn find_earlier(desk: &Desk<'_>, brand_code: i64, consent: &Consent) -> Result<Option<Earlier>> {
    if !desk.settings.is_on(effect::V2_REPEAT) {
        return Ok(None);
    }
    consents::find_same(desk.db, brand_code, consent)
}

/// Whose address is counted, and how many there may be.
pub(super) fn quota_case(
    provider: &Provider,
    subscription: Option<&Subscription>,
    is_new: bool,
) -> QuotaCase {
    let limit = subscription.filter(|s| !s.consent_limit_exceed).map(|s| s.consent_limit);
    QuotaCase { used: provider.used_addresses, limit, address_is_new: is_new }
}

/// Asks quota and state rules and writes the movement.
fn write(
    desk: &Desk<'_>,
    access: &Access,
    consent: &Consent,
    origin: &Origin,
    created_at: i64,
) -> Result<Written, Stop> {
    let place = Place { iys_code: access.iys_code(), brand_code: access.brand_code };
    let current = consents::find_current(desk.db, place.brand_code, &consent.key)?;
    let is_new = is_new_address(desk.db, place, consent, current.as_ref())?;
    if let Some(provider) = &access.provider {
        let quota = quota_case(provider, access.subscription.as_ref(), is_new);
        desk.settings.first(QUOTA, |check| check(&quota))?;
    }
    check_state(desk, consent, current.as_ref())?;
    Ok(put(desk, place, consent, current.as_ref(), is_new, origin, created_at)?)
}

/// A brand and its provider.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) iys_code: i64,
    pub(crate) brand_code: i64,
}

/// Whether a record would be the first of its address at the provider.
pub(crate) fn is_new_address(
    db: &Connection,
    place: Place,
    consent: &Consent,
    current: Option<&Current>,
) -> Result<bool> {
    Ok(current.is_none() && !consents::knows_address(db, place.iys_code, &consent.key.recipient)?)
}

/// Asks the state rules.
pub(super) fn check_state(
    desk: &Desk<'_>,
    consent: &Consent,
    current: Option<&Current>,
) -> Result<(), Refusal> {
    let case = StateCase { consent, current };
    desk.settings.first(STATE, |check| check(&case))
}

/// Writes a movement that has passed all rules, and counts its address when it is a new one.
pub(crate) fn put(
    desk: &Desk<'_>,
    place: Place,
    consent: &Consent,
    current: Option<&Current>,
    address_is_new: bool,
    origin: &Origin,
    created_at: i64,
) -> Result<Written> {
    let apart = !desk.settings.is_on(effect::ONE_SECOND_ID);
    let written = consents::record(desk.db, place.brand_code, consent, current, origin, created_at, apart)?;
    if address_is_new {
        providers::count_address(desk.db, place.iys_code)?;
    }
    // Only what the citizen or an operator did is pushed.
    if origin.is_registry {
        push::announce(desk, place.brand_code, consent.key.channel)?;
    }
    Ok(written)
}
