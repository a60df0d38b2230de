//! The registry's own way to collect consents: how a brand uses it, what the registry refuses, and what is left of the package.

use chrono::{DateTime, Utc};
use kopru_domain::{BrandCode, IysCode};

use crate::error::Result;
use crate::{Tx, args, sql::Row, statements};

statements! {
    SAVE = "INSERT INTO via_settings (iys_code, brand_code, by_default, forms, updated_at) VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT (iys_code, brand_code) DO UPDATE SET by_default = excluded.by_default, forms = excluded.forms, updated_at = excluded.updated_at";
    FIND = "SELECT iys_code, brand_code, by_default, forms, updated_at FROM via_settings WHERE iys_code = $1 AND brand_code = $2";
    REMOVE = "DELETE FROM via_settings WHERE iys_code = $1 AND brand_code = $2";
    HOLD = "INSERT INTO via_holds (iys_code, brand_code, code, since, probe_at) VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT (iys_code, brand_code) DO UPDATE SET code = excluded.code, probe_at = excluded.probe_at";
    HOLDS = "SELECT iys_code, brand_code, code, since, probe_at FROM via_holds WHERE iys_code = $1 AND brand_code {in $2 int} ORDER BY brand_code";
    ALL_HOLDS = "SELECT iys_code, brand_code, code, since, probe_at FROM via_holds ORDER BY iys_code, brand_code LIMIT 1000";
    LIFT = "DELETE FROM via_holds WHERE iys_code = $1 AND brand_code {in $2 int}";
    SAVE_PACKAGE = "INSERT INTO via_packages (iys_code, status, package, credit, expires_at, synced_at) VALUES ($1, $2, $3, $4, $5, $6)
            ON CONFLICT (iys_code) DO UPDATE SET status = excluded.status, package = excluded.package, credit = excluded.credit,
            expires_at = excluded.expires_at, synced_at = excluded.synced_at";
    PACKAGE = "SELECT iys_code, status, package, credit, expires_at, synced_at FROM via_packages WHERE iys_code = $1";
    /// Packages that are in use: of providers with a brand that goes this way.
    PACKAGES = "SELECT p.iys_code, p.status, p.package, p.credit, p.expires_at, p.synced_at FROM via_packages p
                WHERE EXISTS (SELECT 1 FROM via_settings s WHERE s.iys_code = p.iys_code) ORDER BY p.iys_code LIMIT 1000";
}

/// A hold of the provider as a whole stands under this number.
pub const ALL_BRANDS: BrandCode = BrandCode(0);

/// How a brand uses it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingsRow {
    /// Provider.
    pub iys_code: IysCode,
    /// Brand.
    pub brand_code: BrandCode,
    /// Whether confirmations go this way where nothing else is said.
    pub by_default: bool,
    /// JSON: the registry's form by verification type.
    pub forms: String,
    /// When it was set (wire time).
    pub updated_at: DateTime<Utc>,
}

/// What the registry refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldRow {
    /// Provider.
    pub iys_code: IysCode,
    /// Brand, or [`ALL_BRANDS`].
    pub brand_code: BrandCode,
    /// The registry's code.
    pub code: String,
    /// Since when (business time).
    pub since: DateTime<Utc>,
    /// When a start is tried again (business time).
    pub probe_at: DateTime<Utc>,
}

/// A provider's package, as the registry told it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageRow {
    /// Provider.
    pub iys_code: IysCode,
    /// `ACTIVE`, `PAUSED`, `EXPIRED` or `CLOSED`; `NONE` where there is none.
    pub status: String,
    /// Its name.
    pub package: Option<String>,
    /// Operations left; -1 without limit, `None` where the registry does not tell.
    pub credit: Option<i64>,
    /// Its last instant.
    pub expires_at: Option<DateTime<Utc>>,
    /// When the registry said so (business time).
    pub synced_at: DateTime<Utc>,
}

/// Sets how a brand uses it.
pub async fn save(tx: &mut Tx, row: &SettingsRow) -> Result<()> {
    let args = args![row.iys_code, row.brand_code, row.by_default, row.forms.as_str(), row.updated_at];
    tx.execute(&SAVE, args).await.map(drop)
}

/// How a brand uses it; `None`: not at all.
pub async fn find(tx: &mut Tx, provider: IysCode, brand: BrandCode) -> Result<Option<SettingsRow>> {
    let found = tx.row(&FIND, args![provider, brand]).await?;
    found
        .map(|row| {
            Ok(SettingsRow {
                iys_code: IysCode(row.get(0)?),
                brand_code: BrandCode(row.get(1)?),
                by_default: row.get(2)?,
                forms: row.get(3)?,
                updated_at: row.get(4)?,
            })
        })
        .transpose()
}

/// A brand uses it no more; false when it did not.
pub async fn remove(tx: &mut Tx, provider: IysCode, brand: BrandCode) -> Result<bool> {
    Ok(tx.execute(&REMOVE, args![provider, brand]).await? == 1)
}

/// Sets or renews a hold; since when it stands does not change.
pub async fn hold(tx: &mut Tx, row: &HoldRow) -> Result<()> {
    let args = args![row.iys_code, row.brand_code, row.code.as_str(), row.since, row.probe_at];
    tx.execute(&HOLD, args).await.map(drop)
}

/// The holds that concern a brand: the provider's, and its own.
pub async fn holds(tx: &mut Tx, provider: IysCode, brand: BrandCode) -> Result<Vec<HoldRow>> {
    tx.rows(&HOLDS, args![provider, both(brand)]).await?.iter().map(read_hold).collect()
}

/// All holds, at most a thousand.
pub async fn all_holds(tx: &mut Tx) -> Result<Vec<HoldRow>> {
    tx.rows(&ALL_HOLDS, args![]).await?.iter().map(read_hold).collect()
}

/// Lifts the holds that concern a brand.
pub async fn lift(tx: &mut Tx, provider: IysCode, brand: BrandCode) -> Result<u64> {
    tx.execute(&LIFT, args![provider, both(brand)]).await
}

fn both(brand: BrandCode) -> Vec<i64> {
    vec![ALL_BRANDS.0, brand.0]
}

fn read_hold(row: &Row) -> Result<HoldRow> {
    Ok(HoldRow {
        iys_code: IysCode(row.get(0)?),
        brand_code: BrandCode(row.get(1)?),
        code: row.get(2)?,
        since: row.get(3)?,
        probe_at: row.get(4)?,
    })
}

/// Keeps what the registry said of a provider's package.
pub async fn save_package(tx: &mut Tx, row: &PackageRow) -> Result<()> {
    let args = args![
        row.iys_code,
        row.status.as_str(),
        row.package.as_deref(),
        row.credit,
        row.expires_at,
        row.synced_at
    ];
    tx.execute(&SAVE_PACKAGE, args).await.map(drop)
}

/// A provider's package; `None` where the registry was never asked.
pub async fn package(tx: &mut Tx, provider: IysCode) -> Result<Option<PackageRow>> {
    tx.row(&PACKAGE, args![provider]).await?.map(|row| read_package(&row)).transpose()
}

/// The packages of providers that use it, at most a thousand.
pub async fn packages(tx: &mut Tx) -> Result<Vec<PackageRow>> {
    tx.rows(&PACKAGES, args![]).await?.iter().map(read_package).collect()
}

fn read_package(row: &Row) -> Result<PackageRow> {
    Ok(PackageRow {
        iys_code: IysCode(row.get(0)?),
        status: row.get(1)?,
        package: row.get(2)?,
        credit: row.get(3)?,
        expires_at: row.get(4)?,
        synced_at: row.get(5)?,
    })
}
