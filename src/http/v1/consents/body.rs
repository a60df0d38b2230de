//! A consent as clients send it.

use std::net::IpAddr;

use kopru_domain::evidence::Door;
use kopru_domain::{Evidence, Lang, Text};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::http::items::{self, Item, LONGEST_FACT, LONGEST_REFERENCE, fields};
use crate::http::json::{Body, Field, Kind};
use crate::service::intake::{ConsentInput, IntakeItem};
use crate::service::{Caller, FieldProblem};

/// Retailers of a brand (registry-protocol section 4.14), and of one consent.
const MOST_RETAILERS: usize = 3_000;

/// A consent or its withdrawal, in the registry's own words.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ConsentBody {
    /// Phone number or e-mail address, as people write it: `0532 123 45 67`, `+905321234567`, `ali@example.com`.
    #[schema(value_type = String, example = "+905321234567")]
    pub recipient: Option<String>,
    /// `ARAMA` (call), `MESAJ` (SMS) or `EPOSTA` (e-mail).
    #[serde(rename = "type")]
    #[schema(value_type = String, example = "MESAJ")]
    pub channel: Option<String>,
    /// `ONAY` (consent) or `RET` (withdrawal).
    #[schema(value_type = String, example = "ONAY")]
    pub status: Option<String>,
    /// Where it was taken: `HS_WEB`, `HS_MESAJ`, `HS_CAGRI_MERKEZI` … Only TACIR may leave it out.
    #[schema(example = "HS_WEB")]
    pub source: Option<String>,
    /// When the person decided: `YYYY-MM-DD HH:mm:ss` in Turkey time, or RFC 3339 with an offset. Only TACIR may leave it out.
    #[schema(example = "2026-11-20T10:05:00+03:00")]
    pub consent_date: Option<String>,
    /// `BIREYSEL` (the default) or `TACIR`.
    #[schema(example = "BIREYSEL")]
    pub recipient_type: Option<String>,
    /// The retailer who took it; one of the brand's.
    pub retailer_code: Option<i64>,
    /// Retailers that may use it, at most 3 000 of the brand's.
    pub retailer_access: Option<Vec<i64>>,
    /// A reference of your own, at most 200 characters; it comes back in answers and events.
    pub reference: Option<String>,
    /// What proves it, as far as you know it.
    pub evidence: Option<Box<EvidenceBody>>,
}

/// What is sent: one consent, or an array of up to 10 000.
#[derive(Debug, ToSchema)]
#[serde(untagged)]
pub enum ConsentsBody {
    /// One.
    One(ConsentBody),
    /// Several.
    Many(Vec<ConsentBody>),
}

/// What proves a consent, in the client's words. Kept sealed; never shown in answers beyond ids and hashes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EvidenceBody {
    /// The text version kept here that was shown or read out, as `code/version`. Its hash is kept with the consent.
    #[schema(example = "sms-onay/1")]
    pub text: Option<String>,
    /// The version of a privacy notice kept here that stood beside it, as `code/version`.
    #[schema(example = "aydinlatma/1")]
    pub notice: Option<String>,
    /// The language in which they were shown: `tr` (the default) or `en`.
    #[schema(value_type = Option<String>)]
    pub language: Option<Lang>,
    /// Version of the text that was shown or read out, where you keep it yourself.
    pub text_version: Option<String>,
    /// SHA-256 of the text, 64 hexadecimal digits; where `text` is named it must be that version's.
    pub text_sha256: Option<String>,
    /// The name the person gave.
    pub full_name: Option<String>,
    /// The operator or agent who typed it in.
    pub operator: Option<String>,
    /// The form, page, campaign or file it came through.
    pub origin: Option<String>,
    /// The SMS vendor's id of the message.
    pub message_id: Option<String>,
    /// The id of the call.
    pub call_id: Option<String>,
    /// The id of the voice record.
    pub voice_record_id: Option<String>,
    /// Where in the voice record the answer is, in seconds from its beginning.
    #[schema(minimum = 0)]
    pub voice_offset_seconds: Option<i64>,
    /// The id of a scanned form.
    pub scan_id: Option<String>,
    /// The person's address on the internet, where your own site took the consent.
    #[schema(value_type = Option<String>)]
    pub client_address: Option<String>,
    /// The person's browser, where your own site took the consent.
    pub user_agent: Option<String>,
}

const EVIDENCE: &[Field] = &[
    Field::optional("text", Kind::Text).also(&["metin", "consenttext"]),
    fields::NOTICE,
    fields::LANGUAGE,
    Field::optional("textVersion", Kind::Text).also(&["version", "metinsurumu"]),
    Field::optional("textSha256", Kind::Text).also(&["texthash", "hash", "sha256", "metinozeti"]),
    fields::FULL_NAME,
    Field::optional("operator", Kind::Text).also(&["agent", "user", "temsilci"]),
    Field::optional("origin", Kind::Text).also(&["form", "formid", "page", "campaign", "url", "note"]),
    Field::optional("messageId", Kind::Text).also(&["smsid"]),
    Field::optional("callId", Kind::Text).also(&["call", "aramaid"]),
    fields::VOICE_RECORD_ID,
    fields::VOICE_OFFSET_SECONDS,
    fields::SCAN_ID,
    Field::optional("clientAddress", Kind::Text).also(&["ip", "ipaddress", "clientip"]),
    Field::optional("userAgent", Kind::Text).also(&["browser"]),
];

