//! Webhook endpoints of clients, and whose turn it is.
//!
//! Calls to an endpoint are made in turns: whoever holds its lease is the only one, in all replicas, to claim its
//! deliveries. So one number bounds the calls in flight to it, and one row says until when it is left alone after a
//! failure: nothing of what waits for it is read before.

use chrono::{DateTime, Utc};
use kopru_domain::{BrandCode, IysCode};
use uuid::Uuid;

use crate::error::Result;
use crate::{Claim, Tx, args, sql::Row, statements};

statements! {
    ADD = "INSERT INTO webhook_endpoints (iys_code, id, brand_code, url, description, secret, state, failures, turn_at, replays, created_at)
           VALUES ($1, $2, $3, $4, $5, $6, 'active', 0, $7, 0, $7)";
    FIND = "SELECT iys_code, id, brand_code, url, description, secret, old_secret, old_secret_until, state, disabled_reason, failing_since, failures, wait_until, created_at
            FROM webhook_endpoints WHERE iys_code = $1 AND id = $2";
    LIST = "SELECT iys_code, id, brand_code, url, description, secret, old_secret, old_secret_until, state, disabled_reason, failing_since, failures, wait_until, created_at
            FROM webhook_endpoints WHERE iys_code = $1 AND id > $2 ORDER BY id LIMIT $3";
    ROTATE = "UPDATE webhook_endpoints SET secret = $3, old_secret = $4, old_secret_until = $5 WHERE iys_code = $1 AND id = $2";
    DISABLE = "UPDATE webhook_endpoints SET state = 'disabled', disabled_reason = $3 WHERE iys_code = $1 AND id = $2 AND state = 'active'";
    ENABLE = "UPDATE webhook_endpoints SET state = 'active', disabled_reason = NULL, failing_since = NULL, failures = 0, wait_until = NULL
              WHERE iys_code = $1 AND id = $2 AND state = 'disabled'";
    /// Endpoints that may be called now and have something to be sent: one look into the index for each, and none into
    /// what waits for the others.
    DUE = "SELECT w.iys_code, w.id FROM webhook_endpoints w {by webhook_endpoints_turn}
           WHERE w.state = 'active' AND (w.wait_until IS NULL OR w.wait_until <= $1) AND (w.lease_until IS NULL OR w.lease_until < $2)
             AND (w.failures = 0 OR $3)
             AND (SELECT d.change_seq FROM deliveries d {by deliveries_due}
                  WHERE d.iys_code = w.iys_code AND d.endpoint_id = w.id AND d.state IN ('queued', 'in_flight') AND d.next_attempt_at <= $1
                    AND (d.state = 'queued' OR d.lease_until < $2)
                    AND (d.replay > 0 OR (SELECT o.change_seq FROM deliveries o {by deliveries_open}
                         WHERE o.iys_code = d.iys_code AND o.key = d.key AND (o.endpoint_id = d.endpoint_id) IS TRUE AND o.state IN ('queued', 'in_flight')
                           AND o.replay = 0 AND o.change_seq < d.change_seq LIMIT 1) IS NULL)
                  ORDER BY d.next_attempt_at LIMIT 1) IS NOT NULL
           ORDER BY w.turn_at LIMIT $4";
    CLAIM = "UPDATE webhook_endpoints SET claimed_by = $5, lease_until = $6, turn_at = $4
             WHERE iys_code = $1 AND id = $2 AND state = 'active' AND (wait_until IS NULL OR wait_until <= $3) AND (lease_until IS NULL OR lease_until < $4)
             RETURNING iys_code, id, brand_code, url, description, secret, old_secret, old_secret_until, state, disabled_reason, failing_since, failures, wait_until, created_at";
    FINISH = "UPDATE webhook_endpoints SET failures = $4, wait_until = $5, failing_since = $6, claimed_by = NULL, lease_until = NULL
              WHERE iys_code = $1 AND id = $2 AND claimed_by = $3";
    NEXT_REPLAY = "UPDATE webhook_endpoints SET replays = replays + 1 WHERE iys_code = $1 AND id = $2 RETURNING replays";
}

/// An endpoint.
#[derive(Debug, Clone)]
pub struct EndpointRow {
    /// Provider.
    pub iys_code: IysCode,
    /// Identity.
    pub id: Uuid,
    /// Only this brand's events; `None` = all brands of the provider.
    pub brand_code: Option<BrandCode>,
    /// Where events go.
    pub url: String,
    /// The client's own words.
    pub description: String,
    /// Signing secret, sealed.
    pub secret: Vec<u8>,
    /// The secrets before it that still sign, sealed.
    pub old_secret: Option<Vec<u8>>,
    /// When the last of them ends.
    pub old_secret_until: Option<DateTime<Utc>>,
    /// Not disabled.
    pub active: bool,
    /// Why it is disabled.
    pub disabled_reason: Option<String>,
    /// Since when nothing has been taken (business time).
    pub failing_since: Option<DateTime<Utc>>,
    /// Turns in a row in which nothing was taken.
    pub failures: i64,
    /// Not called before, after a failure (business time).
    pub wait_until: Option<DateTime<Utc>>,
    /// When it was added (wire time).
    pub created_at: DateTime<Utc>,
}

