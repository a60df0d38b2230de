//! From an answer to what to do about it.

use std::time::Duration;

use iys::wire::StatusRequest;
use iys::{Credentials, ErrorClass, IysError, Operation, PauseScope};
use serde_json::json;

use crate::support::{Answer, BRAND, FakeClock, FakeRegistry, answer, consent, credentials, html, refusal};

/// The error of adding one consent when the registry answers like this.
async fn add_error(given: Answer) -> IysError {
    let registry = FakeRegistry::start().await;
    let account = registry.account();
    registry.will(given.clone());
    registry.will(given);
    account.add_consent(BRAND, &consent()).await.unwrap_err()
}

/// The error of reading (a query for many statuses) when the registry answers like this.
async fn query_error(given: Answer) -> IysError {
    let registry = FakeRegistry::start().await;
    let account = registry.account();
    registry.will(given.clone());
    registry.will(given);
    let request = StatusRequest {
        recipient: "+905551112233".into(),
        recipient_type: "BIREYSEL".into(),
        r#type: "MESAJ".into(),
    };
    account.history(BRAND, &request, 0, 100).await.unwrap_err()
}

const fn pause(scope: PauseScope) -> ErrorClass {
    ErrorClass::Pause { scope }
}

#[tokio::test]
async fn a_refused_consent_is_classed_by_its_code() {
    for (status, code, class) in [
        (500, "H015", ErrorClass::Retry),
        (500, "H101", ErrorClass::Retry),
        (500, "H470", ErrorClass::Retry),
        (500, "H476", ErrorClass::Retry),
        (400, "H123", ErrorClass::Retry),
        (503, "H192", ErrorClass::OutcomeUnknown),
        (403, "H195", ErrorClass::Retry),
        (401, "H351", ErrorClass::Reauthenticate),
        (403, "H353", pause(PauseScope::Brand)),
        (404, "H355", pause(PauseScope::Type)),
        (403, "H520", pause(PauseScope::Tenant)),
        (403, "H521", pause(PauseScope::Tenant)),
        (403, "H524", pause(PauseScope::Tenant)),
        (403, "H586", pause(PauseScope::Tenant)),
        (422, "H525", pause(PauseScope::Quota)),
        (400, "H174", ErrorClass::AlreadySo),
        (400, "H175", ErrorClass::AlreadySo),
        (400, "H178", ErrorClass::AlreadySo),
        (422, "H467", ErrorClass::TooLate),
        (400, "H467", ErrorClass::TooLate),
        (422, "H120", ErrorClass::Repair),
        (422, "H121", ErrorClass::Repair),
        (422, "H162", ErrorClass::Repair),
        (400, "H463", ErrorClass::Repair),
        (403, "H180", ErrorClass::Repair),
        (404, "H001", ErrorClass::Config),
        (404, "H018", ErrorClass::Config),
        (422, "H118", ErrorClass::Bug),
        (400, "H085", ErrorClass::Bug),
        (400, "H363", ErrorClass::Bug),
    ] {
        let error = add_error(refusal(status, code)).await;
        assert_eq!(error.class(), class, "{code}");
        assert_eq!((error.code(), error.status()), (Some(code), Some(status)));
        assert_eq!(error.operation(), Operation::Add);
        assert_eq!(error.info().unwrap().code, code);
    }
}

#[tokio::test]
async fn a_code_that_is_not_known_is_classed_by_its_status() {
    for (status, adding, asking) in [
        (400, ErrorClass::Repair, ErrorClass::Bug),
        (401, ErrorClass::Reauthenticate, ErrorClass::Reauthenticate),
        (403, pause(PauseScope::Brand), pause(PauseScope::Brand)),
        (404, ErrorClass::Config, ErrorClass::Config),
        (408, ErrorClass::Retry, ErrorClass::Retry),
        (422, ErrorClass::Repair, ErrorClass::Bug),
        (500, ErrorClass::OutcomeUnknown, ErrorClass::Retry),
        (503, ErrorClass::OutcomeUnknown, ErrorClass::Retry),
    ] {
        assert_eq!(add_error(refusal(status, "H999")).await.class(), adding, "adding, {status}");
        assert_eq!(query_error(refusal(status, "H999")).await.class(), asking, "asking, {status}");
        let codeless = answer(status, json!({ "status": status, "message": "m" }).to_string());
        assert_eq!(add_error(codeless.clone()).await.class(), adding, "adding without code, {status}");
        assert_eq!(query_error(codeless).await.class(), asking, "asking without code, {status}");
    }
}

