//! Consents as they are shown.

use chrono::{DateTime, Utc};
use kopru_domain::submission::explain_own_code;
use kopru_domain::time::format_rfc3339;
use kopru_domain::{Code, Deadline, Evidence, IysCode, Lang};
use kopru_store::consents::ConsentRow;
use kopru_store::submissions::SubmissionRow;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::waiting::Told;
use super::{Showing, deadline};
use crate::service::mirror::SealedConsent;

/// The three instants of a deadline, RFC 3339 with +03:00.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DeadlineView {
    /// The strictest reading: what the service works towards.
    #[schema(example = "2026-11-25T10:05:00+03:00")]
    pub target: String,
    /// The usual reading: end of the third business day.
    #[schema(example = "2026-11-25T23:59:59+03:00")]
    pub legal: String,
    /// The most lenient reading: after it an ONAY is lost.
    #[schema(example = "2026-11-25T23:59:59+03:00")]
    pub latest: String,
}

impl From<Deadline> for DeadlineView {
    fn from(deadline: Deadline) -> Self {
        Self {
            target: format_rfc3339(deadline.target),
            legal: format_rfc3339(deadline.legal),
            latest: format_rfc3339(deadline.latest),
        }
    }
}

/// What a code means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// Cause and remedy, in the language asked for.
    #[schema(value_type = String)]
    pub title: &'static str,
    /// What has happened, in the language asked for.
    #[schema(value_type = String)]
    pub cause: &'static str,
    /// What to do, in the language asked for; empty where the cause says all.
    #[schema(value_type = String)]
    pub action: &'static str,
    /// Cause and remedy in Turkish.
    #[schema(value_type = String)]
    pub tr: &'static str,
    /// Cause and remedy in English.
    #[schema(value_type = String)]
    pub en: &'static str,
    /// Who can do something about it: `client`, `operator`, `partner`, `registry`, `citizen`, `developer` or `nobody`.
    #[schema(value_type = String)]
    pub who: &'static str,
    /// Whether filing it again can help.
    pub redrive_helps: bool,
}

/// Explains a code, ours or the registry's; nothing for one that this version does not know.
pub fn explain(code: &str, lang: Lang) -> Option<Explanation> {
    let own = explain_own_code(code).map(|own| (own.tr, own.en, own.who.as_str(), own.redrive_helps));
    let (tr, en, who, redrive_helps) = own.or_else(|| {
        let info = iys::codes::lookup(code)?;
        Some((info.tr, info.en, actor(info.who), info.redrive_helps))
    })?;
    let title = if lang == Lang::Tr { tr } else { en };
    let (cause, action) = title.split_once(". ").unwrap_or((title, ""));
    Some(Explanation { title, cause, action, tr, en, who, redrive_helps })
}

/// Explains the code of a filing. The registry may use one that is younger than this version.
pub fn explain_filing(code: &str, lang: Lang) -> Option<Explanation> {
    explain(code, lang).or_else(|| explain(Code::UNKNOWN_CODE.as_str(), lang))
}

/// Why a filing stands where it does, where there is something to say: by its code, or what holds it.
fn explain_row(row: &SubmissionRow, lang: Lang) -> Option<Explanation> {
    let explanation =
        row.code.as_deref().or(row.cause.as_deref()).and_then(|code| explain_filing(code, lang))?;
    // What is under way cannot be filed again.
    Some(Explanation { redrive_helps: explanation.redrive_helps && !row.state.is_open(), ..explanation })
}

fn actor(who: iys::Actor) -> &'static str {
    match who {
        iys::Actor::Client => "client",
        iys::Actor::Operator => "operator",
        iys::Actor::Partner => "partner",
        iys::Actor::Registry => "registry",
        iys::Actor::Nobody => "nobody",
        _ => "developer",
    }
}

