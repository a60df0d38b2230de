//! The forecast against the plainest possible simulation of the reference model.

use std::time::Instant;

use chrono::{DateTime, TimeDelta, Utc};
use kopru_domain::schedule::{
    Bucket, Forecast, Load, Regime, Reserve, Shape, forecast, forecast_by_brand, regime,
};
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

#[test]
fn each_brand_is_told_its_own_part() {
    let buckets = [bucket(2, 100, 5), bucket(1, 3, 25), bucket(1, 100, 3), bucket(3, 1, 1)];
    let (whole, parts) = forecast_by_brand(&buckets, now(), 1.0, 10);
    assert_eq!(whole, forecast(&buckets, now(), 1.0, 10));
    let told: Vec<_> =
        parts.iter().map(|part| (part.brand_code.0, part.queued, part.late, part.requests)).collect();
    // Brand 3 goes first; the third request of brand 1 is the fourth of all, a second behind its target.
    assert_eq!(told, [(1, 28, 5, 3), (2, 5, 0, 1), (3, 1, 0, 1)]);
    let at = |seconds| Some(now() + TimeDelta::seconds(seconds));
    assert_eq!(parts.iter().map(|part| part.empty_at).collect::<Vec<_>>(), [at(4), at(5), at(1)]);
    assert_eq!((whole.late, whole.requests), (5, 5));
    assert_eq!(parts[0].earliest_target, now() + TimeDelta::seconds(3));
}

#[test]
fn a_reserve_is_kept_for_an_outage_and_a_weaker_budget() {
    let reserve = |seconds, share| Reserve { outage: TimeDelta::seconds(seconds), share };
    let at = |target, reserve| regime(&[bucket(1, target, 40)], now(), 1.0, 10, reserve);
    assert_eq!(at(4, Reserve::NONE), Regime::Comfortable);
    assert_eq!(at(3, Reserve::NONE), Regime::AtRisk);
    assert_eq!(at(13, reserve(10, 1.0)), Regime::AtRisk);
    assert_eq!(at(14, reserve(10, 1.0)), Regime::Comfortable);
    assert_eq!(at(17, reserve(10, 0.5)), Regime::AtRisk);
    assert_eq!(at(18, reserve(10, 0.5)), Regime::Comfortable);
}

#[test]
fn few_with_time_are_singles_and_many_or_urgent_ones_a_batch() {
    let load = Load {
        regime: Regime::Comfortable,
        queued: 100,
        slack: TimeDelta::hours(40),
        requests_per_second: 8.0,
        most_singles: 50,
    };
    assert_eq!(load.shape(50), Shape::Singles);
    assert_eq!(load.shape(51), Shape::Batch, "never more than the setting");
    assert_eq!(Load { queued: 5_000, ..load }.shape(50), Shape::Batch, "a deep queue saves requests");
    let patient = Load { queued: 5_000, most_singles: 1_000, ..load };
    assert_eq!(patient.shape(900), Shape::Singles, "so wished");
    assert_eq!(Load { queued: 5_000, ..load }.shape(2), Shape::Singles, "a batch costs a look as well");
    let near = Load { slack: TimeDelta::seconds(10), ..load };
    assert_eq!(near.shape(40), Shape::Singles, "they are answered before the target");
    assert_eq!(near.shape(41), Shape::Batch, "one POST is in time where so many are not");
    assert_eq!(Load { slack: TimeDelta::seconds(-5), ..load }.shape(3), Shape::Batch);
    let at_risk = Load { regime: Regime::AtRisk, ..load };
    assert_eq!([at_risk.shape(1), at_risk.shape(2)], [Shape::Singles, Shape::Batch], "each request counts");
    for (load, singles) in
        [(load, 50), (patient, 1_000), (near, 40), (at_risk, 1), (Load { queued: 5_000, ..load }, 2)]
    {
        assert_eq!(load.most_as_singles(1_000), singles);
        let decided = (0..=1_000).map(|items| load.shape(items) == Shape::Singles);
        assert!(
            decided.eq((0..=1_000).map(|items| items <= singles)),
            "fewer are never a batch where more are singles"
        );
    }
}
