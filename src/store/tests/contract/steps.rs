//! Several statements in one go: all of them or none, stage after stage, and the next transaction finds the connection clean.

use kopru_store::{Priority, changes, consents, heads, key_states, permissions, submissions};

use crate::fixture::Store;
use crate::sample::{PROVIDER, at, change, consent, id, key, permission, submission};

on_both!(
    a_head_and_its_keys_come_in_one_go,
    all_steps_are_committed,
    a_failing_step_undoes_the_others,
    a_dropped_transaction_leaves_nothing,
);
on_sqlite!(a_transaction_dropped_outside_the_runtime_leaves_nothing);

async fn begin(store: &Store) -> kopru_store::Tx {
    store.db.begin(Priority::Interactive).await.unwrap()
}

async fn with_head(store: &Store) {
    store.write(async |tx| heads::add(tx, PROVIDER, [7; 32]).await.unwrap()).await;
}

async fn a_head_and_its_keys_come_in_one_go(store: Store) {
    with_head(&store).await;
    let (row, other) = (submission(1), submission(2));
    store
        .write(async |tx| {
            consents::append(tx, PROVIDER, vec![consent(1, &row), consent(2, &other)]).await.unwrap();
            submissions::save(tx, vec![row, other], at(0)).await.unwrap();
            permissions::save(tx, PROVIDER, vec![permission(2), permission(3)], at(0)).await.unwrap();
        })
        .await;
    let mut tx = begin(&store).await;
    let (head, rows) = key_states::lock(&mut tx, PROVIDER, vec![key(1), key(3), key(4)]).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!((head.ledger_seq, head.ledger_hash), (0, [7; 32]));
    assert_eq!(rows.permissions.iter().map(|row| row.key).collect::<Vec<_>>(), [key(3)]);
    assert_eq!(rows.open.iter().map(|row| row.consent_id).collect::<Vec<_>>(), [id(1)]);
    let same =
        store.read(async |tx| key_states::load(tx, PROVIDER, vec![key(1), key(3)]).await.unwrap()).await;
    assert_eq!((same.permissions.len(), same.open.len()), (1, 1));
}

async fn all_steps_are_committed(store: Store) {
    with_head(&store).await;
    // Two sizes of inserts and a stage that reads what the one before it wrote.
    let rows: Vec<_> = (1..=3).map(submission).collect();
    let chain = (1..).zip(&rows).map(|(seq, row)| consent(seq, row)).collect();
    let mut tx = begin(&store).await;
    let (mut head, _) = key_states::lock(&mut tx, PROVIDER, vec![key(1)]).await.unwrap();
    (head.ledger_seq, head.change_seq) = (3, 1);
    let first = vec![
        heads::advance_step(PROVIDER, &head),
        consents::append_step(PROVIDER, chain),
        submissions::add_step(rows, at(0)),
        permissions::save_step(PROVIDER, vec![permission(1)], at(0)),
        changes::append_step(PROVIDER, vec![change(1)]),
    ];
    let second = vec![changes::fan_out_step(PROVIDER, 1, 1, at(0))];
    tx.run_and_commit(vec![first, second]).await.unwrap().flushed().await.unwrap();
    let mut tx = begin(&store).await;
    let (head, rows) = key_states::lock(&mut tx, PROVIDER, vec![key(1), key(2), key(3)]).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!((head.ledger_seq, head.change_seq), (3, 1));
    assert_eq!((rows.permissions.len(), rows.open.len()), (1, 3));
    let counts = store.rows("SELECT count(*) FROM changes", vec![]).await;
    assert_eq!(counts[0].get::<i64>(0).unwrap(), 1);
}

async fn a_failing_step_undoes_the_others(store: Store) {
    with_head(&store).await;
    let steps = |seq| {
        let row = submission(u64::try_from(seq).unwrap());
        vec![consents::append_step(PROVIDER, vec![consent(1, &row)]), submissions::add_step(vec![row], at(0))]
    };
    begin(&store).await.run_and_commit(vec![steps(1)]).await.unwrap().flushed().await.unwrap();
    // The place in the chain is taken.
    let error = begin(&store).await.run_and_commit(vec![steps(2)]).await.unwrap_err();
    assert!(error.is_conflict(), "{error}");
    let left = store.read(async |tx| submissions::find(tx, PROVIDER, id(2)).await.unwrap()).await;
    assert!(left.is_none(), "the good step went with the bad one");
    let head = store.write(async |tx| heads::lock(tx, PROVIDER).await.unwrap()).await;
    assert_eq!(head.ledger_seq, 0, "the next transaction begins as ever");
}

async fn a_dropped_transaction_leaves_nothing(store: Store) {
    with_head(&store).await;
    for number in 1..=3_u64 {
        let mut tx = begin(&store).await;
        submissions::save(&mut tx, vec![submission(number)], at(0)).await.unwrap();
        drop(tx);
    }
    // One that never began.
    drop(begin(&store).await);
    let mut tx = begin(&store).await;
    for number in 1..=3_u64 {
        assert!(submissions::find(&mut tx, PROVIDER, id(number.into())).await.unwrap().is_none());
    }
    tx.commit().await.unwrap();
}

/// Where no task can roll it back, the next one does.
async fn a_transaction_dropped_outside_the_runtime_leaves_nothing(store: Store) {
    with_head(&store).await;
    let mut tx = begin(&store).await;
    submissions::save(&mut tx, vec![submission(1)], at(0)).await.unwrap();
    std::thread::spawn(move || drop(tx)).join().unwrap();
    let mut tx = begin(&store).await;
    assert!(submissions::find(&mut tx, PROVIDER, id(1)).await.unwrap().is_none());
    submissions::save(&mut tx, vec![submission(2)], at(0)).await.unwrap();
    tx.commit().await.unwrap();
}
