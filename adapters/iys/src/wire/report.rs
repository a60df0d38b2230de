//! The daily summary and the daily agreement (registry-protocol 4.16 and 4.17).

use serde::{Deserialize, Serialize};

use super::lenient;

/// The values of [`Agreement::process_status`].
pub mod process_status {
    /// The hash waits to be made.
    pub const QUEUED: &str = "queued";
    /// The hash is being made.
    pub const IN_PROGRESS: &str = "inprogress";
    /// The hash is there.
    pub const COMPLETED: &str = "completed";
    /// The hash could not be made.
    pub const ERROR: &str = "error";
}

/// How many movements a brand had on one day, for one kind of recipient.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DailySummary {
    /// One entry per channel.
    #[serde(deserialize_with = "lenient::list")]
    pub change_stats: Vec<ChannelSummary>,
}

/// The movements of one channel.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ChannelSummary {
    /// The channel.
    #[serde(deserialize_with = "lenient::text")]
    pub r#type: String,
    /// One entry per side that moved.
    #[serde(deserialize_with = "lenient::list")]
    pub consents: Vec<MovementCounts>,
}

/// The movements of one channel and side, counted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MovementCounts {
    /// `HS`: by the provider; `IYS`: by the citizen and the registry.
    #[serde(deserialize_with = "lenient::text")]
    pub source: String,
    /// Became ONAY: a first record, or after a RET.
    #[serde(deserialize_with = "lenient::int")]
    pub approval: i64,
    /// Became RET after an ONAY.
    #[serde(deserialize_with = "lenient::int")]
    pub rejection: i64,
    /// Wait in the registry's queue, or for the citizen.
    #[serde(deserialize_with = "lenient::int")]
    pub pending: i64,
    /// All of them.
    #[serde(deserialize_with = "lenient::int")]
    pub total: i64,
}

/// The hash of a day's movement file and whether the provider has agreed to it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Agreement {
    /// One of [`process_status`].
    #[serde(deserialize_with = "lenient::text")]
    pub process_status: String,
    /// The hash in lower-case hexadecimal, once it is there.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_text")]
    pub hash_value: Option<String>,
    /// How it was made: `SHA-384`, also written `SHA384`.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_text")]
    pub hash_method: Option<String>,
    /// Whether the provider has confirmed the day.
    #[serde(deserialize_with = "lenient::flag")]
    pub agreement_status: bool,
}

impl Agreement {
    /// Whether the hash is there.
    pub fn is_completed(&self) -> bool {
        self.process_status == process_status::COMPLETED && self.hash_value.is_some()
    }

    /// Whether the hash is there and is this one (hexadecimal, in any case).
    pub fn matches(&self, hash: &str) -> bool {
        self.is_completed() && self.hash_value.as_deref().is_some_and(|ours| ours.eq_ignore_ascii_case(hash))
    }
}

/// Confirms a day's agreement; it can only be confirmed, never withdrawn (H512).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AgreementConfirmation {
    /// `true`.
    pub agreement_status: bool,
}

/// The answer to a confirmation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AgreementCaptured {
    /// Whether the registry has noted it. The schema spells the key `aggrementCaptured`.
    #[serde(alias = "aggrementCaptured", deserialize_with = "lenient::flag")]
    pub agreement_captured: bool,
}