/// One filing of a consent at the registry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SubmissionView {
    /// 1 for the first filing, one more for each time it was driven again.
    pub generation: i64,
    /// `queued`, `in_flight`, `batched`, `unresolved`, `held`, or ended: `registered`, `refused`, `expired`, `not_needed`,
    /// `superseded`.
    #[schema(value_type = String, example = "queued")]
    pub state: &'static str,
    /// Why, where there is something to say: the registry's H-code, or a word of this service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What the code means.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explanation: Option<Explanation>,
    /// Why it is held, or waits behind what is: `not_authorised`, `type_right`, `subscription`, `quota` or `review`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held_cause: Option<String>,
    /// The consent that it waits for: an earlier movement of the same address whose outcome is not known yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waits_for: Option<Uuid>,
    /// Until when it must be filed.
    pub deadline: DeadlineView,
    /// Version of the holiday table behind the deadline.
    pub calendar: String,
    /// How often it was taken in hand: to be sent, or to ask what has become of it.
    pub attempts: i64,
    /// When it is looked at next, while it waits for nobody's decision; RFC 3339 with +03:00.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_attempt_at: Option<String>,
    /// Whether a RET went with the present time because its own date was too old to be filed.
    pub late: bool,
    /// Whether its target came near before it was filed.
    pub at_risk: bool,
    /// The date that the registry is told, where it is filed with one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filed_date: Option<String>,
    /// What the registry answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registry: Option<RegistryAnswerView>,
}

/// The registry's record of a filing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RegistryAnswerView {
    /// The registry's id of the movement.
    pub transaction_id: String,
    /// When the registry recorded it, RFC 3339 with +03:00.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub creation_date: Option<String>,
}

impl SubmissionView {
    pub(super) fn new(Told { row, waits_for, next }: Told, lang: Lang) -> Self {
        let creation_date = row.creation_date.map(format_rfc3339);
        Self {
            generation: row.generation,
            state: row.state.as_str(),
            deadline: deadline(&row).into(),
            explanation: explain_row(&row, lang),
            code: row.code,
            held_cause: row.cause,
            waits_for,
            calendar: row.calendar,
            attempts: row.attempt,
            next_attempt_at: next.map(format_rfc3339),
            late: row.late,
            at_risk: row.at_risk,
            filed_date: row.wire_date.map(format_rfc3339),
            registry: row
                .transaction_id
                .map(|transaction_id| RegistryAnswerView { transaction_id, creation_date }),
        }
    }
}

/// What is kept to prove a consent, without the personal data in it: those leave the service in an evidence pack only.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EvidenceView {
    /// Whether the facts are the client's word (API, files) instead of observed by a channel of this service.
    pub declared: bool,
    /// The door: `api`, `import`, `form` …
    #[serde(skip_serializing_if = "Option::is_none")]
    pub door: Option<String>,
    /// Who sent it: the id of a key, a user or a campaign.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// The text version kept here that was shown or read out, as `code/version`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The privacy notice kept here that stood beside it, as `code/version`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notice: Option<String>,
    /// Version of the text that was shown or read out, where the client keeps it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text_version: Option<String>,
    /// SHA-256 of that text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text_sha256: Option<String>,
    /// The form, link, keyword or import.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// Id of the SMS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    /// Id of the call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call_id: Option<String>,
    /// Id of the voice record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub voice_record_id: Option<String>,
    /// Id of the scanned form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scan_id: Option<String>,
    /// When a one-time password or link was confirmed, RFC 3339 with +03:00.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confirmed_at: Option<String>,
    /// Names of personal facts that are kept and not shown here: `fullName`, `clientAddress`, `userAgent`, `rawInput`,
    /// `operator`.
    #[schema(value_type = Vec<String>)]
    pub kept: Vec<&'static str>,
}

impl EvidenceView {
    fn new(evidence: &Evidence) -> Self {
        let text = evidence.text.as_ref();
        let address = evidence.resolved_address.or(evidence.peer).is_some();
        let kept = [
            (evidence.full_name.is_some(), "fullName"),
            (address, "clientAddress"),
            (evidence.user_agent.is_some(), "userAgent"),
            (evidence.raw_input.is_some(), "rawInput"),
            (evidence.operator.is_some(), "operator"),
        ];
        Self {
            declared: evidence.declared,
            door: evidence.door.map(|door| door.as_str().to_owned()),
            actor: evidence.actor.clone(),
            text: text.map(|text| text.text().to_string()),
            notice: evidence.notice.as_ref().map(|notice| notice.text().to_string()),
            text_version: evidence.text_version.clone(),
            text_sha256: text.map(|text| text.sha256.clone()).or_else(|| evidence.text_sha256.clone()),
            origin: evidence.origin.clone(),
            message_id: evidence.message_id.clone(),
            call_id: evidence.call_id.clone(),
            voice_record_id: evidence.voice_record_id.clone(),
            scan_id: evidence.scan_id.clone(),
            confirmed_at: evidence.otp.as_ref().map(|otp| format_rfc3339(otp.confirmed_at)),
            kept: kept.into_iter().filter_map(|(there, name)| there.then_some(name)).collect(),
        }
    }
}

