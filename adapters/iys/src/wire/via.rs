//! The registry's own opt-in services, ViA (registry-protocol section 10).

use chrono::{DateTime, FixedOffset};
use serde::de::{DeserializeOwned, Deserializer, Error};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::masked::masked_debug;
use super::{TURKEY, lenient};

/// How the citizen approves: the values of `verificationType`.
pub mod verification_type {
    /// By a short link in an SMS.
    pub const SMS_SHORTURL: &str = "SMS_SHORTURL";
    /// By a code in an SMS, which the citizen tells to the provider.
    pub const SMS_OTP: &str = "SMS_OTP";
    /// By a short link in an e-mail.
    pub const EMAIL_SHORTURL: &str = "EPOSTA_SHORTURL";
    /// By a code in an e-mail.
    pub const EMAIL_OTP: &str = "EPOSTA_OTP";
    /// By an approval link in an e-mail.
    pub const EMAIL_APPROVALURL: &str = "EPOSTA_APPROVALURL";
}

/// What is approved: the values of `title`. A form may have others of its own.
pub mod via_title {
    /// Commercial messages; recorded per brand.
    pub const MESSAGES: &str = "ETK";
    /// Texts on personal data; recorded per provider.
    pub const PERSONAL_DATA: &str = "KVK";
}

/// Starts an approval (10.1). It costs one credit.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ViaStartRequest {
    /// The published form, made in the registry's web panel (H1000, H1055); its kind must fit the way (H1065).
    #[serde(deserialize_with = "lenient::text")]
    pub form_id: String,
    /// The address to ask.
    pub recipient: String,
    /// One of [`verification_type`]; `SMS_` goes with a phone number, `EPOSTA_` with an e-mail address.
    pub verification_type: String,
    /// What to ask for, one entry per title (H1060).
    pub consent_types: Vec<ViaConsentType>,
}

masked_debug!(ViaStartRequest: recipient; form_id, verification_type, consent_types);

/// One thing to be approved. Empty lists and `None` are left out of the JSON.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ViaConsentType {
    /// One of [`via_title`], or a title of the form.
    pub title: String,
    /// The brands, for messages; they must be the provider's (H1014).
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "lenient::ints")]
    pub brand_codes: Vec<i64>,
    /// For messages `ARAMA` and `MESAJ`, or `EPOSTA` alone (H1066); for personal data `AYDINLATMA_METNI`,
    /// `ACIK_RIZA_METNI`, `YURTDISI_AKTARIM`.
    pub types: Vec<String>,
    /// `BIREYSEL` or `TACIR`, for messages.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_text")]
    pub recipient_type: Option<String>,
    /// Who the texts on personal data are about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person_data: Option<ViaPerson>,
}

/// A person whom a text on personal data is about.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ViaPerson {
    /// First and last name; required.
    pub name: String,
    /// Citizen number (H1096).
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_text")]
    pub recipient_id_number: Option<String>,
    /// Postal address.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_text")]
    pub address: Option<String>,
}

masked_debug!(ViaPerson: name, recipient_id_number, address;);

/// An approval has been started.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ViaStarted {
    /// What to confirm and to ask for later.
    #[serde(deserialize_with = "lenient::text")]
    pub request_id: String,
}

/// Completes an approval by code (10.2). A code holds three minutes; after three wrong ones the right one is refused
/// too (H1050).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ViaConfirmRequest {
    /// From [`ViaStarted`].
    pub request_id: String,
    /// As at the start (H1064), one with a code (H1056).
    pub verification_type: String,
    /// One entry per title that was asked for: each has a code of its own.
    pub consent_types: Vec<ViaCode>,
}

/// The code that the citizen got for one title.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ViaCode {
    /// As at the start.
    pub title: String,
    /// The code.
    #[serde(deserialize_with = "lenient::text")]
    pub otp_code: String,
}

masked_debug!(ViaCode: otp_code; title);

/// One movement that an approval has recorded.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ViaRecorded {
    /// The movement.
    #[serde(deserialize_with = "lenient::text")]
    pub transaction_id: String,
    /// When it was recorded, in the registry's form at +03:00.
    #[serde(deserialize_with = "lenient::text")]
    pub creation_date: String,
    /// The channel, or the kind of text.
    #[serde(deserialize_with = "lenient::text")]
    pub r#type: String,
    /// The brand; none for texts on personal data.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_int")]
    pub brand_code: Option<i64>,
}

