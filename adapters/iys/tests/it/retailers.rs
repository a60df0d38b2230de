//! Retailers and their access to consents: requests as documented, answers in all their spellings.

use iys::wire::{
    Place, Retailer, RetailerAccessChange, RetailerAccessRemoval, RetailerAccessRequest, RetailerList,
    RetailerRequest, StatusRequest, retailer_status,
};
use iys::{ErrorClass, IysError};
use serde_json::{Value, json};

use crate::support::{BRAND, FakeRegistry, answer, never, ok, refusal};

const BASE: &str = "/sps/612345/brands/612346";

fn place(name: &str, code: &str) -> Place {
    Place { name: name.into(), code: code.into() }
}

fn retailer() -> RetailerRequest {
    RetailerRequest {
        title: "Örnek Ticaret".into(),
        name: "Ayşe Yılmaz".into(),
        tckn: "10000000146".into(),
        tin: "1234567890".into(),
        city: place("İstanbul", "34"),
        town: place("Kadıköy", "445"),
        ..RetailerRequest::default()
    }
}

fn change(recipients: usize, retailers: usize) -> RetailerAccessChange {
    RetailerAccessChange {
        recipients: (0..recipients).map(|number| format!("a{number}@b.co")).collect(),
        recipient_type: "BIREYSEL".into(),
        r#type: "EPOSTA".into(),
        retailer_access: (0..retailers as i64).map(|number| 10_000_000 + number).collect(),
    }
}

