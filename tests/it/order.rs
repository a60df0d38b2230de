//! Whose turn it is at the registry: RET first and brands in turn while every target is safe, earliest target first while one
//! is not.

use chrono::{DateTime, TimeDelta, Utc};
use kopru::service::filing::{Turn, claim_due};
use kopru_domain::Deadline;
use kopru_store::{Claim, submissions};
use serde_json::json;
use uuid::Uuid;

use crate::on_both_databases;
use crate::support::{Bridge, Database, Options, Registry, consent};

const OTHER_BRAND: i64 = 600_200;

/// A bridge with two brands whose registry is paced at a request a second.
async fn two_brands(database: Database) -> Bridge {
    let options = Options { requests_per_second: Some(1.0), batch_threshold: Some(2), ..Options::default() };
    let bridge = Bridge::with(database, Registry::start().await, options).await;
    let brand = json!({"iysCode": bridge.registry.seed.iys_code, "brandCode": OTHER_BRAND, "name": "Other"});
    let (status, answer) = bridge.post_as(&bridge.admin, "/v1/brands", brand).await;
    assert_eq!(status, 201, "{answer}");
    bridge
}

/// Claims until nothing is left: brand and status of each claim, in order.
async fn claims(bridge: &Bridge) -> Vec<(i64, Vec<&'static str>)> {
    let turn = Turn::default();
    let mut order = Vec::new();
    loop {
        let claim = Claim { by: Uuid::new_v4(), until: bridge.app.clocks.wire() + TimeDelta::minutes(2) };
        let Some(work) = claim_due(&bridge.app, &turn, claim).await.unwrap() else { return order };
        let mut statuses: Vec<_> = work.singles.iter().map(|out| out.row.status.as_str()).collect();
        if let Some((batch, _)) = work.batch {
            let mut tx = bridge.app.db.read().await.unwrap();
            let rows = submissions::of_batch(&mut tx, batch.iys_code, batch.id).await.unwrap();
            statuses.extend(rows.iter().map(|row| row.status.as_str()));
        }
        order.push((work.brand.0, statuses));
    }
}

async fn add(bridge: &Bridge, brand: i64, number: u32, status: &str, date: DateTime<Utc>) {
    let body = consent(&format!("+90532{number:07}"), "MESAJ", status, date);
    let (code, answer) = bridge.post(&format!("/v1/brands/{brand}/consents"), body).await;
    assert_eq!(code, 202, "{answer}");
}

on_both_databases! {
    async fn comfortable(database: Database) {
        let bridge = two_brands(database).await;
        let now = bridge.app.clocks.business();
        let (first, second) = (bridge.brand(), OTHER_BRAND);
        add(&bridge, first, 1, "ONAY", now - TimeDelta::minutes(9)).await;
        add(&bridge, first, 2, "ONAY", now - TimeDelta::minutes(8)).await;
        add(&bridge, second, 3, "ONAY", now - TimeDelta::minutes(1)).await;
        add(&bridge, second, 4, "RET", now - TimeDelta::seconds(30)).await;
        let order = claims(&bridge).await;
        assert_eq!(order, [(second, vec!["RET"]), (first, vec!["ONAY", "ONAY"]), (second, vec!["ONAY"])]);
    }
}

on_both_databases! {
    async fn at_risk(database: Database) {
        let bridge = two_brands(database).await;
        let calendar = &bridge.app.calendar;
        let late = bridge.app.clocks.business();
        let target = |event| Deadline::of(event, calendar).target;
        let early = (1..10_000).map(|minutes| late - TimeDelta::minutes(minutes)).find(|event| target(*event) < target(late)).unwrap();
        let (first, second) = (bridge.brand(), OTHER_BRAND);
        // The other brand's RET comes first in a comfortable queue; here the earlier target does, whoever owns it.
        add(&bridge, second, 1, "RET", late).await;
        add(&bridge, second, 2, "ONAY", late).await;
        add(&bridge, first, 3, "ONAY", early).await;
        add(&bridge, first, 4, "RET", early).await;
        let left = target(early) - bridge.app.clocks.business() - TimeDelta::seconds(2);
        bridge.advance(&format!("{}s", left.num_seconds())).await;
        let order = claims(&bridge).await;
        assert_eq!(order, [(first, vec!["RET", "ONAY"]), (second, vec!["RET", "ONAY"])], "RET wins ties");
    }
}
