//! Cursors: two pulls a brand, one puller at a time, and a place that moves with the page it belongs to.

use kopru_domain::{BrandCode, IysCode};
use kopru_store::brands::{self, BrandRow};
use kopru_store::cursors::{self, CursorRow, Demand, FEEDS, Next};
use kopru_store::{Claim, Priority};

use crate::fixture::Store;
use crate::sample::{BRAND, OTHER_BRAND, PROVIDER, assert_same, at, brand, claim};

on_both!(
    a_brand_has_two_cursors,
    the_most_overdue_pull_is_claimed_first,
    a_pull_is_nobody_else_s_until_its_lease_runs_out,
    the_place_moves_and_the_end_is_remembered,
    a_failure_is_remembered_until_the_next_success,
    a_lost_claim_moves_nothing,
    a_place_that_is_rolled_back_is_read_again,
    a_disabled_brand_is_not_pulled,
    a_stale_brand_moves_to_the_front,
    of_those_due_the_earliest_bound_goes_first,
    a_use_brings_a_pull_forward,
    what_all_feeds_ask_for_is_counted,
    a_silent_pull_is_told_of_once,
    a_pull_given_back_or_restarted_keeps_the_rest,
    the_stalest_brand_counts,
);

async fn add(store: &Store, code: BrandCode, created: i64) {
    store
        .write(async |tx| {
            let row = BrandRow { created_at: at(created), ..brand(code) };
            assert!(brands::add(tx, &row).await.unwrap());
            cursors::add(tx, PROVIDER, code, at(created)).await.unwrap();
        })
        .await;
}

async fn claimed(store: &Store, business: i64, wire: i64, mine: Claim) -> Option<CursorRow> {
    store.write(async |tx| cursors::claim(tx, at(business), at(wire), mine).await.unwrap()).await
}

async fn of(store: &Store, code: BrandCode) -> Vec<CursorRow> {
    store.read(async |tx| cursors::of_brand(tx, PROVIDER, code).await.unwrap()).await
}

fn fresh(feed: &str) -> CursorRow {
    CursorRow {
        iys_code: PROVIDER,
        brand_code: BRAND,
        feed: feed.to_owned(),
        after: None,
        as_of: None,
        next_attempt_at: at(0),
        attempt: 0,
        last_error: None,
        used_at: None,
        every: 0,
        heard_at: at(0),
    }
}

/// On again at an instant, with its bound a quarter of an hour behind.
fn next(seconds: i64) -> Next {
    Next { at: at(seconds), every: 60, bound_at: at(seconds + 900) }
}

async fn a_brand_has_two_cursors(store: Store) {
    add(&store, BRAND, 0).await;
    assert_same!(of(&store, BRAND).await, [fresh("HS"), fresh("IYS")]);
    let mut feeds: Vec<String> = of(&store, BRAND).await.into_iter().map(|row| row.feed).collect();
    feeds.sort_by_key(|feed| FEEDS.iter().position(|known| known == feed));
    assert_eq!(feeds, FEEDS);
    // Again changes nothing, not even the place.
    let row = claimed(&store, 0, 0, claim(1, 60)).await.unwrap();
    store.write(async |tx| assert!(cursors::advance(tx, &row, claim(1, 60), "p").await.unwrap())).await;
    store.write(async |tx| cursors::add(tx, PROVIDER, BRAND, at(9)).await.unwrap()).await;
    let after: Vec<_> = of(&store, BRAND).await.into_iter().filter_map(|row| row.after).collect();
    assert_eq!(after, ["p"]);
    assert!(store.read(async |tx| cursors::of_brand(tx, IysCode(1), BRAND).await.unwrap()).await.is_empty());
}

async fn the_most_overdue_pull_is_claimed_first(store: Store) {
    add(&store, BRAND, 10).await;
    add(&store, OTHER_BRAND, 5).await;
    assert!(claimed(&store, 4, 0, claim(1, 60)).await.is_none());
    let mut order = Vec::new();
    while let Some(row) = claimed(&store, 20, 0, claim(1, 60)).await {
        assert_eq!(row.attempt, 1);
        order.push(row.brand_code);
    }
    assert_eq!(order, [OTHER_BRAND, OTHER_BRAND, BRAND, BRAND]);
}

