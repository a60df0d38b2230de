//! Whether every deadline between the keys can be met (design.md section 4.5).
//!
//! The registry takes a limited number of requests a second, and a request carries items of one
//! brand. As long as the earliest-deadline-first order would meet every target, with something in
//! reserve, brands take turns; as soon as it would not, that order is kept strictly. This module is
//! that forecast, and the choice between single requests and a batch.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use chrono::{DateTime, TimeDelta, Utc};

use crate::words::{BrandCode, IysCode, words};

words! {
    /// How requests are shared out between brands.
    pub enum Regime("regime") {
        /// Every target can be met, with something in reserve: rejections first, brands in turn.
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

/// What the future may take without costing a target: while brands take turns, what is urgent is not done first, and an
/// outage or a load that comes then finds more of it left than the strict order would have.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reserve {
    /// An outage that may begin now, or work that may come, as long as this.
    pub outage: TimeDelta,
    /// The share of the budget that may be counted on, above 0 and at most 1.
    pub share: f64,
}

impl Reserve {
    /// Nothing is kept back.
    pub const NONE: Self = Self { outage: TimeDelta::zero(), share: 1.0 };
}

/// Whether every target is safe even if the reserve is used up.
pub fn regime(
    buckets: &[Bucket],
    now: DateTime<Utc>,
    requests_per_second: f64,
    items_per_request: u32,
    reserve: Reserve,
) -> Regime {
    let start = now.checked_add_signed(reserve.outage).unwrap_or(now);
    forecast(buckets, start, requests_per_second * reserve.share, items_per_request).regime
}

/// How items of one brand travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// One request each, answered at once.
    Singles,
    /// One request, whose answer has to be asked for minutes later.
    Batch,
}

/// What decides on the [`Shape`].
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// The regime of the whole queue.
    pub regime: Regime,
    /// Items in the whole queue.
    pub queued: u64,
    /// What is left until the earliest target of the items at hand.
    pub slack: TimeDelta,
    /// The budget.
    pub requests_per_second: f64,
    /// More items of a brand than this are never singles.
    pub most_singles: u64,
}

/// Within this time the whole queue would be through, one request an item: so few that a quick answer
/// for each is worth more than a saved request.
const QUICK: f64 = 30.0;
/// Who allows a whole request's worth of singles wants the quick answers whatever the depth of the queue.
const WHATEVER_THE_DEPTH: u64 = 1_000;

impl Load {
    /// How `items` of one brand travel. At risk each request counts: what is more than one is a batch, and a batch counts as
    /// filed with its POST (design.md section 4.5). Otherwise the answer counts, which a single gets at once: singles while the
    /// whole queue is short and half the time to the target is enough for them, and for two, as a batch costs a look as well.
    pub fn shape(&self, items: u64) -> Shape {
        let seconds = |items: u64| items as f64 / self.requests_per_second;
        let singles = match (self.regime, items) {
            (_, 0 | 1) | (Regime::Comfortable, 2) => true,
            (Regime::AtRisk, _) => false,
            (Regime::Comfortable, _) => {
                let short = seconds(self.queued.max(items)) <= QUICK;
                items <= self.most_singles
                    && (short || self.most_singles >= WHATEVER_THE_DEPTH)
                    && seconds(items) * 2.0 <= self.slack.as_seconds_f64()
            }
        };
        if singles { Shape::Singles } else { Shape::Batch }
    }

    /// How many items, up to `most`, still travel as singles: any more are a batch.
    pub fn most_as_singles(&self, most: u64) -> u64 {
        (1..=most).take_while(|items| self.shape(*items) == Shape::Singles).last().unwrap_or_default()
    }
}

/// What the present budget can do for one brand, while it shares it with the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BrandForecast {
    /// The provider.
    pub iys_code: IysCode,
    /// The brand.
    pub brand_code: BrandCode,
    /// Its items.
    pub queued: u64,
    /// The earliest of their targets.
    pub earliest_target: DateTime<Utc>,
    /// How many would be filed after their target.
    pub late: u64,
    /// How many requests they would take.
    pub requests: u64,
    /// When the last of them would be filed; `None` if never (no budget).
    pub empty_at: Option<DateTime<Utc>>,
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
    forecast_by_brand(buckets, now, requests_per_second, items_per_request).0
}

/// As [`forecast`], with each brand's part, by provider and brand.
pub fn forecast_by_brand(
    buckets: &[Bucket],
    now: DateTime<Utc>,
    requests_per_second: f64,
    items_per_request: u32,
) -> (Forecast, Vec<BrandForecast>) {
    let total = buckets.iter().fold(0_u64, |sum, bucket| sum.saturating_add(bucket.count));
    if total == 0 {
        let empty = Forecast { regime: Regime::Comfortable, empty_at: Some(now), late: 0, requests: 0 };
        return (empty, Vec::new());
    }
    if !(requests_per_second.is_finite() && requests_per_second > 0.0) || items_per_request == 0 {
        return (Forecast { regime: Regime::AtRisk, empty_at: None, late: total, requests: 0 }, Vec::new());
    }
    let mut model = Model {
        now,
        requests_per_second,
        items_per_request: u64::from(items_per_request),
        requests: 0,
        late: 0,
    };
    let brands = model.run(buckets);
    let whole = Forecast {
        regime: if model.late == 0 { Regime::Comfortable } else { Regime::AtRisk },
        empty_at: model.accepted_at(model.requests),
        late: model.late,
        requests: model.requests,
    };
    (whole, brands)
}

struct Model {
    now: DateTime<Utc>,
    requests_per_second: f64,
    items_per_request: u64,
    requests: u64,
    late: u64,
}

impl Model {
    fn run(&mut self, buckets: &[Bucket]) -> Vec<BrandForecast> {
        let mut sorted: Vec<Bucket> = buckets.iter().filter(|bucket| bucket.count > 0).copied().collect();
        sorted.sort_unstable_by_key(|bucket| (bucket.iys_code, bucket.brand_code, bucket.target));
        let mut brands: Vec<&mut [Bucket]> =
            sorted.chunk_by_mut(|a, b| (a.iys_code, a.brand_code) == (b.iys_code, b.brand_code)).collect();
        let part = |open: &&mut [Bucket]| BrandForecast {
            iys_code: open[0].iys_code,
            brand_code: open[0].brand_code,
            queued: open.iter().fold(0, |sum, bucket| sum.saturating_add(bucket.count)),
            earliest_target: open[0].target,
            late: 0,
            requests: 0,
            empty_at: None,
        };
        let mut parts: Vec<BrandForecast> = brands.iter().map(part).collect();
        let mut heap: BinaryHeap<_> =
            brands.iter().enumerate().map(|(index, open)| Reverse((open[0].target, index))).collect();
        while let Some(Reverse((_, index))) = heap.pop() {
            let open = std::mem::take(&mut brands[index]);
            let (late, requests) = (self.late, self.requests);
            let rest = self.take_turn(open);
            parts[index].late += self.late - late;
            parts[index].requests += self.requests - requests;
            parts[index].empty_at = self.accepted_at(self.requests);
            if let Some(next) = rest.first() {
                heap.push(Reverse((next.target, index)));
            }
            brands[index] = rest;
        }
        parts
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
