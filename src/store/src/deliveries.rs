//! Deliveries of events to webhook endpoints: first in, first out inside one (endpoint, permission key); a replay sends an
//! event again, outside that order.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use kopru_domain::IysCode;
use uuid::Uuid;

use crate::error::Result;
use crate::{Claim, Insert, Key, Tx, args, sql::Row, sql::Value, statements};

statements! {
    /// Due deliveries of an endpoint that are the first of their key; the caller has the endpoint's turn. `IS TRUE` keeps
    /// PostgreSQL from finding the head of a key by its endpoint, which means reading all that waits for it: without
    /// statistics it cannot know that the key says more.
    CLAIM = "WITH due AS MATERIALIZED (
              SELECT d.iys_code AS p, d.endpoint_id AS e, d.change_seq AS q, d.replay AS r FROM deliveries d {by deliveries_due}
              WHERE d.iys_code = $1 AND d.endpoint_id = $2 AND d.state IN ('queued', 'in_flight') AND d.next_attempt_at <= $3
                AND (d.state = 'queued' OR d.lease_until < $4)
                AND (d.replay > 0 OR (SELECT o.change_seq FROM deliveries o {by deliveries_open}
                     WHERE o.iys_code = d.iys_code AND o.key = d.key AND (o.endpoint_id = d.endpoint_id) IS TRUE AND o.state IN ('queued', 'in_flight')
                       AND o.replay = 0 AND o.change_seq < d.change_seq LIMIT 1) IS NULL)
              ORDER BY d.next_attempt_at, d.change_seq LIMIT $7 {skip_locked})
        UPDATE deliveries SET state = 'in_flight', claimed_by = $5, lease_until = $6, attempt = attempt + 1, updated_at = $3 FROM due
        WHERE iys_code = p AND endpoint_id = e AND change_seq = q AND replay = r
        RETURNING iys_code, endpoint_id, change_seq, replay, key, state, attempt, next_attempt_at, last_status, last_error, updated_at";
    FINISH = "UPDATE deliveries SET state = $6, next_attempt_at = $7, last_status = $8, last_error = $9, updated_at = $10,
                  claimed_by = NULL, lease_until = NULL
              WHERE iys_code = $1 AND endpoint_id = $2 AND change_seq = $3 AND replay = $4 AND state = 'in_flight' AND claimed_by = $5";
    /// As FINISH, for many that went well alike.
    DELIVERED = "UPDATE deliveries SET state = 'delivered', next_attempt_at = $7, last_status = $6, last_error = NULL, updated_at = $7,
                     claimed_by = NULL, lease_until = NULL
                 WHERE iys_code = $1 AND endpoint_id = $2 AND change_seq {in $3 int} AND replay = $4 AND state = 'in_flight' AND claimed_by = $5";
    RELEASE = "UPDATE deliveries SET state = 'queued', attempt = attempt - 1, claimed_by = NULL, lease_until = NULL
               WHERE iys_code = $1 AND endpoint_id = $2 AND change_seq {in $3 int} AND state = 'in_flight' AND claimed_by = $4";
    RETRY_NOW = "WITH due AS MATERIALIZED (
                   SELECT d.iys_code AS p, d.endpoint_id AS e, d.change_seq AS q, d.replay AS r FROM deliveries d {by deliveries_due}
                   WHERE d.iys_code = $1 AND d.endpoint_id = $2 AND d.state IN ('queued', 'in_flight') AND d.state = 'queued' AND d.next_attempt_at > $3
                   ORDER BY d.next_attempt_at LIMIT $4)
                 UPDATE deliveries SET next_attempt_at = $3 FROM due
                 WHERE iys_code = p AND endpoint_id = e AND change_seq = q AND replay = r AND state = 'queued'";
    /// What still waits comes by itself and is left out.
    REPLAY = "INSERT INTO deliveries (iys_code, endpoint_id, change_seq, replay, key, state, attempt, next_attempt_at, updated_at)
              SELECT c.iys_code, w.id, c.seq, $3, c.key, 'queued', 0, $7, $7
              FROM webhook_endpoints w JOIN changes c ON c.iys_code = w.iys_code AND (w.brand_code IS NULL OR w.brand_code = c.brand_code)
              WHERE w.iys_code = $1 AND w.id = $2 AND c.iys_code = $1 AND c.seq > $4 AND c.seq <= $5 AND c.created_at >= $6
                AND (SELECT 1 FROM deliveries d WHERE d.iys_code = $1 AND d.endpoint_id = $2 AND d.change_seq = c.seq AND d.replay = 0
                      AND d.state IN ('queued', 'in_flight')) IS NULL";
    OPEN_REPLAYS = "SELECT count(*) FROM deliveries WHERE iys_code = $1 AND endpoint_id = $2 AND change_seq > $4 AND change_seq <= $5 AND replay = $3
                     AND state <> 'delivered' AND state <> 'parked'";
    LIST = "SELECT iys_code, endpoint_id, change_seq, replay, key, state, attempt, next_attempt_at, last_status, last_error, updated_at
            FROM deliveries WHERE iys_code = $1 AND endpoint_id = $2 AND (change_seq, replay) < ($3, $4)
            ORDER BY change_seq DESC, replay DESC LIMIT $5";
    ATTEMPTS = "SELECT attempt, at, status, error, elapsed_ms FROM delivery_attempts
                WHERE iys_code = $1 AND endpoint_id = $2 AND change_seq = $3 AND replay = $4 ORDER BY attempt";
    OPEN = "SELECT count(*) FROM deliveries WHERE state IN ('queued', 'in_flight')";
}

