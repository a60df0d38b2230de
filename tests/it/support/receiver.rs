//! A webhook receiver that verifies each call by the Standard Webhooks text and keeps what it took.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
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
    answers: Vec<(StatusCode, Option<u32>)>,
    pause: Duration,
    at_once: usize,
    most_at_once: usize,
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
                async move { work(&state, &headers, &body).await }
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
        let answers = answers.iter().rev().map(|status| (StatusCode::from_u16(*status).unwrap(), None));
        self.state.lock().unwrap().answers = answers.collect();
    }

    /// The next call is answered 503 with the wish to be left alone for so many seconds.
    pub fn overloaded_once(&self, retry_after: u32) {
        self.state.lock().unwrap().answers = vec![(StatusCode::SERVICE_UNAVAILABLE, Some(retry_after))];
    }

    /// Every call takes so long.
    pub fn pause(&self, pause: Duration) {
        self.state.lock().unwrap().pause = pause;
    }

    /// The most calls that were in flight at once.
    pub fn most_at_once(&self) -> usize {
        self.state.lock().unwrap().most_at_once
    }

    pub fn events(&self) -> Vec<Value> {
        self.state.lock().unwrap().events.iter().map(|(_, event)| event.clone()).collect()
    }

    pub fn ids(&self) -> Vec<String> {
        self.state.lock().unwrap().events.iter().map(|(id, _)| id.clone()).collect()
    }
}

#[expect(clippy::disallowed_methods, reason = "how long a receiver takes is what is tried")]
async fn work(state: &Mutex<State>, headers: &HeaderMap, body: &Bytes) -> Response {
    let pause = {
        let mut state = state.lock().unwrap();
        state.at_once += 1;
        state.most_at_once = state.most_at_once.max(state.at_once);
        state.pause
    };
    if !pause.is_zero() {
        tokio::time::sleep(pause).await;
    }
    let mut state = state.lock().unwrap();
    state.at_once -= 1;
    match state.answers.pop() {
        Some((status, Some(seconds))) => (status, [(header::RETRY_AFTER, seconds)]).into_response(),
        Some((status, None)) => status.into_response(),
        None => take(&mut state, headers, body).into_response(),
    }
}

fn take(state: &mut State, headers: &HeaderMap, body: &Bytes) -> StatusCode {
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
