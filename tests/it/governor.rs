//! One governor for all that asks the registry: who goes first, how fast, when not at all.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures::future::join_all;
use kopru::bootstrap::App;
use kopru::clocks::Clocks;
use kopru::lifecycle::Lifecycle;
use kopru::service::filing::{self, Turn};
use kopru_domain::Deadline;
use kopru_store::{Priority, circuits};
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
        // So slow that a busy machine does its own part between two requests.
        let bridge = paced(database, 4.0).await;
        let answered = flood(&bridge.app, 20);
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
        until(&answered, 20).await;
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

async fn second(bridge: &Bridge) -> App {
    let app = App::start(bridge.app.config.clone(), Clocks::default(), Lifecycle::new()).await.unwrap();
    app.clocks.set_offset(bridge.registry.sandbox.clock_offset());
    app
}

fn all_calls(stats: &Value) -> i64 {
    stats["operations"]
        .as_object()
        .unwrap()
        .values()
        .filter_map(|operation| operation["calls"].as_i64())
        .sum()
}

/// Asks for something, so many times at once, by turns for each program; returns how many were answered.
async fn ask(apps: &[&App], count: usize) -> usize {
    let asked = (0..count).map(|place| {
        let account = apps[place % apps.len()].registry.partner().unwrap().clone();
        async move { account.cities().await.is_ok() }
    });
    join_all(asked).await.into_iter().filter(|answered| *answered).count()
}

on_both_databases! {
    /// A registry that fails is left alone by every process; after the silence one request of one of them tries, and its
    /// outcome counts for all.
    async fn processes_share_the_silence_and_try_once(database: Database) {
        let bridge = Bridge::start(database).await;
        bridge.app.registry.partner().unwrap().login_check().await.unwrap();
        let other = second(&bridge).await;
        bridge.registry.fault("*", "503", 1_000_000).await;
        for _ in 0..5 {
            ask(&[&bridge.app], 1).await;
        }
        let made = async || all_calls(&bridge.registry.stats().await);
        let before = made().await;
        assert_eq!(ask(&[&bridge.app, &other], 10).await, 0);
        assert_eq!(made().await, before, "neither asks during the silence");
        assert!(!other.registry.is_open().await.unwrap());

        // Ten requests of two processes wait for the one that tries; it fails.
        let advance = async || {
            bridge.advance("6m").await;
            other.clocks.set_offset(bridge.registry.sandbox.clock_offset());
        };
        advance().await;
        assert!(other.registry.is_open().await.unwrap(), "somebody has to try");
        assert_eq!(ask(&[&bridge.app, &other], 10).await, 0);
        assert_eq!(made().await, before + 1, "one tries for all");
        assert!(!bridge.app.registry.is_open().await.unwrap() && !other.registry.is_open().await.unwrap());

        // The next one succeeds, and all the others go.
        bridge.registry.clear_faults().await;
        advance().await;
        assert_eq!(ask(&[&bridge.app, &other], 10).await, 10);
        assert!(bridge.app.registry.is_open().await.unwrap() && other.registry.is_open().await.unwrap());
    }
}

on_both_databases! {
    /// A probe whose process dies is lost for a while, not for ever.
    async fn a_lost_probe_is_made_again(database: Database) {
        let bridge = Bridge::start(database).await;
        bridge.app.registry.partner().unwrap().login_check().await.unwrap();
        bridge.registry.fault("*", "503", 3).await;
        ask(&[&bridge.app], 1).await;
        ask(&[&bridge.app], 1).await;
        ask(&[&bridge.app], 1).await;
        bridge.advance("6m").await;
        let name = format!("registry {}", bridge.app.config.registry.url.as_ref().unwrap());
        let wire = bridge.app.clocks.wire();
        let mut tx = bridge.app.db.begin(Priority::Interactive).await.unwrap();
        let until = wire + TimeDelta::milliseconds(300);
        assert!(circuits::begin_probe(&mut tx, &name, uuid::Uuid::new_v4(), 1, until, wire).await.unwrap());
        tx.commit().await.unwrap();
        assert!(!bridge.app.registry.is_open().await.unwrap(), "somebody is trying");
        assert_eq!(ask(&[&bridge.app], 2).await, 2);
    }
}

