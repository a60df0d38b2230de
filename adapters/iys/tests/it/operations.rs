//! Each operation's request as documented, and its answers.

use iys::wire::{ConsentRequest, StatusRequest, StatusesRequest};
use iys::{ChangeSource, ErrorClass, IysError};
use serde_json::json;

use crate::support::{BRAND, FakeRegistry, added, answer, consent, html, ok, refusal};

fn status_request() -> StatusRequest {
    StatusRequest { recipient: "a@b.co".into(), recipient_type: "BIREYSEL".into(), r#type: "EPOSTA".into() }
}

#[tokio::test]
async fn one_consent_goes_to_the_second_version() {
    let registry = FakeRegistry::start().await;
    registry.will(added());
    let answer = registry.account().add_consent(BRAND, &consent()).await.unwrap();
    assert_eq!(answer.transaction_id, "5f0c");
    let call = &registry.calls()[0];
    assert_eq!((call.method.as_str(), call.path.as_str()), ("POST", "/v2/sps/612345/brands/612346/consents"));
    assert_eq!(call.bearer.as_deref(), Some("access-1"));
    assert_eq!(call.json()["recipient"], "+905551112233");
}

#[tokio::test]
async fn a_batch_and_its_result_go_to_the_second_version() {
    let registry = FakeRegistry::start().await;
    let account = registry.account();
    registry.will(answer(
        202,
        json!({ "requestId": "r-1", "subRequests": [{ "subRequestId": "s-1" }] }).to_string(),
    ));
    let accepted = account.add_batch(BRAND, &[consent()]).await.unwrap();
    assert_eq!(
        (accepted.request_id.as_str(), accepted.sub_requests[0].sub_request_id.as_str()),
        ("r-1", "s-1")
    );
    registry
        .will(ok(&json!([{ "index": 0, "status": "success", "transactionId": "t", "subRequestId": "s-1" }])));
    let result = account.batch_result(BRAND, "r-1").await.unwrap();
    assert!(result[0].is_recorded());
    for empty in [answer(200, "[]"), answer(200, ""), answer(204, ""), answer(200, "{}")] {
        registry.will(empty.clone());
        assert!(account.batch_result(BRAND, "r-1").await.unwrap().is_empty(), "{empty:?}");
    }
    let calls = registry.calls();
    assert_eq!(calls[0].path, "/v2/sps/612345/brands/612346/consents/request");
    assert!(calls[0].json().is_array());
    assert_eq!((calls[1].method.as_str(), calls[1].body.as_str()), ("GET", ""));
    assert_eq!(calls[1].path, "/v2/sps/612345/brands/612346/consents/request/r-1");
}

#[tokio::test]
async fn a_request_id_cannot_leave_its_place_in_the_path() {
    let registry = FakeRegistry::start().await;
    registry.will(answer(200, "[]"));
    registry.account().batch_result(BRAND, "../x?y=1").await.unwrap();
    assert_eq!(registry.calls()[0].path, "/v2/sps/612345/brands/612346/consents/request/..%2Fx%3Fy=1");
}

#[tokio::test]
async fn a_batch_that_would_be_refused_whole_is_not_sent() {
    let registry = FakeRegistry::start().await;
    let account = registry.account();
    let merchant = ConsentRequest { recipient_type: Some("TACIR".into()), ..consent() };
    let spelled_out =
        ConsentRequest { recipient_type: Some("BIREYSEL".into()), status: "RET".into(), ..consent() };
    let call = ConsentRequest { r#type: "ARAMA".into(), ..consent() };
    let mail =
        |address: &str| ConsentRequest { r#type: "EPOSTA".into(), recipient: address.into(), ..consent() };

    let list = [consent(), merchant, call, spelled_out, mail("a@b.co"), mail("A@B.co")];
    let error = account.add_batch(BRAND, &list).await.unwrap_err();
    assert!(matches!(error, IysError::RefusedLocally { .. }));
    let places: Vec<_> =
        error.items().iter().map(|item| (item.code.as_deref().unwrap(), item.index)).collect();
    assert_eq!(places, [("H194", Some(3)), ("H194", Some(5))]);
    assert_eq!((error.class(), error.status()), (ErrorClass::Repair, None));
    assert!(!error.may_have_written());

    assert_eq!(account.add_batch(BRAND, &[]).await.unwrap_err().code(), Some("H092"));
    let many: Vec<_> = (0..1_001).map(|number| mail(&format!("a{number}@b.co"))).collect();
    assert_eq!(account.add_batch(BRAND, &many).await.unwrap_err().code(), Some("H091"));
    assert!(registry.calls().is_empty() && registry.token_calls().is_empty());

    registry.will(answer(202, r#"{"requestId":"r"}"#));
    account.add_batch(BRAND, &many[..1_000]).await.unwrap();
}

#[tokio::test]
async fn a_status_is_asked_and_read() {
    let registry = FakeRegistry::start().await;
    registry
        .will(ok(&json!({ "status": "RET", "source": "IYS_WEB", "recipient": "a@b.co", "type": "EPOSTA",
        "recipientType": "BIREYSEL", "consentDate": "2026-11-20 10:05:00", "transactionId": "t" })));
    let record = registry.account().status(BRAND, &status_request()).await.unwrap().unwrap();
    assert_eq!((record.status.as_str(), record.source.as_deref()), ("RET", Some("IYS_WEB")));
    let call = &registry.calls()[0];
    assert_eq!(
        (call.method.as_str(), call.path.as_str()),
        ("POST", "/sps/612345/brands/612346/consents/status")
    );
    assert_eq!(call.json(), json!({ "recipient": "a@b.co", "recipientType": "BIREYSEL", "type": "EPOSTA" }));
}

#[tokio::test]
async fn an_address_without_a_record_may_be_answered_in_many_ways() {
    let registry = FakeRegistry::start().await;
    let account = registry.account();
    for given in [
        answer(204, ""),
        answer(200, ""),
        answer(200, "{}"),
        answer(200, "null"),
        ok(&json!({ "recipient": "a@b.co" })),
        answer(404, ""),
        answer(404, "{}"),
        answer(404, r#"{"errors":[{"message":"kayıt yok"}]}"#),
        refusal(404, "H999"),
        refusal(400, "H401"),
        refusal(422, "H1083"),
    ] {
        registry.will(given.clone());
        assert_eq!(account.status(BRAND, &status_request()).await.unwrap(), None, "{given:?}");
    }
}

#[tokio::test]
async fn other_refusals_of_a_status_query_stay_errors() {
    let registry = FakeRegistry::start().await;
    let account = registry.account();
    for (given, class) in [
        (refusal(404, "H001"), ErrorClass::Config),
        (refusal(404, "H018"), ErrorClass::Config),
        (refusal(404, "H355"), ErrorClass::Pause { scope: iys::PauseScope::Type }),
        (refusal(422, "H121"), ErrorClass::Repair),
        (refusal(400, "H097"), ErrorClass::Bug),
        (html(404), ErrorClass::Retry),
    ] {
        registry.will(given.clone());
        assert_eq!(account.status(BRAND, &status_request()).await.unwrap_err().class(), class, "{given:?}");
    }
}

#[tokio::test]
async fn many_statuses_are_asked_at_once() {
    let registry = FakeRegistry::start().await;
    let account = registry.account();
    let request = StatusesRequest { recipients: vec!["+905551112233".into(), "+905551112234".into()] };
    registry.will(ok(&json!({ "requestId": "q", "list": ["+905551112234"] })));
    let answer = account.statuses(BRAND, "BIREYSEL", "MESAJ", &request).await.unwrap();
    assert_eq!(answer.list, ["+905551112234"]);
    let call = &registry.calls()[0];
    assert_eq!(call.path, "/sps/612345/brands/612346/consents/BIREYSEL/status/MESAJ");
    assert_eq!(call.json(), json!({ "recipients": request.recipients }));
}

#[tokio::test]
async fn a_status_query_that_would_be_refused_is_not_sent() {
    let registry = FakeRegistry::start().await;
    let account = registry.account();
    let twice = StatusesRequest { recipients: vec!["a@b.co".into(), "c@d.co".into(), "A@b.co".into()] };
    let error = account.statuses(BRAND, "TACIR", "EPOSTA", &twice).await.unwrap_err();
    assert_eq!((error.code(), error.items()[0].position()), (Some("H193"), Some(2)));
    let none = StatusesRequest::default();
    assert_eq!(account.statuses(BRAND, "TACIR", "EPOSTA", &none).await.unwrap_err().code(), Some("H164"));
    let many = StatusesRequest { recipients: (0..1_001).map(|number| format!("a{number}@b.co")).collect() };
    assert_eq!(account.statuses(BRAND, "TACIR", "EPOSTA", &many).await.unwrap_err().code(), Some("H125"));
    assert!(registry.calls().is_empty());
}

#[tokio::test]
async fn a_history_is_paged() {
    let registry = FakeRegistry::start().await;
    let account = registry.account();
    registry.will(ok(&json!({ "list": [{ "status": "ONAY", "transactionId": "t" }],
        "pagination": { "totalCount": 1, "pageSize": 1, "offset": 0 } })));
    let history = account.history(BRAND, &status_request(), 0, 100).await.unwrap();
    assert_eq!((history.list.len(), history.pagination.total_count), (1, 1));
    registry.will(answer(204, ""));
    assert!(account.history(BRAND, &status_request(), 100, 50).await.unwrap().list.is_empty());
    assert_eq!(registry.calls()[0].path, "/sps/612345/brands/612346/consents/history?offset=0&limit=100");
    assert_eq!(registry.calls()[1].path, "/sps/612345/brands/612346/consents/history?offset=100&limit=50");
}

#[tokio::test]
async fn changes_are_paged_by_an_opaque_cursor() {
    let registry = FakeRegistry::start().await;
    let account = registry.account();
    registry.will(ok(
        &json!({ "after": "1597740617_63+c&", "list": [{ "status": "RET", "transactionId": "t" }] }),
    ));
    let page = account.changes(BRAND, ChangeSource::Registry, None, 1_000).await.unwrap();
    assert_eq!((page.after.as_deref(), page.list.len()), (Some("1597740617_63+c&"), 1));
    registry.will(answer(204, ""));
    let end = account.changes(BRAND, ChangeSource::Provider, page.after.as_deref(), 500).await.unwrap();
    assert_eq!((end.after, end.list.len()), (None, 0));
    let calls = registry.calls();
    assert_eq!(calls[0].path, "/sps/612345/brands/612346/consents/changes?source=IYS&limit=1000");
    assert_eq!(
        calls[1].path,
        "/sps/612345/brands/612346/consents/changes?source=HS&limit=500&after=1597740617_63%2Bc%26"
    );
}

#[tokio::test]
async fn an_empty_page_of_changes_has_no_cursor() {
    let registry = FakeRegistry::start().await;
    let account = registry.account();
    for given in [
        answer(200, "{}"),
        answer(200, ""),
        ok(&json!({ "after": "echo", "list": [] })),
        ok(&json!({ "list": "" })),
    ] {
        registry.will(given.clone());
        let page = account.changes(BRAND, ChangeSource::Registry, Some("old"), 10).await.unwrap();
        assert_eq!((page.after, page.list.len()), (None, 0), "{given:?}");
    }
}

#[tokio::test]
async fn brands_and_subscriptions_are_asked() {
    let registry = FakeRegistry::start().await;
    let account = registry.account();
    registry.will(ok(&json!([{ "brandCode": 612_345, "name": "Örnek", "master": true }])));
    assert_eq!(account.brands(612_345).await.unwrap()[0].brand_code, 612_345);
    registry.will(ok(&json!({ "subscriptionId": "s", "status": "PAUSED" })));
    assert_eq!(account.subscription(612_345).await.unwrap().status, "PAUSED");
    registry.will(ok(&json!({ "subscipritionId": "s", "status": "ACTIVE", "iysCode": 7 })));
    assert_eq!(account.partner_subscription(7).await.unwrap().iys_code, Some(7));
    registry.will(ok(&json!({ "list": [], "pagination": {} })));
    account.partner_brand(7, 612_345, 0, 100).await.unwrap();
    let paths: Vec<_> = registry.calls().into_iter().map(|call| call.path).collect();
    assert_eq!(
        paths,
        [
            "/sps/612345/brands",
            "/sps/612345/subscription",
            "/integrator/7/subscription",
            "/integrator/7/sps/612345?offset=0&limit=100"
        ]
    );
}

#[tokio::test]
async fn all_brands_of_a_partner_are_read_page_after_page() {
    let registry = FakeRegistry::start().await;
    let page = |codes: std::ops::Range<i64>| {
        let list: Vec<_> =
            codes.map(|code| json!({ "brandCode": code, "iysCode": code, "MESAJ": "write" })).collect();
        ok(&json!({ "pagination": { "offset": 0, "pageSize": list.len(), "totalCount": 150 }, "list": list }))
    };
    registry.will(page(0..100));
    registry.will(page(100..150));
    let brands = registry.account().all_partner_brands(7).await.unwrap();
    assert_eq!(brands.len(), 150);
    let paths: Vec<_> = registry.calls().into_iter().map(|call| call.path).collect();
    assert_eq!(paths, ["/integrator/7/sps?offset=0&limit=100", "/integrator/7/sps?offset=100&limit=100"]);
}

#[tokio::test]
async fn a_list_that_shrinks_while_it_is_read_ends() {
    let registry = FakeRegistry::start().await;
    registry
        .will(ok(&json!({ "pagination": { "totalCount": 9 }, "list": [{ "brandCode": 1, "iysCode": 1 }] })));
    registry.will(ok(&json!({ "pagination": { "totalCount": 9 }, "list": [] })));
    assert_eq!(registry.account().all_partner_brands(7).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_method_of_the_other_kind_of_account_is_a_matter_of_settings() {
    let registry = FakeRegistry::start().await;
    let account = registry.account();
    registry.will(refusal(400, "H363"));
    let partner = account.brands(612_345).await.unwrap_err();
    registry.will(refusal(400, "H363"));
    let provider = account.partner_brands(7, 0, 100).await.unwrap_err();
    assert_eq!((partner.class(), provider.class()), (ErrorClass::Config, ErrorClass::Config));
    assert_ne!(partner.info().unwrap().en, provider.info().unwrap().en);
    registry.will(refusal(400, "H522"));
    assert_eq!(account.partner_subscription(7).await.unwrap_err().class(), ErrorClass::Config);
}
