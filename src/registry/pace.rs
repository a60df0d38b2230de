//! The pace of requests over all replicas: each request waits in line by its class, and then draws the next free slot from one
//! row of the database, after its place in the hour where the registry counts its kind by the hour.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures::FutureExt;
use futures::future::BoxFuture;
use iys::{BoxError, Ended, IysError, NotBefore, Operation, Pacer};
use kopru_domain::governor::{CallClass, Waiting, may_draw};
use kopru_store::{Db, Priority, StoreError, budgets};
use tokio::sync::Mutex;
use tokio::time::timeout;
use uuid::Uuid;

use crate::clocks::Clocks;
use crate::registry::budget::{Hourly, HourlyBudgets};
use crate::registry::clock::sleep_until;
use crate::registry::line::{Line, Turn};
use crate::registry::priority;

/// Above this rate slots are drawn in blocks, so that the row is not written for each request.
const SLOTS_PER_DRAW: f64 = 16.0;
/// Who draws this late still gets the slot that has just passed: the way to the database costs no pace.
const TOLERANCE: TimeDelta = TimeDelta::milliseconds(50);
/// Who would wait longer, in line or for a slot, is refused, so that the work goes back to its queue instead of holding a place.
const LONGEST_WAIT: TimeDelta = TimeDelta::seconds(30);
/// And then comes back after so long.
const AGAIN: Duration = Duration::from_secs(5);
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
    line: Line,
    /// Names this process to the others.
    replica: Uuid,
    /// Slots of this process that are not used yet.
    drawn: Mutex<Drawn>,
}

#[derive(Debug, Default)]
struct Drawn {
    next: DateTime<Utc>,
    step: TimeDelta,
    left: u32,
}

/// What came of a draw.
enum Draw {
    Slots(Drawn),
    /// Others go first; ask again after this time.
    Yield(TimeDelta),
}

impl DbPacer {
    pub fn new(db: Db, clocks: Clocks, hourly: HourlyBudgets, url: &str, per_second: f64) -> Self {
        Self {
            db,
            clocks,
            hourly,
            name: name(url),
            per_second,
            line: Line::default(),
            replica: Uuid::new_v4(),
            drawn: Mutex::default(),
        }
    }

    fn is_paced(&self) -> bool {
        self.per_second > 0.0
    }

    /// Waits in line, and then until the slot has come.
    async fn wait(&self, class: CallClass) -> Result<(), BoxError> {
        let ticket = self.line.ticket();
        let mut turn = self.line.turn(class, ticket).await;
        loop {
            match self.slot(class, &turn).await? {
                Ok(slot) => {
                    sleep_until(&self.clocks, slot).await;
                    return Ok(());
                }
                Err(again) => {
                    sleep_until(&self.clocks, self.clocks.business() + again).await;
                    if turn.behind().is_some_and(|behind| behind.first < class.rank()) {
                        drop(turn);
                        turn = self.line.turn(class, ticket).await;
                    }
                }
            }
        }
    }

    async fn slot(
        &self,
        class: CallClass,
        turn: &Turn,
    ) -> Result<Result<DateTime<Utc>, TimeDelta>, BoxError> {
        let mut drawn = self.drawn.lock().await;
        if drawn.left == 0 {
            match self.draw(class, turn.behind()).await? {
                Draw::Slots(slots) => *drawn = slots,
                Draw::Yield(again) => return Ok(Err(again)),
            }
        }
        drawn.left -= 1;
        let slot = drawn.next;
        drawn.next = slot + drawn.step;
        Ok(Ok(slot))
    }

