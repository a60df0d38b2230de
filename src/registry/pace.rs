//! The pace of requests over all replicas: each request waits in line by its class, and then draws the next free slot from one
//! row of the database.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use iys::{BoxError, NotBefore};
use kopru_domain::governor::{CallClass, Pace, Waiting, may_draw};
use kopru_store::{Db, Priority, StoreError, budgets};
use tokio::sync::Mutex;
use uuid::Uuid;

use crate::clocks::Clocks;
use crate::registry::clock::sleep_until;
use crate::registry::line::{Line, Turn};

/// Above this rate slots are drawn in blocks, so that the row is not written for each request.
const SLOTS_PER_DRAW: f64 = 16.0;
/// Who draws this late still gets the slot that has just passed: the way to the database costs no pace.
const TOLERANCE: TimeDelta = TimeDelta::milliseconds(50);
/// A slot that lies further off is refused.
const LONGEST_WAIT: TimeDelta = TimeDelta::seconds(30);
/// The longest silence that the registry's limits ask for.
const LONGEST_BLOCK: TimeDelta = TimeDelta::hours(1);

/// The shared pace. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct DbPace {
    db: Db,
    clocks: Clocks,
    name: String,
    /// 0 = no pace: tests and measurements against a sandbox without limits.
    per_second: f64,
    line: Line,
    /// Names this process to the others.
    replica: Uuid,
    /// Slots of this process that are not used yet.
    drawn: Arc<Mutex<Drawn>>,
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

impl DbPace {
    pub fn new(db: Db, clocks: Clocks, url: &str, per_second: f64) -> Self {
        Self {
            db,
            clocks,
            name: format!("registry {url}"),
            per_second,
            line: Line::default(),
            replica: Uuid::new_v4(),
            drawn: Arc::default(),
        }
    }

    fn is_paced(&self) -> bool {
        self.per_second > 0.0
    }

    /// What failures have left of the pace.
    pub async fn present(&self) -> Result<Pace, StoreError> {
        let mut tx = self.db.read().await?;
        Ok(budgets::pace(&mut tx, &self.name).await?.at(self.clocks.business()))
    }

    /// Waits in line, and then until the slot has come.
    pub async fn wait(&self, class: CallClass) -> Result<(), BoxError> {
        if !self.is_paced() {
            return Ok(());
        }
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
    pub async fn slow_down(&self, pause: Duration) -> Result<(), StoreError> {
        if !self.is_paced() {
            return Ok(());
        }
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
}
