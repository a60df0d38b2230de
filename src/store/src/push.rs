//! Push: receivers of ours at the registry, what it has pushed to them, and which movements that were.

use chrono::{DateTime, Utc};
use kopru_domain::{BrandCode, Channel, IysCode};
use uuid::Uuid;

use crate::error::{Result, StoreError};
use crate::{Claim, Insert, Tx, args, sql::Row, statements};

statements! {
    ADD = "INSERT INTO push_connections (iys_code, id, brand_code, channel, state, token_hash, credentials_hash, sealed, attempt, next_attempt_at, created_at)
           VALUES ($1, $2, $3, $4, 'registering', $5, $6, $7, 0, $8, $9)";
    OF_BRAND = "SELECT iys_code, id, brand_code, channel, state, token_hash, credentials_hash, sealed, code, active_since, confirmed_at, gap_at,
                    attempt, next_attempt_at, last_error, created_at
                FROM push_connections {by push_connections_by_brand} WHERE iys_code = $1 AND brand_code = $2 ORDER BY channel, created_at, id";
    BY_TOKEN = "SELECT iys_code, id, brand_code, channel, state, token_hash, credentials_hash, sealed, code, active_since, confirmed_at, gap_at,
                    attempt, next_attempt_at, last_error, created_at
                FROM push_connections WHERE token_hash = $1";
    CLAIM = "WITH due AS MATERIALIZED (
              SELECT c.iys_code AS p, c.id AS i FROM push_connections c {by push_connections_due}
              WHERE c.state <> 'refused' AND c.next_attempt_at <= $1 AND (c.lease_until IS NULL OR c.lease_until < $2)
                AND (c.id = $5 OR $5 IS NULL)
              ORDER BY c.next_attempt_at LIMIT 1 {skip_locked})
        UPDATE push_connections SET claimed_by = $3, lease_until = $4, attempt = attempt + 1 FROM due WHERE iys_code = p AND id = i
        RETURNING iys_code, id, brand_code, channel, state, token_hash, credentials_hash, sealed, code, active_since, confirmed_at, gap_at,
                  attempt, next_attempt_at, last_error, created_at";
    SETTLE = "UPDATE push_connections SET state = $4, code = $5, active_since = $6, confirmed_at = $7, attempt = $8, next_attempt_at = $9,
                last_error = $10, claimed_by = NULL, lease_until = NULL
              WHERE iys_code = $1 AND id = $2 AND claimed_by = $3 AND (state <> 'removing' OR $4 = 'removing')";
    REMOVE = "UPDATE push_connections SET state = 'removing', attempt = 0, next_attempt_at = $3, last_error = NULL, claimed_by = NULL, lease_until = NULL
              WHERE iys_code = $1 AND id = $2 AND state <> 'removing'";
    DELETE = "DELETE FROM push_connections WHERE iys_code = $1 AND id = $2 AND claimed_by = $3";
    GAP = "UPDATE push_connections SET gap_at = $4
           WHERE iys_code = $1 AND brand_code = $2 AND channel = $3 AND (gap_at IS NULL OR gap_at < $4)";
    STORE = "INSERT INTO pushes (iys_code, connection_id, digest, brand_code, channel, sealed, state, received_at, attempt, next_attempt_at)
             VALUES ($1, $2, $3, $4, $5, $6, 'stored', $7, 0, $7) ON CONFLICT (iys_code, connection_id, digest) DO NOTHING";
    CLAIM_PUSHES = "WITH due AS MATERIALIZED (
              SELECT s.iys_code AS p, s.connection_id AS c, s.digest AS d FROM pushes s {by pushes_due}
              WHERE s.state = 'stored' AND s.next_attempt_at <= $1 AND (s.lease_until IS NULL OR s.lease_until < $2)
              ORDER BY s.next_attempt_at LIMIT $5 {skip_locked})
        UPDATE pushes SET claimed_by = $3, lease_until = $4, attempt = attempt + 1 FROM due
        WHERE iys_code = p AND connection_id = c AND digest = d
        RETURNING iys_code, connection_id, digest, brand_code, channel, sealed, received_at, attempt";
    MERGED = "UPDATE pushes SET state = $5, visible_at = $6, claimed_by = NULL, lease_until = NULL
              WHERE iys_code = $1 AND connection_id = $2 AND digest = $3 AND claimed_by = $4 AND state = 'stored'";
    RELEASE = "UPDATE pushes SET next_attempt_at = $5, claimed_by = NULL, lease_until = NULL
               WHERE iys_code = $1 AND connection_id = $2 AND digest = $3 AND claimed_by = $4";
    NEXT_VISIBLE = "SELECT min(visible_at) FROM pushes {by pushes_waiting} WHERE iys_code = $1 AND brand_code = $2 AND state = 'waiting' AND visible_at > $3";
    CONFIRMED = "UPDATE pushes {by pushes_waiting} SET state = 'merged' WHERE iys_code = $1 AND brand_code = $2 AND state = 'waiting' AND visible_at <= $3";
    BRING_FORWARD = "UPDATE cursors SET next_attempt_at = $3
                     WHERE iys_code = $1 AND brand_code = $2 AND feed = 'IYS' AND next_attempt_at > $3 AND last_error IS NULL";
    PUSHED = "SELECT m.digest FROM {each $3 bytes of push_movements AS m: m.iys_code = $1 AND m.brand_code = $2 AND m.digest = wanted.value}";
    LAST = "SELECT max(received_at) FROM pushes WHERE iys_code = $1 AND connection_id = $2";
    OPEN = "SELECT 'stored', count(*), min(received_at) FROM pushes {by pushes_due} WHERE state = 'stored'
            UNION ALL SELECT 'waiting', count(*), min(received_at) FROM pushes {by pushes_waiting} WHERE state = 'waiting'";
    DUE = "SELECT 1 FROM pushes {by pushes_due} WHERE state = 'stored' AND next_attempt_at <= $1 LIMIT 1";
    UNREADABLE = "SELECT count(*) FROM pushes WHERE iys_code = $1 AND connection_id = $2 AND state = 'unreadable'";
    LAGGING = "SELECT count(*) FROM pushes {by pushes_due} WHERE state = 'stored' AND next_attempt_at < $3 AND iys_code = $1 AND brand_code = $2";
    PURGE = "DELETE FROM pushes {by pushes_received} WHERE received_at < $1 AND state <> 'stored'";
    PURGE_MOVEMENTS = "DELETE FROM push_movements {by push_movements_pushed} WHERE pushed_at < $1";
}

