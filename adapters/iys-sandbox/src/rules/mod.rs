//! The registry's rules: one table per phase of a request, in the order in which they are asked.
//!
//! The order of the phases is the assumed one of protocol 7.16: token, path permission and
//! subscription, JSON, fields (all findings together), type rights, retailer, quota, state. Each rule is
//! a named function over facts that were gathered before, so it can be read, and taken out, alone.

pub(crate) mod access;
pub(crate) mod consent;
pub(crate) mod limit;
pub(crate) mod push;
pub(crate) mod query;
pub(crate) mod reject_link;
pub(crate) mod report;
pub(crate) mod retailer;
pub(crate) mod retailer_access;
pub(crate) mod shape;
pub(crate) mod state;
pub(crate) mod token;
pub(crate) mod via;
pub(crate) mod via_end;
pub(crate) mod via_pass;

use serde_json::Value;

use crate::messages;
use crate::settings::Effective;

/// A rule: what it is called, how its refusal is coded, and the check itself.
pub(crate) struct Rule<F> {
    /// The registry's code; for the token endpoint OAuth's error word; empty where none is known.
    pub(crate) code: &'static str,
    /// HTTP status of the refusal.
    pub(crate) status: u16,
    /// Our name of the rule, unique over all tables.
    pub(crate) name: &'static str,
    /// Finds what is wrong, if anything.
    pub(crate) check: F,
}

/// What a rule found.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Finding {
    /// Where: field names and positions.
    pub(crate) location: Vec<Value>,
    /// The offending value.
    pub(crate) value: Option<Value>,
    /// A word for the message.
    pub(crate) detail: String,
    /// Position in a batch.
    pub(crate) index: Option<usize>,
}

impl Finding {
    /// A finding without a place.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// A finding at a field.
    pub(crate) fn at(field: &str) -> Self {
        Self { location: vec![Value::from(field)], ..Self::default() }
    }

    /// Adds the offending value.
    pub(crate) fn value(mut self, value: impl Into<Value>) -> Self {
        self.value = Some(value.into());
        self
    }

    /// Adds a position behind the field name.
    pub(crate) fn step(mut self, position: usize) -> Self {
        self.location.push(Value::from(position));
        self
    }

    /// Adds a word for the message.
    pub(crate) fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = detail.into();
        self
    }

    /// Adds the position in a batch.
    pub(crate) fn index(mut self, index: Option<usize>) -> Self {
        self.index = index;
        self
    }
}

/// One entry of the registry's `errors[]`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ErrorItem {
    pub(crate) code: &'static str,
    pub(crate) message: String,
    pub(crate) location: Vec<Value>,
    pub(crate) value: Option<Value>,
    pub(crate) index: Option<usize>,
}

/// A refusal as the registry sends it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) errors: Vec<ErrorItem>,
}

impl<F> Rule<F> {
    pub(crate) const fn new(code: &'static str, status: u16, name: &'static str, check: F) -> Self {
        Self { code, status, name, check }
    }

    fn item(&self, finding: Finding) -> ErrorItem {
        let message = messages::text(self.name, self.code, &finding.detail);
        let Finding { location, value, index, .. } = finding;
        ErrorItem { code: self.code, message, location, value, index }
    }

    fn info(&self, phase: &'static str) -> RuleInfo {
        RuleInfo { phase, code: self.code, name: self.name, status: self.status }
    }
}

impl Effective {
    /// Asks the rules of a table in order and stops at the first finding.
    pub(crate) fn first<F: Copy>(
        &self,
        table: &[Rule<F>],
        ask: impl Fn(F) -> Option<Finding>,
    ) -> Result<(), Refusal> {
        let found = table.iter().filter(|rule| self.is_on(rule.name)).find_map(|rule| {
            let finding = ask(rule.check)?;
            Some(Refusal { status: rule.status, errors: vec![rule.item(finding)] })
        });
        found.map_or(Ok(()), Err)
    }

    /// Asks all rules of a table and collects what they find. The rules of such a table share a status.
    pub(crate) fn all<F: Copy>(
        &self,
        table: &[Rule<F>],
        ask: impl Fn(F) -> Option<Finding>,
    ) -> Result<(), Refusal> {
        let errors: Vec<ErrorItem> = table
            .iter()
            .filter(|rule| self.is_on(rule.name))
            .filter_map(|rule| ask(rule.check).map(|finding| rule.item(finding)))
            .collect();
        let status = table.first().map_or(422, |rule| rule.status);
        if errors.is_empty() { Ok(()) } else { Err(Refusal { status, errors }) }
    }
}

/// Puts the findings of two tables together, whose rules share a status.
pub(crate) fn together(one: Result<(), Refusal>, other: Result<(), Refusal>) -> Result<(), Refusal> {
    match (one, other) {
        (Err(mut one), Err(other)) => {
            one.errors.extend(other.errors);
            Err(one)
        }
        (one, other) => one.and(other),
    }
}

/// A rule as a test or a person sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RuleInfo {
    /// The phase in which it is asked.
    pub phase: &'static str,
    /// The registry's code, OAuth's error word, or empty where no code is known.
    pub code: &'static str,
    /// The name under which [`crate::Settings::disabled_rules`] takes it out.
    pub name: &'static str,
    /// HTTP status of its refusal.
    pub status: u16,
}

