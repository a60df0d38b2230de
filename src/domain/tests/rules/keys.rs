//! What becomes of a consent inside its key.

use chrono::{DateTime, TimeDelta, Utc};
use kopru_domain::{
    Admission, Admitted, AfterCitizenRet, BrandPolicy, BusinessCalendar, Candidate, Channel, ClaimVerdict,
    Code, Confirmation, ConsentStatus, HeldCause, KeyState, OnayRefresh, OpenSubmission, Permission,
    ProviderSource, Readmission, RecipientType, RegistryKnowledge, RegistrySide, Source, SubmissionState,
};
use uuid::Uuid;

use crate::trt;

use ConsentStatus::{Approval, Rejection};
use SubmissionState::*;

const NOW: &str = "2026-11-20 12:00";

fn consent(id: u128, status: ConsentStatus, date: &str) -> Candidate {
    Candidate {
        consent_id: Uuid::from_u128(id),
        recipient_type: RecipientType::Individual,
        channel: Channel::Message,
        status,
        source: Some(ProviderSource::Web),
        consent_date: Some(trt(date)),
        received_at: trt(NOW),
        own_channel: false,
        reviewed_at: None,
    }
}

fn knowing(status: ConsentStatus, date: &str, source: &str) -> KeyState {
    let side = RegistrySide {
        status,
        consent_date: Some(trt(date)),
        source: source.parse::<Source>().ok(),
        creation_date: trt(date),
        transaction_id: "t".into(),
    };
    let registry = RegistryKnowledge::Known(side);
    KeyState { permission: Permission { registry, ..Permission::not_known() }, open: Vec::new() }
}

fn empty() -> KeyState {
    let mut key = KeyState::not_known();
    key.permission.mark_empty(trt("2026-11-20 08:00"));
    key
}

fn open(candidate: &Candidate, state: SubmissionState) -> OpenSubmission {
    OpenSubmission {
        consent_id: candidate.consent_id,
        status: candidate.status,
        source: candidate.source,
        consent_date: candidate.true_time(),
        wire_date: candidate.consent_date,
        state,
    }
}

fn admit_with(key: &mut KeyState, candidate: &Candidate, policy: BrandPolicy) -> Admitted {
    match key.admit(candidate, &policy, BusinessCalendar::builtin(), trt(NOW)) {
        Admission::Admitted(admitted) => admitted,
        Admission::Duplicate { consent_id } => panic!("duplicate of {consent_id}"),
    }
}

fn admit(key: &mut KeyState, candidate: &Candidate) -> Admitted {
    admit_with(key, candidate, BrandPolicy::default())
}

fn review_at(
    key: &KeyState,
    candidate: &Candidate,
    now: DateTime<Utc>,
    confirm: Confirmation,
) -> ClaimVerdict {
    key.review(candidate, &BrandPolicy::default(), BusinessCalendar::builtin(), now, confirm)
}

fn review(key: &KeyState, candidate: &Candidate) -> ClaimVerdict {
    review_at(key, candidate, trt(NOW), Confirmation::None)
}

fn verdict(admitted: &Admitted) -> (SubmissionState, Option<&str>) {
    (admitted.state, admitted.code.as_ref().map(Code::as_str))
}

fn sent(date: &str) -> ClaimVerdict {
    ClaimVerdict::Send { wire_date: Some(trt(date)), late: false }
}

#[test]
fn a_first_approval_is_queued_with_its_deadline() {
    for mut key in [KeyState::not_known(), empty()] {
        let candidate = consent(1, Approval, "2026-11-20 10:00");
        let admitted = admit(&mut key, &candidate);
        assert_eq!(verdict(&admitted), (Queued, None));
        assert_eq!(admitted.wire_date, candidate.consent_date);
        assert_eq!(admitted.deadline.target, trt("2026-11-24 10:00"));
        assert!(!admitted.local_rejection && admitted.superseded.is_empty());
        assert_eq!(key.open, [open(&candidate, Queued)]);
    }
}

