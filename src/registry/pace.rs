//! The pace of requests over all replicas: each request draws the next free slot from one row of the database, after its
//! place in the hour where the registry counts its kind by the hour.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures::FutureExt;
use futures::future::BoxFuture;
use iys::{BoxError, Operation, Pacer};
use kopru_store::{Db, Priority, budgets};
use tokio::sync::Mutex;

use crate::clocks::Clocks;
use crate::registry::budget::{Hourly, HourlyBudgets};
use crate::registry::clock::sleep_until;

/// Above this rate slots are drawn in blocks, so that the row is not written for each request.
const SLOTS_PER_DRAW: f64 = 16.0;
/// After a refusal for its pace the registry sees half the rate for each refusal, at most three times halved.
const MOST_HALVINGS: i64 = 3;
/// How long after the last refusal one halving is taken back.
const RECOVERY: TimeDelta = TimeDelta::seconds(30);
/// A slot that lies further off is refused, so that the work goes back to its queue instead of holding a place.
const LONGEST_WAIT: TimeDelta = TimeDelta::seconds(30);
/// The longest silence that the registry's limits ask for.
const LONGEST_BLOCK: TimeDelta = TimeDelta::hours(1);

/// The shared pacer.
#[derive(Debug)]
pub(super) struct DbPacer {
    db: Db,
    clocks: Clocks,
    hourly: HourlyBudgets,
    name: String,
    /// 0 = no pace: tests and measurements against a sandbox without limits.
    per_second: f64,
    /// Slots of this process that are not used yet.
    drawn: Mutex<Drawn>,
}

#[derive(Debug, Default)]
struct Drawn {
    next: DateTime<Utc>,
    step: TimeDelta,
    left: u32,
}

#[derive(Debug, thiserror::Error)]
#[error("the registry asked for silence until {0}")]
struct Silence(DateTime<Utc>);

impl DbPacer {
    pub fn new(db: Db, clocks: Clocks, hourly: HourlyBudgets, url: &str, per_second: f64) -> Self {
        let name = format!("registry {url}");
        Self { db, clocks, hourly, name, per_second, drawn: Mutex::default() }
    }

    fn is_paced(&self) -> bool {
        self.per_second > 0.0
    }

    async fn slot(&self) -> Result<DateTime<Utc>, BoxError> {
        let mut drawn = self.drawn.lock().await;
        if drawn.left == 0 {
            *drawn = self.draw().await?;
        }
        drawn.left -= 1;
        let slot = drawn.next;
        drawn.next = slot + drawn.step;
        Ok(slot)
    }

    async fn draw(&self) -> Result<Drawn, BoxError> {
        let now = self.clocks.business();
        let mut tx = self.db.begin(Priority::Interactive).await?;
        let mut budget = budgets::lock(&mut tx, &self.name, now).await?;
        if let Some(blocked) = budget.blocked_until.filter(|_| budget.failures > 0)
            && now > blocked + RECOVERY
        {
            budget.failures -= 1;
            budget.blocked_until = Some(now);
        }
        let rate = self.per_second / f64::from(1_u32 << budget.failures.clamp(0, MOST_HALVINGS));
        let step = TimeDelta::microseconds((1_000_000.0 / rate) as i64);
        let left = (rate / SLOTS_PER_DRAW).max(1.0) as u32;
        // Slots that no pace explains were drawn under a clock that ran ahead.
        if budget.next_slot_at - now > LONGEST_WAIT * 2 {
            budget.next_slot_at = now;
        }
        let blocked = budget.blocked_until.unwrap_or(now).min(now + LONGEST_BLOCK);
        let next = budget.next_slot_at.max(now).max(blocked);
        if next - now > LONGEST_WAIT {
            return Err(Box::new(Silence(next)));
        }
        budget.next_slot_at = next + step * i32::try_from(left).unwrap_or(1);
        budgets::save(&mut tx, &self.name, budget).await?;
        tx.commit().await?;
        Ok(Drawn { next, step, left })
    }

    async fn block(&self, pause: Duration) -> Result<(), BoxError> {
        let now = self.clocks.business();
        let mut tx = self.db.begin(Priority::Interactive).await?;
        let mut budget = budgets::lock(&mut tx, &self.name, now).await?;
        let until = now + TimeDelta::from_std(pause).unwrap_or(LONGEST_WAIT);
        // Requests that left before the first refusal arrived are no reason to halve again.
        if budget.blocked_until.is_none_or(|blocked| blocked <= now) {
            budget.failures = (budget.failures + 1).min(MOST_HALVINGS);
        }
        budget.blocked_until = budget.blocked_until.max(Some(until));
        budgets::save(&mut tx, &self.name, budget).await?;
        tx.commit().await?;
        self.drawn.lock().await.left = 0;
        Ok(())
    }
}

impl Pacer for DbPacer {
    fn acquire(&self, operation: Operation) -> BoxFuture<'_, Result<(), BoxError>> {
        async move {
            if let Some(hourly) = Hourly::of(operation) {
                self.hourly.draw(hourly).await?;
            }
            if self.is_paced() {
                let slot = self.slot().await?;
                sleep_until(&self.clocks, slot).await;
            }
            Ok(())
        }
        .boxed()
    }

    fn throttled(&self, operation: Operation, pause: Duration) -> BoxFuture<'_, ()> {
        async move {
            metrics::counter!("registry_throttled_total", "operation" => operation.name()).increment(1);
            if !self.is_paced() {
                return;
            }
            if let Err(error) = self.block(pause).await {
                tracing::warn!(
                    error = &*error as &dyn std::error::Error,
                    "the registry's pace could not be lowered"
                );
            }
        }
        .boxed()
    }

    fn used_up(&self, operation: Operation, pause: Duration) -> BoxFuture<'_, ()> {
        async move {
            metrics::counter!("registry_throttled_total", "operation" => operation.name()).increment(1);
            let Some(hourly) = Hourly::of(operation) else { return };
            if let Err(error) = self.hourly.block(hourly, pause).await {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "the registry's hourly limit could not be noted"
                );
            }
        }
        .boxed()
    }
}
