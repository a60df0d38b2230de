//! Holds: what the registry refuses for a whole brand and channel. Filing waits there and probes now and then.

use chrono::{DateTime, Utc};
use kopru_domain::{BrandCode, Channel, IysCode};

use crate::error::Result;
use crate::{Tx, args, sql::Row, statements};

statements! {
    SET = "INSERT INTO holds (iys_code, brand_code, channel, cause, code, since, probe_at, lifted) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
           ON CONFLICT (iys_code, brand_code, channel) DO UPDATE SET cause = excluded.cause, code = excluded.code, probe_at = excluded.probe_at,
           lifted = excluded.lifted";
    LIFT = "UPDATE holds SET lifted = $5 WHERE iys_code = $1 AND brand_code = $2 AND channel = $3 AND (cause <> 'quota' OR $4)";
    CLEAR = "DELETE FROM holds WHERE iys_code = $1 AND brand_code = $2 AND channel = $3 AND lifted";
    OF_BRAND = "SELECT iys_code, brand_code, channel, cause, code, since, probe_at FROM holds WHERE iys_code = $1 AND brand_code = $2 AND NOT lifted";
    DUE = "SELECT iys_code, brand_code, channel, cause, code, since, probe_at FROM holds WHERE probe_at <= $1 AND NOT lifted
           ORDER BY probe_at LIMIT 100";
    LIFTED = "SELECT iys_code, brand_code, channel, cause, code, since, probe_at FROM holds WHERE lifted ORDER BY since LIMIT 100";
}

/// A hold.
#[derive(Debug, Clone)]
pub struct HoldRow {
    /// Provider.
    pub iys_code: IysCode,
    /// Brand.
    pub brand_code: BrandCode,
    /// Channel.
    pub channel: Channel,
    /// `not_authorised`, `type_right`, `subscription` or `quota`.
    pub cause: String,
    /// The registry's code.
    pub code: String,
    /// Since when.
    pub since: DateTime<Utc>,
    /// When one filing is tried again.
    pub probe_at: DateTime<Utc>,
}

/// Sets or renews a hold; one that was being lifted stands again.
pub async fn set(tx: &mut Tx, hold: &HoldRow) -> Result<()> {
    let args = args![
        hold.iys_code,
        hold.brand_code,
        hold.channel,
        hold.cause.as_str(),
        hold.code.as_str(),
        hold.since,
        hold.probe_at,
        false
    ];
    tx.execute(&SET, args).await.map(drop)
}

/// Begins to lift a hold, one for a used-up package only with `quota`: it stops nothing any more, and stays until
/// [`clear`] as the note that filings may still wait for it. False when there was none.
pub async fn lift(
    tx: &mut Tx,
    provider: IysCode,
    brand: BrandCode,
    channel: Channel,
    quota: bool,
) -> Result<bool> {
    Ok(tx.execute(&LIFT, args![provider, brand, channel, quota, true]).await? > 0)
}

/// Forgets a lifted hold for which nothing waits any more.
pub async fn clear(tx: &mut Tx, provider: IysCode, brand: BrandCode, channel: Channel) -> Result<bool> {
    Ok(tx.execute(&CLEAR, args![provider, brand, channel]).await? > 0)
}

/// The holds of a brand that stand.
pub async fn of_brand(tx: &mut Tx, provider: IysCode, brand: BrandCode) -> Result<Vec<HoldRow>> {
    tx.rows(&OF_BRAND, args![provider, brand]).await?.iter().map(read).collect()
}

/// Holds that want a probe.
pub async fn due(tx: &mut Tx, now: DateTime<Utc>) -> Result<Vec<HoldRow>> {
    tx.rows(&DUE, args![now]).await?.iter().map(read).collect()
}

/// Holds that are being lifted.
pub async fn lifted(tx: &mut Tx) -> Result<Vec<HoldRow>> {
    tx.rows(&LIFTED, args![]).await?.iter().map(read).collect()
}

fn read(row: &Row) -> Result<HoldRow> {
    Ok(HoldRow {
        iys_code: IysCode(row.get(0)?),
        brand_code: BrandCode(row.get(1)?),
        channel: row.word(2)?,
        cause: row.get(3)?,
        code: row.get(4)?,
        since: row.get(5)?,
        probe_at: row.get(6)?,
    })
}
