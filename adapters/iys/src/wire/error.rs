//! The registry's refusals (registry-protocol section 2, "error body").

use std::fmt;

use serde::de::Deserializer;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A refusal: one item per bad field, or one for the whole request. Writes as `{"errors":[…]}`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct ErrorBody {
    /// The items in the registry's order; the first one decides what to do.
    pub errors: Vec<ErrorItem>,
}

/// One reason of a refusal.
///
/// ViA Pass has a shape of its own (`errorCode`, `errorMessage`, `data`, `subSystemErrorInfo`), which is read into the
/// same items.
///
/// `Debug` leaves out the message and the value, for both may repeat an address.
#[derive(Clone, Default, PartialEq, Serialize)]
pub struct ErrorItem {
    /// One of [`codes`](crate::codes), or an OAuth2 word such as `invalid_grant`; `None` when the body shows none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Turkish prose for people; never branch on it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// The path to the field, such as `retailerAccess`, 0.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub location: Vec<LocationPart>,
    /// The offending value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
    /// The position in a batch, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub index: Option<usize>,
}

/// One step of an error's path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum LocationPart {
    /// A position in a list, from 0.
    Position(usize),
    /// A key.
    Field(String),
}

/// The token endpoint's own shape of a refusal, always with HTTP 400.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OAuthError {
    /// `invalid_request` or `invalid_grant`.
    pub error: String,
    /// Turkish prose.
    #[serde(default)]
    pub error_description: String,
}

impl ErrorItem {
    /// An item with a code and a message.
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: Some(code.into()), message: message.into(), ..Self::default() }
    }

    /// The same item, pointing at a field.
    #[must_use]
    pub fn at(mut self, field: impl Into<String>) -> Self {
        self.location.push(LocationPart::Field(field.into()));
        self
    }

    /// The same item, pointing at an entry of the field named before.
    #[must_use]
    pub fn at_position(mut self, position: usize) -> Self {
        self.location.push(LocationPart::Position(position));
        self
    }

    /// The same item, pointing at a position in a batch.
    #[must_use]
    pub fn in_batch(mut self, index: usize) -> Self {
        self.index = Some(index);
        self
    }

    /// The same item with the offending value.
    #[must_use]
    pub fn with_value(mut self, value: impl Into<Value>) -> Self {
        self.value = Some(value.into());
        self
    }

    /// The name of the field that the item is about.
    pub fn field(&self) -> Option<&str> {
        self.location.iter().find_map(|part| match part {
            LocationPart::Field(name) => Some(name.as_str()),
            LocationPart::Position(_) => None,
        })
    }

    /// The position inside that field, where it is a list.
    pub fn position(&self) -> Option<usize> {
        self.location.iter().find_map(|part| match part {
            LocationPart::Position(position) => Some(*position),
            LocationPart::Field(_) => None,
        })
    }

    fn from_map(mut fields: Map<String, Value>) -> Self {
        // One documented example family spells the key with a colon inside.
        let code = ["code", "code:"].iter().find_map(|key| text_of(fields.get(*key)?));
        let message = ["message", "error_description"].iter().find_map(|key| text_of(fields.get(*key)?));
        let location = match fields.remove("location") {
            Some(Value::Array(parts)) => parts.iter().filter_map(location_part).collect(),
            Some(single) => location_part(&single).into_iter().collect(),
            None => Vec::new(),
        };
        let index = fields.get("index").and_then(text_of).and_then(|text| text.parse().ok());
        let value = fields.remove("value").filter(|value| !value.is_null());
        Self { code, message: message.unwrap_or_default(), location, value, index }
    }
}

impl fmt::Debug for ErrorItem {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.debug_struct("ErrorItem")
            .field("code", &self.code)
            .field("location", &self.location)
            .field("index", &self.index)
            .finish_non_exhaustive()
    }
}

impl<'de> Deserialize<'de> for ErrorItem {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(Self::from_map(Map::deserialize(from)?))
    }
}

impl ErrorBody {
    /// A body with one item.
    pub fn one(item: ErrorItem) -> Self {
        Self { errors: vec![item] }
    }

    /// Reads an error body; `None` when it is not JSON, or JSON of no known shape (a gateway's page, a bare string).
    pub fn parse(body: &[u8]) -> Option<Self> {
        Self::from_value(serde_json::from_slice(body).ok()?)
    }

    /// The first item's code.
    pub fn code(&self) -> Option<&str> {
        self.errors.iter().find_map(|item| item.code.as_deref())
    }

    pub(crate) fn from_value(value: Value) -> Option<Self> {
        match value {
            Value::Array(items) => Some(Self { errors: items.into_iter().filter_map(item_of).collect() }),
            Value::Object(mut fields) => {
                if fields.contains_key("errorCode") {
                    return Some(Self { errors: via_pass_items(fields) });
                }
                if let Some(errors) = fields.remove("errors") {
                    return Self::from_value(errors);
                }
                match fields.remove("error") {
                    Some(Value::String(word)) => {
                        let mut item = ErrorItem::from_map(fields);
                        item.code = item.code.or(Some(word));
                        Some(Self::one(item))
                    }
                    Some(nested) => Self::from_value(nested),
                    None => Some(Self::one(ErrorItem::from_map(fields))),
                }
            }
            _ => None,
        }
    }
}

impl<'de> Deserialize<'de> for ErrorBody {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Self::from_value(Value::deserialize(from)?)
            .ok_or_else(|| serde::de::Error::custom("an error body must be an object or a list"))
    }
}

/// ViA Pass: the codes of the service that failed behind it come first, for they say what is wrong; then its own code,
/// once for each field that it names.
fn via_pass_items(mut fields: Map<String, Value>) -> Vec<ErrorItem> {
    let code = fields.get("errorCode").and_then(text_of);
    let message = fields.get("errorMessage").and_then(text_of).unwrap_or_default();
    let behind = match fields.remove("subSystemErrorInfo") {
        Some(Value::Object(mut info)) => info.remove("errors").and_then(ErrorBody::from_value),
        _ => None,
    };
    let mut items = behind.unwrap_or_default().errors;
    let named = match fields.remove("data") {
        Some(Value::Array(named)) => named,
        _ => Vec::new(),
    };
    let before = items.len();
    for field in &named {
        let text = |key: &str| field.get(key).and_then(text_of);
        if let Some(name) = text("field") {
            let message = text("message").unwrap_or_else(|| message.clone());
            items.push(ErrorItem { code: code.clone(), message, ..ErrorItem::default() }.at(name));
        }
    }
    if items.len() == before {
        items.push(ErrorItem { code, message, ..ErrorItem::default() });
    }
    items
}

fn item_of(value: Value) -> Option<ErrorItem> {
    match value {
        Value::Object(fields) => Some(ErrorItem::from_map(fields)),
        Value::String(message) => Some(ErrorItem { message, ..ErrorItem::default() }),
        _ => None,
    }
}

fn location_part(value: &Value) -> Option<LocationPart> {
    match value {
        Value::String(name) => Some(LocationPart::Field(name.clone())),
        Value::Number(number) => number.as_u64().map(|position| LocationPart::Position(position as usize)),
        _ => None,
    }
}

fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
