//! What a question must look like: single and multi status, history, feed, batch results, pages
//! (protocol 2 and 4.5 to 4.10).

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::shape::LIST_MAX;
use super::{Finding, Rule};
use crate::address::{self, AddressPolicy, Kind};
use crate::store::consents::Cursor;
use crate::words::{Channel, RecipientType};

/// The question about one record.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SingleCase<'a> {
    pub(crate) map: &'a Map<String, Value>,
    pub(crate) addresses: AddressPolicy,
}

impl SingleCase<'_> {
    fn text(&self, field: &str) -> Option<&str> {
        self.map.get(field).and_then(Value::as_str)
    }

    fn missing(&self, field: &str) -> Option<Finding> {
        let missing = self.map.get(field).is_none_or(Value::is_null);
        missing.then(|| Finding::at(field))
    }

    fn offending(&self, field: &str) -> Finding {
        Finding::at(field).value(self.map.get(field).cloned().unwrap_or_default())
    }

    /// A field that is there but holds no known word.
    fn unknown<T>(&self, field: &str, parse: impl Fn(&str) -> Option<T>) -> Option<Finding> {
        let wrong = self.missing(field).is_none() && self.text(field).and_then(parse).is_none();
        wrong.then(|| self.offending(field))
    }

    fn misfit(&self, channels: &[Channel]) -> Option<Finding> {
        let channel = self.channel().filter(|channel| channels.contains(channel))?;
        let text = self.text("recipient");
        let overlong = text.is_some_and(address::is_overlong_phone) && channel != Channel::Email;
        let kind = text.map_or(Kind::Neither, |text| address::kind(text, self.addresses));
        let fits = address::fits(kind, channel, AddressPolicy { landline_message: true, ..self.addresses });
        let wrong = !fits && !overlong && self.missing("recipient").is_none();
        wrong.then(|| self.offending("recipient"))
    }

    /// The channel asked for.
    pub(crate) fn channel(&self) -> Option<Channel> {
        self.text("type").and_then(Channel::parse)
    }
}

type SingleCheck = for<'a> fn(&SingleCase<'a>) -> Option<Finding>;

/// The rules of the single status and history queries.
pub(crate) const SINGLE: &[Rule<SingleCheck>] = &[
    Rule::new("H114", 422, "asked_recipient_missing", |case| case.missing("recipient")),
    Rule::new("H170", 422, "asked_recipient_type_missing", |case| case.missing("recipientType")),
    Rule::new("H111", 422, "asked_type_missing", |case| case.missing("type")),
    Rule::new("H116", 422, "asked_recipient_type_unknown", |case| {
        case.unknown("recipientType", RecipientType::parse)
    }),
    Rule::new("H117", 422, "asked_type_unknown", |case| case.unknown("type", Channel::parse)),
    Rule::new("H166", 422, "asked_phone_too_long", |case| {
        let long = case.text("recipient").is_some_and(address::is_overlong_phone);
        let phone = matches!(case.channel(), Some(Channel::Call | Channel::Message));
        (long && phone).then(|| case.offending("recipient"))
    }),
    Rule::new("H120", 422, "asked_email_invalid", |case| case.misfit(&[Channel::Email])),
    Rule::new("H121", 422, "asked_phone_invalid", |case| case.misfit(&[Channel::Call, Channel::Message])),
];

/// The question about many addresses.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ManyCase<'a> {
    pub(crate) recipient_type: &'a str,
    pub(crate) channel: &'a str,
    /// The value of `recipients`, when the key is there.
    pub(crate) recipients: Option<&'a Value>,
    pub(crate) addresses: AddressPolicy,
}

impl ManyCase<'_> {
    fn list(&self) -> &[Value] {
        self.recipients.and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }
}

type ManyCheck = for<'a> fn(&ManyCase<'a>) -> Option<Finding>;

/// The rules of the multi-status query.
pub(crate) const MANY: &[Rule<ManyCheck>] = &[
    Rule::new("H116", 422, "path_recipient_type_unknown", |case| {
        let wrong = RecipientType::parse(case.recipient_type).is_none();
        wrong.then(|| Finding::at("recipientType").value(case.recipient_type))
    }),
    Rule::new("H117", 422, "path_type_unknown", |case| {
        let wrong = Channel::parse(case.channel).is_none();
        wrong.then(|| Finding::at("type").value(case.channel))
    }),
    Rule::new("H168", 422, "recipients_missing", |case| {
        case.recipients.is_none().then(|| Finding::at("recipients"))
    }),
    Rule::new("H478", 422, "recipients_not_a_list", |case| {
        let value = case.recipients.filter(|value| !value.is_array())?;
        Some(Finding::at("recipients").value(value.clone()))
    }),
    Rule::new("H164", 422, "recipients_empty", |case| {
        let empty = case.recipients?.as_array()?.is_empty();
        empty.then(|| Finding::at("recipients").value(Value::Array(Vec::new())))
    }),
    // The document names no code for too many addresses; this one says the same of consents.
    Rule::new("H125", 422, "too_many_recipients", |case| {
        (case.list().len() > LIST_MAX).then(|| Finding::at("recipients"))
    }),
    Rule::new("H464", 422, "recipient_kind_does_not_fit", |case| {
        let channel = Channel::parse(case.channel)?;
        let policy = AddressPolicy { landline_message: true, ..case.addresses };
        let misfit = case.list().iter().find(|value| {
            let kind = value.as_str().map_or(Kind::Neither, |text| address::kind(text, policy));
            !address::fits(kind, channel, policy)
        })?;
        Some(Finding::at("recipient").value(misfit.clone()).detail(case.channel))
    }),
    Rule::new("H193", 422, "recipient_repeats", |case| {
        let mut seen = HashSet::new();
        let repeats = |value: &Value| value.as_str().is_some_and(|text| !seen.insert(address::stored(text)));
        let position = case.list().iter().position(repeats)?;
        Some(Finding::at("recipients").step(position).value(case.list()[position].clone()))
    }),
];

