//! Section `[registry]`.

use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;
use serde::Deserialize;
use url::{Host, Url};

use super::{Problem, secret, value};

/// The registry that consents are filed with.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Registry {
    /// Its address; `None` = consents only queue up.
    #[serde(deserialize_with = "value::optional")]
    pub url: Option<Url>,
    /// User name of the business partner's account.
    #[serde(deserialize_with = "value::optional")]
    pub username: Option<String>,
    /// Its password.
    #[serde(deserialize_with = "value::secret")]
    pub password: Option<SecretString>,
    /// A file with that password in it.
    #[serde(deserialize_with = "value::optional_path")]
    pub password_file: Option<PathBuf>,
    /// Number of the business partner at the registry.
    #[serde(deserialize_with = "value::optional_number")]
    pub integrator_code: Option<i64>,
    /// Requests a second over all replicas (registry-protocol section 6: at most 10); 0 = no limit, against a sandbox alone.
    pub requests_per_second: f64,
    /// Logins an hour over all replicas and accounts (registry-protocol section 6: 10 or 100, the documents say both).
    pub token_calls_per_hour: u32,
    /// Single status queries an hour over all replicas (at most 1 000).
    pub status_calls_per_hour: u32,
    /// History queries an hour over all replicas (at most 100).
    pub history_calls_per_hour: u32,
    /// Below this share of success in 24 hours, what is likely to fail waits (registry-protocol section 6: below 0.7 the address
    /// is thrown out); 0 = never.
    pub guard_below: f64,
    /// From so many requests in 24 hours on (the registry's rule counts from 20 000).
    pub guard_from: u64,
    /// How long one request may take.
    #[serde(deserialize_with = "value::duration")]
    pub timeout: Duration,
    /// Whether business time follows the clock of a sandbox at `url`.
    pub sandbox_clock: bool,
    /// Bearer token of that sandbox's control interface.
    #[serde(deserialize_with = "value::secret")]
    pub sandbox_token: Option<SecretString>,
    /// A file with that token in it.
    #[serde(deserialize_with = "value::optional_path")]
    pub sandbox_token_file: Option<PathBuf>,
}

impl Registry {
    /// The partner's password as its file holds it now; `None` where it does not come from a file.
    pub fn password_now(&self) -> Result<Option<SecretString>, Problem> {
        let path = self.password_file.as_deref();
        path.map(|path| secret::of_file("registry.password", path)).transpose()
    }

    /// Whether `url` is the registry itself (any host of iys.org.tr) rather than a simulator.
    pub fn is_real(&self) -> bool {
        match self.url.as_ref().and_then(Url::host) {
            Some(Host::Domain(name)) => {
                let name = name.trim_end_matches('.').to_ascii_lowercase();
                name == "iys.org.tr" || name.ends_with(".iys.org.tr")
            }
            _ => false,
        }
    }
}
