//! A batch whose first POST had no answer is posted again. What its items' results say of a record that is there already may
//! be about that first POST: it is believed only after the status was asked (design.md section 4.7).

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::{Bridge, Database, Options, Registry, consent};

const ITEMS: usize = 5;

fn number(place: usize) -> String {
    format!("+90532{:07}", 4_000_000 + place)
}

/// A registry that does not recognise what it was told before: the second POST meets the records of the first.
async fn bridge(database: Database) -> Bridge {
    let options = Options {
        batch_threshold: Some(3),
        registry_timeout: Some(Duration::from_millis(400)),
        ..Options::default()
    };
    let registry = Registry::start().await;
    registry.settings(json!({"disabledRules": ["v2_repeat"]})).await;
    Bridge::with(database, registry, options).await
}

/// Posts one movement of each address; the POST to the registry is cut off after it was taken.
async fn cut_off(bridge: &Bridge, status: &str, date: DateTime<Utc>) -> Vec<String> {
    bridge.registry.fault("add_batch", "cut_after_write", 1).await;
    let body: Vec<_> = (0..ITEMS).map(|place| consent(&number(place), "MESAJ", status, date)).collect();
    let (code, answer) = bridge.consents(json!(body)).await;
    assert_eq!(code, 202, "{answer}");
    bridge.drain().await;
    let accepted = answer["accepted"].as_array().unwrap();
    accepted.iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

fn calls(stats: &Value, operation: &str) -> i64 {
    stats["operations"][operation]["calls"].as_i64().unwrap_or_default()
}

on_both_databases! {
    async fn what_the_first_post_recorded_is_ours(database: Database) {
        let bridge = bridge(database).await;
        let given = bridge.app.clocks.business() - TimeDelta::minutes(5);
        // ONAY meets H178, RET meets H174.
        for (status, date) in [("ONAY", given), ("RET", given + TimeDelta::minutes(1))] {
            let ids = cut_off(&bridge, status, date).await;
            bridge.drain_for(3, "7m").await;
            for id in &ids {
                let state = bridge.state(id).await;
                assert_eq!((state["state"].as_str(), state.get("code")), (Some("registered"), None), "{state}");
            }
        }
        let stats = bridge.registry.stats().await;
        assert_eq!(calls(&stats, "add_batch"), 4, "each was posted twice: {stats}");
        assert_eq!(calls(&stats, "status"), 2 * ITEMS as i64, "each item was asked about once: {stats}");
        assert_eq!(calls(&stats, "add"), 0, "{stats}");
        assert_eq!(bridge.registry.movements().await.len(), 2 * ITEMS, "nothing was filed twice");
        bridge.ledger_holds().await;
    }
}

on_both_databases! {
    /// The question can fail, or have to wait: the answer that led to it is remembered, and the bytes are not sent again.
    async fn the_question_is_asked_until_it_is_answered(database: Database) {
        let bridge = bridge(database).await;
        let given = bridge.app.clocks.business() - TimeDelta::minutes(5);
        let ids = cut_off(&bridge, "ONAY", given).await;
        bridge.registry.fault("status", "503", ITEMS as u32).await;
        bridge.drain_for(2, "7m").await;
        bridge.registry.clear_faults().await;
        bridge.drain_for(2, "15m").await;
        for id in &ids {
            assert_eq!(bridge.state(id).await["state"], "registered");
        }
        let stats = bridge.registry.stats().await;
        assert_eq!(calls(&stats, "add"), 0, "{stats}");
    }
}

on_both_databases! {
    async fn what_the_citizen_did_meanwhile_is_not_ours(database: Database) {
        let bridge = bridge(database).await;
        let given = bridge.app.clocks.business() - TimeDelta::minutes(5);
        bridge.advance("1m").await;
        let ids = cut_off(&bridge, "ONAY", given).await;
        // The registry works the first POST off; then the citizen refuses, and the second POST comes.
        bridge.registry.advance("2m").await;
        bridge.registry.citizen(&number(0), "MESAJ", "RET").await;
        bridge.drain_for(3, "7m").await;
        let first = bridge.state(&ids[0]).await;
        assert_eq!((first["state"].as_str(), first["code"].as_str()), (Some("not_needed"), Some("H178")), "{first}");
        assert_eq!(bridge.permission(&number(0), "MESAJ").await["permissions"][0]["status"], "RET");
        for id in &ids[1..] {
            assert_eq!(bridge.state(id).await["state"], "registered");
        }
    }
}
