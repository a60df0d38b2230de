//! ViA Pass: the registry's second-factor service, without effect on consents (registry-protocol 10.8).

use serde::{Deserialize, Serialize};

use super::lenient;
use super::masked::masked_debug;

/// Starts a check of a phone number.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ViaPassSmsRequest {
    /// The number in E.164.
    pub phone_number: String,
    /// The text, made in the registry's panel for this way (H1107).
    #[serde(deserialize_with = "lenient::text")]
    pub template_id: String,
    /// The sender's tax number, 10 or 11 digits, not starting with 0.
    #[serde(deserialize_with = "lenient::text")]
    pub vkn: String,
}

masked_debug!(ViaPassSmsRequest: phone_number; template_id, vkn);

/// Starts a check of an e-mail address.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ViaPassEmailRequest {
    /// The address.
    pub email: String,
    /// As [`ViaPassSmsRequest::template_id`].
    #[serde(deserialize_with = "lenient::text")]
    pub template_id: String,
    /// As [`ViaPassSmsRequest::vkn`].
    #[serde(deserialize_with = "lenient::text")]
    pub vkn: String,
}

masked_debug!(ViaPassEmailRequest: email; template_id, vkn);

/// A check has been started.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ViaPassStarted {
    /// What to complete and to ask for later.
    #[serde(deserialize_with = "lenient::text")]
    pub request_id: String,
    /// The short link's last part, for checks by link.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_text")]
    pub short_url: Option<String>,
}

masked_debug!(ViaPassStarted: short_url; request_id);

/// Completes a check by code: three tries within three minutes.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ViaPassCompleteRequest {
    /// The code that the person got.
    pub otp_code: String,
    /// From [`ViaPassStarted`].
    pub request_id: String,
}

masked_debug!(ViaPassCompleteRequest: otp_code; request_id);

/// Asks for a check's steps.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ViaPassHistoryRequest {
    /// From [`ViaPassStarted`].
    pub request_id: String,
}

/// One page of a check's steps.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ViaPassHistory {
    /// The steps.
    #[serde(deserialize_with = "lenient::list")]
    pub content: Vec<ViaPassStep>,
    /// Where this page lies.
    #[serde(deserialize_with = "lenient::object")]
    pub pagination: ViaPassPage,
}

/// One step of a check.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ViaPassStep {
    /// The way: `SMS`, `EMAIL`, `SMS SHORT URL`, `EMAIL SHORT URL` …
    #[serde(deserialize_with = "lenient::text")]
    pub request_type: String,
    /// `OTP Generation`, `OTP Completed`, `SUCCESS`, `FAILURE`.
    #[serde(deserialize_with = "lenient::text")]
    pub status: String,
    /// The same in words.
    #[serde(deserialize_with = "lenient::text")]
    pub description: String,
    /// When, with a fraction of a second; with a blank or a `T` between date and time.
    #[serde(deserialize_with = "lenient::text")]
    pub transaction_date: String,
}

/// Where a page lies; counted from 1, unlike the other lists.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ViaPassPage {
    /// This page, from 1.
    #[serde(deserialize_with = "lenient::int")]
    pub current_page: i64,
    /// Entries on it.
    #[serde(deserialize_with = "lenient::int")]
    pub elements_in_page: i64,
    /// Entries in the whole list.
    #[serde(deserialize_with = "lenient::int")]
    pub total_items: i64,
    /// Pages of the whole list.
    #[serde(deserialize_with = "lenient::int")]
    pub total_pages: i64,
}

/// A provider's subscription to the service.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ViaPassAccount {
    /// The subscription's id.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_text")]
    pub iys_via_subscription_id: Option<String>,
    /// The provider.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_int")]
    pub iys_code: Option<i64>,
    /// First instant, in the registry's form.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_text")]
    pub start_date: Option<String>,
    /// Last instant, in the registry's form.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_text")]
    pub expiration_date: Option<String>,
    /// When it was made.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_text")]
    pub creation_date: Option<String>,
    /// When it was last changed.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_text")]
    pub last_update_date: Option<String>,
    /// Whether it renews itself.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_flag")]
    pub auto_renewal: Option<bool>,
    /// Operations left.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_int")]
    pub via_credit: Option<i64>,
    /// `ACTIVE`, `PAUSED`, `EXPIRED` or `CLOSED`.
    #[serde(deserialize_with = "lenient::text")]
    pub status: String,
    /// Its package.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_object")]
    pub via_subscription_package: Option<ViaPassPackage>,
}

/// The package of a [`ViaPassAccount`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ViaPassPackage {
    /// The package's id.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_text")]
    pub via_subscription_id: Option<String>,
    /// The package's name.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_text")]
    pub via_subscription_package_name: Option<String>,
    /// First instant.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_text")]
    pub start_date: Option<String>,
    /// Last instant.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_text")]
    pub expiration_date: Option<String>,
    /// As [`ViaPassAccount::status`].
    #[serde(deserialize_with = "lenient::text")]
    pub status: String,
    /// Operations left.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_int")]
    pub via_credit: Option<i64>,
    /// Whether its operations are counted.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_flag")]
    pub is_limited: Option<bool>,
}

/// An answer of the service: `data` is an object in one documented example and a list in the others.
#[derive(Debug, Deserialize)]
pub(crate) struct ViaPassAnswer<T: serde::de::DeserializeOwned> {
    #[serde(default = "Vec::new", deserialize_with = "lenient::list_or_one")]
    pub data: Vec<T>,
}
