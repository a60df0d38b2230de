//! Daily reports: a day is planned once, worked on by one, and its differences are found once.

use chrono::NaiveDate;
use kopru_domain::DailyAgreement;
use kopru_store::brands;
use kopru_store::daily_differences::{self, DayOf, DifferenceKind, DifferenceRow};
use kopru_store::daily_reports::{self, DailyProblem, DailyRow, DailyState, NewDay};
use kopru_store::{Claim, consents, submissions};
use uuid::Uuid;

use crate::fixture::Store;
use crate::sample::{
    BRAND, OTHER_BRAND, PROVIDER, assert_same, at, brand, claim, consent, id, key, submission,
};

on_both!(
    a_day_is_planned_once,
    a_day_is_nobody_else_s_until_its_lease_runs_out,
    what_is_kept_reads_back,
    a_lost_claim_writes_nothing,
    a_brand_that_is_refused_is_left_alone,
    differences_are_found_once_and_repaired_once,
    a_day_can_be_read_again,
    our_side_comes_in_the_registry_s_order,
    days_are_counted_by_how_they_stand,
);

fn day(number: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, number).unwrap()
}

fn of(number: u32) -> DayOf {
    DayOf { iys_code: PROVIDER, brand_code: BRAND, day: day(number) }
}

async fn plan(store: &Store, days: &[u32]) -> u64 {
    let new = |number: &u32| NewDay {
        iys_code: PROVIDER,
        brand_code: BRAND,
        day: day(*number),
        due_at: at(i64::from(*number)),
    };
    let days: Vec<NewDay> = days.iter().map(new).collect();
    store
        .write(async |tx| {
            brands::add(tx, &brand(BRAND)).await.unwrap();
            daily_reports::add(tx, &days, at(0)).await.unwrap()
        })
        .await
}

async fn claimed(store: &Store, business: i64, wire: i64, mine: Claim) -> Option<DailyRow> {
    store.write(async |tx| daily_reports::claim(tx, at(business), at(wire), mine).await.unwrap()).await
}

async fn found(store: &Store, number: u32) -> DailyRow {
    store.read(async |tx| daily_reports::find(tx, PROVIDER, BRAND, day(number)).await.unwrap()).await.unwrap()
}

async fn save(store: &Store, row: &DailyRow, mine: Claim, keep: Option<i64>) -> bool {
    store.write(async |tx| daily_reports::save(tx, row, mine, keep.map(at)).await.unwrap()).await
}

async fn a_day_is_planned_once(store: Store) {
    assert_eq!(plan(&store, &[20, 21]).await, 2);
    assert_eq!(plan(&store, &[19, 20, 21]).await, 1);
    let list =
        store.read(async |tx| daily_reports::list(tx, PROVIDER, BRAND, day(21), 10).await.unwrap()).await;
    assert_eq!(list.iter().map(|row| row.day).collect::<Vec<_>>(), [day(20), day(19)]);
    let active = store
        .read(async |tx| brands::active(tx, (PROVIDER, kopru_domain::BrandCode(0))).await.unwrap())
        .await;
    assert!(active.is_empty(), "the provider is not there");
}

async fn a_day_is_nobody_else_s_until_its_lease_runs_out(store: Store) {
    plan(&store, &[20, 21]).await;
    assert!(claimed(&store, 19, 0, claim(1, 60)).await.is_none());
    let first = claimed(&store, 100, 0, claim(1, 60)).await.unwrap();
    assert_eq!((first.day, first.attempt), (day(20), 1), "the most overdue");
    assert_eq!(claimed(&store, 100, 0, claim(2, 60)).await.unwrap().day, day(21));
    assert!(claimed(&store, 100, 60, claim(3, 90)).await.is_none());
    // Each part of the work renews the lease.
    assert!(save(&store, &first, claim(1, 60), Some(200)).await);
    assert_eq!(claimed(&store, 100, 150, claim(3, 400)).await.unwrap().day, day(21));
    assert!(claimed(&store, 100, 150, claim(3, 400)).await.is_none());
    assert_eq!(claimed(&store, 100, 201, claim(3, 400)).await.unwrap().day, day(20));
    store.write(async |tx| assert!(brands::disable(tx, PROVIDER, BRAND).await.unwrap())).await;
    assert!(claimed(&store, 900, 900, claim(3, 999)).await.is_none());
}