async fn a_pull_is_nobody_else_s_until_its_lease_runs_out(store: Store) {
    add(&store, BRAND, 0).await;
    let first = claimed(&store, 0, 0, claim(1, 60)).await.unwrap();
    let second = claimed(&store, 0, 0, claim(2, 90)).await.unwrap();
    assert_ne!(first.feed, second.feed);
    assert!(claimed(&store, 500, 60, claim(3, 120)).await.is_none());
    let third = claimed(&store, 500, 61, claim(3, 120)).await.unwrap();
    assert_eq!((third.feed, third.attempt), (first.feed, 2));
}

async fn the_place_moves_and_the_end_is_remembered(store: Store) {
    add(&store, BRAND, 0).await;
    let row = claimed(&store, 0, 0, claim(1, 60)).await.unwrap();
    let place = async || of(&store, BRAND).await.into_iter().find(|found| found.feed == row.feed).unwrap();
    // Each page renews the lease.
    store.write(async |tx| assert!(cursors::advance(tx, &row, claim(1, 100), "page-1").await.unwrap())).await;
    assert_eq!(place().await.after.as_deref(), Some("page-1"));
    let mut other = claimed(&store, 0, 99, claim(2, 200)).await.unwrap();
    assert_ne!(other.feed, row.feed);
    assert!(claimed(&store, 0, 100, claim(3, 200)).await.is_none());
    store
        .write(async |tx| assert!(cursors::finish(tx, &row, claim(1, 100), at(0), next(900)).await.unwrap()))
        .await;
    let expected = CursorRow {
        after: Some("page-1".to_owned()),
        as_of: Some(at(0)),
        next_attempt_at: at(900),
        every: 60,
        ..fresh(&row.feed)
    };
    assert_same!(place().await, expected);
    assert!(claimed(&store, 899, 150, claim(3, 200)).await.is_none());
    other = claimed(&store, 900, 150, claim(3, 200)).await.unwrap();
    assert_eq!((other.feed, other.attempt), (row.feed.clone(), 1));
}

async fn a_failure_is_remembered_until_the_next_success(store: Store) {
    add(&store, BRAND, 0).await;
    let mut row = claimed(&store, 0, 0, claim(1, 60)).await.unwrap();
    store
        .write(async |tx| {
            assert!(cursors::fail(tx, &row, claim(1, 60), "503: ara verildi", at(30)).await.unwrap());
        })
        .await;
    let feed = row.feed.clone();
    while row.next_attempt_at != at(30) {
        row = claimed(&store, 30, 0, claim(2, 60)).await.unwrap();
    }
    assert_eq!((&row.feed, row.attempt, row.last_error.as_deref()), (&feed, 2, Some("503: ara verildi")));
    assert_eq!(row.as_of, None);
    store
        .write(async |tx| assert!(cursors::finish(tx, &row, claim(2, 60), at(30), next(60)).await.unwrap()))
        .await;
    let found = of(&store, BRAND).await.into_iter().find(|found| found.feed == feed).unwrap();
    assert_eq!((found.attempt, found.last_error), (0, None));
}

async fn a_lost_claim_moves_nothing(store: Store) {
    add(&store, BRAND, 0).await;
    let row = claimed(&store, 0, 0, claim(1, 60)).await.unwrap();
    let (stranger, before) = (claim(2, 60), format!("{:?}", of(&store, BRAND).await));
    store
        .write(async |tx| {
            assert!(!cursors::advance(tx, &row, stranger, "p").await.unwrap());
            assert!(!cursors::finish(tx, &row, stranger, at(0), next(9)).await.unwrap());
            assert!(!cursors::fail(tx, &row, stranger, "e", at(9)).await.unwrap());
        })
        .await;
    assert_eq!(before, format!("{:?}", of(&store, BRAND).await));
    // Its own holder cannot do anything after the end either.
    store
        .write(async |tx| {
            assert!(cursors::finish(tx, &row, claim(1, 60), at(0), next(9)).await.unwrap());
            assert!(!cursors::advance(tx, &row, claim(1, 60), "p").await.unwrap());
        })
        .await;
}

/// The cursor is saved in the transaction that applies the page: both or neither.
async fn a_place_that_is_rolled_back_is_read_again(store: Store) {
    add(&store, BRAND, 0).await;
    let row = claimed(&store, 0, 0, claim(1, 60)).await.unwrap();
    let mut tx = store.db.begin(Priority::Bulk).await.unwrap();
    assert!(cursors::advance(&mut tx, &row, claim(1, 90), "lost").await.unwrap());
    drop(tx);
    assert!(of(&store, BRAND).await.iter().all(|row| row.after.is_none()));
}

