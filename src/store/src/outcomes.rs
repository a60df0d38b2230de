//! What became of the requests to a registry, in portions of time: all together, and those that file for a brand.

use chrono::{DateTime, Utc};
use kopru_domain::governor::Tally;
use kopru_domain::{BrandCode, IysCode};

use crate::dialect::Insert;
use crate::error::{Result, StoreError};
use crate::{Tx, args, statements};

statements! {
    TOTAL = "SELECT CAST(coalesce(sum(requests), 0) AS BIGINT), CAST(coalesce(sum(failed), 0) AS BIGINT) FROM registry_outcomes
             WHERE iys_code = 0 AND brand_code = 0 AND name = $1 AND since > $2 AND since <= $3";
    BRANDS = "SELECT iys_code, brand_code, CAST(sum(requests) AS BIGINT), CAST(sum(failed) AS BIGINT)
              FROM registry_outcomes {by registry_outcomes_recent}
              WHERE since > $2 AND since <= $3 AND name = $1 AND brand_code <> 0
              GROUP BY iys_code, brand_code HAVING sum(failed) * 2 > sum(requests) ORDER BY sum(failed) DESC LIMIT 100";
    PURGE = "DELETE FROM registry_outcomes WHERE since <= $1";
}

static ADD: Insert = Insert {
    head: "INSERT INTO registry_outcomes (iys_code, brand_code, name, since, requests, failed)",
    types: &["bigint", "bigint", "text", "timestamptz", "bigint", "bigint"],
    tail: "ON CONFLICT (iys_code, brand_code, name, since) DO UPDATE SET
           requests = registry_outcomes.requests + excluded.requests, failed = registry_outcomes.failed + excluded.failed",
};

/// The bulk inserts of this module by name.
pub(crate) static INSERTS: &[(&str, &Insert)] = &[("ADD", &ADD)];

/// Requests of one portion of time; all together where the brand is 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutcomeRow {
    /// Provider.
    pub iys_code: IysCode,
    /// Brand.
    pub brand_code: BrandCode,
    /// Begin of the portion (business time).
    pub since: DateTime<Utc>,
    /// How many.
    pub tally: Tally,
}

/// Adds to what is there.
pub async fn add(tx: &mut Tx, name: &str, rows: Vec<OutcomeRow>) -> Result<()> {
    let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let rows = rows.into_iter().map(|row| {
        let Tally { requests, failed } = row.tally;
        args![row.iys_code, row.brand_code, name, row.since, number(requests), number(failed)]
    });
    tx.insert(&ADD, rows.collect()).await.map(drop)
}

/// All requests of the portions that begin after `after`. Those of the future were made under a clock that ran ahead.
pub async fn total(tx: &mut Tx, name: &str, after: DateTime<Utc>, now: DateTime<Utc>) -> Result<Tally> {
    let row = tx.row(&TOTAL, args![name, after, now]).await?;
    let row = row.ok_or_else(|| StoreError::corrupt("registry_outcomes", "no sum"))?;
    tally(row.get(0)?, row.get(1)?)
}

/// The brands most of whose filings failed, at most 100, the most failures first.
pub async fn failing_brands(
    tx: &mut Tx,
    name: &str,
    after: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<Vec<(IysCode, BrandCode, Tally)>> {
    let rows = tx.rows(&BRANDS, args![name, after, now]).await?;
    rows.iter()
        .map(|row| Ok((IysCode(row.get(0)?), BrandCode(row.get(1)?), tally(row.get(2)?, row.get(3)?)?)))
        .collect()
}

/// Forgets portions.
pub async fn purge(tx: &mut Tx, before: DateTime<Utc>) -> Result<u64> {
    tx.execute(&PURGE, args![before]).await
}

fn tally(requests: i64, failed: i64) -> Result<Tally> {
    let number =
        |count: i64| u64::try_from(count).map_err(|_| StoreError::corrupt("registry_outcomes", "negative"));
    Ok(Tally { requests: number(requests)?, failed: number(failed)? })
}
