//! Reading what comes as one object, as an array or as a table: each item is read by itself, so that one bad item is refused and
//! its neighbours live.

pub mod fields;
mod table;

use std::fmt;
use std::marker::PhantomData;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::header;
use kopru_domain::{Lang, ShownText, Text, TextRef};
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::http::body::{self, JsonBody};
use crate::http::json::{Body, diagnose, document, unexplained};
use crate::http::problem::Problem;
use crate::http::state::HttpState;
use crate::service::FieldProblem;
use crate::service::intake::MAX_ITEMS;

/// One object, or one of an array.
pub trait Item: Body {
    /// What is wrong beyond its shape, which the intake does not check for every door alike.
    fn problems(&self, index: usize) -> Vec<FieldProblem>;
}

/// A request after reading it.
#[derive(Debug, PartialEq)]
pub struct Parsed<T> {
    /// Items that can be read, with their places.
    pub items: Vec<(usize, T)>,
    /// What is wrong with the others.
    pub refused: Vec<FieldProblem>,
}

impl<T> Default for Parsed<T> {
    fn default() -> Self {
        Self { items: Vec::new(), refused: Vec::new() }
    }
}

/// Hexadecimal digits of a SHA-256.
const SHA256_DIGITS: usize = 64;
/// Longest reference of a client's own.
pub const LONGEST_REFERENCE: usize = 200;
/// Longest fact of an evidence.
pub const LONGEST_FACT: usize = 500;

/// Up to [`MAX_ITEMS`] items of an array, and how many there were: a hostile array costs no memory.
struct Bounded<T> {
    items: Vec<T>,
    found: usize,
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Bounded<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Items<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Items<T> {
            type Value = Bounded<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array of objects")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Self::Value, A::Error> {
                let mut items = Vec::new();
                while items.len() < MAX_ITEMS {
                    match sequence.next_element()? {
                        Some(item) => items.push(item),
                        None => return Ok(Bounded { found: items.len(), items }),
                    }
                }
                let mut found = items.len();
                while sequence.next_element::<IgnoredAny>()?.is_some() {
                    found += 1;
                }
                Ok(Bounded { items, found })
            }
        }

        deserializer.deserialize_seq(Items(PhantomData))
    }
}

impl<T> Bounded<T> {
    fn checked(self) -> Result<Vec<T>, Problem> {
        if self.found > MAX_ITEMS {
            return Err(Problem::TooManyItems { found: self.found, limit: MAX_ITEMS });
        }
        if self.items.is_empty() { Err(Problem::EmptyList) } else { Ok(self.items) }
    }
}

/// Reads a body that is not empty.
pub fn parse<T: Item>(body: &[u8]) -> Result<Parsed<T>, Problem> {
    // Some Windows programs begin a text with this mark.
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    match body.trim_ascii_start().first() {
        Some(b'{') => parse_one(body),
        Some(b'[') => parse_many(body),
        _ => Err(Problem::Fields(diagnose(document(body)?, T::FIELDS, None))),
    }
}

fn parse_one<T: Item>(body: &[u8]) -> Result<Parsed<T>, Problem> {
    match serde_json::from_slice::<T>(body) {
        Ok(item) => Ok(Parsed::default().with(0, item)),
        Err(_) => Ok(Parsed::default().with_raw(0, document(body)?)),
    }
}

fn parse_many<T: Item>(body: &[u8]) -> Result<Parsed<T>, Problem> {
    if let Ok(list) = serde_json::from_slice::<Bounded<T>>(body) {
        let items = list.checked()?;
        return Ok(items
            .into_iter()
            .enumerate()
            .fold(Parsed::default(), |parsed, (index, item)| parsed.with(index, item)));
    }
    // Broken text is told as such, with its place in the whole.
    let whole = document(body)?;
    let list: Bounded<&RawValue> =
        serde_json::from_str(whole.get()).map_err(|error| crate::http::json::malformed(&error))?;
    let items = list.checked()?;
    Ok(items
        .into_iter()
        .enumerate()
        .fold(Parsed::default(), |parsed, (index, raw)| parsed.with_raw(index, raw)))
}

impl<T: Item> Parsed<T> {
    fn with(mut self, index: usize, item: T) -> Self {
        let problems = item.problems(index);
        if problems.is_empty() {
            self.items.push((index, item));
        } else {
            self.refused.extend(problems);
        }
        self
    }

