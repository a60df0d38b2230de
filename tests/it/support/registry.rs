//! The registry sandbox over HTTP, with its control interface.

use std::path::Path;

use iys_sandbox::{Sandbox, SandboxConfig, Scenario, Seed, SeedInfo};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::background;

pub struct Registry {
    pub url: String,
    pub seed: SeedInfo,
    pub sandbox: Sandbox,
    http: reqwest::Client,
}

impl Registry {
    /// In memory, with generous limits: tests are faster than any registry allows.
    pub async fn start() -> Self {
        Self::open(None).await.unlimited().await
    }

    /// A scenario that comes with the simulator, in memory, as it is shipped.
    pub async fn scenario(name: &str) -> Self {
        let scenario = Some(Scenario::load(Path::new(name)).unwrap());
        Self::with(SandboxConfig { scenario, ..SandboxConfig::default() }).await
    }

    pub async fn unlimited(self) -> Self {
        self.settings(json!({"perSecondLimit": null, "tokenLimitPerHour": null, "statusLimitPerHour": null, "historyLimitPerHour": null}))
            .await;
        self
    }

    pub async fn open(data: Option<&Path>) -> Self {
        let data = data.map(Path::to_owned);
        Self::with(SandboxConfig { data, seed: Seed::demo(), ..SandboxConfig::default() }).await
    }

    async fn with(config: SandboxConfig) -> Self {
        let sandbox = Sandbox::open(config).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let serving = sandbox.clone();
        background(async move { serving.serve(listener, std::future::pending()).await.unwrap() });
        let seed = sandbox.seed_info().unwrap().clone();
        Self { url, seed, sandbox, http: reqwest::Client::builder().build().unwrap() }
    }

    pub async fn post(&self, path: &str, body: Value) -> Value {
        let url = format!("{}/_sandbox/{path}", self.url);
        let answer = self.http.post(url).json(&body).send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// Posts what the sandbox may refuse.
    pub async fn try_post(&self, path: &str, body: Value) {
        let url = format!("{}/_sandbox/{path}", self.url);
        self.http.post(url).json(&body).send().await.unwrap();
    }

    pub async fn get(&self, path: &str, query: &[(&str, &str)]) -> Value {
        let mut url = url::Url::parse(&format!("{}/_sandbox/{path}", self.url)).unwrap();
        url.query_pairs_mut().extend_pairs(query);
        let answer = self.http.get(url).send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        answer.json().await.unwrap()
    }

    pub async fn settings(&self, settings: Value) {
        let url = format!("{}/_sandbox/settings", self.url);
        let answer = self.http.put(url).json(&settings).send().await.unwrap();
        assert!(answer.status().is_success(), "settings: {}", answer.text().await.unwrap());
    }

    /// The citizen acts at the registry.
    pub async fn citizen(&self, recipient: &str, kind: &str, status: &str) -> Value {
        let body = json!({"brandCode": self.seed.brand_code, "recipient": recipient, "recipientType": "BIREYSEL",
            "type": kind, "status": status, "source": "IYS_WEB"});
        self.post("citizen/movements", body).await
    }

    /// The registry loses what it wrote under an id.
    pub async fn lose(&self, transaction_id: &str) {
        let url = format!("{}/_sandbox/movements/{transaction_id}", self.url);
        let answer = self.http.delete(url).send().await.unwrap();
        assert!(answer.status().is_success(), "lose: {}", answer.text().await.unwrap());
    }

    pub async fn advance(&self, step: &str) {
        self.post("clock", json!({ "advance": step })).await;
    }

    pub async fn fault(&self, operation: &str, kind: &str, count: u32) {
        self.post("faults", json!({"operation": operation, "kind": kind, "count": count})).await;
    }

    pub async fn clear_faults(&self) {
        let url = format!("{}/_sandbox/faults", self.url);
        self.http.delete(url).send().await.unwrap();
    }

    /// Current records of an address with their history.
    pub async fn consents(&self, recipient: &str) -> Value {
        let brand = self.seed.brand_code.to_string();
        self.get("consents", &[("brandCode", &brand), ("recipient", recipient)]).await
    }

    /// Every movement of the brand, in order.
    pub async fn movements(&self) -> Vec<Value> {
        self.movements_of(self.seed.brand_code).await
    }

    /// Every movement of a brand, in order.
    pub async fn movements_of(&self, brand: i64) -> Vec<Value> {
        let brand = brand.to_string();
        let mut all = Vec::new();
        let mut after = String::new();
        loop {
            let mut query = vec![("brandCode", brand.as_str()), ("limit", "1000")];
            if !after.is_empty() {
                query.push(("after", &after));
            }
            let page = self.get("movements", &query).await;
            let list = page["list"].as_array().cloned().unwrap_or_default();
            let next = page["after"]
                .as_str()
                .map(ToOwned::to_owned)
                .or(page["after"].as_i64().map(|n| n.to_string()));
            let full = list.len() == 1000;
            all.extend(list);
            match next {
                Some(next) if full => after = next,
                _ => return all,
            }
        }
    }

    pub async fn stats(&self) -> Value {
        self.get("stats", &[]).await
    }

    /// Adds retailers to the demo brand.
    pub async fn retailers(&self, codes: &[i64]) {
        let brand = json!({"brandCode": self.seed.brand_code, "retailers": codes});
        self.post("providers", json!({"iysCode": self.seed.iys_code, "brands": [brand]})).await;
    }

    pub async fn clear_brand_rights(&self, rights: Value) {
        self.provider(json!({"iysCode": self.seed.iys_code, "authorisations": rights})).await;
    }

    /// Makes or changes a provider.
    pub async fn provider(&self, body: Value) -> Value {
        self.post("providers", body).await
    }

    /// Makes or changes a partner.
    pub async fn partner(&self, body: Value) -> Value {
        self.post("partners", body).await
    }

    /// A second brand of the demo provider, for which the partner may write too; returns its number.
    pub async fn second_brand(&self) -> i64 {
        let SeedInfo { iys_code, brand_code, integrator_code, .. } = self.seed;
        let second = brand_code + 100;
        let brands = json!([{"brandCode": second, "name": "Second"}]);
        let rights = json!([{"brandCode": second, "integratorCode": integrator_code}]);
        self.post("providers", json!({"iysCode": iys_code, "brands": brands, "authorisations": rights}))
            .await;
        second
    }

    /// Changes a user's password, as in the registry's web panel.
    pub async fn set_password(&self, username: &str, password: &str) {
        let users = json!([{"username": username, "password": password}]);
        if username == self.seed.username {
            let code = self.seed.integrator_code;
            self.post("partners", json!({"integratorCode": code, "users": users})).await;
        } else {
            self.post("providers", json!({"iysCode": self.seed.iys_code, "users": users})).await;
        }
    }
}
