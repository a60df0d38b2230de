use kopru_sms::{Account, FailureKind, Since, twilio};

use crate::stand_in::{Fault, Seen, StandIn, Vendor};
use crate::{client, outgoing, since};

struct Twilio;

impl Vendor for Twilio {
    fn answer(&mut self, request: &Seen) -> (u16, &'static str, String) {
        // AC1:token
        if request.header("authorization") != "Basic QUMxOnRva2Vu" {
            return error(401, 20003, "Authenticate");
        }
        if request.method == "GET" {
            return list(request);
        }
        if request.path != "/2010-04-01/Accounts/AC1/Messages.json" {
            return error(404, 20404, "Not found");
        }
        if !request.value("To").unwrap().starts_with("+90") {
            return error(400, 21211, "Invalid 'To' Phone Number");
        }
        let body = r#"{"account_sid": "AC1", "api_version": "2010-04-01", "body": "x", "date_created": "Thu, 24 Aug 2023 05:01:45 +0000",
            "direction": "outbound-api", "error_code": null, "error_message": null, "num_segments": "1",
            "sid": "SMaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "status": "queued", "to": "+905319876543"}"#;
        (201, "application/json", body.to_owned())
    }
}

/// Two pages, the newest first, with what was sent in between.
fn list(request: &Seen) -> (u16, &'static str, String) {
    let entry = |sid: &str, direction: &str, body: &str| {
        format!(
            r#"{{"sid": "{sid}", "direction": "{direction}", "from": "+905319876543", "to": "+15017122661", "body": "{body}",
                "date_sent": "Thu, 24 Aug 2023 05:01:45 +0000", "status": "received", "error_code": null, "num_segments": "1"}}"#
        )
    };
    let (entries, next) = match request.value("Page").as_deref() {
        None => {
            let page = [entry("SM3", "inbound", "RET"), entry("SM2", "outbound-api", "RET yaz")];
            (page.join(","), r#""/2010-04-01/Accounts/AC1/Messages.json?Page=1&PageToken=PASM2""#)
        }
        Some(_) => (entry("SM1", "inbound", "ONAY"), "null"),
    };
    (
        200,
        "application/json",
        format!(r#"{{"messages": [{entries}], "next_page_uri": {next}, "page_size": 1000}}"#),
    )
}

fn error(status: u16, code: u32, message: &str) -> (u16, &'static str, String) {
    let body = format!(
        r#"{{"code": {code}, "message": "{message}", "more_info": "https://www.twilio.com/docs/errors/{code}", "status": {status}}}"#
    );
    (status, "application/json", body)
}

fn account(url: &str, token: &str) -> Account {
    Account::Twilio(twilio::Account {
        account_sid: "AC1".to_owned(),
        auth_token: token.to_owned().into(),
        url: url.to_owned(),
        status_callback: Some("https://kopru.example.com/in/sms/twilio/token".to_owned()),
    })
}

#[tokio::test]
async fn a_text_becomes_a_message() {
    let vendor = StandIn::start(Twilio).await;
    let mut text = outgoing("m-1", "Şifre: 1 & 2");
    let sent = account(&vendor.url, "token").send(&client(), text).await.unwrap();
    assert_eq!(sent.id.as_deref(), Some("SMaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"));
    let seen = vendor.last();
    assert_eq!(seen.value("Body").as_deref(), Some("Şifre: 1 & 2"));
    assert_eq!(seen.value("From").as_deref(), Some("KOPRU"));
    assert_eq!(seen.value("ValidityPeriod").as_deref(), Some("180"));
    let callback = "https://kopru.example.com/in/sms/twilio/token";
    assert_eq!(seen.value("StatusCallback").as_deref(), Some(callback));
    text.from = "MG1";
    account(&vendor.url, "token").send(&client(), text).await.unwrap();
    assert_eq!(vendor.last().value("MessagingServiceSid").as_deref(), Some("MG1"));
}

#[tokio::test]
async fn codes_are_sorted_by_what_to_do_next() {
    let vendor = StandIn::start(Twilio).await;
    let wrong = account(&vendor.url, "wrong").send(&client(), outgoing("m-1", "x")).await.unwrap_err();
    assert_eq!((wrong.kind, wrong.code.as_str()), (FailureKind::Account, "20003"));
    for (status, code, kind) in [
        (400, 21610, FailureKind::Refused),
        (400, 21606, FailureKind::Account),
        (429, 20429, FailureKind::Wait),
        (400, 99999, FailureKind::Refused),
        (503, 20503, FailureKind::Retry),
        (500, 20500, FailureKind::Unknown),
    ] {
        let body: &'static str = Box::leak(error(status, code, "x").2.into_boxed_str());
        vendor.next_goes_wrong(Fault::Status(status, body));
        let failure = account(&vendor.url, "token").send(&client(), outgoing("m-1", "x")).await.unwrap_err();
        assert_eq!((failure.kind, failure.code), (kind, code.to_string()));
    }
}

#[tokio::test]
async fn an_inbox_is_read_to_its_last_page() {
    let vendor = StandIn::start(Twilio).await;
    let since = since(None);
    let inbox = account(&vendor.url, "token").inbox(&client(), since).await.unwrap();
    let texts: Vec<&str> = inbox.messages.iter().map(|message| message.text.as_str()).collect();
    assert_eq!((texts, inbox.unread, inbox.more), (vec!["RET", "ONAY"], 0, false));
    assert_eq!(inbox.messages[0].id.as_deref(), Some("SM3"));
    assert!(inbox.messages[0].received_at.is_some());
    let asked = vendor.seen();
    let from = asked[0].value("DateSent>").unwrap();
    assert_eq!(chrono::DateTime::parse_from_rfc3339(&from).unwrap(), since.from);
    assert_eq!((asked.len(), asked[1].value("PageToken").as_deref()), (2, Some("PASM2")));

    let again = account(&vendor.url, "token")
        .inbox(&client(), Since { cursor: inbox.cursor.as_deref(), ..since })
        .await
        .unwrap();
    assert_eq!(again.messages.len(), 2);
    let from = chrono::DateTime::parse_from_rfc3339(&vendor.seen()[2].value("DateSent>").unwrap()).unwrap();
    assert_eq!(from, since.now - chrono::TimeDelta::minutes(15), "what came late is seen again");
    let failure = account(&vendor.url, "wrong").inbox(&client(), since).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Account);
}
