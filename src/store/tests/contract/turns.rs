//! Turns: whom may be called now, by one at a time.

use futures::future::join_all;
use kopru_domain::IysCode;
use kopru_store::changes::{self, ChangeRow};
use kopru_store::deliveries::{self, AttemptRow, DeliveryState, Finish};
use kopru_store::endpoints::{self, EndpointRow, Standing};
use kopru_store::{Claim, Priority};
use uuid::Uuid;

use crate::fixture::Store;
use crate::sample::{PROVIDER, assert_same, at, change, claim, endpoint, id, key};

on_both!(
    the_endpoint_whose_turn_is_longest_ago_comes_first,
    an_endpoint_has_one_turn_at_a_time,
    a_turn_is_won_by_one_of_many,
    a_lost_turn_ends_nothing,
    an_endpoint_that_failed_is_left_alone,
    a_disabled_endpoint_gets_nothing_until_it_is_enabled,
    followers_of_a_head_that_waits_bring_no_turn,
    a_replay_brings_a_turn_whatever_waits,
);

/// These endpoints, and an event for each of these keys, fanned out to all of them.
async fn events(store: &Store, endpoints: std::ops::RangeInclusive<u128>, keys: &[u64]) {
    let rows: Vec<ChangeRow> = (1..)
        .zip(keys)
        .map(|(seq, number)| ChangeRow { key: key(*number), created_at: at(0), ..change(seq) })
        .collect();
    store
        .write(async |tx| {
            for number in endpoints {
                endpoints::add(tx, &endpoint(number)).await.unwrap();
            }
            changes::append(tx, PROVIDER, rows).await.unwrap();
        })
        .await;
}

/// Who may be called, by number.
async fn due(store: &Store, business: i64, wire: i64, failing: bool) -> Vec<u128> {
    let found =
        store.read(async |tx| endpoints::due(tx, at(business), at(wire), failing, 10).await.unwrap()).await;
    assert!(found.iter().all(|(provider, _)| *provider == PROVIDER));
    found.iter().map(|(_, id)| id.as_u128()).collect()
}

async fn turn(store: &Store, number: u128, business: i64, wire: i64, mine: Claim) -> Option<EndpointRow> {
    store
        .write(async |tx| {
            endpoints::claim(tx, PROVIDER, id(number), at(business), at(wire), mine).await.unwrap()
        })
        .await
}

async fn finish(store: &Store, number: u128, mine: Claim, standing: Standing) -> bool {
    store.write(async |tx| endpoints::finish(tx, PROVIDER, id(number), mine, standing).await.unwrap()).await
}

const WELL: Standing = Standing { failures: 0, wait_until: None, failing_since: None };

fn ill(until: i64) -> Standing {
    Standing { failures: 2, wait_until: Some(at(until)), failing_since: Some(at(5)) }
}

/// Claims the first delivery of an endpoint and records what came of it.
async fn attempt(store: &Store, endpoint: Uuid, state: DeliveryState, next: i64) {
    let mine = claim(9, 60);
    store
        .write(async |tx| {
            let row =
                deliveries::claim(tx, (PROVIDER, endpoint), 1, at(0), at(0), mine).await.unwrap().remove(0);
            let attempt =
                AttemptRow { attempt: row.attempt, at: at(0), status: None, error: None, elapsed_ms: 1 };
            let done = [(row, Finish { state, next_attempt_at: at(next), attempt })];
            assert_eq!(deliveries::finish(tx, &done, mine, at(0)).await.unwrap(), 0);
        })
        .await;
}

async fn the_endpoint_whose_turn_is_longest_ago_comes_first(store: Store) {
    events(&store, 1..=3, &[1, 2]).await;
    assert_eq!(due(&store, 0, 0, true).await.len(), 3);
    for (number, when) in [(2, 10), (3, 20), (1, 30)] {
        assert!(turn(&store, number, 0, when, claim(1, 60)).await.is_some());
        assert!(finish(&store, number, claim(1, 60), WELL).await);
    }
    assert_eq!(due(&store, 0, 40, true).await, [2, 3, 1]);
    assert!(due(&store, -1, 40, true).await.is_empty(), "nothing is due yet");
}

async fn an_endpoint_has_one_turn_at_a_time(store: Store) {
    events(&store, 1..=2, &[1]).await;
    let mine = turn(&store, 1, 0, 0, claim(1, 60)).await;
    assert_same!(mine, Some(endpoint(1)));
    assert!(turn(&store, 1, 0, 60, claim(2, 120)).await.is_none(), "the lease holds to its last instant");
    assert_eq!(due(&store, 0, 60, true).await, [2]);
    assert!(turn(&store, 1, 0, 61, claim(2, 120)).await.is_some(), "its holder died");
    assert!(finish(&store, 1, claim(2, 120), WELL).await);
    assert!(turn(&store, 1, 0, 62, claim(3, 120)).await.is_some());
    let foreign = store
        .write(async |tx| endpoints::claim(tx, IysCode(1), id(2), at(0), at(0), claim(1, 60)).await.unwrap())
        .await;
    assert!(foreign.is_none());
}

