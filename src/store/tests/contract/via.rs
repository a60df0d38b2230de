//! Confirmations by the registry: settings and holds of brands, processes claimed once, ended once, and their evidence.

use kopru_domain::Channel;
use kopru_domain::via::{Verification, ViaState};
use kopru_store::Claim;
use kopru_store::via::{self, ALL_BRANDS, HoldRow, PackageRow, SettingsRow};
use kopru_store::via_processes::{self as processes, EvidenceState, MovementRow, ProcessRow, ProofRow};

use crate::fixture::Store;
use crate::sample::{BRAND, OTHER_BRAND, PROVIDER, at, id};

on_both!(
    settings_holds_and_packages_are_kept,
    starts_and_the_rest_are_two_queues,
    a_lost_claim_writes_nothing,
    a_person_takes_what_waits_and_nobody_has_in_hand,
    movements_and_evidence_are_kept_once,
);

fn row(number: u8) -> ProcessRow {
    ProcessRow {
        iys_code: PROVIDER,
        id: id(u128::from(number)),
        brand_code: BRAND,
        verification: Verification::SmsOtp,
        form_id: 12,
        link_id: Some(id(77)),
        state: ViaState::Queued,
        request_id: None,
        code: None,
        started_at: None,
        ended_at: None,
        mirrored: false,
        evidence: EvidenceState::None,
        attempt: 0,
        next_attempt_at: Some(at(i64::from(number))),
        created_at: at(0),
    }
}

fn claim(number: u128, until: i64) -> Claim {
    Claim { by: id(number), until: at(until) }
}

async fn add(store: &Store, row: ProcessRow) {
    store.write(async |tx| processes::add(tx, &row).await.unwrap()).await;
}

async fn claimed(store: &Store, starts: bool, now: i64, by: Claim) -> Option<ProcessRow> {
    store.write(async |tx| processes::claim(tx, starts, at(now), at(now), by).await.unwrap()).await
}

async fn found(store: &Store, number: u128) -> ProcessRow {
    store.read(async |tx| processes::find(tx, PROVIDER, id(number)).await.unwrap()).await.unwrap()
}

async fn settings_holds_and_packages_are_kept(store: Store) {
    let settings = SettingsRow {
        iys_code: PROVIDER,
        brand_code: BRAND,
        by_default: true,
        forms: r#"{"SMS_OTP":12}"#.to_owned(),
        updated_at: at(1),
    };
    let hold = |brand_code, code: &str, second| HoldRow {
        iys_code: PROVIDER,
        brand_code,
        code: code.to_owned(),
        since: at(second),
        probe_at: at(second + 900),
    };
    let package = PackageRow {
        iys_code: PROVIDER,
        status: "ACTIVE".to_owned(),
        package: Some("ViA-25".to_owned()),
        credit: Some(7),
        expires_at: None,
        synced_at: at(5),
    };
    store
        .write(async |tx| {
            via::save_package(tx, &package).await.unwrap();
            assert_eq!(via::packages(tx).await.unwrap(), [], "nobody uses it yet");
            via::save(tx, &SettingsRow { by_default: false, ..settings.clone() }).await.unwrap();
            via::save(tx, &settings).await.unwrap();
            assert_eq!(via::find(tx, PROVIDER, BRAND).await.unwrap(), Some(settings));
            assert_eq!(via::find(tx, PROVIDER, OTHER_BRAND).await.unwrap(), None);
            assert_eq!(via::packages(tx).await.unwrap(), std::slice::from_ref(&package));
            assert_eq!(via::package(tx, PROVIDER).await.unwrap(), Some(package));

            via::hold(tx, &hold(ALL_BRANDS, "H1015", 10)).await.unwrap();
            via::hold(tx, &hold(BRAND, "H1104", 10)).await.unwrap();
            via::hold(tx, &hold(OTHER_BRAND, "H1104", 10)).await.unwrap();
            via::hold(tx, &hold(BRAND, "H1040", 20)).await.unwrap();
            let renewed = HoldRow { since: at(10), ..hold(BRAND, "H1040", 20) };
            assert_eq!(
                via::holds(tx, PROVIDER, BRAND).await.unwrap(),
                [hold(ALL_BRANDS, "H1015", 10), renewed]
            );
            assert_eq!(via::lift(tx, PROVIDER, BRAND).await.unwrap(), 2);
            assert_eq!(via::all_holds(tx).await.unwrap(), [hold(OTHER_BRAND, "H1104", 10)]);
            assert!(via::remove(tx, PROVIDER, BRAND).await.unwrap());
            assert!(!via::remove(tx, PROVIDER, BRAND).await.unwrap());
        })
        .await;
}

