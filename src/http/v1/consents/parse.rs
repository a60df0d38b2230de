//! Reading an object or an array of consents. The whole is read straight into types; only where that fails each item is
//! read by itself, so that one bad item is refused and its neighbours live.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::body::{ConsentBody, FIELDS};
use crate::http::json::{diagnose, document, unexplained};
use crate::http::problem::Problem;
use crate::service::FieldProblem;
use crate::service::intake::MAX_ITEMS;

/// A request after reading it.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Parsed {
    /// Items that can be read, with their places.
    pub items: Vec<(usize, ConsentBody)>,
    /// What is wrong with the others.
    pub refused: Vec<FieldProblem>,
}

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
                f.write_str("an array of consents")
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
pub(super) fn parse(body: &[u8]) -> Result<Parsed, Problem> {
    // Some Windows programs begin a text with this mark.
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    match body.trim_ascii_start().first() {
        Some(b'{') => parse_one(body),
        Some(b'[') => parse_many(body),
        _ => Err(neither(document(body)?)),
    }
}

fn parse_one(body: &[u8]) -> Result<Parsed, Problem> {
    match serde_json::from_slice::<ConsentBody>(body) {
        Ok(consent) => Ok(Parsed::default().with(0, consent)),
        Err(_) => Ok(Parsed::default().with_raw(0, document(body)?)),
    }
}

fn parse_many(body: &[u8]) -> Result<Parsed, Problem> {
    if let Ok(list) = serde_json::from_slice::<Bounded<ConsentBody>>(body) {
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

impl Parsed {
    fn with(mut self, index: usize, consent: ConsentBody) -> Self {
        let problems = consent.problems(index);
        if problems.is_empty() {
            self.items.push((index, consent));
        } else {
            self.refused.extend(problems);
        }
        self
    }

    fn with_raw(mut self, index: usize, raw: &RawValue) -> Self {
        match serde_json::from_str::<ConsentBody>(raw.get()) {
            Ok(consent) => self.with(index, consent),
            Err(error) => {
                let problems = diagnose(raw, FIELDS, Some(index));
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

fn neither(raw: &RawValue) -> Problem {
    Problem::Fields(diagnose(raw, FIELDS, None))
}

#[cfg(test)]
mod tests;
