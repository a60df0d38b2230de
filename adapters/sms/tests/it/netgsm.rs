use kopru_sms::{Account, FailureKind, netgsm};

use crate::stand_in::{Fault, Seen, StandIn, Vendor};
use crate::{client, outgoing, since};

/// Jobs, and an inbox whose entries are shown twice where windows overlap.
#[derive(Default)]
struct Netgsm {
    jobs: Vec<(String, String)>,
    inbox: Vec<(&'static str, &'static str)>,
    windows: Vec<(String, String)>,
}

impl Vendor for Netgsm {
    fn answer(&mut self, request: &Seen) -> (u16, &'static str, String) {
        // 8501234567:secret
        if request.header("authorization") != "Basic ODUwMTIzNDU2NzpzZWNyZXQ=" {
            return error("30", "credentialsError");
        }
        match (request.method.as_str(), request.path.as_str()) {
            ("POST", "/sms/rest/v2/send") => {
                let body = request.json();
                let number = body["messages"][0]["no"].as_str().unwrap().to_owned();
                if body["msgheader"] != "KOPRU" {
                    return error("40", "headerError");
                }
                if number.len() != 10 {
                    return error("70", "parameterError");
                }
                self.jobs.push((number, body["messages"][0]["msg"].as_str().unwrap().to_owned()));
                let id = self.jobs.len();
                let body = format!(
                    r#"{{"code":"00","jobid":"17377215342605050417149{id}","description":"queued"}}"#
                );
                (200, "application/json", body)
            }
            ("GET", "/sms/rest/v2/inbox") => {
                let window = (request.value("startdate").unwrap(), request.value("stopdate").unwrap());
                self.windows.push(window);
                if self.inbox.is_empty() {
                    return error("40", "notFound");
                }
                let list = self.inbox.iter().map(|(text, time)| {
                    format!(r#"{{"message":"{text}","sender":"905319876543","receiver":"8501234567","datetime":"{time}"}}"#)
                });
                let list = list.collect::<Vec<_>>().join(",");
                (
                    200,
                    "application/json",
                    format!(r#"{{"code":"00","description":"success","messages":[{list}]}}"#),
                )
            }
            _ => (404, "text/plain", String::new()),
        }
    }
}

fn error(code: &str, description: &str) -> (u16, &'static str, String) {
    (406, "application/json", format!(r#"{{"code":"{code}","jobid":null,"description":"{description}"}}"#))
}

fn account(url: &str) -> Account {
    Account::Netgsm(netgsm::Account {
        username: "8501234567".to_owned(),
        password: "secret".to_owned().into(),
        appname: None,
        url: url.to_owned(),
    })
}

#[tokio::test]
async fn a_text_becomes_a_job() {
    let vendor = StandIn::start(Netgsm::default()).await;
    let sent = account(&vendor.url).send(&client(), outgoing("m-1", "Kodunuz: 123456")).await.unwrap();
    assert_eq!(sent.id.as_deref(), Some("173772153426050504171491"));
    assert_eq!(
        vendor.with(|netgsm| netgsm.jobs.clone()),
        [("5319876543".to_owned(), "Kodunuz: 123456".to_owned())]
    );
    let body = vendor.last().json();
    assert_eq!((&body["iysfilter"], body.get("encoding")), (&"0".into(), None));
    account(&vendor.url).send(&client(), outgoing("m-2", "Şifre")).await.unwrap();
    assert_eq!(vendor.last().json()["encoding"], "TR");
}

#[tokio::test]
async fn codes_are_sorted_by_what_to_do_next() {
    let vendor = StandIn::start(Netgsm::default()).await;
    for (code, kind) in [
        ("20", FailureKind::Refused),
        ("30", FailureKind::Account),
        ("40", FailureKind::Account),
        ("51", FailureKind::Account),
        ("70", FailureKind::Refused),
        ("80", FailureKind::Wait),
        ("85", FailureKind::Wait),
        ("100", FailureKind::Retry),
        ("5000", FailureKind::Unknown),
    ] {
        let body: &'static str = Box::leak(error(code, "x").2.into_boxed_str());
        vendor.next_goes_wrong(Fault::Status(406, body));
        let failure = account(&vendor.url).send(&client(), outgoing("m-1", "x")).await.unwrap_err();
        assert_eq!((failure.kind, failure.code.as_str()), (kind, code));
    }
    for fault in [Fault::Silent, Fault::Cut, Fault::Status(500, "")] {
        vendor.next_goes_wrong(fault);
        let failure = account(&vendor.url).send(&client(), outgoing("m-1", "x")).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Unknown, "{fault:?}");
    }
}

#[tokio::test]
async fn the_inbox_is_asked_for_windows_that_overlap() {
    let vendor = StandIn::start(Netgsm::default()).await;
    let (account, client) = (account(&vendor.url), client());
    let first = account.inbox(&client, since(None)).await.unwrap();
    assert!(first.messages.is_empty());
    vendor.with(|netgsm| {
        netgsm.inbox = vec![("ABC RET", "28.11.2026 21:04:59"), ("İPTAL", "28.11.2026 21:05:00")];
    });
    let second = account.inbox(&client, since(first.cursor.as_deref())).await.unwrap();
    let texts: Vec<_> = second.messages.iter().map(|message| message.text.as_str()).collect();
    assert_eq!(texts, ["ABC RET", "İPTAL"]);
    assert_eq!(second.messages[0].to.as_deref(), Some("8501234567"));
    assert_eq!(second.messages[0].received_at.unwrap().to_rfc3339(), "2026-11-28T18:04:59+00:00");
    let windows = vendor.with(|netgsm| netgsm.windows.clone());
    let window = |from: &str, to: &str| (from.to_owned(), to.to_owned());
    assert_eq!(
        windows,
        [window("27112026210500", "28112026210500"), window("28112026205000", "28112026210500")]
    );

    vendor.next_goes_wrong(Fault::Silent);
    assert_eq!(account.inbox(&client, since(None)).await.unwrap_err().kind, FailureKind::Unknown);
}
