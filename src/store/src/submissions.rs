//! Submissions: one filing of one consent to the registry. This table is the queue.

#[macro_use]
mod states;
mod queue;
mod rows;

use chrono::{DateTime, Utc};
use kopru_domain::{BrandCode, Channel, ConsentStatus, IysCode};
use uuid::Uuid;

use crate::error::Result;
use crate::{Claim, Key, Step, Tx, args, statements};

pub(crate) use queue::STATEMENTS as QUEUE_STATEMENTS;
pub use queue::{BucketRow, OpenCount, buckets, counts, in_flight, queue_depth};
use rows::{ADD, REGISTER, SAVE, fresh, read, recorded, values};
pub use rows::{EndedFilter, ListFilter, OpenRow, Portion, SubmissionRow};
pub(crate) use rows::{INSERTS, read_open};

/// What of one status is due at a brand and blocked by nothing of its key, earliest target first. The look-up in the key
/// is a scalar select and no NOT EXISTS, which PostgreSQL turns into a join, and without fresh statistics into one that
/// compares the whole queue with itself.
macro_rules! due_of {
    ($status:literal) => {
        concat!(
            "SELECT s.iys_code AS p, s.consent_id AS c, s.generation AS g, s.target_at AS t, s.status AS w
             FROM submissions s {by submissions_due_by_brand}
             WHERE s.state = 'queued' AND s.status = '", $status, "' AND '", $status, "' {in $3 text}
                AND s.iys_code = $1 AND s.brand_code = $2 AND s.next_attempt_at <= $5
                AND (SELECT 1 FROM submissions o {by submissions_open} WHERE o.iys_code = s.iys_code AND o.key = s.key
                      AND ", open!("o."), "
                      AND (", taken!("o."), "
                           OR ((o.state = 'queued' OR o.cause <> 'review')
                               AND (o.ordered_at < s.ordered_at OR (o.ordered_at = s.ordered_at AND o.consent_id < s.consent_id))))
                      LIMIT 1) IS NULL
             ORDER BY s.target_at LIMIT $4 {skip_locked}"
        )
    };
}

/// The columns of [`SubmissionRow`], as [`read`] expects them.
macro_rules! row {
    () => {
        "consent_id, generation, brand_code, key, channel, status, state, code, ordered_at, wire_date, target_at, legal_at, \
         latest_at, calendar, late, at_risk, attempt, next_attempt_at, wire, batch_id, batch_index, transaction_id, \
         creation_date, cause, iys_code"
    };
}

