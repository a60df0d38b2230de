//! What is held back because it is likely to fail: the registry removes the address of a caller that sends 20 000 requests or
//! more in 24 hours of which less than 70 % succeed (registry-protocol section 6). Before that, what is likely to fail waits,
//! so that what is likely to succeed can go on.

/// Success has to come back this far above the bound before what waits may go again.
const RELIEF: f64 = 0.02;
/// Requests of a brand before anything is concluded from them.
const ENOUGH_OF_A_BRAND: u64 = 20;

/// Requests, and how many of them the registry counts as failures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// All.
    pub requests: u64,
    /// Failures.
    pub failed: u64,
}

/// From where on care is taken.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Care {
    /// Requests in 24 hours.
    pub from: u64,
    /// The share of success below which it is taken; 0 = never.
    pub below: f64,
}

impl Tally {
    /// Counts a request that was answered with this HTTP status.
    pub fn count(&mut self, status: u16) {
        self.requests += 1;
        self.failed += u64::from(matches!(status, 400 | 401 | 403 | 404 | 422));
    }

    /// Adds another tally.
    pub fn add(&mut self, other: Self) {
        self.requests += other.requests;
        self.failed += other.failed;
    }

    /// The share of success, 1 where nothing was asked.
    pub fn success(self) -> f64 {
        if self.requests == 0 {
            1.0
        } else {
            1.0 - self.failed.min(self.requests) as f64 / self.requests as f64
        }
    }

    /// Whether a brand's filings fail more often than not.
    pub fn is_failing(self) -> bool {
        self.requests >= ENOUGH_OF_A_BRAND && self.failed * 2 > self.requests
    }
}

impl Care {
    /// Whether the rate of the last 24 hours is so near the bound that what is likely to fail has to wait.
    pub fn is_needed(self, day: Tally, before: bool) -> bool {
        let bound = if before { self.below + RELIEF } else { self.below };
        self.below > 0.0 && day.requests >= self.from && day.success() < bound
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CARE: Care = Care { from: 100, below: 0.8 };

    #[test]
    fn only_the_registrys_five_statuses_count() {
        let mut tally = Tally::default();
        for status in [200, 204, 429, 500, 503, 400, 401, 403, 404, 422] {
            tally.count(status);
        }
        assert_eq!(tally, Tally { requests: 10, failed: 5 });
    }

    #[test]
    fn care_is_taken_below_the_bound_and_until_it_is_safely_passed() {
        let day = |failed| Tally { requests: 100, failed };
        assert!(!CARE.is_needed(day(20), false) && CARE.is_needed(day(21), false));
        assert!(CARE.is_needed(day(19), true) && !CARE.is_needed(day(18), true));
        assert!(!CARE.is_needed(Tally { requests: 99, failed: 99 }, false), "too few to matter");
        assert!(!Care { below: 0.0, ..CARE }.is_needed(day(100), true), "turned off");
    }

    #[test]
    fn a_brand_fails_when_most_of_many_do() {
        assert!(Tally { requests: 20, failed: 11 }.is_failing());
        assert!(!Tally { requests: 20, failed: 10 }.is_failing());
        assert!(!Tally { requests: 19, failed: 19 }.is_failing());
    }

    proptest! {
        /// Care begins before the registry's own rule can be broken, whatever was counted.
        #[test]
        fn care_comes_before_the_rule(requests in 20_000_u64..10_000_000, failed in 0_u64..10_000_000) {
            let day = Tally { requests, failed: failed.min(requests) };
            prop_assume!(day.success() < 0.7);
            let default = Care { from: 10_000, below: 0.8 };
            prop_assert!(default.is_needed(day, false));
        }
    }
}
