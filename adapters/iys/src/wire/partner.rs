//! Brands, a partner's authorisations and subscriptions (registry-protocol 4.11 to 4.13).

use serde::{Deserialize, Serialize};

use super::{Pagination, lenient};

/// A brand of a provider, as its own account sees it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BrandInfo {
    /// The brand's number.
    #[serde(deserialize_with = "lenient::int")]
    pub brand_code: i64,
    /// The brand's name.
    #[serde(default, deserialize_with = "lenient::text")]
    pub name: String,
    /// Whether it is the provider's master brand, whose number equals the provider's.
    #[serde(default, deserialize_with = "lenient::flag")]
    pub master: bool,
    /// Counts of its consents and retailers.
    #[serde(default, deserialize_with = "lenient::object")]
    pub stats: BrandStats,
}

/// Counts of a brand.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BrandStats {
    /// Its consents.
    #[serde(deserialize_with = "lenient::object")]
    pub consents: BrandConsentStats,
    /// Its retailers.
    #[serde(deserialize_with = "lenient::object")]
    pub retailers: BrandRetailerStats,
}

/// Counts of a brand's consents.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BrandConsentStats {
    /// In ONAY.
    #[serde(deserialize_with = "lenient::int")]
    pub approval: i64,
    /// In RET.
    #[serde(deserialize_with = "lenient::int")]
    pub rejection: i64,
    /// Both.
    #[serde(deserialize_with = "lenient::int")]
    pub total: i64,
}

/// Counts of a brand's retailers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BrandRetailerStats {
    /// All of them.
    #[serde(deserialize_with = "lenient::int")]
    pub total: i64,
}

/// One page of the brands that have authorised a business partner.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PartnerList {
    /// Where this page lies.
    #[serde(deserialize_with = "lenient::object")]
    pub pagination: Pagination,
    /// The brands.
    #[serde(deserialize_with = "lenient::list")]
    pub list: Vec<PartnerBrand>,
}

/// A brand that has authorised a business partner, and for what.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PartnerBrand {
    /// The brand's number.
    #[serde(deserialize_with = "lenient::int")]
    pub brand_code: i64,
    /// The brand's name.
    #[serde(default, deserialize_with = "lenient::text")]
    pub name: String,
    /// Whether it is the provider's master brand.
    #[serde(default, deserialize_with = "lenient::flag")]
    pub master: bool,
    /// The provider's title.
    #[serde(default, deserialize_with = "lenient::text")]
    pub title: String,
    /// The provider's number.
    #[serde(deserialize_with = "lenient::int")]
    pub iys_code: i64,
    /// Whether the partner may see and confirm the daily agreement.
    #[serde(default, deserialize_with = "lenient::flag")]
    pub agreement_control: bool,
    /// The right on messages: `write` is documented, `read` exists by the text, absent means none.
    #[serde(
        rename = "MESAJ",
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::optional_text"
    )]
    pub message: Option<String>,
    /// The right on calls.
    #[serde(
        rename = "ARAMA",
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::optional_text"
    )]
    pub call: Option<String>,
    /// The right on e-mails.
    #[serde(
        rename = "EPOSTA",
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::optional_text"
    )]
    pub email: Option<String>,
    /// Whether the partner may use the registry's own opt-in services for the brand.
    #[serde(default, deserialize_with = "lenient::flag")]
    pub via_control: bool,
}

/// A provider's or partner's subscription. A partner that asks for a customer's sees no limits and credits.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Subscription {
    /// The subscription's id.
    #[serde(
        alias = "subscipritionId",
        alias = "subsciprtionId",
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::optional_text"
    )]
    pub subscription_id: Option<String>,
    /// First instant, in the registry's form.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_text")]
    pub start_date: Option<String>,
    /// Last instant, in the registry's form.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_text")]
    pub expiration_date: Option<String>,
    /// The package's name.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_text")]
    pub subscription_package_name: Option<String>,
    /// `ACTIVE`, `PAUSED`, `EXPIRED` or `CLOSED`.
    #[serde(deserialize_with = "lenient::text")]
    pub status: String,
    /// How many addresses the package covers.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_int")]
    pub consent_limit: Option<i64>,
    /// Whether more than that may be used; if not, new addresses are refused at the limit (H525).
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_flag")]
    pub consent_limit_exceed: Option<bool>,
    /// How many addresses are used.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_int")]
    pub used_consent_limit: Option<i64>,
    /// The owner, in the partner's own subscription.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_int")]
    pub iys_code: Option<i64>,
    /// The opt-in services' package.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_object")]
    pub via_subscription_package: Option<ViaSubscription>,
    /// The second-factor service's package.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_object")]
    pub via_pass_subscription_package: Option<ViaPassSubscription>,
}

/// A package of the registry's opt-in services.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ViaSubscription {
    /// First instant.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_text")]
    pub start_date: Option<String>,
    /// Last instant.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_text")]
    pub expiration_date: Option<String>,
    /// The package's name.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_text")]
    pub via_subscription_package_name: Option<String>,
    /// The subscription's id.
    #[serde(
        alias = "viaSubscipritionId",
        alias = "viaSubsciprtionId",
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::optional_text"
    )]
    pub via_subscription_id: Option<String>,
    /// As [`Subscription::status`].
    #[serde(deserialize_with = "lenient::text")]
    pub status: String,
    /// Operations left; −1 means without limit.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_int")]
    pub via_credit: Option<i64>,
}

/// A package of the registry's second-factor service.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ViaPassSubscription {
    /// First instant.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_text")]
    pub start_date: Option<String>,
    /// Last instant.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_text")]
    pub expiration_date: Option<String>,
    /// The package's name.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_text")]
    pub via_pass_subscription_package_name: Option<String>,
    /// The subscription's id.
    #[serde(
        alias = "viaPassSubscipritionId",
        alias = "viaPassSubsciprtionId",
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::optional_text"
    )]
    pub via_pass_subscription_id: Option<String>,
    /// As [`Subscription::status`].
    #[serde(deserialize_with = "lenient::text")]
    pub status: String,
    /// Operations left; −1 means without limit.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_int")]
    pub via_pass_credit: Option<i64>,
}
