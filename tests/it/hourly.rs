//! The registry's hourly limits: nothing is asked beyond them, and what has to be asked waits for the next hour.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use kopru::service::filing;
use kopru_store::Claim;
use serde_json::{Value, json};
use uuid::Uuid;

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
    /// A batch that was sent into an outage leaves a question for each item. Where the list tells of no approval, the
    /// answer "too late" stands: ten thousand items once took ten hours of single questions.
    async fn approvals_in_doubt_are_sifted(database: Database) {
        let bridge = bridge(database, json!({"statusLimitPerHour": AN_HOUR})).await;
        let given = bridge.app.clocks.business() - TimeDelta::minutes(5);
        bridge.registry.fault("add_batch", "503", 1_000).await;
        let ids = post(&bridge, 120, "ONAY", given).await;
        bridge.drain().await;
        assert_eq!(bridge.state(&ids[0]).await["state"], "unresolved");
        bridge.advance("216h").await;
        bridge.registry.clear_faults().await;
        bridge.drain_for(4, "7m").await;
        let stats = bridge.registry.stats().await;
        // A list for each claim of resends that got their answer.
        assert!((1..=4).contains(&calls(&stats, "statuses")), "{stats}");
        assert_eq!(calls(&stats, "status"), 0, "{stats}");
        for id in &ids {
            let state = bridge.state(id).await;
            assert_eq!((state["state"].as_str(), state["code"].as_str()), (Some("expired"), Some("H467")), "{state}");
        }
        bridge.ledger_holds().await;
    }
}

on_both_databases! {
    /// What the registry holds against a person's will is asked about before what only we wonder about.
    async fn rejections_draw_first(database: Database) {
        let registry = Registry::start().await;
        // The second POST of a batch meets the records of the first.
        registry.settings(json!({"disabledRules": ["v2_repeat"]})).await;
        let options = Options {
            batch_threshold: Some(5),
            status_calls_per_hour: Some(10),
            registry_timeout: Some(Duration::from_millis(400)),
            ..Options::default()
        };
        let bridge = Bridge::with(database, registry, options).await;
        let given = bridge.app.clocks.business() - TimeDelta::minutes(5);
        post(&bridge, 7, "ONAY", given).await;
        bridge.drain_for(3, "6m").await;
        bridge.advance("192h").await;
        // Twelve approvals whose first POST was recorded without an answer, and seven late rejections in the queue.
        bridge.registry.fault("add_batch", "cut_after_write", 1).await;
        let now = bridge.app.clocks.business();
        let body: Vec<_> = (100..112).map(|place| consent(&number(place), "MESAJ", "ONAY", now)).collect();
        let (_, answer) = bridge.consents(json!(body)).await;
        let approvals: Vec<String> = answer["accepted"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect();
        bridge.drain().await;
        bridge.advance("1m").await;
        bridge.drain().await;
        bridge.advance("6m").await;
        let rejections = post(&bridge, 7, "RET", given + TimeDelta::seconds(30)).await;
        let claim = || Claim { by: Uuid::new_v4(), until: bridge.app.clocks.wire() + TimeDelta::minutes(2) };
        // The results alone, and what they leave to be asked: nothing else is done yet.
        while let Some(batch) = filing::claim_batch(&bridge.app, claim()).await.unwrap() {
            filing::batch_step(&bridge.app, batch).await.unwrap();
        }
        while let Some(doubts) = filing::claim_unresolved(&bridge.app, claim()).await.unwrap() {
            filing::resolve(&bridge.app, doubts).await.unwrap();
        }
        assert_eq!(calls(&bridge.registry.stats().await, "status"), 3, "seven of ten are the rejections'");
        bridge.drain().await;
        assert_eq!(calls(&bridge.registry.stats().await, "status"), 10);
        assert_eq!(registered(&bridge, &rejections).await, 7);
        bridge.drain_for(2, "61m").await;
        for id in &approvals {
            assert_eq!(bridge.state(id).await["state"], "registered");
        }
        let stats = bridge.registry.stats().await;
        assert_eq!((calls(&stats, "status"), calls(&stats, "add")), (19, 7), "only the rejections go singly: {stats}");
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
