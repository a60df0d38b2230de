//! A registry that answers as told, and a clock that moves as told.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use axum::response::Response;
use chrono::{DateTime, TimeDelta, Utc};
use futures::StreamExt;
use futures::future::{BoxFuture, FutureExt, ready};
use futures::stream;
use iys::wire::ConsentRequest;
use iys::{Account, BrandCodes, Clock, Credentials, IysClient, IysClientBuilder, Unpaced};
use serde_json::{Value, json};
use tokio::net::TcpListener;

pub const BRAND: BrandCodes = BrandCodes { iys_code: 612_345, brand_code: 612_346 };

/// A clock that stands still, except that sleeping moves it.
#[derive(Debug)]
pub struct FakeClock(Mutex<DateTime<Utc>>);

impl FakeClock {
    pub fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new("2026-11-22T09:10:00Z".parse().unwrap())))
    }

    pub fn advance(&self, by: TimeDelta) {
        *self.0.lock().unwrap() += by;
    }
}

impl Clock for FakeClock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'_, ()> {
        *self.0.lock().unwrap() += duration;
        ready(()).boxed()
    }
}

/// A request as it arrived.
#[derive(Debug, Clone)]
pub struct Received {
    pub method: String,
    pub path: String,
    pub bearer: Option<String>,
    pub accept: String,
    pub body: String,
}

