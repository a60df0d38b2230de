//! Batches: posted, posted again with the same bytes after an unknown outcome, and asked about until every item is known.
//! No question is asked here: an item whose outcome its result leaves open becomes an unresolved single.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use iys::wire::{BatchAddResponse, BatchItemResult};
use iys::{Account, Bytes, ErrorClass, IysError};
use kopru_domain::outcome::{batch_give_up, batch_look_delay};
use kopru_domain::{Code, ConsentStatus, HeldCause, RegistryAnswer, SubmissionState};
use kopru_store::batches::{self, BatchRow, BatchState};
use kopru_store::submissions::{self, SubmissionRow};
use kopru_store::{Claim, Priority, ProviderKeys, StoreError, Tx, heads, ids};
use serde_json::value::RawValue;

use crate::bootstrap::App;
use crate::registry::{codes, words};
use crate::service::filing::claim::join;
use crate::service::filing::retry_wait;
use crate::service::filing::send::{account, count};
use crate::service::filing::settling::{Consents, Settling, consents_of, waiting_for};
use crate::service::{ServiceResult, mirror};

/// A missing right is the client's to mend; the bytes may not change meanwhile.
const RIGHTS_AGAIN: Duration = Duration::from_mins(30);
/// At most every two hours.
const MOST_DOUBLINGS: i64 = 2;

/// Claims a batch that is due: its POST had no answer, or its results may be there.
pub async fn claim_batch(app: &App, claim: Claim) -> ServiceResult<Option<BatchRow>> {
    if !app.registry.is_open().await? {
        return Ok(None);
    }
    let mut tx = app.db.begin(Priority::Bulk).await?;
    let batch = batches::claim(&mut tx, app.clocks.business(), app.clocks.wire(), claim).await?;
    tx.commit_yielding().await?;
    Ok(batch)
}

/// Takes a claimed batch one step further.
pub async fn batch_step(app: &App, batch: BatchRow) -> ServiceResult<()> {
    let account = account(app, batch.iys_code).await?;
    match (&batch.state, &batch.body) {
        (BatchState::Posting | BatchState::Unresolved, Some(_)) => {
            let body = bytes_of(app, &batch).await?;
            post(app, &account, batch, body).await
        }
        (BatchState::Waiting, _) => look(app, &account, batch).await,
        _ => Ok(()),
    }
}

/// The exact bytes of a batch.
async fn bytes_of(app: &App, batch: &BatchRow) -> ServiceResult<Bytes> {
    let mut tx = app.db.read().await?;
    let keys = app.vault.keys(&mut tx, batch.iys_code).await?;
    let body = mirror::open_wire(&keys, batch.body.as_deref().unwrap_or_default())?;
    Ok(Bytes::from(body))
}

/// Begins a transaction that touches the items of a batch: under the provider's head, as all that do.
async fn begin(app: &App, batch: &BatchRow) -> ServiceResult<Tx> {
    let mut tx = app.db.begin(Priority::Bulk).await?;
    heads::lock(&mut tx, batch.iys_code).await?;
    Ok(tx)
}

/// Posts a batch.
pub(super) async fn post(app: &App, account: &Account, batch: BatchRow, body: Bytes) -> ServiceResult<()> {
    let result = account.add_batch_raw(codes(batch.iys_code, batch.brand_code), body.clone()).await;
    posted(app, batch, &body, result).await
}

/// Records what came of a batch's POST.
pub async fn posted(
    app: &App,
    batch: BatchRow,
    body: &Bytes,
    result: Result<BatchAddResponse, IysError>,
) -> ServiceResult<()> {
    count("add_batch", &result);
    match result {
        Ok(taken) => accepted(app, &batch, body, &taken).await,
        Err(error) => refused(app, batch, body, &error).await,
    }
}