async fn a_turn_is_won_by_one_of_many(store: Store) {
    events(&store, 1..=1, &[1]).await;
    for round in 0..5 {
        let now = round * 1_000;
        let take = async |by| {
            let mut tx = store.db.begin(Priority::Bulk).await.unwrap();
            let taken = endpoints::claim(&mut tx, PROVIDER, id(1), at(0), at(now), claim(by, now + 60))
                .await
                .unwrap();
            tokio::task::yield_now().await;
            tx.commit().await.unwrap();
            taken.is_some()
        };
        let won = join_all((1..=6).map(take)).await;
        assert_eq!(won.iter().filter(|won| **won).count(), 1, "{won:?}");
    }
}

async fn a_lost_turn_ends_nothing(store: Store) {
    events(&store, 1..=1, &[1]).await;
    assert!(turn(&store, 1, 0, 0, claim(1, 60)).await.is_some());
    assert!(turn(&store, 1, 0, 61, claim(2, 120)).await.is_some());
    assert!(!finish(&store, 1, claim(1, 60), ill(500)).await);
    assert!(finish(&store, 1, claim(2, 120), WELL).await);
    assert!(!finish(&store, 1, claim(2, 120), ill(500)).await, "it has ended already");
    assert_eq!(due(&store, 0, 62, false).await, [1]);
}

async fn an_endpoint_that_failed_is_left_alone(store: Store) {
    events(&store, 1..=2, &[1]).await;
    assert!(turn(&store, 1, 0, 1, claim(1, 60)).await.is_some());
    assert!(finish(&store, 1, claim(1, 60), ill(300)).await);
    assert_eq!(due(&store, 299, 1, true).await, [2]);
    assert!(turn(&store, 1, 299, 1, claim(2, 60)).await.is_none());
    assert_eq!(due(&store, 300, 1, true).await, [2, 1]);
    assert_eq!(due(&store, 300, 1, false).await, [2], "only whoever has room for it tries it again");
    let row = turn(&store, 1, 300, 1, claim(2, 60)).await.unwrap();
    assert_eq!((row.failures, row.wait_until, row.failing_since), (2, Some(at(300)), Some(at(5))));
}

async fn a_disabled_endpoint_gets_nothing_until_it_is_enabled(store: Store) {
    events(&store, 1..=1, &[1]).await;
    assert!(turn(&store, 1, 0, 0, claim(1, 60)).await.is_some());
    store
        .write(async |tx| {
            assert!(endpoints::finish(tx, PROVIDER, id(1), claim(1, 60), ill(300)).await.unwrap());
            assert!(endpoints::disable(tx, PROVIDER, id(1), "gone").await.unwrap());
            // It is not queued for: a replay brings it.
            changes::append(tx, PROVIDER, vec![change(2)]).await.unwrap();
        })
        .await;
    assert!(due(&store, 900, 900, true).await.is_empty());
    assert!(turn(&store, 1, 900, 900, claim(2, 960)).await.is_none());
    assert!(store.write(async |tx| endpoints::enable(tx, PROVIDER, id(1)).await.unwrap()).await);
    assert_eq!(due(&store, 0, 1, false).await, [1], "enabled, it starts afresh");
    assert_same!(turn(&store, 1, 0, 1, claim(2, 60)).await, Some(endpoint(1)));
    assert_eq!(store.read(async |tx| deliveries::open_count(tx).await.unwrap()).await, 1);
}

async fn followers_of_a_head_that_waits_bring_no_turn(store: Store) {
    events(&store, 1..=1, &[1, 1]).await;
    attempt(&store, id(1), DeliveryState::Queued, 100).await;
    assert!(due(&store, 99, 0, true).await.is_empty());
    assert_eq!(due(&store, 100, 0, true).await, [1]);
    attempt_again(&store, DeliveryState::Parked).await;
    assert_eq!(due(&store, 1, 0, true).await, [1], "the head was given up: the next goes");
}

async fn attempt_again(store: &Store, state: DeliveryState) {
    store
        .execute("UPDATE deliveries SET next_attempt_at = $1 WHERE change_seq = 1", kopru_store::args![at(0)])
        .await;
    attempt(store, id(1), state, 0).await;
}

async fn a_replay_brings_a_turn_whatever_waits(store: Store) {
    events(&store, 1..=1, &[1, 1]).await;
    attempt(&store, id(1), DeliveryState::Parked, 0).await;
    attempt(&store, id(1), DeliveryState::Queued, 100).await;
    assert!(due(&store, 50, 0, true).await.is_empty());
    let part = deliveries::Part { replay: 1, after: 0, until: 2 };
    let queued = store
        .write(async |tx| deliveries::replay(tx, PROVIDER, id(1), part, at(0), at(50)).await.unwrap())
        .await;
    assert_eq!(queued, 1, "the second event still waits for its first delivery");
    assert_eq!(due(&store, 50, 0, true).await, [1]);
}
