//! ViA Pass: requests as documented, and its own shapes of answers and errors.

use iys::wire::{ErrorBody, ViaPassCompleteRequest, ViaPassEmailRequest, ViaPassSmsRequest};
use iys::{BuildError, Bytes, ErrorClass, IysClient, IysError, PauseScope};
use serde_json::{Value, json};

use crate::support::{Answer, FakeClock, FakeRegistry, answer, credentials, file, ok};

const IYS: i64 = 612_345;
const BASE: &str = "/otp-management/api/v1";

fn sms() -> ViaPassSmsRequest {
    ViaPassSmsRequest {
        phone_number: "+905551112233".into(),
        template_id: "42271".into(),
        vkn: "1234567890".into(),
    }
}

fn email() -> ViaPassEmailRequest {
    ViaPassEmailRequest { email: "a@b.co".into(), template_id: "29784".into(), vkn: "1234567890".into() }
}

fn code() -> ViaPassCompleteRequest {
    ViaPassCompleteRequest { otp_code: "123456".into(), request_id: "r".into() }
}

/// A failure of a service behind ViA Pass.
fn behind(status: u16, inner: u16, code: &str) -> Answer {
    answer(
        status,
        json!({ "errorCode": "ERR-SYS-0007", "errorMessage": "m",
                "subSystemErrorInfo": { "status": inner, "errors": [{ "code": code, "message": "n" }] } })
        .to_string(),
    )
}

fn own(status: u16, code: &str) -> Answer {
    answer(status, json!({ "errorCode": code, "errorMessage": "m" }).to_string())
}

#[tokio::test]
async fn checks_are_started_in_four_ways() {
    let registry = FakeRegistry::start().await;
    let account = registry.account();
    for data in [json!({ "requestId": "r" }), json!([{ "requestId": "r" }])] {
        registry.will(ok(&json!({ "data": data, "message": "m" })));
        assert_eq!(account.via_pass_sms(IYS, &sms()).await.unwrap().request_id, "r");
    }
    registry.will(ok(&json!({ "data": { "requestId": "r" }, "description": "d" })));
    account.via_pass_email(IYS, &email()).await.unwrap();
    let link = json!({ "data": [{ "requestId": "r", "shortUrl": "HWtU19" }], "message": "m" });
    registry.will(ok(&link));
    let started = account.via_pass_sms_link(IYS, &sms()).await.unwrap();
    assert_eq!(started.short_url.as_deref(), Some("HWtU19"));
    assert!(!format!("{started:?}").contains("HWtU19"));
    registry.will(ok(&link));
    account.via_pass_email_link(IYS, &email()).await.unwrap();
    let calls = registry.calls();
    let lines = registry.lines();
    assert_eq!(
        lines[1..],
        [
            format!("POST {BASE}/612345/sms/start"),
            format!("POST {BASE}/612345/email/start"),
            format!("POST {BASE}/612345/sms/start/short-url"),
            format!("POST {BASE}/612345/email/start/short-url"),
        ]
    );
    assert_eq!(
        calls[0].json(),
        json!({ "phoneNumber": "+905551112233", "templateId": "42271", "vkn": "1234567890" })
    );
    assert_eq!(calls[2].json()["email"], "a@b.co");
    for given in [ok(&json!({ "data": [], "message": "m" })), ok(&json!({ "message": "m" })), answer(200, "")]
    {
        registry.will(given.clone());
        let error = account.via_pass_sms(IYS, &sms()).await.unwrap_err();
        assert_eq!(error.class(), ErrorClass::OutcomeUnknown, "{given:?}");
    }
}

#[tokio::test]
async fn only_an_answer_of_the_service_completes_a_check() {
    let registry = FakeRegistry::start().await;
    let account = registry.account();
    registry.will(ok(&json!({ "message": "SMS OTP işlemi başarıyla tamamlandı." })));
    account.via_pass_complete_sms(&code()).await.unwrap();
    registry.will(ok(&json!({ "message": "m" })));
    account.via_pass_complete_email(&code()).await.unwrap();
    for given in
        [crate::support::html(200), answer(200, ""), answer(204, ""), answer(302, ""), answer(200, "{}")]
    {
        registry.will(given.clone());
        let error = account.via_pass_complete_sms(&code()).await.unwrap_err();
        assert!(matches!(error, IysError::Unreadable { .. }), "{given:?}");
        assert_eq!(error.class(), ErrorClass::OutcomeUnknown);
    }
    let calls = registry.calls();
    assert_eq!(calls[0].line(), format!("POST {BASE}/sms/complete"));
    assert_eq!(calls[1].line(), format!("POST {BASE}/email/complete"));
    assert_eq!(calls[0].json(), json!({ "otpCode": "123456", "requestId": "r" }));
    assert!(!format!("{:?}", code()).contains("123456"));
}

