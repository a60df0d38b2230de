//! Connections that fail, and what that proves.

use std::time::Duration;

use iys::wire::{BatchAddResponse, StatusRequest};
use iys::{BuildError, ErrorClass, IysClient, IysError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::support::{BRAND, FakeClock, FakeRegistry, added, consent, credentials, cut, never};

fn status_request() -> StatusRequest {
    StatusRequest { recipient: "a@b.co".into(), recipient_type: "BIREYSEL".into(), r#type: "EPOSTA".into() }
}

#[tokio::test]
async fn a_write_that_gets_no_answer_has_an_unknown_outcome() {
    let registry = FakeRegistry::start().await;
    let client = registry.client(&FakeClock::new()).timeout(Duration::from_millis(150)).build().unwrap();
    let account = client.account(credentials());
    account.login_check().await.unwrap();

    registry.will(never());
    let error = account.add_consent(BRAND, &consent()).await.unwrap_err();
    assert!(matches!(error, IysError::Interrupted { .. }), "{error:?}");
    assert_eq!((error.class(), error.status(), error.code()), (ErrorClass::OutcomeUnknown, None, None));
    assert!(error.may_have_written());

    registry.will(never());
    let error = account.add_batch(BRAND, &[consent()]).await.unwrap_err();
    assert_eq!(error.class(), ErrorClass::OutcomeUnknown);

    registry.will(never());
    let error = account.status(BRAND, &status_request()).await.unwrap_err();
    assert_eq!(error.class(), ErrorClass::Retry, "a query can simply be repeated");
    assert!(!error.may_have_written());
    assert_eq!(registry.calls().len(), 3, "nothing is resent by the client");
}

#[tokio::test]
async fn an_answer_that_breaks_off_has_an_unknown_outcome() {
    let registry = FakeRegistry::start().await;
    let account = registry.account();
    registry.will(cut());
    let error = account.add_consent(BRAND, &consent()).await.unwrap_err();
    assert_eq!(error.class(), ErrorClass::OutcomeUnknown);
    registry.will(cut());
    assert_eq!(account.status(BRAND, &status_request()).await.unwrap_err().class(), ErrorClass::Retry);
    registry.will(added());
    account.add_consent(BRAND, &consent()).await.unwrap();
}

#[tokio::test]
async fn a_connection_closed_after_the_request_has_an_unknown_outcome() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let client = IysClient::builder(address).clock(FakeClock::new()).build().unwrap();
    let account = client.account(credentials());

    let (mut first, mut second) = (Vec::new(), Vec::new());
    let server = async {
        let token =
            r#"{"access_token":"a","refresh_token":"r","expires_in":7200,"refresh_expires_in":14400}"#;
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", token.len());
        let (mut stream, _) = listener.accept().await.unwrap();
        read_request(&mut stream, &mut first).await;
        stream.write_all(format!("{head}{token}").as_bytes()).await.unwrap();
        drop(stream);
        let (mut stream, _) = listener.accept().await.unwrap();
        read_request(&mut stream, &mut second).await;
    };
    let consent = consent();
    let (outcome, ()) = tokio::join!(account.add_consent(BRAND, &consent), server);
    let error = outcome.unwrap_err();
    assert!(String::from_utf8(second).unwrap().starts_with("POST /v2/sps/"));
    assert!(matches!(error, IysError::Interrupted { .. }), "{error:?}");
    assert_eq!(error.class(), ErrorClass::OutcomeUnknown);
}

/// Reads head and body of a request whose body ends with a brace.
async fn read_request(stream: &mut TcpStream, into: &mut Vec<u8>) {
    while !into.ends_with(b"}") {
        assert_ne!(stream.read_buf(into).await.unwrap(), 0, "the request ended early");
    }
}

#[tokio::test]
async fn without_a_connection_nothing_was_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let refused = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    for address in [refused.as_str(), "http://registry.invalid"] {
        let client = IysClient::builder(address).clock(FakeClock::new()).build().unwrap();
        let error = client.account(credentials()).add_consent(BRAND, &consent()).await.unwrap_err();
        assert!(matches!(error, IysError::Unreachable { .. }), "{address}: {error:?}");
        assert_eq!(error.class(), ErrorClass::NotSent);
        assert!(!error.may_have_written());
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert!(!source.contains("oauth2"), "the address of the request is left out: {source}");
    }
}

#[tokio::test]
async fn the_exact_bytes_are_sent() {
    let registry = FakeRegistry::start().await;
    let account = registry.account();
    let odd = "{ \"recipient\" : \"+905551112233\",\n\"type\":\"MESAJ\" }";
    registry.will(added());
    account.add_consent_raw(BRAND, odd.into()).await.unwrap();
    registry.will(crate::support::answer(202, r#"{"requestId":"r"}"#));
    let batch = account.add_batch_raw(BRAND, format!("[{odd}]").into()).await.unwrap();
    assert_eq!(batch, BatchAddResponse { request_id: "r".into(), sub_requests: Vec::new() });
    let calls = registry.calls();
    assert_eq!(calls[0].body, odd);
    assert_eq!(calls[1].body, format!("[{odd}]"));
}

#[tokio::test]
async fn a_base_address_may_have_a_path() {
    let registry = FakeRegistry::start().await;
    for base in [format!("{}/mirror", registry.url()), format!("{}/mirror/", registry.url())] {
        let client = IysClient::builder(base).clock(FakeClock::new()).build().unwrap();
        registry.will(crate::support::tokens("a", "r", 7_200));
        registry.will(added());
        client.account(credentials()).add_consent(BRAND, &consent()).await.unwrap();
    }
    let calls = registry.calls();
    assert_eq!(calls[0].path, "/mirror/oauth2/token");
    assert_eq!(calls[1].path, "/mirror/v2/sps/612345/brands/612346/consents");
    assert_eq!(calls[3].path, calls[1].path);
}

#[test]
fn an_address_that_is_none_is_refused_when_building() {
    assert!(matches!(IysClient::builder("api.iys.org.tr").build(), Err(BuildError::Url(_))));
    for address in ["ftp://api.iys.org.tr", "mailto:a@b.co", "https://api.iys.org.tr?x=1"] {
        assert!(matches!(IysClient::builder(address).build(), Err(BuildError::NotHttp)), "{address}");
    }
    let client = IysClient::builder(iys::PRODUCTION).build().unwrap();
    assert_eq!(client.base_url().as_str(), "https://api.iys.org.tr/");
}
