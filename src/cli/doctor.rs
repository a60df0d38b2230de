//! `kopru doctor`: looks for what is wrong with an installation, and says what to do. It changes nothing and files nothing;
//! where it needs a token of the registry it keeps it for the service.

mod daily;
mod database;
mod inbound;
mod messages;
mod place;
mod registry;
mod rights;
mod via;

use std::process::ExitCode;

use kopru_domain::{Lang, Text};
use serde::{Serialize, Serializer};

use super::output::{BAD, DIM, GOOD, WARN, paint};
use super::{Failure, Global, Output, Report, block_on, labels, trial};
use crate::clocks::Clocks;
use crate::config::Config;

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Ok,
    Warn,
    Fail,
}

/// What one check found.
#[derive(Debug, Clone)]
struct Finding {
    /// What was looked at: a stable word.
    check: &'static str,
    status: Status,
    /// What was found.
    text: Text,
    /// What to do about it.
    advice: Option<Text>,
    lang: Lang,
}

impl Finding {
    fn new(check: &'static str, status: Status, text: Text) -> Self {
        Self { check, status, text, advice: None, lang: Lang::En }
    }

    fn ok(check: &'static str, text: Text) -> Self {
        Self::new(check, Status::Ok, text)
    }

    fn warn(check: &'static str, text: Text) -> Self {
        Self::new(check, Status::Warn, text)
    }

    fn fail(check: &'static str, text: Text) -> Self {
        Self::new(check, Status::Fail, text)
    }

    fn advise(
        mut self,
        tr: impl Into<std::borrow::Cow<'static, str>>,
        en: impl Into<std::borrow::Cow<'static, str>>,
    ) -> Self {
        self.advice = Some(Text::new(tr, en));
        self
    }
}

impl Serialize for Finding {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Object<'a> {
            check: &'static str,
            status: Status,
            message: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            advice: Option<&'a str>,
        }
        let Self { check, status, text, advice, lang } = self;
        let advice = advice.as_ref().map(|advice| advice.get(*lang));
        Object { check, status: *status, message: text.get(*lang), advice }.serialize(serializer)
    }
}

impl Report for Finding {
    fn text(&self, lang: Lang) -> String {
        let (style, mark) = match self.status {
            Status::Ok => (GOOD, "✓"),
            Status::Warn => (WARN, "!"),
            Status::Fail => (BAD, "✗"),
        };
        let mut text = format!(
            "{} {} {}",
            paint(style, mark),
            paint(DIM, format!("{:<12}", labels::label(self.check, lang))),
            self.text.get(lang)
        );
        if let Some(advice) = &self.advice {
            let advice = paint(style, format!("→ {}", advice.get(lang)));
            text.extend([
                "
",
                &" ".repeat(15),
                &advice,
            ]);
        }
        text
    }
}

pub(super) fn run(global: &Global, output: Output) -> Result<ExitCode, Failure> {
    let mut config = match global.load_quietly() {
        Ok(config) => config,
        Err(failure) => {
            let lines = [Lang::Tr, Lang::En].map(|lang| failure.line(lang));
            let [tr, en] = lines;
            let finding = Finding::fail("settings", Text::new(tr, en)).advise(
                "`kopru config default` her ayarı açıklamasıyla gösterir",
                "`kopru config default` shows every setting with a comment",
            );
            return conclude(vec![finding], output);
        }
    };
    let findings = block_on(async {
        trial::join(&mut config, &Clocks::default()).await;
        Ok(examine(config).await)
    })?;
    conclude(findings, output)
}

async fn examine(config: Config) -> Vec<Finding> {
    let mut findings = vec![Finding::ok("settings", Text::fixed("okundu", "read and consistent"))];
    findings.extend(place::examine(&config));
    let (app, more) = database::examine(&config).await;
    findings.extend(more);
    findings.extend(registry::examine(&config, app.as_ref()).await);
    if let Some(app) = app {
        findings.extend(rights::examine(&app).await);
        findings.extend(daily::examine(&app).await);
        findings.extend(messages::examine(&app).await);
        findings.extend(inbound::examine(&app).await);
        findings.extend(via::examine(&app).await);
        super::admin::close(&app, std::time::Duration::from_secs(5)).await;
    }
    findings
}

fn conclude(findings: Vec<Finding>, output: Output) -> Result<ExitCode, Failure> {
    let worst = findings.iter().map(|finding| finding.status).max().unwrap_or(Status::Ok);
    for finding in findings {
        output.show(&Finding { lang: output.lang(), ..finding })?;
    }
    Ok(if worst == Status::Fail { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// An error with all that lies behind it, on one line.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let text = error.to_string();
        if !parts.last().is_some_and(|last| last.ends_with(&text)) {
            parts.push(text);
        }
        next = error.source();
    }
    parts.join(": ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_finding_says_what_was_found_and_what_to_do() {
        let finding =
            Finding::warn("disk", Text::fixed("az yer", "little room")).advise("yer açın", "make room");
        let object = serde_json::to_value(&finding).unwrap();
        assert_eq!(
            object,
            json!({"check": "disk", "status": "warn", "message": "little room", "advice": "make room"})
        );
        assert!(finding.text(Lang::Tr).contains("az yer") && finding.text(Lang::Tr).contains("yer açın"));
    }

    #[tokio::test]
    async fn a_fresh_folder_has_no_failures() {
        let dir = tempfile::tempdir().unwrap();
        let config = Config::for_tests(&dir.path().join("data"));
        let findings = examine(config.clone()).await;
        assert!(findings.iter().all(|it| it.status != Status::Fail), "{findings:#?}");
        assert!(!config.data_dir.exists(), "looking makes nothing");
    }

    #[tokio::test]
    async fn a_database_without_its_key_is_a_failure() {
        let dir = tempfile::tempdir().unwrap();
        let config = Config::for_tests(dir.path());
        let app = crate::bootstrap::App::start(
            config.clone(),
            crate::clocks::Clocks::default(),
            crate::lifecycle::Lifecycle::new(),
        )
        .await
        .unwrap();
        super::super::admin::close(&app, std::time::Duration::from_secs(5)).await;
        let sound = examine(config.clone()).await;
        assert!(sound.iter().any(|it| it.check == "master key" && it.status != Status::Fail), "{sound:#?}");
        std::fs::remove_file(crate::config::master_key_path(&config)).unwrap();
        let lost = examine(config).await;
        assert!(lost.iter().any(|it| it.check == "master key" && it.status == Status::Fail), "{lost:#?}");
    }
}
