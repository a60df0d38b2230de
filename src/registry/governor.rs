//! The one governor of the requests to a registry, shared by all replicas: the circuit breaker, the hourly budgets and the pace
//! give leave, one after the other, and learn how each request ended.

use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use iys::{BoxError, Ended, IysError, NotBefore, Operation, Pacer};
use kopru_store::StoreError;
use tokio::time::timeout;

use crate::registry::breaker::{Breaker, Leave};
use crate::registry::budget::{Hourly, HourlyBudgets};
use crate::registry::pace::DbPace;
use crate::registry::priority;
use crate::registry::success::Success;

/// Who would wait longer, for a probe, in line or for a slot, is refused, so that the work goes back to its queue instead of
/// holding a place.
pub(super) const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// And then comes back after so long.
const AGAIN: Duration = Duration::from_secs(5);

/// The governor. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Governor {
    pub breaker: Breaker,
    pub hourly: HourlyBudgets,
    pub pace: DbPace,
    pub success: Success,
}

impl Governor {
    async fn admit(&self, operation: Operation) -> Result<(), BoxError> {
        let leave = self.breaker.admit().await?;
        let admitted = self.draw(operation, leave).await;
        if admitted.is_err() {
            self.breaker.give_back(leave).await?;
        }
        admitted
    }

    async fn draw(&self, operation: Operation, leave: Leave) -> Result<(), BoxError> {
        if let Some(hourly) = Hourly::of(operation) {
            self.hourly.draw(hourly).await?;
        }
        self.pace.wait(priority::class_of(operation)).await?;
        if leave == Leave::Ordinary { self.breaker.recheck() } else { Ok(()) }
    }
}

/// Whether the registry could not cope: it failed, or was silent.
fn is_overload(error: &IysError) -> bool {
    match error {
        IysError::Interrupted { .. } => true,
        _ => error.status().is_some_and(|status| status >= 500),
    }
}

/// What a request has taught and could not be written down: the next one teaches it again.
fn warn(result: Result<(), StoreError>) {
    if let Err(error) = result {
        let error = &error as &dyn std::error::Error;
        tracing::warn!(error, "what a request taught about the registry could not be noted");
    }
}

impl Pacer for Governor {
    fn acquire(&self, operation: Operation) -> BoxFuture<'_, Result<(), BoxError>> {
        async move {
            let Ok(outcome) = timeout(LONGEST_WAIT, self.admit(operation)).await else {
                let class = priority::class_of(operation).as_str();
                metrics::counter!("registry_turned_away_total", "class" => class).increment(1);
                return Err(NotBefore(AGAIN).into());
            };
            outcome
        }
        .boxed()
    }

    fn throttled(&self, operation: Operation, pause: Duration) -> BoxFuture<'_, ()> {
        async move {
            metrics::counter!("registry_throttled_total", "operation" => operation.name()).increment(1);
            warn(self.pace.slow_down(pause).await);
        }
        .boxed()
    }

    fn used_up(&self, operation: Operation, pause: Duration) -> BoxFuture<'_, ()> {
        async move {
            metrics::counter!("registry_throttled_total", "operation" => operation.name()).increment(1);
            if let Some(hourly) = Hourly::of(operation) {
                warn(self.hourly.block(hourly, pause).await);
            }
        }
        .boxed()
    }

    fn ended<'a>(&'a self, ended: Ended<'a>) -> BoxFuture<'a, ()> {
        async move {
            self.success.count(&ended);
            warn(self.breaker.note(ended.error).await);
            let Some(error) = ended.error else { return };
            if is_overload(error) {
                warn(self.pace.slow_down(Duration::ZERO).await);
            }
            // A login that did not reach the registry is not counted there.
            if matches!(error, IysError::Unreachable { operation: Operation::Token, .. }) {
                warn(self.hourly.give_back(Hourly::Token).await);
            }
        }
        .boxed()
    }
}
