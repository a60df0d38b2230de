//! Bad input has its own clear problem each; what the rules end is accepted with a terminal state and its reason.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::{Bridge, Database, Options, Receiver, Registry, consent};

on_both_databases! {
    async fn bad_input_names_the_field_and_what_to_do(database: Database) {
        let bridge = Bridge::start(database).await;
        let now = bridge.app.clocks.business();
        let given = now - TimeDelta::minutes(5);
        let good = consent("+905321234567", "MESAJ", "ONAY", given);
        let with = |field: &str, value: Value| {
            let mut body = good.clone();
            body[field] = value;
            body
        };
        let future = kopru_domain::time::format_rfc3339(now + TimeDelta::hours(1));
        let cases = [
            ("unknown field", with("recepient", json!("x")), "recepient"),
            ("wrong enum", with("type", json!("SMS")), "type"),
            ("wrong status", with("status", json!("EVET")), "status"),
            ("a landline for MESAJ", with("recipient", json!("0212 123 45 67")), "recipient"),
            ("an e-mail for MESAJ", with("recipient", json!("a@example.com")), "recipient"),
            ("digits lost by Excel", with("recipient", json!("5,32E+09")), "recipient"),
            ("two numbers in one cell", with("recipient", json!("05321234567 / 05331234567")), "recipient"),
            ("a number without quotes", with("recipient", json!(5_321_234_567_i64)), "recipient"),
            ("future date", with("consentDate", json!(future)), "consentDate"),
            ("before 2015-05-01", with("consentDate", json!("2015-04-30 23:59:59")), "consentDate"),
            ("no date", with("consentDate", Value::Null), "consentDate"),
            ("IYS_ source", with("source", json!("IYS_WEB")), "source"),
        ];
        for (what, body, field) in cases {
            let (status, problem) = bridge.consents(body).await;
            assert_eq!(status, 422, "{what}: {problem}");
            assert_eq!(problem["errors"][0]["field"], field, "{what}: {problem}");
            assert!(problem["errors"][0]["title"].as_str().is_some_and(|title| title.len() > 10), "{what}: {problem}");
            assert!(problem["type"].as_str().unwrap().starts_with("urn:kopru:problem:"), "{problem}");
        }
        let path = format!("/v1/brands/{}/consents", bridge.brand());
        let raw = |body: Vec<u8>| bridge.post_raw(&path, &bridge.key, &[], body);
        assert_eq!(raw(Vec::new()).await.0, 400, "empty body");
        assert_eq!(raw(b"{".to_vec()).await.0, 400, "cut body");
        assert_eq!(raw(b"[]".to_vec()).await.0, 422, "empty array");
        assert_eq!(raw(vec![b' '; 11 * 1024 * 1024]).await.0, 413, "11 MB");
        let many = vec![good.clone(); 10_001];
        assert_eq!(bridge.consents(json!(many)).await.0, 413, "10 001 items");
        assert_eq!(bridge.post("/v1/brands/999999/consents", good.clone()).await.0, 404, "wrong brand");
        assert_eq!(bridge.post_as("kpr_nokey_nosecret", &path, good.clone()).await.0, 401, "unknown key");

        // One bad item among good ones: its neighbours live.
        let mixed = json!([good, with("type", json!("SMS")), consent("+905321234568", "MESAJ", "ONAY", given)]);
        let (status, answer) = bridge.consents(mixed).await;
        assert_eq!(status, 202, "{answer}");
        assert_eq!(answer["accepted"].as_array().unwrap().len(), 2, "{answer}");
        assert_eq!(answer["refused"][0]["index"], 1, "{answer}");
    }
}

on_both_databases! {
    async fn keys_open_only_what_they_may(database: Database) {
        let bridge = Bridge::start(database).await;
        let given = bridge.app.clocks.business() - TimeDelta::minutes(5);
        let good = consent("+905321234567", "MESAJ", "ONAY", given);
        let path = format!("/v1/brands/{}/consents", bridge.brand());
        let key = |body: Value| async { bridge.post_as(&bridge.admin, "/v1/keys", body).await };

        let (status, reader) = key(json!({"name": "reader", "scopes": ["consents:read"]})).await;
        assert_eq!(status, 201, "{reader}");
        let (status, problem) = bridge.post_as(reader["key"].as_str().unwrap(), &path, good.clone()).await;
        assert_eq!(status, 403);
        assert!(problem.to_string().contains("consents:write"), "{problem}");

        let past = kopru_domain::time::format_rfc3339(bridge.app.clocks.wire() + TimeDelta::seconds(1));
        let (status, expiring) = key(json!({"name": "expiring", "scopes": ["consents:write"], "expiresAt": past})).await;
        assert_eq!(status, 201, "{expiring}");

        // Another provider: its key does not see this brand at all.
        let (status, other) = bridge.post_as(&bridge.admin, "/v1/providers", json!({"iysCode": 700_001, "title": "Başka A.Ş."})).await;
        assert_eq!(status, 201, "{other}");
        let (_, foreign) = key(json!({"name": "foreign", "scopes": ["consents:write"], "iysCode": 700_001})).await;
        let (status, problem) = bridge.post_as(foreign["key"].as_str().unwrap(), &path, good.clone()).await;
        assert_eq!(status, 404, "another provider's brand does not exist: {problem}");
    }
}

