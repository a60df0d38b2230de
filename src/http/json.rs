//! Reading JSON bodies: straight into types, and only where that fails a second, slow look that tells everything that is
//! wrong, field by field, with what to do.

mod diagnosis;
mod suggestion;

use kopru_domain::Text;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

pub use diagnosis::diagnose;
pub use suggestion::{named, suggestion};

use crate::http::problem::Problem;
use crate::service::FieldProblem;

/// What a field takes.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// A text.
    Text,
    /// A text, or a whole number in its place.
    Code,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A whole number.
    Number,
    /// `true` or `false`.
    Flag,
    /// A list of texts.
    Texts,
    /// A list of whole numbers.
    Numbers,
    /// A list of these words.
    Words(&'static [&'static str]),
    /// An object with these fields.
    Object(&'static [Field]),
}

/// A field of a body.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// JSON name.
    pub name: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// Whether it must be there.
    pub required: bool,
    /// Other names by which people may call it, in lower case and without separators.
    pub aliases: &'static [&'static str],
}

impl Field {
    /// A field that may be left out.
    pub const fn optional(name: &'static str, kind: Kind) -> Self {
        Self { name, kind, required: false, aliases: &[] }
    }

    /// A field that must be there.
    pub const fn required(name: &'static str, kind: Kind) -> Self {
        Self { name, kind, required: true, aliases: &[] }
    }

    /// With other names that lead to it.
    pub const fn also(self, aliases: &'static [&'static str]) -> Self {
        Self { aliases, ..self }
    }
}

/// A body that is one object.
pub trait Body: DeserializeOwned {
    /// Its fields. Whatever fits them must be readable.
    const FIELDS: &'static [Field];
}

/// Reads a body that is one object.
pub fn read<T: Body>(bytes: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(bytes).or_else(|error| {
        // A fault of the text itself wins over what a field may say before it.
        let raw = document(bytes)?;
        let mut problems = diagnose(raw, T::FIELDS, None);
        if problems.is_empty() {
            problems.push(unexplained(None, &error));
        }
        Err(Problem::Fields(problems))
    })
}

/// The whole text as one JSON value, not yet looked into.
pub fn document(bytes: &[u8]) -> Result<&RawValue, Problem> {
    let text = std::str::from_utf8(bytes).map_err(|error| Problem::NotUtf8(error.valid_up_to()))?;
    serde_json::from_str(text).map_err(|error| malformed(&error))
}

/// Where the text is no JSON.
pub fn malformed(error: &serde_json::Error) -> Problem {
    Problem::MalformedJson { line: error.line(), column: error.column() }
}

/// What the reader refused and the diagnosis did not find: its own words, which name no values.
pub fn unexplained(index: Option<usize>, error: &serde_json::Error) -> FieldProblem {
    let (line, column) = (error.line(), error.column());
    let title = Text::new(
        format!("okunamıyor ({line}. satır, {column}. sütun)"),
        format!("it cannot be read (line {line}, column {column})"),
    );
    FieldProblem { index, field: String::new(), code: "unreadable".to_owned(), title }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Person {
        name: String,
        #[serde(default)]
        age: Option<i64>,
    }

    impl Body for Person {
        const FIELDS: &'static [Field] =
            &[Field::required("name", Kind::Text).also(&["ad"]), Field::optional("age", Kind::Number)];
    }

    fn wrong(json: &str) -> Vec<(String, String)> {
        match read::<Person>(json.as_bytes()) {
            Err(Problem::Fields(problems)) => problems.into_iter().map(|one| (one.field, one.code)).collect(),
            other => panic!("{other:?}"),
        }
    }

    fn pair(field: &str, code: &str) -> (String, String) {
        (field.to_owned(), code.to_owned())
    }

    #[test]
    fn a_good_body_is_read() {
        let person: Person = read(br#"{"name": "Ada", "age": null}"#).unwrap();
        assert_eq!((person.name.as_str(), person.age), ("Ada", None));
    }

    #[test]
    fn every_problem_is_told_at_once() {
        assert_eq!(
            wrong(r#"{"ad": "Ada", "age": "7"}"#),
            [pair("ad", "unknown_field"), pair("age", "wrong_type"), pair("name", "missing"),]
        );
    }

    #[test]
    fn a_number_beyond_the_range_is_unreadable_and_not_a_panic() {
        assert_eq!(wrong(r#"{"name": "Ada", "age": 99999999999999999999}"#), [pair("age", "wrong_type")]);
        assert_eq!(wrong(r#"{"name": "Ada", "age": 1.5}"#), [pair("age", "wrong_type")]);
    }

    /// An Excel of Windows-1254 was told that its JSON is broken.
    #[test]
    fn a_text_of_another_encoding_is_told_as_such() {
        assert_eq!(read::<Person>(b"{\"name\": \"\xddstanbul\"}").unwrap_err(), Problem::NotUtf8(10));
    }

    #[test]
    fn a_broken_text_says_where() {
        let broken = read::<Person>(b"{\"name\": \"Ada\",\n \"age\": }").unwrap_err();
        assert_eq!(broken, Problem::MalformedJson { line: 2, column: 9 });
        let late = read::<Person>(b"{\"ad\": 1, \"name\" ").unwrap_err();
        assert!(matches!(late, Problem::MalformedJson { line: 1, .. }));
    }

    #[test]
    fn what_is_no_object_is_told_as_such() {
        assert_eq!(wrong("[]"), [pair("", "wrong_type")]);
        assert_eq!(wrong("7"), [pair("", "wrong_type")]);
    }
}
