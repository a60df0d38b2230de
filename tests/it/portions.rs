//! What may be much is done in portions, each a transaction of its own, so that nobody else waits for long; and a crash
//! between two of them loses nothing.

use chrono::TimeDelta;
use kopru::service::housekeeping;
use kopru_domain::{BrandCode, Channel, IysCode, SubmissionState};
use kopru_store::idempotency::{self, IdempotencyKey, PartRow};
use kopru_store::{Priority, holds, submissions};
use serde_json::json;

use crate::on_both_databases;
use crate::support::{Bridge, Database, Options, Registry, consent};

async fn held(bridge: &Bridge) -> i64 {
    let mut tx = bridge.app.db.read().await.unwrap();
    let counts = submissions::counts(&mut tx).await.unwrap();
    counts.into_iter().find(|open| open.state == SubmissionState::Held).map_or(0, |open| open.count)
}

async fn lifted(bridge: &Bridge) -> usize {
    let mut tx = bridge.app.db.read().await.unwrap();
    holds::lifted(&mut tx).await.unwrap().len()
}

/// The right to file messages, as the registry has it for the brand.
async fn give_right(bridge: &Bridge, message: &str) {
    let right = json!([{"integratorCode": bridge.registry.seed.integrator_code, "brandCode": bridge.brand(),
        "MESAJ": message, "ARAMA": "write", "EPOSTA": "write"}]);
    bridge.registry.clear_brand_rights(right).await;
}

/// A bridge that holds so many consents, because the right to file them is missing.
async fn holding(database: Database, count: i64) -> Bridge {
    let options = Options { batch_threshold: Some(20), ..Options::default() };
    let bridge = Bridge::with(database, Registry::start().await, options).await;
    give_right(&bridge, "none").await;
    let given = bridge.app.clocks.business() - TimeDelta::minutes(5);
    let body: Vec<_> =
        (0..count).map(|n| consent(&format!("+90532{n:07}"), "MESAJ", "ONAY", given)).collect();
    assert_eq!(bridge.consents(json!(body)).await.0, 202);
    bridge.drain().await;
    bridge
}

on_both_databases! {
    async fn what_a_hold_kept_back_is_released_in_portions(database: Database) {
        let bridge = holding(database, 2_500).await;
        assert_eq!(held(&bridge).await, 2_500);

        // The hold is lifted, and the process dies before anything was released.
        give_right(&bridge, "write").await;
        let mut tx = bridge.app.db.begin(Priority::Bulk).await.unwrap();
        let (provider, brand) = (IysCode(bridge.registry.seed.iys_code), BrandCode(bridge.brand()));
        assert!(holds::lift(&mut tx, provider, brand, Channel::Message, true, bridge.app.clocks.business()).await.unwrap());
        tx.commit().await.unwrap();
        for left in [(1_500, 1), (500, 1), (0, 0)] {
            housekeeping::tend(&bridge.app).await.unwrap();
            assert_eq!((held(&bridge).await, lifted(&bridge).await), left, "the hold goes with the last of them");
        }
        bridge.drain_for(2, "7m").await;
        assert_eq!(bridge.registry.movements().await.len(), 2_500);
    }
}

on_both_databases! {
    /// As [`what_a_hold_kept_back_is_released_in_portions`], by the probe that finds the right given.
    async fn a_probe_releases_all(database: Database) {
        let bridge = holding(database, 1_300).await;
        give_right(&bridge, "write").await;
        bridge.drain_for(3, "20m").await;
        assert_eq!((held(&bridge).await, lifted(&bridge).await), (0, 0));
        assert_eq!(bridge.registry.movements().await.len(), 1_300);
    }
}

on_both_databases! {
    async fn stored_answers_are_forgotten_in_portions(database: Database) {
        let bridge = Bridge::start(database).await;
        let now = bridge.app.clocks.wire();
        let key = IdempotencyKey { iys_code: IysCode(0), api_key_id: "k".to_owned(), route: "POST /".to_owned(), key: "once".to_owned() };
        let mut tx = bridge.app.db.begin(Priority::Bulk).await.unwrap();
        for part in 0..2_500 {
            let row = PartRow { part, body_hash: vec![1], status: Some(202), answer: None };
            let expires = if part < 2_300 { now - TimeDelta::hours(1) } else { now + TimeDelta::hours(1) };
            assert!(idempotency::add(&mut tx, &key, &row, now - TimeDelta::hours(73), expires).await.unwrap());
        }
        tx.commit().await.unwrap();
        housekeeping::purge(&bridge.app).await.unwrap();
        let mut tx = bridge.app.db.read().await.unwrap();
        let left = idempotency::parts(&mut tx, &key, now - TimeDelta::days(9)).await.unwrap();
        assert_eq!(left.len(), 200, "every portion was taken, and what has not run out stays");
    }
}
