//! The ledger and its evidence.

use kopru_domain::{BrandCode, Channel, ConsentStatus, IysCode, ProviderSource, RecipientType, RetailerCode};
use kopru_store::Tx;
use kopru_store::consents::{self, ConsentRow};

use crate::fixture::Store;
use crate::sample::{OTHER_PROVIDER, PROVIDER, assert_same, at, consent, id, key, submission};

on_both!(
    a_row_comes_back_in_every_field,
    the_chain_is_read_in_pieces_of_a_thousand,
    a_place_or_an_identity_is_given_once,
    evidence_belongs_to_its_consent,
);

async fn a_row_comes_back_in_every_field(store: Store) {
    let full = ConsentRow {
        id: id(1),
        seq: 1,
        brand_code: BrandCode(5),
        key: key(9),
        recipient_type: RecipientType::Merchant,
        channel: Channel::Email,
        status: ConsentStatus::Rejection,
        source: Some(ProviderSource::OwnDecision),
        consent_date: Some(at(-60)),
        retailer_code: Some(RetailerCode(12)),
        door: "call_centre".to_owned(),
        received_at: at(1),
        recorded_at: at(2),
        sealed: vec![0, 1, 2],
        recipient_hash: [4; 32],
        evidence_hash: [5; 32],
        hash: [6; 32],
        evidence: None,
    };
    let bare =
        ConsentRow { source: None, consent_date: None, retailer_code: None, ..consent(2, &submission(2)) };
    store
        .write(async |tx| consents::append(tx, PROVIDER, vec![full.clone(), bare.clone()]).await.unwrap())
        .await;
    store
        .read(async |tx| {
            assert_same!(consents::find(tx, PROVIDER, full.id).await.unwrap(), Some(&full));
            assert_same!(consents::find(tx, PROVIDER, bare.id).await.unwrap(), Some(&bare));
            assert!(consents::find(tx, OTHER_PROVIDER, full.id).await.unwrap().is_none());
            let mut many = consents::find_many(tx, PROVIDER, vec![bare.id, id(99), full.id]).await.unwrap();
            many.sort_by_key(|row| row.seq);
            assert_same!(many, [&full, &bare]);
            assert_same!(chain(tx, PROVIDER, 0).await, [&full, &bare]);
            assert_eq!(consents::last(tx, PROVIDER).await.unwrap(), Some(bare.seq));
            assert_eq!(consents::last(tx, OTHER_PROVIDER).await.unwrap(), None);
        })
        .await;
}

async fn chain(tx: &mut Tx, provider: IysCode, after: i64) -> Vec<ConsentRow> {
    let links = consents::chain(tx, provider, after).await.unwrap();
    links.into_iter().map(|(_, row)| row.unwrap()).collect()
}

async fn the_chain_is_read_in_pieces_of_a_thousand(store: Store) {
    let rows = (1..=2_001).map(|seq: i64| consent(seq, &submission(3_000 - seq.unsigned_abs()))).collect();
    store.write(async |tx| consents::append(tx, PROVIDER, rows).await.unwrap()).await;
    let mut lengths = Vec::new();
    let mut last = 0;
    loop {
        let piece = store.read(async |tx| chain(tx, PROVIDER, last).await).await;
        lengths.push(piece.len());
        for row in &piece {
            assert_eq!(row.seq, last + 1);
            last = row.seq;
        }
        if piece.is_empty() {
            break;
        }
    }
    assert_eq!(lengths, [1_000, 1_000, 1, 0]);
    assert!(store.read(async |tx| chain(tx, OTHER_PROVIDER, 0).await).await.is_empty());
}

async fn a_place_or_an_identity_is_given_once(store: Store) {
    let append = async |provider, seq, number| {
        let mut tx = store.db.begin(kopru_store::Priority::Interactive).await.unwrap();
        let result = consents::append(&mut tx, provider, vec![consent(seq, &submission(number))]).await;
        if result.is_ok() {
            tx.commit().await.unwrap();
        }
        result.map_err(|error| error.is_conflict())
    };
    assert_eq!(append(PROVIDER, 1, 1).await, Ok(()));
    assert_eq!(append(PROVIDER, 1, 2).await, Err(true), "the place");
    assert_eq!(append(PROVIDER, 2, 1).await, Err(true), "the identity");
    assert_eq!(append(OTHER_PROVIDER, 1, 1).await, Ok(()), "another provider's chain is its own");
    assert_eq!(append(PROVIDER, 2, 2).await, Ok(()));
}

async fn evidence_belongs_to_its_consent(store: Store) {
    let rows = [Some(b"one".to_vec()), Some(vec![]), None];
    for (seq, evidence) in (1..).zip(rows.clone()) {
        let row = ConsentRow { evidence, ..consent(seq, &submission(u64::try_from(seq).unwrap())) };
        store.write(async |tx| consents::append(tx, PROVIDER, vec![row]).await.unwrap()).await;
    }
    for (number, evidence) in (1..).zip(rows) {
        let found = store.read(async |tx| consents::find(tx, PROVIDER, id(number)).await.unwrap()).await;
        assert_eq!(found.unwrap().evidence, evidence);
    }
}
