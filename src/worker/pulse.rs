//! Whether the workers live: each kind's source beats whenever it looks for work, and says when it ends.
//!
//! A source is not polled while all of its kind's work in hand is still going on; that ends by its time-out at the latest. So
//! each kind has a bound of its own for how long it may be silent.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The workers that this process is to run, and when each was last seen. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Pulse(Arc<Mutex<BTreeMap<&'static str, Beat>>>);

#[derive(Debug)]
struct Beat {
    /// The longest silence that is in order.
    bound: Duration,
    last: Instant,
    /// Sources that look for work of this kind; more than one only while a worker is started again.
    sources: usize,
    started: bool,
}

/// A source while it lives; dropped, it has ended.
#[derive(Debug)]
pub(super) struct Source {
    pulse: Pulse,
    kind: &'static str,
}

impl Pulse {
    /// From now on a kind is to run, and to be heard of at least so often.
    pub fn expect(&self, kind: &'static str, bound: Duration) {
        self.expect_at(kind, bound, Instant::now());
    }

    fn expect_at(&self, kind: &'static str, bound: Duration, now: Instant) {
        self.lock().insert(kind, Beat { bound, last: now, sources: 0, started: false });
    }

    /// A kind's source starts.
    pub(super) fn source(&self, kind: &'static str) -> Source {
        self.change(kind, |beat| {
            beat.sources += 1;
            beat.started = true;
            beat.last = Instant::now();
        });
        Source { pulse: self.clone(), kind }
    }

    /// What is wrong with the workers, one entry a kind; `None` where this process runs none.
    pub fn troubles(&self) -> Option<Vec<String>> {
        self.troubles_at(Instant::now())
    }

    fn troubles_at(&self, now: Instant) -> Option<Vec<String>> {
        let kinds = self.lock();
        let trouble = |(kind, beat): (&&'static str, &Beat)| {
            let silent = now.saturating_duration_since(beat.last);
            if beat.started && beat.sources == 0 {
                Some(format!("{kind} has ended"))
            } else if silent > beat.bound {
                Some(format!("{kind} has not looked for work for {} s", silent.as_secs()))
            } else {
                None
            }
        };
        (!kinds.is_empty()).then(|| kinds.iter().filter_map(trouble).collect())
    }

    fn change(&self, kind: &'static str, change: impl FnOnce(&mut Beat)) {
        if let Some(beat) = self.lock().get_mut(kind) {
            change(beat);
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<&'static str, Beat>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Source {
    /// It looks for work.
    pub fn beat(&self) {
        self.pulse.change(self.kind, |beat| beat.last = Instant::now());
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        self.pulse.change(self.kind, |beat| beat.sources = beat.sources.saturating_sub(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUND: Duration = Duration::from_secs(30);

    #[test]
    fn a_process_without_workers_is_not_watched() {
        let pulse = Pulse::default();
        // As `drain` does, which runs kinds that nobody expects.
        pulse.source("filing").beat();
        assert_eq!(pulse.troubles(), None);
    }

    #[test]
    fn a_kind_that_is_silent_for_too_long_is_told() {
        let pulse = Pulse::default();
        let start = Instant::now();
        pulse.expect_at("filing", BOUND, start);
        pulse.expect_at("jobs", BOUND * 2, start);
        assert_eq!(pulse.troubles_at(start + BOUND), Some(Vec::new()));
        let later = start + BOUND + Duration::from_secs(7);
        assert_eq!(
            pulse.troubles_at(later),
            Some(vec!["filing has not looked for work for 37 s".to_owned()])
        );
        let source = pulse.source("filing");
        assert_eq!(pulse.troubles_at(Instant::now()), Some(Vec::new()));
        let last = Instant::now();
        source.beat();
        assert_eq!(pulse.troubles_at(last + BOUND), Some(Vec::new()));
    }

    #[test]
    fn a_kind_that_has_ended_is_told_unless_it_is_started_again() {
        let pulse = Pulse::default();
        pulse.expect("deliveries", BOUND);
        let first = pulse.source("deliveries");
        let second = pulse.source("deliveries");
        drop(first);
        assert_eq!(pulse.troubles(), Some(Vec::new()));
        drop(second);
        assert_eq!(pulse.troubles(), Some(vec!["deliveries has ended".to_owned()]));
        let _third = pulse.source("deliveries");
        assert_eq!(pulse.troubles(), Some(Vec::new()));
    }
}
