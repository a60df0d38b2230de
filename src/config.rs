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
mod problem;
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
pub use self::problem::{ConfigError, Problem};
pub use self::providers::Providers;
pub use self::pull::{Check, Pull};
pub use self::push::Push;
pub use self::registry::Registry;
pub use self::retention::Retention;
pub use self::sandbox::Sandbox;
pub use self::security::{MasterKeyError, Security, master_key, master_key_path};
pub use self::source::{REFERENCE, REFERENCE_TR};
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

impl Config {
    /// Reads the settings: the reference, then `path` where one is given, then the environment; secrets from their files;
    /// and checks that they fit together. All that is wrong is told at once.
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
        let (mut config, mut problems) = source::read(path, environment)?;
        config.read_secrets(&mut problems);
        // What was left out for its form has its default here, of which nothing is to be said.
        let told: Vec<String> = problems.iter().map(|problem| problem.key.clone()).collect();
        problems.extend(config.problems().into_iter().filter(|problem| !told.contains(&problem.key)));
        if problems.is_empty() { Ok(config) } else { Err(ConfigError(problems)) }
    }

    /// The reference's settings for a test: free ports on loopback, everything under `data_dir`.
    ///
    /// # Panics
    /// When the compiled-in reference cannot be read, which a test excludes.
    #[expect(clippy::expect_used, reason = "the reference is part of the program; a test reads it")]
    pub fn for_tests(data_dir: &Path) -> Self {
        let free = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
        let (mut config, _) =
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

    fn read_secrets(&mut self, problems: &mut Vec<Problem>) {
        let Self { database, sandbox, registry, security, sms, mail, .. } = self;
        sms.read_secrets(problems);
        mail.read_secrets(problems);
        let mut url = database.url.take().map(Into::into);
        secret::twin("database.url", &mut url, database.url_file.as_deref(), problems);
        database.url = url.map(|url| secrecy::ExposeSecret::expose_secret(&url).to_owned());
        for (key, value, file) in [
            ("sandbox.token", &mut sandbox.token, &sandbox.token_file),
            ("registry.password", &mut registry.password, &registry.password_file),
            ("registry.sandbox_token", &mut registry.sandbox_token, &registry.sandbox_token_file),
            ("security.master_key", &mut security.master_key, &security.master_key_file),
        ] {
            secret::twin(key, value, file.as_deref(), problems);
        }
    }
}

#[cfg(test)]
mod tests;
