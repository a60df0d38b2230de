//! Asking for the state, the history and the changes of consents (registry-protocol 4.7 to 4.10).

use serde::{Deserialize, Serialize};

use super::lenient;
use super::masked::masked_debug;

/// Asks for one address; also the body of the history query. All fields are required.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StatusRequest {
    /// The address.
    pub recipient: String,
    /// `BIREYSEL` or `TACIR`.
    pub recipient_type: String,
    /// The channel.
    pub r#type: String,
}

masked_debug!(StatusRequest: recipient; recipient_type, r#type);

/// The registry's current record of one address.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct StatusResponse {
    /// When the consent was given; may be missing for merchants.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_text")]
    pub consent_date: Option<String>,
    /// When the registry wrote the movement.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_text")]
    pub creation_date: Option<String>,
    /// Where the consent was taken; may be missing for merchants.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_text")]
    pub source: Option<String>,
    /// The address; e-mail addresses come back in lower case.
    #[serde(deserialize_with = "lenient::text")]
    pub recipient: String,
    /// `BIREYSEL` or `TACIR`.
    #[serde(deserialize_with = "lenient::text")]
    pub recipient_type: String,
    /// `ONAY` or `RET`.
    #[serde(deserialize_with = "lenient::text")]
    pub status: String,
    /// The channel.
    #[serde(deserialize_with = "lenient::text")]
    pub r#type: String,
    /// The retailer that took the consent.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_int")]
    pub retailer_code: Option<i64>,
    /// That retailer's title.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_text")]
    pub retailer_title: Option<String>,
    /// How many retailers may use the consent.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_int")]
    pub retailer_access_count: Option<i64>,
    /// Which retailers may use the consent (older documents only).
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "lenient::ints")]
    pub retailer_access: Vec<i64>,
    /// The movement that made the record what it is.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_text")]
    pub transaction_id: Option<String>,
}

masked_debug!(StatusResponse: recipient; consent_date, creation_date, source, recipient_type, status, r#type,
    retailer_code, retailer_title, retailer_access_count, retailer_access, transaction_id);

/// Asks for up to 1 000 addresses of one kind and channel.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusesRequest {
    /// The addresses; a duplicate is refused (H193).
    pub recipients: Vec<String>,
}

masked_debug!(StatusesRequest: recipients;);

/// Which of the addresses asked for are in ONAY. An absent one is in RET **or unknown**.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct StatusesResponse {
    /// The registry's id of the query.
    #[serde(deserialize_with = "lenient::text")]
    pub request_id: String,
    /// The addresses in ONAY.
    #[serde(deserialize_with = "lenient::list")]
    pub list: Vec<String>,
}

masked_debug!(StatusesResponse: list; request_id);

/// One movement, as the history and the change feed tell it.
///
/// One transaction id may stand on several rows (movements of one address in one second): the key of a movement is
/// (transactionId, status, consentDate).
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Change {
    /// When the consent was given. Line closures repeat an old date here; merchants may have none.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_text")]
    pub consent_date: Option<String>,
    /// When the registry wrote the movement; with the transaction id, the order of movements.
    #[serde(deserialize_with = "lenient::text")]
    pub creation_date: String,
    /// Where the consent was taken: `HS_*` or `IYS_*`.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_text")]
    pub source: Option<String>,
    /// The address.
    #[serde(deserialize_with = "lenient::text")]
    pub recipient: String,
    /// `BIREYSEL` or `TACIR`.
    #[serde(deserialize_with = "lenient::text")]
    pub recipient_type: String,
    /// `ONAY` or `RET`.
    #[serde(deserialize_with = "lenient::text")]
    pub status: String,
    /// The channel.
    #[serde(deserialize_with = "lenient::text")]
    pub r#type: String,
    /// The movement's id.
    #[serde(deserialize_with = "lenient::text")]
    pub transaction_id: String,
    /// The citizen's name, on `IYS_WEB_YENI` items of the feed only.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_text")]
    pub citizen_name: Option<String>,
}

masked_debug!(Change: recipient, citizen_name; consent_date, creation_date, source, recipient_type, status, r#type,
    transaction_id);

/// One page of the change feed, oldest movement first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ChangesPage {
    /// The cursor of the next page; `None` when the registry gave none, and then the old one stays in force.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_text")]
    pub after: Option<String>,
    /// The movements.
    #[serde(deserialize_with = "lenient::list")]
    pub list: Vec<Change>,
}

/// The movements of one address, newest consent date first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct HistoryResponse {
    /// The movements of this page.
    #[serde(deserialize_with = "lenient::list")]
    pub list: Vec<Change>,
    /// Where this page lies.
    #[serde(deserialize_with = "lenient::object")]
    pub pagination: Pagination,
}

/// Where a page lies in its list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Pagination {
    /// Entries before this page.
    #[serde(deserialize_with = "lenient::int")]
    pub offset: i64,
    /// Entries on this page.
    #[serde(deserialize_with = "lenient::int")]
    pub page_size: i64,
    /// Entries in the whole list.
    #[serde(deserialize_with = "lenient::int")]
    pub total_count: i64,
}
