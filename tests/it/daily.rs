//! Daily reconciliation: the registry's file of a day against what was filed from here.

use std::process::Command;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use iys::wire::ConsentRequest;
use iys::{Account, BrandCodes, Credentials, IysClient};
use kopru::bootstrap::App;
use kopru::clocks::{Clocks, SystemClock};
use kopru::lifecycle::Lifecycle;
use kopru::service::daily::{self, Planned};
use kopru::worker;
use kopru_domain::{BrandCode, Clock, IysCode, time};
use kopru_store::cursors::CursorRow;
use kopru_store::{Claim, Priority, audit, cursors, daily_reports};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::on_both_databases;
use crate::support::{Bridge, Database, Options, Registry, consent};

/// Moves on to the next time Turkey's clocks show this hour and minute.
async fn until(bridge: &Bridge, hour: u32, minute: u32) {
    let now = time::local(bridge.app.clocks.business());
    let mut wanted = now.date().and_hms_opt(hour, minute, 0).unwrap();
    if wanted <= now {
        wanted += TimeDelta::days(1);
    }
    bridge.advance(&format!("{}s", (wanted - now).num_seconds() + 1)).await;
}

/// A bridge at ten in the morning, with nothing due. Its brand was added the day before, whatever the time of day when the
/// test runs: between midnight and ten in Turkey it once was not.
async fn morning(database: Database, options: Options) -> Bridge {
    let bridge = Bridge::with(database, Registry::start().await, options).await;
    until(&bridge, 0, 0).await;
    until(&bridge, 10, 0).await;
    bridge.drain().await;
    bridge
}

fn today(bridge: &Bridge) -> NaiveDate {
    time::local(bridge.app.clocks.business()).date()
}

fn given(bridge: &Bridge) -> DateTime<Utc> {
    time::truncate_seconds(bridge.app.clocks.business() - TimeDelta::minutes(5))
}

async fn report(bridge: &Bridge, day: NaiveDate) -> Value {
    let path = format!("/v1/brands/{}/reports/daily/{day}", bridge.brand());
    let (status, answer) = bridge.get(&path).await;
    assert_eq!(status, 200, "{answer}");
    answer
}

async fn repair(bridge: &Bridge, day: NaiveDate) -> Value {
    let path = format!("/v1/brands/{}/reports/daily/{day}/repair", bridge.brand());
    let (status, answer) = bridge.post(&path, json!({})).await;
    assert_eq!(status, 200, "{answer}");
    answer
}

fn codes(bridge: &Bridge) -> BrandCodes {
    BrandCodes::new(bridge.registry.seed.iys_code, bridge.brand())
}

fn account(bridge: &Bridge, username: &str, password: &str) -> Account {
    let client = IysClient::builder(bridge.registry.url.clone()).build().unwrap();
    client.account(Credentials::new(username, password.to_owned()))
}

fn partner(bridge: &Bridge) -> Account {
    let seed = &bridge.registry.seed;
    account(bridge, &seed.username, &seed.password)
}

/// Somebody else files for the provider.
async fn filed_elsewhere(bridge: &Bridge, recipient: &str) {
    let seed = &bridge.registry.seed;
    let own = account(bridge, &seed.provider_username, &seed.provider_password);
    let request = ConsentRequest {
        recipient: recipient.to_owned(),
        r#type: "MESAJ".to_owned(),
        source: Some("HS_FIZIKSEL_ORTAM".to_owned()),
        status: "ONAY".to_owned(),
        consent_date: Some(time::format_registry(given(bridge))),
        recipient_type: Some("BIREYSEL".to_owned()),
        retailer_code: None,
        retailer_access: Vec::new(),
    };
    own.add_consent(codes(bridge), &request).await.unwrap();
}

/// Takes both pulls of the brand and does nothing with them: what the registry tells comes by the file alone.
async fn hold_pulls(bridge: &Bridge) -> Vec<(CursorRow, Claim)> {
    bridge.advance("65m").await;
    let mut held = Vec::new();
    let mut tx = bridge.app.db.begin(Priority::Bulk).await.unwrap();
    let wire = bridge.app.clocks.wire();
    for _ in 0..2 {
        let claim = Claim { by: Uuid::new_v4(), until: wire + TimeDelta::days(1) };
        let row = cursors::claim(&mut tx, bridge.app.clocks.business(), wire, claim).await.unwrap();
        held.push((row.expect("a pull is due"), claim));
    }
    tx.commit().await.unwrap();
    held
}