#[tokio::test]
async fn a_right_that_is_missing_without_a_brand_parks_the_provider() {
    let registry = FakeRegistry::start().await;
    let account = registry.account();
    registry.will(refusal(403, "H353"));
    let error = account.subscription(612_345).await.unwrap_err();
    assert_eq!(error.class(), pause(PauseScope::Tenant));
    registry.will(answer(403, r#"{"errors":[{"code:":"H353","message":"m"}]}"#));
    assert_eq!(
        account.changes(BRAND, iys::ChangeSource::Registry, None, 10).await.unwrap_err().code(),
        Some("H353")
    );
}

#[tokio::test]
async fn a_page_of_a_gateway_is_the_transports_matter() {
    for status in [400, 403, 404, 422] {
        let error = add_error(html(status)).await;
        assert!(matches!(error, IysError::Unreadable { .. }), "{status}");
        assert_eq!((error.class(), error.status()), (ErrorClass::Retry, Some(status)));
        assert!(!error.may_have_written());
    }
    for status in [500, 502, 503, 504] {
        let error = add_error(html(status)).await;
        assert_eq!(error.class(), ErrorClass::OutcomeUnknown, "{status}");
        assert!(error.may_have_written());
        assert_eq!(query_error(html(status)).await.class(), ErrorClass::Retry, "{status}");
    }
}

#[tokio::test]
async fn a_success_that_cannot_be_read_leaves_the_outcome_open() {
    for given in [html(200), answer(200, ""), answer(200, r#"{"transactionId":"5f"#), answer(302, "")] {
        assert_eq!(add_error(given.clone()).await.class(), ErrorClass::OutcomeUnknown, "{given:?}");
    }
    assert_eq!(query_error(html(200)).await.class(), ErrorClass::Retry);
}

#[tokio::test]
async fn only_what_may_have_been_stored_is_said_to_be() {
    for (given, expected) in [
        (refusal(500, "H101"), true),
        (refusal(503, "H192"), true),
        (refusal(400, "H123"), false),
        (refusal(422, "H121"), false),
        (refusal(429, "H124"), false),
        (refusal(401, "H351"), false),
    ] {
        assert_eq!(add_error(given.clone()).await.may_have_written(), expected, "{given:?}");
    }
    assert!(!query_error(refusal(500, "H103")).await.may_have_written());
}

fn wait_of(error: &IysError) -> Duration {
    match error.class() {
        ErrorClass::Wait { after } => after,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_crowded_second_asks_for_a_second_and_a_little() {
    for given in [
        refusal(429, "H124"),
        refusal(429, "H083"),
        refusal(429, "H999"),
        answer(429, r#"{"code":"H124","message":"m"}"#),
        answer(429, "{}"),
        html(429),
        answer(429, ""),
    ] {
        let wait = wait_of(&add_error(given.clone()).await);
        assert!(wait >= Duration::from_secs(1) && wait < Duration::from_secs(2), "{given:?}: {wait:?}");
    }
    let asked = add_error(refusal(429, "H124").header("retry-after", "7")).await;
    assert_eq!(wait_of(&asked), Duration::from_secs(7));
    let absurd = add_error(refusal(429, "H124").header("retry-after", "999999")).await;
    assert_eq!(wait_of(&absurd), Duration::from_hours(1));
}

#[tokio::test]
async fn an_hourly_limit_waits_for_the_next_hour() {
    // The clock of the tests stands at ten past.
    for code in ["H086", "H089"] {
        assert_eq!(wait_of(&query_error(refusal(429, code)).await), Duration::from_mins(50), "{code}");
    }
}

#[tokio::test]
async fn every_reason_of_a_refusal_is_kept_with_its_place() {
    let error = add_error(answer(
        422,
        json!({ "errors": [
            { "index": 2, "location": ["type"], "code": "H111", "message": "m" },
            { "index": 7, "location": ["retailerAccess", 1], "code": "H180", "value": 5, "message": "m" },
        ] })
        .to_string(),
    ))
    .await;
    let items = error.items();
    assert_eq!(items.iter().map(|item| item.index).collect::<Vec<_>>(), [Some(2), Some(7)]);
    assert_eq!((items[1].field(), items[1].position()), (Some("retailerAccess"), Some(1)));
    assert_eq!(error.code(), Some("H111"), "the first code decides");
}

#[tokio::test]
async fn errors_show_no_body() {
    let error = add_error(answer(
        422,
        json!({ "errors": [{ "code": "H121", "message": "+905551112233 yanlış", "value": "+905551112233" }] }).to_string(),
    ))
    .await;
    for shown in [format!("{error}"), format!("{error:?}")] {
        assert!(!shown.contains("555") && !shown.contains("yanlış"), "{shown}");
    }
    assert_eq!(error.to_string(), "the registry refused add with H121 (HTTP 422)");
}

#[tokio::test]
async fn the_first_code_that_is_known_decides() {
    let given = answer(422, r#"{"errors":[{"code":"H999","message":"m"},{"code":"H467","message":"m"}]}"#);
    let error = add_error(given).await;
    assert_eq!((error.class(), error.code()), (ErrorClass::TooLate, Some("H467")));
}

#[tokio::test]
async fn codes_that_are_in_no_table_are_counted() {
    let registry = FakeRegistry::start().await;
    let client = registry.client(&FakeClock::new()).build().unwrap();
    let account = client.account(credentials());
    assert!(client.unknown_codes().is_empty());
    let batch = json!([
        { "index": 0, "status": "failure", "error": { "code": "H997", "message": "m" } },
        { "index": 1, "status": "failure", "error": { "code": "H174", "message": "m" } },
    ]);
    for given in [
        refusal(422, "H999"),
        refusal(429, "H999"),
        refusal(422, "H121"),
        refusal(422, "a long sentence stands where a code should be"),
        html(500),
    ] {
        registry.will(given);
        account.add_consent(BRAND, &consent()).await.unwrap_err();
    }
    registry.will(answer(200, batch.to_string()));
    account.batch_result(BRAND, "r").await.unwrap();
    registry.token_will(answer(400, r#"{"error":"invalid_request"}"#));
    client.account(Credentials::new("another", "one")).login_check().await.unwrap_err();
    let counted: Vec<_> = client.unknown_codes().into_iter().collect();
    let expected = [("H997", 1), ("H999", 2), ("other", 1)];
    assert_eq!(counted, expected.map(|(code, times)| (code.to_owned(), times)));

    for number in 0..150 {
        registry.will(refusal(422, &format!("X{number}")));
        account.add_consent(BRAND, &consent()).await.unwrap_err();
    }
    let counted = client.unknown_codes();
    assert!(counted.len() <= 101 && counted["other"] > 1, "a registry gone mad does not fill the memory");
    assert_eq!(counted.values().sum::<u64>(), 154);
}
