//! What the registry pushes: registered, proved, kept, merged once with the feed; a refusal acts at once, an approval when the
//! feed confirms it.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use kopru::bootstrap::App;
use kopru::clocks::Clocks;
use kopru::lifecycle::Lifecycle;
use kopru::service::push::merging;
use kopru::worker;
use kopru_domain::{BrandCode, Channel, IysCode};
use kopru_store::Claim;
use kopru_store::Priority;
use kopru_store::push::{self, ConnectionRow, ConnectionState};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::on_both_databases;
use crate::support::{Bridge, Database, consent};

const PHONE: &str = "+905321234567";

fn path(bridge: &Bridge) -> String {
    format!("/v1/brands/{}/push-connections", bridge.brand())
}

async fn list(bridge: &Bridge) -> Vec<Value> {
    let (status, answer) = bridge.get_as(&bridge.admin, &path(bridge)).await;
    assert_eq!(status, 200, "{answer}");
    answer["items"].as_array().unwrap().clone()
}

async fn add(bridge: &Bridge) -> Value {
    let (status, added) = bridge.post_as(&bridge.admin, &path(bridge), json!({"type": "MESAJ"})).await;
    assert_eq!((status, &added["state"]), (201, &json!("registering")), "{added}");
    added
}

/// A bridge with a registered approval, to which the registry pushes.
async fn connected(database: Database) -> Bridge {
    let bridge = Bridge::start(database).await;
    bridge.registry.settings(json!({"pushAllowHttp": true})).await;
    let given = bridge.app.clocks.business() - TimeDelta::minutes(5);
    bridge.consent(consent(PHONE, "MESAJ", "ONAY", given)).await;
    bridge.drain().await;
    add(&bridge).await;
    bridge.drain().await;
    let connection = list(&bridge).await.remove(0);
    assert_eq!(
        (&connection["state"], &connection["alive"]),
        (&json!("active"), &json!(true)),
        "{connection}"
    );
    assert!(connection["url"].as_str().unwrap().ends_with("/hooks/iys/…"), "{connection}");
    bridge
}

async fn status(bridge: &Bridge) -> Value {
    bridge.permission(PHONE, "MESAJ").await["permissions"][0]["status"].clone()
}

