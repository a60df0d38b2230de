//! Fields that consents, calls and forms on paper have in common, with the names by which people look for them.

use kopru_domain::Evidence;
use kopru_domain::evidence::Door;

use crate::http::json::{Field, Kind};
use crate::service::Caller;

/// The channel, in any spelling: the rules say what is wrong with it.
pub const CHANNEL: Field =
    Field::optional("type", Kind::Text).also(&["channel", "kanal", "izinturu", "consenttype", "tur"]);
/// Person or merchant.
pub const RECIPIENT_TYPE: Field =
    Field::optional("recipientType", Kind::Text).also(&["alicitipi", "alicituru", "kind"]);
/// The retailer.
pub const RETAILER_CODE: Field =
    Field::optional("retailerCode", Kind::Number).also(&["bayi", "bayikodu", "retailer"]);
/// The client's own reference.
pub const REFERENCE: Field =
    Field::optional("reference", Kind::Text).also(&["ref", "externalid", "id", "referans", "customerid"]);
/// The language in which something was shown or read out.
pub const LANGUAGE: Field = Field::optional("language", Kind::Word(&["tr", "en"])).also(&["lang", "dil"]);
/// The person's name.
pub const FULL_NAME: Field = Field::optional("fullName", Kind::Text).also(&["name", "adsoyad", "ad"]);
/// A privacy notice.
pub const NOTICE: Field = Field::optional("notice", Kind::Text).also(&["aydinlatma", "privacynotice"]);
/// The voice record.
pub const VOICE_RECORD_ID: Field =
    Field::optional("voiceRecordId", Kind::Text).also(&["recording", "recordid", "voicerecord", "seskaydi"]);
/// Where in the voice record the answer is.
pub const VOICE_OFFSET_SECONDS: Field =
    Field::optional("voiceOffsetSeconds", Kind::Number).also(&["offset", "voiceoffset", "saniye"]);
/// The scan.
pub const SCAN_ID: Field = Field::optional("scanId", Kind::Text).also(&["scan", "tarama"]);

/// What is known of whoever tells: the beginning of an evidence that is the client's word.
pub fn told_by(caller: &Caller, door: Door) -> Evidence {
    Evidence {
        actor: Some(caller.actor.clone()),
        peer: caller.peer,
        resolved_address: caller.client,
        user_agent: caller.user_agent.clone(),
        ..Evidence::declared(door)
    }
}

/// Seconds of a voice record, checked before.
pub fn seconds(given: Option<i64>) -> Option<u32> {
    given.and_then(|seconds| u32::try_from(seconds).ok())
}

/// A text that says something.
pub fn filled(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.trim().is_empty())
}
