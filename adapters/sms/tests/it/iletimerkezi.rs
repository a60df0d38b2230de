use kopru_sms::{Account, FailureKind, iletimerkezi};

use crate::stand_in::{Fault, Seen, StandIn, Vendor};
use crate::{client, outgoing, since};

/// Orders, of which the same twice is refused.
#[derive(Default)]
struct IletiMerkezi {
    orders: Vec<String>,
}

fn status(code: u16, message: &str, rest: &str) -> (u16, &'static str, String) {
    let body = format!(r#"{{"response":{{"status":{{"code":"{code}","message":"{message}"}}{rest}}}}}"#);
    (code.min(450), "application/json", body)
}

impl Vendor for IletiMerkezi {
    fn answer(&mut self, request: &Seen) -> (u16, &'static str, String) {
        let body = request.json();
        let authentication = &body["request"]["authentication"];
        if authentication["key"] != "API_KEY" || authentication["hash"] != "API_HASH" {
            return status(401, "Üyelik bilgileri hatalı", "");
        }
        match request.path.as_str() {
            "/v1/send-sms/json" => {
                let order = &body["request"]["order"];
                assert_eq!(order["iys"], "0");
                let number = order["message"]["receipents"]["number"][0].as_str().unwrap();
                let text = format!("{number} {}", order["message"]["text"].as_str().unwrap());
                if self.orders.contains(&text) {
                    return status(451, "Mükerrer sipariş", "");
                }
                self.orders.push(text);
                let order = format!(r#","order":{{"id":"{}"}}"#, 104_525_847 + self.orders.len());
                status(200, "İşlem başarılı", &order)
            }
            "/v1/get-inbox/json" => {
                let message = r#"{"id":"1","date":"2026-11-28 21:05:00","sender":"905319876543","account":"7889","content":"ABC RET"}"#;
                // One thing twice
                let inbox = format!(r#","inbox":{{"message":[{message},{message}]}}"#);
                status(200, "İşlem başarılı", &inbox)
            }
            _ => (404, "text/plain", String::new()),
        }
    }
}

fn account(url: &str, hash: &str) -> Account {
    Account::IletiMerkezi(iletimerkezi::Account {
        key: "API_KEY".to_owned(),
        hash: hash.to_owned().into(),
        url: url.to_owned(),
    })
}

#[tokio::test]
async fn a_text_becomes_an_order_and_the_same_twice_is_a_duplicate() {
    let vendor = StandIn::start(IletiMerkezi::default()).await;
    let account = account(&vendor.url, "API_HASH");
    vendor.next_goes_wrong(Fault::Silent);
    let failure = account.send(&client(), outgoing("m-1", "Şifre")).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Unknown);
    let failure = account.send(&client(), outgoing("m-1", "Şifre")).await.unwrap_err();
    assert_eq!((failure.kind, failure.code.as_str()), (FailureKind::Duplicate, "451"));
    let sent = account.send(&client(), outgoing("m-2", "Başka")).await.unwrap();
    assert_eq!(sent.id.as_deref(), Some("104525849"));
    assert_eq!(vendor.with(|vendor| vendor.orders.clone()), ["905319876543 Şifre", "905319876543 Başka"]);
}

#[tokio::test]
async fn codes_are_sorted_by_what_to_do_next() {
    let vendor = StandIn::start(IletiMerkezi::default()).await;
    let wrong = account(&vendor.url, "WRONG").send(&client(), outgoing("m-1", "x")).await.unwrap_err();
    assert_eq!((wrong.kind, wrong.code.as_str()), (FailureKind::Account, "401"));
    for (code, kind) in [
        (402, FailureKind::Account),
        (450, FailureKind::Account),
        (452, FailureKind::Refused),
        (453, FailureKind::Refused),
        (503, FailureKind::Retry),
    ] {
        let body: &'static str = Box::leak(status(code, "x", "").2.into_boxed_str());
        vendor.next_goes_wrong(Fault::Status(code, body));
        let failure =
            account(&vendor.url, "API_HASH").send(&client(), outgoing("m-1", "x")).await.unwrap_err();
        assert_eq!(failure.kind, kind, "{code}");
    }
}

#[tokio::test]
async fn the_inbox_is_whole_each_time() {
    let vendor = StandIn::start(IletiMerkezi::default()).await;
    let inbox = account(&vendor.url, "API_HASH").inbox(&client(), since(None)).await.unwrap();
    assert_eq!((inbox.messages.len(), inbox.unread, inbox.more), (2, 0, false));
    let message = &inbox.messages[0];
    assert_eq!((message.id.as_deref(), message.text.as_str()), (Some("1"), "ABC RET"));
    assert_eq!((message.from.as_str(), message.to.as_deref()), ("905319876543", Some("7889")));
    assert_eq!(message, &inbox.messages[1]);
}
