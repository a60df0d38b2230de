//! Leaves the registry alone while it does not answer, so that an outage costs few calls and no busy loop.

use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use iys::{ErrorClass, IysError};
use kopru_domain::outcome::retry_delay;

use crate::clocks::Clocks;

/// Failures in a row before the registry counts as silent.
const PATIENCE: u32 = 3;
/// The longest silence: a registry that is back is noticed within it.
const LONGEST: TimeDelta = TimeDelta::minutes(5);

#[derive(Debug)]
pub(super) struct Breaker {
    clocks: Clocks,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    failures: u32,
    silent_until: Option<DateTime<Utc>>,
}

impl Breaker {
    pub fn new(clocks: Clocks) -> Self {
        Self { clocks, state: Mutex::default() }
    }

    pub fn silent_until(&self) -> Option<DateTime<Utc>> {
        let now = self.clocks.business();
        self.lock().silent_until.filter(|until| *until > now)
    }

    pub fn note<T>(&self, result: &Result<T, IysError>) {
        let Err(error) = result else { return *self.lock() = State::default() };
        let now = self.clocks.business();
        match error.class() {
            ErrorClass::Retry | ErrorClass::NotSent | ErrorClass::OutcomeUnknown => {
                let mut state = self.lock();
                state.failures = state.failures.saturating_add(1);
                if state.failures >= PATIENCE {
                    let seed = u64::from(state.failures);
                    let delay = TimeDelta::from_std(retry_delay(state.failures, seed)).unwrap_or(LONGEST);
                    state.silent_until = Some(now + delay.min(LONGEST));
                }
            }
            // Without a token nothing goes. Other limits concern one operation or one account, or are the pacer's.
            ErrorClass::Wait { after } if error.code() == Some("H084") => {
                let after = TimeDelta::from_std(after).unwrap_or(LONGEST);
                self.lock().silent_until = Some(now + after);
            }
            // The client itself held the call back: nothing was sent, and nothing was learnt.
            ErrorClass::Wait { .. } if error.status().is_none() => {}
            // Any readable answer shows that the registry is there.
            _ => *self.lock() = State::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
