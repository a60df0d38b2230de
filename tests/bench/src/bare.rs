//! The ceiling of intake over HTTP: a route that parses the same JSON and answers.

use std::net::SocketAddr;

use anyhow::Result;
use axum::Router;
use axum::body::Bytes;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Json, Response};
use axum::routing::post;
use kopru_domain::RawConsent;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::runtime::Handle;

/// The path of it, and of the plain way beside it.
pub const PATH: &str = "/consents";

/// A consent as the API takes it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Body {
    /// The address as typed.
    pub recipient: Option<String>,
    r#type: Option<String>,
    status: Option<String>,
    source: Option<String>,
    consent_date: Option<String>,
    recipient_type: Option<String>,
    /// The retailer who took it.
    pub retailer_code: Option<i64>,
    /// The client's own reference.
    pub reference: Option<String>,
}

impl Body {
    /// What the rules of shape look at.
    pub fn raw(&self) -> RawConsent<'_> {
        RawConsent {
            recipient: self.recipient.as_deref(),
            channel: self.r#type.as_deref(),
            status: self.status.as_deref(),
            source: self.source.as_deref(),
            consent_date: self.consent_date.as_deref(),
            recipient_type: self.recipient_type.as_deref(),
        }
    }
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

/// Answers 400 with the reason.
pub fn refused(error: &dyn std::fmt::Display) -> Response {
    (StatusCode::BAD_REQUEST, Json(json!({ "detail": error.to_string() }))).into_response()
}

/// Serves a route on a free port, until the runtime ends.
pub async fn serve(router: Router) -> Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    Handle::current().spawn(async move { axum::serve(listener, router).await });
    Ok(address)
}
