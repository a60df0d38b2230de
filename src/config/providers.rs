//! Section `[providers]`.

use std::time::Duration;

use serde::Deserialize;

use super::value;

/// Reading from the registry what it lets us do for whom.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Providers {
    /// How often the list of authorised brands and the subscriptions are read (business time); 0: only on request.
    #[serde(deserialize_with = "value::duration")]
    pub sync_interval: Duration,
}

impl Providers {
    /// Whether the registry is asked without anybody's request: on the schedule, and at once after a first refusal.
    pub fn syncs_by_itself(&self) -> bool {
        !self.sync_interval.is_zero()
    }
}
