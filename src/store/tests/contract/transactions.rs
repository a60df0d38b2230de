//! Transactions, locks and who waits for whom.

use std::cell::RefCell;

use chrono::DateTime;
use futures::future::{join, join_all};
use kopru_store::heads::{self, Head};
use kopru_store::{Priority, StoreError, Tx, budgets, permissions, providers, submissions};
use tokio::task::yield_now;

use crate::fixture::Store;
use crate::sample::{OTHER_PROVIDER, PROVIDER, at, key, permission, submission};

on_both!(
    a_dropped_transaction_leaves_nothing_behind,
    a_failed_statement_spoils_its_transaction_alone,
    what_is_not_committed_is_not_seen,
    a_reading_connection_refuses_to_write,
    a_head_begins_at_the_beginning_and_is_made_once,
    a_head_that_is_missing_is_an_error,
    a_locked_head_lets_the_next_wait,
    no_advance_of_a_head_is_lost,
    the_first_two_draws_of_a_budget_differ,
    permissions_are_written_in_one_order,
    a_bulk_write_lets_interactive_ones_pass,
);

async fn title(store: &Store) -> Option<String> {
    store.read(async |tx| providers::find(tx, PROVIDER).await.unwrap().map(|row| row.title)).await
}

async fn a_dropped_transaction_leaves_nothing_behind(store: Store) {
    for priority in [Priority::Interactive, Priority::Bulk] {
        let mut tx = store.db.begin(priority).await.unwrap();
        assert!(providers::add(&mut tx, PROVIDER, "A", None, at(0)).await.unwrap());
        permissions::save(&mut tx, PROVIDER, vec![permission(1)], at(0)).await.unwrap();
        assert!(providers::find(&mut tx, PROVIDER).await.unwrap().is_some(), "it sees its own writes");
        drop(tx);
        assert_eq!(title(&store).await, None);
        // The connection is in order again, and the gate for bulk work is open.
        let mut tx = store.db.begin(priority).await.unwrap();
        assert!(permissions::of_keys(&mut tx, PROVIDER, vec![key(1)]).await.unwrap().is_empty());
        tx.commit().await.unwrap();
    }
}

async fn a_failed_statement_spoils_its_transaction_alone(store: Store) {
    let mut tx = store.db.begin(Priority::Interactive).await.unwrap();
    assert!(providers::add(&mut tx, PROVIDER, "A", None, at(0)).await.unwrap());
    let broken = crate::fixture::statement("INSERT INTO providers (iys_code) VALUES (1)");
    let error = tx.execute(&broken, vec![]).await.unwrap_err();
    assert!(
        matches!(error, StoreError::Database(_) | StoreError::Sqlite(_)) && !error.is_conflict(),
        "{error:?}"
    );
    drop(tx);
    assert_eq!(title(&store).await, None);
    store.write(async |tx| assert!(providers::add(tx, PROVIDER, "B", None, at(0)).await.unwrap())).await;
    assert_eq!(title(&store).await, Some("B".to_owned()));
}

async fn what_is_not_committed_is_not_seen(store: Store) {
    let mut tx = store.db.begin(Priority::Interactive).await.unwrap();
    providers::add(&mut tx, PROVIDER, "A", None, at(0)).await.unwrap();
    assert_eq!(title(&store).await, None);
    tx.commit().await.unwrap();
    assert_eq!(title(&store).await, Some("A".to_owned()));
}

/// Bulk inserts are refused by the store; on SQLite everything else by the connection.
async fn a_reading_connection_refuses_to_write(store: Store) {
    store
        .read(async |tx| {
            assert!(permissions::save(tx, PROVIDER, vec![permission(1)], at(0)).await.is_err());
            assert!(submissions::save(tx, vec![submission(1)], at(0)).await.is_err());
            if tx.dialect() == kopru_store::Dialect::Sqlite {
                assert!(providers::add(tx, PROVIDER, "A", None, at(0)).await.is_err());
            }
        })
        .await;
}

async fn a_head_begins_at_the_beginning_and_is_made_once(store: Store) {
    store
        .write(async |tx| {
            heads::add(tx, PROVIDER, [7; 32]).await.unwrap();
            let head = heads::lock(tx, PROVIDER).await.unwrap();
            assert_eq!(head, Head { ledger_seq: 0, ledger_hash: [7; 32], change_seq: 0 });
            let next = Head { ledger_seq: 3, ledger_hash: [9; 32], change_seq: 5 };
            heads::advance(tx, PROVIDER, &next).await.unwrap();
            heads::add(tx, PROVIDER, [8; 32]).await.unwrap();
            heads::add(tx, OTHER_PROVIDER, [8; 32]).await.unwrap();
            assert_eq!(heads::get(tx, PROVIDER).await.unwrap(), next);
        })
        .await;
}

async fn a_head_that_is_missing_is_an_error(store: Store) {
    store
        .write(async |tx| {
            assert!(matches!(
                heads::lock(tx, PROVIDER).await,
                Err(StoreError::Corrupt { what: "heads", .. })
            ));
            assert!(matches!(heads::get(tx, PROVIDER).await, Err(StoreError::Corrupt { what: "heads", .. })));
        })
        .await;
}

