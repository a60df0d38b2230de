//! Section `[webhooks]`.

use std::time::Duration;

use serde::Deserialize;

use super::value;

/// Calls to clients.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhooks {
    /// Whether endpoints may lie in private, loopback and link-local networks.
    pub allow_private_targets: bool,
    /// Whether endpoints may lie on this machine; `serve --sandbox` turns it on.
    pub allow_loopback_targets: bool,
    /// How long one call may take.
    #[serde(deserialize_with = "value::duration")]
    pub timeout: Duration,
    /// Calls in flight at once in this process.
    pub concurrency: u32,
    /// Calls in flight at once to one endpoint, over all replicas.
    pub endpoint_concurrency: u32,
}

impl Webhooks {
    /// Calls that one endpoint's turn makes at once.
    pub fn at_once(&self) -> usize {
        self.endpoint_concurrency.min(self.concurrency).max(1) as usize
    }
}
