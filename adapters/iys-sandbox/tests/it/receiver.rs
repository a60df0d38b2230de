//! A receiver of pushes: what a program that is registered at the registry runs.
//!
//! It asks for the credentials `u` and `p` under `/good…`, for none under `/open`, and never answers under
//! `/silent`.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Request, State};
use axum::response::IntoResponse;
use http::StatusCode;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Notify;

/// Basic authentication of `u` and `p`.
const RIGHT: &str = "Basic dTpw";

#[derive(Default)]
struct Inbox {
    posts: Mutex<Vec<Value>>,
    /// Statuses that the next posts are answered with, once each.
    refusals: Mutex<Vec<u16>>,
    arrived: Notify,
}

/// A running receiver.
pub struct Receiver {
    pub base: String,
    inbox: Arc<Inbox>,
}

impl Receiver {
    #[expect(clippy::disallowed_methods, reason = "a test's server has no lifecycle to join")]
    pub async fn start() -> Self {
        let inbox = Arc::new(Inbox::default());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(receive).with_state(Arc::clone(&inbox));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { base, inbox }
    }

    /// A connection to be registered.
    pub fn connection(&self, path: &str, kind: &str) -> Value {
        json!({"url": format!("{}{path}", self.base), "type": kind, "username": "u", "password": "p"})
    }

    /// Refuses the next post with a status.
    pub fn refuse_next(&self, status: u16) {
        self.inbox.refusals.lock().unwrap().push(status);
    }

    /// Waits for so many posts in all, the test event among them, and returns their lists.
    pub async fn posts(&self, count: usize) -> Vec<Value> {
        loop {
            let arrived = self.inbox.arrived.notified();
            let posts = self.inbox.posts.lock().unwrap().clone();
            if posts.len() >= count {
                assert_eq!(posts.len(), count, "{posts:?}");
                return posts.into_iter().map(|mut post| post["list"].take()).collect();
            }
            tokio::time::timeout(std::time::Duration::from_secs(10), arrived).await.unwrap();
        }
    }
}

async fn receive(State(inbox): State<Arc<Inbox>>, request: Request) -> impl IntoResponse {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path();
    if path == "/silent" {
        std::future::pending::<()>().await;
    }
    let right = parts.headers.get("authorization").is_some_and(|value| value == RIGHT);
    if path != "/open" && !right {
        return StatusCode::UNAUTHORIZED;
    }
    assert_eq!(parts.method, "POST");
    let refusal = inbox.refusals.lock().unwrap().pop();
    if let Some(status) = refusal {
        inbox.arrived.notify_one();
        return StatusCode::from_u16(status).unwrap();
    }
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    inbox.posts.lock().unwrap().push(serde_json::from_slice(&body).unwrap());
    inbox.arrived.notify_one();
    StatusCode::OK
}
