//! One HTTP exchange: builds the request, reads the answer, and sorts failures by what they prove.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use chrono::{DateTime, Timelike, Utc};
use reqwest::header::{ACCEPT, CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Method, Response, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use url::Url;

use crate::error::classify;
use crate::wire::ErrorBody;
use crate::{ErrorClass, IysError, Operation, Refusal};

/// No documented answer comes near this; more means that something else answers.
const LONGEST_ANSWER: usize = 16 * 1024 * 1024;

/// The longest wait that a `Retry-After` header can ask for.
const LONGEST_WAIT: Duration = Duration::from_hours(1);

/// The shortest wait after an hourly limit, in case the machine's hour and the registry's differ a little.
const SHORTEST_HOURLY_WAIT: Duration = Duration::from_mins(1);

/// A request to be sent, once or again.
#[derive(Debug)]
pub(crate) struct Call {
    pub operation: Operation,
    method: Method,
    segments: Vec<String>,
    query: Vec<(&'static str, String)>,
    body: Option<Bytes>,
}

impl Call {
    pub fn get(operation: Operation, segments: Vec<String>) -> Self {
        Self { operation, method: Method::GET, segments, query: Vec::new(), body: None }
    }

    pub fn post(operation: Operation, segments: Vec<String>, body: Bytes) -> Self {
        Self { operation, method: Method::POST, segments, query: Vec::new(), body: Some(body) }
    }

    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    fn url(&self, base: &Url) -> Url {
        let mut url = base.clone();
        // The base address was checked to be one when the client was built.
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(&self.segments);
        }
        if !self.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&self.query);
        }
        url
    }
}

/// A whole answer of any status.
#[derive(Debug)]
pub(crate) struct Reply {
    operation: Operation,
    status: StatusCode,
    retry_after: Option<Duration>,
    body: Bytes,
}

impl Reply {
    /// Reads the body of a success.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, IysError> {
        serde_json::from_slice(&self.body).map_err(|_| self.unreadable())
    }

    /// Reads the body of a success, where no content and `{}` mean `None`.
    pub fn parse_optional<T: DeserializeOwned>(&self) -> Result<Option<T>, IysError> {
        let body = self.body.trim_ascii();
        if self.status == StatusCode::NO_CONTENT || matches!(body, b"" | b"{}" | b"null" | b"\"\"") {
            return Ok(None);
        }
        self.parse().map(Some)
    }

    pub fn unreadable(&self) -> IysError {
        let empty = self.body.trim_ascii().is_empty();
        IysError::Unreadable { operation: self.operation, status: self.status.as_u16(), empty }
    }

    /// Turns anything but a success into its error.
    pub fn into_result(self, now: DateTime<Utc>) -> Result<Self, IysError> {
        if self.status.is_success() {
            return Ok(self);
        }
        let status = self.status.as_u16();
        let Some(body) = ErrorBody::parse(&self.body) else {
            return Err(match self.status {
                StatusCode::TOO_MANY_REQUESTS => self.throttled(None, Duration::ZERO, now),
                _ => self.unreadable(),
            });
        };
        let code = body.code();
        match classify(self.operation, status, code) {
            ErrorClass::Wait { after } => Err(self.throttled(code, after, now)),
            _ if self.status == StatusCode::TOO_MANY_REQUESTS => {
                Err(self.throttled(code, Duration::ZERO, now))
            }
            _ => {
                let refusal = Refusal { operation: self.operation, status, items: body.errors };
                Err(IysError::Refused(Box::new(refusal)))
            }
        }
    }

    fn throttled(&self, code: Option<&str>, after: Duration, now: DateTime<Utc>) -> IysError {
        let wait = match code {
            // The hourly limits of the status query and the history; the window is taken to be the clock's hour.
            Some("H086" | "H089") => {
                let into_hour = u64::from(now.minute() * 60 + now.second());
                Duration::from_secs(3600 - into_hour).max(SHORTEST_HOURLY_WAIT)
            }
            Some("H084") => after,
            _ => after.max(Duration::from_secs(1)) + jitter(Duration::from_millis(500)),
        };
        IysError::Throttled {
            operation: self.operation,
            code: code.map(ToOwned::to_owned),
            status: Some(self.status.as_u16()),
            retry_after: wait.max(self.retry_after.unwrap_or_default()),
        }
    }
}

/// Sends calls to one base address over one connection pool.
#[derive(Debug)]
pub(crate) struct Transport {
    http: reqwest::Client,
    base: Url,
}

impl Transport {
    pub fn new(http: reqwest::Client, base: Url) -> Self {
        Self { http, base }
    }

    pub fn base(&self) -> &Url {
        &self.base
    }

    /// Sends a call and reads the whole answer, whatever its status.
    pub async fn send(&self, call: &Call, bearer: Option<&SecretString>) -> Result<Reply, IysError> {
        let mut request =
            self.http.request(call.method.clone(), call.url(&self.base)).header(ACCEPT, "application/json");
        if let Some(token) = bearer {
            request = request.bearer_auth(token.expose_secret());
        }
        if let Some(body) = &call.body {
            request = request.header(CONTENT_TYPE, "application/json").body(body.clone());
        }
        let mut response = request.send().await.map_err(|error| failure(call.operation, error))?;
        let status = response.status();
        let retry_after = retry_after(&response);
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| failure(call.operation, error))? {
            if body.len() + chunk.len() > LONGEST_ANSWER {
                return Err(IysError::Unreadable {
                    operation: call.operation,
                    status: status.as_u16(),
                    empty: false,
                });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Reply { operation: call.operation, status, retry_after, body: body.freeze() })
    }
}

/// What a failed exchange proves: without a connection nothing was sent, after one anything may have been.
fn failure(operation: Operation, error: reqwest::Error) -> IysError {
    let unsent = error.is_connect() || error.is_builder();
    // The address of the request names provider and brand; logs hold the operation instead.
    let source = Arc::new(error.without_url());
    if unsent {
        IysError::Unreachable { operation, source }
    } else {
        IysError::Interrupted { operation, source }
    }
}

/// No documented answer has this header; gateways in front of the registry may.
fn retry_after(response: &Response) -> Option<Duration> {
    let seconds = response.headers().get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds).min(LONGEST_WAIT))
}

/// A random part of `longest`, so that callers refused together do not come back together.
fn jitter(longest: Duration) -> Duration {
    let random = RandomState::new().build_hasher().finish();
    longest.mul_f64((random % 1_000) as f64 / 1_000.0)
}
