//! Messages that citizens send to short numbers: where they come in, as they came, and what was made of them.
//!
//! What comes in belongs to the installation until its brand is found: the vendor's connection, the bodies, and which messages
//! have been seen. What it means for a brand belongs to the brand's provider.

use chrono::{DateTime, Utc};
use kopru_domain::{BrandCode, IysCode};
use uuid::Uuid;

use crate::error::{Result, StoreError};
use crate::{Claim, Key, Tx, args, sql::Row, statements};

/// The columns of [`InboundRow`], as [`read`] expects them.
macro_rules! row {
    () => {
        "iys_code, id, brand_code, number, key, digest, state, reason, sealed, received_at, answered, decided_by, decided_at"
    };
}

statements! {
    ADD_CONNECTION = "INSERT INTO inbound_connections (id, vendor, token_hash, sealed, created_at) VALUES ($1, $2, $3, $4, $5)";
    CONNECTIONS = "SELECT id, vendor, token_hash, sealed, last_at, created_at FROM inbound_connections ORDER BY id LIMIT 1000";
    BY_TOKEN = "SELECT id, vendor, token_hash, sealed, last_at, created_at FROM inbound_connections {by inbound_connections_by_token} WHERE token_hash = $1";
    REMOVE_CONNECTION = "DELETE FROM inbound_connections WHERE id = $1";
    HEARD = "UPDATE inbound_connections SET last_at = $2 WHERE id = $1";
    STORE = "INSERT INTO inbound_posts (id, vendor, sealed, state, received_at, attempt, next_attempt_at) VALUES ($1, $2, $3, 'stored', $4, 0, $4)";
    DUE = "SELECT 1 FROM inbound_posts {by inbound_posts_due} WHERE state = 'stored' AND next_attempt_at <= $1 LIMIT 1";
    CLAIM = "WITH due AS MATERIALIZED (
              SELECT p.id AS i FROM inbound_posts p {by inbound_posts_due}
              WHERE p.state = 'stored' AND p.next_attempt_at <= $1 AND (p.lease_until IS NULL OR p.lease_until < $2)
              ORDER BY p.next_attempt_at LIMIT $5 {skip_locked})
        UPDATE inbound_posts SET claimed_by = $3, lease_until = $4, attempt = attempt + 1 FROM due WHERE id = i
        RETURNING id, vendor, sealed, received_at, attempt";
    FINISH = "UPDATE inbound_posts SET state = $3, claimed_by = NULL, lease_until = NULL WHERE id = $1 AND claimed_by = $2";
    RELEASE = "UPDATE inbound_posts SET next_attempt_at = $3, claimed_by = NULL, lease_until = NULL WHERE id = $1 AND claimed_by = $2";
    REOPEN = "UPDATE inbound_posts {by inbound_posts_unplaced} SET state = 'stored', attempt = 0, next_attempt_at = $1 WHERE state = 'unplaced' AND received_at <= $1";
    PURGE = "DELETE FROM inbound_posts {by inbound_posts_received} WHERE received_at < $1 AND state = 'done'";
    SEE = "INSERT INTO inbound_seen (digest, seen_at) VALUES ($1, $2) ON CONFLICT (digest) DO NOTHING";
    SEEN = "SELECT s.digest FROM {each $1 bytes of inbound_seen AS s: s.digest = wanted.value}";
    PURGE_SEEN = "DELETE FROM inbound_seen {by inbound_seen_at} WHERE seen_at < $1";
    ADD_PART = "INSERT INTO inbound_parts (digest, part, sealed, received_at) VALUES ($1, $2, $3, $4) ON CONFLICT (digest, part) DO NOTHING";
    PARTS = "SELECT part, sealed FROM inbound_parts WHERE digest = $1 ORDER BY part";
    PURGE_PARTS = "DELETE FROM inbound_parts {by inbound_parts_received} WHERE received_at < $1";
    ADD = "INSERT INTO inbound_messages (iys_code, id, brand_code, number, key, digest, state, reason, sealed, received_at, answered)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (iys_code, brand_code, digest) DO NOTHING";
    FIND = concat!("SELECT ", row!(), " FROM inbound_messages WHERE iys_code = $1 AND id = $2");
    LIST = concat!("SELECT ", row!(), " FROM inbound_messages {by inbound_messages_by_brand}
            WHERE iys_code = $1 AND brand_code = $2 AND state = $3 AND id > $4 ORDER BY id LIMIT $5");
    WAITING = "SELECT brand_code, count(*), min(received_at) FROM inbound_messages {by inbound_messages_waiting}
               WHERE state = 'unknown' GROUP BY iys_code, brand_code ORDER BY iys_code, brand_code LIMIT 1000";
    UNREAD = "SELECT vendor, state, count(*), min(received_at) FROM inbound_posts {by inbound_posts_unread}
              WHERE state IN ('unplaced', 'unreadable') GROUP BY vendor, state ORDER BY vendor, state";
    DECIDE = "UPDATE inbound_messages SET state = $3, decided_by = $4, decided_at = $5, answered = (answered OR $6) WHERE iys_code = $1 AND id = $2 AND state = 'unknown'";
    ANSWERED = "SELECT count(*) FROM inbound_messages {by inbound_messages_by_sender}
                WHERE iys_code = $1 AND brand_code = $2 AND key = $3 AND received_at > $4 AND state = 'unknown' AND answered";
    FORGET = "DELETE FROM inbound_messages WHERE (iys_code, id) IN
              (SELECT m.iys_code, m.id FROM inbound_messages m {by inbound_messages_idle}
               WHERE m.state IN ('unknown', 'dismissed') AND m.received_at < $1 LIMIT $2)";
    FORGET_POSTS = "DELETE FROM inbound_posts WHERE id IN
              (SELECT p.id FROM inbound_posts p {by inbound_posts_unread} WHERE p.state IN ('unplaced', 'unreadable') AND p.received_at < $1 LIMIT $2)";
    OPEN_POLL = "INSERT INTO inbound_polls (account, attempt, next_attempt_at) VALUES ($1, 0, $2) ON CONFLICT (account) DO NOTHING";
    CLAIM_POLL = "UPDATE inbound_polls SET claimed_by = $4, lease_until = $5, attempt = attempt + 1
                  WHERE account = $1 AND next_attempt_at <= $2 AND (lease_until IS NULL OR lease_until < $3)
                  RETURNING account, cursor, read_at, attempt";
    POLL_DUE = "SELECT 1 FROM inbound_polls WHERE account = $1 AND next_attempt_at > $2";
    FIND_POLL = "SELECT read_at, last_error FROM inbound_polls WHERE account = $1";
    FINISH_POLL = "UPDATE inbound_polls SET cursor = $3, read_at = $4, attempt = $5, next_attempt_at = $6, last_error = $7, claimed_by = NULL, lease_until = NULL
                   WHERE account = $1 AND claimed_by = $2";
}

