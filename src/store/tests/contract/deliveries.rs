//! Deliveries: first in, first out inside one (endpoint, permission key).

use std::cell::RefCell;
use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use futures::future::join_all;
use kopru_domain::IysCode;
use kopru_store::changes::{self, ChangeRow};
use kopru_store::deliveries::{self, AttemptRow, DeliveryRow, DeliveryState, Finish};
use kopru_store::endpoints::{self, EndpointRow};
use kopru_store::{Claim, Priority};

use crate::fixture::Store;
use crate::sample::{
    BRAND, OTHER_BRAND, OTHER_PROVIDER, PROVIDER, assert_same, at, change, claim, endpoint, id, key,
};

on_both!(
    an_event_is_fanned_out_to_the_endpoints_of_its_brand,
    a_claim_takes_the_head_of_each_key,
    keys_and_endpoints_do_not_wait_for_each_other,
    a_head_that_waits_lets_its_followers_wait,
    a_parked_head_lets_the_next_go,
    a_lease_that_ran_out_is_claimed_again,
    a_lost_claim_finishes_nothing,
    many_outcomes_are_recorded_at_once,
    what_was_not_attempted_is_given_back,
    what_waits_may_be_made_due_at_once,
    attempts_are_kept_in_order,
    deliveries_are_listed_newest_first,
    workers_deliver_every_key_in_order,
);

/// Endpoint 1, and one event for each of these keys.
async fn events(store: &Store, of: &[u64]) {
    let rows: Vec<ChangeRow> = (1..)
        .zip(of)
        .map(|(seq, number)| ChangeRow { key: key(*number), created_at: at(0), ..change(seq) })
        .collect();
    store
        .write(async |tx| {
            endpoints::add(tx, &endpoint(1)).await.unwrap();
            changes::append(tx, PROVIDER, rows).await.unwrap();
        })
        .await;
}

async fn claimed(store: &Store, business: i64, wire: i64, mine: Claim) -> Vec<DeliveryRow> {
    let mut rows = Vec::new();
    store
        .write(async |tx| {
            for endpoint in endpoints::list(tx, PROVIDER, id(0), 50).await.unwrap() {
                let of = (PROVIDER, endpoint.id);
                rows.extend(deliveries::claim(tx, of, 100, at(business), at(wire), mine).await.unwrap());
            }
        })
        .await;
    rows.sort_by_key(|row| (row.endpoint_id, row.change_seq));
    rows
}

fn places(rows: &[DeliveryRow]) -> Vec<i64> {
    rows.iter().map(|row| row.change_seq).collect()
}

fn outcome(row: &DeliveryRow, state: DeliveryState, next_attempt_at: DateTime<Utc>) -> Finish {
    let attempt =
        AttemptRow { attempt: row.attempt, at: at(3), status: Some(200), error: None, elapsed_ms: 12 };
    Finish { state, next_attempt_at, attempt }
}

async fn finish(store: &Store, row: &DeliveryRow, mine: Claim, state: DeliveryState, next: i64) -> bool {
    let outcome = outcome(row, state, at(next));
    let done = [(row.clone(), outcome)];
    store.write(async |tx| deliveries::finish(tx, &done, mine, at(3)).await.unwrap()).await == 0
}

async fn an_event_is_fanned_out_to_the_endpoints_of_its_brand(store: Store) {
    store
        .write(async |tx| {
            let with = |number, brand_code| EndpointRow { brand_code, ..endpoint(number) };
            endpoints::add(tx, &with(1, None)).await.unwrap();
            endpoints::add(tx, &with(2, Some(BRAND))).await.unwrap();
            endpoints::add(tx, &with(3, Some(OTHER_BRAND))).await.unwrap();
            endpoints::add(tx, &with(4, Some(BRAND))).await.unwrap();
            endpoints::add(tx, &EndpointRow { iys_code: OTHER_PROVIDER, ..with(5, None) }).await.unwrap();
            assert!(endpoints::disable(tx, PROVIDER, id(4), "test").await.unwrap());
            let other = ChangeRow { brand_code: OTHER_BRAND, ..change(2) };
            changes::append(tx, PROVIDER, vec![change(1), other]).await.unwrap();
            // What was appended before is not fanned out again.
            changes::append(tx, PROVIDER, vec![change(3)]).await.unwrap();
        })
        .await;
    let rows = claimed(&store, 100, 0, claim(1, 60)).await;
    let targets: Vec<(u128, i64)> =
        rows.iter().map(|row| (row.endpoint_id.as_u128(), row.change_seq)).collect();
    assert_eq!(targets, [(1, 1), (1, 2), (1, 3), (2, 1), (2, 3), (3, 2)]);
    assert!(rows.iter().all(|row| row.iys_code == PROVIDER && row.key == key(row.change_seq.unsigned_abs())));
}