/// The fields of a consent with the names by which people look for them.
const FIELDS: &[Field] = &[
    Field::optional("recipient", Kind::Text).also(&[
        "phone", "gsm", "msisdn", "tel", "telefon", "number", "numara", "email", "mail", "eposta", "alici",
        "address",
    ]),
    fields::CHANNEL,
    Field::optional("status", Kind::Text).also(&["durum", "state", "izindurumu"]),
    Field::optional("source", Kind::Text).also(&["kaynak", "izinkaynagi"]),
    Field::optional("consentDate", Kind::Text).also(&[
        "date",
        "tarih",
        "izintarihi",
        "timestamp",
        "createdat",
    ]),
    fields::RECIPIENT_TYPE,
    fields::RETAILER_CODE,
    Field::optional("retailerAccess", Kind::Numbers).also(&["retailers", "bayiler"]),
    fields::REFERENCE,
    Field::optional("evidence", Kind::Object(EVIDENCE)).also(&["kanit", "proof"]),
];

impl Body for ConsentBody {
    const FIELDS: &'static [Field] = FIELDS;
}

impl Item for ConsentBody {
    fn problems(&self, index: usize) -> Vec<FieldProblem> {
        let mut found = Vec::new();
        found.extend(items::check_line(index, "reference", self.reference.as_ref(), LONGEST_REFERENCE));
        found.extend(items::check_retailer(index, "retailerCode", self.retailer_code));
        let access = self.retailer_access.as_deref().unwrap_or_default();
        if access.len() > MOST_RETAILERS {
            let title = Text::fixed("en çok 3000 bayi yazılabilir", "at most 3000 retailers can be named");
            found.push(items::problem(index, "retailerAccess", "H126", title));
        }
        if let Some(evidence) = &self.evidence {
            evidence.problems(index, &mut found);
        }
        found
    }
}

impl ConsentBody {
    /// The consent as the intake takes it. The facts are the client's word: `declared`.
    pub(super) fn into_item(self, index: usize, caller: &Caller) -> IntakeItem {
        let given = self.evidence.map(|given| *given).unwrap_or_default();
        let named: Option<IpAddr> = given.client_address.as_deref().and_then(|text| text.trim().parse().ok());
        let told = fields::told_by(caller, Door::Api);
        IntakeItem {
            index,
            consent: ConsentInput {
                recipient: self.recipient,
                channel: self.channel,
                status: self.status,
                source: self.source,
                consent_date: self.consent_date,
                recipient_type: self.recipient_type,
                retailer_code: self.retailer_code,
                retailer_access: self.retailer_access.unwrap_or_default(),
                act: None,
            },
            reference: self.reference.filter(|text| !text.is_empty()),
            evidence: Evidence {
                resolved_address: named.or(told.resolved_address),
                user_agent: given.user_agent.or_else(|| told.user_agent.clone()),
                operator: given.operator,
                text: items::shown(given.text.as_deref(), given.language),
                notice: items::shown(given.notice.as_deref(), given.language),
                text_version: given.text_version,
                text_sha256: given.text_sha256.map(|digest| digest.to_ascii_lowercase()),
                full_name: given.full_name,
                origin: given.origin,
                message_id: given.message_id,
                call_id: given.call_id,
                voice_record_id: given.voice_record_id,
                voice_offset_seconds: fields::seconds(given.voice_offset_seconds),
                scan_id: given.scan_id,
                ..told
            },
            own_channel: false,
        }
    }
}

impl EvidenceBody {
    fn problems(&self, index: usize, found: &mut Vec<FieldProblem>) {
        for (name, text) in [
            ("evidence.textVersion", &self.text_version),
            ("evidence.fullName", &self.full_name),
            ("evidence.operator", &self.operator),
            ("evidence.origin", &self.origin),
            ("evidence.messageId", &self.message_id),
            ("evidence.callId", &self.call_id),
            ("evidence.voiceRecordId", &self.voice_record_id),
            ("evidence.scanId", &self.scan_id),
            ("evidence.userAgent", &self.user_agent),
        ] {
            found.extend(items::check_line(index, name, text.as_ref(), LONGEST_FACT));
        }
        found.extend(items::check_text(index, "evidence.text", self.text.as_ref()));
        found.extend(items::check_text(index, "evidence.notice", self.notice.as_ref()));
        found.extend(items::check_seconds(index, "evidence.voiceOffsetSeconds", self.voice_offset_seconds));
        found.extend(items::check_sha256(index, "evidence.textSha256", self.text_sha256.as_ref()));
        if self.client_address.as_ref().is_some_and(|text| text.trim().parse::<IpAddr>().is_err()) {
            let title = Text::fixed("bir IP adresi olmalı", "it must be an IP address");
            found.push(items::problem(index, "evidence.clientAddress", "address", title));
        }
    }
}
