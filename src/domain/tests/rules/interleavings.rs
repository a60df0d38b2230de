//! Whatever order approvals, rejections, answers and the citizen come in: at the end the registry holds
//! no approval older than a rejection of ours, and nothing is left open.

use chrono::{DateTime, TimeDelta, Utc};
use kopru_domain::{
    AfterCitizenRet, BrandPolicy, ConsentStatus, Effective, OnayRefresh, ProviderSource, RecipientType,
    SubmissionState,
};
use proptest::prelude::*;

use crate::driver::{Fault, Service};
use crate::registry_model::{Assumptions, Reading, Registry};
use crate::trt;

use ConsentStatus::{Approval, Rejection};

const HONEST: Assumptions =
    Assumptions { reading: Reading::EndOfDay, remembers_bodies: true, age_first: true };

fn start() -> DateTime<Utc> {
    trt("2026-11-16 09:00")
}

fn service() -> Service {
    Service::new(Registry::new(HONEST), BrandPolicy::default(), start())
}

fn minutes(minutes: i64) -> TimeDelta {
    TimeDelta::minutes(minutes)
}

/// Posts, claims and files one consent of the present second.
fn file(service: &mut Service, status: ConsentStatus) {
    service.post(status, TimeDelta::zero(), ProviderSource::Web, false);
    let index = service.claim(0).expect("it can be sent");
    service.answer(index, Fault::None);
    service.advance(minutes(5));
}

/// How far an approval has come when the rejection arrives.
#[derive(Clone, Copy, Debug)]
enum Progress {
    Queued,
    HeldForRight,
    InFlight,
    Batched,
    UnresolvedButWritten,
    UnresolvedAndLost,
    Registered,
}

fn bring(service: &mut Service, progress: Progress) {
    if matches!(progress, Progress::Queued) {
        return;
    }
    let index = service.claim(0).expect("the approval can be sent");
    let fault = match progress {
        Progress::Queued | Progress::InFlight => return,
        Progress::HeldForRight => Fault::NoRight,
        Progress::Batched => Fault::IntoBatch,
        Progress::UnresolvedButWritten => Fault::LostAnswer,
        Progress::UnresolvedAndLost => Fault::LostRequest,
        Progress::Registered => Fault::None,
    };
    service.answer(index, fault);
}

#[test]
fn a_rejection_meets_an_approval_in_every_state() {
    use Progress::*;
    for before in [None, Some(Approval), Some(Rejection)] {
        for progress in
            [Queued, HeldForRight, InFlight, Batched, UnresolvedButWritten, UnresolvedAndLost, Registered]
        {
            // The rejection is older than, equal to, or younger than the approval.
            for age in [minutes(3), minutes(2), minutes(1)] {
                let mut service = service();
                if let Some(before) = before {
                    file(&mut service, Approval);
                    if before == Rejection {
                        file(&mut service, Rejection);
                    }
                }
                let approval =
                    service.post(Approval, TimeDelta::zero(), ProviderSource::Mobile, true).unwrap();
                bring(&mut service, progress);
                service.advance(minutes(2));
                service.post(Rejection, age, ProviderSource::CallCentre, true).expect("no duplicate");
                let stayed = matches!(progress, Queued | HeldForRight);
                assert_eq!(
                    service.rows[approval].state == SubmissionState::Superseded,
                    stayed && age <= minutes(2),
                    "{before:?} {progress:?} {age}"
                );
                service.drain();
                service.assert_lawful_end();
                let permitted =
                    service.permission.effective(RecipientType::Individual) == Effective::Approval;
                assert_eq!(permitted, age > minutes(2), "{before:?} {progress:?} {age}");
            }
        }
    }
}

