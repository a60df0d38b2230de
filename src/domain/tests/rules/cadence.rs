//! How often brands are pulled: the promises of the rule, and a day of an installation played through.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use kopru_domain::cadence::{Cadence, IN_USE_FOR, Load, in_use};
use proptest::prelude::*;

use crate::trt;

fn cadence(shortest: i64, longest: i64, freshness: i64) -> Cadence {
    Cadence {
        shortest: TimeDelta::minutes(shortest),
        longest: TimeDelta::minutes(longest),
        freshness: TimeDelta::minutes(freshness),
    }
}

/// As the settings are.
const SETTINGS: (i64, i64, i64) = (15, 60, 120);

fn unhurried() -> Load {
    Load { in_use: 1, others: 1, wished: 0.0, per_second: f64::INFINITY }
}

#[test]
fn a_brand_counts_as_in_use_for_seven_days() {
    let now = trt("2026-11-28 10:00");
    assert!(!in_use(None, now));
    assert!(in_use(Some(now - IN_USE_FOR), now));
    assert!(!in_use(Some(now - IN_USE_FOR - TimeDelta::seconds(1)), now));
}

#[test]
fn a_feed_that_brings_nothing_is_left_alone_longer_and_one_that_does_less_long() {
    let rule = cadence(15, 60, 120);
    let minutes =
        |before: Option<i64>, found| rule.wish(before.map(TimeDelta::minutes), found, false).num_minutes();
    assert_eq!([minutes(None, 0), minutes(Some(30), 0), minutes(Some(60), 0)], [30, 60, 60]);
    assert_eq!([minutes(Some(60), 1), minutes(Some(60), 2), minutes(Some(60), 5_000)], [30, 20, 15]);
    assert_eq!(minutes(Some(15), 1), 15);
}

#[test]
fn a_brand_in_use_is_read_well_within_half_the_bound_whatever_it_brings() {
    let rule = cadence(15, 60, 120);
    let plan = rule.plan(TimeDelta::minutes(60), true, &unhurried());
    assert_eq!((plan.next.num_minutes(), plan.bound.num_minutes()), (45, 60));
    let plan = rule.plan(TimeDelta::minutes(60), false, &unhurried());
    assert_eq!((plan.next.num_minutes(), plan.bound.num_minutes()), (60, 75));
    let late = |in_use, minutes| rule.is_late(in_use, TimeDelta::minutes(minutes));
    assert!(!late(true, 52) && late(true, 53) && !late(false, 600));
    // Even where the settings would not.
    let plan = cadence(90, 600, 120).plan(TimeDelta::minutes(90), true, &unhurried());
    assert_eq!(plan.next.num_minutes(), 45);
}

#[test]
fn what_is_promised_comes_before_what_is_wished() {
    let rule = cadence(15, 60, 120);
    let feeds = |in_use: u64, others: u64| Load {
        in_use,
        others,
        wished: (in_use + others) as f64 / 900.0,
        per_second: 8.0,
    };
    // 5 000 brands in use have two feeds each; half of eight requests a second is just enough for their promise.
    let crowded = feeds(10_000, 0);
    let next = rule.plan(TimeDelta::minutes(15), true, &crowded).next.num_minutes();
    assert!((41..=45).contains(&next), "{next}");
    let calm = feeds(100, 900);
    assert_eq!(rule.plan(TimeDelta::minutes(15), false, &calm).next.num_minutes(), 15);
}

fn setting() -> impl Strategy<Value = Cadence> {
    (1_i64..120, 0_i64..600, 10_i64..600)
        .prop_map(|(shortest, more, freshness)| cadence(shortest, shortest + more, freshness))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn the_promises_hold_for_all_settings_and_loads(
        rule in setting(),
        feeds in prop::collection::vec((1_i64..900, prop::bool::ANY), 1..60),
        per_second in 0.001_f64..20.0,
    ) {
        let wishes: Vec<_> = feeds.iter().map(|(minutes, in_use)| (rule.wish(Some(TimeDelta::minutes(*minutes)), 0, *in_use), *in_use)).collect();
        let count = |wanted: bool| wishes.iter().filter(|(_, in_use)| *in_use == wanted).count() as u64;
        let wished = wishes.iter().map(|(wish, _)| 1.0 / wish.num_seconds() as f64).sum();
        let load = Load { in_use: count(true), others: count(false), wished, per_second };
        let mut asked = 0.0;
        let mut promised = 0.0;
        for (wish, in_use) in &wishes {
            let plan = rule.plan(*wish, *in_use, &load);
            let half = rule.freshness / 2;
            prop_assert!(plan.next > TimeDelta::zero() && plan.next <= plan.bound, "{plan:?}");
            prop_assert!(plan.next <= rule.longest);
            prop_assert!(!in_use || (plan.next < half && plan.bound == half), "{plan:?}");
            prop_assert!(plan.next >= (*wish).min(half - half / 4) - TimeDelta::seconds(1), "more often than it wishes: {plan:?}");
            asked += 1_000.0 / plan.next.num_milliseconds() as f64;
            let most = if *in_use { (half - half / 4).min(rule.longest) } else { rule.longest };
            promised += 1_000.0 / most.num_milliseconds() as f64;
        }
        prop_assert!(asked <= (per_second / 2.0).max(promised) * 1.001, "{asked} of {per_second}, promised {promised}");
    }

    #[test]
    fn more_movements_never_mean_fewer_pulls(rule in setting(), before in 1_i64..900, found in 0_u64..50) {
        let before = Some(TimeDelta::minutes(before));
        prop_assert!(rule.wish(before, found + 1, false) <= rule.wish(before, found, false));
    }
}

