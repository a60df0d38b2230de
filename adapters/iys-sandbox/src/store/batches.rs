//! Lists of consents that wait to be processed, and what became of them.

use rusqlite::{Connection, OptionalExtension, params};

use crate::error::Result;

/// A list of consents.
#[derive(Debug, Clone)]
pub(crate) struct Batch {
    pub(crate) request_id: String,
    pub(crate) brand_code: i64,
    pub(crate) v2: bool,
    pub(crate) received_at: i64,
    pub(crate) due_at: i64,
    /// The items as JSON, in the order of the request.
    pub(crate) items: String,
    /// What became of them as JSON, once processed.
    pub(crate) results: Option<String>,
}

const COLUMNS: &str = "request_id, brand_code, v2, received_at, due_at, items, results";

fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Batch> {
    Ok(Batch {
        request_id: row.get(0)?,
        brand_code: row.get(1)?,
        v2: row.get(2)?,
        received_at: row.get(3)?,
        due_at: row.get(4)?,
        items: row.get(5)?,
        results: row.get(6)?,
    })
}

/// Puts a list into the queue.
pub(crate) fn add(db: &Connection, batch: &Batch) -> Result<()> {
    let sql = "INSERT INTO batches (request_id, brand_code, v2, received_at, due_at, items)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let Batch { request_id, brand_code, v2, received_at, due_at, items, .. } = batch;
    db.prepare_cached(sql)?.execute(params![request_id, brand_code, v2, received_at, due_at, items])?;
    Ok(())
}

/// Looks a list up.
pub(crate) fn find(db: &Connection, brand_code: i64, request_id: &str) -> Result<Option<Batch>> {
    let sql = format!("SELECT {COLUMNS} FROM batches WHERE request_id = ?1 AND brand_code = ?2");
    Ok(db.prepare_cached(&sql)?.query_row(params![request_id, brand_code], read).optional()?)
}

/// The list that has been due longest at an instant.
pub(crate) fn find_due(db: &Connection, now: i64) -> Result<Option<Batch>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM batches WHERE results IS NULL AND due_at <= ?1
         ORDER BY due_at, received_at, rowid LIMIT 1"
    );
    Ok(db.prepare_cached(&sql)?.query_row([now], read).optional()?)
}

/// When the next list is due.
pub(crate) fn next_due(db: &Connection) -> Result<Option<i64>> {
    let sql = "SELECT min(due_at) FROM batches WHERE results IS NULL";
    Ok(db.prepare_cached(sql)?.query_row([], |row| row.get(0))?)
}

/// Stores what became of a list; the list itself is not needed any more.
pub(crate) fn finish(db: &Connection, request_id: &str, results: &str) -> Result<()> {
    db.prepare_cached("UPDATE batches SET results = ?2, items = '' WHERE request_id = ?1")?
        .execute(params![request_id, results])?;
    Ok(())
}

/// The items of a brand's lists that came in a span of time, the second instant without, and still wait.
pub(crate) fn waiting(db: &Connection, brand_code: i64, from: i64, until: i64) -> Result<Vec<String>> {
    let sql = "SELECT items FROM batches INDEXED BY batches_due
               WHERE results IS NULL AND brand_code = ?1 AND received_at >= ?2 AND received_at < ?3";
    let mut statement = db.prepare_cached(sql)?;
    let rows = statement.query_map([brand_code, from, until], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
