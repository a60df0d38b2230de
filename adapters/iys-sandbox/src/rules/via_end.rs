//! How an opt-in ends and what is asked about it afterwards (protocol 10.2 to 10.6 and 5.3).

use serde_json::{Map, Value};

use super::via::{Entry, entries, foreign_key, is_blank};
use super::{Finding, Rule};
use crate::address::{self, AddressPolicy, Kind};
use crate::store::via::Process;
use crate::words::{FormKind, Verification};

/// How many codes may be wrong.
pub(crate) const WRONG_CODES_MAX: u32 = 3;
/// How long a code works, in milliseconds. H1051 speaks of 15 minutes, the methods of 3 (protocol 12).
pub(crate) const CODE_LIFE: i64 = 3 * 60 * 1000;
/// How long a link works, in milliseconds.
pub(crate) const LINK_LIFE: i64 = 24 * 60 * 60 * 1000;

/// The codes that a provider brings.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ConfirmationCase<'a> {
    pub(crate) map: &'a Map<String, Value>,
    /// The process that the body names, if it is the provider's.
    pub(crate) process: Option<&'a Process>,
    /// Milliseconds since 1970.
    pub(crate) now: i64,
}

impl ConfirmationCase<'_> {
    fn method(&self) -> Option<Verification> {
        self.map.get("verificationType").and_then(Value::as_str).and_then(Verification::parse)
    }

    fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        entries(self.map)
    }
}

const KEYS: [&str; 5] = ["requestId", "verificationType", "consentTypes", "recipient", "formId"];
const ENTRY_KEYS: [&str; 2] = ["title", "otpCode"];

fn named(field: &str) -> Finding {
    Finding::new().detail(field)
}

type ConfirmationCheck = for<'a> fn(&ConfirmationCase<'a>) -> Option<Finding>;

/// The rules about a confirmation, before its codes are compared.
pub(crate) const CONFIRMATION: &[Rule<ConfirmationCheck>] = &[
    Rule::new("H1025", 400, "via_confirmation_unknown_field", |case| {
        let in_entries = || case.entries().find_map(|entry| foreign_key(entry.0, &ENTRY_KEYS));
        foreign_key(case.map, &KEYS).or_else(in_entries).map(named)
    }),
    Rule::new("H1057", 400, "via_confirmation_field_blank", |case| {
        let of_body = ["requestId", "verificationType", "consentTypes"]
            .into_iter()
            .find(|field| case.map.get(*field).is_none() || is_blank(case.map.get(*field)));
        let of_entries =
            || case.entries().find_map(|entry| ENTRY_KEYS.into_iter().find(|key| is_blank(entry.get(key))));
        of_body.or_else(of_entries).map(named)
    }),
    Rule::new("H1005", 400, "via_confirmation_field_missing", |case| {
        let missing = |entry: Entry<'_>| ENTRY_KEYS.into_iter().find(|key| entry.get(key).is_none());
        case.entries().find_map(missing).map(named)
    }),
    Rule::new("H1012", 400, "via_confirmation_method_unknown", |case| {
        case.method().is_none().then(Finding::new)
    }),
    Rule::new("H1056", 400, "via_confirmation_without_code", |case| {
        (case.method()?.form_kind() != FormKind::Otp).then(Finding::new)
    }),
    Rule::new("H1060", 400, "via_confirmation_title_repeats", |case| {
        let titles: Vec<&str> = case.entries().map(Entry::title).collect();
        let repeated = titles.iter().enumerate().any(|(index, title)| titles[..index].contains(title));
        repeated.then(Finding::new)
    }),
    Rule::new("H1030", 400, "via_process_unknown", |case| case.process.is_none().then(Finding::new)),
    Rule::new("H1064", 400, "via_process_of_another_method", |case| {
        (case.process?.method != case.method()?).then(Finding::new)
    }),
    Rule::new("H1048", 400, "via_process_of_another_recipient", |case| {
        let recipient = case.map.get("recipient")?.as_str()?;
        (case.process?.recipient != address::stored(recipient)).then(Finding::new)
    }),
    Rule::new("H1049", 400, "via_process_not_started", |case| case.process?.undelivered.then(Finding::new)),
    Rule::new("H1032", 400, "via_process_completed", |case| case.process?.decided_at.map(|_| Finding::new())),
    Rule::new("H1050", 400, "via_three_codes_were_wrong", |case| {
        (case.process?.wrong_codes >= WRONG_CODES_MAX).then(Finding::new)
    }),
    Rule::new("H1051", 400, "via_code_expired", |case| {
        (case.now - case.process?.requested_at > CODE_LIFE).then(Finding::new)
    }),
    Rule::new("H1054", 400, "via_title_was_not_asked", |case| {
        let process = case.process?;
        case.entries().any(|entry| !process.codes.contains_key(entry.title())).then(Finding::new)
    }),
];