statements! {
    /// CROSS JOIN keeps SQLite to this order: from the few open rows to their consents.
    OPEN_OF_KEYS = concat!("SELECT s.key, s.consent_id, s.generation, s.status, s.ordered_at, s.wire_date, s.state, c.source, s.cause, s.code
        FROM {each $2 bytes of submissions AS s by submissions_open: s.iys_code = $1 AND s.key = wanted.value
            AND ", open!("s."), "}
            CROSS JOIN consents c
        WHERE c.iys_code = s.iys_code AND c.id = s.consent_id
        ORDER BY s.ordered_at, s.consent_id");
    SUPERSEDE = "WITH due AS MATERIALIZED (
              SELECT s.iys_code AS p, s.consent_id AS c, s.generation AS g
              FROM {each $2 uuid of submissions AS s: s.iys_code = $1 AND s.consent_id = wanted.value})
        UPDATE submissions SET state = 'superseded', code = $3, updated_at = $4 FROM due
        WHERE iys_code = p AND consent_id = c AND generation = g AND state IN ('queued', 'held')";
    /// The next brand in turn that has something due: round robin inside one status.
    NEXT_IN_TURN = "SELECT iys_code, brand_code FROM submissions {by submissions_due_by_brand}
        WHERE state = 'queued' AND status = $1 AND next_attempt_at <= $2 AND (iys_code, brand_code) > ($3, $4)
        ORDER BY iys_code, brand_code LIMIT 1";
    /// The brand that owns the earliest target; RET wins ties, then the lower numbers, so that replicas agree.
    NEXT_BY_TARGET = "SELECT iys_code, brand_code FROM submissions {by submissions_due}
        WHERE state = 'queued' AND next_attempt_at <= $1 AND NOT (iys_code {in $2 int} AND brand_code {in $3 int})
        ORDER BY target_at, status DESC, iys_code, brand_code LIMIT 1";
    /// What of these keys has not ended, but for what this claim has just taken.
    OPEN_BESIDE = concat!("SELECT s.key, s.consent_id, s.generation, s.status, s.ordered_at, s.wire_date, s.state, c.source, s.cause, s.code
        FROM {each $2 bytes of submissions AS s by submissions_open: s.iys_code = $1 AND s.key = wanted.value
            AND ", open!("s."), "
            AND (s.claimed_by IS NULL OR s.claimed_by <> $3)}
            CROSS JOIN consents c
        WHERE c.iys_code = s.iys_code AND c.id = s.consent_id
        ORDER BY s.ordered_at, s.consent_id");
    /// What a claim will find, but for what it has to leave out.
    DUE = "SELECT consent_id, target_at FROM submissions {by submissions_due_by_brand}
        WHERE state = 'queued' AND status = $3 AND iys_code = $1 AND brand_code = $2 AND next_attempt_at <= $4
        ORDER BY target_at LIMIT $5";
    /// One movement of a key in flight; inside a key the earlier goes first. One branch a status, each in the order of
    /// its index: so a claim reads as many rows as it takes, however long the queue is. More than $8 become at once the
    /// items of batch $9, in the order in which they are claimed: each change of a row's state costs as much as its indexes.
    CLAIM = concat!("WITH due AS MATERIALIZED (
              SELECT p, c, g, t, w FROM (", due_of!("RET"), ") AS ret
              UNION ALL SELECT p, c, g, t, w FROM (", due_of!("ONAY"), ") AS onay
              ORDER BY t, w DESC LIMIT $4),
            placed AS MATERIALIZED (
              SELECT p, c, g, row_number() OVER (ORDER BY t, w DESC, c) - 1 AS place, count(*) OVER () > $8 AS many FROM due)
        UPDATE submissions SET state = CASE WHEN many THEN 'batched' ELSE 'in_flight' END, code = CASE WHEN many THEN NULL ELSE code END,
            batch_id = CASE WHEN many THEN $9 ELSE batch_id END, batch_index = CASE WHEN many THEN place ELSE batch_index END,
            claimed_by = $6, lease_until = $7, attempt = attempt + 1, updated_at = $5 FROM placed
        WHERE iys_code = p AND consent_id = c AND generation = g
        RETURNING ", row!());
    /// Singles whose outcome is unknown: unresolved and due, or in flight with a lease that ran out.
    CLAIM_UNRESOLVED = concat!("WITH due AS MATERIALIZED (
              SELECT s.iys_code AS p, s.consent_id AS c, s.generation AS g FROM submissions s {by submissions_out}
              WHERE s.state IN ('in_flight', 'unresolved') AND s.batch_id IS NULL AND s.next_attempt_at <= $1
                AND (s.lease_until < $2 OR s.lease_until IS NULL)
              ORDER BY s.next_attempt_at LIMIT $5 {skip_locked})
        UPDATE submissions SET state = 'unresolved', claimed_by = $3, lease_until = $4, attempt = attempt + 1, updated_at = $1 FROM due
        WHERE iys_code = p AND consent_id = c AND generation = g
        RETURNING ", row!());
    /// Of singles in doubt those with a definite answer, which the status query confirms or not.
    NEXT_QUESTION = "SELECT iys_code, brand_code FROM submissions {by submissions_out}
        WHERE state IN ('in_flight', 'unresolved') AND state = 'unresolved' AND batch_id IS NULL AND code {in $1 text}
            AND next_attempt_at <= $2 AND (lease_until < $3 OR lease_until IS NULL)
        ORDER BY next_attempt_at LIMIT 1";
    CLAIM_QUESTIONS = concat!("WITH due AS MATERIALIZED (
              SELECT s.iys_code AS p, s.consent_id AS c, s.generation AS g FROM submissions s {by submissions_out}
              WHERE s.state IN ('in_flight', 'unresolved') AND s.state = 'unresolved' AND s.batch_id IS NULL AND s.code {in $3 text}
                AND s.iys_code = $1 AND s.brand_code = $2 AND s.next_attempt_at <= $4 AND (s.lease_until < $5 OR s.lease_until IS NULL)
              ORDER BY s.next_attempt_at LIMIT $6 {skip_locked})
        UPDATE submissions SET claimed_by = $7, lease_until = $8, attempt = attempt + 1, updated_at = $4 FROM due
        WHERE iys_code = p AND consent_id = c AND generation = g
        RETURNING ", row!());
    /// Rejections for which the status is to be asked: late ones, and those with a definite answer in doubt.
    REJECTIONS_TO_ASK = "SELECT (SELECT count(*) FROM (SELECT 1 FROM submissions {by submissions_due}
              WHERE state = 'queued' AND target_at < $1 AND status = 'RET' LIMIT $3) AS late)
        + (SELECT count(*) FROM (SELECT 1 FROM submissions {by submissions_out}
              WHERE state IN ('in_flight', 'unresolved') AND state = 'unresolved' AND status = 'RET' AND batch_id IS NULL
                AND code {in $2 text} AND next_attempt_at <= $4 LIMIT $3) AS doubted)";
    OF_BATCH = concat!("SELECT ", row!(), "
        FROM submissions {by submissions_of_batch}
        WHERE iys_code = $1 AND batch_id = $2 AND ", taken!(""), " ORDER BY batch_index");
    FIND = concat!("SELECT ", row!(), "
        FROM submissions WHERE iys_code = $1 AND consent_id = $2 ORDER BY generation DESC LIMIT 1");
    FIND_MANY = concat!("SELECT ", row!(), "
        FROM {each $2 uuid of submissions AS s: s.iys_code = $1 AND s.consent_id = wanted.value}");
    LIST = concat!("SELECT ", row!(), "
        FROM submissions {by submissions_recent} WHERE iys_code = $1 AND brand_code = $2 AND consent_id > $3 AND ($4 = '' OR state = $4)
            AND ($5 = '' OR code = $5) AND target_at <= $6 ORDER BY consent_id LIMIT $7");
    /// Consents whose newest filing has ended without the registry's record. The states are the condition of the index.
    ENDED = concat!("SELECT ", row!(), "
        FROM submissions s {by submissions_ended}
        WHERE s.iys_code = $1 AND s.brand_code = $2 AND s.consent_id > $3
            AND ", ended!("s."), " AND s.state {in $4 text}
            AND ($5 OR s.code {in $6 text}) AND s.updated_at >= $7 AND s.updated_at < $8
            AND (SELECT 1 FROM submissions n WHERE n.iys_code = s.iys_code AND n.consent_id = s.consent_id
                  AND n.generation > s.generation LIMIT 1) IS NULL
        ORDER BY s.consent_id LIMIT $9");
    /// In the order of the registry's own file of a day.
    REGISTERED = concat!("SELECT ", row!(), "
        FROM submissions {by submissions_registered}
        WHERE state = 'registered' AND iys_code = $1 AND brand_code = $2 AND (creation_date, consent_id) > ($3, $4) AND creation_date <= $5
        ORDER BY creation_date, consent_id LIMIT $6");
    /// The three states are the condition of the index, word for word. What kept the bytes back is over.
    BATCH_ACCEPTED = concat!("UPDATE submissions {by submissions_of_batch} SET state = 'batched', code = NULL, cause = NULL, updated_at = $3
        WHERE iys_code = $1 AND batch_id = $2 AND ", taken!(""), " AND state <> 'batched'");
    BATCH_UNKNOWN = concat!("UPDATE submissions {by submissions_of_batch} SET state = 'unresolved', updated_at = $3
        WHERE iys_code = $1 AND batch_id = $2 AND ", taken!(""), " AND state <> 'unresolved'");
    BATCH_RELEASED = concat!("UPDATE submissions {by submissions_of_batch} SET state = 'queued', batch_id = NULL, batch_index = NULL, claimed_by = NULL, lease_until = NULL,
            next_attempt_at = $3, updated_at = $4
        WHERE iys_code = $1 AND batch_id = $2 AND ", taken!(""));
    /// Singles that nobody asks about just now.
    HURRY = "WITH due AS MATERIALIZED (
              SELECT s.iys_code AS p, s.consent_id AS c, s.generation AS g
              FROM {each $2 uuid of submissions AS s: s.iys_code = $1 AND s.consent_id = wanted.value})
        UPDATE submissions SET next_attempt_at = $3 FROM due WHERE iys_code = p AND consent_id = c AND generation = g
            AND state = 'unresolved' AND batch_id IS NULL AND claimed_by IS NULL AND next_attempt_at > $3";
    EXPIRING = concat!("SELECT ", row!(), "
        FROM submissions WHERE state = 'queued' AND status = 'ONAY' AND target_at <= $2 AND latest_at < $1
        UNION ALL
        SELECT ", row!(), "
        FROM submissions WHERE state = 'held' AND status = 'ONAY' AND latest_at < $1 LIMIT $3");
    AT_RISK = concat!("SELECT ", row!(), "
        FROM submissions WHERE NOT at_risk AND ", open!(""), " AND target_at < $1
        ORDER BY target_at LIMIT $2");
    /// Touches nothing else: the row may be in somebody's hands.
    WARNED = concat!("WITH due AS MATERIALIZED (
              SELECT s.iys_code AS p, s.consent_id AS c, s.generation AS g
              FROM {each $2 uuid of submissions AS s: s.iys_code = $1 AND s.consent_id = wanted.value})
        UPDATE submissions SET at_risk = TRUE FROM due WHERE iys_code = p AND consent_id = c AND generation = g
            AND ", open!(""));
    CLAIMS = concat!("SELECT s.consent_id, s.generation, s.claimed_by
        FROM {each $2 uuid of submissions AS s: s.iys_code = $1 AND s.consent_id = wanted.value
            AND ", open!("s."), "}");
    RELEASE_HELD = "WITH due AS MATERIALIZED (
              SELECT s.iys_code AS p, s.consent_id AS c, s.generation AS g FROM submissions s {by submissions_held}
              WHERE s.state = 'held' AND s.cause <> 'review' AND s.iys_code = $1 AND s.brand_code = $2 AND s.channel = $3
              ORDER BY s.target_at LIMIT $4 {skip_locked})
        UPDATE submissions SET state = 'queued', cause = $6, next_attempt_at = $5, updated_at = $5 FROM due
        WHERE iys_code = p AND consent_id = c AND generation = g";
    HURRY_WAITING = "UPDATE submissions {by submissions_out} SET next_attempt_at = $4, updated_at = $4
        WHERE state IN ('in_flight', 'unresolved') AND state = 'unresolved' AND cause IS NOT NULL AND claimed_by IS NULL
            AND iys_code = $1 AND brand_code = $2 AND channel = $3 AND next_attempt_at > $4";
    EARLIEST_REJECTION = "SELECT target_at FROM submissions {by submissions_due_by_brand}
        WHERE state = 'queued' AND status = 'RET' AND iys_code = $1 AND brand_code = $2 AND next_attempt_at <= $3 ORDER BY target_at LIMIT 1";
    HELD_ANY = "SELECT 1 FROM submissions {by submissions_held}
        WHERE state = 'held' AND cause <> 'review' AND iys_code = $1 AND brand_code = $2 AND channel = $3 LIMIT 1";
    HELD_REJECTION = "SELECT 1 FROM submissions {by submissions_held}
        WHERE state = 'held' AND cause <> 'review' AND iys_code = $1 AND brand_code = $2 AND channel = $3 AND status = 'RET'
            AND target_at < $4 LIMIT 1";
}

/// The step that adds filings.
pub fn add_step(rows: Vec<SubmissionRow>, now: DateTime<Utc>) -> Step {
    Step::Insert(&ADD, rows.into_iter().map(|row| fresh(row, now)).collect())
}

/// Adds filings.
pub async fn add(tx: &mut Tx, rows: Vec<SubmissionRow>, now: DateTime<Utc>) -> Result<()> {
    tx.run(vec![add_step(rows, now)]).await
}

/// The step that ends filings as registered: with their ids and dates of the registry, and nothing else of theirs. Much
/// cheaper than [`save`], and what becomes of nearly all.
pub fn register_step(rows: Vec<SubmissionRow>, now: DateTime<Utc>) -> Step {
    Step::Insert(&REGISTER, rows.into_iter().map(|row| recorded(row, now)).collect())
}

/// Writes rows back whole. A row that has ended meanwhile is left as it is and is not among the answers.
pub async fn save(tx: &mut Tx, rows: Vec<SubmissionRow>, now: DateTime<Utc>) -> Result<Vec<Uuid>> {
    let rows = rows.into_iter().map(|row| values(row, now)).collect();
    tx.insert_returning(&SAVE, rows).await?.iter().map(|row| row.get(0)).collect()
}

/// What has not ended of these keys, in order inside each key.
pub async fn open_of_keys(tx: &mut Tx, provider: IysCode, keys: Vec<Key>) -> Result<Vec<OpenRow>> {
    tx.rows(&OPEN_OF_KEYS, args![provider, keys]).await?.iter().map(read_open).collect()
}

/// What has not ended of these keys beside what `claim` has taken, in order inside each key.
pub async fn open_beside(
    tx: &mut Tx,
    provider: IysCode,
    keys: Vec<Key>,
    claim: Claim,
) -> Result<Vec<OpenRow>> {
    tx.rows(&OPEN_BESIDE, args![provider, keys, claim.by]).await?.iter().map(read_open).collect()
}

/// The step that ends filings that a later RET makes pointless, if they have not left the house.
pub fn supersede_step(provider: IysCode, ids: Vec<Uuid>, code: &str, now: DateTime<Utc>) -> Step {
    Step::Statement(&SUPERSEDE, args![provider, ids, code, now])
}

/// Round robin: the next brand after `last` with something due of this status; wraps around.
pub async fn next_in_turn(
    tx: &mut Tx,
    status: ConsentStatus,
    now: DateTime<Utc>,
    last: (IysCode, BrandCode),
) -> Result<Option<(IysCode, BrandCode)>> {
    for (provider, brand) in [last, (IysCode(-1), BrandCode(-1))] {
        if let Some(row) = tx.row(&NEXT_IN_TURN, args![status, now, provider, brand]).await? {
            return Ok(Some((IysCode(row.get(0)?), BrandCode(row.get(1)?))));
        }
    }
    Ok(None)
}

/// The brand with the earliest target, passing over brands where nothing could be claimed just now.
pub async fn next_by_target(
    tx: &mut Tx,
    now: DateTime<Utc>,
    except: &[(IysCode, BrandCode)],
) -> Result<Option<(IysCode, BrandCode)>> {
    let providers: Vec<i64> = except.iter().map(|(provider, _)| provider.0).collect();
    let brands: Vec<i64> = except.iter().map(|(_, brand)| brand.0).collect();
    let row = tx.row(&NEXT_BY_TARGET, args![now, providers, brands]).await?;
    row.map(|row| Ok((IysCode(row.get(0)?), BrandCode(row.get(1)?)))).transpose()
}

/// The consents of about what a claim would take now, with their targets.
pub async fn due(
    tx: &mut Tx,
    provider: IysCode,
    brand: BrandCode,
    statuses: &[ConsentStatus],
    limit: i64,
    now: DateTime<Utc>,
) -> Result<Vec<(Uuid, DateTime<Utc>)>> {
    let mut due = Vec::new();
    for status in statuses {
        for row in tx.rows(&DUE, args![provider, brand, *status, now, limit]).await? {
            due.push((row.get(0)?, row.get(1)?));
        }
    }
    Ok(due)
}

/// Claims what is due of a brand, earliest target first, at most one movement a key.
pub async fn claim(
    tx: &mut Tx,
    provider: IysCode,
    brand: BrandCode,
    statuses: &[ConsentStatus],
    portion: Portion,
    now: DateTime<Utc>,
    claim: Claim,
) -> Result<Vec<SubmissionRow>> {
    let statuses: Vec<String> = statuses.iter().map(|status| status.as_str().to_owned()).collect();
    let Portion { limit, singles, batch } = portion;
    let args = args![provider, brand, statuses, limit, now, claim.by, claim.until, singles, batch];
    let rows = tx.rows(&CLAIM, args).await?;
    let mut rows: Vec<SubmissionRow> = rows
        .iter()
        .map(|row| read(row).map(|row| SubmissionRow { claim: Some(claim), ..row }))
        .collect::<Result<_>>()?;
    rows.sort_by_key(|row| (row.target_at, std::cmp::Reverse(row.status.as_str()), row.consent_id));
    Ok(rows)
}

/// Claims single filings whose outcome is unknown.
pub async fn claim_unresolved(
    tx: &mut Tx,
    limit: i64,
    business_now: DateTime<Utc>,
    wire_now: DateTime<Utc>,
    claim: Claim,
) -> Result<Vec<SubmissionRow>> {
    let rows =
        tx.rows(&CLAIM_UNRESOLVED, args![business_now, wire_now, claim.by, claim.until, limit]).await?;
    rows.iter().map(|row| read(row).map(|row| SubmissionRow { claim: Some(claim), ..row })).collect()
}

/// The brand whose question has waited longest: of its singles in doubt one got a definite answer of these codes.
pub async fn next_question(
    tx: &mut Tx,
    codes: &[String],
    business_now: DateTime<Utc>,
    wire_now: DateTime<Utc>,
) -> Result<Option<(IysCode, BrandCode)>> {
    let row = tx.row(&NEXT_QUESTION, args![codes.to_vec(), business_now, wire_now]).await?;
    row.map(|row| Ok((IysCode(row.get(0)?), BrandCode(row.get(1)?)))).transpose()
}

/// Claims a brand's singles in doubt that got a definite answer of these codes, to ask for their status.
pub async fn claim_questions(
    tx: &mut Tx,
    (provider, brand, codes): (IysCode, BrandCode, &[String]),
    limit: i64,
    business_now: DateTime<Utc>,
    wire_now: DateTime<Utc>,
    claim: Claim,
) -> Result<Vec<SubmissionRow>> {
    let args = args![provider, brand, codes.to_vec(), business_now, wire_now, limit, claim.by, claim.until];
    let rows = tx.rows(&CLAIM_QUESTIONS, args).await?;
    rows.iter().map(|row| read(row).map(|row| SubmissionRow { claim: Some(claim), ..row })).collect()
}

/// How many rejections wait for a status query, up to about `most`: late ones, and those in doubt with a definite answer of
/// these codes that are due until `until`.
pub async fn rejections_to_ask(
    tx: &mut Tx,
    now: DateTime<Utc>,
    until: DateTime<Utc>,
    codes: &[String],
    most: usize,
) -> Result<usize> {
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let row = tx.row(&REJECTIONS_TO_ASK, args![now, codes.to_vec(), most, until]).await?;
    let count = row.map_or(Ok(0), |row| row.get::<i64>(0))?;
    Ok(usize::try_from(count).unwrap_or_default())
}

/// Notes that `deadline.at_risk` was told of the open filings of these consents.
pub async fn warned(tx: &mut Tx, provider: IysCode, consents: Vec<Uuid>) -> Result<u64> {
    tx.execute(&WARNED, args![provider, consents]).await
}

/// Who holds the open filings of these consents now.
pub async fn claims(
    tx: &mut Tx,
    provider: IysCode,
    consents: Vec<Uuid>,
) -> Result<Vec<(Uuid, i64, Option<Uuid>)>> {
    let rows = tx.rows(&CLAIMS, args![provider, consents]).await?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).collect()
}

/// The items of a batch that have not ended, by place.
pub async fn of_batch(tx: &mut Tx, provider: IysCode, batch: Uuid) -> Result<Vec<SubmissionRow>> {
    tx.rows(&OF_BATCH, args![provider, batch]).await?.iter().map(read).collect()
}

/// The newest filing of a consent.
pub async fn find(tx: &mut Tx, provider: IysCode, consent: Uuid) -> Result<Option<SubmissionRow>> {
    tx.row(&FIND, args![provider, consent]).await?.map(|row| read(&row)).transpose()
}

/// All filings of these consents.
pub async fn find_many(tx: &mut Tx, provider: IysCode, consents: Vec<Uuid>) -> Result<Vec<SubmissionRow>> {
    tx.rows(&FIND_MANY, args![provider, consents]).await?.iter().map(read).collect()
}

/// What a brand has at the registry by the registry's dates, behind a place and up to `until`; in their order.
pub async fn registered(
    tx: &mut Tx,
    provider: IysCode,
    brand: BrandCode,
    after: (DateTime<Utc>, Uuid),
    until: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<SubmissionRow>> {
    let args = args![provider, brand, after.0, after.1, until, limit];
    tx.rows(&REGISTERED, args).await?.iter().map(read).collect()
}

/// A page of a brand's filings after a consent id.
pub async fn list(
    tx: &mut Tx,
    provider: IysCode,
    brand: BrandCode,
    filter: &ListFilter,
    after: Uuid,
    limit: i64,
) -> Result<Vec<SubmissionRow>> {
    let until = filter.due_until.unwrap_or_else(far_future);
    let state = filter.state.map_or("", |state| state.as_str());
    let args = args![provider, brand, after, state, filter.code.as_deref().unwrap_or(""), until, limit];
    tx.rows(&LIST, args).await?.iter().map(read).collect()
}

/// A page, after a consent id, of a brand's filings that have ended without the registry's record, where they are the newest of
/// their consents.
pub async fn ended(
    tx: &mut Tx,
    provider: IysCode,
    brand: BrandCode,
    filter: &EndedFilter,
    after: Uuid,
    limit: i64,
) -> Result<Vec<SubmissionRow>> {
    let states: Vec<String> = filter.states.iter().map(|state| state.as_str().to_owned()).collect();
    let from = filter.from.unwrap_or(DateTime::UNIX_EPOCH);
    let to = filter.to.unwrap_or_else(far_future);
    let codes = filter.codes.clone();
    let args = args![provider, brand, after, states, codes.is_empty(), codes, from, to, limit];
    tx.rows(&ENDED, args).await?.iter().map(read).collect()
}

/// The registry took a batch: its items wait for their results.
pub async fn batch_accepted(tx: &mut Tx, provider: IysCode, batch: Uuid, now: DateTime<Utc>) -> Result<u64> {
    tx.execute(&BATCH_ACCEPTED, args![provider, batch, now]).await
}

/// Nobody knows whether the registry took a batch.
pub async fn batch_unknown(tx: &mut Tx, provider: IysCode, batch: Uuid, now: DateTime<Utc>) -> Result<u64> {
    tx.execute(&BATCH_UNKNOWN, args![provider, batch, now]).await
}

/// The registry certainly did not take a batch: its items are queued again.
pub async fn batch_released(
    tx: &mut Tx,
    provider: IysCode,
    batch: Uuid,
    next_attempt_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<u64> {
    tx.execute(&BATCH_RELEASED, args![provider, batch, next_attempt_at, now]).await
}

/// Makes the questions about singles whose outcome is unknown due now.
pub async fn hurry(tx: &mut Tx, provider: IysCode, consents: Vec<Uuid>, now: DateTime<Utc>) -> Result<u64> {
    tx.execute(&HURRY, args![provider, consents, now]).await
}

/// Makes due now what is in doubt on a channel of a brand and waits for others to act.
pub async fn hurry_waiting(
    tx: &mut Tx,
    provider: IysCode,
    brand: BrandCode,
    channel: Channel,
    now: DateTime<Utc>,
) -> Result<u64> {
    tx.execute(&HURRY_WAITING, args![provider, brand, channel, now]).await
}

/// ONAYs that did not leave the house and whose latest instant has passed; none of the queued has a target after `target`.
pub async fn expiring(
    tx: &mut Tx,
    now: DateTime<Utc>,
    target: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<SubmissionRow>> {
    tx.rows(&EXPIRING, args![now, target, limit]).await?.iter().map(read).collect()
}

/// Open filings whose target lies before `until` and of which nobody was told yet.
pub async fn at_risk(tx: &mut Tx, until: DateTime<Utc>, limit: i64) -> Result<Vec<SubmissionRow>> {
    tx.rows(&AT_RISK, args![until, limit]).await?.iter().map(read).collect()
}

/// The cause of a queued filing that tries whether a hold can be lifted.
pub const PROBE: &str = "probe";

/// Queues held filings of a brand and channel again, earliest target first; as probes, they pass their hold.
pub async fn release_held(
    tx: &mut Tx,
    provider: IysCode,
    brand: BrandCode,
    channel: Channel,
    limit: i64,
    now: DateTime<Utc>,
    as_probe: bool,
) -> Result<u64> {
    let cause = as_probe.then_some(PROBE);
    tx.execute(&RELEASE_HELD, args![provider, brand, channel, limit, now, cause]).await
}

/// The earliest target among the rejections of a brand that are due.
pub async fn earliest_rejection(
    tx: &mut Tx,
    provider: IysCode,
    brand: BrandCode,
    now: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>> {
    let row = tx.row(&EARLIEST_REJECTION, args![provider, brand, now]).await?;
    row.map(|row| row.get(0)).transpose()
}

/// Whether anything is held on a channel of a brand that a change at the registry would release.
pub async fn holds_any(tx: &mut Tx, provider: IysCode, brand: BrandCode, channel: Channel) -> Result<bool> {
    Ok(tx.row(&HELD_ANY, args![provider, brand, channel]).await?.is_some())
}

/// Whether a rejection whose target lies before `until` is held on a channel of a brand.
pub async fn holds_rejection(
    tx: &mut Tx,
    provider: IysCode,
    brand: BrandCode,
    channel: Channel,
    until: DateTime<Utc>,
) -> Result<bool> {
    Ok(tx.row(&HELD_REJECTION, args![provider, brand, channel, until]).await?.is_some())
}

fn far_future() -> DateTime<Utc> {
    DateTime::from_timestamp(253_370_764_800, 0).unwrap_or(DateTime::<Utc>::MAX_UTC)
}