async fn release_pulls(bridge: &Bridge, held: Vec<(CursorRow, Claim)>) {
    let mut tx = bridge.app.db.begin(Priority::Bulk).await.unwrap();
    let now = bridge.app.clocks.business();
    for (row, claim) in held {
        assert!(cursors::fail(&mut tx, &row, claim, "held", now).await.unwrap());
    }
    tx.commit().await.unwrap();
}

async fn told(bridge: &Bridge, recipient: &str) -> Vec<(Value, String)> {
    let events = bridge.changes().await.into_iter().map(|event| event["data"].clone());
    let of = events.filter(|data| data["recipient"] == recipient);
    of.map(|data| (data["status"].clone(), data["cause"].as_str().unwrap().to_owned())).collect()
}

async fn audited(bridge: &Bridge, action: &str) -> usize {
    let mut tx = bridge.app.db.read().await.unwrap();
    let rows = audit::list(&mut tx, IysCode(bridge.registry.seed.iys_code), 100).await.unwrap();
    rows.iter().filter(|row| row.action == action).count()
}

async fn calls(bridge: &Bridge, operation: &str) -> i64 {
    bridge.registry.stats().await["operations"][operation]["calls"].as_i64().unwrap_or_default()
}

/// The command on the same database; its lines, and whether it was content.
fn kopru(bridge: &Bridge, args: &[&str]) -> (bool, Vec<Value>) {
    let output = Command::new(env!("CARGO_BIN_EXE_kopru"))
        .args(args)
        .arg("--json")
        .env("KOPRU__DATA_DIR", bridge.database().folder())
        .env("KOPRU__DATABASE__URL", &bridge.database().url)
        .env("KOPRU__REGISTRY__URL", &bridge.registry.url)
        .env("KOPRU__REGISTRY__SANDBOX_CLOCK", "true")
        .envs((!bridge.app.config.is_sqlite()).then(|| ("KOPRU__SECURITY__MASTER_KEY", "11".repeat(32))))
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(output.status.code().is_some_and(|code| code < 2), "{}", String::from_utf8_lossy(&output.stderr));
    (output.status.success(), lines)
}

on_both_databases! {
    async fn a_day_that_is_equal_is_agreed_to_and_stamped(database: Database) {
        let bridge = morning(database, Options::default()).await;
        let (status, brand) = bridge.patch_as(&bridge.admin, &format!("/v1/brands/{}", bridge.brand()), json!({"dailyAgreement": "when_equal"})).await;
        assert_eq!((status, &brand["dailyAgreement"]), (200, &json!("when_equal")), "{brand}");
        let day = today(&bridge);
        for n in 0..3 {
            bridge.consent(consent(&format!("+90532123450{n}"), "MESAJ", "ONAY", given(&bridge))).await;
        }
        bridge.drain().await;
        bridge.advance("2m").await;
        bridge.registry.citizen("+905321234500", "MESAJ", "RET").await;
        until(&bridge, 3, 0).await;
        bridge.drain().await;
        until(&bridge, 7, 0).await;
        bridge.drain().await;

        let answer = report(&bridge, day).await;
        let report = &answer["report"];
        assert_eq!(report["status"], "equal", "{answer}");
        assert_eq!((&report["movements"], &report["matched"]), (&json!(4), &json!(4)), "{answer}");
        assert_eq!((&report["agreed"], &report["timeStamp"]["fits"]), (&json!(true), &json!(true)), "{answer}");
        assert_eq!(report["summary"]["BIREYSEL"].as_array().unwrap().len(), 3, "{answer}");
        assert_eq!(answer["differences"], json!([]));
        let agreement = partner(&bridge).agreement(codes(&bridge), day).await.unwrap().unwrap();
        assert!(agreement.agreement_status && agreement.matches(report["sha384"].as_str().unwrap()));

        let path = format!("/v1/brands/{}/reports/daily", bridge.brand());
        let (kind, stamp) = bridge.download(&format!("{path}/{day}/timestamp"), "*/*").await;
        assert_eq!(kind, "application/timestamp-reply");
        assert!(stamp.len() > 500);
        let (kind, csv) = bridge.download(&path, "text/csv").await;
        let csv = String::from_utf8(csv).unwrap();
        assert_eq!(kind, "text/csv; charset=utf-8");
        assert!(csv.contains(&format!("\n{day},equal,4,4,0,0,0,0,0,true,true,")), "{csv}");
        let (_, days) = bridge.get(&format!("{path}?limit=1")).await;
        assert_eq!((&days["items"][0]["date"], days["hasMore"] == json!(true)), (&json!(day.to_string()), true), "{days}");
        let (_, earlier) = bridge.get(&format!("{path}?after={}", days["next"].as_str().unwrap())).await;
        assert_eq!(earlier["items"][0]["movements"], 0, "a day without movements is equal: {earlier}");
        assert_eq!(earlier["items"][0]["status"], "equal", "{earlier}");
        assert_eq!(bridge.get(&format!("{path}/20.11.2026")).await.0, 400);
        assert_eq!(bridge.get(&format!("{path}/2020-11-20")).await.0, 404);

        // What is done is not asked for again.
        let before = calls(&bridge, "agreement").await;
        bridge.drain_for(3, "1h").await;
        assert_eq!(calls(&bridge, "agreement").await, before);
    }
}

