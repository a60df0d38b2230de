//! How often something may happen for each of many keys: a token bucket each, in memory, bounded in number.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hash};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Buckets that are remembered at most.
const MOST: usize = 100_000;

/// A burst, and one more each so often.
#[derive(Debug)]
pub struct Throttle {
    burst: f64,
    every: Duration,
    hasher: RandomState,
    buckets: Mutex<HashMap<u64, (f64, Instant)>>,
}

impl Throttle {
    /// So many at once, and one more each `every`.
    pub fn new(burst: u32, every: Duration) -> Self {
        Self { burst: f64::from(burst), every, hasher: RandomState::new(), buckets: Mutex::default() }
    }

    /// Takes one, or tells after how long there is one.
    pub fn take(&self, key: impl Hash, now: Instant) -> Result<(), Duration> {
        let key = self.hasher.hash_one(key);
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MOST {
            let full = self.every.mul_f64(self.burst);
            buckets.retain(|_, (_, at)| now.saturating_duration_since(*at) < full);
            if buckets.len() >= MOST {
                buckets.clear();
            }
        }
        let (tokens, at) = buckets.entry(key).or_insert((self.burst, now));
        let since = now.saturating_duration_since(*at);
        *tokens = (*tokens + since.div_duration_f64(self.every)).min(self.burst);
        *at = now.max(*at);
        if *tokens < 1.0 {
            return Err(self.every.mul_f64(1.0 - *tokens));
        }
        *tokens -= 1.0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_then_the_rate_and_keys_do_not_hurt_each_other() {
        let throttle = Throttle::new(3, Duration::from_secs(6));
        let start = Instant::now();
        for _ in 0..3 {
            assert_eq!(throttle.take(("form", 1), start), Ok(()));
        }
        let after = throttle.take(("form", 1), start).unwrap_err();
        assert_eq!(after, Duration::from_secs(6));
        assert_eq!(throttle.take(("form", 2), start), Ok(()));
        assert_eq!(throttle.take(("form", 1), start + after), Ok(()));
        assert!(throttle.take(("form", 1), start + after).is_err());
    }

    #[test]
    fn many_keys_fill_no_memory() {
        let throttle = Throttle::new(1, Duration::from_secs(1));
        let start = Instant::now();
        for key in 0..MOST + 10 {
            throttle.take(key, start).unwrap();
        }
        assert!(throttle.buckets.lock().unwrap().len() <= MOST);
    }
}
