//! What intake over HTTP is compared with: a route that parses the same JSON and answers (the ceiling), and one that commits
//! each request in a transaction of its own (the plain way).

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Json, Response};
use axum::routing::post;
use kopru::bootstrap::App;
use kopru::service::intake::{self, ConsentInput, IntakeItem, IntakeRequest};
use kopru_domain::evidence::Door;
use kopru_domain::{Evidence, Lang};
use kopru_store::brands::BrandRow;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

/// The path of both.
pub const PATH: &str = "/consents";

/// A consent as the API takes it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Body {
    recipient: Option<String>,
    r#type: Option<String>,
    status: Option<String>,
    source: Option<String>,
    consent_date: Option<String>,
    recipient_type: Option<String>,
    retailer_code: Option<i64>,
    reference: Option<String>,
}

#[derive(Debug, Serialize)]
struct Answer {
    accepted: usize,
}

/// Serves the route that parses one consent, or a list of them, and answers 202.
pub async fn parse_only() -> Result<SocketAddr> {
    let route = post(async |body: Bytes| match parse(&body) {
        Ok(list) => (StatusCode::ACCEPTED, Json(Answer { accepted: std::hint::black_box(&list).len() }))
            .into_response(),
        Err(error) => refused(&error),
    });
    serve(Router::new().route(PATH, route).layer(DefaultBodyLimit::disable())).await
}

fn parse(body: &[u8]) -> serde_json::Result<Vec<Body>> {
    if body.first() == Some(&b'[') {
        serde_json::from_slice(body)
    } else {
        Ok(vec![serde_json::from_slice(body)?])
    }
}

fn refused(error: &dyn std::fmt::Display) -> Response {
    (StatusCode::BAD_REQUEST, Json(json!({ "detail": error.to_string() }))).into_response()
}

/// The plain way: the same statements, one transaction a request.
///
/// No second copy of the intake is needed for it. A program whose intake is entered by one request at a time finds nothing
/// to commit together; several such programs over one database are as many independent connections. The door is thinner than
/// the real one (no authentication, no rate limit), which is in the plain way's favour.
struct Naive {
    places: Semaphore,
    idle: Mutex<Vec<App>>,
    brand: BrandRow,
}

/// Serves the plain way over programs that share a database: one on SQLite, one for each connection on PostgreSQL.
pub async fn one_transaction_a_request(apps: Vec<App>, brand: BrandRow) -> Result<SocketAddr> {
    let naive = Arc::new(Naive { places: Semaphore::new(apps.len()), idle: Mutex::new(apps), brand });
    serve(Router::new().route(PATH, post(take_alone)).with_state(naive)).await
}

async fn take_alone(State(naive): State<Arc<Naive>>, body: Bytes) -> Response {
    match serde_json::from_slice(&body) {
        Ok(consent) => naive.take(consent).await.unwrap_or_else(|error| refused(&format!("{error:#}"))),
        Err(error) => refused(&error),
    }
}

impl Naive {
    async fn take(&self, body: Body) -> Result<Response> {
        let _place = self.places.acquire().await?;
        let app = self.lock().pop().context("as many places as programs")?;
        let request = IntakeRequest {
            brand: self.brand.clone(),
            door: "api",
            items: vec![item(body)],
            idempotency: None,
            lang: Lang::En,
        };
        let answer = intake::submit(&app, request).await;
        self.lock().push(app);
        Ok((StatusCode::ACCEPTED, Json(answer?)).into_response())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<App>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn item(body: Body) -> IntakeItem {
    IntakeItem {
        index: 0,
        consent: ConsentInput {
            recipient: body.recipient,
            channel: body.r#type,
            status: body.status,
            source: body.source,
            consent_date: body.consent_date,
            recipient_type: body.recipient_type,
            retailer_code: body.retailer_code,
        },
        reference: body.reference,
        evidence: Evidence { declared: true, door: Some(Door::Api), ..Evidence::default() },
        own_channel: false,
    }
}

async fn serve(router: Router) -> Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    Handle::current().spawn(async move { axum::serve(listener, router).await });
    Ok(address)
}
