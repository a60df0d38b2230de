//! Counting requests by network address (protocol 6), on the registry's own clock.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use crate::rules::limit::LimitCase;
use crate::settings::Effective;

const SECOND: i64 = 1000;
const HOUR: i64 = 3_600_000;

/// The counters of all addresses.
#[derive(Debug, Default)]
pub(crate) struct Limits(Mutex<HashMap<String, Counters>>);

/// The counters of one address. Instants are in milliseconds.
#[derive(Debug, Default)]
struct Counters {
    /// The requests of the last second.
    second: VecDeque<i64>,
    /// The token requests of the last hour.
    token: VecDeque<i64>,
    /// Until when token requests are refused.
    token_blocked_until: i64,
    status: Hour,
    history: Hour,
}

/// An hour that begins with its first request.
#[derive(Debug, Default)]
struct Hour {
    began: i64,
    count: u32,
}

impl Hour {
    fn is_full(&mut self, now: i64, max: u32) -> bool {
        if now - self.began >= HOUR {
            *self = Self { began: now, count: 0 };
        }
        let full = self.count >= max;
        self.count += u32::from(!full);
        full
    }
}

/// Whether a sliding window is full; a request that is let in is counted.
fn is_full(window: &mut VecDeque<i64>, length: i64, now: i64, max: u32) -> bool {
    while window.front().is_some_and(|at| now - at >= length) {
        window.pop_front();
    }
    let full = window.len() >= max as usize;
    if !full {
        window.push_back(now);
    }
    full
}

impl Counters {
    /// Token requests: once the limit was hit, every further try begins the hour anew (protocol 1.3).
    fn token_full(&mut self, now: i64, max: u32) -> bool {
        if now >= self.token_blocked_until && !is_full(&mut self.token, HOUR, now, max) {
            return false;
        }
        self.token.clear();
        self.token_blocked_until = now + HOUR;
        true
    }
}

impl Limits {
    /// Counts a request and says which limits it hits. A request that the per-second limit refuses does
    /// not reach the hourly ones.
    pub(crate) fn count(&self, address: &str, operation: &str, now: i64, settings: &Effective) -> LimitCase {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let counters = all.entry(address.to_owned()).or_default();
        let settings = &settings.settings;
        let mut case = LimitCase {
            second_full: settings
                .per_second_limit
                .is_some_and(|max| is_full(&mut counters.second, SECOND, now, max)),
            ..LimitCase::default()
        };
        if case.second_full {
            return case;
        }
        match operation {
            "token" => {
                case.token_hour_full =
                    settings.token_limit_per_hour.is_some_and(|max| counters.token_full(now, max));
            }
            "status" => {
                case.status_hour_full =
                    settings.status_limit_per_hour.is_some_and(|max| counters.status.is_full(now, max));
            }
            "history" => {
                case.history_hour_full =
                    settings.history_limit_per_hour.is_some_and(|max| counters.history.is_full(now, max));
            }
            _ => {}
        }
        case
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;

    #[test]
    fn ten_a_second_slide() {
        let limits = Limits::default();
        let settings = Effective::new(Settings::default());
        let count = |now| limits.count("a", "add", now, &settings).second_full;
        assert!((0..10).all(|step| !count(step * 50)));
        assert!(count(999));
        assert!(!count(1000), "the first has left the window");
        assert!(count(1001));
        assert!(!limits.count("b", "add", 1001, &settings).second_full, "another address");
    }

    #[test]
    fn each_try_begins_the_token_hour_anew() {
        let limits = Limits::default();
        let settings = Effective::new(Settings {
            token_limit_per_hour: Some(2),
            per_second_limit: None,
            ..Settings::default()
        });
        let full = |now| limits.count("a", "token", now, &settings).token_hour_full;
        assert!(!full(0) && !full(1));
        assert!(full(2));
        assert!(full(HOUR), "the first try after the refusal was within its hour");
        assert!(full(2 * HOUR - 1));
        assert!(!full(3 * HOUR - 1));
    }

    #[test]
    fn status_and_history_have_hours_of_their_own() {
        let limits = Limits::default();
        let settings = Effective::new(Settings {
            status_limit_per_hour: Some(1),
            history_limit_per_hour: Some(1),
            per_second_limit: None,
            ..Settings::default()
        });
        let count = |operation: &str, now| limits.count("a", operation, now, &settings);
        assert!(!count("status", HOUR).status_hour_full && !count("history", HOUR).history_hour_full);
        assert!(count("status", HOUR + 1).status_hour_full && count("history", HOUR + 1).history_hour_full);
        assert!(!count("status", 2 * HOUR).status_hour_full);
    }
}
