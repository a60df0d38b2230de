//! Section `[sandbox]`.

use std::net::SocketAddr;
use std::path::PathBuf;

use secrecy::SecretString;
use serde::Deserialize;

use super::value;

/// The registry sandbox that this program can be itself.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sandbox {
    /// Where it listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Bearer token of its control interface; needed off loopback.
    #[serde(deserialize_with = "value::secret")]
    pub token: Option<SecretString>,
    /// A file with that token in it.
    #[serde(deserialize_with = "value::optional_path")]
    pub token_file: Option<PathBuf>,
}
