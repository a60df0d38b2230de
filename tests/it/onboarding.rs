//! Onboarding: who has authorised us for what comes from the registry, is held to, and is followed when it changes.

use std::time::Duration;

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::{Bridge, Database, Options, Registry, consent, kopru};

const SIX_HOURS: Duration = Duration::from_hours(6);

/// A bridge that asks the registry by itself.
async fn syncing(database: Database) -> Bridge {
    let options = Options { sync_interval: Some(SIX_HOURS), ..Options::default() };
    Bridge::with(database, Registry::start().await, options).await
}

async fn sync(bridge: &Bridge, query: &str) -> Value {
    let path = format!("/v1/providers/sync{query}");
    let (status, report) = bridge.post_as(&bridge.admin, &path, json!({})).await;
    assert_eq!(status, 200, "{report}");
    report
}

fn count(report: &Value, list: &str) -> usize {
    report[list].as_array().unwrap_or_else(|| panic!("{report}")).len()
}

async fn brand(bridge: &Bridge, code: i64) -> Value {
    let (status, brand) = bridge.get_as(&bridge.admin, &format!("/v1/brands/{code}")).await;
    assert_eq!(status, 200, "{brand}");
    brand
}

/// The demo brand's rights on messages, or none at all.
async fn authorise(bridge: &Bridge, message: Option<&str>) {
    let rights = json!([{"integratorCode": bridge.registry.seed.integrator_code, "brandCode": bridge.brand(),
        "MESAJ": message.unwrap_or("none"), "ARAMA": "write", "EPOSTA": "write", "remove": message.is_none()}]);
    bridge.registry.clear_brand_rights(rights).await;
}

async fn post_one(bridge: &Bridge, recipient: &str, status: &str, minutes: i64) -> Value {
    let at = bridge.app.clocks.business() - TimeDelta::minutes(minutes);
    let (code, answer) = bridge.consents(consent(recipient, "MESAJ", status, at)).await;
    assert_eq!(code, 202, "{answer}");
    answer["accepted"][0].clone()
}

fn id(accepted: &Value) -> &str {
    accepted["id"].as_str().unwrap_or_else(|| panic!("{accepted}"))
}

on_both_databases! {
    async fn a_reseller_s_fifty_providers(database: Database) {
        let options = Options { empty: true, ..Options::default() };
        let registry = Registry::scenario("reseller").await.unlimited().await;
        let bridge = Bridge::with(database, registry, options).await;
        let would = sync(&bridge, "?dryRun=true").await;
        assert_eq!((would["dryRun"].as_bool(), would["providers"].as_i64()), (Some(true), Some(50)), "{would}");
        let (_, none) = bridge.get_as(&bridge.admin, "/v1/providers").await;
        assert_eq!(count(&none, "items"), 0, "a dry run writes nothing");

        let done = sync(&bridge, "").await;
        assert_eq!(done["failed"], json!([]), "{done}");
        assert_eq!(done["created"], would["created"], "it does what it said");
        assert_eq!(done["held"], would["held"]);
        let (_, providers) = bridge.get_as(&bridge.admin, "/v1/providers?limit=999").await;
        assert_eq!(count(&providers, "items"), 50);
        let atlas = brand(&bridge, 600_100).await;
        assert_eq!((&atlas["name"], &atlas["rights"]["MESAJ"]), (&json!("Atlas"), &json!("write")), "{atlas}");
        assert_eq!(atlas["rights"]["agreementControl"], json!(true));
        assert_eq!(atlas["subscription"]["status"], "ACTIVE");
        assert!(atlas.get("warnings").is_none() && atlas.get("held").is_none(), "{atlas}");
        let letters = brand(&bridge, 650_100).await;
        assert_eq!((&letters["rights"]["ARAMA"], &letters["rights"]["MESAJ"]), (&json!("none"), &json!("read")));
        assert_eq!(count(&letters, "held"), 2, "{letters}");
        assert!(letters["warnings"][0]["title"].as_str().is_some_and(|title| title.contains("H355")), "{letters}");
        let resting = brand(&bridge, 700_100).await;
        assert_eq!(resting["subscription"]["status"], "PAUSED");
        assert_eq!(resting["held"][0]["cause"], "subscription", "{resting}");
        let (status, _) = bridge.get_as(&bridge.admin, "/v1/brands/670102").await;
        assert_eq!(status, 404, "it has not authorised the partner");

        let again = sync(&bridge, "").await;
        for list in ["created", "changed", "withdrawn", "held", "released", "failed"] {
            assert_eq!(count(&again, list), 0, "{list}: {again}");
        }
        // A new provider is complete: it takes consents in and files them.
        let at = bridge.app.clocks.business() - TimeDelta::minutes(5);
        let (status, answer) =
            bridge.post("/v1/brands/630100/consents", consent("+905321234567", "MESAJ", "ONAY", at)).await;
        assert_eq!((status, &answer["accepted"][0]["state"]), (202, &json!("queued")), "{answer}");
        bridge.drain().await;
        assert_eq!(bridge.state(id(&answer["accepted"][0])).await["state"], "registered");
        let (_, answer) =
            bridge.post("/v1/brands/630100/consents", consent("+905321234567", "ARAMA", "ONAY", at)).await;
        let held = &answer["accepted"][0];
        assert_eq!((held["state"].as_str(), held["code"].as_str()), (Some("held"), Some("H355")), "{answer}");
        bridge.ledger_holds().await;
    }
}

