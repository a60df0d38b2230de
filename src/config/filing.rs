//! Section `[filing]`.

use std::time::Duration;

use chrono::TimeDelta;
use serde::Deserialize;

use super::value;

/// Filing consents with the registry.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filing {
    /// From how many due consents of a brand on a batch is sent.
    pub batch_threshold: u32,
    /// How long a claim holds (wire time).
    #[serde(deserialize_with = "value::duration")]
    pub lease: Duration,
    /// Requests in flight at once.
    pub concurrency: u32,
    /// How long after sending a batch its result is first asked for (business time).
    #[serde(deserialize_with = "value::duration")]
    pub first_look: Duration,
    /// How often something paused is tried again (business time).
    #[serde(deserialize_with = "value::duration")]
    pub probe_interval: Duration,
}

impl Filing {
    /// After how long something paused is tried again.
    pub fn probe_after(&self) -> TimeDelta {
        TimeDelta::from_std(self.probe_interval).unwrap_or(TimeDelta::minutes(15))
    }
}
