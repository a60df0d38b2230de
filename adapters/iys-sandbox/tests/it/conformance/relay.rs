//! What stands between the client and a simulator, so that the client reads answers to requests that it would never
//! send.
//!
//! The client logs in here under the name of a passage. Where its request is the wanted one, it goes on as it is, with
//! the wanted bearer; otherwise the wanted request goes in its place. The answer comes back untouched.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::request::Parts;
use reqwest::Client;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use url::Url;
use url::form_urlencoded::parse;

/// Headers of an answer that the client reads.
const KEPT_HEADERS: [&str; 3] = ["content-type", "trace_id", "retry-after"];
const TOKEN_PATH: &str = "/oauth2/token";

/// A request that is wanted at a simulator.
struct Passage {
    wanted: reqwest::Request,
    /// Whether the client sent the wanted request by itself.
    alike: bool,
}

struct Desk {
    client: Client,
    passages: Mutex<HashMap<String, Passage>>,
}

/// A running relay.
pub struct Relay {
    pub base: String,
    desk: Arc<Desk>,
}

impl Relay {
    #[expect(clippy::disallowed_methods, reason = "a test's server has no lifecycle to join")]
    pub async fn start(client: Client) -> Self {
        let desk = Arc::new(Desk { client, passages: Mutex::default() });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(relay).with_state(Arc::clone(&desk));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { base, desk }
    }

    /// What the account of this name is to ask.
    pub fn expect(&self, name: &str, wanted: reqwest::Request) {
        let passage = Passage { wanted, alike: false };
        self.desk.passages.lock().unwrap().insert(name.to_owned(), passage);
    }

    /// Whether the client's own request was the wanted one.
    pub fn was_alike(&self, name: &str) -> bool {
        self.desk.passages.lock().unwrap()[name].alike
    }
}

async fn relay(State(desk): State<Arc<Desk>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    let name = name(&parts, &body);
    let forwarded = {
        let mut passages = desk.passages.lock().unwrap();
        let passage = passages.get_mut(&name).unwrap_or_else(|| panic!("nothing is wanted of {name:?}"));
        if parts.uri.path() == TOKEN_PATH && passage.wanted.url().path() != TOKEN_PATH {
            return token(&name);
        }
        let mut forwarded = passage.wanted.try_clone().unwrap();
        passage.alike = is_wanted(&parts, &body, &passage.wanted);
        if passage.alike {
            // The client may say more in its query, and in other words in its body.
            forwarded.url_mut().set_query(parts.uri.query());
            if !body.is_empty() {
                *forwarded.body_mut() = Some(body.into());
            }
        }
        forwarded
    };
    let answer = desk.client.execute(forwarded).await.unwrap();
    let mut response = Response::builder().status(answer.status());
    for header in KEPT_HEADERS {
        if let Some(value) = answer.headers().get(header) {
            response = response.header(header, value);
        }
    }
    response.body(Body::from(answer.bytes().await.unwrap())).unwrap()
}

/// The passage's name is the user's name and the token.
fn name(parts: &Parts, body: &Bytes) -> String {
    if parts.uri.path() == TOKEN_PATH {
        let login: Value = serde_json::from_slice(body).unwrap();
        let name = login.get("username").or_else(|| login.get("refresh_token"));
        return name.and_then(Value::as_str).unwrap().to_owned();
    }
    parts.headers["authorization"].to_str().unwrap().trim_start_matches("Bearer ").to_owned()
}

fn token(name: &str) -> Response {
    let token = json!({
        "access_token": name, "refresh_token": name, "expires_in": 7200, "refresh_expires_in": 14400,
        "token_type": "bearer",
    });
    axum::Json(token).into_response()
}

fn is_wanted(parts: &Parts, body: &Bytes, wanted: &reqwest::Request) -> bool {
    let sent: Vec<_> = parse(parts.uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
    let json = |bytes: &[u8]| -> Option<Value> { serde_json::from_slice(bytes).ok() };
    let same_body = match wanted.body().and_then(reqwest::Body::as_bytes) {
        None => body.is_empty(),
        Some(bytes) => json(bytes).is_some_and(|wanted| json(body) == Some(wanted)),
    };
    parts.method == *wanted.method()
        && parts.uri.path() == wanted.url().path()
        && pairs(wanted.url()).all(|pair| sent.contains(&pair))
        && same_body
}

fn pairs(url: &Url) -> impl Iterator<Item = (String, String)> {
    url.query_pairs().into_owned()
}
