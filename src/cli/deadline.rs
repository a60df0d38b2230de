//! `kopru deadline`: until when a consent must be filed.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use chrono::{DateTime, Datelike as _, NaiveDateTime, Utc, Weekday};
use kopru_domain::deadline::{DayStep, Explanation, InstantExplanation, explain};
use kopru_domain::time::{DateError, format_registry, instant, local, parse_consent_date, rfc3339};
use kopru_domain::{BusinessCalendar, Lang, Text};
use serde::{Serialize, Serializer};
use serde_json::json;

use super::output::{DIM, GOOD, STRONG, WARN, paint};
use super::{Failure, Output, Report, admin};

/// Arguments of `deadline`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// When the consent was given: 2026-03-18T10:00 in Turkey time or RFC 3339 with an offset; `-` reads one a line
    #[arg(value_name = "INSTANT", allow_hyphen_values = true)]
    instant: String,
    /// A table of public holidays (CSV: date, name_tr, name_en, half_day) in place of the built-in one
    #[arg(long, value_name = "FILE")]
    calendar: Option<PathBuf>,
}

pub(super) fn run(args: &Args, output: Output) -> Result<ExitCode, Failure> {
    let calendar = args.calendar.as_deref().map(read_calendar).transpose()?;
    let calendar = calendar.as_ref().unwrap_or_else(|| BusinessCalendar::builtin());
    if args.instant != "-" {
        let event = parse(&args.instant).map_err(|text| Failure::new("instant", text))?;
        output.show(&Answer(explain(event, calendar)))?;
        return Ok(ExitCode::SUCCESS);
    }
    for line in admin::lines() {
        let line = match line? {
            Ok(line) => line,
            Err(message) => {
                admin::show_unreadable(output, &message)?;
                continue;
            }
        };
        match parse(&line) {
            Ok(event) => output.show(&Line(explain(event, calendar)))?,
            Err(message) => output.show(&Unreadable { line, message, lang: output.lang() })?,
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn read_calendar(path: &Path) -> Result<BusinessCalendar, Failure> {
    let unusable = || {
        let (tr, en) = ("tatil tablosu okunamadı", "the holiday table cannot be read");
        Failure::new(
            "calendar",
            Text::new(format!("{tr}: {}", path.display()), format!("{en}: {}", path.display())),
        )
    };
    let text = std::fs::read_to_string(path).map_err(|error| unusable().because(error))?;
    BusinessCalendar::from_csv(&text, &path.display().to_string()).map_err(|error| unusable().because(error))
}

/// The forms of a consentDate, and those that people type: without seconds, and with a T but in Turkey time.
fn parse(text: &str) -> Result<DateTime<Utc>, Text> {
    let text = text.trim();
    let typed = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"];
    let typed = typed.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok());
    match typed {
        Some(wall) => Ok(instant(wall.date(), wall.time())),
        None => parse_consent_date(text).map_err(DateError::text),
    }
}

/// The answer about one instant, day by day for people.
struct Answer(Explanation);

/// The same on one line.
struct Line(Explanation);

/// What programs read.
#[derive(Serialize)]
struct Instants {
    #[serde(with = "rfc3339")]
    event: DateTime<Utc>,
    #[serde(with = "rfc3339")]
    target: DateTime<Utc>,
    #[serde(with = "rfc3339")]
    legal: DateTime<Utc>,
    #[serde(with = "rfc3339")]
    latest: DateTime<Utc>,
}

impl From<&Explanation> for Instants {
    fn from(it: &Explanation) -> Self {
        Self { event: it.event, target: it.target.at, legal: it.legal.at, latest: it.latest.at }
    }
}

impl Serialize for Answer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Instants::from(&self.0).serialize(serializer)
    }
}

impl Serialize for Line {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Instants::from(&self.0).serialize(serializer)
    }
}

impl Report for Answer {
    fn text(&self, lang: Lang) -> String {
        let it = &self.0;
        let word = |tr: &'static str, en: &'static str| Text::fixed(tr, en).get(lang).to_owned();
        let mut lines = vec![format!(
            "{} {}  {}",
            paint(STRONG, word("onay ya da ret", "consent")),
            date(it.event, lang),
            paint(DIM, format!("({} {})", word("takvim", "calendar"), it.calendar)),
        )];
        for (name, instant) in [
            (word("hedef ", "target"), &it.target),
            (word("yasal ", "legal "), &it.legal),
            (word("en geç", "latest"), &it.latest),
        ] {
            lines.push(String::new());
            lines.extend(paragraph(&name, instant, lang));
        }
        if !it.covered {
            let warning = word(
                "tatil tablosu bu yılların tümünü kapsamıyor; resmî tatiller eksik olabilir",
                "the holiday table does not cover all of these years; public holidays may be missing",
            );
            lines.extend([String::new(), paint(WARN, warning)]);
        }
        lines.join("\n")
    }
}

