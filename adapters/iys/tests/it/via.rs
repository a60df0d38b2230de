//! The opt-in services: requests as documented, answers in all their shapes.

use iys::wire::{
    KvkQuery, RejectLinkRecipient, ViaCode, ViaConfirmRequest, ViaConsentType, ViaDetail, ViaPerson,
    ViaStartRequest, ViaState, ViaStatus, verification_type, via_title,
};
use iys::{Bytes, ErrorClass, IysError, PauseScope};
use serde_json::json;

use crate::support::{BRAND, FakeRegistry, answer, file, never, ok, refusal};

const IYS: i64 = 612_345;

fn start() -> ViaStartRequest {
    ViaStartRequest {
        form_id: "12".into(),
        recipient: "+905551112233".into(),
        verification_type: verification_type::SMS_OTP.into(),
        consent_types: vec![
            ViaConsentType {
                title: via_title::MESSAGES.into(),
                brand_codes: vec![612_346],
                types: vec!["MESAJ".into(), "ARAMA".into()],
                recipient_type: Some("BIREYSEL".into()),
                person_data: None,
            },
            ViaConsentType {
                title: via_title::PERSONAL_DATA.into(),
                types: vec!["ACIK_RIZA_METNI".into()],
                person_data: Some(ViaPerson { name: "Ayşe Yılmaz".into(), ..ViaPerson::default() }),
                ..ViaConsentType::default()
            },
        ],
    }
}

fn confirm() -> ViaConfirmRequest {
    ViaConfirmRequest {
        request_id: "r".into(),
        verification_type: verification_type::SMS_OTP.into(),
        consent_types: vec![ViaCode { title: "ETK".into(), otp_code: "393291".into() }],
    }
}

