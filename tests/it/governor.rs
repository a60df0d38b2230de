//! One governor for all that asks the registry: who goes first, how fast, when not at all.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use chrono::TimeDelta;
use kopru::bootstrap::App;
use kopru::service::filing::{self, Turn};
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::{Bridge, Database, Options, Registry, background, consent};

fn number(place: usize) -> String {
    format!("+90532{:07}", 7_000_000 + place)
}

fn calls(stats: &Value, operation: &str) -> i64 {
    stats["operations"][operation]["calls"].as_i64().unwrap_or_default()
}

async fn paced(database: Database, per_second: f64) -> Bridge {
    let options = Options { requests_per_second: Some(per_second), ..Options::default() };
    let bridge = Bridge::with(database, Registry::start().await, options).await;
    bridge.app.registry.partner().unwrap().login_check().await.unwrap();
    bridge
}

/// Asks for something that nobody waits for, so many times at once; counts those that were answered.
fn flood(app: &App, count: usize) -> Arc<AtomicUsize> {
    let answered = Arc::new(AtomicUsize::new(0));
    let account = app.registry.partner().unwrap().clone();
    for _ in 0..count {
        let (account, answered) = (account.clone(), answered.clone());
        background(async move {
            if account.cities().await.is_ok() {
                answered.fetch_add(1, Ordering::SeqCst);
            }
        });
    }
    answered
}

/// Waits until at least so many were answered.
#[expect(clippy::disallowed_methods, reason = "the pace is a wait for time itself")]
async fn until(answered: &AtomicUsize, count: usize) {
    while answered.load(Ordering::SeqCst) < count {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

on_both_databases! {
    /// Forty calls that have time wait in line; a person's question and a filing that come later are answered before them,
    /// and the others all get their turn.
    async fn people_and_filings_overtake_what_has_time(database: Database) {
        let bridge = paced(database, 12.0).await;
        let answered = flood(&bridge.app, 40);
        until(&answered, 2).await;
        let before = answered.load(Ordering::SeqCst);
        let path = format!("/v1/brands/{}/permissions/query", bridge.brand());
        let (status, answer) = bridge.post(&path, json!({"recipient": number(0), "type": "MESAJ", "history": true})).await;
        assert_eq!(status, 200, "{answer}");
        let given = bridge.app.clocks.business() - TimeDelta::minutes(1);
        let id = bridge.consent(consent(&number(1), "MESAJ", "ONAY", given)).await;
        let (turn, claim) = (Turn::default(), claim(&bridge.app));
        let work = filing::claim_due(&bridge.app, &turn, claim).await.unwrap().unwrap();
        filing::file(&bridge.app, work).await.unwrap();
        assert_eq!(bridge.state(&id).await["state"], "registered");
        let overtaken = answered.load(Ordering::SeqCst) - before;
        assert!(overtaken <= 8, "{overtaken} calls went before a person and a filing");
        until(&answered, 40).await;
    }
}

fn claim(app: &App) -> kopru_store::Claim {
    kopru_store::Claim { by: uuid::Uuid::new_v4(), until: app.clocks.wire() + TimeDelta::minutes(2) }
}

on_both_databases! {
    /// The registry fails: the pace falls, and comes back step by step.
    async fn failures_slow_the_pace_down(database: Database) {
        let bridge = paced(database, 100.0).await;
        let pace = async || bridge.app.registry.pace().await.unwrap().share();
        assert!((pace().await - 1.0).abs() < f64::EPSILON);
        bridge.registry.fault("*", "503", 1).await;
        bridge.app.registry.partner().unwrap().cities().await.unwrap_err();
        assert!((pace().await - 0.5).abs() < f64::EPSILON);
        bridge.advance("15s").await;
        assert!((pace().await - 0.625).abs() < f64::EPSILON);
        bridge.registry.fault("*", "429", 1).await;
        bridge.app.registry.partner().unwrap().cities().await.unwrap_err();
        assert!(pace().await < 0.5);
        bridge.advance("2m").await;
        assert!((pace().await - 1.0).abs() < f64::EPSILON);
    }
}

on_both_databases! {
    /// All accounts and replicas draw their logins from one budget, and what is beyond it is not sent.
    async fn logins_keep_within_the_hour(database: Database) {
        let bridge = Bridge::start(database).await;
        let provider = bridge.registry.seed.iys_code;
        for attempt in 0..14 {
            // An account that nobody knows, each time another.
            let path = format!("/v1/providers/{provider}/credentials");
            let body = json!({"credentials": {"username": format!("user{attempt}@example.com"), "password": "wrong"}});
            bridge.put_as(&bridge.admin, &path, body).await;
            let query = json!({"recipient": number(0), "type": "MESAJ", "history": true});
            bridge.post(&format!("/v1/brands/{}/permissions/query", bridge.brand()), query).await;
        }
        let stats = bridge.registry.stats().await;
        assert_eq!((calls(&stats, "token"), &stats["refusedByLimit"]), (10, &json!({})), "{stats}");
    }
}
