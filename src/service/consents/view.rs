//! Consents as they are shown.

use chrono::{DateTime, Utc};
use kopru_domain::submission::explain_own_code;
use kopru_domain::time::format_rfc3339;
use kopru_domain::{Deadline, Evidence, IysCode, Lang};
use kopru_store::consents::ConsentRow;
use kopru_store::submissions::SubmissionRow;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

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
    /// Who can do something about it: `client`, `operator`, `partner`, `registry`, `citizen`, `developer` or `nobody`.
    #[schema(value_type = String)]
    pub who: &'static str,
    /// Whether filing it again can help.
    pub redrive_helps: bool,
}

/// Explains a code, ours or the registry's; nothing for one that this version does not know.
pub fn explain(code: &str, lang: Lang) -> Option<Explanation> {
    let pick = |tr, en| if lang == Lang::Tr { tr } else { en };
    let own = explain_own_code(code).map(|own| Explanation {
        title: pick(own.tr, own.en),
        who: own.who.as_str(),
        redrive_helps: own.redrive_helps,
    });
    own.or_else(|| {
        iys::codes::lookup(code).map(|info| Explanation {
            title: pick(info.tr, info.en),
            who: actor(info.who),
            redrive_helps: info.redrive_helps,
        })
    })
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
    /// Until when it must be filed.
    pub deadline: DeadlineView,
    /// Version of the holiday table behind the deadline.
    pub calendar: String,
    /// How often it was sent.
    pub attempts: i64,
    /// When it is tried next, while it waits; RFC 3339 with +03:00.
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
    pub(super) fn new(row: SubmissionRow, lang: Lang) -> Self {
        let open = row.state.is_open();
        let creation_date = row.creation_date.map(format_rfc3339);
        Self {
            generation: row.generation,
            state: row.state.as_str(),
            deadline: deadline(&row).into(),
            explanation: row.code.as_deref().and_then(|code| explain(code, lang)),
            code: row.code,
            held_cause: row.cause,
            calendar: row.calendar,
            attempts: row.attempt,
            next_attempt_at: open.then(|| format_rfc3339(row.next_attempt_at)),
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
    /// Version of the text that was shown or read out.
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
            text_version: evidence.text_version.clone(),
            text_sha256: evidence.text_sha256.clone(),
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
    /// Until when it must be filed.
    pub deadline: DeadlineView,
    /// When it reached the service.
    pub received_at: String,
}

impl ConsentSummary {
    pub(super) fn new(
        row: &ConsentRow,
        opened: &SealedConsent,
        filing: &SubmissionRow,
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
            explanation: filing.code.as_deref().and_then(|code| explain(code, lang)),
            code: filing.code.clone(),
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
