//! How often a client may ask (protocol 6). Asked before everything else, by network address.

use super::{Finding, Rule};

/// What the counters say about this request.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct LimitCase {
    /// The address has left the list of admitted ones, because its calls failed too often.
    pub(crate) success_too_rare: bool,
    pub(crate) second_full: bool,
    pub(crate) token_hour_full: bool,
    pub(crate) status_hour_full: bool,
    pub(crate) history_hour_full: bool,
}

type Check = fn(&LimitCase) -> Option<Finding>;

/// The limits.
pub(crate) const LIMITS: &[Rule<Check>] = &[
    // No code is known; 403 is assumed (protocol 11, U32).
    Rule::new("", 403, "success_rate", |case| case.success_too_rare.then(Finding::new)),
    Rule::new("H124", 429, "per_second_limit", |case| case.second_full.then(Finding::new)),
    Rule::new("H084", 429, "token_hourly_limit", |case| case.token_hour_full.then(Finding::new)),
    Rule::new("H086", 429, "status_hourly_limit", |case| case.status_hour_full.then(Finding::new)),
    Rule::new("H089", 429, "history_hourly_limit", |case| case.history_hour_full.then(Finding::new)),
];
