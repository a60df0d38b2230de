//! Registering receivers, and reading what they receive.

use iys::wire::{PushConnection, PushEvent, PushRegistration, PushedChange};
use iys::{ErrorClass, SecretString};
use serde_json::json;

use crate::support::{BRAND, FakeRegistry, answer, ok, refusal};

const BASE: &str = "/sps/612345/brands/612346";

fn connection() -> PushConnection {
    PushConnection {
        url: "https://bridge.example/push".into(),
        r#type: "MESAJ".into(),
        username: "receiver".into(),
        password: SecretString::from("s3cret"),
    }
}

#[tokio::test]
async fn a_receiver_is_registered_listed_and_removed() {
    let registry = FakeRegistry::start().await;
    let account = registry.account();
    registry.will(ok(&json!({ "message": "Bağlantı oluşturuldu" })));
    let answered = account.register_push(BRAND, &[connection()]).await.unwrap();
    assert_eq!(answered.message, "Bağlantı oluşturuldu");
    registry.will(ok(&json!([
        { "url": "https://a", "type": "ARAMA", "registerTime": "2026-11-20 13:36:31", "status": "Bağlantı Oluşturuldu" },
        { "url": "https://b", "type": "MESAJ", "registerTime": "", "status": "Bağlantı oluşturulamadı " },
        { "url": "https://c", "type": "MESAJ", "status": "Beklemede" },
    ])));
    let listed = account.push_registrations(BRAND).await.unwrap();
    let connected: Vec<_> = listed.iter().map(PushRegistration::is_connected).collect();
    assert_eq!(connected, [Some(true), Some(false), None]);
    assert_eq!(listed[1].register_time, None);
    for nothing in [answer(204, ""), answer(200, "[]"), answer(200, "")] {
        registry.will(nothing);
        assert!(account.push_registrations(BRAND).await.unwrap().is_empty());
    }
    registry.will(ok(&json!({ "message": "Bağlantı Kaldırıldı" })));
    account.unregister_push(BRAND, &connection()).await.unwrap();

    let calls = registry.calls();
    assert_eq!(calls[0].line(), format!("POST {BASE}/push/registration"));
    let sent = json!({ "url": "https://bridge.example/push", "type": "MESAJ", "username": "receiver", "password": "s3cret" });
    assert_eq!(calls[0].json(), json!({ "connection": [sent] }));
    assert_eq!(calls[1].line(), format!("GET {BASE}/push/registration"));
    assert_eq!(calls[5].line(), format!("POST {BASE}/push/unregistration"));
    assert_eq!(calls[5].json(), sent);
    assert!(!format!("{:?}", connection()).contains("s3cret"));
}

#[tokio::test]
async fn a_receiver_that_does_not_answer_is_told_apart_from_a_wrong_code() {
    let registry = FakeRegistry::start().await;
    let account = registry.account();
    registry.will(refusal(422, "H191"));
    let slow = account.register_push(BRAND, &[connection()]).await.unwrap_err();
    assert_eq!(slow.class(), ErrorClass::Config);
    assert!(slow.info().unwrap().en.contains("five seconds"));
    registry.will(refusal(422, "H191"));
    let other = account.push_registrations(BRAND).await.unwrap_err();
    assert!(other.info().unwrap().en.contains("brandCode"));
    registry.will(refusal(422, "H093"));
    let nameless = account.unregister_push(BRAND, &connection()).await.unwrap_err();
    assert_eq!(nameless.class(), ErrorClass::Repair);
}

#[test]
fn an_event_is_read_in_all_spellings() {
    let body = json!({ "extra": 1, "list": [
        { "iysCode": 612_345, "brandCode": "612346", "consentDate": "2026-11-20 11:00:00",
          "creationDate": "2026-11-20 11:00:02", "source": "IYS_MOBIL", "recipient": "+905551112233",
          "recipientType": "BIREYSEL", "status": "RET", "type": "MESAJ", "transactionId": "t", "new": {} },
        { "source": "IYS_AHS_HAT_KAPATMA", "consentDate": "", "recipient": "+905551112234", "status": "RET" },
    ] });
    let event = PushEvent::parse(body.to_string().as_bytes()).unwrap();
    assert_eq!((event.list[0].iys_code, event.list[0].brand_code), (Some(612_345), Some(612_346)));
    assert_eq!(event.list[0].change.source.as_deref(), Some("IYS_MOBIL"));
    assert_eq!((event.list[1].brand_code, &event.list[1].change.consent_date), (None, &None));
    assert!(!event.is_test() && !event.list.iter().any(PushedChange::is_test));
    assert!(!format!("{event:?}").contains("555"));
    for empty in ["{}", r#"{"list":""}"#, r#"{"list":null}"#] {
        let event = PushEvent::parse(empty.as_bytes()).unwrap();
        assert!(event.list.is_empty() && !event.is_test(), "an event without movements is no test");
    }
    for none in ["", "[]x", "<html>", "17", r#"{"list":7}"#] {
        assert!(PushEvent::parse(none.as_bytes()).is_err(), "{none}");
    }
}

#[test]
fn the_test_event_is_recognised_whatever_else_is_said() {
    let event = PushEvent { list: vec![PushedChange::test()] };
    let written = serde_json::to_value(&event).unwrap();
    let first = &written["list"][0];
    assert_eq!((&first["iysCode"], &first["brandCode"]), (&json!(121_212), &json!(121_212)));
    assert_eq!((&first["recipient"], &first["source"]), (&json!("pushtest@iys.org.tr"), &json!("IYS_MOBIL")));
    assert_eq!(
        (&first["consentDate"], first["transactionId"].as_str().unwrap().len()),
        (&json!("2015-05-01 15:00:00"), 64)
    );
    assert!(first.get("citizenName").is_none());
    assert!(PushEvent::parse(written.to_string().as_bytes()).unwrap().is_test());

    let other_type = PushedChange {
        change: iys::wire::Change { r#type: "MESAJ".into(), ..PushedChange::test().change },
        ..PushedChange::test()
    };
    assert!(other_type.is_test());
    let of_ours = PushedChange { brand_code: Some(612_346), ..PushedChange::test() };
    assert!(!of_ours.is_test());
    assert!(!PushEvent { list: vec![PushedChange::test(), of_ours] }.is_test());
}
