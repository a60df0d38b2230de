//! Section `[retention]`.

use std::time::Duration;

use serde::Deserialize;

use super::value;

/// How long is kept what is no consent's evidence; zero: for ever.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retention {
    /// Addresses and texts of messages that went out, from when they were queued (business time).
    #[serde(deserialize_with = "value::duration")]
    pub messages: Duration,
    /// Texts of citizens that led to nothing, from when they came (business time).
    #[serde(deserialize_with = "value::duration")]
    pub inbound: Duration,
    /// Calls that ended without a decision, from when they were told (business time).
    #[serde(deserialize_with = "value::duration")]
    pub calls: Duration,
    /// Double opt-ins that nobody confirmed, from when they ended (wire time).
    #[serde(deserialize_with = "value::duration")]
    pub opt_ins: Duration,
    /// Links of which nothing came, from when they ended (wire time).
    #[serde(deserialize_with = "value::duration")]
    pub links: Duration,
}
