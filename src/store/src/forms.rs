//! Web forms. What a form holds is kept in versions, which are never changed.

use chrono::{DateTime, Utc};
use kopru_domain::{BrandCode, IysCode};
use uuid::Uuid;

use crate::error::Result;
use crate::{Tx, args, sql::Row, statements};

/// The columns of [`FormRow`], as [`read`] expects them.
macro_rules! row {
    () => {
        "f.iys_code, f.id, f.brand_code, f.code, f.public_key, f.active, f.version, f.created_at, v.content"
    };
}

/// A form with its present version.
macro_rules! present {
    () => {
        " FROM forms f JOIN form_versions v ON v.iys_code = f.iys_code AND v.form_id = f.id AND v.version = f.version "
    };
}

statements! {
    ADD = "INSERT INTO forms (iys_code, id, brand_code, code, public_key, active, version, created_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (iys_code, brand_code, code) DO NOTHING";
    ADD_VERSION = "INSERT INTO form_versions (iys_code, form_id, version, content, created_at) VALUES ($1, $2, $3, $4, $5)";
    CHANGE = "UPDATE forms SET version = $3, active = $4 WHERE iys_code = $1 AND id = $2";
    BY_KEY = concat!("SELECT ", row!(), present!(), "WHERE f.public_key = $1");
    BY_CODE = concat!("SELECT ", row!(), present!(), "WHERE f.iys_code = $1 AND f.brand_code = $2 AND f.code = $3");
    BY_ID = concat!("SELECT ", row!(), present!(), "WHERE f.iys_code = $1 AND f.id = $2");
    OF_BRAND = concat!("SELECT ", row!(), present!(), "WHERE f.iys_code = $1 AND f.brand_code = $2 ORDER BY f.code LIMIT 1000");
}

/// A form with its present version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormRow {
    /// Provider.
    pub iys_code: IysCode,
    /// Identity.
    pub id: Uuid,
    /// Brand.
    pub brand_code: BrandCode,
    /// Its name, given by the client.
    pub code: String,
    /// What stands in its address.
    pub public_key: String,
    /// Whether it takes anything.
    pub active: bool,
    /// Its present version, from 1.
    pub version: i64,
    /// When it was added (wire time).
    pub created_at: DateTime<Utc>,
    /// What the version holds, as JSON.
    pub content: String,
}

/// Adds a form with its first version; false where the brand has one of that code.
pub async fn add(tx: &mut Tx, row: &FormRow) -> Result<bool> {
    let args = args![
        row.iys_code,
        row.id,
        row.brand_code,
        row.code.as_str(),
        row.public_key.as_str(),
        row.active,
        row.version,
        row.created_at
    ];
    if tx.execute(&ADD, args).await? == 0 {
        return Ok(false);
    }
    add_version(tx, row, row.created_at).await?;
    Ok(true)
}

async fn add_version(tx: &mut Tx, row: &FormRow, now: DateTime<Utc>) -> Result<()> {
    tx.execute(&ADD_VERSION, args![row.iys_code, row.id, row.version, row.content.as_str(), now])
        .await
        .map(drop)
}

/// Makes a version, with what the row holds, the present one.
pub async fn renew(tx: &mut Tx, row: &FormRow, now: DateTime<Utc>) -> Result<()> {
    add_version(tx, row, now).await?;
    set(tx, row).await
}

/// Keeps whether a form takes anything.
pub async fn set(tx: &mut Tx, row: &FormRow) -> Result<()> {
    tx.execute(&CHANGE, args![row.iys_code, row.id, row.version, row.active]).await.map(drop)
}

/// The form behind an address, whosever it is.
pub async fn by_key(tx: &mut Tx, public_key: &str) -> Result<Option<FormRow>> {
    tx.row(&BY_KEY, args![public_key]).await?.map(|row| read(&row)).transpose()
}

/// A brand's form by its code.
pub async fn by_code(
    tx: &mut Tx,
    provider: IysCode,
    brand: BrandCode,
    code: &str,
) -> Result<Option<FormRow>> {
    tx.row(&BY_CODE, args![provider, brand, code]).await?.map(|row| read(&row)).transpose()
}

/// A form by its identity.
pub async fn by_id(tx: &mut Tx, provider: IysCode, id: Uuid) -> Result<Option<FormRow>> {
    tx.row(&BY_ID, args![provider, id]).await?.map(|row| read(&row)).transpose()
}

/// A brand's forms by code, at most 1 000.
pub async fn of_brand(tx: &mut Tx, provider: IysCode, brand: BrandCode) -> Result<Vec<FormRow>> {
    tx.rows(&OF_BRAND, args![provider, brand]).await?.iter().map(read).collect()
}

fn read(row: &Row) -> Result<FormRow> {
    Ok(FormRow {
        iys_code: IysCode(row.get(0)?),
        id: row.get(1)?,
        brand_code: BrandCode(row.get(2)?),
        code: row.get(3)?,
        public_key: row.get(4)?,
        active: row.get(5)?,
        version: row.get(6)?,
        created_at: row.get(7)?,
        content: row.get(8)?,
    })
}