async fn starts_and_the_rest_are_two_queues(store: Store) {
    add(&store, row(2)).await;
    add(&store, row(1)).await;
    add(&store, ProcessRow { state: ViaState::Waiting, ..row(3) }).await;
    add(&store, ProcessRow { state: ViaState::Approved, next_attempt_at: None, ..row(4) }).await;
    let due = async |starts, now| {
        store.read(async |tx| processes::is_due(tx, starts, at(now), at(now)).await.unwrap()).await
    };
    assert!(!due(true, 0).await && due(true, 1).await && !due(false, 2).await && due(false, 3).await);
    let first = claimed(&store, true, 10, claim(1, 100)).await.unwrap();
    assert_eq!((first.id, first.attempt), (id(1), 1), "who has waited longest");
    assert_eq!(claimed(&store, true, 10, claim(2, 100)).await.unwrap().id, id(2));
    assert_eq!(claimed(&store, true, 10, claim(3, 100)).await, None, "each once");
    assert_eq!(claimed(&store, false, 10, claim(3, 100)).await.unwrap().id, id(3));
    assert_eq!(claimed(&store, false, 10, claim(3, 100)).await, None, "what has ended is not due");
    assert_eq!(claimed(&store, true, 101, claim(4, 200)).await.unwrap().id, id(1), "a lease ends");
    let counts = store.read(async |tx| processes::open_counts(tx).await.unwrap()).await;
    assert_eq!(counts, [("queued".to_owned(), 2), ("waiting".to_owned(), 1)]);
}

async fn a_lost_claim_writes_nothing(store: Store) {
    add(&store, row(1)).await;
    let (dead, next) = (claim(1, 100), claim(2, 300));
    let mine = claimed(&store, true, 10, dead).await.unwrap();
    assert!(store.write(async |tx| processes::begin(tx, &mine, dead, at(11)).await.unwrap()).await);
    let theirs = claimed(&store, true, 200, next).await.unwrap();
    assert_eq!(
        (theirs.state, theirs.started_at),
        (ViaState::Starting, Some(at(11))),
        "it shows how far it was"
    );
    let started = ProcessRow { state: ViaState::Waiting, request_id: Some("r".to_owned()), ..mine };
    let settle = async |row: &ProcessRow, by| {
        store.write(async |tx| processes::settle(tx, row, by).await.unwrap()).await
    };
    assert!(!settle(&started, dead).await);
    assert!(!store.write(async |tx| processes::begin(tx, &theirs, next, at(201)).await.unwrap()).await);
    let failed =
        ProcessRow { state: ViaState::Failed, ended_at: Some(at(201)), next_attempt_at: None, ..theirs };
    assert!(settle(&failed, next).await && !settle(&failed, next).await);
    assert_eq!(found(&store, 1).await, failed);
}

async fn a_person_takes_what_waits_and_nobody_has_in_hand(store: Store) {
    add(&store, row(1)).await;
    add(&store, ProcessRow { state: ViaState::Waiting, ..row(2) }).await;
    let take = async |number, by| {
        store.write(async |tx| processes::take(tx, PROVIDER, id(number), at(50), by).await.unwrap()).await
    };
    assert_eq!(take(1, claim(1, 100)).await, None, "it has not begun");
    assert_eq!(take(2, claim(1, 100)).await.unwrap().id, id(2));
    assert_eq!(take(2, claim(2, 100)).await, None, "one press at a time");
    let end = async |number| {
        store
            .write(async |tx| processes::end(tx, PROVIDER, id(number), "replaced", at(60)).await.unwrap())
            .await
    };
    assert!(end(2).await && !end(2).await);
    let ended = found(&store, 2).await;
    assert_eq!(
        (ended.state, ended.code.as_deref(), ended.next_attempt_at),
        (ViaState::Expired, Some("replaced"), None)
    );
}

async fn movements_and_evidence_are_kept_once(store: Store) {
    add(&store, row(1)).await;
    let movement = MovementRow {
        id: id(1),
        transaction_id: "ab".repeat(32),
        channel: Channel::Message,
        consent_date: Some(at(9)),
    };
    let proof = ProofRow { id: id(1), sha256: vec![7; 32], size: 3, fetched_at: at(10) };
    store
        .write(async |tx| {
            for _ in 0..2 {
                processes::moved(tx, PROVIDER, &movement).await.unwrap();
                processes::prove(tx, PROVIDER, &proof, vec![1, 2, 3]).await.unwrap();
            }
            let other = ProofRow { sha256: vec![8; 32], ..proof.clone() };
            processes::prove(tx, PROVIDER, &other, vec![4]).await.unwrap();
            let ids = vec![id(1), id(2)];
            assert_eq!(
                processes::movements(tx, PROVIDER, ids.clone()).await.unwrap(),
                std::slice::from_ref(&movement)
            );
            let names = vec![movement.transaction_id.clone(), "other".to_owned()];
            assert_eq!(processes::behind(tx, PROVIDER, names).await.unwrap(), [movement]);
            assert_eq!(
                processes::proofs(tx, PROVIDER, ids.clone()).await.unwrap(),
                [proof],
                "the first one stays"
            );
            assert_eq!(processes::proof(tx, PROVIDER, id(1)).await.unwrap(), Some(vec![1, 2, 3]));
            assert_eq!(processes::of_ids(tx, PROVIDER, ids).await.unwrap(), [row(1)]);
        })
        .await;
}
