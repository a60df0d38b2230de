//! Replays: events are queued once more, part by part, outside the order of their keys.

use kopru_store::changes::{self, ChangeRow};
use kopru_store::deliveries::{self, AttemptRow, DeliveryRow, DeliveryState, Finish, Part};
use kopru_store::endpoints::{self, EndpointRow};

use crate::fixture::Store;
use crate::sample::{BRAND, OTHER_BRAND, OTHER_PROVIDER, PROVIDER, at, change, claim, endpoint, id, key};

on_both!(
    numbers_of_replays_rise,
    a_part_is_queued_once_more,
    only_the_endpoint_s_brand_is_replayed,
    a_replay_stands_outside_the_order,
    a_replayed_event_ends_by_itself,
    replays_are_listed_beside_their_events,
    the_feed_is_searched_by_place,
);

async fn events(store: &Store, of: EndpointRow, keys: &[u64]) {
    let rows: Vec<ChangeRow> = (1..)
        .zip(keys)
        .map(|(seq, number)| ChangeRow {
            key: key(*number),
            brand_code: if seq % 2 == 0 { OTHER_BRAND } else { BRAND },
            created_at: at(seq),
            ..change(seq)
        })
        .collect();
    store
        .write(async |tx| {
            endpoints::add(tx, &of).await.unwrap();
            changes::append(tx, PROVIDER, rows).await.unwrap();
        })
        .await;
}

async fn claimed(store: &Store) -> Vec<DeliveryRow> {
    let mut rows = store
        .write(async |tx| {
            deliveries::claim(tx, (PROVIDER, id(1)), 100, at(100), at(0), claim(1, 60)).await.unwrap()
        })
        .await;
    rows.sort_by_key(|row| (row.change_seq, row.replay));
    rows
}

async fn finish(store: &Store, rows: &[DeliveryRow], state: DeliveryState) {
    let done: Vec<(DeliveryRow, Finish)> = rows
        .iter()
        .map(|row| {
            let attempt =
                AttemptRow { attempt: row.attempt, at: at(0), status: Some(200), error: None, elapsed_ms: 1 };
            (row.clone(), Finish { state, next_attempt_at: at(0), attempt })
        })
        .collect();
    assert_eq!(
        store.write(async |tx| deliveries::finish(tx, &done, claim(1, 60), at(0)).await.unwrap()).await,
        0
    );
}

async fn deliver_all(store: &Store) {
    loop {
        let rows = claimed(store).await;
        if rows.is_empty() {
            return;
        }
        finish(store, &rows, DeliveryState::Delivered).await;
    }
}

async fn replay(store: &Store, part: Part, since: i64) -> u64 {
    store
        .write(async |tx| deliveries::replay(tx, PROVIDER, id(1), part, at(since), at(50)).await.unwrap())
        .await
}

fn part(replay: i64, after: i64, until: i64) -> Part {
    Part { replay, after, until }
}

fn places(rows: &[DeliveryRow]) -> Vec<(i64, i64)> {
    rows.iter().map(|row| (row.change_seq, row.replay)).collect()
}

async fn numbers_of_replays_rise(store: Store) {
    store
        .write(async |tx| {
            endpoints::add(tx, &endpoint(1)).await.unwrap();
            for number in 1..=3 {
                assert_eq!(endpoints::next_replay(tx, PROVIDER, id(1)).await.unwrap(), Some(number));
            }
            assert_eq!(endpoints::next_replay(tx, OTHER_PROVIDER, id(1)).await.unwrap(), None);
        })
        .await;
}

async fn a_part_is_queued_once_more(store: Store) {
    events(&store, endpoint(1), &[1, 2, 3, 4, 5, 6]).await;
    deliver_all(&store).await;
    assert_eq!(
        replay(&store, part(1, 1, 5), 3).await,
        3,
        "places 2 to 5 of those that happened at 3 or later"
    );
    let rows = claimed(&store).await;
    assert_eq!(places(&rows), [(3, 1), (4, 1), (5, 1)]);
    assert!(rows.iter().all(|row| row.attempt == 1 && row.key == key(row.change_seq.unsigned_abs())));
    assert_eq!(replay(&store, part(1, 5, 6), 3).await, 1);
    assert_eq!(replay(&store, part(1, 6, 900), 3).await, 0);
}