async fn a_claim_takes_the_head_of_each_key(store: Store) {
    events(&store, &[1, 2, 1, 2, 3]).await;
    let rows = claimed(&store, 0, 0, claim(1, 60)).await;
    assert_eq!(places(&rows), [1, 2, 5]);
    let first = DeliveryRow {
        iys_code: PROVIDER,
        endpoint_id: id(1),
        change_seq: 1,
        replay: 0,
        key: key(1),
        state: DeliveryState::InFlight,
        attempt: 1,
        next_attempt_at: at(0),
        last_status: None,
        last_error: None,
        updated_at: at(0),
    };
    assert_same!(rows[0], first);
    assert!(claimed(&store, 0, 0, claim(2, 60)).await.is_empty(), "the followers wait for what is in flight");
    assert!(finish(&store, &rows[0], claim(1, 60), DeliveryState::Delivered, 0).await);
    assert_eq!(places(&claimed(&store, 0, 0, claim(2, 60)).await), [3]);
    assert_eq!(store.read(async |tx| deliveries::open_count(tx).await.unwrap()).await, 4);
}

async fn keys_and_endpoints_do_not_wait_for_each_other(store: Store) {
    store.write(async |tx| endpoints::add(tx, &endpoint(2)).await.unwrap()).await;
    events(&store, &[1, 1]).await;
    let rows = claimed(&store, 0, 0, claim(1, 60)).await;
    assert_eq!(places(&rows), [1, 1], "one for each endpoint");
    assert!(finish(&store, &rows[1], claim(1, 60), DeliveryState::Delivered, 0).await);
    let next = claimed(&store, 0, 0, claim(1, 60)).await;
    assert_eq!((next[0].endpoint_id, next[0].change_seq, next.len()), (id(2), 2, 1));
}

async fn a_head_that_waits_lets_its_followers_wait(store: Store) {
    events(&store, &[1, 1, 2]).await;
    let rows = claimed(&store, 0, 0, claim(1, 60)).await;
    assert_eq!(places(&rows), [1, 3]);
    assert!(finish(&store, &rows[0], claim(1, 60), DeliveryState::Queued, 300).await);
    assert!(claimed(&store, 299, 0, claim(1, 60)).await.is_empty());
    let again = claimed(&store, 300, 0, claim(1, 60)).await;
    assert_eq!((places(&again), again[0].attempt), (vec![1], 2));
    assert_eq!((again[0].last_status, again[0].next_attempt_at), (Some(200), at(300)));
}

async fn a_parked_head_lets_the_next_go(store: Store) {
    events(&store, &[1, 1, 1]).await;
    for place in [1, 2] {
        let rows = claimed(&store, 0, 0, claim(1, 60)).await;
        assert_eq!(places(&rows), [place]);
        assert!(finish(&store, &rows[0], claim(1, 60), DeliveryState::Parked, 0).await);
    }
    let listed =
        store.read(async |tx| deliveries::list(tx, PROVIDER, id(1), (i64::MAX, 0), 10).await.unwrap()).await;
    let states: Vec<DeliveryState> = listed.iter().map(|row| row.state).collect();
    assert_eq!(states, [DeliveryState::Queued, DeliveryState::Parked, DeliveryState::Parked]);
}

async fn a_lease_that_ran_out_is_claimed_again(store: Store) {
    events(&store, &[1, 1]).await;
    assert_eq!(places(&claimed(&store, 0, 0, claim(1, 60)).await), [1]);
    assert!(
        claimed(&store, 1_000, 60, claim(2, 120)).await.is_empty(),
        "the lease holds to its last instant"
    );
    let again = claimed(&store, 1_000, 61, claim(2, 120)).await;
    assert_eq!((places(&again), again[0].attempt), (vec![1], 2));
}

