//! Sections `[pull]` and `[check]`.

use std::time::Duration;

use serde::Deserialize;

use super::value;

/// Reading the registry's changes.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pull {
    /// The shortest time between two readings of a feed (business time).
    #[serde(deserialize_with = "value::duration")]
    pub interval: Duration,
    /// The longest, for brands that are not in use.
    #[serde(deserialize_with = "value::duration")]
    pub longest_interval: Duration,
    /// Movements a page, at most 1 000 (registry-protocol section 4.8).
    pub page: u32,
}

/// Answering "may I send?".
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// The age of the last complete pull up to which the mirror answers (business time).
    #[serde(deserialize_with = "value::duration")]
    pub freshness: Duration,
}