async fn a_disabled_brand_is_not_pulled(store: Store) {
    add(&store, BRAND, 0).await;
    assert!(store.write(async |tx| brands::disable(tx, PROVIDER, BRAND).await.unwrap()).await);
    assert!(claimed(&store, 100, 100, claim(1, 160)).await.is_none());
    assert_eq!(store.read(async |tx| cursors::stalest(tx, at(0)).await.unwrap()).await, (None, None));
}

async fn a_stale_brand_moves_to_the_front(store: Store) {
    add(&store, BRAND, 0).await;
    add(&store, OTHER_BRAND, 0).await;
    let finish = async |now| {
        for _ in 0..4 {
            let row = claimed(&store, now, 0, claim(1, 60)).await.unwrap();
            store
                .write(async |tx| {
                    assert!(cursors::finish(tx, &row, claim(1, 60), at(now), next(now + 900)).await.unwrap());
                })
                .await;
        }
    };
    finish(0).await;
    let moved = async |now| {
        store
            .write(async |tx| {
                cursors::to_the_front(tx, PROVIDER, OTHER_BRAND, at(now), at(-100)).await.unwrap()
            })
            .await
    };
    assert_eq!(moved(100).await, 2);
    assert_eq!(moved(100).await, 0, "they are due already");
    assert_eq!(moved(200).await, 0, "and are not put off again");
    for _ in 0..2 {
        assert_eq!(claimed(&store, 100, 0, claim(1, 60)).await.unwrap().brand_code, OTHER_BRAND);
    }
    assert!(claimed(&store, 100, 0, claim(1, 60)).await.is_none());
}

async fn the_stalest_brand_counts(store: Store) {
    let stalest = async || store.read(async |tx| cursors::stalest(tx, at(0)).await.unwrap()).await.0;
    assert_eq!(stalest().await, None);
    add(&store, BRAND, 10).await;
    assert_eq!(stalest().await, Some(at(10)), "a brand that was never pulled counts from its beginning");
    for as_of in [100, 200] {
        let row = claimed(&store, 50, 0, claim(1, 60)).await.unwrap();
        store
            .write(async |tx| {
                assert!(cursors::finish(tx, &row, claim(1, 60), at(as_of), next(999)).await.unwrap());
            })
            .await;
    }
    assert_eq!(stalest().await, Some(at(100)), "the older of its two sources");
    add(&store, OTHER_BRAND, 150).await;
    assert_eq!(stalest().await, Some(at(100)));
}

async fn of_those_due_the_earliest_bound_goes_first(store: Store) {
    for (code, bound) in [(BRAND, 500), (OTHER_BRAND, 400)] {
        add(&store, code, 0).await;
        for _ in FEEDS {
            let row = claimed(&store, 0, 0, claim(1, 60)).await.unwrap();
            let next = Next { at: at(bound - 400), every: 60, bound_at: at(bound) };
            store
                .write(async |tx| {
                    assert!(cursors::finish(tx, &row, claim(1, 60), at(0), next).await.unwrap());
                })
                .await;
        }
    }
    // Both are due; the other one longer, but this one's bound is nearer.
    let mut order = Vec::new();
    while let Some(row) = claimed(&store, 100, 0, claim(1, 60)).await {
        order.push(row.brand_code);
    }
    assert_eq!(order, [OTHER_BRAND, OTHER_BRAND, BRAND, BRAND]);
}

async fn a_use_brings_a_pull_forward(store: Store) {
    add(&store, BRAND, 0).await;
    let row = claimed(&store, 0, 0, claim(1, 60)).await.unwrap();
    let used_at = async || store.write(async |tx| cursors::held(tx, &row, claim(1, 60)).await.unwrap()).await;
    assert_eq!(used_at().await, Some(None));
    for found in of(&store, BRAND).await {
        let row = CursorRow { next_attempt_at: at(30), ..found };
        store.write(async |tx| cursors::used(tx, &row, at(7), at(40)).await.unwrap()).await;
    }
    assert_eq!(used_at().await, Some(Some(at(7))));
    let uses: Vec<_> =
        of(&store, BRAND).await.into_iter().map(|row| (row.used_at, row.next_attempt_at)).collect();
    assert_eq!(uses, [(Some(at(7)), at(30)), (Some(at(7)), at(30))]);
    assert_eq!(
        store.write(async |tx| cursors::held(tx, &row, claim(2, 60)).await.unwrap()).await,
        None,
        "another's claim"
    );
}

