//! A consent as it came, half understood, and as it is once all field rules have passed.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::address;
use crate::rules::effect;
use crate::settings::Effective;
use crate::wire_time::{self, DateFault};
use crate::words::{self, Channel, RecipientType, Status};

/// A field that holds one of a set of words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Word<T> {
    Missing,
    Unknown,
    Known(T),
}

impl<T> Word<T> {
    /// Reads a field; a `null` stands for no value here and is judged by the field's own rules.
    fn of(value: Option<&Value>, parse: impl Fn(&str) -> Option<T>) -> Self {
        match value {
            None => Self::Missing,
            Some(value) => value.as_str().and_then(parse).map_or(Self::Unknown, Self::Known),
        }
    }

    /// As [`Self::of`] for a required field, where `null` is reported as missing and not as unknown.
    fn required(value: Option<&Value>, parse: impl Fn(&str) -> Option<T>) -> Self {
        Self::of(value.filter(|value| !value.is_null()), parse)
    }

    fn known(self) -> Option<T> {
        match self {
            Self::Known(word) => Some(word),
            _ => None,
        }
    }
}

/// The consent date as far as it could be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DateField {
    Missing,
    Faulty(DateFault),
    /// Unix seconds.
    At(i64),
}

/// A consent as it came.
#[derive(Debug)]
pub(crate) struct Draft<'a> {
    pub(crate) map: &'a Map<String, Value>,
    /// The address, when it is a text.
    pub(crate) recipient: Option<&'a str>,
    pub(crate) recipient_type: Word<RecipientType>,
    pub(crate) channel: Word<Channel>,
    pub(crate) status: Word<Status>,
    pub(crate) source: Word<&'static str>,
    pub(crate) date: DateField,
}

impl<'a> Draft<'a> {
    /// Reads what can be read.
    pub(crate) fn read(map: &'a Map<String, Value>) -> Self {
        let recipient_type = match Word::of(map.get("recipientType"), RecipientType::parse) {
            Word::Missing => Word::Known(RecipientType::Individual),
            word => word,
        };
        // Optional for merchants, so that a `null` there is an unusable value and not an absence.
        let optional = recipient_type == Word::Known(RecipientType::Merchant);
        let present = |key: &str| map.get(key).filter(|value| optional || !value.is_null());
        let date = match present("consentDate") {
            None => DateField::Missing,
            Some(Value::String(text)) => wire_time::read(text).map_or_else(DateField::Faulty, DateField::At),
            Some(_) => DateField::Faulty(DateFault::Format),
        };
        Self {
            recipient: map.get("recipient").and_then(Value::as_str),
            recipient_type,
            channel: Word::required(map.get("type"), Channel::parse),
            status: Word::required(map.get("status"), Status::parse),
            source: Word::of(present("source"), words::provider_source),
            date,
            map,
        }
    }

    /// The consent, once the field rules have passed; `None` when a field is unusable all the same,
    /// which only happens with rules taken out.
    pub(crate) fn finish(&self, settings: &Effective) -> Option<Consent> {
        let recipient = self.recipient?;
        let lower = settings.is_on(effect::LOWER_CASE_EMAIL);
        let codes =
            |value: &Value| value.as_array().map(|list| list.iter().filter_map(Value::as_i64).collect());
        Some(Consent {
            key: Key {
                recipient: if lower { address::stored(recipient) } else { recipient.to_owned() },
                recipient_type: self.recipient_type.known()?,
                channel: self.channel.known()?,
            },
            status: self.status.known()?,
            source: self.source.known().map(str::to_owned),
            date: match self.date {
                DateField::At(instant) => Some(instant),
                _ => None,
            },
            retailer_code: self.map.get("retailerCode").and_then(Value::as_i64),
            retailer_access: self.map.get("retailerAccess").and_then(codes).unwrap_or_default(),
        })
    }
}

/// What a record is about, inside one brand.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Key {
    pub(crate) recipient: String,
    pub(crate) recipient_type: RecipientType,
    pub(crate) channel: Channel,
}

/// A consent that passed the field rules, or a movement that the citizen made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Consent {
    pub(crate) key: Key,
    pub(crate) status: Status,
    pub(crate) source: Option<String>,
    /// Unix seconds.
    pub(crate) date: Option<i64>,
    pub(crate) retailer_code: Option<i64>,
    pub(crate) retailer_access: Vec<i64>,
}

impl Consent {
    /// A fingerprint of the whole body: equal consents are "the same parameters again" for v2.
    pub(crate) fn fingerprint(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        for part in [
            self.key.recipient.as_str(),
            self.key.recipient_type.as_str(),
            self.key.channel.as_str(),
            self.status.as_str(),
            self.source.as_deref().unwrap_or_default(),
        ] {
            hash.update(part.as_bytes());
            hash.update([0]);
        }
        for number in [self.date, self.retailer_code] {
            hash.update(number.unwrap_or(-1).to_be_bytes());
        }
        for code in &self.retailer_access {
            hash.update(code.to_be_bytes());
        }
        hash.finalize().into()
    }
}
