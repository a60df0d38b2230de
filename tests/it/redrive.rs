//! What has ended without the registry's record is filed once more, where that can come to something.

use chrono::{DateTime, TimeDelta, Utc};
use kopru::service::Caller;
use kopru::service::redrive::{self, ENDED, Wish};
use kopru_domain::{BrandCode, ConsentStatus, IysCode, SubmissionState};
use kopru_store::submissions::{self, EndedFilter, Portion, SubmissionRow};
use kopru_store::{Claim, Priority, audit};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::on_both_databases;
use crate::support::{Bridge, Database, consent};

const RETAILER: i64 = 66_438_915;

/// An approval that names a retailer.
fn by_retailer(number: u32, date: DateTime<Utc>) -> Value {
    let mut body = consent(&format!("+90532{number:07}"), "MESAJ", "ONAY", date);
    body["retailerCode"] = json!(RETAILER);
    body
}

async fn brand_redrive(bridge: &Bridge, body: Value) -> (u16, Value) {
    bridge.post(&format!("/v1/brands/{}/redrive", bridge.brand()), body).await
}

async fn notes(bridge: &Bridge) -> Vec<(String, String)> {
    let mut tx = bridge.app.db.read().await.unwrap();
    let provider = IysCode(bridge.registry.seed.iys_code);
    let rows = audit::list(&mut tx, provider, 5_000).await.unwrap();
    rows.into_iter()
        .filter(|row| row.action == "consent.redriven")
        .map(|row| (row.actor, row.detail))
        .collect()
}

/// As if the registry had refused all that is queued.
async fn refuse_all(bridge: &Bridge) {
    let (provider, brand) = (IysCode(bridge.registry.seed.iys_code), BrandCode(bridge.brand()));
    let now = bridge.app.clocks.business();
    let claim = Claim { by: Uuid::new_v4(), until: now };
    let approvals = [ConsentStatus::Approval];
    let portion = Portion { limit: 10_000, singles: 10_000, batch: Uuid::nil() };
    let mut tx = bridge.app.db.begin(Priority::Bulk).await.unwrap();
    let rows = submissions::claim(&mut tx, provider, brand, &approvals, portion, now, claim).await.unwrap();
    let refused = rows.into_iter().map(|row| SubmissionRow {
        state: SubmissionState::Refused,
        code: Some("H180".to_owned()),
        ..row
    });
    submissions::save(&mut tx, refused.collect(), now).await.unwrap();
    tx.commit().await.unwrap();
}

