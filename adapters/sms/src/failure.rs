//! Why a text was not taken, sorted by what the caller has to do next.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use crate::Answer;

/// What a failure means for the next step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// Nothing was sent, for a reason that passes: try again.
    Retry,
    /// Nothing was sent, because we ask too often: wait, then try again.
    Wait,
    /// The vendor will not send this text to this number: do not try again.
    Refused,
    /// The account is at fault, not the text: password, allowed address, credit, sender's name. A person must act; try again
    /// later.
    Account,
    /// The vendor says that it has this very text already. After [`FailureKind::Unknown`] that means: it was sent.
    Duplicate,
    /// Nobody knows whether it was sent: no answer came, or one that says nothing.
    Unknown,
}

impl FailureKind {
    /// A word for programs that does not change.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::Wait => "wait",
            Self::Refused => "refused",
            Self::Account => "account",
            Self::Duplicate => "duplicate",
            Self::Unknown => "unknown",
        }
    }
}

/// A text that was not taken, or of which nobody knows.
///
/// No text of an error holds a URL: some vendors want the password in it.
#[derive(Debug)]
pub struct Failure {
    /// What to do next.
    pub kind: FailureKind,
    /// The vendor's own code for it, or a word of ours: `connect`, `timeout`, `broken`, `http_502`.
    pub code: String,
    /// How long the vendor asks to be left alone.
    pub retry_after: Option<Duration>,
    /// What the vendor said.
    pub answer: Option<Answer>,
    /// What went wrong on the way.
    pub(crate) source: Option<Box<dyn Error + Send + Sync>>,
}

impl Failure {
    pub(crate) fn new(kind: FailureKind, code: impl Into<String>, answer: Answer) -> Self {
        Self { kind, code: code.into(), retry_after: None, answer: Some(answer), source: None }
    }

    /// Without an answer.
    pub(crate) fn silent(
        kind: FailureKind,
        code: &str,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self { kind, code: code.to_owned(), retry_after: None, answer: None, source: Some(source.into()) }
    }

    /// The HTTP client's error.
    pub(crate) fn from_client(error: reqwest::Error) -> Self {
        let error = error.without_url();
        if error.is_connect() {
            Self::silent(FailureKind::Retry, "connect", error)
        } else if error.is_builder() {
            Self::silent(FailureKind::Account, "request", error)
        } else if error.is_timeout() {
            Self::silent(FailureKind::Unknown, "timeout", error)
        } else {
            Self::silent(FailureKind::Unknown, "broken", error)
        }
    }

    /// By the HTTP status alone, where the body says nothing that we know.
    pub(crate) fn by_status(answer: Answer, retry_after: Option<Duration>) -> Self {
        let kind = match answer.status {
            // No vendor says "taken" with a redirection, and none is followed
            300..=399 | 401 | 403 | 404 | 405 => FailureKind::Account,
            429 => FailureKind::Wait,
            503 => FailureKind::Retry,
            400..=499 => FailureKind::Refused,
            _ => FailureKind::Unknown,
        };
        let code = format!("http_{}", answer.status);
        Self { retry_after, ..Self::new(kind, code, answer) }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not sent ({}): {}", self.kind.as_str(), self.code)
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
