//! What all replicas share about the registry: budgets and tokens.

use std::cell::RefCell;

use chrono::{DateTime, TimeDelta, Utc};
use futures::future::join_all;
use kopru_domain::governor::{Circuit, Pace, Tally, Waiting};
use kopru_domain::{BrandCode, IysCode};
use kopru_store::budgets::{self, BudgetRow, HourRow};
use kopru_store::circuits::{self, CircuitRow};
use kopru_store::outcomes::{self, OutcomeRow};
use kopru_store::{Priority, sessions};

use crate::fixture::Store;
use crate::sample::{at, id};

on_both!(
    a_budget_is_kept_by_name,
    no_slot_is_drawn_twice,
    an_hour_forgets_its_draws_after_an_hour,
    an_hour_is_kept_by_name,
    a_draw_that_did_not_count_is_given_back,
    who_waits_elsewhere_is_known_until_it_is_old,
    one_probes_at_a_time,
    outcomes_add_up_by_time_and_brand,
    tokens_are_kept_by_account,
    one_logs_in_at_a_time,
    a_refused_password_is_known_until_a_login_succeeds,
    silence_is_only_ever_lengthened,
);

async fn a_budget_is_kept_by_name(store: Store) {
    let fresh = store.write(async |tx| budgets::lock(tx, "a", at(5)).await.unwrap()).await;
    assert_eq!(
        (fresh.next_slot_at, fresh.blocked_until, fresh.pace, fresh.slots),
        (at(5), None, Pace::default(), 0)
    );
    let slow = Pace { missing: 3, changed_at: Some(at(1)) };
    let used = BudgetRow { next_slot_at: at(9), blocked_until: Some(at(60)), pace: slow, slots: 7 };
    store.write(async |tx| budgets::save(tx, "a", used).await.unwrap()).await;
    let read = async |name| {
        let row = store.write(async |tx| budgets::lock(tx, name, at(5)).await.unwrap()).await;
        (row.next_slot_at, row.blocked_until, row.pace, row.slots)
    };
    assert_eq!(read("a").await, (at(9), Some(at(60)), slow, 7));
    assert_eq!(read("b").await, (at(5), None, Pace::default(), 0));
    assert_eq!(store.read(async |tx| budgets::pace(tx, "a").await.unwrap()).await, slow);
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

async fn a_draw_that_did_not_count_is_given_back(store: Store) {
    store
        .write(async |tx| {
            budgets::give_back(tx, "token").await.unwrap();
            for second in [0, 5, 90] {
                budgets::draw(tx, "token", at(second)).await.unwrap();
            }
            budgets::give_back(tx, "token").await.unwrap();
            budgets::give_back(tx, "token").await.unwrap();
            assert_eq!(budgets::hour(tx, "token", at(100)).await.unwrap().drawn, 1);
        })
        .await;
}

async fn who_waits_elsewhere_is_known_until_it_is_old(store: Store) {
    let (one, other) = (id(1), id(2));
    store
        .write(async |tx| {
            budgets::wait(tx, "r", one, Waiting { first: 1, last: 5 }, at(9)).await.unwrap();
            budgets::wait(tx, "r", one, Waiting { first: 2, last: 3 }, at(10)).await.unwrap();
            budgets::wait(tx, "s", other, Waiting { first: 0, last: 0 }, at(10)).await.unwrap();
        })
        .await;
    let seen = async |replica, second| {
        store.read(async |tx| budgets::waiting_elsewhere(tx, "r", replica, at(second)).await.unwrap()).await
    };
    assert_eq!(seen(other, 9).await, [Waiting { first: 2, last: 3 }]);
    assert_eq!((seen(one, 9).await, seen(other, 10).await), (vec![], vec![]));
    assert_eq!(store.write(async |tx| budgets::forget_waiting(tx, "r", at(10)).await.unwrap()).await, 1);
}

async fn one_probes_at_a_time(store: Store) {
    let open = Circuit { rounds: 2, silent_until: Some(at(50)) };
    let begin = async |probe, rounds, second| {
        store
            .write(async |tx| {
                circuits::begin_probe(tx, "r", id(probe), rounds, at(second + 30), at(second)).await.unwrap()
            })
            .await
    };
    let row = async || store.read(async |tx| circuits::find(tx, "r").await.unwrap()).await;
    assert_eq!(row().await, CircuitRow::default());
    assert!(!begin(1, 2, 0).await, "it was never opened");
    store
        .write(async |tx| {
            assert_eq!(circuits::lock(tx, "r").await.unwrap(), CircuitRow::default());
            circuits::save(tx, "r", open).await.unwrap();
        })
        .await;
    assert!(!begin(1, 1, 0).await, "that round is over");
    assert!(begin(1, 2, 0).await && !begin(2, 2, 29).await, "one at a time");
    let probed = CircuitRow { circuit: open, probe_by: Some(id(1)), probe_until: Some(at(30)) };
    assert_eq!(row().await, probed);
    assert!(begin(2, 2, 30).await, "a lost one is made again");
    store.write(async |tx| circuits::end_probe(tx, "r", id(1)).await.unwrap()).await;
    assert_eq!(row().await.probe_by, Some(id(2)), "only the one who probes gives it back");
    store.write(async |tx| circuits::save(tx, "r", Circuit::default()).await.unwrap()).await;
    assert_eq!(row().await, CircuitRow::default());
}

async fn outcomes_add_up_by_time_and_brand(store: Store) {
    let row = |brand, second, requests, failed| OutcomeRow {
        iys_code: IysCode(i64::from(brand != 0)),
        brand_code: BrandCode(brand),
        since: at(second),
        tally: Tally { requests, failed },
    };
    store
        .write(async |tx| {
            let rows = vec![row(0, 0, 10, 1), row(0, 60, 5, 5), row(7, 60, 4, 3), row(8, 60, 4, 2)];
            outcomes::add(tx, "r", rows).await.unwrap();
            outcomes::add(tx, "r", vec![row(0, 60, 1, 0), row(7, 60, 1, 1), row(9, 0, 9, 9)]).await.unwrap();
            outcomes::add(tx, "s", vec![row(0, 60, 100, 100)]).await.unwrap();
        })
        .await;
    let total = async |after, now| {
        store.read(async |tx| outcomes::total(tx, "r", at(after), at(now)).await.unwrap()).await
    };
    assert_eq!(total(-1, 60).await, Tally { requests: 16, failed: 6 });
    assert_eq!(total(0, 60).await, Tally { requests: 6, failed: 5 });
    assert_eq!(total(-1, 59).await, Tally { requests: 10, failed: 1 });
    let failing =
        store.read(async |tx| outcomes::failing_brands(tx, "r", at(0), at(60)).await.unwrap()).await;
    assert_eq!(failing, [(IysCode(1), BrandCode(7), Tally { requests: 5, failed: 4 })]);
    assert_eq!(store.write(async |tx| outcomes::purge(tx, at(0)).await.unwrap()).await, 2);
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

async fn a_refused_password_is_known_until_a_login_succeeds(store: Store) {
    let refused = async || store.read(async |tx| sessions::refused(tx).await.unwrap()).await;
    let find = async || store.read(async |tx| sessions::find(tx, "a").await.unwrap().unwrap()).await;
    store.write(async |tx| sessions::refuse(tx, "a", vec![1]).await.unwrap()).await;
    store.write(async |tx| sessions::refuse(tx, "a", vec![2]).await.unwrap()).await;
    assert_eq!((find().await.refused, refused().await), (Some(vec![2]), vec!["a".to_owned()]));
    store.write(async |tx| sessions::save(tx, "a", vec![3]).await.unwrap()).await;
    assert_eq!((find().await.refused, refused().await), (None, vec![]));
    store.write(async |tx| sessions::forget(tx, "a").await.unwrap()).await;
    assert!(store.read(async |tx| sessions::find(tx, "a").await.unwrap()).await.is_none());
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