async fn what_all_feeds_ask_for_is_counted(store: Store) {
    let demand = async || store.read(async |tx| cursors::demand(tx, at(5)).await.unwrap()).await;
    assert_eq!(demand().await, Demand { feeds: 0, in_use: 0, wished: 0 });
    add(&store, BRAND, 0).await;
    add(&store, OTHER_BRAND, 0).await;
    let row = claimed(&store, 0, 0, claim(1, 60)).await.unwrap();
    store
        .write(async |tx| {
            assert!(cursors::finish(tx, &row, claim(1, 60), at(9), next(60)).await.unwrap());
            cursors::used(tx, &row, at(5), at(40)).await.unwrap();
        })
        .await;
    assert_eq!(demand().await, Demand { feeds: 4, in_use: 1, wished: 1_000_000_000 / 60 });
    let ages = store.read(async |tx| cursors::stalest(tx, at(5)).await.unwrap()).await;
    assert_eq!(ages, (Some(at(0)), Some(at(9))));
    store.write(async |tx| brands::disable(tx, PROVIDER, row.brand_code).await.unwrap()).await;
    assert_eq!(demand().await, Demand { feeds: 2, in_use: 0, wished: 0 });
}

async fn a_silent_pull_is_told_of_once(store: Store) {
    add(&store, BRAND, 0).await;
    add(&store, OTHER_BRAND, 0).await;
    let row = claimed(&store, 0, 0, claim(1, 60)).await.unwrap();
    store.write(async |tx| assert!(cursors::fail(tx, &row, claim(1, 60), "503", at(9)).await.unwrap())).await;
    let since = at(1);
    let untold = async || store.read(async |tx| cursors::untold(tx, since).await.unwrap()).await;
    let silent = store.read(async |tx| cursors::silent(tx, since, 9).await.unwrap()).await;
    let with_cause = silent.iter().find(|silent| silent.brand_code == row.brand_code).unwrap();
    assert_eq!(
        (silent.len(), with_cause.heard_at, with_cause.last_error.as_deref()),
        (2, at(0), Some("503"))
    );
    assert_eq!(store.read(async |tx| cursors::silent_count(tx, since).await.unwrap()).await, 2);
    assert_eq!(untold().await.len(), 4);
    for (feed, active, silent) in untold().await {
        assert!(active);
        let told =
            async || store.write(async |tx| cursors::told(tx, &feed, &silent, since).await.unwrap()).await;
        assert!(told().await && !told().await);
    }
    assert!(untold().await.is_empty());
    // Heard of again, and silent again: that is news.
    let row = claimed(&store, 9, 0, claim(1, 60)).await.unwrap();
    store
        .write(async |tx| assert!(cursors::finish(tx, &row, claim(1, 60), at(0), next(60)).await.unwrap()))
        .await;
    assert_eq!(untold().await.len(), 1);
    store.write(async |tx| brands::disable(tx, PROVIDER, row.brand_code).await.unwrap()).await;
    assert!(untold().await.iter().all(|(_, active, _)| !active));
    assert_eq!(store.read(async |tx| cursors::silent_count(tx, since).await.unwrap()).await, 1);
}

async fn a_pull_given_back_or_restarted_keeps_the_rest(store: Store) {
    add(&store, BRAND, 0).await;
    let row = claimed(&store, 0, 0, claim(1, 60)).await.unwrap();
    store
        .write(async |tx| {
            assert!(cursors::advance(tx, &row, claim(1, 60), "page-1").await.unwrap());
            assert!(!cursors::put_back(tx, &row, claim(2, 60), at(5)).await.unwrap());
            assert!(cursors::put_back(tx, &row, claim(1, 60), at(5)).await.unwrap());
        })
        .await;
    let place = async || of(&store, BRAND).await.into_iter().find(|found| found.feed == row.feed).unwrap();
    let expected = CursorRow { after: Some("page-1".to_owned()), next_attempt_at: at(5), ..fresh(&row.feed) };
    assert_same!(place().await, expected);
    assert_eq!(store.write(async |tx| cursors::restart(tx, PROVIDER, BRAND, at(0)).await.unwrap()).await, 0);
    assert_eq!(store.write(async |tx| cursors::restart(tx, PROVIDER, BRAND, at(1)).await.unwrap()).await, 2);
    assert_eq!(place().await.after, None);
}
