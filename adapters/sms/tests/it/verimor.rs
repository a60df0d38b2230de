use std::collections::BTreeMap;
use std::fmt::Write as _;

use kopru_sms::{Account, FailureKind, Found, verimor};

use crate::stand_in::{Fault, Seen, StandIn, Vendor};
use crate::{client, outgoing, since};

/// Campaigns by number, an inbox, and an account with a password and credit.
#[derive(Default)]
struct Verimor {
    campaigns: BTreeMap<u64, (String, String)>,
    inbox: Vec<(u64, String)>,
    credit: Option<u32>,
}

impl Vendor for Verimor {
    fn answer(&mut self, request: &Seen) -> (u16, &'static str, String) {
        match (request.method.as_str(), request.path.as_str()) {
            ("POST", "/v2/send.json") => self.send(request),
            ("GET", "/v2/status") => self.status(request),
            ("GET", "/v2/inbound_messages") => self.inbox(request),
            _ => (404, "text/plain", String::new()),
        }
    }
}

impl Verimor {
    fn send(&mut self, request: &Seen) -> (u16, &'static str, String) {
        let body = request.json();
        if body["username"] != "908501234567" || body["password"] != "xxxxxxx" {
            return (401, "text/html", "Geçersiz kullanıcı adı/şifre".to_owned());
        }
        let message = &body["messages"][0];
        let (text, dest) = (message["msg"].as_str().unwrap(), message["dest"].as_str().unwrap());
        if !dest.starts_with("905") || dest.len() != 12 {
            return (400, "text/html", "INVALID_DESTINATION_ADDRESS".to_owned());
        }
        if text.chars().count() > 1071 {
            return (400, "text/html", "MESSAGE_TOO_LONG".to_owned());
        }
        if self.campaigns.values().any(|(_, sent)| sent == text) {
            return (400, "text/html", "MUKERRER_RAPORLAMA".to_owned());
        }
        if self.credit == Some(0) {
            return (400, "text/html", "INSUFFICIENT_CREDITS".to_owned());
        }
        let number = 20_212 + self.campaigns.len() as u64;
        let custom_id = body["custom_id"].as_str().unwrap().to_owned();
        self.campaigns.insert(number, (custom_id, text.to_owned()));
        (200, "text/html", number.to_string())
    }

    fn status(&self, request: &Seen) -> (u16, &'static str, String) {
        let wanted = request.value("custom_id").unwrap();
        match self.campaigns.iter().find(|(_, (custom_id, _))| *custom_id == wanted) {
            None => (404, "text/html", "Bu idye sahip kampanya bulunamadı".to_owned()),
            Some((number, (custom_id, _))) => (
                200,
                "application/json",
                format!(
                    r#"[
 {{
  "campaign_id"              : {number},
  "campaign_custom_id"       : "{custom_id}",
  "message_id"               : "13582302",
  "dest"                     : "905319876543",
  "size"                     : 1,
  "status"                   : "SENDING",
  "gsm_error"                : "0",
  "sent_at"                  : null,
  "done_at"                  : null
 }}
]"#
                ),
            ),
        }
    }

    fn inbox(&self, request: &Seen) -> (u16, &'static str, String) {
        let after: u64 = match request.value("greater_than") {
            Some(id) => id.parse().unwrap(),
            None => {
                assert_eq!(request.value("from_time").unwrap(), "2026-11-27 21:05:00");
                assert_eq!(request.value("to_time").unwrap(), "2026-11-28 21:05:00");
                0
            }
        };
        let page = self.inbox.iter().filter(|(id, _)| *id > after).take(100).map(|(id, text)| {
            format!(
                r#" {{
  "message_id"       : {id},
  "received_at"      : "2017-01-01T09:00:00.000+03:00",
  "network"          : "TURKCELL",
  "source_addr"      : "905335876543",
  "destination_addr" : "4609",
  "keyword"          : "verimor",
  "content"          : "{text}"
 }}"#
            )
        });
        (200, "application/json", format!("[\n{}\n]", page.collect::<Vec<_>>().join("\n,\n")))
    }
}

fn account(url: &str) -> Account {
    Account::Verimor(verimor::Account {
        username: "908501234567".to_owned(),
        password: "xxxxxxx".to_owned().into(),
        url: url.to_owned(),
    })
}

#[tokio::test]
async fn a_text_goes_out_with_our_reference_and_its_alphabet() {
    let vendor = StandIn::start(Verimor::default()).await;
    let sent = account(&vendor.url).send(&client(), outgoing("m-1", "Kodunuz: 123456")).await.unwrap();
    assert_eq!(sent.id.as_deref(), Some("20212"));
    assert_eq!((sent.answer.status, sent.answer.body.as_str()), (200, "20212"));
    let body = vendor.last().json();
    assert_eq!(body["source_addr"], "KOPRU");
    assert_eq!((&body["custom_id"], &body["messages"][0]["id"]), (&"m-1".into(), &"m-1".into()));
    assert_eq!(body["messages"][0]["dest"], "905319876543");
    assert_eq!((&body["datacoding"], &body["valid_for"]), (&"0".into(), &"00:03".into()));
    assert_eq!(body["is_commercial"], false);

    account(&vendor.url).send(&client(), outgoing("m-2", "Şifre: 123456")).await.unwrap();
    assert_eq!(vendor.last().json()["datacoding"], "1");
    account(&vendor.url).send(&client(), outgoing("m-3", "☎ 123456")).await.unwrap();
    assert_eq!(vendor.last().json()["datacoding"], "2");
}

