//! The second-factor service (protocol 10.8 and 5.4). Its refusals have a shape of their own; codes that
//! begin with H are told as those of a sub-system.

use serde_json::{Map, Value};

use super::via_end::{CODE_LIFE, WRONG_CODES_MAX};
use super::{Finding, Rule};
use crate::address::{self, AddressPolicy, Kind};
use crate::store::opt_in::Package;
use crate::store::pass::{Process, Template};
use crate::store::providers::SubscriptionStatus;
use crate::words::PassMethod;

/// A body as it came.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BodyCase {
    pub(crate) is_object: bool,
}

type BodyCheck = fn(&BodyCase) -> Option<Finding>;

/// The rule about bodies that are none. Which code it has is assumed.
pub(crate) const BODY: &[Rule<BodyCheck>] =
    &[Rule::new("ERR-SYS-0001", 400, "pass_body_is_no_object", |case| (!case.is_object).then(Finding::new))];

fn text<'a>(map: &'a Map<String, Value>, field: &str) -> &'a str {
    map.get(field).and_then(Value::as_str).unwrap_or_default()
}

/// The fields of a start.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StartCase<'a> {
    pub(crate) map: &'a Map<String, Value>,
    pub(crate) method: PassMethod,
    pub(crate) addresses: AddressPolicy,
}

/// Whether a method writes text messages.
pub(crate) fn is_sms(method: PassMethod) -> bool {
    matches!(method, PassMethod::SmsOtp | PassMethod::SmsShortUrl)
}

/// The field that holds the address.
pub(crate) fn address_field(method: PassMethod) -> &'static str {
    if is_sms(method) { "phoneNumber" } else { "email" }
}

type StartCheck = for<'a> fn(&StartCase<'a>) -> Option<Finding>;

/// The rules about the fields of a start. All findings come together.
pub(crate) const START: &[Rule<StartCheck>] = &[
    Rule::new("ERR-VLD-001", 400, "pass_phone_invalid", |case| {
        let kind = address::kind(text(case.map, "phoneNumber"), case.addresses);
        let wrong = is_sms(case.method) && !matches!(kind, Kind::Phone(_));
        wrong.then(|| Finding::at("phoneNumber"))
    }),
    Rule::new("ERR-VLD-001", 400, "pass_email_invalid", |case| {
        let kind = address::kind(text(case.map, "email"), case.addresses);
        (!is_sms(case.method) && kind != Kind::Email).then(|| Finding::at("email"))
    }),
    Rule::new("ERR-VLD-001", 400, "pass_template_missing", |case| {
        text(case.map, "templateId").is_empty().then(|| Finding::at("templateId"))
    }),
    Rule::new("ERR-VLD-001", 400, "pass_vkn_invalid", |case| {
        let vkn = text(case.map, "vkn");
        let fits =
            matches!(vkn.len(), 10 | 11) && vkn.bytes().all(|b| b.is_ascii_digit()) && !vkn.starts_with('0');
        (!fits).then(|| Finding::at("vkn"))
    }),
];

/// What is known when a start may begin.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BeginCase<'a> {
    /// The template that the body names, if it is one of the provider's for this method.
    pub(crate) template: Option<&'a Template>,
    pub(crate) package: Option<&'a Package>,
}

type BeginCheck = for<'a> fn(&BeginCase<'a>) -> Option<Finding>;

/// The rules about template and package.
pub(crate) const BEGIN: &[Rule<BeginCheck>] = &[
    Rule::new("H1107", 404, "pass_template_unknown", |case| case.template.is_none().then(Finding::new)),
    Rule::new("H1093", 400, "pass_package_missing", |case| case.package.is_none().then(Finding::new)),
    Rule::new("H1092", 400, "pass_package_inactive", |case| {
        (case.package?.status != SubscriptionStatus::Active).then(Finding::new)
    }),
    Rule::new("H1015", 400, "pass_credit_used_up", |case| (case.package?.credit == 0).then(Finding::new)),
];

/// The fields of a completion.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CompletionCase<'a> {
    pub(crate) map: &'a Map<String, Value>,
}

type CompletionCheck = for<'a> fn(&CompletionCase<'a>) -> Option<Finding>;

