//! Where each pull of the registry's change feed stands. This table is the queue of pulls.

use chrono::{DateTime, Utc};
use kopru_domain::{BrandCode, IysCode};

use crate::error::Result;
use crate::{Claim, Tx, args, sql::Row, statements};

statements! {
    ADD = "INSERT INTO cursors (iys_code, brand_code, feed, next_attempt_at, attempt, bound_at, heard_at) VALUES ($1, $2, $3, $4, 0, $4, $4)
           ON CONFLICT (iys_code, brand_code, feed) DO NOTHING";
    CLAIM = "WITH due AS MATERIALIZED (
              SELECT c.iys_code AS p, c.brand_code AS b, c.feed AS f FROM cursors c {by cursors_due}
              WHERE c.next_attempt_at <= $1 AND (c.lease_until IS NULL OR c.lease_until < $2)
                AND EXISTS (SELECT 1 FROM brands k WHERE k.iys_code = c.iys_code AND k.brand_code = c.brand_code AND k.state = 'active')
              ORDER BY c.bound_at, c.next_attempt_at LIMIT 1 {skip_locked})
        UPDATE cursors SET claimed_by = $3, lease_until = $4, attempt = attempt + 1 FROM due
        WHERE iys_code = p AND brand_code = b AND feed = f
        RETURNING iys_code, brand_code, feed, after, as_of, next_attempt_at, attempt, last_error, used_at, every, heard_at";
    MOVE = "UPDATE cursors SET after = $5, lease_until = $6 WHERE iys_code = $1 AND brand_code = $2 AND feed = $3 AND claimed_by = $4";
    HELD = "SELECT used_at FROM cursors WHERE iys_code = $1 AND brand_code = $2 AND feed = $3 AND claimed_by = $4 {for_update}";
    FINISH = "UPDATE cursors SET as_of = $5, next_attempt_at = $6, every = $7, bound_at = $8, heard_at = $5, alarmed = FALSE,
                attempt = 0, last_error = NULL, claimed_by = NULL, lease_until = NULL
              WHERE iys_code = $1 AND brand_code = $2 AND feed = $3 AND claimed_by = $4";
    FAIL = "UPDATE cursors SET next_attempt_at = $5, last_error = $6, claimed_by = NULL, lease_until = NULL
            WHERE iys_code = $1 AND brand_code = $2 AND feed = $3 AND claimed_by = $4";
    PUT_BACK = "UPDATE cursors SET next_attempt_at = $5, attempt = attempt - 1, claimed_by = NULL, lease_until = NULL
                WHERE iys_code = $1 AND brand_code = $2 AND feed = $3 AND claimed_by = $4";
    RESTART = "UPDATE cursors SET after = NULL WHERE iys_code = $1 AND brand_code = $2 AND heard_at < $3";
    OF_BRAND = "SELECT iys_code, brand_code, feed, after, as_of, next_attempt_at, attempt, last_error, used_at, every, heard_at FROM cursors
                WHERE iys_code = $1 AND brand_code = $2 ORDER BY feed";
    TO_THE_FRONT = "UPDATE cursors SET next_attempt_at = $3, bound_at = $4
                    WHERE iys_code = $1 AND brand_code = $2 AND next_attempt_at > $3 AND last_error IS NULL";
    ALLOWED = "UPDATE cursors SET next_attempt_at = $3, attempt = 0
               WHERE iys_code = $1 AND brand_code = $2 AND next_attempt_at > $3 AND last_error IS NOT NULL";
    USE = "UPDATE cursors SET used_at = $4, next_attempt_at = $5, bound_at = $6 WHERE iys_code = $1 AND brand_code = $2 AND feed = $3";
    LOAD = "SELECT count(*), CAST(coalesce(sum(CASE WHEN c.used_at >= $1 THEN 1 ELSE 0 END), 0) AS BIGINT),
              CAST(coalesce(sum(CASE WHEN c.every > 0 THEN 1000000000 / c.every ELSE 0 END), 0) AS BIGINT)
            FROM cursors c JOIN brands b ON b.iys_code = c.iys_code AND b.brand_code = c.brand_code AND b.state = 'active'";
    STALEST = "SELECT min(c.heard_at), min(CASE WHEN c.used_at >= $1 THEN c.heard_at END) FROM cursors c
               JOIN brands b ON b.iys_code = c.iys_code AND b.brand_code = c.brand_code AND b.state = 'active'";
    SILENT = "SELECT c.iys_code, c.brand_code, min(c.heard_at), max(c.last_error) FROM cursors c
              JOIN brands b ON b.iys_code = c.iys_code AND b.brand_code = c.brand_code AND b.state = 'active'
              WHERE c.heard_at < $1 GROUP BY c.iys_code, c.brand_code ORDER BY min(c.heard_at) LIMIT $2";
    SILENT_COUNT = "SELECT count(*) FROM (SELECT 1 FROM cursors c
                      JOIN brands b ON b.iys_code = c.iys_code AND b.brand_code = c.brand_code AND b.state = 'active'
                      WHERE c.heard_at < $1 GROUP BY c.iys_code, c.brand_code) AS silent";
    UNTOLD = "SELECT c.iys_code, c.brand_code, c.feed, c.heard_at, c.last_error, b.state = 'active' FROM cursors c {by cursors_silent}
              JOIN brands b ON b.iys_code = c.iys_code AND b.brand_code = c.brand_code
              WHERE c.heard_at < $1 AND NOT c.alarmed ORDER BY c.heard_at LIMIT 100";
    TOLD = "UPDATE cursors SET alarmed = TRUE WHERE iys_code = $1 AND brand_code = $2 AND feed = $3 AND NOT alarmed AND heard_at < $4";
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
    /// The last check or send of the brand, some minutes old at most (business time).
    pub used_at: Option<DateTime<Utc>>,
    /// Seconds that it would like between two pulls; 0 = never pulled.
    pub every: i64,
    /// The last success, or when the brand was added (business time).
    pub heard_at: DateTime<Utc>,
}

