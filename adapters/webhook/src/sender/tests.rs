//! What needs a resolver that can be told what to answer: everything else is tested from outside.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;
use crate::address::AddressKind;

/// Answers the n-th question with the n-th address, and the last one for ever.
fn scripted(answers: &[&str]) -> (Lookup, Arc<AtomicUsize>) {
    let answers: Vec<SocketAddr> =
        answers.iter().map(|text| SocketAddr::new(text.parse().unwrap(), 0)).collect();
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    let lookup: Lookup = Arc::new(move |_| {
        let turn = counter.fetch_add(1, Ordering::SeqCst);
        let answer = answers[turn.min(answers.len() - 1)];
        Box::pin(async move { Ok(vec![answer]) })
    });
    (lookup, asked)
}

/// Takes connections one after the other and closes each after its answer.
async fn receiver() -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let calls = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&calls);
    let serve = async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            counter.fetch_add(1, Ordering::SeqCst);
            let mut request = [0; 4096];
            assert!(stream.read(&mut request).await.unwrap() > 0);
            let answer = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
            stream.write_all(answer).await.unwrap();
        }
    };
    #[expect(clippy::disallowed_methods, reason = "a receiver that lives as long as its test")]
    tokio::spawn(serve);
    (port, calls)
}

async fn call(sender: &Sender, url: &str) -> Result<Response, SendError> {
    let signer = Signer::default();
    let body = Bytes::from_static(b"{}");
    let timeout = Duration::from_secs(10);
    sender.send(Request { url, id: "evt_1", timestamp: 1, body, signer: &signer, timeout }).await
}

#[tokio::test]
async fn a_name_that_changes_its_answer_gains_nothing() {
    let (port, calls) = receiver().await;
    let (lookup, asked) = scripted(&["127.0.0.1", "10.0.0.1"]);
    let sender = Sender::builder().policy(TargetPolicy::AllowLoopback).lookup(lookup).build().unwrap();
    let url = format!("http://rebind.example.com:{port}/");

    assert!(call(&sender, &url).await.unwrap().is_success());
    let error = call(&sender, &url).await.unwrap_err();
    let SendError::Blocked(reason) = error else { panic!("{error}") };
    let (address, kind) = ("10.0.0.1".parse().unwrap(), AddressKind::Private);
    assert_eq!(reason, BlockReason::Address { address, kind });
    assert!(!reason.to_string().contains("10.0.0.1"), "{reason}");
    assert_eq!((asked.load(Ordering::SeqCst), calls.load(Ordering::SeqCst)), (2, 1));
}

#[tokio::test]
async fn the_public_policy_keeps_off_inner_addresses() {
    let (port, calls) = receiver().await;
    for address in ["127.0.0.1", "::1", "::ffff:127.0.0.1", "169.254.169.254", "64:ff9b::7f00:1"] {
        let (lookup, _) = scripted(&[address]);
        let sender = Sender::builder().lookup(lookup).build().unwrap();
        let error = call(&sender, &format!("http://crm.example.com:{port}/")).await.unwrap_err();
        assert!(matches!(error, SendError::Blocked(BlockReason::Address { .. })), "{address}: {error}");
        assert_eq!(error.code(), "blocked");
    }
    assert_eq!(calls.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_failing_resolver_is_a_dns_error() {
    let lookup: Lookup = Arc::new(|_| Box::pin(async { Err(std::io::Error::other("no such name")) }));
    let sender = Sender::builder().lookup(lookup).build().unwrap();
    let error = call(&sender, "https://crm.example.com/secret-path").await.unwrap_err();
    assert!(matches!(error, SendError::Dns(_)), "{error:?}");
    assert_eq!(error.to_string(), "name resolution failed: no such name");
    assert!(!format!("{error:?}").contains("secret-path"), "{error:?}");
}

#[test]
fn an_excerpt_is_text_of_bounded_length() {
    assert_eq!(excerpt(b""), "");
    assert_eq!(excerpt(b"a\0b\xffc"), "a\u{fffd}b\u{fffd}c");
    assert_eq!(excerpt(&[0xff; 2048]).len(), 2046);
    assert_eq!(excerpt("ğ".repeat(1024).as_bytes()).len(), 2048);
    assert_eq!(excerpt(format!("x{}", "ğ".repeat(1024)).as_bytes()).len(), 2047);
}
