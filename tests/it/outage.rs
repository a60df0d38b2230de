//! A registry outage of four business days.

use serde_json::json;

use crate::on_both_databases;
use crate::support::{Bridge, Database, Options, Registry, consent, scaled};

/// Consents of the gate's run; the full run has 10 000.
const GATE: usize = 500;

fn size() -> usize {
    scaled(GATE, 10_000)
}

on_both_databases! {
    /// What can be in time is; what is late is expired (ONAY) or filed and marked late (RET), each with an event.
    async fn four_business_days(database: Database) {
        let bridge = Bridge::with(database, Registry::start().await, Options { batch_threshold: Some(20), ..Options::default() }).await;
        let number = |n: usize| format!("+90532{:07}", 3_000_000 + n);
        let start = bridge.app.clocks.business();

        // Known at the registry before the outage: those who will refuse during it.
        let refusing = size() / 10;
        let known: Vec<_> = (0..refusing).map(|n| consent(&number(n), "MESAJ", "ONAY", start - chrono::TimeDelta::minutes(5))).collect();
        for part in known.chunks(1_000) {
            assert_eq!(bridge.consents(json!(part)).await.0, 202);
        }
        bridge.drain_for(3, "6m").await;
        assert_eq!(bridge.registry.movements().await.len(), refusing);

        bridge.registry.fault("*", "503", 1_000_000).await;
        let lost = bridge.app.clocks.business();
        let late: Vec<_> = (0..size())
            .map(|n| consent(&number(n), "MESAJ", if n < refusing { "RET" } else { "ONAY" }, lost - chrono::TimeDelta::seconds(30)))
            .collect();
        let mut ids = Vec::new();
        for part in late.chunks(1_000) {
            let (status, answer) = bridge.consents(json!(part)).await;
            assert_eq!(status, 202);
            ids.extend(answer["accepted"].as_array().unwrap().iter().map(|a| a["id"].as_str().unwrap().to_owned()));
        }
        // Nine days hold four business days whatever the holidays around today.
        bridge.drain_for(18, "12h").await;
        let in_time_from = bridge.app.clocks.business();
        let fresh: Vec<_> = (0..size() / 5)
            .map(|n| consent(&number(100_000 + n), "MESAJ", "ONAY", in_time_from - chrono::TimeDelta::seconds(30)))
            .collect();
        let mut fresh_ids = Vec::new();
        for part in fresh.chunks(1_000) {
            let (_, answer) = bridge.consents(json!(part)).await;
            fresh_ids.extend(answer["accepted"].as_array().unwrap().iter().map(|a| a["id"].as_str().unwrap().to_owned()));
        }
        bridge.registry.clear_faults().await;
        bridge.drain_for(4 + u32::try_from(refusing / 50).unwrap(), "7m").await;
        // Batches that were sent again leave a question for each item, and the registry answers a thousand an hour.
        bridge.drain_for(u32::try_from(size() / 500).unwrap(), "61m").await;

        for (n, id) in ids.iter().enumerate() {
            let state = bridge.state(id).await;
            if n < refusing {
                assert_eq!((state["state"].as_str(), state["late"].as_bool()), (Some("registered"), Some(true)), "{state}");
            } else {
                assert_eq!(state["state"], "expired", "{state}");
            }
        }
        for id in &fresh_ids {
            let state = bridge.state(id).await;
            assert_eq!(state["state"], "registered", "{state}");
        }
        let changes = bridge.changes().await;
        let count = |kind: &str| changes.iter().filter(|event| event["type"] == kind).count();
        assert_eq!(count("consent.expired"), size() - refusing);
        assert_eq!(count("consent.filed_late"), refusing);
        assert_eq!(count("deadline.at_risk"), size(), "each was told of once, before it was too late");
        bridge.ledger_holds().await;
    }
}
