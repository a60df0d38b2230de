//! Getting, sharing and losing tokens.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use futures::future::join_all;
use iys::wire::StatusRequest;
use iys::{Account, Clock, Credentials, ErrorClass, IysClient, IysError, Operation};
use serde_json::json;

use crate::support::{
    BRAND, FakeClock, FakeRegistry, added, answer, consent, credentials, html, ok, refusal, tokens,
};

pub fn oauth(status: u16, word: &str) -> crate::support::Answer {
    answer(status, json!({ "error": word, "error_description": "…" }).to_string())
}

pub async fn add(registry: &FakeRegistry, account: &Account) -> Result<(), IysError> {
    registry.will(added());
    account.add_consent(BRAND, &consent()).await.map(drop)
}

pub fn bearers(registry: &FakeRegistry) -> Vec<String> {
    registry.calls().into_iter().map(|call| call.bearer.unwrap()).collect()
}

struct Scene {
    registry: FakeRegistry,
    clock: Arc<FakeClock>,
    client: IysClient,
    account: Account,
}

async fn scene() -> Scene {
    let registry = FakeRegistry::start().await;
    let clock = FakeClock::new();
    let client = registry.client(&clock).build().unwrap();
    let account = client.account(credentials());
    Scene { registry, clock, client, account }
}

#[tokio::test]
async fn a_login_is_made_once_and_used_again() {
    let Scene { registry, client, account, .. } = scene().await;
    for _ in 0..3 {
        add(&registry, &account).await.unwrap();
    }
    add(&registry, &client.account(credentials())).await.unwrap();
    assert_eq!(
        registry.token_calls()[0].json(),
        json!({ "grant_type": "password", "username": "user@example.com", "password": "p4ssw0rd" })
    );
    assert_eq!(registry.token_calls().len(), 1, "another handle of the same account shares the token");
    assert_eq!(bearers(&registry), ["access-1"; 4]);
    assert_eq!(registry.token_calls()[0].bearer, None);
}

#[tokio::test]
async fn another_user_has_a_token_of_its_own() {
    let Scene { registry, client, account, .. } = scene().await;
    add(&registry, &account).await.unwrap();
    add(&registry, &client.account(Credentials::new("other@example.com", "x"))).await.unwrap();
    assert_eq!(bearers(&registry), ["access-1", "access-2"]);
}

#[tokio::test]
async fn a_token_near_its_end_is_refreshed_and_the_refresh_token_rotates() {
    let Scene { registry, clock, account, .. } = scene().await;
    add(&registry, &account).await.unwrap();
    clock.advance(TimeDelta::seconds(7_200 - 301));
    add(&registry, &account).await.unwrap();
    assert_eq!(registry.token_calls().len(), 1, "301 s of life are enough");
    clock.advance(TimeDelta::seconds(2));
    add(&registry, &account).await.unwrap();
    clock.advance(TimeDelta::seconds(7_000));
    add(&registry, &account).await.unwrap();
    let calls = registry.token_calls();
    assert_eq!(registry.grants(), ["password", "refresh_token", "refresh_token"]);
    assert_eq!(calls[1].json()["refresh_token"], "refresh-1");
    assert_eq!(calls[2].json()["refresh_token"], "refresh-2", "the newest refresh token is used");
    assert_eq!(bearers(&registry), ["access-1", "access-1", "access-2", "access-3"]);
}

#[tokio::test]
async fn lives_are_read_from_the_answer() {
    let Scene { registry, clock, account, .. } = scene().await;
    registry.token_will(tokens("short", "r", 600));
    add(&registry, &account).await.unwrap();
    clock.advance(TimeDelta::seconds(299));
    add(&registry, &account).await.unwrap();
    clock.advance(TimeDelta::seconds(2));
    add(&registry, &account).await.unwrap();
    assert_eq!(bearers(&registry), ["short", "short", "access-2"]);
}