static NOTE: Insert = Insert {
    head: "INSERT INTO push_movements (iys_code, brand_code, digest, pushed_at)",
    types: &["bigint", "bigint", "bytea", "timestamptz"],
    tail: "ON CONFLICT (iys_code, brand_code, digest) DO NOTHING",
};

/// The bulk inserts of this module by name.
pub(crate) static INSERTS: &[(&str, &Insert)] = &[("NOTE", &NOTE)];

/// How far a connection has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnectionState {
    /// The registry is to be told of it.
    Registering,
    /// The registry pushes.
    Active,
    /// The registry does not list it any more; it is told anew.
    Lost,
    /// The registry does not want it.
    Refused,
    /// The registry is to be rid of it.
    Removing,
}

impl ConnectionState {
    /// The word in the table and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Registering => "registering",
            Self::Active => "active",
            Self::Lost => "lost",
            Self::Refused => "refused",
            Self::Removing => "removing",
        }
    }

    fn read(word: &str) -> Result<Self> {
        [Self::Registering, Self::Active, Self::Lost, Self::Refused, Self::Removing]
            .into_iter()
            .find(|state| state.as_str() == word)
            .ok_or_else(|| StoreError::corrupt("push_connections", word))
    }
}

/// A receiver of ours.
#[derive(Debug, Clone)]
pub struct ConnectionRow {
    /// Provider.
    pub iys_code: IysCode,
    /// Identity.
    pub id: Uuid,
    /// Brand.
    pub brand_code: BrandCode,
    /// Channel.
    pub channel: Channel,
    /// How far it has come.
    pub state: ConnectionState,
    /// SHA-256 of the token in its address.
    pub token_hash: Vec<u8>,
    /// SHA-256 of name and password.
    pub credentials_hash: Vec<u8>,
    /// Address, name and password, sealed.
    pub sealed: Vec<u8>,
    /// The registry's code, where it refused.
    pub code: Option<String>,
    /// Since when the registry pushes (business time).
    pub active_since: Option<DateTime<Utc>>,
    /// When the registry last said that it is connected (business time).
    pub confirmed_at: Option<DateTime<Utc>>,
    /// When a movement was last found that should have been pushed and was not (business time).
    pub gap_at: Option<DateTime<Utc>>,
    /// Tries since the last success.
    pub attempt: i64,
    /// When there is something to do next (business time).
    pub next_attempt_at: DateTime<Utc>,
    /// What went wrong last.
    pub last_error: Option<String>,
    /// When it was added (wire time).
    pub created_at: DateTime<Utc>,
}

/// Adds a receiver that the registry is to be told of.
pub async fn add(tx: &mut Tx, row: &ConnectionRow) -> Result<()> {
    let args = args![
        row.iys_code,
        row.id,
        row.brand_code,
        row.channel,
        row.token_hash.clone(),
        row.credentials_hash.clone(),
        row.sealed.clone(),
        row.next_attempt_at,
        row.created_at
    ];
    tx.execute(&ADD, args).await.map(drop)
}

