//! What was asked and how it was answered.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

use super::success::RatesView;
use crate::registry::operation::Operation;

/// Counters since the start.
#[derive(Debug, Default)]
pub(crate) struct Stats(Mutex<Counters>);

#[derive(Debug, Default)]
struct Counters {
    operations: BTreeMap<&'static str, OperationStats>,
    in_flight: u64,
    peak: u64,
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
    #[serde(flatten)]
    rates: RatesView,
    refused_by_limit: BTreeMap<&'static str, u64>,
}

#[derive(Debug, Serialize)]
struct Concurrency {
    now: u64,
    peak: u64,
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
    pub(crate) fn record(&self, operation: &Operation, status: u16, codes: &[&'static str]) {
        let mut counters = self.lock();
        let entry = counters.operations.entry(operation.name).or_default();
        *entry.statuses.entry(status).or_default() += 1;
        for code in codes {
            *entry.codes.entry(code).or_default() += 1;
        }
    }

    /// The counters, beside the success rates.
    pub(crate) fn view(&self, rates: RatesView) -> StatsView {
        let counters = self.lock();
        let mut refused_by_limit = BTreeMap::new();
        for (code, count) in counters.operations.values().flat_map(|operation| &operation.codes) {
            if matches!(*code, "H083" | "H084" | "H086" | "H089" | "H124") {
                *refused_by_limit.entry(*code).or_default() += count;
            }
        }
        StatsView {
            operations: counters.operations.clone(),
            concurrency: Concurrency { now: counters.in_flight, peak: counters.peak },
            rates,
            refused_by_limit,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::success::SuccessRates;
    use super::*;
    use crate::registry::operation::OPERATIONS;
    use crate::settings::Settings;

    #[test]
    fn concurrency_peaks_are_kept() {
        let stats = Stats::default();
        {
            let _one = stats.enter(&OPERATIONS[1]);
            let _two = stats.enter(&OPERATIONS[2]);
            let _three = stats.enter(&OPERATIONS[7]);
        }
        let view = stats.view(SuccessRates::default().view(0, &Settings::default()));
        assert_eq!((view.concurrency.now, view.concurrency.peak), (0, 3));
        assert_eq!(view.operations["add"].concurrency_peak, 2);
        assert_eq!(view.operations["add"].versions, BTreeMap::from([(1, 1), (2, 1)]));
    }
}
