//! The operator's own holiday table, when it replaces the one that is compiled in.

use chrono::{DateTime, Utc};

use crate::error::Result;
use crate::{Tx, args, statements};

statements! {
    ACTIVE = "SELECT version, csv FROM calendars WHERE active ORDER BY created_at DESC LIMIT 1";
    RETIRE = "UPDATE calendars SET active = $1 WHERE active";
    ADD = "INSERT INTO calendars (version, csv, active, created_at) VALUES ($1, $2, $3, $4)
           ON CONFLICT (version) DO UPDATE SET csv = excluded.csv, active = excluded.active, created_at = excluded.created_at";
}

/// The active table: version and CSV text.
pub async fn active(tx: &mut Tx) -> Result<Option<(String, String)>> {
    tx.row(&ACTIVE, args![]).await?.map(|row| Ok((row.get(0)?, row.get(1)?))).transpose()
}

/// Makes a table the active one.
pub async fn activate(tx: &mut Tx, version: &str, csv: &str, now: DateTime<Utc>) -> Result<()> {
    tx.execute(&RETIRE, args![false]).await?;
    tx.execute(&ADD, args![version, csv, true, now]).await.map(drop)
}
