//! Single values that outlive a restart.

use rusqlite::{Connection, OptionalExtension, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Result;

/// How far the clock is ahead of the system's, in milliseconds.
pub(crate) const CLOCK_OFFSET: &str = "clock_offset_millis";
/// The settings.
pub(crate) const SETTINGS: &str = "settings";
/// What the first start made, so that later starts can tell it again.
pub(crate) const SEED: &str = "seed";
/// The key and the certificate that sign time stamps.
pub(crate) const TIME_STAMP_AUTHORITY: &str = "time_stamp_authority";

/// Reads a fact.
pub(crate) fn find<T: DeserializeOwned>(db: &Connection, name: &str) -> Result<Option<T>> {
    let text: Option<String> = db
        .prepare_cached("SELECT value FROM facts WHERE name = ?1")?
        .query_row([name], |row| row.get(0))
        .optional()?;
    Ok(text.map(|text| serde_json::from_str(&text)).transpose()?)
}

/// Writes a fact.
pub(crate) fn put<T: Serialize>(db: &Connection, name: &str, value: &T) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO facts (name, value) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET value = ?2",
    )?
    .execute(params![name, serde_json::to_string(value)?])?;
    Ok(())
}

/// The last instant (Unix seconds) at which something was written; the clock must not fall behind it.
/// Rows are written in the order of time, so the last ones tell it without a look at the others.
pub(crate) fn last_written(db: &Connection) -> Result<i64> {
    let sql = "SELECT max(coalesce((SELECT created_at FROM movements ORDER BY seq DESC LIMIT 1), 0),
                          coalesce((SELECT received_at FROM batches ORDER BY rowid DESC LIMIT 1), 0))";
    Ok(db.query_row(sql, [], |row| row.get(0))?)
}