/// The rules about the fields of a completion. All findings come together.
pub(crate) const COMPLETION: &[Rule<CompletionCheck>] = &[
    Rule::new("ERR-VLD-001", 400, "pass_request_id_missing", |case| {
        text(case.map, "requestId").is_empty().then(|| Finding::at("requestId"))
    }),
    Rule::new("ERR-VLD-001", 400, "pass_code_missing", |case| {
        text(case.map, "otpCode").is_empty().then(|| Finding::at("otpCode"))
    }),
];

/// A process that is to be completed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ProcessCase<'a> {
    /// `None` also when it was started by another method.
    pub(crate) process: Option<&'a Process>,
    /// The caller may act for its provider.
    pub(crate) permitted: bool,
    pub(crate) code: &'a str,
    /// Milliseconds since 1970.
    pub(crate) now: i64,
}

type ProcessCheck = for<'a> fn(&ProcessCase<'a>) -> Option<Finding>;

/// The rules about the state of a process. The method's example tells a foreign provider with
/// ERR-SYS-0006; the table's code for that sentence is followed.
pub(crate) const PROCESS: &[Rule<ProcessCheck>] = &[
    Rule::new("OTP-ERROR-001", 404, "pass_process_unknown", |case| case.process.is_none().then(Finding::new)),
    Rule::new("OTP-ERROR-007", 403, "pass_process_of_another_provider", |case| {
        (!case.permitted).then(Finding::new)
    }),
    Rule::new("H1110", 400, "pass_process_completed", |case| {
        case.process?.completed_at.map(|_| Finding::new())
    }),
    Rule::new("H1050", 400, "pass_three_codes_were_wrong", |case| {
        (case.process?.wrong_codes >= WRONG_CODES_MAX).then(Finding::new)
    }),
    Rule::new("H1051", 400, "pass_code_expired", |case| {
        (case.now - case.process?.started_at > CODE_LIFE).then(Finding::new)
    }),
];

/// The rule about the code itself.
pub(crate) const CODE: &[Rule<ProcessCheck>] = &[Rule::new("H1052", 400, "pass_code_wrong", |case| {
    let sent = case.process?.code.as_deref();
    (sent != Some(case.code)).then(|| Finding::new().value(case.code))
})];

/// The question for the history of a process.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HistoryCase<'a> {
    /// `None` when the body is no JSON object or has no fields.
    pub(crate) map: Option<&'a Map<String, Value>>,
    pub(crate) page: Option<i64>,
    pub(crate) page_size: Option<i64>,
    /// The process, if the caller may act for its provider.
    pub(crate) process: Option<&'a Process>,
}

type HistoryCheck = for<'a> fn(&HistoryCase<'a>) -> Option<Finding>;

/// The rules about the question for a history. The method's example prints ERR-SYS-0009 where the table has
/// OTP-ERROR-009; the table is followed.
pub(crate) const HISTORY: &[Rule<HistoryCheck>] = &[
    Rule::new("OTP-ERROR-005", 403, "pass_history_body_empty", |case| case.map.is_none().then(Finding::new)),
    Rule::new("OTP-ERROR-009", 400, "pass_history_without_request_id", |case| {
        (!case.map?.contains_key("requestId")).then(Finding::new)
    }),
    Rule::new("OTP-ERROR-010", 403, "pass_history_with_other_fields", |case| {
        (case.map?.len() > 1).then(Finding::new)
    }),
    Rule::new("OTP-ERROR-006", 400, "pass_history_request_id_empty", |case| {
        text(case.map?, "requestId").is_empty().then(Finding::new)
    }),
    Rule::new("ERR-VLD-002", 400, "pass_history_page_unusable", |case| {
        let usable = |number: Option<i64>| number.is_some_and(|number| number > 0);
        (!usable(case.page) || !usable(case.page_size)).then(Finding::new)
    }),
    Rule::new("OTP-ERROR-002", 404, "pass_history_unknown", |case| case.process.is_none().then(Finding::new)),
];

/// A question for the evidence of a process.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EvidenceCase {
    /// The provider has such a process, and it was completed.
    pub(crate) completed: bool,
}

type EvidenceCheck = fn(&EvidenceCase) -> Option<Finding>;

/// The rule about evidence.
pub(crate) const EVIDENCE: &[Rule<EvidenceCheck>] =
    &[Rule::new("H1072", 400, "pass_no_evidence", |case| (!case.completed).then(Finding::new))];
