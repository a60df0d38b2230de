//! Parameters of a query: each read with what is wrong about it, unknown ones refused, so that a misspelt filter is not
//! taken for none.

use std::ops::RangeInclusive;
use std::time::Duration;

use axum::http::Uri;
use chrono::{DateTime, Utc};
use kopru_domain::Text;
use kopru_domain::time::parse_consent_date;
use url::form_urlencoded;

use crate::config::{format_duration, parse_duration};
use crate::http::cursor::List;
use crate::http::problem::Problem;
use crate::service::FieldProblem;
use crate::service::endpoints::parse_since;

/// Entries of a page where the request does not say.
pub const PAGE: i64 = 100;

/// The parameters of a request, and what is wrong with them.
pub struct Params {
    values: Vec<(String, String)>,
    problems: Vec<FieldProblem>,
}

impl Params {
    /// Reads a query; parameters that are not among `allowed` are a problem.
    pub fn of(uri: &Uri, allowed: &[&str]) -> Self {
        let mut params = Self { values: Vec::new(), problems: Vec::new() };
        for (name, value) in form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()) {
            if !allowed.contains(&name.as_ref()) {
                let list = allowed.join(", ");
                let title = Text::new(
                    format!("böyle bir parametre yok; kullanılabilenler: {list}"),
                    format!("there is no such parameter; these are: {list}"),
                );
                params.refuse(&name, "unknown_parameter", title);
            } else if params.values.iter().any(|(known, _)| *known == name) {
                let title = Text::fixed(
                    "parametre birden çok kez yazılmış",
                    "the parameter stands there more than once",
                );
                params.refuse(&name, "repeated", title);
            } else {
                params.values.push((name.into_owned(), value.into_owned()));
            }
        }
        params
    }

    /// A text; `None` where it is missing or empty.
    pub fn text(&self, name: &str) -> Option<&str> {
        let value = self.values.iter().find(|(known, _)| known == name).map(|(_, value)| value.trim());
        value.filter(|value| !value.is_empty())
    }

    /// A whole number within a range.
    pub fn number(&mut self, name: &str, range: RangeInclusive<i64>) -> Option<i64> {
        let title = Text::new(
            format!("{} ile {} arasında bir tam sayı olmalı", range.start(), range.end()),
            format!("it must be a whole number from {} to {}", range.start(), range.end()),
        );
        self.read(name, "number", title, |text| text.parse().ok().filter(|number| range.contains(number)))
    }

    /// How many entries a page has: [`PAGE`] where it is not said.
    pub fn limit(&mut self, most: i64) -> i64 {
        self.number("limit", 1..=most).unwrap_or(PAGE)
    }

    /// A number of the registry.
    pub fn code(&mut self, name: &str) -> Option<i64> {
        self.number(name, 1..=i64::MAX)
    }

    /// One of these words.
    pub fn word<T: std::str::FromStr>(&mut self, name: &str, words: &[&str]) -> Option<T> {
        let list = words.join(", ");
        let title = Text::new(format!("şunlardan biri olmalı: {list}"), format!("it must be one of: {list}"));
        self.read(name, "word", title, |text| text.parse().ok())
    }

    /// A length of time, at most `most`.
    pub fn duration(&mut self, name: &str, most: Duration) -> Option<Duration> {
        let longest = format_duration(most);
        let title = Text::new(
            format!("10s ya da 1m30s gibi bir süre olmalı, en çok {longest}"),
            format!("it must be a length of time such as 10s or 1m30s, at most {longest}"),
        );
        self.read(name, "duration", title, |text| parse_duration(text).filter(|duration| *duration <= most))
    }

    /// An instant, in RFC 3339 or in the registry's form.
    pub fn instant(&mut self, name: &str) -> Option<DateTime<Utc>> {
        let title = Text::fixed(
            "2026-11-25T17:00:00+03:00 ya da 2026-11-25 17:00:00 gibi bir an olmalı",
            "it must be an instant such as 2026-11-25T17:00:00+03:00 or 2026-11-25 17:00:00",
        );
        self.read(name, "instant", title, |text| parse_consent_date(&with_plus(text)).ok())
    }

    /// A day or an instant from which on something is asked for.
    pub fn since(&mut self, name: &str) -> Option<DateTime<Utc>> {
        let title = Text::fixed(
            "2026-11-25 gibi bir gün ya da 2026-11-25T17:00:00+03:00 gibi bir an olmalı",
            "it must be a day such as 2026-11-25 or an instant such as 2026-11-25T17:00:00+03:00",
        );
        self.read(name, "instant", title, |text| parse_since(&with_plus(text)))
    }

    /// A cursor that `read` understands.
    pub fn cursor<T>(
        &mut self,
        name: &str,
        list: List,
        read: impl FnOnce(List, &str) -> Option<T>,
    ) -> Option<T> {
        let title = Text::fixed(
            "bu listenin bir sayfasından alınmış imleç olmalı; baştan başlamak için boş bırakın",
            "it must be a cursor from a page of this list; leave it out to begin at the start",
        );
        self.read(name, "cursor", title, |text| read(list, text))
    }

    /// Refuses the request where something was wrong.
    pub fn finish(self) -> Result<(), Problem> {
        if self.problems.is_empty() { Ok(()) } else { Err(Problem::Parameters(self.problems)) }
    }

    /// As [`Params::finish`], with the value of a parameter that must be there.
    pub fn finish_with<T>(mut self, name: &str, value: Option<T>) -> Result<T, Problem> {
        if self.text(name).is_none() {
            self.refuse(name, "missing", Text::fixed("bu parametre gerekli", "this parameter is needed"));
        }
        match value {
            Some(value) if self.problems.is_empty() => Ok(value),
            _ => Err(Problem::Parameters(self.problems)),
        }
    }

    fn read<T>(
        &mut self,
        name: &str,
        code: &str,
        title: Text,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let value = read(self.text(name)?);
        if value.is_none() {
            self.refuse(name, code, title);
        }
        value
    }

    fn refuse(&mut self, name: &str, code: &str, title: Text) {
        let field = name.chars().take(64).collect();
        self.problems.push(FieldProblem { index: None, field, code: code.to_owned(), title });
    }
}

