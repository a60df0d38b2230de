//! Inserts of many rows, at the edges of how many one statement takes.

use std::collections::BTreeSet;

use kopru_domain::{Effective, Permission, SubmissionState};
use kopru_store::consents::{self, ConsentRow};
use kopru_store::permissions;
use kopru_store::submissions::{self, SubmissionRow};

use crate::fixture::Store;
use crate::sample::{PROVIDER, at, consent, id, key, permission, submission};

on_both!(
    nothing_is_lost_or_doubled_at_any_size,
    returned_rows_are_those_that_were_written,
    an_upsert_changes_what_exists_and_adds_what_does_not,
    one_bad_row_keeps_the_whole_insert_out,
    inserting_nothing_is_allowed,
);

const SIZES: [u64; 8] = [1, 2, 127, 128, 129, 256, 1_000, 2_500];

async fn nothing_is_lost_or_doubled_at_any_size(store: Store) {
    let mut first = 0;
    for size in SIZES {
        let rows: Vec<_> = (first..first + size).map(submission).collect();
        let chain = (1..)
            .zip(&rows)
            .map(|(place, row)| ConsentRow {
                evidence: Some(row.key.0.to_vec()),
                ..consent(place + i64::try_from(first).unwrap(), row)
            })
            .collect();
        let steps = vec![consents::append_step(PROVIDER, chain), submissions::add_step(rows, at(0))];
        store.write(async |tx| tx.run(steps).await.unwrap()).await;
        first += size;
        let counts = store
            .rows("SELECT (SELECT count(*) FROM consents), (SELECT count(*) FROM submissions)", vec![])
            .await;
        let counts: [i64; 2] = [0, 1].map(|place| counts[0].get(place).unwrap());
        assert_eq!(counts, [i64::try_from(first).unwrap(); 2], "after {size} more");
    }
    // Each row has its own values, whichever statement brought it.
    for number in [0, 1, 126, 127, 128, 129, first - 1] {
        let consent_id = id(number.into());
        let (filed, evidence) = store
            .read(async |tx| {
                let filed = submissions::find(tx, PROVIDER, consent_id).await.unwrap().unwrap();
                let taken = consents::find(tx, PROVIDER, consent_id).await.unwrap().unwrap();
                (filed, taken.evidence.unwrap())
            })
            .await;
        assert_eq!((filed.key, evidence), (key(number), key(number).0.to_vec()), "{number}");
    }
}

async fn returned_rows_are_those_that_were_written(store: Store) {
    let mut first = 0;
    for size in SIZES {
        // Every third has ended already: an upsert passes over it.
        let state =
            |number| if number % 3 == 0 { SubmissionState::Registered } else { SubmissionState::InFlight };
        let rows: Vec<SubmissionRow> = (first..first + size)
            .map(|number| SubmissionRow { state: state(number), ..submission(number) })
            .collect();
        let later =
            rows.iter().map(|row| SubmissionRow { state: SubmissionState::Batched, ..row.clone() }).collect();
        let saved = store
            .write(async |tx| {
                submissions::save(tx, rows, at(0)).await.unwrap();
                submissions::save(tx, later, at(1)).await.unwrap()
            })
            .await;
        let expected: BTreeSet<_> =
            (first..first + size).filter(|number| number % 3 != 0).map(|n| id(n.into())).collect();
        assert_eq!(saved.len(), expected.len(), "{size} more");
        assert_eq!(saved.into_iter().collect::<BTreeSet<_>>(), expected);
        first += size;
    }
}

async fn an_upsert_changes_what_exists_and_adds_what_does_not(store: Store) {
    let mut known = 0;
    for size in SIZES {
        let mut rejected = Permission::not_known();
        rejected.reject_locally(at(1), id(1));
        // Half of them exist already.
        let rows = (known / 2..known + size)
            .map(|number| permissions::PermissionRow { permission: rejected.clone(), ..permission(number) })
            .collect();
        let fresh = (known..known + size / 2).map(permission).collect();
        store
            .write(async |tx| {
                permissions::save(tx, PROVIDER, fresh, at(0)).await.unwrap();
                permissions::save(tx, PROVIDER, rows, at(1)).await.unwrap();
            })
            .await;
        known += size;
        let keys = (0..known).map(key).collect();
        let found = store.read(async |tx| permissions::of_keys(tx, PROVIDER, keys).await.unwrap()).await;
        assert_eq!(found.len() as u64, known);
        assert!(found.iter().all(|row| row.permission.effective(row.recipient_type) == Effective::Rejection));
    }
}

async fn one_bad_row_keeps_the_whole_insert_out(store: Store) {
    let mut tx = store.db.begin(kopru_store::Priority::Bulk).await.unwrap();
    let rows = (0..300).chain([17]).map(submission).collect();
    let error = submissions::add(&mut tx, rows, at(0)).await.unwrap_err();
    assert!(error.is_conflict(), "{error:?}");
    drop(tx);
    assert_eq!(store.number("SELECT count(*) FROM submissions", vec![]).await, 0);
}

async fn inserting_nothing_is_allowed(store: Store) {
    store
        .write(async |tx| {
            consents::append(tx, PROVIDER, vec![]).await.unwrap();
            permissions::save(tx, PROVIDER, vec![], at(0)).await.unwrap();
            assert!(submissions::save(tx, vec![], at(0)).await.unwrap().is_empty());
            kopru_store::changes::append(tx, PROVIDER, vec![]).await.unwrap();
        })
        .await;
}