async fn what_is_kept_reads_back(store: Store) {
    plan(&store, &[20]).await;
    let row = claimed(&store, 100, 0, claim(1, 60)).await.unwrap();
    let kept = DailyRow {
        state: DailyState::Done,
        problem: Some(DailyProblem::Awaited),
        last_error: Some("ara verildi".to_owned()),
        next_attempt_at: at(9),
        hash: Some(vec![7; 48]),
        movements: 10,
        matched: 4,
        unreadable: 1,
        missing_there: 2,
        missing_here: 3,
        differing: 2,
        unrepaired: 7,
        truncated: true,
        compared_at: Some(at(5)),
        summary: Some("{}".to_owned()),
        agreed: true,
        agreed_at: Some(at(6)),
        time_stamp: Some(vec![1, 2]),
        stamped_at: Some(at(7)),
        stamp_fits: Some(false),
        ..row
    };
    assert!(save(&store, &kept, claim(1, 60), None).await);
    assert_same!(found(&store, 20).await, kept);
    // Once both sides are compared, only repairs count down.
    store.write(async |tx| daily_reports::repaired(tx, PROVIDER, BRAND, day(20), 3).await.unwrap()).await;
    assert_eq!(found(&store, 20).await.unrepaired, 4);
    store
        .write(async |tx| {
            brands::agree_daily(tx, PROVIDER, BRAND, DailyAgreement::WhenEqual).await.unwrap();
            let found = brands::find_by_code(tx, BRAND).await.unwrap().unwrap();
            assert_eq!(found.daily_agreement, DailyAgreement::WhenEqual);
        })
        .await;
}

async fn a_lost_claim_writes_nothing(store: Store) {
    plan(&store, &[20]).await;
    let row = claimed(&store, 100, 0, claim(1, 60)).await.unwrap();
    claimed(&store, 100, 61, claim(2, 200)).await.unwrap();
    assert!(!save(&store, &DailyRow { movements: 5, ..row }, claim(1, 60), None).await);
    assert_eq!(found(&store, 20).await.movements, 0);
}

async fn a_brand_that_is_refused_is_left_alone(store: Store) {
    plan(&store, &[19, 20, 21]).await;
    let row = claimed(&store, 100, 0, claim(1, 60)).await.unwrap();
    let refused = DailyRow { state: DailyState::NotPermitted, ..row };
    assert!(save(&store, &refused, claim(1, 60), None).await);
    let others =
        store.write(async |tx| daily_reports::refuse(tx, PROVIDER, BRAND, "H353").await.unwrap()).await;
    assert_eq!(others, 2);
    assert!(claimed(&store, 100, 0, claim(1, 60)).await.is_none());
    assert_eq!(found(&store, 21).await.last_error.as_deref(), Some("H353"));
    let since =
        async |number| store.read(async |tx| daily_reports::refused(tx, day(number)).await.unwrap()).await;
    assert_eq!(since(21).await, [(PROVIDER, BRAND)]);
    assert!(since(22).await.is_empty());
}

fn difference(number: u128, kind: DifferenceKind) -> DifferenceRow {
    DifferenceRow {
        id: id(number),
        kind,
        cause: "lost".to_owned(),
        key: key(1),
        consent_id: Some(id(5)),
        generation: Some(1),
        sealed: None,
        repaired_at: None,
        outcome: None,
    }
}

async fn differences_are_found_once_and_repaired_once(store: Store) {
    use DifferenceKind::{Different, MissingHere, MissingThere};
    let rows = || vec![difference(1, MissingThere), difference(2, MissingHere), difference(3, Different)];
    let added =
        async |of| store.write(async |tx| daily_differences::add(tx, of, rows()).await.unwrap()).await;
    assert_eq!((added(of(20)).await, added(of(20)).await, added(of(21)).await), (3, 0, 3));
    let listed = async |open, after| {
        store.read(async |tx| daily_differences::list(tx, of(20), open, after, 10).await.unwrap()).await
    };
    assert_same!(listed(false, Uuid::nil()).await, rows());
    assert_same!(listed(false, id(2)).await, [difference(3, Different)]);
    let repaired = async || {
        let ids = vec![id(1), id(3)];
        store
            .write(async |tx| daily_differences::repaired(tx, of(20), ids, "lost", at(9)).await.unwrap())
            .await
    };
    assert_eq!((repaired().await, repaired().await), (2, 0));
    assert_same!(listed(true, Uuid::nil()).await, [difference(2, MissingHere)]);
    assert_eq!(listed(false, Uuid::nil()).await[0].outcome.as_deref(), Some("lost"));
    let mut counts = store.read(async |tx| daily_differences::counts(tx, of(20)).await.unwrap()).await;
    counts.sort_unstable();
    assert_eq!(counts, [(MissingThere, 1, 0), (MissingHere, 1, 1), (Different, 1, 0)]);
}

