//! What a request ends in.

use bytes::Bytes;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::Desk;
use crate::error::{Error, Result};
use crate::rules::{ErrorItem, Refusal};
use crate::store::push::PushConnection;
use crate::store::reports::Day;

/// What goes back to the client.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Answer {
    /// A status and a JSON body.
    Json(u16, Value),
    /// A status alone.
    Empty(u16),
    /// A file, or another body that is no JSON. Its status is 200.
    File(Download),
    /// A refusal with `errors[]`.
    Refused(Refusal),
    /// Depends on what other servers say; never sent as it is.
    Connect(Vec<PushConnection>),
    /// A refusal of the token endpoint.
    OAuth {
        /// OAuth's error word.
        error: &'static str,
        /// A sentence.
        description: String,
    },
}

/// A body that is no JSON.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Download {
    pub(crate) media_type: &'static str,
    /// The name under which it is saved.
    pub(crate) name: Option<String>,
    pub(crate) content: Content,
}

/// What is in a [`Download`].
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Content {
    Bytes(Bytes),
    /// The movements of a day, read while they are sent.
    Movements(Day),
}

impl Answer {
    /// 200 with a body.
    pub(crate) fn ok<T: Serialize>(body: &T) -> Result<Self> {
        Ok(Self::Json(200, serde_json::to_value(body)?))
    }

    /// Writes iysCode and brandCode as strings where the settings want it, as some of the document's
    /// examples have it (protocol 2).
    pub(crate) fn with_codes_as_text(mut self, desk: &Desk<'_>) -> Self {
        if desk.settings.settings.codes_as_text
            && let Self::Json(_, body) = &mut self
        {
            codes_to_text(body);
        }
        self
    }

    /// The HTTP status.
    pub(crate) fn status(&self) -> u16 {
        match self {
            Self::Json(status, _) | Self::Empty(status) => *status,
            Self::File(_) => 200,
            Self::Refused(refusal) => refusal.status,
            Self::Connect(_) => 500,
            Self::OAuth { .. } => 400,
        }
    }

    /// The codes of a refusal.
    pub(crate) fn codes(&self) -> Vec<&'static str> {
        match self {
            Self::Refused(refusal) => refusal.errors.iter().map(|item| item.code).collect(),
            Self::OAuth { error, .. } => vec![error],
            _ => Vec::new(),
        }
    }

    /// The body, when it is JSON.
    pub(crate) fn body(self, colon_key: bool) -> Option<Value> {
        match self {
            Self::Json(_, body) => Some(body),
            Self::Empty(_) | Self::File(_) | Self::Connect(_) => None,
            Self::Refused(refusal) => {
                let errors: Vec<Value> =
                    refusal.errors.into_iter().map(|item| item.json(colon_key)).collect();
                Some(json!({ "errors": errors }))
            }
            Self::OAuth { error, description } => {
                Some(json!({ "error": error, "error_description": description }))
            }
        }
    }
}

fn codes_to_text(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(codes_to_text),
        Value::Object(fields) => {
            for (name, value) in fields {
                if name == "iysCode" || name == "brandCode" {
                    *value = Value::from(value.to_string());
                } else {
                    codes_to_text(value);
                }
            }
        }
        _ => {}
    }
}

impl ErrorItem {
    /// The entry as JSON. With `colon_key` H353 stands under `code:`, as in the document's examples.
    pub(crate) fn json(self, colon_key: bool) -> Value {
        let mut item = Map::new();
        if !self.code.is_empty() {
            let key = if colon_key && self.code == "H353" { "code:" } else { "code" };
            item.insert(key.to_owned(), self.code.into());
        }
        item.insert("message".to_owned(), self.message.into());
        if !self.location.is_empty() {
            item.insert("location".to_owned(), self.location.into());
        }
        if let Some(value) = self.value {
            item.insert("value".to_owned(), value);
        }
        if let Some(index) = self.index {
            item.insert("index".to_owned(), index.into());
        }
        Value::Object(item)
    }
}

/// Why an operation stopped before its end.
#[derive(Debug)]
pub(crate) enum Stop {
    /// A rule refused.
    Refused(Refusal),
    /// The simulator failed.
    Failed(Error),
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl<E: Into<Error>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// The result of an operation.
pub(crate) type Outcome = Result<Answer, Stop>;

/// Turns a refusal back into an answer.
pub(crate) fn settle(outcome: Outcome) -> Result<Answer> {
    match outcome {
        Ok(answer) => Ok(answer),
        Err(Stop::Refused(refusal)) => Ok(Answer::Refused(refusal)),
        Err(Stop::Failed(error)) => Err(error),
    }
}
