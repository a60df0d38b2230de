//! Deliveries of events to webhook endpoints: first in, first out inside one (endpoint, permission key).

use chrono::{DateTime, Utc};
use kopru_domain::IysCode;
use uuid::Uuid;

use crate::error::Result;
use crate::{Claim, Key, Tx, args, sql::Row, statements};

statements! {
    /// Due deliveries that are the first of their key at their endpoint.
    CLAIM = "WITH due AS MATERIALIZED (
              SELECT d.iys_code AS p, d.endpoint_id AS e, d.change_seq AS q FROM deliveries d {by deliveries_due}
              WHERE d.state IN ('queued', 'in_flight') AND d.next_attempt_at <= $1 AND (d.state = 'queued' OR d.lease_until < $2)
                AND (SELECT 1 FROM deliveries o {by deliveries_open} WHERE o.iys_code = d.iys_code AND o.endpoint_id = d.endpoint_id
                      AND o.key = d.key AND o.state IN ('queued', 'in_flight') AND o.change_seq < d.change_seq LIMIT 1) IS NULL
                AND EXISTS (SELECT 1 FROM webhook_endpoints w WHERE w.iys_code = d.iys_code AND w.id = d.endpoint_id AND w.state = 'active')
              ORDER BY d.next_attempt_at, d.change_seq LIMIT $5 {skip_locked})
        UPDATE deliveries SET state = 'in_flight', claimed_by = $3, lease_until = $4, attempt = attempt + 1, updated_at = $1 FROM due
        WHERE iys_code = p AND endpoint_id = e AND change_seq = q
        RETURNING iys_code, endpoint_id, change_seq, key, state, attempt, next_attempt_at, last_status, last_error, updated_at";
    FINISH = "UPDATE deliveries SET state = $5, next_attempt_at = $6, last_status = $7, last_error = $8, updated_at = $9,
                  claimed_by = NULL, lease_until = NULL
              WHERE iys_code = $1 AND endpoint_id = $2 AND change_seq = $3 AND state = 'in_flight' AND claimed_by = $4";
    ADD_ATTEMPT = "INSERT INTO delivery_attempts (iys_code, endpoint_id, change_seq, attempt, at, status, error, elapsed_ms)
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (iys_code, endpoint_id, change_seq, attempt) DO NOTHING";
    LIST = "SELECT iys_code, endpoint_id, change_seq, key, state, attempt, next_attempt_at, last_status, last_error, updated_at
            FROM deliveries WHERE iys_code = $1 AND endpoint_id = $2 AND change_seq < $3 ORDER BY change_seq DESC LIMIT $4";
    ATTEMPTS = "SELECT attempt, at, status, error, elapsed_ms FROM delivery_attempts
                WHERE iys_code = $1 AND endpoint_id = $2 AND change_seq = $3 ORDER BY attempt";
    OPEN = "SELECT count(*) FROM deliveries WHERE state IN ('queued', 'in_flight')";
}

/// Where a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryState {
    /// Waits for its next attempt or its turn.
    Queued,
    /// Somebody is sending it.
    InFlight,
    /// The endpoint took it.
    Delivered,
    /// Given up; the next of its key goes on.
    Parked,
}

impl DeliveryState {
    /// The stored word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::InFlight => "in_flight",
            Self::Delivered => "delivered",
            Self::Parked => "parked",
        }
    }
}

/// One event on its way to one endpoint.
#[derive(Debug, Clone)]
pub struct DeliveryRow {
    /// Provider.
    pub iys_code: IysCode,
    /// Endpoint.
    pub endpoint_id: Uuid,
    /// The event's place in the feed.
    pub change_seq: i64,
    /// Blind name of the address.
    pub key: Key,
    /// Where it stands.
    pub state: DeliveryState,
    /// Attempts so far.
    pub attempt: i64,
    /// Not before (business time).
    pub next_attempt_at: DateTime<Utc>,
    /// HTTP status of the last attempt.
    pub last_status: Option<i64>,
    /// What went wrong then.
    pub last_error: Option<String>,
    /// Last change.
    pub updated_at: DateTime<Utc>,
}

