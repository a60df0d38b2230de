//! Problems (RFC 9457): every error answer of the API, its stable type, its status and its texts, in one place.
//!
//! A handler returns a [`Problem`]; what makes it an answer (language, request id) is known only at the edge, which renders
//! it there (`crate::http::edge`). A fault of ours says nothing but its type and the request id: the rest is in the log.

mod kind;

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use iys::ErrorClass;
use kopru_domain::{Lang, Text};
use serde::Serialize;
use utoipa::ToSchema;

pub use kind::{CATALOGUE, Kind};

use crate::service::{FieldProblem, Scope, ServiceError};

/// What every type starts with.
pub const TYPE_PREFIX: &str = "urn:kopru:problem:";

/// Why a request was not answered as asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// No route has this path.
    NoSuchRoute,
    /// The route does not know this method.
    MethodNotAllowed,
    /// The body is not announced as JSON.
    UnsupportedMediaType,
    /// The body is compressed or encoded otherwise.
    EncodedBody,
    /// There is no body where one is needed.
    EmptyBody,
    /// The body is longer than this many bytes.
    BodyTooLarge(usize),
    /// The body did not arrive in time.
    BodyUnfinished,
    /// Chunks that are none, or a connection that broke.
    BodyBroken,
    /// The body is no text in UTF-8, from this byte on, counted from 0.
    NotUtf8(usize),
    /// The body is no JSON.
    MalformedJson {
        /// From 1.
        line: usize,
        /// From 1; 0 at the very beginning.
        column: usize,
    },
    /// An array without items.
    EmptyList,
    /// More items than one request takes.
    TooManyItems {
        /// How many came.
        found: usize,
        /// How many are taken.
        limit: usize,
    },
    /// Parameters of the query cannot be used.
    Parameters(Vec<FieldProblem>),
    /// Fields of the body cannot be used.
    Fields(Vec<FieldProblem>),
    /// Not one item of an intake could be taken.
    NothingAccepted(Vec<FieldProblem>),
    /// No key came with the request.
    KeyMissing,
    /// What came is no key.
    KeyMalformed,
    /// There is no such key, or its secret is another.
    KeyUnknown,
    /// The key was disabled.
    KeyDisabled,
    /// The key has run out.
    KeyExpired,
    /// The key may not be used from this network.
    NetworkNotAllowed,
    /// The key lacks a scope.
    MissingScope(Scope),
    /// Only a key that is for the whole installation may do this.
    PartnerWideOnly,
    /// It does not exist, or not for this key.
    NotFound(&'static str),
    /// It exists already, or its state does not allow this.
    Conflict(Text),
    /// What a field names exists already and can exist only once.
    Taken(FieldProblem),
    /// The Idempotency-Key cannot be used as one.
    IdempotencyKeyInvalid,
    /// The same Idempotency-Key came with another body.
    IdempotencyMismatch,
    /// A request with the same Idempotency-Key is still running.
    IdempotencyRunning,
    /// More requests than the key may make.
    RateLimited(Duration),
    /// Too much at once in the whole service.
    Overloaded,
    /// The service is stopping.
    ShuttingDown,
    /// The database does not answer.
    Unavailable,
    /// The registry could not be asked; with a time after which it may.
    Registry(Option<Duration>),
    /// A fault of ours.
    Internal,
}

/// The body of a problem.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(title = "Problem")]
pub struct ProblemBody {
    /// Stable name of the kind of problem: `urn:kopru:problem:<slug>`.
    #[serde(rename = "type")]
    #[schema(example = "urn:kopru:problem:missing-scope")]
    pub kind: String,
    /// What happened, in the language of `Accept-Language`.
    pub title: String,
    /// HTTP status.
    #[schema(example = 403)]
    pub status: u16,
    /// What is wrong in this case and what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Name of the request in the service's log: give it to the operator.
    pub request_id: String,
    /// Each unusable field or item.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<ProblemField>,
    /// Where the JSON breaks off, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// Where in that line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<usize>,
    /// The scope that the key lacks.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub scope: Option<&'static str>,
    /// The limit that was exceeded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
}

/// One unusable field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProblemField {
    /// Place of the item in the array sent, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub index: Option<usize>,
    /// The field's JSON name.
    #[schema(example = "consentDate")]
    pub field: String,
    /// The registry's H-code where it has one, else a word of this service.
    #[schema(example = "H158")]
    pub code: String,
    /// What is wrong and what to do.
    pub title: String,
}

