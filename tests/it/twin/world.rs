//! The registry sandbox in this process: its router is called directly, without a socket.

use axum::Router;
use axum::body::{Body, to_bytes};
use chrono::{DateTime, TimeDelta, Utc};
use iys_sandbox::{Sandbox, SandboxConfig, Seed};
use kopru_domain::time::{format_registry, format_rfc3339, parse_consent_date, parse_registry};
use kopru_domain::{ConsentStatus, RegistrySide};
use serde_json::{Value, json};
use tower::Service;

use super::history::Key;

/// A hundred years in seconds: a token outlives every history.
const FOR_EVER: i64 = 100 * 365 * 86_400;

/// An empty registry with one provider and one brand, and somebody who is logged in.
pub struct World {
    router: Router,
    token: String,
    brand: i64,
    /// Rules that are out of force.
    pub without: Vec<&'static str>,
}

/// What the registry says to a filing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It was written, now or (v2) before.
    Taken { transaction_id: String, creation_date: DateTime<Utc> },
    /// It was refused with these codes, sorted.
    Refused(Vec<String>),
}

impl Answer {
    /// The codes; none if it was taken.
    pub fn codes(&self) -> &[String] {
        match self {
            Self::Taken { .. } => &[],
            Self::Refused(codes) => codes,
        }
    }
}

impl World {
    /// Opens a registry in memory that reads three business days as `h467` says, has no limits, and
    /// is `without` some rules.
    pub async fn open(h467: &str, without: &[&'static str]) -> Self {
        let config = SandboxConfig { seed: Seed::demo(), ..SandboxConfig::default() };
        let sandbox = Sandbox::open(config).expect("a registry in memory");
        let seed = sandbox.seed_info().expect("the demo seed").clone();
        let mut world = Self {
            router: sandbox.router(),
            token: String::new(),
            brand: seed.brand_code,
            without: without.to_vec(),
        };
        let settings = json!({
            "h467": h467, "perSecondLimit": null, "tokenLimitPerHour": null, "statusLimitPerHour": null,
            "accessTokenSeconds": FOR_EVER, "acceptUnknownSources": true, "disabledRules": without,
        });
        world.control("PUT", "/settings", &settings).await;
        let login = json!({"grant_type": "password", "username": seed.username, "password": seed.password});
        let (status, body) = world.call("POST", "/oauth2/token", &login).await;
        assert_eq!(status, 200, "login: {body}");
        world.token = text(&body["access_token"]);
        world
    }

    /// Moves the registry's clock to an instant, or a second on where it is past that already (the
    /// sandbox's clock runs); the second it shows then.
    pub async fn go_to(&self, instant: DateTime<Utc>) -> DateTime<Utc> {
        let mut instant = instant;
        loop {
            let (status, body) =
                self.call("POST", "/_sandbox/clock", &json!({"set": format_rfc3339(instant)})).await;
            match status {
                200 => return read_instant(&body["now"]),
                409 => {
                    let clock = self.control("GET", "/clock", &Value::Null).await;
                    instant = read_instant(&clock["now"]) + TimeDelta::seconds(1);
                }
                _ => panic!("clock: {status} {body}"),
            }
        }
    }

    /// Takes rules out of force, besides those that are out anyway.
    pub async fn take_out(&self, rules: &[&str]) {
        let disabled: Vec<&str> = self.without.iter().chain(rules).copied().collect();
        self.control("PUT", "/settings", &json!({ "disabledRules": disabled })).await;
    }

    /// Files one consent, by the idempotent method if `v2`.
    pub async fn add(&self, body: &Value, v2: bool) -> Answer {
        let version = if v2 { "/v2" } else { "" };
        let (status, answer) = self.call("POST", &format!("{version}{}/consents", self.path()), body).await;
        if status == 200 {
            return Answer::Taken {
                transaction_id: text(&answer["transactionId"]),
                creation_date: read_date(&answer["creationDate"]).expect("creationDate"),
            };
        }
        let errors = answer["errors"].as_array().unwrap_or_else(|| panic!("add: {status} {answer}"));
        let mut codes: Vec<String> = errors.iter().map(|error| text(&error["code"])).collect();
        codes.sort_unstable();
        assert!(!codes.is_empty() && matches!(status, 400 | 422), "add: {status} {answer}");
        Answer::Refused(codes)
    }

    /// The citizen or an operator acts at the registry; what that wrote. `None` if there is no record
    /// that could have a line to close.
    pub async fn act(
        &self,
        key: &Key,
        status: ConsentStatus,
        source: &str,
        date: Option<DateTime<Utc>>,
    ) -> Option<RegistrySide> {
        let mut body = key.wire();
        body["brandCode"] = self.brand.into();
        body["status"] = status.as_str().into();
        body["source"] = source.into();
        if let Some(date) = date {
            body["consentDate"] = format_registry(date).into();
        }
        let (http, written) = self.call("POST", "/_sandbox/citizen/movements", &body).await;
        if http != 200 {
            assert_eq!((http, date), (409, None), "{body}: {written}");
            return None;
        }
        Some(RegistrySide {
            status,
            consent_date: read_date(&written["consentDate"]),
            source: source.parse().ok(),
            creation_date: read_date(&written["creationDate"]).expect("creationDate"),
            transaction_id: text(&written["transactionId"]),
        })
    }

    /// Asks the registry what it holds for a key.
    pub async fn status(&self, key: &Key) -> Option<RegistrySide> {
        let (http, answer) =
            self.call("POST", &format!("{}/consents/status", self.path()), &key.wire()).await;
        if http == 404 {
            return None;
        }
        assert_eq!((http, answer["recipient"].as_str()), (200, Some(key.recipient.as_str())), "{answer}");
        Some(RegistrySide {
            status: text(&answer["status"]).parse().expect("a status"),
            consent_date: read_date(&answer["consentDate"]),
            source: answer["source"].as_str().map(|word| word.parse().expect("a source")),
            creation_date: read_date(&answer["creationDate"]).expect("creationDate"),
            transaction_id: text(&answer["transactionId"]),
        })
    }

    fn path(&self) -> String {
        format!("/sps/{0}/brands/{0}", self.brand)
    }

    async fn control(&self, method: &str, path: &str, body: &Value) -> Value {
        let (status, answer) = self.call(method, &format!("/_sandbox{path}"), body).await;
        assert_eq!(status, 200, "{method} {path} {body}: {answer}");
        answer
    }

    /// Calls the router, which is always ready.
    async fn call(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let request = http::Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer {}", self.token))
            .header("content-type", "application/json")
            .body(Body::from(body.to_string()))
            .expect("a request");
        let response = self.router.clone().call(request).await.expect("a router never fails");
        let status = response.status().as_u16();
        let bytes = to_bytes(response.into_body(), usize::MAX).await.expect("a body in memory");
        (status, serde_json::from_slice(&bytes).unwrap_or_default())
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

fn read_date(value: &Value) -> Option<DateTime<Utc>> {
    value.as_str().map(|date| parse_registry(date).expect("a date of the registry"))
}

fn read_instant(value: &Value) -> DateTime<Utc> {
    parse_consent_date(&text(value)).expect("an instant")
}