impl Report for Line {
    fn text(&self, _: Lang) -> String {
        let Explanation { event, target, legal, latest, .. } = &self.0;
        [*event, target.at, legal.at, latest.at].map(format_registry).join("  ")
    }
}

fn paragraph(name: &str, instant: &InstantExplanation, lang: Lang) -> Vec<String> {
    let head = format!(
        "{} {}  {}",
        paint(STRONG, name),
        paint(GOOD, date(instant.at, lang)),
        paint(DIM, instant.text.get(lang)),
    );
    std::iter::once(head).chain(instant.days.iter().map(|day| step(day, lang))).collect()
}

fn step(day: &DayStep, lang: Lang) -> String {
    let counted = day.counted.map_or_else(|| "-".to_owned(), |number| number.to_string());
    let weekday = weekday(day.date.weekday(), lang);
    format!("    {counted}  {} {weekday}  {}", day.date, paint(DIM, day.text.get(lang)))
}

fn date(instant: DateTime<Utc>, lang: Lang) -> String {
    let wall = local(instant);
    format!("{} {}", wall.format("%Y-%m-%d %H:%M:%S"), weekday(wall.weekday(), lang))
}

fn weekday(day: Weekday, lang: Lang) -> &'static str {
    let names = match lang {
        Lang::Tr => ["Pzt", "Sal", "Çar", "Per", "Cum", "Cmt", "Paz"],
        Lang::En => ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"],
    };
    names[day.num_days_from_monday() as usize]
}

/// A line that is no instant.
struct Unreadable {
    line: String,
    message: Text,
    lang: Lang,
}

impl Serialize for Unreadable {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        json!({"error": {"code": "instant", "message": self.message.get(self.lang)}}).serialize(serializer)
    }
}

impl Report for Unreadable {
    fn text(&self, lang: Lang) -> String {
        format!("{}: {}", self.line, self.message.get(lang))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(text: &str) -> Answer {
        Answer(explain(parse(text).unwrap(), BusinessCalendar::builtin()))
    }

    #[test]
    fn the_object_has_exactly_the_agreed_keys() {
        let object = serde_json::to_string(&answer("2026-11-28T16:00")).unwrap();
        assert_eq!(
            object,
            r#"{"event":"2026-11-28T16:00:00+03:00","target":"2026-12-02T16:00:00+03:00","legal":"2026-12-02T23:59:59+03:00","latest":"2026-12-02T23:59:59+03:00"}"#
        );
        let line = Line(explain(parse("2026-11-28T16:00").unwrap(), BusinessCalendar::builtin()));
        assert_eq!(serde_json::to_string(&line).unwrap(), object);
    }

    #[test]
    fn instants_are_read_as_people_type_them() {
        let expected: DateTime<Utc> = "2026-03-18T07:00:00Z".parse().unwrap();
        for text in [
            "2026-03-18T10:00",
            " 2026-03-18 10:00 ",
            "2026-03-18T10:00:00",
            "2026-03-18 10:00:00",
            "2026-03-18T10:00:00+03:00",
            "2026-03-18T07:00:00Z",
        ] {
            assert_eq!(parse(text), Ok(expected), "{text}");
        }
        for text in ["", "yesterday", "2026-03-18", "2026-02-30T10:00", "18.03.2026 10:00"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn people_see_the_days_that_were_skipped_and_why() {
        let answer = answer("2026-11-27T16:00");
        let english = anstream::adapter::strip_str(&answer.text(Lang::En)).to_string();
        assert!(english.contains("2026-11-29 Sun"), "{english}");
        assert!(english.contains("target 2026-12-01 16:00:00 Tue"), "{english}");
        let turkish = anstream::adapter::strip_str(&answer.text(Lang::Tr)).to_string();
        assert!(turkish.contains("2026-11-29 Paz"), "{turkish}");
    }

    #[test]
    fn years_without_a_table_are_named() {
        assert!(answer("2036-05-05T10:00").text(Lang::En).contains("does not cover"));
        assert!(!answer("2026-05-05T10:00").text(Lang::En).contains("does not cover"));
    }
}
