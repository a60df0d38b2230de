//! Batches: posted once, posted again when nobody knows, looked at until every item is settled.

use kopru_domain::{BrandCode, IysCode};
use kopru_store::batches::{self, BatchRow, BatchState};
use kopru_store::{Claim, Priority};

use crate::fixture::Store;
use crate::sample::{BRAND, OTHER_PROVIDER, PROVIDER, assert_same, at, claim, id};

on_both!(
    a_new_batch_belongs_to_its_maker,
    a_batch_goes_through_its_life,
    an_unknown_outcome_is_claimed_again,
    a_batch_whose_sender_died_counts_as_resent,
    the_longest_waiting_is_claimed_first,
    open_batches_are_counted_by_state,
);
on_postgres!(two_claims_take_two_batches);

fn batch(number: u128) -> BatchRow {
    BatchRow {
        iys_code: PROVIDER,
        id: id(number),
        brand_code: BRAND,
        state: BatchState::Posting,
        body: Some(b"[{},{}]".to_vec()),
        items: 2,
        request_id: None,
        earliest_target: at(900),
        posted_at: None,
        looks: 0,
        attempt: 0,
        next_attempt_at: at(0),
        created_at: at(0),
        claimed_by: None,
        sub_requests: Vec::new(),
        resent: false,
    }
}

/// The row as its claimer holds it.
fn held(row: BatchRow, by: Claim) -> BatchRow {
    BatchRow { claimed_by: Some(by.by), ..row }
}

async fn add(store: &Store, row: BatchRow, mine: Option<Claim>) {
    store.write(async |tx| batches::add(tx, &row, mine).await.unwrap()).await;
}

async fn claimed(store: &Store, business: i64, wire: i64, mine: Claim) -> Option<BatchRow> {
    store.write(async |tx| batches::claim(tx, at(business), at(wire), mine).await.unwrap()).await
}

async fn find(store: &Store) -> BatchRow {
    store.read(async |tx| batches::find(tx, PROVIDER, id(1)).await.unwrap().unwrap()).await
}

async fn a_new_batch_belongs_to_its_maker(store: Store) {
    add(&store, batch(1), Some(claim(1, 60))).await;
    assert_same!(find(&store).await, held(batch(1), claim(1, 60)));
    assert!(claimed(&store, 0, 60, claim(2, 120)).await.is_none());
    let taken = claimed(&store, 0, 61, claim(2, 120)).await;
    assert_same!(taken, Some(held(BatchRow { attempt: 1, ..batch(1) }, claim(2, 120))));
    let elsewhere = store.read(async |tx| batches::find(tx, OTHER_PROVIDER, id(1)).await.unwrap()).await;
    assert!(elsewhere.is_none());
    add(&store, batch(2), None).await;
    assert_eq!(
        claimed(&store, 0, 0, claim(3, 60)).await.unwrap().id,
        id(2),
        "one without a claim is anybody's"
    );
}

async fn a_batch_goes_through_its_life(store: Store) {
    add(&store, BatchRow { attempt: 0, ..batch(1) }, Some(claim(1, 60))).await;
    let ids = ["a".to_owned(), "\"b\"".to_owned()];
    let stranger = held(batch(1), claim(9, 60));
    assert!(
        !store
            .write(async |tx| batches::waiting(tx, &stranger, "req-9", at(5), at(305), &ids).await.unwrap())
            .await
    );
    let mine = held(batch(1), claim(1, 60));
    assert!(
        store
            .write(async |tx| batches::waiting(tx, &mine, "req-1", at(5), at(305), &ids).await.unwrap())
            .await
    );
    let waiting = BatchRow {
        state: BatchState::Waiting,
        request_id: Some("req-1".to_owned()),
        posted_at: Some(at(5)),
        next_attempt_at: at(305),
        sub_requests: ids.to_vec(),
        ..batch(1)
    };
    assert_same!(find(&store).await, waiting);
    assert!(claimed(&store, 304, 0, claim(2, 60)).await.is_none());
    assert_same!(
        claimed(&store, 305, 0, claim(2, 60)).await,
        Some(held(BatchRow { attempt: 1, ..waiting.clone() }, claim(2, 60)))
    );
    assert!(claimed(&store, 305, 0, claim(3, 60)).await.is_none(), "somebody looks at it");
    let looking = held(batch(1), claim(2, 60));
    assert!(store.write(async |tx| batches::look_again(tx, &looking, at(600)).await.unwrap()).await);
    let again = BatchRow { attempt: 1, looks: 1, next_attempt_at: at(600), ..waiting.clone() };
    assert_same!(find(&store).await, again);
    assert!(claimed(&store, 599, 0, claim(3, 60)).await.is_none());
    assert!(claimed(&store, 600, 0, claim(3, 60)).await.is_some());
    assert!(!store.write(async |tx| batches::done(tx, &looking).await.unwrap()).await, "its claim has ended");
    let last = held(batch(1), claim(3, 60));
    assert!(store.write(async |tx| batches::done(tx, &last).await.unwrap()).await);
    let done = find(&store).await;
    assert_eq!((done.state, done.body), (BatchState::Done, None), "the bytes are forgotten");
    assert!(claimed(&store, 9_000, 9_000, claim(3, 9_999)).await.is_none());
}

