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

use crate::error::{classify, deciding_code};
use crate::wire::ErrorBody;
use crate::{BrandCodes, ErrorClass, IysError, Operation, Refusal};

/// No documented answer comes near this; more means that something else answers.
const LONGEST_ANSWER: usize = 16 * 1024 * 1024;

/// No file of the registry takes longer than this to come, however slow the line.
const LONGEST_STREAM: Duration = Duration::from_hours(24);

/// A longer trace id is none.
const LONGEST_TRACE_ID: usize = 128;

/// The longest wait that a `Retry-After` header can ask for.
const LONGEST_WAIT: Duration = Duration::from_hours(1);

/// The shortest wait after an hourly limit, in case the machine's hour and the registry's differ a little.
const SHORTEST_HOURLY_WAIT: Duration = Duration::from_mins(1);

/// A request to be sent, once or again.
#[derive(Debug)]
pub(crate) struct Call {
    pub operation: Operation,
    host: Host,
    method: Method,
    segments: Vec<String>,
    query: Vec<(&'static str, String)>,
    accept: &'static str,
    body: Option<Bytes>,
    streamed: bool,
}

/// Which of the registry's addresses a call goes to.
#[derive(Debug, Clone, Copy)]
enum Host {
    Registry,
    ViaPass,
}

impl Call {
    fn new(operation: Operation, method: Method, segments: Vec<String>, body: Option<Bytes>) -> Self {
        Self {
            operation,
            host: Host::Registry,
            method,
            segments,
            query: Vec::new(),
            accept: "application/json",
            body,
            streamed: false,
        }
    }

    pub fn get(operation: Operation, segments: Vec<String>) -> Self {
        Self::new(operation, Method::GET, segments, None)
    }

    pub fn post(operation: Operation, segments: Vec<String>, body: Bytes) -> Self {
        Self::new(operation, Method::POST, segments, Some(body))
    }

    pub fn put(operation: Operation, segments: Vec<String>, body: Bytes) -> Self {
        Self::new(operation, Method::PUT, segments, Some(body))
    }

    pub fn delete(operation: Operation, segments: Vec<String>) -> Self {
        Self::new(operation, Method::DELETE, segments, None)
    }

    /// The answer is a file or plain text, not JSON.
    pub fn for_file(mut self) -> Self {
        self.accept = "*/*";
        self
    }

    /// The answer may be long: the time-out is for each silence, not for the whole.
    pub fn streamed(mut self) -> Self {
        self.streamed = true;
        self
    }

    /// The call goes to ViA Pass' own address.
    pub fn at_via_pass(mut self) -> Self {
        self.host = Host::ViaPass;
        self
    }

    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    /// The brand that it is about.
    pub fn brand(&self) -> Option<BrandCodes> {
        BrandCodes::of_path(&self.segments)
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
    trace_id: Option<String>,
    body: Bytes,
}

impl Reply {
    /// Reads the body of a success.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, IysError> {
        self.parse_by(|body| serde_json::from_slice(body))
    }

    /// Reads the body of a success by a reader of its own.
    pub fn parse_by<T>(
        &self,
        read: impl FnOnce(&[u8]) -> Result<T, serde_json::Error>,
    ) -> Result<T, IysError> {
        read(&self.body).map_err(|_| self.unreadable())
    }

    /// Reads the body of a success, where no content and `{}` mean `None`.
    pub fn parse_optional<T: DeserializeOwned>(&self) -> Result<Option<T>, IysError> {
        let body = self.body.trim_ascii();
        if self.status == StatusCode::NO_CONTENT || matches!(body, b"" | b"{}" | b"null" | b"\"\"") {
            return Ok(None);
        }
        self.parse().map(Some)
    }

    /// The body of a success as a file; `None` when there is none.
    pub fn file(self) -> Option<Bytes> {
        let empty = self.status == StatusCode::NO_CONTENT || self.body.is_empty();
        (!empty).then_some(self.body)
    }

    pub fn unreadable(&self) -> IysError {
        let empty = self.body.trim_ascii().is_empty();
        IysError::Unreadable { operation: self.operation, status: self.status.as_u16(), empty }
    }

