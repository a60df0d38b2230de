use kopru::service::events::Event;
use kopru::service::ledger;
use kopru_store::{Dialect, changes};

use super::*;
use crate::bridge::{Bridge, config};
use crate::database::Databases;
use crate::mix::{Addresses, Dates, Mix};

/// Nine ONAY and a RET for the first of them.
const CONSENTS: usize = 10;

#[tokio::test]
async fn the_rows_are_those_of_the_intake() {
    let dates = Dates::at(kopru::clocks::Clocks::default().business());
    let mut told = Vec::new();
    for plainly in [true, false] {
        let database = Databases::default().fresh(Dialect::Sqlite).await.unwrap();
        let bridge = Bridge::start(config(&database)).await.unwrap();
        let plain = Plain::new(bridge.app.clone(), bridge.brand.clone()).await.unwrap();
        let mut mix = Mix::new(&Addresses::default(), 0);
        for _ in 0..CONSENTS {
            if plainly {
                plain.take(&body(&mut mix, &dates)).await.unwrap();
            } else {
                bridge.take(mix.items(1, &dates)).await.unwrap();
            }
        }
        let report = ledger::verify(&bridge.app, None, kopru_domain::Lang::En).await.unwrap().remove(0);
        assert!(report.ok && report.rows == 10, "{report:?}");
        told.push(rows(&plain).await);
        bridge.stop().await;
    }
    assert_eq!(told[0], told[1]);
    assert!(told[0].iter().any(|row| row.contains("Superseded")), "{:?}", told[0]);
    assert!(told[0].iter().any(|row| row.starts_with("permission.changed")), "{:?}", told[0]);
}

#[tokio::test]
async fn what_is_open_already_is_not_taken_again_and_what_has_no_shape_not_at_all() {
    let database = Databases::default().fresh(Dialect::Sqlite).await.unwrap();
    let bridge = Bridge::start(config(&database)).await.unwrap();
    let plain = Plain::new(bridge.app.clone(), bridge.brand.clone()).await.unwrap();
    let dates = Dates::at(bridge.app.clocks.business());
    let body = body(&mut Mix::approvals(&Addresses::default()), &dates);
    let first = plain.take(&body).await.unwrap();
    let second = plain.take(&body).await.unwrap();
    assert_eq!((&second["id"], &second["code"]), (&first["id"], &json!("already_open")));
    let refused = plain.take(br#"{"recipient":"x","type":"MESAJ"}"#).await.unwrap_err().to_string();
    assert!(refused.contains("recipient") && refused.contains("status"), "{refused}");
    assert_eq!(bridge.ledger().await.unwrap(), 1);
    bridge.stop().await;
}

fn body(mix: &mut Mix, dates: &Dates) -> Vec<u8> {
    let mut body = Vec::new();
    mix.next().write(dates, &mut body);
    body
}

/// What the rows say, without what is random, sealed or a moment of this run.
async fn rows(plain: &Plain) -> Vec<String> {
    let (provider, brand) = (plain.brand.iys_code, plain.brand.brand_code);
    let mut tx = plain.app.db.read().await.unwrap();
    let mut told = Vec::new();
    for (_, row) in consents::chain(&mut tx, provider, 0).await.unwrap() {
        let row = row.unwrap();
        let opened = mirror::open_consent(&plain.keys, &row.sealed).unwrap();
        told.push(format!(
            "{} {} {:?} {:?} {} {} {:?} {:?} {:?}",
            row.seq,
            opened.recipient,
            opened.reference,
            row.recipient_type,
            row.channel,
            row.status,
            row.source,
            row.consent_date,
            row.door
        ));
        let filed = submissions::find(&mut tx, provider, row.id).await.unwrap().unwrap();
        assert_eq!((filed.brand_code, filed.key, filed.status), (row.brand_code, row.key, row.status));
        told.push(format!(
            "{:?} {:?} {:?} {:?} {} {} {} {} {:?}",
            filed.state,
            filed.code,
            filed.ordered_at,
            filed.wire_date,
            filed.target_at,
            filed.legal_at,
            filed.latest_at,
            filed.calendar,
            filed.cause
        ));
        for row in permissions::of_keys(&mut tx, provider, vec![row.key]).await.unwrap() {
            let local = row.permission.local.unwrap();
            let recipient = mirror::open_recipient(&plain.keys, &row.recipient).unwrap();
            told.push(format!("{recipient} {:?} {}", row.permission.registry, local.at));
        }
    }
    for row in changes::after(&mut tx, provider, brand, 0, 100).await.unwrap() {
        let event: Event =
            serde_json::from_slice(&mirror::open_event(&plain.keys, &row.sealed).unwrap()).unwrap();
        let data = event.data;
        told.push(format!(
            "{} {} {:?} {:?} {} {:?}",
            row.kind, row.seq, data.status, data.previous, data.cause, data.reference
        ));
    }
    told
}
