//! Failures on demand.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::world::{BRAND, PHONE, World, client, send};

async fn order(world: &World, fault: Value) {
    world.control("POST", "/faults", fault).await;
}

async fn movements(world: &World) -> usize {
    let page = world.control("GET", "/movements", Value::Null).await;
    page["list"].as_array().unwrap().len()
}

fn add() -> String {
    format!("{BRAND}/consents")
}

#[tokio::test]
async fn a_fault_hits_its_operation_as_often_as_ordered() {
    let world = World::start().await;
    order(&world, json!({"operation": "add", "kind": "500", "count": 2})).await;
    let consent = world.consent("ONAY", 60).await;
    let status = json!({"recipient": PHONE, "recipientType": "BIREYSEL", "type": "MESAJ"});
    let asked = world.partner("POST", &format!("{BRAND}/consents/status"), Some(&status)).await;
    assert_eq!(asked.status, 404, "another operation");
    for expected in [500, 500, 200] {
        assert_eq!(world.partner("POST", &add(), Some(&consent)).await.status, expected);
    }
    let left = world.control("GET", "/faults", Value::Null).await;
    assert_eq!(left["list"], json!([]));
}

#[tokio::test]
async fn both_versions_of_a_method_are_hit_and_a_star_hits_all() {
    let world = World::start().await;
    world.token("partner").await;
    order(&world, json!({"kind": "503", "count": 2})).await;
    let consent = world.consent("ONAY", 60).await;
    let reply = world.partner("POST", &format!("/v2{BRAND}/consents"), Some(&consent)).await;
    assert_eq!((reply.status, reply.codes()), (503, vec!["H192".to_owned()]));
    assert_eq!(send(world.request("POST", "/oauth2/token")).await.status, 503);
    order(&world, json!({"operation": "token", "kind": 429})).await;
    assert_eq!(send(world.request("POST", "/oauth2/token")).await.codes(), ["H084"]);
    order(&world, json!({"operation": "add", "kind": "html"})).await;
    let page = world.partner("POST", &add(), Some(&consent)).await;
    assert!(page.status == 502 && page.body.as_str().unwrap().starts_with("<html>"), "{page:?}");
    order(&world, json!({"operation": "add", "kind": "500", "count": 9})).await;
    world.control("DELETE", "/faults", Value::Null).await;
    assert_eq!(world.partner("POST", &add(), Some(&consent)).await.status, 200);
}

#[tokio::test]
async fn a_cut_gives_no_answer_before_or_after_the_work() {
    let world = World::start().await;
    let token = world.token("partner").await;
    let consent = world.consent("ONAY", 60).await;
    for (kind, expected) in [("cut", 0), ("cut_after_write", 1)] {
        order(&world, json!({"operation": "add", "kind": kind})).await;
        let sent = world.request("POST", &add()).bearer_auth(&token).json(&consent).send().await;
        let error = sent.expect_err(kind);
        assert!(error.is_request() && !error.is_timeout(), "{kind}: {error:?}");
        assert_eq!(movements(&world).await, expected, "{kind}");
    }
    let again = world.partner("POST", &add(), Some(&consent)).await;
    assert_eq!(again.codes(), ["H178"], "the first version of the method cannot tell a repetition");
    let again = world.partner("POST", &format!("/v2{BRAND}/consents"), Some(&consent)).await;
    assert_eq!(again.status, 200);
}

#[tokio::test]
async fn a_timeout_gives_no_answer_and_does_the_work_or_not() {
    let world = World::start().await;
    let token = world.token("partner").await;
    let consent = world.consent("ONAY", 60).await;
    for (kind, expected) in [("timeout_before_write", 0), ("timeout_after_write", 1)] {
        order(&world, json!({"operation": "add", "kind": kind})).await;
        let request = world.request("POST", &add()).bearer_auth(&token).json(&consent);
        let error = request.timeout(Duration::from_millis(400)).send().await.expect_err(kind);
        assert!(error.is_timeout(), "{kind}: {error:?}");
        assert_eq!(movements(&world).await, expected, "{kind}");
    }
    order(&world, json!({"operation": "add", "kind": "timeout_before_write"})).await;
    let hanging = world.request("POST", &add()).bearer_auth(&token).json(&consent).send();
    let stopping =
        async { while world.control("GET", "/stats", Value::Null).await["concurrency"]["now"] == 0 {} };
    let (ended, ()) = tokio::join!(tokio::time::timeout(Duration::from_millis(300), hanging), stopping);
    assert!(ended.is_err(), "it hangs");
    let began = Instant::now();
    world.stop().await;
    assert!(began.elapsed() < Duration::from_secs(10), "a hanging request does not keep the server");
}

#[tokio::test]
async fn slow_is_late_but_right() {
    let world = World::start().await;
    world.token("partner").await;
    order(&world, json!({"operation": "add", "kind": "slow", "delayMillis": 300})).await;
    let consent = world.consent("ONAY", 60).await;
    let began = Instant::now();
    assert_eq!(world.partner("POST", &add(), Some(&consent)).await.status, 200);
    assert!(began.elapsed() >= Duration::from_millis(300));
}

#[tokio::test]
async fn orders_are_checked() {
    let world = World::start().await;
    for fault in [
        json!({"operation": "ad", "kind": "500"}),
        json!({"operation": "add", "kind": "explode"}),
        json!({"operation": "add", "kind": "200"}),
        json!({"operation": "add", "kind": "500", "count": 0}),
        json!({"operation": "add", "kind": "500", "code": "H999"}),
        json!({"operation": "add", "kind": "500", "often": 3}),
    ] {
        let reply = send(world.request("POST", "/_sandbox/faults").json(&fault)).await;
        assert!(matches!(reply.status, 400 | 422), "{fault}: {reply:?}");
        assert!(reply.body["error"]["tr"].is_string() && reply.body["error"]["en"].is_string());
    }
}

#[tokio::test]
async fn limits_are_counted_in_the_statistics() {
    let world = World::start().await;
    let client = client();
    world.settings(json!({"perSecondLimit": 3})).await;
    let path = format!("{}{BRAND}/consents/changes", world.base);
    let answers = futures::future::join_all((0..8).map(|_| client.get(&path).send())).await;
    let refused = answers.into_iter().filter(|answer| answer.as_ref().unwrap().status() == 429).count();
    assert!(refused >= 2, "{refused}");
    let stats = world.control("GET", "/stats", Value::Null).await;
    assert_eq!(stats["refusedByLimit"]["H124"], refused);
    assert_eq!(stats["operations"]["changes"]["calls"], 8);
    assert_eq!(stats["operations"]["changes"]["statuses"]["401"], 8 - refused);
    assert_eq!(stats["operations"]["changes"]["codes"]["H351"], 8 - refused);
    assert_eq!(stats["last24Hours"]["failures"], 8 - refused);
    assert!(stats["concurrency"]["peak"].as_u64().unwrap() >= 1);
}
