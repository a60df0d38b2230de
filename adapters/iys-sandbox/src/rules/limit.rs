//! How often a client may ask (protocol 6). Asked before everything else, by network address.

use super::{Finding, Rule};

/// What the counters say about this request.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct LimitCase {
    pub(crate) second_full: bool,
    pub(crate) token_hour_full: bool,
    pub(crate) status_hour_full: bool,
    pub(crate) history_hour_full: bool,
}

type Check = fn(&LimitCase) -> Option<Finding>;

/// The limits.
pub(crate) const LIMITS: &[Rule<Check>] = &[
    Rule::new("H124", 429, "per_second_limit", |case| case.second_full.then(Finding::new)),
    Rule::new("H084", 429, "token_hourly_limit", |case| case.token_hour_full.then(Finding::new)),
    Rule::new("H086", 429, "status_hourly_limit", |case| case.status_hour_full.then(Finding::new)),
    Rule::new("H089", 429, "history_hourly_limit", |case| case.history_hour_full.then(Finding::new)),
];
