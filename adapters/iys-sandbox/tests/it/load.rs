//! How fast lists are taken and processed, and how much memory a full data file takes. No test of speed: it prints what it saw.

use std::path::Path;
use std::time::Instant;

use rusqlite::Connection;
use serde_json::{Value, json};
use sha2::{Digest, Sha384};

use crate::world::{BRAND, World};

/// How many consents are filed, a thousand at a time.
const CONSENTS: usize = 200_000;
const LIST: usize = 1000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes: cargo test -p iys-sandbox --test it -- --ignored --nocapture load"]
async fn lists_are_filed_as_fast_at_the_end_as_at_the_beginning() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(Some(folder.path().join("sandbox.db"))).await;
    world.settings(json!({"perSecondLimit": null, "batchDelaySeconds": 0})).await;
    let template = world.consent("ONAY", 60).await;
    let mut rates = Vec::new();
    for quarter in 0..4 {
        let began = Instant::now();
        for list in 0..CONSENTS / LIST / 4 {
            let first = (quarter * CONSENTS / LIST / 4 + list) * LIST;
            let batch: Vec<Value> = (first..first + LIST)
                .map(|number| {
                    let mut consent = template.clone();
                    // Seven digits, each once, in no order: addresses come from all over.
                    let digits = number * 7_654_321 % 10_000_000;
                    consent["recipient"] = format!("+90555{digits:07}").into();
                    consent
                })
                .collect();
            let path = format!("/v2{BRAND}/consents/request");
            assert_eq!(world.partner("POST", &path, Some(&batch.into())).await.status, 202);
        }
        let rate = (CONSENTS / 4) as f64 / began.elapsed().as_secs_f64();
        println!("quarter {}: {rate:.0} consents a second", quarter + 1);
        rates.push(rate);
    }
    let stored = world.call("provider", "GET", "/sps/600100/brands", None).await.body;
    assert_eq!(stored[0]["stats"]["consents"]["total"], CONSENTS);
    assert!(rates[3] > rates[0] / 3.0, "slower and slower: {rates:?}");
}

/// Consents in the data file of the gate's run; the full run has five million.
const STORED: i64 = 100_000;
/// What the process may ever hold in memory, in MiB: the page cache, the journal's index and what is under way.
const MEMORY_MAX: u64 = 320;

#[expect(clippy::disallowed_methods, reason = "how tests/run says which size it wants")]
fn stored() -> i64 {
    if std::env::var("KOPRU_TEST_SCALE").is_ok_and(|scale| scale == "full") { 5_000_000 } else { STORED }
}

/// A line of the process's own status, in MiB.
fn memory(line: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let value = status.lines().find_map(|text| text.strip_prefix(line)?.strip_prefix(':'));
    value.and_then(|text| text.trim().strip_suffix(" kB")?.parse::<u64>().ok()).unwrap_or_default() / 1024
}

/// Writes consents of as many addresses into a data file, one movement each, evenly over the ten days that end now.
fn fill(data: &Path, count: i64, now: i64) {
    let mut db = Connection::open(data).unwrap();
    let transaction = db.transaction().unwrap();
    let numbers = "WITH RECURSIVE numbers (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < ?1),
        made AS (SELECT printf('+9053%08d', n) AS recipient, ?2 - 10 * 86400 + n * 864000 / ?1 AS at, randomblob(32) AS id
                 FROM numbers)";
    let movements =
        "INSERT INTO movements (brand_code, recipient, recipient_type, type, status, source, consent_at,
            created_at, transaction_id, ordinal, side)
        SELECT 600100, recipient, 'BIREYSEL', 'MESAJ', 'ONAY', 'HS_WEB', at - 60, at, id, 0, 'HS' FROM made";
    transaction.execute(&format!("{numbers} {movements}"), [count, now]).unwrap();
    let consents = "INSERT INTO consents (brand_code, recipient, recipient_type, type, status, source, consent_at,
            created_at, transaction_id, ordinal, retailer_access)
        SELECT brand_code, recipient, recipient_type, type, status, source, consent_at, created_at, transaction_id, 0, ''
        FROM movements";
    transaction.execute(consents, []).unwrap();
    transaction.commit().unwrap();
}