#[tokio::test]
async fn with_both_tokens_ended_the_password_is_used() {
    let Scene { registry, clock, account, .. } = scene().await;
    add(&registry, &account).await.unwrap();
    clock.advance(TimeDelta::hours(5));
    add(&registry, &account).await.unwrap();
    assert_eq!(registry.grants(), ["password", "password"]);
}

#[tokio::test]
async fn a_refresh_token_that_is_refused_falls_back_to_the_password() {
    for refused in [oauth(400, "invalid_grant"), oauth(401, "invalid_grant")] {
        let Scene { registry, clock, account, .. } = scene().await;
        add(&registry, &account).await.unwrap();
        clock.advance(TimeDelta::hours(2));
        registry.token_will(refused);
        add(&registry, &account).await.unwrap();
        assert_eq!(registry.grants(), ["password", "refresh_token", "password"]);
    }
}

#[tokio::test]
async fn many_callers_make_one_login() {
    let Scene { registry, account, .. } = scene().await;
    for _ in 0..20 {
        registry.will(added());
    }
    let consent = consent();
    let outcomes = join_all((0..20).map(|_| account.add_consent(BRAND, &consent))).await;
    assert!(outcomes.iter().all(Result::is_ok));
    assert_eq!(registry.token_calls().len(), 1);
}

#[tokio::test]
async fn many_callers_share_one_failure() {
    for (given, class) in [
        (oauth(400, "invalid_request"), ErrorClass::Config),
        (html(502), ErrorClass::Retry),
        (refusal(500, "H015"), ErrorClass::Retry),
    ] {
        let Scene { registry, account, .. } = scene().await;
        registry.token_will(given);
        let consent = consent();
        let outcomes = join_all((0..20).map(|_| account.add_consent(BRAND, &consent))).await;
        for outcome in outcomes {
            let error = outcome.unwrap_err();
            assert_eq!((error.class(), error.operation()), (class, Operation::Token));
            assert!(!error.may_have_written());
        }
        assert_eq!(registry.token_calls().len(), 1);
        assert!(registry.calls().is_empty());
    }
}

#[tokio::test]
async fn a_wrong_password_is_not_repeated_before_it_is_changed() {
    let Scene { registry, clock, client, account } = scene().await;
    registry.token_will(oauth(400, "invalid_request"));
    let error = add(&registry, &account).await.unwrap_err();
    assert!(matches!(error, IysError::CredentialsRefused { status: 400, .. }), "{error:?}");
    clock.advance(TimeDelta::days(30));
    let error = account.add_consent(BRAND, &consent()).await.unwrap_err();
    assert!(matches!(error, IysError::CredentialsRefused { .. }), "{error:?}");
    assert_eq!(registry.token_calls().len(), 1);

    let corrected = client.account(Credentials::new("user@example.com", "corrected"));
    add(&registry, &corrected).await.unwrap();
    assert_eq!(registry.token_calls().len(), 2, "a corrected password is tried at once");
}

/// A busy registry once halted the account for good: its 400 was taken for a refused password.
#[tokio::test]
async fn a_busy_registry_refuses_no_password() {
    let Scene { registry, clock, account, .. } = scene().await;
    registry.token_will(refusal(400, "H123"));
    let error = add(&registry, &account).await.unwrap_err();
    assert_eq!((error.class(), error.code()), (ErrorClass::Retry, Some("H123")), "{error:?}");
    clock.advance(TimeDelta::minutes(1));
    account.add_consent(BRAND, &consent()).await.unwrap();
    assert_eq!(registry.grants(), ["password", "password"]);
}

#[tokio::test]
async fn a_login_check_tries_a_refused_password_once_more() {
    let Scene { registry, clock, account, .. } = scene().await;
    registry.token_will(oauth(400, "invalid_request"));
    assert_eq!(account.login_check().await.unwrap_err().class(), ErrorClass::Config);
    let check = account.login_check().await.unwrap();
    assert_eq!(check.expires_at - clock.now(), TimeDelta::seconds(7_200));
    assert_eq!(registry.token_calls().len(), 2);
    assert!(registry.calls().is_empty(), "a login check asks for a token and nothing else");
}

