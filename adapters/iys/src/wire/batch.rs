//! Adding many consents and asking what became of them (registry-protocol 4.3 to 4.6).

use serde::de::Deserializer;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::masked::masked_debug;
use super::{ErrorBody, ErrorItem, lenient};

/// The values of [`BatchItemResult::status`].
pub mod item_status {
    /// Recorded; counts only together with a transaction id.
    pub const SUCCESS: &str = "success";
    /// Refused; the item carries its error.
    pub const FAILURE: &str = "failure";
    /// Still waiting in the registry's queue.
    pub const ENQUEUE: &str = "enqueue";
}

/// The registry has taken a batch into its queue; nothing is recorded yet.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BatchAddResponse {
    /// What to ask for later; kept by the registry for 60 days.
    #[serde(deserialize_with = "lenient::text")]
    pub request_id: String,
    /// One entry per consent, in the order of the request.
    #[serde(default, deserialize_with = "lenient::list")]
    pub sub_requests: Vec<SubRequest>,
}

/// One consent of an accepted batch, echoed.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SubRequest {
    /// The item's id in the batch result; the surest way to match the two.
    #[serde(alias = "subrequestId", deserialize_with = "lenient::text")]
    pub sub_request_id: String,
    /// The channel.
    #[serde(deserialize_with = "lenient::text")]
    pub r#type: String,
    /// Where the consent was taken.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_text")]
    pub source: Option<String>,
    /// The address.
    #[serde(deserialize_with = "lenient::text")]
    pub recipient: String,
    /// `ONAY` or `RET`.
    #[serde(deserialize_with = "lenient::text")]
    pub status: String,
    /// When the consent was given.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_text")]
    pub consent_date: Option<String>,
    /// `BIREYSEL` or `TACIR`.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_text")]
    pub recipient_type: Option<String>,
    /// The retailer that took the consent.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_int")]
    pub retailer_code: Option<i64>,
    /// The retailers that may use the consent.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "lenient::ints")]
    pub retailer_access: Vec<i64>,
    /// When the batch entered the queue.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_text")]
    pub creation_date: Option<String>,
}

masked_debug!(SubRequest: recipient; sub_request_id, r#type, source, status, consent_date, recipient_type,
    retailer_code, retailer_access, creation_date);

/// What became of one consent of a batch.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct BatchItemResult {
    /// Position in the request. From 0 in today's documents, from 1 in the ones of 2020: match by
    /// [`sub_request_id`](Self::sub_request_id) and use this only when there is none.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_int")]
    pub index: Option<i64>,
    /// One of [`item_status`], or a word of later years.
    #[serde(deserialize_with = "lenient::text")]
    pub status: String,
    /// The item's id from [`SubRequest`].
    #[serde(
        alias = "subrequestId",
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::optional_text"
    )]
    pub sub_request_id: Option<String>,
    /// The batch, shown for successes.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_text")]
    pub request_id: Option<String>,
    /// The movement. Only `success` with this id proves that the consent is recorded.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_text")]
    pub transaction_id: Option<String>,
    /// When the movement was written, for successes.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_text")]
    pub creation_date: Option<String>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "one_error", alias = "errors")]
    pub error: Option<ErrorItem>,
    /// v2 only: the consent had been recorded by an earlier request.
    #[serde(
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::optional_flag",
        serialize_with = "lenient::flag_as_text"
    )]
    pub is_add_consent_v2_service: Option<bool>,
    /// v2 only: that earlier request.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_object")]
    pub original_request_information: Option<OriginalRequest>,
}

impl BatchItemResult {
    /// Whether the item is proved to be recorded: `success` and a transaction id.
    pub fn is_recorded(&self) -> bool {
        self.status == item_status::SUCCESS && self.transaction_id.is_some()
    }

    /// Whether the item has been refused for good.
    pub fn is_failed(&self) -> bool {
        self.status == item_status::FAILURE
    }
}

/// The request that had recorded a consent first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct OriginalRequest {
    /// The earlier batch.
    #[serde(deserialize_with = "lenient::text")]
    pub request_id: String,
    /// The item in it.
    #[serde(alias = "subrequestId", deserialize_with = "lenient::text")]
    pub sub_request_id: String,
}

/// The whole answer to a batch query. Empty means "nothing yet" or "not kept any more", never "failed".
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct BatchResult {
    /// The items known so far.
    pub items: Vec<BatchItemResult>,
}

impl<'de> Deserialize<'de> for BatchResult {
    /// Reads the documented bare array, and an object that wraps one, which some gateways in between make of it.
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let list = match Value::deserialize(from)? {
            Value::Object(mut fields) => {
                ["subRequests", "list"].iter().find_map(|key| fields.remove(*key)).unwrap_or_default()
            }
            other => other,
        };
        let items = lenient::list(list).map_err(serde::de::Error::custom)?;
        Ok(Self { items })
    }
}

/// An item's error: one object as documented, or the first of a list.
fn one_error<'de, D: Deserializer<'de>>(from: D) -> Result<Option<ErrorItem>, D::Error> {
    let value = Value::deserialize(from)?;
    Ok(ErrorBody::from_value(value).and_then(|body| body.errors.into_iter().next()))
}