async fn only_the_endpoint_s_brand_is_replayed(store: Store) {
    events(&store, EndpointRow { brand_code: Some(OTHER_BRAND), ..endpoint(1) }, &[1, 2, 3, 4]).await;
    deliver_all(&store).await;
    assert_eq!(replay(&store, part(1, 0, 4), 0).await, 2);
    assert_eq!(places(&claimed(&store).await), [(2, 1), (4, 1)]);
}

async fn a_replay_stands_outside_the_order(store: Store) {
    events(&store, endpoint(1), &[7, 7, 7]).await;
    let head = claimed(&store).await;
    finish(&store, &head, DeliveryState::Parked).await;
    let second = claimed(&store).await;
    assert_eq!(places(&second), [(2, 0)]);
    // The second is in flight and the third waits for it: both come by themselves. The parked one comes again.
    assert_eq!(replay(&store, part(1, 0, 3), 0).await, 1);
    assert_eq!(places(&claimed(&store).await), [(1, 1)]);
    // And nobody waits for what is replayed.
    finish(&store, &second, DeliveryState::Delivered).await;
    assert_eq!(places(&claimed(&store).await), [(3, 0)]);
}

async fn a_replayed_event_ends_by_itself(store: Store) {
    events(&store, endpoint(1), &[1, 2]).await;
    deliver_all(&store).await;
    for number in [1, 2] {
        assert_eq!(replay(&store, part(number, 0, 2), 0).await, 2);
    }
    let rows = claimed(&store).await;
    assert_eq!(places(&rows), [(1, 1), (1, 2), (2, 1), (2, 2)]);
    finish(&store, &rows[..1], DeliveryState::Delivered).await;
    let open = async |part| {
        store.read(async |tx| deliveries::open_of_replay(tx, PROVIDER, id(1), part).await.unwrap()).await
    };
    assert_eq!(open(part(1, 0, 2)).await, 1);
    assert_eq!(open(part(1, 0, 1)).await, 0);
    assert_eq!(open(part(2, 0, 2)).await, 2);
    let of = |row: &DeliveryRow| row.clone();
    let first = store.read(async |tx| deliveries::attempts(tx, &of(&rows[0])).await.unwrap()).await;
    let second = store.read(async |tx| deliveries::attempts(tx, &of(&rows[1])).await.unwrap()).await;
    assert_eq!((first.len(), second.len()), (1, 0));
}

async fn replays_are_listed_beside_their_events(store: Store) {
    events(&store, endpoint(1), &[1, 2]).await;
    deliver_all(&store).await;
    replay(&store, part(1, 0, 2), 0).await;
    replay(&store, part(2, 1, 2), 0).await;
    let list = async |before, limit| {
        let rows =
            store.read(async |tx| deliveries::list(tx, PROVIDER, id(1), before, limit).await.unwrap()).await;
        places(&rows)
    };
    assert_eq!(list((i64::MAX, 0), 10).await, [(2, 2), (2, 1), (2, 0), (1, 1), (1, 0)]);
    assert_eq!(list((2, 2), 2).await, [(2, 1), (2, 0)]);
    assert_eq!(list((2, 0), 10).await, [(1, 1), (1, 0)]);
}

async fn the_feed_is_searched_by_place(store: Store) {
    events(&store, endpoint(1), &[1, 2, 3]).await;
    store
        .read(async |tx| {
            assert_eq!(changes::at_or_after(tx, PROVIDER, 0).await.unwrap(), Some((1, at(1))));
            assert_eq!(changes::at_or_after(tx, PROVIDER, 3).await.unwrap(), Some((3, at(3))));
            assert_eq!(changes::at_or_after(tx, PROVIDER, 4).await.unwrap(), None);
            assert_eq!(changes::at_or_after(tx, OTHER_PROVIDER, 1).await.unwrap(), None);
        })
        .await;
}
