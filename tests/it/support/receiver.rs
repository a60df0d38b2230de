//! A webhook receiver that verifies each call by the Standard Webhooks text and keeps what it took.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use kopru_webhook::{Headers, Secret, verify};
use serde_json::Value;
use tokio::net::TcpListener;

use super::background;

#[derive(Clone, Default)]
pub struct Receiver {
    pub url: String,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    secret: Option<Secret>,
    events: Vec<(String, Value)>,
    answers: Vec<StatusCode>,
}

impl Receiver {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let receiver = Self { url, state: Arc::default() };
        let state = receiver.state.clone();
        let router = Router::new().route(
            "/hook",
            post(move |headers: HeaderMap, body: Bytes| {
                let state = state.clone();
                async move { take(&state, &headers, &body) }
            }),
        );
        background(async move { axum::serve(listener, router).await.unwrap() });
        receiver
    }

    pub fn secret(&self, secret: &str) {
        self.state.lock().unwrap().secret = Some(secret.parse().unwrap());
    }

    /// The next calls are answered so, in this order, before they are taken again.
    pub fn answer_next(&self, answers: &[u16]) {
        let answers = answers.iter().rev().map(|status| StatusCode::from_u16(*status).unwrap());
        self.state.lock().unwrap().answers = answers.collect();
    }

    pub fn events(&self) -> Vec<Value> {
        self.state.lock().unwrap().events.iter().map(|(_, event)| event.clone()).collect()
    }

    pub fn ids(&self) -> Vec<String> {
        self.state.lock().unwrap().events.iter().map(|(id, _)| id.clone()).collect()
    }
}

fn take(state: &Mutex<State>, headers: &HeaderMap, body: &Bytes) -> StatusCode {
    let mut state = state.lock().unwrap();
    if let Some(answer) = state.answers.pop() {
        return answer;
    }
    let Ok(signed) = Headers::from_map(headers) else { return StatusCode::BAD_REQUEST };
    let id = signed.id.to_owned();
    let now: i64 = signed.timestamp.parse().unwrap();
    let Some(secret) = state.secret.clone() else { return StatusCode::UNAUTHORIZED };
    if verify(signed, body, &[secret], now, Duration::from_mins(5)).is_err() {
        return StatusCode::UNAUTHORIZED;
    }
    let event = serde_json::from_slice(body).unwrap();
    state.events.push((id, event));
    StatusCode::NO_CONTENT
}
