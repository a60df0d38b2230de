//! Whether every deadline between the keys can be met (design.md section 4.5).
//!
//! The registry takes a limited number of requests a second, and a request carries items of one
//! brand. As long as the earliest-deadline-first order would meet every target, brands take turns;
//! as soon as it would not, that order is kept strictly. This module is that forecast.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use chrono::{DateTime, TimeDelta, Utc};

use crate::words::{BrandCode, IysCode, words};

words! {
    /// How requests are shared out between brands.
    pub enum Regime("regime") {
        /// Every target can be met: rejections first, brands in turn.
        Comfortable = "comfortable",
        /// Some target may be missed: earliest target first, over all brands.
        AtRisk = "at_risk",
    }
}

/// Open items of one brand that share a target, however finely the caller cuts time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// The provider.
    pub iys_code: IysCode,
    /// The brand: a request carries items of one brand only.
    pub brand_code: BrandCode,
    /// When they must be filed. Round down when cutting time into buckets.
    pub target: DateTime<Utc>,
    /// How many items.
    pub count: u64,
}

/// What the present budget can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forecast {
    /// [`Regime::Comfortable`] if and only if no item would be late.
    pub regime: Regime,
    /// When the last item would be filed; `None` if never (no budget).
    pub empty_at: Option<DateTime<Utc>>,
    /// How many items would be filed after their target.
    pub late: u64,
    /// How many requests it would take.
    pub requests: u64,
}

/// Plays the reference model of design.md section 4.5 through: the next request goes to the brand
/// that owns the earliest open target, filled in its target order with up to `items_per_request`
/// items; the n-th request (from 1) is accepted n / `requests_per_second` seconds after `now`, and
/// its items are filed with that. Equal targets go by provider and brand.
///
/// The cost grows with the number of buckets, not of items. A caller that asks only every few
/// seconds should pass the time until the next question as part of `now`, so that what it spends in
/// between by another order is accounted for.
pub fn forecast(
    buckets: &[Bucket],
    now: DateTime<Utc>,
    requests_per_second: f64,
    items_per_request: u32,
) -> Forecast {
    let total = buckets.iter().fold(0_u64, |sum, bucket| sum.saturating_add(bucket.count));
    if total == 0 {
        return Forecast { regime: Regime::Comfortable, empty_at: Some(now), late: 0, requests: 0 };
    }
    if !(requests_per_second.is_finite() && requests_per_second > 0.0) || items_per_request == 0 {
        return Forecast { regime: Regime::AtRisk, empty_at: None, late: total, requests: 0 };
    }
    let mut model = Model {
        now,
        requests_per_second,
        items_per_request: u64::from(items_per_request),
        requests: 0,
        late: 0,
    };
    model.run(buckets);
    Forecast {
        regime: if model.late == 0 { Regime::Comfortable } else { Regime::AtRisk },
        empty_at: model.accepted_at(model.requests),
        late: model.late,
        requests: model.requests,
    }
}

struct Model {
    now: DateTime<Utc>,
    requests_per_second: f64,
    items_per_request: u64,
    requests: u64,
    late: u64,
}

impl Model {
    fn run(&mut self, buckets: &[Bucket]) {
        let mut sorted: Vec<Bucket> = buckets.iter().filter(|bucket| bucket.count > 0).copied().collect();
        sorted.sort_unstable_by_key(|bucket| (bucket.iys_code, bucket.brand_code, bucket.target));
        let mut brands: Vec<&mut [Bucket]> =
            sorted.chunk_by_mut(|a, b| (a.iys_code, a.brand_code) == (b.iys_code, b.brand_code)).collect();
        let mut heap: BinaryHeap<_> =
            brands.iter().enumerate().map(|(index, open)| Reverse((open[0].target, index))).collect();
        while let Some(Reverse((_, index))) = heap.pop() {
            let open = std::mem::take(&mut brands[index]);
            let rest = self.take_turn(open);
            if let Some(next) = rest.first() {
                heap.push(Reverse((next.target, index)));
            }
            brands[index] = rest;
        }
    }

    /// Spends requests on a brand that owns the earliest target: all that its first bucket fills
    /// alone (the brand keeps owning the earliest target meanwhile), else one mixed request.
    /// Returns what stays open.
    fn take_turn<'a>(&mut self, open: &'a mut [Bucket]) -> &'a mut [Bucket] {
        let full = open[0].count / self.items_per_request;
        if full > 0 {
            let in_time = self.in_time(open[0].target).saturating_sub(self.requests).min(full);
            self.late += (full - in_time) * self.items_per_request;
            self.requests += full;
            open[0].count -= full * self.items_per_request;
        } else {
            self.requests += 1;
            self.fill_one_request(open);
        }
        let done = open.iter().take_while(|bucket| bucket.count == 0).count();
        &mut open[done..]
    }

    fn fill_one_request(&mut self, open: &mut [Bucket]) {
        let mut room = self.items_per_request;
        for bucket in open {
            let taken = bucket.count.min(room);
            if self.requests > self.in_time(bucket.target) {
                self.late += taken;
            }
            bucket.count -= taken;
            room -= taken;
            if room == 0 {
                break;
            }
        }
    }

    /// How many requests are accepted by an instant.
    fn in_time(&self, target: DateTime<Utc>) -> u64 {
        let micros = target.signed_duration_since(self.now).num_microseconds().unwrap_or(i64::MAX);
        // A millionth of a request forgives the rounding of the division.
        (micros.max(0) as f64 / 1e6 * self.requests_per_second + 1e-6).floor() as u64
    }

    fn accepted_at(&self, request: u64) -> Option<DateTime<Utc>> {
        let micros = (request as f64 / self.requests_per_second * 1e6).ceil();
        self.now.checked_add_signed(TimeDelta::microseconds(micros as i64))
    }
}
