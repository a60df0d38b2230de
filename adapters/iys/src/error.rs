//! What can go wrong, told by what to do about it.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use crate::codes;
use crate::wire::{ErrorItem, MovementError};
use crate::{CodeInfo, Operation};

/// Any error of a port that a program supplies.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// A cause that can be handed to several callers, because one login serves many.
pub type SharedError = Arc<dyn Error + Send + Sync>;

/// Why a call did not give its answer. [`class`](Self::class) says what to do.
///
/// No variant shows a body, an address, a password or a token in `Display` or `Debug`.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum IysError {
    /// The registry answered with a refusal that could be read.
    #[error("the registry refused {} with {} (HTTP {})", .0.operation, .0.code().unwrap_or("no code"), .0.status)]
    Refused(Box<Refusal>),

    /// The registry, or this client on its behalf, asks to be left alone for a while.
    #[error("{operation} must wait {} s ({})", .retry_after.as_secs_f64(), .code.as_deref().unwrap_or("own limit"))]
    Throttled {
        /// What was asked for.
        operation: Operation,
        /// The registry's code, `None` when its HTTP 429 had none, or when the client itself held the call back.
        code: Option<String>,
        /// HTTP status, `None` when the client itself held the call back and nothing was sent.
        status: Option<u16>,
        /// How long to wait.
        retry_after: Duration,
    },

    /// The token endpoint does not accept the name and password (HTTP 400 there, registry-protocol 1.2).
    ///
    /// The token store remembers the password, and calls of the account fail without asking until it is changed or
    /// somebody asks for it ([`Account::login_check`](crate::Account::login_check)), for each attempt counts against the
    /// hourly limit of the whole IP address.
    #[error("the registry does not accept the account's name and password (HTTP {status}, {word})")]
    CredentialsRefused {
        /// HTTP status.
        status: u16,
        /// The OAuth2 word, or `no code`.
        word: String,
    },

    /// No connection could be made: certainly nothing was sent.
    #[error("no connection to the registry for {operation}")]
    Unreachable {
        /// What was asked for.
        operation: Operation,
        /// The cause.
        #[source]
        source: SharedError,
    },

    /// The request left, but no whole answer came: a time-out or a cut connection.
    #[error("no whole answer from the registry to {operation}")]
    Interrupted {
        /// What was asked for.
        operation: Operation,
        /// The cause.
        #[source]
        source: SharedError,
    },

    /// An answer came that is not the registry's JSON: a gateway's page, an empty error, a redirect.
    #[error("an unreadable answer to {operation} (HTTP {status})")]
    Unreadable {
        /// What was asked for.
        operation: Operation,
        /// HTTP status.
        status: u16,
        /// Whether the body was empty.
        empty: bool,
    },

    /// A file came that cannot be read as the registry's: the cause names the place.
    #[error("the answer to {operation} cannot be read on")]
    Malformed {
        /// What was asked for.
        operation: Operation,
        /// The cause.
        #[source]
        source: MovementError,
    },

    /// The client refused the call itself, because the registry certainly would have; nothing was sent.
    #[error("{operation} was not sent: {}", .items.first().and_then(|item| item.code.as_deref()).unwrap_or("invalid"))]
    RefusedLocally {
        /// What was asked for.
        operation: Operation,
        /// The reasons, in the registry's own codes.
        items: Vec<ErrorItem>,
    },

    /// A port of the program failed (token store, pacer); nothing was sent.
    #[error("the {port} failed before {operation}")]
    Port {
        /// What was asked for.
        operation: Operation,
        /// Which port.
        port: &'static str,
        /// The cause.
        #[source]
        source: SharedError,
    },
}

/// A refusal of the registry.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    /// What was asked for.
    pub operation: Operation,
    /// HTTP status.
    pub status: u16,
    /// All reasons, in the registry's order.
    pub items: Vec<ErrorItem>,
    /// What the registry's support wants to be told, where the answer had it (ViA Pass: header `trace_id`).
    pub trace_id: Option<String>,
}

impl Refusal {
    /// The code that decides: the first one that is known, or else the first.
    pub fn code(&self) -> Option<&str> {
        deciding_code(self.operation, &self.items)
    }
}

/// The code that decides among the reasons of a refusal: the first one that is known, or else the first.
pub(crate) fn deciding_code(operation: Operation, items: &[ErrorItem]) -> Option<&str> {
    let codes = || items.iter().filter_map(|item| item.code.as_deref());
    codes().find(|code| codes::lookup_for(operation, code).is_some()).or_else(|| codes().next())
}

/// What to do about an error (registry-protocol 5.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorClass {
    /// The registry answered and could not do it now: the same bytes again, with exponential backoff.
    Retry,
    /// Nothing reached the registry: the same bytes again, with backoff.
    NotSent,
    /// The same bytes again, not before `after`.
    Wait {
        /// How long to wait at least.
        after: Duration,
    },
    /// The token is refused even though it was just renewed: log in anew, and if that persists, tell the operator.
    Reauthenticate,
    /// Refused until something outside changes: park what the scope names, tell somebody, look again now and then.
    Pause {
        /// What to park.
        scope: PauseScope,
    },
    /// The registry's record makes the movement needless: H174 same status, H175 nothing there to reject, H178 a later
    /// movement exists. Terminal; after an unknown outcome, ask for the status before believing it.
    AlreadySo,
    /// The consent is older than three business days (H467): it can never be recorded.
    TooLate,
    /// The data are wrong; the same bytes will always fail.
    Repair,
    /// Account, codes or package are set up wrongly: an operator must act.
    Config,
    /// This program sent what it should never send.
    Bug,
    /// A call that writes was sent and its effect is unknown, and nothing is failed before that is known. Where
    /// [`Operation::is_repeatable`] says so, resend exactly the same bytes (v2 answers a repetition with the first
    /// result); otherwise ask for the state first: the consent's status, the list of retailers or receivers, the
    /// state of the approval.
    OutcomeUnknown,
}