#[tokio::test]
async fn an_approval_is_started_without_empty_optionals() {
    let registry = FakeRegistry::start().await;
    let account = registry.account();
    registry.will(ok(&json!({ "message": { "requestId": "r" }, "code": "OK" })));
    assert_eq!(account.via_start(IYS, &start()).await.unwrap().request_id, "r");
    registry.will(ok(&json!({ "requestId": "r" })));
    assert_eq!(account.via_start(IYS, &start()).await.unwrap().request_id, "r", "without the wrapper");
    let call = &registry.calls()[0];
    assert_eq!(call.line(), "POST /via/sps/612345/consent");
    assert_eq!(
        call.json(),
        json!({ "formId": "12", "recipient": "+905551112233", "verificationType": "SMS_OTP", "consentTypes": [
            { "title": "ETK", "brandCodes": [612_346], "types": ["MESAJ", "ARAMA"], "recipientType": "BIREYSEL" },
            { "title": "KVK", "types": ["ACIK_RIZA_METNI"], "personData": { "name": "Ayşe Yılmaz" } },
        ] })
    );
    for given in [answer(200, r#"{"message":"OK"}"#), answer(200, "{}"), answer(200, ""), answer(200, "[]")] {
        registry.will(given.clone());
        let error = account.via_start(IYS, &start()).await.unwrap_err();
        assert_eq!(error.class(), ErrorClass::OutcomeUnknown, "{given:?}");
    }
}

#[tokio::test]
async fn a_refused_start_says_what_is_missing() {
    let registry = FakeRegistry::start().await;
    let account = registry.account();
    let opt_in = ErrorClass::Pause { scope: PauseScope::OptIn };
    let tenant = ErrorClass::Pause { scope: PauseScope::Tenant };
    for (given, code, class) in [
        (answer(400, r#"{"errors":{"message":"m","code":"H1015"}}"#), "H1015", opt_in),
        (answer(400, r#"{"message":"m","code":"H1065"}"#), "H1065", ErrorClass::Repair),
        (refusal(404, "H1104"), "H1104", opt_in),
        (refusal(403, "H1040"), "H1040", tenant),
        (answer(403, r#"{"errors":[{"code:":"H353","message":"m"}]}"#), "H353", tenant),
        (refusal(400, "H1031"), "H1031", ErrorClass::Pause { scope: PauseScope::Quota }),
        (refusal(500, "H1017"), "H1017", ErrorClass::Retry),
        (refusal(409, "H1020"), "H1020", ErrorClass::Retry),
        (refusal(400, "H1009"), "H1009", ErrorClass::Retry),
        (refusal(400, "H1055"), "H1055", ErrorClass::Config),
        (refusal(400, "H1016"), "H1016", ErrorClass::Bug),
    ] {
        registry.will(given);
        let error = account.via_start(IYS, &start()).await.unwrap_err();
        assert_eq!((error.code(), error.class()), (Some(code), class));
    }
    registry.will(refusal(401, "H1045"));
    registry.will(ok(&json!({ "message": { "requestId": "r" } })));
    account.via_start(IYS, &start()).await.unwrap();
    let bearers: Vec<_> = registry.calls().iter().rev().take(2).map(|call| call.bearer.clone()).collect();
    assert_ne!(bearers[0], bearers[1], "after H1045 with a new token");
}

#[tokio::test]
async fn an_approval_is_completed_by_code() {
    let registry = FakeRegistry::start().await;
    let account = registry.account();
    registry.will(ok(&json!({ "message": [
        { "transactionId": "t1", "creationDate": "2026-11-20 16:45:12", "type": "MESAJ", "brandCode": "612346" },
        { "transactionId": "t2", "creationDate": "2026-11-20 16:45:12", "type": "ARAMA", "brandCode": 612_346 },
    ], "code": "OK" })));
    let recorded = account.via_confirm(IYS, &confirm()).await.unwrap();
    assert_eq!((recorded[0].brand_code, recorded[1].transaction_id.as_str()), (Some(612_346), "t2"));
    registry.will(ok(&json!({ "transactionId": "t3", "creationDate": "…", "type": "ACIK_RIZA_METNI" })));
    let text = account.via_confirm(IYS, &confirm()).await.unwrap();
    assert_eq!((text.len(), text[0].brand_code), (1, None), "without the wrapper, for personal data");
    registry.will(answer(400, r#"{"errors":[{"message":"m","code":"H1052","value":989274}]}"#));
    assert_eq!(account.via_confirm(IYS, &confirm()).await.unwrap_err().class(), ErrorClass::Repair);
    registry.will(refusal(400, "H1032"));
    assert_eq!(account.via_confirm(IYS, &confirm()).await.unwrap_err().class(), ErrorClass::AlreadySo);
    let call = &registry.calls()[0];
    assert_eq!(call.line(), "POST /via/sps/612345/confirmation");
    assert_eq!(
        call.json(),
        json!({ "requestId": "r", "verificationType": "SMS_OTP",
                "consentTypes": [{ "title": "ETK", "otpCode": "393291" }] })
    );
}

#[tokio::test]
async fn a_start_or_code_without_answer_is_not_to_be_sent_again() {
    let registry = FakeRegistry::start().await;
    let client = registry
        .client(&crate::support::FakeClock::new())
        .timeout(std::time::Duration::from_millis(150))
        .build()
        .unwrap();
    let account = client.account(crate::support::credentials());
    account.login_check().await.unwrap();
    registry.will(never());
    let one = account.via_start(IYS, &start()).await.unwrap_err();
    registry.will(never());
    let other = account.via_confirm(IYS, &confirm()).await.unwrap_err();
    for error in [one, other] {
        assert_eq!(error.class(), ErrorClass::OutcomeUnknown);
        assert!(!error.operation().is_repeatable());
    }
}

#[tokio::test]
async fn the_state_of_an_approval_is_read() {
    let registry = FakeRegistry::start().await;
    let account = registry.account();
    registry.will(ok(&json!({ "message": {
        "requestId": "r", "formId": 84, "source": "IYS_KISAMESAJ", "recipientName": "Ayşe", "iysCode": "612345",
        "recipient": "+905551112233", "recipientType": "BIREYSEL", "consentSource": "SMS_SHORTURL",
        "requestDate": "2026-11-20 10:43:16.038",
        "requestDetails": [
            { "brandCode": "612346", "consentTypeChoice": "MESAJ", "consentType": "ETK",
              "operationStatusMessage": "Onay verilmedi" },
            { "consentTypeChoice": "AYDINLATMA_METNI", "consentType": "KVK", "operationStatusMessage": "Onay verildi",
              "transactionId": "t", "consentDate": "2026-11-20 10:43:45" },
            { "operationStatusMessage": "Başka" },
        ],
        "lastStatus": { "stage": "COMPLETED", "status": "SUCCESS" },
    }, "code": "OK" })));
    let state = account.via_status(IYS, "r").await.unwrap();
    assert_eq!((state.form_id.as_str(), state.iys_code), ("84", Some(612_345)));
    let approved: Vec<_> = state.request_details.iter().map(ViaDetail::is_approved).collect();
    assert_eq!(approved, [Some(false), Some(true), None]);
    assert!(state.last_status.is_final() && state.last_status.is_recorded());
    assert!(iys::wire::parse_date(state.request_date.as_deref().unwrap()).is_ok());
    let shown = format!("{state:?}");
    assert!(!shown.contains("Ayşe") && !shown.contains("555"), "{shown}");
    registry.will(answer(400, r#"{"message":"m","code":"H1030"}"#));
    assert_eq!(account.via_status(IYS, "../r").await.unwrap_err().code(), Some("H1030"));
    let lines = registry.lines();
    assert_eq!(
        lines,
        ["GET /via/sps/612345/consent/request/r", "GET /via/sps/612345/consent/request/..%2Fr"]
    );
}

#[test]
fn a_state_may_be_one_text() {
    let read = |value: serde_json::Value| -> ViaState {
        serde_json::from_value::<ViaStatus>(json!({ "lastStatus": value })).unwrap().last_status
    };
    let pair = |stage: &str, status: &str| ViaState { stage: stage.into(), status: status.into() };
    assert_eq!(read(json!("SYSTEM_FAILURE,COMPLETED")), pair("COMPLETED", "SYSTEM_FAILURE"));
    assert_eq!(read(json!("ENQUEUE, PENDING")), pair("ENQUEUE", "PENDING"));
    assert_eq!(read(json!("SUCCESS,COMPLETED")), pair("COMPLETED", "SUCCESS"));
    assert_eq!(read(json!("START,SUCCESS")), pair("SUCCESS", "START"));
    assert_eq!(read(json!("COMPLETED")), pair("COMPLETED", ""));
    assert_eq!(read(json!(null)), ViaState::default());
    assert!(!pair("SUCCESS", "START").is_final() && !pair("COMPLETED", "OTP_CODE_EXPIRED").is_recorded());
}

#[tokio::test]
async fn evidence_is_a_zip_file_or_an_error() {
    let registry = FakeRegistry::start().await;
    let account = registry.account();
    let zip = Bytes::from_static(b"PK\x03\x04\xff\x00");
    registry.will(file("application/json", vec![zip.clone()]));
    assert_eq!(account.via_evidence(IYS, "r").await.unwrap(), zip);
    for given in [answer(200, r#"{"message":"OK"}"#), answer(200, ""), answer(204, "")] {
        registry.will(given.clone());
        let error = account.via_evidence(IYS, "r").await.unwrap_err();
        assert!(matches!(error, IysError::Unreadable { .. }), "{given:?}");
    }
    registry.will(refusal(400, "H1072"));
    assert_eq!(account.via_evidence(IYS, "r").await.unwrap_err().code(), Some("H1072"));
    assert_eq!(registry.calls()[0].line(), "GET /via/sps/612345/via/clarification/r/file");
}

#[tokio::test]
async fn approvals_of_texts_are_asked_and_read() {
    let registry = FakeRegistry::start().await;
    let account = registry.account();
    let consent = json!({ "requestId": "r", "type": "ACIK_RIZA_METNI", "source": "IYS_KISAMESAJ",
        "iysCode": "612345", "recipient": "+905551112233", "recipientName": "Ayşe",
        "recipientIdNumber": "10000000146", "consentDate": "1709035055950", "status": "ONAY", "transactionId": "t" });
    for message in [json!([consent]), consent.clone()] {
        registry.will(ok(&json!({ "message": message, "code": "OK" })));
        let consents = account.kvk_consents(IYS, "r").await.unwrap();
        assert_eq!(consents[0].iys_code, Some(612_345));
        let instant = consents[0].consent_instant().unwrap();
        assert_eq!(instant.to_rfc3339(), "2024-02-27T14:57:35.950+03:00");
        assert!(!format!("{:?}", consents[0]).contains("Ayşe"));
    }
    registry.will(ok(&json!({ "message": [], "code": "OK" })));
    assert!(account.kvk_consents(IYS, "r").await.unwrap().is_empty());

    let query = KvkQuery { r#type: "AYDINLATMA_METNI".into(), recipient: "+905551112233".into() };
    registry.will(ok(&json!({ "message": ["r1", "r2"], "code": "OK" })));
    assert_eq!(account.kvk_requests(IYS, &query).await.unwrap(), ["r1", "r2"]);
    for nothing in [ok(&json!({ "message": "", "code": "OK" })), answer(200, ""), answer(204, "")] {
        registry.will(nothing);
        assert!(account.kvk_requests(IYS, &query).await.unwrap().is_empty());
    }
    let calls = registry.calls();
    assert_eq!(calls[0].line(), "GET /via/sps/612345/consent/r");
    assert_eq!(calls[3].line(), "POST /via/sps/612345/consent/status");
    assert_eq!(calls[3].json(), json!({ "type": "AYDINLATMA_METNI", "recipient": "+905551112233" }));
}

#[test]
fn an_approval_instant_may_have_the_other_form() {
    let with = |date: Option<&str>| iys::wire::KvkConsent {
        consent_date: date.map(ToOwned::to_owned),
        ..iys::wire::KvkConsent::default()
    };
    let instant = with(Some("2026-11-20 10:05:00")).consent_instant().unwrap();
    assert_eq!(instant.to_rfc3339(), "2026-11-20T10:05:00+03:00");
    for none in [None, Some(""), Some("soon"), Some("99999999999999999")] {
        assert_eq!(with(none).consent_instant(), None, "{none:?}");
    }
}

#[tokio::test]
async fn links_to_withdraw_come_beside_the_reasons_why_not() {
    let registry = FakeRegistry::start().await;
    let client = registry.client(&crate::support::FakeClock::new()).build().unwrap();
    let account = client.account(crate::support::credentials());
    let wanted = |count: usize| -> Vec<_> {
        (0..count)
            .map(|number| RejectLinkRecipient {
                recipient: format!("a{number}@b.co"),
                recipient_type: "BIREYSEL".into(),
            })
            .collect()
    };
    registry.will(ok(&json!([
        { "url": "https://via.example/RET/x", "recipient": "a0@b.co" },
        { "recipient": "a1@b.co", "code": "H568", "message": "m" },
        { "recipient": "a2@b.co", "code": "H998", "message": "m" },
    ])));
    let links = account.reject_links(BRAND, &wanted(3)).await.unwrap();
    assert_eq!(links[0].url.as_deref(), Some("https://via.example/RET/x"));
    assert_eq!((links[1].code.as_deref(), &links[1].url), (Some("H568"), &None));
    assert!(!format!("{links:?}").contains("RET/x"), "whoever has the link can withdraw");
    assert_eq!(client.unknown_codes().into_keys().collect::<Vec<_>>(), ["H998"]);
    registry.will(ok(&json!({ "recipient": "a0@b.co", "code": "H568", "message": "m" })));
    assert_eq!(account.reject_links(BRAND, &wanted(1)).await.unwrap().len(), 1, "one alone");
    let call = &registry.calls()[0];
    assert_eq!(call.line(), "POST /sps/612345/brands/612346/via-hash-links");
    assert_eq!(call.json()["recipients"][0], json!({ "recipient": "a0@b.co", "recipientType": "BIREYSEL" }));

    for (count, code) in [(0, "H164"), (101, "H127")] {
        let error = account.reject_links(BRAND, &wanted(count)).await.unwrap_err();
        assert!(matches!(error, IysError::RefusedLocally { .. }));
        assert_eq!(error.code(), Some(code));
    }
    assert_eq!(registry.calls().len(), 2);
    registry.will(refusal(400, "H097"));
    let error = account.reject_links(BRAND, &wanted(1)).await.unwrap_err();
    assert!(error.info().unwrap().en.contains("links"));
}
