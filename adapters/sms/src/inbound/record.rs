//! Records: the flat lists of names and texts that a push consists of.

use serde_json::{Map, Value};

use super::{Mapping, Request, Unreadable, mend};
use crate::decode::{decode_body, form};

/// Names and texts. Names of nested objects are joined by full stops: `report.status`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Record(Vec<(String, String)>);

impl Record {
    /// The first of the names that has a text that is not empty.
    pub fn first(&self, names: &[String]) -> Option<&str> {
        names.iter().find_map(|name| self.get(name).map(str::trim).filter(|text| !text.is_empty()))
    }

    /// The first of the names that is there at all, as it stands: an empty text is a text too.
    pub fn present(&self, names: &[String]) -> Option<&str> {
        names.iter().find_map(|name| self.get(name))
    }

    fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(of, _)| of == name);
        let found = found.or_else(|| self.0.iter().find(|(of, _)| of.eq_ignore_ascii_case(name)));
        found.map(|(_, text)| text.as_str())
    }

    pub fn to_json(&self) -> String {
        let map: Map<String, Value> =
            self.0.iter().map(|(name, text)| (name.clone(), Value::from(text.as_str()))).collect();
        Value::Object(map).to_string()
    }
}

/// The records of a push.
pub(super) fn read(mapping: &Mapping, request: Request<'_>) -> Result<Vec<Record>, Unreadable> {
    let query = form(request.query.unwrap_or_default().as_bytes());
    let body = request.body.trim_ascii();
    if body.is_empty() {
        return if query.is_empty() { Err(Unreadable::Empty) } else { Ok(vec![Record(query)]) };
    }
    let kind = request.content_type.unwrap_or_default().to_ascii_lowercase();
    let text = decode_body(body);
    // Some say one thing and send the other: the first sign decides where the header does not say `form`
    if kind.contains("json") || (!kind.contains("form") && text.starts_with(['[', '{'])) {
        let mut records = from_json(mapping, &text)?;
        if let [record] = &mut records[..] {
            record.0.extend(query);
        }
        return Ok(records);
    }
    let mut pairs = form(body);
    // A form whose one field is JSON
    if let [(_, only)] = &pairs[..]
        && only.starts_with(['[', '{'])
        && let Ok(records) = from_json(mapping, only)
    {
        return Ok(records);
    }
    pairs.extend(query);
    Ok(vec![Record(pairs)])
}

/// The records of a JSON text.
pub(super) fn from_json(mapping: &Mapping, text: &str) -> Result<Vec<Record>, Unreadable> {
    let value = match serde_json::from_str::<Value>(text) {
        Ok(value) => value,
        Err(_) => {
            serde_json::from_str(&mend::mend(text)).map_err(|error| Unreadable::Json(error.to_string()))?
        }
    };
    let mut records = Vec::new();
    collect(mapping, &value, &mut records);
    Ok(records)
}

fn collect(mapping: &Mapping, value: &Value, records: &mut Vec<Record>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(mapping, item, records)),
        Value::Object(_) => {
            let list = mapping.list.iter().find_map(|path| at(value, path));
            match list {
                // `null` and an empty text are empty lists
                Some(Value::Null | Value::String(_)) => {}
                // One entry needs no list
                Some(one @ Value::Object(_)) => records.push(flatten(one)),
                Some(list) => collect(mapping, list, records),
                None => records.push(flatten(value)),
            }
        }
        _ => {}
    }
}

/// What stands at a path whose parts are joined by full stops.
fn at<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
    path.split('.').try_fold(value, |value, name| value.get(name))
}

fn flatten(value: &Value) -> Record {
    let mut pairs = Vec::new();
    walk("", value, &mut pairs);
    Record(pairs)
}

fn walk(name: &str, value: &Value, pairs: &mut Vec<(String, String)>) {
    match value {
        Value::Object(map) => {
            for (inner, value) in map {
                let name = if name.is_empty() { inner.clone() } else { format!("{name}.{inner}") };
                walk(&name, value, pairs);
            }
        }
        Value::String(text) => pairs.push((name.to_owned(), text.clone())),
        Value::Number(number) => pairs.push((name.to_owned(), number.to_string())),
        Value::Bool(bool) => pairs.push((name.to_owned(), bool.to_string())),
        Value::Null | Value::Array(_) => {}
    }
}