async fn accepted(app: &App, batch: &BatchRow, body: &Bytes, taken: &BatchAddResponse) -> ServiceResult<()> {
    let now = app.clocks.business();
    let first_look = now + TimeDelta::from_std(app.config.filing.first_look).unwrap_or(TimeDelta::minutes(5));
    let sub_requests = sub_requests(body, taken)?;
    let mut tx = begin(app, batch).await?;
    if batches::waiting(&mut tx, batch, &taken.request_id, now, first_look, &sub_requests).await? {
        if batch.resent {
            submissions::batch_accepted(&mut tx, batch.iys_code, batch.id, now).await?;
        }
        tx.commit_yielding().await?;
    }
    Ok(())
}

/// The registry's id of each item by place. Its answer keeps our order, but nobody promised it: match by content.
fn sub_requests(body: &Bytes, taken: &BatchAddResponse) -> ServiceResult<Vec<String>> {
    let mut by_content: HashMap<(String, String, String), String> = HashMap::new();
    for sub in &taken.sub_requests {
        let kind = sub.recipient_type.clone().unwrap_or_default();
        by_content
            .insert((sub.recipient.to_lowercase(), kind, sub.r#type.clone()), sub.sub_request_id.clone());
    }
    let items: Vec<iys::wire::ConsentRequest> = serde_json::from_slice(body).map_err(|_| unreadable())?;
    Ok(items
        .into_iter()
        .map(|item| {
            let content =
                (item.recipient.to_lowercase(), item.recipient_type.unwrap_or_default(), item.r#type);
            by_content.remove(&content).unwrap_or_default()
        })
        .collect())
}

async fn refused(app: &App, batch: BatchRow, body: &Bytes, error: &IysError) -> ServiceResult<()> {
    let now = app.clocks.business();
    let refused_for_now = matches!(error.class(), ErrorClass::Pause { .. } | ErrorClass::Config);
    if error.may_have_written() || (batch.resent && (retryable(error) || refused_for_now)) {
        let at = now + wait(&batch, error);
        let mut tx = begin(app, &batch).await?;
        if batches::unresolved(&mut tx, &batch, at).await? {
            submissions::batch_unknown(&mut tx, batch.iys_code, batch.id, now).await?;
            say_why(app, &mut tx, &batch, error, at).await?;
            tx.commit_yielding().await?;
        }
        return Ok(());
    }
    if retryable(error) {
        let at = now + wait(&batch, error);
        let mut tx = begin(app, &batch).await?;
        if batches::done(&mut tx, &batch).await? {
            submissions::batch_released(&mut tx, batch.iys_code, batch.id, at, now).await?;
            tx.commit_yielding().await?;
        }
        return Ok(());
    }
    if batch.resent {
        // Refused as a whole now, but perhaps taken before: each item is resolved by itself.
        return one_by_one(app, &batch, body).await;
    }
    if refused_for_now { settle_all(app, &batch, error).await } else { split(app, &batch, body, error).await }
}

/// Where a missing right refuses the bytes, their items stay unresolved and say for what they wait.
async fn say_why(
    app: &App,
    tx: &mut Tx,
    batch: &BatchRow,
    error: &IysError,
    next_attempt_at: DateTime<Utc>,
) -> ServiceResult<()> {
    let RegistryAnswer::Held(cause, code) = words::refusal(error.class(), error.code()) else {
        return Ok(());
    };
    let mut settling = Settling::begin(app, tx, batch.iys_code).await?;
    for row in submissions::of_batch(tx, batch.iys_code, batch.id).await? {
        settling.save(SubmissionRow { next_attempt_at, ..waiting_for(row, cause, &code) });
    }
    settling.finish(tx).await
}

/// Whether the same bytes may pass later.
fn retryable(error: &IysError) -> bool {
    matches!(
        error.class(),
        ErrorClass::Retry
            | ErrorClass::NotSent
            | ErrorClass::Wait { .. }
            | ErrorClass::Reauthenticate
            | ErrorClass::OutcomeUnknown
    ) || matches!(error, IysError::CredentialsRefused { .. })
}

fn wait(batch: &BatchRow, error: &IysError) -> TimeDelta {
    let delay = match error.class() {
        ErrorClass::Wait { after } => after,
        ErrorClass::NotSent => words::NOT_SENT_AGAIN,
        ErrorClass::Reauthenticate | ErrorClass::Config => words::CREDENTIALS_AGAIN,
        // Ever more rarely: others have to act.
        ErrorClass::Pause { .. } => RIGHTS_AGAIN * (1 << batch.attempt.clamp(0, MOST_DOUBLINGS)),
        _ => retry_wait(batch.attempt + 1, batch.id),
    };
    TimeDelta::from_std(delay).unwrap_or(TimeDelta::minutes(1))
}

/// Every item gets the answer that the list got: a missing right concerns them all.
async fn settle_all(app: &App, batch: &BatchRow, error: &IysError) -> ServiceResult<()> {
    let answer = words::refusal(error.class(), error.code());
    let mut tx = app.db.begin(Priority::Bulk).await?;
    let mut settling = Settling::begin(app, &mut tx, batch.iys_code).await?;
    let rows = submissions::of_batch(&mut tx, batch.iys_code, batch.id).await?;
    settling.load(&mut tx, &rows).await?;
    for row in rows {
        // A used-up package refuses new addresses: a RET may pass when it goes by itself.
        let may_pass = matches!(answer, RegistryAnswer::Held(HeldCause::Quota, _))
            && row.status == ConsentStatus::Rejection;
        let answer = if may_pass { &RegistryAnswer::Retry { code: None, after: None } } else { &answer };
        settling.answered(row, answer)?;
    }
    settling.finish(&mut tx).await?;
    if batches::done(&mut tx, batch).await? {
        tx.commit_yielding().await?;
        app.wake.wake();
    }
    Ok(())
}

/// A 422 refuses the whole list: the indexed items are taken out and the rest goes again; without an index, by halves.
async fn split(app: &App, batch: &BatchRow, body: &Bytes, error: &IysError) -> ServiceResult<()> {
    let mut blamed: BTreeMap<usize, RegistryAnswer> = BTreeMap::new();
    for item in error.items() {
        if let Some(index) = item.index {
            blamed.entry(index).or_insert_with(|| words::item_refusal(Some(item)));
        }
    }
    let mut tx = app.db.begin(Priority::Bulk).await?;
    let mut settling = Settling::begin(app, &mut tx, batch.iys_code).await?;
    let rows = submissions::of_batch(&mut tx, batch.iys_code, batch.id).await?;
    settling.load(&mut tx, &rows).await?;
    let mut rest = Vec::new();
    for row in rows {
        let index = row.batch_index.and_then(|index| usize::try_from(index).ok()).unwrap_or(usize::MAX);
        match blamed.remove(&index) {
            Some(answer) => {
                settling.answered(row, &answer)?;
            }
            None => rest.push(row),
        }
    }
    let items = raw_items(body)?;
    if rest.len() as i64 == batch.items {
        let code = error.code().unwrap_or("no_code").to_owned();
        if rest.len() == 1 {
            for row in rest.drain(..) {
                settling.answered(row, &RegistryAnswer::Refused(Code::new(code.clone())))?;
            }
        } else {
            let half = rest.split_off(rest.len() / 2);
            again(&mut tx, &mut settling, batch, &items, half).await?;
        }
    }
    if !rest.is_empty() {
        again(&mut tx, &mut settling, batch, &items, rest).await?;
    }
    settling.finish(&mut tx).await?;
    if batches::done(&mut tx, batch).await? {
        tx.commit_yielding().await?;
        app.wake.wake();
    }
    Ok(())
}

/// A new batch of some items of another, with their same bytes, free to be posted by anybody.
async fn again(
    tx: &mut Tx,
    settling: &mut Settling<'_>,
    batch: &BatchRow,
    items: &[Bytes],
    rows: Vec<SubmissionRow>,
) -> ServiceResult<()> {
    let bytes: Vec<Bytes> = rows.iter().filter_map(|row| item(items, row)).collect();
    let body = join(bytes.iter());
    let id = ids::new_id(settling.now);
    let fresh = BatchRow {
        id,
        state: BatchState::Posting,
        body: Some(mirror::seal_wire(&settling.keys, &body)),
        items: i64::try_from(rows.len()).unwrap_or_default(),
        attempt: 0,
        claimed_by: None,
        earliest_target: rows.iter().map(|row| row.target_at).min().unwrap_or(settling.now),
        next_attempt_at: settling.now,
        created_at: settling.now,
        ..batch.clone()
    };
    batches::add(tx, &fresh, None).await?;
    for (index, row) in rows.into_iter().enumerate() {
        settling.save(SubmissionRow { batch_id: Some(id), batch_index: i64::try_from(index).ok(), ..row });
    }
    Ok(())
}

/// Takes a batch apart: each open item becomes an unresolved single with its exact bytes.
async fn one_by_one(app: &App, batch: &BatchRow, body: &Bytes) -> ServiceResult<()> {
    let items = raw_items(body)?;
    let mut tx = app.db.begin(Priority::Bulk).await?;
    let mut settling = Settling::begin(app, &mut tx, batch.iys_code).await?;
    for row in submissions::of_batch(&mut tx, batch.iys_code, batch.id).await? {
        let next_attempt_at = settling.now;
        let row = single(&settling.keys, &items, row);
        settling.save(SubmissionRow { next_attempt_at, ..row });
    }
    settling.finish(&mut tx).await?;
    if batches::done(&mut tx, batch).await? {
        tx.commit_yielding().await?;
        app.wake.wake();
    }
    Ok(())
}

/// An item that leaves its batch as an unresolved single with its exact bytes.
fn single(keys: &ProviderKeys, items: &[Bytes], row: SubmissionRow) -> SubmissionRow {
    SubmissionRow {
        state: SubmissionState::Unresolved,
        wire: item(items, &row).map(|bytes| mirror::seal_wire(keys, &bytes)),
        batch_id: None,
        batch_index: None,
        claim: None,
        ..row
    }
}

/// Asks for a batch's results. Empty is not failed: after long emptiness each item is resolved by itself.
async fn look(app: &App, account: &Account, batch: BatchRow) -> ServiceResult<()> {
    let request_id = batch.request_id.clone().unwrap_or_default();
    let asking = account.batch_result(codes(batch.iys_code, batch.brand_code), &request_id);
    let (result, items) = tokio::join!(asking, items_of(app, &batch));
    count("batch_result", &result);
    let (results, failed) = match result {
        Ok(items) => (items, None),
        Err(error) => (Vec::new(), Some(error)),
    };
    let (rows, consents) = items?;
    let (decided, left) = decided(&batch, rows, &results);
    let now = app.clocks.business();
    let posted_at = batch.posted_at.unwrap_or(batch.created_at);
    let gives_up =
        !left.is_empty() && failed.is_none() && now >= batch_give_up(posted_at, batch.earliest_target);
    let bytes = if batch.resent || gives_up { raw_items(&bytes_of(app, &batch).await?)? } else { Vec::new() };
    let mut tx = app.db.begin(Priority::Bulk).await?;
    let mut settling = Settling::begin(app, &mut tx, batch.iys_code).await?.with(consents);
    settling.load_keys(&mut tx, decided.iter().map(|(row, _)| row.key).collect()).await?;
    // As a single whose first POST is in doubt: "it is there already" is not believed before the status was asked, which is
    // left to the worker of unresolved singles.
    let keys = settling.keys.clone();
    let as_single = |row| if batch.resent { single(&keys, &bytes, row) } else { row };
    let answers = decided.into_iter().map(|(row, answer)| (as_single(row), answer)).collect();
    settling.all_answered(&mut tx, answers).await?;
    let ours = if left.is_empty() {
        batches::done(&mut tx, &batch).await?
    } else if gives_up {
        for row in left {
            let row = single(&settling.keys, &bytes, row);
            settling.save(SubmissionRow { next_attempt_at: now, ..row });
        }
        batches::done(&mut tx, &batch).await?
    } else {
        let look = u32::try_from(batch.looks + 1).unwrap_or(u32::MAX);
        let delay = TimeDelta::from_std(batch_look_delay(look)).unwrap_or(TimeDelta::minutes(5));
        let delay = failed.map_or(delay, |error| wait(&batch, &error).min(delay));
        batches::look_again(&mut tx, &batch, now + delay).await?
    };
    if ours {
        settling.finish(&mut tx).await?;
        tx.commit_yielding().await?;
        app.wake.wake();
    }
    Ok(())
}

/// The open items of a batch with their consents. Nobody but the holder of the batch's claim changes them.
async fn items_of(app: &App, batch: &BatchRow) -> ServiceResult<(Vec<SubmissionRow>, Consents)> {
    let mut tx = app.db.read().await?;
    let rows = submissions::of_batch(&mut tx, batch.iys_code, batch.id).await?;
    let ids = rows.iter().map(|row| row.consent_id).collect();
    let consents = consents_of(&mut tx, app, batch.iys_code, ids).await?;
    Ok((rows, consents))
}

/// Matches results to rows, by the registry's id of the item, else by place; and what is left without one.
fn decided(
    batch: &BatchRow,
    rows: Vec<SubmissionRow>,
    results: &[BatchItemResult],
) -> (Vec<(SubmissionRow, RegistryAnswer)>, Vec<SubmissionRow>) {
    let places: HashMap<&str, usize> = batch
        .sub_requests
        .iter()
        .enumerate()
        .filter(|(_, id)| !id.is_empty())
        .map(|(place, id)| (id.as_str(), place))
        .collect();
    let mut by_place: HashMap<usize, &BatchItemResult> = HashMap::new();
    for result in results {
        let by_id = result.sub_request_id.as_deref().and_then(|id| places.get(id)).copied();
        let by_index = result.index.and_then(|index| usize::try_from(index).ok());
        if let Some(place) = by_id.or(if places.is_empty() { by_index } else { None }) {
            by_place.insert(place, result);
        }
    }
    let (mut decided, mut left) = (Vec::with_capacity(rows.len()), Vec::new());
    for row in rows {
        let place = row.batch_index.and_then(|index| usize::try_from(index).ok());
        match place.and_then(|place| words::item_answer(by_place.get(&place)?)) {
            Some(answer) => decided.push((row, answer)),
            None => left.push(row),
        }
    }
    (decided, left)
}

/// The items of a batch as they stand in its bytes.
fn raw_items(body: &Bytes) -> ServiceResult<Vec<Bytes>> {
    let items: Vec<Box<RawValue>> = serde_json::from_slice(body).map_err(|_| unreadable())?;
    Ok(items.into_iter().map(|item| Bytes::from(Box::<str>::from(item).into_string().into_bytes())).collect())
}

fn item(items: &[Bytes], row: &SubmissionRow) -> Option<Bytes> {
    items.get(usize::try_from(row.batch_index?).ok()?).cloned()
}

fn unreadable() -> StoreError {
    StoreError::Corrupt { what: "batches", detail: "body".to_owned() }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use iys::Operation;
    use kopru_domain::{BrandCode, IysCode};

    use super::*;

    /// What had not been sent waited by doubling, up to ten minutes, while the outage was long over.
    #[test]
    fn a_batch_that_was_not_sent_goes_again_soon_however_often() {
        let now = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
        let batch = BatchRow {
            iys_code: IysCode(600_100),
            id: ids::new_id(now),
            brand_code: BrandCode(600_100),
            state: BatchState::Unresolved,
            body: None,
            items: 1,
            request_id: None,
            earliest_target: now,
            posted_at: None,
            looks: 0,
            resent: true,
            attempt: 12,
            next_attempt_at: now,
            created_at: now,
            claimed_by: None,
            sub_requests: Vec::new(),
        };
        let source = Arc::new(std::io::Error::other("no way"));
        let not_sent = IysError::Unreachable { operation: Operation::AddBatch, source: source.clone() };
        let unanswered = IysError::Interrupted { operation: Operation::AddBatch, source };
        assert_eq!(wait(&batch, &not_sent), TimeDelta::seconds(4));
        assert!(wait(&batch, &unanswered) >= TimeDelta::minutes(5));
    }
}
