//! What is no evidence of a consent is forgotten after its term, and what is stays.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use kopru::bootstrap::App;
use kopru::clocks::{Clocks, SystemClock};
use kopru::lifecycle::Lifecycle;
use kopru::service::retention::{self, Forgotten};
use kopru::service::{housekeeping, opt_in};
use kopru_domain::Clock;
use kopru_domain::time::format_rfc3339;
use serde_json::{Value, json};

use crate::inbound::{connect, json_push, keyword, push};
use crate::on_both_databases;
use crate::support::{Bridge, Database};

/// A clock that is ahead by an hour.
struct Ahead;

impl Clock for Ahead {
    fn now(&self) -> DateTime<Utc> {
        SystemClock.now() + TimeDelta::hours(1)
    }
}

async fn items(bridge: &Bridge, path: &str) -> Vec<Value> {
    let (status, page) = bridge.get(&format!("/v1/brands/{}/{path}", bridge.brand())).await;
    assert_eq!(status, 200, "{page}");
    page["items"].as_array().unwrap().clone()
}

/// Texts, calls and an opt-in: of each one that leads to a consent and one that does not.
async fn fill(bridge: &Bridge) {
    keyword(bridge, bridge.brand(), json!({"number": "4609", "keyword": "ABC"})).await;
    let url = connect(bridge, json!({"vendor": "http"})).await;
    for (id, text) in [("1", "abc onay"), ("2", "abc siz kimsiniz")] {
        let body = json!({"id": id, "from": "0532 123 45 67", "to": "4609", "text": text}).to_string();
        assert_eq!(push(&url, &json_push(&body)).await, 200);
    }
    assert_eq!(push(&url, &json_push("[{")).await, 200);
    let at = format_rfc3339(bridge.app.clocks.business() - TimeDelta::minutes(9));
    let call = |id: &str, number: &str, key: &str| json!({"callId": id, "recipient": number, "answeredAt": at, "agent": "ayse.k", "voiceRecordId": id, "key": key});
    let calls = json!([call("c-1", "+905321234501", "1"), call("c-2", "+905321234502", "5")]);
    let (status, answer) = bridge.post(&format!("/v1/brands/{}/calls", bridge.brand()), calls).await;
    assert_eq!((status, answer["undecided"].as_array().unwrap().len()), (202, 1), "{answer}");
    let text =
        json!({"code": "sms-onay", "kind": "consent", "tr": {"title": "Onay", "body": "Kabul ediyorum."}});
    let path = format!("/v1/brands/{}/texts", bridge.brand());
    assert_eq!(bridge.post_as(&bridge.admin, &path, text).await.0, 201);
    let sender = json!({"title": "Örnek A.Ş.", "identity": "0123456789012345", "retNumber": "4609"});
    let path = format!("/v1/brands/{}/sender", bridge.brand());
    assert_eq!(bridge.put_as(&bridge.admin, &path, sender).await.0, 200);
    let body = json!({"recipient": "+905321234503", "types": ["MESAJ"], "text": "sms-onay/1", "fullName": "Ayşe Yılmaz",
        "origin": "kayit-formu", "clientAddress": "203.0.113.7", "info": "https://example.com/izin"});
    let (status, answer) = bridge.post(&format!("/v1/brands/{}/opt-ins", bridge.brand()), body).await;
    assert_eq!(status, 202, "{answer}");
    bridge.drain_for(2, "5s").await;
    let config = bridge.app.config.clone();
    let later = App::start(config, Clocks::new(Arc::new(Ahead)), Lifecycle::new()).await.unwrap();
    opt_in::tend(&later).await.unwrap();
}

on_both_databases! {
    async fn what_led_to_nothing_goes_and_evidence_stays(database: Database) {
        let bridge = Bridge::start(database).await;
        fill(&bridge).await;
        housekeeping::purge(&bridge.app).await.unwrap();
        assert_eq!(items(&bridge, "calls").await.len(), 1, "nothing is old yet");
        let messages = items(&bridge, "messages").await;
        assert!(messages.len() >= 3 && messages.iter().all(|it| it["state"] == "sent"), "{messages:?}");

        let (business, wire) = (bridge.app.clocks.business(), bridge.app.clocks.wire());
        let after = async |days: i64| {
            let term = TimeDelta::days(days);
            retention::forget(&bridge.app, business + term, wire + term).await.unwrap()
        };
        assert_eq!(after(29).await, Forgotten::default());
        assert_eq!(after(31).await, Forgotten { opt_ins: 1, ..Forgotten::default() });
        assert_eq!(after(181).await, Forgotten { calls: 1, ..Forgotten::default() });
        let told = u64::try_from(messages.len()).unwrap();
        assert_eq!(after(1_097).await, Forgotten { inbound: 2, messages: told, ..Forgotten::default() });
        assert_eq!(after(10_000).await, Forgotten::default());

        assert!(items(&bridge, "opt-ins?state=abandoned").await.is_empty());
        assert!(items(&bridge, "inbound?state=unknown").await.is_empty());
        assert!(items(&bridge, "calls").await.is_empty());
        let messages = items(&bridge, "messages").await;
        assert!(messages.iter().all(|it| it["recipient"] == "***" && it["answer"].is_null() && it["sentAt"].is_string()), "{messages:?}");
        let approvals = items(&bridge, "inbound?state=approval").await;
        assert_eq!((approvals.len(), &approvals[0]["text"]), (1, &json!("abc onay")), "{approvals:?}");
        for consent in items(&bridge, "consents").await {
            let (status, pack) = bridge.get(&format!("/v1/consents/{}/evidence", consent["id"].as_str().unwrap())).await;
            assert_eq!((status, &pack["ledger"]["holds"]), (200, &json!(true)), "{pack}");
        }
        bridge.ledger_holds().await;
    }
}
