//! What was asked and how it was answered, and the success rate that the registry watches (protocol 6).

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::registry::operation::Operation;

/// From this many requests in 24 hours on, the success rate is watched.
const WATCHED_FROM: u64 = 20_000;
/// Below this share of successes the registry sends a notice.
const NOTICE_BELOW: f64 = 0.7;

/// Counters since the start.
#[derive(Debug, Default)]
pub(crate) struct Stats(Mutex<Counters>);

#[derive(Debug, Default)]
struct Counters {
    operations: BTreeMap<&'static str, OperationStats>,
    in_flight: u64,
    peak: u64,
    /// Hour since 1970 → requests and failures.
    hours: BTreeMap<i64, (u64, u64)>,
}

/// The counters of an operation.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct OperationStats {
    /// Requests, also those still on their way or given up by the client.
    calls: u64,
    /// Calls by version of the method.
    versions: BTreeMap<u8, u64>,
    /// Answers by HTTP status; 0 is a connection that was cut.
    statuses: BTreeMap<u16, u64>,
    /// Entries of `errors[]` by code.
    codes: BTreeMap<&'static str, u64>,
    #[serde(skip)]
    in_flight: u64,
    concurrency_peak: u64,
}

/// The counters as the control interface shows them.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StatsView {
    operations: BTreeMap<&'static str, OperationStats>,
    concurrency: Concurrency,
    last24_hours: Day,
    refused_by_limit: BTreeMap<&'static str, u64>,
}

#[derive(Debug, Serialize)]
struct Concurrency {
    now: u64,
    peak: u64,
}

/// The success rate of the last 24 hours. Failures are the answers 400, 401, 403, 404 and 422.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Day {
    calls: u64,
    failures: u64,
    /// `null` without calls.
    success_rate: Option<f64>,
    /// The registry would send its notice.
    notice: bool,
}

/// A request on its way; its end counts it out.
pub(crate) struct InFlight<'a> {
    stats: &'a Stats,
    operation: &'static str,
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        let mut counters = self.stats.lock();
        counters.in_flight -= 1;
        if let Some(operation) = counters.operations.get_mut(self.operation) {
            operation.in_flight -= 1;
        }
    }
}

impl Stats {
    fn lock(&self) -> std::sync::MutexGuard<'_, Counters> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a request in.
    pub(crate) fn enter(&self, operation: &Operation) -> InFlight<'_> {
        let (name, version) = (operation.name, operation.version);
        let mut counters = self.lock();
        counters.in_flight += 1;
        counters.peak = counters.peak.max(counters.in_flight);
        let operation = counters.operations.entry(name).or_default();
        operation.calls += 1;
        *operation.versions.entry(version).or_default() += 1;
        operation.in_flight += 1;
        operation.concurrency_peak = operation.concurrency_peak.max(operation.in_flight);
        InFlight { stats: self, operation: name }
    }

    /// Counts an answer; status 0 is a connection that was cut.
    pub(crate) fn record(
        &self,
        operation: &Operation,
        status: u16,
        codes: &[&'static str],
        now: DateTime<Utc>,
    ) {
        let mut counters = self.lock();
        let entry = counters.operations.entry(operation.name).or_default();
        *entry.statuses.entry(status).or_default() += 1;
        for code in codes {
            *entry.codes.entry(code).or_default() += 1;
        }
        let hour = now.timestamp().div_euclid(3600);
        counters.hours.retain(|old, _| hour - old < 24);
        let (calls, failures) = counters.hours.entry(hour).or_default();
        *calls += 1;
        *failures += u64::from(matches!(status, 400 | 401 | 403 | 404 | 422));
    }

    /// The counters at an instant.
    pub(crate) fn view(&self, now: DateTime<Utc>) -> StatsView {
        let counters = self.lock();
        let mut refused_by_limit = BTreeMap::new();
        for (code, count) in counters.operations.values().flat_map(|operation| &operation.codes) {
            if matches!(*code, "H083" | "H084" | "H086" | "H089" | "H124") {
                *refused_by_limit.entry(*code).or_default() += count;
            }
        }
        let hour = now.timestamp().div_euclid(3600);
        let recent = counters.hours.iter().filter(|(old, _)| hour - **old < 24);
        let (calls, failures) =
            recent.fold((0, 0), |sum, (_, (calls, failures))| (sum.0 + calls, sum.1 + failures));
        let success_rate = (calls > 0).then(|| 1.0 - failures as f64 / calls as f64);
        let notice = calls >= WATCHED_FROM && success_rate.is_some_and(|rate| rate < NOTICE_BELOW);
        StatsView {
            operations: counters.operations.clone(),
            concurrency: Concurrency { now: counters.in_flight, peak: counters.peak },
            last24_hours: Day { calls, failures, success_rate, notice },
            refused_by_limit,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::operation::OPERATIONS;

    #[test]
    fn the_registry_notices_a_bad_day_and_forgets_it() {
        let stats = Stats::default();
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        for call in 0..WATCHED_FROM {
            let status = if call % 10 < 6 { 200 } else { 422 };
            stats.record(&OPERATIONS[1], status, &[], now);
        }
        let day = stats.view(now).last24_hours;
        assert!(day.notice && day.calls == WATCHED_FROM && day.failures == WATCHED_FROM * 4 / 10);
        let later = stats.view(now + chrono::Duration::hours(24)).last24_hours;
        assert!(!later.notice && later.success_rate.is_none());
    }

    #[test]
    fn concurrency_peaks_are_kept() {
        let stats = Stats::default();
        {
            let _one = stats.enter(&OPERATIONS[1]);
            let _two = stats.enter(&OPERATIONS[2]);
            let _three = stats.enter(&OPERATIONS[7]);
        }
        let view = stats.view(DateTime::UNIX_EPOCH);
        assert_eq!((view.concurrency.now, view.concurrency.peak), (0, 3));
        assert_eq!(view.operations["add"].concurrency_peak, 2);
        assert_eq!(view.operations["add"].versions, BTreeMap::from([(1, 1), (2, 1)]));
    }
}