#[test]
fn a_time_out_a_citizen_s_refusal_and_a_resend_leave_the_refusal_in_force() {
    for fault in [Fault::LostAnswer, Fault::LostRequest] {
        for told in [false, true] {
            let mut service = service();
            file(&mut service, Approval);
            service.post(Approval, TimeDelta::zero(), ProviderSource::Mobile, true);
            let index = service.claim(0).unwrap();
            service.answer(index, fault);
            service.advance(minutes(1));
            service.registry.citizen(Rejection, service.now);
            if told {
                service.push();
            }
            service.advance(minutes(1));
            service.answer(index, Fault::None);
            service.advance(minutes(90));
            service.pull(true);
            assert_eq!(service.permission.effective(RecipientType::Individual), Effective::Rejection);
            service.drain();
            service.assert_lawful_end();
        }
    }
}

#[test]
fn a_closed_line_is_seen_despite_its_old_date_and_not_revived_by_an_older_approval() {
    let mut service = service();
    file(&mut service, Approval);
    service.advance(minutes(10));
    service.post(Approval, minutes(1), ProviderSource::Mobile, true);
    service.registry.close_line(service.now);
    service.advance(minutes(61));
    service.pull(false);
    assert_eq!(service.permission.effective(RecipientType::Individual), Effective::Rejection);
    assert_eq!(service.claim(0), None);
    assert_eq!(service.rows[1].state, SubmissionState::Superseded);
    // Whoever has the number next may approve: it is no refusal of a citizen.
    service.advance(minutes(5));
    file(&mut service, Approval);
    assert_eq!(service.permission.effective(RecipientType::Individual), Effective::Approval);
    service.assert_lawful_end();
}

#[test]
fn a_rejection_ended_by_stale_knowledge_is_filed_once_the_feed_shows_the_approval() {
    let mut service = service();
    file(&mut service, Approval);
    service.registry.citizen(Rejection, service.now);
    service.advance(minutes(61));
    service.pull(false);
    service.registry.citizen(Approval, service.now);
    service.advance(minutes(5));
    let refusal = service.post(Rejection, TimeDelta::zero(), ProviderSource::Message, true).unwrap();
    assert_eq!(service.rows[refusal].state, SubmissionState::NotNeeded);
    service.drain();
    assert_eq!(service.registry.current().map(|side| side.status), Some(Rejection));
    service.assert_lawful_end();
}

#[test]
fn a_late_rejection_goes_with_the_present_time() {
    for reading in [Reading::ExactTime, Reading::EndOfDay, Reading::Lenient] {
        for age_first in [false, true] {
            let assumptions = Assumptions { reading, age_first, ..HONEST };
            let mut service = Service::new(Registry::new(assumptions), BrandPolicy::default(), start());
            file(&mut service, Approval);
            service.advance(TimeDelta::days(9));
            service.post(Rejection, TimeDelta::days(8), ProviderSource::PhysicalPlace, false);
            let sent_at = service.now;
            let index = service.claim(0).unwrap();
            service.answer(index, Fault::None);
            let current = service.registry.current().unwrap();
            assert_eq!((current.status, current.consent_date), (Rejection, Some(sent_at)));
            service.drain();
            service.assert_lawful_end();
        }
    }
}

#[test]
fn a_late_rejection_yields_to_an_approval_given_after_it() {
    let mut service = service();
    file(&mut service, Approval);
    service.advance(TimeDelta::days(4));
    service.registry.citizen(Approval, service.now);
    file_citizen_round_trip(&mut service);
    service.advance(TimeDelta::days(5));
    let refusal = service.post(Rejection, TimeDelta::days(8), ProviderSource::PhysicalPlace, false).unwrap();
    service.claim(0);
    assert_eq!(service.rows[refusal].state, SubmissionState::Superseded);
    service.drain();
    service.assert_lawful_end();
    assert_eq!(service.registry.current().map(|side| side.status), Some(Approval));
}

/// The citizen refuses and approves again at the registry, unseen by us.
fn file_citizen_round_trip(service: &mut Service) {
    service.registry.citizen(Rejection, service.now);
    service.advance(minutes(1));
    service.registry.citizen(Approval, service.now);
}

/// One thing that happens.
#[derive(Clone, Debug)]
enum Event {
    Post { status: ConsentStatus, age: i64, source: ProviderSource, own: bool },
    Claim(usize),
    Answer(Fault),
    Citizen(ConsentStatus),
    LineClosed,
    Pull { backwards: bool },
    Push,
    AskStatus,
    Release,
    Pass(i64),
}

