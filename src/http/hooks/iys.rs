//! The registry's pushes. Not part of the described API: only the registry calls this.
//!
//! The answers are made for the registry. 404 for an unknown token and 401 for other credentials, which it looks for when it
//! registers a receiver (H530). Anything that has proved itself and is not longer than 64 kB is kept and answered 200, even if
//! it cannot be read: the registry would only repeat the same bytes for a day (assumed, registry-protocol section 11, U20) and
//! might disable the connection, while the bytes are kept here for a person to look at and the pull brings what they said.

use std::time::Instant;

use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::http::body;
use crate::http::cache::Remembered;
use crate::http::problem::Problem;
use crate::http::state::HttpState;
use crate::service::push::receiving;

/// Longest body in bytes: some hundred movements.
const LIMIT: usize = 64 * 1024;

/// Takes a push.
pub async fn receive(
    State(state): State<HttpState>,
    Path(token): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let unknown = || refused("unknown_token", Problem::NotFound("receiver"));
    let hash = receiving::look_up(&token).ok_or_else(unknown)?;
    let now = Instant::now();
    let receiver = match state.receivers.get(&hash, now) {
        Some(Remembered(known)) => known,
        None => state.receivers.put(hash, receiving::load(&state.app, hash).await?, now),
    };
    let receiver = receiver.ok_or_else(unknown)?;
    if !basic(request.headers()).is_some_and(|joined| receiver.knows(&joined)) {
        metrics::counter!("pushes_received_total", "outcome" => "unauthorised").increment(1);
        let challenge = HeaderValue::from_static("Basic realm=\"kopru\", charset=\"UTF-8\"");
        return Ok((StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, challenge)]).into_response());
    }
    let body = body::read(request.into_body(), LIMIT).await.map_err(|problem| refused("unread", problem))?;
    receiver.keep(&state.app, &body).await?;
    Ok(StatusCode::OK.into_response())
}

fn refused(outcome: &'static str, problem: Problem) -> Problem {
    metrics::counter!("pushes_received_total", "outcome" => outcome).increment(1);
    problem
}

/// Name and password of HTTP Basic, joined by a colon.
fn basic(headers: &HeaderMap) -> Option<Vec<u8>> {
    let (scheme, encoded) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    STANDARD.decode(encoded.trim()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_come_as_basic_alone() {
        let of = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::AUTHORIZATION, value.parse().unwrap());
            basic(&headers)
        };
        assert_eq!(of("Basic a29wcnU6cHc="), Some(b"kopru:pw".to_vec()));
        assert_eq!(of("basic  a29wcnU6cHc= "), Some(b"kopru:pw".to_vec()));
        for value in ["Bearer a29wcnU6cHc=", "Basic", "Basic ?"] {
            assert_eq!(of(value), None, "{value}");
        }
        assert_eq!(basic(&HeaderMap::new()), None);
    }
}
