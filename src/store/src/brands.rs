//! Brands (marka) of a provider.

use chrono::{DateTime, Utc};
use kopru_domain::{
    AfterCitizenRet, BrandCode, BrandPolicy, DailyAgreement, IysCode, OnayRefresh, ProviderSource,
};

use crate::error::{Result, StoreError};
use crate::{Tx, args, sql::Row, statements};

statements! {
    ADD = "INSERT INTO brands (iys_code, brand_code, name, state, onay_refresh, after_citizen_ret, allowed_sources, created_at, daily_agreement)
           VALUES ($1, $2, $3, 'active', $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING";
    BY_CODE = "SELECT iys_code, brand_code, name, state, onay_refresh, after_citizen_ret, allowed_sources, created_at, daily_agreement
               FROM brands WHERE brand_code = $1";
    LIST = "SELECT iys_code, brand_code, name, state, onay_refresh, after_citizen_ret, allowed_sources, created_at, daily_agreement
            FROM brands WHERE iys_code = $1 AND brand_code > $2 ORDER BY brand_code LIMIT 1000";
    RENAME = "UPDATE brands SET name = $3 WHERE iys_code = $1 AND brand_code = $2";
    ACTIVE = "SELECT b.iys_code, b.brand_code, b.created_at FROM brands b JOIN providers p ON p.iys_code = b.iys_code AND p.state = 'active'
              WHERE b.state = 'active' AND (b.iys_code, b.brand_code) > ($1, $2) ORDER BY b.iys_code, b.brand_code LIMIT 1000";
    AGREE_DAILY = "UPDATE brands SET daily_agreement = $3 WHERE iys_code = $1 AND brand_code = $2";
    DISABLE = "UPDATE brands SET state = 'disabled' WHERE iys_code = $1 AND brand_code = $2 AND state = 'active'";
}

/// A brand.
#[derive(Debug, Clone)]
pub struct BrandRow {
    /// Its provider.
    pub iys_code: IysCode,
    /// Brand number, unique in the registry.
    pub brand_code: BrandCode,
    /// Name.
    pub name: String,
    /// Not disabled.
    pub active: bool,
    /// Settings of the rules.
    pub policy: BrandPolicy,
    /// Sources that may be declared; `None` = all.
    pub allowed_sources: Option<Vec<ProviderSource>>,
    /// Whether days that are equal on both sides are agreed to at the registry.
    pub daily_agreement: DailyAgreement,
    /// When it was added.
    pub created_at: DateTime<Utc>,
}

/// Adds a brand; false when its number is taken, by whichever provider.
pub async fn add(tx: &mut Tx, brand: &BrandRow) -> Result<bool> {
    let sources =
        brand.allowed_sources.as_ref().map(serde_json::to_string).transpose().map_err(unreadable)?;
    let args = args![
        brand.iys_code,
        brand.brand_code,
        brand.name.as_str(),
        word(&brand.policy.onay_refresh)?,
        word(&brand.policy.after_citizen_ret)?,
        sources,
        brand.created_at,
        word(&brand.daily_agreement)?
    ];
    Ok(tx.execute(&ADD, args).await? == 1)
}

/// The brand of a number, whosever it is: callers compare the provider with their right.
pub async fn find_by_code(tx: &mut Tx, brand: BrandCode) -> Result<Option<BrandRow>> {
    tx.row(&BY_CODE, args![brand]).await?.map(|row| read(&row)).transpose()
}

/// Brands of a provider after a number, at most 1 000.
pub async fn list(tx: &mut Tx, provider: IysCode, after: BrandCode) -> Result<Vec<BrandRow>> {
    tx.rows(&LIST, args![provider, after]).await?.iter().map(read).collect()
}

/// Changes a brand's name.
pub async fn rename(tx: &mut Tx, provider: IysCode, brand: BrandCode, name: &str) -> Result<()> {
    tx.execute(&RENAME, args![provider, brand, name]).await.map(drop)
}

/// Active brands of active providers after a place, at most 1 000, with the instant each was added.
pub async fn active(
    tx: &mut Tx,
    after: (IysCode, BrandCode),
) -> Result<Vec<(IysCode, BrandCode, DateTime<Utc>)>> {
    let rows = tx.rows(&ACTIVE, args![after.0, after.1]).await?;
    rows.iter().map(|row| Ok((IysCode(row.get(0)?), BrandCode(row.get(1)?), row.get(2)?))).collect()
}

/// Changes whether a brand's equal days are agreed to at the registry.
pub async fn agree_daily(
    tx: &mut Tx,
    provider: IysCode,
    brand: BrandCode,
    agreement: DailyAgreement,
) -> Result<()> {
    tx.execute(&AGREE_DAILY, args![provider, brand, word(&agreement)?]).await.map(drop)
}

/// Disables a brand; false when there was nothing to do.
pub async fn disable(tx: &mut Tx, provider: IysCode, brand: BrandCode) -> Result<bool> {
    Ok(tx.execute(&DISABLE, args![provider, brand]).await? == 1)
}

fn read(row: &Row) -> Result<BrandRow> {
    let sources: Option<String> = row.get(6)?;
    let onay_refresh: OnayRefresh = from_word(row.get(4)?)?;
    let after_citizen_ret: AfterCitizenRet = from_word(row.get(5)?)?;
    Ok(BrandRow {
        iys_code: IysCode(row.get(0)?),
        brand_code: BrandCode(row.get(1)?),
        name: row.get(2)?,
        active: row.get::<String>(3)? == "active",
        policy: BrandPolicy { onay_refresh, after_citizen_ret },
        allowed_sources: sources.map(|text| serde_json::from_str(&text)).transpose().map_err(unreadable)?,
        created_at: row.get(7)?,
        daily_agreement: from_word(row.get(8)?)?,
    })
}

fn word<T: serde::Serialize>(value: &T) -> Result<String> {
    match serde_json::to_value(value).map_err(unreadable)? {
        serde_json::Value::String(word) => Ok(word),
        _ => Err(StoreError::corrupt("brands", "not a word")),
    }
}

fn from_word<T: serde::de::DeserializeOwned>(word: String) -> Result<T> {
    serde_json::from_value(serde_json::Value::String(word)).map_err(unreadable)
}

#[expect(clippy::needless_pass_by_value, reason = "the shape of map_err")]
fn unreadable(error: serde_json::Error) -> StoreError {
    StoreError::corrupt("brands", &error.to_string())
}
