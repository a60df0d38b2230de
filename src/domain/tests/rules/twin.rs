//! The registry's rules, as our twin of it judges them.

use chrono::TimeDelta;
use kopru_domain::twin::{Movement, Projected, Verdict, judge};
use kopru_domain::{
    BusinessCalendar, Code, ConsentStatus, OpenSubmission, ProviderSource, RecipientType, RegistryKnowledge,
    RegistrySide, SubmissionState,
};
use uuid::Uuid;

use crate::trt;

use ConsentStatus::{Approval, Rejection};

const NOW: &str = "2026-11-20 12:00";

fn movement(status: ConsentStatus, date: &str) -> Movement {
    Movement {
        recipient_type: RecipientType::Individual,
        status,
        source: Some(ProviderSource::Web),
        consent_date: Some(trt(date)),
    }
}

fn known(status: ConsentStatus, date: &str) -> RegistryKnowledge {
    RegistryKnowledge::Known(RegistrySide {
        status,
        consent_date: Some(trt(date)),
        source: Some(ProviderSource::Web.into()),
        creation_date: trt(date),
        transaction_id: "t".into(),
    })
}

fn empty() -> RegistryKnowledge {
    RegistryKnowledge::KnownEmpty { as_of: trt(NOW) }
}

fn open(status: ConsentStatus, date: &str, state: SubmissionState) -> OpenSubmission {
    OpenSubmission {
        consent_id: Uuid::from_u128(9),
        status,
        source: Some(ProviderSource::Web),
        consent_date: trt(date),
        wire_date: Some(trt(date)),
        state,
    }
}

fn verdict(movement: &Movement, registry: &RegistryKnowledge, open: &[OpenSubmission]) -> Verdict {
    judge(movement, &Projected { registry, open }, trt(NOW), BusinessCalendar::builtin())
}

#[test]
fn nothing_is_said_about_a_state_nobody_knows() {
    for status in [Approval, Rejection] {
        let movement = movement(status, "2026-11-20 10:00");
        assert_eq!(verdict(&movement, &RegistryKnowledge::NotKnown, &[]), Verdict::File);
    }
}

#[test]
fn a_first_record_may_not_be_a_rejection() {
    let no = movement(Rejection, "2026-11-20 10:00");
    assert_eq!(verdict(&no, &empty(), &[]), Verdict::NotNeeded(Code::H175));
    assert_eq!(verdict(&movement(Approval, "2026-11-20 10:00"), &empty(), &[]), Verdict::File);
    let waiting = open(Approval, "2026-11-20 11:00", SubmissionState::Queued);
    assert_eq!(verdict(&no, &empty(), &[waiting]), Verdict::NotNeeded(Code::H175));
    for state in [SubmissionState::InFlight, SubmissionState::Batched, SubmissionState::Unresolved] {
        let on_its_way = open(Approval, "2026-11-20 09:00", state);
        assert_eq!(verdict(&no, &empty(), &[on_its_way]), Verdict::File, "{state}");
    }
}

#[test]
fn a_rejection_of_what_is_rejected_changes_nothing() {
    let registry = known(Rejection, "2026-11-20 09:00");
    for date in ["2026-11-20 08:00", "2026-11-20 10:00"] {
        assert_eq!(verdict(&movement(Rejection, date), &registry, &[]), Verdict::NotNeeded(Code::H174));
    }
    let on_its_way = open(Approval, "2026-11-20 09:30", SubmissionState::InFlight);
    assert_eq!(verdict(&movement(Rejection, "2026-11-20 10:00"), &registry, &[on_its_way]), Verdict::File);
}

#[test]
fn a_movement_must_be_later_than_the_stored_one() {
    for (stored, status) in [(Approval, Approval), (Approval, Rejection), (Rejection, Approval)] {
        let registry = known(stored, "2026-11-20 10:00");
        for date in ["2026-11-20 09:59:59", "2026-11-20 10:00"] {
            assert_eq!(verdict(&movement(status, date), &registry, &[]), Verdict::NotNeeded(Code::H178));
        }
        assert_eq!(verdict(&movement(status, "2026-11-20 10:00:01"), &registry, &[]), Verdict::File);
    }
}

#[test]
fn an_approval_is_too_late_only_after_the_most_lenient_reading() {
    // Tuesday 10 November + 3 = Friday 13; now is Friday 20. Tuesday 17 + 3 = Friday 20.
    let late = |date: &str| verdict(&movement(Approval, date), &RegistryKnowledge::NotKnown, &[]);
    assert_eq!(late("2026-11-16 23:59:59"), Verdict::Expired(Code::H467));
    assert_eq!(late("2026-11-17 00:00"), Verdict::File);
    let rejection = movement(Rejection, "2020-01-01 00:00");
    assert_eq!(verdict(&rejection, &RegistryKnowledge::NotKnown, &[]), Verdict::File);
}

#[test]
fn the_last_second_of_the_deadline_counts_to_its_end() {
    let given = movement(Approval, "2026-11-16 09:00");
    let projected = Projected { registry: &RegistryKnowledge::NotKnown, open: &[] };
    let judged = |millis: i64| {
        let now = trt("2026-11-19 23:59:59") + TimeDelta::milliseconds(millis);
        judge(&given, &projected, now, BusinessCalendar::builtin())
    };
    assert_eq!([judged(0), judged(999)], [Verdict::File, Verdict::File]);
    assert_eq!(judged(1_000), Verdict::Expired(Code::H467));
}

#[test]
fn what_is_wrong_by_itself_is_refused() {
    let good = movement(Approval, "2026-11-20 10:00");
    for (movement, code) in [
        (Movement { source: Some(ProviderSource::OwnDecision), ..good }, Code::H408),
        (Movement { source: Some(ProviderSource::Before2015), ..good }, Code::H155),
        (Movement { consent_date: Some(trt("2015-04-30 23:59:59")), ..good }, Code::H156),
        (Movement { consent_date: Some(trt("2026-11-20 12:00:01")), ..good }, Code::H162),
        (Movement { consent_date: None, ..good }, Code::H112),
        (Movement { source: None, ..good }, Code::H113),
    ] {
        assert_eq!(verdict(&movement, &RegistryKnowledge::NotKnown, &[]), Verdict::Refuse(code));
    }
    let own =
        Movement { source: Some(ProviderSource::OwnDecision), ..movement(Rejection, "2026-11-20 10:00") };
    assert_eq!(verdict(&own, &known(Approval, "2026-11-20 09:00"), &[]), Verdict::File);
}

#[test]
fn a_merchant_s_first_record_needs_neither_date_nor_source_but_its_update_does() {
    let bare = Movement {
        recipient_type: RecipientType::Merchant,
        status: Approval,
        source: None,
        consent_date: None,
    };
    assert_eq!(verdict(&bare, &empty(), &[]), Verdict::File);
    assert_eq!(verdict(&bare, &RegistryKnowledge::NotKnown, &[]), Verdict::File);
    let registry = known(Approval, "2026-11-20 09:00");
    assert_eq!(verdict(&bare, &registry, &[]), Verdict::Refuse(Code::H463));
    let sourced = Movement { source: Some(ProviderSource::Web), ..bare };
    assert_eq!(verdict(&sourced, &registry, &[]), Verdict::Refuse(Code::H462));
    let rejection = Movement { status: Rejection, ..bare };
    assert_eq!(
        verdict(&rejection, &known(Rejection, "2026-11-20 09:00"), &[]),
        Verdict::NotNeeded(Code::H174)
    );
}
