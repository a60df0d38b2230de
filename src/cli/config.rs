//! `kopru config`: settings and keys.

use std::process::ExitCode;

use clap::Subcommand;
use kopru_domain::Lang;
use kopru_store::MasterKey;
use serde_json::json;
use url::Url;

use super::output::{GOOD, paint};
use super::{Failure, Global, Output, admin};
use crate::config::{Config, REFERENCE, REFERENCE_TR, format_duration, master_key, master_key_path};

/// Arguments of `config`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Clone, Copy, Subcommand)]
enum Action {
    /// Read the settings from all sources, check them, and show what matters most; secrets are not shown
    Check,
    /// Print every setting with its default and a comment
    Default,
    /// Print a new master key, for a file of mode 0600 and a copy apart from the database
    NewMasterKey,
}

pub(super) fn run(global: &Global, args: &Args, output: Output) -> Result<ExitCode, Failure> {
    match args.action {
        Action::Check => {
            let config = Config::load(global.config.as_deref())?;
            // Looked at where there is one, but none is made: looking changes nothing.
            if !config.is_sqlite() || master_key_path(&config).exists() {
                master_key(&config, None)?;
            }
            if !output.is_json() {
                output.line(paint(
                    GOOD,
                    match output.lang() {
                        Lang::Tr => "ayarlar kullanılabilir",
                        Lang::En => "the settings are usable",
                    },
                ))?;
            }
            admin::show(output, &["dataDir", "database", "registry", "http", "metrics"], &summary(&config))
        }
        Action::Default => {
            let reference = match output.lang() {
                Lang::Tr => REFERENCE_TR,
                Lang::En => REFERENCE,
            };
            output.line(reference.trim_end())?;
            Ok(ExitCode::SUCCESS)
        }
        Action::NewMasterKey => {
            let key = MasterKey::generate();
            if output.is_json() {
                output.object(&json!({"masterKey": key.to_text(), "id": key.id()}))?;
            } else {
                output.line(key.to_text())?;
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// What an operator wants to see first; nothing secret.
fn summary(config: &Config) -> serde_json::Value {
    let database = config.database.redacted_url().unwrap_or_else(|| config.database_url());
    json!({
        "dataDir": config.data_dir,
        "database": database,
        "http": config.http.listen,
        "publicUrl": config.http.public_url.as_ref().map(Url::as_str),
        "trustedProxies": config.http.trusted_proxies,
        "metrics": config.metrics.listen,
        "registry": config.registry.url.as_ref().map(Url::as_str),
        "username": config.registry.username,
        "integratorCode": config.registry.integrator_code,
        "pullInterval": format_duration(config.pull.interval),
        "longestPullInterval": format_duration(config.pull.longest_interval),
        "freshness": format_duration(config.check.freshness),
        "logLevel": config.log.level,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_shows_no_secret() {
        let variables = [
            ("KOPRU__DATABASE__URL", "postgres://kopru:hunter2@db/kopru"),
            ("KOPRU__REGISTRY__URL", "https://api.iys.org.tr"),
            ("KOPRU__REGISTRY__USERNAME", "partner"),
            ("KOPRU__REGISTRY__PASSWORD", "hunter2"),
        ];
        let config = Config::from_sources(None, variables).unwrap();
        let summary = summary(&config).to_string();
        assert!(!summary.contains("hunter2"), "{summary}");
        assert!(
            summary.contains("partner") && summary.contains("postgres://kopru:***@db/kopru"),
            "{summary}"
        );
    }
}
