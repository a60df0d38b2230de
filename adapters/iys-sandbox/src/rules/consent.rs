//! The fields of a consent (protocol 4.1, 7.5 to 7.8): everything that can be said without knowing what
//! is already recorded. All findings come together.

use std::collections::HashSet;

use serde_json::Value;

use super::{Finding, Rule};
use crate::address::{self, AddressPolicy, Kind};
use crate::calendar::{self, AgePolicy};
use crate::draft::{DateField, Draft, Word};
use crate::wire_time::DateFault;
use crate::words::{self, Channel, RecipientType, Status};

/// 2015-05-01 00:00:00 in Turkey: the earliest consent date, and the only one of HS_2015.
pub(crate) const FIRST_OF_MAY_2015: i64 = 1_430_427_600;
/// The most retailers that may be given access by one consent.
const RETAILER_ACCESS_MAX: usize = 3000;
/// The only keys a consent may have.
const KEYS: [&str; 8] = [
    "recipient",
    "type",
    "source",
    "status",
    "consentDate",
    "recipientType",
    "retailerCode",
    "retailerAccess",
];

/// A consent and what its fields are judged by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FieldCase<'a> {
    pub(crate) draft: &'a Draft<'a>,
    /// The registry's present, Unix seconds.
    pub(crate) now: i64,
    /// The reading of the three-day rule; `None` before the provider's activation date.
    pub(crate) age: Option<AgePolicy>,
    pub(crate) addresses: AddressPolicy,
}

impl FieldCase<'_> {
    /// A required field that is not there; `null` counts as not there.
    fn missing(&self, field: &str) -> Option<Finding> {
        let missing = self.draft.map.get(field).is_none_or(Value::is_null);
        missing.then(|| Finding::at(field))
    }

    /// A field whose absence only matters for individuals.
    fn missing_for_individual(&self, field: &str) -> Option<Finding> {
        let merchant = self.draft.recipient_type == Word::Known(RecipientType::Merchant);
        if merchant { None } else { self.missing(field) }
    }

    fn unknown<T>(&self, field: &str, word: &Word<T>) -> Option<Finding> {
        matches!(word, Word::Unknown).then(|| self.offending(field))
    }

    fn offending(&self, field: &str) -> Finding {
        let value = self.draft.map.get(field).cloned().unwrap_or_default();
        Finding::at(field).value(value)
    }

    /// The address, when the channel decides what it must be and it is not.
    fn misfit(&self, channels: &[Channel]) -> Option<Finding> {
        let Word::Known(channel) = self.draft.channel else { return None };
        if !channels.contains(&channel) || self.missing("recipient").is_some() {
            return None;
        }
        let fits = self
            .draft
            .recipient
            .is_some_and(|text| address::fits(address::kind(text, self.addresses), channel, self.addresses));
        (!fits).then(|| self.offending("recipient"))
    }

    fn date(&self) -> Option<i64> {
        match self.draft.date {
            DateField::At(instant) => Some(instant),
            _ => None,
        }
    }

    fn date_fault(&self, fault: DateFault) -> Option<Finding> {
        (self.draft.date == DateField::Faulty(fault)).then(|| self.offending("consentDate"))
    }

    /// A retailer list that is there at all.
    fn access(&self) -> Option<&Value> {
        self.draft.map.get("retailerAccess")
    }
}

type Check = for<'a> fn(&FieldCase<'a>) -> Option<Finding>;

const PHONES: [Channel; 2] = [Channel::Call, Channel::Message];

