//! Section `[log]`.

use serde::Deserialize;

/// Logging.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// A level or directives of `tracing_subscriber::EnvFilter`.
    pub level: String,
    /// For whom lines are written.
    pub format: LogFormat,
}

/// For whom log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines: one JSON object a line.
    Json,
}
