//! The ledger: every consent that was taken, append-only, chained by hashes.

use chrono::{DateTime, Utc};
use kopru_domain::{BrandCode, Channel, ConsentStatus, IysCode, ProviderSource, RecipientType, RetailerCode};
use uuid::Uuid;

use crate::error::{Result, StoreError};
use crate::{Insert, Key, Step, Tx, args, sql::Row, sql::Value, statements};

/// The columns of [`ConsentRow`], as [`read`] expects them.
macro_rules! row {
    () => {
        "c.id, c.seq, c.brand_code, c.key, c.recipient_type, c.channel, c.status, c.source, c.consent_date, c.retailer_code, \
         c.door, c.received_at, c.recorded_at, c.sealed, c.recipient_hash, c.evidence_hash, c.hash, c.evidence"
    };
}

statements! {
    FIND = concat!("SELECT ", row!(), " FROM consents c WHERE c.iys_code = $1 AND c.id = $2");
    FIND_MANY = concat!("SELECT ", row!(), " FROM {each $2 uuid of consents AS c: c.iys_code = $1 AND c.id = wanted.value}");
    SOURCES = "SELECT c.id, c.source FROM {each $2 uuid of consents AS c: c.iys_code = $1 AND c.id = wanted.value}";
    TAKEN = "SELECT c.id, c.recipient_type, c.channel, c.status, c.source, c.consent_date, c.retailer_code, c.door, c.received_at, c.sealed
        FROM {each $2 uuid of consents AS c: c.iys_code = $1 AND c.id = wanted.value}";
    HASH_AT = "SELECT hash FROM consents WHERE iys_code = $1 AND seq = $2";
    CHAIN = concat!("SELECT ", row!(), " FROM consents c WHERE c.iys_code = $1 AND c.seq > $2 ORDER BY c.seq LIMIT 1000");
    /// Also what is left of a provider whose row is gone.
    LEDGERS = "WITH RECURSIVE found(code) AS (SELECT CAST(-1 AS BIGINT)
              UNION ALL SELECT (SELECT min(c.iys_code) FROM consents c WHERE c.iys_code > found.code) FROM found WHERE found.code IS NOT NULL)
        SELECT code FROM found WHERE code >= 0 UNION SELECT iys_code FROM providers UNION SELECT iys_code FROM heads ORDER BY 1";
    /// Each consent is filed once at least, so that one that was taken out is missed.
    MISSED = "SELECT s.consent_id FROM submissions s WHERE s.iys_code = $1
        AND NOT EXISTS (SELECT 1 FROM consents c WHERE c.iys_code = s.iys_code AND c.id = s.consent_id) LIMIT 1";
    LAST = "SELECT max(seq) FROM consents WHERE iys_code = $1";
}

static APPEND: Insert = Insert {
    head: "INSERT INTO consents (iys_code, id, seq, brand_code, key, recipient_type, channel, status, source, consent_date, retailer_code, door, received_at, recorded_at, sealed, recipient_hash, evidence_hash, hash, evidence)",
    types: &[
        "bigint",
        "uuid",
        "bigint",
        "bigint",
        "bytea",
        "text",
        "text",
        "text",
        "text",
        "timestamptz",
        "bigint",
        "text",
        "timestamptz",
        "timestamptz",
        "bytea",
        "bytea",
        "bytea",
        "bytea",
        "bytea",
    ],
    tail: "",
};

/// The bulk inserts of this module by name.
pub(crate) static INSERTS: &[(&str, &Insert)] = &[("APPEND", &APPEND)];

/// One ledger row.
#[derive(Debug, Clone)]
pub struct ConsentRow {
    /// Identity.
    pub id: Uuid,
    /// Place in the provider's chain, from 1.
    pub seq: i64,
    /// Brand.
    pub brand_code: BrandCode,
    /// Blind name of address, brand and channel.
    pub key: Key,
    /// Person or merchant.
    pub recipient_type: RecipientType,
    /// Channel.
    pub channel: Channel,
    /// ONAY or RET.
    pub status: ConsentStatus,
    /// Where it was taken; a merchant's first record may lack it.
    pub source: Option<ProviderSource>,
    /// When it was given or withdrawn (true time); a merchant's first record may lack it.
    pub consent_date: Option<DateTime<Utc>>,
    /// Retailer who took it.
    pub retailer_code: Option<RetailerCode>,
    /// The door through which it came.
    pub door: String,
    /// When it reached us (business time).
    pub received_at: DateTime<Utc>,
    /// When it was recorded (business time).
    pub recorded_at: DateTime<Utc>,
    /// Recipient, reference and salt, sealed.
    pub sealed: Vec<u8>,
    /// Commitment to the address.
    pub recipient_hash: [u8; 32],
    /// Commitment to the evidence.
    pub evidence_hash: [u8; 32],
    /// Link of the chain.
    pub hash: [u8; 32],
    /// What proves it, sealed; nothing once it was destroyed.
    pub evidence: Option<Vec<u8>>,
}

/// What filing needs to know of a ledger row. It never changes.
#[derive(Debug, Clone)]
pub struct TakenRow {
    /// Identity.
    pub id: Uuid,
    /// Person or merchant.
    pub recipient_type: RecipientType,
    /// Channel.
    pub channel: Channel,
    /// ONAY or RET.
    pub status: ConsentStatus,
    /// Where it was taken.
    pub source: Option<ProviderSource>,
    /// When it was given or withdrawn (true time).
    pub consent_date: Option<DateTime<Utc>>,
    /// Retailer who took it.
    pub retailer_code: Option<RetailerCode>,
    /// The door through which it came.
    pub door: String,
    /// When it reached us (business time).
    pub received_at: DateTime<Utc>,
    /// Recipient, reference and salt, sealed.
    pub sealed: Vec<u8>,
}