static ADD_ATTEMPTS: Insert = Insert {
    head: "INSERT INTO delivery_attempts (iys_code, endpoint_id, change_seq, replay, attempt, at, status, error, elapsed_ms)",
    types: &["bigint", "uuid", "bigint", "bigint", "bigint", "timestamptz", "bigint", "text", "bigint"],
    tail: "ON CONFLICT (iys_code, endpoint_id, change_seq, replay, attempt) DO NOTHING",
};

/// The bulk inserts of this module by name.
pub(crate) static INSERTS: &[(&str, &Insert)] = &[("ADD_ATTEMPTS", &ADD_ATTEMPTS)];

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
    /// 0, or the number of the endpoint's replay that it belongs to.
    pub replay: i64,
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

/// Claims deliveries of an endpoint that are due and first of their key. The caller has the endpoint's turn.
pub async fn claim(
    tx: &mut Tx,
    (provider, endpoint): (IysCode, Uuid),
    limit: i64,
    business_now: DateTime<Utc>,
    wire_now: DateTime<Utc>,
    claim: Claim,
) -> Result<Vec<DeliveryRow>> {
    tx.rows(&CLAIM, args![provider, endpoint, business_now, wire_now, claim.by, claim.until, limit])
        .await?
        .iter()
        .map(read)
        .collect()
}

/// Records what attempts led to; returns of how many the claim was lost meanwhile.
pub async fn finish(
    tx: &mut Tx,
    done: &[(DeliveryRow, Finish)],
    claim: Claim,
    now: DateTime<Utc>,
) -> Result<u64> {
    let mut alike: BTreeMap<(IysCode, Uuid, i64, Option<i64>), Vec<i64>> = BTreeMap::new();
    let mut finished = 0;
    for (row, finish) in done {
        let status = finish.attempt.status;
        if finish.state == DeliveryState::Delivered {
            let place = (row.iys_code, row.endpoint_id, row.replay, status);
            alike.entry(place).or_default().push(row.change_seq);
            continue;
        }
        let args = args![
            row.iys_code,
            row.endpoint_id,
            row.change_seq,
            row.replay,
            claim.by,
            finish.state.as_str(),
            finish.next_attempt_at,
            status,
            finish.attempt.error.clone(),
            now
        ];
        finished += tx.execute(&FINISH, args).await?;
    }
    for ((provider, endpoint, replay, status), places) in alike {
        let args = args![provider, endpoint, places, replay, claim.by, status, now];
        finished += tx.execute(&DELIVERED, args).await?;
    }
    let attempts = done.iter().map(|(row, finish)| attempt_args(row, &finish.attempt)).collect();
    tx.insert(&ADD_ATTEMPTS, attempts).await?;
    Ok((done.len() as u64).saturating_sub(finished))
}

