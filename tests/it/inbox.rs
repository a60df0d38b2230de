//! Vendors that could not reach us: what they hold is read from their inboxes, once.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::inbound::{approved, connect, filed, json_push, keyword, messages, movement, push};
use crate::on_both_databases;
use crate::support::{Bridge, Database, Options, Registry, background};

/// A text that the vendor holds.
#[derive(Clone)]
struct Held {
    id: u64,
    at: DateTime<Utc>,
    from: &'static str,
    to: &'static str,
    text: &'static str,
}

/// A vendor's interface as its documents show it, for the inbox alone. It shares nothing with our adapters.
#[derive(Clone)]
struct Vendor {
    url: String,
    state: Arc<Mutex<VendorState>>,
}

#[derive(Default)]
struct VendorState {
    held: Vec<Held>,
    down: bool,
    asked: usize,
    /// What was sent through it.
    sent: Vec<String>,
}

impl Vendor {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let vendor = Self { url, state: Arc::default() };
        let router = Router::new().fallback(answer).with_state(vendor.clone());
        background(async move { axum::serve(listener, router).await.unwrap() });
        vendor
    }

    fn hold(&self, id: u64, at: DateTime<Utc>, text: &'static str) {
        let held = Held { id, at, from: "905321234567", to: "08501234567", text };
        self.state.lock().unwrap().held.push(held);
    }

    fn set_down(&self, down: bool) {
        self.state.lock().unwrap().down = down;
    }

    fn sent(&self) -> Vec<String> {
        self.state.lock().unwrap().sent.clone()
    }

    fn asked(&self) -> usize {
        self.state.lock().unwrap().asked
    }
}

fn wall(at: DateTime<Utc>, form: &str) -> String {
    (at + TimeDelta::hours(3)).format(form).to_string()
}

