//! The question for links by which citizens reject e-mails (protocol 10.7).
//!
//! The document names codes for missing and unknown fields, and H160 with H121 for a phone where an e-mail
//! belongs. Assumed are H120 for anything else, H164 for an empty list, H478 for something else than a
//! list, and H127 for more than a hundred recipients, as other methods have them.

use serde_json::{Map, Value};

use super::{Finding, Rule};
use crate::address::{self, AddressPolicy, Kind};
use crate::words::{RecipientType, Status};

/// The most links in one answer.
const RECIPIENTS_MAX: usize = 100;

/// The list as it came.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LinksCase<'a> {
    /// The value of `recipients`, when the key is there.
    pub(crate) recipients: Option<&'a Value>,
}

type LinksCheck = for<'a> fn(&LinksCase<'a>) -> Option<Finding>;

/// The rules about the list.
pub(crate) const LINKS: &[Rule<LinksCheck>] = &[
    Rule::new("H168", 422, "link_recipients_missing", |case| {
        case.recipients.is_none().then(|| Finding::at("recipients"))
    }),
    Rule::new("H478", 422, "link_recipients_not_a_list", |case| {
        let value = case.recipients.filter(|value| !value.is_array())?;
        Some(Finding::at("recipients").value(value.clone()))
    }),
    Rule::new("H164", 422, "link_recipients_empty", |case| {
        case.recipients?.as_array()?.is_empty().then(|| Finding::at("recipients"))
    }),
    Rule::new("H127", 422, "link_recipients_too_many", |case| {
        (case.recipients?.as_array()?.len() > RECIPIENTS_MAX).then(|| Finding::at("recipients"))
    }),
];

/// One recipient as it came.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LinkCase<'a> {
    pub(crate) map: &'a Map<String, Value>,
    pub(crate) addresses: AddressPolicy,
}

impl LinkCase<'_> {
    fn missing(&self, field: &str) -> Option<Finding> {
        self.map.get(field).is_none_or(Value::is_null).then(|| Finding::at(field))
    }

    fn offending(&self, field: &str) -> Finding {
        Finding::at(field).value(self.map.get(field).cloned().unwrap_or_default())
    }

    fn recipient(&self) -> Option<&str> {
        self.map.get("recipient").and_then(Value::as_str)
    }

    /// Digits, with or without a plus.
    fn is_number(&self) -> bool {
        self.recipient().is_some_and(|text| {
            let digits = text.strip_prefix('+').unwrap_or(text);
            !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
        })
    }
}

type LinkCheck = for<'a> fn(&LinkCase<'a>) -> Option<Finding>;

/// The rules about one recipient. All findings come together.
pub(crate) const LINK: &[Rule<LinkCheck>] = &[
    Rule::new("H114", 422, "link_recipient_missing", |case| case.missing("recipient")),
    Rule::new("H170", 422, "link_recipient_type_missing", |case| case.missing("recipientType")),
    Rule::new("H116", 422, "link_recipient_type_unknown", |case| {
        let known = case.map.get("recipientType")?.as_str().and_then(RecipientType::parse).is_some();
        (!known && case.missing("recipientType").is_none()).then(|| case.offending("recipientType"))
    }),
    Rule::new("H160", 422, "link_phone_too_long", |case| {
        case.recipient().is_some_and(address::is_overlong_phone).then(|| case.offending("recipient"))
    }),
    Rule::new("H121", 422, "link_is_for_a_phone", |case| {
        case.is_number().then(|| case.offending("recipient"))
    }),
    Rule::new("H120", 422, "link_email_invalid", |case| {
        let kind = case.recipient().map_or(Kind::Neither, |text| address::kind(text, case.addresses));
        let wrong = kind != Kind::Email && !case.is_number() && case.missing("recipient").is_none();
        wrong.then(|| case.offending("recipient"))
    }),
];

/// A recipient and what is recorded about it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LinkStateCase {
    pub(crate) status: Option<Status>,
}

type LinkStateCheck = fn(&LinkStateCase) -> Option<Finding>;

/// The rule about the record: its finding stands inside an answer of 200.
pub(crate) const LINK_STATE: &[Rule<LinkStateCheck>] =
    &[Rule::new("H568", 200, "link_needs_an_approval", |case| {
        (case.status != Some(Status::Approval)).then(Finding::new)
    })];
