//! The change feed. Numbers are drawn under the lock of the provider's head: a reader that has seen N never later finds a number ≤ N.

use chrono::{DateTime, Utc};
use kopru_domain::{BrandCode, IysCode};
use uuid::Uuid;

use crate::error::Result;
use crate::{Insert, Key, Step, Tx, args, sql::Row, statements};

statements! {
    AFTER = "SELECT seq, brand_code, key, id, type, sealed, created_at FROM changes {by changes_by_brand}
             WHERE iys_code = $1 AND brand_code = $2 AND seq > $3 ORDER BY seq LIMIT $4";
    BY_SEQS = "SELECT c.seq, c.brand_code, c.key, c.id, c.type, c.sealed, c.created_at
             FROM {each $2 int of changes AS c: c.iys_code = $1 AND c.seq = wanted.value}";
    AT_OR_AFTER = "SELECT seq, created_at FROM changes WHERE iys_code = $1 AND seq >= $2 ORDER BY seq LIMIT 1";
    /// CROSS JOIN: from the few endpoints to the changes. Where there are none, SQLite reads none.
    FAN_OUT = "INSERT INTO deliveries (iys_code, endpoint_id, change_seq, key, state, attempt, next_attempt_at, updated_at)
               SELECT c.iys_code, e.id, c.seq, c.key, 'queued', 0, $4, $4
               FROM webhook_endpoints e CROSS JOIN changes c
               WHERE e.iys_code = $1 AND e.state = 'active' AND c.iys_code = $1 AND c.seq > $2 AND c.seq <= $3
                    AND (e.brand_code IS NULL OR e.brand_code = c.brand_code)";
}

static APPEND: Insert = Insert {
    head: "INSERT INTO changes (iys_code, seq, brand_code, key, id, type, sealed, created_at)",
    types: &["bigint", "bigint", "bigint", "bytea", "uuid", "text", "bytea", "timestamptz"],
    tail: "",
};

/// The bulk inserts of this module by name.
pub(crate) static INSERTS: &[(&str, &Insert)] = &[("APPEND", &APPEND)];

/// One event of the feed.
#[derive(Debug, Clone)]
pub struct ChangeRow {
    /// Place in the provider's feed, from 1, without gaps.
    pub seq: i64,
    /// Brand.
    pub brand_code: BrandCode,
    /// Blind name of the address.
    pub key: Key,
    /// Identity of the event, the `webhook-id` of its deliveries.
    pub id: Uuid,
    /// `permission.changed`, `consent.expired` …
    pub kind: String,
    /// The event as JSON, sealed.
    pub sealed: Vec<u8>,
    /// When it happened (business time).
    pub created_at: DateTime<Utc>,
}

/// The step that appends events; the caller holds the head, and the rows' numbers follow it without a gap.
pub fn append_step(provider: IysCode, rows: Vec<ChangeRow>) -> Step {
    let rows = rows
        .into_iter()
        .map(|row| {
            args![provider, row.seq, row.brand_code, row.key, row.id, row.kind, row.sealed, row.created_at]
        })
        .collect();
    Step::Insert(&APPEND, rows)
}

/// The step that queues the deliveries of appended events, by the numbers of the first and the last.
pub fn fan_out_step(provider: IysCode, first: i64, last: i64, now: DateTime<Utc>) -> Step {
    Step::Statement(&FAN_OUT, args![provider, first - 1, last, now])
}

/// Appends events and queues their deliveries; the caller holds the head, and the rows' numbers follow it without a gap.
pub async fn append(tx: &mut Tx, provider: IysCode, rows: Vec<ChangeRow>) -> Result<()> {
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return Ok(()) };
    let (first, until, now) = (first.seq, last.seq, last.created_at);
    tx.run(vec![append_step(provider, rows)]).await?;
    tx.run(vec![fan_out_step(provider, first, until, now)]).await
}

/// Events of a brand after a place.
pub async fn after(
    tx: &mut Tx,
    provider: IysCode,
    brand: BrandCode,
    seq: i64,
    limit: i64,
) -> Result<Vec<ChangeRow>> {
    tx.rows(&AFTER, args![provider, brand, seq, limit]).await?.iter().map(read).collect()
}

/// Events by their places, in any order; places without an event are left out.
pub async fn find_many(tx: &mut Tx, provider: IysCode, places: Vec<i64>) -> Result<Vec<ChangeRow>> {
    tx.rows(&BY_SEQS, args![provider, places]).await?.iter().map(read).collect()
}

/// Place and time of the first event at a place or after it.
pub async fn at_or_after(tx: &mut Tx, provider: IysCode, seq: i64) -> Result<Option<(i64, DateTime<Utc>)>> {
    let row = tx.row(&AT_OR_AFTER, args![provider, seq]).await?;
    row.map(|row| Ok((row.get(0)?, row.get(1)?))).transpose()
}

fn read(row: &Row) -> Result<ChangeRow> {
    Ok(ChangeRow {
        seq: row.get(0)?,
        brand_code: BrandCode(row.get(1)?),
        key: row.key(2)?,
        id: row.get(3)?,
        kind: row.get(4)?,
        sealed: row.get(5)?,
        created_at: row.get(6)?,
    })
}
