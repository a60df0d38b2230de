//! How fast lists are taken and processed. Not a test of speed: it prints what it saw.

use std::time::Instant;

use serde_json::{Value, json};

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
