//! Paper and events: forms and lists that an operator has typed. The clock starts at the signature, so late typing may cost the
//! consent: what is near its limit is told of at once.

use chrono::{DateTime, TimeDelta, Utc};
use kopru_domain::evidence::Door;
use kopru_domain::time::format_rfc3339;
use kopru_domain::{ConsentStatus, Evidence, ProviderSource, SubmissionState, Text};

use crate::bootstrap::App;
use crate::service::brands::KnownBrand;
use crate::service::intake::{
    self, Accepted, ConsentInput, Idempotency, IntakeAnswer, IntakeItem, IntakeRequest, Refused,
};
use crate::service::{Caller, Scope, ServiceResult};

/// Of what has less than this to its target the operator is told.
const NEAR: TimeDelta = TimeDelta::hours(24);

/// A typed form.
#[derive(Clone)]
pub struct Paper {
    /// Its place in the request, from 0.
    pub index: usize,
    /// Address, channel, status, recipient type, retailer; the source where it was named.
    pub consent: ConsentInput,
    /// When it was signed, or the person decided.
    pub signed_at: Option<DateTime<Utc>>,
    /// The client's own reference.
    pub reference: Option<String>,
    /// Scan, signature, place, operator, text.
    pub evidence: Evidence,
}

/// A typed form that is, or may soon be, too late.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// The consent, with its place and its deadline.
    pub accepted: Accepted,
    /// `near_expiry` or `expired`.
    pub code: &'static str,
    /// What to do.
    pub title: Text,
}

/// Takes typed forms in. Needs `consents:write`.
pub async fn take(
    app: &App,
    caller: &Caller,
    brand: &KnownBrand,
    papers: Vec<Paper>,
    idempotency: Option<Idempotency>,
) -> ServiceResult<(IntakeAnswer, Vec<Warning>)> {
    caller.require(Scope::ConsentsWrite)?;
    brand.require_active()?;
    let (mut items, mut refused) = (Vec::new(), Vec::new());
    for paper in papers {
        let problems = missing(&paper);
        if problems.is_empty() {
            items.push(item(paper));
        }
        refused.extend(problems);
    }
    let mut answer = IntakeAnswer::default();
    if !items.is_empty() {
        let request = IntakeRequest {
            brand: brand.row.clone(),
            stops: brand.stops(),
            notices: brand.notices(),
            door: Door::Paper.as_str(),
            items,
            idempotency,
            lang: caller.lang,
        };
        answer = intake::submit(app, request).await?;
    }
    answer.refused.extend(refused);
    let now = app.clocks.business();
    let warnings = answer.accepted.iter().filter_map(|accepted| warning(accepted, now)).collect();
    Ok((answer, warnings))
}

/// The source: as named, else a signed form where there is a signature.
fn source(paper: &Paper) -> &str {
    let signed = paper.evidence.signature == Some(true);
    let usual = if signed { ProviderSource::SignedForm } else { ProviderSource::PhysicalPlace };
    paper.consent.source.as_deref().unwrap_or(usual.as_str())
}

/// What a form on paper must hold (rules.md C1), and what proves it. A refusal needs neither name nor scan.
fn missing(paper: &Paper) -> Vec<Refused> {
    let refused = |field: &str, code: &str, title: Text| Refused {
        index: paper.index,
        code: code.to_owned(),
        field: field.to_owned(),
        title,
    };
    let mut problems = Vec::new();
    let mut need = |there: bool, field: &str, code: &str, tr: &'static str, en: &'static str| {
        if !there {
            problems.push(refused(field, code, Text::fixed(tr, en)));
        }
    };
    let sources = [ProviderSource::PhysicalPlace, ProviderSource::SignedForm, ProviderSource::Event];
    need(
        sources.iter().any(|allowed| allowed.as_str() == source(paper)),
        "source",
        "source",
        "HS_FIZIKSEL_ORTAM, HS_ISLAK_IMZA ya da HS_ETKINLIK olmalı",
        "it must be HS_FIZIKSEL_ORTAM, HS_ISLAK_IMZA or HS_ETKINLIK",
    );
    need(
        paper.signed_at.is_some(),
        "signatureDate",
        "H112",
        "imza tarihi gerekli; süre o andan başlar",
        "the date of the signature is needed; the period begins with it",
    );
    need(
        paper.evidence.operator.is_some(),
        "operator",
        "missing",
        "formu giren kişiyi yazın",
        "name the person who typed the form",
    );
    if paper.consent.status.as_deref() != Some(ConsentStatus::Rejection.as_str()) {
        need(
            paper.evidence.scan_sha256.is_some(),
            "scanSha256",
            "missing",
            "taranmış formun SHA-256 özeti gerekli; kanıt odur",
            "the SHA-256 of the scanned form is needed; it is the proof",
        );
        need(
            paper.evidence.full_name.is_some(),
            "fullName",
            "missing",
            "onay formunda ad ve soyad bulunur",
            "a form of consent holds the person's name",
        );
        need(
            source(paper) != ProviderSource::SignedForm.as_str() || paper.evidence.signature == Some(true),
            "signaturePresent",
            "signature",
            "HS_ISLAK_IMZA için formda imza olmalı",
            "HS_ISLAK_IMZA needs a signature on the form",
        );
    }
    problems
}

fn item(paper: Paper) -> IntakeItem {
    let source = source(&paper).to_owned();
    IntakeItem {
        index: paper.index,
        consent: ConsentInput {
            source: Some(source),
            consent_date: paper.signed_at.map(format_rfc3339),
            act: paper.evidence.scan_sha256.as_ref().map(|scan| format!("scan/{scan}")),
            ..paper.consent
        },
        reference: paper.reference,
        own_channel: paper.evidence.scan_sha256.is_some(),
        evidence: paper.evidence,
    }
}

fn warning(accepted: &Accepted, now: DateTime<Utc>) -> Option<Warning> {
    let (code, title) = if accepted.state == SubmissionState::Expired {
        (
            "expired",
            Text::fixed(
                "imzadan bu yana üç iş günü geçmiş; onay geçersiz, kişiden yeniden onay alın",
                "three business days have passed since the signature; the consent is lost, ask the person anew",
            ),
        )
    } else if accepted.state.is_open() && now + NEAR > accepted.deadline.target {
        (
            "near_expiry",
            Text::fixed(
                "süresi dolmak üzere; formları imzalandığı gün girin",
                "its time is nearly up; type forms on the day of their signature",
            ),
        )
    } else {
        return None;
    };
    Some(Warning { accepted: accepted.clone(), code, title })
}