/// A feed of the simulated installation.
struct Feed {
    in_use: bool,
    /// Movements an hour.
    liveliness: f64,
    every: Option<TimeDelta>,
    as_of: DateTime<Utc>,
    due: DateTime<Utc>,
    bound: DateTime<Utc>,
}

/// What a simulated day showed.
#[derive(Debug, Default)]
struct Day {
    pulls: u64,
    worst_in_use: TimeDelta,
    worst_other: TimeDelta,
    most_in_a_minute: u64,
}

/// Plays a day through: every second the pulls that are due go in the order of their bounds, as many as the budget has
/// left for them after `taken` of it went to other work. Ages count from the second hour on: at first nobody was pulled.
fn day(brands: usize, used: usize, per_second: f64, taken: f64, hours: i64) -> Day {
    let (shortest, longest, freshness) = SETTINGS;
    let rule = cadence(shortest, longest, freshness);
    let start = trt("2026-11-28 00:00");
    let mut feeds: Vec<Feed> = (0..brands * 2)
        .map(|n| Feed {
            in_use: n / 2 < used,
            // One brand in ten is busy, most have a movement in some hours.
            liveliness: if (n / 2).is_multiple_of(10) { 20.0 } else { 0.3 },
            every: None,
            as_of: start,
            due: start,
            bound: start,
        })
        .collect();
    let mut waiting: BTreeSet<(DateTime<Utc>, usize)> = (0..feeds.len()).map(|n| (start, n)).collect();
    let mut due: BTreeSet<(DateTime<Utc>, usize)> = BTreeSet::new();
    let mut result = Day::default();
    let mut tokens = 0.0;
    let mut random = 7_u64;
    let mut load = Load { in_use: 0, others: 0, wished: 0.0, per_second };
    let mut of_minute = 0;
    for second in 0..hours * 3_600 {
        let now = start + TimeDelta::seconds(second);
        if second % 60 == 0 {
            result.most_in_a_minute = result.most_in_a_minute.max(of_minute);
            of_minute = 0;
            let count = |wanted| feeds.iter().filter(|feed| feed.in_use == wanted).count() as u64;
            let rates =
                feeds.iter().filter_map(|feed| feed.every).map(|every| 1.0 / every.num_seconds() as f64);
            load = Load { in_use: count(true), others: count(false), wished: rates.sum(), per_second };
            if second >= 7_200 {
                for feed in &feeds {
                    let worst = if feed.in_use { &mut result.worst_in_use } else { &mut result.worst_other };
                    *worst = (*worst).max(now - feed.as_of);
                }
            }
        }
        while let Some((at, n)) = waiting.first().copied().filter(|(at, _)| *at <= now) {
            waiting.remove(&(at, n));
            due.insert((feeds[n].bound, n));
        }
        tokens = (tokens + per_second - taken).min(per_second);
        while tokens >= 1.0
            && let Some((_, n)) = due.pop_first()
        {
            tokens -= 1.0;
            result.pulls += 1;
            of_minute += 1;
            let feed = &mut feeds[n];
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let hours = (now - feed.as_of).num_seconds() as f64 / 3_600.0;
            let found = (feed.liveliness * hours + (random >> 33) as f64 / f64::from(1_u32 << 31)) as u64;
            let wish = rule.wish(feed.every, found, feed.in_use);
            let plan = rule.plan(wish, feed.in_use, &load);
            feed.every = Some(wish);
            feed.as_of = now;
            feed.due = now + plan.next;
            feed.bound = now + plan.bound;
            waiting.insert((feed.due, n));
        }
    }
    result
}

#[expect(clippy::disallowed_methods, reason = "how tests/run says which size it wants")]
fn is_full() -> bool {
    std::env::var("KOPRU_TEST_SCALE").is_ok_and(|scale| scale == "full")
}

/// 5 000 brands at 8 requests a second, of which filings take a part. Brands in use never pass half the bound of two hours.
#[test]
fn five_thousand_brands_share_eight_requests_a_second() {
    let hours = if is_full() { 24 } else { 5 };
    for (used, taken) in [(0, 3.0), (1_000, 3.0), (5_000, 3.0)] {
        let day = day(5_000, used, 8.0, taken, hours);
        let per_second = day.pulls as f64 / (hours * 3_600) as f64;
        println!(
            "5 000 brands, {used} in use, {taken} of 8 requests/s taken by filings, {hours} h: {per_second:.2} pulls/s, at most {} in a minute; \
             worst age in use {} min, others {} min",
            day.most_in_a_minute,
            day.worst_in_use.num_minutes(),
            day.worst_other.num_minutes()
        );
        assert!(day.worst_in_use <= TimeDelta::minutes(60), "{day:?}");
        assert!(day.worst_other <= TimeDelta::minutes(75), "{day:?}");
        // A second that was not used up adds its rest to the next.
        assert!(day.most_in_a_minute <= 60 * 5 + 8 && per_second <= 5.0, "{day:?}");
    }
}
