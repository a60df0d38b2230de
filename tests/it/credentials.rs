//! How providers log in at the registry: tried before they are kept, changed without a restart, and never tried again and again.

use std::ops::Range;

use chrono::TimeDelta;
use kopru::bootstrap::App;
use kopru::clocks::Clocks;
use kopru::lifecycle::Lifecycle;
use kopru::{config::Config, worker};
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::{Bridge, Database, Options, Registry, consent, kopru};

fn tokens(stats: &Value) -> i64 {
    stats["operations"]["token"]["calls"].as_i64().unwrap_or_default()
}

async fn token_calls(bridge: &Bridge) -> i64 {
    tokens(&bridge.registry.stats().await)
}

/// Gives the demo provider a user of its own.
async fn set(bridge: &Bridge, query: &str, username: &str, password: &str) -> (u16, Value) {
    let path = format!("/v1/providers/{}/credentials{query}", bridge.registry.seed.iys_code);
    let body = json!({"credentials": {"username": username, "password": password}});
    bridge.put_as(&bridge.admin, &path, body).await
}

async fn provider(bridge: &Bridge) -> Value {
    let path = format!("/v1/providers/{}", bridge.registry.seed.iys_code);
    let (status, provider) = bridge.get_as(&bridge.admin, &path).await;
    assert_eq!(status, 200, "{provider}");
    provider
}

