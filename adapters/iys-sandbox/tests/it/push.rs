//! Push connections and what is delivered to them.

use serde_json::{Value, json};

use crate::receiver::Receiver;
use crate::world::{BRAND, PHONE, World, send};

fn registration() -> String {
    format!("{BRAND}/push/registration")
}

/// A simulator that pushes messages to a receiver, and what it answered.
async fn connected() -> (World, Receiver) {
    let (world, receiver) = (World::start().await, Receiver::start().await);
    world.settings(json!({"pushAllowHttp": true, "perSecondLimit": null})).await;
    let body = json!({"connection": [receiver.connection("/good", "MESAJ")]});
    let reply = world.partner("POST", &registration(), Some(&body)).await;
    assert_eq!((reply.status, &reply.body["message"]), (200, &json!("Bağlantı oluşturuldu")), "{reply:?}");
    (world, receiver)
}

#[tokio::test]
async fn a_new_connection_gets_the_test_event_and_then_what_citizens_do() {
    let (world, receiver) = connected().await;
    let consent = world.consent("ONAY", 60).await;
    assert_eq!(world.partner("POST", &format!("{BRAND}/consents"), Some(&consent)).await.status, 200);
    let written = world.reject_as_citizen("IYS_MOBIL").await;
    let posts = receiver.posts(2).await;
    assert_eq!(posts[0][0]["recipient"], "pushtest@iys.org.tr");
    assert_eq!(posts[0][0]["iysCode"], 121_212);
    let event = json!({
        "iysCode": 600_100, "brandCode": 600_100, "consentDate": written["consentDate"],
        "creationDate": written["creationDate"], "source": "IYS_MOBIL", "recipient": PHONE,
        "recipientType": "BIREYSEL", "status": "RET", "type": "MESAJ",
        "transactionId": written["transactionId"],
    });
    assert_eq!(posts[1], json!([event]), "only what the citizen did is pushed");
    let list = world.partner("GET", &registration(), None).await.body;
    assert_eq!((&list[0]["status"], &list[0]["type"]), (&json!("Bağlantı Oluşturuldu"), &json!("MESAJ")));
    let reply = world
        .partner(
            "POST",
            &format!("{BRAND}/push/unregistration"),
            Some(&receiver.connection("/good", "MESAJ")),
        )
        .await;
    assert_eq!((reply.status, &reply.body["message"]), (200, &json!("Bağlantı Kaldırıldı")));
    assert_eq!(world.partner("GET", &registration(), None).await.body, json!([]));
    world.reject_as_citizen("IYS_WEB").await;
    receiver.posts(2).await;
}

#[tokio::test]
async fn a_failed_attempt_is_listed_and_does_not_end_a_connection() {
    let (world, receiver) = connected().await;
    let mut wrong = receiver.connection("/good", "ARAMA");
    wrong["password"] = "x".into();
    let mut other = receiver.connection("/good", "MESAJ");
    other["password"] = "x".into();
    let body = json!({"connection": [wrong, other]});
    let reply = world.partner("POST", &registration(), Some(&body)).await;
    assert_eq!((reply.status, reply.codes()), (422, vec!["H530".to_owned(), "H530".to_owned()]));
    let list = world.partner("GET", &registration(), None).await.body;
    let states: Vec<&Value> = list.as_array().unwrap().iter().map(|item| &item["status"]).collect();
    assert_eq!(states, ["Bağlantı Oluşturuldu", "Bağlantı Oluşturulamadı"]);
    world.reject_as_citizen("IYS_MOBIL").await;
    assert_eq!(receiver.posts(2).await[1][0]["status"], "RET");
}

#[tokio::test]
async fn plain_http_is_for_this_machine_only() {
    let world = World::start().await;
    world.settings(json!({"pushAllowHttp": true})).await;
    for url in ["http://example.com/push", "http://10.0.0.1/push", "ftp://localhost/", "push"] {
        let body = json!({"connection": [{"url": url, "type": "MESAJ", "username": "u", "password": "p"}]});
        assert_eq!(world.partner("POST", &registration(), Some(&body)).await.codes(), ["H531"], "{url}");
    }
}

#[tokio::test]
async fn a_refused_push_comes_again_later() {
    let (world, receiver) = connected().await;
    receiver.refuse_next(503);
    world.reject_as_citizen("IYS_MOBIL").await;
    // The second event overtakes the first one, which waits for its next try.
    while send(world.request("GET", "/_sandbox/pushes")).await.body["list"][0]["attempts"] != 1 {}
    world.reject_as_citizen("IYS_WEB").await;
    assert_eq!(receiver.posts(2).await[1][0]["source"], "IYS_WEB");
    world.advance("61s").await;
    assert_eq!(receiver.posts(3).await[2][0]["source"], "IYS_MOBIL");
    assert_eq!(world.control("GET", "/pushes", Value::Null).await["list"], json!([]));
}

#[tokio::test]
async fn pushes_are_dropped_doubled_late_and_out_of_order_on_demand() {
    let (world, receiver) = connected().await;
    world.control("POST", "/faults", json!({"operation": "push", "kind": "drop"})).await;
    world.reject_as_citizen("IYS_WEB").await;
    while world.control("GET", "/faults", Value::Null).await["list"] != json!([]) {}
    world.control("POST", "/faults", json!({"operation": "push", "kind": "duplicate"})).await;
    world.reject_as_citizen("IYS_MOBIL").await;
    let posts = receiver.posts(3).await;
    assert_eq!(posts[1], posts[2]);
    assert_eq!(posts[1][0]["source"], "IYS_MOBIL");
    world.settings(json!({"pushDelaySeconds": 600, "pushOutOfOrder": true})).await;
    world.reject_as_citizen("IYS_CM").await;
    world.reject_as_citizen("IYS_EPOSTA").await;
    world.advance("11m").await;
    let posts = receiver.posts(4).await;
    let sources: Vec<&Value> = posts[3].as_array().unwrap().iter().map(|event| &event["source"]).collect();
    assert_eq!(sources, ["IYS_EPOSTA", "IYS_CM"]);
    for fault in [json!({"operation": "push", "kind": "500"}), json!({"operation": "add", "kind": "drop"})] {
        assert_eq!(send(world.request("POST", "/_sandbox/faults").json(&fault)).await.status, 422, "{fault}");
    }
}