    async fn draw(&self, class: CallClass, behind: Option<Waiting>) -> Result<Draw, BoxError> {
        let (now, wire) = (self.clocks.business(), self.clocks.wire());
        let mut tx = self.db.begin(Priority::Interactive).await?;
        let mut budget = budgets::lock(&mut tx, &self.name, now).await?;
        budget.pace = budget.pace.at(now);
        let rate = self.per_second * budget.pace.share();
        let step = TimeDelta::microseconds((1_000_000.0 / rate) as i64);
        let left = (rate / SLOTS_PER_DRAW).max(1.0) as u32;
        let number = u64::try_from(budget.slots + 1).unwrap_or(1);
        let others = budgets::waiting_elsewhere(&mut tx, &self.name, self.replica, wire).await?;
        // Surely asked again by then.
        let heard_until = |slot: TimeDelta| wire + slot + step * 2 + TimeDelta::milliseconds(100);
        let own = Waiting { first: class.rank(), last: class.rank() };
        if !may_draw(class, &others, number) {
            budgets::wait(&mut tx, &self.name, self.replica, own, heard_until(TimeDelta::zero())).await?;
            tx.commit().await?;
            return Ok(Draw::Yield(step / 2));
        }
        // Slots that no pace explains were drawn under a clock that ran ahead.
        if budget.next_slot_at - now > LONGEST_WAIT * 2 {
            budget.next_slot_at = now;
        }
        let blocked = budget.blocked_until.unwrap_or(now).min(now + LONGEST_BLOCK);
        let next = budget.next_slot_at.max(now - TOLERANCE).max(blocked);
        if next - now > LONGEST_WAIT {
            return Err(NotBefore((next - now).to_std().unwrap_or_default()).into());
        }
        budget.next_slot_at = next + step * i32::try_from(left).unwrap_or(1);
        budget.slots += 1;
        budgets::save(&mut tx, &self.name, budget).await?;
        if let Some(behind) = behind {
            budgets::wait(&mut tx, &self.name, self.replica, behind, heard_until(next - now)).await?;
        }
        tx.commit().await?;
        Ok(Draw::Slots(Drawn { next, step, left }))
    }

    /// The registry has failed, or refused a request for its pace and is to be left alone for `pause`: it sees less for a while.
    async fn slow_down(&self, pause: Duration) -> Result<(), StoreError> {
        let now = self.clocks.business();
        let mut tx = self.db.begin(Priority::Interactive).await?;
        let mut budget = budgets::lock(&mut tx, &self.name, now).await?;
        budget.pace = budget.pace.slowed(now);
        if !pause.is_zero() {
            let until = now + TimeDelta::from_std(pause).unwrap_or(LONGEST_WAIT);
            budget.blocked_until = budget.blocked_until.max(Some(until));
        }
        budgets::save(&mut tx, &self.name, budget).await?;
        budgets::forget_waiting(&mut tx, &self.name, self.clocks.wire() - LONGEST_BLOCK).await?;
        tx.commit().await?;
        self.drawn.lock().await.left = 0;
        Ok(())
    }

    async fn note_failure(&self, pause: Duration) {
        if !self.is_paced() {
            return;
        }
        if let Err(error) = self.slow_down(pause).await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the registry's pace could not be lowered"
            );
        }
    }
}

/// The row of a registry's pace.
pub(super) fn name(url: &str) -> String {
    format!("registry {url}")
}

/// Whether the registry could not cope: it failed, or was silent.
fn is_overload(error: &IysError) -> bool {
    match error {
        IysError::Interrupted { .. } => true,
        _ => error.status().is_some_and(|status| status >= 500),
    }
}

impl Pacer for DbPacer {
    fn acquire(&self, operation: Operation) -> BoxFuture<'_, Result<(), BoxError>> {
        async move {
            let class = priority::class_of(operation);
            if let Some(hourly) = Hourly::of(operation) {
                self.hourly.draw(hourly).await?;
            }
            if !self.is_paced() {
                return Ok(());
            }
            let longest = LONGEST_WAIT.to_std().unwrap_or_default();
            match timeout(longest, self.wait(class)).await {
                Ok(outcome) => outcome,
                Err(_) => {
                    metrics::counter!("registry_turned_away_total", "class" => class.as_str()).increment(1);
                    Err(NotBefore(AGAIN).into())
                }
            }
        }
        .boxed()
    }

    fn throttled(&self, operation: Operation, pause: Duration) -> BoxFuture<'_, ()> {
        async move {
            metrics::counter!("registry_throttled_total", "operation" => operation.name()).increment(1);
            self.note_failure(pause).await;
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

    fn ended<'a>(&'a self, ended: Ended<'a>) -> BoxFuture<'a, ()> {
        async move {
            let Some(error) = ended.error else { return };
            if is_overload(error) {
                self.note_failure(Duration::ZERO).await;
            }
            // A login that did not reach the registry is not counted there.
            if let (Some(Hourly::Token), IysError::Unreachable { .. }) = (Hourly::of(ended.operation), error)
                && let Err(error) = self.hourly.give_back(Hourly::Token).await
            {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "an hourly draw could not be given back"
                );
            }
        }
        .boxed()
    }
}