/// Works until something has come about that the registry's own tasks bring.
async fn until(bridge: &Bridge, what: &str, mut done: impl AsyncFnMut() -> bool) {
    let waited = tokio::time::timeout(Duration::from_secs(20), async {
        loop {
            bridge.drain().await;
            if done().await {
                return;
            }
            #[expect(clippy::disallowed_methods, reason = "the registry pushes when it comes to it")]
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    assert!(waited.await.is_ok(), "{what}");
}

/// Pushes with an approval that the feed has to confirm.
async fn waiting(bridge: &Bridge) -> i64 {
    let mut tx = bridge.app.db.read().await.unwrap();
    let open = push::open_counts(&mut tx).await.unwrap();
    open.iter().filter(|(state, _, _)| state == "waiting").map(|(_, count, _)| count).sum()
}

/// Status and cause of all events.
async fn told(bridge: &Bridge) -> Vec<(Value, String)> {
    let events = bridge.changes().await;
    let cause = |event: &Value| event["data"]["cause"].as_str().unwrap().to_owned();
    events.iter().map(|event| (event["data"]["status"].clone(), cause(event))).collect()
}

fn events(list: &[(&str, &str)]) -> Vec<(Value, String)> {
    list.iter().map(|(status, cause)| (json!(status), (*cause).to_owned())).collect()
}

fn instant(value: &Value) -> DateTime<Utc> {
    value.as_str().unwrap_or_else(|| panic!("{value}")).parse().unwrap()
}

on_both_databases! {
    /// The citizen refuses; it counts at once. The feed shows the same movement an hour later, which is no event.
    async fn a_refusal_acts_at_once_and_once(database: Database) {
        let bridge = connected(database).await;
        bridge.registry.citizen(PHONE, "MESAJ", "RET").await;
        until(&bridge, "the refusal is pushed", async || status(&bridge).await == "RET").await;
        let expected = events(&[("ONAY", "registered"), ("RET", "registry_push")]);
        assert_eq!(told(&bridge).await, expected);
        let (verdict, _) = bridge.check(PHONE).await;
        assert_eq!(verdict["reason"], "RET", "{verdict}");
        bridge.drain_for(3, "65m").await;
        assert_eq!(told(&bridge).await, expected, "pulled, and nothing new");
        let connection = list(&bridge).await.remove(0);
        assert_eq!((connection.get("gapAt"), &connection["alive"]), (None, &json!(true)), "{connection}");
        assert!(connection["lastPushAt"].is_string(), "{connection}");
        // Push has covered the hidden hour since before the last pull: everything is known up to it.
        let (_, answer) = bridge.check(PHONE).await;
        assert_eq!(answer["horizon"], answer["asOf"], "{answer}");
        assert_eq!(bridge.mirror().await["pushed"], json!(["MESAJ"]));
    }
}

on_both_databases! {
    /// An approval is no permission before the feed shows it, and the feed is read when it does.
    async fn an_approval_waits_for_the_feed(database: Database) {
        let bridge = connected(database).await;
        bridge.registry.citizen(PHONE, "MESAJ", "RET").await;
        until(&bridge, "the refusal is pushed", async || status(&bridge).await == "RET").await;
        bridge.advance("2m").await;
        let written = bridge.registry.citizen(PHONE, "MESAJ", "ONAY").await;
        let created = kopru_domain::time::parse_registry(written["creationDate"].as_str().unwrap()).unwrap();
        let shown_at = created + TimeDelta::minutes(60) + TimeDelta::seconds(5);
        until(&bridge, "the approval is pushed", async || waiting(&bridge).await == 1).await;
        assert_eq!(status(&bridge).await, "RET");
        for _ in 0..7 {
            bridge.advance("8m").await;
            bridge.drain().await;
            assert_eq!(status(&bridge).await, "RET", "the feed hides it");
        }
        let left = shown_at - bridge.app.clocks.business();
        bridge.advance(&format!("{}s", left.num_seconds() + 2)).await;
        bridge.drain().await;
        assert_eq!((status(&bridge).await, waiting(&bridge).await), (json!("ONAY"), 0));
        let expected = events(&[("ONAY", "registered"), ("RET", "registry_push"), ("ONAY", "registry_change")]);
        assert_eq!(told(&bridge).await, expected);
    }
}

on_both_databases! {
    /// A movement that was not pushed comes by the pull, and push is not relied on for a day.
    async fn what_push_leaves_out_is_noticed(database: Database) {
        let bridge = connected(database).await;
        // What was written in the second of the registration may have come before it.
        bridge.advance("2s").await;
        bridge.registry.fault("push", "drop", 1).await;
        bridge.registry.citizen(PHONE, "MESAJ", "RET").await;
        bridge.drain_for(2, "65m").await;
        assert_eq!(told(&bridge).await, events(&[("ONAY", "registered"), ("RET", "registry_change")]));
        let connection = list(&bridge).await.remove(0);
        assert_eq!((connection["gapAt"].is_string(), &connection["alive"]), (true, &json!(false)), "{connection}");
        let (_, answer) = bridge.check(PHONE).await;
        assert_eq!(instant(&answer["asOf"]) - instant(&answer["horizon"]), TimeDelta::minutes(60), "{answer}");
        bridge.drain_for(24, "63m").await;
        let connection = list(&bridge).await.remove(0);
        assert_eq!(connection["alive"], true, "{connection}");
    }
}

on_both_databases! {
    /// Two connections of a type and no third; both get everything, which counts once. A removed one gets nothing more.
    async fn two_connections_of_a_type(database: Database) {
        let bridge = connected(database).await;
        add(&bridge).await;
        bridge.drain().await;
        let (status_code, problem) = bridge.post_as(&bridge.admin, &path(&bridge), json!({"type": "MESAJ"})).await;
        assert_eq!(status_code, 409, "{problem}");
        let (status_code, problem) = bridge.post(&path(&bridge), json!({"type": "ARAMA"})).await;
        assert_eq!(status_code, 403, "{problem}");
        let (status_code, problem) = bridge.post_as(&bridge.admin, &path(&bridge), json!({"type": "SMS"})).await;
        assert_eq!((status_code, &problem["errors"][0]["field"]), (422, &json!("type")), "{problem}");
        bridge.registry.citizen(PHONE, "MESAJ", "RET").await;
        until(&bridge, "both get it", async || list(&bridge).await.iter().all(|it| it["lastPushAt"].is_string())).await;
        // It is stored when it is answered, and merged after that.
        bridge.drain().await;
        assert_eq!(told(&bridge).await, events(&[("ONAY", "registered"), ("RET", "registry_push")]));

        let ids: Vec<String> = list(&bridge).await.iter().map(|it| it["id"].as_str().unwrap().to_owned()).collect();
        assert_eq!(ids.len(), 2);
        let one = format!("{}/{}", path(&bridge), ids[0]);
        for _ in 0..2 {
            let (status_code, removed) = bridge.delete_as(&bridge.admin, &one).await;
            assert_eq!((status_code, &removed["state"]), (202, &json!("removing")), "{removed}");
        }
        bridge.drain().await;
        let left = list(&bridge).await;
        assert_eq!((left.len(), left[0]["id"].as_str()), (1, Some(ids[1].as_str())));
        assert_eq!(bridge.get_as(&bridge.admin, &one).await.0, 404);
        assert_eq!(bridge.delete_as(&bridge.admin, &one).await.0, 404);
        // Its place is free again.
        add(&bridge).await;
        bridge.drain().await;
        assert!(list(&bridge).await.iter().all(|it| it["state"] == "active"));
    }
}

on_both_databases! {
    /// The registry does not want plain http here: the connection is refused with its code, and an outage only delays.
    async fn a_refused_connection_says_why(database: Database) {
        let bridge = Bridge::start(database).await;
        add(&bridge).await;
        bridge.drain().await;
        let refused = list(&bridge).await.remove(0);
        assert_eq!((&refused["state"], &refused["code"], &refused["alive"]), (&json!("refused"), &json!("H531"), &json!(false)), "{refused}");
        assert!(refused["explanation"].is_string(), "{refused}");
        bridge.registry.settings(json!({"pushAllowHttp": true})).await;
        bridge.registry.fault("*", "503", 8).await;
        add(&bridge).await;
        bridge.drain().await;
        let waiting = list(&bridge).await.remove(1);
        assert_eq!((&waiting["state"], waiting["lastError"].is_string()), (&json!("registering"), true), "{waiting}");
        bridge.registry.clear_faults().await;
        bridge.drain_for(3, "10m").await;
        assert_eq!(list(&bridge).await[1]["state"], "active");
        let (status_code, _) = bridge.delete_as(&bridge.admin, &format!("{}/{}", path(&bridge), refused["id"].as_str().unwrap())).await;
        assert_eq!(status_code, 202);
        bridge.drain().await;
        assert_eq!(list(&bridge).await.len(), 1);
    }
}

/// A receiver that the registry does not know, so that a test can play the registry.
struct Receiver {
    url: String,
    http: reqwest::Client,
}

impl Receiver {
    async fn of(bridge: &Bridge) -> Self {
        let token = "t".repeat(43);
        let row = ConnectionRow {
            iys_code: IysCode(bridge.registry.seed.iys_code),
            id: Uuid::from_u128(7),
            brand_code: BrandCode(bridge.brand()),
            channel: Channel::Message,
            state: ConnectionState::Registering,
            token_hash: Sha256::digest(&token).to_vec(),
            credentials_hash: Sha256::digest("kopru:pw").to_vec(),
            sealed: bridge.app.vault.master().seal(
                "push_connections.sealed",
                br#"{"url":"http://127.0.0.1/hooks/iys/t","username":"kopru","password":"pw"}"#,
            ),
            code: None,
            active_since: None,
            confirmed_at: None,
            gap_at: None,
            attempt: 0,
            // The registry is never told.
            next_attempt_at: bridge.app.clocks.business() + TimeDelta::days(1_000),
            last_error: None,
            created_at: bridge.app.clocks.wire(),
        };
        let mut tx = bridge.app.db.begin(Priority::Interactive).await.unwrap();
        push::add(&mut tx, &row).await.unwrap();
        tx.commit().await.unwrap();
        Self {
            url: format!("{}/hooks/iys/{token}", bridge.url),
            http: reqwest::Client::builder().build().unwrap(),
        }
    }

    async fn post(&self, credentials: Option<(&str, &str)>, body: Vec<u8>) -> reqwest::Response {
        let request = self.http.post(&self.url).body(body);
        let request = match credentials {
            Some((name, password)) => request.basic_auth(name, Some(password)),
            None => request,
        };
        request.send().await.unwrap()
    }

    async fn push(&self, list: &[&Value]) {
        let body = json!({ "list": list }).to_string().into_bytes();
        assert_eq!(self.post(Some(("kopru", "pw")), body).await.status(), 200);
    }
}

/// A movement as the registry pushes it, so many seconds after the first.
fn movement(bridge: &Bridge, status: &str, at: DateTime<Utc>) -> Value {
    let at = kopru_domain::time::format_registry(at);
    let seed = &bridge.registry.seed;
    json!({"iysCode": seed.iys_code, "brandCode": seed.brand_code, "consentDate": at, "creationDate": at, "source": "IYS_MOBIL",
        "recipient": PHONE, "recipientType": "BIREYSEL", "status": status, "type": "MESAJ",
        "transactionId": hex::encode(Sha256::digest(format!("{status} {at}")))})
}

on_both_databases! {
    /// What has not proved itself is not read; what has is kept and answered, readable or not.
    async fn the_door_of_the_receiver(database: Database) {
        let bridge = Bridge::start(database).await;
        let receiver = Receiver::of(&bridge).await;
        let refusal = json!({"list": [movement(&bridge, "RET", bridge.app.clocks.business())]}).to_string().into_bytes();
        let unproved = receiver.post(None, refusal.clone()).await;
        assert_eq!(unproved.status(), 401);
        assert!(unproved.headers()["www-authenticate"].to_str().unwrap().starts_with("Basic "));
        for (name, password) in [("kopru", "px"), ("kopra", "pw"), ("", "")] {
            assert_eq!(receiver.post(Some((name, password)), refusal.clone()).await.status(), 401, "{name}:{password}");
        }
        let elsewhere = Receiver { url: receiver.url.replace("ttt", "uuu"), http: reqwest::Client::builder().build().unwrap() };
        assert_eq!(elsewhere.post(Some(("kopru", "pw")), refusal.clone()).await.status(), 404);
        let too_long = vec![b' '; 64 * 1024 + 1];
        assert_eq!(receiver.post(None, too_long.clone()).await.status(), 401, "its length is not looked at");
        assert_eq!(receiver.post(Some(("kopru", "pw")), too_long).await.status(), 413);
        bridge.drain().await;
        assert_eq!(status(&bridge).await, Value::Null);

        let test = json!({"list": [iys::wire::PushedChange::test()]}).to_string().into_bytes();
        for body in [test, b"{\"list\":[".to_vec(), Vec::new(), b"{}".to_vec()] {
            assert_eq!(receiver.post(Some(("kopru", "pw")), body).await.status(), 200);
        }
        let mut foreign = movement(&bridge, "RET", bridge.app.clocks.business());
        foreign["brandCode"] = json!(612_345);
        let mut later = movement(&bridge, "RET", bridge.app.clocks.business() + TimeDelta::days(3));
        later["recipient"] = json!("+905321234568");
        receiver.push(&[&foreign, &later]).await;
        bridge.drain().await;
        let connection = list(&bridge).await.remove(0);
        assert_eq!((&connection["unreadable"], connection["gapAt"].is_string()), (&json!(4), true), "{connection}");
        assert!(bridge.changes().await.is_empty());
        receiver.push(&[&movement(&bridge, "RET", bridge.app.clocks.business())]).await;
        bridge.drain().await;
        assert_eq!(status(&bridge).await, "RET", "and the rest goes on");
    }
}

on_both_databases! {
    /// In any order and any number of times: the newest movement counts, and each change is told once.
    async fn out_of_order_and_doubled(database: Database) {
        let bridge = Bridge::start(database).await;
        let given = bridge.app.clocks.business() - TimeDelta::minutes(5);
        bridge.consent(consent(PHONE, "MESAJ", "ONAY", given)).await;
        bridge.drain().await;
        bridge.advance("10m").await;
        let receiver = Receiver::of(&bridge).await;
        let now = bridge.app.clocks.business();
        let (before, first, last) = (now - TimeDelta::hours(1), now - TimeDelta::minutes(4), now - TimeDelta::minutes(2));
        let old = movement(&bridge, "RET", before);
        receiver.push(&[&old]).await;
        bridge.drain().await;
        assert_eq!(status(&bridge).await, "ONAY", "from before our approval");
        let (older, newer) = (movement(&bridge, "RET", first), movement(&bridge, "RET", last));
        receiver.push(&[&newer, &older, &newer]).await;
        receiver.push(&[&older]).await;
        receiver.push(&[&older]).await;
        bridge.drain().await;
        receiver.push(&[&older, &old]).await;
        receiver.push(&[&newer]).await;
        bridge.drain().await;
        assert_eq!(status(&bridge).await, "RET");
        assert_eq!(told(&bridge).await, events(&[("ONAY", "registered"), ("RET", "registry_push")]));
        let record = bridge.permission(PHONE, "MESAJ").await["permissions"][0]["registry"].clone();
        assert_eq!(record["transactionId"], newer["transactionId"], "{record}");
    }
}

on_both_databases! {
    /// Kept and not merged when the process dies, or while it merges: another one does it.
    async fn a_push_outlives_its_process(database: Database) {
        let bridge = Bridge::start(database).await;
        let given = bridge.app.clocks.business() - TimeDelta::minutes(5);
        bridge.consent(consent(PHONE, "MESAJ", "ONAY", given)).await;
        bridge.drain().await;
        let receiver = Receiver::of(&bridge).await;
        bridge.advance("5m").await;
        receiver.push(&[&movement(&bridge, "RET", bridge.app.clocks.business())]).await;
        assert_eq!(status(&bridge).await, "ONAY");
        // The dead one had claimed it; its lease has run out.
        let dead = Claim { by: Uuid::new_v4(), until: bridge.app.clocks.wire() - TimeDelta::seconds(1) };
        let in_hand = merging::claim(&bridge.app, dead).await.unwrap().unwrap();
        let other = App::start(bridge.app.config.clone(), Clocks::default(), Lifecycle::new()).await.unwrap();
        other.clocks.set_offset(bridge.registry.sandbox.clock_offset());
        worker::drain(&other).await.unwrap();
        assert_eq!(status(&bridge).await, "RET");
        // A late finisher changes nothing.
        merging::merge(&bridge.app, in_hand, dead).await.unwrap();
        assert_eq!(told(&bridge).await, events(&[("ONAY", "registered"), ("RET", "registry_push")]));
    }
}
