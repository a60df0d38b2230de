//! The registry's hourly limits: nothing is asked beyond them, and what has to be asked waits for the next hour.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::{Bridge, Database, Options, Registry, consent};

/// Status queries that the registry takes an hour.
const AN_HOUR: i64 = 1_000;

fn number(place: usize) -> String {
    format!("+90532{:07}", 5_000_000 + place)
}

async fn bridge(database: Database, limits: Value) -> Bridge {
    let registry = Registry::start().await;
    registry.settings(limits).await;
    Bridge::with(database, registry, Options { batch_threshold: Some(20), ..Options::default() }).await
}

fn calls(stats: &Value, operation: &str) -> i64 {
    stats["operations"][operation]["calls"].as_i64().unwrap_or_default()
}

/// Posts one movement of each of these addresses and returns the ids.
async fn post(bridge: &Bridge, count: usize, status: &str, date: DateTime<Utc>) -> Vec<String> {
    let body: Vec<_> = (0..count).map(|place| consent(&number(place), "MESAJ", status, date)).collect();
    let (code, answer) = bridge.consents(json!(body)).await;
    assert_eq!(code, 202, "{answer}");
    let accepted = answer["accepted"].as_array().unwrap();
    accepted.iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

/// Approvals at the registry, and then their rejections, which come too late for their date.
async fn late_rejections(bridge: &Bridge, count: usize) -> Vec<String> {
    let given = bridge.app.clocks.business() - TimeDelta::minutes(5);
    post(bridge, count, "ONAY", given).await;
    bridge.drain_for(3, "6m").await;
    bridge.advance("192h").await;
    post(bridge, count, "RET", given + TimeDelta::seconds(30)).await
}

async fn registered(bridge: &Bridge, ids: &[String]) -> usize {
    let mut count = 0;
    for id in ids {
        let state = bridge.state(id).await;
        count += usize::from(state["state"] == "registered" && state["late"] == json!(true));
    }
    count
}

on_both_databases! {
    async fn late_rejections_keep_within_the_hour(database: Database) {
        let bridge = bridge(database, json!({"statusLimitPerHour": AN_HOUR})).await;
        let ids = late_rejections(&bridge, 1_200).await;
        bridge.drain().await;
        let stats = bridge.registry.stats().await;
        assert_eq!(calls(&stats, "status"), AN_HOUR, "all of the hour's questions are used: {stats}");
        assert_eq!(stats["refusedByLimit"], json!({}), "and no call is wasted: {stats}");
        assert_eq!(bridge.registry.movements().await.len(), 1_200 + 1_000);

        // They come back when the hour is over, and not before.
        bridge.advance("50m").await;
        bridge.drain().await;
        assert_eq!(calls(&bridge.registry.stats().await, "status"), AN_HOUR);
        bridge.advance("15m").await;
        bridge.drain().await;
        let stats = bridge.registry.stats().await;
        assert_eq!((calls(&stats, "status"), &stats["refusedByLimit"]), (1_200, &json!({})), "{stats}");
        assert_eq!(bridge.registry.movements().await.len(), 1_200 + 1_200);
        assert_eq!(registered(&bridge, &ids[1_150..]).await, 50);
        bridge.ledger_holds().await;
    }
}

on_both_databases! {
    /// Somebody else asks from the same address: the first refusal is remembered for the rest of the hour.
    async fn a_refusal_is_remembered(database: Database) {
        let bridge = bridge(database, json!({"statusLimitPerHour": 10})).await;
        let ids = late_rejections(&bridge, 40).await;
        bridge.drain().await;
        let stats = bridge.registry.stats().await;
        assert_eq!((calls(&stats, "status"), &stats["refusedByLimit"]["H086"]), (11, &json!(1)), "{stats}");
        bridge.registry.settings(json!({"statusLimitPerHour": null})).await;
        bridge.advance("61m").await;
        bridge.drain().await;
        assert_eq!(registered(&bridge, &ids).await, 40);
    }
}

on_both_databases! {
    /// The list query answers for a thousand addresses at once. Where the registry holds no approval there is nothing to
    /// reject, and no single question is spent.
    async fn what_is_not_approved_is_sifted_out(database: Database) {
        let bridge = bridge(database, json!({"statusLimitPerHour": AN_HOUR})).await;
        let now = bridge.app.clocks.business();
        post(&bridge, 20, "ONAY", now - TimeDelta::minutes(5)).await;
        bridge.drain_for(3, "6m").await;
        bridge.advance("192h").await;
        let ids = post(&bridge, 120, "RET", now).await;
        bridge.drain().await;
        let stats = bridge.registry.stats().await;
        // One list sifts them; another is the question about every address after a week without a pull.
        assert_eq!((calls(&stats, "statuses"), calls(&stats, "status")), (2, 20), "{stats}");
        assert_eq!(registered(&bridge, &ids[..20]).await, 20);
        for id in &ids[20..] {
            let state = bridge.state(id).await;
            assert_eq!((state["state"].as_str(), state["code"].as_str()), (Some("not_needed"), Some("no_approval")), "{state}");
        }
        // Our own record of the rejection stands.
        assert_eq!(bridge.permission(&number(100), "MESAJ").await["permissions"][0]["status"], "RET");
        assert_eq!(bridge.registry.movements().await.len(), 40, "nothing was filed where nothing was approved");
        bridge.ledger_holds().await;
    }
}

on_both_databases! {
    async fn history_is_asked_for_a_hundred_times_an_hour(database: Database) {
        let bridge = bridge(database, json!({"historyLimitPerHour": 100})).await;
        let path = format!("/v1/brands/{}/permissions/query", bridge.brand());
        let query = json!({"recipient": number(0), "type": "MESAJ", "history": true});
        for _ in 0..100 {
            let (status, answer) = bridge.post(&path, query.clone()).await;
            assert_eq!(status, 200, "{answer}");
        }
        let (status, problem) = bridge.post(&path, query.clone()).await;
        assert_eq!((status, problem["type"].as_str()), (502, Some("urn:kopru:problem:registry-unavailable")), "{problem}");
        let stats = bridge.registry.stats().await;
        assert_eq!((calls(&stats, "history"), &stats["refusedByLimit"]), (100, &json!({})), "{stats}");
        bridge.advance("62m").await;
        assert_eq!(bridge.post(&path, query).await.0, 200);
    }
}
