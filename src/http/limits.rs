//! How many requests a key may make: a token bucket in memory, a second's worth refilled each second, twice that at most.
//!
//! Each process counts for itself: behind several replicas a key gets the limit of each.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::http::{HeaderMap, HeaderName, HeaderValue};

/// What the limit is (draft-ietf-httpapi-ratelimit-headers).
const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
/// What is left of it.
const LIMIT: HeaderName = HeaderName::from_static("ratelimit");
/// Seconds in which an empty bucket is full again.
const WINDOW: u32 = 2;

/// The rate of every key.
#[derive(Debug, Clone)]
pub struct Rate {
    per_second: u32,
    policy: HeaderValue,
}

/// What a key has left.
#[derive(Debug)]
pub struct Bucket(Mutex<Level>);

#[derive(Debug)]
struct Level {
    tokens: f64,
    at: Instant,
}

/// What came of drawing a token.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Draw {
    /// The request may pass; so many more may at once.
    Passed {
        /// Whole tokens that are left.
        left: u32,
    },
    /// The request has to wait so long.
    Refused {
        /// Until a token is there.
        after: Duration,
    },
}

impl Rate {
    /// So many requests a second; 0 = without limit.
    pub fn new(per_second: u32) -> Self {
        let policy = format!("\"key\";q={};w={WINDOW}", per_second.saturating_mul(WINDOW));
        Self {
            per_second,
            policy: HeaderValue::from_str(&policy).unwrap_or_else(|_| HeaderValue::from_static("")),
        }
    }

    /// A full bucket.
    pub fn bucket(&self, now: Instant) -> Bucket {
        Bucket(Mutex::new(Level { tokens: self.most(), at: now }))
    }

    fn most(&self) -> f64 {
        f64::from(self.per_second.saturating_mul(WINDOW))
    }

    /// Draws one token; `None` where there is no limit.
    pub fn draw(&self, bucket: &Bucket, now: Instant) -> Option<Draw> {
        if self.per_second == 0 {
            return None;
        }
        let rate = f64::from(self.per_second);
        let mut level = bucket.0.lock().unwrap_or_else(PoisonError::into_inner);
        let since = now.saturating_duration_since(level.at).as_secs_f64();
        level.tokens = (level.tokens + since * rate).min(self.most());
        level.at = now.max(level.at);
        Some(if level.tokens >= 1.0 {
            level.tokens -= 1.0;
            Draw::Passed { left: level.tokens as u32 }
        } else {
            Draw::Refused { after: Duration::from_secs_f64((1.0 - level.tokens) / rate) }
        })
    }

    /// Tells the client where it stands.
    pub fn tell(&self, draw: Draw, headers: &mut HeaderMap) {
        headers.insert(POLICY, self.policy.clone());
        let text = match draw {
            Draw::Passed { left } => format!("\"key\";r={left};t={WINDOW}"),
            Draw::Refused { after } => format!("\"key\";r=0;t={}", after.as_secs().max(1)),
        };
        if let Ok(value) = HeaderValue::from_str(&text) {
            headers.insert(LIMIT, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_of_two_seconds_passes_and_then_the_rate() {
        let rate = Rate::new(10);
        let start = Instant::now();
        let bucket = rate.bucket(start);
        for left in (0..20).rev() {
            assert_eq!(rate.draw(&bucket, start), Some(Draw::Passed { left }));
        }
        assert!(
            matches!(rate.draw(&bucket, start), Some(Draw::Refused { after }) if after <= Duration::from_millis(100))
        );
        let later = start + Duration::from_millis(110);
        assert_eq!(rate.draw(&bucket, later), Some(Draw::Passed { left: 0 }));
        assert!(matches!(rate.draw(&bucket, later), Some(Draw::Refused { .. })));
        let rested = later + Duration::from_mins(1);
        assert_eq!(rate.draw(&bucket, rested), Some(Draw::Passed { left: 19 }));
    }

    #[test]
    fn a_clock_that_stands_or_goes_back_gives_nothing() {
        let rate = Rate::new(1);
        let earlier = Instant::now();
        let now = earlier + Duration::from_secs(5);
        let bucket = rate.bucket(now);
        assert_eq!(rate.draw(&bucket, earlier), Some(Draw::Passed { left: 1 }));
        assert_eq!(rate.draw(&bucket, earlier), Some(Draw::Passed { left: 0 }));
        assert!(matches!(rate.draw(&bucket, now), Some(Draw::Refused { .. })));
    }

    #[test]
    fn zero_is_without_limit() {
        let rate = Rate::new(0);
        let bucket = rate.bucket(Instant::now());
        assert_eq!(rate.draw(&bucket, Instant::now()), None);
    }

    #[test]
    fn the_headers_are_structured_fields() {
        let rate = Rate::new(200);
        let mut headers = HeaderMap::new();
        rate.tell(Draw::Passed { left: 398 }, &mut headers);
        assert_eq!(headers[POLICY], "\"key\";q=400;w=2");
        assert_eq!(headers[LIMIT], "\"key\";r=398;t=2");
        rate.tell(Draw::Refused { after: Duration::from_millis(5) }, &mut headers);
        assert_eq!(headers[LIMIT], "\"key\";r=0;t=1");
    }
}