/// The rules about one consent's fields.
pub(crate) const FIELDS: &[Rule<Check>] = &[
    Rule::new("H118", 422, "unknown_key", |case| {
        let (key, value) = case.draft.map.iter().find(|(key, _)| !KEYS.contains(&key.as_str()))?;
        Some(Finding::at(key).value(value.clone()).detail(key))
    }),
    Rule::new("H110", 422, "status_missing", |case| case.missing("status")),
    Rule::new("H111", 422, "type_missing", |case| case.missing("type")),
    Rule::new("H112", 422, "consent_date_missing", |case| case.missing_for_individual("consentDate")),
    Rule::new("H113", 422, "source_missing", |case| case.missing_for_individual("source")),
    Rule::new("H114", 422, "recipient_missing", |case| case.missing("recipient")),
    Rule::new("H115", 422, "status_unknown", |case| case.unknown("status", &case.draft.status)),
    Rule::new("H116", 422, "recipient_type_unknown", |case| {
        case.unknown("recipientType", &case.draft.recipient_type)
    }),
    Rule::new("H117", 422, "type_unknown", |case| case.unknown("type", &case.draft.channel)),
    Rule::new("H119", 422, "source_unknown", |case| case.unknown("source", &case.draft.source)),
    Rule::new("H160", 422, "phone_too_long", |case| {
        let long = case.draft.recipient.is_some_and(address::is_overlong_phone);
        let phone_wanted = matches!(case.draft.channel, Word::Known(channel) if PHONES.contains(&channel));
        (long && phone_wanted).then(|| case.offending("recipient"))
    }),
    Rule::new("H120", 422, "email_invalid", |case| case.misfit(&[Channel::Email])),
    Rule::new("H121", 422, "phone_invalid", |case| case.misfit(&PHONES)),
    Rule::new("H122", 422, "recipient_is_no_address", |case| {
        let channel_known = matches!(case.draft.channel, Word::Known(_));
        let kind = case.draft.recipient.map_or(Kind::Neither, |text| address::kind(text, case.addresses));
        let wrong = !channel_known && case.missing("recipient").is_none() && kind == Kind::Neither;
        wrong.then(|| case.offending("recipient"))
    }),
    Rule::new("H158", 422, "date_format", |case| case.date_fault(DateFault::Format)),
    Rule::new("H157", 422, "date_not_real", |case| case.date_fault(DateFault::NotReal)),
    Rule::new("H156", 422, "date_before_may_2015", |case| {
        (case.date()? < FIRST_OF_MAY_2015).then(|| case.offending("consentDate"))
    }),
    Rule::new("H155", 422, "hs_2015_has_one_date", |case| {
        let old_stock = case.draft.source == Word::Known(words::HS_2015);
        (case.date()? != FIRST_OF_MAY_2015 && old_stock).then(|| case.offending("consentDate"))
    }),
    Rule::new("H162", 422, "date_in_future", |case| {
        (case.date()? > case.now).then(|| case.offending("consentDate"))
    }),
    Rule::new("H467", 422, "three_business_days", |case| {
        let date = case.date().filter(|date| *date >= FIRST_OF_MAY_2015)?;
        let last = calendar::last_acceptable(date, case.age?);
        (case.now > last).then(|| case.offending("consentDate"))
    }),
    Rule::new("H163", 422, "retailer_access_empty", |case| {
        let empty = case.access()?.as_array().is_none_or(Vec::is_empty);
        empty.then(|| case.offending("retailerAccess"))
    }),
    Rule::new("H126", 422, "retailer_access_too_long", |case| {
        let long = case.access()?.as_array()?.len() > RETAILER_ACCESS_MAX;
        long.then(|| case.offending("retailerAccess"))
    }),
    Rule::new("H193", 422, "retailer_access_repeats", |case| {
        let mut seen = HashSet::new();
        let list = case.access()?.as_array()?;
        let (position, value) = list.iter().enumerate().find(|(_, code)| !seen.insert(code.to_string()))?;
        Some(Finding::at("retailerAccess").step(position).value(value.clone()))
    }),
    Rule::new("H408", 422, "own_decision_only_rejects", |case| {
        let own_decision = case.draft.source == Word::Known(words::HS_KARAR);
        let approves = case.draft.status == Word::Known(Status::Approval);
        (own_decision && approves).then(|| case.offending("status"))
    }),
];

/// The keys of the consents that stand before one in a list.
pub(crate) struct BatchCase {
    /// The key was seen before in the same list.
    pub(crate) repeated: bool,
}

type BatchCheck = fn(&BatchCase) -> Option<Finding>;

/// The rules about a list of consents.
pub(crate) const BATCH: &[Rule<BatchCheck>] =
    &[Rule::new("H194", 422, "key_repeats_in_batch", |case| case.repeated.then(Finding::new))];

/// The retailers a consent names that the brand does not have.
#[derive(Debug, Default)]
pub(crate) struct RetailerCase {
    pub(crate) unknown_intermediary: Option<Value>,
    /// Position and value in `retailerAccess`.
    pub(crate) unknown_access: Option<(usize, Value)>,
}

type RetailerCheck = fn(&RetailerCase) -> Option<Finding>;

/// The rules about retailers (H180).
pub(crate) const RETAILER: &[Rule<RetailerCheck>] = &[
    Rule::new("H180", 403, "intermediary_unknown", |case| {
        let value = case.unknown_intermediary.clone()?;
        Some(Finding::at("retailerCode").value(value))
    }),
    Rule::new("H180", 403, "access_retailer_unknown", |case| {
        let (position, value) = case.unknown_access.clone()?;
        Some(Finding::at("retailerAccess").step(position).value(value))
    }),
];
