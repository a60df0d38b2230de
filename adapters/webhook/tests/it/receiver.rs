//! Receivers on loopback.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use tokio::net::{TcpListener, TcpStream};

/// A call as it arrived.
#[derive(Debug, Clone)]
pub struct Call {
    pub path: String,
    pub headers: HeaderMap,
    pub body: Bytes,
}

type Calls = Arc<Mutex<Vec<Call>>>;

/// A web server whose paths answer in different ways and which remembers its calls.
pub struct Receiver {
    address: SocketAddr,
    calls: Calls,
}

impl Receiver {
    pub async fn start() -> Self {
        let calls = Calls::default();
        let app = Router::new().fallback(answer).with_state(Arc::clone(&calls));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { address, calls }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    pub fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap().clone()
    }
}

async fn answer(State(calls): State<Calls>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    calls.lock().unwrap().push(Call { path: uri.path().to_owned(), headers, body: body.clone() });
    match uri.path() {
        "/echo" => body.into_response(),
        "/gone" => (StatusCode::GONE, "we moved out").into_response(),
        "/busy" => (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, "120")]).into_response(),
        "/later" => {
            let headers = [
                (header::DATE, "Sun, 22 Nov 2026 12:00:00 GMT"),
                (header::RETRY_AFTER, "Sun, 22 Nov 2026 12:30:00 GMT"),
            ];
            (StatusCode::SERVICE_UNAVAILABLE, headers).into_response()
        }
        "/moved" => (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, "/ok")]).into_response(),
        "/large" => "ş".repeat(9 * 1024).into_response(),
        "/never" => std::future::pending().await,
        _ => StatusCode::NO_CONTENT.into_response(),
    }
}

/// A receiver that does with each connection what `behave` says, HTTP or not.
pub async fn raw<F>(behave: impl Fn(TcpStream) -> F + Send + 'static) -> SocketAddr
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            spawn(behave(stream));
        }
    });
    address
}

fn spawn(task: impl Future<Output = ()> + Send + 'static) {
    #[expect(clippy::disallowed_methods, reason = "a receiver that lives as long as its test")]
    tokio::spawn(task);
}
