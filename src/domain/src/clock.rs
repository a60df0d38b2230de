//! The port through which time enters: nothing in the service asks the operating system directly.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};

/// Tells the present time.
///
/// The program has two of them: *business* time follows the sandbox's clock where the registry is
/// the sandbox, *wire* time is always real (design.md section 2). A function takes the one it means.
pub trait Clock: Send + Sync {
    /// The present instant. Implementations cut it to microseconds, because that is what both
    /// databases keep.
    fn now(&self) -> DateTime<Utc>;
}

impl<C: Clock + ?Sized> Clock for Arc<C> {
    fn now(&self) -> DateTime<Utc> {
        (**self).now()
    }
}

/// A clock that stands still until it is moved: for tests.
#[derive(Debug)]
pub struct FixedClock(Mutex<DateTime<Utc>>);

impl FixedClock {
    /// A clock that shows `now` until it is moved.
    pub fn new(now: DateTime<Utc>) -> Self {
        Self(Mutex::new(crate::time::truncate_micros(now)))
    }

    /// Moves the clock to an instant, backwards too.
    pub fn set(&self, now: DateTime<Utc>) {
        *self.lock() = crate::time::truncate_micros(now);
    }

    /// Moves the clock on (or, with a negative step, back); stops at the end of time.
    pub fn advance(&self, step: TimeDelta) {
        let mut now = self.lock();
        *now = now.checked_add_signed(step).unwrap_or(*now);
    }

    fn lock(&self) -> MutexGuard<'_, DateTime<Utc>> {
        // The value is a plain instant: a panic elsewhere cannot have left it half-written.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for FixedClock {
    fn now(&self) -> DateTime<Utc> {
        *self.lock()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stands_still_until_it_is_moved() {
        let start = DateTime::from_timestamp(1_790_000_000, 123_456_789).unwrap();
        let clock = FixedClock::new(start);
        assert_eq!(clock.now(), DateTime::from_timestamp(1_790_000_000, 123_456_000).unwrap());
        clock.advance(TimeDelta::minutes(65));
        assert_eq!(clock.now().timestamp(), 1_790_000_000 + 65 * 60);
        clock.set(DateTime::UNIX_EPOCH);
        assert_eq!(clock.now(), DateTime::UNIX_EPOCH);
    }
}
