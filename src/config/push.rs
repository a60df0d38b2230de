//! Section `[push]`.

use std::time::Duration;

use serde::Deserialize;

use super::value;

/// What the registry pushes to us.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Push {
    /// How often the registry is asked whether a connection still works (business time).
    #[serde(deserialize_with = "value::duration")]
    pub check_interval: Duration,
}