    fn with_raw(mut self, index: usize, raw: &RawValue) -> Self {
        match serde_json::from_str::<T>(raw.get()) {
            Ok(item) => self.with(index, item),
            Err(error) => {
                let problems = diagnose(raw, T::FIELDS, Some(index));
                if problems.is_empty() {
                    self.refused.push(unexplained(Some(index), &error));
                } else {
                    self.refused.extend(problems);
                }
                self
            }
        }
    }
}

/// A body of items, as JSON or as a table.
pub enum ItemsBody {
    /// `application/json`, or nothing said about it.
    Json(Bytes),
    /// `text/csv`, its first row the fields' names.
    Csv(Bytes),
}

impl ItemsBody {
    /// The bytes as they came.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Json(bytes) | Self::Csv(bytes) => bytes,
        }
    }

    /// Reads the items.
    pub fn parse<T: Item>(&self) -> Result<Parsed<T>, Problem> {
        match self {
            Self::Json(bytes) => parse(bytes),
            Self::Csv(bytes) => parse(&table::to_json(bytes, T::FIELDS)?),
        }
    }
}

impl FromRequest<HttpState> for ItemsBody {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &HttpState) -> Result<Self, Problem> {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        if !kind.is_some_and(|kind| kind.trim_start().to_ascii_lowercase().starts_with("text/csv")) {
            return Ok(Self::Json(JsonBody::from_request(request, state).await?.0));
        }
        let bytes = body::read_plain(request, state.app.config.http.body_limit).await?;
        if bytes.trim_ascii().is_empty() { Err(Problem::EmptyBody) } else { Ok(Self::Csv(bytes)) }
    }
}

/// A fact on one line that is not too long, where it is there.
pub fn check_line(index: usize, field: &str, text: Option<&String>, most: usize) -> Option<FieldProblem> {
    let text = text?;
    if text.len() > most && text.chars().count() > most {
        let title = Text::new(
            format!("en çok {most} karakter olmalı"),
            format!("it must be {most} characters at most"),
        );
        return Some(problem(index, field, "too_long", title));
    }
    // Which no database takes in every place.
    text.contains(char::is_control).then(|| {
        let title = Text::fixed(
            "tek satır olmalı; satır sonu, sekme ve başka denetim karakteri içeremez",
            "it must be one line, without line breaks, tabs and other control characters",
        );
        problem(index, field, "control_character", title)
    })
}

/// A SHA-256 in hexadecimal, where it is there.
pub fn check_sha256(index: usize, field: &str, text: Option<&String>) -> Option<FieldProblem> {
    let is_digest =
        |text: &String| text.len() == SHA256_DIGITS && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    text.filter(|text| !is_digest(text)).map(|_| {
        let title =
            Text::fixed("64 onaltılık hane olmalı (SHA-256)", "it must be 64 hexadecimal digits (SHA-256)");
        problem(index, field, "sha256", title)
    })
}

/// Seconds in a voice record, where they are there.
pub fn check_seconds(index: usize, field: &str, seconds: Option<i64>) -> Option<FieldProblem> {
    seconds.filter(|seconds| u32::try_from(*seconds).is_err()).map(|_| {
        let title = Text::fixed(
            "kaydın başından saniye, sıfır ya da büyük",
            "seconds from the record's beginning, zero or more",
        );
        problem(index, field, "number", title)
    })
}

/// A text version, where it is there.
pub fn check_text(index: usize, field: &str, text: Option<&String>) -> Option<FieldProblem> {
    text.filter(|text| text.parse::<TextRef>().is_err()).map(|_| {
        let title = Text::fixed(
            "kod/sürüm biçiminde olmalı: sms-onay/1 gibi",
            "it must be code/version, such as sms-onay/1",
        );
        problem(index, field, "text", title)
    })
}

/// A retailer's number, where it is there.
pub fn check_retailer(index: usize, field: &str, code: Option<i64>) -> Option<FieldProblem> {
    code.filter(|code| *code <= 0).map(|_| {
        let title = Text::fixed(
            "bayinin İYS'deki numarası sıfırdan büyüktür",
            "a retailer's number at the registry is above zero",
        );
        problem(index, field, "number", title)
    })
}

/// The text version that a field names, which [`check_text`] has passed.
pub fn shown(name: Option<&str>, lang: Option<Lang>) -> Option<ShownText> {
    Some(ShownText::new(name?.parse().ok()?, lang.unwrap_or_default()))
}

/// A problem of an item's field.
pub fn problem(index: usize, field: &str, code: &str, title: Text) -> FieldProblem {
    FieldProblem { index: Some(index), field: field.to_owned(), code: code.to_owned(), title }
}

#[cfg(test)]
mod tests;
