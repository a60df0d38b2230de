//! How well the mirror follows the registry: brands in use are read more often, silence is told of, and a gap of the feed is
//! closed by asking for every address.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::{Bridge, Database, Options, Registry, consent};

const STAYS: &str = "+905321234501";
const LEAVES: &str = "+905321234502";
const LATER: &str = "+905321234503";

fn instant(value: &Value) -> DateTime<Utc> {
    value.as_str().unwrap_or_else(|| panic!("{value}")).parse().unwrap()
}

/// Registers approvals and reads the feed until it shows them.
async fn registered(bridge: &Bridge, recipients: &[&str]) {
    let given = bridge.app.clocks.business() - TimeDelta::minutes(5);
    for recipient in recipients {
        bridge.consent(consent(recipient, "MESAJ", "ONAY", given)).await;
    }
    bridge.drain_for(2, "65m").await;
}

/// What the feed of events told of permissions: address, cause, before and after.
async fn told(bridge: &Bridge, after: usize) -> Vec<(String, String, Value, Value)> {
    let changes = bridge.changes().await;
    let events = changes.iter().skip(after).map(|event| &event["data"]);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    events
        .map(|data| {
            (text(&data["recipient"]), text(&data["cause"]), data["previous"].clone(), data["status"].clone())
        })
        .collect()
}

on_both_databases! {
    /// A check makes a brand one in use: it is read again within three quarters of half the bound, however quiet it is.
    async fn a_brand_in_use_is_read_in_time(database: Database) {
        let bridge = Bridge::start(database).await;
        registered(&bridge, &[STAYS]).await;
        // Nothing happens for hours, and each pull asks for a longer rest.
        bridge.drain_for(6, "61m").await;
        let quiet = bridge.mirror().await;
        let rest = |mirror: &Value| instant(&mirror["nextPullAt"]) - instant(&mirror["asOf"]);
        assert_eq!((&quiet["inUse"], rest(&quiet).num_minutes(), &quiet["alarm"]), (&json!(false), 60, &json!(false)), "{quiet}");

        bridge.advance("20m").await;
        let (verdict, _) = bridge.check(STAYS).await;
        assert_eq!(verdict["allowed"], true, "{verdict}");
        let used = bridge.mirror().await;
        assert_eq!((&used["inUse"], rest(&used).num_minutes()), (&json!(true), 45), "{used}");
        for _ in 0..20 {
            bridge.advance("5m").await;
            bridge.drain().await;
            let age = bridge.app.clocks.business() - instant(&bridge.mirror().await["asOf"]);
            assert!(age <= TimeDelta::minutes(45), "{age}");
        }
        bridge.drain_for(8, "24h").await;
        assert_eq!(bridge.mirror().await["inUse"], false);
    }
}

on_both_databases! {
    /// Three days without a successful pull are an alarm; the next success ends it.
    async fn three_days_of_silence_are_an_alarm(database: Database) {
        let bridge = Bridge::start(database).await;
        bridge.drain().await;
        bridge.registry.fault("changes", "500", 1_000_000).await;
        bridge.drain_for(5, "14h").await;
        let silent = bridge.mirror().await;
        assert_eq!((&silent["alarm"], silent["lastError"].is_string()), (&json!(false), true), "{silent}");
        bridge.drain_for(1, "14h").await;
        assert_eq!(bridge.mirror().await["alarm"], true);
        let (verdict, _) = bridge.check(STAYS).await;
        assert_eq!(verdict["reason"], "stale", "{verdict}");
        bridge.registry.clear_faults().await;
        bridge.drain_for(1, "14h").await;
        let heard = bridge.mirror().await;
        assert_eq!((&heard["alarm"], heard.get("lastError"), heard.get("sweep")), (&json!(false), None, None), "{heard}");
    }
}

