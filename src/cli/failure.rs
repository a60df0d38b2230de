//! Why a command failed, in one line.

use std::error::Error;
use std::io;

use kopru_domain::{Lang, Text};
use kopru_store::StoreError;
use serde_json::json;

use crate::config::{ConfigError, MasterKeyError};
use crate::service::{FieldProblem, ServiceError};
use crate::telemetry::TelemetryError;

type Cause = Box<dyn Error + Send + Sync>;

/// Why a command failed, and what to do.
#[derive(Debug)]
pub struct Failure {
    code: &'static str,
    message: Text,
    causes: Vec<String>,
}

impl Failure {
    /// A failure by a stable word for programs and a text for people.
    pub(crate) fn new(code: &'static str, message: Text) -> Self {
        Self { code, message, causes: Vec::new() }
    }

    /// Adds what lies behind it, with everything that lies behind that.
    pub(crate) fn because(mut self, cause: impl Into<Cause>) -> Self {
        let cause = cause.into();
        let mut next: Option<&dyn Error> = Some(cause.as_ref());
        while let Some(error) = next {
            let text = error.to_string();
            // Many errors repeat their source's text at the end of their own.
            if !self.causes.last().is_some_and(|last| last.ends_with(&text)) {
                self.causes.push(text);
            }
            next = error.source();
        }
        self
    }

    pub(crate) fn output(error: io::Error) -> Self {
        Self::new("output", Text::fixed("sonuç yazılamadı", "the answer cannot be written")).because(error)
    }

    /// Everything on one line.
    pub(crate) fn line(&self, lang: Lang) -> String {
        let mut line = self.message.get(lang).to_owned();
        for cause in &self.causes {
            line.push_str(": ");
            line.push_str(cause);
        }
        // A text of a library may be long and broken into lines.
        line.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// `{"error":{"code","message"}}`.
    pub(crate) fn to_json(&self, lang: Lang) -> String {
        json!({"error": {"code": self.code, "message": self.line(lang)}}).to_string()
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::new("configuration", error.text())
    }
}

impl From<MasterKeyError> for Failure {
    fn from(error: MasterKeyError) -> Self {
        Self::new("master_key", Text::new(error.turkish(), error.to_string()))
    }
}

impl From<TelemetryError> for Failure {
    fn from(error: TelemetryError) -> Self {
        Self::new("telemetry", Text::fixed("kayıt tutulamıyor", "logs or metrics cannot be set up"))
            .because(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let message = Text::fixed(
            "veritabanı kullanılamıyor; `kopru doctor` nedenini gösterir",
            "the database cannot be used; `kopru doctor` tells more",
        );
        Self::new("database", message).because(error)
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::new("start", Text::fixed("program başlatılamadı", "the program cannot start")).because(error)
    }
}

impl From<ServiceError> for Failure {
    fn from(error: ServiceError) -> Self {
        let join = |problems: &[crate::service::FieldProblem], lang| {
            let lines: Vec<_> =
                problems.iter().map(|it| format!("{}: {}", it.field, it.title.get(lang))).collect();
            lines.join("; ")
        };
        match error {
            ServiceError::NotFound(what) => {
                let thing = crate::service::thing(what);
                let message =
                    Text::new(format!("{} bulunamadı", thing.tr), format!("{} not found", thing.en));
                Self::new("not_found", message)
            }
            ServiceError::Invalid(problems) => {
                let message = Text::new(join(&problems, Lang::Tr), join(&problems, Lang::En));
                Self::new("invalid", message)
            }
            ServiceError::Conflict(text) | ServiceError::Taken(FieldProblem { title: text, .. }) => {
                Self::new("conflict", text)
            }
            ServiceError::Store(error) => error.into(),
            error => {
                Self::new("service", Text::fixed("işlem yapılamadı", "this could not be done")).because(error)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_one_line_that_repeats_nothing() {
        #[derive(Debug, thiserror::Error)]
        #[error("outer: {0}")]
        struct Outer(#[source] Inner);
        #[derive(Debug, thiserror::Error)]
        #[error("inner\n  text")]
        struct Inner;

        let failure = Failure::new("x", Text::fixed("olmadı", "it failed")).because(Outer(Inner));
        assert_eq!(failure.line(Lang::En), "it failed: outer: inner text");
        assert_eq!(
            failure.to_json(Lang::Tr),
            r#"{"error":{"code":"x","message":"olmadı: outer: inner text"}}"#
        );
    }

    #[test]
    fn settings_that_do_not_fit_are_told_in_both_languages() {
        let mut config = crate::config::Config::for_tests(std::path::Path::new("/nowhere"));
        config.filing.concurrency = 0;
        let failure = Failure::from(ConfigError(config.problems()));
        assert_eq!(failure.line(Lang::En), "filing.concurrency: must be at least 1");
        assert_eq!(failure.line(Lang::Tr), "filing.concurrency: en az 1 olmalıdır");
    }
}
