//! The citizen's other ways: the short number, the voice centre, a closed line.

use serde_json::{Value, json};

use crate::world::{BRAND, PHONE, World, send};

async fn world() -> World {
    let world = World::start().await;
    let brands = json!([{"brandCode": 600_100, "shortNames": ["Demo Ş"]}]);
    let reply = send(
        world.request("POST", "/_sandbox/providers").json(&json!({"iysCode": 600_100, "brands": brands})),
    )
    .await;
    assert_eq!(reply.status, 422, "a short name is one word");
    let brands = json!([{"brandCode": 600_100, "shortNames": ["Demoş"]}, {"brandCode": 600_101}]);
    world
        .control("POST", "/providers", json!({"iysCode": 600_100, "brands": brands, "via": {"credit": 1}}))
        .await;
    world
}

async fn approve(world: &World, changes: Value) {
    let mut consent = world.consent("ONAY", 60).await;
    for (key, value) in changes.as_object().unwrap() {
        consent[key] = value.clone();
    }
    let reply = world.call("provider", "POST", &format!("{BRAND}/consents"), Some(&consent)).await;
    assert_eq!(reply.status, 200, "{reply:?}");
}

async fn text(world: &World, text: &str) -> Value {
    world.control("POST", "/3338", json!({"recipient": "05551112233", "text": text})).await
}

#[tokio::test]
async fn a_text_message_to_the_short_number_rejects_messages() {
    let world = world().await;
    assert_eq!(text(&world, "ret demoş").await["results"][0]["outcome"], "no_record");
    approve(&world, json!({})).await;
    approve(&world, json!({"recipientType": "TACIR"})).await;
    approve(&world, json!({"type": "ARAMA"})).await;
    let answer = text(&world, "Ret  DEMOS! 600999").await;
    let outcomes: Vec<&Value> =
        answer["results"].as_array().unwrap().iter().map(|result| &result["outcome"]).collect();
    assert_eq!(outcomes, ["rejected", "unknown_brand"]);
    assert_eq!(answer["results"][0]["movements"].as_array().unwrap().len(), 2, "in both capacities");
    assert_eq!(text(&world, "600100").await["results"][0]["outcome"], "already_rejected");
    assert_eq!(text(&world, " RET ").await["results"], json!([]));
    let outbox = world.control("GET", "/outbox?recipient=5551112233", Value::Null).await;
    assert_eq!(outbox["list"].as_array().unwrap().len(), 4, "every message is answered");
    assert_eq!(outbox["list"][1]["text"], answer["reply"]);
    let path = "/consents?brandCode=600100&recipient=905551112233";
    let records = world.control("GET", path, Value::Null).await;
    for record in records["list"].as_array().unwrap() {
        let rejected = record["type"] == "MESAJ";
        assert_eq!(record["status"] == "RET", rejected, "{record}");
        assert_eq!(record["source"] == "IYS_KISAMESAJ", rejected, "{record}");
    }
    let providers = world.control("GET", "/providers", Value::Null).await;
    assert_eq!(providers["list"][0]["via"]["credit"], 0);
    approve(&world, json!({"recipient": "+905551112244"})).await;
    let body = json!({"recipient": "+905551112244", "text": "DEMOS"});
    let answer = world.control("POST", "/3338", body).await;
    assert_eq!(answer["results"][0]["outcome"], "rejected", "a rejection needs no credit");
}

#[tokio::test]
async fn the_voice_centre_writes_what_the_citizen_says() {
    let world = world().await;
    let call = json!({"brandCode": 600_100, "recipient": PHONE});
    let written = world.control("POST", "/voice", call).await;
    assert_eq!((&written["type"], &written["recipientType"]), (&json!("ARAMA"), &json!("BIREYSEL")));
    let call = json!({"brandCode": 600_100, "recipient": PHONE, "type": "MESAJ", "status": "ONAY"});
    world.control("POST", "/voice", call).await;
    let records =
        world.control("GET", "/consents?brandCode=600100&recipient=905551112233", Value::Null).await;
    let told: Vec<(&Value, &Value)> =
        records["list"].as_array().unwrap().iter().map(|r| (&r["status"], &r["source"])).collect();
    assert_eq!(told, [(&json!("RET"), &json!("IYS_CM")), (&json!("ONAY"), &json!("IYS_CM"))]);
    for (body, expected) in [
        (json!({"brandCode": 600_999, "recipient": PHONE}), 404),
        (json!({"brandCode": 600_100, "recipient": "a@bc.de"}), 422),
        (json!({"brandCode": 600_100, "recipient": PHONE, "type": "EPOSTA"}), 422),
    ] {
        assert_eq!(
            send(world.request("POST", "/_sandbox/voice").json(&body)).await.status,
            expected,
            "{body}"
        );
    }
}

#[tokio::test]
async fn a_closed_line_ends_every_record_of_its_number() {
    let world = world().await;
    approve(&world, json!({})).await;
    approve(&world, json!({"type": "ARAMA"})).await;
    approve(&world, json!({"recipient": "+905551112244"})).await;
    let mut merchant = world.consent("ONAY", 60).await;
    merchant["recipientType"] = "TACIR".into();
    merchant.as_object_mut().unwrap().remove("consentDate");
    let other = "/sps/600100/brands/600101/consents";
    assert_eq!(world.call("provider", "POST", other, Some(&merchant)).await.status, 200);
    let closed = world.control("POST", "/line-closure", json!({"recipient": PHONE})).await;
    let closed = closed["list"].as_array().unwrap();
    assert_eq!(closed.len(), 3);
    assert_eq!((&closed[2]["brandCode"], &closed[2]["consentDate"]), (&json!(600_101), &Value::Null));
    let page = world.control("GET", "/movements?after=0", Value::Null).await;
    for movement in &page["list"].as_array().unwrap()[4..] {
        assert_eq!(movement["source"], "IYS_AHS_HAT_KAPATMA");
        assert_eq!((&movement["status"], &movement["recipient"]), (&json!("RET"), &json!(PHONE)));
    }
    assert_eq!(closed[0]["consentDate"], page["list"][1]["consentDate"], "the date of the record it ends");
    let none = world.control("POST", "/line-closure", json!({"recipient": "+905550000000"})).await;
    assert_eq!(none["list"], json!([]));
}
