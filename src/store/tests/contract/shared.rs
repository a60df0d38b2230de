//! What all replicas share about the registry: budgets and tokens.

use std::cell::RefCell;

use chrono::{DateTime, TimeDelta, Utc};
use futures::future::join_all;
use kopru_store::budgets::{self, BudgetRow, HourRow};
use kopru_store::{Priority, sessions};

use crate::fixture::Store;
use crate::sample::at;

on_both!(
    a_budget_is_kept_by_name,
    no_slot_is_drawn_twice,
    an_hour_forgets_its_draws_after_an_hour,
    an_hour_is_kept_by_name,
    tokens_are_kept_by_account,
    one_logs_in_at_a_time,
    silence_is_only_ever_lengthened,
);

async fn a_budget_is_kept_by_name(store: Store) {
    let fresh = store.write(async |tx| budgets::lock(tx, "a", at(5)).await.unwrap()).await;
    assert_eq!((fresh.next_slot_at, fresh.blocked_until, fresh.failures), (at(5), None, 0));
    let used = BudgetRow { next_slot_at: at(9), blocked_until: Some(at(60)), failures: 3 };
    store.write(async |tx| budgets::save(tx, "a", used).await.unwrap()).await;
    let read = async |name| {
        let row = store.write(async |tx| budgets::lock(tx, name, at(5)).await.unwrap()).await;
        (row.next_slot_at, row.blocked_until, row.failures)
    };
    assert_eq!(read("a").await, (at(9), Some(at(60)), 3));
    assert_eq!(read("b").await, (at(5), None, 0));
}

/// Six replicas, 20 requests each: no two share a slot, and the slots are a fixed step apart.
async fn no_slot_is_drawn_twice(store: Store) {
    let step = TimeDelta::milliseconds(125);
    let drawn: RefCell<Vec<DateTime<Utc>>> = RefCell::default();
    let replica = async |_: u32| {
        for _ in 0..20 {
            let mut tx = store.db.begin(Priority::Interactive).await.unwrap();
            let budget = budgets::lock(&mut tx, "registry", at(0)).await.unwrap();
            tokio::task::yield_now().await;
            let next_slot_at = budget.next_slot_at + step;
            budgets::save(&mut tx, "registry", BudgetRow { next_slot_at, ..budget }).await.unwrap();
            tx.commit().await.unwrap();
            drawn.borrow_mut().push(budget.next_slot_at);
        }
    };
    join_all((0..6).map(replica)).await;
    let mut drawn = drawn.into_inner();
    drawn.sort_unstable();
    let expected: Vec<_> = (0..120).map(|place| at(0) + step * place).collect();
    assert_eq!(drawn, expected);
}

async fn tokens_are_kept_by_account(store: Store) {
    let find = async |account| {
        let row = store.read(async |tx| sessions::find(tx, account).await.unwrap()).await;
        row.map(|row| (row.sealed, row.halted_until))
    };
    assert_eq!(find("partner").await, None);
    for sealed in [b"one".to_vec(), b"two".to_vec()] {
        store.write(async |tx| sessions::save(tx, "partner", sealed.clone()).await.unwrap()).await;
        assert_eq!(find("partner").await, Some((Some(sealed), None)));
    }
    assert_eq!(find("own/700001").await, None);
    store.write(async |tx| sessions::halt(tx, "own/700001", at(3_600)).await.unwrap()).await;
    assert_eq!(find("own/700001").await, Some((None, Some(at(3_600)))));
    // A token that was got before the halt does not lift it.
    store.write(async |tx| sessions::save(tx, "own/700001", b"old".to_vec()).await.unwrap()).await;
    assert_eq!(find("own/700001").await, Some((Some(b"old".to_vec()), Some(at(3_600)))));
}

async fn one_logs_in_at_a_time(store: Store) {
    let begin = async |holder: &'static str, until, now| {
        store
            .write(async |tx| sessions::begin_login(tx, "partner", holder, at(until), at(now)).await.unwrap())
            .await
    };
    let won = join_all(["a", "b", "c", "d"].map(|holder| begin(holder, 30, 0))).await;
    assert_eq!(won.iter().filter(|won| **won).count(), 1, "{won:?}");
    let holder = ["a", "b", "c", "d"][won.iter().position(|won| *won).unwrap()];
    assert!(begin(holder, 60, 20).await, "its holder renews it");
    assert!(!begin("e", 90, 60).await, "it holds to its last instant");
    assert!(begin("e", 90, 61).await);
    let end = async |holder| {
        store.write(async |tx| sessions::end_login(tx, "partner", holder).await.unwrap()).await;
    };
    end(holder).await;
    assert!(!begin(holder, 120, 62).await, "a former holder gives nothing back");
    end("e").await;
    assert!(begin("f", 120, 62).await);
    let row = store.read(async |tx| sessions::find(tx, "partner").await.unwrap().unwrap()).await;
    assert_eq!((row.sealed, row.halted_until), (None, None));
}

async fn silence_is_only_ever_lengthened(store: Store) {
    for (until, expected) in [(50, 50), (90, 90), (70, 90)] {
        store.write(async |tx| sessions::halt(tx, "partner", at(until)).await.unwrap()).await;
        let row = store.read(async |tx| sessions::find(tx, "partner").await.unwrap().unwrap()).await;
        assert_eq!(row.halted_until, Some(at(expected)));
    }
}

async fn an_hour_forgets_its_draws_after_an_hour(store: Store) {
    let draw =
        async |second| store.write(async |tx| budgets::draw(tx, "status", at(second)).await.unwrap()).await;
    let hour =
        async |second| store.read(async |tx| budgets::hour(tx, "status", at(second)).await.unwrap()).await;
    assert_eq!(hour(0).await, HourRow { drawn: 0, oldest_until: None, blocked_until: None });
    for second in [0, 1, 600, 3_599] {
        draw(second).await;
    }
    assert_eq!(hour(3_599).await.drawn, 4);
    let until = hour(3_599).await.oldest_until.unwrap();
    assert!(
        until >= at(3_601) && until <= at(3_660),
        "the last second of the first minute is an hour old: {until}"
    );
    let first_gone = (until - at(0)).num_seconds();
    assert_eq!((hour(first_gone - 1).await.drawn, hour(first_gone).await.drawn), (4, 2));
    // A clock that was set back: draws of the future count for nothing.
    assert_eq!(hour(-7_200).await.drawn, 0);
    draw(20_000).await;
    assert_eq!(
        store.number("SELECT count(*) FROM budget_draws", vec![]).await,
        1,
        "old minutes are forgotten"
    );
}

async fn an_hour_is_kept_by_name(store: Store) {
    store
        .write(async |tx| {
            let budget = budgets::lock(tx, "status", at(0)).await.unwrap();
            budgets::save(tx, "status", BudgetRow { blocked_until: Some(at(90)), ..budget }).await.unwrap();
            budgets::draw(tx, "history", at(0)).await.unwrap();
            let status = budgets::hour(tx, "status", at(0)).await.unwrap();
            assert_eq!((status.drawn, status.blocked_until), (0, Some(at(90))));
            let history = budgets::hour(tx, "history", at(0)).await.unwrap();
            assert_eq!((history.drawn, history.blocked_until), (1, None));
        })
        .await;
}
