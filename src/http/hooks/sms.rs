//! SMS that vendors push. Not part of the described API: only vendors call this.
//!
//! The answers are made for vendors: 404 for an unknown token or one of another vendor, 401 where a signature is missing or wrong, and
//! 200 for everything else that is not longer than 64 kB, whatever it holds: a vendor can do nothing about what we cannot read, and
//! most give up for good after a few tries.

use std::time::Instant;

use axum::extract::{Path, Request, State};
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use kopru_sms::twilio::SIGNATURE;

use crate::http::body;
use crate::http::cache::Remembered;
use crate::http::problem::Problem;
use crate::http::state::HttpState;
use crate::service::inbound::receiving;

/// Longest body in bytes.
const LIMIT: usize = 64 * 1024;

/// Takes a push, as POST with a body or as GET with everything in the query.
pub async fn receive(
    State(state): State<HttpState>,
    Path((vendor, token)): Path<(String, String)>,
    request: Request,
) -> Result<Response, Problem> {
    let unknown = || refused("unknown_token", Problem::NotFound("receiver"));
    let hash = receiving::look_up(&token).ok_or_else(unknown)?;
    let now = Instant::now();
    let receiver = match state.inlets.get(&hash, now) {
        Some(Remembered(known)) => known,
        None => state.inlets.put(hash, receiving::load(&state.app, hash).await?, now),
    };
    let receiver = receiver.filter(|receiver| receiver.vendor().as_str() == vendor).ok_or_else(unknown)?;
    let (parts, body) = request.into_parts();
    let header_of =
        |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let (content_type, signature) = (header_of(header::CONTENT_TYPE.as_str()), header_of(SIGNATURE));
    let uri = parts.uri;
    let query = uri.query().map(str::to_owned);
    let body = body::read(body, LIMIT).await.map_err(|problem| refused("unread", problem))?;
    let url = state.app.config.http.public_base().map_or_else(String::new, |base| {
        let path = uri.path_and_query().map_or("", |whole| whole.as_str());
        format!("{}{path}", base.as_str().trim_end_matches('/'))
    });
    if !receiver.is_signed(&url, &body, signature.as_deref()) {
        metrics::counter!("inbound_posts_total", "vendor" => receiver.vendor().as_str(), "outcome" => "unsigned").increment(1);
        return Ok(StatusCode::UNAUTHORIZED.into_response());
    }
    // A vendor's panel, or a person, may look whether somebody is there: such a look holds nothing that could wait for a person.
    let is_look = body.is_empty() && query.as_deref().is_none_or(str::is_empty);
    if is_look || parts.method == Method::HEAD {
        metrics::counter!("inbound_posts_total", "vendor" => receiver.vendor().as_str(), "outcome" => "empty").increment(1);
    } else {
        receiver.keep(&state.app, content_type.as_deref(), query.as_deref(), &body).await?;
    }
    let answer = receiver.vendor().answer();
    Ok(([(header::CONTENT_TYPE, answer.content_type)], answer.body).into_response())
}

fn refused(outcome: &'static str, problem: Problem) -> Problem {
    metrics::counter!("inbound_posts_total", "vendor" => "", "outcome" => outcome).increment(1);
    problem
}
