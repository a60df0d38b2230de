//! Which retailers can see which consents (protocol 4.15).

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::{Finding, Rule};
use crate::address::{self, AddressPolicy, Kind};
use crate::words::{Channel, RecipientType};

/// The most addresses of one request, and the most retailers.
const LIST_MAX: usize = 100;

/// A request to give or take access.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AccessCase<'a> {
    pub(crate) map: &'a Map<String, Value>,
    /// The addresses stand in a list, not alone.
    pub(crate) many: bool,
    /// The request names retailers.
    pub(crate) names_retailers: bool,
    pub(crate) addresses: AddressPolicy,
}

impl<'a> AccessCase<'a> {
    fn given(&self, field: &str) -> Option<&'a Value> {
        self.map.get(field).filter(|value| !value.is_null())
    }

    /// A field that is there but holds no known word.
    fn unknown<T>(&self, field: &str, parse: impl Fn(&str) -> Option<T>) -> Option<Finding> {
        let value = self.given(field)?;
        value.as_str().and_then(parse).is_none().then(|| Finding::at(field).value(value.clone()))
    }

    /// The channel the request is about.
    pub(crate) fn channel(&self) -> Option<Channel> {
        self.given("type").and_then(Value::as_str).and_then(Channel::parse)
    }

    /// In which capacity the addresses were recorded.
    pub(crate) fn recipient_type(&self) -> Option<RecipientType> {
        self.given("recipientType").and_then(Value::as_str).and_then(RecipientType::parse)
    }

    /// The value that holds the addresses.
    fn recipients_field(&self) -> Option<&'a Value> {
        self.given(if self.many { "recipients" } else { "recipient" })
    }

    /// The addresses.
    pub(crate) fn recipients(&self) -> &'a [Value] {
        match self.recipients_field() {
            Some(Value::Array(list)) if self.many => list,
            Some(one) if !self.many => std::slice::from_ref(one),
            _ => &[],
        }
    }

    /// The retailers that are named.
    pub(crate) fn retailers(&self) -> &'a [Value] {
        let list = self.given("retailerAccess").filter(|_| self.names_retailers).and_then(Value::as_array);
        list.map_or(&[], Vec::as_slice)
    }

    /// The first address that does not fit one of these channels, when the request is about it.
    fn misfit(&self, channels: &[Channel]) -> Option<Finding> {
        let channel = self.channel().filter(|channel| channels.contains(channel))?;
        let policy = AddressPolicy { landline_message: true, ..self.addresses };
        let (position, value) = self.recipients().iter().enumerate().find(|(_, value)| {
            let kind = value.as_str().map_or(Kind::Neither, |text| address::kind(text, policy));
            !address::fits(kind, channel, policy)
        })?;
        let place =
            if self.many { Finding::at("recipients").step(position) } else { Finding::at("recipient") };
        Some(place.value(value.clone()))
    }

    fn missing(&self, field: &str) -> Option<Finding> {
        self.given(field).is_none().then(|| Finding::at(field))
    }
}

type Check = for<'a> fn(&AccessCase<'a>) -> Option<Finding>;

/// The rules about such a request. A list may name an address twice, as the document's examples do.
pub(crate) const ACCESS_LIST: &[Rule<Check>] = &[
    Rule::new("H111", 422, "access_type_missing", |case| case.missing("type")),
    Rule::new("H170", 422, "access_recipient_type_missing", |case| case.missing("recipientType")),
    Rule::new("H117", 422, "access_type_unknown", |case| case.unknown("type", Channel::parse)),
    Rule::new("H116", 422, "access_recipient_type_unknown", |case| {
        case.unknown("recipientType", RecipientType::parse)
    }),
    // The document has this code, and this place, for the one address too.
    Rule::new("H168", 422, "access_recipients_missing", |case| {
        case.recipients_field().is_none().then(|| Finding::at("recipients"))
    }),
    Rule::new("H478", 422, "access_recipients_not_a_list", |case| {
        let value = case.recipients_field().filter(|value| case.many && !value.is_array())?;
        Some(Finding::at("recipients").value(value.clone()))
    }),
    Rule::new("H164", 422, "access_recipients_empty", |case| {
        let empty = case.recipients_field()?.as_array()?.is_empty();
        (case.many && empty).then(|| Finding::at("recipients").value(Value::Array(Vec::new())))
    }),
    Rule::new("H127", 422, "access_recipients_too_many", |case| {
        let value = case.recipients_field()?;
        (case.recipients().len() > LIST_MAX).then(|| Finding::at("recipients").value(value.clone()))
    }),
    Rule::new("H120", 422, "access_email_invalid", |case| case.misfit(&[Channel::Email])),
    Rule::new("H121", 422, "access_phone_invalid", |case| case.misfit(&[Channel::Call, Channel::Message])),
    Rule::new("H169", 422, "access_retailers_missing", |case| {
        case.missing("retailerAccess").filter(|_| case.names_retailers)
    }),
    Rule::new("H163", 422, "access_retailers_empty", |case| {
        let value = case.given("retailerAccess").filter(|_| case.names_retailers)?;
        let empty = value.as_array().is_none_or(Vec::is_empty);
        empty.then(|| Finding::at("retailerAccess").value(value.clone()))
    }),
    Rule::new("H126", 422, "access_retailers_too_many", |case| {
        let list = case.retailers();
        (list.len() > LIST_MAX).then(|| Finding::at("retailerAccess").value(list.to_vec()))
    }),
    Rule::new("H193", 422, "access_retailers_repeat", |case| {
        let mut seen = HashSet::new();
        let repeated = case.retailers().iter().enumerate().find(|(_, code)| !seen.insert(code.to_string()));
        let (position, value) = repeated?;
        Some(Finding::at("retailerAccess").step(position).value(value.clone()))
    }),
];

/// What the records say of such a request.
#[derive(Debug, Clone, Default)]
pub(crate) struct RecordCase {
    /// The consent that is to be seen does not exist.
    pub(crate) consent_missing: bool,
    /// A retailer whose access shall be taken, and which the brand does not have.
    pub(crate) unknown_retailer: Option<Value>,
}

type RecordCheck = fn(&RecordCase) -> Option<Finding>;

/// The rules about what has to be there already.
pub(crate) const ACCESS_RECORD: &[Rule<RecordCheck>] = &[
    Rule::new("H401", 400, "access_consent_unknown", |case| case.consent_missing.then(Finding::new)),
    // Other than where access is given: there it is H180.
    Rule::new("H058", 404, "removed_retailer_unknown", |case| {
        let code = case.unknown_retailer.as_ref()?;
        Some(Finding::new().detail(code.to_string()))
    }),
];
