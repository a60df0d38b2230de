//! Batches: many filings in one request, whose results are asked for later.

use chrono::{DateTime, Utc};
use kopru_domain::{BrandCode, IysCode};
use uuid::Uuid;

use crate::error::Result;
use crate::{Claim, Tx, args, sql::Row, statements};

statements! {
    ADD = "INSERT INTO batches (iys_code, id, brand_code, state, body, items, request_id, earliest_target, posted_at, looks, attempt,
               next_attempt_at, claimed_by, lease_until, created_at, resent)
           VALUES ($1, $2, $3, $4, $5, $6, NULL, $7, NULL, 0, $12, $8, $9, $10, $11, $13)";
    /// Batches to post again, or whose results are due: nobody works on them. Whoever was posting one has died over it.
    CLAIM = "WITH due AS MATERIALIZED (
              SELECT b.iys_code AS p, b.id AS i FROM batches b
              WHERE b.state <> 'done' AND b.next_attempt_at <= $1 AND (b.lease_until IS NULL OR b.lease_until < $2)
              ORDER BY b.next_attempt_at LIMIT 1 {skip_locked})
        UPDATE batches SET claimed_by = $3, lease_until = $4, resent = (resent OR (state = 'posting' AND attempt > 0)), attempt = attempt + 1 FROM due
        WHERE iys_code = p AND id = i
        RETURNING iys_code, id, brand_code, state, body, items, request_id, earliest_target, posted_at, looks, attempt, next_attempt_at, created_at, sub_requests, claimed_by, resent";
    FIND = "SELECT iys_code, id, brand_code, state, body, items, request_id, earliest_target, posted_at, looks, attempt, next_attempt_at, created_at, sub_requests, claimed_by, resent
            FROM batches WHERE iys_code = $1 AND id = $2";
    WAITING = "UPDATE batches SET state = 'waiting', request_id = $3, posted_at = $4, next_attempt_at = $5, sub_requests = $6, looks = 0, attempt = 0,
               claimed_by = NULL, lease_until = NULL WHERE iys_code = $1 AND id = $2 AND claimed_by = $7";
    LOOK_AGAIN = "UPDATE batches SET looks = looks + 1, next_attempt_at = $3, claimed_by = NULL, lease_until = NULL
                  WHERE iys_code = $1 AND id = $2 AND claimed_by = $4";
    UNRESOLVED = "UPDATE batches SET state = 'unresolved', resent = TRUE, next_attempt_at = $3, claimed_by = NULL, lease_until = NULL
                  WHERE iys_code = $1 AND id = $2 AND claimed_by = $4";
    DONE = "UPDATE batches SET state = 'done', body = NULL, claimed_by = NULL, lease_until = NULL WHERE iys_code = $1 AND id = $2 AND claimed_by = $3";
    PURGE = "DELETE FROM batches WHERE state = 'done' AND created_at < $1";
    OPEN = "SELECT state, count(*) FROM batches WHERE state <> 'done' GROUP BY state";
}

/// Where a batch stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchState {
    /// Its POST is on the way for the first time.
    Posting,
    /// Its POST had no answer: the same bytes go again.
    Unresolved,
    /// The registry took it; results are asked for.
    Waiting,
    /// Every item's outcome is known.
    Done,
}

impl BatchState {
    /// The stored word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Posting => "posting",
            Self::Unresolved => "unresolved",
            Self::Waiting => "waiting",
            Self::Done => "done",
        }
    }
}

/// A batch.
#[derive(Debug, Clone)]
pub struct BatchRow {
    /// Provider.
    pub iys_code: IysCode,
    /// Our identity of it.
    pub id: Uuid,
    /// Brand.
    pub brand_code: BrandCode,
    /// Where it stands.
    pub state: BatchState,
    /// The exact bytes of the POST, sealed.
    pub body: Option<Vec<u8>>,
    /// Number of items.
    pub items: i64,
    /// The registry's identity of it.
    pub request_id: Option<String>,
    /// The earliest target among its items.
    pub earliest_target: DateTime<Utc>,
    /// When the registry took it.
    pub posted_at: Option<DateTime<Utc>>,
    /// How often its results were asked for.
    pub looks: i64,
    /// Whether an earlier POST of the same bytes had no answer and may have been taken: what an item's result says of a
    /// record that is there already may then be about this batch itself.
    pub resent: bool,
    /// Tries of the present step.
    pub attempt: i64,
    /// Not before (business time).
    pub next_attempt_at: DateTime<Utc>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Who works on it.
    pub claimed_by: Option<Uuid>,
    /// The registry's ids of the items, by place; empty until it took them.
    pub sub_requests: Vec<String>,
}

