//! `Idempotency-Key`: a request that is sent again gets the answer of the first time, and has its effect once. Kept for 72
//! hours, by key of the API, method and path; the answer is written in the transaction of the effect.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use chrono::TimeDelta;
use kopru_domain::IysCode;
use kopru_store::idempotency::{self, IdempotencyKey, PartRow};
use kopru_store::{Priority, StoreError, Tx};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::http::auth::Call;
use crate::http::problem::Problem;
use crate::http::state::HttpState;
use crate::service::intake::{IDEMPOTENCY_LIFE, Idempotency};

/// Name of the header.
const HEADER: HeaderName = HeaderName::from_static("idempotency-key");
/// Tells that an answer is one of before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
const LONGEST: usize = 255;
/// Under which answers are sealed.
const ANSWER: &str = "idempotency.answer";

/// The key that a request came with, if any, and where it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repeatable(Option<IdempotencyKey>);

impl FromRequestParts<HttpState> for Repeatable {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &HttpState) -> Result<Self, Problem> {
        let Some(value) = parts.headers.get(HEADER) else { return Ok(Self(None)) };
        let key = value
            .to_str()
            .ok()
            .filter(|key| is_usable(key))
            .ok_or(Problem::IdempotencyKeyInvalid)?
            .to_owned();
        let route = format!("{} {}", parts.method, parts.uri.path());
        let call = Call::from_request_parts(parts, state).await?;
        let iys_code = call.provider.unwrap_or(IysCode(0));
        Ok(Self(Some(IdempotencyKey { iys_code, api_key_id: call.key_id.clone(), route, key })))
    }
}

fn is_usable(key: &str) -> bool {
    (1..=LONGEST).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic())
}

/// What becomes of a request that may be a repetition.
pub enum Turn {
    /// It was answered before: this is the answer.
    Repeat(Response),
    /// It is the first: its transaction is open.
    First(First),
}

/// The transaction of a request that has its effect now.
pub struct First {
    /// Where the effect is written.
    pub tx: Tx,
    state: HttpState,
    key: Option<(IdempotencyKey, [u8; 32])>,
}

impl Repeatable {
    /// For the intake, which keeps its answers itself, part by part.
    pub fn for_intake(self, body: &[u8]) -> Option<Idempotency> {
        self.0.map(|key| Idempotency { key, body_hash: Sha256::digest(body).into() })
    }

    /// Opens the transaction of a request, unless it was answered before.
    pub async fn begin(self, state: &HttpState, body: &[u8]) -> Result<Turn, Problem> {
        let mut tx = state.app.db.begin(Priority::Interactive).await?;
        let key = self.0.map(|key| (key, Sha256::digest(body).into()));
        if let Some((key, hash)) = &key
            && let Some(row) = idempotency::parts(&mut tx, key, state.app.clocks.wire()).await?.first()
        {
            state.app.db.flushed().await?;
            return replay(state, row, hash).map(Turn::Repeat);
        }
        Ok(Turn::First(First { tx, state: state.clone(), key }))
    }
}

/// A request that has to wait for somebody else before it has its effect here: no transaction is open meanwhile.
pub struct Paused {
    state: HttpState,
    key: Option<(IdempotencyKey, [u8; 32])>,
}

impl Paused {
    /// Opens the transaction of the effect.
    pub async fn resume(self) -> Result<First, Problem> {
        let tx = self.state.app.db.begin(Priority::Interactive).await?;
        Ok(First { tx, state: self.state, key: self.key })
    }
}

impl First {
    /// Ends the transaction, in which nothing was written yet. What is done meanwhile has to be found by a repetition: only
    /// the answer of [`First::finish`] is kept.
    pub fn pause(self) -> Paused {
        Paused { state: self.state, key: self.key }
    }

    /// Commits the effect together with its answer.
    pub async fn finish<T: Serialize>(mut self, status: StatusCode, answer: &T) -> Result<Response, Problem> {
        let json = serde_json::to_vec(answer).map_err(|_| Problem::Internal)?;
        if let Some((key, hash)) = &self.key {
            let now = self.state.app.clocks.wire();
            let life = TimeDelta::from_std(IDEMPOTENCY_LIFE).unwrap_or_default();
            let row = PartRow {
                part: 0,
                body_hash: hash.to_vec(),
                status: Some(i64::from(status.as_u16())),
                answer: Some(self.state.app.vault.master().seal(ANSWER, &json)),
            };
            if !idempotency::add(&mut self.tx, key, &row, now, now + life).await? {
                // Another replica is doing the same just now: its effect stands, this one is rolled back.
                return Err(Problem::IdempotencyRunning);
            }
        }
        self.tx.commit().await?;
        Ok(answered(status, json))
    }
}

fn replay(state: &HttpState, row: &PartRow, hash: &[u8; 32]) -> Result<Response, Problem> {
    if row.body_hash != hash {
        return Err(Problem::IdempotencyMismatch);
    }
    let unreadable = || StoreError::Corrupt { what: "idempotency", detail: "answer".to_owned() };
    let status = row
        .status
        .and_then(|status| u16::try_from(status).ok())
        .and_then(|code| StatusCode::from_u16(code).ok());
    let (Some(status), Some(sealed)) = (status, &row.answer) else { return Err(unreadable().into()) };
    let json = state.app.vault.master().open(ANSWER, sealed)?;
    let mut response = answered(status, json);
    response.headers_mut().insert(REPLAYED, axum::http::HeaderValue::from_static("true"));
    Ok(response)
}

fn answered(status: StatusCode, json: Vec<u8>) -> Response {
    (status, [(axum::http::header::CONTENT_TYPE, "application/json")], json).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_short_and_visible() {
        assert!(is_usable("6f1c5a0e-6f0e-4f0e-9a59-3a3f1f0f8a11"));
        assert!(is_usable(&"a".repeat(LONGEST)));
        for key in ["", "a b", "ş", "a\tb"] {
            assert!(!is_usable(key), "{key}");
        }
        assert!(!is_usable(&"a".repeat(LONGEST + 1)));
    }
}
