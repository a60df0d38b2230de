//! The control interface.

use iys_sandbox::{Sandbox, SandboxConfig, Seed};
use serde_json::{Value, json};

use crate::world::{BRAND, PHONE, World, client, send};

#[tokio::test]
async fn the_clock_moves_forward_only_and_tells_its_followers() {
    let world = World::start().await;
    let mut offsets = world.sandbox.subscribe();
    let before = world.now().await;
    world.advance("65m").await;
    assert!(offsets.has_changed().unwrap());
    assert_eq!(*offsets.borrow_and_update(), chrono::Duration::minutes(65));
    let clock = world.control("GET", "/clock", Value::Null).await;
    assert_eq!(clock["offsetMillis"], 65 * 60_000);
    let after = world.now().await;
    assert!((after - before).num_minutes() >= 65);
    world.control("POST", "/clock", json!({"set": "2071-01-01T00:00:00+03:00"})).await;
    assert!(world.now().await.to_string().starts_with("2071-01-01 00:00:0"));
    for (body, expected) in [
        (json!({"set": "2070-12-31T23:59:59+03:00"}), 409),
        (json!({"advance": "-5m"}), 422),
        (json!({"advance": "soon"}), 422),
        (json!({"advance": "9999999d"}), 422),
        (json!({"back": "5m"}), 400),
        (json!({}), 422),
        (json!({"advance": "5m", "set": "2072-01-01T00:00:00+03:00"}), 422),
        (json!({"set": "2072-01-01 00:00:00"}), 422),
    ] {
        let reply = send(world.request("POST", "/_sandbox/clock").json(&body)).await;
        // The step that is too far is found by the calendar or by the clock.
        assert_eq!(reply.status, expected, "{body}: {reply:?}");
    }
}

#[tokio::test]
async fn the_token_guards_the_control_interface() {
    let config = SandboxConfig {
        control_token: Some("right".to_owned().into()),
        seed: Seed::demo(),
        ..SandboxConfig::default()
    };
    let world = World::serve(config, client()).await;
    let ask = || world.request("GET", "/_sandbox/clock");
    assert_eq!(send(ask()).await.status, 401);
    assert_eq!(send(ask().bearer_auth("wrong")).await.status, 401);
    assert_eq!(send(ask().bearer_auth("right")).await.status, 200);
}

