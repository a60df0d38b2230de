//! Claims against a model: the rule written a second time, as a few lines over a list.

use std::cmp::Reverse;

use chrono::{DateTime, Utc};
use kopru_domain::{BrandCode, ConsentStatus, IysCode, SubmissionState};
use kopru_store::submissions::{self, SubmissionRow};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use uuid::Uuid;

use crate::claims::add;
use crate::fixture::Store;
use crate::sample::{BRAND, OTHER_BRAND, at, claim, id, key, singles, submission};

on_both!(claims_agree_with_the_model);

/// A claim: which statuses, how many at most, and how many seconds after the beginning.
type Step = (Vec<ConsentStatus>, i64, i64);

/// Few keys, instants and brands, so that they collide.
fn row() -> impl Strategy<Value = SubmissionRow> {
    let state = prop_oneof![
        12 => Just(SubmissionState::Queued),
        2 => Just(SubmissionState::Held),
        1 => proptest::sample::select(SubmissionState::ALL),
    ];
    let status = prop_oneof![Just(ConsentStatus::Approval), Just(ConsentStatus::Rejection)];
    let cause = proptest::sample::select(vec!["review", "quota"]);
    let brand = prop_oneof![4 => Just(BRAND), 1 => Just(OTHER_BRAND)];
    (0..12_u64, 0..4_i64, 0..6_i64, 0..3_i64, state, status, cause, brand).prop_map(
        |(of, ordered, target, due, state, status, cause, brand_code)| SubmissionRow {
            key: key(of),
            ordered_at: at(ordered),
            target_at: at(target),
            next_attempt_at: at(due),
            state,
            status,
            cause: (state == SubmissionState::Held).then(|| cause.to_owned()),
            brand_code,
            ..submission(0)
        },
    )
}

/// Whether `other` must come to its end before `row` may go.
fn stands_before(other: &SubmissionRow, row: &SubmissionRow) -> bool {
    if other.key != row.key || other.consent_id == row.consent_id || other.state.is_terminal() {
        return false;
    }
    let for_review = other.cause.as_deref() == Some("review");
    other.state.has_left_the_house()
        || (!for_review && (other.ordered_at, other.consent_id) < (row.ordered_at, row.consent_id))
}

/// The order of the queue; what is equal in it may come in any order.
fn place(row: &SubmissionRow) -> (DateTime<Utc>, Reverse<&'static str>) {
    (row.target_at, Reverse(row.status.as_str()))
}

fn may_go<'r>(
    rows: &'r [SubmissionRow],
    brand: BrandCode,
    statuses: &[ConsentStatus],
    now: DateTime<Utc>,
) -> Vec<&'r SubmissionRow> {
    let mut free: Vec<&SubmissionRow> = rows
        .iter()
        .filter(|row| {
            row.state == SubmissionState::Queued && row.brand_code == brand && row.next_attempt_at <= now
        })
        .filter(|row| statuses.contains(&row.status) && !rows.iter().any(|other| stands_before(other, row)))
        .collect();
    free.sort_by_key(|row| place(row));
    free
}

async fn claims_agree_with_the_model(store: Store) {
    let handle = tokio::runtime::Handle::current();
    let statuses = prop_oneof![
        Just(vec![ConsentStatus::Approval]),
        Just(vec![ConsentStatus::Rejection]),
        Just(vec![ConsentStatus::Rejection, ConsentStatus::Approval]),
    ];
    let steps = proptest::collection::vec((statuses, 1..5_i64, 0..3_i64), 1..8);
    let mut provider = 0;
    let property = |(rows, steps): (Vec<SubmissionRow>, Vec<Step>)| {
        // Each case has a provider of its own, so that none meets the rows of another.
        provider += 1;
        let mut rows: Vec<SubmissionRow> = (1..)
            .zip(rows)
            .map(|(number, row)| SubmissionRow { iys_code: IysCode(provider), consent_id: id(number), ..row })
            .collect();
        let case = async {
            add(&store, rows.clone()).await;
            for (statuses, limit, now) in steps {
                let (now, mine) = (at(now), claim(1, 60));
                let expected = may_go(&rows, BRAND, &statuses, now);
                let took = store
                    .write(async |tx| {
                        submissions::claim(tx, IysCode(provider), BRAND, &statuses, singles(limit), now, mine)
                            .await
                            .unwrap()
                    })
                    .await;
                let count = expected.len().min(usize::try_from(limit).unwrap());
                let places: Vec<_> = expected[..count].iter().map(|row| place(row)).collect();
                assert_eq!(took.iter().map(place).collect::<Vec<_>>(), places);
                let took: Vec<Uuid> = took.iter().map(|row| row.consent_id).collect();
                assert!(took.iter().all(|id| expected.iter().any(|row| row.consent_id == *id)));
                for row in rows.iter_mut().filter(|row| took.contains(&row.consent_id)) {
                    row.state = SubmissionState::InFlight;
                }
            }
        };
        tokio::task::block_in_place(|| handle.block_on(case));
        Ok(())
    };
    let cases = (proptest::collection::vec(row(), 0..40), steps);
    let mut runner = TestRunner::new(Config { cases: 60, failure_persistence: None, ..Config::default() });
    run(&mut runner, &cases, property);
}

/// The runner takes an `Fn`; the number of the case has to be counted.
fn run<S: Strategy>(
    runner: &mut TestRunner,
    cases: &S,
    property: impl FnMut(S::Value) -> Result<(), TestCaseError>,
) {
    let property = std::cell::RefCell::new(property);
    runner.run(cases, |case| (property.borrow_mut())(case)).unwrap();
}
