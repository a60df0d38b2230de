//! What can be changed while the simulator runs: limits, delays, and the answers to what the registry's
//! document leaves open.

use std::collections::HashSet;
use std::sync::{Arc, PoisonError, RwLock};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::address::AddressPolicy;
use crate::calendar::AgePolicy;
use crate::words::REGISTRY_SOURCES;

/// The settings. Every field has a default, so a `PUT /_sandbox/settings` names only what changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Settings {
    /// Requests a second from one address before H124 (protocol 6); `null` switches the limit off.
    pub per_second_limit: Option<u32>,
    /// Token calls an hour from one address before H084 (protocol 1.3); `null` switches it off.
    pub token_limit_per_hour: Option<u32>,
    /// Single status queries an hour from one address before H086; `null` switches it off.
    pub status_limit_per_hour: Option<u32>,
    /// History queries an hour from one address before H089; `null` switches it off.
    pub history_limit_per_hour: Option<u32>,
    /// An address whose calls fail too often is refused (protocol 6): 403 without a code, as long as its last 24 hours
    /// hold less than 70 % of success.
    pub success_rate_rule: bool,
    /// From this many calls in 24 hours on an address is looked at.
    pub success_rate_minimum_calls: u64,
    /// Seconds that an address has, once its success rate has fallen too low, to get better.
    pub success_rate_grace_seconds: i64,
    /// H084 comes as a flat `{code, message}` instead of `errors[]` (protocol 11, U4).
    pub token_limit_flat_body: bool,
    /// Life of an access token in seconds.
    pub access_token_seconds: i64,
    /// Life of a refresh token in seconds.
    pub refresh_token_seconds: i64,
    /// A refresh token dies when it is used (protocol 11, U2).
    pub refresh_rotation: bool,
    /// How long the change feed hides a movement, in seconds.
    pub feed_delay_seconds: i64,
    /// How far back the change feed reaches, in seconds.
    pub feed_window_seconds: i64,
    /// Seconds from the receipt of a batch to its processing (protocol 11, U13).
    pub batch_delay_seconds: i64,
    /// Seconds from the receipt of a batch until its result is shown, be it processed or not; `null` shows it as soon
    /// as it is there. The document wants 300 and says that earlier answers may be empty (protocol 4.5).
    pub batch_result_after_seconds: Option<i64>,
    /// What the result of a batch shows before it is there.
    pub batch_pending: BatchPending,
    /// Days for which the result of a batch can be asked.
    pub batch_kept_days: i64,
    /// Seconds from the end of a day until its report is there (protocol 11, U31).
    pub report_delay_seconds: i64,
    /// Seconds from the filing of a citizen's complaint to its arrival at the provider; `null` leaves it to
    /// `POST /_sandbox/complaints/{id}`.
    pub complaint_delay_seconds: Option<i64>,
    /// Seconds of real time without a request after which a visitor of the pages has to log in again.
    pub page_session_seconds: u64,
    /// Which reading of "three business days" H467 follows (protocol 11, U6).
    pub h467: AgePolicy,
    /// The answer to a status query about an address without a record (protocol 11, U1).
    pub missing_status: MissingStatus,
    /// `+9005…` is taken, as the document warns; `false` refuses it.
    pub accept_trunk_zero: bool,
    /// A landline is taken for MESAJ (protocol 11, U28).
    pub accept_landline_message: bool,
    /// Turkish mobile numbers must lie in an assigned block.
    pub strict_mobile_blocks: bool,
    /// What citizens do may have sources of the registry that its document does not list: it has added some over time.
    pub accept_unknown_sources: bool,
    /// H353 is written under the key `code:`, as the document's examples have it (protocol 2).
    pub h353_colon_key: bool,
    /// iysCode and brandCode are written as strings in lists, as some examples have it (protocol 2).
    pub codes_as_text: bool,
    /// Push connections over plain HTTP to this machine are taken, for tests (protocol 8 wants HTTPS).
    pub push_allow_http: bool,
    /// How long the receiver of a push may take, in milliseconds of real time.
    pub push_timeout_millis: u64,
    /// Seconds from a movement to its push; the document does not say how soon it comes.
    pub push_delay_seconds: i64,
    /// Pushes are never sent, and taken for delivered.
    pub push_drop: bool,
    /// Every push is sent twice.
    pub push_duplicate: bool,
    /// Of several movements that are due for a push the newest goes first.
    pub push_out_of_order: bool,
    /// Seconds until a message of an opt-in service counts as delivered; it stands in the outbox at once.
    pub via_delivery_seconds: i64,
    /// Messages of new opt-ins cannot be delivered.
    pub via_delivery_fails: bool,
    /// Seconds from the citizen's decision until its process counts as stored; the movement is there at once.
    pub via_store_seconds: i64,
    /// What citizens approve in opt-ins cannot be stored.
    pub via_store_fails: bool,
    /// Rules taken out by name (see [`crate::rules()`]): for tests that prove a rule matters.
    pub disabled_rules: Vec<String>,
}