async fn post(bridge: &Bridge, places: Range<usize>) -> Vec<String> {
    let given = bridge.app.clocks.business() - TimeDelta::minutes(1);
    let number = |place: usize| format!("+90532{:07}", 8_000_000 + place);
    let body: Vec<_> = places.map(|place| consent(&number(place), "MESAJ", "ONAY", given)).collect();
    let (status, answer) = bridge.consents(json!(body)).await;
    assert_eq!(status, 202, "{answer}");
    let accepted = answer["accepted"].as_array().unwrap();
    accepted.iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

async fn all_are(bridge: &Bridge, ids: &[String], wanted: &str) {
    for id in ids {
        let state = bridge.state(id).await;
        assert_eq!(state["state"], wanted, "{state}");
    }
}

on_both_databases! {
    async fn what_the_registry_refuses_is_not_kept(database: Database) {
        let bridge = Bridge::start(database).await;
        let seed = bridge.registry.seed.clone();
        let (status, problem) = set(&bridge, "", &seed.provider_username, "wrong").await;
        assert_eq!((status, problem["errors"][0]["code"].as_str()), (422, Some("refused")), "{problem}");
        assert_eq!(provider(&bridge).await["ownCredentials"], json!(false));

        // A user that exists, but of somebody else: it logs in and sees none of the provider's brands.
        let (status, problem) = set(&bridge, "", &seed.username, &seed.password).await;
        assert_eq!((status, problem["errors"][0]["code"].as_str()), (422, Some("H363")), "{problem}");

        bridge.registry.fault("token", "503", 1).await;
        let (status, problem) = set(&bridge, "", &seed.provider_username, &seed.provider_password).await;
        assert_eq!((status, problem["type"].as_str()), (502, Some("urn:kopru:problem:registry-unavailable")), "{problem}");
        assert_eq!(provider(&bridge).await["ownCredentials"], json!(false));

        let (status, kept) = set(&bridge, "", &seed.provider_username, &seed.provider_password).await;
        assert_eq!((status, kept["ownCredentials"].as_bool()), (200, Some(true)), "{kept}");
        assert!(kept["credentialsTestedAt"].is_string(), "{kept}");
        let (status, kept) = set(&bridge, "?test=false", &seed.provider_username, "unasked").await;
        assert_eq!((status, kept.get("credentialsTestedAt")), (200, None), "{kept}");
    }
}

on_both_databases! {
    /// `doctor` failed for ever for a user that was tried and not kept.
    async fn a_refused_user_fails_the_doctor_only_while_it_is_used(database: Database) {
        let bridge = Bridge::start(database).await;
        let user = bridge.registry.seed.provider_username.clone();
        let told = || kopru(&bridge, &["doctor"]).1.iter().any(|finding| finding["check"] == "credentials");
        assert_eq!(set(&bridge, "", &user, "wrong").await.0, 422);
        assert!(!told());
        assert_eq!(set(&bridge, "?test=false", &user, "wrong").await.0, 200);
        post(&bridge, 0..1).await;
        bridge.drain().await;
        assert!(told());
    }
}

on_both_databases! {
    /// Wrong credentials cost one login, whatever waits for them, in every process, until they change or somebody asks.
    async fn a_refused_password_costs_one_login(database: Database) {
        let bridge = Bridge::start(database).await;
        let other = second(&bridge.app.config).await;
        let seed = bridge.registry.seed.clone();
        assert_eq!(set(&bridge, "?test=false", &seed.provider_username, "wrong").await.0, 200);
        let before = token_calls(&bridge).await;
        let ids = post(&bridge, 0..5).await;
        for _ in 0..8 {
            bridge.drain().await;
            worker::drain(&other).await.unwrap();
            bridge.advance("30m").await;
            other.clocks.set_offset(bridge.registry.sandbox.clock_offset());
        }
        assert_eq!(token_calls(&bridge).await, before + 1);
        all_are(&bridge, &ids, "queued").await;

        // The right one is tried at once and files what waited.
        let (status, kept) = set(&bridge, "", &seed.provider_username, &seed.provider_password).await;
        assert_eq!(status, 200, "{kept}");
        bridge.drain_for(3, "30m").await;
        all_are(&bridge, &ids, "registered").await;
    }
}

on_both_databases! {
    /// The user's password changes at the registry and here, while both processes file: nothing is lost, and nobody restarts.
    async fn a_password_is_changed_while_filing(database: Database) {
        let options = Options { batch_threshold: Some(1_000), ..Options::default() };
        let bridge = Bridge::with(database, Registry::start().await, options).await;
        let other = second(&bridge.app.config).await;
        let seed = bridge.registry.seed.clone();
        assert_eq!(set(&bridge, "", &seed.provider_username, &seed.provider_password).await.0, 200);
        let first = post(&bridge, 0..40).await;
        let changing = async {
            bridge.registry.set_password(&seed.provider_username, "changed-1").await;
            set(&bridge, "", &seed.provider_username, "changed-1").await
        };
        let (one, changed) = tokio::join!(worker::drain(&bridge.app), changing);
        one.unwrap();
        assert_eq!(changed.0, 200, "{}", changed.1);
        let second = post(&bridge, 100..140).await;
        worker::drain(&other).await.unwrap();
        bridge.drain_for(2, "15m").await;
        all_are(&bridge, &first, "registered").await;
        all_are(&bridge, &second, "registered").await;
        assert_eq!(bridge.registry.movements().await.len(), 80, "nothing was filed twice");
        let calls = token_calls(&bridge).await;

        // Both ends of the old session: after it has run out, the new password is used.
        bridge.advance("5h").await;
        other.clocks.set_offset(bridge.registry.sandbox.clock_offset());
        let third = post(&bridge, 200..210).await;
        worker::drain(&other).await.unwrap();
        bridge.drain().await;
        all_are(&bridge, &third, "registered").await;
        assert_eq!(token_calls(&bridge).await, calls + 1, "one login serves both");
    }
}

on_both_databases! {
    /// The partner's password comes from a file, which is read again.
    async fn the_partners_password_file_is_followed(database: Database) {
        let bridge = Bridge::start(database).await;
        let file = bridge.database().folder().join("registry-password");
        std::fs::write(&file, format!("{}\n", bridge.registry.seed.password)).unwrap();
        let mut config = bridge.app.config.clone();
        config.registry.password_file = Some(file.clone());
        let wire = std::sync::Arc::new(Moved::default());
        let app = App::start(config, Clocks::new(wire.clone()), Lifecycle::new()).await.unwrap();
        let partner = app.registry.partner().unwrap();
        app.registry.try_partner().await.unwrap();

        bridge.registry.set_password(&bridge.registry.seed.username, "changed-2").await;
        wire.0.fetch_add(5 * 3_600, std::sync::atomic::Ordering::Relaxed);
        assert!(app.registry.try_partner().await.is_err(), "the old password is refused");
        std::fs::write(&file, "changed-2\n").unwrap();
        wire.0.fetch_add(11, std::sync::atomic::Ordering::Relaxed);
        app.registry.try_partner().await.unwrap();
        partner.cities().await.unwrap();
    }
}

/// The real clock, moved ahead.
#[derive(Default)]
struct Moved(std::sync::atomic::AtomicI64);

impl kopru_domain::Clock for Moved {
    fn now(&self) -> chrono::DateTime<chrono::Utc> {
        let ahead = self.0.load(std::sync::atomic::Ordering::Relaxed);
        kopru::clocks::SystemClock.now() + TimeDelta::seconds(ahead)
    }
}

async fn second(config: &Config) -> App {
    App::start(config.clone(), Clocks::default(), Lifecycle::new()).await.unwrap()
}
