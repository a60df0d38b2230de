//! When not at all: a registry that does not answer is left alone, longer each time, and then one request tries whether it is
//! back.

use chrono::{DateTime, TimeDelta, Utc};

use crate::outcome::retry_delay;

/// Failures in a row before the registry counts as silent.
const PATIENCE: u32 = 3;
/// The longest silence: a registry that is back is noticed within it.
const LONGEST: TimeDelta = TimeDelta::minutes(5);

/// The circuit breaker of one registry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Circuit {
    /// How often in a row it was left alone; 0 while it answers.
    pub rounds: u32,
    /// Until when (business time).
    pub silent_until: Option<DateTime<Utc>>,
}

/// What may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// Everything.
    Closed,
    /// Nothing before this instant.
    Silent(DateTime<Utc>),
    /// One request, whose outcome decides.
    HalfOpen,
}

impl Circuit {
    /// What may be sent now. A silence longer than any was set under a clock that ran ahead.
    pub fn gate(self, now: DateTime<Utc>) -> Gate {
        if self.rounds == 0 {
            return Gate::Closed;
        }
        match self.silent_until.filter(|until| *until > now && *until - now <= LONGEST) {
            Some(until) => Gate::Silent(until),
            None => Gate::HalfOpen,
        }
    }

    /// Whether so many failures in a row are too many.
    pub fn opens_after(failures: u32) -> bool {
        failures >= PATIENCE
    }

    /// It failed: left alone from now on, or its probe failed and the silence is longer. `seed` spreads the silences.
    #[must_use]
    pub fn failed(self, now: DateTime<Utc>, seed: u64) -> Self {
        let rounds = self.rounds.saturating_add(1);
        let delay = TimeDelta::from_std(retry_delay(PATIENCE.saturating_add(rounds) - 1, seed));
        Self { rounds, silent_until: Some(now + delay.unwrap_or(LONGEST).min(LONGEST)) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_795_338_000 + seconds, 0).unwrap()
    }

    #[test]
    fn a_registry_that_answers_is_asked() {
        assert_eq!(Circuit::default().gate(at(0)), Gate::Closed);
        assert!(!Circuit::opens_after(2) && Circuit::opens_after(3));
    }

    #[test]
    fn after_the_silence_one_request_decides() {
        let open = Circuit::default().failed(at(0), 1);
        let Gate::Silent(until) = open.gate(at(0)) else { panic!("{open:?}") };
        assert_eq!(open.gate(until - TimeDelta::seconds(1)), Gate::Silent(until));
        assert_eq!(open.gate(until), Gate::HalfOpen);
        let again = open.failed(until, 1);
        assert_eq!(again.rounds, 2);
        assert!(matches!(again.gate(until), Gate::Silent(_)));
    }

    #[test]
    fn a_silence_of_another_clock_ends() {
        let open = Circuit::default().failed(at(100_000), 1);
        assert_eq!(open.gate(at(0)), Gate::HalfOpen);
    }

    proptest! {
        /// Silences grow to the longest and never beyond; none is nothing.
        #[test]
        fn silences_are_bounded(rounds in 0_u32..100, seed: u64) {
            let open = Circuit { rounds, silent_until: None }.failed(at(0), seed);
            let silence = open.silent_until.unwrap() - at(0);
            prop_assert!(silence >= TimeDelta::seconds(2) && silence <= LONGEST);
            prop_assert!(rounds < 10 || silence == LONGEST);
        }
    }
}
