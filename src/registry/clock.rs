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

/// Waits until business time has come, by itself or because the sandbox's clock is advanced.
#[expect(clippy::disallowed_methods, reason = "a pace is a wait for time itself: nothing else could wake it")]
pub(super) async fn sleep_until(clocks: &Clocks, until: DateTime<Utc>) {
    loop {
        // Taken before the look at the clock, so that no move falls in between.
        let moved = clocks.moved();
        let left = (until - clocks.business()).to_std().unwrap_or_default();
        if left.is_zero() {
            return;
        }
        tokio::select! {
            () = tokio::time::sleep(left) => {}
            () = moved => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_wait_ends_when_the_clock_is_moved() {
        let clocks = Clocks::default();
        let waiting = sleep_until(&clocks, clocks.business() + TimeDelta::hours(1));
        let both = async { tokio::join!(waiting, async { clocks.set_offset(TimeDelta::hours(2)) }) };
        let (waited, moved) = tokio::time::timeout(Duration::from_secs(10), both).await.unwrap();
        assert_eq!((waited, moved), ((), true));
    }
}
