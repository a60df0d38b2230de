//! Push: receivers with a token each, bodies kept once, approvals that wait for the feed, and what was pushed.

use chrono::{DateTime, Utc};
use kopru_domain::{Channel, IysCode};
use kopru_store::cursors;
use kopru_store::push::{self, ConnectionRow, ConnectionState, Merged, PushRow};
use kopru_store::{Claim, brands};

use crate::fixture::Store;
use crate::sample::{BRAND, OTHER_BRAND, PROVIDER, at, brand, claim, id};

on_both!(
    a_receiver_is_found_by_its_token,
    a_receiver_is_claimed_settled_and_removed,
    the_same_bytes_are_kept_once,
    an_approval_waits_until_the_feed_shows_it,
    what_was_pushed_is_known,
    old_pushes_are_forgotten,
);

fn connection(number: u8) -> ConnectionRow {
    ConnectionRow {
        iys_code: PROVIDER,
        id: id(u128::from(number)),
        brand_code: BRAND,
        channel: Channel::Message,
        state: ConnectionState::Registering,
        token_hash: vec![number; 32],
        credentials_hash: vec![number + 100; 32],
        sealed: vec![1, 2, 3],
        code: None,
        active_since: None,
        confirmed_at: None,
        gap_at: None,
        attempt: 0,
        next_attempt_at: at(0),
        last_error: None,
        created_at: at(i64::from(number)),
    }
}

fn body(number: u8) -> PushRow {
    PushRow {
        iys_code: PROVIDER,
        connection_id: id(1),
        digest: vec![number; 32],
        brand_code: BRAND,
        channel: Channel::Message,
        sealed: vec![number],
        received_at: at(i64::from(number)),
        attempt: 0,
    }
}

async fn add(store: &Store, row: ConnectionRow) {
    store.write(async |tx| push::add(tx, &row).await.unwrap()).await;
}

async fn of_brand(store: &Store) -> Vec<ConnectionRow> {
    store.read(async |tx| push::of_brand(tx, PROVIDER, BRAND).await.unwrap()).await
}

async fn a_receiver_is_found_by_its_token(store: Store) {
    add(&store, connection(1)).await;
    add(&store, ConnectionRow { brand_code: OTHER_BRAND, ..connection(2) }).await;
    add(&store, ConnectionRow { iys_code: IysCode(1), ..connection(3) }).await;
    let found = store.read(async |tx| push::by_token(tx, &[2; 32]).await.unwrap().unwrap()).await;
    assert_eq!((found.id, found.brand_code, found.state), (id(2), OTHER_BRAND, ConnectionState::Registering));
    assert_eq!((found.credentials_hash, found.sealed), (vec![102; 32], vec![1, 2, 3]));
    assert!(store.read(async |tx| push::by_token(tx, &[9; 32]).await.unwrap()).await.is_none());
    assert_eq!(of_brand(&store).await.len(), 1);
}

async fn claimed(store: &Store, business: i64, wire: i64, mine: Claim) -> Option<ConnectionRow> {
    store.write(async |tx| push::claim(tx, at(business), at(wire), mine, None).await.unwrap()).await
}

async fn a_receiver_is_claimed_settled_and_removed(store: Store) {
    add(&store, connection(1)).await;
    add(&store, ConnectionRow { next_attempt_at: at(5), ..connection(2) }).await;
    let only =
        store.write(async |tx| push::claim(tx, at(9), at(0), claim(7, 60), Some(id(2))).await.unwrap()).await;
    assert_eq!(only.map(|row| row.id), Some(id(2)));
    let row = claimed(&store, 9, 0, claim(1, 60)).await.unwrap();
    assert_eq!((row.id, row.attempt), (id(1), 1));
    assert!(claimed(&store, 9, 60, claim(1, 60)).await.is_none());
    let active = ConnectionRow {
        state: ConnectionState::Active,
        active_since: Some(at(9)),
        confirmed_at: Some(at(9)),
        attempt: 0,
        next_attempt_at: at(100),
        ..row
    };
    store
        .write(async |tx| {
            assert!(!push::settle(tx, &active, claim(2, 60)).await.unwrap(), "another's claim");
            assert!(push::settle(tx, &active, claim(1, 60)).await.unwrap());
            assert_eq!(push::gap(tx, PROVIDER, BRAND, Channel::Message, at(50)).await.unwrap(), 2);
            assert_eq!(push::gap(tx, PROVIDER, BRAND, Channel::Message, at(40)).await.unwrap(), 0);
        })
        .await;
    let found = of_brand(&store).await.remove(0);
    assert_eq!(
        (found.state, found.active_since, found.gap_at),
        (ConnectionState::Active, Some(at(9)), Some(at(50)))
    );

    // Removed while a step of it is going on: what the step says comes too late.
    let row = claimed(&store, 100, 0, claim(3, 60)).await.unwrap();
    store
        .write(async |tx| {
            assert!(push::remove(tx, PROVIDER, id(1), at(110)).await.unwrap());
            assert!(!push::remove(tx, PROVIDER, id(1), at(120)).await.unwrap());
            assert!(!push::settle(tx, &row, claim(3, 60)).await.unwrap());
        })
        .await;
    let row = claimed(&store, 110, 0, claim(4, 60)).await.unwrap();
    assert_eq!((row.state, row.attempt), (ConnectionState::Removing, 1));
    store
        .write(async |tx| {
            assert!(!push::delete(tx, &row, claim(3, 60)).await.unwrap());
            assert!(push::delete(tx, &row, claim(4, 60)).await.unwrap());
        })
        .await;
    assert_eq!(of_brand(&store).await.len(), 1);
}

