//! What a day's movements were (protocol 4.16 to 4.18).

use rusqlite::{Connection, OptionalExtension, params};

use super::word;
use crate::error::Result;
use crate::words::{Channel, RecipientType};

/// The instants of a day of a brand, Unix seconds: from the first, up to the second without it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Day {
    pub(crate) brand_code: i64,
    pub(crate) start: i64,
    pub(crate) end: i64,
}

/// A closed day's report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Report {
    /// SHA-384 of the movement file.
    pub(crate) hash: Vec<u8>,
    /// An RFC 3161 response over that hash.
    pub(crate) time_stamp: Vec<u8>,
    /// The provider has said that it agrees.
    pub(crate) agreed: bool,
}

/// Looks a report up.
pub(crate) fn find(db: &Connection, day: Day) -> Result<Option<Report>> {
    let sql = "SELECT hash, time_stamp, agreed FROM reports WHERE brand_code = ?1 AND day_start = ?2";
    let found = db
        .prepare_cached(sql)?
        .query_row([day.brand_code, day.start], |row| {
            Ok(Report { hash: row.get(0)?, time_stamp: row.get(1)?, agreed: row.get(2)? })
        })
        .optional()?;
    Ok(found)
}

/// Stores a report.
pub(crate) fn put(db: &Connection, day: Day, report: &Report) -> Result<()> {
    let sql = "INSERT OR REPLACE INTO reports (brand_code, day_start, hash, time_stamp, agreed)
               VALUES (?1, ?2, ?3, ?4, ?5)";
    let Report { hash, time_stamp, agreed } = report;
    db.prepare_cached(sql)?.execute(params![day.brand_code, day.start, hash, time_stamp, agreed])?;
    Ok(())
}

/// Whether a day has any movement.
pub(crate) fn has_movements(db: &Connection, day: Day) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM movements
               WHERE brand_code = ?1 AND created_at >= ?2 AND created_at < ?3)";
    Ok(db.prepare_cached(sql)?.query_row([day.brand_code, day.start, day.end], |row| row.get(0))?)
}

/// How many movements of a day one side made on a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) channel: Channel,
    /// `HS` or `IYS`.
    pub(crate) side: String,
    /// Approvals of what was unknown or rejected before.
    pub(crate) approvals: i64,
    /// Rejections of what was approved before.
    pub(crate) rejections: i64,
    /// All movements, also those that repeat an approval.
    pub(crate) movements: i64,
}

/// Counts a day's movements by channel and side.
pub(crate) fn tally(db: &Connection, day: Day, recipient_type: RecipientType) -> Result<Vec<Tally>> {
    let sql = "WITH moved AS (
                   SELECT m.type, m.side, m.status, (
                       SELECT p.status FROM movements p
                       WHERE p.brand_code = m.brand_code AND p.recipient = m.recipient
                           AND p.recipient_type = m.recipient_type AND p.type = m.type AND p.seq < m.seq
                       ORDER BY p.seq DESC LIMIT 1
                   ) AS before
                   FROM movements m
                   WHERE m.brand_code = ?1 AND m.created_at >= ?2 AND m.created_at < ?3
                       AND m.recipient_type = ?4
               )
               SELECT type, side,
                   count(*) FILTER (WHERE status = 'ONAY' AND before IS NOT 'ONAY'),
                   count(*) FILTER (WHERE status = 'RET' AND before = 'ONAY'),
                   count(*)
               FROM moved GROUP BY type, side";
    let mut statement = db.prepare_cached(sql)?;
    let rows =
        statement.query_map(params![day.brand_code, day.start, day.end, recipient_type.as_str()], |row| {
            Ok(Tally {
                channel: word(row, 0, Channel::parse)?,
                side: row.get(1)?,
                approvals: row.get(2)?,
                rejections: row.get(3)?,
                movements: row.get(4)?,
            })
        })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