on_both_databases! {
    /// Without a person: the schedule notices, a refusal is asked about at once, and what comes back goes out.
    async fn a_right_that_goes_and_comes_back(database: Database) {
        let bridge = syncing(database).await;
        bridge.drain().await;
        assert_eq!(brand(&bridge, bridge.brand()).await["rights"]["MESAJ"], "write", "asked when it started");

        authorise(&bridge, Some("read")).await;
        let refused = post_one(&bridge, "+905321234501", "ONAY", 5).await;
        assert_eq!(refused["state"], "queued", "nobody knows yet: {refused}");
        bridge.drain().await;
        let state = bridge.state(id(&refused)).await;
        assert_eq!((state["state"].as_str(), state["code"].as_str()), (Some("held"), Some("H355")), "{state}");
        let seen = brand(&bridge, bridge.brand()).await;
        assert_eq!(seen["rights"]["MESAJ"], "read", "the refusal was asked about at once: {seen}");

        // Both need the right to write, and no filing has to find that out again. The door remembers a brand for some seconds,
        // unless the sync went through it.
        assert_eq!(count(&sync(&bridge, "").await, "held"), 0, "it is known");
        let adds = bridge.registry.stats().await["operations"]["add"]["calls"].clone();
        bridge.advance("6s").await;
        for (recipient, status) in [("+905321234502", "ONAY"), ("+905321234503", "RET")] {
            let accepted = post_one(&bridge, recipient, status, 1).await;
            let place = (accepted["state"].as_str(), accepted["code"].as_str());
            assert_eq!(place, (Some("held"), Some("H355")), "{accepted}");
            assert!(accepted["deadline"]["target"].is_string(), "the deadline runs: {accepted}");
        }
        bridge.drain_for(3, "20m").await;
        assert_eq!(bridge.registry.stats().await["operations"]["add"]["calls"], adds, "no probe is needed");
        let (_, calls) = bridge.get(&format!("/v1/brands/{}/consents?state=held", bridge.brand())).await;
        assert_eq!(count(&calls, "items"), 3);

        // What is held asks the list each `filing.probe_interval`: it used to wait for the next sync, up to six hours.
        authorise(&bridge, Some("write")).await;
        bridge.advance("16m").await;
        bridge.drain_for(3, "5s").await;
        let state = bridge.state(id(&refused)).await;
        assert_eq!(state["state"], "registered", "{state}");
        let seen = brand(&bridge, bridge.brand()).await;
        assert!(seen.get("held").is_none() && seen.get("warnings").is_none(), "{seen}");
        let (_, none) = bridge.get(&format!("/v1/brands/{}/consents?state=held", bridge.brand())).await;
        assert_eq!(count(&none, "items"), 0, "{none}");
    }
}