/// Where a vendor pushes to.
#[derive(Debug, Clone)]
pub struct ConnectionRow {
    /// Identity.
    pub id: Uuid,
    /// The vendor.
    pub vendor: String,
    /// SHA-256 of the token in its address.
    pub token_hash: Vec<u8>,
    /// The secret with which the vendor signs, sealed.
    pub sealed: Option<Vec<u8>>,
    /// When something came in last (business time).
    pub last_at: Option<DateTime<Utc>>,
    /// When it was added (wire time).
    pub created_at: DateTime<Utc>,
}

/// Adds a connection.
pub async fn add_connection(tx: &mut Tx, row: &ConnectionRow) -> Result<()> {
    let args = args![row.id, row.vendor.as_str(), row.token_hash.clone(), row.sealed.clone(), row.created_at];
    tx.execute(&ADD_CONNECTION, args).await.map(drop)
}

/// All connections, by age.
pub async fn connections(tx: &mut Tx) -> Result<Vec<ConnectionRow>> {
    tx.rows(&CONNECTIONS, args![]).await?.iter().map(read_connection).collect()
}

/// The connection of a token, by its hash.
pub async fn by_token(tx: &mut Tx, token_hash: &[u8]) -> Result<Option<ConnectionRow>> {
    tx.row(&BY_TOKEN, args![token_hash]).await?.map(|row| read_connection(&row)).transpose()
}

/// Removes a connection; false when it is gone.
pub async fn remove_connection(tx: &mut Tx, id: Uuid) -> Result<bool> {
    Ok(tx.execute(&REMOVE_CONNECTION, args![id]).await? == 1)
}

/// Something came in through a connection.
pub async fn heard(tx: &mut Tx, connection: Uuid, now: DateTime<Utc>) -> Result<()> {
    tx.execute(&HEARD, args![connection, now]).await.map(drop)
}

