//! What is kept to prove a consent (design.md section 4.8, rules.md C6).
//!
//! The burden of proof for a consent taken outside the registry lies with the provider; filing it
//! there proves nothing. So each consent carries what was shown, who acted, when and through which
//! door. The whole of it is personal data: it is stored encrypted, committed to in the ledger, and
//! never logged.

use std::fmt;
use std::net::IpAddr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::legal_text::ShownText;
use crate::words::words;

words! {
    /// The door through which a consent came in.
    pub enum Door("door") {
        /// Our own HTTP interface.
        Api = "api",
        /// The interface in the registry's shape.
        RegistryApi = "registry_api",
        /// A file.
        Import = "import",
        /// A hosted web form.
        Form = "form",
        /// A short link.
        Link = "link",
        /// A refusal link in a message.
        RefusalLink = "refusal_link",
        /// An SMS to a short number.
        Sms = "sms",
        /// A call centre or voice system.
        CallCentre = "call_centre",
        /// A signed form, or a list at an event.
        Paper = "paper",
        /// The web panel.
        Panel = "panel",
        /// The command line.
        Cli = "cli",
    }
}

/// The outcome of a one-time password or confirmation link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Otp {
    /// The process it belongs to.
    pub id: Uuid,
    /// When the right code was entered or the link was confirmed.
    #[serde(with = "crate::time::rfc3339")]
    pub confirmed_at: DateTime<Utc>,
    /// How many wrong codes came before.
    pub wrong_attempts: u32,
}

/// A box of a form as the person saw and left it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ShownBox {
    /// The words beside it.
    pub label: String,
    /// Whether it was ticked; none is beforehand.
    pub ticked: bool,
}

/// Everything that proves one consent. What does not apply is left out of the stored form; what a
/// later version added is skipped when an older one reads it.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Evidence {
    /// Whether the facts are the client's word (API, files) instead of observed by one of our own
    /// channels (design.md section 4.11).
    pub declared: bool,
    /// The door.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub door: Option<Door>,
    /// Who acted: the id of a key, a user or a campaign; never a name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// The operator or agent who typed it in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operator: Option<String>,
    /// The true time of the decision where another date is filed (a rejection filed late, or one
    /// second later than an approval).
    #[serde(default, with = "optional_rfc3339", skip_serializing_if = "Option::is_none")]
    pub true_time: Option<DateTime<Utc>>,
    /// The version of a text kept here that was shown or read out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<ShownText>,
    /// The version of a privacy notice kept here that stood beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice: Option<ShownText>,
    /// Version of the text that was shown or read out, where the client keeps it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text_version: Option<String>,
    /// SHA-256 of that text, lower-case hex.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text_sha256: Option<String>,
    /// The address the connection came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peer: Option<IpAddr>,
    /// The port it came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer_port: Option<u16>,
    /// The person's address as trusted proxies report it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resolved_address: Option<IpAddr>,
    /// The browser or client software, as it names itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    /// The address, SMS or row exactly as it came in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub raw_input: Option<String>,
    /// The name the person gave.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub full_name: Option<String>,
    /// The form, link, keyword or import it came through.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// Version of the form that was shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub form_version: Option<i64>,
    /// The boxes of the form, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub boxes: Vec<ShownBox>,
    /// What read the person's words as a decision, and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision: Option<String>,
    /// The SMS vendor's id of the message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    /// The id of the call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call_id: Option<String>,
    /// When the call began.
    #[serde(default, with = "optional_rfc3339", skip_serializing_if = "Option::is_none")]
    pub call_started_at: Option<DateTime<Utc>>,
    /// The key that the person pressed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_pressed: Option<String>,
    /// What the person said, where the agent has written it down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said: Option<String>,
    /// The id of the voice record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub voice_record_id: Option<String>,
    /// Where in the voice record the answer is, in seconds from its beginning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub voice_offset_seconds: Option<u32>,
    /// SHA-256 of the voice record's file, lower-case hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voice_sha256: Option<String>,
    /// The id of a scanned form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scan_id: Option<String>,
    /// SHA-256 of the scan's file, lower-case hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scan_sha256: Option<String>,
    /// Whether the form bears a signature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<bool>,
    /// The place or event where it was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// The batch in which it was typed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch: Option<String>,
    /// The one-time password or confirmation link.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub otp: Option<Otp>,
    /// The client's own reference.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
}

impl Evidence {
    /// Evidence of a client that declares a consent (API, file).
    pub fn declared(door: Door) -> Self {
        Self { declared: true, door: Some(door), ..Self::default() }
    }

    /// Evidence of one of our own channels.
    pub fn observed(door: Door) -> Self {
        Self { declared: false, door: Some(door), ..Self::default() }
    }
}

/// Shows only what is no personal data, so that evidence cannot leak through a log line.
impl fmt::Debug for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Evidence")
            .field("declared", &self.declared)
            .field("door", &self.door)
            .finish_non_exhaustive()
    }
}

/// Serde form of an instant that may be missing.
mod optional_rfc3339 {
    use chrono::{DateTime, Utc};
    use serde::{Deserialize, Deserializer, Serializer};

    #[expect(clippy::ref_option, reason = "serde hands over a reference to the field")]
    pub fn serialize<S: Serializer>(
        instant: &Option<DateTime<Utc>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match instant {
            Some(instant) => crate::time::rfc3339::serialize(instant, serializer),
            None => serializer.serialize_none(),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<DateTime<Utc>>, D::Error> {
        Option::deserialize(deserializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_apply_is_left_out() {
        let evidence = Evidence::declared(Door::Api);
        assert_eq!(serde_json::to_string(&evidence).unwrap(), r#"{"declared":true,"door":"api"}"#);
    }

    #[test]
    fn the_stored_form_reads_back() {
        let evidence = Evidence {
            true_time: Some("2026-11-20T07:05:00Z".parse().unwrap()),
            peer: Some("10.0.0.7".parse().unwrap()),
            raw_input: Some("İPTAL".into()),
            otp: Some(Otp {
                id: Uuid::nil(),
                confirmed_at: "2026-11-20T07:05:00Z".parse().unwrap(),
                wrong_attempts: 1,
            }),
            ..Evidence::observed(Door::Form)
        };
        let json = serde_json::to_string(&evidence).unwrap();
        assert!(json.contains(r#""trueTime":"2026-11-20T10:05:00+03:00""#), "{json}");
        assert_eq!(serde_json::from_str::<Evidence>(&json).unwrap(), evidence);
    }

    #[test]
    fn a_log_line_shows_nothing_personal() {
        let evidence = Evidence { raw_input: Some("0532 123 45 67".into()), ..Evidence::observed(Door::Sms) };
        assert_eq!(format!("{evidence:?}"), "Evidence { declared: false, door: Some(Sms), .. }");
    }
}
