//! Every fault of the registry on every operation the workers use: nothing lost, nothing filed twice with effect, no busy loop.

use std::time::Duration;

use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::{Bridge, Database, Options, Registry, consent};

const KINDS: [&str; 9] = [
    "429",
    "500",
    "503",
    "timeout_after_write",
    "timeout_before_write",
    "cut",
    "cut_after_write",
    "html",
    "slow",
];

async fn bridge(database: Database) -> Bridge {
    let options = Options {
        batch_threshold: Some(3),
        registry_timeout: Some(Duration::from_millis(400)),
        ..Options::default()
    };
    Bridge::with(database, Registry::start().await, options).await
}

fn number(place: usize) -> String {
    format!("+90532{:07}", 2_000_000 + place)
}

/// Calls that the sandbox counted for an operation.
fn calls(stats: &Value, operation: &str) -> i64 {
    stats["operations"][operation]["calls"].as_i64().unwrap_or_default()
}

on_both_databases! {
    async fn single_adds(database: Database) {
        let bridge = bridge(database).await;
        for (place, kind) in KINDS.into_iter().enumerate() {
            bridge.registry.fault("add", kind, 2).await;
            let before = calls(&bridge.registry.stats().await, "add");
            let given = bridge.app.clocks.business() - chrono::TimeDelta::minutes(1);
            let id = bridge.consent(consent(&number(place), "MESAJ", "ONAY", given)).await;
            bridge.drain_for(6, "90s").await;
            bridge.registry.clear_faults().await;
            let state = bridge.state(&id).await;
            assert_eq!(state["state"], "registered", "{kind}: {state}");
            let made = calls(&bridge.registry.stats().await, "add") - before;
            assert!(made <= 6, "{kind}: {made} calls for one consent");
        }
        assert_eq!(bridge.registry.movements().await.len(), KINDS.len(), "nothing was filed twice");
        bridge.ledger_holds().await;
    }
}

on_both_databases! {
    async fn batches_and_their_results(database: Database) {
        let bridge = bridge(database).await;
        let mut filed = 0;
        for (round, operation) in ["add_batch", "batch_result"].into_iter().enumerate() {
            for (place, kind) in KINDS.into_iter().enumerate() {
                bridge.registry.fault(operation, kind, 2).await;
                let given = bridge.app.clocks.business() - chrono::TimeDelta::minutes(1);
                let body: Vec<_> = (0..5)
                    .map(|n| consent(&number(1_000 + round * 500 + place * 10 + n), "MESAJ", "ONAY", given))
                    .collect();
                let (status, answer) = bridge.consents(json!(body)).await;
                assert_eq!(status, 202, "{answer}");
                bridge.drain_for(6, "7m").await;
                bridge.registry.clear_faults().await;
                for accepted in answer["accepted"].as_array().unwrap() {
                    let state = bridge.state(accepted["id"].as_str().unwrap()).await;
                    assert_eq!(state["state"], "registered", "{operation} {kind}: {state}");
                }
                filed += 5;
            }
        }
        assert_eq!(bridge.registry.movements().await.len(), filed, "nothing was filed twice");
        let stats = bridge.registry.stats().await;
        assert!(calls(&stats, "add_batch") <= 70, "{stats}");
        assert!(calls(&stats, "batch_result") <= 120, "{stats}");
        bridge.ledger_holds().await;
    }
}

on_both_databases! {
    async fn logins_and_pulls(database: Database) {
        let bridge = bridge(database).await;
        let given = bridge.app.clocks.business() - chrono::TimeDelta::minutes(1);
        bridge.consent(consent(&number(0), "MESAJ", "ONAY", given)).await;
        bridge.drain().await;
        let mut expected = "ONAY";
        for operation in ["token", "changes"] {
            for kind in KINDS {
                // Tokens of two and four hours have run out: the next call logs in.
                bridge.advance("5h").await;
                bridge.registry.fault(operation, kind, 2).await;
                expected = if expected == "ONAY" { "RET" } else { "ONAY" };
                bridge.registry.citizen(&number(0), "MESAJ", expected).await;
                bridge.drain_for(5, "20m").await;
                bridge.registry.clear_faults().await;
                bridge.drain_for(3, "20m").await;
                let permission = bridge.permission(&number(0), "MESAJ").await;
                assert_eq!(permission["permissions"][0]["status"], expected, "{operation} {kind}: {permission}");
            }
        }
        let stats = bridge.registry.stats().await;
        assert!(calls(&stats, "token") <= 120, "{stats}");
        assert!(calls(&stats, "changes") <= 700, "{stats}");
    }
}

on_both_databases! {
    /// A late RET asks for the status first; whatever happens to that question, the RET is filed once, marked late.
    async fn the_question_before_a_late_rejection(database: Database) {
        let bridge = bridge(database).await;
        for (place, kind) in KINDS.into_iter().enumerate() {
            let given = bridge.app.clocks.business() - chrono::TimeDelta::minutes(1);
            bridge.consent(consent(&number(place), "MESAJ", "ONAY", given)).await;
            bridge.drain().await;
            bridge.advance("192h").await;
            bridge.registry.fault("status", kind, 2).await;
            let ret = bridge.consent(consent(&number(place), "MESAJ", "RET", given + chrono::TimeDelta::seconds(30))).await;
            bridge.drain_for(6, "90s").await;
            bridge.registry.clear_faults().await;
            let state = bridge.state(&ret).await;
            assert_eq!((state["state"].as_str(), state["late"].as_bool()), (Some("registered"), Some(true)), "{kind}: {state}");
        }
        assert_eq!(bridge.registry.movements().await.len(), 2 * KINDS.len());
    }
}
