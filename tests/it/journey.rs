//! The main job, end to end.

use serde_json::json;

use crate::on_both_databases;
use crate::support::{Bridge, Database, Options, Receiver, Registry, consent};

on_both_databases! {
    /// A consent comes in, is registered, the citizen withdraws it at the registry, and the change reaches the client signed.
    async fn the_main_job(database: Database) {
        let bridge = Bridge::start(database).await;
        let receiver = Receiver::start().await;
        let (status, endpoint) = bridge
            .post("/v1/webhook-endpoints", json!({"url": receiver.url, "iysCode": bridge.registry.seed.iys_code, "description": "CRM"}))
            .await;
        assert_eq!(status, 201, "{endpoint}");
        receiver.secret(endpoint["secret"].as_str().unwrap());

        let given = bridge.app.clocks.business() - chrono::TimeDelta::minutes(5);
        let id = bridge.consent(consent("0532 123 45 67", "MESAJ", "ONAY", given)).await;
        assert_eq!(bridge.state(&id).await["state"], "queued");
        bridge.drain().await;

        let state = bridge.state(&id).await;
        assert_eq!(state["state"], "registered", "{state}");
        let held = bridge.registry.consents("+905321234567").await;
        assert!(held.to_string().contains("HS_WEB"), "{held}");
        assert_eq!(bridge.permission("+905321234567", "MESAJ").await["permissions"][0]["status"], "ONAY");

        bridge.advance("2m").await;
        bridge.registry.citizen("+905321234567", "MESAJ", "RET").await;
        bridge.drain().await;
        assert_eq!(bridge.permission("+905321234567", "MESAJ").await["permissions"][0]["status"], "ONAY", "the feed hides its last hour");

        bridge.advance("65m").await;
        bridge.drain().await;
        assert_eq!(bridge.permission("+905321234567", "MESAJ").await["permissions"][0]["status"], "RET");

        let changes = bridge.changes().await;
        let told: Vec<_> = changes.iter().map(|event| (event["type"].as_str().unwrap(), event["data"]["status"].as_str())).collect();
        assert_eq!(told, [("permission.changed", Some("ONAY")), ("permission.changed", Some("RET"))]);
        assert_eq!(changes[1]["data"]["recipient"], "+905321234567");
        assert_eq!(changes[1]["data"]["source"], "IYS_WEB");

        let delivered = receiver.events();
        assert_eq!(delivered, changes, "webhooks and feed carry the same events, in order");
        bridge.ledger_holds().await;
    }
}

on_both_databases! {
    /// A RET of ours blocks at once, and ends up at the registry after the ONAY it overtakes.
    async fn a_rejection_blocks_before_it_is_filed(database: Database) {
        let bridge = Bridge::start(database).await;
        let now = bridge.app.clocks.business();
        let onay = bridge.consent(consent("+905321234567", "MESAJ", "ONAY", now - chrono::TimeDelta::minutes(9))).await;
        bridge.drain().await;
        let ret = bridge.consent(consent("+905321234567", "MESAJ", "RET", now - chrono::TimeDelta::minutes(3))).await;
        assert_eq!(bridge.permission("+905321234567", "MESAJ").await["permissions"][0]["status"], "RET");
        bridge.drain_for(2, "5s").await;
        assert_eq!(bridge.state(&onay).await["state"], "registered");
        let state = bridge.state(&ret).await;
        assert_eq!(state["state"], "registered", "{state}");
        let statuses: Vec<_> = bridge.registry.movements().await.iter().map(|m| m["status"].as_str().unwrap().to_owned()).collect();
        assert_eq!(statuses, ["ONAY", "RET"]);
    }
}

on_both_databases! {
    /// Many consents go in batches; the first look waits, an empty answer is not a failure, each item gets its own outcome.
    async fn batches(database: Database) {
        let bridge = Bridge::with(database, Registry::start().await, Options { batch_threshold: Some(10), ..Options::default() }).await;
        let given = bridge.app.clocks.business() - chrono::TimeDelta::minutes(5);
        let body: Vec<_> = (0..1_500)
            .map(|n| consent(&format!("+90532{:07}", 1_000_000 + n), "MESAJ", "ONAY", given))
            .collect();
        let (status, answer) = bridge.consents(json!(body)).await;
        assert_eq!(status, 202);
        assert_eq!(answer["accepted"].as_array().unwrap().len(), 1_500);
        bridge.drain().await;
        let id = answer["accepted"][0]["id"].as_str().unwrap();
        assert_eq!(bridge.state(id).await["state"], "batched");
        bridge.drain_for(3, "6m").await;
        for index in [0, 999, 1_000, 1_499] {
            let id = answer["accepted"][index]["id"].as_str().unwrap();
            let state = bridge.state(id).await;
            assert_eq!(state["state"], "registered", "{index}: {state}");
        }
        assert_eq!(bridge.registry.movements().await.len(), 1_500);
        bridge.ledger_holds().await;
    }
}

on_both_databases! {
    /// A receiver that is down for a while gets every event, in order inside each address, with the same ids.
    async fn a_receiver_that_fails_gets_everything_later(database: Database) {
        let bridge = Bridge::start(database).await;
        let receiver = Receiver::start().await;
        let (_, endpoint) = bridge
            .post("/v1/webhook-endpoints", json!({"url": receiver.url, "iysCode": bridge.registry.seed.iys_code, "description": "CRM"}))
            .await;
        receiver.secret(endpoint["secret"].as_str().unwrap());
        receiver.answer_next(&[500, 503]);
        let now = bridge.app.clocks.business();
        bridge.consent(consent("+905321234567", "MESAJ", "ONAY", now - chrono::TimeDelta::minutes(9))).await;
        bridge.drain().await;
        bridge.consent(consent("+905321234567", "MESAJ", "RET", now - chrono::TimeDelta::minutes(3))).await;
        bridge.drain().await;
        assert!(receiver.events().is_empty(), "the head waits, and what is behind it too");
        bridge.drain_for(4, "2m").await;
        let statuses: Vec<_> = receiver.events().iter().map(|e| e["data"]["status"].as_str().unwrap().to_owned()).collect();
        assert_eq!(statuses, ["ONAY", "RET"]);
        let feed: Vec<_> = bridge.changes().await.iter().map(|e| e["id"].as_str().unwrap().to_owned()).collect();
        assert_eq!(receiver.ids(), feed);
    }
}