/// When a pull that succeeded goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Next {
    /// Not before.
    pub at: DateTime<Utc>,
    /// Seconds that it would like between two pulls.
    pub every: i64,
    /// Its place among those that are due.
    pub bound_at: DateTime<Utc>,
}

/// What all feeds of active brands ask for together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Demand {
    /// Feeds.
    pub feeds: i64,
    /// Those of brands that were used since an instant.
    pub in_use: i64,
    /// Pulls that they would like in a thousand million seconds.
    pub wished: i64,
}

/// A brand whose pull has not succeeded for a long time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Silent {
    /// Provider.
    pub iys_code: IysCode,
    /// Brand.
    pub brand_code: BrandCode,
    /// The last success of the older source, or when the brand was added.
    pub heard_at: DateTime<Utc>,
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

/// Claims, of the pulls that are due, the one with the earliest bound.
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

/// Locks a pull that is still the claim's, and reads when its brand was last used; `None` when the claim was lost.
pub async fn held(tx: &mut Tx, row: &CursorRow, claim: Claim) -> Result<Option<Option<DateTime<Utc>>>> {
    let args = args![row.iys_code, row.brand_code, row.feed.as_str(), claim.by];
    tx.row(&HELD, args).await?.map(|row| row.get(0)).transpose()
}

