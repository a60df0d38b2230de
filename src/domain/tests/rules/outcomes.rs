//! What an answer does to a submission.

use std::time::Duration;

use chrono::TimeDelta;
use kopru_domain::outcome::{batch_give_up, batch_look_delay, retry_delay, settle, settle_by_status};
use kopru_domain::{
    Code, ConsentStatus, HeldCause, ProviderSource, RegistryAnswer, RegistrySide, Settlement,
    SubmissionFacts, SubmissionState,
};
use proptest::prelude::*;

use crate::trt;

use ConsentStatus::{Approval, Rejection};
use SubmissionState::*;

fn becomes(state: SubmissionState, code: Option<Code>) -> Settlement {
    Settlement::Become { state, code }
}

#[test]
fn a_first_answer_decides() {
    let registered =
        RegistryAnswer::Registered { transaction_id: "t".into(), creation_date: trt("2026-11-20 10:00") };
    assert_eq!(settle(Approval, false, &registered), becomes(Registered, None));
    for code in [Code::H174, Code::H175, Code::H178] {
        let answer = RegistryAnswer::Already(code.clone());
        assert_eq!(settle(Rejection, false, &answer), becomes(NotNeeded, Some(code)));
    }
    let refused = RegistryAnswer::Refused(Code::new("H121"));
    assert_eq!(settle(Approval, false, &refused), becomes(Refused, Some(Code::new("H121"))));
    assert_eq!(settle(Approval, false, &RegistryAnswer::Unknown), becomes(Unresolved, None));
    let held = RegistryAnswer::Held(HeldCause::Quota, Code::new("H525"));
    let hold = Settlement::Hold { cause: HeldCause::Quota, code: Code::new("H525") };
    assert_eq!(settle(Approval, false, &held), hold);
    assert_eq!(hold.state(false), Some(Held));
}

#[test]
fn too_late_ends_an_approval_and_redates_a_rejection() {
    assert_eq!(settle(Approval, false, &RegistryAnswer::TooLate), becomes(Expired, Some(Code::H467)));
    let again = settle(Rejection, false, &RegistryAnswer::TooLate);
    assert_eq!((again.state(false), again), (Some(Queued), Settlement::RetryRejectionLate));
}

#[test]
fn after_an_unknown_outcome_there_already_may_be_ourselves() {
    for code in [Code::H174, Code::H178] {
        let answer = RegistryAnswer::Already(code);
        assert_eq!(settle(Approval, true, &answer), Settlement::AskStatus);
    }
    assert_eq!(settle(Approval, true, &RegistryAnswer::TooLate), Settlement::AskStatus);
    // No record at all: nothing of ours was written.
    let first = RegistryAnswer::Already(Code::H175);
    assert_eq!(settle(Rejection, true, &first), becomes(NotNeeded, Some(Code::H175)));
}

#[test]
fn while_the_outcome_is_unknown_nothing_goes_back_to_the_queue() {
    let held = RegistryAnswer::Held(HeldCause::Quota, Code::new("H525"));
    let retry = RegistryAnswer::Retry { code: None, after: Some(Duration::from_secs(1)) };
    for answer in [held, retry.clone(), RegistryAnswer::Unknown] {
        assert_eq!(settle(Approval, true, &answer).state(true), Some(Unresolved));
    }
    let first_try = settle(Approval, false, &retry);
    assert_eq!(first_try, Settlement::Requeue { after: Some(Duration::from_secs(1)) });
    assert_eq!(first_try.state(false), Some(Queued));
}

fn facts(status: ConsentStatus, refusal: Option<Code>) -> SubmissionFacts {
    SubmissionFacts { status, wire_date: Some(trt("2026-11-20 10:00")), refusal }
}

fn side(status: ConsentStatus, date: &str) -> RegistrySide {
    RegistrySide {
        status,
        consent_date: Some(trt(date)),
        source: Some(ProviderSource::Web.into()),
        creation_date: trt("2026-11-20 10:05"),
        transaction_id: "t".into(),
    }
}