/// The step that appends rows; the caller holds the provider's head.
pub fn append_step(provider: IysCode, rows: Vec<ConsentRow>) -> Step {
    Step::Insert(&APPEND, rows.into_iter().map(|row| values(provider, row)).collect())
}

/// Appends rows; the caller holds the provider's head.
pub async fn append(tx: &mut Tx, provider: IysCode, rows: Vec<ConsentRow>) -> Result<()> {
    tx.run(vec![append_step(provider, rows)]).await
}

/// One ledger row.
pub async fn find(tx: &mut Tx, provider: IysCode, id: Uuid) -> Result<Option<ConsentRow>> {
    tx.row(&FIND, args![provider, id]).await?.map(|row| read(&row)).transpose()
}

/// Ledger rows by id, in no order.
pub async fn find_many(tx: &mut Tx, provider: IysCode, ids: Vec<Uuid>) -> Result<Vec<ConsentRow>> {
    tx.rows(&FIND_MANY, args![provider, ids]).await?.iter().map(read).collect()
}

/// Where consents were taken, in no order.
pub async fn sources(
    tx: &mut Tx,
    provider: IysCode,
    ids: Vec<Uuid>,
) -> Result<Vec<(Uuid, Option<ProviderSource>)>> {
    let rows = tx.rows(&SOURCES, args![provider, ids]).await?;
    rows.iter().map(|row| Ok((row.get(0)?, row.word_opt(1)?))).collect()
}

/// What filing needs of ledger rows, by id, in no order.
pub async fn taken(tx: &mut Tx, provider: IysCode, ids: Vec<Uuid>) -> Result<Vec<TakenRow>> {
    tx.rows(&TAKEN, args![provider, ids]).await?.iter().map(read_taken).collect()
}

/// The hash of the link at a place of the chain.
pub async fn hash_at(tx: &mut Tx, provider: IysCode, seq: i64) -> Result<Option<[u8; 32]>> {
    tx.row(&HASH_AT, args![provider, seq]).await?.map(|row| hash(row.get(0)?)).transpose()
}

/// The next 1 000 links of the chain after a place, with their places: also of a row that is damaged.
pub async fn chain(tx: &mut Tx, provider: IysCode, after: i64) -> Result<Vec<(i64, Result<ConsentRow>)>> {
    let rows = tx.rows(&CHAIN, args![provider, after]).await?;
    rows.iter().map(|row| Ok((row.get(1)?, read(row)))).collect()
}

/// The providers that have a ledger, or should have one.
pub async fn ledgers(tx: &mut Tx) -> Result<Vec<IysCode>> {
    tx.rows(&LEDGERS, args![]).await?.iter().map(|row| Ok(IysCode(row.get(0)?))).collect()
}

/// A consent that was filed and is not in the ledger. Walks all filings of the provider.
pub async fn missed(tx: &mut Tx, provider: IysCode) -> Result<Option<Uuid>> {
    tx.row(&MISSED, args![provider]).await?.map(|row| row.get(0)).transpose()
}

/// The highest place in the chain; `None` where there is no row.
pub async fn last(tx: &mut Tx, provider: IysCode) -> Result<Option<i64>> {
    tx.row(&LAST, args![provider]).await?.map_or(Ok(None), |row| row.get(0))
}

fn values(provider: IysCode, row: ConsentRow) -> Vec<Value> {
    args![
        provider,
        row.id,
        row.seq,
        row.brand_code,
        row.key,
        row.recipient_type,
        row.channel,
        row.status,
        row.source.map(ProviderSource::as_str),
        row.consent_date,
        row.retailer_code,
        row.door,
        row.received_at,
        row.recorded_at,
        row.sealed,
        row.recipient_hash.to_vec(),
        row.evidence_hash.to_vec(),
        row.hash.to_vec(),
        row.evidence
    ]
}

fn read(row: &Row) -> Result<ConsentRow> {
    Ok(ConsentRow {
        id: row.get(0)?,
        seq: row.get(1)?,
        brand_code: BrandCode(row.get(2)?),
        key: row.key(3)?,
        recipient_type: row.word(4)?,
        channel: row.word(5)?,
        status: row.word(6)?,
        source: row.word_opt(7)?,
        consent_date: row.get(8)?,
        retailer_code: row.get::<Option<i64>>(9)?.map(RetailerCode),
        door: row.get(10)?,
        received_at: row.get(11)?,
        recorded_at: row.get(12)?,
        sealed: row.get(13)?,
        recipient_hash: hash(row.get(14)?)?,
        evidence_hash: hash(row.get(15)?)?,
        hash: hash(row.get(16)?)?,
        evidence: row.get(17)?,
    })
}

fn read_taken(row: &Row) -> Result<TakenRow> {
    Ok(TakenRow {
        id: row.get(0)?,
        recipient_type: row.word(1)?,
        channel: row.word(2)?,
        status: row.word(3)?,
        source: row.word_opt(4)?,
        consent_date: row.get(5)?,
        retailer_code: row.get::<Option<i64>>(6)?.map(RetailerCode),
        door: row.get(7)?,
        received_at: row.get(8)?,
        sealed: row.get(9)?,
    })
}

fn hash(bytes: Vec<u8>) -> Result<[u8; 32]> {
    bytes.try_into().map_err(|_| StoreError::corrupt("consents", "hash"))
}
