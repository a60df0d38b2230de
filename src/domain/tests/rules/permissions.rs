//! Both sides of a permission.

use chrono::{DateTime, TimeDelta, Utc};
use kopru_domain::{
    Code, ConsentStatus, Effective, Merge, Observation, Permission, RecipientType, RegistryKnowledge,
    RegistrySide, Source,
};
use proptest::prelude::*;
use uuid::Uuid;

use crate::trt;

const OURS: Uuid = Uuid::from_u128(1);

/// A movement of the registry: (status, consentDate, source, creationDate, transactionId).
fn movement(status: ConsentStatus, date: &str, source: &str, created: &str, id: &str) -> RegistrySide {
    RegistrySide {
        status,
        consent_date: Some(trt(date)),
        source: source.parse::<Source>().ok(),
        creation_date: trt(created),
        transaction_id: id.into(),
    }
}

fn approval(date: &str) -> RegistrySide {
    movement(ConsentStatus::Approval, date, "HS_WEB", date, date)
}

fn rejection(date: &str) -> RegistrySide {
    movement(ConsentStatus::Rejection, date, "IYS_WEB", date, date)
}

fn knowing(side: RegistrySide) -> Permission {
    Permission { registry: RegistryKnowledge::Known(side), ..Permission::not_known() }
}

fn effective(permission: &Permission) -> Effective {
    permission.effective(RecipientType::Individual)
}

#[test]
fn only_a_registered_approval_permits() {
    assert_eq!(effective(&Permission::not_known()), Effective::Unknown);
    assert_eq!(effective(&knowing(approval("2026-11-20 10:00"))), Effective::Approval);
    assert_eq!(effective(&knowing(rejection("2026-11-20 10:00"))), Effective::Rejection);
    let mut empty = Permission::not_known();
    empty.mark_empty(trt("2026-11-20 10:00"));
    for kind in RecipientType::ALL {
        assert_eq!(empty.effective(*kind), Effective::Unknown);
    }
    assert_eq!(knowing(approval("2026-11-20 10:00")).effective(RecipientType::Merchant), Effective::Approval);
}

#[test]
fn creation_orders_movements_and_consent_date_does_not() {
    let mut permission = knowing(approval("2026-11-20 10:00"));
    let closed = movement(
        ConsentStatus::Rejection,
        "2026-01-01 00:00",
        "IYS_AHS_HAT_KAPATMA",
        "2026-11-21 08:00",
        "closed",
    );
    assert_eq!(permission.merge(closed.clone()), Merge::Applied);
    assert_eq!(effective(&permission), Effective::Rejection);
    assert_eq!(permission.merge(closed), Merge::Same);
    assert_eq!(permission.merge(approval("2026-11-20 10:00")), Merge::Stale);
    assert_eq!(effective(&permission), Effective::Rejection);
}

#[test]
fn in_one_second_the_rejection_wins_whatever_the_ids_and_the_order_of_arrival() {
    for (yes, no) in [("a", "b"), ("b", "a"), ("a", "a")] {
        let at = "2026-11-20 10:00";
        let yes = movement(ConsentStatus::Approval, at, "IYS_WEB", at, yes);
        let no = movement(ConsentStatus::Rejection, at, "IYS_WEB", at, no);
        for order in [[&yes, &no], [&no, &yes]] {
            let mut permission = Permission::not_known();
            for side in order {
                permission.merge(side.clone());
            }
            assert_eq!(effective(&permission), Effective::Rejection);
        }
    }
}

#[test]
fn a_resend_that_answers_with_an_old_transaction_cannot_overwrite_the_citizen() {
    let mut permission = Permission::not_known();
    permission.merge(rejection("2026-11-20 11:00"));
    let answer =
        movement(ConsentStatus::Approval, "2026-11-20 09:00", "HS_WEB", "2026-11-20 10:00", "first attempt");
    assert_eq!(permission.merge(answer), Merge::Stale);
    assert_eq!(effective(&permission), Effective::Rejection);
}

#[test]
fn a_local_rejection_stands_until_the_registry_shows_it() {
    let mut permission = knowing(approval("2026-11-20 10:00"));
    assert!(permission.reject_locally(trt("2026-11-20 12:00"), OURS));
    assert_eq!(effective(&permission), Effective::Rejection);
    // An older rejection of the person is not this one, nor is a closed line with its old date.
    for (date, source, created) in [
        ("2026-11-20 11:00", "IYS_WEB", "2026-11-20 11:00"),
        ("2026-11-20 10:00", "IYS_AHS_HAT_KAPATMA", "2026-11-20 13:00"),
    ] {
        permission.merge(movement(ConsentStatus::Rejection, date, source, created, source));
        assert!(permission.local.is_some(), "{source}");
    }
    let ours = movement(ConsentStatus::Rejection, "2026-11-20 12:00", "HS_WEB", "2026-11-20 14:00", "ours");
    assert_eq!(permission.merge(ours), Merge::Applied);
    assert_eq!(permission.local, None);
    assert_eq!(effective(&permission), Effective::Rejection);
}