/// The answer said that this machine may, to this machine.
#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "a test's server has no lifecycle to join")]
async fn without_a_token_a_simulator_open_to_others_is_closed_to_all_and_says_so() {
    let sandbox = Sandbox::open(SandboxConfig::default()).unwrap();
    let listener = tokio::net::TcpListener::bind("0.0.0.0:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move { sandbox.serve(listener, std::future::pending()).await });
    let reply = send(client().get(format!("http://127.0.0.1:{port}/_sandbox/clock"))).await;
    assert_eq!(reply.status, 403, "{reply:?}");
    assert!(reply.body.to_string().contains("closed to everybody"), "{reply:?}");
}

#[tokio::test]
async fn records_are_found_however_the_address_is_written() {
    let world = World::start().await;
    let consent = world.consent("ONAY", 60).await;
    assert_eq!(world.partner("POST", &format!("{BRAND}/consents"), Some(&consent)).await.status, 200);
    for recipient in ["+905551112233", "%2B905551112233", "905551112233", "05551112233"] {
        let path = format!("/consents?brandCode=600100&recipient={recipient}");
        let found = world.control("GET", &path, Value::Null).await;
        assert_eq!(found["list"][0]["recipient"], PHONE, "{recipient}");
        assert_eq!(found["list"][0]["history"][0]["status"], "ONAY", "{recipient}");
    }
    let none = world.control("GET", "/consents?brandCode=600100&recipient=905551112299", Value::Null).await;
    assert_eq!(none["list"], json!([]));
}

#[tokio::test]
async fn movements_come_in_pages() {
    let world = World::start().await;
    let consent = world.consent("ONAY", 60).await;
    assert_eq!(world.partner("POST", &format!("{BRAND}/consents"), Some(&consent)).await.status, 200);
    world.reject_as_citizen("IYS_MOBIL").await;
    let first = world.control("GET", "/movements?brandCode=600100&limit=1", Value::Null).await;
    assert_eq!((&first["hasMore"], &first["list"][0]["side"]), (&json!(true), &json!("HS")));
    let path = format!("/movements?brandCode=600100&limit=1&after={}", first["after"]);
    let second = world.control("GET", &path, Value::Null).await;
    assert_eq!((&second["hasMore"], &second["list"][0]["side"]), (&json!(false), &json!("IYS")));
}

#[tokio::test]
async fn citizens_act_only_as_the_registry_lets_them() {
    let world = World::start().await;
    let movement = json!({
        "brandCode": 600_100, "recipient": "905551112233", "recipientType": "BIREYSEL", "type": "MESAJ",
        "status": "RET", "source": "IYS_WEB",
    });
    let with = |key: &str, value: Value| {
        let mut changed = movement.clone();
        changed[key] = value;
        changed
    };
    for (body, expected) in [
        (with("source", "HS_WEB".into()), 422),
        (with("source", "IYS_FOO".into()), 422),
        (with("brandCode", 600_999.into()), 422),
        (with("type", "EPOSTA".into()), 422),
        (with("type", "SMS".into()), 400),
        (with("consentDate", "yesterday".into()), 422),
        (with("source", "IYS_AHS_HAT_KAPATMA".into()), 409),
        (movement.clone(), 200),
    ] {
        let reply = send(world.request("POST", "/_sandbox/citizen/movements").json(&body)).await;
        let expected = if body["brandCode"] == 600_999 { 404 } else { expected };
        assert_eq!(reply.status, expected, "{body}: {reply:?}");
    }
    let name = json!({
        "brandCode": 600_100, "recipient": "ali@ornek.com", "type": "EPOSTA", "status": "ONAY",
        "source": "IYS_WEB_YENI", "citizenName": "Ayşe Örnek",
    });
    world.control("POST", "/citizen/movements", name).await;
    world.advance("65m").await;
    let feed = world.partner("GET", &format!("{BRAND}/consents/changes"), None).await.body;
    let names: Vec<&Value> =
        feed["list"].as_array().unwrap().iter().map(|item| &item["citizenName"]).collect();
    assert_eq!(names.iter().filter(|name| **name == "Ayşe Örnek").count(), 1);
    assert_eq!(names.iter().filter(|name| name.is_null()).count(), 1);
}

#[tokio::test]
async fn providers_and_partners_are_made_and_changed() {
    let world = World::start().await;
    let partner = world.control("POST", "/partners", json!({})).await;
    assert_eq!(partner["integratorCode"], 900_002);
    let made = world
        .control(
            "POST",
            "/providers",
            json!({
                "title": "ÖRNEK A.Ş.",
                "brands": [{"brandCode": 601_100}, {"brandCode": 601_101, "name": "Alt", "retailers": [11_223_344]}],
                "authorisations": [{"integratorCode": 900_002, "brandCode": 601_101, "EPOSTA": "none"}],
            }),
        )
        .await;
    let code = made["iysCode"].as_i64().unwrap();
    assert_eq!(code, 601_100);
    assert_eq!((&made["brands"][0]["master"], &made["brands"][1]["retailers"]), (&json!(true), &json!(1)));
    assert_eq!(made["authorisations"][0]["EPOSTA"], "none");
    let user = &partner["users"][0];
    let login = json!({"grant_type": "password", "username": user["username"], "password": user["password"]});
    let token = send(world.request("POST", "/oauth2/token").json(&login)).await.body["access_token"].clone();
    let list =
        send(world.request("GET", "/integrator/900002/sps").bearer_auth(token.as_str().unwrap())).await;
    assert_eq!(list.body["list"][0]["brandCode"], 601_101);
    assert!(list.body["list"][0].get("EPOSTA").is_none(), "no right is no word");
    let removal = json!({"integratorCode": 900_002, "brandCode": 601_101, "remove": true});
    let remove = json!({"iysCode": code, "authorisations": [removal]});
    assert_eq!(world.control("POST", "/providers", remove).await["authorisations"], json!([]));
    for wrong in [
        json!({"iysCode": code, "brands": [{"brandCode": 600_100}]}),
        json!({"authorisations": [{"integratorCode": 999, "brandCode": 600_100}]}),
        json!({"authorisations": [{"integratorCode": 900_001, "brandCode": 600_100, "MESAJ": "all"}]}),
        json!({"subscription": {"status": "OVER"}}),
        json!({"activationDate": "2026"}),
    ] {
        assert_eq!(
            send(world.request("POST", "/_sandbox/providers").json(&wrong)).await.status,
            422,
            "{wrong}"
        );
    }
    assert_eq!(world.control("GET", "/providers", Value::Null).await["list"].as_array().unwrap().len(), 2);
}

/// What was of the wrong kind had no name, and what lies below zero was taken.
#[tokio::test]
async fn a_setting_that_cannot_be_used_is_named() {
    let world = World::start().await;
    for wrong in [
        json!({"batchDelaySeconds": 1, "batchResultAfterSeconds": "x"}),
        json!({"batchResultAfterSeconds": -1}),
    ] {
        let answer = send(world.request("PUT", "/_sandbox/settings").json(&wrong)).await;
        assert_eq!(answer.status, 422, "{}", answer.body);
        assert!(answer.body.to_string().contains("batchResultAfterSeconds"), "{}", answer.body);
    }
    assert_eq!(
        world.control("GET", "/settings", Value::Null).await["batchDelaySeconds"],
        60,
        "nothing was changed"
    );
}

#[tokio::test]
async fn unknown_rules_and_paths_are_refused() {
    let world = World::start().await;
    let wrong = json!({"disabledRules": ["no_such_rule"]});
    assert_eq!(send(world.request("PUT", "/_sandbox/settings").json(&wrong)).await.status, 422);
    assert_eq!(send(world.request("GET", "/sps/600100/brandz")).await.status, 404);
}

#[test]
fn an_empty_seed_makes_nobody() {
    let sandbox = Sandbox::open(SandboxConfig::default()).unwrap();
    assert!(sandbox.seed_info().is_none());
    assert_eq!(sandbox.clock_offset(), chrono::Duration::zero());
}

#[tokio::test]
async fn the_assumed_answers_can_be_changed() {
    let world = World::start().await;
    let key = json!({"recipient": PHONE, "recipientType": "BIREYSEL", "type": "MESAJ"});
    for (answer, status, body) in [("no_content", 204, Value::Null), ("empty_object", 200, json!({}))] {
        world.settings(json!({"missingStatus": answer})).await;
        let reply = world.partner("POST", &format!("{BRAND}/consents/status"), Some(&key)).await;
        assert_eq!((reply.status, reply.body), (status, body));
    }
    world.settings(json!({"h353ColonKey": true, "tokenLimitFlatBody": true, "tokenLimitPerHour": 1})).await;
    let reply = world.partner("GET", "/sps/999999/subscription", None).await;
    assert_eq!(reply.body["errors"][0]["code:"], "H353");
    assert!(reply.body["errors"][0].get("code").is_none());
    let refused = send(world.request("POST", "/oauth2/token")).await;
    assert_eq!((refused.status, &refused.body["code"]), (429, &json!("H084")));
}

#[tokio::test]
async fn a_result_that_is_asked_for_too_early_is_not_shown() {
    let world = World::start().await;
    let list = json!([world.consent("ONAY", 60).await]);
    let added = world.partner("POST", &format!("{BRAND}/consents/request"), Some(&list)).await;
    let path = format!("{BRAND}/consents/request/{}", added.body["requestId"].as_str().unwrap());
    world.advance("299s").await;
    let shown = async || world.partner("GET", &path, None).await.body;
    assert_eq!(shown().await[0]["status"], "success", "it was processed after a minute");
    world.advance("1s").await;
    world.settings(json!({"batchResultAfterSeconds": 330})).await;
    assert_eq!(shown().await, json!([]));
    world.settings(json!({"batchPending": "enqueue"})).await;
    let waiting = json!([{"index": 0, "status": "enqueue",
                          "subRequestId": added.body["subRequests"][0]["subRequestId"]}]);
    assert_eq!(shown().await, waiting);
    world.advance("30s").await;
    assert_eq!(shown().await[0]["status"], "success");
    world.settings(json!({"batchResultAfterSeconds": 86_400})).await;
    assert_eq!(shown().await, waiting);
    world.settings(json!({"batchResultAfterSeconds": null})).await;
    assert_eq!(shown().await[0]["status"], "success", "the switch is off");
}

/// The refusal of a request at the control interface: status, code, and the English sentence.
async fn refusal(world: &World, method: &str, path: &str, body: Value) -> (u16, String, String) {
    let reply = send(world.request(method, &format!("/_sandbox{path}")).body(body.to_string())).await;
    let text = |key: &str| reply.body["error"][key].as_str().unwrap_or_default().to_owned();
    assert!(!text("tr").is_empty(), "{method} {path}: {reply:?}");
    (reply.status, text("code"), text("en"))
}

#[tokio::test]
async fn an_empty_move_of_the_clock_is_told_what_moves_it() {
    let world = World::start().await;
    for body in [json!({}), json!({"advance": null})] {
        let (status, _, says) = refusal(&world, "POST", "/clock", body).await;
        assert!(status == 422 && says.contains("advance") && says.contains("set"), "{says}");
    }
    let (status, _, says) = refusal(&world, "POST", "/clock", json!({"forward": "5m"})).await;
    assert!(status == 400 && says.contains("`advance`") && says.contains("`set`"), "{says}");
}

#[tokio::test]
async fn an_unreadable_query_or_number_is_refused_like_everything_else() {
    let world = World::start().await;
    for path in [
        "/consents?brandCode=x",
        "/movements?after=yesterday",
        "/outbox?limit=all",
        "/complaints?iysCode=600100&iysCode=600100",
    ] {
        let (status, code, says) = refusal(&world, "GET", path, Value::Null).await;
        assert!(status == 400 && code == "unreadable" && says.contains("query"), "{path}: {says}");
    }
    let (status, code, _) = refusal(&world, "POST", "/complaints/first", json!({"state": "sent"})).await;
    assert_eq!((status, code.as_str()), (404, "not_found"));
}

#[tokio::test]
async fn a_movement_has_a_source_that_the_registry_has() {
    let world = World::start().await;
    let movement = |source: &str| json!({"brandCode": 600_100, "recipient": PHONE, "type": "MESAJ", "status": "RET", "source": source});
    for source in ["IYS_FOO", "IYS_", "HS_WEB"] {
        let (status, _, says) = refusal(&world, "POST", "/citizen/movements", movement(source)).await;
        assert!(status == 422 && says.contains("IYS_KISAMESAJ, IYS_CM"), "{source}: {says}");
    }
    world.control("POST", "/citizen/movements", movement("IYS_FRAME_SMS")).await;
    world.settings(json!({"acceptUnknownSources": true})).await;
    world.control("POST", "/citizen/movements", movement("IYS_FOO")).await;
    assert_eq!(refusal(&world, "POST", "/citizen/movements", movement("HS_WEB")).await.0, 422);
}

#[tokio::test]
async fn an_unusable_recipient_is_told_what_is_wrong_with_it() {
    let world = World::start().await;
    world.settings(json!({"acceptLandlineMessage": false})).await;
    for (recipient, channel, wanted) in [
        ("12345", "MESAJ", "no valid phone number"),
        ("Ayşe", "EPOSTA", "no valid phone number"),
        ("ayşe@ornek.com", "EPOSTA", "no valid e-mail address"),
        ("ali@ornek.com", "ARAMA", "ARAMA wants a phone number"),
        (PHONE, "EPOSTA", "EPOSTA wants an e-mail address"),
        ("+902121230000", "MESAJ", "a landline"),
    ] {
        let body = json!({"brandCode": 600_100, "recipient": recipient, "type": channel, "status": "RET",
                          "source": "IYS_WEB"});
        let (status, code, says) = refusal(&world, "POST", "/citizen/movements", body).await;
        assert_eq!((status, code.as_str()), (422, "invalid"));
        assert!(says.starts_with("recipient is unusable: ") && says.contains(wanted), "{recipient}: {says}");
    }
    let call = json!({"recipient": "ali@ornek.com", "text": "RET 600100"});
    assert!(refusal(&world, "POST", "/3338", call).await.2.contains("wants a phone number"));
}

#[tokio::test]
async fn an_encoded_plus_in_a_body_is_a_plus_and_not_the_digit_2() {
    let world = World::start().await;
    let body = json!({"brandCode": 600_100, "recipient": "%2B905551112233", "type": "MESAJ", "status": "ONAY",
                      "source": "IYS_WEB"});
    world.control("POST", "/citizen/movements", body).await;
    let found = world.control("GET", "/consents?brandCode=600100", Value::Null).await;
    assert_eq!(found["list"][0]["recipient"], PHONE);
}