/// Place of a consent in the provider's hash chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LedgerView {
    /// Number, from 1.
    pub sequence: i64,
    /// SHA-256 of the link, hexadecimal.
    pub hash: String,
    /// Commitment to the evidence, hexadecimal.
    pub evidence_commitment: String,
}

/// The filings of a consent.
pub(super) struct Filings {
    pub present: SubmissionView,
    pub earlier: Vec<SubmissionView>,
    /// Retailers that they name as those that may use the consent.
    pub retailers: Vec<i64>,
}

/// One consent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Consent {
    /// Identity.
    pub id: Uuid,
    /// The provider's number at the registry.
    pub iys_code: i64,
    /// The brand's number at the registry.
    pub brand_code: i64,
    /// The address, masked unless the key has `recipients:read`.
    #[schema(example = "+90 532 *** ** 67")]
    pub recipient: String,
    /// `BIREYSEL` or `TACIR`.
    #[schema(value_type = String)]
    pub recipient_type: &'static str,
    /// `ARAMA`, `MESAJ` or `EPOSTA`.
    #[serde(rename = "type")]
    #[schema(value_type = String)]
    pub channel: &'static str,
    /// `ONAY` or `RET`.
    #[schema(value_type = String)]
    pub status: &'static str,
    /// Where it was taken: `HS_…`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub source: Option<&'static str>,
    /// When the person decided, RFC 3339 with +03:00.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consent_date: Option<String>,
    /// The retailer who took it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retailer_code: Option<i64>,
    /// Retailers that may use it from its first filing on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub retailer_access: Vec<i64>,
    /// The client's own reference.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The door through which it came: `api`, `import` …
    pub door: String,
    /// When it reached the service.
    pub received_at: String,
    /// The present filing.
    #[serde(flatten)]
    pub submission: SubmissionView,
    /// Earlier filings, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub earlier_submissions: Vec<SubmissionView>,
    /// What is kept to prove it; missing once it was destroyed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evidence: Option<EvidenceView>,
    /// Its place in the ledger.
    pub ledger: LedgerView,
}

impl Consent {
    pub(super) fn new(
        provider: IysCode,
        row: ConsentRow,
        opened: &SealedConsent,
        filings: Filings,
        evidence: Option<&Evidence>,
        showing: Showing,
    ) -> Self {
        Self {
            id: row.id,
            iys_code: provider.0,
            brand_code: row.brand_code.0,
            recipient: showing.apply(&opened.recipient),
            recipient_type: row.recipient_type.as_str(),
            channel: row.channel.as_str(),
            status: row.status.as_str(),
            source: row.source.map(kopru_domain::ProviderSource::as_str),
            consent_date: row.consent_date.map(format_rfc3339),
            retailer_code: row.retailer_code.map(|code| code.0),
            retailer_access: filings.retailers,
            reference: opened.reference.clone(),
            received_at: format_rfc3339(row.received_at),
            submission: filings.present,
            earlier_submissions: filings.earlier,
            evidence: evidence.map(EvidenceView::new),
            ledger: LedgerView {
                sequence: row.seq,
                hash: hex::encode(row.hash),
                evidence_commitment: hex::encode(row.evidence_hash),
            },
            door: row.door,
        }
    }
}

/// One line of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConsentSummary {
    /// Identity.
    pub id: Uuid,
    /// The address, masked unless the key has `recipients:read`.
    pub recipient: String,
    /// `BIREYSEL` or `TACIR`.
    #[schema(value_type = String)]
    pub recipient_type: &'static str,
    /// `ARAMA`, `MESAJ` or `EPOSTA`.
    #[serde(rename = "type")]
    #[schema(value_type = String)]
    pub channel: &'static str,
    /// `ONAY` or `RET`.
    #[schema(value_type = String)]
    pub status: &'static str,
    /// When the person decided, RFC 3339 with +03:00.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consent_date: Option<String>,
    /// The client's own reference.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// 1 for the first filing.
    pub generation: i64,
    /// State of the filing.
    #[schema(value_type = String)]
    pub state: &'static str,
    /// Why: the registry's H-code, or a word of this service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What the code means.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explanation: Option<Explanation>,
    /// The consent that it waits for: an earlier movement of the same address whose outcome is not known yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waits_for: Option<Uuid>,
    /// Until when it must be filed.
    pub deadline: DeadlineView,
    /// When it reached the service.
    pub received_at: String,
}

