//! Filings whose outcome nobody knows: a crash or a silence leaves a lease that runs out, and nothing else is needed.

use std::cell::RefCell;
use std::collections::BTreeSet;

use futures::future::join_all;
use kopru_domain::ConsentStatus;
use kopru_domain::SubmissionState::{self, Batched, Held, InFlight, Queued, Registered, Unresolved};
use kopru_store::submissions::{self, SubmissionRow};
use kopru_store::{Claim, Priority};

use crate::claims::add;
use crate::fixture::Store;
use crate::sample::{BRAND, OTHER_BRAND, PROVIDER, assert_same, at, claim, id, singles, submission};

on_both!(
    a_lease_that_ran_out_makes_a_filing_unresolved,
    an_unresolved_filing_waits_for_its_next_attempt,
    items_of_a_batch_are_the_batch_s_matter,
    the_longest_waiting_come_first_up_to_the_limit,
    reapers_never_overlap,
    what_got_a_definite_answer_is_claimed_to_be_asked_about,
    rejections_that_wait_for_a_question_are_counted,
);

async fn claimed(store: &Store, limit: i64, business: i64, wire: i64, mine: Claim) -> Vec<SubmissionRow> {
    store
        .write(async |tx| {
            submissions::claim_unresolved(tx, limit, at(business), at(wire), mine).await.unwrap()
        })
        .await
}

fn codes() -> Vec<String> {
    ["H174", "H467"].map(str::to_owned).to_vec()
}

async fn what_got_a_definite_answer_is_claimed_to_be_asked_about(store: Store) {
    let doubted = |number, code: Option<&str>, due| SubmissionRow {
        state: Unresolved,
        code: code.map(str::to_owned),
        next_attempt_at: at(due),
        ..submission(number)
    };
    add(
        &store,
        vec![
            doubted(1, Some("H467"), 5),
            doubted(2, Some("H174"), 3),
            doubted(3, None, 0),
            doubted(4, Some("H999"), 0),
            doubted(5, Some("H467"), 50),
            SubmissionRow { batch_id: Some(id(9)), ..doubted(6, Some("H467"), 0) },
            SubmissionRow { claim: Some(claim(9, 100)), ..doubted(7, Some("H467"), 0) },
            SubmissionRow { state: InFlight, ..doubted(8, Some("H467"), 0) },
            SubmissionRow { brand_code: OTHER_BRAND, ..doubted(9, Some("H467"), 1) },
            SubmissionRow { state: Queued, ..doubted(10, Some("H467"), 0) },
        ],
    )
    .await;
    let next = async |now| {
        store
            .read(async |tx| submissions::next_question(tx, &codes(), at(now), at(0)).await.unwrap())
            .await
            .map(|(_, brand)| brand)
    };
    let take = async |brand, now| {
        let of = codes();
        let rows = store
            .write(async |tx| {
                let of = (PROVIDER, brand, of.as_slice());
                submissions::claim_questions(tx, of, 10, at(now), at(0), claim(2, 60)).await.unwrap()
            })
            .await;
        assert!(rows.iter().all(|row| row.claim.is_some() && row.attempt == 1 && row.state == Unresolved));
        numbers(&rows)
    };
    assert_eq!((next(0).await, next(1).await, next(5).await), (None, Some(OTHER_BRAND), Some(OTHER_BRAND)));
    assert_eq!(take(OTHER_BRAND, 5).await, [9]);
    assert_eq!(next(5).await, Some(BRAND));
    assert_eq!(take(BRAND, 5).await, [1, 2]);
    assert_eq!(next(5).await, None, "they are in somebody's hands");
}

async fn rejections_that_wait_for_a_question_are_counted(store: Store) {
    let rejection = |number, state, code: Option<&str>, target| SubmissionRow {
        state,
        status: ConsentStatus::Rejection,
        code: code.map(str::to_owned),
        target_at: at(target),
        ..submission(number)
    };
    add(
        &store,
        vec![
            rejection(1, Queued, None, 5),
            rejection(2, Queued, None, 20),
            rejection(3, Unresolved, Some("H174"), 50),
            rejection(4, Unresolved, Some("H999"), 50),
            rejection(5, Registered, Some("H174"), 5),
            SubmissionRow { next_attempt_at: at(90), ..rejection(8, Unresolved, Some("H174"), 50) },
            SubmissionRow { target_at: at(1), ..submission(6) },
            SubmissionRow { state: Unresolved, code: Some("H467".to_owned()), ..submission(7) },
        ],
    )
    .await;
    let waiting = async |now, most| {
        store
            .read(async |tx| {
                submissions::rejections_to_ask(tx, at(now), at(now), &codes(), most).await.unwrap()
            })
            .await
    };
    assert_eq!((waiting(10, 10).await, waiting(21, 10).await, waiting(0, 10).await), (2, 3, 1));
    assert_eq!(waiting(21, 1).await, 2);
}

