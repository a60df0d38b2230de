//! The registry's clock is business time: with the sandbox it runs ahead.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures::FutureExt;
use futures::future::BoxFuture;

use crate::clocks::Clocks;

#[derive(Debug, Clone)]
pub(super) struct RegistryClock(pub Clocks);

impl iys::Clock for RegistryClock {
    fn now(&self) -> DateTime<Utc> {
        self.0.business()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'_, ()> {
        let until = self.0.business() + TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX);
        sleep_until(&self.0, until).boxed()
    }
}

/// Waits until business time has come; looks often enough to notice when the sandbox's clock is advanced.
#[expect(clippy::disallowed_methods, reason = "a pace is a wait for time itself: nothing else could wake it")]
pub(super) async fn sleep_until(clocks: &Clocks, until: DateTime<Utc>) {
    const LOOK: Duration = Duration::from_millis(500);
    while let Ok(left) = (until - clocks.business()).to_std() {
        if left.is_zero() {
            return;
        }
        tokio::time::sleep(left.min(LOOK)).await;
    }
}