on_both_databases! {
    /// Not errors: accepted with a terminal state and its reason.
    async fn what_the_rules_end_is_accepted(database: Database) {
        let bridge = Bridge::start(database).await;
        let now = bridge.app.clocks.business();

        let late = bridge.consents(consent("+905321234501", "MESAJ", "ONAY", now - TimeDelta::days(30))).await;
        assert_eq!((late.0, &late.1["accepted"][0]["state"]), (202, &json!("expired")), "{}", late.1);

        // The registry says that it holds nothing: the RET becomes a block of ours and is done.
        let first = bridge.consent(consent("+905321234502", "MESAJ", "RET", now - TimeDelta::minutes(9))).await;
        bridge.drain().await;
        let state = bridge.state(&first).await;
        assert_eq!((state["state"].as_str(), state["code"].as_str()), (Some("not_needed"), Some("H175")), "{state}");
        let again = bridge.consents(consent("+905321234502", "MESAJ", "RET", now - TimeDelta::minutes(8))).await;
        assert_eq!(again.1["accepted"][0]["state"], "not_needed", "{}", again.1);
        assert_eq!(bridge.permission("+905321234502", "MESAJ").await["permissions"][0]["status"], "RET");

        bridge.consent(consent("+905321234503", "MESAJ", "ONAY", now - TimeDelta::minutes(9))).await;
        bridge.drain().await;
        let repeated = bridge.consents(consent("+905321234503", "MESAJ", "ONAY", now - TimeDelta::minutes(8))).await;
        let accepted = &repeated.1["accepted"][0];
        assert_eq!((accepted["state"].as_str(), accepted["code"].as_str()), (Some("not_needed"), Some("already_approved")), "{accepted}");
        bridge.ledger_holds().await;
    }
}

on_both_databases! {
    async fn the_same_request_twice_has_one_effect(database: Database) {
        let bridge = Bridge::start(database).await;
        let given = bridge.app.clocks.business() - TimeDelta::minutes(5);
        let path = format!("/v1/brands/{}/consents", bridge.brand());
        let body: Vec<_> = (0..2_500).map(|n| consent(&format!("+90532{n:07}"), "MESAJ", "ONAY", given)).collect();
        let bytes = serde_json::to_vec(&body).unwrap();
        let header = [("idempotency-key", "import-1")];
        let first = bridge.post_raw(&path, &bridge.key, &header, bytes.clone()).await;
        let second = bridge.post_raw(&path, &bridge.key, &header, bytes.clone()).await;
        assert_eq!((first.0, second.0), (202, 202));
        assert_eq!(first.1, second.1, "the stored answer comes again");
        let other = bridge.post_raw(&path, &bridge.key, &header, b"[]".to_vec()).await;
        assert_eq!(other.0, 422, "{}", other.1);
        let reports = kopru::service::ledger::verify(&bridge.app, None, kopru_domain::Lang::En).await.unwrap();
        assert_eq!(reports[0].rows, 2_500);
    }
}

on_both_databases! {
    /// A check answers from the mirror, and refuses when the mirror is too old.
    async fn a_check_fails_closed(database: Database) {
        let bridge = Bridge::start(database).await;
        let now = bridge.app.clocks.business();
        bridge.drain().await;
        bridge.consent(consent("+905321234501", "MESAJ", "ONAY", now - TimeDelta::minutes(5))).await;
        bridge.drain().await;
        bridge.consent(consent("+905321234502", "MESAJ", "ONAY", now - TimeDelta::minutes(5))).await;
        let path = format!("/v1/brands/{}/check", bridge.brand());
        let list = json!({"type": "MESAJ", "recipients": ["0532 123 45 01", "+905321234502", "+905321234503", "12"]});
        let (status, answer) = bridge.post(&path, list.clone()).await;
        assert_eq!(status, 200, "{answer}");
        let reasons = |answer: &Value| -> Vec<String> {
            answer["verdicts"].as_array().unwrap_or_else(|| panic!("{answer}")).iter()
                .map(|r| r["reason"].as_str().unwrap_or(if r["allowed"] == json!(true) { "allowed" } else { "?" }).to_owned()).collect()
        };
        assert_eq!(reasons(&answer), ["allowed", "pending", "unknown", "invalid"]);
        bridge.advance("3h").await;
        let (_, stale) = bridge.post(&path, list).await;
        assert_eq!(reasons(&stale), ["stale", "stale", "stale", "invalid"], "{stale}");
    }
}