/// How far an approval has come (10.4).
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ViaStatus {
    /// The approval.
    #[serde(deserialize_with = "lenient::text")]
    pub request_id: String,
    /// Its form.
    #[serde(deserialize_with = "lenient::text")]
    pub form_id: String,
    /// The source that its consents get: `IYS_KISAMESAJ`, `IYS_EPOSTA` …
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_text")]
    pub source: Option<String>,
    /// The citizen's name, where it was given.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_text")]
    pub recipient_name: Option<String>,
    /// The citizen's number, where it was given.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_text")]
    pub recipient_id_number: Option<String>,
    /// The provider.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_int")]
    pub iys_code: Option<i64>,
    /// The address.
    #[serde(deserialize_with = "lenient::text")]
    pub recipient: String,
    /// `BIREYSEL` or `TACIR`.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_text")]
    pub recipient_type: Option<String>,
    /// One of [`verification_type`].
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_text")]
    pub consent_source: Option<String>,
    /// When it was started: the registry's form with a fraction of a second, which
    /// [`parse_date`](super::parse_date) reads.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_text")]
    pub request_date: Option<String>,
    /// One entry per channel or text asked for.
    #[serde(deserialize_with = "lenient::list")]
    pub request_details: Vec<ViaDetail>,
    /// Where it stands.
    #[serde(deserialize_with = "state")]
    pub last_status: ViaState,
}

masked_debug!(ViaStatus: recipient, recipient_name, recipient_id_number; request_id, form_id, source, iys_code,
    recipient_type, consent_source, request_date, request_details, last_status);

/// One channel or text of an approval.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ViaDetail {
    /// The brand; none for texts on personal data.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_int")]
    pub brand_code: Option<i64>,
    /// The channel, or the kind of text.
    #[serde(deserialize_with = "lenient::text")]
    pub consent_type_choice: String,
    /// One of [`via_title`].
    #[serde(deserialize_with = "lenient::text")]
    pub consent_type: String,
    /// A Turkish phrase; see [`is_approved`](Self::is_approved).
    #[serde(deserialize_with = "lenient::text")]
    pub operation_status_message: String,
    /// The movement, once approved.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_text")]
    pub transaction_id: Option<String>,
    /// When the citizen approved, in the registry's form at +03:00.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_text")]
    pub consent_date: Option<String>,
}

impl ViaDetail {
    /// The phrase for what the citizen has approved.
    pub const APPROVED: &str = "Onay verildi";
    /// The phrase for what the citizen has not approved, or not yet.
    pub const NOT_APPROVED: &str = "Onay verilmedi";

    /// Whether the citizen has approved this; `None` for a phrase that is not documented.
    pub fn is_approved(&self) -> Option<bool> {
        let says = |phrase: &str| self.operation_status_message.trim().eq_ignore_ascii_case(phrase);
        if says(Self::APPROVED) {
            Some(true)
        } else if says(Self::NOT_APPROVED) {
            Some(false)
        } else {
            None
        }
    }
}

/// Where an approval stands: a pair of words (the table of 10.4).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ViaState {
    /// `SUCCESS`, `CONSENT_REQUESTED`, `REQUEST_OPENED`, `ENQUEUE` or `COMPLETED`.
    #[serde(deserialize_with = "lenient::text")]
    pub stage: String,
    /// `START`, `PENDING`, `SUCCESS` or the cause of a failure.
    #[serde(deserialize_with = "lenient::text")]
    pub status: String,
}

impl ViaState {
    /// Whether nothing more will happen.
    pub fn is_final(&self) -> bool {
        self.stage == "COMPLETED"
    }

    /// Whether the approval is recorded.
    pub fn is_recorded(&self) -> bool {
        self.is_final() && self.status == "SUCCESS"
    }
}

/// Reads the documented object, and the text `STATUS,STAGE` that one schema shows.
fn state<'de, D: Deserializer<'de>>(from: D) -> Result<ViaState, D::Error> {
    const STAGES: [&str; 4] = ["CONSENT_REQUESTED", "REQUEST_OPENED", "ENQUEUE", "COMPLETED"];
    match Value::deserialize(from)? {
        object @ Value::Object(_) => serde_json::from_value(object).map_err(D::Error::custom),
        Value::String(text) => {
            let (one, other) = text.split_once(',').unwrap_or((&text, ""));
            let (stage, status) = if STAGES.contains(&one.trim()) { (one, other) } else { (other, one) };
            Ok(ViaState { stage: stage.trim().to_owned(), status: status.trim().to_owned() })
        }
        _ => Ok(ViaState::default()),
    }
}