on_both_databases! {
    /// The registry knows no such retailer; once it does, the consents go through. Each step is shown before it is done.
    async fn what_was_refused_goes_through_once_its_cause_is_gone(database: Database) {
        let bridge = Bridge::start(database).await;
        let given = bridge.app.clocks.business() - TimeDelta::minutes(5);
        let mut ids = Vec::new();
        for number in 1..=3 {
            ids.push(bridge.consent(by_retailer(number, given)).await);
        }
        bridge.drain().await;
        let refused = bridge.state(&ids[0]).await;
        assert_eq!((&refused["state"], &refused["code"]), (&json!("refused"), &json!("H180")), "{refused}");
        let explanation = &refused["explanation"];
        assert_eq!((&explanation["who"], &explanation["redriveHelps"]), (&json!("client"), &json!(true)));
        for text in ["title", "cause", "action", "tr", "en"] {
            assert!(!explanation[text].as_str().unwrap().is_empty(), "{text}: {explanation}");
        }

        let (status, shown) = brand_redrive(&bridge, json!({})).await;
        assert_eq!(status, 200, "{shown}");
        assert_eq!((&shown["dryRun"], &shown["redriven"], &shown["left"]), (&json!(true), &json!(3), &json!(0)));
        assert_eq!(shown["groups"][0]["code"], "H180");
        assert_eq!(shown["groups"][0]["count"], 3);
        assert_eq!(bridge.state(&ids[0]).await["state"], "refused", "it was only shown");
        assert_eq!(notes(&bridge).await, []);

        bridge.registry.retailers(&[RETAILER]).await;
        let path = format!("/v1/consents/{}/redrive", ids[0]);
        let (status, one) = bridge.post(&path, json!({"dryRun": false, "reason": "retailer was added"})).await;
        assert_eq!((status, &one["redriven"]), (202, &json!(1)), "{one}");
        let (_, again) = bridge.post(&path, json!({"dryRun": false})).await;
        assert_eq!(again["groups"][0]["leftBecause"]["code"], "already_open", "at most one is open: {again}");
        let (status, rest) = brand_redrive(&bridge, json!({"dryRun": false, "codes": ["H180"], "states": ["refused"]})).await;
        assert_eq!((status, &rest["redriven"], &rest["hasMore"]), (202, &json!(2), &json!(false)), "{rest}");
        bridge.drain().await;
        for id in &ids {
            let state = bridge.state(id).await;
            assert_eq!((&state["state"], &state["generation"]), (&json!("registered"), &json!(2)), "{state}");
            assert_eq!(state["earlierSubmissions"][0]["code"], "H180", "what has ended stays as it is");
        }
        let (_, done) = bridge.post(&path, json!({})).await;
        assert_eq!(done["groups"][0]["leftBecause"]["code"], "already_registered");
        let notes = notes(&bridge).await;
        assert_eq!(notes.len(), 3);
        assert!(notes.iter().all(|(actor, detail)| actor.starts_with("key ") && detail.contains("filing 2 after refused H180")), "{notes:?}");
        assert!(notes.iter().any(|(_, detail)| detail.ends_with("; retailer was added")), "{notes:?}");
        assert_eq!(bridge.registry.movements().await.len(), 3, "each is filed once");
        bridge.ledger_holds().await;
    }
}

on_both_databases! {
    /// No approval is given another date, none goes against a refusal, and `force` changes nothing about that.
    async fn what_the_rules_forbid_is_left(database: Database) {
        let bridge = Bridge::start(database).await;
        let now = bridge.app.clocks.business();
        let late = bridge.consent(by_retailer(1, now - TimeDelta::minutes(9))).await;
        let overtaken = bridge.consent(by_retailer(2, now - TimeDelta::minutes(9))).await;
        bridge.drain().await;
        bridge.consent(consent("+905320000002", "MESAJ", "RET", now - TimeDelta::minutes(3))).await;
        bridge.registry.retailers(&[RETAILER]).await;
        let left = async |id: &str| {
            let (_, answer) = bridge.post(&format!("/v1/consents/{id}/redrive"), json!({"dryRun": false, "force": true})).await;
            assert_eq!((&answer["redriven"], &answer["left"]), (&json!(0), &json!(1)), "{answer}");
            answer["groups"][0]["leftBecause"].clone()
        };
        let why = left(&overtaken).await;
        assert_eq!((&why["code"], &why["forceHelps"]), (&json!("older_than_rejection"), &json!(false)), "{why}");
        bridge.advance("240h").await;
        let why = left(&late).await;
        assert_eq!((&why["code"], &why["forceHelps"]), (&json!("deadline_passed"), &json!(false)), "{why}");
        bridge.drain_for(3, "5s").await;
        assert!(bridge.registry.movements().await.iter().all(|movement| movement["status"] == "RET"));
    }
}

