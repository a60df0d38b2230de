//! The registry's error codes (registry-protocol 5.1): what each one means, what to do, and who must do it.
//!
//! The sentences are our own, one cause and one remedy each, and may be shown to people. The registry's own prose
//! arrives with each refusal in [`ErrorItem::message`](crate::wire::ErrorItem::message).
//!
//! Codes of the opt-in services (`H1000` and up) are not here: this crate does not call those services.

mod h000;
mod h100;
mod h200;
mod h400;

use std::time::Duration;

use crate::{ErrorClass, PauseScope};

/// What is known about one code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CodeInfo {
    /// `H###`.
    pub code: &'static str,
    /// The HTTP status of the registry's error table. Some methods answer with another one: branch on the code.
    pub http: u16,
    /// What to do.
    pub class: ErrorClass,
    /// Cause and remedy in Turkish.
    pub tr: &'static str,
    /// Cause and remedy in English.
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

/// All codes in ascending order.
pub fn all() -> impl Iterator<Item = &'static CodeInfo> {
    [h000::CODES, h100::CODES, h200::CODES, h400::CODES].into_iter().flatten()
}

/// What is known about a code; `None` for one that is not in the registry's core table.
pub fn lookup(code: &str) -> Option<&'static CodeInfo> {
    all().find(|info| info.code == code)
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