/// Adds an endpoint.
pub async fn add(tx: &mut Tx, endpoint: &EndpointRow) -> Result<()> {
    let args = args![
        endpoint.iys_code,
        endpoint.id,
        endpoint.brand_code,
        endpoint.url.as_str(),
        endpoint.description.as_str(),
        endpoint.secret.clone(),
        endpoint.created_at
    ];
    tx.execute(&ADD, args).await.map(drop)
}

/// One endpoint.
pub async fn find(tx: &mut Tx, provider: IysCode, id: Uuid) -> Result<Option<EndpointRow>> {
    tx.row(&FIND, args![provider, id]).await?.map(|row| read(&row)).transpose()
}

/// A page of endpoints after an id.
pub async fn list(tx: &mut Tx, provider: IysCode, after: Uuid, limit: i64) -> Result<Vec<EndpointRow>> {
    tx.rows(&LIST, args![provider, after, limit]).await?.iter().map(read).collect()
}

/// Puts a new secret in; the old ones, of which the last ends at `until`, keep signing beside it.
pub async fn rotate(
    tx: &mut Tx,
    provider: IysCode,
    id: Uuid,
    secret: Vec<u8>,
    old: Vec<u8>,
    until: DateTime<Utc>,
) -> Result<bool> {
    Ok(tx.execute(&ROTATE, args![provider, id, secret, old, until]).await? == 1)
}

/// Stops deliveries to an endpoint; false when it was not active.
pub async fn disable(tx: &mut Tx, provider: IysCode, id: Uuid, reason: &str) -> Result<bool> {
    Ok(tx.execute(&DISABLE, args![provider, id, reason]).await? == 1)
}

/// Starts deliveries again, as if nothing had failed; false when it was active.
pub async fn enable(tx: &mut Tx, provider: IysCode, id: Uuid) -> Result<bool> {
    Ok(tx.execute(&ENABLE, args![provider, id]).await? == 1)
}

/// Endpoints that have something to be sent and may be called, the one whose last turn is longest ago first; those that
/// failed last time only where `failing` says so. A reader may ask: [`claim`] looks again.
pub async fn due(
    tx: &mut Tx,
    business_now: DateTime<Utc>,
    wire_now: DateTime<Utc>,
    failing: bool,
    limit: i64,
) -> Result<Vec<(IysCode, Uuid)>> {
    let rows = tx.rows(&DUE, args![business_now, wire_now, failing, limit]).await?;
    rows.iter().map(|row| Ok((IysCode(row.get(0)?), row.get(1)?))).collect()
}

/// Takes the turn of an endpoint; `None` when somebody else has it, or it may no longer be called.
pub async fn claim(
    tx: &mut Tx,
    provider: IysCode,
    id: Uuid,
    business_now: DateTime<Utc>,
    wire_now: DateTime<Utc>,
    claim: Claim,
) -> Result<Option<EndpointRow>> {
    let args = args![provider, id, business_now, wire_now, claim.by, claim.until];
    tx.row(&CLAIM, args).await?.map(|row| read(&row)).transpose()
}

/// How an endpoint stands after a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Turns in a row in which nothing was taken.
    pub failures: i64,
    /// Not called before (business time).
    pub wait_until: Option<DateTime<Utc>>,
    /// Since when nothing has been taken (business time).
    pub failing_since: Option<DateTime<Utc>>,
}

/// Ends a turn; false when its lease had run out and somebody else took it.
pub async fn finish(
    tx: &mut Tx,
    provider: IysCode,
    id: Uuid,
    claim: Claim,
    standing: Standing,
) -> Result<bool> {
    let Standing { failures, wait_until, failing_since } = standing;
    let args = args![provider, id, claim.by, failures, wait_until, failing_since];
    Ok(tx.execute(&FINISH, args).await? == 1)
}

/// Draws the number of the endpoint's next replay, from 1; `None` when there is no such endpoint.
pub async fn next_replay(tx: &mut Tx, provider: IysCode, id: Uuid) -> Result<Option<i64>> {
    tx.row(&NEXT_REPLAY, args![provider, id]).await?.map(|row| row.get(0)).transpose()
}

fn read(row: &Row) -> Result<EndpointRow> {
    Ok(EndpointRow {
        iys_code: IysCode(row.get(0)?),
        id: row.get(1)?,
        brand_code: row.get::<Option<i64>>(2)?.map(BrandCode),
        url: row.get(3)?,
        description: row.get(4)?,
        secret: row.get(5)?,
        old_secret: row.get(6)?,
        old_secret_until: row.get(7)?,
        active: row.get::<String>(8)? == "active",
        disabled_reason: row.get(9)?,
        failing_since: row.get(10)?,
        failures: row.get(11)?,
        wait_until: row.get(12)?,
        created_at: row.get(13)?,
    })
}