#[tokio::test]
async fn a_password_is_tried_even_where_there_is_a_token() {
    let Scene { registry, client, account, .. } = scene().await;
    add(&registry, &account).await.unwrap();
    let changed = client.account(Credentials::new("user@example.com", "changed"));
    changed.log_in().await.unwrap();
    assert_eq!(registry.grants(), ["password", "password"]);
    add(&registry, &changed).await.unwrap();
    assert_eq!(bearers(&registry), ["access-1", "access-2"], "the new token takes the place of the old one");

    registry.token_will(oauth(400, "invalid_request"));
    let wrong = client.account(Credentials::new("user@example.com", "wrong"));
    assert!(matches!(wrong.log_in().await, Err(IysError::CredentialsRefused { .. })));
    add(&registry, &changed).await.unwrap();
    assert_eq!(registry.token_calls().len(), 3, "a refused password is no other password's matter");
}

#[tokio::test]
async fn after_h084_there_is_an_hour_of_silence() {
    for refused in [refusal(429, "H084"), answer(429, r#"{"code":"H084","message":"…"}"#)] {
        let Scene { registry, clock, client, account } = scene().await;
        registry.token_will(refused);
        let error = add(&registry, &account).await.unwrap_err();
        assert_eq!(
            (error.code(), error.class()),
            (Some("H084"), ErrorClass::Wait { after: Duration::from_hours(1) })
        );

        clock.advance(TimeDelta::minutes(59));
        let other = client.account(Credentials::new("other@example.com", "x"));
        for account in [&account, &other] {
            let error = add(&registry, account).await.unwrap_err();
            assert_eq!(error.class(), ErrorClass::Wait { after: Duration::from_mins(1) });
            assert_eq!((error.code(), error.status()), (Some("H084"), None));
        }
        assert!(account.login_check().await.is_err(), "not even a login check breaks the silence");
        assert_eq!(
            registry.token_calls().len(),
            1,
            "each attempt would start the hour anew, for all accounts"
        );

        clock.advance(TimeDelta::seconds(61));
        registry.will(added());
        account.login_check().await.unwrap();
        other.login_check().await.unwrap();
    }
}

#[tokio::test]
async fn during_the_silence_a_living_token_is_used_to_its_end() {
    let Scene { registry, clock, account, .. } = scene().await;
    add(&registry, &account).await.unwrap();
    clock.advance(TimeDelta::seconds(7_000));
    registry.token_will(refusal(429, "H084"));
    add(&registry, &account).await.unwrap();
    clock.advance(TimeDelta::seconds(100));
    add(&registry, &account).await.unwrap();
    assert_eq!(bearers(&registry), ["access-1"; 3]);
    clock.advance(TimeDelta::seconds(100));
    assert!(matches!(add(&registry, &account).await, Err(IysError::Throttled { .. })));
    assert_eq!(registry.token_calls().len(), 2);
}

#[tokio::test]
async fn a_failing_token_endpoint_is_asked_less_and_less() {
    let Scene { registry, clock, account, .. } = scene().await;
    for _ in 0..9 {
        registry.token_will(html(503));
    }
    let started = clock.now();
    let mut recovered = None;
    while recovered.is_none() && clock.now() - started < TimeDelta::hours(1) {
        if add(&registry, &account).await.is_ok() {
            recovered = Some(clock.now() - started);
        }
        clock.advance(TimeDelta::seconds(1));
    }
    assert_eq!(registry.token_calls().len(), 10, "nine failures and a success");
    let recovered = recovered.unwrap();
    assert!(recovered > TimeDelta::minutes(30) && recovered < TimeDelta::minutes(45), "{recovered}");
}

#[tokio::test]
async fn a_failed_refresh_leaves_a_living_token_in_use() {
    let Scene { registry, clock, account, .. } = scene().await;
    add(&registry, &account).await.unwrap();
    clock.advance(TimeDelta::seconds(7_000));
    registry.token_will(html(502));
    for _ in 0..5 {
        add(&registry, &account).await.unwrap();
    }
    assert_eq!(registry.token_calls().len(), 2, "the failure is not repeated with every call");
    clock.advance(TimeDelta::seconds(6));
    add(&registry, &account).await.unwrap();
    assert_eq!(bearers(&registry).last().unwrap(), "access-3");
}

#[tokio::test]
async fn token_calls_stay_inside_their_budget() {
    let registry = FakeRegistry::start().await;
    let clock = FakeClock::new();
    let client = registry.client(&clock).token_calls_per_hour(3).build().unwrap();
    let user = |number: i32| client.account(Credentials::new(format!("user-{number}"), "x"));
    for number in 0..3 {
        user(number).login_check().await.unwrap();
        clock.advance(TimeDelta::minutes(10));
    }
    let error = user(3).login_check().await.unwrap_err();
    assert_eq!((error.class(), error.status()), (ErrorClass::Wait { after: Duration::from_mins(30) }, None));
    assert_eq!(registry.token_calls().len(), 3);
    clock.advance(TimeDelta::minutes(30));
    user(3).login_check().await.unwrap();
}

#[tokio::test]
async fn a_call_that_never_left_costs_no_budget() {
    let clock = FakeClock::new();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let client = IysClient::builder(address).clock(clock.clone()).token_calls_per_hour(1).build().unwrap();
    let account = client.account(credentials());
    for _ in 0..3 {
        assert_eq!(account.login_check().await.unwrap_err().class(), ErrorClass::NotSent);
    }
}

#[tokio::test]
async fn a_token_that_is_refused_is_renewed_once_and_the_call_sent_again() {
    for refused in [refusal(401, "H351"), answer(401, ""), html(401)] {
        let Scene { registry, account, .. } = scene().await;
        registry.will(refused);
        add(&registry, &account).await.unwrap();
        assert_eq!(registry.grants(), ["password", "refresh_token"]);
        assert_eq!(bearers(&registry), ["access-1", "access-2"]);
        let calls = registry.calls();
        assert_eq!(calls[0].body, calls[1].body);
    }
}

#[tokio::test]
async fn a_renewed_token_that_is_refused_too_is_the_callers_matter() {
    let Scene { registry, clock, account, .. } = scene().await;
    for _ in 0..4 {
        registry.will(refusal(401, "H351"));
    }
    let error = account.add_consent(BRAND, &consent()).await.unwrap_err();
    assert_eq!((error.class(), error.code()), (ErrorClass::Reauthenticate, Some("H351")));
    assert_eq!(registry.token_calls().len(), 2);

    let error = account.add_consent(BRAND, &consent()).await.unwrap_err();
    assert_eq!(error.class(), ErrorClass::Reauthenticate);
    assert_eq!(registry.token_calls().len(), 2, "not renewed again at once");

    clock.advance(TimeDelta::minutes(6));
    add(&registry, &account).await.unwrap();
    assert_eq!(registry.grants(), ["password", "refresh_token", "password"], "next time by the password");
}

#[tokio::test]
async fn many_refused_calls_renew_the_token_once() {
    let Scene { registry, account, .. } = scene().await;
    account.login_check().await.unwrap();
    for _ in 0..10 {
        registry.will(refusal(401, "H351"));
    }
    for _ in 0..10 {
        registry.will(added());
    }
    let consent = consent();
    let outcomes = join_all((0..10).map(|_| account.add_consent(BRAND, &consent))).await;
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    assert_eq!(registry.token_calls().len(), 2);
}

#[tokio::test]
async fn a_query_renews_its_token_too() {
    let Scene { registry, account, .. } = scene().await;
    registry.will(refusal(401, "H351"));
    registry.will(ok(&json!({ "status": "ONAY" })));
    let request =
        StatusRequest { recipient: "a@b.co".into(), recipient_type: "TACIR".into(), r#type: "EPOSTA".into() };
    assert!(account.status(BRAND, &request).await.unwrap().is_some());
}
