//! Push: the registry calls a receiver for each movement of the citizen's side (registry-protocol section 8).
//!
//! The registry signs nothing and numbers nothing: a receiver checks HTTP Basic, drops what it has seen by
//! (transactionId, status), and takes the change feed as the truth.

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::masked::exposed;
use super::{Change, lenient};

/// One receiver for one channel of a brand, with the name and password that the registry shows there (HTTP Basic).
/// All fields are required.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PushConnection {
    /// Where to post: `https` only (H531), answers within five seconds (H191), refuses other credentials (H530).
    pub url: String,
    /// The channel; at most two active connections each.
    pub r#type: String,
    /// The name.
    pub username: String,
    /// The password.
    #[serde(serialize_with = "exposed")]
    pub password: SecretString,
}

/// Registers receivers.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PushRegistrationRequest {
    /// One entry per channel and address.
    pub connection: Vec<PushConnection>,
}

/// A sentence in Turkish, where an answer holds nothing else: of push registrations and of ViA Pass.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MessageResponse {
    /// The sentence.
    #[serde(deserialize_with = "lenient::text")]
    pub message: String,
}

/// A receiver as the registry lists it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PushRegistration {
    /// Where the registry posts.
    #[serde(deserialize_with = "lenient::text")]
    pub url: String,
    /// The channel.
    #[serde(deserialize_with = "lenient::text")]
    pub r#type: String,
    /// A Turkish phrase; see [`is_connected`](Self::is_connected).
    #[serde(deserialize_with = "lenient::text")]
    pub status: String,
    /// Since when it is in this state, in the registry's form at +03:00.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_text")]
    pub register_time: Option<String>,
}

impl PushRegistration {
    /// The phrase of a connection that works.
    pub const CONNECTED: &str = "Bağlantı Oluşturuldu";
    /// The phrase of a connection that could not be made.
    pub const NOT_CONNECTED: &str = "Bağlantı Oluşturulamadı";

    /// Whether the connection works; `None` for a phrase that is not documented.
    pub fn is_connected(&self) -> Option<bool> {
        let says = |phrase: &str| self.status.trim().to_lowercase() == phrase.to_lowercase();
        if says(Self::CONNECTED) {
            Some(true)
        } else if says(Self::NOT_CONNECTED) {
            Some(false)
        } else {
            None
        }
    }
}

/// What the registry posts to a receiver.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PushEvent {
    /// The movements.
    #[serde(deserialize_with = "lenient::list")]
    pub list: Vec<PushedChange>,
}

/// A movement with the brand that it is about.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PushedChange {
    /// The service provider's number. Do not trust it for routing: nothing here is signed.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_int")]
    pub iys_code: Option<i64>,
    /// The brand's number.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::optional_int")]
    pub brand_code: Option<i64>,
    /// The movement.
    #[serde(flatten)]
    pub change: Change,
}

/// The code, as provider's and brand's number, that the test event carries.
const TEST_CODE: i64 = 121_212;
/// The address that the test event carries.
const TEST_RECIPIENT: &str = "pushtest@iys.org.tr";

impl PushEvent {
    /// Reads a posted body.
    ///
    /// # Errors
    /// `serde_json`'s, when the body is not JSON or not of the documented shape. Answer such a call with HTTP 400.
    pub fn parse(body: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(body)
    }

    /// Whether this is the fixed event that the registry posts once while it registers a receiver, to every customer
    /// alike and for every channel. Answer it with success and forget it.
    pub fn is_test(&self) -> bool {
        !self.list.is_empty() && self.list.iter().all(PushedChange::is_test)
    }
}

impl PushedChange {
    /// Whether this is the movement of the registry's test event.
    pub fn is_test(&self) -> bool {
        self.iys_code == Some(TEST_CODE)
            && self.brand_code == Some(TEST_CODE)
            && self.change.recipient.eq_ignore_ascii_case(TEST_RECIPIENT)
    }

    /// The fixed movement that the registry posts while it registers a receiver.
    pub fn test() -> Self {
        let date = "2015-05-01 15:00:00";
        let change = Change {
            consent_date: Some(date.into()),
            creation_date: date.into(),
            source: Some("IYS_MOBIL".into()),
            recipient: TEST_RECIPIENT.into(),
            recipient_type: "BIREYSEL".into(),
            status: "ONAY".into(),
            r#type: "EPOSTA".into(),
            transaction_id: "e52ee30512adfcd2a41fb3b4682f5bd61eee5b1c92bda665fc0b7e56644d429d".into(),
            citizen_name: None,
        };
        Self { iys_code: Some(TEST_CODE), brand_code: Some(TEST_CODE), change }
    }
}