    /// What an answer that is no success means.
    pub fn into_error(self, now: DateTime<Utc>) -> IysError {
        let status = self.status.as_u16();
        let crowded = self.status == StatusCode::TOO_MANY_REQUESTS;
        let Some(body) = ErrorBody::parse(&self.body) else {
            return if crowded { self.throttled(None, Duration::ZERO, now) } else { self.unreadable() };
        };
        let code = deciding_code(self.operation, &body.errors);
        match classify(self.operation, status, code) {
            ErrorClass::Wait { after } => self.throttled(code, after, now),
            _ if crowded => self.throttled(code, Duration::ZERO, now),
            _ => {
                let (operation, trace_id) = (self.operation, self.trace_id);
                IysError::Refused(Box::new(Refusal { operation, status, items: body.errors, trace_id }))
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

/// An answer whose head has arrived.
#[derive(Debug)]
pub(crate) struct Opened {
    operation: Operation,
    response: Response,
    /// How long the other side may be silent, for answers without a time-out for the whole.
    silence: Option<Duration>,
}

impl Opened {
    pub fn status(&self) -> StatusCode {
        self.response.status()
    }

    /// Whether it is a page for people: no operation answers with one, so a gateway did.
    pub fn is_page(&self) -> bool {
        let kind = self.response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        kind.is_some_and(|kind| kind.trim_start().to_ascii_lowercase().starts_with("text/html"))
    }

    /// The next piece of the body.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, IysError> {
        let operation = self.operation;
        patiently(operation, self.silence, self.response.chunk()).await.inspect_err(|error| {
            tracing::debug!(registry.operation = operation.name(), %error, "the answer broke off");
        })
    }

    /// The whole answer.
    pub async fn whole(mut self) -> Result<Reply, IysError> {
        let (operation, status) = (self.operation, self.status());
        let retry_after = retry_after(&self.response);
        let trace_id = trace_id(&self.response);
        let mut body = BytesMut::new();
        while let Some(chunk) = self.chunk().await? {
            if body.len() + chunk.len() > LONGEST_ANSWER {
                return Err(IysError::Unreadable { operation, status: status.as_u16(), empty: false });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Reply { operation, status, retry_after, trace_id, body: body.freeze() })
    }
}

/// Sends calls to the registry's addresses over one connection pool.
#[derive(Debug)]
pub(crate) struct Transport {
    http: reqwest::Client,
    base: Url,
    via_pass: Url,
    timeout: Duration,
}

impl Transport {
    pub fn new(http: reqwest::Client, base: Url, via_pass: Url, timeout: Duration) -> Self {
        Self { http, base, via_pass, timeout }
    }

    pub fn base(&self) -> &Url {
        &self.base
    }

    /// Sends a call and reads the head of the answer, whatever its status.
    pub async fn open(&self, call: &Call, bearer: Option<&SecretString>) -> Result<Opened, IysError> {
        let base = match call.host {
            Host::Registry => &self.base,
            Host::ViaPass => &self.via_pass,
        };
        let mut request = self.http.request(call.method.clone(), call.url(base)).header(ACCEPT, call.accept);
        if let Some(token) = bearer {
            request = request.bearer_auth(token.expose_secret());
        }
        if let Some(body) = &call.body {
            request = request.header(CONTENT_TYPE, "application/json").body(body.clone());
        }
        let silence = call.streamed.then_some(self.timeout);
        if silence.is_some() {
            request = request.timeout(LONGEST_STREAM);
        }
        let response = patiently(call.operation, silence, request.send()).await?;
        Ok(Opened { operation: call.operation, response, silence })
    }
}

/// Waits for the other side, at most for `silence` where that is given.
async fn patiently<T>(
    operation: Operation,
    silence: Option<Duration>,
    work: impl Future<Output = Result<T, reqwest::Error>>,
) -> Result<T, IysError> {
    let outcome = match silence {
        Some(silence) => tokio::time::timeout(silence, work)
            .await
            .map_err(|source| IysError::Interrupted { operation, source: Arc::new(source) })?,
        None => work.await,
    };
    outcome.map_err(|error| failure(operation, error))
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

/// What ViA Pass wants to be told when its support is asked.
fn trace_id(response: &Response) -> Option<String> {
    let text = response.headers().get("trace_id")?.to_str().ok()?.trim();
    (!text.is_empty() && text.len() <= LONGEST_TRACE_ID).then(|| text.to_owned())
}

/// A random part of `longest`, so that callers refused together do not come back together.
fn jitter(longest: Duration) -> Duration {
    let random = RandomState::new().build_hasher().finish();
    longest.mul_f64((random % 1_000) as f64 / 1_000.0)
}