/// A text on personal data that a citizen has approved (10.6).
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct KvkConsent {
    /// The approval.
    #[serde(deserialize_with = "lenient::text")]
    pub request_id: String,
    /// The kind of text.
    #[serde(deserialize_with = "lenient::text")]
    pub r#type: String,
    /// Where it was approved: `IYS_*`.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_text")]
    pub source: Option<String>,
    /// The provider.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_int")]
    pub iys_code: Option<i64>,
    /// The address.
    #[serde(deserialize_with = "lenient::text")]
    pub recipient: String,
    /// The citizen's name.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_text")]
    pub recipient_name: Option<String>,
    /// The citizen's number.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_text")]
    pub recipient_id_number: Option<String>,
    /// When: milliseconds since 1970, as text; see [`consent_instant`](Self::consent_instant).
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_text")]
    pub consent_date: Option<String>,
    /// `ONAY`.
    #[serde(deserialize_with = "lenient::text")]
    pub status: String,
    /// The movement.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_text")]
    pub transaction_id: Option<String>,
}

masked_debug!(KvkConsent: recipient, recipient_name, recipient_id_number; request_id, r#type, source, iys_code,
    consent_date, status, transaction_id);

impl KvkConsent {
    /// The instant of the approval at +03:00, from either of the registry's forms.
    pub fn consent_instant(&self) -> Option<DateTime<FixedOffset>> {
        let text = self.consent_date.as_deref()?.trim();
        match text.parse() {
            Ok(millis) => DateTime::from_timestamp_millis(millis).map(|utc| utc.with_timezone(&TURKEY)),
            Err(_) => super::parse_date(text).ok(),
        }
    }
}

/// Asks which approvals of a text on personal data an address has (10.6).
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KvkQuery {
    /// The kind of text.
    pub r#type: String,
    /// The address.
    pub recipient: String,
}

masked_debug!(KvkQuery: recipient; r#type);

/// Asks for links by which citizens withdraw (10.7).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RejectLinksRequest {
    /// The addresses, at most 100.
    pub recipients: Vec<RejectLinkRecipient>,
}

/// An address for which a link to withdraw is wanted.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RejectLinkRecipient {
    /// An e-mail address in ONAY.
    pub recipient: String,
    /// `BIREYSEL` or `TACIR`.
    pub recipient_type: String,
}

masked_debug!(RejectLinkRecipient: recipient; recipient_type);

/// A link by which a citizen withdraws, or why there is none. One answer may hold both kinds.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RejectLink {
    /// The address.
    #[serde(deserialize_with = "lenient::text")]
    pub recipient: String,
    /// The link; it holds 90 days.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_text")]
    pub url: Option<String>,
    /// Why there is none: H568 when the address is not in ONAY.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_text")]
    pub code: Option<String>,
    /// The same in Turkish prose.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_text")]
    pub message: Option<String>,
}

// The link acts for whoever has it.
masked_debug!(RejectLink: recipient, url, message; code);

/// Reads an answer of these services: `{"message":…,"code":"OK"}`, or what should be inside without that wrapper.
pub(crate) fn unwrap<T: DeserializeOwned>(body: &[u8]) -> Result<T, serde_json::Error> {
    serde_json::from_value(inner(serde_json::from_slice(body)?))
}

/// As [`unwrap`], for a list: a single object stands for a list of one; nothing, `""` and `null` for an empty one.
pub(crate) fn unwrap_list<T: DeserializeOwned>(body: &[u8]) -> Result<Vec<T>, serde_json::Error> {
    if body.trim_ascii().is_empty() {
        return Ok(Vec::new());
    }
    lenient::list_or_one(inner(serde_json::from_slice(body)?))
}

/// A list without wrapper, where a single object stands for a list of one: its entries have a `message` of their own.
pub(crate) fn list<T: DeserializeOwned>(body: &[u8]) -> Result<Vec<T>, serde_json::Error> {
    lenient::list_or_one(serde_json::from_slice::<Value>(body)?)
}

fn inner(value: Value) -> Value {
    match value {
        Value::Object(mut fields) => match fields.remove("message") {
            Some(message) => message,
            None => Value::Object(fields),
        },
        other => other,
    }
}
