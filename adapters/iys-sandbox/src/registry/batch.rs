//! Adding many consents (protocol 4.3 and 4.4) and asking what became of them (4.5 and 4.6).

use std::collections::HashSet;

use iys::wire::{
    self, BatchAddResponse, BatchItemResult, ErrorItem as WireError, OriginalRequest, SubRequest, item_status,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::Desk;
use super::access::Access;
use super::add::{self, Place};
use super::answer::{Answer, Outcome, Stop};
use super::operation::Call;
use crate::draft::{Consent, Key};
use crate::error::{Error, Result};
use crate::rules::consent::{BATCH, BatchCase};
use crate::rules::query::REQUEST_ID;
use crate::rules::shape::Wanted;
use crate::rules::state::QUOTA;
use crate::rules::{ErrorItem, Refusal, effect};
use crate::settings::BatchPending;
use crate::store::batches::{self, Batch};
use crate::store::consents::{self, Current, Origin};
use crate::store::providers::{self, Provider, Subscription};
use crate::wire_time;

/// A consent that waits for its batch to be processed.
#[derive(Debug, Serialize, Deserialize)]
struct Item {
    sub_request_id: String,
    consent: Consent,
}

/// Takes a list of consents.
pub(crate) fn add(desk: &Desk<'_>, call: &Call, access: &Access) -> Outcome {
    accept(desk, call, access, false)
}

/// Takes a list of consents; those already recorded will point to their first request.
pub(crate) fn add_v2(desk: &Desk<'_>, call: &Call, access: &Access) -> Outcome {
    accept(desk, call, access, true)
}

fn accept(desk: &Desk<'_>, call: &Call, access: &Access, v2: bool) -> Outcome {
    let body = call.json(desk, Wanted::Consents)?;
    let raw: Vec<&Map<String, Value>> =
        body.as_array().into_iter().flatten().filter_map(Value::as_object).collect();
    let indexed = raw.iter().enumerate().map(|(index, map)| (Some(index), *map));
    let fields = add::check_fields(desk, access, indexed, v2);
    let consents = with_repetitions(desk, fields, &raw)?;
    if consents.len() != raw.len() || consents.is_empty() {
        return Err(add::impossible());
    }
    for (index, consent) in consents.iter().enumerate() {
        access.permit(desk, consent.key.channel, true, Some(index))?;
    }
    for (index, consent) in consents.iter().enumerate() {
        add::check_retailers(desk, access.brand_code, consent, raw.get(index).copied(), Some(index))?;
    }
    check_quota(desk, access, &consents)?;
    enqueue(desk, access, consents, v2)
}

/// Adds the findings about repeated keys to those about fields.
fn with_repetitions(
    desk: &Desk<'_>,
    fields: Result<Vec<Consent>, Stop>,
    raw: &[&Map<String, Value>],
) -> Result<Vec<Consent>, Stop> {
    let mut errors = match &fields {
        Ok(_) => Vec::new(),
        Err(Stop::Refused(refusal)) => refusal.errors.clone(),
        Err(Stop::Failed(_)) => return fields,
    };
    let mut seen = HashSet::new();
    for (index, map) in raw.iter().enumerate() {
        let Some(key) = list_key(map) else { continue };
        let case = BatchCase { repeated: !seen.insert(key) };
        let found = desk.settings.all(BATCH, |check| check(&case).map(|finding| finding.index(Some(index))));
        errors.extend(found.err().into_iter().flat_map(|refusal| refusal.errors));
    }
    if errors.is_empty() {
        return fields;
    }
    errors.sort_by_key(|item: &ErrorItem| item.index);
    Err(Refusal { status: 422, errors }.into())
}

/// What may stand only once in a list: address, kind and channel.
fn list_key(map: &Map<String, Value>) -> Option<(String, String, String)> {
    let text = |field: &str| map.get(field).and_then(Value::as_str);
    let kind = text("recipientType").unwrap_or("BIREYSEL");
    Some((crate::address::stored(text("recipient")?), kind.to_owned(), text("type")?.to_owned()))
}

/// A full quota refuses the whole list as soon as one of its addresses is new.
fn check_quota(desk: &Desk<'_>, access: &Access, consents: &[Consent]) -> Result<(), Stop> {
    let Some(provider) = &access.provider else { return Ok(()) };
    let quota = add::quota_case(provider, access.subscription.as_ref(), true);
    if quota.limit.is_none_or(|limit| quota.used < limit) {
        return Ok(());
    }
    for consent in consents {
        if !consents::knows_address(desk.db, provider.iys_code, &consent.key.recipient)? {
            desk.settings.first(QUOTA, |check| check(&quota))?;
        }
    }
    Ok(())
}

fn enqueue(desk: &Desk<'_>, access: &Access, consents: Vec<Consent>, v2: bool) -> Outcome {
    let items: Vec<Item> = consents
        .into_iter()
        .map(|consent| Item { sub_request_id: Uuid::new_v4().to_string(), consent })
        .collect();
    let request_id = Uuid::new_v4().to_string();
    let delay = desk.settings.settings.batch_delay_seconds.max(0);
    batches::add(
        desk.db,
        &Batch {
            request_id: request_id.clone(),
            brand_code: access.brand_code,
            v2,
            received_at: desk.now(),
            due_at: desk.now().saturating_add(delay),
            items: serde_json::to_string(&items)?,
            results: None,
        },
    )?;
    desk.queued.set(true);
    let sub_requests = items.into_iter().map(|item| echo(desk, item)).collect();
    let body = serde_json::to_value(BatchAddResponse { request_id, sub_requests })?;
    Ok(Answer::Json(202, body))
}

fn echo(desk: &Desk<'_>, item: Item) -> SubRequest {
    let Item { sub_request_id, consent } = item;
    SubRequest {
        sub_request_id,
        r#type: consent.key.channel.as_str().to_owned(),
        source: consent.source,
        recipient: consent.key.recipient,
        status: consent.status.as_str().to_owned(),
        consent_date: consent.date.map(wire_time::write),
        recipient_type: Some(consent.key.recipient_type.as_str().to_owned()),
        retailer_code: consent.retailer_code,
        retailer_access: consent.retailer_access,
        creation_date: Some(desk.today()),
    }
}

/// Processes a batch: every item by itself, in the order of the list, as of the instant it was due.
pub(super) fn process(desk: &Desk<'_>, batch: &Batch) -> Result<()> {
    let items: Vec<Item> = serde_json::from_str(&batch.items)?;
    let brand =
        providers::find_brand(desk.db, batch.brand_code)?.ok_or(Error::Corrupt("batches.brand_code"))?;
    let provider = providers::find(desk.db, brand.iys_code)?.ok_or(Error::Corrupt("brands.iys_code"))?;
    let subscription = providers::find_subscription(desk.db, brand.iys_code)?;
    let mut owner = Owner { provider, subscription, brand_code: brand.code };
    let results: Vec<BatchItemResult> = items
        .into_iter()
        .enumerate()
        .map(|(index, item)| process_item(desk, batch, &mut owner, index, item))
        .collect::<Result<_>>()?;
    batches::finish(desk.db, &batch.request_id, &serde_json::to_string(&results)?)
}

/// Whose batch is processed. Read once for all of its items.
struct Owner {
    /// With the addresses that the batch itself has added so far.
    provider: Provider,
    subscription: Option<Subscription>,
    brand_code: i64,
}

fn process_item(
    desk: &Desk<'_>,
    batch: &Batch,
    owner: &mut Owner,
    index: usize,
    item: Item,
) -> Result<BatchItemResult> {
    let place = Place { iys_code: owner.provider.iys_code, brand_code: owner.brand_code };
    let Item { sub_request_id, consent } = item;
    let mut result = BatchItemResult {
        index: i64::try_from(index).ok(),
        status: item_status::SUCCESS.to_owned(),
        sub_request_id: Some(sub_request_id.clone()),
        ..BatchItemResult::default()
    };
    let earlier = if batch.v2 { add::find_earlier(desk, place.brand_code, &consent)? } else { None };
    if let Some(earlier) = earlier {
        result.request_id = Some(batch.request_id.clone());
        result.transaction_id = Some(hex::encode(earlier.written.transaction_id));
        result.creation_date = Some(wire_time::write(earlier.written.created_at));
        result.is_add_consent_v2_service = Some(true);
        result.original_request_information =
            earlier.batch.map(|(request_id, sub_request_id)| OriginalRequest { request_id, sub_request_id });
        return Ok(result);
    }
    let current = consents::find_current(desk.db, place.brand_code, &consent.key)?;
    let is_new = add::is_new_address(desk.db, place, &consent, current.as_ref())?;
    match check_item(desk, owner, &consent, current.as_ref(), is_new) {
        Some(error) => {
            item_status::FAILURE.clone_into(&mut result.status);
            result.error = Some(WireError::new(error.code, error.message));
        }
        None => {
            let batch_item = Some((batch.request_id.clone(), sub_request_id));
            let origin = Origin { batch: batch_item, ..Origin::default() };
            let written = add::put(desk, place, &consent, current.as_ref(), is_new, &origin, batch.due_at)?;
            owner.provider.used_addresses += i64::from(is_new);
            result.request_id = Some(batch.request_id.clone());
            result.transaction_id = Some(hex::encode(written.transaction_id));
            result.creation_date = Some(wire_time::write(written.created_at));
        }
    }
    Ok(result)
}

/// Why an item fails, if it does.
fn check_item(
    desk: &Desk<'_>,
    owner: &Owner,
    consent: &Consent,
    current: Option<&Current>,
    is_new: bool,
) -> Option<ErrorItem> {
    let quota = add::quota_case(&owner.provider, owner.subscription.as_ref(), is_new);
    let checked = desk
        .settings
        .first(QUOTA, |check| check(&quota))
        .and_then(|()| add::check_state(desk, consent, current));
    checked.err().and_then(|refusal| refusal.errors.into_iter().next())
}

/// What of a brand waits to be processed among the lists that came in a span of time.
pub(super) fn waiting_keys(desk: &Desk<'_>, brand_code: i64, from: i64, until: i64) -> Result<Vec<Key>> {
    let mut keys = Vec::new();
    for list in batches::waiting(desk.db, brand_code, from, until)? {
        let items: Vec<Item> = serde_json::from_str(&list)?;
        keys.extend(items.into_iter().map(|item| item.consent.key));
    }
    Ok(keys)
}

/// Tells what became of a list.
pub(crate) fn result(desk: &Desk<'_>, call: &Call, access: &Access) -> Outcome {
    let mut items = results(desk, call, access)?;
    // These two belong to the second version of the method.
    for item in &mut items {
        item.is_add_consent_v2_service = None;
        item.original_request_information = None;
    }
    Ok(Answer::ok(&wire::BatchResult { items })?)
}

/// Tells what became of a list, and which of its items had been recorded before.
pub(crate) fn result_v2(desk: &Desk<'_>, call: &Call, access: &Access) -> Outcome {
    let items = results(desk, call, access)?;
    Ok(Answer::ok(&wire::BatchResult { items })?)
}

fn results(desk: &Desk<'_>, call: &Call, access: &Access) -> Result<Vec<BatchItemResult>, Stop> {
    let request_id = call.variable("requestId");
    desk.settings.first(REQUEST_ID, |check| check(&request_id))?;
    let settings = &desk.settings.settings;
    let Some(batch) = batches::find(desk.db, access.brand_code, request_id)? else { return Ok(Vec::new()) };
    let kept = settings.batch_kept_days.saturating_mul(24 * 60 * 60);
    let age = desk.now().saturating_sub(batch.received_at);
    if age > kept && desk.settings.is_on(effect::BATCH_KEPT) {
        return Ok(Vec::new());
    }
    let is_early = settings.batch_result_after_seconds.is_some_and(|wanted| age < wanted);
    let results: Option<Vec<BatchItemResult>> =
        batch.results.map(|results| serde_json::from_str(&results)).transpose()?;
    match results {
        Some(results) if !is_early => Ok(results),
        _ if settings.batch_pending == BatchPending::Empty => Ok(Vec::new()),
        Some(results) => Ok(waiting(results.into_iter().filter_map(|result| result.sub_request_id))),
        None => {
            let items: Vec<Item> = serde_json::from_str(&batch.items)?;
            Ok(waiting(items.into_iter().map(|item| item.sub_request_id)))
        }
    }
}

/// The items of a list of which nothing is told yet.
fn waiting(sub_request_ids: impl Iterator<Item = String>) -> Vec<BatchItemResult> {
    let item = |(index, sub_request_id): (usize, String)| BatchItemResult {
        index: i64::try_from(index).ok(),
        status: item_status::ENQUEUE.to_owned(),
        sub_request_id: Some(sub_request_id),
        ..BatchItemResult::default()
    };
    sub_request_ids.enumerate().map(item).collect()
}