/// A code and the one that was sent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CodeCase<'a> {
    pub(crate) given: &'a Value,
    pub(crate) sent: &'a str,
}

type CodeCheck = for<'a> fn(&CodeCase<'a>) -> Option<Finding>;

/// The rule about codes. The document's example tells the wrong code as a number.
pub(crate) const CODE: &[Rule<CodeCheck>] = &[Rule::new("H1052", 400, "via_code_wrong", |case| {
    let given = case.given.as_str().map_or_else(|| case.given.to_string(), str::to_owned);
    (given != case.sent).then(|| Finding::new().value(case.given.clone()))
})];

/// What stands between a right code, or a click, and the record.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StoreCase {
    pub(crate) credit: i64,
    /// The address is new, and the subscription takes no more addresses.
    pub(crate) quota_full: bool,
    /// The settings want it to fail.
    pub(crate) fails: bool,
}

type StoreCheck = fn(&StoreCase) -> Option<Finding>;

/// The rules about recording what was approved.
pub(crate) const STORE: &[Rule<StoreCheck>] = &[
    Rule::new("H1015", 400, "via_credit_used_up_meanwhile", |case| (case.credit == 0).then(Finding::new)),
    Rule::new("H1031", 400, "via_quota_used_up_meanwhile", |case| case.quota_full.then(Finding::new)),
    Rule::new("H1059", 400, "via_store_failed", |case| case.fails.then(Finding::new)),
];

/// A question about one process.
#[derive(Debug, Clone, Copy)]
pub(crate) struct QuestionCase<'a> {
    pub(crate) process: Option<&'a Process>,
}

type QuestionCheck = for<'a> fn(&QuestionCase<'a>) -> Option<Finding>;

/// The rule about the question for a status.
pub(crate) const STATUS: &[Rule<QuestionCheck>] =
    &[Rule::new("H1030", 400, "via_asked_process_unknown", |case| case.process.is_none().then(Finding::new))];

/// The rules about the question for the personal-data texts that a process approved. H1028 is assumed where
/// none was.
pub(crate) const KVK_ONE: &[Rule<QuestionCheck>] = &[
    Rule::new("H1030", 400, "kvk_process_unknown", |case| case.process.is_none().then(Finding::new)),
    Rule::new("H1028", 400, "kvk_nothing_approved_yet", |case| {
        let approved = |item: &crate::store::via::Item| item.title == super::via::KVK && item.grant.is_some();
        (!case.process?.items.iter().any(approved)).then(Finding::new)
    }),
];

/// The rule about the question for evidence, which exists once the citizen decided.
pub(crate) const EVIDENCE: &[Rule<QuestionCheck>] = &[Rule::new("H1072", 400, "via_no_evidence", |case| {
    let decided = case.process.is_some_and(|process| process.decided_at.is_some() && !process.store_failed);
    (!decided).then(Finding::new)
})];

/// The question for all processes in which an address agreed to a text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KvkListCase<'a> {
    /// `None` when the body is no JSON object.
    pub(crate) map: Option<&'a Map<String, Value>>,
    pub(crate) addresses: AddressPolicy,
}

impl KvkListCase<'_> {
    fn text(&self, field: &str) -> &str {
        self.map.and_then(|map| map.get(field)).and_then(Value::as_str).unwrap_or_default()
    }

    fn misfit(&self, email: bool) -> Option<Finding> {
        let recipient = self.text("recipient");
        if recipient.is_empty() || recipient.contains('@') != email {
            return None;
        }
        let kind = address::kind(recipient, self.addresses);
        let fits = if email { kind == Kind::Email } else { matches!(kind, Kind::Phone(_)) };
        (!fits).then(Finding::new)
    }
}

type KvkListCheck = for<'a> fn(&KvkListCase<'a>) -> Option<Finding>;

/// The rules about that question.
pub(crate) const KVK_LIST: &[Rule<KvkListCheck>] = &[
    Rule::new("H1016", 400, "kvk_body_is_not_json", |case| case.map.is_none().then(Finding::new)),
    Rule::new("H1057", 400, "kvk_field_blank", |case| {
        ["type", "recipient"].into_iter().find(|field| case.text(field).is_empty()).map(named)
    }),
    Rule::new("H1085", 400, "kvk_type_unknown", |case| {
        let text = case.text("type");
        (!super::via::KVK_TYPES.contains(&text)).then(|| named(text))
    }),
    Rule::new("H1026", 400, "kvk_phone_invalid", |case| case.misfit(false)),
    Rule::new("H1027", 400, "kvk_email_invalid", |case| case.misfit(true)),
];