#[test]
fn a_local_rejection_filed_late_is_shown_by_its_later_date() {
    let mut permission = knowing(approval("2026-11-02 10:00"));
    permission.reject_locally(trt("2026-11-03 12:00"), OURS);
    permission.merge(movement(
        ConsentStatus::Rejection,
        "2026-11-20 09:00",
        "HS_WEB",
        "2026-11-20 09:00",
        "late",
    ));
    assert_eq!(permission.local, None);
}

#[test]
fn only_a_later_approval_lifts_a_local_rejection() {
    let mut permission = knowing(approval("2026-11-20 10:00"));
    permission.reject_locally(trt("2026-11-20 12:00"), OURS);
    for (date, stands) in
        [("2026-11-20 11:00", true), ("2026-11-20 12:00", true), ("2026-11-20 12:00:01", false)]
    {
        let created = trt(date) + TimeDelta::hours(5);
        permission.merge(RegistrySide { creation_date: created, ..approval(date) });
        assert_eq!(permission.local.is_some(), stands, "{date}");
    }
    assert_eq!(effective(&permission), Effective::Approval);
}

#[test]
fn a_rejection_that_is_overtaken_already_does_not_stand() {
    let mut permission = knowing(approval("2026-11-20 10:00"));
    assert!(!permission.reject_locally(trt("2026-11-20 09:59:59"), OURS));
    assert_eq!(effective(&permission), Effective::Approval);
    assert!(permission.reject_locally(trt("2026-11-20 10:00"), OURS));
    assert!(!permission.reject_locally(trt("2026-11-20 10:00"), Uuid::from_u128(2)), "an equal one stands");
    assert!(permission.reject_locally(trt("2026-11-20 10:01"), Uuid::from_u128(3)));
    assert_eq!(permission.local.map(|local| local.consent_id), Some(Uuid::from_u128(3)));
}

fn observed(side: Option<RegistrySide>, asked_at: DateTime<Utc>, approved: bool) -> Effective {
    let mut permission = side.map_or_else(Permission::not_known, knowing);
    permission.observe(Observation { asked_at, approved });
    effective(&permission)
}

#[test]
fn absence_from_the_list_of_approvals_forbids_until_a_later_movement() {
    let asked = trt("2026-11-20 12:00");
    assert_eq!(observed(Some(approval("2026-11-20 11:00")), asked, false), Effective::Unknown);
    assert_eq!(observed(Some(rejection("2026-11-20 11:00")), asked, false), Effective::Rejection);
    assert_eq!(observed(Some(approval("2026-11-20 12:00:01")), asked, false), Effective::Approval);
    assert_eq!(observed(None, asked, false), Effective::Unknown);
}

#[test]
fn presence_never_overrides_what_came_after_nor_what_we_took() {
    let asked = trt("2026-11-20 12:00") + TimeDelta::milliseconds(500);
    assert_eq!(observed(Some(rejection("2026-11-20 11:00")), asked, true), Effective::Approval);
    assert_eq!(observed(None, asked, true), Effective::Approval);
    // Written in the second of the asking: nobody knows which was first.
    assert_eq!(observed(Some(rejection("2026-11-20 12:00")), asked, true), Effective::Rejection);
    let mut permission = Permission::not_known();
    permission.reject_locally(trt("2026-11-01 00:00"), OURS);
    permission.observe(Observation { asked_at: asked, approved: true });
    assert_eq!(effective(&permission), Effective::Rejection);
}

#[test]
fn a_single_status_answer_makes_an_older_observation_void() {
    let mut permission = knowing(approval("2026-11-20 11:00"));
    permission.observe(Observation { asked_at: trt("2026-11-20 12:00"), approved: false });
    assert_eq!(effective(&permission), Effective::Unknown);
    permission.answer_status(trt("2026-11-20 12:30"), Some(approval("2026-11-20 11:00")));
    assert_eq!(effective(&permission), Effective::Approval);
    // A record that vanished is a contradiction, not permission.
    permission.answer_status(trt("2026-11-20 12:40"), None);
    assert_eq!(effective(&permission), Effective::Unknown);
    let mut empty = Permission::not_known();
    assert_eq!(empty.answer_status(trt("2026-11-20 12:40"), None), Merge::Applied);
    assert_eq!(empty.registry, RegistryKnowledge::KnownEmpty { as_of: trt("2026-11-20 12:40") });
}

#[test]
fn an_older_observation_is_dropped() {
    let mut permission = knowing(approval("2026-11-20 11:00"));
    permission.observe(Observation { asked_at: trt("2026-11-20 12:00"), approved: false });
    permission.observe(Observation { asked_at: trt("2026-11-20 11:30"), approved: true });
    assert_eq!(effective(&permission), Effective::Unknown);
}

