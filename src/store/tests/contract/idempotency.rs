//! Stored answers: the first of two equal requests wins, its effect and its answer stand or fall together.

use futures::future::join_all;
use kopru_store::idempotency::{self, IdempotencyKey, PartRow};
use kopru_store::{Priority, Tx, providers};

use crate::fixture::Store;
use crate::sample::{PROVIDER, assert_same, at};

on_both!(
    parts_come_back_in_their_order,
    the_first_request_wins,
    an_answer_that_ran_out_is_replaced,
    scopes_do_not_meet,
    an_answer_is_lost_with_its_effect,
    one_of_many_equal_requests_takes_effect,
    what_has_run_out_is_forgotten,
    what_has_run_out_is_forgotten_in_portions,
);

fn scope() -> IdempotencyKey {
    IdempotencyKey {
        iys_code: PROVIDER,
        api_key_id: "k1".to_owned(),
        route: "POST /v1/brands/9/consents".to_owned(),
        key: "İstek-1".to_owned(),
    }
}

fn part(number: i64) -> PartRow {
    PartRow { part: number, body_hash: vec![7; 32], status: Some(202), answer: Some(b"{}".to_vec()) }
}

async fn add(tx: &mut Tx, key: &IdempotencyKey, part: &PartRow, now: i64) -> bool {
    idempotency::add(tx, key, part, at(now), at(now + 100)).await.unwrap()
}

async fn parts(store: &Store, key: &IdempotencyKey, now: i64) -> Vec<PartRow> {
    store.read(async |tx| idempotency::parts(tx, key, at(now)).await.unwrap()).await
}

async fn parts_come_back_in_their_order(store: Store) {
    let running = PartRow { status: None, answer: None, ..part(2) };
    store
        .write(async |tx| {
            for part in [part(1), running.clone(), part(0)] {
                assert!(add(tx, &scope(), &part, 0).await);
            }
        })
        .await;
    assert_same!(parts(&store, &scope(), 99).await, [part(0), part(1), running]);
    assert!(parts(&store, &scope(), 100).await.is_empty(), "they have run out");
}

async fn the_first_request_wins(store: Store) {
    let other = PartRow { body_hash: vec![8; 32], status: Some(422), ..part(0) };
    store.write(async |tx| assert!(add(tx, &scope(), &part(0), 0).await)).await;
    store.write(async |tx| assert!(!add(tx, &scope(), &other, 50).await)).await;
    assert_same!(parts(&store, &scope(), 60).await, [part(0)]);
}

async fn an_answer_that_ran_out_is_replaced(store: Store) {
    let other = PartRow { body_hash: vec![8; 32], status: None, answer: None, ..part(0) };
    store
        .write(async |tx| {
            assert!(add(tx, &scope(), &part(0), 0).await && add(tx, &scope(), &part(1), 0).await);
        })
        .await;
    store.write(async |tx| assert!(add(tx, &scope(), &other, 100).await)).await;
    assert_same!(parts(&store, &scope(), 150).await, [other]);
}

async fn scopes_do_not_meet(store: Store) {
    let others = [
        IdempotencyKey { iys_code: kopru_domain::IysCode(0), ..scope() },
        IdempotencyKey { api_key_id: "k2".to_owned(), ..scope() },
        IdempotencyKey { route: "POST /v1/webhook-endpoints".to_owned(), ..scope() },
        IdempotencyKey { key: "istek-1".to_owned(), ..scope() },
    ];
    store.write(async |tx| assert!(add(tx, &scope(), &part(0), 0).await)).await;
    for other in &others {
        assert!(parts(&store, other, 0).await.is_empty(), "{other:?}");
        store.write(async |tx| assert!(add(tx, other, &part(0), 0).await, "{other:?}")).await;
    }
}

async fn an_answer_is_lost_with_its_effect(store: Store) {
    let mut tx = store.db.begin(Priority::Interactive).await.unwrap();
    assert!(add(&mut tx, &scope(), &part(0), 0).await);
    drop(tx);
    assert!(parts(&store, &scope(), 0).await.is_empty());
    store.write(async |tx| assert!(add(tx, &scope(), &part(0), 0).await)).await;
}

async fn one_of_many_equal_requests_takes_effect(store: Store) {
    let request = async |number: i64| {
        let mut tx = store.db.begin(Priority::Interactive).await.unwrap();
        let title = format!("of request {number}");
        let first = add(&mut tx, &scope(), &part(0), 0).await;
        if first {
            assert!(providers::add(&mut tx, PROVIDER, &title, None, at(0)).await.unwrap());
            tx.commit().await.unwrap();
        }
        first.then_some(title)
    };
    let effects: Vec<String> = join_all((0..6).map(request)).await.into_iter().flatten().collect();
    let stored = store.read(async |tx| providers::find(tx, PROVIDER).await.unwrap().unwrap()).await;
    assert_eq!(effects, [stored.title]);
}

async fn what_has_run_out_is_forgotten(store: Store) {
    store
        .write(async |tx| {
            assert!(add(tx, &scope(), &part(0), 0).await && add(tx, &scope(), &part(1), 1).await);
        })
        .await;
    let purge = async |now, limit| {
        store.write(async |tx| idempotency::purge(tx, at(now), limit).await.unwrap()).await
    };
    assert_eq!(purge(99, 10).await, 0);
    assert_eq!(purge(100, 10).await, 1);
    assert_same!(parts(&store, &scope(), 100).await, [part(1)]);
}

async fn what_has_run_out_is_forgotten_in_portions(store: Store) {
    store
        .write(async |tx| {
            for number in 0..7 {
                assert!(add(tx, &scope(), &part(number), 0).await);
            }
        })
        .await;
    let purge = async || store.write(async |tx| idempotency::purge(tx, at(100), 3).await.unwrap()).await;
    assert_eq!([purge().await, purge().await, purge().await, purge().await], [3, 3, 1, 0]);
}
