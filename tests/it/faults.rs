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
    /// Neither said why it waits: there was no code, and so no explanation.
    async fn what_waits_for_a_registry_that_is_silent_says_so(database: Database) {
        let bridge = bridge(database).await;
        let given = bridge.app.clocks.business() - chrono::TimeDelta::minutes(1);
        bridge.registry.fault("add", "timeout_after_write", 1).await;
        let lost = bridge.consent(consent(&number(1), "MESAJ", "ONAY", given)).await;
        bridge.drain().await;
        let state = bridge.state(&lost).await;
        assert_eq!((&state["state"], &state["code"]), (&json!("unresolved"), &json!("outcome_unknown")), "{state}");
        assert!(state["explanation"]["cause"].is_string() && state["nextAttemptAt"].is_string(), "{state}");

        for operation in ["add", "status"] {
            bridge.registry.fault(operation, "503", 100).await;
        }
        bridge.drain_for(12, "10s").await;
        let mut waiting = bridge.consent(consent(&number(2), "MESAJ", "ONAY", given)).await;
        if bridge.state(&waiting).await["code"] != "registry_silent" {
            // The silence has just ended: this one tries whether the registry is back, and begins the next.
            bridge.drain().await;
            waiting = bridge.consent(consent(&number(3), "MESAJ", "ONAY", given)).await;
        }
        let state = bridge.state(&waiting).await;
        assert_eq!((&state["state"], &state["code"]), (&json!("queued"), &json!("registry_silent")), "{state}");
        assert_eq!(state["explanation"]["who"], "nobody", "{state}");
        bridge.registry.clear_faults().await;
        bridge.drain_for(6, "90s").await;
        for id in [&lost, &waiting] {
            assert_eq!(bridge.state(id).await["state"], "registered");
        }
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

/// The right to file messages, as the registry has it for the brand.
async fn give_right(bridge: &Bridge, message: &str) {
    let right = json!([{"integratorCode": bridge.registry.seed.integrator_code, "brandCode": bridge.brand(),
        "MESAJ": message, "ARAMA": "write", "EPOSTA": "write"}]);
    bridge.registry.clear_brand_rights(right).await;
}

on_both_databases! {
    /// What was sent with unknown outcome when the right went can be neither held nor sent otherwise. It said nothing of why
    /// it waited, and neither did what was queued behind it; and each was sent again every half hour for as long as it took.
    async fn a_right_goes_while_outcomes_are_unknown(database: Database) {
        for (operation, count) in [("add", 2), ("add_batch", 8)] {
            let bridge = bridge(database).await;
            bridge.registry.fault(operation, "cut", u32::try_from(count).unwrap()).await;
            let given = bridge.app.clocks.business() - chrono::TimeDelta::minutes(1);
            let body = |date| -> Vec<_> { (0..count).map(|n| consent(&number(3_000 + n), "MESAJ", "ONAY", date)).collect() };
            let (_, answer) = bridge.consents(json!(body(given))).await;
            let first = answer["accepted"][0]["id"].as_str().unwrap().to_owned();
            bridge.drain().await;
            assert_eq!(bridge.state(&first).await["state"], "unresolved");
            give_right(&bridge, "none").await;
            bridge.registry.clear_faults().await;
            // One that meets the missing right by itself, and later decisions of the same people.
            bridge.consent(consent(&number(4_000), "MESAJ", "ONAY", given)).await;
            bridge.drain_for(3, "10m").await;
            let (_, answer) = bridge.consents(json!(body(bridge.app.clocks.business()))).await;
            let second = answer["accepted"][0]["id"].as_str().unwrap().to_owned();
            let before = calls(&bridge.registry.stats().await, operation);
            bridge.drain_for(24, "30m").await;
            for (id, state) in [(&first, "unresolved"), (&second, "queued")] {
                let told = bridge.state(id).await;
                assert_eq!((told["state"].as_str(), told["code"].as_str()), (Some(state), Some("H355")), "{operation}: {told}");
                assert_eq!(told["heldCause"], "type_right", "{told}");
                assert!(told["explanation"]["title"].is_string(), "{told}");
            }
            // Two singles, and a probe every quarter of an hour; or one batch.
            let most = if operation == "add" { 2 * 10 + 12 * 4 } else { 10 };
            let made = calls(&bridge.registry.stats().await, operation) - before;
            assert!(made <= most, "{made} calls of {operation} in 12 hours");
            give_right(&bridge, "write").await;
            bridge.drain_for(8, "31m").await;
            let told = bridge.state(&first).await;
            assert_eq!((told["state"].as_str(), &told["code"], &told["heldCause"]), (Some("registered"), &Value::Null, &Value::Null), "{told}");
            assert_eq!(bridge.state(&second).await["state"], "not_needed");
            bridge.ledger_holds().await;
        }
    }
}
