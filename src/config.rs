//! Settings: `config.default.toml` (compiled in, the reference) < a file < environment variables `KOPRU__SECTION__KEY`.
//!
//! One file per section. To add a setting: write it with a comment into the reference and its Turkish twin, add the field to its section, and
//! where two settings can contradict each other, a rule to [`Config::problems`]. The reference also gives each key its
//! type, so that a password of digits in a variable stays a text.

mod daily;
mod database;
pub mod files;
mod filing;
mod http;
mod log;
pub mod messaging;
mod providers;
mod pull;
mod push;
mod registry;
mod retention;
mod sandbox;
mod secret;
mod security;
mod source;
mod validate;
mod value;
mod webhooks;

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

pub use self::daily::Daily;
pub use self::database::Database;
pub use self::filing::Filing;
pub use self::http::{Http, Metrics, is_loopback};
pub use self::log::{Log, LogFormat};
pub use self::messaging::{Mail, Sms};
pub use self::providers::Providers;
pub use self::pull::{Check, Pull};
pub use self::push::Push;
pub use self::registry::Registry;
pub use self::retention::Retention;
pub use self::sandbox::Sandbox;
pub use self::security::{MasterKeyError, Security, master_key, master_key_path};
pub use self::source::{REFERENCE, REFERENCE_TR};
pub use self::validate::Problem;
pub use self::value::{format_duration, parse_duration};
pub use self::webhooks::Webhooks;

/// All settings. `Debug` shows no secret.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where the SQLite database, the master key and the sandbox live.
    pub data_dir: PathBuf,
    /// How long running work may take to finish once the program was told to stop.
    #[serde(deserialize_with = "value::duration")]
    pub stop_timeout: Duration,
    /// Storage.
    pub database: Database,
    /// The API.
    pub http: Http,
    /// Prometheus metrics.
    pub metrics: Metrics,
    /// The registry sandbox that this program can be itself.
    pub sandbox: Sandbox,
    /// The registry that consents are filed with.
    pub registry: Registry,
    /// Keys.
    pub security: Security,
    /// Filing consents with the registry.
    pub filing: Filing,
    /// Reading what the registry lets us do.
    pub providers: Providers,
    /// Reading the registry's changes.
    pub pull: Pull,
    /// Daily reconciliation.
    pub daily: Daily,
    /// What the registry pushes to us.
    pub push: Push,
    /// Answering "may I send?".
    pub check: Check,
    /// Calls to clients.
    pub webhooks: Webhooks,
    /// Text messages.
    pub sms: Sms,
    /// E-mail.
    pub mail: Mail,
    /// How long is kept what is no evidence.
    pub retention: Retention,
    /// Logging.
    pub log: Log,
}

/// Settings that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file given with `--config` cannot be read.
    #[error("the configuration file {path} cannot be read")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A key is unknown, or a value has the wrong form.
    #[error("{}", lines(.0))]
    Values(Vec<ValueProblem>),
    /// A secret and its `_file` twin are both set.
    #[error("{key} and {key}_file are both set; keep one of them")]
    Twins {
        /// The secret's key.
        key: &'static str,
    },
    /// The file of a secret cannot be read.
    #[error("{key}_file: {path} cannot be read")]
    SecretFile {
        /// The secret's key.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file of a secret is empty.
    #[error("{key}_file: {path} is empty")]
    SecretEmpty {
        /// The secret's key.
        key: &'static str,
        /// The file.
        path: PathBuf,
    },
    /// Settings that are well-formed each, but cannot be used, alone or together.
    #[error("{}", lines(.0))]
    Problems(Vec<Problem>),
}

/// A key that is unknown or a value of the wrong form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValueProblem {
    /// The key, parts joined by full stops.
    pub key: String,
    /// The file or the variable that it comes from.
    pub origin: String,
    /// What is wrong.
    pub message: String,
}

impl std::fmt::Display for ValueProblem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { key, origin, message } = self;
        if key.is_empty() {
            write!(f, "{message} ({origin})")
        } else {
            write!(f, "{key}: {message} ({origin})")
        }
    }
}

fn lines<T: std::fmt::Display>(problems: &[T]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

impl Config {
    /// Reads the settings: the reference, then `path` where one is given, then the environment; secrets from their files;
    /// and checks that they fit together.
    pub fn load(path: Option<&Path>) -> Result<Self, ConfigError> {
        Self::from_sources(path, std::env::vars_os())
    }

    /// As [`Config::load`], with the environment as a parameter: names and values, whatever their prefix.
    pub fn from_sources<N, V>(
        path: Option<&Path>,
        environment: impl IntoIterator<Item = (N, V)>,
    ) -> Result<Self, ConfigError>
    where
        N: Into<std::ffi::OsString>,
        V: Into<std::ffi::OsString>,
    {
        let mut config = source::read(path, environment)?;
        config.read_secrets()?;
        let problems = config.problems();
        if problems.is_empty() { Ok(config) } else { Err(ConfigError::Problems(problems)) }
    }

    /// The reference's settings for a test: free ports on loopback, everything under `data_dir`.
    ///
    /// # Panics
    /// When the compiled-in reference cannot be read, which a test excludes.
    #[expect(clippy::expect_used, reason = "the reference is part of the program; a test reads it")]
    pub fn for_tests(data_dir: &Path) -> Self {
        let free = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
        let mut config =
            source::read(None, std::iter::empty::<(String, String)>()).expect("the reference is well-formed");
        data_dir.clone_into(&mut config.data_dir);
        config.http.listen = free;
        config.metrics.listen = free;
        config.sandbox.listen = free;
        config.webhooks.allow_loopback_targets = true;
        config.use_log_accounts();
        config
    }

    /// For a trial: messages for which no account is set become lines of a file.
    pub fn use_log_accounts(&mut self) {
        for default in [&mut self.sms.default, &mut self.mail.default] {
            if default.is_empty() {
                messaging::LOG_ACCOUNT.clone_into(default);
            }
        }
    }

    /// The database's address, with its default filled in. It may hold a password: never log it.
    pub fn database_url(&self) -> String {
        match &self.database.url {
            Some(url) => url.clone(),
            None => format!("sqlite://{}", self.data_dir.join("kopru.db").display()),
        }
    }

    /// Whether the database is SQLite, which one process serves alone.
    pub fn is_sqlite(&self) -> bool {
        self.database.url.as_ref().is_none_or(|url| url.starts_with("sqlite:"))
    }

    /// The SQLite database's file; `None` on PostgreSQL.
    pub fn sqlite_file(&self) -> Option<PathBuf> {
        let url = self.database_url();
        let path = url.strip_prefix("sqlite://")?;
        Some(PathBuf::from(path.split_once('?').map_or(path, |(path, _)| path)))
    }

    fn read_secrets(&mut self) -> Result<(), ConfigError> {
        let Self { database, sandbox, registry, security, sms, mail, .. } = self;
        sms.read_secrets()?;
        mail.read_secrets()?;
        if let Some(url) = secret::twin("database.url", None, database.url_file.as_deref())? {
            if database.url.is_some() {
                return Err(ConfigError::Twins { key: "database.url" });
            }
            database.url = Some(secrecy::ExposeSecret::expose_secret(&url).to_owned());
        }
        for (key, value, file) in [
            ("sandbox.token", &mut sandbox.token, &sandbox.token_file),
            ("registry.password", &mut registry.password, &registry.password_file),
            ("registry.sandbox_token", &mut registry.sandbox_token, &registry.sandbox_token_file),
            ("security.master_key", &mut security.master_key, &security.master_key_file),
        ] {
            *value = secret::twin(key, value.take(), file.as_deref())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
