//! How fast: the full pace while the registry answers, less after it refused a request for its pace or failed, and back step by
//! step.

use chrono::{DateTime, TimeDelta, Utc};

/// The pace is cut and comes back in parts of this.
const PARTS: i64 = 8;
/// How long one part takes to come back.
const STEP: TimeDelta = TimeDelta::seconds(10);
/// Failures this close to the last one are of the same crowding or outage: requests that had left before it was noticed.
const ECHO: TimeDelta = TimeDelta::seconds(5);

/// What is left of the pace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pace {
    /// Eighths that are missing, 0 to 7.
    pub missing: i64,
    /// When it changed last; `None` if it never did.
    pub changed_at: Option<DateTime<Utc>>,
}

impl Pace {
    /// The pace now: an eighth has come back for every ten seconds without a failure.
    #[must_use]
    pub fn at(self, now: DateTime<Utc>) -> Self {
        let Some(changed_at) = self.changed_at.filter(|_| self.missing > 0) else { return self };
        let steps = (now - changed_at).num_seconds().max(0) / STEP.num_seconds();
        if steps == 0 {
            return self;
        }
        let back = steps.min(self.missing);
        Self { missing: self.missing - back, changed_at: Some(changed_at + STEP * back as i32) }
    }

    /// The share of the full pace, from 1/8 to 1.
    pub fn share(self) -> f64 {
        (PARTS - self.missing.clamp(0, PARTS - 1)) as f64 / PARTS as f64
    }

    /// After a failure: half of what was left, at least an eighth.
    #[must_use]
    pub fn slowed(self, now: DateTime<Utc>) -> Self {
        let pace = self.at(now);
        let echo = |at: DateTime<Utc>| at <= now && now - at < ECHO;
        if pace.missing > 0 && pace.changed_at.is_some_and(echo) {
            return pace;
        }
        let left = PARTS - pace.missing.clamp(0, PARTS - 1);
        Self { missing: PARTS - (left / 2).max(1), changed_at: Some(now) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_795_338_000 + seconds, 0).unwrap()
    }

    #[test]
    fn a_failure_halves_the_pace_and_its_echoes_do_not() {
        let once = Pace::default().slowed(at(0));
        assert!((once.share() - 0.5).abs() < f64::EPSILON);
        assert_eq!(once.slowed(at(4)), once);
        assert!((once.slowed(at(6)).share() - 0.25).abs() < f64::EPSILON);
    }

    #[test]
    fn it_never_stops() {
        let pace = (0..20).fold(Pace::default(), |pace, n| pace.slowed(at(n * 6)));
        assert!((pace.share() - 0.125).abs() < f64::EPSILON);
    }

    #[test]
    fn it_comes_back_an_eighth_at_a_time() {
        let pace = Pace::default().slowed(at(0));
        assert_eq!(pace.at(at(9)).missing, 4);
        assert_eq!(pace.at(at(10)).missing, 3);
        assert_eq!(pace.at(at(25)).at(at(30)).missing, 1, "looking does not lose the remainder");
        assert_eq!(pace.at(at(3_600)).missing, 0);
    }

    #[test]
    fn a_clock_that_was_set_back_gives_nothing_back() {
        let pace = Pace::default().slowed(at(100));
        assert_eq!(pace.at(at(0)), pace);
    }
}
