//! Where each pull of the registry's change feed stands. This table is the queue of pulls.

use chrono::{DateTime, Utc};
use kopru_domain::{BrandCode, IysCode};

use crate::error::Result;
use crate::{Claim, Tx, args, sql::Row, statements};

statements! {
    ADD = "INSERT INTO cursors (iys_code, brand_code, feed, next_attempt_at, attempt) VALUES ($1, $2, $3, $4, 0)
           ON CONFLICT (iys_code, brand_code, feed) DO NOTHING";
    CLAIM = "WITH due AS MATERIALIZED (
              SELECT c.iys_code AS p, c.brand_code AS b, c.feed AS f FROM cursors c
              WHERE c.next_attempt_at <= $1 AND (c.lease_until IS NULL OR c.lease_until < $2)
                AND EXISTS (SELECT 1 FROM brands k WHERE k.iys_code = c.iys_code AND k.brand_code = c.brand_code AND k.state = 'active')
              ORDER BY c.next_attempt_at LIMIT 1 {skip_locked})
        UPDATE cursors SET claimed_by = $3, lease_until = $4, attempt = attempt + 1 FROM due
        WHERE iys_code = p AND brand_code = b AND feed = f
        RETURNING iys_code, brand_code, feed, after, as_of, next_attempt_at, attempt, last_error";
    MOVE = "UPDATE cursors SET after = $5, lease_until = $6 WHERE iys_code = $1 AND brand_code = $2 AND feed = $3 AND claimed_by = $4";
    FINISH = "UPDATE cursors SET as_of = $5, next_attempt_at = $6, attempt = 0, last_error = NULL, claimed_by = NULL, lease_until = NULL
              WHERE iys_code = $1 AND brand_code = $2 AND feed = $3 AND claimed_by = $4";
    FAIL = "UPDATE cursors SET next_attempt_at = $5, last_error = $6, claimed_by = NULL, lease_until = NULL
            WHERE iys_code = $1 AND brand_code = $2 AND feed = $3 AND claimed_by = $4";
    OF_BRAND = "SELECT iys_code, brand_code, feed, after, as_of, next_attempt_at, attempt, last_error FROM cursors
                WHERE iys_code = $1 AND brand_code = $2 ORDER BY feed";
    TO_THE_FRONT = "UPDATE cursors SET next_attempt_at = $3 WHERE iys_code = $1 AND brand_code = $2 AND next_attempt_at > $3 AND last_error IS NULL";
    STALEST = "SELECT min(coalesce(c.as_of, b.created_at)) FROM cursors c
               JOIN brands b ON b.iys_code = c.iys_code AND b.brand_code = c.brand_code AND b.state = 'active'";
}

/// The two sources of the feed; each has its own cursor.
pub const FEEDS: [&str; 2] = ["IYS", "HS"];

/// A pull's place.
#[derive(Debug, Clone)]
pub struct CursorRow {
    /// Provider.
    pub iys_code: IysCode,
    /// Brand.
    pub brand_code: BrandCode,
    /// `IYS` or `HS`.
    pub feed: String,
    /// The registry's cursor, opaque; `None` = from the window's start.
    pub after: Option<String>,
    /// Start of the last pull that reached the end of the feed (business time).
    pub as_of: Option<DateTime<Utc>>,
    /// Not before (business time).
    pub next_attempt_at: DateTime<Utc>,
    /// Tries since the last success.
    pub attempt: i64,
    /// What went wrong last.
    pub last_error: Option<String>,
}

/// Makes both cursors of a brand.
pub async fn add(tx: &mut Tx, provider: IysCode, brand: BrandCode, now: DateTime<Utc>) -> Result<()> {
    for feed in FEEDS {
        tx.execute(&ADD, args![provider, brand, feed, now]).await?;
    }
    Ok(())
}

/// Claims the pull that is most overdue.
pub async fn claim(
    tx: &mut Tx,
    business_now: DateTime<Utc>,
    wire_now: DateTime<Utc>,
    claim: Claim,
) -> Result<Option<CursorRow>> {
    tx.row(&CLAIM, args![business_now, wire_now, claim.by, claim.until])
        .await?
        .map(|row| read(&row))
        .transpose()
}

/// Saves the cursor, in the transaction that applies the page, and renews the lease; false when the claim was lost.
pub async fn advance(tx: &mut Tx, row: &CursorRow, claim: Claim, after: &str) -> Result<bool> {
    let args = args![row.iys_code, row.brand_code, row.feed.as_str(), claim.by, after, claim.until];
    Ok(tx.execute(&MOVE, args).await? == 1)
}

/// The end of the feed was reached by a pull that began at `as_of`.
pub async fn finish(
    tx: &mut Tx,
    row: &CursorRow,
    claim: Claim,
    as_of: DateTime<Utc>,
    next: DateTime<Utc>,
) -> Result<bool> {
    let args = args![row.iys_code, row.brand_code, row.feed.as_str(), claim.by, as_of, next];
    Ok(tx.execute(&FINISH, args).await? == 1)
}

/// The pull failed and is tried again at `next`.
pub async fn fail(
    tx: &mut Tx,
    row: &CursorRow,
    claim: Claim,
    error: &str,
    next: DateTime<Utc>,
) -> Result<bool> {
    let args = args![row.iys_code, row.brand_code, row.feed.as_str(), claim.by, next, error];
    Ok(tx.execute(&FAIL, args).await? == 1)
}

/// Both cursors of a brand.
pub async fn of_brand(tx: &mut Tx, provider: IysCode, brand: BrandCode) -> Result<Vec<CursorRow>> {
    tx.rows(&OF_BRAND, args![provider, brand]).await?.iter().map(read).collect()
}

/// Makes a brand's pulls due now: a check found them stale.
pub async fn to_the_front(
    tx: &mut Tx,
    provider: IysCode,
    brand: BrandCode,
    now: DateTime<Utc>,
) -> Result<u64> {
    tx.execute(&TO_THE_FRONT, args![provider, brand, now]).await
}

/// The oldest `as_of` of any active brand.
pub async fn stalest(tx: &mut Tx) -> Result<Option<DateTime<Utc>>> {
    tx.row(&STALEST, args![]).await?.map_or(Ok(None), |row| row.get(0))
}

fn read(row: &Row) -> Result<CursorRow> {
    Ok(CursorRow {
        iys_code: IysCode(row.get(0)?),
        brand_code: BrandCode(row.get(1)?),
        feed: row.get(2)?,
        after: row.get(3)?,
        as_of: row.get(4)?,
        next_attempt_at: row.get(5)?,
        attempt: row.get(6)?,
        last_error: row.get(7)?,
    })
}