async fn a_lost_claim_finishes_nothing(store: Store) {
    events(&store, &[1]).await;
    let late = claimed(&store, 0, 0, claim(1, 60)).await;
    let now = claimed(&store, 0, 61, claim(2, 120)).await;
    assert!(!finish(&store, &late[0], claim(1, 60), DeliveryState::Parked, 0).await);
    assert!(finish(&store, &now[0], claim(2, 120), DeliveryState::Delivered, 0).await);
    assert!(
        !finish(&store, &now[0], claim(2, 120), DeliveryState::Queued, 0).await,
        "what has ended stays ended"
    );
    let listed =
        store.read(async |tx| deliveries::list(tx, PROVIDER, id(1), (i64::MAX, 0), 10).await.unwrap()).await;
    assert_eq!(listed[0].state, DeliveryState::Delivered);
}

async fn many_outcomes_are_recorded_at_once(store: Store) {
    events(&store, &[1, 2, 3, 4, 5]).await;
    let rows = claimed(&store, 0, 0, claim(1, 60)).await;
    let states = [
        DeliveryState::Delivered,
        DeliveryState::Queued,
        DeliveryState::Delivered,
        DeliveryState::Parked,
        DeliveryState::Delivered,
    ];
    let mut done: Vec<(DeliveryRow, Finish)> =
        rows.iter().zip(states).map(|(row, state)| (row.clone(), outcome(row, state, at(50)))).collect();
    done[2].1.attempt.status = Some(204);
    // Somebody else has taken the last one meanwhile.
    claimed(&store, 0, 61, claim(2, 120)).await;
    store
        .execute("UPDATE deliveries SET claimed_by = $1 WHERE change_seq < 5", kopru_store::args![id(1)])
        .await;
    let lost =
        store.write(async |tx| deliveries::finish(tx, &done, claim(1, 60), at(9)).await.unwrap()).await;
    assert_eq!(lost, 1);
    let mut found =
        store.read(async |tx| deliveries::list(tx, PROVIDER, id(1), (i64::MAX, 0), 10).await.unwrap()).await;
    found.reverse();
    let told: Vec<_> = found.iter().map(|row| (row.state, row.last_status, row.next_attempt_at)).collect();
    assert_eq!(
        told,
        [
            (DeliveryState::Delivered, Some(200), at(9)),
            (DeliveryState::Queued, Some(200), at(50)),
            (DeliveryState::Delivered, Some(204), at(9)),
            (DeliveryState::Parked, Some(200), at(50)),
            (DeliveryState::InFlight, None, at(0)),
        ]
    );
    for row in &found {
        assert_eq!(store.read(async |tx| deliveries::attempts(tx, row).await.unwrap()).await.len(), 1);
    }
}

async fn what_was_not_attempted_is_given_back(store: Store) {
    events(&store, &[1, 2, 3]).await;
    let rows = claimed(&store, 0, 0, claim(1, 60)).await;
    assert!(finish(&store, &rows[0], claim(1, 60), DeliveryState::Queued, 40).await);
    let release = async |by, seqs: Vec<i64>| {
        store
            .write(async |tx| deliveries::release(tx, PROVIDER, id(1), seqs, claim(by, 60)).await.unwrap())
            .await;
    };
    release(2, vec![1, 2, 3]).await;
    assert!(claimed(&store, 0, 0, claim(3, 60)).await.is_empty(), "a stranger gives nothing back");
    release(1, vec![1, 2]).await;
    let again = claimed(&store, 0, 0, claim(3, 60)).await;
    assert_eq!((places(&again), again[0].attempt), (vec![2], 1), "it was not an attempt");
    let first = claimed(&store, 40, 0, claim(3, 60)).await;
    assert_eq!((places(&first), first[0].attempt), (vec![1], 2), "what was attempted has kept its wait");
}