/// Behaviours that refuse nothing but can be taken out like a rule.
pub(crate) mod effect {
    /// v2: a consent that is already recorded answers with its first transaction (protocol 4.2, 4.4).
    pub(crate) const V2_REPEAT: &str = "v2_repeat";
    /// v2: a consent that is already recorded may have grown too old since (protocol 11, U9).
    pub(crate) const V2_REPEAT_AGES: &str = "v2_repeat_ages";
    /// Movements of one key in one second share a transaction id (protocol 2).
    pub(crate) const ONE_SECOND_ID: &str = "one_second_transaction_id";
    /// E-mails are stored and returned in lower case (protocol 2).
    pub(crate) const LOWER_CASE_EMAIL: &str = "email_lower_case";
    /// The change feed hides the last hour (protocol 4.10).
    pub(crate) const FEED_DELAY: &str = "feed_hides_last_hour";
    /// The change feed forgets what is older than seven days (protocol 4.10).
    pub(crate) const FEED_WINDOW: &str = "feed_window";
    /// A partner sees only the channels it may read in the change feed (protocol 9).
    pub(crate) const FEED_RIGHTS: &str = "feed_shows_readable_channels";
    /// A refresh token works once (protocol 1.3).
    pub(crate) const REFRESH_ONCE: &str = "refresh_token_works_once";
    /// Quota figures are not shown to partners (protocol 4.13).
    pub(crate) const PARTNER_SEES_NO_QUOTA: &str = "partner_sees_no_quota";
    /// Results of batches older than sixty days are empty (protocol 4.5).
    pub(crate) const BATCH_KEPT: &str = "batch_result_kept_sixty_days";

    pub(super) const ALL: [&str; 10] = [
        V2_REPEAT,
        V2_REPEAT_AGES,
        ONE_SECOND_ID,
        LOWER_CASE_EMAIL,
        FEED_DELAY,
        FEED_WINDOW,
        FEED_RIGHTS,
        REFRESH_ONCE,
        PARTNER_SEES_NO_QUOTA,
        BATCH_KEPT,
    ];
}

/// Every rule of the simulator, in the order of the phases.
pub fn rules() -> Vec<RuleInfo> {
    fn of<F>(phase: &'static str, table: &[Rule<F>]) -> Vec<RuleInfo> {
        table.iter().map(|rule| rule.info(phase)).collect()
    }
    let effects = effect::ALL.map(|name| RuleInfo { phase: "effect", code: "", name, status: 200 });
    [
        of("limit", limit::LIMITS),
        of("token", token::TOKEN),
        of("access", access::ACCESS),
        of("shape", shape::SHAPE),
        of("fields", consent::FIELDS),
        of("batch", consent::BATCH),
        of("query", query::SINGLE),
        of("query", query::MANY),
        of("query", query::PAGE),
        of("query", query::FEED),
        of("query", query::REQUEST_ID),
        of("profile", retailer::PROFILE),
        of("place", retailer::PLACE),
        of("removal", retailer::REMOVAL),
        of("query", retailer::LISTING),
        of("retailer", retailer::NUMBER),
        of("query", retailer_access::ACCESS_LIST),
        of("record", retailer_access::ACCESS_RECORD),
        of("rights", report::REPORT_RIGHTS),
        of("query", report::REPORT),
        of("places", report::PLACE_CODE),
        of("rights", access::RIGHTS),
        of("retailer", consent::RETAILER),
        of("quota", state::QUOTA),
        of("state", state::STATE),
        of("push shape", push::REGISTRATION),
        of("push fields", push::CONNECTION),
        of("push", push::PROBE),
        of("push", push::REMOVAL),
        of("reject links", reject_link::LINKS),
        of("reject link fields", reject_link::LINK),
        of("reject link", reject_link::LINK_STATE),
        of("via shape", via::BODY),
        of("via start", via::START),
        of("via confirmation", via_end::CONFIRMATION),
        of("via code", via_end::CODE),
        of("via store", via_end::STORE),
        of("via status", via_end::STATUS),
        of("via evidence", via_end::EVIDENCE),
        of("kvk", via_end::KVK_ONE),
        of("kvk", via_end::KVK_LIST),
        of("pass shape", via_pass::BODY),
        of("pass fields", via_pass::START),
        of("pass start", via_pass::BEGIN),
        of("pass fields", via_pass::COMPLETION),
        of("pass process", via_pass::PROCESS),
        of("pass code", via_pass::CODE),
        of("pass history", via_pass::HISTORY),
        of("pass evidence", via_pass::EVIDENCE),
        effects.to_vec(),
    ]
    .concat()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_are_unique_and_every_rule_has_its_sentence() {
        let mut seen = HashSet::new();
        for rule in rules() {
            assert!(seen.insert(rule.name), "{} stands twice", rule.name);
            if rule.phase != "effect" {
                let sentence = messages::text(rule.name, rule.code, "x");
                assert_ne!(sentence, messages::UNKNOWN, "{} ({}) has no sentence", rule.name, rule.code);
            }
        }
        assert!(seen.len() > 90);
    }

    #[test]
    fn rules_that_are_collected_together_share_a_status() {
        for rule in rules() {
            let status = match rule.phase {
                "fields" | "query" | "batch" | "push fields" | "reject link fields" => 422,
                "profile" | "place" => 400,
                _ => continue,
            };
            assert_eq!(rule.status, status, "{}", rule.name);
        }
    }
}