async fn answer(State(vendor): State<Vendor>, uri: Uri, body: Bytes) -> Response {
    let mut state = vendor.state.lock().unwrap();
    state.asked += 1;
    if state.down {
        return (StatusCode::BAD_GATEWAY, "<html>bad gateway</html>").into_response();
    }
    let query: Vec<(String, String)> =
        url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
    let value = |name: &str| query.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
    let list = match uri.path() {
        "/v2/send.json" => {
            let asked: Value = serde_json::from_slice(&body).unwrap();
            let text = asked["messages"][0]["msg"].as_str().unwrap();
            state.sent.push(format!("{} {text}", asked["messages"][0]["dest"].as_str().unwrap()));
            return state.sent.len().to_string().into_response();
        }
        "/v2/inbound_messages" => {
            assert_eq!(value("username").as_deref(), Some("user"));
            let after = value("greater_than").map(|id| id.parse::<u64>().unwrap());
            let from = value("from_time").unwrap_or_default();
            let shown = |held: &&Held| match after {
                Some(after) => held.id > after,
                None => wall(held.at, "%Y-%m-%d %H:%M:%S") >= from,
            };
            let row = |held: &Held| {
                let at = wall(held.at, "%Y-%m-%dT%H:%M:%S.000+03:00");
                json!({"message_id": held.id, "type": "inbound", "created_at": at, "network": "VODAFONE", "source_addr": held.from,
                    "destination_addr": held.to, "keyword": null, "content": held.text, "received_at": at})
            };
            Value::Array(state.held.iter().filter(shown).map(row).collect())
        }
        "/sms/rest/v2/inbox" => {
            let (from, to) = (value("startdate").unwrap(), value("stopdate").unwrap());
            let key = |text: &str| format!("{}{}{}{}", &text[4..8], &text[2..4], &text[..2], &text[8..]);
            let inside = |held: &&Held| {
                let at = key(&wall(held.at, "%d%m%Y%H%M%S"));
                key(&from) <= at && at <= key(&to)
            };
            let row = |held: &Held| json!({"message": held.text, "sender": held.from, "receiver": held.to, "datetime": wall(held.at, "%d.%m.%Y %H:%M:%S")});
            let rows: Vec<Value> = state.held.iter().filter(inside).map(row).collect();
            if rows.is_empty() {
                return (StatusCode::NOT_ACCEPTABLE, r#"{"code":"40","description":"no record"}"#)
                    .into_response();
            }
            json!({"code": "00", "messages": rows, "description": "success"})
        }
        "/v1/get-inbox/json" => {
            let asked: Value = serde_json::from_slice(&body).unwrap();
            assert_eq!(asked["request"]["authentication"]["key"], "user");
            let row = |held: &Held| {
                json!({"id": held.id, "sender": held.from, "account": held.to, "content": held.text,
                    "date": wall(held.at, "%Y-%m-%d %H:%M:%S")})
            };
            let rows: Vec<Value> = state.held.iter().map(row).collect();
            json!({"response": {"status": {"code": "200", "message": "ok"}, "inbox": {"message": rows}}})
        }
        "/2010-04-01/Accounts/user/Messages.json" => {
            let from = DateTime::parse_from_rfc3339(&value("DateSent>").unwrap()).unwrap().to_utc();
            let row = |held: &Held| {
                json!({"sid": format!("SM{}", held.id), "direction": "inbound", "from": format!("+{}", held.from), "to": "+908501234567",
                    "body": held.text, "date_sent": held.at.to_rfc2822(), "status": "received"})
            };
            let mut rows: Vec<Value> =
                state.held.iter().rev().filter(|held| held.at >= from).map(row).collect();
            rows.push(json!({"sid": "SM0", "direction": "outbound-api", "from": "+908501234567", "to": "+905321234567", "body": "RET yaz",
                "date_sent": "Sat, 28 Nov 2026 10:00:00 +0000", "status": "delivered"}));
            json!({"messages": rows, "next_page_uri": null})
        }
        other => panic!("nobody asks for {other}"),
    };
    ([("content-type", "application/json")], list.to_string()).into_response()
}

async fn is_read_once(database: Database, name: &str) {
    let bridge = Bridge::start(database).await;
    keyword(&bridge, bridge.brand(), json!({"number": "0850 123 45 67"})).await;
    approved(&bridge).await;
    let vendor = Vendor::start().await;
    vendor.hold(1, bridge.app.clocks.business() - TimeDelta::days(40), "RET eski");
    vendor.set_down(true);
    let inbox = json!({"username": "user", "password": "secret", "url": vendor.url});
    let mut connection = json!({"vendor": name, "inbox": inbox});
    if name == "twilio" {
        connection["signingSecret"] = json!("secret");
    }
    connect(&bridge, connection).await;
    bridge.advance("1m").await;
    bridge.drain().await;
    let (_, list) = bridge.get_as(&bridge.admin, "/v1/inbound-connections").await;
    assert!(list["items"][0]["inboxError"].is_string() && !list.to_string().contains("secret"), "{list}");

    vendor.hold(2, bridge.app.clocks.business(), "istemyorum artık");
    vendor.set_down(false);
    bridge.advance("10m").await;
    bridge.drain().await;
    let seen = messages(&bridge, bridge.brand(), "rejection").await;
    assert_eq!(seen.len(), 1, "what was there before is not ours: {seen:?}");
    assert_eq!(seen[0]["text"], "istemyorum artık");

    let asked = vendor.asked();
    bridge.drain_for(3, "3m").await;
    assert!(vendor.asked() >= asked + 3, "it is read again and again");
    assert_eq!(
        messages(&bridge, bridge.brand(), "rejection").await.len(),
        1,
        "and a message is dealt with once"
    );
    let of_brand = filed(&bridge).await;
    assert_eq!(of_brand.last(), Some(&movement("MESAJ", "RET", "HS_MESAJ")), "{of_brand:?}");
    assert_eq!(of_brand.iter().filter(|it| it.1 == "RET").count(), 1, "{of_brand:?}");
    let (_, list) = bridge.get_as(&bridge.admin, "/v1/inbound-connections").await;
    assert!(
        list["items"][0]["inboxError"].is_null() && list["items"][0]["inboxReadAt"].is_string(),
        "{list}"
    );
}

on_both_databases! {
    async fn verimor_was_down_and_is_polled(database: Database) {
        is_read_once(database, "verimor").await;
    }
}

on_both_databases! {
    async fn netgsm_was_down_and_is_polled(database: Database) {
        is_read_once(database, "netgsm").await;
    }
}

on_both_databases! {
    async fn iletimerkezi_was_down_and_is_polled(database: Database) {
        is_read_once(database, "iletimerkezi").await;
    }
}

on_both_databases! {
    async fn twilio_was_down_and_is_polled(database: Database) {
        is_read_once(database, "twilio").await;
    }
}

on_both_databases! {
    /// One answer for each act, however often the vendor repeats it; one a day for what nobody understands; and a RET without a keyword
    /// is for the brand that wrote last.
    async fn the_citizen_gets_one_answer(database: Database) {
        let vendor = Vendor::start().await;
        let options = Options { sms_url: Some(vendor.url.clone()), ..Options::default() };
        let bridge = Bridge::with(database, Registry::start().await, options).await;
        let second = bridge.registry.second_brand().await;
        let body = json!({"iysCode": bridge.registry.seed.iys_code, "brandCode": second, "name": "İkinci"});
        assert_eq!(bridge.post_as(&bridge.admin, "/v1/brands", body).await.0, 201);
        keyword(&bridge, bridge.brand(), json!({"number": "4609", "keyword": "ABC"})).await;
        keyword(&bridge, second, json!({"number": "4609", "keyword": "MODA"})).await;
        let url = connect(&bridge, json!({"vendor": "verimor"})).await;
        let comes = async |id: u32, text: &str| {
            let body = json!([{"message_id": id, "source_addr": "905321234567", "destination_addr": "4609", "content": text}]);
            for _ in 0..2 {
                assert_eq!(push(&url, &json_push(&body.to_string())).await, 200);
                bridge.drain().await;
            }
            bridge.advance("5s").await;
        };
        comes(1, "abc ne bu").await;
        comes(2, "kimsiniz abc").await;
        assert_eq!(vendor.sent().len(), 1, "{:?}", vendor.sent());
        assert!(vendor.sent()[0].starts_with("905321234567 Demo: mesajınız anlaşılamadı."), "{:?}", vendor.sent());
        comes(3, "ret hepsı").await;
        assert_eq!(vendor.sent()[1..], ["905321234567 Demo: arama ve SMS almama isteğiniz kaydedildi."]);
        assert_eq!(messages(&bridge, second, "rejection").await.len(), 0, "Demo wrote last");
        let list = messages(&bridge, bridge.brand(), "rejection").await;
        assert_eq!((list.len(), &list[0]["answered"]), (1, &json!(true)), "{list:?}");
        bridge.advance("25h").await;
        comes(4, "abc alo").await;
        assert_eq!(vendor.sent().len(), 3, "{:?}", vendor.sent());
        comes(5, "abc onay").await;
        assert!(vendor.sent()[3].contains("SMS onayınız kaydedildi. Vazgeçmek için ABC RET yazıp 4609"), "{:?}", vendor.sent());
        assert_eq!(vendor.sent().len(), 4);
        comes(6, "moda ret").await;
        assert_eq!(vendor.sent()[4..], ["905321234567 İkinci: SMS almama isteğiniz kaydedildi."]);
    }
}
