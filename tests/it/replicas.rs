//! Two replicas on PostgreSQL share the work: nothing is filed twice, one pull at a time, one request budget.

use std::collections::HashMap;

use kopru::bootstrap::App;
use kopru::clocks::Clocks;
use kopru::lifecycle::Lifecycle;
use kopru::worker;
use serde_json::json;

use crate::support::{Bridge, Database, Options, Registry, consent};

async fn second(bridge: &Bridge) -> App {
    App::start(bridge.app.config.clone(), Clocks::default(), Lifecycle::new()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_replicas_file_each_consent_once() {
    let Some(database) = Database::postgres() else { return };
    let options = Options { batch_threshold: Some(5), ..Options::default() };
    let bridge = Bridge::with(database, Registry::start().await, options).await;
    let other = second(&bridge).await;
    let given = bridge.app.clocks.business() - chrono::TimeDelta::minutes(5);
    let mut ids = Vec::new();
    for part in 0..6 {
        let body: Vec<_> = (0..400)
            .map(|n| consent(&format!("+90532{:07}", part * 1_000 + n), "MESAJ", "ONAY", given))
            .collect();
        let (_, answer) = bridge.consents(json!(body)).await;
        ids.extend(
            answer["accepted"].as_array().unwrap().iter().map(|a| a["id"].as_str().unwrap().to_owned()),
        );
    }
    for _ in 0..5 {
        let (one, two) = tokio::join!(worker::drain(&bridge.app), worker::drain(&other));
        one.unwrap();
        two.unwrap();
        bridge.advance("7m").await;
        other.clocks.set_offset(bridge.registry.sandbox.clock_offset());
    }
    for id in &ids {
        assert_eq!(bridge.state(id).await["state"], "registered");
    }
    let mut by_recipient: HashMap<String, usize> = HashMap::new();
    for movement in bridge.registry.movements().await {
        *by_recipient.entry(movement["recipient"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    assert_eq!(by_recipient.len(), ids.len());
    assert!(by_recipient.values().all(|count| *count == 1));
    let stats = bridge.registry.stats().await;
    assert!(stats["operations"]["token"]["calls"].as_i64().unwrap() <= 2, "one login serves both: {stats}");
    bridge.ledger_holds().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_replicas_share_one_budget() {
    let Some(database) = Database::postgres() else { return };
    let registry = Registry::start().await;
    // The registry's own limit: any second with more than ten requests is refused with H124.
    registry.settings(json!({"perSecondLimit": 10})).await;
    let options =
        Options { requests_per_second: Some(8.0), batch_threshold: Some(1_000), ..Options::default() };
    let bridge = Bridge::with(database, registry, options).await;
    let other = second(&bridge).await;
    let given = bridge.app.clocks.business() - chrono::TimeDelta::minutes(5);
    for part in 0..2 {
        let body: Vec<_> = (0..15)
            .map(|n| consent(&format!("+90532{:07}", part * 100 + n), "MESAJ", "ONAY", given))
            .collect();
        bridge.consents(json!(body)).await;
        let (one, two) = tokio::join!(worker::drain(&bridge.app), worker::drain(&other));
        one.unwrap();
        two.unwrap();
    }
    let stats = bridge.registry.stats().await;
    assert!(!stats.to_string().contains("H124"), "{stats}");
    assert_eq!(bridge.registry.movements().await.len(), 30);
}
