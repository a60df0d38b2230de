//! The bridge in this process, behind its real HTTP door.

use std::process::Command;
use std::time::Duration;

use kopru::bootstrap::App;
use kopru::clocks::Clocks;
use kopru::config::Config;
use kopru::lifecycle::Lifecycle;
use kopru::{http, worker};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::{Database, Registry, TestDatabase, background};

pub struct Bridge {
    pub app: App,
    pub url: String,
    pub registry: Registry,
    pub key: String,
    pub admin: String,
    database: TestDatabase,
    http: reqwest::Client,
}

/// What a test wants otherwise.
#[derive(Default)]
pub struct Options {
    /// Submissions of a brand from which a batch is used.
    pub batch_threshold: Option<u32>,
    /// Pace; none where missing.
    pub requests_per_second: Option<f64>,
    /// From how many requests on the share of success is watched.
    pub guard_from: Option<u64>,
    /// Status queries an hour.
    pub status_calls_per_hour: Option<u32>,
    /// How long the registry may take to answer.
    pub registry_timeout: Option<Duration>,
    /// Webhook calls in flight at once: in all, and to one endpoint.
    pub webhook_concurrency: Option<(u32, u32)>,
    /// How long a webhook call may take.
    pub webhook_timeout: Option<Duration>,
    /// How often the list of authorised brands is read; only on request where missing.
    pub sync_interval: Option<Duration>,
    /// Without the demo's provider and brand.
    pub empty: bool,
    /// Where the SMS of the account `main` go; `mute` is the same vendor, which cannot be asked what it has.
    pub sms_url: Option<String>,
    /// How long what a worker has claimed is its own, in real time.
    pub lease: Option<Duration>,
}

pub fn config(database: &TestDatabase, registry: &Registry, options: &Options) -> Config {
    let mut config = Config::for_tests(database.folder());
    config.database.url = Some(database.url.clone());
    config.registry.url = Some(registry.url.parse().unwrap());
    config.registry.username = Some(registry.seed.username.clone());
    config.registry.password = Some(registry.seed.password.clone().into());
    config.registry.integrator_code = Some(registry.seed.integrator_code);
    config.registry.sandbox_clock = true;
    // Tests ask faster than any client.
    config.http.requests_per_second_per_key = 1_000_000;
    config.registry.requests_per_second = options.requests_per_second.unwrap_or(0.0);
    config.registry.guard_from = options.guard_from.unwrap_or(config.registry.guard_from);
    config.registry.timeout = options.registry_timeout.unwrap_or(Duration::from_secs(5));
    config.providers.sync_interval = options.sync_interval.unwrap_or_default();
    if let Some(calls) = options.status_calls_per_hour {
        config.registry.status_calls_per_hour = calls;
    }
    if let Some(threshold) = options.batch_threshold {
        config.filing.batch_threshold = threshold;
    }
    config.filing.lease = options.lease.unwrap_or(config.filing.lease);
    if let Some((all, of_endpoint)) = options.webhook_concurrency {
        config.webhooks.concurrency = all;
        config.webhooks.endpoint_concurrency = of_endpoint;
    }
    config.webhooks.timeout = options.webhook_timeout.unwrap_or(config.webhooks.timeout);
    if let Some(url) = &options.sms_url {
        config.sms = sms(url);
    }
    if !config.is_sqlite() {
        config.security.master_key = Some("11".repeat(32).into());
    }
    config
}

