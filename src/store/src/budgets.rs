//! Request budgets at the registry, shared by all replicas: each request draws the next free slot, and one that an hourly
//! limit counts also a place in its hour.

use chrono::{DateTime, DurationRound as _, TimeDelta, Utc};
use kopru_domain::governor::{Pace, Waiting};
use uuid::Uuid;

use crate::error::{Result, StoreError};
use crate::{Tx, args, statements};

statements! {
    ADD = "INSERT INTO budgets (name, next_slot_at, missing_eighths) VALUES ($1, $2, 0) ON CONFLICT (name) DO NOTHING";
    LOCK = "SELECT next_slot_at, blocked_until, missing_eighths, eased_at, slots FROM budgets WHERE name = $1 {for_update}";
    SAVE = "UPDATE budgets SET next_slot_at = $2, blocked_until = $3, missing_eighths = $4, eased_at = $5, slots = $6 WHERE name = $1";
    PACE = "SELECT missing_eighths, eased_at FROM budgets WHERE name = $1";
    FIND = "SELECT blocked_until FROM budgets WHERE name = $1";
    DRAWN = "SELECT CAST(coalesce(sum(drawn), 0) AS BIGINT), min(minute) FROM budget_draws WHERE name = $1 AND minute > $2 AND minute <= $3";
    DRAW = "INSERT INTO budget_draws (name, minute, drawn) VALUES ($1, $2, 1)
            ON CONFLICT (name, minute) DO UPDATE SET drawn = budget_draws.drawn + 1";
    FORGET = "DELETE FROM budget_draws WHERE name = $1 AND minute <= $2";
    GIVE_BACK = "UPDATE budget_draws SET drawn = drawn - 1 WHERE name = $1 AND drawn > 0
                 AND minute = (SELECT max(minute) FROM budget_draws WHERE name = $1 AND drawn > 0)";
    WAITING = "SELECT first, last FROM budget_waits WHERE name = $1 AND replica <> $2 AND until > $3";
    WAIT = "INSERT INTO budget_waits (name, replica, first, last, until) VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT (name, replica) DO UPDATE SET first = excluded.first, last = excluded.last, until = excluded.until";
    GONE = "DELETE FROM budget_waits WHERE name = $1 AND until <= $2";
}

/// A budget.
#[derive(Debug, Clone, Copy)]
pub struct BudgetRow {
    /// The next free slot (business time).
    pub next_slot_at: DateTime<Utc>,
    /// No request before this instant: the registry asked for silence or does not answer.
    pub blocked_until: Option<DateTime<Utc>>,
    /// What failures of the registry have left of the pace.
    pub pace: Pace,
    /// Slots drawn so far.
    pub slots: i64,
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
    Ok(BudgetRow {
        next_slot_at: row.get(0)?,
        blocked_until: row.get(1)?,
        pace: Pace { missing: row.get(2)?, changed_at: row.get(3)? },
        slots: row.get(4)?,
    })
}

/// Writes a budget back.
pub async fn save(tx: &mut Tx, name: &str, budget: BudgetRow) -> Result<()> {
    let Pace { missing, changed_at } = budget.pace;
    let args = args![name, budget.next_slot_at, budget.blocked_until, missing, changed_at, budget.slots];
    tx.execute(&SAVE, args).await.map(drop)
}

/// What failures have left of a budget's pace, without a lock.
pub async fn pace(tx: &mut Tx, name: &str) -> Result<Pace> {
    let Some(row) = tx.row(&PACE, args![name]).await? else { return Ok(Pace::default()) };
    Ok(Pace { missing: row.get(0)?, changed_at: row.get(1)? })
}

/// Which classes of requests wait for this budget in other processes (wire time).
pub async fn waiting_elsewhere(
    tx: &mut Tx,
    name: &str,
    replica: Uuid,
    now: DateTime<Utc>,
) -> Result<Vec<Waiting>> {
    let rows = tx.rows(&WAITING, args![name, replica, now]).await?;
    rows.iter().map(|row| Ok(Waiting { first: row.get(0)?, last: row.get(1)? })).collect()
}

/// Notes which classes wait in this process, until they have surely asked again.
pub async fn wait(
    tx: &mut Tx,
    name: &str,
    replica: Uuid,
    waiting: Waiting,
    until: DateTime<Utc>,
) -> Result<()> {
    tx.execute(&WAIT, args![name, replica, waiting.first, waiting.last, until]).await.map(drop)
}

/// Forgets processes that have asked no more since.
pub async fn forget_waiting(tx: &mut Tx, name: &str, since: DateTime<Utc>) -> Result<u64> {
    tx.execute(&GONE, args![name, since]).await
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

/// Gives the draw made last back: its request did not reach the registry.
pub async fn give_back(tx: &mut Tx, name: &str) -> Result<()> {
    tx.execute(&GIVE_BACK, args![name]).await.map(drop)
}