/// Adds a batch under a claim (`posting`), or free to be posted by anybody (`unresolved`).
pub async fn add(tx: &mut Tx, batch: &BatchRow, claim: Option<Claim>) -> Result<()> {
    let args = args![
        batch.iys_code,
        batch.id,
        batch.brand_code,
        batch.state.as_str(),
        batch.body.clone(),
        batch.items,
        batch.earliest_target,
        batch.next_attempt_at,
        claim.map(|claim| claim.by),
        claim.map(|claim| claim.until),
        batch.created_at,
        batch.attempt,
        batch.resent
    ];
    tx.execute(&ADD, args).await.map(drop)
}

/// Claims the batch that has waited longest for its next step.
pub async fn claim(
    tx: &mut Tx,
    business_now: DateTime<Utc>,
    wire_now: DateTime<Utc>,
    claim: Claim,
) -> Result<Option<BatchRow>> {
    tx.row(&CLAIM, args![business_now, wire_now, claim.by, claim.until])
        .await?
        .map(|row| read(&row))
        .transpose()
}

/// One batch.
pub async fn find(tx: &mut Tx, provider: IysCode, id: Uuid) -> Result<Option<BatchRow>> {
    tx.row(&FIND, args![provider, id]).await?.map(|row| read(&row)).transpose()
}

/// The registry took it. False, as in the next three, when somebody else works on it by now: nothing was written.
pub async fn waiting(
    tx: &mut Tx,
    batch: &BatchRow,
    request_id: &str,
    posted_at: DateTime<Utc>,
    look_at: DateTime<Utc>,
    sub_requests: &[String],
) -> Result<bool> {
    let ids = serde_json::Value::from(sub_requests).to_string();
    let args = args![batch.iys_code, batch.id, request_id, posted_at, look_at, ids, batch.claimed_by];
    Ok(tx.execute(&WAITING, args).await? == 1)
}

/// Not all results are there yet.
pub async fn look_again(tx: &mut Tx, batch: &BatchRow, at: DateTime<Utc>) -> Result<bool> {
    Ok(tx.execute(&LOOK_AGAIN, args![batch.iys_code, batch.id, at, batch.claimed_by]).await? == 1)
}

/// Its outcome is unknown: the same bytes go again at `at`.
pub async fn unresolved(tx: &mut Tx, batch: &BatchRow, at: DateTime<Utc>) -> Result<bool> {
    Ok(tx.execute(&UNRESOLVED, args![batch.iys_code, batch.id, at, batch.claimed_by]).await? == 1)
}

/// Every item is settled or has left the batch; the bytes are forgotten.
pub async fn done(tx: &mut Tx, batch: &BatchRow) -> Result<bool> {
    Ok(tx.execute(&DONE, args![batch.iys_code, batch.id, batch.claimed_by]).await? == 1)
}

/// Forgets batches that were done and made before an instant.
pub async fn purge(tx: &mut Tx, before: DateTime<Utc>) -> Result<u64> {
    tx.execute(&PURGE, args![before]).await
}

/// Open batches by state.
pub async fn open_counts(tx: &mut Tx) -> Result<Vec<(String, i64)>> {
    tx.rows(&OPEN, args![]).await?.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

fn read(row: &Row) -> Result<BatchRow> {
    let state = match row.get::<String>(3)?.as_str() {
        "posting" => BatchState::Posting,
        "unresolved" => BatchState::Unresolved,
        "waiting" => BatchState::Waiting,
        _ => BatchState::Done,
    };
    Ok(BatchRow {
        iys_code: IysCode(row.get(0)?),
        id: row.get(1)?,
        brand_code: BrandCode(row.get(2)?),
        state,
        body: row.get(4)?,
        items: row.get(5)?,
        request_id: row.get(6)?,
        earliest_target: row.get(7)?,
        posted_at: row.get(8)?,
        looks: row.get(9)?,
        attempt: row.get(10)?,
        next_attempt_at: row.get(11)?,
        created_at: row.get(12)?,
        sub_requests: row
            .get::<Option<String>>(13)?
            .and_then(|ids| serde_json::from_str(&ids).ok())
            .unwrap_or_default(),
        claimed_by: row.get(14)?,
        resent: row.get(15)?,
    })
}