on_both_databases! {
    /// Neither pull nor push has told: the file does, once, and whoever tells later changes nothing.
    async fn a_movement_behind_our_back_is_found_and_merged_once(database: Database) {
        let bridge = morning(database, Options::default()).await;
        let day = today(&bridge);
        bridge.consent(consent("+905321234500", "MESAJ", "ONAY", given(&bridge))).await;
        bridge.drain().await;
        let held = hold_pulls(&bridge).await;
        bridge.registry.citizen("+905321234500", "MESAJ", "RET").await;
        filed_elsewhere(&bridge, "+905321234599").await;
        until(&bridge, 7, 0).await;
        bridge.drain().await;
        assert_eq!(report(&bridge, day).await["report"]["status"], "awaited", "the pull goes first");
        until(&bridge, 10, 30).await;
        bridge.drain().await;

        let found = report(&bridge, day).await;
        assert_eq!(found["report"]["status"], "different", "{found}");
        assert_eq!((&found["report"]["movements"], &found["report"]["missingHere"], &found["report"]["matched"]), (&json!(3), &json!(2), &json!(1)), "{found}");
        assert_eq!(found["report"]["agreed"], json!(false));
        let mut causes: Vec<_> = found["differences"].as_array().unwrap().iter().map(|it| (it["cause"].as_str().unwrap(), it["recipient"].as_str().unwrap(), it["proposal"]["action"].as_str().unwrap())).collect();
        causes.sort_unstable();
        assert_eq!(causes, [("filed_elsewhere", "+905321234599", "acknowledge"), ("not_brought", "+905321234500", "acknowledge")]);
        assert_eq!(told(&bridge, "+905321234500").await, [(json!("ONAY"), "registered".to_owned()), (json!("RET"), "daily_file".to_owned())]);
        assert_eq!(told(&bridge, "+905321234599").await, [(json!("ONAY"), "daily_file".to_owned())]);

        // The pull tells of the same, and the file once more: no second event, and no second difference.
        release_pulls(&bridge, held).await;
        bridge.drain().await;
        let events = bridge.changes().await.len();
        let path = format!("/v1/brands/{}/reports/daily/{day}", bridge.brand());
        let repaired = repair(&bridge, day).await;
        assert_eq!((&repaired["repaired"], &repaired["acknowledge"], &repaired["remaining"]), (&json!(2), &json!(2), &json!(0)), "{repaired}");
        assert_eq!(repair(&bridge, day).await["repaired"], 0, "twice does nothing");
        assert_eq!(audited(&bridge, "daily.repaired").await, 1);
        let (status, _) = bridge.post(&format!("{path}/read"), json!({})).await;
        assert_eq!(status, 202);
        bridge.drain().await;
        let again = report(&bridge, day).await;
        assert_eq!((&again["report"]["movements"], &again["report"]["unrepaired"]), (&json!(3), &json!(0)), "{again}");
        assert_eq!(bridge.changes().await.len(), events);
        let (_, csv) = bridge.download(&format!("{path}?format=csv"), "*/*").await;
        assert_eq!(String::from_utf8(csv).unwrap().lines().count(), 3);
    }
}