/// The end of the feed was reached by a pull that began at `as_of`.
pub async fn finish(
    tx: &mut Tx,
    row: &CursorRow,
    claim: Claim,
    as_of: DateTime<Utc>,
    next: Next,
) -> Result<bool> {
    let args = args![
        row.iys_code,
        row.brand_code,
        row.feed.as_str(),
        claim.by,
        as_of,
        next.at,
        next.every,
        next.bound_at
    ];
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

/// Makes a brand's pulls due now and gives them a place before the others: a check found them stale.
pub async fn to_the_front(
    tx: &mut Tx,
    provider: IysCode,
    brand: BrandCode,
    now: DateTime<Utc>,
    bound_at: DateTime<Utc>,
) -> Result<u64> {
    tx.execute(&TO_THE_FRONT, args![provider, brand, now, bound_at]).await
}

/// Makes a brand's failed pulls due now: what they failed for is mended.
pub async fn allowed(tx: &mut Tx, provider: IysCode, brand: BrandCode, now: DateTime<Utc>) -> Result<u64> {
    tx.execute(&ALLOWED, args![provider, brand, now]).await
}

/// Notes that the brand of a pull was used, and when the pull is due for it.
pub async fn used(tx: &mut Tx, row: &CursorRow, now: DateTime<Utc>, bound_at: DateTime<Utc>) -> Result<()> {
    let args = args![row.iys_code, row.brand_code, row.feed.as_str(), now, row.next_attempt_at, bound_at];
    tx.execute(&USE, args).await.map(drop)
}

/// What all feeds ask for together; those of brands used since an instant are counted apart.
pub async fn demand(tx: &mut Tx, used_since: DateTime<Utc>) -> Result<Demand> {
    let none = Demand { feeds: 0, in_use: 0, wished: 0 };
    tx.row(&LOAD, args![used_since])
        .await?
        .map_or(Ok(none), |row| Ok(Demand { feeds: row.get(0)?, in_use: row.get(1)?, wished: row.get(2)? }))
}

/// The oldest success of any active brand, and of any that was used since an instant.
pub async fn stalest(
    tx: &mut Tx,
    used_since: DateTime<Utc>,
) -> Result<(Option<DateTime<Utc>>, Option<DateTime<Utc>>)> {
    tx.row(&STALEST, args![used_since]).await?.map_or(Ok((None, None)), |row| Ok((row.get(0)?, row.get(1)?)))
}

/// Active brands without a successful pull since an instant, the most silent first.
pub async fn silent(tx: &mut Tx, since: DateTime<Utc>, limit: i64) -> Result<Vec<Silent>> {
    let read = |row: &Row| {
        Ok(Silent {
            iys_code: IysCode(row.get(0)?),
            brand_code: BrandCode(row.get(1)?),
            heard_at: row.get(2)?,
            last_error: row.get(3)?,
        })
    };
    tx.rows(&SILENT, args![since, limit]).await?.iter().map(read).collect()
}

/// How many active brands there are without a successful pull since an instant.
pub async fn silent_count(tx: &mut Tx, since: DateTime<Utc>) -> Result<i64> {
    tx.row(&SILENT_COUNT, args![since]).await?.map_or(Ok(0), |row| row.get(0))
}

/// Pulls without a success since an instant that nobody was told of, at most 100: feed, whether the brand is active, and what
/// there is to tell.
pub async fn untold(tx: &mut Tx, since: DateTime<Utc>) -> Result<Vec<(String, bool, Silent)>> {
    let read = |row: &Row| {
        let silent = Silent {
            iys_code: IysCode(row.get(0)?),
            brand_code: BrandCode(row.get(1)?),
            heard_at: row.get(3)?,
            last_error: row.get(4)?,
        };
        Ok((row.get(2)?, row.get(5)?, silent))
    };
    tx.rows(&UNTOLD, args![since]).await?.iter().map(read).collect()
}

/// Marks a pull as told of; false when somebody else did, or it has succeeded meanwhile.
pub async fn told(tx: &mut Tx, feed: &str, silent: &Silent, since: DateTime<Utc>) -> Result<bool> {
    Ok(tx.execute(&TOLD, args![silent.iys_code, silent.brand_code, feed, since]).await? == 1)
}

/// The pulls of a brand without a success since an instant begin at the start of the feed's window again.
pub async fn restart(tx: &mut Tx, provider: IysCode, brand: BrandCode, since: DateTime<Utc>) -> Result<u64> {
    tx.execute(&RESTART, args![provider, brand, since]).await
}

/// Gives a claimed pull back untried.
pub async fn put_back(tx: &mut Tx, row: &CursorRow, claim: Claim, at: DateTime<Utc>) -> Result<bool> {
    let args = args![row.iys_code, row.brand_code, row.feed.as_str(), claim.by, at];
    Ok(tx.execute(&PUT_BACK, args).await? == 1)
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
        used_at: row.get(8)?,
        every: row.get(9)?,
        heard_at: row.get(10)?,
    })
}
