//! The registry's own way to confirm addresses, ViA (registry-protocol section 10), beside our own (`opt_in`): the registry sends
//! the code or link, records what the citizen approves, and carries the burden of proof. Nothing of it is filed from here. What was
//! approved reaches the mirror as a movement of the registry like any other, and is tied to its process by its transaction id.
//!
//! A process is a double opt-in (`opt_ins`: the person's page, the lists) with a row of the registry's part (`via_processes`). That
//! row is committed as `starting` before the registry is asked. Where no answer comes, the registry is not asked a second time,
//! for it may have sent its code or link: it offers no way to ask for a process without its id. A code is given up then, and
//! the person asks for another; of a link the address's record shows whether it was used.

mod confirm;
mod ending;
mod follow;
mod holding;
mod record;
pub mod settings;
mod view;

use std::collections::BTreeMap;

use kopru_domain::opt_in::Way;
use kopru_domain::via::{Confirmer, Verification, ViaState};
use kopru_domain::{Channel, Text};
use kopru_store::brands::BrandRow;
use kopru_store::opt_ins::OptInRow;
use kopru_store::via as rows;
use kopru_store::via_processes::{self as processes, EvidenceState, ProcessRow};
use kopru_store::{StoreError, Tx};
use uuid::Uuid;

use crate::bootstrap::App;
use crate::service::providers::field_problem;
use crate::service::{FieldProblem, ServiceResult};

pub(in crate::service) use confirm::confirm;
pub use follow::{claim, step};
pub use holding::{Finding, LOW, findings};
pub(in crate::service) use holding::{packaged, stop, told};
pub use view::{ViaEvidence, ViaMovement, ViaView, evidence};
pub(in crate::service) use view::{processes_of, tied};

/// What ended a process that its person replaced by a new one.
pub(in crate::service) const REPLACED: &str = "replaced";

/// Who is to ask, as a form or a caller says it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wanted {
    /// `None`: as the brand has set it.
    pub confirmer: Option<Confirmer>,
    /// How the registry is to ask; `None`: the first way of the brand that reaches the address.
    pub verification: Option<Verification>,
    /// Whether a code is of no use, because the person is on the page of another one.
    pub links_only: bool,
}

/// How the registry is asked to ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ViaWay {
    /// Code or link, by SMS or e-mail.
    pub verification: Verification,
    /// The registry's form.
    pub form_id: i64,
}

/// How the registry is to confirm these channels; `None`: it is not, but we ourselves.
pub(in crate::service) async fn way(
    tx: &mut Tx,
    brand: &BrandRow,
    wanted: Wanted,
    channels: &[Channel],
) -> ServiceResult<Result<Option<ViaWay>, FieldProblem>> {
    let said = wanted.confirmer == Some(Confirmer::Via) || wanted.verification.is_some();
    if wanted.confirmer == Some(Confirmer::Own) {
        return Ok(match wanted.verification {
            None => Ok(None),
            Some(_) => Err(problem(
                "verificationType",
                "yalnızca confirmation via ile",
                "only with confirmation via",
            )),
        });
    }
    let Some(settings) = rows::find(tx, brand.iys_code, brand.brand_code).await? else {
        let unused = || {
            problem(
                "confirmation",
                "marka ViA kullanmıyor; PUT …/via ile onay formlarını belirleyin",
                "the brand does not use ViA; set its approval forms with PUT …/via",
            )
        };
        return Ok(if said { Err(unused()) } else { Ok(None) });
    };
    if !said && !settings.by_default {
        return Ok(Ok(None));
    }
    let fits = |verification: Verification| {
        verification.reaches(channels)
            && wanted.verification.is_none_or(|wanted| wanted == verification)
            && !(wanted.links_only && verification.way() == Way::Code)
    };
    let found = forms(&settings.forms)?.into_iter().find(|(verification, _)| fits(*verification));
    let unset = || {
        problem(
            "verificationType",
            "markanın bu adrese uyan bir ViA formu yok; PUT …/via ile ekleyin",
            "the brand has no ViA form that fits this address; add one with PUT …/via",
        )
    };
    Ok(match found {
        Some((verification, form_id)) => Ok(Some(ViaWay { verification, form_id })),
        // What is the brand's custom applies to the addresses that it can reach.
        None if !said => Ok(None),
        None => Err(unset()),
    })
}

fn problem(field: &str, tr: &'static str, en: &'static str) -> FieldProblem {
    field_problem(field, "via", Text::fixed(tr, en))
}

/// The registry's forms of a brand.
fn forms(json: &str) -> ServiceResult<BTreeMap<Verification, i64>> {
    let unreadable =
        |error: serde_json::Error| StoreError::Corrupt { what: "via_settings", detail: error.to_string() };
    Ok(serde_json::from_str(json).map_err(unreadable)?)
}

/// Has the registry start a double opt-in, once the caller's transaction commits. Wake the workers afterwards.
pub(in crate::service) async fn queue(
    tx: &mut Tx,
    app: &App,
    row: &OptInRow,
    way: ViaWay,
    link_id: Option<Uuid>,
) -> ServiceResult<()> {
    let now = app.clocks.business();
    let process = ProcessRow {
        iys_code: row.iys_code,
        id: row.id,
        brand_code: row.brand_code,
        verification: way.verification,
        form_id: way.form_id,
        link_id,
        state: ViaState::Queued,
        request_id: None,
        code: None,
        started_at: None,
        ended_at: None,
        mirrored: false,
        evidence: EvidenceState::None,
        attempt: 0,
        next_attempt_at: Some(now),
        created_at: now,
    };
    Ok(processes::add(tx, &process).await?)
}

/// Whether a person may ask for a new code in place of this process.
pub(in crate::service) fn is_replaceable(process: &ProcessRow) -> bool {
    process.verification.way() == Way::Code && process.state != ViaState::Approved
}

/// The registry's part of a double opt-in; `None` where it is our own.
pub(in crate::service) async fn process(tx: &mut Tx, row: &OptInRow) -> ServiceResult<Option<ProcessRow>> {
    Ok(processes::find(tx, row.iys_code, row.id).await?)
}

/// Ends a process in favour of a new one; false when the citizen has approved it meanwhile.
pub(in crate::service) async fn replace(tx: &mut Tx, app: &App, process: &ProcessRow) -> ServiceResult<bool> {
    let now = app.clocks.business();
    Ok(processes::end(tx, process.iys_code, process.id, REPLACED, now).await?)
}