#[test]
fn the_same_consent_while_open_is_answered_with_its_id() {
    let mut key = KeyState::not_known();
    admit(&mut key, &consent(1, Approval, "2026-11-20 10:00"));
    let again = key.admit(
        &consent(2, Approval, "2026-11-20 10:00"),
        &BrandPolicy::default(),
        BusinessCalendar::builtin(),
        trt(NOW),
    );
    assert_eq!(again, Admission::Duplicate { consent_id: Uuid::from_u128(1) });
    let mobile =
        Candidate { source: Some(ProviderSource::Mobile), ..consent(3, Approval, "2026-11-20 10:00") };
    assert_eq!(verdict(&admit(&mut key, &mobile)), (Queued, None));
}

#[test]
fn an_undated_merchant_is_a_duplicate_of_an_undated_one_only() {
    let undated = |id| Candidate {
        recipient_type: RecipientType::Merchant,
        consent_date: None,
        ..consent(id, Approval, NOW)
    };
    let mut key = KeyState::not_known();
    let admitted = admit(&mut key, &undated(1));
    assert_eq!((verdict(&admitted), admitted.wire_date), ((Queued, None), None));
    let later = Candidate { received_at: trt(NOW) + TimeDelta::minutes(3), ..undated(2) };
    let again = key.admit(&later, &BrandPolicy::default(), BusinessCalendar::builtin(), later.received_at);
    assert_eq!(again, Admission::Duplicate { consent_id: Uuid::from_u128(1) });
    let dated = Candidate { consent_date: Some(trt(NOW)), ..undated(3) };
    assert_eq!(verdict(&admit(&mut key, &dated)), (Queued, None));
}

#[test]
fn a_rejection_overtakes_what_has_not_left_the_house() {
    for (state, date, overtaken) in [
        (Queued, "2026-11-20 09:00", true),
        (Held, "2026-11-20 10:00", true),
        (Queued, "2026-11-20 10:00:01", false),
        (InFlight, "2026-11-20 09:00", false),
        (Batched, "2026-11-20 09:00", false),
        (Unresolved, "2026-11-20 09:00", false),
    ] {
        let mut key = knowing(Approval, "2026-11-20 08:00", "HS_WEB");
        key.open.push(open(&consent(1, Approval, date), state));
        let admitted = admit(&mut key, &consent(2, Rejection, "2026-11-20 10:00"));
        assert_eq!(verdict(&admitted), (Queued, None), "{state}");
        assert_eq!(!admitted.superseded.is_empty(), overtaken, "{state} {date}");
        assert!(admitted.local_rejection);
        assert_eq!(key.open.len(), if overtaken { 1 } else { 2 });
    }
}

#[test]
fn a_rejection_of_what_the_registry_does_not_hold_is_done_and_stays_local() {
    let mut key = empty();
    key.open.push(open(&consent(1, Approval, "2026-11-20 09:00"), Queued));
    let admitted = admit(&mut key, &consent(2, Rejection, "2026-11-20 10:00"));
    assert_eq!(verdict(&admitted), (NotNeeded, Some("H175")));
    assert_eq!(admitted.superseded, [Uuid::from_u128(1)]);
    assert!(admitted.local_rejection && key.open.is_empty());
    // The next approval of the same batch sees it.
    let older = admit(&mut key, &consent(3, Approval, "2026-11-20 09:59"));
    assert_eq!(verdict(&older), (Superseded, Some("older_than_rejection")));
    let equal = admit(&mut key, &consent(4, Approval, "2026-11-20 10:00"));
    assert_eq!(verdict(&equal), (Superseded, Some("older_than_rejection")));
    assert_eq!(verdict(&admit(&mut key, &consent(5, Approval, "2026-11-20 10:01"))), (Queued, None));
}

#[test]
fn only_the_registry_ends_a_rejection_of_an_unknown_key() {
    let mut key = KeyState::not_known();
    assert_eq!(verdict(&admit(&mut key, &consent(1, Rejection, "2026-11-20 10:00"))), (Queued, None));
    let mut key = knowing(Rejection, "2026-11-20 08:00", "HS_WEB");
    let admitted = admit(&mut key, &consent(1, Rejection, "2026-11-20 10:00"));
    assert_eq!(verdict(&admitted), (NotNeeded, Some("H174")));
    assert!(admitted.local_rejection, "an approval from elsewhere, older than it, must not be obeyed");
}