/// What came in, as it came.
#[derive(Debug, Clone)]
pub struct PostRow {
    /// Identity.
    pub id: Uuid,
    /// The vendor.
    pub vendor: String,
    /// Content type, query and body, sealed.
    pub sealed: Vec<u8>,
    /// When it came in (business time).
    pub received_at: DateTime<Utc>,
    /// Tries so far.
    pub attempt: i64,
}

/// What became of a post.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PostState {
    /// Everything in it was dealt with.
    Done,
    /// It holds something for a number that is no brand's.
    Unplaced,
    /// It holds something that cannot be read.
    Unreadable,
}

impl PostState {
    /// The word in the table.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Unplaced => "unplaced",
            Self::Unreadable => "unreadable",
        }
    }
}

/// Keeps what came in.
pub async fn store(tx: &mut Tx, row: &PostRow) -> Result<()> {
    let args = args![row.id, row.vendor.as_str(), row.sealed.clone(), row.received_at];
    tx.execute(&STORE, args).await.map(drop)
}

/// Whether a post is due.
pub async fn is_due(tx: &mut Tx, business_now: DateTime<Utc>) -> Result<bool> {
    Ok(tx.row(&DUE, args![business_now]).await?.is_some())
}

/// Claims the posts that have waited longest.
pub async fn claim(
    tx: &mut Tx,
    business_now: DateTime<Utc>,
    wire_now: DateTime<Utc>,
    claim: Claim,
    limit: i64,
) -> Result<Vec<PostRow>> {
    let rows = tx.rows(&CLAIM, args![business_now, wire_now, claim.by, claim.until, limit]).await?;
    let mut posts = rows
        .iter()
        .map(|row| {
            Ok(PostRow {
                id: row.get(0)?,
                vendor: row.get(1)?,
                sealed: row.get(2)?,
                received_at: row.get(3)?,
                attempt: row.get(4)?,
            })
        })
        .collect::<Result<Vec<_>>>()?;
    posts.sort_by_key(|post| (post.received_at, post.id));
    Ok(posts)
}

/// Ends a claimed post; false when the claim was lost.
pub async fn finish(tx: &mut Tx, id: Uuid, claim: Claim, state: PostState) -> Result<bool> {
    Ok(tx.execute(&FINISH, args![id, claim.by, state.as_str()]).await? == 1)
}

/// Gives a claimed post back, to be tried later.
pub async fn release(tx: &mut Tx, id: Uuid, claim: Claim, at: DateTime<Utc>) -> Result<bool> {
    Ok(tx.execute(&RELEASE, args![id, claim.by, at]).await? == 1)
}

/// Looks again at what was for a number that was no brand's.
pub async fn reopen(tx: &mut Tx, now: DateTime<Utc>) -> Result<u64> {
    tx.execute(&REOPEN, args![now]).await
}

/// Notes that a message is dealt with; false when it was before.
pub async fn see(tx: &mut Tx, digest: &[u8], now: DateTime<Utc>) -> Result<bool> {
    Ok(tx.execute(&SEE, args![digest, now]).await? == 1)
}

/// Which of these messages were dealt with before.
pub async fn seen(tx: &mut Tx, digests: Vec<Vec<u8>>) -> Result<Vec<Vec<u8>>> {
    tx.rows(&SEEN, args![digests]).await?.iter().map(|row| row.get(0)).collect()
}

/// Keeps a part of a long message.
pub async fn add_part(
    tx: &mut Tx,
    digest: &[u8],
    part: i64,
    sealed: Vec<u8>,
    now: DateTime<Utc>,
) -> Result<()> {
    tx.execute(&ADD_PART, args![digest, part, sealed, now]).await.map(drop)
}

/// The parts of a long message that are there, in order.
pub async fn parts(tx: &mut Tx, digest: &[u8]) -> Result<Vec<(i64, Vec<u8>)>> {
    tx.rows(&PARTS, args![digest]).await?.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// What became of a message for a brand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InboundState {
    /// ONAY.
    Approval,
    /// RET.
    Rejection,
    /// Waits for a person.
    Unknown,
    /// A person took it for a RET.
    Rejected,
    /// A person took it for nothing.
    Dismissed,
}

