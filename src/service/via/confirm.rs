//! The code that a person has got from the registry: the registry alone knows whether it is right. It is neither kept nor logged.

use chrono::TimeDelta;
use iys::wire::{ViaCode, ViaConfirmRequest, ViaRecorded, via_title};
use iys::{ErrorClass, IysError};
use kopru_domain::governor::CallClass;
use kopru_domain::opt_in::Way;
use kopru_domain::time::parse_registry;
use kopru_domain::via::{TRIES, ViaState, read_code};
use kopru_store::opt_ins::{self, OptInRow};
use kopru_store::via_processes::{self as processes, MovementRow, ProcessRow};
use kopru_store::{Claim, Priority};
use uuid::Uuid;

use super::ending::{self, Ended};
use super::{follow, holding};
use crate::bootstrap::App;
use crate::registry::priority;
use crate::service::filing::counted;
use crate::service::opt_in::Answered;
use crate::service::permissions::account;
use crate::service::{ServiceError, ServiceResult};

/// The registry may take so long to answer, a new login and a question about the state included.
const LEASE: TimeDelta = TimeDelta::minutes(2);

/// Takes a code that a person has entered.
pub(in crate::service) async fn confirm(
    app: &App,
    opt_in: OptInRow,
    process: ProcessRow,
    typed: Option<&str>,
) -> ServiceResult<Answered> {
    match process.state {
        ViaState::Approved => return Ok(Answered::Confirmed),
        state if state.has_ended() || state == ViaState::Unknown => return Ok(Answered::Ended),
        ViaState::Waiting if process.verification.way() == Way::Code => {}
        _ => return Ok(Answered::Later),
    }
    let wrong = u32::try_from(opt_in.wrong).unwrap_or(TRIES);
    // What can be no code costs no try.
    let Some(code) = typed.and_then(read_code) else {
        return Ok(Answered::Wrong { left: TRIES.saturating_sub(wrong) });
    };
    let wire = app.clocks.wire();
    let claim = Claim { by: Uuid::new_v4(), until: wire + LEASE };
    let mut tx = app.db.begin(Priority::Interactive).await?;
    let taken = processes::take(&mut tx, process.iys_code, process.id, wire, claim).await?;
    tx.commit().await?;
    // Another press is on its way to the registry.
    let Some(row) = taken else { return Ok(Answered::Later) };
    let answer = send(app, &row, code).await;
    let answered = Box::pin(settle(app, row, claim, answer)).await?;
    metrics::counter!("opt_in_attempts_total", "outcome" => word(answered)).increment(1);
    Ok(answered)
}

async fn send(app: &App, row: &ProcessRow, code: String) -> ServiceResult<Vec<ViaRecorded>> {
    let account = account(app, row.iys_code).await?;
    let request = ViaConfirmRequest {
        request_id: row.request_id.clone().unwrap_or_default(),
        verification_type: row.verification.as_str().to_owned(),
        consent_types: vec![ViaCode { title: via_title::MESSAGES.to_owned(), otp_code: code }],
    };
    let asking = account.via_confirm(row.iys_code.0, &request);
    Ok(counted("via_confirm", priority::run(CallClass::Person, asking).await)?)
}

async fn settle(
    app: &App,
    row: ProcessRow,
    claim: Claim,
    answer: ServiceResult<Vec<ViaRecorded>>,
) -> ServiceResult<Answered> {
    let error = match answer {
        Ok(recorded) => {
            let movements = recorded.iter().filter_map(|one| movement(&row, one)).collect();
            let ended = Ended::approved(movements, app.clocks.business());
            ending::end(app, row, claim, ended).await?;
            return Ok(Answered::Confirmed);
        }
        Err(ServiceError::Registry(error)) => error,
        Err(error) => {
            ending::release(app, &row, claim).await?;
            return Err(error);
        }
    };
    match error.code() {
        Some("H1052") => return wrong(app, row, claim).await,
        Some(code @ "H1050") => {
            let ended = Ended::without(ViaState::Failed, code);
            ending::end(app, row, claim, ended).await?;
            return Ok(Answered::Ended);
        }
        Some(code @ "H1051") => {
            let ended = Ended::without(ViaState::Expired, code);
            ending::end(app, row, claim, ended).await?;
            return Ok(Answered::TooOld);
        }
        _ => {}
    }
    if error.class() == ErrorClass::AlreadySo || error.may_have_written() {
        return Ok(match follow::ask(app, row, claim).await? {
            ViaState::Approved => Answered::Confirmed,
            state if state.has_ended() => Answered::Ended,
            _ => Answered::Later,
        });
    }
    other(app, row, claim, &error).await
}

async fn other(app: &App, row: ProcessRow, claim: Claim, error: &IysError) -> ServiceResult<Answered> {
    if let Some(code) = holding::holds(error) {
        let mut tx = app.db.begin(Priority::Interactive).await?;
        holding::hold(&mut tx, app, (row.iys_code, row.brand_code), &code).await?;
        tx.commit().await?;
        let row = ProcessRow { code: Some(code), ..row };
        ending::release(app, &row, claim).await?;
        return Ok(Answered::Later);
    }
    let again = matches!(
        error.class(),
        ErrorClass::NotSent | ErrorClass::Retry | ErrorClass::Wait { .. } | ErrorClass::Reauthenticate
    );
    if again || error.code().is_none() {
        tracing::warn!(
            error = error as &dyn std::error::Error,
            "a code could not be confirmed; it may be entered again"
        );
        ending::release(app, &row, claim).await?;
        return Ok(Answered::Later);
    }
    let code = error.code().unwrap_or("no_code").to_owned();
    ending::end(app, row, claim, Ended::without(ViaState::Failed, code)).await?;
    Ok(Answered::Ended)
}

/// The code was wrong: the registry counts, and so do we to say how many tries are left.
async fn wrong(app: &App, row: ProcessRow, claim: Claim) -> ServiceResult<Answered> {
    let mut tx = app.db.begin(Priority::Interactive).await?;
    let opt_in = opt_ins::lock(&mut tx, row.iys_code, row.id).await?;
    let mut opt_in = opt_in.ok_or(ServiceError::NotFound("opt-in"))?;
    opt_in.wrong += 1;
    opt_ins::save(&mut tx, &opt_in).await?;
    let left = TRIES.saturating_sub(u32::try_from(opt_in.wrong).unwrap_or(TRIES));
    if left > 0 {
        processes::settle(&mut tx, &row, claim).await?;
        tx.commit().await?;
        return Ok(Answered::Wrong { left });
    }
    tx.commit().await?;
    // The third ends it at the registry: the right code would be refused with H1050.
    ending::end(app, row, claim, Ended::without(ViaState::Failed, "H1050")).await?;
    Ok(Answered::Ended)
}

/// What the registry has recorded of ours.
fn movement(row: &ProcessRow, recorded: &ViaRecorded) -> Option<MovementRow> {
    let ours = recorded.brand_code.is_none_or(|brand| brand == row.brand_code.0);
    Some(MovementRow {
        id: row.id,
        transaction_id: recorded.transaction_id.clone(),
        channel: recorded.r#type.parse().ok().filter(|_| ours)?,
        consent_date: parse_registry(&recorded.creation_date).ok(),
    })
}

fn word(answered: Answered) -> &'static str {
    match answered {
        Answered::Confirmed => "confirmed",
        Answered::Wrong { .. } => "wrong",
        Answered::TooOld => "too_old",
        Answered::Ended => "ended",
        Answered::Later => "later",
    }
}