#[test]
fn a_rejection_older_than_the_registered_approval_changes_nothing() {
    let mut key = knowing(Approval, "2026-11-20 11:00", "HS_WEB");
    let admitted = admit(&mut key, &consent(1, Rejection, "2026-11-20 10:00"));
    assert_eq!(verdict(&admitted), (NotNeeded, Some("H178")));
    assert!(!admitted.local_rejection);
}

#[test]
fn a_rejection_in_the_second_of_an_approval_is_filed_a_second_later() {
    let no = consent(2, Rejection, NOW);
    let mut registered = knowing(Approval, NOW, "HS_WEB");
    let mut on_its_way = KeyState::not_known();
    on_its_way.open.push(open(&consent(1, Approval, NOW), InFlight));
    for key in [&mut registered, &mut on_its_way] {
        let admitted = admit(key, &no);
        assert_eq!(verdict(&admitted), (Queued, None));
        assert_eq!(admitted.wire_date, Some(trt("2026-11-20 12:00:01")));
        assert_eq!(admitted.deadline.target, trt("2026-11-24 12:00"));
    }
    let half_a_second_later = trt(NOW) + TimeDelta::milliseconds(500);
    assert_eq!(
        review_at(&registered, &no, half_a_second_later, Confirmation::None),
        ClaimVerdict::Wait { until: Some(trt("2026-11-20 12:00:01")) }
    );
    let next_second = trt("2026-11-20 12:00:01");
    assert_eq!(review_at(&registered, &no, next_second, Confirmation::None), sent("2026-11-20 12:00:01"));
}

#[test]
fn an_approval_of_what_is_approved_follows_the_brand_s_setting() {
    for (refresh, source, expected) in [
        (OnayRefresh::Never, ProviderSource::Mobile, (NotNeeded, Some("already_approved"))),
        (OnayRefresh::SourceChange, ProviderSource::Web, (NotNeeded, Some("already_approved"))),
        (OnayRefresh::SourceChange, ProviderSource::Mobile, (Queued, None)),
        (OnayRefresh::Always, ProviderSource::Web, (Queued, None)),
    ] {
        let policy = BrandPolicy { onay_refresh: refresh, ..BrandPolicy::default() };
        let mut key = knowing(Approval, "2026-11-20 08:00", "HS_WEB");
        let candidate = Candidate { source: Some(source), ..consent(1, Approval, "2026-11-20 10:00") };
        assert_eq!(verdict(&admit_with(&mut key, &candidate, policy)), expected, "{refresh:?}");
    }
    let mut key = knowing(Approval, "2026-11-20 11:00", "HS_MOBIL");
    assert_eq!(
        verdict(&admit(&mut key, &consent(1, Approval, "2026-11-20 10:00"))),
        (NotNeeded, Some("H178"))
    );
}

#[test]
fn an_approval_is_needed_where_a_rejection_stands_or_is_on_its_way() {
    let mut key = knowing(Approval, "2026-11-20 08:00", "HS_WEB");
    key.permission.reject_locally(trt("2026-11-20 09:00"), Uuid::from_u128(7));
    assert_eq!(verdict(&admit(&mut key, &consent(1, Approval, "2026-11-20 10:00"))), (Queued, None));
}

#[test]
fn a_rejection_that_is_open_counts_even_where_it_is_not_the_local_side() {
    for state in [Queued, Held, InFlight, Batched, Unresolved] {
        let mut key = knowing(Approval, "2026-11-20 08:00", "HS_WEB");
        key.open.push(open(&consent(9, Rejection, "2026-11-20 09:00"), state));
        let older = admit(&mut key, &consent(1, Approval, "2026-11-20 09:00"));
        assert_eq!(verdict(&older), (Superseded, Some("older_than_rejection")), "{state}");
        let later = admit(&mut key, &consent(2, Approval, "2026-11-20 09:00:01"));
        assert_eq!(verdict(&later), (Queued, None), "{state}");
    }
}

#[test]
fn an_approval_on_its_way_is_no_reason_to_drop_another() {
    let mut key = KeyState::not_known();
    key.open.push(open(&consent(1, Approval, "2026-11-20 09:00"), InFlight));
    assert_eq!(verdict(&admit(&mut key, &consent(2, Approval, "2026-11-20 10:00"))), (Queued, None));
}

