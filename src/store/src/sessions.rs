//! The registry's tokens, one row an account, shared by all replicas.

use chrono::{DateTime, Utc};

use crate::error::Result;
use crate::{Tx, args, statements};

statements! {
    FIND = "SELECT sealed, halted_until, refused FROM registry_sessions WHERE account = $1";
    SAVE = "INSERT INTO registry_sessions (account, sealed) VALUES ($1, $2)
            ON CONFLICT (account) DO UPDATE SET sealed = excluded.sealed, refused = NULL";
    REFUSE = "INSERT INTO registry_sessions (account, refused) VALUES ($1, $2)
              ON CONFLICT (account) DO UPDATE SET refused = excluded.refused";
    REFUSED = "SELECT account FROM registry_sessions WHERE refused IS NOT NULL ORDER BY account";
    FORGET = "DELETE FROM registry_sessions WHERE account = $1";
    HALT = "INSERT INTO registry_sessions (account, halted_until) VALUES ($1, $2)
            ON CONFLICT (account) DO UPDATE SET halted_until = excluded.halted_until
            WHERE registry_sessions.halted_until IS NULL OR registry_sessions.halted_until < excluded.halted_until";
    BEGIN = "INSERT INTO registry_sessions (account, claimed_by, lease_until) VALUES ($1, $2, $3)
             ON CONFLICT (account) DO UPDATE SET claimed_by = excluded.claimed_by, lease_until = excluded.lease_until
             WHERE registry_sessions.lease_until IS NULL OR registry_sessions.lease_until < $4 OR registry_sessions.claimed_by = $2";
    END = "UPDATE registry_sessions SET claimed_by = NULL, lease_until = NULL WHERE account = $1 AND claimed_by = $2";
}

/// A session.
#[derive(Debug, Clone)]
pub struct SessionRow {
    /// Token pair and expiries, sealed by the master key.
    pub sealed: Option<Vec<u8>>,
    /// No login before this instant.
    pub halted_until: Option<DateTime<Utc>>,
    /// The password that the registry refused last, sealed by the master key.
    pub refused: Option<Vec<u8>>,
}

/// The session of an account.
pub async fn find(tx: &mut Tx, account: &str) -> Result<Option<SessionRow>> {
    let row = tx.row(&FIND, args![account]).await?;
    row.map(|row| Ok(SessionRow { sealed: row.get(0)?, halted_until: row.get(1)?, refused: row.get(2)? }))
        .transpose()
}

/// Keeps a new token pair, and forgets a refused password.
pub async fn save(tx: &mut Tx, account: &str, sealed: Vec<u8>) -> Result<()> {
    tx.execute(&SAVE, args![account, sealed]).await.map(drop)
}

/// Notes that the registry does not accept an account's password, sealed by the master key.
pub async fn refuse(tx: &mut Tx, account: &str, sealed: Vec<u8>) -> Result<()> {
    tx.execute(&REFUSE, args![account, sealed]).await.map(drop)
}

/// The accounts whose password is refused.
pub async fn refused(tx: &mut Tx) -> Result<Vec<String>> {
    tx.rows(&REFUSED, args![]).await?.iter().map(|row| row.get(0)).collect()
}

/// Forgets an account that is not used any more.
pub async fn forget(tx: &mut Tx, account: &str) -> Result<()> {
    tx.execute(&FORGET, args![account]).await.map(drop)
}

/// Forbids logins until an instant.
pub async fn halt(tx: &mut Tx, account: &str, until: DateTime<Utc>) -> Result<()> {
    tx.execute(&HALT, args![account, until]).await.map(drop)
}

/// Takes the right to log in until an instant; false while another holder has it.
pub async fn begin_login(
    tx: &mut Tx,
    account: &str,
    holder: &str,
    until: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<bool> {
    Ok(tx.execute(&BEGIN, args![account, holder, until, now]).await? == 1)
}

/// Gives the right to log in back.
pub async fn end_login(tx: &mut Tx, account: &str, holder: &str) -> Result<()> {
    tx.execute(&END, args![account, holder]).await.map(drop)
}