/// The settings of an SMS vendor at an address, as an operator writes them.
fn sms(url: &str) -> kopru::config::Sms {
    let template = json!({"url": format!("{url}/other"), "body": r#"{"custom_id":"{reference}","messages":[{"dest":"{to}","msg":"{text}"}]}"#});
    serde_json::from_value(json!({
        "default": "main",
        "timeout": "500ms",
        "inbound": {},
        "accounts": {
            "main": {"vendor": "verimor", "user": "908501234567", "password": "x", "from": "KOPRU", "url": url},
            "twilio": {"vendor": "twilio", "user": "AC1", "password": "x", "from": "+15017122661", "url": url},
            "merkezi": {"vendor": "iletimerkezi", "user": "key", "password": "x", "from": "KOPRU", "url": url},
            "mute": {"vendor": "http", "from": "KOPRU", "template": template},
        },
    }))
    .unwrap()
}

impl Bridge {
    pub async fn start(database: Database) -> Self {
        Self::with(database, Registry::start().await, Options::default()).await
    }

    pub async fn with(database: Database, registry: Registry, options: Options) -> Self {
        let database = database.fresh().await;
        let mut config = config(&database, &registry, &options);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        config.http.public_url = Some(url.parse().unwrap());
        let app = App::start(config, Clocks::default(), Lifecycle::new()).await.unwrap();
        app.db.serve().await.unwrap();
        let serving = app.clone();
        background(async move { http::serve(serving, listener).await.unwrap() });
        let mut bridge = Self {
            app,
            url,
            registry,
            key: String::new(),
            admin: String::new(),
            database,
            http: reqwest::Client::builder().build().unwrap(),
        };
        bridge.make_keys().await;
        if !options.empty {
            bridge.set_up().await;
        }
        bridge
    }

    async fn make_keys(&mut self) {
        let caller = kopru::service::Caller::system("test");
        let new = |name: &str, scopes: Vec<kopru::service::Scope>| kopru::service::keys::NewKey {
            name: name.to_owned(),
            scopes,
            iys_code: None,
            ip_allow: Vec::new(),
            expires_at: None,
        };
        use kopru::service::Scope;
        let all: Vec<Scope> = Scope::ALL.into_iter().filter(|scope| *scope != Scope::Admin).collect();
        self.key = kopru::service::keys::add(&self.app, &caller, new("test", all)).await.unwrap().key;
        self.admin = kopru::service::keys::add(&self.app, &caller, new("admin", vec![Scope::Admin]))
            .await
            .unwrap()
            .key;
    }

    async fn set_up(&self) {
        let seed = self.registry.seed.clone();
        let provider = self
            .post_as(&self.admin, "/v1/providers", json!({"iysCode": seed.iys_code, "title": "Demo A.Ş."}))
            .await;
        assert_eq!(provider.0, 201, "{}", provider.1);
        let brand = json!({"iysCode": seed.iys_code, "brandCode": seed.brand_code, "name": "Demo"});
        let brand = self.post_as(&self.admin, "/v1/brands", brand).await;
        assert_eq!(brand.0, 201, "{}", brand.1);
    }

    pub fn brand(&self) -> i64 {
        self.registry.seed.brand_code
    }

    pub async fn post_as(&self, key: &str, path: &str, body: Value) -> (u16, Value) {
        let request = self.http.post(format!("{}{path}", self.url)).bearer_auth(key).json(&body);
        answer(request.send().await.unwrap()).await
    }

    pub async fn put_as(&self, key: &str, path: &str, body: Value) -> (u16, Value) {
        let request = self.http.put(format!("{}{path}", self.url)).bearer_auth(key).json(&body);
        answer(request.send().await.unwrap()).await
    }

    pub async fn get_as(&self, key: &str, path: &str) -> (u16, Value) {
        answer(self.http.get(format!("{}{path}", self.url)).bearer_auth(key).send().await.unwrap()).await
    }

    pub async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        self.post_as(&self.key, path, body).await
    }

    pub async fn post_raw(
        &self,
        path: &str,
        key: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> (u16, Value) {
        let mut request = self.http.post(format!("{}{path}", self.url)).bearer_auth(key).body(body);
        if headers.iter().all(|(name, _)| *name != "content-type") {
            request = request.header("content-type", "application/json");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        answer(request.send().await.unwrap()).await
    }

    pub async fn delete_as(&self, key: &str, path: &str) -> (u16, Value) {
        let request = self.http.delete(format!("{}{path}", self.url)).bearer_auth(key);
        answer(request.send().await.unwrap()).await
    }

    pub async fn get(&self, path: &str) -> (u16, Value) {
        self.get_as(&self.key, path).await
    }

    /// How well the demo brand's record at the registry is known.
    pub async fn mirror(&self) -> Value {
        let (status, brand) = self.get_as(&self.admin, &format!("/v1/brands/{}", self.brand())).await;
        assert_eq!(status, 200, "{brand}");
        brand["mirror"].clone()
    }

    /// The verdict on an address for messages, and the answer around it.
    pub async fn check(&self, recipient: &str) -> (Value, Value) {
        let body = json!({"type": "MESAJ", "recipients": [recipient]});
        let (status, answer) = self.post(&format!("/v1/brands/{}/check", self.brand()), body).await;
        assert_eq!(status, 200, "{answer}");
        (answer["verdicts"][0].clone(), answer)
    }

    pub async fn patch_as(&self, key: &str, path: &str, body: Value) -> (u16, Value) {
        let request = self.http.patch(format!("{}{path}", self.url)).bearer_auth(key).json(&body);
        answer(request.send().await.unwrap()).await
    }

    /// Content type and bytes of an answer that is no JSON.
    pub async fn download(&self, path: &str, accept: &str) -> (String, Vec<u8>) {
        let request = self.http.get(format!("{}{path}", self.url)).bearer_auth(&self.key);
        let response = request.header("accept", accept).send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        let kind = response.headers()["content-type"].to_str().unwrap().to_owned();
        (kind, response.bytes().await.unwrap().to_vec())
    }

    /// Posts consents of the demo brand.
    pub async fn consents(&self, body: Value) -> (u16, Value) {
        self.post(&format!("/v1/brands/{}/consents", self.brand()), body).await
    }

    /// Posts one consent and returns its id.
    pub async fn consent(&self, body: Value) -> String {
        let (status, answer) = self.consents(body).await;
        assert_eq!(status, 202, "{answer}");
        answer["accepted"][0]["id"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    /// What the bridge says of a consent.
    pub async fn state(&self, id: &str) -> Value {
        let (status, answer) = self.get(&format!("/v1/consents/{id}")).await;
        assert_eq!(status, 200, "{answer}");
        answer
    }

    /// The effective value of an address's channel.
    pub async fn permission(&self, recipient: &str, kind: &str) -> Value {
        let path = format!("/v1/brands/{}/permissions/query", self.brand());
        let (status, answer) = self.post(&path, json!({"recipient": recipient, "type": kind})).await;
        assert_eq!(status, 200, "{answer}");
        answer
    }

    /// All events of the feed.
    pub async fn changes(&self) -> Vec<Value> {
        let mut events = Vec::new();
        let mut after = String::new();
        loop {
            let path = format!("/v1/brands/{}/changes?limit=1000{after}", self.brand());
            let (status, page) = self.get(&path).await;
            assert_eq!(status, 200, "{page}");
            events.extend(page["items"].as_array().unwrap().clone());
            if page["hasMore"] != json!(true) {
                return events;
            }
            after = format!("&after={}", page["next"].as_str().unwrap());
        }
    }

    /// Moves the sandbox's clock, and business time with it.
    pub async fn advance(&self, step: &str) {
        self.registry.advance(step).await;
        self.follow_clock();
    }

    pub fn follow_clock(&self) {
        self.app.clocks.set_offset(self.registry.sandbox.clock_offset());
    }

    /// Does all work that is due.
    pub async fn drain(&self) {
        worker::drain(&self.app).await.unwrap();
    }

    /// Drains, moving time on in steps, until `done` or the steps are used up.
    pub async fn drain_for(&self, steps: u32, step: &str) {
        for _ in 0..steps {
            self.drain().await;
            self.advance(step).await;
        }
        self.drain().await;
    }

    pub async fn ledger_holds(&self) {
        let reports = kopru::service::ledger::verify(&self.app, None, kopru_domain::Lang::En).await.unwrap();
        assert!(reports.iter().all(|report| report.ok), "{reports:?}");
    }

    pub fn database(&self) -> &TestDatabase {
        &self.database
    }
}

/// The master key of a bridge, for another process on its database.
pub fn master_key(bridge: &Bridge) -> String {
    let file = bridge.database().folder().join("master.key");
    std::fs::read_to_string(file).map_or_else(|_| "11".repeat(32), |text| text.trim().to_owned())
}

/// Runs the program beside the bridge and returns its lines.
pub fn kopru(bridge: &Bridge, args: &[&str]) -> (bool, Vec<Value>) {
    let seed = &bridge.registry.seed;
    let output = Command::new(env!("CARGO_BIN_EXE_kopru"))
        .args(args)
        .arg("--json")
        .env("KOPRU__DATA_DIR", bridge.database().folder())
        .env("KOPRU__DATABASE__URL", &bridge.database().url)
        .env("KOPRU__REGISTRY__URL", &bridge.registry.url)
        .env("KOPRU__REGISTRY__USERNAME", &seed.username)
        .env("KOPRU__REGISTRY__PASSWORD", &seed.password)
        .env("KOPRU__REGISTRY__INTEGRATOR_CODE", seed.integrator_code.to_string())
        .env("KOPRU__REGISTRY__SANDBOX_CLOCK", "true")
        .env("KOPRU__REGISTRY__REQUESTS_PER_SECOND", "0")
        .env("KOPRU__SECURITY__MASTER_KEY", master_key(bridge))
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{text}")));
    (output.status.success(), lines.collect())
}

async fn answer(response: reqwest::Response) -> (u16, Value) {
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

/// A consent of an individual as clients send it.
pub fn consent(recipient: &str, kind: &str, status: &str, date: chrono::DateTime<chrono::Utc>) -> Value {
    json!({"recipient": recipient, "type": kind, "status": status, "source": "HS_WEB", "recipientType": "BIREYSEL",
        "consentDate": kopru_domain::time::format_rfc3339(date)})
}