/// A number in a query string.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Number<'a>(pub(crate) Option<&'a str>);

impl Number<'_> {
    /// The number, or `fallback` when the parameter is absent; `None` when it is no number.
    pub(crate) fn or(self, fallback: i64) -> Option<i64> {
        self.0.map_or(Some(fallback), |text| text.parse().ok())
    }

    /// The parameter as it goes into an error: a number when it is one.
    pub(crate) fn value(self) -> Value {
        let text = self.0.unwrap_or_default();
        text.parse::<i64>().map_or_else(|_| Value::from(text), Value::from)
    }
}

/// The most items on a page of a list.
pub(crate) const PAGE_MAX: i64 = 100;

/// The page asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PageCase<'a> {
    pub(crate) offset: Number<'a>,
    pub(crate) limit: Number<'a>,
}

type PageCheck = for<'a> fn(&PageCase<'a>) -> Option<Finding>;

/// The rules about pages. The document swaps H182 and H183 between its table and its examples; the
/// examples are followed.
pub(crate) const PAGE: &[Rule<PageCheck>] = &[
    Rule::new("H183", 422, "offset_invalid", |case| {
        let wrong = case.offset.or(0).is_none_or(|offset| offset < 0);
        wrong.then(|| Finding::at("offset").value(case.offset.value()))
    }),
    Rule::new("H182", 422, "limit_invalid", |case| {
        let wrong = case.limit.or(PAGE_MAX).is_none_or(|limit| limit < 0);
        wrong.then(|| Finding::at("limit").value(case.limit.value()))
    }),
    Rule::new("H187", 422, "limit_zero", |case| {
        (case.limit.or(PAGE_MAX) == Some(0)).then(|| Finding::at("limit").value(0))
    }),
    Rule::new("H186", 422, "limit_above_a_hundred", |case| {
        let limit = case.limit.or(PAGE_MAX)?;
        (limit > PAGE_MAX).then(|| Finding::at("limit").value(limit))
    }),
];

/// The most movements on a page of the feed.
pub(crate) const FEED_MAX: i64 = 1000;

/// The part of the feed asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FeedCase<'a> {
    pub(crate) source: &'a str,
    pub(crate) limit: Number<'a>,
    pub(crate) after: Option<&'a str>,
}

type FeedCheck = for<'a> fn(&FeedCase<'a>) -> Option<Finding>;

/// The rules of the change feed.
pub(crate) const FEED: &[Rule<FeedCheck>] = &[
    Rule::new("H506", 422, "feed_source_unknown", |case| {
        let known = matches!(case.source, "HS" | "IYS");
        (!known).then(|| Finding::at("source").value(case.source))
    }),
    Rule::new("H507", 422, "feed_limit_invalid", |case| {
        let fits = case.limit.or(FEED_MAX).is_some_and(|limit| (1..=FEED_MAX).contains(&limit));
        (!fits).then(|| Finding::at("limit").value(case.limit.0.unwrap_or_default()))
    }),
    // No code is known for it (protocol 11, U17).
    Rule::new("", 422, "feed_cursor_unreadable", |case| {
        let after = case.after?;
        Cursor::parse(after).is_none().then(|| Finding::at("after").value(after))
    }),
];

type RequestIdCheck = for<'a> fn(&&'a str) -> Option<Finding>;

fn request_id(text: &str) -> Finding {
    Finding::at("requestId").value(text)
}

/// The rules about the id of a batch.
pub(crate) const REQUEST_ID: &[Rule<RequestIdCheck>] = &[
    Rule::new("H198", 422, "request_id_too_long", |id| (id.chars().count() > 36).then(|| request_id(id))),
    Rule::new("H199", 422, "request_id_only_letters", |id| {
        id.chars().all(char::is_alphabetic).then(|| request_id(id))
    }),
    Rule::new("H400", 422, "request_id_only_digits", |id| {
        id.chars().all(|c| c.is_ascii_digit()).then(|| request_id(id))
    }),
];
