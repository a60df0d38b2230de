//! The canonical record and its chain.

use chrono::TimeDelta;
use kopru_domain::ledger::{
    ChainError, ChainWalk, GENESIS, Hash, Record, RecordKind, commitment, entry_hash, verify_commitment,
};
use kopru_domain::{BrandCode, Channel, ConsentStatus, IysCode, RecipientType, RetailerCode, Source};
use proptest::prelude::*;
use uuid::Uuid;

use crate::trt;

fn record(number: i64) -> Record {
    let at = trt("2026-11-20 10:05");
    Record {
        number,
        iys_code: IysCode(612_345),
        brand_code: BrandCode(612_346),
        consent_id: Uuid::from_u128(7),
        kind: RecordKind::Consent,
        channel: Channel::Message,
        recipient_type: RecipientType::Individual,
        status: ConsentStatus::Approval,
        source: "HS_WEB".parse::<Source>().ok(),
        consent_date: Some(at),
        received_at: at + TimeDelta::microseconds(1_500_001),
        recorded_at: at + TimeDelta::seconds(2),
        retailer_code: None,
        recipient: commitment(b"+905321234567", &[1; 32]),
        evidence: commitment(b"{}", &[2; 32]),
    }
}

/// Every way to change one field.
fn changed() -> Vec<Record> {
    let base = record(1);
    let second = TimeDelta::seconds(1);
    vec![
        Record { number: 2, ..base.clone() },
        Record { iys_code: IysCode(1), ..base.clone() },
        Record { brand_code: BrandCode(1), ..base.clone() },
        Record { consent_id: Uuid::from_u128(8), ..base.clone() },
        Record { kind: RecordKind::Notice, ..base.clone() },
        Record { channel: Channel::Call, ..base.clone() },
        Record { recipient_type: RecipientType::Merchant, ..base.clone() },
        Record { status: ConsentStatus::Rejection, ..base.clone() },
        Record { source: None, ..base.clone() },
        Record { consent_date: None, ..base.clone() },
        Record { consent_date: base.consent_date.map(|date| date + second), ..base.clone() },
        Record { received_at: base.received_at + TimeDelta::microseconds(1), ..base.clone() },
        Record { recorded_at: base.recorded_at + second, ..base.clone() },
        Record { retailer_code: Some(RetailerCode(58_954_386)), ..base.clone() },
        Record { recipient: base.evidence, ..base.clone() },
        Record { evidence: base.recipient, ..base },
    ]
}

fn chain(length: i64) -> Vec<(Record, Hash)> {
    let mut previous = GENESIS;
    let link = |number| {
        let record = record(number);
        previous = entry_hash(&previous, &record);
        (record, previous)
    };
    (1..=length).map(link).collect()
}

#[test]
fn the_format_never_changes() {
    // If this fails, every ledger ever written stops verifying: write a version 2 instead.
    let bytes = record(1).to_bytes();
    assert!(bytes.starts_with(b"kopru-ledger-1\x01\0\0\0\x08\0\0\0\0\0\0\0\x01\x02\0\0\0\x08"));
    assert_eq!(
        hex::encode(entry_hash(&GENESIS, &record(1))),
        "bd00cbfbbcd55f12f711597f9176b586b864ad7beda629266336c697536b16c3"
    );
}

#[test]
fn a_commitment_is_the_hash_of_salt_and_value() {
    // printf '\0%.0s' {1..32} | cat - <(printf abc) | sha256sum
    assert_eq!(
        hex::encode(commitment(b"abc", &[0; 32])),
        "365aa7d8f7f9402c4b9434502b4cc89ddb09fe50d7cd95b493b834c62d5a5370"
    );
    let salt = [3; 32];
    let committed = commitment(b"+905321234567", &salt);
    assert_eq!(verify_commitment(4, &committed, b"+905321234567", &salt), Ok(()));
    assert_eq!(
        verify_commitment(4, &committed, b"+905321234568", &salt),
        Err(ChainError::Commitment { number: 4 })
    );
}

#[test]
fn changing_any_field_changes_the_hash() {
    let base = entry_hash(&GENESIS, &record(1));
    let mut hashes: Vec<_> = changed().iter().map(|record| entry_hash(&GENESIS, record)).collect();
    hashes.push(base);
    hashes.sort_unstable();
    hashes.dedup();
    assert_eq!(hashes.len(), changed().len() + 1);
}

#[test]
fn an_untouched_chain_verifies_from_its_beginning_and_from_a_trusted_entry() {
    let chain = chain(5);
    let mut walk = ChainWalk::from_genesis();
    for (record, hash) in &chain {
        assert_eq!(walk.step(record, hash), Ok(()));
    }
    assert_eq!(walk.head(), (5, chain[4].1));
    let mut walk = ChainWalk::after(2, chain[1].1);
    assert_eq!(walk.step(&chain[2].0, &chain[2].1), Ok(()));
}

#[test]
fn a_missing_entry_and_a_forged_one_are_found() {
    let chain = chain(3);
    let mut walk = ChainWalk::from_genesis();
    assert_eq!(walk.step(&chain[1].0, &chain[1].1), Err(ChainError::Number { expected: 1, found: 2 }));
    for forged in changed() {
        let mut walk = ChainWalk::from_genesis();
        let step = walk.step(&Record { number: 1, ..forged }, &chain[0].1);
        if step.is_ok() {
            // Only the change of number itself was taken back.
            continue;
        }
        assert_eq!(step, Err(ChainError::Hash { number: 1 }));
        assert_eq!(walk, ChainWalk::from_genesis(), "a failed step does not move");
    }
}

proptest! {
    #[test]
    fn no_entry_can_be_changed_without_its_successors_failing(
        length in 2_i64..8,
        victim in 0_usize..8,
        which in 1_usize..16,
    ) {
        let mut chain = chain(length);
        let victim = victim % chain.len();
        let number = chain[victim].0.number;
        let forged = Record { number, ..changed().swap_remove(which % changed().len()) };
        prop_assume!(forged != chain[victim].0);
        // The forger recomputes the hash of the changed entry, but not what follows.
        let previous = if victim == 0 { GENESIS } else { chain[victim - 1].1 };
        chain[victim] = (forged.clone(), entry_hash(&previous, &forged));
        let mut walk = ChainWalk::from_genesis();
        let result: Result<Vec<()>, _> = chain.iter().map(|(record, hash)| walk.step(record, hash)).collect();
        if victim + 1 == chain.len() {
            // Only the head, kept apart, can tell about the last one.
            prop_assert!(result.is_ok() && walk.head().1 != chain_head(length));
        } else {
            prop_assert_eq!(result, Err(ChainError::Hash { number: number + 1 }));
        }
    }
}

fn chain_head(length: i64) -> Hash {
    chain(length).last().map_or(GENESIS, |(_, hash)| *hash)
}