/// What a batch result shows while the batch waits (protocol 4.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BatchPending {
    /// An empty list.
    #[default]
    Empty,
    /// One item per consent with status `enqueue`.
    Enqueue,
}

/// How the absence of a record is told (protocol 11, U1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MissingStatus {
    /// 404 with an `errors[]` entry that has no code.
    #[default]
    NotFound,
    /// 204 without a body.
    NoContent,
    /// 200 with `{}`.
    EmptyObject,
    /// 422 with an `errors[]` entry that has no code.
    Unprocessable,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            per_second_limit: Some(10),
            token_limit_per_hour: Some(100),
            status_limit_per_hour: Some(1000),
            history_limit_per_hour: Some(100),
            success_rate_rule: false,
            success_rate_minimum_calls: 20_000,
            success_rate_grace_seconds: 96 * 60 * 60,
            token_limit_flat_body: false,
            access_token_seconds: 7_200,
            refresh_token_seconds: 14_400,
            refresh_rotation: true,
            feed_delay_seconds: 60 * 60,
            feed_window_seconds: 7 * 24 * 60 * 60,
            batch_delay_seconds: 60,
            batch_result_after_seconds: None,
            batch_pending: BatchPending::Empty,
            batch_kept_days: 60,
            report_delay_seconds: 6 * 60 * 60,
            complaint_delay_seconds: Some(60),
            page_session_seconds: 30 * 60,
            h467: AgePolicy::Legal,
            missing_status: MissingStatus::NotFound,
            accept_trunk_zero: true,
            accept_landline_message: true,
            strict_mobile_blocks: false,
            accept_unknown_sources: false,
            h353_colon_key: false,
            codes_as_text: false,
            push_allow_http: false,
            push_timeout_millis: 5_000,
            push_delay_seconds: 0,
            push_drop: false,
            push_duplicate: false,
            push_out_of_order: false,
            via_delivery_seconds: 0,
            via_delivery_fails: false,
            via_store_seconds: 0,
            via_store_fails: false,
            disabled_rules: Vec::new(),
        }
    }
}

impl Settings {
    /// These settings with the keys of `patch` put over them.
    ///
    /// # Errors
    /// When `patch` is no object, has an unknown key or an unusable value; the text says which.
    pub(crate) fn patched(&self, patch: Value) -> Result<Self, serde_json::Error> {
        let mut merged: Map<String, Value> = serde_json::from_value(serde_json::to_value(self)?)?;
        merged.extend(serde_json::from_value::<Map<String, Value>>(patch)?);
        serde_json::from_value(Value::Object(merged))
    }

    /// Whether the registry itself may write this source.
    pub(crate) fn takes_registry_source(&self, text: &str) -> bool {
        REGISTRY_SOURCES.contains(&text) || (self.accept_unknown_sources && text.starts_with("IYS_"))
    }

    pub(crate) fn address_policy(&self) -> AddressPolicy {
        AddressPolicy {
            trunk_zero: self.accept_trunk_zero,
            landline_message: self.accept_landline_message,
            strict_mobile_blocks: self.strict_mobile_blocks,
        }
    }
}

/// Settings as a request sees them: unchanging for its duration, with the rule names ready to be asked.
#[derive(Debug)]
pub(crate) struct Effective {
    pub(crate) settings: Settings,
    disabled: HashSet<String>,
}

impl Effective {
    pub(crate) fn new(settings: Settings) -> Self {
        let disabled = settings.disabled_rules.iter().cloned().collect();
        Self { settings, disabled }
    }

    /// Whether the rule of this name is in force.
    pub(crate) fn is_on(&self, rule: &str) -> bool {
        self.disabled.is_empty() || !self.disabled.contains(rule)
    }
}

/// The present settings, shared by all requests.
#[derive(Debug, Clone)]
pub(crate) struct SettingsCell(Arc<RwLock<Arc<Effective>>>);

impl SettingsCell {
    pub(crate) fn new(settings: Settings) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(Effective::new(settings)))))
    }

    pub(crate) fn get(&self) -> Arc<Effective> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn put(&self, settings: Settings) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(Effective::new(settings));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_patch_changes_what_it_names_and_nothing_else() {
        let patched = Settings::default()
            .patched(json!({"perSecondLimit": null, "h467": "exact", "batchDelaySeconds": 5}))
            .unwrap();
        assert_eq!(patched.per_second_limit, None);
        assert_eq!(patched.h467, AgePolicy::Exact);
        assert_eq!(patched.batch_delay_seconds, 5);
        assert_eq!(patched.token_limit_per_hour, Some(100));
    }

    #[test]
    fn unknown_keys_and_values_are_refused() {
        assert!(Settings::default().patched(json!({"perSecond": 1})).is_err());
        assert!(Settings::default().patched(json!({"h467": "soon"})).is_err());
        assert!(Settings::default().patched(json!([])).is_err());
    }
}