on_both_databases! {
    /// What its code says cannot be helped is left, unless it is forced and the rules allow it.
    async fn a_code_that_says_so_is_believed_unless_forced(database: Database) {
        let bridge = Bridge::start(database).await;
        let given = bridge.app.clocks.business() - TimeDelta::minutes(5);
        let id = bridge.consent(by_retailer(1, given)).await;
        bridge.drain().await;
        // As if the registry had said that the address is none.
        {
            let mut tx = bridge.app.db.begin(Priority::Bulk).await.unwrap();
            let (provider, now) = (IysCode(bridge.registry.seed.iys_code), bridge.app.clocks.business());
            let row = submissions::find(&mut tx, provider, id.parse().unwrap()).await.unwrap().unwrap();
            let again = row.clone().again(row.wire_date, now);
            let row = SubmissionRow { state: SubmissionState::Refused, code: Some("H121".to_owned()), ..again };
            submissions::add(&mut tx, vec![row], now).await.unwrap();
            tx.commit().await.unwrap();
        }
        bridge.registry.retailers(&[RETAILER]).await;
        let (_, left) = brand_redrive(&bridge, json!({"dryRun": false})).await;
        let why = &left["groups"][0]["leftBecause"];
        assert_eq!((&why["code"], &why["forceHelps"]), (&json!("cannot_help"), &json!(true)), "{left}");
        let (_, forced) = brand_redrive(&bridge, json!({"dryRun": false, "force": true})).await;
        assert_eq!(forced["redriven"], 1, "{forced}");
        bridge.drain().await;
        let state = bridge.state(&id).await;
        assert_eq!((&state["state"], &state["generation"]), (&json!("registered"), &json!(3)), "{state}");
    }
}

on_both_databases! {
    /// Many go portion by portion; one that is interrupted is done by doing it again.
    async fn a_large_redrive_goes_in_portions(database: Database) {
        let bridge = Bridge::start(database).await;
        let given = bridge.app.clocks.business() - TimeDelta::minutes(5);
        for part in 0..2 {
            let body: Vec<_> = (0..600).map(|n| by_retailer(part * 1_000 + n, given)).collect();
            let (status, answer) = bridge.consents(json!(body)).await;
            assert_eq!(status, 202, "{answer}");
        }
        refuse_all(&bridge).await;
        let (_, first) = brand_redrive(&bridge, json!({"dryRun": false})).await;
        assert_eq!((&first["lookedAt"], &first["redriven"], &first["hasMore"]), (&json!(1_000), &json!(1_000), &json!(true)), "{first}");
        let caller = Caller::system("test");
        let filter = EndedFilter { states: ENDED.to_vec(), codes: Vec::new(), from: None, to: None };
        let rest = redrive::whole(&bridge.app, &caller, None, &filter, &Wish::default()).await.unwrap();
        assert_eq!((rest.looked_at, rest.redriven), (200, 200));
        let none = redrive::whole(&bridge.app, &caller, None, &filter, &Wish::default()).await.unwrap();
        assert_eq!(none.looked_at, 0);
        assert_eq!(notes(&bridge).await.len(), 1_200);
    }
}

on_both_databases! {
    async fn a_filter_that_cannot_be_used_is_told(database: Database) {
        let bridge = Bridge::start(database).await;
        let body = json!({"from": "yesterday", "to": "2026-13-01", "after": "x", "reason": ""});
        let (status, answer) = brand_redrive(&bridge, body).await;
        assert_eq!(status, 422, "{answer}");
        let fields: Vec<&str> = answer["errors"].as_array().unwrap().iter().map(|e| e["field"].as_str().unwrap()).collect();
        assert_eq!(fields, ["reason", "from", "to", "after"], "{answer}");
        let (status, _) = brand_redrive(&bridge, json!({"states": ["registered"]})).await;
        assert_eq!(status, 422);
        let (status, _) = bridge.post_as(&bridge.admin, &format!("/v1/brands/{}/redrive", bridge.brand() + 1), json!({})).await;
        assert_eq!(status, 404);
        let (status, answer) = bridge.post_raw(&format!("/v1/brands/{}/redrive", bridge.brand()), &bridge.key, &[], Vec::new()).await;
        assert_eq!((status, &answer["dryRun"]), (200, &json!(true)), "without a body it only tells: {answer}");
    }
}
