//! Double opt-in: what waits for a person's confirmation, and what was sent for it.

use chrono::{DateTime, Utc};
use kopru_domain::opt_in::{OptInState, Way};
use kopru_domain::{BrandCode, IysCode};
use uuid::Uuid;

use crate::error::Result;
use crate::{Key, Tx, args, sql::Row, statements};

/// The columns of [`OptInRow`], as [`read`] expects them.
macro_rules! row {
    () => {
        "iys_code, id, brand_code, origin, way, state, token_hash, proof, address, sealed, good_until, ends_at, wrong, sends, \
         confirmed_at, created_at"
    };
}

statements! {
    ADD = concat!("INSERT INTO opt_ins (", row!(), ")
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)");
    BY_TOKEN = concat!("SELECT ", row!(), " FROM opt_ins WHERE token_hash = $1");
    FIND = concat!("SELECT ", row!(), " FROM opt_ins WHERE iys_code = $1 AND id = $2");
    LOCK = concat!("SELECT ", row!(), " FROM opt_ins WHERE iys_code = $1 AND id = $2 {for_update}");
    SAVE = "UPDATE opt_ins SET state = $3, proof = $4, good_until = $5, ends_at = $6, wrong = $7, sends = $8, confirmed_at = $9
            WHERE iys_code = $1 AND id = $2";
    DONE = "UPDATE opt_ins SET state = 'done' WHERE iys_code = $1 AND id = $2 AND state = 'confirmed'";
    CONFIRMED = concat!("SELECT ", row!(), " FROM opt_ins {by opt_ins_confirmed} WHERE state = 'confirmed' ORDER BY iys_code, id LIMIT $1");
    OVERDUE = "SELECT 1 FROM opt_ins {by opt_ins_pending} WHERE state = 'pending' AND ends_at < $1 LIMIT 1";
    ABANDON = "WITH due AS MATERIALIZED (
              SELECT o.iys_code AS p, o.id AS i FROM opt_ins o {by opt_ins_pending}
              WHERE o.state = 'pending' AND o.ends_at < $1 ORDER BY o.ends_at LIMIT $2 {skip_locked})
        UPDATE opt_ins SET state = 'abandoned' FROM due WHERE iys_code = p AND id = i AND state = 'pending'";
    LIST = concat!("SELECT ", row!(), " FROM opt_ins {by opt_ins_of_brand}
                WHERE iys_code = $1 AND brand_code = $2 AND state = $3 AND id > $4 ORDER BY id LIMIT $5");
    SENT = "INSERT INTO opt_in_sends (iys_code, sender, sent_at, id) VALUES ($1, $2, $3, $4)";
    SENDS = "SELECT sent_at FROM opt_in_sends WHERE iys_code = $1 AND sender = $2 AND sent_at > $3 ORDER BY sent_at DESC LIMIT 100";
    PURGE = "DELETE FROM opt_ins WHERE (iys_code, id) IN
              (SELECT o.iys_code, o.id FROM opt_ins o {by opt_ins_abandoned} WHERE o.state = 'abandoned' AND o.ends_at < $1 LIMIT $2)";
    FORGET_SENDS = "DELETE FROM opt_in_sends {by opt_in_sends_old} WHERE sent_at < $1";
}

/// A double opt-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptInRow {
    /// Provider.
    pub iys_code: IysCode,
    /// Identity.
    pub id: Uuid,
    /// Brand.
    pub brand_code: BrandCode,
    /// The form or campaign.
    pub origin: String,
    /// Code or link.
    pub way: Way,
    /// How far it has come.
    pub state: OptInState,
    /// SHA-256 of the token under which the person knows it.
    pub token_hash: Vec<u8>,
    /// HMAC of what was sent last.
    pub proof: Vec<u8>,
    /// Blind name of the address.
    pub address: Key,
    /// What a confirmation makes, sealed.
    pub sealed: Vec<u8>,
    /// Until when what was sent last is good (wire time).
    pub good_until: DateTime<Utc>,
    /// When it counts as abandoned (wire time).
    pub ends_at: DateTime<Utc>,
    /// Wrong codes so far.
    pub wrong: i64,
    /// How often something was sent.
    pub sends: i64,
    /// The moment of consent (business time).
    pub confirmed_at: Option<DateTime<Utc>>,
    /// When the person filled in the form (wire time).
    pub created_at: DateTime<Utc>,
}

/// Adds one.
pub async fn add(tx: &mut Tx, row: &OptInRow) -> Result<()> {
    let args = args![
        row.iys_code,
        row.id,
        row.brand_code,
        row.origin.as_str(),
        row.way.as_str(),
        row.state.as_str(),
        row.token_hash.clone(),
        row.proof.clone(),
        row.address,
        row.sealed.clone(),
        row.good_until,
        row.ends_at,
        row.wrong,
        row.sends,
        row.confirmed_at,
        row.created_at
    ];
    tx.execute(&ADD, args).await.map(drop)
}