/// The receivers of a brand, by channel and age.
pub async fn of_brand(tx: &mut Tx, provider: IysCode, brand: BrandCode) -> Result<Vec<ConnectionRow>> {
    tx.rows(&OF_BRAND, args![provider, brand]).await?.iter().map(read).collect()
}

/// The receiver of a token, by its hash.
pub async fn by_token(tx: &mut Tx, token_hash: &[u8]) -> Result<Option<ConnectionRow>> {
    tx.row(&BY_TOKEN, args![token_hash]).await?.map(|row| read(&row)).transpose()
}

/// Claims the receiver that has waited longest, or this one.
pub async fn claim(
    tx: &mut Tx,
    business_now: DateTime<Utc>,
    wire_now: DateTime<Utc>,
    claim: Claim,
    only: Option<Uuid>,
) -> Result<Option<ConnectionRow>> {
    tx.row(&CLAIM, args![business_now, wire_now, claim.by, claim.until, only])
        .await?
        .map(|row| read(&row))
        .transpose()
}

/// Writes what became of a claimed receiver and gives the claim back; false when it was lost, or the receiver is to be removed
/// meanwhile.
pub async fn settle(tx: &mut Tx, row: &ConnectionRow, claim: Claim) -> Result<bool> {
    let args = args![
        row.iys_code,
        row.id,
        claim.by,
        row.state.as_str(),
        row.code.clone(),
        row.active_since,
        row.confirmed_at,
        row.attempt,
        row.next_attempt_at,
        row.last_error.clone()
    ];
    Ok(tx.execute(&SETTLE, args).await? == 1)
}

/// The registry is to be rid of a receiver; false when it is already.
pub async fn remove(tx: &mut Tx, provider: IysCode, id: Uuid, now: DateTime<Utc>) -> Result<bool> {
    Ok(tx.execute(&REMOVE, args![provider, id, now]).await? == 1)
}

/// Forgets a claimed receiver.
pub async fn delete(tx: &mut Tx, row: &ConnectionRow, claim: Claim) -> Result<bool> {
    Ok(tx.execute(&DELETE, args![row.iys_code, row.id, claim.by]).await? == 1)
}

/// Notes that the receivers of a channel have missed something.
pub async fn gap(
    tx: &mut Tx,
    provider: IysCode,
    brand: BrandCode,
    channel: Channel,
    at: DateTime<Utc>,
) -> Result<u64> {
    tx.execute(&GAP, args![provider, brand, channel, at]).await
}

/// What was pushed, as it came.
#[derive(Debug, Clone)]
pub struct PushRow {
    /// Provider.
    pub iys_code: IysCode,
    /// The receiver.
    pub connection_id: Uuid,
    /// SHA-256 of the body.
    pub digest: Vec<u8>,
    /// The receiver's brand.
    pub brand_code: BrandCode,
    /// The receiver's channel.
    pub channel: Channel,
    /// The body, sealed.
    pub sealed: Vec<u8>,
    /// When it came (business time).
    pub received_at: DateTime<Utc>,
    /// Tries so far.
    pub attempt: i64,
}

/// Keeps a push; false when the same body came before.
pub async fn store(tx: &mut Tx, row: &PushRow) -> Result<bool> {
    let args = args![
        row.iys_code,
        row.connection_id,
        row.digest.clone(),
        row.brand_code,
        row.channel,
        row.sealed.clone(),
        row.received_at
    ];
    Ok(tx.execute(&STORE, args).await? == 1)
}

/// Whether any push is due, which is asked before a claim takes the way of a write.
pub async fn is_due(tx: &mut Tx, business_now: DateTime<Utc>) -> Result<bool> {
    Ok(tx.row(&DUE, args![business_now]).await?.is_some())
}

/// Claims the pushes that have waited longest.
pub async fn claim_pushes(
    tx: &mut Tx,
    business_now: DateTime<Utc>,
    wire_now: DateTime<Utc>,
    claim: Claim,
    limit: i64,
) -> Result<Vec<PushRow>> {
    tx.rows(&CLAIM_PUSHES, args![business_now, wire_now, claim.by, claim.until, limit])
        .await?
        .iter()
        .map(|row| {
            Ok(PushRow {
                iys_code: IysCode(row.get(0)?),
                connection_id: row.get(1)?,
                digest: row.get(2)?,
                brand_code: BrandCode(row.get(3)?),
                channel: row.word(4)?,
                sealed: row.get(5)?,
                received_at: row.get(6)?,
                attempt: row.get(7)?,
            })
        })
        .collect()
}

/// What became of a push.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Merged {
    /// All of it counts.
    Done,
    /// An approval waits until the feed shows everything up to this instant.
    Waiting(DateTime<Utc>),
    /// It could not be read.
    Unreadable,
}