async fn a_day_can_be_read_again(store: Store) {
    plan(&store, &[20]).await;
    let row = claimed(&store, 100, 0, claim(1, 60)).await.unwrap();
    let again = async || {
        store
            .write(async |tx| daily_reports::again(tx, PROVIDER, BRAND, day(20), at(50)).await.unwrap())
            .await
    };
    assert!(!again().await, "somebody works on it");
    let done = DailyRow { state: DailyState::Done, movements: 3, compared_at: Some(at(1)), ..row };
    assert!(save(&store, &done, claim(1, 60), None).await);
    assert!(again().await);
    let fresh = found(&store, 20).await;
    assert_eq!((fresh.state, fresh.movements, fresh.compared_at), (DailyState::Due, 0, None));
    store
        .write(async |tx| {
            let rows =
                vec![difference(1, DifferenceKind::MissingHere), difference(2, DifferenceKind::MissingHere)];
            daily_differences::add(tx, of(20), rows).await.unwrap();
            daily_differences::repaired(tx, of(20), vec![id(1)], "in_mirror", at(9)).await.unwrap();
            assert_eq!(daily_differences::forget(tx, of(20)).await.unwrap(), 1, "what was done is kept");
        })
        .await;
}

async fn our_side_comes_in_the_registry_s_order(store: Store) {
    use kopru_domain::SubmissionState::{Queued, Registered};
    let row = |number: u64, second: i64, state| submissions::SubmissionRow {
        state,
        creation_date: Some(at(second)),
        transaction_id: Some(format!("t{number}")),
        ..submission(number)
    };
    let rows =
        vec![row(1, 30, Registered), row(2, 10, Registered), row(3, 10, Registered), row(4, 20, Queued)];
    let ledger: Vec<_> = rows.iter().zip(1..).map(|(row, seq)| consent(seq, row)).collect();
    let ids: Vec<Uuid> = rows.iter().map(|row| row.consent_id).collect();
    let others = vec![submissions::SubmissionRow { brand_code: OTHER_BRAND, ..row(5, 10, Registered) }];
    store
        .write(async |tx| {
            consents::append(tx, PROVIDER, ledger).await.unwrap();
            // First as what is new, then with what the registry said.
            submissions::save(tx, rows, at(0)).await.unwrap();
            submissions::save(tx, others, at(0)).await.unwrap();
        })
        .await;
    let page = async |after, until, limit| {
        let page = store
            .read(async |tx| {
                submissions::registered(tx, PROVIDER, BRAND, after, at(until), limit).await.unwrap()
            })
            .await;
        page.into_iter().map(|row| row.transaction_id.unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(page((at(0), Uuid::max()), 30, 10).await, ["t2", "t3", "t1"]);
    assert_eq!(page((at(0), Uuid::max()), 29, 10).await, ["t2", "t3"]);
    assert_eq!(page((at(10), ids[1]), 30, 1).await, ["t3"]);
    assert!(page((at(10), Uuid::max()), 29, 10).await.is_empty());
    let sources = store.read(async |tx| consents::sources(tx, PROVIDER, ids.clone()).await.unwrap()).await;
    assert_eq!(sources.len(), 4);
}

async fn days_are_counted_by_how_they_stand(store: Store) {
    plan(&store, &[18, 19, 20]).await;
    let row = claimed(&store, 100, 0, claim(1, 60)).await.unwrap();
    let done = DailyRow { state: DailyState::Done, unrepaired: 4, compared_at: Some(at(1)), ..row };
    assert!(save(&store, &done, claim(1, 60), None).await);
    let row = claimed(&store, 100, 0, claim(1, 60)).await.unwrap();
    let wrong = DailyRow { problem: Some(DailyProblem::HashMismatch), next_attempt_at: at(500), ..row };
    assert!(save(&store, &wrong, claim(1, 60), None).await);
    let mut standings: Vec<_> = store
        .read(async |tx| daily_reports::standings(tx, day(18)).await.unwrap())
        .await
        .into_iter()
        .map(|standing| {
            (
                standing.state.as_str(),
                standing.problem.map(DailyProblem::as_str),
                standing.days,
                standing.unrepaired,
            )
        })
        .collect();
    standings.sort_unstable();
    assert_eq!(standings, [("done", None, 1, 1), ("due", None, 1, 0), ("due", Some("hash_mismatch"), 1, 0)]);
    assert_eq!(store.read(async |tx| daily_reports::standings(tx, day(20)).await.unwrap()).await.len(), 1);
}