#[tokio::test]
async fn evidence_history_and_subscription_are_asked_and_read() {
    let registry = FakeRegistry::start().await;
    let account = registry.account();
    registry.will(file("application/zip", vec![Bytes::from_static(b"PK\x03\x04")]));
    assert_eq!(&account.via_pass_evidence(IYS, "r").await.unwrap()[..2], b"PK");
    registry.will(ok(&json!({
        "content": [{ "requestType": "EMAIL", "status": "SUCCESS", "description": "OTP Completed",
                      "transactionDate": "2026-11-20 17:26:48.475447" }],
        "pagination": { "currentPage": 1, "totalItems": "2", "totalPages": 1, "elementsInPage": 2 },
    })));
    let history = account.via_pass_history("r", 1, 20).await.unwrap();
    assert_eq!((history.content[0].status.as_str(), history.pagination.total_items), ("SUCCESS", 2));
    registry.will(ok(&json!({ "data": [{
        "iysViaSubscriptionId": "263", "iysCode": 88_885, "startDate": "2026-06-21 12:24:55", "autoRenewal": true,
        "viaCredit": "5000", "status": "ACTIVE",
        "viaSubscriptionPackage": { "viaSubscriptionPackageName": "P", "viaCredit": 5000, "isLimited": true },
    }], "message": "m" })));
    let account_data = account.via_pass_subscription(IYS).await.unwrap();
    assert_eq!((account_data[0].via_credit, account_data[0].auto_renewal), (Some(5_000), Some(true)));
    let package = account_data[0].via_subscription_package.as_ref().unwrap();
    assert_eq!(package.is_limited, Some(true));
    registry.will(ok(&json!({ "data": null, "message": "m" })));
    assert!(account.via_pass_subscription(IYS).await.unwrap().is_empty());
    let lines = registry.lines();
    assert_eq!(
        lines[..3],
        [
            format!("GET {BASE}/get-clarification-file/612345/r"),
            format!("POST {BASE}/request-history?page=1&pageSize=20"),
            format!("GET {BASE}/subscription/612345"),
        ]
    );
}

#[tokio::test]
async fn the_code_of_the_service_behind_decides() {
    let registry = FakeRegistry::start().await;
    let account = registry.account();
    let tenant = ErrorClass::Pause { scope: PauseScope::Tenant };
    for (given, code, class) in [
        (behind(404, 404, "H1107"), "H1107", ErrorClass::Config),
        (behind(400, 500, "H1058"), "H1058", ErrorClass::Retry),
        (behind(403, 403, "H1040"), "H1040", tenant),
        (behind(400, 500, "H9999"), "ERR-SYS-0007", ErrorClass::Retry),
        (own(500, "ERR-SYS-0004"), "ERR-SYS-0004", ErrorClass::Retry),
        (own(504, "ERR-SYS-0003"), "ERR-SYS-0003", ErrorClass::OutcomeUnknown),
        (own(403, "ERR-SYS-0005"), "ERR-SYS-0005", tenant),
        (own(403, "ERR-SYS-0006"), "ERR-SYS-0006", tenant),
        (own(404, "OTP-ERROR-001"), "OTP-ERROR-001", ErrorClass::Repair),
        (own(400, "ERR-VLD-001"), "ERR-VLD-001", ErrorClass::Repair),
    ] {
        registry.will(given.header("trace_id", " 4bf92f35 "));
        let error = account.via_pass_sms(IYS, &sms()).await.unwrap_err();
        assert_eq!((error.code(), error.class()), (Some(code), class));
        let IysError::Refused(refusal) = error else { panic!("{error:?}") };
        assert_eq!(refusal.trace_id.as_deref(), Some("4bf92f35"));
    }
    registry.will(behind(400, 429, "H083"));
    let error = account.via_pass_sms(IYS, &sms()).await.unwrap_err();
    assert!(matches!(error, IysError::Throttled { status: Some(400), .. }), "{error:?}");
    registry.will(own(401, "ERR-SYS-0006"));
    registry.will(ok(&json!({ "data": { "requestId": "r" } })));
    account.via_pass_sms(IYS, &sms()).await.unwrap();
}

#[test]
fn an_error_of_the_service_is_read_with_its_fields() {
    let body = json!({ "errorCode": "ERR-VLD-001", "errorMessage": "m", "data": [
        { "field": "vkn", "message": "digits only" }, { "field": "email" }, 7,
    ] });
    let items = ErrorBody::parse(body.to_string().as_bytes()).unwrap().errors;
    let read: Vec<_> =
        items.iter().map(|item| (item.code.as_deref(), item.field(), item.message.as_str())).collect();
    assert_eq!(
        read,
        [(Some("ERR-VLD-001"), Some("vkn"), "digits only"), (Some("ERR-VLD-001"), Some("email"), "m"),]
    );
    for odd in [
        json!({ "errorCode": "ERR-SYS-0007", "subSystemErrorInfo": "x", "data": "" }),
        json!({ "errorCode": "ERR-SYS-0007", "subSystemErrorInfo": { "errors": null } }),
        json!({ "errorCode": Value::Null, "errorMessage": 7 }),
    ] {
        assert_eq!(ErrorBody::parse(odd.to_string().as_bytes()).unwrap().errors.len(), 1, "{odd}");
    }
}

#[tokio::test]
async fn the_service_may_have_an_address_of_its_own() {
    let (registry, pass) = (FakeRegistry::start().await, FakeRegistry::start().await);
    let client = registry.client(&FakeClock::new()).via_pass_url(pass.url()).build().unwrap();
    let account = client.account(credentials());
    pass.will(ok(&json!({ "data": { "requestId": "r" } })));
    account.via_pass_sms(IYS, &sms()).await.unwrap();
    assert_eq!(pass.calls()[0].bearer.as_deref(), Some("access-1"), "with the registry's token");
    assert!(registry.calls().is_empty() && pass.token_calls().is_empty());
    let wrong = IysClient::builder(iys::PRODUCTION).via_pass_url("viapass").build();
    assert!(matches!(wrong, Err(BuildError::Url(_))));
}
