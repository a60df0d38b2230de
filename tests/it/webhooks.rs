//! Webhooks as a reseller needs them: no endpoint spoils another's, one that is down is left alone and in the end disabled,
//! what was missed can be had again.

use std::collections::HashSet;
use std::time::Duration;

use kopru::bootstrap::App;
use kopru::clocks::Clocks;
use kopru::lifecycle::Lifecycle;
use kopru::worker;
use kopru_domain::IysCode;
use kopru_store::{audit, endpoints};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::time::timeout;

use crate::on_both_databases;
use crate::support::{Bridge, Database, Options, Receiver, Registry, consent};

/// Adds an endpoint; returns its path.
async fn endpoint(bridge: &Bridge, url: &str) -> (String, Value) {
    let body = json!({"url": url, "iysCode": bridge.registry.seed.iys_code});
    let (status, endpoint) = bridge.post("/v1/webhook-endpoints", body).await;
    assert_eq!(status, 201, "{endpoint}");
    (format!("/v1/webhook-endpoints/{}", endpoint["id"].as_str().unwrap()), endpoint)
}

/// An endpoint on a receiver that knows its secret.
async fn received(bridge: &Bridge) -> (String, Receiver) {
    let receiver = Receiver::start().await;
    let (path, endpoint) = endpoint(bridge, &receiver.url).await;
    receiver.secret(endpoint["secret"].as_str().unwrap());
    (path, receiver)
}

/// Withdrawals of new addresses: each is an event of its own at once.
async fn events(bridge: &Bridge, from: usize, count: usize) {
    let at = bridge.app.clocks.business() - chrono::TimeDelta::minutes(1);
    let body: Vec<Value> = (from..from + count)
        .map(|n| consent(&format!("+90532{:07}", 5_000_000 + n), "MESAJ", "RET", at))
        .collect();
    let (status, answer) = bridge.consents(json!(body)).await;
    assert_eq!(status, 202, "{answer}");
}

async fn show(bridge: &Bridge, path: &str) -> Value {
    let (status, endpoint) = bridge.get(path).await;
    assert_eq!(status, 200, "{endpoint}");
    endpoint
}

/// All deliveries of an endpoint, oldest event first.
async fn deliveries(bridge: &Bridge, path: &str) -> Vec<Value> {
    let (status, page) = bridge.get(&format!("{path}/deliveries?limit=200")).await;
    assert_eq!(status, 200, "{page}");
    let mut items = page["items"].as_array().unwrap().clone();
    items.reverse();
    items
}

on_both_databases! {
    /// The second rotation of a day took the first secret away before its time.
    async fn a_secret_that_is_rotated_twice_signs_until_its_time_is_over(database: Database) {
        let bridge = Bridge::start(database).await;
        let (path, receiver) = received(&bridge).await;
        let mut secrets = Vec::new();
        for _ in 0..2 {
            let (status, rotated) = bridge.post(&format!("{path}/secret/rotate"), json!({})).await;
            assert_eq!(status, 200, "{rotated}");
            secrets.push(rotated["secret"].as_str().unwrap().to_owned());
        }
        for known in 0..3 {
            if known > 0 {
                receiver.secret(&secrets[known - 1]);
            }
            let (status, tried) = bridge.post(&format!("{path}/test"), json!({})).await;
            assert_eq!((status, &tried["delivered"]), (200, &json!(true)), "secret {known}: {tried}");
        }
        let id = path.rsplit('/').next().unwrap().parse().unwrap();
        let mut tx = bridge.app.db.read().await.unwrap();
        let row = endpoints::find(&mut tx, IysCode(bridge.registry.seed.iys_code), id).await.unwrap().unwrap();
        let signing = |hours| {
            let at = bridge.app.clocks.wire() + chrono::TimeDelta::hours(hours);
            kopru::service::delivery::signer(&bridge.app, &row, at).unwrap().secrets.len()
        };
        assert_eq!([signing(23), signing(25)], [3, 1]);
    }
}

fn feed_ids(changes: &[Value]) -> Vec<&str> {
    changes.iter().map(|event| event["id"].as_str().unwrap()).collect()
}