on_both_databases! {
    /// The feed was not read for eight days. What was known is forgotten, with an event each; what the window still shows is
    /// read; and all other addresses are asked for, until what is approved is known again. A withdrawal of the lost day is
    /// found out by its absence.
    async fn a_gap_is_closed_by_asking(database: Database) {
        let bridge = Bridge::with(database, Registry::start().await, Options::default()).await;
        registered(&bridge, &[STAYS, LEAVES, LATER]).await;
        let before = bridge.changes().await.len();
        bridge.registry.citizen(LEAVES, "MESAJ", "RET").await;
        bridge.advance("190h").await;
        bridge.registry.citizen(LATER, "MESAJ", "RET").await;
        bridge.advance("2h").await;
        // The first question has no answer: the sweep goes on where it stopped.
        bridge.registry.fault("statuses", "500", 3).await;
        bridge.drain().await;
        let asking = bridge.mirror().await;
        assert_eq!((&asking["sweep"]["phase"], &asking["sweep"]["forgotten"]), (&json!("asking"), &json!(3)), "{asking}");
        let approved = json!("ONAY");
        let mut events = told(&bridge, before).await;
        events.sort_by(|one, other| (&one.1, &one.0).cmp(&(&other.1, &other.0)));
        let gap = |recipient: &str| (recipient.to_owned(), "gap".to_owned(), approved.clone(), Value::Null);
        let read = (LATER.to_owned(), "registry_change".to_owned(), Value::Null, json!("RET"));
        assert_eq!(events, [gap(STAYS), gap(LEAVES), gap(LATER), read]);
        let (verdict, _) = bridge.check(STAYS).await;
        assert_eq!((&verdict["allowed"], &verdict["reason"]), (&json!(false), &json!("unknown")), "fresh, and not known: {verdict}");

        bridge.drain_for(3, "10m").await;
        let done = bridge.mirror().await["sweep"].clone();
        let counts = [&done["phase"], &done["asked"], &done["approved"]];
        assert_eq!(counts, [&json!("done"), &json!(2), &json!(1)], "{done}");
        assert!(done["endedAt"].is_string() && done.get("lastError").is_none(), "{done}");
        let asked = told(&bridge, before + 4).await;
        assert_eq!(asked, [(STAYS.to_owned(), "status_query".to_owned(), Value::Null, approved)]);
        for (recipient, allowed, reason) in [(STAYS, true, Value::Null), (LEAVES, false, json!("unknown")), (LATER, false, json!("RET"))] {
            let (verdict, _) = bridge.check(recipient).await;
            assert_eq!((&verdict["allowed"], &verdict["reason"]), (&json!(allowed), &reason), "{recipient}: {verdict}");
        }
        let feed = bridge.changes().await.len();
        bridge.drain_for(3, "61m").await;
        assert_eq!(bridge.changes().await.len(), feed, "nothing is told twice");
    }
}

on_both_databases! {
    /// More than one portion and one call; killed in the middle, another process takes the rest.
    async fn a_sweep_is_taken_up_where_it_stopped(database: Database) {
        let bridge = Bridge::with(database, Registry::start().await, Options { batch_threshold: Some(100), ..Options::default() }).await;
        let given = bridge.app.clocks.business() - TimeDelta::minutes(5);
        let many: Vec<_> = (0..2_300).map(|n| consent(&format!("+90532{:07}", 7_000_000 + n), "MESAJ", "ONAY", given)).collect();
        assert_eq!(bridge.consents(json!(many)).await.0, 202);
        bridge.drain_for(4, "65m").await;
        bridge.advance("192h").await;
        let claim = |seconds| kopru_store::Claim {
            by: uuid::Uuid::new_v4(),
            until: bridge.app.clocks.wire() + TimeDelta::seconds(seconds),
        };
        use kopru::service::reconciliation::{claim_pull, pull, sweep};
        for _ in 0..2 {
            let mine = claim(60);
            let cursor = claim_pull(&bridge.app, mine).await.unwrap().unwrap();
            pull(&bridge.app, cursor, mine).await.unwrap();
        }
        let mine = claim(60);
        let first = sweep::claim(&bridge.app, mine).await.unwrap().unwrap();
        sweep::step(&bridge.app, first, mine).await.unwrap();
        let asked = bridge.mirror().await["sweep"].clone();
        assert_eq!((&asked["asked"], &asked["forgotten"]), (&json!(1_000), &json!(2_300)), "{asked}");
        // A process claims the next portion and dies; its lease has run out.
        assert!(sweep::claim(&bridge.app, claim(-1)).await.unwrap().is_some());
        bridge.drain().await;
        let done = bridge.mirror().await["sweep"].clone();
        assert_eq!((&done["phase"], &done["asked"], &done["approved"]), (&json!("done"), &json!(2_300), &json!(2_300)), "{done}");
        let stats = bridge.registry.stats().await;
        assert_eq!(stats["operations"]["statuses"]["calls"], 3, "{stats}");
        let told = told(&bridge, 2_300).await;
        assert_eq!(told.len(), 4_600);
        assert_eq!(told.iter().filter(|(_, cause, _, status)| cause == "gap" && status.is_null()).count(), 2_300);
    }
}