/// Whatever is stored: adds, questions, the feed and a day's file take their part of it into memory and not more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_does_not_grow_with_what_is_stored() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("sandbox.db");
    let world = World::open(Some(data.clone())).await;
    let now = world.now().await.and_utc().timestamp() - 3 * 60 * 60;
    world.stop().await;
    fill(&data, stored(), now);
    let world = World::open(Some(data.clone())).await;
    world
        .settings(json!({"perSecondLimit": null, "statusLimitPerHour": null, "batchDelaySeconds": 0, "reportDelaySeconds": 0}))
        .await;
    println!("{} stored: {} MiB, at most {} MiB", stored(), memory("VmRSS"), memory("VmHWM"));
    let stage = |name: &str, began: Instant| {
        let spent = began.elapsed().as_secs_f64();
        println!("{name}: {spent:.2} s; {} MiB, at most {} MiB", memory("VmRSS"), memory("VmHWM"));
    };

    let began = Instant::now();
    let template = world.consent("ONAY", 1).await;
    for list in 0..20 {
        let batch: Vec<Value> = (0..LIST).map(|number| of(&template, list * LIST + number)).collect();
        let path = format!("/v2{BRAND}/consents/request");
        assert_eq!(world.partner("POST", &path, Some(&batch.into())).await.status, 202);
    }
    stage("20 lists", began);

    let began = Instant::now();
    for number in 0..200 {
        let address = format!("+9053{:08}", number * stored() / 200);
        let mut consent = template.clone();
        consent["recipient"] = address.clone().into();
        assert_eq!(world.partner("POST", &format!("{BRAND}/consents"), Some(&consent)).await.status, 200);
        let question = json!({"recipient": address, "recipientType": "BIREYSEL", "type": "MESAJ"});
        let status = world.partner("POST", &format!("{BRAND}/consents/status"), Some(&question)).await;
        assert_eq!(status.body["status"], "ONAY", "{status:?}");
    }
    stage("200 adds and status queries", began);

    let began = Instant::now();
    let recipients: Vec<String> = (0..1000).map(|n| format!("+9053{:08}", n * stored() / 1000)).collect();
    let path = format!("{BRAND}/consents/BIREYSEL/status/MESAJ");
    let question = json!({ "recipients": recipients });
    let answer = world.partner("POST", &path, Some(&question)).await;
    assert_eq!(answer.body["list"].as_array().map(Vec::len), Some(1000));
    stage("1000 statuses", began);

    let began = Instant::now();
    let (mut pages, mut after) = (0, String::new());
    while pages < 300 {
        let page = world.partner("GET", &format!("{BRAND}/consents/changes?source=HS{after}"), None).await;
        if page.status == 204 {
            break;
        }
        after = format!("&after={}", page.body["after"].as_str().unwrap());
        pages += 1;
    }
    stage(&format!("{pages} pages of the feed"), began);

    let began = Instant::now();
    let day = world.day(-1).await;
    let agreement = world.partner("GET", &format!("{BRAND}/agreements/{day}"), None).await;
    let wanted = agreement.body["hashValue"].as_str().unwrap_or_else(|| panic!("{agreement:?}")).to_owned();
    stage("the hash of a day", began);

    let began = Instant::now();
    let request = world.request("GET", &format!("{BRAND}/changes/{day}/file"));
    let mut file = request.bearer_auth(world.token("partner").await).send().await.unwrap();
    let (mut hash, mut bytes) = (Sha384::new(), 0);
    while let Some(part) = file.chunk().await.unwrap() {
        bytes += part.len();
        hash.update(&part);
    }
    assert_eq!(hex::encode(hash.finalize()), wanted);
    assert!(bytes as i64 > stored() / 10 * 140, "{bytes} bytes are too few for a tenth of the movements");
    stage(&format!("the file of a day, {bytes} bytes"), began);

    let began = Instant::now();
    let summary = world.partner("GET", &format!("{BRAND}/changes/{day}/recipients/BIREYSEL"), None).await;
    assert_eq!(summary.status, 200, "{summary:?}");
    stage("the summary of a day", began);
    let began = Instant::now();
    assert_eq!(world.call("provider", "GET", "/sps/600100/brands", None).await.status, 200);
    stage("the brand's numbers", began);

    let most = memory("VmHWM");
    assert!(most < MEMORY_MAX, "{most} MiB with {} stored consents", stored());
}

/// The consent of an address that is not stored yet.
fn of(template: &Value, number: usize) -> Value {
    let mut consent = template.clone();
    consent["recipient"] = format!("+90555{number:07}").into();
    consent
}