/// One try.
#[derive(Debug, Clone)]
pub struct AttemptRow {
    /// Number, from 1.
    pub attempt: i64,
    /// When (wire time).
    pub at: DateTime<Utc>,
    /// HTTP status, if there was an answer.
    pub status: Option<i64>,
    /// What went wrong.
    pub error: Option<String>,
    /// How long it took.
    pub elapsed_ms: i64,
}

/// What an attempt led to.
#[derive(Debug, Clone)]
pub struct Finish {
    /// The new state.
    pub state: DeliveryState,
    /// When it is tried again, if it is.
    pub next_attempt_at: DateTime<Utc>,
    /// The attempt.
    pub attempt: AttemptRow,
}

/// Claims deliveries that are due and first of their key.
pub async fn claim(
    tx: &mut Tx,
    limit: i64,
    business_now: DateTime<Utc>,
    wire_now: DateTime<Utc>,
    claim: Claim,
) -> Result<Vec<DeliveryRow>> {
    tx.rows(&CLAIM, args![business_now, wire_now, claim.by, claim.until, limit])
        .await?
        .iter()
        .map(read)
        .collect()
}

/// Records an attempt; false when the claim was lost meanwhile.
pub async fn finish(
    tx: &mut Tx,
    row: &DeliveryRow,
    claim: Claim,
    finish: &Finish,
    now: DateTime<Utc>,
) -> Result<bool> {
    let attempt = &finish.attempt;
    let done = tx
        .execute(
            &FINISH,
            args![
                row.iys_code,
                row.endpoint_id,
                row.change_seq,
                claim.by,
                finish.state.as_str(),
                finish.next_attempt_at,
                attempt.status,
                attempt.error.clone(),
                now
            ],
        )
        .await?;
    tx.execute(
        &ADD_ATTEMPT,
        args![
            row.iys_code,
            row.endpoint_id,
            row.change_seq,
            attempt.attempt,
            attempt.at,
            attempt.status,
            attempt.error.clone(),
            attempt.elapsed_ms
        ],
    )
    .await?;
    Ok(done == 1)
}

/// Deliveries of an endpoint, newest first, before a place.
pub async fn list(
    tx: &mut Tx,
    provider: IysCode,
    endpoint: Uuid,
    before: i64,
    limit: i64,
) -> Result<Vec<DeliveryRow>> {
    tx.rows(&LIST, args![provider, endpoint, before, limit]).await?.iter().map(read).collect()
}

/// The attempts of one delivery.
pub async fn attempts(
    tx: &mut Tx,
    provider: IysCode,
    endpoint: Uuid,
    change_seq: i64,
) -> Result<Vec<AttemptRow>> {
    let rows = tx.rows(&ATTEMPTS, args![provider, endpoint, change_seq]).await?;
    rows.iter()
        .map(|row| {
            Ok(AttemptRow {
                attempt: row.get(0)?,
                at: row.get(1)?,
                status: row.get(2)?,
                error: row.get(3)?,
                elapsed_ms: row.get(4)?,
            })
        })
        .collect()
}

/// Deliveries that have not ended.
pub async fn open_count(tx: &mut Tx) -> Result<i64> {
    tx.row(&OPEN, args![]).await?.map_or(Ok(0), |row| row.get(0))
}

fn read(row: &Row) -> Result<DeliveryRow> {
    let state = match row.get::<String>(4)?.as_str() {
        "queued" => DeliveryState::Queued,
        "in_flight" => DeliveryState::InFlight,
        "delivered" => DeliveryState::Delivered,
        _ => DeliveryState::Parked,
    };
    Ok(DeliveryRow {
        iys_code: IysCode(row.get(0)?),
        endpoint_id: row.get(1)?,
        change_seq: row.get(2)?,
        key: row.key(3)?,
        state,
        attempt: row.get(5)?,
        next_attempt_at: row.get(6)?,
        last_status: row.get(7)?,
        last_error: row.get(8)?,
        updated_at: row.get(9)?,
    })
}