#[test]
fn a_refusal_teaches_what_the_registry_holds() {
    let asked = trt("2026-11-20 12:00");
    let mut permission = Permission::not_known();
    permission.learn_from_refusal(&Code::H175, asked);
    assert_eq!(permission.registry, RegistryKnowledge::KnownEmpty { as_of: asked });
    let mut permission = knowing(approval("2026-11-20 11:00"));
    permission.learn_from_refusal(&Code::H174, asked);
    assert_eq!(effective(&permission), Effective::Unknown);
    permission.learn_from_refusal(&Code::H178, asked);
    assert_eq!(effective(&permission), Effective::Unknown);
}

#[test]
fn a_gap_forgets_what_is_older_and_nothing_of_ours() {
    let gap = trt("2026-11-20 12:00");
    let mut old = knowing(approval("2026-11-20 11:59:59"));
    old.forget(gap);
    assert_eq!(old, Permission::not_known());
    let mut young = knowing(rejection("2026-11-20 12:00"));
    young.forget(gap);
    assert_eq!(effective(&young), Effective::Rejection);
    let mut empty = Permission::not_known();
    empty.mark_empty(trt("2026-11-20 11:00"));
    empty.forget(gap);
    assert_eq!(empty.registry, RegistryKnowledge::NotKnown);
    let seen = |asked_at: &str| Observation { asked_at: trt(asked_at), approved: true };
    let mut observed = Permission { observation: Some(seen("2026-11-20 11:00")), ..Permission::not_known() };
    assert_eq!(effective(&observed), Effective::Approval);
    observed.forget(gap);
    assert_eq!(effective(&observed), Effective::Unknown);
    let mut asked = knowing(rejection("2026-11-10 10:00"));
    asked.observe(seen("2026-11-20 12:30"));
    asked.forget(gap);
    assert_eq!(effective(&asked), Effective::Approval, "what was asked since still counts");
    let mut ours = knowing(approval("2026-11-20 10:00"));
    assert!(ours.reject_locally(trt("2026-11-20 11:00"), OURS));
    ours.forget(gap);
    assert_eq!((effective(&ours), ours.local.is_some()), (Effective::Rejection, true));
}

/// Movements of one key, each with the second of its creation; some share a second, and then an id.
fn any_movements() -> impl Strategy<Value = Vec<RegistrySide>> {
    let one = (0_i64..12, any::<bool>(), 0_i64..6, any::<bool>());
    prop::collection::vec(one, 1..8).prop_map(|parts| {
        let start = trt("2026-11-20 10:00");
        let at = |seconds: i64| start + TimeDelta::seconds(seconds);
        let mut sides: Vec<RegistrySide> = parts
            .into_iter()
            .map(|(created, yes, date, ours)| RegistrySide {
                status: if yes { ConsentStatus::Approval } else { ConsentStatus::Rejection },
                consent_date: Some(at(date - 60)),
                source: if ours { "HS_WEB" } else { "IYS_WEB" }.parse().ok(),
                creation_date: at(created),
                transaction_id: format!("t{created}"),
            })
            .collect();
        sides.sort_by_key(|side| side.creation_date);
        sides.dedup_by_key(|side| (side.transaction_id.clone(), side.status, side.consent_date));
        sides
    })
}

proptest! {
    /// Pull, push and the daily file tell of the same movements, each in the registry's order, in any interleaving: each
    /// movement is applied once at most, whoever brings it, and the end is the same as if one had told of them.
    #[test]
    fn a_movement_told_by_pull_push_and_file_is_applied_once(sides in any_movements(), turns in prop::collection::vec(0_usize..3, 0..64)) {
        let mut alone = Permission::not_known();
        for side in &sides {
            alone.merge(side.clone());
        }
        let mut permission = Permission::not_known();
        let mut told = [0_usize; 3];
        let mut applied: Vec<RegistrySide> = Vec::new();
        let mut changes = 0;
        let rest = (0..3).flat_map(|way| std::iter::repeat_n(way, sides.len()));
        for way in turns.into_iter().chain(rest) {
            let Some(side) = sides.get(told[way]) else { continue };
            told[way] += 1;
            let before = effective(&permission);
            if permission.merge(side.clone()) == Merge::Applied {
                let same = |known: &RegistrySide| (known.status, known.consent_date, &known.transaction_id) == (side.status, side.consent_date, &side.transaction_id);
                prop_assert!(!applied.iter().any(same), "applied twice: {side:?}");
                applied.push(side.clone());
            }
            changes += usize::from(effective(&permission) != before);
        }
        prop_assert_eq!(&permission, &alone);
        prop_assert!(changes <= applied.len());
    }
}

#[test]
fn what_the_registry_has_lost_is_not_known_any_more() {
    let mut permission = knowing(approval("2026-11-20 10:00"));
    assert!(!permission.forget_lost("another"));
    assert_eq!(effective(&permission), Effective::Approval);
    assert!(permission.forget_lost("2026-11-20 10:00"));
    assert_eq!(effective(&permission), Effective::Unknown);
    assert_eq!(permission.registry, RegistryKnowledge::NotKnown);
}