/// In a query an unescaped + is a blank.
fn with_plus(text: &str) -> String {
    if text.contains('T') { text.replace(' ', "+") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kopru_domain::SubmissionState;

    fn params(query: &str, allowed: &[&str]) -> Params {
        Params::of(&format!("/x?{query}").parse().unwrap(), allowed)
    }

    #[test]
    fn good_parameters_are_read() {
        let mut params = params(
            "limit=7&wait=10s&due=2026-11-25T17:00:00+03:00&state=queued&code=",
            &["limit", "wait", "due", "state", "code"],
        );
        assert_eq!(params.limit(1_000), 7);
        assert_eq!(params.duration("wait", Duration::from_secs(30)), Some(Duration::from_secs(10)));
        assert_eq!(params.instant("due"), Some("2026-11-25T14:00:00Z".parse().unwrap()));
        assert_eq!(params.word("state", &["queued"]), Some(SubmissionState::Queued));
        assert_eq!(params.text("code"), None);
        assert!(params.finish().is_ok());
    }

    #[test]
    fn a_parameter_that_must_be_there_is_asked_for() {
        let since = |query| {
            let mut params = params(query, &["since"]);
            let since = params.since("since");
            params.finish_with("since", since)
        };
        let code = |query| match since(query) {
            Err(Problem::Parameters(problems)) => problems[0].code.clone(),
            other => panic!("{other:?}"),
        };
        assert_eq!(
            since("since=2026-11-25").unwrap(),
            "2026-11-24T21:00:00Z".parse::<DateTime<Utc>>().unwrap()
        );
        assert_eq!(since("since=2026-11-25T00:00:00+03:00").unwrap(), since("since=2026-11-25").unwrap());
        assert_eq!([code(""), code("since="), code("since=soon")], ["missing", "missing", "instant"]);
        assert_eq!(code("since=2026-11-25&from=1"), "unknown_parameter");
    }

    #[test]
    fn everything_wrong_is_told_at_once() {
        let mut params = params(
            "limt=7&limit=0&limit=1&wait=31s&due=tomorrow&state=lost&after=%00",
            &["limit", "wait", "due", "state", "after"],
        );
        assert_eq!(params.limit(1_000), PAGE);
        params.duration("wait", Duration::from_secs(30));
        params.instant("due");
        params.word::<SubmissionState>("state", &["queued"]);
        params.cursor("after", List::Providers, List::number);
        let Err(Problem::Parameters(problems)) = params.finish() else { panic!("they were taken") };
        let wrong: Vec<(&str, &str)> =
            problems.iter().map(|problem| (problem.field.as_str(), problem.code.as_str())).collect();
        assert_eq!(
            wrong,
            [
                ("limt", "unknown_parameter"),
                ("limit", "repeated"),
                ("limit", "number"),
                ("wait", "duration"),
                ("due", "instant"),
                ("state", "word"),
                ("after", "cursor"),
            ]
        );
    }
}
