//! What the queue looks like, as a whole.

use chrono::{DateTime, Utc};
use kopru_domain::{BrandCode, IysCode, SubmissionState};

use crate::error::Result;
use crate::{Tx, args, statements};

statements! {
    COUNTS = concat!("SELECT state, count(*), min(target_at) FROM submissions WHERE ", open!(""), " GROUP BY state");
    EARLIEST = "SELECT target_at FROM submissions {by submissions_due} WHERE state = 'queued' ORDER BY target_at, status DESC LIMIT 1";
    QUEUED = "SELECT count(*) FROM submissions {by submissions_due} WHERE state = 'queued'";
    /// The first condition is that of the index.
    IN_FLIGHT = "SELECT count(*) FROM submissions {by submissions_out} WHERE state IN ('in_flight', 'unresolved') AND state = 'in_flight'";
    BUCKETS = "SELECT iys_code, brand_code, target_at, count(*) FROM submissions {by submissions_due}
        WHERE state = 'queued' AND ($2 OR target_at > $1 OR next_attempt_at <= $1)
        GROUP BY iys_code, brand_code, target_at ORDER BY target_at";
}

/// How many share a brand and a target.
#[derive(Debug, Clone, Copy)]
pub struct BucketRow {
    /// Provider.
    pub iys_code: IysCode,
    /// Brand.
    pub brand_code: BrandCode,
    /// Target.
    pub target_at: DateTime<Utc>,
    /// Queued submissions.
    pub count: i64,
}

/// Open filings of one state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenCount {
    /// The state.
    pub state: SubmissionState,
    /// How many there are.
    pub count: i64,
    /// The earliest of their targets.
    pub earliest_target: DateTime<Utc>,
}

/// Open filings by state.
pub async fn counts(tx: &mut Tx) -> Result<Vec<OpenCount>> {
    let rows = tx.rows(&COUNTS, args![]).await?;
    rows.iter()
        .map(|row| Ok(OpenCount { state: row.word(0)?, count: row.get(1)?, earliest_target: row.get(2)? }))
        .collect()
}

/// The earliest target in the queue and the number queued.
pub async fn queue_depth(tx: &mut Tx) -> Result<(Option<DateTime<Utc>>, i64)> {
    let earliest = tx.row(&EARLIEST, args![]).await?.map(|row| row.get(0)).transpose()?;
    let queued = tx.row(&QUEUED, args![]).await?.map_or(Ok(0), |row| row.get(0))?;
    Ok((earliest, queued))
}

/// How many were claimed to go as single requests and have not been answered.
pub async fn in_flight(tx: &mut Tx) -> Result<i64> {
    tx.row(&IN_FLIGHT, args![]).await?.map_or(Ok(0), |row| row.get(0))
}

/// The queue by brand and target, earliest first. What is past its target and waits for another try is no concern of the order,
/// for nothing that is done now helps it: it is there only with `waiting`.
pub async fn buckets(tx: &mut Tx, now: DateTime<Utc>, waiting: bool) -> Result<Vec<BucketRow>> {
    let rows = tx.rows(&BUCKETS, args![now, waiting]).await?;
    rows.iter()
        .map(|row| {
            Ok(BucketRow {
                iys_code: IysCode(row.get(0)?),
                brand_code: BrandCode(row.get(1)?),
                target_at: row.get(2)?,
                count: row.get(3)?,
            })
        })
        .collect()
}