impl InboundState {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Approval, Self::Rejection, Self::Unknown, Self::Rejected, Self::Dismissed];

    /// The word in the table and on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Approval => "approval",
            Self::Rejection => "rejection",
            Self::Unknown => "unknown",
            Self::Rejected => "rejected",
            Self::Dismissed => "dismissed",
        }
    }

    fn read(word: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|state| state.as_str() == word);
        found.ok_or_else(|| StoreError::corrupt("inbound_messages", word))
    }
}

/// What a citizen wrote to a brand, and what was made of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboundRow {
    /// Provider.
    pub iys_code: IysCode,
    /// Identity.
    pub id: Uuid,
    /// Brand.
    pub brand_code: BrandCode,
    /// The number it was sent to.
    pub number: String,
    /// Blind name of the sender for messages of the brand.
    pub key: Key,
    /// The message's digest.
    pub digest: Vec<u8>,
    /// What was made of it.
    pub state: InboundState,
    /// Why, in one word.
    pub reason: String,
    /// Sender, text and all that proves it, sealed.
    pub sealed: Vec<u8>,
    /// When the operator received it (business time).
    pub received_at: DateTime<Utc>,
    /// Whether the citizen was answered.
    pub answered: bool,
    /// Who decided by hand.
    pub decided_by: Option<String>,
    /// When (business time).
    pub decided_at: Option<DateTime<Utc>>,
}

/// Adds a message of a brand; false when it is there.
pub async fn add(tx: &mut Tx, row: &InboundRow) -> Result<bool> {
    let args = args![
        row.iys_code,
        row.id,
        row.brand_code,
        row.number.as_str(),
        row.key,
        row.digest.clone(),
        row.state.as_str(),
        row.reason.as_str(),
        row.sealed.clone(),
        row.received_at,
        row.answered
    ];
    Ok(tx.execute(&ADD, args).await? == 1)
}

/// One message.
pub async fn find(tx: &mut Tx, provider: IysCode, id: Uuid) -> Result<Option<InboundRow>> {
    tx.row(&FIND, args![provider, id]).await?.map(|row| read(&row)).transpose()
}

/// Messages of a brand in a state, after a place, by age.
pub async fn list(
    tx: &mut Tx,
    provider: IysCode,
    brand: BrandCode,
    state: InboundState,
    after: Uuid,
    limit: i64,
) -> Result<Vec<InboundRow>> {
    let args = args![provider, brand, state.as_str(), after, limit];
    tx.rows(&LIST, args).await?.iter().map(read).collect()
}

/// Messages that wait for a person: by brand how many, and since when the oldest (business time).
pub async fn waiting(tx: &mut Tx) -> Result<Vec<(BrandCode, i64, DateTime<Utc>)>> {
    let rows = tx.rows(&WAITING, args![]).await?;
    rows.iter().map(|row| Ok((BrandCode(row.get(0)?), row.get(1)?, row.get(2)?))).collect()
}

/// Posts that nobody could place or read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// The vendor.
    pub vendor: String,
    /// Whether they are for a number that is no brand's; else they cannot be read.
    pub unplaced: bool,
    /// How many.
    pub count: i64,
    /// When the oldest came in (business time).
    pub oldest: DateTime<Utc>,
}

/// Posts that nobody could place or read, by vendor.
pub async fn unread(tx: &mut Tx) -> Result<Vec<Unread>> {
    let rows = tx.rows(&UNREAD, args![]).await?;
    let unread = |row: &Row| {
        let unplaced = row.get::<String>(1)? == PostState::Unplaced.as_str();
        Ok(Unread { vendor: row.get(0)?, unplaced, count: row.get(2)?, oldest: row.get(3)? })
    };
    rows.iter().map(unread).collect()
}

/// What a person decided of a message.
#[derive(Debug, Clone, Copy)]
pub struct Decided<'a> {
    /// What it is now.
    pub state: InboundState,
    /// Who.
    pub by: &'a str,
    /// When (business time).
    pub at: DateTime<Utc>,
    /// Whether the citizen is told.
    pub answered: bool,
}

/// Decides a message that waits for a person; false when it does not.
pub async fn decide(tx: &mut Tx, provider: IysCode, id: Uuid, decided: Decided<'_>) -> Result<bool> {
    let Decided { state, by, at, answered } = decided;
    Ok(tx.execute(&DECIDE, args![provider, id, state.as_str(), by, at, answered]).await? == 1)
}

