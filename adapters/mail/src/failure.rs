//! Why a message was not taken, sorted by what the caller has to do next.

use std::error::Error;

/// What a failure means for the next step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// Nothing was sent, for a reason that passes: try again.
    Retry,
    /// The server will not take this message for this address: do not try again.
    Refused,
    /// The account is at fault, not the message: password, certificate, sender. A person must act; try again later.
    Account,
    /// Nobody knows whether it was taken.
    Unknown,
}

/// A message that was not taken, or of which nobody knows.
#[derive(Debug, thiserror::Error)]
#[error("not sent ({code})")]
pub struct Failure {
    /// What to do next.
    pub kind: FailureKind,
    /// The server's code (`550`), or a word of ours: `connect`, `tls`, `broken`, `timeout`, `message`, `file`.
    pub code: String,
    /// What the server said.
    pub answer: Option<String>,
    /// What went wrong on the way.
    #[source]
    pub(crate) source: Option<Box<dyn Error + Send + Sync>>,
}

impl Failure {
    pub(crate) fn new(
        kind: FailureKind,
        code: impl Into<String>,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self { kind, code: code.into(), answer: None, source: Some(source.into()) }
    }
}