/// Waits for something that workers of this process are about to do.
async fn until(what: &str, mut done: impl AsyncFnMut() -> bool) {
    let waited = timeout(Duration::from_secs(20), async {
        while !done().await {
            #[expect(clippy::disallowed_methods, reason = "looks whether the workers have done it")]
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    assert!(waited.await.is_ok(), "{what}");
}

on_both_databases! {
    /// One call at a time is all there is, and one of two endpoints takes each call and never answers: the other gets
    /// everything meanwhile. The workers run as they do in production.
    async fn a_silent_endpoint_beside_one_that_works(database: Database) {
        let options = Options {
            webhook_concurrency: Some((1, 16)),
            webhook_timeout: Some(Duration::from_millis(700)),
            ..Options::default()
        };
        let bridge = Bridge::with(database, Registry::start().await, options).await;
        let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (silent_path, _) = endpoint(&bridge, &format!("http://{}/", silent.local_addr().unwrap())).await;
        let (path, receiver) = received(&bridge).await;
        let (status, ready) = bridge.get("/readyz").await;
        assert_eq!((status, ready.get("workers")), (200, None), "{ready}");

        worker::spawn(&bridge.app);
        events(&bridge, 0, 60).await;
        until("the endpoint that works gets everything", async || receiver.events().len() == 60).await;
        until("and is well", async || {
            deliveries(&bridge, &path).await.iter().all(|delivery| delivery["state"] == "delivered")
        })
        .await;
        until("the silent one is left alone", async || show(&bridge, &silent_path).await["waitsUntil"].is_string()).await;
        let waiting = deliveries(&bridge, &silent_path).await;
        let tried: Vec<&Value> =
            waiting.iter().filter(|delivery| !delivery["attempts"].as_array().unwrap().is_empty()).collect();
        assert_eq!(waiting.len(), 60);
        assert!(waiting.iter().all(|delivery| delivery["state"] == "queued"), "{waiting:?}");
        assert!(tried.len() <= 2, "one call in each turn: {tried:?}");
        assert_eq!(tried[0]["attempts"][0]["error"], "timed out");

        let (status, ready) = bridge.get("/readyz").await;
        assert_eq!((status, &ready["workers"]), (200, &json!("ok")), "{ready}");
        bridge.app.lifecycle.stop();
        until("workers end", async || {
            bridge.app.pulse.troubles().is_some_and(|told| told.iter().any(|what| what == "deliveries has ended"))
        })
        .await;
        assert!(bridge.app.lifecycle.drained(Duration::from_secs(10)).await);
    }
}

on_both_databases! {
    /// After a failure the endpoint waits, as long as its receiver asks: the others of its deliveries are not tried either.
    async fn a_wish_to_be_left_alone_is_for_the_endpoint(database: Database) {
        let bridge = Bridge::start(database).await;
        let (path, receiver) = received(&bridge).await;
        receiver.overloaded_once(600);
        events(&bridge, 0, 3).await;
        bridge.drain().await;
        let asked = show(&bridge, &path).await;
        assert!(asked["waitsUntil"].is_string() && asked["failingSince"].is_string(), "{asked}");
        bridge.advance("9m").await;
        events(&bridge, 3, 1).await;
        bridge.drain().await;
        assert!(receiver.events().is_empty());
        let tried: usize =
            deliveries(&bridge, &path).await.iter().map(|delivery| delivery["attempts"].as_array().unwrap().len()).sum();
        assert_eq!(tried, 1);
        bridge.advance("2m").await;
        bridge.drain().await;
        assert_eq!(receiver.events().len(), 4);
        let well = show(&bridge, &path).await;
        assert_eq!((well.get("waitsUntil"), well.get("failingSince")), (None, None), "{well}");
    }
}

on_both_databases! {
    /// A receiver that does not want one of its events gets the others at once.
    async fn an_event_that_is_refused_stops_only_itself(database: Database) {
        let bridge = Bridge::start(database).await;
        let (path, receiver) = received(&bridge).await;
        // The first is taken, the second refused; from then on the receiver keeps what it takes.
        receiver.answer_next(&[204, 422]);
        events(&bridge, 0, 10).await;
        bridge.drain().await;
        assert_eq!(receiver.events().len(), 8);
        let endpoint = show(&bridge, &path).await;
        assert_eq!((endpoint.get("waitsUntil"), endpoint.get("failingSince")), (None, None), "{endpoint}");
        bridge.advance("10s").await;
        bridge.drain().await;
        assert_eq!(receiver.events().len(), 9);
        let attempts = |delivery: &Value| delivery["attempts"].as_array().unwrap().len();
        let tried: Vec<usize> = deliveries(&bridge, &path).await.iter().map(attempts).collect();
        assert_eq!(tried.iter().filter(|count| **count == 2).count(), 1, "{tried:?}");
    }
}

on_both_databases! {
    /// Five days of failure disable an endpoint and its owner can see why; enabled again, it gets what waited.
    async fn five_days_of_failure(database: Database) {
        let bridge = Bridge::start(database).await;
        let (path, receiver) = received(&bridge).await;
        receiver.answer_next(&[500; 100]);
        events(&bridge, 0, 1).await;
        for day in 0..5 {
            bridge.drain().await;
            let endpoint = show(&bridge, &path).await;
            assert_eq!((&endpoint["active"], endpoint["failingSince"].is_string()), (&json!(true), true), "day {day}: {endpoint}");
            bridge.advance("24h").await;
        }
        bridge.drain().await;
        let endpoint = show(&bridge, &path).await;
        assert_eq!((&endpoint["active"], &endpoint["disabledReason"]), (&json!(false), &json!("failing")), "{endpoint}");
        let told = {
            let mut tx = bridge.app.db.read().await.unwrap();
            audit::list(&mut tx, kopru_domain::IysCode(bridge.registry.seed.iys_code), 1).await.unwrap().remove(0)
        };
        assert_eq!((told.actor.as_str(), told.action.as_str()), ("system", "endpoint.disabled"));
        assert!(path.ends_with(&told.subject) && told.detail == "failing", "{told:?}");

        events(&bridge, 1, 1).await;
        bridge.drain_for(3, "24h").await;
        let waiting = deliveries(&bridge, &path).await;
        assert_eq!((waiting.len(), &waiting[0]["state"]), (1, &json!("queued")), "nothing is read and nothing new is queued");
        assert_eq!(waiting[0]["attempts"].as_array().unwrap().len(), 6);

        receiver.answer_next(&[]);
        let (status, enabled) = bridge.post(&format!("{path}/enable"), Value::Null).await;
        assert_eq!((status, &enabled["active"], enabled.get("disabledReason")), (200, &json!(true), None), "{enabled}");
        bridge.drain().await;
        assert_eq!(receiver.events().len(), 1, "what waited goes out at once, whatever its own wait was");
    }
}

on_both_databases! {
    /// 410 disables at once. Enabled again, the endpoint gets what waited; what it missed meanwhile, and what it got before,
    /// comes again by a replay: the same events with the same ids, marked.
    async fn gone_and_back_again_with_a_replay(database: Database) {
        let bridge = Bridge::start(database).await;
        let (path, receiver) = received(&bridge).await;
        receiver.answer_next(&[410]);
        events(&bridge, 0, 3).await;
        bridge.drain().await;
        let endpoint = show(&bridge, &path).await;
        assert_eq!((&endpoint["active"], &endpoint["disabledReason"]), (&json!(false), &json!("gone")), "{endpoint}");
        assert!(deliveries(&bridge, &path).await.iter().all(|delivery| delivery["state"] == "queued"));
        events(&bridge, 3, 2).await;
        bridge.drain().await;
        assert!(receiver.events().is_empty());
        let yesterday = (bridge.app.clocks.business() - chrono::TimeDelta::days(1)).format("%Y-%m-%d");
        let replay = format!("{path}/replay?since={yesterday}");
        let (status, problem) = bridge.post(&replay, Value::Null).await;
        assert_eq!((status, &problem["status"]), (409, &json!(409)), "{problem}");

        bridge.post(&format!("{path}/enable"), Value::Null).await;
        bridge.drain().await;
        let changes = bridge.changes().await;
        let told: HashSet<String> = receiver.ids().into_iter().collect();
        assert_eq!(told, feed_ids(&changes)[..3].iter().map(|id| (*id).to_owned()).collect());

        let key = [("idempotency-key", "replay-1")];
        let (status, first) = bridge.post_raw(&replay, &bridge.key, &key, Vec::new()).await;
        assert_eq!((status, &first["toSequence"]), (202, &json!(changes.len())), "{first}");
        let (status, again) = bridge.post_raw(&replay, &bridge.key, &key, Vec::new()).await;
        assert_eq!((status, &again), (202, &first), "the same request is answered as before");
        let other = format!("{path}/replay?since=2026-01-01");
        assert_eq!(bridge.post_raw(&other, &bridge.key, &key, Vec::new()).await.0, 422, "another request with the same key");
        assert_eq!(bridge.post(&replay, Value::Null).await.0, 409, "one replay at a time");
        bridge.drain().await;

        let all = receiver.events();
        assert_eq!(all.len(), 3 + changes.len());
        let mut replayed = all[3..].to_vec();
        replayed.sort_by_key(|event| event["data"]["sequence"].as_i64());
        for (replayed, original) in replayed.iter_mut().zip(&changes) {
            assert_eq!(replayed.as_object_mut().unwrap().remove("replayed"), Some(json!(true)));
            assert_eq!(replayed, original);
        }
        assert!(all[..3].iter().all(|event| event.get("replayed").is_none()));
        let listed = deliveries(&bridge, &path).await;
        let replays: Vec<i64> = listed.iter().filter_map(|delivery| delivery["replay"].as_i64()).collect();
        assert_eq!(replays, vec![1; changes.len()]);
        assert_eq!(bridge.post(&replay, Value::Null).await.0, 202, "it has ended: another may begin");
    }
}

on_both_databases! {
    /// A replay goes in parts: more than one of them, and everything once.
    async fn a_replay_of_more_than_one_part(database: Database) {
        let bridge = Bridge::start(database).await;
        events(&bridge, 0, 1_100).await;
        let start = bridge.app.clocks.business();
        let (path, receiver) = received(&bridge).await;
        let (status, begun) = bridge.post(&format!("{path}/replay?since=2026-01-01"), Value::Null).await;
        assert_eq!((status, &begun["fromSequence"]), (202, &json!(1)), "{begun}");
        until("all parts arrive", async || {
            bridge.drain().await;
            receiver.events().len() >= 1_100
        })
        .await;
        let ids: HashSet<String> = receiver.ids().into_iter().collect();
        assert_eq!((ids.len(), receiver.events().len()), (1_100, 1_100));
        assert!(deliveries(&bridge, &path).await.iter().all(|delivery| delivery["state"] == "delivered"));
        let later = (start + chrono::TimeDelta::hours(1)).format("%Y-%m-%dT%H:%M:%SZ");
        let (status, problem) = bridge.post(&format!("{path}/replay?since={later}"), Value::Null).await;
        assert_eq!((status, &problem["errors"][0]["code"]), (422, &json!("future")), "{problem}");
        let (status, problem) = bridge.post(&format!("{path}/replay"), Value::Null).await;
        assert_eq!((status, &problem["errors"][0]["code"]), (400, &json!("missing")), "{problem}");
    }
}

/// Two replicas never call an endpoint more often at once than one may, and call for each event once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_share_the_bound_of_an_endpoint() {
    let Some(database) = Database::postgres() else { return };
    let options = Options { webhook_concurrency: Some((16, 2)), ..Options::default() };
    let bridge = Bridge::with(database, Registry::start().await, options).await;
    let other = App::start(bridge.app.config.clone(), Clocks::default(), Lifecycle::new()).await.unwrap();
    let (_, one) = received(&bridge).await;
    let (_, two) = received(&bridge).await;
    for receiver in [&one, &two] {
        receiver.pause(Duration::from_millis(5));
    }
    events(&bridge, 0, 100).await;
    for _ in 0..3 {
        let (first, second) = tokio::join!(worker::drain(&bridge.app), worker::drain(&other));
        first.unwrap();
        second.unwrap();
    }
    for receiver in [&one, &two] {
        assert_eq!(receiver.events().len(), 100);
        assert_eq!(receiver.ids().into_iter().collect::<HashSet<_>>().len(), 100);
        assert!((1..=2).contains(&receiver.most_at_once()), "{}", receiver.most_at_once());
    }
}
