//! The success rate of each network address, which the registry watches (protocol 6), on the registry's own clock.
//!
//! Documented: an address with 20 000 requests in 24 hours of which less than 70 % succeed gets a notice, and leaves the
//! list of admitted addresses when it is not above 70 % within 96 hours. The answers 400, 401, 403, 404 and 422 count as
//! failures. Assumed: the 24 hours go by whole hours, and a notice ends with hours in which nothing was asked, as it does
//! with better ones. An address that has left the list is refused with 403 without a code (protocol 11, U32). What it asks
//! meanwhile is not counted, so that it is let in again when its last 24 hours are over, or good enough without the oldest
//! of them; at the real registry somebody has to write a letter.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;

use crate::settings::Settings;
use crate::wire_time;

/// The share of successes that an address needs.
const ENOUGH: f64 = 0.7;
const HOUR: i64 = 3600;
/// How many hours are looked at.
const HOURS: i64 = 24;

/// The success rates of all addresses since the start.
#[derive(Debug, Default)]
pub(crate) struct SuccessRates(Mutex<HashMap<String, Watch>>);

/// What is known of one address. Instants are in seconds.
#[derive(Debug, Default)]
struct Watch {
    /// Hour since 1970 → requests and failures.
    hours: BTreeMap<i64, (u64, u64)>,
    /// Since when its successes are too few.
    noticed_at: Option<i64>,
}

/// The success rates as the control interface shows them.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RatesView {
    /// All addresses together.
    last24_hours: Day,
    addresses: BTreeMap<String, AddressView>,
}

/// The last 24 hours. Failures are the answers 400, 401, 403, 404 and 422.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Day {
    calls: u64,
    failures: u64,
    /// `null` without calls.
    success_rate: Option<f64>,
    /// The registry has sent its notice.
    notice: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct AddressView {
    #[serde(flatten)]
    day: Day,
    notice_date: Option<String>,
    /// It has left the list of admitted addresses.
    refused: bool,
}

impl Day {
    fn new(calls: u64, failures: u64, notice: bool) -> Self {
        let success_rate = (calls > 0).then(|| 1.0 - failures as f64 / calls as f64);
        Self { calls, failures, success_rate, notice }
    }
}

impl Watch {
    /// The last 24 hours of an instant, once the notice is brought up to date.
    fn day(&mut self, now: i64, settings: &Settings) -> Day {
        let hour = now.div_euclid(HOUR);
        self.hours.retain(|old, _| hour - old < HOURS);
        let sum = self.hours.values().fold((0, 0), |sum, hour| (sum.0 + hour.0, sum.1 + hour.1));
        let mut day = Day::new(sum.0, sum.1, false);
        let is_bad = day.success_rate.is_some_and(|rate| rate < ENOUGH);
        let is_watched = self.noticed_at.is_some() || day.calls >= settings.success_rate_minimum_calls;
        self.noticed_at = (is_bad && is_watched).then(|| self.noticed_at.unwrap_or(now));
        day.notice = self.noticed_at.is_some();
        day
    }

    fn is_refused(&mut self, now: i64, settings: &Settings) -> bool {
        self.day(now, settings);
        let grace = settings.success_rate_grace_seconds;
        settings.success_rate_rule && self.noticed_at.is_some_and(|at| now.saturating_sub(at) >= grace)
    }
}

impl SuccessRates {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Watch>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether an address is refused at an instant.
    pub(crate) fn refuses(&self, address: &str, now: i64, settings: &Settings) -> bool {
        self.lock().get_mut(address).is_some_and(|watch| watch.is_refused(now, settings))
    }

    /// Counts an answer, unless its address is refused.
    pub(crate) fn record(&self, address: &str, status: u16, now: i64, settings: &Settings) {
        let mut all = self.lock();
        let watch = all.entry(address.to_owned()).or_default();
        if watch.is_refused(now, settings) {
            return;
        }
        let (calls, failures) = watch.hours.entry(now.div_euclid(HOUR)).or_default();
        *calls += 1;
        *failures += u64::from(matches!(status, 400 | 401 | 403 | 404 | 422));
        watch.day(now, settings);
    }

    /// The success rates at an instant.
    pub(crate) fn view(&self, now: i64, settings: &Settings) -> RatesView {
        let mut whole = Day::default();
        let mut addresses = BTreeMap::new();
        for (address, watch) in self.lock().iter_mut() {
            let refused = watch.is_refused(now, settings);
            let day = watch.day(now, settings);
            whole =
                Day::new(whole.calls + day.calls, whole.failures + day.failures, whole.notice || day.notice);
            let notice_date = watch.noticed_at.map(wire_time::write);
            addresses.insert(address.clone(), AddressView { day, notice_date, refused });
        }
        RatesView { last24_hours: whole, addresses }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 24 * HOUR;
    const NOW: i64 = 1_800_000_000 / HOUR * HOUR;

    fn fill(rates: &SuccessRates, now: i64, good: u64, bad: u64, settings: &Settings) {
        for _ in 0..good {
            rates.record("a", 200, now, settings);
        }
        for _ in 0..bad {
            rates.record("a", 422, now, settings);
        }
    }

    #[test]
    fn the_registry_notices_a_bad_day_and_forgets_it() {
        let (rates, settings) = (SuccessRates::default(), Settings::default());
        fill(&rates, NOW, 11_999, 8_000, &settings);
        assert!(!rates.view(NOW, &settings).last24_hours.notice, "one call too few");
        fill(&rates, NOW, 1, 0, &settings);
        let day = rates.view(NOW, &settings).last24_hours;
        assert!(day.notice && (day.calls, day.failures) == (20_000, 8_000));
        assert!(!rates.refuses("a", NOW + 96 * HOUR, &settings), "the rule is off");
        let later = rates.view(NOW + DAY, &settings).last24_hours;
        assert!(!later.notice && later.success_rate.is_none());
    }

    #[test]
    fn who_does_not_get_better_within_the_grace_is_refused_for_a_day() {
        let rates = SuccessRates::default();
        let settings =
            Settings { success_rate_rule: true, success_rate_minimum_calls: 10, ..Settings::default() };
        for hour in 0..96 {
            fill(&rates, NOW + hour * HOUR, 1, 9, &settings);
            assert!(!rates.refuses("a", NOW + hour * HOUR, &settings), "{hour}");
        }
        let out = NOW + 96 * HOUR;
        assert!(rates.refuses("a", out, &settings) && !rates.refuses("b", out, &settings));
        fill(&rates, out, 1_000, 0, &settings);
        assert!(rates.refuses("a", out, &settings), "what is refused is not counted");
        assert!(rates.refuses("a", out + 22 * HOUR, &settings));
        assert!(!rates.refuses("a", out + DAY, &settings));
    }

    #[test]
    fn who_gets_better_within_the_grace_begins_anew() {
        let rates = SuccessRates::default();
        let settings = Settings {
            success_rate_rule: true,
            success_rate_minimum_calls: 10,
            success_rate_grace_seconds: 3 * HOUR,
            ..Settings::default()
        };
        fill(&rates, NOW, 6, 4, &settings);
        fill(&rates, NOW + HOUR, 10, 0, &settings);
        assert!(!rates.view(NOW + HOUR, &settings).last24_hours.notice);
        fill(&rates, NOW + 2 * HOUR, 0, 20, &settings);
        assert!(!rates.refuses("a", NOW + 4 * HOUR, &settings), "the first notice counts no more");
        assert!(rates.refuses("a", NOW + 5 * HOUR, &settings));
    }
}
