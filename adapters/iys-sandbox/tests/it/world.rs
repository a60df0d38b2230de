//! A running simulator and somebody who talks to it over HTTP.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Mutex;

use iys_sandbox::{Sandbox, SandboxConfig, Seed, SeedInfo};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// The demo provider's paths.
pub const BRAND: &str = "/sps/600100/brands/600100";
/// A phone that is nobody's in particular.
pub const PHONE: &str = "+905551112233";

/// What came back.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: u16,
    /// `null` without a body; a string when the body is no JSON.
    pub body: Value,
}

impl Reply {
    /// The codes of a refusal, in order: of `errors[]`, of the second-factor service's own shape, and of
    /// the items of a list.
    pub fn codes(&self) -> Vec<String> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        if let Some(list) = self.body.as_array() {
            return list.iter().filter_map(|item| item.get("code")).map(text).collect();
        }
        let errors = [&self.body["errors"], &self.body["subSystemErrorInfo"]["errors"]];
        let items = errors.into_iter().filter_map(Value::as_array).flatten();
        self.body
            .get("errorCode")
            .map(text)
            .into_iter()
            .chain(items.map(|item| text(&item["code"])))
            .collect()
    }
}

/// A running simulator with the demo seed.
pub struct World {
    pub sandbox: Sandbox,
    pub seed: SeedInfo,
    pub base: String,
    pub client: Client,
    tokens: Mutex<HashMap<String, String>>,
    stop: Option<oneshot::Sender<()>>,
    server: Option<JoinHandle<()>>,
}

impl World {
    /// In memory.
    pub async fn start() -> Self {
        Self::open(None).await
    }

    /// In memory, with a client that several simulators share: making one reads the system's certificates.
    pub async fn start_with(client: Client) -> Self {
        Self::serve(SandboxConfig { seed: Seed::demo(), ..SandboxConfig::default() }, client).await
    }

    /// With a data file.
    pub async fn open(data: Option<PathBuf>) -> Self {
        let config = SandboxConfig { data, seed: Seed::demo(), ..SandboxConfig::default() };
        Self::serve(config, client()).await
    }

    #[expect(clippy::disallowed_methods, reason = "a test's server has no lifecycle to join")]
    pub async fn serve(config: SandboxConfig, client: Client) -> Self {
        let sandbox = Sandbox::open(config).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = sandbox.clone();
        let server = tokio::spawn(async move {
            serving
                .serve(listener, async move {
                    // A dropped sender stops as well as a used one.
                    let _stopped = stopped.await;
                })
                .await
                .unwrap();
        });
        Self {
            seed: sandbox.seed_info().unwrap().clone(),
            sandbox,
            base: format!("http://127.0.0.1:{port}"),
            client,
            tokens: Mutex::default(),
            stop: Some(stop),
            server: Some(server),
        }
    }

    /// Stops serving and waits for the end.
    pub async fn stop(mut self) {
        drop(self.stop.take());
        self.server.take().unwrap().await.unwrap();
    }

    pub fn request(&self, method: &str, path: &str) -> RequestBuilder {
        self.client.request(Method::from_bytes(method.as_bytes()).unwrap(), format!("{}{path}", self.base))
    }

    /// A call at the control interface; it must succeed.
    pub async fn control(&self, method: &str, path: &str, body: Value) -> Value {
        let reply = send(self.request(method, &format!("/_sandbox{path}")).body(body.to_string())).await;
        assert!(reply.status < 300, "{method} {path} {body}: {reply:?}");
        reply.body
    }

    pub async fn settings(&self, patch: Value) {
        self.control("PUT", "/settings", patch).await;
    }

    pub async fn advance(&self, step: &str) {
        self.control("POST", "/clock", json!({ "advance": step })).await;
    }

    /// The registry's present.
    pub async fn now(&self) -> chrono::NaiveDateTime {
        let clock = self.control("GET", "/clock", Value::Null).await;
        let now = clock["now"].as_str().unwrap().trim_end_matches("+03:00").to_owned();
        now.parse().unwrap()
    }

    /// An instant before now (negative: after it), as the registry writes dates.
    pub async fn ago(&self, seconds: i64) -> String {
        let at = self.now().await - chrono::Duration::seconds(seconds);
        at.format("%Y-%m-%d %H:%M:%S").to_string()
    }

    /// A day, counted from the registry's present one, as the registry writes days.
    pub async fn day(&self, from_today: i64) -> chrono::NaiveDate {
        self.now().await.date() + chrono::Duration::days(from_today)
    }

    /// The token of `partner` or `provider`, fetched once.
    pub async fn token(&self, who: &str) -> String {
        if let Some(token) = self.tokens.lock().unwrap().get(who) {
            return token.clone();
        }
        let seed = &self.seed;
        let (username, password) = match who {
            "partner" => (&seed.username, &seed.password),
            _ => (&seed.provider_username, &seed.provider_password),
        };
        let body = json!({"grant_type": "password", "username": username, "password": password});
        let reply = send(self.request("POST", "/oauth2/token").json(&body)).await;
        let token = reply.body["access_token"].as_str().unwrap_or_else(|| panic!("{reply:?}")).to_owned();
        self.tokens.lock().unwrap().insert(who.to_owned(), token.clone());
        token
    }

    /// A call of `partner` or `provider`.
    pub async fn call(&self, who: &str, method: &str, path: &str, body: Option<&Value>) -> Reply {
        let mut request = self.request(method, path).bearer_auth(self.token(who).await);
        if let Some(body) = body {
            request = request.json(body);
        }
        send(request).await
    }

    /// A call of the partner.
    pub async fn partner(&self, method: &str, path: &str, body: Option<&Value>) -> Reply {
        self.call("partner", method, path, body).await
    }

    /// An acceptable consent by e-mail.
    pub async fn consent_by_email(&self, address: &str) -> Value {
        let mut consent = self.consent("ONAY", 60).await;
        consent["recipient"] = address.into();
        consent["type"] = "EPOSTA".into();
        consent
    }

    /// The citizen of [`PHONE`] rejects messages.
    pub async fn reject_as_citizen(&self, source: &str) -> Value {
        let movement = json!({
            "brandCode": 600_100, "recipient": PHONE, "recipientType": "BIREYSEL", "type": "MESAJ",
            "status": "RET", "source": source,
        });
        self.control("POST", "/citizen/movements", movement).await
    }

    /// A consent of [`PHONE`] that would be accepted, dated some seconds ago.
    pub async fn consent(&self, status: &str, ago: i64) -> Value {
        json!({
            "recipient": PHONE,
            "type": "MESAJ",
            "source": "HS_WEB",
            "status": status,
            "consentDate": self.ago(ago).await,
            "recipientType": "BIREYSEL",
        })
    }
}

/// A retailer that would be accepted.
pub fn retailer() -> Value {
    json!({
        "title": "Örnek Market Ltd. Şti.",
        "name": "Ayşe Yılmaz",
        "alias": "Kadıköy Şubesi",
        "tckn": "10000000146",
        "tin": "8450525470",
        "mobile": "+905551112233",
        "city": {"code": "34", "name": "İstanbul"},
        "town": {"code": "01", "name": "Kadıköy"},
    })
}

/// Somebody who can talk HTTP.
pub fn client() -> Client {
    Client::builder().build().unwrap()
}

/// Sends a request and reads the answer.
pub async fn send(request: RequestBuilder) -> Reply {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    let body = if text.is_empty() {
        Value::Null
    } else {
        serde_json::from_str(&text).unwrap_or(Value::String(text))
    };
    Reply { status, body }
}
