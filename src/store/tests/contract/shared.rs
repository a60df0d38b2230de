//! What all replicas share about the registry: budgets and tokens.

use std::cell::RefCell;

use chrono::{DateTime, TimeDelta, Utc};
use futures::future::join_all;
use kopru_store::budgets::{self, BudgetRow};
use kopru_store::{Priority, sessions};

use crate::fixture::Store;
use crate::sample::at;

on_both!(
    a_budget_is_kept_by_name,
    no_slot_is_drawn_twice,
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
