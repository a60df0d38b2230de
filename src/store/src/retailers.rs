//! Retailers (bayi) of brands, mirrored from the registry, and which of them may use a consent from its first filing on.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use kopru_domain::{BrandCode, IysCode, RetailerCode};
use uuid::Uuid;

use crate::error::{Result, StoreError};
use crate::{Insert, Step, Tx, args, sql::Row, statements};

statements! {
    LIST = "SELECT retailer_code, title, state, sealed, created_at FROM retailers
            WHERE iys_code = $1 AND brand_code = $2 AND retailer_code > $3 ORDER BY retailer_code LIMIT $4";
    FIND = "SELECT retailer_code, title, state, sealed, created_at FROM retailers
            WHERE iys_code = $1 AND brand_code = $2 AND retailer_code = $3";
    KNOWN = "SELECT retailer_code FROM retailers WHERE iys_code = $1 AND brand_code = $2 AND retailer_code {in $3 int}";
    REMOVE = "DELETE FROM retailers WHERE iys_code = $1 AND brand_code = $2 AND retailer_code = $3";
    KEEP_ONLY = "DELETE FROM retailers WHERE iys_code = $1 AND brand_code = $2 AND NOT (retailer_code {in $3 int}) AND created_at < $4";
    ACCESS = "SELECT a.consent_id, a.retailers FROM {each $2 uuid of consent_retailers AS a: a.iys_code = $1 AND a.consent_id = wanted.value}";
}

static SAVE: Insert = Insert {
    head: "INSERT INTO retailers (iys_code, brand_code, retailer_code, title, state, sealed, created_at)",
    types: &["bigint", "bigint", "bigint", "text", "text", "bytea", "timestamptz"],
    tail: "ON CONFLICT (iys_code, brand_code, retailer_code) DO UPDATE SET title = excluded.title, state = excluded.state,
        sealed = excluded.sealed",
};

static ADD_ACCESS: Insert = Insert {
    head: "INSERT INTO consent_retailers (iys_code, consent_id, retailers)",
    types: &["bigint", "uuid", "text"],
    tail: "",
};

/// The bulk inserts of this module by name.
pub(crate) static INSERTS: &[(&str, &Insert)] = &[("SAVE", &SAVE), ("ADD_ACCESS", &ADD_ACCESS)];

/// A retailer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetailerRow {
    /// Its number at the registry.
    pub retailer_code: RetailerCode,
    /// Commercial title.
    pub title: String,
    /// `active`, `passive` or `suspended`.
    pub state: String,
    /// Persons, numbers and places, sealed.
    pub sealed: Option<Vec<u8>>,
    /// When it was first seen here.
    pub created_at: DateTime<Utc>,
}

/// Keeps retailers as the registry has them.
pub async fn save(tx: &mut Tx, provider: IysCode, brand: BrandCode, rows: Vec<RetailerRow>) -> Result<()> {
    let values = rows.into_iter().map(|row| {
        args![provider, brand, row.retailer_code, row.title, row.state, row.sealed, row.created_at]
    });
    tx.insert(&SAVE, values.collect()).await.map(drop)
}

/// Forgets the retailers of a brand that are not among these, but for those first seen since (wire time): the list was asked
/// for before.
pub async fn keep_only(
    tx: &mut Tx,
    provider: IysCode,
    brand: BrandCode,
    codes: Vec<i64>,
    since: DateTime<Utc>,
) -> Result<u64> {
    tx.execute(&KEEP_ONLY, args![provider, brand, codes, since]).await
}

/// A brand's retailers after a number.
pub async fn list(
    tx: &mut Tx,
    provider: IysCode,
    brand: BrandCode,
    after: RetailerCode,
    limit: i64,
) -> Result<Vec<RetailerRow>> {
    tx.rows(&LIST, args![provider, brand, after, limit]).await?.iter().map(read).collect()
}

/// One retailer of a brand.
pub async fn find(
    tx: &mut Tx,
    provider: IysCode,
    brand: BrandCode,
    code: RetailerCode,
) -> Result<Option<RetailerRow>> {
    tx.row(&FIND, args![provider, brand, code]).await?.map(|row| read(&row)).transpose()
}

/// Which of these numbers are retailers of a brand.
pub async fn known(
    tx: &mut Tx,
    provider: IysCode,
    brand: BrandCode,
    codes: Vec<i64>,
) -> Result<HashSet<i64>> {
    tx.rows(&KNOWN, args![provider, brand, codes]).await?.iter().map(|row| row.get(0)).collect()
}

/// Forgets a retailer; false when there was none.
pub async fn remove(tx: &mut Tx, provider: IysCode, brand: BrandCode, code: RetailerCode) -> Result<bool> {
    Ok(tx.execute(&REMOVE, args![provider, brand, code]).await? == 1)
}

/// The step that keeps which retailers may use new consents.
pub fn access_step(provider: IysCode, access: Vec<(Uuid, Vec<i64>)>) -> Step {
    let rows = access
        .into_iter()
        .map(|(consent, retailers)| args![provider, consent, serde_json::Value::from(retailers).to_string()]);
    Step::Insert(&ADD_ACCESS, rows.collect())
}

/// Which retailers may use these consents; those of which nothing was said are not among the answers.
pub async fn access(tx: &mut Tx, provider: IysCode, consents: Vec<Uuid>) -> Result<HashMap<Uuid, Vec<i64>>> {
    let read = |row: &Row| {
        let list: String = row.get(1)?;
        let list = serde_json::from_str(&list)
            .map_err(|error| StoreError::corrupt("consent_retailers", &error.to_string()))?;
        Ok((row.get(0)?, list))
    };
    tx.rows(&ACCESS, args![provider, consents]).await?.iter().map(read).collect()
}

fn read(row: &Row) -> Result<RetailerRow> {
    Ok(RetailerRow {
        retailer_code: RetailerCode(row.get(0)?),
        title: row.get(1)?,
        state: row.get(2)?,
        sealed: row.get(3)?,
        created_at: row.get(4)?,
    })
}