#[tokio::test]
async fn after_silence_the_vendor_is_asked() {
    let vendor = StandIn::start(Verimor::default()).await;
    let (account, client) = (account(&vendor.url), client());
    assert_eq!(account.find(&client, "m-1").await.unwrap(), Found::No);

    vendor.next_goes_wrong(Fault::Silent);
    let failure = account.send(&client, outgoing("m-1", "Kod 1")).await.unwrap_err();
    assert_eq!((failure.kind, failure.code.as_str()), (FailureKind::Unknown, "timeout"));
    let Found::Yes(sent) = account.find(&client, "m-1").await.unwrap() else { panic!() };
    assert_eq!(sent.id.as_deref(), Some("20212"));

    vendor.next_goes_wrong(Fault::Cut);
    let failure = account.send(&client, outgoing("m-2", "Kod 2")).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Unknown);
    assert!(matches!(account.find(&client, "m-2").await.unwrap(), Found::Yes(_)));

    vendor.next_goes_wrong(Fault::Status(502, "<html>"));
    let failure = account.send(&client, outgoing("m-3", "Kod 3")).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Unknown);
    assert_eq!(account.find(&client, "m-3").await.unwrap(), Found::No);

    // Its own check against repetitions says the same
    let failure = account.send(&client, outgoing("m-1", "Kod 1")).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Duplicate);
}

#[tokio::test]
async fn refusals_are_sorted_by_what_to_do_next() {
    let vendor = StandIn::start(Verimor::default()).await;
    let client = client();
    for (body, status, kind, code) in [
        ("INVALID_DESTINATION_ADDRESS", 400, FailureKind::Refused, "INVALID_DESTINATION_ADDRESS"),
        ("FORBIDDEN_MESSAGE: bahis", 400, FailureKind::Refused, "FORBIDDEN_MESSAGE"),
        ("INVALID_SOURCE_ADDRESS", 400, FailureKind::Account, "INVALID_SOURCE_ADDRESS"),
        ("INSUFFICIENT_CREDITS", 400, FailureKind::Account, "INSUFFICIENT_CREDITS"),
        ("Hesabınızda izinli IP ayarları yapılmamış", 401, FailureKind::Account, "http_401"),
        ("", 429, FailureKind::Wait, "http_429"),
        ("", 503, FailureKind::Retry, "http_503"),
        ("", 413, FailureKind::Refused, "http_413"),
        ("Bakımdayız", 200, FailureKind::Unknown, "http_200"),
    ] {
        vendor.next_goes_wrong(Fault::Status(status, body));
        let failure = account(&vendor.url).send(&client, outgoing("m-1", "x")).await.unwrap_err();
        assert_eq!((failure.kind, failure.code.as_str()), (kind, code), "{body}");
        assert_eq!(failure.answer.unwrap().body, body);
    }
    vendor.with(|verimor| verimor.credit = Some(0));
    let failure = account(&vendor.url).send(&client, outgoing("m-2", "y")).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Account);
    let nobody = account("http://127.0.0.1:1").send(&client, outgoing("m-1", "x")).await.unwrap_err();
    assert_eq!((nobody.kind, nobody.code.as_str()), (FailureKind::Retry, "connect"));
}

#[tokio::test]
async fn no_error_shows_the_password_that_stands_in_the_address() {
    let account = account("http://127.0.0.1:1");
    let failure = account.find(&client(), "m-1").await.unwrap_err();
    let mut shown = format!("{account:?} {failure:?} {failure}");
    let mut source = std::error::Error::source(&failure);
    while let Some(error) = source {
        let _ = write!(shown, " {error} {error:?}");
        source = error.source();
    }
    assert!(!shown.contains("xxxxxxx"), "{shown}");
}

#[tokio::test]
async fn the_inbox_is_read_page_by_page_from_a_cursor_on() {
    let inbox = (1..=250).map(|id| (id, format!("RET {id}"))).collect();
    let vendor = StandIn::start(Verimor { inbox, ..Verimor::default() }).await;
    let (account, client) = (account(&vendor.url), client());
    let (mut cursor, mut texts) = (None, Vec::new());
    loop {
        let page = account.inbox(&client, since(cursor.as_deref())).await.unwrap();
        texts.extend(page.messages.into_iter().map(|message| message.text));
        cursor = page.cursor.or(cursor);
        if !page.more {
            break;
        }
    }
    assert_eq!(texts, (1..=250).map(|id| format!("RET {id}")).collect::<Vec<_>>());
    assert_eq!(cursor.as_deref(), Some("250"));
    let rest = account.inbox(&client, since(cursor.as_deref())).await.unwrap();
    assert_eq!((rest.messages.len(), rest.cursor, rest.more), (0, None, false));

    vendor.next_goes_wrong(Fault::Status(503, ""));
    let failure = account.inbox(&client, since(cursor.as_deref())).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Retry);
    vendor.with(|verimor| verimor.inbox.push((251, "İPTAL".to_owned())));
    let page = account.inbox(&client, since(cursor.as_deref())).await.unwrap();
    assert_eq!(page.messages[0].text, "İPTAL");
    assert_eq!(page.messages[0].received_at.unwrap().to_rfc3339(), "2017-01-01T06:00:00+00:00");
}
