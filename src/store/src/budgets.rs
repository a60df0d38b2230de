//! Request budgets at the registry, shared by all replicas: each request draws the next free slot.

use chrono::{DateTime, Utc};

use crate::error::{Result, StoreError};
use crate::{Tx, args, statements};

statements! {
    ADD = "INSERT INTO budgets (name, next_slot_at, failures) VALUES ($1, $2, 0) ON CONFLICT (name) DO NOTHING";
    LOCK = "SELECT next_slot_at, blocked_until, failures FROM budgets WHERE name = $1 {for_update}";
    SAVE = "UPDATE budgets SET next_slot_at = $2, blocked_until = $3, failures = $4 WHERE name = $1";
}

/// A budget.
#[derive(Debug, Clone, Copy)]
pub struct BudgetRow {
    /// The next free slot (business time).
    pub next_slot_at: DateTime<Utc>,
    /// No request before this instant: the registry asked for silence or does not answer.
    pub blocked_until: Option<DateTime<Utc>>,
    /// Failures in a row.
    pub failures: i64,
}

/// Reads a budget and locks it until commit; makes it where it is missing.
pub async fn lock(tx: &mut Tx, name: &str, now: DateTime<Utc>) -> Result<BudgetRow> {
    let mut found = tx.row(&LOCK, args![name]).await?;
    if found.is_none() {
        // Another replica may have made it meanwhile and drawn from it: so it is read again, under the lock.
        tx.execute(&ADD, args![name, now]).await?;
        found = tx.row(&LOCK, args![name]).await?;
    }
    let row = found.ok_or_else(|| StoreError::corrupt("budgets", "missing"))?;
    Ok(BudgetRow { next_slot_at: row.get(0)?, blocked_until: row.get(1)?, failures: row.get(2)? })
}

/// Writes a budget back.
pub async fn save(tx: &mut Tx, name: &str, budget: BudgetRow) -> Result<()> {
    let args = args![name, budget.next_slot_at, budget.blocked_until, budget.failures];
    tx.execute(&SAVE, args).await.map(drop)
}
