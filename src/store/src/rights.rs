//! What the registry lets us do for each brand, as it said when it was last asked.

use chrono::{DateTime, Utc};
use kopru_domain::{BrandCode, BrandRights, IysCode};

use crate::error::Result;
use crate::{Tx, args, sql::Row, statements};

/// The columns of [`RightsRow`], as [`read`] expects them.
macro_rules! row {
    () => {
        "iys_code, brand_code, authorised, call_right, message_right, email_right, agreement_control, via_control, \
         synced_at, retailers_at"
    };
}

statements! {
    SAVE = "INSERT INTO brand_rights (iys_code, brand_code, authorised, call_right, message_right, email_right, agreement_control, via_control, synced_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
            ON CONFLICT (iys_code, brand_code) DO UPDATE SET authorised = excluded.authorised, call_right = excluded.call_right,
            message_right = excluded.message_right, email_right = excluded.email_right, agreement_control = excluded.agreement_control,
            via_control = excluded.via_control, synced_at = excluded.synced_at";
    FIND = concat!("SELECT ", row!(), " FROM brand_rights WHERE iys_code = $1 AND brand_code = $2");
    OF_PROVIDER = concat!("SELECT ", row!(), " FROM brand_rights WHERE iys_code = $1 ORDER BY brand_code");
    WITH_RETAILERS = "SELECT iys_code, brand_code FROM brand_rights WHERE retailers_at IS NOT NULL AND authorised ORDER BY iys_code, brand_code";
    WITHOUT_AGREEMENT = "SELECT iys_code, brand_code FROM brand_rights WHERE authorised AND NOT agreement_control ORDER BY iys_code, brand_code";
    RETAILERS_READ = "UPDATE brand_rights SET retailers_at = $3 WHERE iys_code = $1 AND brand_code = $2";
}

/// The rights on one brand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RightsRow {
    /// Provider.
    pub iys_code: IysCode,
    /// Brand.
    pub brand_code: BrandCode,
    /// What the registry said.
    pub rights: BrandRights,
    /// When (business time).
    pub synced_at: DateTime<Utc>,
    /// When the brand's retailers were last read in full (business time); `None`: never.
    pub retailers_at: Option<DateTime<Utc>>,
}

/// Keeps what the registry said of a brand. When its retailers were read is kept apart ([`retailers_read`]).
pub async fn save(
    tx: &mut Tx,
    provider: IysCode,
    brand: BrandCode,
    rights: &BrandRights,
    now: DateTime<Utc>,
) -> Result<()> {
    let args = args![
        provider,
        brand,
        rights.authorised,
        rights.call,
        rights.message,
        rights.email,
        rights.agreement_control,
        rights.via_control,
        now
    ];
    tx.execute(&SAVE, args).await.map(drop)
}

/// The rights on a brand; `None` where the registry was never asked.
pub async fn find(tx: &mut Tx, provider: IysCode, brand: BrandCode) -> Result<Option<RightsRow>> {
    tx.row(&FIND, args![provider, brand]).await?.map(|row| read(&row)).transpose()
}

/// The rights on a provider's brands, by number.
pub async fn of_provider(tx: &mut Tx, provider: IysCode) -> Result<Vec<RightsRow>> {
    tx.rows(&OF_PROVIDER, args![provider]).await?.iter().map(read).collect()
}

/// The authorised brands whose daily agreement may not be seen.
pub async fn without_agreement(tx: &mut Tx) -> Result<Vec<(IysCode, BrandCode)>> {
    let rows = tx.rows(&WITHOUT_AGREEMENT, args![]).await?;
    rows.iter().map(|row| Ok((IysCode(row.get(0)?), BrandCode(row.get(1)?)))).collect()
}

/// The authorised brands whose retailers were ever read.
pub async fn with_retailers(tx: &mut Tx) -> Result<Vec<(IysCode, BrandCode)>> {
    let rows = tx.rows(&WITH_RETAILERS, args![]).await?;
    rows.iter().map(|row| Ok((IysCode(row.get(0)?), BrandCode(row.get(1)?)))).collect()
}

/// Notes that a brand's retailers were read in full.
pub async fn retailers_read(
    tx: &mut Tx,
    provider: IysCode,
    brand: BrandCode,
    now: DateTime<Utc>,
) -> Result<()> {
    tx.execute(&RETAILERS_READ, args![provider, brand, now]).await.map(drop)
}

fn read(row: &Row) -> Result<RightsRow> {
    Ok(RightsRow {
        iys_code: IysCode(row.get(0)?),
        brand_code: BrandCode(row.get(1)?),
        rights: BrandRights {
            authorised: row.get(2)?,
            call: row.word(3)?,
            message: row.word(4)?,
            email: row.word(5)?,
            agreement_control: row.get(6)?,
            via_control: row.get(7)?,
        },
        synced_at: row.get(8)?,
        retailers_at: row.get(9)?,
    })
}