async fn an_unknown_outcome_is_claimed_again(store: Store) {
    add(&store, batch(1), Some(claim(1, 60))).await;
    let mine = held(batch(1), claim(1, 60));
    assert!(store.write(async |tx| batches::unresolved(tx, &mine, at(30)).await.unwrap()).await);
    assert!(claimed(&store, 29, 0, claim(2, 60)).await.is_none());
    let taken = claimed(&store, 30, 0, claim(2, 60)).await.unwrap();
    assert_eq!(
        (taken.state, taken.body.clone()),
        (BatchState::Unresolved, batch(1).body),
        "with the same bytes"
    );
    // What its items' results say must be read in that light, even when the second POST is answered.
    assert!(taken.resent);
    assert!(
        store.write(async |tx| batches::waiting(tx, &taken, "r", at(40), at(50), &[]).await.unwrap()).await
    );
    assert!(find(&store).await.resent);
    assert!(claimed(&store, 50, 0, claim(3, 60)).await.unwrap().resent);
}

/// Whoever was posting a batch and died may have posted it; one that was made free has never been.
async fn a_batch_whose_sender_died_counts_as_resent(store: Store) {
    add(&store, batch(1), None).await;
    assert!(!claimed(&store, 0, 0, claim(1, 60)).await.unwrap().resent, "the first try");
    assert!(claimed(&store, 0, 61, claim(2, 120)).await.unwrap().resent);
    add(&store, BatchRow { attempt: 1, ..batch(2) }, Some(claim(1, 60))).await;
    assert!(claimed(&store, 0, 61, claim(3, 120)).await.unwrap().resent);
}

async fn the_longest_waiting_is_claimed_first(store: Store) {
    for (number, next) in [(1, 30), (2, 10), (3, 20)] {
        let row = BatchRow { next_attempt_at: at(next), brand_code: BrandCode(next), ..batch(number) };
        add(&store, BatchRow { iys_code: IysCode(next), ..row }, None).await;
    }
    for expected in [2, 3, 1] {
        assert_eq!(claimed(&store, 50, 0, claim(1, 60)).await.unwrap().id, id(expected));
    }
    assert!(claimed(&store, 50, 0, claim(1, 60)).await.is_none());
}

async fn open_batches_are_counted_by_state(store: Store) {
    for number in 1..=5 {
        add(&store, batch(number), Some(claim(1, 60))).await;
    }
    let mine = |number| held(batch(number), claim(1, 60));
    let counts = store
        .write(async |tx| {
            batches::done(tx, &mine(1)).await.unwrap();
            batches::unresolved(tx, &mine(2), at(0)).await.unwrap();
            batches::waiting(tx, &mine(3), "r", at(0), at(0), &[]).await.unwrap();
            let mut counts = batches::open_counts(tx).await.unwrap();
            counts.sort();
            counts
        })
        .await;
    let expected =
        [("posting", 2), ("unresolved", 1), ("waiting", 1)].map(|(state, count)| (state.to_owned(), count));
    assert_eq!(counts, expected);
}

async fn two_claims_take_two_batches(store: Store) {
    add(&store, batch(1), None).await;
    add(&store, BatchRow { next_attempt_at: at(-1), ..batch(2) }, None).await;
    let mut one = store.db.begin(Priority::Bulk).await.unwrap();
    let mut two = store.db.begin(Priority::Bulk).await.unwrap();
    let mut three = store.db.begin(Priority::Bulk).await.unwrap();
    assert_eq!(batches::claim(&mut one, at(0), at(0), claim(1, 60)).await.unwrap().unwrap().id, id(2));
    assert_eq!(batches::claim(&mut two, at(0), at(0), claim(2, 60)).await.unwrap().unwrap().id, id(1));
    assert!(batches::claim(&mut three, at(0), at(0), claim(3, 60)).await.unwrap().is_none());
}