/// The one that a token names, by its hash.
pub async fn by_token(tx: &mut Tx, token_hash: &[u8]) -> Result<Option<OptInRow>> {
    tx.row(&BY_TOKEN, args![token_hash]).await?.map(|row| read(&row)).transpose()
}

/// One of a provider's.
pub async fn find(tx: &mut Tx, provider: IysCode, id: Uuid) -> Result<Option<OptInRow>> {
    tx.row(&FIND, args![provider, id]).await?.map(|row| read(&row)).transpose()
}

/// Locks one until commit: of two attempts at once each is counted.
pub async fn lock(tx: &mut Tx, provider: IysCode, id: Uuid) -> Result<Option<OptInRow>> {
    tx.row(&LOCK, args![provider, id]).await?.map(|row| read(&row)).transpose()
}

/// Writes back what changes on the way. The caller holds the lock.
pub async fn save(tx: &mut Tx, row: &OptInRow) -> Result<()> {
    let args = args![
        row.iys_code,
        row.id,
        row.state.as_str(),
        row.proof.clone(),
        row.good_until,
        row.ends_at,
        row.wrong,
        row.sends,
        row.confirmed_at
    ];
    tx.execute(&SAVE, args).await.map(drop)
}

/// Its consents are in the ledger; false when that was noted before.
pub async fn done(tx: &mut Tx, provider: IysCode, id: Uuid) -> Result<bool> {
    Ok(tx.execute(&DONE, args![provider, id]).await? == 1)
}

/// Those confirmed whose consents may not be in the ledger yet.
pub async fn confirmed(tx: &mut Tx, limit: i64) -> Result<Vec<OptInRow>> {
    tx.rows(&CONFIRMED, args![limit]).await?.iter().map(read).collect()
}

/// Whether one was waited for long enough (wire time).
pub async fn overdue(tx: &mut Tx, now: DateTime<Utc>) -> Result<bool> {
    Ok(tx.row(&OVERDUE, args![now]).await?.is_some())
}

/// Ends those that were waited for until now (wire time); returns how many.
pub async fn abandon(tx: &mut Tx, now: DateTime<Utc>, limit: i64) -> Result<u64> {
    tx.execute(&ABANDON, args![now, limit]).await
}

/// A page of a brand's in one state, oldest first, after an id.
pub async fn list(
    tx: &mut Tx,
    provider: IysCode,
    brand: BrandCode,
    state: OptInState,
    after: Uuid,
    limit: i64,
) -> Result<Vec<OptInRow>> {
    tx.rows(&LIST, args![provider, brand, state.as_str(), after, limit]).await?.iter().map(read).collect()
}

/// Notes that something was sent to, or on behalf of, a blind name.
pub async fn sent(tx: &mut Tx, provider: IysCode, sender: Key, at: DateTime<Utc>, id: Uuid) -> Result<()> {
    tx.execute(&SENT, args![provider, sender, at, id]).await.map(drop)
}

/// When something was sent since an instant, at most a hundred times.
pub async fn sends(
    tx: &mut Tx,
    provider: IysCode,
    sender: Key,
    since: DateTime<Utc>,
) -> Result<Vec<DateTime<Utc>>> {
    tx.rows(&SENDS, args![provider, sender, since]).await?.iter().map(|row| row.get(0)).collect()
}

/// Deletes those that nobody confirmed and that ended before an instant (wire time); returns how many.
pub async fn purge(tx: &mut Tx, before: DateTime<Utc>, limit: i64) -> Result<u64> {
    tx.execute(&PURGE, args![before, limit]).await
}

/// Forgets sends that count no more.
pub async fn forget_sends(tx: &mut Tx, before: DateTime<Utc>) -> Result<u64> {
    tx.execute(&FORGET_SENDS, args![before]).await
}

fn read(row: &Row) -> Result<OptInRow> {
    Ok(OptInRow {
        iys_code: IysCode(row.get(0)?),
        id: row.get(1)?,
        brand_code: BrandCode(row.get(2)?),
        origin: row.get(3)?,
        way: row.word(4)?,
        state: row.word(5)?,
        token_hash: row.get(6)?,
        proof: row.get(7)?,
        address: row.key(8)?,
        sealed: row.get(9)?,
        good_until: row.get(10)?,
        ends_at: row.get(11)?,
        wrong: row.get(12)?,
        sends: row.get(13)?,
        confirmed_at: row.get(14)?,
        created_at: row.get(15)?,
    })
}
