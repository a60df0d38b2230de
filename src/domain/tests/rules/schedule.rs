//! The forecast against the plainest possible simulation of the reference model.

use std::time::Instant;

use chrono::{DateTime, TimeDelta, Utc};
use kopru_domain::schedule::{Bucket, Forecast, Regime, forecast};
use kopru_domain::{BrandCode, IysCode};
use proptest::prelude::*;

use crate::trt;

fn now() -> DateTime<Utc> {
    trt("2026-11-20 10:00")
}

fn bucket(brand: i64, seconds: i64, count: u64) -> Bucket {
    Bucket {
        iys_code: IysCode(1),
        brand_code: BrandCode(brand),
        target: now() + TimeDelta::seconds(seconds),
        count,
    }
}

/// One item at a time, as design.md section 4.5 words it. Returns how many items are late, and how
/// many requests were made.
fn reference(buckets: &[Bucket], per_second: i64, items_per_request: usize) -> (u64, u64) {
    let mut open: Vec<_> =
        buckets.iter().flat_map(|b| (0..b.count).map(|_| (b.target, b.iys_code, b.brand_code))).collect();
    open.sort();
    let (mut late, mut requests) = (0, 0);
    while let Some(&(_, provider, brand)) = open.first() {
        requests += 1;
        let mut taken = 0;
        open.retain(|&(target, p, b)| {
            let goes = taken < items_per_request && (p, b) == (provider, brand);
            if goes {
                taken += 1;
                // Request n is accepted n / per_second seconds from now.
                if i64::try_from(requests).unwrap_or(i64::MAX) > (target - now()).num_seconds() * per_second {
                    late += 1;
                }
            }
            !goes
        });
    }
    (late, requests)
}

#[test]
fn an_empty_queue_is_comfortable() {
    let expected = Forecast { regime: Regime::Comfortable, empty_at: Some(now()), late: 0, requests: 0 };
    assert_eq!(forecast(&[], now(), 5.0, 1_000), expected);
    assert_eq!(forecast(&[bucket(1, 10, 0)], now(), 0.0, 1_000), expected);
}

#[test]
fn without_a_budget_everything_is_late() {
    for rate in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let forecast = forecast(&[bucket(1, 10, 7)], now(), rate, 1_000);
        assert_eq!((forecast.regime, forecast.empty_at, forecast.late), (Regime::AtRisk, None, 7));
    }
}

#[test]
fn a_request_carries_items_of_one_brand_only() {
    // Three brands with one item each need three requests, though one could carry them all.
    let buckets = [bucket(1, 2, 1), bucket(2, 2, 1), bucket(3, 2, 1)];
    let result = forecast(&buckets, now(), 1.0, 1_000);
    assert_eq!((result.late, result.requests), (1, 3));
    assert_eq!(result.empty_at, Some(now() + TimeDelta::seconds(3)));
    assert_eq!(forecast(&buckets, now(), 2.0, 1_000).regime, Regime::Comfortable);
}

#[test]
fn a_request_takes_later_items_of_its_brand_along() {
    let buckets = [bucket(1, 1, 400), bucket(1, 1_000, 600), bucket(2, 2, 1)];
    let result = forecast(&buckets, now(), 1.0, 1_000);
    assert_eq!((result.regime, result.requests), (Regime::Comfortable, 2));
}

#[test]
fn the_last_instant_is_in_time() {
    assert_eq!(forecast(&[bucket(1, 10, 10_000)], now(), 1.0, 1_000).late, 0);
    assert_eq!(forecast(&[bucket(1, 10, 10_001)], now(), 1.0, 1_000).late, 1);
    assert_eq!(forecast(&[bucket(1, -5, 3)], now(), 1.0, 1_000).late, 3);
}

#[test]
fn the_cost_does_not_grow_with_the_items() {
    let buckets: Vec<_> = (0..20_000).map(|i| bucket(i % 500, i, 1_000_000_000)).collect();
    let started = Instant::now();
    assert_eq!(forecast(&buckets, now(), 8.0, 1_000).regime, Regime::AtRisk);
    assert!(started.elapsed().as_secs() < 5, "{:?}", started.elapsed());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn the_forecast_agrees_with_the_reference(
        raw in prop::collection::vec((0_i64..4, -2_i64..40, 0_u64..25), 0..14),
        per_second in 1_i64..4,
        items_per_request in 1_u32..12,
    ) {
        let buckets: Vec<_> = raw.iter().map(|(brand, seconds, count)| bucket(*brand, *seconds, *count)).collect();
        let result = forecast(&buckets, now(), per_second as f64, items_per_request);
        let (late, requests) = reference(&buckets, per_second, items_per_request as usize);
        prop_assert_eq!((result.late, result.requests), (late, requests));
        prop_assert_eq!(result.regime == Regime::Comfortable, late == 0);
    }
}