on_both_databases! {
    /// What was claimed before the registry refused the first went on one by one, and each was refused.
    async fn a_missing_right_stops_what_is_in_hand(database: Database) {
        let options = Options { batch_threshold: Some(1_000), ..Options::default() };
        let bridge = Bridge::with(database, Registry::start().await, options).await;
        let rights = json!([{"integratorCode": bridge.registry.seed.integrator_code, "brandCode": bridge.brand(),
            "MESAJ": "none", "ARAMA": "write", "EPOSTA": "write"}]);
        bridge.registry.clear_brand_rights(rights).await;
        let given = bridge.app.clocks.business() - TimeDelta::minutes(5);
        let body: Vec<_> = (0..200).map(|n| consent(&format!("+90532{n:07}"), "MESAJ", "ONAY", given)).collect();
        assert_eq!(bridge.consents(json!(body)).await.0, 202);
        bridge.drain().await;
        let (_, held) = bridge.get(&format!("/v1/brands/{}/consents?state=held&limit=200", bridge.brand())).await;
        assert_eq!(held["items"].as_array().unwrap().len(), 200);
        let calls = bridge.registry.stats().await["operations"]["add"]["calls"].as_i64().unwrap();
        assert!((1..100).contains(&calls), "{calls} calls for one missing right");
        let next = held["items"][0]["id"].as_str().unwrap();
        let next = bridge.state(next).await["nextAttemptAt"].as_str().map(ToOwned::to_owned);
        let now = kopru_domain::time::format_rfc3339(bridge.app.clocks.business());
        assert!(next.is_some_and(|next| next > now), "what is held is looked at later, not in the past");
        bridge.ledger_holds().await;
    }
}

on_both_databases! {
    /// The results of a batch that was sent before lifted the hold, and all that it held was filed and refused one by one.
    async fn what_was_sent_before_lifts_no_hold(database: Database) {
        let options = Options { batch_threshold: Some(2), ..Options::default() };
        let bridge = Bridge::with(database, Registry::start().await, options).await;
        let given = bridge.app.clocks.business() - TimeDelta::minutes(5);
        let body: Vec<_> = (0..5).map(|n| consent(&format!("+9053212300{n:02}"), "MESAJ", "ONAY", given)).collect();
        let (_, before) = bridge.consents(json!(body)).await;
        bridge.drain().await;
        let rights = json!([{"integratorCode": bridge.registry.seed.integrator_code, "brandCode": bridge.brand(),
            "MESAJ": "none", "ARAMA": "write", "EPOSTA": "write"}]);
        bridge.registry.clear_brand_rights(rights).await;
        let mut held = Vec::new();
        for n in 0..6 {
            held.push(bridge.consent(consent(&format!("+9053212400{n:02}"), "MESAJ", "ONAY", given)).await);
            bridge.drain().await;
        }
        let calls = async || bridge.registry.stats().await["operations"]["add"]["calls"].as_i64().unwrap();
        let asked = calls().await;
        bridge.drain_for(2, "6m").await;
        let first = before["accepted"][0]["id"].as_str().unwrap();
        assert_eq!(bridge.state(first).await["state"], "registered", "its result has come");
        for id in &held {
            let state = bridge.state(id).await;
            assert_eq!((&state["state"], &state["explanation"]["redriveHelps"]), (&json!("held"), &json!(false)), "{state}");
        }
        assert!(calls().await - asked <= 1, "a probe at most");
    }
}

on_both_databases! {
    /// A missing right holds the brand's channel with its reason, costs one probe now and then, and heals by itself.
    async fn a_missing_right_holds_and_heals(database: Database) {
        let bridge = Bridge::start(database).await;
        let receiver = Receiver::start().await;
        let rights = |message: &str| json!([{"integratorCode": bridge.registry.seed.integrator_code, "brandCode": bridge.brand(),
            "MESAJ": message, "ARAMA": "write", "EPOSTA": "write"}]);
        bridge.registry.clear_brand_rights(rights("none")).await;
        let given = bridge.app.clocks.business() - TimeDelta::minutes(5);
        let mut ids = Vec::new();
        for n in 0..5 {
            ids.push(bridge.consent(consent(&format!("+90532123450{n}"), "MESAJ", "ONAY", given)).await);
            bridge.drain().await;
        }
        let state = bridge.state(&ids[4]).await;
        assert_eq!((state["state"].as_str(), state["code"].as_str()), (Some("held"), Some("H355")), "{state}");
        let before = bridge.registry.stats().await["operations"]["add"]["calls"].as_i64().unwrap();
        bridge.drain_for(4, "20m").await;
        let probes = bridge.registry.stats().await["operations"]["add"]["calls"].as_i64().unwrap() - before;
        assert!((1..=5).contains(&probes), "{probes} probes in 80 minutes");
        bridge.registry.clear_brand_rights(rights("write")).await;
        bridge.drain_for(2, "20m").await;
        for id in &ids {
            assert_eq!(bridge.state(id).await["state"], "registered");
        }
        drop(receiver);
    }
}