/// Waits until a second transaction waits for a lock. SQLite has one writer: there the second cannot even begin.
async fn until_somebody_waits(store: &Store) {
    if !store.is_postgres() {
        for _ in 0..100 {
            yield_now().await;
        }
        return;
    }
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    while store.number(waiting, vec![]).await == 0 {
        yield_now().await;
    }
}

/// Runs `first` and, while its transaction is open, `second`; returns who got through when.
async fn race(
    store: &Store,
    first: impl AsyncFn(&mut Tx),
    second: impl AsyncFn(&mut Tx),
) -> Vec<&'static str> {
    let order = RefCell::new(Vec::new());
    let mut tx = store.db.begin(Priority::Interactive).await.unwrap();
    first(&mut tx).await;
    join(
        async {
            until_somebody_waits(store).await;
            order.borrow_mut().push("first");
            tx.commit().await.unwrap();
        },
        async {
            let mut tx = store.db.begin(Priority::Interactive).await.unwrap();
            second(&mut tx).await;
            order.borrow_mut().push("second");
            tx.commit().await.unwrap();
        },
    )
    .await;
    order.into_inner()
}

async fn a_locked_head_lets_the_next_wait(store: Store) {
    store.write(async |tx| heads::add(tx, PROVIDER, [0; 32]).await.unwrap()).await;
    let order = race(
        &store,
        async |tx| {
            let head = heads::lock(tx, PROVIDER).await.unwrap();
            heads::advance(tx, PROVIDER, &Head { change_seq: 41, ..head }).await.unwrap();
        },
        async |tx| assert_eq!(heads::lock(tx, PROVIDER).await.unwrap().change_seq, 41),
    )
    .await;
    assert_eq!(order, ["first", "second"]);
}

async fn no_advance_of_a_head_is_lost(store: Store) {
    store.write(async |tx| heads::add(tx, PROVIDER, [0; 32]).await.unwrap()).await;
    let writer = async || {
        for _ in 0..20 {
            let mut tx = store.db.begin(Priority::Bulk).await.unwrap();
            let head = heads::lock(&mut tx, PROVIDER).await.unwrap();
            yield_now().await;
            let next = Head { ledger_seq: head.ledger_seq + 1, change_seq: head.change_seq + 2, ..head };
            heads::advance(&mut tx, PROVIDER, &next).await.unwrap();
            tx.commit().await.unwrap();
        }
    };
    join_all((0..6).map(|_| writer())).await;
    let head = store.read(async |tx| heads::get(tx, PROVIDER).await.unwrap()).await;
    assert_eq!((head.ledger_seq, head.change_seq), (120, 240));
}

/// Two replicas that meet a new budget at once must not draw the same slot.
async fn the_first_two_draws_of_a_budget_differ(store: Store) {
    let draw = async |tx: &mut Tx| -> DateTime<chrono::Utc> {
        let budget = budgets::lock(tx, "registry", at(0)).await.unwrap();
        let next_slot_at = budget.next_slot_at + chrono::TimeDelta::milliseconds(125);
        budgets::save(tx, "registry", budgets::BudgetRow { next_slot_at, ..budget }).await.unwrap();
        budget.next_slot_at
    };
    let drawn = RefCell::new(Vec::new());
    let order = race(
        &store,
        async |tx| {
            let slot = draw(tx).await;
            drawn.borrow_mut().push(slot);
        },
        async |tx| {
            let slot = draw(tx).await;
            drawn.borrow_mut().push(slot);
        },
    )
    .await;
    assert_eq!(order, ["first", "second"]);
    assert_eq!(drawn.into_inner(), [at(0), at(0) + chrono::TimeDelta::milliseconds(125)]);
}

async fn permissions_are_written_in_one_order(store: Store) {
    let rows = || (0..50).map(permission).collect::<Vec<_>>();
    store.write(async |tx| permissions::save(tx, PROVIDER, rows(), at(0)).await.unwrap()).await;
    // The same keys in the other order: without an order of locks this would be a deadlock.
    let order = race(
        &store,
        async |tx| permissions::save(tx, PROVIDER, rows(), at(1)).await.unwrap(),
        async |tx| permissions::save(tx, PROVIDER, rows().into_iter().rev().collect(), at(2)).await.unwrap(),
    )
    .await;
    assert_eq!(order, ["first", "second"]);
}

/// Of many waiting writes at most one bulk write stands before an interactive one.
async fn a_bulk_write_lets_interactive_ones_pass(store: Store) {
    let order = RefCell::new(Vec::new());
    let first = store.db.begin(Priority::Bulk).await.unwrap();
    let write = async |priority: Priority, name: &'static str| {
        let tx = store.db.begin(priority).await.unwrap();
        order.borrow_mut().push(name);
        tx.commit().await.unwrap();
    };
    let mut waiting = vec![write(Priority::Bulk, "bulk"), write(Priority::Bulk, "bulk")];
    waiting.extend([write(Priority::Bulk, "bulk"), write(Priority::Interactive, "interactive")]);
    let waiting = join_all(waiting);
    join(waiting, async {
        for _ in 0..10 {
            yield_now().await;
        }
        first.commit().await.unwrap();
    })
    .await;
    let order = order.into_inner();
    assert_eq!(order.len(), 4);
    if !store.is_postgres() {
        let place = order.iter().position(|name| *name == "interactive").unwrap();
        assert!(place <= 1, "{order:?}");
    }
}