/// A brand of the demo provider, known to the bridge, to file for.
async fn add_brand(bridge: &Bridge, brand: i64) {
    let body = json!({"iysCode": bridge.registry.seed.iys_code, "brandCode": brand, "name": "Öbür"});
    let (status, answer) = bridge.post_as(&bridge.admin, "/v1/brands", body).await;
    assert_eq!(status, 201, "{answer}");
}

async fn post(
    bridge: &Bridge,
    brand: i64,
    places: std::ops::Range<usize>,
    status: &str,
    date: DateTime<Utc>,
) -> Vec<String> {
    let body: Vec<_> = places.map(|place| consent(&number(place), "MESAJ", status, date)).collect();
    let (code, answer) = bridge.post(&format!("/v1/brands/{brand}/consents"), json!(body)).await;
    assert_eq!(code, 202, "{answer}");
    answer["accepted"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["id"].as_str().unwrap().to_owned())
        .collect()
}

async fn states(bridge: &Bridge, ids: &[String]) -> Vec<String> {
    let mut states = Vec::new();
    for id in ids {
        states.push(bridge.state(id).await["state"].as_str().unwrap().to_owned());
    }
    states
}

/// The date of a consent that has to be filed within three hours of an instant; none where that is no time for filing.
fn date_with_target_near(bridge: &Bridge, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let near = |minutes: i64| {
        let date = now - TimeDelta::minutes(minutes);
        let target = Deadline::of(date, &bridge.app.calendar).target;
        (target > now && target < now + TimeDelta::hours(3)).then_some(date)
    };
    (0..20_000).rev().find_map(near)
}

on_both_databases! {
    /// Most filings of a brand fail, and with them most of all requests: the brand waits, another one goes on, and a rejection
    /// of the first that comes near its target goes too.
    async fn what_is_likely_to_fail_waits(database: Database) {
        let options = Options { guard_from: Some(20), batch_threshold: Some(1_000), ..Options::default() };
        let bridge = Bridge::with(database, Registry::start().await, options).await;
        let (failing, sound) = (bridge.brand(), bridge.registry.second_brand().await);
        add_brand(&bridge, sound).await;
        // On to a time of day and of the week at which something can be near its target, now and in ten minutes: at the edge
        // of such a time it once was not any more, or not yet.
        let now = bridge.app.clocks.business();
        let near = |hour: i64, minute: i64| {
            date_with_target_near(&bridge, now + TimeDelta::hours(hour) + TimeDelta::minutes(minute)).is_some()
        };
        let wait = (0..240).find(|hour| near(*hour, 0) && near(*hour, 10)).unwrap();
        bridge.advance(&format!("{wait}h")).await;
        // The registry knows none of these addresses: H175, a failure each.
        let now = bridge.app.clocks.business();
        let refused = post(&bridge, failing, 0..30, "RET", now - TimeDelta::minutes(5)).await;
        bridge.drain().await;
        assert_eq!(states(&bridge, &refused).await, ["not_needed"; 30]);
        bridge.advance("2m").await;
        let standing = bridge.app.registry.standing().await.unwrap();
        assert!(standing.careful && standing.failing.len() == 1, "{standing:?}");

        let now = bridge.app.clocks.business();
        let waiting = post(&bridge, failing, 100..110, "ONAY", now - TimeDelta::minutes(1)).await;
        let going = post(&bridge, sound, 200..210, "ONAY", now - TimeDelta::minutes(1)).await;
        bridge.drain().await;
        assert_eq!(states(&bridge, &waiting).await, ["queued"; 10]);
        assert_eq!(states(&bridge, &going).await, ["registered"; 10]);
        let near = date_with_target_near(&bridge, bridge.app.clocks.business()).unwrap();
        let urgent = post(&bridge, failing, 300..301, "RET", near).await;
        let later = post(&bridge, failing, 301..302, "RET", now - TimeDelta::minutes(1)).await;
        bridge.drain().await;
        assert_eq!((states(&bridge, &urgent).await, states(&bridge, &later).await), (vec!["not_needed".to_owned()], vec!["queued".to_owned()]));

        // Three hours later nothing recent speaks against it.
        bridge.advance("4h").await;
        bridge.drain().await;
        assert_eq!(states(&bridge, &waiting).await, ["registered"; 10]);
    }
}
