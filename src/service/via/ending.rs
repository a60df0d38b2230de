//! The end of a process: of the registry's part and of the double opt-in together, once.

use chrono::{DateTime, Utc};
use kopru_domain::opt_in::OptInState;
use kopru_domain::via::ViaState;
use kopru_store::via_processes::{self as processes, EvidenceState, MovementRow, ProcessRow};
use kopru_store::{Claim, Priority, links, opt_ins, via as rows};

use crate::bootstrap::App;
use crate::service::{ServiceError, ServiceResult};

/// How a process has ended.
#[derive(Debug, Clone)]
pub(super) struct Ended {
    /// An end.
    pub state: ViaState,
    /// The registry's last word.
    pub code: Option<String>,
    /// What was approved.
    pub movements: Vec<MovementRow>,
    /// The moment of consent.
    pub confirmed_at: Option<DateTime<Utc>>,
}

impl Ended {
    /// Without an approval.
    pub fn without(state: ViaState, code: impl Into<String>) -> Self {
        Self { state, code: Some(code.into()), movements: Vec::new(), confirmed_at: None }
    }

    /// With one.
    pub fn approved(movements: Vec<MovementRow>, now: DateTime<Utc>) -> Self {
        let told = movements.iter().filter_map(|movement| movement.consent_date).min();
        Self { state: ViaState::Approved, code: None, movements, confirmed_at: Some(told.unwrap_or(now)) }
    }
}

/// Ends a claimed process; false when the claim was lost, and then nothing is written.
pub(super) async fn end(app: &App, row: ProcessRow, claim: Claim, ended: Ended) -> ServiceResult<bool> {
    let now = app.clocks.business();
    let approved = ended.state == ViaState::Approved;
    let mut tx = app.db.begin(Priority::Interactive).await?;
    let opt_in = opt_ins::lock(&mut tx, row.iys_code, row.id).await?;
    let mut opt_in = opt_in.ok_or(ServiceError::NotFound("opt-in"))?;
    let fetch = approved && row.request_id.is_some();
    let row = ProcessRow {
        state: ended.state,
        code: ended.code,
        ended_at: Some(now),
        evidence: if fetch { EvidenceState::Due } else { EvidenceState::None },
        attempt: 0,
        next_attempt_at: approved.then_some(now),
        ..row
    };
    if !processes::settle(&mut tx, &row, claim).await? {
        return Ok(false);
    }
    for movement in &ended.movements {
        processes::moved(&mut tx, row.iys_code, movement).await?;
    }
    opt_in.state = if approved { OptInState::Done } else { OptInState::Abandoned };
    opt_in.confirmed_at = ended.confirmed_at;
    opt_ins::save(&mut tx, &opt_in).await?;
    let counts = match row.state {
        ViaState::Approved => Some([0, 1, 0]),
        ViaState::Refused => Some([0, 0, 1]),
        _ => None,
    };
    if let Some((link, counts)) = row.link_id.zip(counts) {
        links::count(&mut tx, row.iys_code, link, counts).await?;
    }
    if approved {
        // It has credit and right.
        rows::lift(&mut tx, row.iys_code, row.brand_code).await?;
    }
    tx.commit().await?;
    app.wake.wake();
    metrics::counter!("via_processes_total", "state" => row.state.as_str()).increment(1);
    tracing::info!(
        opt_in.id = %row.id,
        state = row.state.as_str(),
        code = row.code.as_deref(),
        "a confirmation by the registry has ended"
    );
    Ok(true)
}

/// Lets go of a claimed process that goes on as it is.
pub(super) async fn release(app: &App, row: &ProcessRow, claim: Claim) -> ServiceResult<bool> {
    let mut tx = app.db.begin(Priority::Bulk).await?;
    let ours = processes::settle(&mut tx, row, claim).await?;
    tx.commit().await?;
    app.wake.wake();
    Ok(ours)
}