fn attempt_args(row: &DeliveryRow, attempt: &AttemptRow) -> Vec<Value> {
    args![
        row.iys_code,
        row.endpoint_id,
        row.change_seq,
        row.replay,
        attempt.attempt,
        attempt.at,
        attempt.status,
        attempt.error.clone(),
        attempt.elapsed_ms
    ]
}

/// Gives back what was claimed and not attempted, by its places in the feed; what is finished stays as it is.
pub async fn release(
    tx: &mut Tx,
    provider: IysCode,
    endpoint: Uuid,
    places: Vec<i64>,
    claim: Claim,
) -> Result<()> {
    tx.execute(&RELEASE, args![provider, endpoint, places, claim.by]).await.map(drop)
}

/// Makes deliveries that wait for their next attempt due now: at most `limit`, those with the least to wait first.
pub async fn retry_now(
    tx: &mut Tx,
    provider: IysCode,
    endpoint: Uuid,
    now: DateTime<Utc>,
    limit: i64,
) -> Result<u64> {
    tx.execute(&RETRY_NOW, args![provider, endpoint, now, limit]).await
}

/// A part of a replay: events of the feed after one place and up to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// The endpoint's replay.
    pub replay: i64,
    /// After this place.
    pub after: i64,
    /// Up to this place.
    pub until: i64,
}

/// Queues the events of a part that happened at `since` or later once more, without those that still wait for their
/// first delivery; returns how many.
pub async fn replay(
    tx: &mut Tx,
    provider: IysCode,
    endpoint: Uuid,
    part: Part,
    since: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<u64> {
    let args = args![provider, endpoint, part.replay, part.after, part.until, since, now];
    tx.execute(&REPLAY, args).await
}

/// How many deliveries of a part have not ended.
pub async fn open_of_replay(tx: &mut Tx, provider: IysCode, endpoint: Uuid, part: Part) -> Result<i64> {
    let args = args![provider, endpoint, part.replay, part.after, part.until];
    tx.row(&OPEN_REPLAYS, args).await?.map_or(Ok(0), |row| row.get(0))
}

/// Deliveries of an endpoint, newest event first, before a place: that of an event, and a replay of it.
pub async fn list(
    tx: &mut Tx,
    provider: IysCode,
    endpoint: Uuid,
    (change_seq, replay): (i64, i64),
    limit: i64,
) -> Result<Vec<DeliveryRow>> {
    let args = args![provider, endpoint, change_seq, replay, limit];
    tx.rows(&LIST, args).await?.iter().map(read).collect()
}

/// The attempts of one delivery.
pub async fn attempts(tx: &mut Tx, of: &DeliveryRow) -> Result<Vec<AttemptRow>> {
    let rows = tx.rows(&ATTEMPTS, args![of.iys_code, of.endpoint_id, of.change_seq, of.replay]).await?;
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
    let state = match row.get::<String>(5)?.as_str() {
        "queued" => DeliveryState::Queued,
        "in_flight" => DeliveryState::InFlight,
        "delivered" => DeliveryState::Delivered,
        _ => DeliveryState::Parked,
    };
    Ok(DeliveryRow {
        iys_code: IysCode(row.get(0)?),
        endpoint_id: row.get(1)?,
        change_seq: row.get(2)?,
        replay: row.get(3)?,
        key: row.key(4)?,
        state,
        attempt: row.get(6)?,
        next_attempt_at: row.get(7)?,
        last_status: row.get(8)?,
        last_error: row.get(9)?,
        updated_at: row.get(10)?,
    })
}
