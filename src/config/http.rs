//! Sections `[http]` and `[metrics]`.

use std::net::SocketAddr;

use ipnet::IpNet;
use serde::Deserialize;
use url::Url;

use super::value;

/// The API.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Http {
    /// Where it listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The address under which others reach it.
    #[serde(deserialize_with = "value::optional")]
    pub public_url: Option<Url>,
    /// Proxies whose forwarding headers are believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Requests a second that one API key may make.
    pub requests_per_second_per_key: u32,
    /// Largest request body in bytes.
    pub body_limit: usize,
}

/// Prometheus metrics.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metrics {
    /// Where `/metrics` is served, without authentication.
    pub listen: SocketAddr,
}
