//! API users and their tokens.

use rusqlite::{Connection, OptionalExtension, params};
use sha2::{Digest, Sha256};

use super::word;
use crate::error::Result;

/// Whose user an account is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    Provider,
    Partner,
}

impl Family {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text {
            "provider" => Some(Self::Provider),
            "partner" => Some(Self::Partner),
            _ => None,
        }
    }

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Provider => "provider",
            Self::Partner => "partner",
        }
    }
}

/// An API user.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    pub(crate) username: String,
    pub(crate) password: String,
    pub(crate) family: Family,
    /// iysCode or integratorCode, by family.
    pub(crate) code: i64,
    /// An administrator of the web panel, who may not use the API.
    pub(crate) admin: bool,
}

/// Looks a user up.
pub(crate) fn find(db: &Connection, username: &str) -> Result<Option<Account>> {
    let sql = "SELECT username, password, family, code, admin FROM accounts WHERE username = ?1";
    Ok(db.prepare_cached(sql)?.query_row([username], read).optional()?)
}

/// The users of a provider or partner.
pub(crate) fn list(db: &Connection, family: Family, code: i64) -> Result<Vec<Account>> {
    let sql = "SELECT username, password, family, code, admin FROM accounts
               WHERE family = ?1 AND code = ?2 ORDER BY username";
    let mut statement = db.prepare_cached(sql)?;
    let rows = statement.query_map(params![family.as_str(), code], read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Account> {
    Ok(Account {
        username: row.get(0)?,
        password: row.get(1)?,
        family: word(row, 2, Family::parse)?,
        code: row.get(3)?,
        admin: row.get(4)?,
    })
}

/// Adds a user or changes its password and role. A name that belongs to somebody else moves over.
pub(crate) fn put(db: &Connection, account: &Account) -> Result<()> {
    let sql = "INSERT INTO accounts (username, password, family, code, admin) VALUES (?1, ?2, ?3, ?4, ?5)
               ON CONFLICT DO UPDATE SET password = ?2, family = ?3, code = ?4, admin = ?5";
    let Account { username, password, family, code, admin } = account;
    db.prepare_cached(sql)?.execute(params![username, password, family.as_str(), code, admin])?;
    Ok(())
}

/// Removes a user; its tokens stay and lead nowhere. Returns whether there was one.
pub(crate) fn remove(db: &Connection, username: &str) -> Result<bool> {
    Ok(db.execute("DELETE FROM accounts WHERE username = ?1", [username])? > 0)
}

/// Remembers a token by its hash.
pub(crate) fn add_token(
    db: &Connection,
    token: &str,
    refresh: bool,
    username: &str,
    expires_at_millis: i64,
) -> Result<()> {
    let sql = "INSERT INTO tokens (hash, refresh, username, expires_at_millis) VALUES (?1, ?2, ?3, ?4)";
    db.prepare_cached(sql)?.execute(params![hash(token), refresh, username, expires_at_millis])?;
    Ok(())
}

/// The user of a living token.
pub(crate) fn token_user(
    db: &Connection,
    token: &str,
    refresh: bool,
    now_millis: i64,
) -> Result<Option<String>> {
    let sql = "SELECT username FROM tokens WHERE hash = ?1 AND refresh = ?2 AND expires_at_millis > ?3";
    let found = db
        .prepare_cached(sql)?
        .query_row(params![hash(token), refresh, now_millis], |row| row.get(0))
        .optional()?;
    Ok(found)
}

/// Ends a token.
pub(crate) fn end_token(db: &Connection, token: &str) -> Result<()> {
    db.prepare_cached("DELETE FROM tokens WHERE hash = ?1")?.execute([hash(token)])?;
    Ok(())
}

/// Forgets tokens that have died.
pub(crate) fn forget_dead_tokens(db: &Connection, now_millis: i64) -> Result<()> {
    db.prepare_cached("DELETE FROM tokens WHERE expires_at_millis <= ?1")?.execute([now_millis])?;
    Ok(())
}

fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}