impl ProblemField {
    /// A problem of a field in one language.
    pub fn new(problem: &FieldProblem, lang: Lang) -> Self {
        Self {
            index: problem.index,
            field: problem.field.clone(),
            code: problem.code.clone(),
            title: problem.title.get(lang).to_owned(),
        }
    }
}

impl Problem {
    /// The body as it is sent.
    pub fn body(&self, lang: Lang, request_id: &str) -> ProblemBody {
        let kind = self.kind();
        let mut body = ProblemBody {
            kind: format!("{TYPE_PREFIX}{}", kind.slug),
            title: kind.title.get(lang).to_owned(),
            status: kind.status.as_u16(),
            detail: self.detail(lang).map(Cow::into_owned),
            request_id: request_id.to_owned(),
            errors: Vec::new(),
            line: None,
            column: None,
            scope: None,
            limit: None,
        };
        match self {
            Self::Parameters(fields) | Self::Fields(fields) | Self::NothingAccepted(fields) => {
                body.errors = fields.iter().map(|field| ProblemField::new(field, lang)).collect();
            }
            Self::Taken(field) => body.errors = vec![ProblemField::new(field, lang)],
            Self::MalformedJson { line, column } => {
                body.line = Some(*line);
                body.column = Some(*column);
            }
            Self::MissingScope(scope) => body.scope = Some(scope.as_str()),
            Self::BodyTooLarge(limit) | Self::TooManyItems { limit, .. } => body.limit = Some(*limit),
            _ => {}
        }
        body
    }

    /// After how long a request may be worth another try.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited(after) | Self::Registry(Some(after)) => Some(*after),
            Self::IdempotencyRunning | Self::Overloaded => Some(Duration::from_secs(1)),
            Self::ShuttingDown | Self::Unavailable => Some(Duration::from_secs(5)),
            Self::Registry(None) => Some(Duration::from_mins(1)),
            _ => None,
        }
    }

    /// The problem of a use case. Faults are logged here, where their cause is still known.
    pub fn from_service(error: &ServiceError) -> Self {
        match error {
            ServiceError::NotFound(what) => Self::NotFound(what),
            ServiceError::MissingScope(scope) => Self::MissingScope(*scope),
            ServiceError::Invalid(fields) => Self::Fields(fields.clone()),
            ServiceError::Conflict(text) => Self::Conflict(text.clone()),
            ServiceError::Taken(field) => Self::Taken(field.clone()),
            ServiceError::IdempotencyMismatch => Self::IdempotencyMismatch,
            ServiceError::IdempotencyRunning => Self::IdempotencyRunning,
            ServiceError::Overloaded => Self::Overloaded,
            ServiceError::ShuttingDown => Self::ShuttingDown,
            ServiceError::Registry(error) => {
                tracing::warn!(error = &**error as &dyn std::error::Error, "the registry could not be asked");
                Self::Registry(match error.class() {
                    ErrorClass::Wait { after } => Some(after),
                    _ => None,
                })
            }
            ServiceError::Store(error) => {
                tracing::error!(error = error as &dyn std::error::Error, "storage failed");
                match error {
                    kopru_store::StoreError::Database(_) | kopru_store::StoreError::Sqlite(_) => {
                        Self::Unavailable
                    }
                    _ => Self::Internal,
                }
            }
        }
    }
}

impl From<ServiceError> for Problem {
    fn from(error: ServiceError) -> Self {
        Self::from_service(&error)
    }
}

impl From<kopru_store::StoreError> for Problem {
    fn from(error: kopru_store::StoreError) -> Self {
        ServiceError::Store(error).into()
    }
}

/// A problem on its way to the edge.
#[derive(Clone)]
pub struct Pending(pub Arc<Problem>);

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.kind().status.into_response();
        if self.kind().status == StatusCode::UNAUTHORIZED {
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"kopru\""));
        }
        if let Some(after) = self.retry_after() {
            let seconds = after.as_secs() + u64::from(after.subsec_nanos() > 0);
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)));
        }
        response.extensions_mut().insert(Pending(Arc::new(self)));
        response
    }
}

#[cfg(test)]
mod tests;