on_both_databases! {
    async fn what_the_registry_has_lost_is_reported_and_filed_once_more(database: Database) {
        let bridge = morning(database, Options::default()).await;
        let day = today(&bridge);
        let kept = bridge.consent(consent("+905321234500", "MESAJ", "ONAY", given(&bridge))).await;
        let lost = bridge.consent(consent("+905321234501", "MESAJ", "ONAY", given(&bridge))).await;
        bridge.drain().await;
        let transaction = bridge.state(&lost).await["registry"]["transactionId"].as_str().unwrap().to_owned();
        bridge.registry.lose(&transaction).await;
        assert_eq!(bridge.registry.consents("+905321234501").await["list"], json!([]));
        until(&bridge, 5, 0).await;
        bridge.drain().await;
        until(&bridge, 7, 0).await;
        bridge.drain().await;

        let found = report(&bridge, day).await;
        assert_eq!((&found["report"]["status"], &found["report"]["missingThere"], &found["report"]["matched"]), (&json!("different"), &json!(1), &json!(1)), "{found}");
        let difference = &found["differences"][0];
        assert_eq!((&difference["kind"], &difference["consentId"], &difference["proposal"]["action"]), (&json!("missing_there"), &json!(lost), &json!("redrive")), "{found}");

        // The command shows the same, and repairs it.
        let brand = bridge.brand().to_string();
        let (content, lines) = kopru(&bridge, &["reconcile", "--brand", &brand, "--date", &day.to_string()]);
        assert!(!content, "something is to be done");
        assert_eq!((&lines[0]["status"], &lines[1]["id"]), (&json!("different"), &difference["id"]), "{lines:?}");
        let (content, lines) = kopru(&bridge, &["reconcile", "--brand", &brand, "--apply"]);
        assert!(content, "{lines:?}");
        assert_eq!((&lines[2]["redrive"], &lines[2]["remaining"]), (&json!(1), &json!(0)), "{lines:?}");
        assert_eq!(bridge.permission("+905321234501", "MESAJ").await["permissions"][0]["status"], Value::Null, "not known to be approved");
        assert_eq!(repair(&bridge, day).await["repaired"], 0, "it is filed once");
        bridge.drain().await;

        let state = bridge.state(&lost).await;
        assert_eq!((&state["state"], &state["generation"]), (&json!("registered"), &json!(2)), "{state}");
        assert_eq!(bridge.registry.consents("+905321234501").await["list"][0]["status"], "ONAY");
        assert_eq!(bridge.state(&kept).await["generation"], 1);
        let events: Vec<_> = told(&bridge, "+905321234501").await.into_iter().map(|(status, _)| status).collect();
        assert_eq!(events, [json!("ONAY"), Value::Null, json!("ONAY")]);
        assert_eq!(audited(&bridge, "daily.repaired").await, 1);
        bridge.ledger_holds().await;
    }
}

on_both_databases! {
    /// A file that is not the one whose hash the registry names is not believed.
    async fn a_wrong_hash_is_refused(database: Database) {
        let bridge = morning(database, Options::default()).await;
        let day = today(&bridge);
        bridge.consent(consent("+905321234500", "MESAJ", "ONAY", given(&bridge))).await;
        bridge.drain().await;
        let _held = hold_pulls(&bridge).await;
        bridge.registry.citizen("+905321234500", "MESAJ", "RET").await;
        until(&bridge, 7, 0).await;
        bridge.drain().await;
        until(&bridge, 10, 30).await;
        // The registry makes its hash, and then its file becomes another.
        partner(&bridge).agreement(codes(&bridge), day).await.unwrap().unwrap();
        let movements = bridge.registry.movements().await;
        bridge.registry.lose(movements[0]["transactionId"].as_str().unwrap()).await;
        bridge.drain().await;

        let found = report(&bridge, day).await;
        assert_eq!((&found["report"]["status"], &found["report"]["movements"]), (&json!("hash_mismatch"), &json!(0)), "{found}");
        assert_eq!(told(&bridge, "+905321234500").await.len(), 1, "nothing of it was merged");
        assert_eq!(found["report"]["agreed"], json!(false));
        let path = format!("/v1/brands/{}/reports/daily/{day}/repair", bridge.brand());
        assert_eq!(bridge.post(&path, json!({})).await.0, 409);
        bridge.drain_for(8, "24h").await;
        assert_eq!(report(&bridge, day).await["report"]["status"], "lapsed");
    }
}

