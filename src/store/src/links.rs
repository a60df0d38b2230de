//! Links: to a form for everybody (campaign), to one person, and for refusals. Only the hash of a link's token is looked up.

use chrono::{DateTime, Utc};
use kopru_domain::{BrandCode, Channel, IysCode, LinkKind};
use uuid::Uuid;

use crate::error::Result;
use crate::{Insert, Step, Tx, args, sql::Row, sql::Value, statements};

/// The columns of [`LinkRow`], as [`read`] expects them.
macro_rules! row {
    () => {
        "iys_code, id, brand_code, kind, form_id, channel, token_hash, sealed, active, expires_at, opened, confirmed, refused, \
         created_at"
    };
}

statements! {
    BY_TOKEN = concat!("SELECT ", row!(), " FROM links WHERE token_hash = $1");
    FIND = concat!("SELECT ", row!(), " FROM links WHERE iys_code = $1 AND brand_code = $2 AND id = $3");
    LIST = concat!("SELECT ", row!(), " FROM links {by links_by_brand} WHERE iys_code = $1 AND brand_code = $2 AND id > $3 ORDER BY id LIMIT $4");
    COUNT = "UPDATE links SET opened = opened + $3, confirmed = confirmed + $4, refused = refused + $5
             WHERE iys_code = $1 AND id = $2";
    PURGE = "DELETE FROM links WHERE (iys_code, id) IN
              (SELECT l.iys_code, l.id FROM links l {by links_idle}
               WHERE l.expires_at IS NOT NULL AND l.confirmed = 0 AND l.refused = 0 AND l.expires_at < $1 LIMIT $2)";
    DISABLE = "UPDATE links SET active = $4 WHERE iys_code = $1 AND brand_code = $2 AND id = $3 AND active";
}

static ADD: Insert = Insert {
    head: "INSERT INTO links (iys_code, id, brand_code, kind, form_id, channel, token_hash, sealed, active, expires_at, opened, confirmed, refused, created_at)",
    types: &[
        "bigint",
        "uuid",
        "bigint",
        "text",
        "uuid",
        "text",
        "bytea",
        "bytea",
        "boolean",
        "timestamptz",
        "bigint",
        "bigint",
        "bigint",
        "timestamptz",
    ],
    tail: "",
};

/// The bulk inserts of this module by name.
pub(crate) static INSERTS: &[(&str, &Insert)] = &[("ADD", &ADD)];

/// A link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkRow {
    /// Provider.
    pub iys_code: IysCode,
    /// Identity.
    pub id: Uuid,
    /// Brand.
    pub brand_code: BrandCode,
    /// What it is for.
    pub kind: LinkKind,
    /// The form it leads to.
    pub form_id: Option<Uuid>,
    /// The one channel that it is about; `None`: those of the form.
    pub channel: Option<Channel>,
    /// SHA-256 of its token.
    pub token_hash: Vec<u8>,
    /// Token and address, sealed.
    pub sealed: Vec<u8>,
    /// Whether it leads anywhere.
    pub active: bool,
    /// When it ends (wire time).
    pub expires_at: Option<DateTime<Utc>>,
    /// How often it was opened, confirmed and refused.
    pub counters: [i64; 3],
    /// When it was made (wire time).
    pub created_at: DateTime<Utc>,
}

/// Adds links.
pub async fn add(tx: &mut Tx, rows: Vec<LinkRow>) -> Result<()> {
    tx.insert(&ADD, rows.into_iter().map(values).collect()).await.map(drop)
}

/// Adds links, beside other steps of a transaction.
pub fn add_step(rows: Vec<LinkRow>) -> Step {
    Step::Insert(&ADD, rows.into_iter().map(values).collect())
}

fn values(row: LinkRow) -> Vec<Value> {
    let [opened, confirmed, refused] = row.counters;
    args![
        row.iys_code,
        row.id,
        row.brand_code,
        row.kind.as_str(),
        row.form_id,
        row.channel,
        row.token_hash,
        row.sealed,
        row.active,
        row.expires_at,
        opened,
        confirmed,
        refused,
        row.created_at
    ]
}

/// The link of a token, whosever it is.
pub async fn by_token(tx: &mut Tx, token_hash: &[u8]) -> Result<Option<LinkRow>> {
    tx.row(&BY_TOKEN, args![token_hash]).await?.map(|row| read(&row)).transpose()
}

/// A brand's link.
pub async fn find(tx: &mut Tx, provider: IysCode, brand: BrandCode, id: Uuid) -> Result<Option<LinkRow>> {
    tx.row(&FIND, args![provider, brand, id]).await?.map(|row| read(&row)).transpose()
}

/// A brand's links after an id, oldest first.
pub async fn list(
    tx: &mut Tx,
    provider: IysCode,
    brand: BrandCode,
    after: Uuid,
    limit: i64,
) -> Result<Vec<LinkRow>> {
    tx.rows(&LIST, args![provider, brand, after, limit]).await?.iter().map(read).collect()
}

/// Counts: opened, confirmed, refused.
pub async fn count(
    tx: &mut Tx,
    provider: IysCode,
    id: Uuid,
    [opened, confirmed, refused]: [i64; 3],
) -> Result<()> {
    tx.execute(&COUNT, args![provider, id, opened, confirmed, refused]).await.map(drop)
}

/// Ends a link; false when it was ended before.
pub async fn disable(tx: &mut Tx, provider: IysCode, brand: BrandCode, id: Uuid) -> Result<bool> {
    Ok(tx.execute(&DISABLE, args![provider, brand, id, false]).await? == 1)
}

/// Deletes links that ended before an instant (wire time) and of which nothing came; returns how many. Links for refusals never end.
pub async fn purge(tx: &mut Tx, before: DateTime<Utc>, limit: i64) -> Result<u64> {
    tx.execute(&PURGE, args![before, limit]).await
}

fn read(row: &Row) -> Result<LinkRow> {
    Ok(LinkRow {
        iys_code: IysCode(row.get(0)?),
        id: row.get(1)?,
        brand_code: BrandCode(row.get(2)?),
        kind: row.word(3)?,
        form_id: row.get(4)?,
        channel: row.word_opt(5)?,
        token_hash: row.get(6)?,
        sealed: row.get(7)?,
        active: row.get(8)?,
        expires_at: row.get(9)?,
        counters: [row.get(10)?, row.get(11)?, row.get(12)?],
        created_at: row.get(13)?,
    })
}