#[tokio::test]
async fn a_retailer_is_added_without_empty_optionals() {
    let registry = FakeRegistry::start().await;
    let account = registry.account();
    registry.will(answer(201, r#"{"retailerCode":"58954386"}"#));
    assert_eq!(account.add_retailer(BRAND, &retailer()).await.unwrap().retailer_code, 58_954_386);
    let full = RetailerRequest {
        mersis: Some("0123456789012345".into()),
        alias: Some("Kadıköy".into()),
        mobile: Some("+905551112233".into()),
        status: Some(retailer_status::ACTIVE.into()),
        ..retailer()
    };
    registry.will(answer(201, r#"{"retailerCode":58954387}"#));
    account.add_retailer(BRAND, &full).await.unwrap();
    let calls = registry.calls();
    assert_eq!(calls[0].line(), format!("POST {BASE}/retailers"));
    assert_eq!(
        calls[0].json(),
        json!({ "title": "Örnek Ticaret", "name": "Ayşe Yılmaz", "tckn": "10000000146", "tin": "1234567890",
                "city": { "name": "İstanbul", "code": "34" }, "town": { "name": "Kadıköy", "code": "445" } })
    );
    assert_eq!(calls[1].json().as_object().unwrap().len(), 10);
}

#[tokio::test]
async fn a_retailer_whose_adding_got_no_answer_is_looked_for() {
    let registry = FakeRegistry::start().await;
    let client = registry
        .client(&crate::support::FakeClock::new())
        .timeout(std::time::Duration::from_millis(150))
        .build()
        .unwrap();
    let account = client.account(crate::support::credentials());
    account.login_check().await.unwrap();
    registry.will(never());
    let error = account.add_retailer(BRAND, &retailer()).await.unwrap_err();
    assert_eq!(error.class(), ErrorClass::OutcomeUnknown);
    assert!(!error.operation().is_repeatable());
}

#[test]
fn retailers_are_read_in_all_spellings() {
    let read = |value: Value| -> RetailerList { serde_json::from_value(value).unwrap() };
    let full = read(json!({
        "pagination": { "offset": 0, "pageSize": "5", "totalCount": 7, "currentPage": 2 },
        "list": [{ "title": "XYZ", "mersis": 56_518_556_720_i64, "alias": "Şube", "name": "Ad", "tckn": "577",
                   "mobile": "+905", "tin": "845", "city": { "name": "İstanbul", "code": 34 },
                   "town": { "name": "Sarıyer", "code": "2" }, "status": "active", "retailerAccessCount": "1" }],
    }));
    let first = &full.list[0];
    assert_eq!((first.mersis.as_deref(), first.retailer_access_count), (Some("56518556720"), Some(1)));
    assert_eq!(first.city, Some(place("İstanbul", "34")));
    assert_eq!(first.retailer_code, None);
    assert_eq!(full.pagination.total_count, 7);

    let one = read(json!({ "pagination": "", "list": { "title": "XYZ", "retailerCode": "12367788" } }));
    assert_eq!(one.list[0].retailer_code, Some(12_367_788));
    for nothing in [json!(""), json!([]), json!({}), Value::Null] {
        assert!(read(json!({ "list": nothing })).list.is_empty());
    }
    let odd: Retailer = serde_json::from_value(
        json!({ "title": "X", "city": "ISTANBUL", "town": null, "canBeDeleted": "true", "status": "pending" }),
    )
    .unwrap();
    assert_eq!((odd.city, odd.can_be_deleted, odd.status.as_deref()), (None, Some(true), Some("pending")));
}

#[tokio::test]
async fn retailers_are_listed_page_after_page() {
    let registry = FakeRegistry::start().await;
    let account = registry.account();
    let page = |codes: std::ops::Range<i64>| {
        let list: Vec<_> = codes.map(|code| json!({ "title": "X", "retailerCode": code })).collect();
        ok(&json!({ "pagination": { "totalCount": 120 }, "list": list }))
    };
    registry.will(page(0..100));
    registry.will(page(100..120));
    assert_eq!(account.all_retailers(BRAND).await.unwrap().len(), 120);
    registry.will(page(0..1));
    account.retailers_short(BRAND, 5, 10).await.unwrap();
    let lines = registry.lines();
    assert_eq!(
        lines,
        [
            format!("GET {BASE}/retailers?offset=0&limit=100"),
            format!("GET {BASE}/retailers?offset=100&limit=100"),
            format!("GET {BASE}/retailers?offset=5&limit=10&short=true"),
        ]
    );
}

#[tokio::test]
async fn a_retailer_that_is_not_there_may_be_answered_in_many_ways() {
    let registry = FakeRegistry::start().await;
    let account = registry.account();
    for given in
        [answer(200, ""), answer(200, "{}"), answer(204, ""), answer(200, "null"), refusal(404, "H058")]
    {
        registry.will(given.clone());
        assert_eq!(account.retailer(BRAND, 12_345_678).await.unwrap(), None, "{given:?}");
    }
    registry.will(ok(&json!({ "title": "X", "canBeDeleted": true })));
    assert!(account.retailer(BRAND, 12_345_678).await.unwrap().is_some());
    registry.will(refusal(404, "H001"));
    assert_eq!(account.retailer(BRAND, 12_345_678).await.unwrap_err().class(), ErrorClass::Config);
    assert_eq!(registry.calls()[0].line(), format!("GET {BASE}/retailers/12345678"));
}

#[tokio::test]
async fn a_deletion_is_answered_in_plain_text() {
    let registry = FakeRegistry::start().await;
    let account = registry.account();
    registry.will(crate::support::file("text/plain", vec!["Başarı".into()]));
    account.delete_retailer(BRAND, 12_345_678).await.unwrap();
    registry.will(refusal(404, "H058"));
    assert_eq!(account.delete_retailer(BRAND, 12_345_678).await.unwrap_err().code(), Some("H058"));
    let call = &registry.calls()[0];
    assert_eq!((call.line(), call.accept.as_str()), (format!("DELETE {BASE}/retailers/12345678"), "*/*"));
}

#[tokio::test]
async fn access_is_changed_by_the_documented_calls() {
    let registry = FakeRegistry::start().await;
    let account = registry.account();
    let one = RetailerAccessRequest {
        recipient: "a@b.co".into(),
        recipient_type: "TACIR".into(),
        r#type: "EPOSTA".into(),
        retailer_access: vec![12_313_344],
    };
    registry.will(ok(&json!({ "transactionId": "t", "creationDate": "2026-11-20 10:05:04" })));
    assert_eq!(account.add_retailer_access(BRAND, &one).await.unwrap().transaction_id, "t");
    registry.will(answer(202, "null"));
    account.set_retailer_access(BRAND, &change(2, 1)).await.unwrap();
    registry.will(answer(200, ""));
    account.remove_retailer_access(BRAND, &change(1, 2)).await.unwrap();
    registry.will(answer(202, "1"));
    let removal = RetailerAccessRemoval {
        recipients: vec!["a@b.co".into()],
        recipient_type: "TACIR".into(),
        r#type: "EPOSTA".into(),
    };
    account.clear_retailer_access(BRAND, &removal).await.unwrap();
    registry
        .will(ok(&json!({ "pagination": { "totalCount": 1 }, "list": [{ "retailerCode": 54_856_321 }] })));
    let consent =
        StatusRequest { recipient: "a@b.co".into(), recipient_type: "TACIR".into(), r#type: "EPOSTA".into() };
    let page = account.retailer_access(BRAND, &consent, 0, 100).await.unwrap();
    assert_eq!(page.list[0].retailer_code, Some(54_856_321));

    let calls = registry.calls();
    let lines = registry.lines();
    assert_eq!(
        lines,
        [
            format!("POST {BASE}/consents/retailers/access"),
            format!("PUT {BASE}/consents/retailers/access"),
            format!("POST {BASE}/consents/retailers/access/remove"),
            format!("POST {BASE}/consents/retailers/access/remove/all"),
            format!("POST {BASE}/consent/retailers/access/list?offset=0&limit=100"),
        ]
    );
    assert_eq!(
        calls[0].json(),
        json!({ "recipient": "a@b.co", "recipientType": "TACIR", "type": "EPOSTA", "retailerAccess": [12_313_344] })
    );
    assert_eq!(
        calls[3].json(),
        json!({ "recipients": ["a@b.co"], "recipientType": "TACIR", "type": "EPOSTA" })
    );
}

#[tokio::test]
async fn a_change_of_access_that_would_be_refused_is_not_sent() {
    let registry = FakeRegistry::start().await;
    let account = registry.account();
    for (recipients, retailers, code) in [(0, 1, "H164"), (101, 1, "H127"), (1, 0, "H163"), (1, 101, "H126")]
    {
        let request = change(recipients, retailers);
        for error in [
            account.set_retailer_access(BRAND, &request).await.unwrap_err(),
            account.remove_retailer_access(BRAND, &request).await.unwrap_err(),
        ] {
            assert!(matches!(error, IysError::RefusedLocally { .. }));
            assert_eq!(error.code(), Some(code));
        }
    }
    assert!(registry.calls().is_empty());
    registry.will(answer(202, ""));
    account.set_retailer_access(BRAND, &change(100, 100)).await.unwrap();
    registry.will(refusal(403, "H180"));
    let error = account.set_retailer_access(BRAND, &change(1, 1)).await.unwrap_err();
    assert_eq!(error.class(), ErrorClass::Repair);
}

#[test]
fn debug_shows_no_person() {
    let shown = format!("{:?}", retailer());
    assert!(shown.contains("Örnek Ticaret"));
    for secret in ["Ayşe", "10000000146", "1234567890"] {
        assert!(!shown.contains(secret), "{shown}");
    }
    assert!(!format!("{:?}", change(1, 1)).contains("a0@b.co"));
}