async fn what_waits_may_be_made_due_at_once(store: Store) {
    events(&store, &[1, 2, 3]).await;
    let rows = claimed(&store, 0, 0, claim(1, 60)).await;
    for (row, next) in rows.iter().zip([500, 300]) {
        assert!(finish(&store, row, claim(1, 60), DeliveryState::Queued, next).await);
    }
    let retried =
        store.write(async |tx| deliveries::retry_now(tx, PROVIDER, id(1), at(9), 1).await.unwrap()).await;
    assert_eq!(retried, 1);
    assert_eq!(places(&claimed(&store, 9, 0, claim(2, 60)).await), [2], "the third is in flight");
    assert_eq!(places(&claimed(&store, 500, 0, claim(2, 60)).await), [1]);
}

async fn attempts_are_kept_in_order(store: Store) {
    events(&store, &[1]).await;
    let mut expected = Vec::new();
    for attempt in 1..=3 {
        let rows = claimed(&store, 0, 0, claim(1, 60)).await;
        assert_eq!(rows[0].attempt, attempt);
        let attempt = AttemptRow {
            attempt,
            at: at(attempt),
            status: (attempt == 2).then_some(503),
            error: (attempt != 2).then(|| "bağlantı yok".to_owned()),
            elapsed_ms: 10 * attempt,
        };
        expected.push(attempt.clone());
        let finish = Finish { state: DeliveryState::Queued, next_attempt_at: at(0), attempt };
        let done = [(rows[0].clone(), finish)];
        store.write(async |tx| deliveries::finish(tx, &done, claim(1, 60), at(9)).await.unwrap()).await;
    }
    let row = claimed(&store, 0, 0, claim(1, 60)).await.remove(0);
    let found = store.read(async |tx| deliveries::attempts(tx, &row).await.unwrap()).await;
    assert_same!(found, expected);
    let other = DeliveryRow { replay: 1, ..row };
    assert!(store.read(async |tx| deliveries::attempts(tx, &other).await.unwrap()).await.is_empty());
}

async fn deliveries_are_listed_newest_first(store: Store) {
    events(&store, &[1, 2, 3, 4, 5]).await;
    let list = async |endpoint, before, limit| {
        let rows = store
            .read(async |tx| deliveries::list(tx, PROVIDER, id(endpoint), (before, 0), limit).await.unwrap())
            .await;
        places(&rows)
    };
    assert_eq!(list(1, i64::MAX, 2).await, [5, 4]);
    assert_eq!(list(1, 4, 10).await, [3, 2, 1]);
    assert!(list(2, i64::MAX, 10).await.is_empty());
    let elsewhere = store
        .read(async |tx| deliveries::list(tx, IysCode(1), id(1), (i64::MAX, 0), 10).await.unwrap())
        .await;
    assert!(elsewhere.is_empty());
}

/// Five workers, 30 keys, 240 events, some parked: each key's events end in their order, none twice.
async fn workers_deliver_every_key_in_order(store: Store) {
    let of: Vec<u64> = (0..240).map(|place| place * 7 % 30).collect();
    events(&store, &of).await;
    let ended: RefCell<BTreeMap<_, Vec<i64>>> = RefCell::default();
    let worker = async |by| {
        let mine = claim(by, 60);
        while ended.borrow().values().map(Vec::len).sum::<usize>() < 240 {
            let mut tx = store.db.begin(Priority::Bulk).await.unwrap();
            let rows = deliveries::claim(&mut tx, (PROVIDER, id(1)), 6, at(0), at(0), mine).await.unwrap();
            tx.commit().await.unwrap();
            for row in rows {
                let state =
                    if row.change_seq % 11 == 0 { DeliveryState::Parked } else { DeliveryState::Delivered };
                let done = [(row.clone(), outcome(&row, state, at(0)))];
                let mut tx = store.db.begin(Priority::Bulk).await.unwrap();
                assert_eq!(deliveries::finish(&mut tx, &done, mine, at(0)).await.unwrap(), 0);
                ended.borrow_mut().entry(row.key).or_default().push(row.change_seq);
                tx.commit().await.unwrap();
            }
        }
    };
    join_all((1..=5).map(worker)).await;
    let ended = ended.into_inner();
    assert_eq!(ended.len(), 30);
    assert!(ended.values().all(|places| places.len() == 8 && places.is_sorted()), "{ended:?}");
    assert_eq!(store.read(async |tx| deliveries::open_count(tx).await.unwrap()).await, 0);
}