/// Writes what became of a claimed push, in the transaction that merges it; false when the claim was lost.
pub async fn merged(tx: &mut Tx, row: &PushRow, claim: Claim, became: Merged) -> Result<bool> {
    let (state, visible_at) = match became {
        Merged::Done => ("merged", None),
        Merged::Waiting(at) => ("waiting", Some(at)),
        Merged::Unreadable => ("unreadable", None),
    };
    let args = args![row.iys_code, row.connection_id, row.digest.clone(), claim.by, state, visible_at];
    Ok(tx.execute(&MERGED, args).await? == 1)
}

/// Gives a claimed push back until an instant.
pub async fn release(tx: &mut Tx, row: &PushRow, claim: Claim, at: DateTime<Utc>) -> Result<()> {
    let args = args![row.iys_code, row.connection_id, row.digest.clone(), claim.by, at];
    tx.execute(&RELEASE, args).await.map(drop)
}

/// Notes movements of a brand as pushed, by the digests of their identities.
pub async fn note(
    tx: &mut Tx,
    provider: IysCode,
    brand: BrandCode,
    mut digests: Vec<Vec<u8>>,
    now: DateTime<Utc>,
) -> Result<()> {
    digests.sort_unstable();
    digests.dedup();
    let rows = digests.into_iter().map(|digest| args![provider, brand, digest, now]).collect();
    tx.run(vec![crate::Step::Insert(&NOTE, rows)]).await
}

/// Which of these movements of a brand were pushed.
pub async fn pushed(
    tx: &mut Tx,
    provider: IysCode,
    brand: BrandCode,
    digests: Vec<Vec<u8>>,
) -> Result<Vec<Vec<u8>>> {
    tx.rows(&PUSHED, args![provider, brand, digests]).await?.iter().map(|row| row.get(0)).collect()
}

/// Pulls a brand's feed of the registry's side no later than this: then it shows what was pushed.
pub async fn bring_forward(
    tx: &mut Tx,
    provider: IysCode,
    brand: BrandCode,
    at: DateTime<Utc>,
) -> Result<u64> {
    tx.execute(&BRING_FORWARD, args![provider, brand, at]).await
}

/// A pull has shown everything up to an instant: pushes that waited for it wait no more. Returns when the next of the others
/// is shown.
pub async fn shown(
    tx: &mut Tx,
    provider: IysCode,
    brand: BrandCode,
    until: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>> {
    tx.execute(&CONFIRMED, args![provider, brand, until]).await?;
    tx.row(&NEXT_VISIBLE, args![provider, brand, until]).await?.map_or(Ok(None), |row| row.get(0))
}

/// When a receiver last got something.
pub async fn last_push(tx: &mut Tx, provider: IysCode, id: Uuid) -> Result<Option<DateTime<Utc>>> {
    tx.row(&LAST, args![provider, id]).await?.map_or(Ok(None), |row| row.get(0))
}

/// How many kept pushes of a receiver could not be read.
pub async fn unreadable(tx: &mut Tx, provider: IysCode, id: Uuid) -> Result<i64> {
    tx.row(&UNREADABLE, args![provider, id]).await?.map_or(Ok(0), |row| row.get(0))
}

/// Whether pushes of a brand wait to be merged since before an instant.
pub async fn is_lagging(
    tx: &mut Tx,
    provider: IysCode,
    brand: BrandCode,
    since: DateTime<Utc>,
) -> Result<bool> {
    let count: i64 =
        tx.row(&LAGGING, args![provider, brand, since]).await?.map_or(Ok(0), |row| row.get(0))?;
    Ok(count > 0)
}

/// Pushes that are not done, by state: how many, and when the oldest came.
pub async fn open_counts(tx: &mut Tx) -> Result<Vec<(String, i64, Option<DateTime<Utc>>)>> {
    tx.rows(&OPEN, args![]).await?.iter().map(|row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).collect()
}

/// Forgets pushes and movements from before an instant, except what is not merged.
pub async fn purge(tx: &mut Tx, before: DateTime<Utc>) -> Result<u64> {
    Ok(tx.execute(&PURGE, args![before]).await? + tx.execute(&PURGE_MOVEMENTS, args![before]).await?)
}

fn read(row: &Row) -> Result<ConnectionRow> {
    Ok(ConnectionRow {
        iys_code: IysCode(row.get(0)?),
        id: row.get(1)?,
        brand_code: BrandCode(row.get(2)?),
        channel: row.word(3)?,
        state: ConnectionState::read(&row.get::<String>(4)?)?,
        token_hash: row.get(5)?,
        credentials_hash: row.get(6)?,
        sealed: row.get(7)?,
        code: row.get(8)?,
        active_since: row.get(9)?,
        confirmed_at: row.get(10)?,
        gap_at: row.get(11)?,
        attempt: row.get(12)?,
        next_attempt_at: row.get(13)?,
        last_error: row.get(14)?,
        created_at: row.get(15)?,
    })
}
