//! Holds: what the registry refuses for a whole brand and channel. Filing waits there and probes now and then.

use chrono::{DateTime, Utc};
use kopru_domain::{BrandCode, Channel, IysCode};

use crate::error::Result;
use crate::{Tx, args, sql::Row, statements};

statements! {
    /// What the list says is the list's to take back.
    SET = "INSERT INTO holds (iys_code, brand_code, channel, cause, code, since, probe_at, lifted, listed) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
           ON CONFLICT (iys_code, brand_code, channel) DO UPDATE SET cause = excluded.cause, code = excluded.code, probe_at = excluded.probe_at,
           lifted = excluded.lifted, listed = (holds.listed OR excluded.listed)
           RETURNING since";
    LIFT = "UPDATE holds SET lifted = $5, listed = $6 WHERE iys_code = $1 AND brand_code = $2 AND channel = $3 AND (cause <> 'quota' OR $4) AND since <= $7";
    CLEAR = "DELETE FROM holds WHERE iys_code = $1 AND brand_code = $2 AND channel = $3 AND lifted";
    OF_BRAND = "SELECT iys_code, brand_code, channel, cause, code, since, probe_at, listed FROM holds WHERE iys_code = $1 AND brand_code = $2 AND NOT lifted";
    OF_PROVIDER = "SELECT iys_code, brand_code, channel, cause, code, since, probe_at, listed FROM holds WHERE iys_code = $1 AND NOT lifted";
    /// One look-up a brand and channel, however much is held: brands whose rights are known are the only ones where an
    /// intake holds by what it remembers, and so may come too late for the release.
    FORGOTTEN = "SELECT r.iys_code, r.brand_code, c.channel FROM brand_rights r
        CROSS JOIN (SELECT 'ARAMA' AS channel UNION ALL SELECT 'MESAJ' UNION ALL SELECT 'EPOSTA') c
        WHERE (SELECT 1 FROM holds h WHERE h.iys_code = r.iys_code AND h.brand_code = r.brand_code AND h.channel = c.channel) IS NULL
          AND (SELECT 1 FROM submissions s {by submissions_held} WHERE s.state = 'held' AND s.iys_code = r.iys_code
               AND s.brand_code = r.brand_code AND s.channel = c.channel AND s.cause <> 'review' LIMIT 1) IS NOT NULL
        LIMIT 100";
    COUNTS = "SELECT cause, count(*) FROM holds WHERE NOT lifted GROUP BY cause";
    DUE = "SELECT iys_code, brand_code, channel, cause, code, since, probe_at, listed FROM holds WHERE probe_at <= $1 AND NOT lifted
           ORDER BY probe_at LIMIT 100";
    LIFTED = "SELECT iys_code, brand_code, channel, cause, code, since, probe_at, listed FROM holds WHERE lifted ORDER BY since LIMIT 100";
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
    /// The registry's list says so (provider sync): it stands, whether anything waits for it or not, until the list or a
    /// filing that passes says otherwise.
    pub listed: bool,
}

/// Sets or renews a hold; one that was being lifted stands again. True when there was none.
pub async fn set(tx: &mut Tx, hold: &HoldRow) -> Result<bool> {
    let args = args![
        hold.iys_code,
        hold.brand_code,
        hold.channel,
        hold.cause.as_str(),
        hold.code.as_str(),
        hold.since,
        hold.probe_at,
        false,
        hold.listed
    ];
    let since = tx.row(&SET, args).await?.map(|row| row.get::<DateTime<Utc>>(0)).transpose()?;
    Ok(since == Some(hold.since))
}

/// Begins to lift a hold that began at `by` or before, one for a used-up package only with `quota`: it stops nothing any more, and
/// stays until [`clear`] as the note that filings may still wait for it. False when there was none.
pub async fn lift(
    tx: &mut Tx,
    provider: IysCode,
    brand: BrandCode,
    channel: Channel,
    quota: bool,
    by: DateTime<Utc>,
) -> Result<bool> {
    Ok(tx.execute(&LIFT, args![provider, brand, channel, quota, true, false, by]).await? > 0)
}

/// Forgets a lifted hold for which nothing waits any more.
pub async fn clear(tx: &mut Tx, provider: IysCode, brand: BrandCode, channel: Channel) -> Result<bool> {
    Ok(tx.execute(&CLEAR, args![provider, brand, channel]).await? > 0)
}

/// The holds of a brand that stand.
pub async fn of_brand(tx: &mut Tx, provider: IysCode, brand: BrandCode) -> Result<Vec<HoldRow>> {
    tx.rows(&OF_BRAND, args![provider, brand]).await?.iter().map(read).collect()
}

/// The holds of a provider that stand.
pub async fn of_provider(tx: &mut Tx, provider: IysCode) -> Result<Vec<HoldRow>> {
    tx.rows(&OF_PROVIDER, args![provider]).await?.iter().map(read).collect()
}

/// Places where filings are held and no hold is known any more, at most 100.
pub async fn forgotten(tx: &mut Tx) -> Result<Vec<(IysCode, BrandCode, Channel)>> {
    let rows = tx.rows(&FORGOTTEN, args![]).await?;
    rows.iter().map(|row| Ok((IysCode(row.get(0)?), BrandCode(row.get(1)?), row.word(2)?))).collect()
}

/// How many holds stand, by cause.
pub async fn counts(tx: &mut Tx) -> Result<Vec<(String, i64)>> {
    tx.rows(&COUNTS, args![]).await?.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
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
        listed: row.get(7)?,
    })
}