on_both_databases! {
    /// A brand that is withdrawn altogether stays here with everything it has, and comes back.
    async fn a_brand_that_goes_and_comes_back(database: Database) {
        let bridge = Bridge::start(database).await;
        let first = sync(&bridge, "").await;
        assert_eq!((count(&first, "changed"), count(&first, "held")), (1, 0), "the registry's name counts: {first}");
        let early = post_one(&bridge, "+905321234501", "ONAY", 5).await;
        authorise(&bridge, None).await;
        let gone = sync(&bridge, "").await;
        assert_eq!((count(&gone, "withdrawn"), count(&gone, "held")), (1, 3), "{gone}");
        assert_eq!((&gone["held"][0]["cause"], &gone["held"][0]["code"]), (&json!("not_authorised"), &json!("H353")));
        assert!(gone["held"][0]["explanation"].is_string(), "{gone}");
        let here = brand(&bridge, bridge.brand()).await;
        assert_eq!((&here["active"], &here["authorised"]), (&json!(true), &json!(false)), "{here}");
        bridge.drain().await;
        assert_eq!(bridge.state(id(&early)).await["state"], "held", "what was queued does not go out either");
        let probed = bridge.registry.stats().await["operations"]["add"]["calls"].as_i64().unwrap_or_default();
        assert_eq!(probed, 0, "and the registry refused nothing");
        authorise(&bridge, Some("write")).await;
        let back = sync(&bridge, &format!("?iysCode={}", bridge.registry.seed.iys_code)).await;
        assert_eq!(count(&back, "released"), 3, "{back}");
        bridge.drain().await;
        assert_eq!(bridge.state(id(&early)).await["state"], "registered");
    }
}

on_both_databases! {
    async fn a_subscription_that_rests_and_wakes(database: Database) {
        let bridge = Bridge::start(database).await;
        sync(&bridge, "").await;
        let iys_code = bridge.registry.seed.iys_code;
        let put = async |status: &str| {
            bridge.registry.provider(json!({"iysCode": iys_code, "subscription": {"status": status}})).await
        };
        for (status, code) in [("PAUSED", "H520"), ("CLOSED", "H521"), ("EXPIRED", "H520")] {
            put(status).await;
            let report = sync(&bridge, "").await;
            assert_eq!((count(&report, "changed"), count(&report, "held")), (1, 3), "{report}");
            let accepted = post_one(&bridge, "+905321234501", "ONAY", 5).await;
            let place = (accepted["state"].as_str(), accepted["code"].as_str());
            assert!(place.0 == Some("held") && (place.1 == Some(code) || place.1 == Some("already_open")), "{accepted}");
        }
        bridge.drain().await;
        put("ACTIVE").await;
        assert_eq!(count(&sync(&bridge, "").await, "released"), 3);
        bridge.drain().await;
        let (_, list) = bridge.get(&format!("/v1/brands/{}/consents?state=registered", bridge.brand())).await;
        assert!(count(&list, "items") >= 1, "{list}");
        // The partner's own rests: nobody's list is shown, and nothing can be filed.
        bridge.registry.partner(json!({"integratorCode": bridge.registry.seed.integrator_code,
            "subscription": {"status": "PAUSED"}})).await;
        let report = sync(&bridge, "").await;
        assert_eq!((count(&report, "withdrawn"), count(&report, "held")), (0, 3), "{report}");
    }
}

on_both_databases! {
    /// A provider with a user of its own is asked as that user, who may do everything.
    async fn a_provider_with_its_own_user(database: Database) {
        let bridge = Bridge::start(database).await;
        let seed = bridge.registry.seed.clone();
        authorise(&bridge, None).await;
        let brands = json!([{"brandCode": seed.brand_code}, {"brandCode": 600_177, "name": "İkinci"}]);
        bridge.registry.provider(json!({"iysCode": seed.iys_code, "brands": brands})).await;
        let caller = kopru::service::Caller::system("test");
        let own = kopru::registry::OwnCredentials { username: seed.provider_username, password: seed.provider_password };
        kopru::service::providers::set_credentials(&bridge.app, &caller, kopru_domain::IysCode(seed.iys_code), Some(own), false)
            .await
            .unwrap();
        let report = sync(&bridge, "").await;
        assert_eq!(report["failed"], json!([]), "{report}");
        assert_eq!(report["created"][0]["brandCode"], 600_177, "{report}");
        assert_eq!(brand(&bridge, 600_177).await["rights"]["EPOSTA"], "write");
        let accepted = post_one(&bridge, "+905321234501", "ONAY", 5).await;
        bridge.drain().await;
        assert_eq!(bridge.state(id(&accepted)).await["state"], "registered");
    }
}

