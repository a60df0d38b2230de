//! The registry's error codes: what each one means, what to do, and who must do it.
//!
//! Three tables of the registry are here: the core codes `H001` to `H586` (registry-protocol 5.1), those of its opt-in
//! services ViA `H1000` to `H1113` (5.3), and those of ViA Pass `OTP-ERROR-…`, `ERR-…` (5.4). A few core codes are
//! used twice with different meanings; [`lookup_for`] tells them apart by the operation, and what an
//! [`IysError`](crate::IysError) says of itself always does.
//!
//! The sentences are our own, one cause and one remedy each, and may be shown to people. The registry's own prose
//! arrives with each refusal in [`ErrorItem::message`](crate::wire::ErrorItem::message).
//!
//! A code that is in none of the tables gets the class of its HTTP status, and is counted:
//! [`IysClient::unknown_codes`](crate::IysClient::unknown_codes).

mod h000;
mod h100;
mod h200;
mod h400;
mod uses;
mod via;
mod via_pass;

use std::time::Duration;

use crate::{ErrorClass, Operation, PauseScope};

/// What is known about one code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CodeInfo {
    /// `H###`, `H####`, `OTP-ERROR-###`, `ERR-SYS-####` or `ERR-VLD-###`.
    pub code: &'static str,
    /// The HTTP status of the registry's error table, or of the methods where the table lacks the code. Some methods
    /// answer with another one: branch on the code.
    pub http: u16,
    /// What to do.
    pub class: ErrorClass,
    /// Cause and, as a sentence of its own, remedy in Turkish.
    pub tr: &'static str,
    /// The same in English.
    pub en: &'static str,
    /// Who must act.
    pub who: Actor,
    /// Whether the same consent can go through later: by itself, or after somebody has acted. `false` when the
    /// consent's own data, or the registry's record of it, stand in the way for good.
    pub redrive_helps: bool,
}

/// Who must act on a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Actor {
    /// The service provider whose consents they are: its data, its authorisation of the partner, its package.
    Client,
    /// Whoever runs the program: codes, accounts, settings.
    Operator,
    /// The business partner as the registry's contract party.
    Partner,
    /// The registry.
    Registry,
    /// Nobody: the matter is settled, or settles itself.
    Nobody,
    /// Whoever wrote the program.
    Developer,
}

/// All codes: the core ones, ViA's, ViA Pass's, each table in ascending order. A code with two meanings is here once,
/// with the one that [`lookup`] gives.
pub fn all() -> impl Iterator<Item = &'static CodeInfo> {
    [h000::CODES, h100::CODES, h200::CODES, h400::CODES, via::CODES, via_pass::CODES].into_iter().flatten()
}

/// The second meanings: an operation and what the code says there.
pub fn second_meanings() -> impl Iterator<Item = (Operation, &'static CodeInfo)> {
    uses::USES.iter().flat_map(|(operations, codes)| {
        operations.iter().flat_map(|operation| codes.iter().map(|info| (*operation, info)))
    })
}

/// What is known about a code, wherever it came from; `None` for one that is in no table of the registry.
pub fn lookup(code: &str) -> Option<&'static CodeInfo> {
    all().find(|info| info.code == code)
}

/// What a code means as the answer to this operation.
pub fn lookup_for(operation: Operation, code: &str) -> Option<&'static CodeInfo> {
    second_meanings()
        .find(|(used_by, info)| *used_by == operation && info.code == code)
        .map_or_else(|| lookup(code), |(_, info)| Some(info))
}

// Short names for the tables.

const RETRY: ErrorClass = ErrorClass::Retry;
const REAUTHENTICATE: ErrorClass = ErrorClass::Reauthenticate;
const ALREADY_SO: ErrorClass = ErrorClass::AlreadySo;
const TOO_LATE: ErrorClass = ErrorClass::TooLate;
const REPAIR: ErrorClass = ErrorClass::Repair;
const CONFIG: ErrorClass = ErrorClass::Config;
const BUG: ErrorClass = ErrorClass::Bug;
const PAUSE_TENANT: ErrorClass = ErrorClass::Pause { scope: PauseScope::Tenant };
const PAUSE_BRAND: ErrorClass = ErrorClass::Pause { scope: PauseScope::Brand };
const PAUSE_TYPE: ErrorClass = ErrorClass::Pause { scope: PauseScope::Type };
const PAUSE_QUOTA: ErrorClass = ErrorClass::Pause { scope: PauseScope::Quota };
const PAUSE_OPT_IN: ErrorClass = ErrorClass::Pause { scope: PauseScope::OptIn };
const WAIT_SECOND: ErrorClass = ErrorClass::Wait { after: Duration::from_secs(1) };
const WAIT_MINUTES: ErrorClass = ErrorClass::Wait { after: Duration::from_mins(3) };
/// The whole hour; a client that knows the time waits only until the hour turns.
const WAIT_HOUR: ErrorClass = ErrorClass::Wait { after: Duration::from_hours(1) };
const WAIT_DAY: ErrorClass = ErrorClass::Wait { after: Duration::from_hours(24) };

/// `redrive_helps`.
const HELPS: bool = true;
const FUTILE: bool = false;

/// A table of codes: code, HTTP status, class, who must act, whether a redrive helps; then Turkish, then English.
macro_rules! codes {
    ($($code:literal $http:literal $class:ident $who:ident $redrive:ident $tr:literal $en:literal)*) => {
        /// This range of the table, in ascending order.
        pub(super) const CODES: &[CodeInfo] = &[$(CodeInfo {
            code: $code,
            http: $http,
            class: $class,
            who: Actor::$who,
            redrive_helps: $redrive,
            tr: $tr,
            en: $en,
        }),*];
    };
}

use codes;