/// Whether a sender was answered since an instant that a text was not understood.
pub async fn was_answered(
    tx: &mut Tx,
    provider: IysCode,
    brand: BrandCode,
    key: Key,
    since: DateTime<Utc>,
) -> Result<bool> {
    let row = tx.row(&ANSWERED, args![provider, brand, key, since]).await?;
    Ok(row.map_or(Ok(0_i64), |row| row.get(0))? > 0)
}

/// How far the inbox of an account was read.
#[derive(Debug, Clone)]
pub struct PollRow {
    /// The account's name in the settings.
    pub account: String,
    /// What the last reading returned.
    pub cursor: Option<String>,
    /// When the last successful reading began (business time).
    pub read_at: Option<DateTime<Utc>>,
    /// Tries since the last success.
    pub attempt: i64,
}

/// Claims the reading of an account's inbox, if it is due.
pub async fn claim_poll(
    tx: &mut Tx,
    account: &str,
    business_now: DateTime<Utc>,
    wire_now: DateTime<Utc>,
    claim: Claim,
) -> Result<Option<PollRow>> {
    tx.execute(&OPEN_POLL, args![account, business_now]).await?;
    let row = tx.row(&CLAIM_POLL, args![account, business_now, wire_now, claim.by, claim.until]).await?;
    row.map(|row| {
        Ok(PollRow { account: row.get(0)?, cursor: row.get(1)?, read_at: row.get(2)?, attempt: row.get(3)? })
    })
    .transpose()
}

/// Whether the reading of an account's inbox has to wait.
pub async fn poll_waits(tx: &mut Tx, account: &str, business_now: DateTime<Utc>) -> Result<bool> {
    Ok(tx.row(&POLL_DUE, args![account, business_now]).await?.is_some())
}

/// When an inbox was last read, and why it could not be.
pub async fn find_poll(
    tx: &mut Tx,
    account: &str,
) -> Result<Option<(Option<DateTime<Utc>>, Option<String>)>> {
    tx.row(&FIND_POLL, args![account]).await?.map(|row| Ok((row.get(0)?, row.get(1)?))).transpose()
}

/// Writes how far a claimed inbox was read, and when it is to be read next.
pub async fn finish_poll(
    tx: &mut Tx,
    row: &PollRow,
    claim: Claim,
    next: DateTime<Utc>,
    error: Option<&str>,
) -> Result<bool> {
    let args =
        args![row.account.as_str(), claim.by, row.cursor.clone(), row.read_at, row.attempt, next, error];
    Ok(tx.execute(&FINISH_POLL, args).await? == 1)
}

/// Forgets posts that are done, what was seen, and parts, from before an instant each.
pub async fn purge(tx: &mut Tx, posts: DateTime<Utc>, seen: DateTime<Utc>) -> Result<u64> {
    let posts = tx.execute(&PURGE, args![posts]).await? + tx.execute(&PURGE_PARTS, args![posts]).await?;
    Ok(posts + tx.execute(&PURGE_SEEN, args![seen]).await?)
}

/// Deletes messages that led to nothing and came before an instant (business time), and as many posts that nobody could read or
/// place; returns how many. What became a consent is its evidence and stays.
pub async fn forget(tx: &mut Tx, before: DateTime<Utc>, limit: i64) -> Result<u64> {
    let messages = tx.execute(&FORGET, args![before, limit]).await?;
    Ok(messages + tx.execute(&FORGET_POSTS, args![before, limit]).await?)
}

fn read_connection(row: &Row) -> Result<ConnectionRow> {
    Ok(ConnectionRow {
        id: row.get(0)?,
        vendor: row.get(1)?,
        token_hash: row.get(2)?,
        sealed: row.get(3)?,
        last_at: row.get(4)?,
        created_at: row.get(5)?,
    })
}

fn read(row: &Row) -> Result<InboundRow> {
    Ok(InboundRow {
        iys_code: IysCode(row.get(0)?),
        id: row.get(1)?,
        brand_code: BrandCode(row.get(2)?),
        number: row.get(3)?,
        key: row.key(4)?,
        digest: row.get(5)?,
        state: InboundState::read(&row.get::<String>(6)?)?,
        reason: row.get(7)?,
        sealed: row.get(8)?,
        received_at: row.get(9)?,
        answered: row.get(10)?,
        decided_by: row.get(11)?,
        decided_at: row.get(12)?,
    })
}
