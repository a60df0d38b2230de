//! Waking: in the process, and between replicas where there are any.

use std::time::Duration;

use kopru_store::wake::Wake;
use kopru_store::{Db, PoolSizes};
use tokio::time::timeout;

use crate::fixture::Store;

on_both!(a_wake_up_reaches_every_subscriber_of_the_process);
on_sqlite!(there_are_no_others_to_wake);
on_postgres!(a_wake_up_reaches_the_other_replicas);

const LONG: Duration = Duration::from_secs(20);

async fn a_wake_up_reaches_every_subscriber_of_the_process(_store: Store) {
    let wake = Wake::default();
    let (mut one, mut own) = (wake.subscribe(), wake.clone().subscribe_own());
    assert!(!one.has_changed().unwrap() && !own.has_changed().unwrap());
    wake.wake();
    for watch in [&mut one, &mut own] {
        timeout(LONG, watch.changed()).await.unwrap().unwrap();
        assert!(!watch.has_changed().unwrap());
    }
    // Many wake-ups before anybody looks are one.
    wake.wake();
    wake.wake();
    one.changed().await.unwrap();
    assert!(!one.has_changed().unwrap());
}

async fn there_are_no_others_to_wake(store: Store) {
    let wake = Wake::default();
    wake.wake_others(&store.db).await.unwrap();
    wake.listen(&store.db).await.unwrap();
    assert!(!wake.subscribe().has_changed().unwrap());
}

async fn a_wake_up_reaches_the_other_replicas(store: Store) {
    let here = Wake::default();
    let there = Wake::default();
    let their_db = Db::connect(&store.url, PoolSizes::default()).await.unwrap();
    let (mut woken, mut own) = (there.subscribe(), there.subscribe_own());
    let listening = there.listen(&their_db);
    // A wake-up before somebody listens is lost, and may be: so it is repeated until it is heard.
    let waking = async {
        while !woken.has_changed().unwrap() {
            here.wake_others(&store.db).await.unwrap();
        }
        woken.changed().await.unwrap();
    };
    tokio::select! {
        ended = listening => panic!("{ended:?}"),
        heard = timeout(LONG, waking) => heard.unwrap(),
    }
    // What came from outside is not passed on: two replicas would wake each other for ever.
    assert!(!own.has_changed().unwrap());
    there.wake();
    own.changed().await.unwrap();
    their_db.close().await;
}
