//! Registered push connections and the movements that wait to be delivered to them (protocol 8).

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::consents::{COLUMNS, Movement, read_movement};
use super::word;
use crate::error::Result;
use crate::words::Channel;

/// An address to which movements of one brand and channel are posted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PushConnection {
    /// 0 before it is stored.
    pub(crate) id: i64,
    pub(crate) brand_code: i64,
    pub(crate) channel: Channel,
    pub(crate) url: String,
    pub(crate) username: String,
    pub(crate) password: String,
    /// The connection was made; otherwise only the attempt is remembered.
    pub(crate) active: bool,
    /// When its state came about, Unix seconds.
    pub(crate) registered_at: i64,
}

fn read(row: &Row<'_>) -> rusqlite::Result<PushConnection> {
    Ok(PushConnection {
        id: row.get(0)?,
        brand_code: row.get(1)?,
        channel: word(row, 2, Channel::parse)?,
        url: row.get(3)?,
        username: row.get(4)?,
        password: row.get(5)?,
        active: row.get(6)?,
        registered_at: row.get(7)?,
    })
}

/// The connections of a brand, in the order of their first registration.
pub(crate) fn list(db: &Connection, brand_code: i64) -> Result<Vec<PushConnection>> {
    let sql = "SELECT id, brand_code, type, url, username, password, active, registered_at
               FROM push_connections WHERE brand_code = ?1 ORDER BY id";
    Ok(db.prepare_cached(sql)?.query_map([brand_code], read)?.collect::<Result<_, _>>()?)
}

/// Adds a connection, or replaces the one with the same brand, channel and address. An attempt that failed
/// leaves an active connection as it is.
pub(crate) fn put(db: &Connection, connection: &PushConnection) -> Result<()> {
    let sql = "INSERT INTO push_connections
                   (brand_code, type, url, username, password, active, registered_at)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
               ON CONFLICT DO UPDATE SET username = ?4, password = ?5, active = ?6, registered_at = ?7
                   WHERE ?6 OR NOT active";
    let PushConnection { brand_code, channel, url, username, password, active, registered_at, .. } =
        connection;
    db.prepare_cached(sql)?.execute(params![
        brand_code,
        channel.as_str(),
        url,
        username,
        password,
        active,
        registered_at
    ])?;
    Ok(())
}

/// Removes an active connection and what waits for it; whether there was one with these credentials.
pub(crate) fn remove(db: &Connection, connection: &PushConnection) -> Result<bool> {
    let sql = "DELETE FROM push_connections
               WHERE brand_code = ?1 AND type = ?2 AND url = ?3 AND username = ?4 AND password = ?5 AND active";
    let PushConnection { brand_code, channel, url, username, password, .. } = connection;
    let removed = db.execute(sql, params![brand_code, channel.as_str(), url, username, password])?;
    Ok(removed > 0)
}

/// Queues the newest movement for each active connection of a brand and channel; whether there is any.
pub(crate) fn enqueue(
    db: &Connection,
    brand_code: i64,
    channel: Channel,
    now: i64,
    due_at: i64,
) -> Result<bool> {
    let sql = "INSERT INTO push_deliveries (connection_id, seq, queued_at, due_at)
               SELECT id, (SELECT max(seq) FROM movements), ?3, ?4 FROM push_connections
               WHERE brand_code = ?1 AND type = ?2 AND active";
    Ok(db.prepare_cached(sql)?.execute(params![brand_code, channel.as_str(), now, due_at])? > 0)
}

/// A movement on its way to a connection.
#[derive(Debug, Clone)]
pub(crate) struct Delivery {
    pub(crate) id: i64,
    /// How often it was tried before.
    pub(crate) attempt: i64,
    /// Unix seconds.
    pub(crate) queued_at: i64,
    pub(crate) movement: Movement,
}

/// The connections for which something is due at an instant.
pub(crate) fn due_connections(db: &Connection, now: i64) -> Result<Vec<PushConnection>> {
    let sql = "SELECT id, brand_code, type, url, username, password, active, registered_at
               FROM push_connections
               WHERE id IN (SELECT connection_id FROM push_deliveries WHERE due_at <= ?1) ORDER BY id";
    Ok(db.prepare_cached(sql)?.query_map([now], read)?.collect::<Result<_, _>>()?)
}

/// What is due for a connection at an instant, in the order of writing or the other way round.
pub(crate) fn due(
    db: &Connection,
    connection_id: i64,
    now: i64,
    newest_first: bool,
    limit: usize,
) -> Result<Vec<Delivery>> {
    let order = if newest_first { "DESC" } else { "ASC" };
    let columns = COLUMNS.replace("seq,", "m.seq,");
    let sql = format!(
        "SELECT {columns}, d.id, d.attempt, d.queued_at
         FROM push_deliveries d JOIN movements m ON m.seq = d.seq
         WHERE d.connection_id = ?1 AND d.due_at <= ?2 ORDER BY d.seq {order} LIMIT ?3"
    );
    let mut statement = db.prepare_cached(&sql)?;
    let rows = statement.query_map(params![connection_id, now, limit as i64], |row| {
        Ok(Delivery {
            movement: read_movement(row)?,
            id: row.get("id")?,
            attempt: row.get("attempt")?,
            queued_at: row.get("queued_at")?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// When the next delivery is due, Unix seconds.
pub(crate) fn next_due(db: &Connection) -> Result<Option<i64>> {
    let sql = "SELECT min(due_at) FROM push_deliveries";
    Ok(db.prepare_cached(sql)?.query_row([], |row| row.get(0)).optional()?.flatten())
}

/// Ends a delivery: it arrived, or was given up.
pub(crate) fn finish(db: &Connection, id: i64) -> Result<()> {
    db.prepare_cached("DELETE FROM push_deliveries WHERE id = ?1")?.execute([id])?;
    Ok(())
}

/// Puts a delivery off.
pub(crate) fn reschedule(db: &Connection, id: i64, attempt: i64, due_at: i64) -> Result<()> {
    db.prepare_cached("UPDATE push_deliveries SET attempt = ?2, due_at = ?3 WHERE id = ?1")?
        .execute([id, attempt, due_at])?;
    Ok(())
}

/// A delivery that waits, as the control interface tells it.
#[derive(Debug, Clone)]
pub(crate) struct Waiting {
    pub(crate) url: String,
    /// The number of the movement.
    pub(crate) seq: i64,
    pub(crate) attempt: i64,
    /// Unix seconds.
    pub(crate) due_at: i64,
}

/// The deliveries that wait, the first due first.
pub(crate) fn waiting(db: &Connection, limit: usize) -> Result<Vec<Waiting>> {
    let sql = "SELECT c.url, d.seq, d.attempt, d.due_at
               FROM push_deliveries d JOIN push_connections c ON c.id = d.connection_id
               ORDER BY d.due_at, d.id LIMIT ?1";
    let mut statement = db.prepare_cached(sql)?;
    let rows = statement.query_map([limit as i64], |row| {
        Ok(Waiting { url: row.get(0)?, seq: row.get(1)?, attempt: row.get(2)?, due_at: row.get(3)? })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
