//! What of an intake needs no database: shape, address, keys, encryption, commitments. Runs on the caller's task, in parallel.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use kopru_domain::ledger::{commitment, new_salt};
use kopru_domain::shape::check_shape;
use kopru_domain::{Candidate, Evidence, FieldError, IysCode, Lang, RetailerCode, ShapedConsent, Text};
use kopru_store::brands::BrandRow;
use kopru_store::{Key, ProviderKeys, ids};

use crate::bootstrap::App;
use crate::service::intake::{Idempotency, IntakeItem, Refused};
use crate::service::standing::Stops;
use crate::service::{ServiceResult, mirror};

/// One part of a request, ready to be committed.
pub(super) struct Part {
    pub brand: BrandRow,
    pub stops: Stops,
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
    pub recipient: String,
    pub retailer_code: Option<RetailerCode>,
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
) -> Part {
    let now = app.clocks.business();
    let mut part = Part {
        brand: brand.clone(),
        stops: Stops::default(),
        keys: keys.clone(),
        door,
        items: Vec::with_capacity(items.len()),
        refused: Vec::new(),
        idempotency,
    };
    for item in items {
        match check_shape(&item.consent.raw(), now) {
            Ok(shaped) => match source_problem(brand, &shaped) {
                Some((code, title)) => {
                    part.refused.push(Refused { index: item.index, code, field: "source".to_owned(), title });
                }
                None => part.items.push(prepared(keys, brand, item, &shaped, now)),
            },
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
    let salt = salt();
    let sealed = mirror::seal_consent(keys, &salt, &recipient, item.reference.as_deref());
    let evidence = Evidence {
        raw_input: item.evidence.raw_input.or(item.consent.recipient),
        reference: item.reference.clone(),
        ..item.evidence
    };
    let evidence_salt = self::salt();
    let evidence_json = serde_json::to_vec(&evidence).unwrap_or_default();
    Prepared {
        index: item.index,
        candidate,
        key,
        retailer_code: item.consent.retailer_code.map(RetailerCode),
        reference: item.reference,
        sealed,
        recipient_hash: commitment(recipient.as_bytes(), &salt),
        evidence: mirror::seal_evidence(keys, &evidence_salt, &evidence_json),
        evidence_hash: commitment(&evidence_json, &evidence_salt),
        recipient,
    }
}

#[expect(clippy::expect_used, reason = "without randomness no commitment may be made")]
fn salt() -> [u8; 32] {
    new_salt().expect("the system's random source answers")
}

fn refused(index: usize, error: FieldError) -> Refused {
    Refused { index, code: error.h_code.to_owned(), field: error.field.to_owned(), title: error.message }
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
