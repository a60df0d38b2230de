//! The crate from outside, against a small SMTP server that remembers what it was given and can misbehave at any step. It
//! shares no type and no constant with the crate.

#![expect(clippy::unwrap_used, reason = "helpers of tests, which clippy.toml's exception does not reach")]

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use kopru_mail::{Account, FailureKind, Log, Mail, Security, Smtp};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// At which command the server does what.
#[derive(Debug, Clone, Copy)]
enum Fault {
    Says(&'static str, &'static str),
    HangsUp(&'static str),
    IsSilent(&'static str),
}

#[derive(Debug, Default)]
struct Seen {
    taken: Vec<String>,
    commands: Vec<String>,
}

struct Server {
    port: u16,
    seen: Arc<Mutex<Seen>>,
}

#[expect(clippy::disallowed_methods, reason = "a test's server ends with its runtime")]
async fn server(fault: Option<Fault>) -> Server {
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let seen = Arc::new(Mutex::new(Seen::default()));
    let shared = seen.clone();
    tokio::spawn(async move {
        loop {
            let (socket, _) = listener.accept().await.unwrap();
            tokio::spawn(talk(socket, fault, shared.clone()));
        }
    });
    Server { port, seen }
}

/// Returns when the conversation is over, however that comes.
async fn talk(socket: TcpStream, fault: Option<Fault>, seen: Arc<Mutex<Seen>>) -> Option<()> {
    let mut socket = BufReader::new(socket);
    let mut command = "GREETING".to_owned();
    loop {
        let word = command.split([' ', ':']).next().unwrap().to_ascii_uppercase();
        seen.lock().unwrap().commands.push(command.clone());
        let usual = match word.as_str() {
            "GREETING" => "220 mail.test ESMTP",
            "EHLO" => "250-mail.test\r\n250-AUTH PLAIN LOGIN\r\n250 8BITMIME",
            "AUTH" => "235 2.7.0 Authentication successful",
            "DATA" => "354 End data with <CR><LF>.<CR><LF>",
            "MESSAGE" => "250 2.0.0 Ok: queued as 4Zx1",
            "QUIT" => "221 2.0.0 Bye",
            _ => "250 2.1.0 Ok",
        };
        let says = match fault {
            Some(Fault::HangsUp(at)) if at == word => return None,
            Some(Fault::IsSilent(at)) if at == word => std::future::pending().await,
            Some(Fault::Says(at, says)) if at == word => says,
            _ => usual,
        };
        socket.write_all(format!("{says}\r\n").as_bytes()).await.ok()?;
        command.clear();
        if socket.read_line(&mut command).await.ok()? == 0 {
            return Some(());
        }
        command = command.trim_end().to_owned();
        if word == "DATA" && says.starts_with("354") {
            let mut message = command.clone() + "\n";
            while !message.ends_with("\r\n.\r\n") {
                if socket.read_line(&mut message).await.ok()? == 0 {
                    return None;
                }
            }
            seen.lock().unwrap().taken.push(message);
            "MESSAGE".clone_into(&mut command);
        }
    }
}

fn account(port: u16, credentials: bool) -> Account {
    Account::Smtp(Smtp {
        host: "127.0.0.1".to_owned(),
        port,
        security: Security::None,
        credentials: credentials.then(|| ("user".to_owned(), "secret".to_owned().into())),
        timeout: Duration::from_millis(500),
    })
}

fn mail() -> Mail<'static> {
    Mail {
        from: "Örnek A.Ş. <onay@example.com>",
        to: "ayse@example.net",
        subject: "Onayınız alındı",
        text: "Merhaba\n.\nnokta",
        html: None,
        unsubscribe: Some("https://kopru.example.com/r/abc"),
        reference: "m-1",
        now: "2026-11-28T18:05:00Z".parse().unwrap(),
    }
}

#[tokio::test]
async fn a_message_is_handed_over() {
    let server = server(None).await;
    let sent = account(server.port, true).send(mail()).await.unwrap();
    assert_eq!((sent.id.as_deref(), sent.answer.as_str()), (Some("4Zx1"), "250 2.0.0 Ok: queued as 4Zx1"));
    let seen = server.seen.lock().unwrap();
    assert_eq!(seen.taken.len(), 1);
    assert!(seen.taken[0].contains("List-Unsubscribe: <https://kopru.example.com/r/abc>"), "{seen:?}");
    assert!(seen.commands.contains(&"MAIL FROM:<onay@example.com>".to_owned()), "{seen:?}");
    assert!(seen.commands.contains(&"RCPT TO:<ayse@example.net>".to_owned()), "{seen:?}");
}

#[tokio::test]
async fn the_step_tells_what_an_error_means() {
    for (fault, kind, code, taken) in [
        (Fault::Says("GREETING", "421 4.3.2 Try later"), FailureKind::Retry, "421", 0),
        (Fault::Says("GREETING", "554 5.7.1 Your address is blocked"), FailureKind::Account, "554", 0),
        (Fault::Says("AUTH", "535 5.7.8 Authentication failed"), FailureKind::Account, "535", 0),
        (Fault::Says("AUTH", "454 4.7.0 Temporary failure"), FailureKind::Retry, "454", 0),
        (Fault::Says("MAIL", "553 5.7.1 Sender not owned by user"), FailureKind::Account, "553", 0),
        (Fault::Says("RCPT", "550 5.1.1 User unknown"), FailureKind::Refused, "550", 0),
        (Fault::Says("RCPT", "450 4.2.0 Greylisted"), FailureKind::Retry, "450", 0),
        (Fault::Says("MESSAGE", "554 5.6.0 Content refused"), FailureKind::Refused, "554", 1),
        (Fault::Says("MESSAGE", "452 4.3.1 No space"), FailureKind::Retry, "452", 1),
        (Fault::HangsUp("GREETING"), FailureKind::Retry, "connect", 0),
        (Fault::HangsUp("RCPT"), FailureKind::Retry, "broken", 0),
        (Fault::HangsUp("MESSAGE"), FailureKind::Unknown, "broken", 1),
        (Fault::IsSilent("GREETING"), FailureKind::Retry, "timeout", 0),
        (Fault::IsSilent("DATA"), FailureKind::Retry, "timeout", 0),
        (Fault::IsSilent("MESSAGE"), FailureKind::Unknown, "timeout", 1),
    ] {
        let server = server(Some(fault)).await;
        let failure = account(server.port, true).send(mail()).await.unwrap_err();
        assert_eq!((failure.kind, failure.code.as_str()), (kind, code), "{fault:?}");
        assert_eq!(server.seen.lock().unwrap().taken.len(), taken, "{fault:?}");
        if let Fault::Says(_, says) = fault {
            assert!(says.ends_with(failure.answer.as_deref().unwrap()), "{fault:?} {failure:?}");
        }
    }
}

#[tokio::test]
async fn a_parting_that_fails_takes_nothing_back() {
    for fault in [Fault::HangsUp("QUIT"), Fault::Says("QUIT", "500 what")] {
        let server = server(Some(fault)).await;
        assert!(account(server.port, false).send(mail()).await.is_ok(), "{fault:?}");
    }
}

#[tokio::test]
async fn what_cannot_be_kept_from_others_is_not_sent() {
    let server = server(None).await;
    let smtp = |security| {
        Account::Smtp(Smtp {
            host: "127.0.0.1".to_owned(),
            port: server.port,
            security,
            credentials: None,
            timeout: Duration::from_millis(500),
        })
    };
    // The server offers no STARTTLS, and answers a TLS handshake with words
    let failure = smtp(Security::StartTls).send(mail()).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Account);
    assert!(smtp(Security::Tls).send(mail()).await.is_err());
    assert!(server.seen.lock().unwrap().taken.is_empty());
}

#[tokio::test]
async fn nobody_there_is_no_outcome_in_doubt() {
    let failure = account(1, false).send(mail()).await.unwrap_err();
    assert_eq!((failure.kind, failure.code.as_str()), (FailureKind::Retry, "connect"));
    assert!(!format!("{:?}", account(1, true)).contains("secret"));
}

#[tokio::test]
async fn the_file_has_a_line_for_each_message() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("messages.jsonl");
    let account = Account::Log(Log { file: file.clone() });
    account.send(mail()).await.unwrap();
    account.send(mail()).await.unwrap();
    let text = std::fs::read_to_string(&file).unwrap();
    assert_eq!(text.lines().count(), 2);
    assert!(text.contains("\"to\":\"ayse@example.net\"") && text.contains("Onayınız alındı"), "{text}");
}