#[test]
fn the_same_status_and_date_is_ours() {
    for refusal in [None, Some(Code::H174), Some(Code::H178), Some(Code::H467)] {
        let ours = side(Rejection, "2026-11-20 10:00");
        assert_eq!(settle_by_status(&facts(Rejection, refusal), Some(&ours)), becomes(Registered, None));
    }
}

#[test]
fn another_record_leaves_the_resend_s_answer_standing() {
    let other = side(Approval, "2026-11-20 11:00");
    let decide = |refusal| settle_by_status(&facts(Rejection, refusal), Some(&other));
    assert_eq!(decide(Some(Code::H178)), becomes(NotNeeded, Some(Code::H178)));
    assert_eq!(decide(Some(Code::H467)), Settlement::RetryRejectionLate);
    assert_eq!(decide(None), Settlement::Requeue { after: None });
    let approval = facts(Approval, Some(Code::H467));
    assert_eq!(settle_by_status(&approval, Some(&other)), becomes(Expired, Some(Code::H467)));
    assert_eq!(settle_by_status(&facts(Approval, None), None), Settlement::Requeue { after: None });
}

#[test]
fn every_settlement_is_a_step_the_state_machine_knows() {
    let answers = [
        RegistryAnswer::Registered { transaction_id: "t".into(), creation_date: trt("2026-11-20 10:00") },
        RegistryAnswer::Already(Code::H174),
        RegistryAnswer::Already(Code::H175),
        RegistryAnswer::TooLate,
        RegistryAnswer::Refused(Code::new("H121")),
        RegistryAnswer::Held(HeldCause::TypeRight, Code::new("H355")),
        RegistryAnswer::Retry { code: None, after: None },
        RegistryAnswer::Unknown,
    ];
    for status in [Approval, Rejection] {
        for unresolved in [false, true] {
            for answer in &answers {
                if let Some(next) = settle(status, unresolved, answer).state(unresolved) {
                    assert_eq!(InFlight.transition(next), Ok(next), "{status} {answer:?}");
                }
            }
        }
    }
}

#[test]
fn batch_results_are_looked_at_ever_more_seldom() {
    let minutes: Vec<_> = (0..7).map(|look| batch_look_delay(look).as_secs() / 60).collect();
    assert_eq!(minutes, [5, 5, 10, 20, 40, 60, 60]);
    assert_eq!(batch_look_delay(u32::MAX), Duration::from_hours(1));
}

#[test]
fn patience_with_a_batch_ends_after_half_the_slack() {
    let posted = trt("2026-11-20 10:00");
    let wait = |slack: TimeDelta| (batch_give_up(posted, posted + slack) - posted).num_minutes();
    assert_eq!(wait(TimeDelta::days(3)), 6 * 60);
    assert_eq!(wait(TimeDelta::hours(4)), 2 * 60);
    assert_eq!(wait(TimeDelta::minutes(1)), 10);
    assert_eq!(wait(TimeDelta::days(-1)), 10);
}

proptest! {
    #[test]
    fn retries_wait_longer_and_longer_but_never_over_an_hour(attempt in 0_u32.., seed: u64) {
        let delay = retry_delay(attempt, seed);
        prop_assert!(delay >= Duration::from_secs(2) && delay <= Duration::from_hours(1));
        prop_assert_eq!(delay, retry_delay(attempt, seed));
        // Two steps further on, even the shortest is as long as the longest was.
        prop_assert!(retry_delay(attempt.saturating_add(2), seed) >= delay.min(Duration::from_mins(30)));
    }

    #[test]
    fn retries_of_one_moment_spread(seed: u64) {
        let delays: std::collections::BTreeSet<_> = (0..20).map(|i| retry_delay(5, seed.wrapping_add(i))).collect();
        prop_assert!(delays.len() >= 18);
    }
}