fn any_event() -> impl Strategy<Value = Event> {
    let status = prop::sample::select(ConsentStatus::ALL);
    let source = prop::sample::select(&[ProviderSource::Web, ProviderSource::Message][..]);
    let age = prop_oneof![Just(0_i64), 0_i64..4, 0_i64..7_200, 0_i64..(9 * 86_400)];
    let fault = prop::sample::select(
        &[
            Fault::None,
            Fault::None,
            Fault::None,
            Fault::LostRequest,
            Fault::LostAnswer,
            Fault::Throttled,
            Fault::NoRight,
            Fault::IntoBatch,
        ][..],
    );
    prop_oneof![
        4 => (status.clone(), age, source, any::<bool>())
            .prop_map(|(status, age, source, own)| Event::Post { status, age, source, own }),
        4 => any::<usize>().prop_map(Event::Claim),
        4 => fault.prop_map(Event::Answer),
        1 => status.prop_map(Event::Citizen),
        1 => Just(Event::LineClosed),
        1 => any::<bool>().prop_map(|backwards| Event::Pull { backwards }),
        1 => Just(Event::Push),
        1 => Just(Event::AskStatus),
        1 => Just(Event::Release),
        2 => prop_oneof![0_i64..3, 0_i64..5_400, 0_i64..(2 * 86_400)].prop_map(Event::Pass),
    ]
}

fn any_assumptions() -> impl Strategy<Value = Assumptions> {
    let reading = prop_oneof![Just(Reading::ExactTime), Just(Reading::EndOfDay), Just(Reading::Lenient)];
    (reading, any::<bool>(), any::<bool>()).prop_map(|(reading, remembers_bodies, age_first)| Assumptions {
        reading,
        remembers_bodies,
        age_first,
    })
}

fn any_policy() -> impl Strategy<Value = BrandPolicy> {
    let refresh =
        prop_oneof![Just(OnayRefresh::Never), Just(OnayRefresh::SourceChange), Just(OnayRefresh::Always)];
    let after = prop_oneof![
        Just(AfterCitizenRet::Review),
        Just(AfterCitizenRet::Evidence),
        Just(AfterCitizenRet::Refuse)
    ];
    (refresh, after)
        .prop_map(|(onay_refresh, after_citizen_ret)| BrandPolicy { onay_refresh, after_citizen_ret })
}

fn happen(service: &mut Service, event: &Event) {
    match event {
        Event::Post { status, age, source, own } => {
            service.post(*status, TimeDelta::seconds(*age), *source, *own);
        }
        Event::Claim(nth) => {
            service.claim(*nth);
        }
        Event::Answer(fault) => {
            let abroad = service.in_state(&[
                SubmissionState::InFlight,
                SubmissionState::Batched,
                SubmissionState::Unresolved,
            ]);
            if let Some(index) = abroad.first() {
                service.answer(*index, *fault);
            }
        }
        Event::Citizen(status) => service.registry.citizen(*status, service.now),
        Event::LineClosed => service.registry.close_line(service.now),
        Event::Pull { backwards } => service.pull(*backwards),
        Event::Push => service.push(),
        Event::AskStatus => service.ask_status(),
        Event::Release => service.release(),
        Event::Pass(seconds) => service.advance(TimeDelta::seconds(*seconds)),
    }
    // Movements of one key in one second share a transaction; the real registry orders them somehow.
    service.advance(TimeDelta::seconds(1));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, max_shrink_iters: 20_000, ..ProptestConfig::default() })]

    #[test]
    fn every_interleaving_ends_lawfully(
        events in prop::collection::vec(any_event(), 1..40),
        assumptions in any_assumptions(),
        policy in any_policy(),
        review_approves: bool,
    ) {
        let mut service = Service::new(Registry::new(assumptions), policy, start());
        service.review_approves = review_approves;
        for event in &events {
            happen(&mut service, event);
        }
        service.drain();
        service.assert_lawful_end();
    }
}