fn numbers(rows: &[SubmissionRow]) -> Vec<u128> {
    let mut numbers: Vec<u128> = rows.iter().map(|row| row.consent_id.as_u128()).collect();
    numbers.sort_unstable();
    numbers
}

async fn a_lease_that_ran_out_makes_a_filing_unresolved(store: Store) {
    add(&store, vec![submission(1)]).await;
    let statuses = [submission(1).status];
    store
        .write(async |tx| {
            let rows = submissions::claim(tx, PROVIDER, BRAND, &statuses, singles(1), at(0), claim(1, 60))
                .await
                .unwrap();
            let sent =
                rows.into_iter().map(|row| SubmissionRow { wire: Some(b"bytes".to_vec()), ..row }).collect();
            submissions::save(tx, sent, at(0)).await.unwrap();
        })
        .await;
    assert!(
        claimed(&store, 10, 1_000, 60, claim(2, 120)).await.is_empty(),
        "the lease holds to its last instant"
    );
    let rows = claimed(&store, 10, 1_000, 61, claim(2, 120)).await;
    let expected = SubmissionRow {
        state: Unresolved,
        attempt: 2,
        wire: Some(b"bytes".to_vec()),
        claim: Some(claim(2, 120)),
        ..submission(1)
    };
    assert_same!(rows, [&expected]);
    let found = store.read(async |tx| submissions::find(tx, PROVIDER, id(1)).await.unwrap()).await;
    assert_same!(found, Some(SubmissionRow { claim: None, ..expected }));
    // The second worker dies too.
    assert!(claimed(&store, 10, 1_000, 120, claim(3, 200)).await.is_empty());
    assert_eq!(claimed(&store, 10, 1_000, 121, claim(3, 200)).await[0].attempt, 3);
}

async fn an_unresolved_filing_waits_for_its_next_attempt(store: Store) {
    let free = SubmissionRow { state: Unresolved, next_attempt_at: at(50), ..submission(1) };
    let taken =
        SubmissionRow { claim: Some(claim(9, 500)), ..SubmissionRow { consent_id: id(2), ..free.clone() } };
    add(&store, vec![free, taken]).await;
    assert!(claimed(&store, 10, 49, 400, claim(2, 450)).await.is_empty());
    assert_eq!(numbers(&claimed(&store, 10, 50, 400, claim(2, 450)).await), [1]);
    assert_eq!(numbers(&claimed(&store, 10, 50, 600, claim(3, 700)).await), [1, 2]);
    for (number, state) in (10..).zip([Queued, Held, Registered]) {
        add(&store, vec![SubmissionRow { state, claim: Some(claim(9, 0)), ..submission(number) }]).await;
    }
    assert!(claimed(&store, 10, 5_000, 600, claim(3, 700)).await.is_empty(), "nothing else is unresolved");
}

async fn items_of_a_batch_are_the_batch_s_matter(store: Store) {
    for (number, state) in (1..).zip([InFlight, Batched, Unresolved]) {
        let item = SubmissionRow {
            state,
            batch_id: Some(id(7)),
            batch_index: Some(0),
            claim: Some(claim(9, 0)),
            ..submission(number)
        };
        add(&store, vec![item]).await;
    }
    assert!(claimed(&store, 10, 5_000, 5_000, claim(2, 6_000)).await.is_empty());
}

async fn the_longest_waiting_come_first_up_to_the_limit(store: Store) {
    let rows = (1..=9).map(|number| SubmissionRow {
        state: if number % 2 == 0 { Unresolved } else { InFlight },
        next_attempt_at: at(100 - i64::try_from(number).unwrap()),
        claim: Some(claim(9, 0)),
        ..submission(number)
    });
    add(&store, rows.collect()).await;
    assert_eq!(numbers(&claimed(&store, 3, 1_000, 1, claim(1, 60)).await), [7, 8, 9]);
    assert_eq!(numbers(&claimed(&store, 4, 1_000, 1, claim(1, 60)).await), [3, 4, 5, 6]);
    assert_eq!(numbers(&claimed(&store, 4, 1_000, 1, claim(1, 60)).await), [1, 2]);
}

async fn reapers_never_overlap(store: Store) {
    let state = |number| -> SubmissionState { if number % 2 == 0 { Unresolved } else { InFlight } };
    let rows = (0..200).map(|number| SubmissionRow {
        state: state(number),
        claim: Some(claim(9, 0)),
        ..submission(number)
    });
    add(&store, rows.collect()).await;
    let seen = RefCell::new(BTreeSet::new());
    let reaper = async |by| loop {
        let mut tx = store.db.begin(Priority::Bulk).await.unwrap();
        let rows = submissions::claim_unresolved(&mut tx, 9, at(1), at(1), claim(by, 60)).await.unwrap();
        tokio::task::yield_now().await;
        tx.commit().await.unwrap();
        assert!(rows.iter().all(|row| seen.borrow_mut().insert(row.consent_id)));
        if rows.is_empty() {
            break;
        }
    };
    join_all((1..=4).map(reaper)).await;
    assert_eq!(seen.borrow().len(), 200);
}
