//! Adding consents (registry-protocol 4.1 to 4.4).

use serde::{Deserialize, Serialize};

use super::lenient;
use super::masked::masked_debug;

/// One consent as the registry takes it. It refuses unknown keys (H118) and empty optionals (H267), so an optional
/// that is `None`, or an empty list, is left out of the JSON.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConsentRequest {
    /// A phone number in E.164 (`+905XXXXXXXXX`) or an e-mail address.
    pub recipient: String,
    /// The channel: `ARAMA`, `MESAJ` or `EPOSTA`.
    pub r#type: String,
    /// Where the consent was taken (`HS_*`). Required for individuals and on every update of a merchant (H113, H463).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// `ONAY` or `RET`.
    pub status: String,
    /// When the consent was given, in the registry's form at +03:00. Required like `source` (H112, H462).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent_date: Option<String>,
    /// `BIREYSEL` (meant when absent) or `TACIR`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipient_type: Option<String>,
    /// The retailer that took the consent, eight digits; must belong to the brand (H180).
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_int")]
    pub retailer_code: Option<i64>,
    /// The retailers that may use the consent, at most 3 000; an empty list is refused (H163).
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "lenient::ints")]
    pub retailer_access: Vec<i64>,
}

masked_debug!(ConsentRequest: recipient; r#type, source, status, consent_date, recipient_type, retailer_code,
    retailer_access);

/// The JSON of one consent, for a caller that keeps the exact bytes it sends.
///
/// # Errors
/// None for this type in practice; `serde_json`'s signature is passed on.
pub fn encode(consent: &ConsentRequest) -> Result<bytes::Bytes, serde_json::Error> {
    serde_json::to_vec(consent).map(Into::into)
}

/// The JSON array of a batch, for a caller that keeps the exact bytes it sends.
///
/// # Errors
/// As [`encode`].
pub fn encode_batch(consents: &[ConsentRequest]) -> Result<bytes::Bytes, serde_json::Error> {
    serde_json::to_vec(consents).map(Into::into)
}

/// The registry has written one movement.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AddResponse {
    /// The movement's id: opaque, 64 hexadecimal characters since 2020. The v2 call answers a repetition of the same
    /// body with the id of the first time.
    #[serde(deserialize_with = "lenient::text")]
    pub transaction_id: String,
    /// When the registry wrote it, in its own form at +03:00.
    #[serde(deserialize_with = "lenient::text")]
    pub creation_date: String,
}
