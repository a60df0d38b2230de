//! The registry's tokens, one row an account, shared by all replicas.

use chrono::{DateTime, Utc};

use crate::error::Result;
use crate::{Claim, Tx, args, statements};

statements! {
    FIND = "SELECT sealed, halted_until FROM registry_sessions WHERE account = $1";
    SAVE = "INSERT INTO registry_sessions (account, sealed) VALUES ($1, $2)
            ON CONFLICT (account) DO UPDATE SET sealed = excluded.sealed, claimed_by = NULL, lease_until = NULL";
    HALT = "INSERT INTO registry_sessions (account, halted_until) VALUES ($1, $2)
            ON CONFLICT (account) DO UPDATE SET halted_until = excluded.halted_until, claimed_by = NULL, lease_until = NULL";
    BEGIN = "INSERT INTO registry_sessions (account, claimed_by, lease_until) VALUES ($1, $2, $3)
             ON CONFLICT (account) DO UPDATE SET claimed_by = excluded.claimed_by, lease_until = excluded.lease_until
             WHERE registry_sessions.lease_until IS NULL OR registry_sessions.lease_until < $4";
    END = "UPDATE registry_sessions SET claimed_by = NULL, lease_until = NULL WHERE account = $1";
}

/// A session.
#[derive(Debug, Clone)]
pub struct SessionRow {
    /// Token pair and expiries, sealed by the master key.
    pub sealed: Option<Vec<u8>>,
    /// No login before this instant.
    pub halted_until: Option<DateTime<Utc>>,
}

/// The session of an account.
pub async fn find(tx: &mut Tx, account: &str) -> Result<Option<SessionRow>> {
    let row = tx.row(&FIND, args![account]).await?;
    row.map(|row| Ok(SessionRow { sealed: row.get(0)?, halted_until: row.get(1)? })).transpose()
}

/// Keeps a new token pair.
pub async fn save(tx: &mut Tx, account: &str, sealed: Vec<u8>) -> Result<()> {
    tx.execute(&SAVE, args![account, sealed]).await.map(drop)
}

/// Forbids logins until an instant.
pub async fn halt(tx: &mut Tx, account: &str, until: DateTime<Utc>) -> Result<()> {
    tx.execute(&HALT, args![account, until]).await.map(drop)
}

/// Takes the right to log in; false while another replica does.
pub async fn begin_login(tx: &mut Tx, account: &str, claim: Claim, wire_now: DateTime<Utc>) -> Result<bool> {
    Ok(tx.execute(&BEGIN, args![account, claim.by, claim.until, wire_now]).await? == 1)
}

/// Gives the right to log in back without a new token.
pub async fn end_login(tx: &mut Tx, account: &str) -> Result<()> {
    tx.execute(&END, args![account]).await.map(drop)
}