#[test]
fn an_approval_after_the_latest_instant_is_expired() {
    let mut key = KeyState::not_known();
    let candidate = consent(1, Approval, "2026-11-16 23:59");
    assert_eq!(verdict(&admit(&mut key, &candidate)), (Expired, Some("H467")));
    let candidate = consent(1, Approval, "2026-11-17 10:00");
    assert_eq!(verdict(&admit(&mut key, &candidate)), (Queued, None));
    let too_late = trt("2026-11-21 00:00");
    assert_eq!(
        review_at(&key, &candidate, too_late, Confirmation::None),
        ClaimVerdict::End { state: Expired, code: Code::DEADLINE_PASSED }
    );
}

#[test]
fn an_approval_after_the_citizen_s_refusal_follows_the_brand_s_setting() {
    let hold = (Held, Some("review_after_citizen_ret"));
    for (setting, own_channel, expected) in [
        (AfterCitizenRet::Review, true, hold),
        (AfterCitizenRet::Evidence, false, hold),
        (AfterCitizenRet::Evidence, true, (Queued, None)),
        (AfterCitizenRet::Refuse, true, (Refused, Some("refused_after_citizen_ret"))),
    ] {
        let policy = BrandPolicy { after_citizen_ret: setting, ..BrandPolicy::default() };
        let mut key = knowing(Rejection, "2026-11-20 08:00", "IYS_MOBIL");
        let candidate = Candidate { own_channel, ..consent(1, Approval, "2026-11-20 10:00") };
        let admitted = admit_with(&mut key, &candidate, policy);
        assert_eq!(verdict(&admitted), expected, "{setting:?} {own_channel}");
        assert_eq!(admitted.held, (admitted.state == Held).then_some(HeldCause::Review));
        let mut ours = knowing(Rejection, "2026-11-20 08:00", "HS_MESAJ");
        assert_eq!(verdict(&admit_with(&mut ours, &candidate, policy)), (Queued, None));
    }
    let mut key = knowing(Rejection, "2026-11-20 10:30", "IYS_MOBIL");
    let own = Candidate { own_channel: true, ..consent(1, Approval, "2026-11-20 10:00") };
    assert_eq!(verdict(&admit(&mut key, &own)), (NotNeeded, Some("H178")));
}

#[test]
fn a_reviewer_s_release_holds_until_the_citizen_refuses_again() {
    let key = knowing(Rejection, "2026-11-20 08:00", "IYS_MOBIL");
    let candidate = consent(1, Approval, "2026-11-20 10:00");
    let hold = ClaimVerdict::Hold { cause: HeldCause::Review, code: Code::REVIEW_AFTER_CITIZEN_RET };
    assert_eq!(review(&key, &candidate), hold);
    let released = Candidate { reviewed_at: Some(trt("2026-11-20 11:00")), ..candidate };
    assert_eq!(review(&key, &released), sent("2026-11-20 10:00"));
    let mut refused_again = key.clone();
    refused_again.permission.registry = RegistryKnowledge::Known(RegistrySide {
        creation_date: trt("2026-11-20 11:30"),
        consent_date: Some(trt("2026-11-20 09:00")),
        ..key.permission.registry.side().unwrap().clone()
    });
    assert_eq!(review(&refused_again, &released), hold);
}

#[test]
fn one_movement_of_a_key_at_a_time() {
    let no = consent(2, Rejection, "2026-11-20 10:00");
    for state in [InFlight, Batched, Unresolved] {
        let mut key = KeyState::not_known();
        key.open = vec![open(&consent(1, Approval, "2026-11-20 09:00"), state), open(&no, InFlight)];
        assert_eq!(review(&key, &no), ClaimVerdict::Wait { until: None }, "{state}");
    }
    let key = KeyState { open: vec![open(&no, InFlight)], ..KeyState::not_known() };
    assert_eq!(review(&key, &no), sent("2026-11-20 10:00"), "its own row is no other movement");
}

