//! Links by which a citizen rejects e-mails (protocol 10.7).

use rusqlite::{Connection, OptionalExtension, params};

use super::word;
use crate::error::Result;
use crate::words::RecipientType;

/// A link.
#[derive(Debug, Clone)]
pub(crate) struct RejectLink {
    pub(crate) token: String,
    pub(crate) brand_code: i64,
    pub(crate) recipient: String,
    pub(crate) recipient_type: RecipientType,
    /// Unix seconds.
    pub(crate) made_at: i64,
    /// Unix seconds; `None` while unused.
    pub(crate) used_at: Option<i64>,
}

/// Adds a link.
pub(crate) fn add(db: &Connection, link: &RejectLink) -> Result<()> {
    let sql = "INSERT INTO reject_links (token, brand_code, recipient, recipient_type, made_at)
               VALUES (?1, ?2, ?3, ?4, ?5)";
    let RejectLink { token, brand_code, recipient, recipient_type, made_at, .. } = link;
    db.prepare_cached(sql)?.execute(params![
        token,
        brand_code,
        recipient,
        recipient_type.as_str(),
        made_at
    ])?;
    Ok(())
}

/// Looks a link up.
pub(crate) fn find(db: &Connection, token: &str) -> Result<Option<RejectLink>> {
    let sql = "SELECT token, brand_code, recipient, recipient_type, made_at, used_at FROM reject_links
               WHERE token = ?1";
    let found = db
        .prepare_cached(sql)?
        .query_row([token], |row| {
            Ok(RejectLink {
                token: row.get(0)?,
                brand_code: row.get(1)?,
                recipient: row.get(2)?,
                recipient_type: word(row, 3, RecipientType::parse)?,
                made_at: row.get(4)?,
                used_at: row.get(5)?,
            })
        })
        .optional()?;
    Ok(found)
}

/// Notes that a link was used.
pub(crate) fn use_up(db: &Connection, token: &str, now: i64) -> Result<()> {
    db.prepare_cached("UPDATE reject_links SET used_at = ?2 WHERE token = ?1")?
        .execute(params![token, now])?;
    Ok(())
}
