//! What is shown of the registry's part of a double opt-in, and its evidence.

use std::collections::HashMap;

use kopru_domain::time::format_rfc3339;
use kopru_domain::{BrandCode, IysCode, Lang};
use kopru_store::Tx;
use kopru_store::via_processes::{self as processes, MovementRow, ProcessRow, ProofRow};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::record::SEALED;
use crate::bootstrap::App;
use crate::service::consents::{Explanation, explain, note_shown};
use crate::service::{Caller, Scope, ServiceError, ServiceResult, brands};
use kopru_store::opt_ins;

/// The registry's part of a double opt-in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ViaView {
    /// `queued` (to be started), `starting`, `unknown` (the registry gave no answer to the start), `waiting` (for the citizen), or
    /// ended: `approved`, `refused`, `expired`, `failed`.
    #[schema(value_type = String, example = "waiting")]
    pub state: &'static str,
    /// `SMS_OTP`, `SMS_SHORTURL`, `EPOSTA_OTP`, `EPOSTA_SHORTURL` or `EPOSTA_APPROVALURL`.
    #[schema(value_type = String, example = "SMS_OTP")]
    pub verification_type: &'static str,
    /// The registry's approval form.
    pub form_id: i64,
    /// The registry's id of the process.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The registry's last word: a code, or stage and status such as `COMPLETED/LINK_CLICK_TIMEOUT`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What the code means and who must act.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explanation: Option<Explanation>,
    /// What the citizen has approved: movements of the registry, which are not filed from here.
    pub movements: Vec<ViaMovement>,
    /// The registry's evidence.
    pub evidence: ViaEvidence,
}

/// A movement of the registry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ViaMovement {
    /// `ARAMA`, `MESAJ` or `EPOSTA`.
    #[serde(rename = "type")]
    #[schema(value_type = String)]
    pub channel: &'static str,
    /// The registry's id of it.
    pub transaction_id: String,
    /// When the citizen approved, RFC 3339 with +03:00.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consent_date: Option<String>,
}

/// The registry's evidence file: a summary (PDF) with its time stamp, in a ZIP file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ViaEvidence {
    /// `none` (nothing was approved, or the registry's id is not known), `due` (to be fetched), `stored` or `missing` (the registry
    /// has none).
    #[schema(value_type = String, example = "stored")]
    pub state: &'static str,
    /// SHA-256 of the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Its bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<i64>,
    /// When it was fetched, RFC 3339 with +03:00.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fetched_at: Option<String>,
}

impl ViaView {
    fn new(row: &ProcessRow, movements: &[MovementRow], proof: Option<&ProofRow>, lang: Lang) -> Self {
        let shown = movements.iter().map(|movement| ViaMovement {
            channel: movement.channel.as_str(),
            transaction_id: movement.transaction_id.clone(),
            consent_date: movement.consent_date.map(format_rfc3339),
        });
        Self {
            state: row.state.as_str(),
            verification_type: row.verification.as_str(),
            form_id: row.form_id,
            request_id: row.request_id.clone(),
            explanation: row.code.as_deref().and_then(|code| explain(code, lang)),
            code: row.code.clone(),
            movements: shown.collect(),
            evidence: ViaEvidence {
                state: row.evidence.as_str(),
                sha256: proof.map(|proof| hex::encode(&proof.sha256)),
                size: proof.map(|proof| proof.size),
                fetched_at: proof.map(|proof| format_rfc3339(proof.fetched_at)),
            },
        }
    }
}

/// The registry's parts of these double opt-ins; those of our own are missing.
pub(in crate::service) async fn processes_of(
    tx: &mut Tx,
    provider: IysCode,
    ids: Vec<Uuid>,
    lang: Lang,
) -> ServiceResult<HashMap<Uuid, ViaView>> {
    let found = processes::of_ids(tx, provider, ids).await?;
    if found.is_empty() {
        return Ok(HashMap::new());
    }
    let ids: Vec<Uuid> = found.iter().map(|row| row.id).collect();
    let movements = processes::movements(tx, provider, ids.clone()).await?;
    let proofs = processes::proofs(tx, provider, ids).await?;
    let view = |row: &ProcessRow| {
        let own: Vec<MovementRow> =
            movements.iter().filter(|movement| movement.id == row.id).cloned().collect();
        ViaView::new(row, &own, proofs.iter().find(|proof| proof.id == row.id), lang)
    };
    Ok(found.iter().map(|row| (row.id, view(row))).collect())
}

/// The double opt-ins behind movements of the registry, by transaction id.
pub(in crate::service) async fn tied(
    tx: &mut Tx,
    provider: IysCode,
    transaction_ids: Vec<String>,
) -> ServiceResult<HashMap<String, Uuid>> {
    let found = processes::behind(tx, provider, transaction_ids).await?;
    Ok(found.into_iter().map(|movement| (movement.transaction_id, movement.id)).collect())
}

/// The registry's evidence of a double opt-in, as it came. It names the citizen: needs `consents:read` and `recipients:read`, and
/// leaves an audit row.
pub async fn evidence(app: &App, caller: &Caller, brand: BrandCode, id: Uuid) -> ServiceResult<Vec<u8>> {
    caller.require(Scope::ConsentsRead)?;
    caller.require(Scope::RecipientsRead)?;
    let (provider, file) = {
        let mut tx = app.db.read().await?;
        let brand = brands::visible(&mut tx, caller, brand).await?;
        let found = opt_ins::find(&mut tx, brand.iys_code, id).await?;
        let ours = found.filter(|row| row.brand_code == brand.brand_code);
        ours.ok_or(ServiceError::NotFound("opt-in"))?;
        let sealed = processes::proof(&mut tx, brand.iys_code, id).await?;
        let sealed = sealed.ok_or(ServiceError::NotFound("evidence"))?;
        let keys = app.vault.keys(&mut tx, brand.iys_code).await?;
        (brand.iys_code, keys.open(SEALED, &sealed)?)
    };
    note_shown(app, caller, provider, "evidence.shown", &format!("opt-in {id}")).await?;
    Ok(file)
}