#[test]
fn movements_of_a_key_keep_a_second_apart() {
    let key = knowing(Approval, NOW, "HS_WEB");
    let no = consent(2, Rejection, NOW);
    let no = Candidate { consent_date: Some(trt("2026-11-20 12:00:00") - TimeDelta::hours(1)), ..no };
    let later = KeyState { open: vec![], ..key };
    assert_eq!(review(&later, &no), ClaimVerdict::Wait { until: Some(trt("2026-11-20 12:00:01")) });
    // A registry clock that is far ahead is not waited for.
    let ahead = knowing(Rejection, "2026-11-20 13:00", "HS_WEB");
    let yes = consent(3, Approval, "2026-11-20 11:00");
    assert_ne!(review(&ahead, &yes), ClaimVerdict::Wait { until: Some(trt("2026-11-20 13:00:01")) });
}

#[test]
fn the_order_inside_a_key_is_that_of_consent_dates() {
    let (yes, no) = (consent(1, Approval, "2026-11-20 11:00"), consent(2, Rejection, "2026-11-20 10:00"));
    let mut key = knowing(Approval, "2026-11-20 08:00", "HS_MOBIL");
    key.open = vec![open(&yes, Queued), open(&no, Queued)];
    key.permission.reject_locally(trt("2026-11-20 10:00"), no.consent_id);
    assert_eq!(review(&key, &yes), ClaimVerdict::Wait { until: None });
    assert_eq!(review(&key, &no), sent("2026-11-20 10:00"));
    // What is held may stay so for days: a later decision goes first.
    key.open[1].state = Held;
    assert_eq!(review(&key, &yes), sent("2026-11-20 11:00"));
}

#[test]
fn what_changed_since_admission_is_seen_at_the_claim() {
    let yes = consent(1, Approval, "2026-11-20 10:00");
    for (key, state, code) in [
        (knowing(Rejection, "2026-11-20 11:00", "IYS_WEB"), NotNeeded, Code::H178),
        (knowing(Approval, "2026-11-20 08:00", "HS_WEB"), NotNeeded, Code::ALREADY_APPROVED),
        (
            knowing(Rejection, "2026-11-20 11:00", Source::LINE_CLOSURE),
            Superseded,
            Code::OLDER_THAN_REJECTION,
        ),
    ] {
        assert_eq!(review(&key, &yes), ClaimVerdict::End { state, code });
    }
    let no = consent(2, Rejection, "2026-11-20 10:00");
    let key = knowing(Rejection, "2026-11-20 11:00", "IYS_WEB");
    assert_eq!(review(&key, &no), ClaimVerdict::End { state: NotNeeded, code: Code::H174 });
}

#[test]
fn a_closed_line_is_not_revived_by_an_approval_given_before() {
    let mut key = knowing(Approval, "2026-11-02 08:00", "HS_WEB");
    key.permission.merge(RegistrySide {
        status: Rejection,
        consent_date: Some(trt("2026-11-02 08:00")),
        source: Source::LINE_CLOSURE.parse().ok(),
        creation_date: trt("2026-11-20 11:00"),
        transaction_id: "u".into(),
    });
    let before = admit(&mut key, &consent(1, Approval, "2026-11-20 10:00"));
    assert_eq!(verdict(&before), (Superseded, Some("older_than_rejection")));
    let after = admit(&mut key, &consent(2, Approval, "2026-11-20 11:30"));
    assert_eq!(verdict(&after), (Queued, None));
}

#[test]
fn a_late_rejection_asks_for_the_status_first() {
    let no = consent(1, Rejection, "2026-11-16 10:00");
    let key = knowing(Approval, "2026-11-10 08:00", "HS_WEB");
    let limit = trt("2026-11-19 10:00");
    assert_eq!(review_at(&key, &no, limit, Confirmation::None), sent("2026-11-16 10:00"));
    let now = limit + TimeDelta::milliseconds(1_700);
    assert_eq!(review_at(&key, &no, now, Confirmation::None), ClaimVerdict::AskStatusFirst);
    let late = ClaimVerdict::Send { wire_date: Some(trt("2026-11-19 10:00:01")), late: true };
    assert_eq!(review_at(&key, &no, now, Confirmation::StatusJustAsked), late);
    // The registry said H467 although we thought there was time.
    let early = trt("2026-11-18 10:00");
    let late = ClaimVerdict::Send { wire_date: Some(early), late: true };
    assert_eq!(review_at(&key, &no, early, Confirmation::StatusJustAsked), late);
    let overtaken = knowing(Approval, "2026-11-17 08:00", "IYS_WEB");
    assert_eq!(
        review_at(&overtaken, &no, now, Confirmation::StatusJustAsked),
        ClaimVerdict::End { state: Superseded, code: Code::NEWER_APPROVAL }
    );
}

