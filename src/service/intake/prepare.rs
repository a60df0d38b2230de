//! What of an intake needs no database: shape, address, keys, encryption, commitments. Runs on the caller's task, in parallel.

use std::collections::HashSet;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use kopru_domain::ledger::commitment;
use kopru_domain::shape::check_shape;
use kopru_domain::{Candidate, Evidence, FieldError, IysCode, Lang, RetailerCode, ShapedConsent, Text};
use kopru_store::brands::BrandRow;
use kopru_store::{Key, ProviderKeys, ids, random};

use crate::bootstrap::App;
use crate::service::intake::{Idempotency, IntakeItem, Known, Refused};
use crate::service::messages::notice::Notices;
use crate::service::standing::Stops;
use crate::service::{FieldProblem, ServiceResult, mirror};

/// One part of a request, ready to be committed.
pub(super) struct Part {
    pub brand: BrandRow,
    pub stops: Stops,
    pub notices: Option<Arc<Notices>>,
    pub keys: Arc<ProviderKeys>,
    pub door: &'static str,
    pub items: Vec<Prepared>,
    pub refused: Vec<Refused>,
    /// With the number of the part.
    pub idempotency: Option<(Idempotency, usize)>,
}

/// A consent of good shape.
pub(super) struct Prepared {
    pub index: usize,
    pub candidate: Candidate,
    pub key: Key,
    /// The mark of the act behind it, where that has a name.
    pub act: Option<Key>,
    pub recipient: String,
    pub retailer_code: Option<RetailerCode>,
    /// Each once.
    pub retailer_access: Vec<i64>,
    pub reference: Option<String>,
    pub sealed: Vec<u8>,
    pub recipient_hash: [u8; 32],
    pub evidence: Vec<u8>,
    pub evidence_hash: [u8; 32],
}

/// The provider's keys.
pub(super) async fn keys(app: &App, provider: IysCode) -> ServiceResult<Arc<ProviderKeys>> {
    if let Some(keys) = app.vault.known(provider) {
        return Ok(keys);
    }
    let mut tx = app.db.read().await?;
    Ok(app.vault.keys(&mut tx, provider).await?)
}

/// Prepares a part of a request.
pub(super) fn part(
    app: &App,
    keys: &Arc<ProviderKeys>,
    brand: &BrandRow,
    door: &'static str,
    items: Vec<IntakeItem>,
    idempotency: Option<(Idempotency, usize)>,
    known: &Known,
) -> Part {
    let now = app.clocks.business();
    let mut part = Part {
        brand: brand.clone(),
        stops: Stops::default(),
        notices: None,
        keys: keys.clone(),
        door,
        items: Vec::with_capacity(items.len()),
        refused: Vec::new(),
        idempotency,
    };
    for mut item in items {
        match check_shape(&item.consent.raw(), now) {
            Ok(shaped) => {
                let mut problems = retailer_problems(&item, &known.unknown_retailers);
                if let Some((code, title)) = source_problem(brand, &shaped) {
                    problems.push(Refused { index: item.index, code, field: "source".to_owned(), title });
                }
                if let Err(unknown) = known.texts.settle(&mut item.evidence) {
                    problems.extend(unknown.into_iter().map(|problem| text_problem(item.index, problem)));
                }
                if problems.is_empty() {
                    part.items.push(prepared(keys, brand, item, &shaped, now));
                }
                part.refused.extend(problems);
            }
            Err(errors) => part.refused.extend(errors.into_iter().map(|error| refused(item.index, error))),
        }
    }
    part
}

fn prepared(
    keys: &ProviderKeys,
    brand: &BrandRow,
    item: IntakeItem,
    shaped: &ShapedConsent,
    now: DateTime<Utc>,
) -> Prepared {
    let recipient = shaped.recipient.as_str().to_owned();
    let key = keys.key(brand.brand_code, shaped.recipient_type, shaped.channel, &recipient);
    let candidate = Candidate {
        consent_id: ids::new_id(now),
        recipient_type: shaped.recipient_type,
        channel: shaped.channel,
        status: shaped.status,
        source: shaped.source,
        consent_date: shaped.consent_date,
        received_at: now,
        own_channel: item.own_channel,
        reviewed_at: None,
    };
    let salt = random();
    let sealed = mirror::seal_consent(keys, &salt, &recipient, item.reference.as_deref());
    let evidence = Evidence {
        raw_input: item.evidence.raw_input.or(item.consent.recipient),
        reference: item.reference.clone(),
        ..item.evidence
    };
    let evidence_salt = random();
    let evidence_json = serde_json::to_vec(&evidence).unwrap_or_default();
    Prepared {
        index: item.index,
        candidate,
        key,
        act: item.consent.act.map(|name| keys.act(key, shaped.status.as_str(), &name)),
        retailer_code: item.consent.retailer_code.map(RetailerCode),
        retailer_access: once(item.consent.retailer_access),
        reference: item.reference,
        sealed,
        recipient_hash: commitment(recipient.as_bytes(), &salt),
        evidence: mirror::seal_evidence(keys, &evidence_salt, &evidence_json),
        evidence_hash: commitment(&evidence_json, &evidence_salt),
        recipient,
    }
}

fn refused(index: usize, error: FieldError) -> Refused {
    Refused { index, code: error.h_code.to_owned(), field: error.field.to_owned(), title: error.message }
}

fn text_problem(index: usize, problem: FieldProblem) -> Refused {
    Refused { index, code: problem.code, field: problem.field, title: problem.title }
}

/// Each once, in order: the registry refuses repetitions (H193).
fn once(mut codes: Vec<i64>) -> Vec<i64> {
    let mut seen = HashSet::new();
    codes.retain(|code| seen.insert(*code));
    codes
}

/// Retailers that the brand certainly does not have.
fn retailer_problems(item: &IntakeItem, unknown: &HashSet<i64>) -> Vec<Refused> {
    let problem = |field: &str, code: i64| {
        let title = Text::new(
            format!(
                "{code} numaralı bayi bu markada yok; bayileri GET …/retailers ile listeleyin ya da önce oluşturun"
            ),
            format!("this brand has no retailer {code}; list them with GET …/retailers, or make it first"),
        );
        Refused { index: item.index, code: "H180".to_owned(), field: field.to_owned(), title }
    };
    let code = item.consent.retailer_code.filter(|code| unknown.contains(code));
    let access = item.consent.retailer_access.iter().filter(|code| unknown.contains(code));
    let of_code = code.map(|code| problem("retailerCode", code));
    of_code.into_iter().chain(access.map(|code| problem("retailerAccess", *code))).collect()
}

fn source_problem(brand: &BrandRow, shaped: &ShapedConsent) -> Option<(String, Text)> {
    let allowed = brand.allowed_sources.as_ref()?;
    let source = shaped.source?;
    if allowed.contains(&source) {
        return None;
    }
    let list = allowed.iter().map(|source| source.as_str()).collect::<Vec<_>>().join(", ");
    let title = Text::new(
        format!("Bu marka {source} kaynağını kabul etmiyor; izin verilenler: {list}."),
        format!("This brand does not take the source {source}; allowed are: {list}."),
    );
    Some(("source_not_allowed".to_owned(), title))
}

impl Refused {
    /// The title in one language.
    pub fn title(&self, lang: Lang) -> &str {
        self.title.get(lang)
    }
}
