//! What the stand-ins have in common: they remember requests and can be told to misbehave.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Seen {
    pub method: String,
    pub path: String,
    pub query: String,
    pub headers: HeaderMap,
    pub body: String,
}

impl Seen {
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// A value of the query or, where there is none, of the form in the body.
    pub fn value(&self, name: &str) -> Option<String> {
        let pairs = if self.query.is_empty() { &self.body } else { &self.query };
        url(pairs).into_iter().find(|(found, _)| found == name).map(|(_, value)| value)
    }
}

fn url(pairs: &str) -> Vec<(String, String)> {
    pairs
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (unescape(name), unescape(value)))
        .collect()
}

fn unescape(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'%' => {
                let hex = [rest.next().unwrap(), rest.next().unwrap()];
                bytes.push(u8::from_str_radix(std::str::from_utf8(&hex).unwrap(), 16).unwrap());
            }
            b'+' => bytes.push(b' '),
            other => bytes.push(other),
        }
    }
    String::from_utf8(bytes).unwrap()
}

/// How the next request goes wrong.
#[derive(Debug, Clone, Copy)]
pub enum Fault {
    /// Does what it is asked and never answers.
    Silent,
    /// Does what it is asked and answers half.
    Cut,
    /// Does nothing and answers so.
    Status(u16, &'static str),
}

type Answer = (u16, &'static str, String);

/// A vendor: its state, and what it does with a request.
pub trait Vendor: Send + 'static {
    fn answer(&mut self, request: &Seen) -> Answer;
}

struct Shared<V> {
    vendor: V,
    seen: Vec<Seen>,
    faults: VecDeque<Fault>,
}

/// A running stand-in.
pub struct StandIn<V> {
    pub url: String,
    shared: Arc<Mutex<Shared<V>>>,
}

impl<V: Vendor> StandIn<V> {
    pub async fn start(vendor: V) -> Self {
        let shared = Shared { vendor, seen: Vec::new(), faults: VecDeque::new() };
        let shared = Arc::new(Mutex::new(shared));
        let app = Router::new().fallback(serve::<V>).with_state(shared.clone());
        let listener = tokio::net::TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        #[expect(clippy::disallowed_methods, reason = "a test's server ends with its runtime")]
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, shared }
    }

    pub fn next_goes_wrong(&self, fault: Fault) {
        self.shared.lock().unwrap().faults.push_back(fault);
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.shared.lock().unwrap().seen.clone()
    }

    pub fn last(&self) -> Seen {
        self.seen().pop().unwrap()
    }

    pub fn with<T>(&self, work: impl FnOnce(&mut V) -> T) -> T {
        work(&mut self.shared.lock().unwrap().vendor)
    }
}

async fn serve<V: Vendor>(State(shared): State<Arc<Mutex<Shared<V>>>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let seen = Seen {
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: parts.headers,
        body: String::from_utf8(body.to_vec()).unwrap(),
    };
    let (answer, fault) = {
        let mut shared = shared.lock().unwrap();
        let fault = shared.faults.pop_front();
        shared.seen.push(seen.clone());
        let answer = match fault {
            Some(Fault::Status(status, body)) => (status, "text/plain", body.to_owned()),
            _ => shared.vendor.answer(&seen),
        };
        (answer, fault)
    };
    let (status, content_type, body) = answer;
    let head = (StatusCode::from_u16(status).unwrap(), [("content-type", content_type)]);
    match fault {
        Some(Fault::Silent) => {
            #[expect(clippy::disallowed_methods, reason = "silence is what is tested")]
            tokio::time::sleep(Duration::from_secs(5)).await;
            head.into_response()
        }
        Some(Fault::Cut) => {
            let half = Bytes::copy_from_slice(&body.as_bytes()[..body.len() / 2]);
            let broken = std::io::Error::other("cut");
            (head.0, head.1, Body::from_stream(futures::stream::iter([Ok(half), Err(broken)])))
                .into_response()
        }
        _ => (head.0, head.1, body).into_response(),
    }
}