#[test]
fn a_merchant_s_update_without_a_date_is_refused_unless_nothing_changes() {
    let bare = Candidate {
        recipient_type: RecipientType::Merchant,
        source: None,
        consent_date: None,
        ..consent(1, Approval, NOW)
    };
    let mut key = knowing(Approval, "2026-11-20 08:00", "HS_WEB");
    assert_eq!(verdict(&admit(&mut key, &bare)), (Refused, Some("H463")));
    let sourced = Candidate { source: Some(ProviderSource::Web), ..bare.clone() };
    assert_eq!(verdict(&admit(&mut key, &sourced)), (NotNeeded, Some("already_approved")));
    let rejection = Candidate { status: Rejection, ..sourced };
    let admitted = admit(&mut key, &rejection);
    assert_eq!(verdict(&admitted), (Refused, Some("H462")));
    assert!(admitted.local_rejection, "it is obeyed here whatever the registry takes");
}

#[test]
fn settings_are_written_in_snake_case_and_have_safe_defaults() {
    let policy: BrandPolicy = serde_json::from_str("{}").unwrap();
    assert_eq!(policy, BrandPolicy::default());
    assert_eq!(
        serde_json::to_string(&policy).unwrap(),
        r#"{"onay_refresh":"source_change","after_citizen_ret":"evidence"}"#
    );
}

fn readmit(key: &mut KeyState, candidate: &Candidate, now: &str) -> Readmission {
    key.readmit(candidate, &BrandPolicy::default(), BusinessCalendar::builtin(), trt(now))
}

fn left(code: Code) -> Readmission {
    Readmission::Leave { code }
}

#[test]
fn what_may_still_be_filed_is_filed_once_more_under_its_own_date() {
    let approval = consent(1, Approval, "2026-11-20 10:00");
    let mut key = KeyState::not_known();
    let filed = Readmission::File { wire_date: approval.consent_date, superseded: Vec::new() };
    assert_eq!(readmit(&mut key, &approval, "2026-11-24 11:00"), filed, "after the target it is tried");
    assert_eq!(key.open, [open(&approval, Queued)]);
    let same = consent(2, Approval, "2026-11-20 10:00");
    assert_eq!(readmit(&mut key, &same, "2026-11-24 11:00"), left(Code::ALREADY_OPEN));
}

#[test]
fn an_approval_is_left_after_its_latest_instant_and_against_a_refusal_that_stands() {
    let approval = consent(1, Approval, "2026-11-20 10:00");
    assert_eq!(
        readmit(&mut KeyState::not_known(), &approval, "2026-12-20 10:00"),
        left(Code::DEADLINE_PASSED)
    );
    let mut key = KeyState::not_known();
    admit(&mut key, &consent(2, Rejection, "2026-11-20 11:00"));
    assert_eq!(readmit(&mut key, &approval, NOW), left(Code::OLDER_THAN_REJECTION));
    let mut citizen = knowing(Rejection, "2026-11-20 09:00", "IYS_WEB");
    assert_eq!(readmit(&mut citizen, &approval, NOW), left(Code::REVIEW_AFTER_CITIZEN_RET));
    assert!(citizen.open.is_empty());
}

#[test]
fn a_rejection_that_is_filed_once_more_overtakes_what_waits() {
    let (approval, rejection) =
        (consent(1, Approval, "2026-11-20 10:00"), consent(2, Rejection, "2026-11-20 11:00"));
    let mut key = knowing(Approval, "2026-11-19 10:00", "HS_WEB");
    key.open.push(open(&approval, Queued));
    let filed =
        Readmission::File { wire_date: rejection.consent_date, superseded: vec![approval.consent_id] };
    assert_eq!(readmit(&mut key, &rejection, NOW), filed);
    assert_eq!(key.open, [open(&rejection, Queued)]);
    assert_eq!(readmit(&mut empty(), &rejection, NOW), left(Code::H175), "nothing to reject");
}