/// What [`ErrorClass::Pause`] parks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PauseScope {
    /// The service provider.
    Tenant,
    /// The brand.
    Brand,
    /// The brand's channel that was asked for (`type`).
    Type,
    /// New addresses of the provider: the package is used up. Movements of known addresses may pass.
    Quota,
    /// The registry's opt-in services for the provider: their right, subscription or credit is missing.
    OptIn,
}

impl IysError {
    /// What to do.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Refused(refusal) => classify(refusal.operation, refusal.status, refusal.code()),
            Self::Throttled { retry_after, .. } => ErrorClass::Wait { after: *retry_after },
            Self::CredentialsRefused { .. } => ErrorClass::Config,
            Self::Unreachable { .. } | Self::Port { .. } => ErrorClass::NotSent,
            Self::Interrupted { operation, .. } if operation.writes() => ErrorClass::OutcomeUnknown,
            // A gateway that says 4xx has not passed the request on; any other page says nothing about the effect.
            Self::Unreadable { operation, status, .. }
                if operation.writes() && !(400..500).contains(status) =>
            {
                ErrorClass::OutcomeUnknown
            }
            Self::Interrupted { .. } | Self::Unreadable { .. } | Self::Malformed { .. } => ErrorClass::Retry,
            Self::RefusedLocally { .. } => self.info().map_or(ErrorClass::Bug, |info| info.class),
        }
    }

    /// The error code that decides: one of [`codes`], an unknown one, or an OAuth2 word from the token endpoint.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Refused(refusal) => refusal.code(),
            Self::Throttled { code, .. } => code.as_deref(),
            Self::CredentialsRefused { word, .. } => Some(word),
            Self::RefusedLocally { operation, items } => deciding_code(*operation, items),
            _ => None,
        }
    }

    /// What is known about that code as the answer to this operation: cause and remedy in Turkish and English, who
    /// must act.
    pub fn info(&self) -> Option<&'static CodeInfo> {
        codes::lookup_for(self.operation(), self.code()?)
    }

    /// All reasons with their places; empty when there is no readable refusal.
    pub fn items(&self) -> &[ErrorItem] {
        match self {
            Self::Refused(refusal) => &refusal.items,
            Self::RefusedLocally { items, .. } => items,
            _ => &[],
        }
    }

    /// The HTTP status, when there was an answer.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Refused(refusal) => Some(refusal.status),
            Self::CredentialsRefused { status, .. } | Self::Unreadable { status, .. } => Some(*status),
            Self::Throttled { status, .. } => *status,
            _ => None,
        }
    }

    /// What was asked for.
    pub fn operation(&self) -> Operation {
        match self {
            Self::Refused(refusal) => refusal.operation,
            Self::CredentialsRefused { .. } => Operation::Token,
            Self::Throttled { operation, .. }
            | Self::Unreachable { operation, .. }
            | Self::Interrupted { operation, .. }
            | Self::Unreadable { operation, .. }
            | Self::Malformed { operation, .. }
            | Self::RefusedLocally { operation, .. }
            | Self::Port { operation, .. } => *operation,
        }
    }

    /// Whether the registry may have recorded something although the call failed. Wider than
    /// [`ErrorClass::OutcomeUnknown`]: a readable HTTP 5xx on a call that writes is retried like any other, but does
    /// not prove that nothing was stored. `false` is certain.
    pub fn may_have_written(&self) -> bool {
        match self.class() {
            ErrorClass::OutcomeUnknown => true,
            ErrorClass::Retry => {
                self.operation().writes() && self.status().is_some_and(|status| status >= 500)
            }
            _ => false,
        }
    }
}

/// The class of a refusal by its deciding code, or by its HTTP status where that is not known.
pub(crate) fn classify(operation: Operation, status: u16, code: Option<&str>) -> ErrorClass {
    let missing_right = ErrorClass::Pause {
        scope: if operation.has_brand() { PauseScope::Brand } else { PauseScope::Tenant },
    };
    if let Some(info) = code.and_then(|code| codes::lookup_for(operation, code)) {
        return match info.class {
            // A time-out inside the registry is one for its caller too.
            ErrorClass::Retry if matches!(info.code, "H192" | "ERR-SYS-0003") && operation.writes() => {
                ErrorClass::OutcomeUnknown
            }
            // ViA Pass uses one code for a bad token (401) and for a missing right (403).
            ErrorClass::Reauthenticate if status == 403 => missing_right,
            // The code does not say whether the provider or the brand is outside the account's rights.
            ErrorClass::Pause { scope: PauseScope::Brand } => missing_right,
            class => class,
        };
    }
    match status {
        401 => ErrorClass::Reauthenticate,
        403 => missing_right,
        404 | 405 | 410 => ErrorClass::Config,
        408 | 425 => ErrorClass::Retry,
        429 => ErrorClass::Wait { after: Duration::from_secs(1) },
        400 | 409 | 411..=499 if operation.writes() => ErrorClass::Repair,
        400..=499 => ErrorClass::Bug,
        // JSON, but no code in it: as good as unreadable.
        _ if operation.writes() => ErrorClass::OutcomeUnknown,
        _ => ErrorClass::Retry,
    }
}