on_both_databases! {
    /// The hold was lifted in the moment in which an intake, by what it remembered, held something more.
    async fn what_comes_too_late_for_the_release_goes_out(database: Database) {
        let bridge = Bridge::start(database).await;
        authorise(&bridge, Some("none")).await;
        sync(&bridge, "").await;
        let accepted = post_one(&bridge, "+905321234501", "ONAY", 5).await;
        assert_eq!(accepted["state"], "held", "{accepted}");
        authorise(&bridge, Some("write")).await;
        // Of another process: this one's door remembers the brand as it was for some seconds.
        let caller = kopru::service::Caller::system("test");
        let request = kopru::service::onboarding::SyncRequest::default();
        kopru::service::onboarding::sync(&bridge.app, &caller, request).await.unwrap();
        let late = post_one(&bridge, "+905321234502", "ONAY", 5).await;
        assert_eq!(late["state"], "held", "{late}");
        bridge.drain().await;
        for accepted in [accepted, late] {
            assert_eq!(bridge.state(id(&accepted)).await["state"], "registered");
        }
    }
}

on_both_databases! {
    async fn only_a_partner_wide_administrator_syncs(database: Database) {
        let bridge = Bridge::start(database).await;
        let iys_code = bridge.registry.seed.iys_code;
        let body = json!({"name": "bound", "scopes": ["admin"], "iysCode": iys_code});
        let (_, bound) = bridge.post_as(&bridge.admin, "/v1/keys", body).await;
        let path = "/v1/providers/sync";
        assert_eq!(bridge.post(path, json!({})).await.0, 403, "not an administrator");
        let (status, problem) = bridge.post_as(bound["key"].as_str().unwrap(), path, json!({})).await;
        assert_eq!((status, &problem["type"]), (403, &json!("urn:kopru:problem:partner-wide-only")), "{problem}");
        let (status, problem) = bridge.post_as(&bridge.admin, "/v1/providers/sync?iyscode=1", json!({})).await;
        assert_eq!((status, &problem["errors"][0]["code"]), (400, &json!("unknown_parameter")), "{problem}");
        bridge.registry.fault("*", "500", 50).await;
        assert_eq!(bridge.post_as(&bridge.admin, path, json!({})).await.0, 502, "the registry is down");
        bridge.registry.clear_faults().await;
        assert!(brand(&bridge, bridge.brand()).await["rights"].is_null(), "and nothing is believed of it");
    }
}

on_both_databases! {
    async fn on_the_command_line(database: Database) {
        let bridge = Bridge::start(database).await;
        bridge.registry.provider(json!({"iysCode": bridge.registry.seed.iys_code,
            "brands": [{"brandCode": 600_177, "name": "Yetkisiz"}]})).await;
        let provider = bridge.registry.seed.iys_code.to_string();
        let (ok, lines) = kopru(&bridge, &["provider", "sync", "--dry-run"]);
        assert!(ok && lines[0]["dryRun"] == json!(true), "{lines:?}");
        let (ok, lines) = kopru(&bridge, &["brand", "add", "600177", "--provider", &provider, "--name", "Yetkisiz"]);
        assert!(ok, "{lines:?}");
        assert_eq!(lines[0]["authorised"], json!(false), "{lines:?}");
        assert_eq!(lines[0]["warnings"][0]["code"], "not_authorised", "{lines:?}");
        let (ok, lines) = kopru(&bridge, &["provider", "sync", &provider]);
        assert!(ok, "{lines:?}");
        assert_eq!((count(&lines[0], "created"), lines[0]["brands"].as_i64()), (0, Some(1)), "{lines:?}");
        let (_, findings) = kopru(&bridge, &["doctor"]);
        let rights = findings.iter().find(|finding| finding["check"] == "rights").unwrap_or_else(|| panic!("{findings:?}"));
        assert_eq!(rights["status"], "warn", "{rights}");
        assert!(rights["message"].as_str().is_some_and(|text| text.contains("600177")), "{rights}");
    }
}
