//! The bridge is killed with SIGKILL at random moments: what was acknowledged is in the ledger and takes effect once.

use std::collections::{HashMap, HashSet};
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use uuid::Uuid;

use crate::on_both_databases;
use crate::support::{Bridge, Database, Options, Registry, consent, master_key};

const KILLS: usize = 10;
const PARALLEL: usize = 64;
const IN_ONE_CALL: usize = 1_000;

/// The program as a process of its own, on the database of a bridge in this one.
struct Process {
    child: Child,
    listen: SocketAddr,
}

impl Process {
    fn start(bridge: &Bridge, listen: SocketAddr) -> Self {
        let seed = &bridge.registry.seed;
        let child = Command::new(env!("CARGO_BIN_EXE_kopru"))
            .args(["serve", "--json"])
            .env("KOPRU__DATA_DIR", bridge.database().folder())
            .env("KOPRU__DATABASE__URL", &bridge.database().url)
            .env("KOPRU__HTTP__LISTEN", listen.to_string())
            .env("KOPRU__METRICS__LISTEN", "127.0.0.1:0")
            .env("KOPRU__REGISTRY__URL", &bridge.registry.url)
            .env("KOPRU__REGISTRY__USERNAME", &seed.username)
            .env("KOPRU__REGISTRY__PASSWORD", &seed.password)
            .env("KOPRU__REGISTRY__SANDBOX_CLOCK", "true")
            .env("KOPRU__REGISTRY__REQUESTS_PER_SECOND", "0")
            .env("KOPRU__HTTP__REQUESTS_PER_SECOND_PER_KEY", "100000")
            .env("KOPRU__REGISTRY__TIMEOUT", "2s")
            .env("KOPRU__FILING__LEASE", "3s")
            .env("KOPRU__FILING__FIRST_LOOK", "2s")
            .env("KOPRU__SECURITY__MASTER_KEY", master_key(bridge))
            .env("KOPRU__LOG__LEVEL", "warn")
            .stdout(Stdio::null())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        Self { child, listen }
    }

    async fn ready(&self, http: &reqwest::Client) {
        let started = Instant::now();
        let url = format!("http://{}/healthz", self.listen);
        while http.get(&url).send().await.is_err() {
            assert!(started.elapsed() < Duration::from_mins(1), "the bridge does not start");
            pause(20).await;
        }
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

#[expect(clippy::disallowed_methods, reason = "another process is waited for")]
async fn pause(millis: u64) {
    tokio::time::sleep(Duration::from_millis(millis)).await;
}

/// Posts until it is acknowledged, always with the same Idempotency-Key; gives up when the storm is over.
async fn post_until_taken(
    http: &reqwest::Client,
    url: &str,
    key: &str,
    body: &Value,
    over: &AtomicBool,
) -> Option<Value> {
    let idempotency = Uuid::new_v4().to_string();
    loop {
        let request = http.post(url).bearer_auth(key).header("idempotency-key", &idempotency).json(body);
        if let Ok(response) = request.send().await {
            let status = response.status().as_u16();
            if let Ok(answer) = response.json::<Value>().await {
                assert_eq!(status, 202, "{answer}");
                return Some(answer);
            }
        }
        if over.load(Ordering::Relaxed) {
            return None;
        }
        pause(30).await;
    }
}

on_both_databases! {
    async fn nothing_acknowledged_is_lost(database: Database) {
        let options = Options { batch_threshold: Some(200), ..Options::default() };
        let bridge = Bridge::with(database, Registry::start().await, options).await;
        let listen = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let http = reqwest::Client::builder().timeout(Duration::from_secs(20)).build().unwrap();
        let url = format!("http://{listen}/v1/brands/{}/consents", bridge.brand());
        let given = bridge.app.clocks.business() - chrono::TimeDelta::minutes(5);
        let over = Arc::new(AtomicBool::new(false));

        let many: Vec<Value> = (0..IN_ONE_CALL).map(|n| consent(&format!("+90532{n:07}"), "MESAJ", "ONAY", given)).collect();
        let mut tasks = tokio::task::JoinSet::new();
        {
            let (http, url, key, over) = (http.clone(), url.clone(), bridge.key.clone(), over.clone());
            tasks.spawn(async move { post_until_taken(&http, &url, &key, &json!(many), &over).await.into_iter().collect() });
        }
        for task in 0..PARALLEL {
            let (http, url, key, over) = (http.clone(), url.clone(), bridge.key.clone(), over.clone());
            tasks.spawn(async move {
                let mut taken = Vec::new();
                for n in 0.. {
                    if over.load(Ordering::Relaxed) || n == 100 {
                        break;
                    }
                    let body = consent(&format!("+90533{:07}", task * 1_000 + n), "MESAJ", "ONAY", given);
                    taken.extend(post_until_taken(&http, &url, &key, &body, &over).await);
                    pause(20).await;
                }
                taken
            });
        }
        for _ in 0..KILLS {
            let process = Process::start(&bridge, listen);
            process.ready(&http).await;
            pause(40 + u64::from(Uuid::new_v4().as_bytes()[0]) * 3).await;
            process.kill();
        }
        let last = Process::start(&bridge, listen);
        last.ready(&http).await;
        pause(1_500).await;
        over.store(true, Ordering::Relaxed);
        let mut acknowledged: HashSet<String> = HashSet::new();
        while let Some(answers) = tasks.join_next().await {
            let answers: Vec<Value> = answers.unwrap();
            for accepted in answers.iter().flat_map(|answer| answer["accepted"].as_array().unwrap()) {
                assert!(acknowledged.insert(accepted["id"].as_str().unwrap().to_owned()), "one id, one consent");
            }
        }
        last.kill();
        assert!(acknowledged.len() > IN_ONE_CALL, "only {} were acknowledged", acknowledged.len());

        // Leases of the dead run out in real time; what they had in hand comes back.
        pause(3_200).await;
        bridge.drain_for(6, "7m").await;
        for id in &acknowledged {
            let state = bridge.state(id).await;
            assert_eq!(state["state"], "registered", "{state}");
        }
        let mut by_recipient: HashMap<String, usize> = HashMap::new();
        for movement in bridge.registry.movements().await {
            *by_recipient.entry(movement["recipient"].as_str().unwrap().to_owned()).or_default() += 1;
        }
        assert!(by_recipient.values().all(|count| *count == 1), "something was filed twice");
        assert!(by_recipient.len() >= acknowledged.len());
        bridge.ledger_holds().await;
    }
}
