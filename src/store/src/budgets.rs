//! Request budgets at the registry, shared by all replicas: each request draws the next free slot, and one that an hourly
//! limit counts also a place in its hour.

use chrono::{DateTime, DurationRound as _, TimeDelta, Utc};

use crate::error::{Result, StoreError};
use crate::{Tx, args, statements};

statements! {
    ADD = "INSERT INTO budgets (name, next_slot_at, failures) VALUES ($1, $2, 0) ON CONFLICT (name) DO NOTHING";
    LOCK = "SELECT next_slot_at, blocked_until, failures FROM budgets WHERE name = $1 {for_update}";
    SAVE = "UPDATE budgets SET next_slot_at = $2, blocked_until = $3, failures = $4 WHERE name = $1";
    FIND = "SELECT blocked_until FROM budgets WHERE name = $1";
    DRAWN = "SELECT CAST(coalesce(sum(drawn), 0) AS BIGINT), min(minute) FROM budget_draws WHERE name = $1 AND minute > $2 AND minute <= $3";
    DRAW = "INSERT INTO budget_draws (name, minute, drawn) VALUES ($1, $2, 1)
            ON CONFLICT (name, minute) DO UPDATE SET drawn = budget_draws.drawn + 1";
    FORGET = "DELETE FROM budget_draws WHERE name = $1 AND minute <= $2";
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

/// Draws are kept by the minute, and a minute counts until its last instant is an hour old.
const HOUR: TimeDelta = TimeDelta::minutes(61);

/// How far an hourly budget is used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HourRow {
    /// Draws that still count, at least those of the last sixty minutes.
    pub drawn: i64,
    /// When the oldest of them stop to count.
    pub oldest_until: Option<DateTime<Utc>>,
    /// No request before this instant: the registry has refused one.
    pub blocked_until: Option<DateTime<Utc>>,
}

/// Looks at an hourly budget (business time); only under [`lock`] does nobody draw from it meanwhile. Draws of the future
/// count for nothing: they were made under a clock that ran ahead.
pub async fn hour(tx: &mut Tx, name: &str, now: DateTime<Utc>) -> Result<HourRow> {
    let blocked_until = tx.row(&FIND, args![name]).await?.map_or(Ok(None), |row| row.get(0))?;
    let row = tx.row(&DRAWN, args![name, now - HOUR, now]).await?;
    let row = row.ok_or_else(|| StoreError::corrupt("budget_draws", "no sum"))?;
    let oldest: Option<DateTime<Utc>> = row.get(1)?;
    Ok(HourRow { drawn: row.get(0)?, oldest_until: oldest.map(|minute| minute + HOUR), blocked_until })
}

/// Draws one request from an hourly budget.
pub async fn draw(tx: &mut Tx, name: &str, now: DateTime<Utc>) -> Result<()> {
    tx.execute(&FORGET, args![name, now - HOUR]).await?;
    let minute = now.duration_trunc(TimeDelta::minutes(1)).unwrap_or(now);
    tx.execute(&DRAW, args![name, minute]).await.map(drop)
}
