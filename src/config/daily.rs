//! Section `[daily]`.

use std::time::Duration;

use serde::Deserialize;

use super::value;

/// Daily reconciliation.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Daily {
    /// How long after the end of a day (midnight in Turkey) its file is first asked for (business time).
    #[serde(deserialize_with = "value::duration")]
    pub ready_after: Duration,
    /// How often a file that is not there yet is asked for (business time).
    #[serde(deserialize_with = "value::duration")]
    pub look_again: Duration,
}
