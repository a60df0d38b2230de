//! The sender against receivers that answer well, badly and not at all.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::Bytes;
use kopru_webhook::{
    AddressKind, BlockReason, Headers, Request, Response, Secret, SendError, Sender, Signer, SigningKey,
    TargetPolicy, UrlProblem, Verifier,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::receiver::{Receiver, raw};

const TIMESTAMP: i64 = 1_795_348_800; // Sun, 22 Nov 2026 12:00:00 GMT
const LONG: Duration = Duration::from_secs(30);
const SHORT: Duration = Duration::from_millis(150);

fn sender() -> Sender {
    Sender::builder().policy(TargetPolicy::AllowLoopback).build().unwrap()
}

async fn post(sender: &Sender, url: &str, timeout: Duration) -> Result<Response, SendError> {
    let signer = Signer { secrets: vec![Secret::from_bytes(&[7; 32]).unwrap()], ed25519: None };
    let body = Bytes::from_static(br#"{"type":"permission.changed"}"#);
    sender.send(Request { url, id: "evt_1", timestamp: TIMESTAMP, body, signer: &signer, timeout }).await
}

#[tokio::test]
async fn a_receiver_can_verify_what_arrives() {
    let receiver = Receiver::start().await;
    let key = SigningKey::generate().unwrap();
    let secrets = vec![Secret::generate().unwrap(), Secret::generate().unwrap()];
    let signer = Signer { secrets: secrets.clone(), ed25519: Some(key.clone()) };
    let body = Bytes::from("{ \"recipient\": \"ğüş\" }\n");
    let url = receiver.url("/ok");
    let request = Request {
        url: &url,
        id: "evt_1",
        timestamp: TIMESTAMP,
        body: body.clone(),
        signer: &signer,
        timeout: LONG,
    };
    let response = sender().send(request).await.unwrap();
    assert_eq!((response.status, response.body_excerpt.as_str()), (204, ""));
    assert!(response.is_success() && !response.is_gone() && response.elapsed < LONG);

    let calls = receiver.calls();
    let [call] = calls.as_slice() else { panic!("{calls:?}") };
    assert_eq!((call.path.as_str(), &call.body), ("/ok", &body));
    assert_eq!(call.headers["content-type"], "application/json");
    assert!(call.headers["user-agent"].to_str().unwrap().starts_with("kopru-webhook/"));
    let headers = Headers::from_map(&call.headers).unwrap();
    assert_eq!((headers.id, headers.timestamp), ("evt_1", "1795348800"));
    let believers = [
        Verifier { secrets: secrets[..1].to_vec(), public_keys: Vec::new() },
        Verifier { secrets: secrets[1..].to_vec(), public_keys: Vec::new() },
        Verifier { secrets: Vec::new(), public_keys: vec![key.public_key()] },
    ];
    for verifier in believers {
        assert_eq!(verifier.verify(headers, &call.body, TIMESTAMP, SHORT), Ok(()));
    }
}

#[tokio::test]
async fn answers_are_reported_and_not_judged() {
    let receiver = Receiver::start().await;
    let sender = sender();
    let answer = async |path| post(&sender, &receiver.url(path), LONG).await.unwrap();

    let gone = answer("/gone").await;
    assert_eq!((gone.status, gone.body_excerpt.as_str()), (410, "we moved out"));
    assert!(gone.is_gone() && !gone.is_success());
    let echo = answer("/echo").await;
    assert_eq!((echo.status, echo.body_excerpt.as_str()), (200, r#"{"type":"permission.changed"}"#));
    assert_eq!(echo.retry_after, None);
    let busy = answer("/busy").await;
    assert_eq!((busy.status, busy.retry_after), (429, Some(Duration::from_mins(2))));
    let later = answer("/later").await;
    assert_eq!((later.status, later.retry_after), (503, Some(Duration::from_mins(30))));
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let receiver = Receiver::start().await;
    let response = post(&sender(), &receiver.url("/moved"), LONG).await.unwrap();
    assert_eq!(response.status, 307);
    assert_eq!(receiver.calls().len(), 1);
}

#[tokio::test]
async fn the_excerpt_of_a_large_body_is_short_and_ends_at_a_character() {
    let receiver = Receiver::start().await;
    let response = post(&sender(), &receiver.url("/large"), LONG).await.unwrap();
    assert_eq!(response.status, 200);
    assert_eq!(response.body_excerpt, "ş".repeat(1024));
}

/// Reads the request's headers and body, whatever they are.
async fn swallow_request(stream: &mut TcpStream) {
    let mut buffer = [0; 8192];
    let _ = stream.read(&mut buffer).await;
}

#[tokio::test]
async fn an_endless_body_is_cut_off() {
    let written = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&written);
    let address = raw(move |mut stream| {
        let counter = Arc::clone(&counter);
        async move {
            swallow_request(&mut stream).await;
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n").await;
            while stream.write_all(&[b'x'; 16 * 1024]).await.is_ok() {
                counter.fetch_add(16 * 1024, Ordering::SeqCst);
            }
        }
    })
    .await;
    let response = post(&sender(), &format!("http://{address}/"), LONG).await.unwrap();
    assert_eq!((response.status, response.body_excerpt.len()), (200, 2048));
    // What the sockets' buffers hold may have been written; a reader of everything would still be reading
    assert!(written.load(Ordering::SeqCst) < 500_000_000 && response.elapsed < LONG);
}

#[tokio::test]
async fn a_body_that_stops_does_not_undo_the_answer() {
    let address = raw(|mut stream| async move {
        swallow_request(&mut stream).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf of it").await;
        std::future::pending::<()>().await;
    })
    .await;
    let response = post(&sender(), &format!("http://{address}/"), SHORT).await.unwrap();
    assert_eq!((response.status, response.body_excerpt.as_str()), (200, "half of it"));
    assert!(response.elapsed >= SHORT);
}

#[tokio::test]
async fn a_body_that_breaks_off_does_not_undo_the_answer() {
    let address = raw(|mut stream| async move {
        swallow_request(&mut stream).await;
        let _ = stream.write_all(b"HTTP/1.1 202 Accepted\r\ncontent-length: 100\r\n\r\nhalf of it").await;
    })
    .await;
    let response = post(&sender(), &format!("http://{address}/"), LONG).await.unwrap();
    assert_eq!((response.status, response.body_excerpt.as_str()), (202, "half of it"));
}

#[tokio::test]
async fn a_receiver_that_never_answers_times_out() {
    let receiver = Receiver::start().await;
    let error = post(&sender(), &receiver.url("/never"), SHORT).await.unwrap_err();
    assert!(matches!(error, SendError::Timeout), "{error:?}");
    assert_eq!(receiver.calls().len(), 1);
}

#[tokio::test]
async fn a_closed_port_is_a_connection_error() {
    let address = raw(|_| async {}).await;
    let unused = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap()
    };
    let error = post(&sender(), &format!("http://{unused}/secret-path"), LONG).await.unwrap_err();
    assert!(matches!(error, SendError::Connect(_)), "{error:?}");
    assert!(error.to_string().starts_with("could not connect: Connection refused"), "{error}");
    assert!(!format!("{error:?} {error}").contains("secret-path"), "{error:?}");

    // Connected and closed without a word is another matter
    let error = post(&sender(), &format!("http://{address}/"), LONG).await.unwrap_err();
    assert!(matches!(error, SendError::Other(_)), "{error:?}");
}

#[tokio::test]
async fn a_failed_handshake_is_a_tls_error() {
    let receiver = Receiver::start().await;
    let silent = raw(|mut stream| async move { swallow_request(&mut stream).await }).await;
    for port in [receiver.port(), silent.port()] {
        let error = post(&sender(), &format!("https://127.0.0.1:{port}/ok"), LONG).await.unwrap_err();
        assert!(matches!(error, SendError::Tls(_)), "{error:?}");
        assert_eq!(error.code(), "tls");
    }
    assert_eq!(receiver.calls().len(), 0);
}

#[tokio::test]
async fn connections_serve_again() {
    let connections = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&connections);
    let address = raw(move |mut stream| {
        counter.fetch_add(1, Ordering::SeqCst);
        async move {
            let mut buffer = [0; 8192];
            while stream.read(&mut buffer).await.is_ok_and(|length| length > 0) {
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
            }
        }
    })
    .await;
    let sender = sender();
    for _ in 0..3 {
        let response = post(&sender, &format!("http://{address}/"), LONG).await.unwrap();
        assert_eq!(response.body_excerpt, "ok");
    }
    assert_eq!(connections.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn the_public_policy_refuses_loopback() {
    let receiver = Receiver::start().await;
    let port = receiver.port();
    let public = Sender::builder().build().unwrap();
    let loopback = UrlProblem::Address(AddressKind::Loopback);
    for (host, expected) in [
        ("127.0.0.1", loopback),
        ("127.1", loopback),
        ("2130706433", loopback),
        ("0x7f.1", loopback),
        ("[::1]", loopback),
        ("[::ffff:127.0.0.1]", loopback),
        ("localhost", UrlProblem::LocalName),
        ("localhost.", UrlProblem::LocalName),
        ("0.0.0.0", UrlProblem::Address(AddressKind::Unspecified)),
        ("user@8.8.8.8", UrlProblem::UserInfo),
    ] {
        let error = post(&public, &format!("http://{host}:{port}/ok"), LONG).await.unwrap_err();
        let SendError::Blocked(BlockReason::Url(problem)) = error else { panic!("{host}: {error:?}") };
        assert_eq!(problem, expected, "{host}");
    }
    assert_eq!(receiver.calls().len(), 0);
}

#[tokio::test]
async fn loopback_names_work_where_loopback_is_allowed() {
    let receiver = Receiver::start().await;
    for host in ["localhost", "127.1", "2130706433"] {
        let url = format!("http://{host}:{}/ok", receiver.port());
        assert_eq!(post(&sender(), &url, LONG).await.unwrap().status, 204, "{host}");
    }
    let error = post(&sender(), &format!("http://10.0.0.1:{}/ok", receiver.port()), LONG).await.unwrap_err();
    assert!(matches!(error, SendError::Blocked(_)), "{error:?}");
}

#[tokio::test]
async fn an_id_that_cannot_be_signed_or_sent_is_refused() {
    let receiver = Receiver::start().await;
    let signer = Signer::default();
    for id in ["", "a.b", "a\nb", "a\0"] {
        let url = receiver.url("/ok");
        let body = Bytes::new();
        let request = Request { url: &url, id, timestamp: 0, body, signer: &signer, timeout: LONG };
        let error = sender().send(request).await.unwrap_err();
        assert!(matches!(error, SendError::Other(_)), "{id:?} {error:?}");
    }
    assert_eq!(receiver.calls().len(), 0);
}

#[test]
fn errors_speak_turkish_too() {
    let blocked = SendError::Blocked(BlockReason::Url(UrlProblem::UserInfo));
    assert_eq!(blocked.turkish(), "hedefe izin verilmiyor: URL kullanıcı adı veya parola içeremez");
    assert_eq!(blocked.to_string(), "target refused: the URL must not hold a user name or password");
    assert_eq!(SendError::Timeout.turkish(), "süresi içinde yanıt gelmedi");
}