on_both_databases! {
    async fn a_partner_without_the_right_is_told_and_asks_once_a_week(database: Database) {
        let bridge = morning(database, Options::default()).await;
        let rights = |control: bool| json!([{"integratorCode": bridge.registry.seed.integrator_code, "brandCode": bridge.brand(),
            "MESAJ": "write", "ARAMA": "write", "EPOSTA": "write", "agreementControl": control}]);
        bridge.registry.clear_brand_rights(rights(false)).await;
        let before = calls(&bridge, "agreement").await;
        let day = today(&bridge);
        bridge.consent(consent("+905321234500", "MESAJ", "ONAY", given(&bridge))).await;
        bridge.drain().await;
        until(&bridge, 5, 0).await;
        bridge.drain().await;
        for _ in 0..5 {
            until(&bridge, 7, 0).await;
            bridge.drain().await;
        }
        assert_eq!(calls(&bridge, "agreement").await - before, 1);
        let found = report(&bridge, day).await;
        assert_eq!((&found["report"]["status"], &found["report"]["error"]), (&json!("not_permitted"), &json!("H353")), "{found}");

        bridge.registry.clear_brand_rights(rights(true)).await;
        let path = format!("/v1/brands/{}/reports/daily/{day}/read", bridge.brand());
        assert_eq!(bridge.post(&path, json!({})).await.0, 202);
        bridge.drain().await;
        assert_eq!(report(&bridge, day).await["report"]["status"], "equal");
    }
}

/// A clock that is ahead: the leases of the dead have run out there.
struct Ahead;

impl Clock for Ahead {
    fn now(&self) -> DateTime<Utc> {
        SystemClock.now() + TimeDelta::minutes(10)
    }
}

/// Ends once some of the day's rows are done.
async fn some_are_done(app: &App, brand: (IysCode, BrandCode), day: NaiveDate, all: i64) -> i64 {
    loop {
        let mut tx = app.db.read().await.unwrap();
        let row = daily_reports::find(&mut tx, brand.0, brand.1, day).await.unwrap();
        if let Some(row) = row.filter(|row| row.movements > 0 && row.movements < all) {
            return row.movements;
        }
        drop(tx);
        tokio::task::yield_now().await;
    }
}

on_both_databases! {
    /// The process dies over the file: another goes on from the last committed row, and every row counts once.
    async fn a_file_that_was_half_read_is_read_to_its_end(database: Database) {
        const ALL: i64 = 6_000;
        let bridge = morning(database, Options { batch_threshold: Some(10), ..Options::default() }).await;
        let day = today(&bridge);
        let body: Vec<_> = (0..=ALL).map(|n| consent(&format!("+90532{:07}", 1_000_000 + n), "MESAJ", "ONAY", given(&bridge))).collect();
        let (status, answer) = bridge.consents(json!(body)).await;
        assert_eq!(status, 202, "{answer}");
        bridge.drain_for(3, "6m").await;
        let lost = answer["accepted"][0]["id"].as_str().unwrap();
        let transaction = bridge.state(lost).await["registry"]["transactionId"].as_str().unwrap().to_owned();
        bridge.registry.lose(&transaction).await;
        until(&bridge, 5, 0).await;
        bridge.drain().await;
        until(&bridge, 7, 0).await;

        let app = &bridge.app;
        let brand = (IysCode(bridge.registry.seed.iys_code), BrandCode(bridge.brand()));
        let planned = Planned::default();
        let (row, claim) = loop {
            let claim = Claim { by: Uuid::new_v4(), until: app.clocks.wire() + TimeDelta::minutes(2) };
            let row = daily::claim(app, &planned, claim).await.unwrap().expect("the day is due");
            if row.day == day {
                break (row, claim);
            }
            daily::read(app, row, claim).await.unwrap();
        };
        let done = tokio::select! {
            ended = daily::read(app, row, claim) => panic!("it was through before it could be killed: {ended:?}"),
            done = some_are_done(app, brand, day, ALL) => done,
        };
        assert!(done > 0 && done < ALL, "{done}");
        worker::drain(app).await.unwrap();
        assert_ne!(report(&bridge, day).await["report"]["status"], "different", "the dead one's lease holds");

        let other = App::start(app.config.clone(), Clocks::new(Arc::new(Ahead)), Lifecycle::new()).await.unwrap();
        other.clocks.set_offset(bridge.registry.sandbox.clock_offset());
        worker::drain(&other).await.unwrap();
        let found = report(&bridge, day).await;
        let report = &found["report"];
        assert_eq!((&report["movements"], &report["matched"], &report["missingThere"], &report["missingHere"]), (&json!(ALL), &json!(ALL), &json!(1), &json!(0)), "{report}");
        assert_eq!(found["differences"][0]["consentId"], json!(lost));
    }
}
