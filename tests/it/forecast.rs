//! At the present budget the queue is empty at an instant, and so many would miss their target.

use chrono::TimeDelta;
use kopru::service::filing::{Turn, claim_due, file};
use kopru::service::keys::{self, NewKey};
use kopru::service::{Caller, Scope};
use kopru_domain::IysCode;
use kopru_store::Claim;
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::{Bridge, Database, Options, Registry, consent};

const OTHER_PROVIDER: i64 = 600_900;

async fn forecast_as(bridge: &Bridge, key: &str) -> Value {
    let request = reqwest::Client::builder().build().unwrap().get(format!("{}/v1/forecast", bridge.url));
    let answer = request.bearer_auth(key).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    answer.json().await.unwrap()
}

async fn key_of(bridge: &Bridge, provider: i64) -> String {
    let new = NewKey {
        name: "own".to_owned(),
        scopes: vec![Scope::ConsentsRead],
        iys_code: Some(IysCode(provider)),
        ..NewKey::default()
    };
    keys::add(&bridge.app, &Caller::system("test"), new).await.unwrap().key
}

on_both_databases! {
    async fn it_tells_when_the_queue_is_empty_and_what_is_late(database: Database) {
        let options = Options { requests_per_second: Some(1.0), ..Options::default() };
        let bridge = Bridge::with(database, Registry::start().await, options).await;
        let provider = json!({"iysCode": OTHER_PROVIDER, "title": "Other"});
        assert_eq!(bridge.post_as(&bridge.admin, "/v1/providers", provider).await.0, 201);
        let empty = forecast_as(&bridge, &bridge.key).await;
        assert_eq!((&empty["queued"], &empty["late"], &empty["regime"]), (&json!(0), &json!(0), &json!("comfortable")), "{empty}");
        assert_eq!(empty["earliestTarget"], Value::Null);

        let given = bridge.app.clocks.business() - TimeDelta::minutes(5);
        let body: Vec<_> = (0..3).map(|n| consent(&format!("+90532000000{n}"), "MESAJ", "ONAY", given)).collect();
        let (_, taken) = bridge.consents(json!(body)).await;
        let target = &taken["accepted"][0]["deadline"]["target"];
        let all = forecast_as(&bridge, &bridge.key).await;
        assert_eq!((&all["queued"], &all["requests"], &all["late"]), (&json!(3), &json!(1), &json!(0)), "{all}");
        assert_eq!((&all["earliestTarget"], &all["brands"]), (target, &json!([])), "no brand is at risk: {all}");
        assert!(all["emptyAt"].as_str().unwrap() > all["asOf"].as_str().unwrap(), "{all}");
        let own = key_of(&bridge, bridge.registry.seed.iys_code).await;
        let part = forecast_as(&bridge, &own).await;
        assert_eq!((&part["brands"][0]["brandCode"], &part["brands"][0]["queued"]), (&json!(bridge.brand()), &json!(3)), "{part}");
        let foreign = forecast_as(&bridge, &key_of(&bridge, OTHER_PROVIDER).await).await;
        assert_eq!((&foreign["queued"], &foreign["requests"], &foreign["brands"]), (&json!(0), &json!(0), &json!([])), "{foreign}");

        // What was claimed and not filed was left out, and with it the time that it takes.
        let claim = Claim { by: uuid::Uuid::new_v4(), until: bridge.app.clocks.wire() + TimeDelta::minutes(1) };
        let work = claim_due(&bridge.app, &Turn::default(), claim).await.unwrap().unwrap();
        let in_hand = forecast_as(&bridge, &bridge.key).await;
        assert_eq!((work.singles.len(), &in_hand["queued"], &in_hand["requests"]), (3, &json!(0), &json!(3)), "{in_hand}");
        let at = |field: &str| chrono::DateTime::parse_from_rfc3339(in_hand[field].as_str().unwrap()).unwrap();
        assert!(at("emptyAt") - at("asOf") >= TimeDelta::seconds(2), "{in_hand}");
        file(&bridge.app, work).await.unwrap();

        let body: Vec<_> = (3..6).map(|n| consent(&format!("+90532000000{n}"), "MESAJ", "ONAY", given)).collect();
        assert_eq!(bridge.consents(json!(body)).await.0, 202);
        bridge.advance("240h").await;
        let late = forecast_as(&bridge, &bridge.key).await;
        assert_eq!((&late["late"], &late["regime"], &late["brands"][0]["late"]), (&json!(3), &json!("at_risk"), &json!(3)), "{late}");
    }
}