async fn taken(store: &Store, business: i64, mine: Claim) -> Vec<PushRow> {
    store.write(async |tx| push::claim_pushes(tx, at(business), at(0), mine, 10).await.unwrap()).await
}

async fn keep(store: &Store, number: u8) -> bool {
    let row = body(number);
    store.write(async |tx| push::store(tx, &row).await.unwrap()).await
}

async fn the_same_bytes_are_kept_once(store: Store) {
    assert!(keep(&store, 1).await && !keep(&store, 1).await && keep(&store, 2).await);
    let due = async |seconds| store.read(async |tx| push::is_due(tx, at(seconds)).await.unwrap()).await;
    assert!(due(9).await && !due(0).await);
    let lagging = async |since| {
        store.read(async |tx| push::is_lagging(tx, PROVIDER, BRAND, at(since)).await.unwrap()).await
    };
    assert!(lagging(2).await && !lagging(1).await);
    let rows = taken(&store, 9, claim(1, 60)).await;
    let mut digests: Vec<u8> = rows.iter().map(|row| row.digest[0]).collect();
    digests.sort_unstable();
    assert_eq!((digests, rows[0].attempt), (vec![1, 2], 1));
    assert!(taken(&store, 9, claim(2, 60)).await.is_empty());
    store
        .write(async |tx| {
            assert!(!push::merged(tx, &rows[0], claim(2, 60), Merged::Done).await.unwrap());
            assert!(push::merged(tx, &rows[0], claim(1, 60), Merged::Done).await.unwrap());
            push::release(tx, &rows[1], claim(1, 60), at(30)).await.unwrap();
        })
        .await;
    assert!(taken(&store, 29, claim(1, 60)).await.is_empty());
    let again = taken(&store, 30, claim(1, 60)).await;
    assert_eq!((again.len(), again[0].attempt), (1, 2));
    store
        .write(async |tx| {
            assert!(push::merged(tx, &again[0], claim(1, 60), Merged::Unreadable).await.unwrap());
        })
        .await;
    assert!(!keep(&store, 1).await, "nor once it is merged");
    let (unreadable, last) = store
        .read(async |tx| {
            (
                push::unreadable(tx, PROVIDER, id(1)).await.unwrap(),
                push::last_push(tx, PROVIDER, id(1)).await.unwrap(),
            )
        })
        .await;
    assert_eq!((unreadable, last), (1, Some(at(2))));
}

async fn an_approval_waits_until_the_feed_shows_it(store: Store) {
    store
        .write(async |tx| {
            assert!(brands::add(tx, &brand(BRAND)).await.unwrap());
            cursors::add(tx, PROVIDER, BRAND, at(9_000)).await.unwrap();
        })
        .await;
    for (number, visible) in [(1, 3_600), (2, 3_700)] {
        keep(&store, number).await;
        let rows = taken(&store, 9, claim(1, 60)).await;
        store
            .write(async |tx| {
                let waiting = Merged::Waiting(at(visible));
                assert!(push::merged(tx, &rows[0], claim(1, 60), waiting).await.unwrap());
                push::bring_forward(tx, PROVIDER, BRAND, at(visible)).await.unwrap();
            })
            .await;
    }
    let next = async |feed: &str| {
        let rows = store.read(async |tx| cursors::of_brand(tx, PROVIDER, BRAND).await.unwrap()).await;
        rows.into_iter().find(|row| row.feed == feed).map(|row| row.next_attempt_at)
    };
    assert_eq!((next("IYS").await, next("HS").await), (Some(at(3_600)), Some(at(9_000))));
    let shown = async |seconds| -> Option<DateTime<Utc>> {
        store.write(async |tx| push::shown(tx, PROVIDER, BRAND, at(seconds)).await.unwrap()).await
    };
    assert_eq!(shown(3_599).await, Some(at(3_600)));
    assert_eq!(shown(3_600).await, Some(at(3_700)));
    let open = store.read(async |tx| push::open_counts(tx).await.unwrap()).await;
    assert!(
        open.contains(&("waiting".to_owned(), 1, Some(at(2))))
            && open.contains(&("stored".to_owned(), 0, None)),
        "{open:?}"
    );
    assert_eq!(shown(9_000).await, None);
}

async fn what_was_pushed_is_known(store: Store) {
    let (one, two) = (vec![1; 16], vec![2; 16]);
    store
        .write(async |tx| {
            push::note(tx, PROVIDER, BRAND, vec![one.clone(), one.clone()], at(0)).await.unwrap();
            push::note(tx, PROVIDER, BRAND, vec![one.clone()], at(9)).await.unwrap();
            push::note(tx, PROVIDER, OTHER_BRAND, vec![two.clone()], at(0)).await.unwrap();
            push::note(tx, PROVIDER, BRAND, vec![], at(0)).await.unwrap();
        })
        .await;
    let asked = vec![one.clone(), two];
    let pushed = store.read(async |tx| push::pushed(tx, PROVIDER, BRAND, asked.clone()).await.unwrap()).await;
    assert_eq!(pushed, [one]);
}

async fn old_pushes_are_forgotten(store: Store) {
    for number in [1, 2, 9] {
        keep(&store, number).await;
    }
    let rows = taken(&store, 2, claim(1, 60)).await;
    store
        .write(async |tx| {
            assert!(
                push::merged(
                    tx,
                    rows.iter().find(|row| row.digest[0] == 1).unwrap(),
                    claim(1, 60),
                    Merged::Done
                )
                .await
                .unwrap()
            );
            push::note(tx, PROVIDER, BRAND, vec![vec![1; 16]], at(1)).await.unwrap();
            assert_eq!(push::purge(tx, at(5)).await.unwrap(), 2, "what is not merged stays");
            assert_eq!(push::purge(tx, at(5)).await.unwrap(), 0);
        })
        .await;
}
