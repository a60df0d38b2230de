//! Sections `[http]` and `[metrics]`.

use std::net::SocketAddr;

use ipnet::IpNet;
use serde::Deserialize;
use url::{Host, Url};

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

impl Http {
    /// The public address with a slash at its end, to be followed by a path.
    pub fn public_base(&self) -> Option<Url> {
        let mut url = self.public_url.clone()?;
        if !url.path().ends_with('/') {
            url.set_path(&format!("{}/", url.path()));
        }
        Some(url)
    }
}

/// Whether an address is on this machine.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Prometheus metrics.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metrics {
    /// Where `/metrics` is served, without authentication.
    pub listen: SocketAddr,
}