impl Received {
    /// Method and path in one.
    pub fn line(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// An answer to be given.
#[derive(Debug, Clone)]
pub struct Answer {
    status: u16,
    content_type: &'static str,
    headers: Vec<(&'static str, &'static str)>,
    pieces: Vec<Bytes>,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Whole,
    Cut,
    Stalled,
    Never,
}

pub fn ok(body: &Value) -> Answer {
    answer(200, body.to_string())
}

pub fn answer(status: u16, body: impl Into<Bytes>) -> Answer {
    let pieces = vec![body.into()];
    Answer { status, content_type: "application/json", headers: Vec::new(), pieces, kind: Kind::Whole }
}

/// A file that comes in pieces.
pub fn file(content_type: &'static str, pieces: Vec<Bytes>) -> Answer {
    Answer { content_type, pieces, ..answer(200, "") }
}

pub fn refusal(status: u16, code: &str) -> Answer {
    answer(status, json!({ "errors": [{ "code": code, "message": "…" }] }).to_string())
}

pub fn html(status: u16) -> Answer {
    Answer { content_type: "text/html", ..answer(status, "<html><body>Bad gateway</body></html>") }
}

/// Takes the request and never answers.
pub fn never() -> Answer {
    Answer { kind: Kind::Never, ..answer(200, "") }
}

/// Starts to answer and breaks off.
pub fn cut() -> Answer {
    answer(200, "{\"transactionId\":").cut()
}

impl Answer {
    /// Breaks off after what there is.
    pub fn cut(self) -> Self {
        Self { kind: Kind::Cut, ..self }
    }

    /// Says nothing more after what there is, and does not end.
    pub fn stalled(self) -> Self {
        Self { kind: Kind::Stalled, ..self }
    }

    pub fn header(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.push((name, value));
        self
    }
}

#[derive(Debug, Default)]
struct Script {
    received: Vec<Received>,
    answers: VecDeque<Answer>,
    token_answers: VecDeque<Answer>,
    tokens_issued: u32,
}

/// The server. Answers are used up in order; token requests have a line of their own and, where that is empty, get
/// the tokens `access-1` and `refresh-1`, then `access-2` and `refresh-2`, and so on.
#[derive(Debug, Clone)]
pub struct FakeRegistry {
    address: SocketAddr,
    script: Arc<Mutex<Script>>,
}

impl FakeRegistry {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let script = Arc::new(Mutex::new(Script::default()));
        let router = Router::new().fallback(handle).with_state(script.clone());
        #[expect(clippy::disallowed_methods, reason = "the server lives as long as its test's runtime")]
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, script }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn will(&self, answer: Answer) {
        self.script.lock().unwrap().answers.push_back(answer);
    }

    pub fn token_will(&self, answer: Answer) {
        self.script.lock().unwrap().token_answers.push_back(answer);
    }

    /// All requests but those for tokens.
    pub fn calls(&self) -> Vec<Received> {
        self.received(|path| path != "/oauth2/token")
    }

    /// Method and path of all requests but those for tokens.
    pub fn lines(&self) -> Vec<String> {
        self.calls().iter().map(Received::line).collect()
    }

    pub fn token_calls(&self) -> Vec<Received> {
        self.received(|path| path == "/oauth2/token")
    }

    /// The grants of the token requests, in order.
    pub fn grants(&self) -> Vec<String> {
        let calls = self.token_calls();
        calls.iter().map(|call| call.json()["grant_type"].as_str().unwrap().to_owned()).collect()
    }

    fn received(&self, wanted: impl Fn(&str) -> bool) -> Vec<Received> {
        let script = self.script.lock().unwrap();
        script.received.iter().filter(|received| wanted(&received.path)).cloned().collect()
    }

    /// A client without a pace, on the clock given.
    pub fn client(&self, clock: &Arc<FakeClock>) -> IysClientBuilder {
        IysClient::builder(self.url()).clock(clock.clone()).pacer(Arc::new(Unpaced))
    }

    /// An account of such a client.
    pub fn account(&self) -> Account {
        self.client(&FakeClock::new()).build().unwrap().account(credentials())
    }
}

pub fn credentials() -> Credentials {
    Credentials::new("user@example.com", "p4ssw0rd")
}

pub fn tokens(access: &str, refresh: &str, life: i64) -> Answer {
    ok(&json!({
        "access_token": access, "refresh_token": refresh, "expires_in": life, "refresh_expires_in": 2 * life,
        "token_type": "bearer",
    }))
}

pub fn added() -> Answer {
    ok(&json!({ "transactionId": "5f0c", "creationDate": "2026-11-20 10:05:04" }))
}

pub fn consent() -> ConsentRequest {
    ConsentRequest {
        recipient: "+905551112233".into(),
        r#type: "MESAJ".into(),
        source: Some("HS_WEB".into()),
        status: "ONAY".into(),
        consent_date: Some("2026-11-20 10:05:00".into()),
        ..ConsentRequest::default()
    }
}

async fn handle(State(script): State<Arc<Mutex<Script>>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    let bearer = head.headers.get(AUTHORIZATION).map(|value| value.to_str().unwrap().to_owned());
    let path = head.uri.path_and_query().unwrap().to_string();
    let answer = {
        let mut script = script.lock().unwrap();
        script.received.push(Received {
            method: head.method.to_string(),
            path: path.clone(),
            bearer: bearer.map(|value| value.trim_start_matches("Bearer ").to_owned()),
            accept: head.headers.get(ACCEPT).map_or("", |value| value.to_str().unwrap()).to_owned(),
            body: String::from_utf8(body.to_vec()).unwrap(),
        });
        if path == "/oauth2/token" {
            script.tokens_issued += 1;
            let number = script.tokens_issued;
            let next = script.token_answers.pop_front();
            next.unwrap_or_else(|| tokens(&format!("access-{number}"), &format!("refresh-{number}"), 7_200))
        } else {
            script.answers.pop_front().unwrap_or_else(|| answer(500, "the script has no answer left"))
        }
    };
    let mut response = Response::builder().status(StatusCode::from_u16(answer.status).unwrap());
    response = response.header(CONTENT_TYPE, answer.content_type);
    for (name, value) in answer.headers {
        response = response.header(name, value);
    }
    let pieces = stream::iter(answer.pieces).map(Ok);
    let body = match answer.kind {
        Kind::Whole => Body::from_stream(pieces),
        Kind::Never => std::future::pending().await,
        Kind::Stalled => Body::from_stream(pieces.chain(stream::pending())),
        Kind::Cut => {
            let end = std::io::Error::other("cut");
            Body::from_stream(pieces.chain(stream::iter([Err(end)])))
        }
    };
    response.body(body).unwrap()
}