impl ConsentSummary {
    pub(super) fn new(
        row: &ConsentRow,
        opened: &SealedConsent,
        Told { row: filing, waits_for, .. }: &Told,
        lang: Lang,
        showing: Showing,
    ) -> Self {
        let date = |at: Option<DateTime<Utc>>| at.map(format_rfc3339);
        Self {
            id: row.id,
            recipient: showing.apply(&opened.recipient),
            recipient_type: row.recipient_type.as_str(),
            channel: row.channel.as_str(),
            status: row.status.as_str(),
            consent_date: date(row.consent_date),
            reference: opened.reference.clone(),
            generation: filing.generation,
            state: filing.state.as_str(),
            deadline: deadline(filing).into(),
            explanation: explain_row(filing, lang),
            code: filing.code.clone(),
            waits_for: *waits_for,
            received_at: format_rfc3339(row.received_at),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kopru_domain::evidence::Door;

    #[test]
    fn codes_of_both_kinds_are_explained_in_the_language_asked_for() {
        let own = explain("deadline_passed", Lang::En).unwrap();
        assert_eq!((own.who, own.redrive_helps), ("client", false));
        assert_ne!(own.title, explain("deadline_passed", Lang::Tr).unwrap().title);
        assert!(explain("H174", Lang::Tr).is_some());
        assert_eq!(explain("H99999", Lang::Tr), None);
    }

    #[test]
    fn every_code_says_what_happened_who_must_act_and_what_to_do() {
        let own = Code::OWN.iter().map(Code::as_str);
        let held = kopru_domain::HeldCause::ALL
            .iter()
            .map(|cause| cause.as_str())
            .filter(|cause| *cause != "review");
        let codes: Vec<&str> = iys::codes::all().map(|info| info.code).chain(own).chain(held).collect();
        assert!(codes.len() > 287, "{}", codes.len());
        for code in codes {
            let [tr, en] =
                [Lang::Tr, Lang::En].map(|lang| explain(code, lang).unwrap_or_else(|| panic!("{code}")));
            assert_eq!((tr.title, en.title), (tr.tr, tr.en), "{code}");
            assert_ne!(tr.tr, tr.en, "{code}");
            for text in [tr.cause, tr.action, en.cause, en.action] {
                assert!(text.chars().count() > 5, "{code}: {text}");
            }
            let actors = ["client", "operator", "partner", "registry", "citizen", "developer", "nobody"];
            assert!(actors.contains(&tr.who), "{code}: {}", tr.who);
        }
        let unknown = explain_filing("H99999", Lang::En).unwrap();
        assert_eq!((unknown.who, unknown.redrive_helps), ("operator", true));
    }

    #[test]
    fn the_summary_of_evidence_names_personal_facts_without_showing_them() {
        let evidence = Evidence {
            full_name: Some("Ayşe Yılmaz".to_owned()),
            peer: Some("10.0.0.7".parse().unwrap()),
            raw_input: Some("0532 123 45 67".to_owned()),
            text_version: Some("v3".to_owned()),
            ..Evidence::declared(Door::Api)
        };
        let json = serde_json::to_string(&EvidenceView::new(&evidence)).unwrap();
        assert!(json.contains(r#""kept":["fullName","clientAddress","rawInput"]"#), "{json}");
        assert!(!json.contains("Ayşe") && !json.contains("10.0.0.7") && !json.contains("0532"), "{json}");
        assert!(json.contains(r#""textVersion":"v3""#));
    }

    #[test]
    fn an_address_is_masked_unless_it_may_be_shown() {
        assert_eq!(Showing::Masked.apply("+905321234567"), "+90 532 *** ** 67");
        assert_eq!(Showing::Full.apply("+905321234567"), "+905321234567");
        assert_eq!(Showing::Masked.apply("not an address"), "***");
    }
}
