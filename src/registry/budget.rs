//! The registry's hourly limits (registry-protocol section 6). It counts by network address, so all replicas draw from one
//! budget in the database, before the request leaves: a refused call would count as a failure of ours.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use iys::{BoxError, NotBefore, Operation};
use kopru_store::{Db, Priority, StoreError, Tx, budgets};

use crate::clocks::Clocks;
use crate::config;

/// No hourly limit asks for a longer wait; a block that lies further off was set under a clock that ran ahead.
const HOUR: TimeDelta = TimeDelta::hours(1);

/// A kind of request that the registry counts by the hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hourly {
    /// Logins: 10 an hour, or 100 (H084); the registry's documents say both.
    Token,
    /// Single status queries: 1 000 an hour (H086).
    Status,
    /// History queries: 100 an hour (H089).
    History,
}

impl Hourly {
    /// The limit that counts an operation, if one does.
    pub(super) fn of(operation: Operation) -> Option<Self> {
        match operation {
            Operation::Token => Some(Self::Token),
            Operation::Status => Some(Self::Status),
            Operation::History => Some(Self::History),
            _ => None,
        }
    }
}

/// What is left of an hourly budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Left {
    /// Requests that may go now.
    pub requests: usize,
    /// When there will be more, once these are used up (business time).
    pub more_at: DateTime<Utc>,
}

/// The hourly budgets of one registry. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct HourlyBudgets {
    db: Db,
    clocks: Clocks,
    url: String,
    token: u32,
    status: u32,
    history: u32,
}

impl HourlyBudgets {
    pub fn new(db: Db, clocks: Clocks, url: &str, settings: &config::Registry) -> Self {
        Self {
            db,
            clocks,
            url: url.to_owned(),
            token: settings.token_calls_per_hour,
            status: settings.status_calls_per_hour,
            history: settings.history_calls_per_hour,
        }
    }

    fn per_hour(&self, hourly: Hourly) -> i64 {
        i64::from(match hourly {
            Hourly::Token => self.token,
            Hourly::Status => self.status,
            Hourly::History => self.history,
        })
    }

    /// Looks, without drawing: another may draw meanwhile.
    pub async fn left(&self, tx: &mut Tx, hourly: Hourly) -> Result<Left, StoreError> {
        let now = self.clocks.business();
        let hour = budgets::hour(tx, &self.name(hourly), now).await?;
        let more_at = hour.oldest_until.unwrap_or(now + HOUR);
        Ok(match hour.blocked_until.map(|until| until.min(now + HOUR)).filter(|until| *until > now) {
            Some(until) => Left { requests: 0, more_at: until },
            None => {
                Left { requests: usize::try_from(self.per_hour(hourly) - hour.drawn).unwrap_or(0), more_at }
            }
        })
    }

    /// Draws one request; fails with [`NotBefore`] when none is left.
    pub async fn draw(&self, hourly: Hourly) -> Result<(), BoxError> {
        let now = self.clocks.business();
        let name = self.name(hourly);
        let mut tx = self.db.begin(Priority::Interactive).await?;
        budgets::lock(&mut tx, &name, now).await?;
        let left = self.left(&mut tx, hourly).await?;
        if left.requests == 0 {
            return Err(NotBefore((left.more_at - now).to_std().unwrap_or_default()).into());
        }
        budgets::draw(&mut tx, &name, now).await?;
        Ok(tx.commit().await?)
    }

    /// The request drawn last did not reach the registry.
    pub async fn give_back(&self, hourly: Hourly) -> Result<(), StoreError> {
        let mut tx = self.db.begin(Priority::Interactive).await?;
        budgets::give_back(&mut tx, &self.name(hourly)).await?;
        tx.commit().await
    }

    /// The registry has refused a request for its limit: somebody else asks from this address too.
    pub async fn block(&self, hourly: Hourly, pause: Duration) -> Result<(), StoreError> {
        let now = self.clocks.business();
        let name = self.name(hourly);
        let mut tx = self.db.begin(Priority::Interactive).await?;
        let mut budget = budgets::lock(&mut tx, &name, now).await?;
        budget.blocked_until = Some(now + TimeDelta::from_std(pause).unwrap_or(HOUR));
        budgets::save(&mut tx, &name, budget).await?;
        tx.commit().await
    }

    fn name(&self, hourly: Hourly) -> String {
        let kind = match hourly {
            Hourly::Token => "token",
            Hourly::Status => "status",
            Hourly::History => "history",
        };
        format!("{kind} {}", self.url)
    }
}
