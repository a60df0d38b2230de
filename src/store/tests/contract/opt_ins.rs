//! Double opt-ins: found by their token, locked while they are tried, listed by state, and sends counted by blind name.

use kopru_domain::opt_in::{OptInState, Way};
use kopru_store::Key;
use kopru_store::opt_ins::{self, OptInRow};

use crate::fixture::Store;
use crate::sample::{BRAND, OTHER_BRAND, PROVIDER, at, id};

on_both!(
    one_is_found_by_its_token_and_saved,
    what_is_confirmed_is_told_until_it_is_done,
    the_overdue_are_abandoned_a_few_at_a_time,
    sends_are_counted_by_name_and_forgotten,
    only_what_nobody_confirmed_is_deleted,
);

fn row(number: u8) -> OptInRow {
    OptInRow {
        iys_code: PROVIDER,
        id: id(u128::from(number)),
        brand_code: BRAND,
        origin: "form".to_owned(),
        way: Way::Code,
        state: OptInState::Pending,
        token_hash: vec![number; 32],
        proof: vec![1; 32],
        address: Key([number; 16]),
        sealed: vec![1, 2, 3],
        good_until: at(180),
        ends_at: at(i64::from(number) * 100),
        wrong: 0,
        sends: 1,
        confirmed_at: None,
        created_at: at(0),
    }
}

async fn add(store: &Store, row: OptInRow) {
    store.write(async |tx| opt_ins::add(tx, &row).await.unwrap()).await;
}

async fn in_state(store: &Store, state: OptInState) -> Vec<OptInRow> {
    store.read(async |tx| opt_ins::list(tx, PROVIDER, BRAND, state, id(0), 100).await.unwrap()).await
}

async fn one_is_found_by_its_token_and_saved(store: Store) {
    add(&store, row(1)).await;
    add(&store, OptInRow { brand_code: OTHER_BRAND, ..row(2) }).await;
    let found = store.read(async |tx| opt_ins::by_token(tx, &[1; 32]).await.unwrap()).await;
    assert_eq!(found, Some(row(1)));
    assert_eq!(store.read(async |tx| opt_ins::by_token(tx, &[9; 32]).await.unwrap()).await, None);
    let tried = OptInRow { wrong: 2, sends: 2, proof: vec![7; 32], good_until: at(400), ..row(1) };
    store
        .write(async |tx| {
            assert_eq!(opt_ins::lock(tx, PROVIDER, id(1)).await.unwrap(), Some(row(1)));
            opt_ins::save(tx, &tried).await.unwrap();
        })
        .await;
    assert_eq!(in_state(&store, OptInState::Pending).await, [tried], "of this brand alone");
}

async fn only_what_nobody_confirmed_is_deleted(store: Store) {
    for (number, state) in
        (1..).zip([OptInState::Abandoned, OptInState::Abandoned, OptInState::Abandoned, OptInState::Done])
    {
        add(&store, OptInRow { state, ..row(number) }).await;
    }
    add(&store, row(5)).await;
    let purge = async |before, limit| {
        store.write(async |tx| opt_ins::purge(tx, at(before), limit).await.unwrap()).await
    };
    assert_eq!(
        [purge(100, 10).await, purge(300, 1).await, purge(300, 10).await, purge(300, 10).await],
        [0, 1, 1, 0]
    );
    assert_eq!(in_state(&store, OptInState::Abandoned).await.len(), 1);
    assert_eq!(purge(10_000, 10).await, 1);
    let left = store.number("SELECT count(*) FROM opt_ins", vec![]).await;
    assert_eq!(left, 2, "what was confirmed, and what may be");
}

async fn what_is_confirmed_is_told_until_it_is_done(store: Store) {
    let confirmed = OptInRow { state: OptInState::Confirmed, confirmed_at: Some(at(50)), ..row(1) };
    add(&store, confirmed.clone()).await;
    add(&store, row(2)).await;
    let told = async || store.read(async |tx| opt_ins::confirmed(tx, 10).await.unwrap()).await;
    assert_eq!(told().await, [confirmed]);
    let done = async || store.write(async |tx| opt_ins::done(tx, PROVIDER, id(1)).await.unwrap()).await;
    assert!(done().await && !done().await, "once");
    assert_eq!(told().await, []);
}

async fn the_overdue_are_abandoned_a_few_at_a_time(store: Store) {
    for number in 1..=3 {
        add(&store, row(number)).await;
    }
    add(&store, OptInRow { state: OptInState::Done, ..row(4) }).await;
    let overdue = async |now| store.read(async |tx| opt_ins::overdue(tx, at(now)).await.unwrap()).await;
    assert!(!overdue(100).await && overdue(101).await);
    let abandon =
        async |now, most| store.write(async |tx| opt_ins::abandon(tx, at(now), most).await.unwrap()).await;
    assert_eq!((abandon(250, 1).await, abandon(250, 10).await, abandon(250, 10).await), (1, 1, 0));
    let ids: Vec<_> = in_state(&store, OptInState::Abandoned).await.iter().map(|row| row.id).collect();
    assert_eq!(ids, [id(1), id(2)]);
}

async fn sends_are_counted_by_name_and_forgotten(store: Store) {
    let (ayse, ali) = (Key([1; 16]), Key([2; 16]));
    store
        .write(async |tx| {
            for (name, second, number) in [(ayse, 0, 1), (ayse, 10, 2), (ayse, 10, 3), (ali, 5, 4)] {
                opt_ins::sent(tx, PROVIDER, name, at(second), id(number)).await.unwrap();
            }
        })
        .await;
    let sends = async |name, since| {
        store.read(async |tx| opt_ins::sends(tx, PROVIDER, name, at(since)).await.unwrap()).await
    };
    assert_eq!(sends(ayse, -1).await, [at(10), at(10), at(0)]);
    assert_eq!(sends(ayse, 0).await.len(), 2);
    assert_eq!(store.write(async |tx| opt_ins::forget_sends(tx, at(6)).await.unwrap()).await, 2);
    assert_eq!((sends(ayse, -1).await.len(), sends(ali, -1).await.len()), (2, 0));
}
