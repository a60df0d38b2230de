//! Log lines and metrics: set up once, before anything else starts.
//!
//! Messages are readable by themselves; what varies stands in fields with dots (`submission.id`). Neither holds personal
//! data or secrets.

mod help;

use std::io::IsTerminal as _;

use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::{LevelFilter, ParseError};
use tracing_subscriber::util::{SubscriberInitExt as _, TryInitError};

use crate::config::{Log, LogFormat};

/// Bounds of the histograms whose names end in `_seconds`.
const SECONDS: [f64; 14] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// Why logs or metrics cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// `log.level` is neither a level nor a list of directives.
    #[error("log.level is not a level (error, warn, info, debug, trace) or a list of directives")]
    Level(#[source] ParseError),
    /// Logs were set up before.
    #[error("logs are set up already")]
    Logs(#[source] TryInitError),
    /// Metrics were set up before.
    #[error("metrics are set up already")]
    Metrics(#[source] BuildError),
}

/// Sends log lines to standard error: standard output belongs to what a command answers.
pub fn init_logs(log: &Log) -> Result<(), TelemetryError> {
    let filter = EnvFilter::try_new(directives(&log.level)).map_err(TelemetryError::Level)?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match log.format {
        LogFormat::Text => builder
            .with_ansi(std::io::stderr().is_terminal())
            .finish()
            .try_init()
            .map_err(TelemetryError::Logs),
        LogFormat::Json => builder
            .json()
            .flatten_event(true)
            .with_ansi(false)
            .finish()
            .try_init()
            .map_err(TelemetryError::Logs),
    }
}

/// Whether logs can be set up so. A bare word that is no level would pass for the name of a module, and silence all others.
pub fn is_level(text: &str) -> bool {
    let words = || text.split(',').map(str::trim).filter(|word| !word.is_empty());
    let known = |word: &str| word.contains(['=', '[']) || word.parse::<LevelFilter>().is_ok();
    words().next().is_some() && words().all(known) && EnvFilter::try_new(text).is_ok()
}

/// A bare `info` leaves out what the worker runtime and the database driver say of every start; whoever wants more writes directives.
fn directives(level: &str) -> String {
    if level.eq_ignore_ascii_case("info") {
        "info,apalis=warn,apalis_core=warn,sqlx=warn".to_owned()
    } else {
        level.to_owned()
    }
}

/// Installs the recorder behind the macros of `metrics`; the handle renders what it has collected. Run
/// [`PrometheusHandle::run_upkeep`] every few seconds, or histograms grow.
pub fn init_metrics() -> Result<PrometheusHandle, TelemetryError> {
    PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)
        .and_then(PrometheusBuilder::install_recorder)
        .inspect(|_| help::describe())
        .map_err(TelemetryError::Metrics)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_that_is_none_is_refused() {
        let log = Log { level: "info,kopru=loud".to_owned(), format: LogFormat::Text };
        assert!(matches!(init_logs(&log), Err(TelemetryError::Level(_))));
    }

    #[test]
    fn a_misspelt_level_is_not_taken_for_a_module() {
        for level in ["info", "WARN", "off", "warn,kopru=debug", "kopru[task]=trace", "info,"] {
            assert!(is_level(level), "{level}");
        }
        for level in ["inof", "", "info,kopru", "info,kopru=loud"] {
            assert!(!is_level(level), "{level}");
        }
    }

    #[test]
    fn directives_are_taken_as_they_are() {
        assert_eq!(directives("debug"), "debug");
        assert_eq!(directives("info,kopru=debug"), "info,kopru=debug");
        assert!(directives("INFO").starts_with("info,"));
    }
}
