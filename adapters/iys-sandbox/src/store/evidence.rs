//! Evidence packs of opt-ins and verifications, as they were made.

use rusqlite::{Connection, OptionalExtension, params};

use crate::error::Result;

/// Keeps the pack of a process.
pub(crate) fn put(db: &Connection, request_id: &str, pack: &[u8]) -> Result<()> {
    let sql = "INSERT OR REPLACE INTO evidence (request_id, pack) VALUES (?1, ?2)";
    db.prepare_cached(sql)?.execute(params![request_id, pack])?;
    Ok(())
}

/// The pack of a process.
pub(crate) fn find(db: &Connection, request_id: &str) -> Result<Option<Vec<u8>>> {
    let sql = "SELECT pack FROM evidence WHERE request_id = ?1";
    Ok(db.prepare_cached(sql)?.query_row([request_id], |row| row.get(0)).optional()?)
}
