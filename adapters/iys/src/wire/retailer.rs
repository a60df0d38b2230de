//! Retailers and their access to consents (registry-protocol 4.14 and 4.15).

use serde::{Deserialize, Serialize};

use super::masked::masked_debug;
use super::{Pagination, lenient};

/// The values of a retailer's status.
pub mod retailer_status {
    /// In business; what a new retailer is when nothing is said.
    pub const ACTIVE: &str = "active";
    /// Out of business; its identity numbers stay taken (H253).
    pub const PASSIVE: &str = "passive";
    /// Held for the time being.
    pub const SUSPENDED: &str = "suspended";
}

/// A province or a district by name and code, as retailers carry it.
///
/// The code is text on the wire. Follow the lists of `/info` ([`City`](super::City), [`Town`](super::Town)): the
/// registry's own retailer examples show codes that do not fit them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Place {
    /// The name.
    #[serde(deserialize_with = "lenient::text")]
    pub name: String,
    /// The code.
    #[serde(deserialize_with = "lenient::text")]
    pub code: String,
}

/// A retailer to be added (4.14). An optional that is `None` is left out of the JSON.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RetailerRequest {
    /// Its commercial title, at most 255 letters and digits (H017, H229).
    pub title: String,
    /// First and last name of its responsible person, at most 255 letters (H215).
    pub name: String,
    /// That person's citizen number, 11 digits, one retailer each (H225, H226, H231).
    pub tckn: String,
    /// Its tax number (10 digits), or a citizen number (11) (H243, H244, H288).
    pub tin: String,
    /// Its province (H217 to H219).
    pub city: Place,
    /// Its district (H220 to H222).
    pub town: Place,
    /// Its number in the trade register, 16 digits, one retailer each (H227, H228, H230).
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_text")]
    pub mersis: Option<String>,
    /// What its brand calls it, such as a branch's name.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_text")]
    pub alias: Option<String>,
    /// The responsible person's phone number in E.164 (H224).
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_text")]
    pub mobile: Option<String>,
    /// One of [`retailer_status`]; `active` is meant when absent (H201).
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_text")]
    pub status: Option<String>,
}

masked_debug!(RetailerRequest: name, tckn, tin, mobile; title, city, town, mersis, alias, status);

/// The registry has added a retailer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RetailerAdded {
    /// The retailer's number, eight digits: what consents carry as `retailerCode`.
    #[serde(deserialize_with = "lenient::int")]
    pub retailer_code: i64,
}

/// A retailer. Which fields are there depends on the call: a short list has title, city, status and the numbers only.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Retailer {
    /// The retailer's number; missing in some documented answers.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_int")]
    pub retailer_code: Option<i64>,
    /// Its commercial title.
    #[serde(deserialize_with = "lenient::text")]
    pub title: String,
    /// Its number in the trade register.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_text")]
    pub mersis: Option<String>,
    /// What its brand calls it.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_text")]
    pub alias: Option<String>,
    /// Its responsible person.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_text")]
    pub name: Option<String>,
    /// That person's citizen number.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_text")]
    pub tckn: Option<String>,
    /// That person's phone number.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_text")]
    pub mobile: Option<String>,
    /// Its tax number.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_text")]
    pub tin: Option<String>,
    /// Its province.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_object")]
    pub city: Option<Place>,
    /// Its district.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_object")]
    pub town: Option<Place>,
    /// One of [`retailer_status`], or a word of other years.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_text")]
    pub status: Option<String>,
    /// How many consents it may use.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_int")]
    pub retailer_access_count: Option<i64>,
    /// Whether no consent refers to it, so that it can be deleted.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_flag")]
    pub can_be_deleted: Option<bool>,
}

masked_debug!(Retailer: name, tckn, mobile, tin; retailer_code, title, mersis, alias, city, town, status,
    retailer_access_count, can_be_deleted);

/// One page of retailers: a brand's (4.14), or those that may use one consent (4.15).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RetailerList {
    /// Where this page lies.
    #[serde(deserialize_with = "lenient::object")]
    pub pagination: Pagination,
    /// The retailers; the schema types this as one object, the examples as a list, and both are read.
    #[serde(deserialize_with = "lenient::list_or_one")]
    pub list: Vec<Retailer>,
}

/// Lets retailers use one consent (4.15, POST). All fields are required.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RetailerAccessRequest {
    /// The consent's address.
    pub recipient: String,
    /// `BIREYSEL` or `TACIR`.
    pub recipient_type: String,
    /// The channel.
    pub r#type: String,
    /// The retailers, at most 100 (H126), not empty (H163).
    #[serde(deserialize_with = "lenient::ints")]
    pub retailer_access: Vec<i64>,
}

masked_debug!(RetailerAccessRequest: recipient; recipient_type, r#type, retailer_access);

/// Sets or takes away the retailers of several consents (4.15, PUT and `remove`). All fields are required.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RetailerAccessChange {
    /// The consents' addresses, at most 100 (H127), not empty (H164).
    pub recipients: Vec<String>,
    /// `BIREYSEL` or `TACIR`.
    pub recipient_type: String,
    /// The channel.
    pub r#type: String,
    /// The retailers, at most 100 (H126), not empty (H163).
    #[serde(deserialize_with = "lenient::ints")]
    pub retailer_access: Vec<i64>,
}

masked_debug!(RetailerAccessChange: recipients; recipient_type, r#type, retailer_access);

/// Takes all retailers away from several consents (4.15, `remove/all`). All fields are required.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RetailerAccessRemoval {
    /// The consents' addresses, at most 100 (H127), not empty (H164).
    pub recipients: Vec<String>,
    /// `BIREYSEL` or `TACIR`.
    pub recipient_type: String,
    /// The channel.
    pub r#type: String,
}

masked_debug!(RetailerAccessRemoval: recipients; recipient_type, r#type);
