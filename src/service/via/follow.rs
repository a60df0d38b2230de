//! Starting processes at the registry, and following them until the citizen has decided or the time is over.

use chrono::{DateTime, TimeDelta, Utc};
use iys::wire::{ViaConsentType, ViaStartRequest, ViaStatus, via_title};
use iys::{ErrorClass, IysError};
use kopru_domain::governor::CallClass;
use kopru_domain::opt_in::{OptInState, Way};
use kopru_domain::outcome::retry_delay;
use kopru_domain::time::parse_registry;
use kopru_domain::via::{Progress, ViaState, progress};
use kopru_store::opt_ins::{self, OptInRow};
use kopru_store::via_processes::{self as processes, MovementRow, ProcessRow};
use kopru_store::{Claim, Priority, via as rows};

use super::ending::{self, Ended};
use super::{holding, record};
use crate::bootstrap::App;
use crate::registry::priority;
use crate::service::filing::counted;
use crate::service::opt_in::{Ask, opened};
use crate::service::permissions::account;
use crate::service::{ServiceError, ServiceResult, brands};

/// The registry said nothing of a start.
const NO_ANSWER: &str = "no_answer";
/// It could not be asked in time.
const TOO_LATE: &str = "too_late";
/// A process that the registry never ends is given up this long after the life of its code or link.
const PATIENCE: TimeDelta = TimeDelta::days(3);
/// How long after a start without an answer its traces are looked for first.
const FIRST_LOOK: TimeDelta = TimeDelta::minutes(10);
/// What stands beyond doubt for a start that sent nothing: an inner service of the registry was not reached.
const NOTHING_SENT: [&str; 8] = ["H1001", "H1002", "H1003", "H1004", "H1007", "H1017", "H1058", "H1068"];

/// Claims the process that has waited longest: a start, or one to be followed.
pub async fn claim(app: &App, starts: bool, claim: Claim) -> ServiceResult<Option<ProcessRow>> {
    let (now, wire) = (app.clocks.business(), app.clocks.wire());
    let due = {
        let mut tx = app.db.read().await?;
        processes::is_due(&mut tx, starts, now, wire).await?
    };
    if !due || !app.registry.is_open().await? {
        return Ok(None);
    }
    let mut tx = app.db.begin(if starts { Priority::Interactive } else { Priority::Bulk }).await?;
    let row = processes::claim(&mut tx, starts, now, wire, claim).await?;
    tx.commit().await?;
    Ok(row)
}

/// Does the next step of a claimed process.
pub async fn step(app: &App, row: ProcessRow, claim: Claim) -> ServiceResult<()> {
    match row.state {
        ViaState::Queued => start(app, row, claim).await,
        // Whoever asked the registry died before it could say what became of it.
        ViaState::Starting => without_answer(app, row, claim, NO_ANSWER.to_owned()).await,
        ViaState::Unknown => look(app, row, claim).await,
        ViaState::Waiting => ask(app, row, claim).await.map(drop),
        ViaState::Approved => record::complete(app, row, claim).await,
        ViaState::Refused | ViaState::Expired | ViaState::Failed => {
            ending::release(app, &ProcessRow { next_attempt_at: None, ..row }, claim).await.map(drop)
        }
    }
}

async fn start(app: &App, row: ProcessRow, claim: Claim) -> ServiceResult<()> {
    let now = app.clocks.business();
    if now > row.created_at + row.verification.start_within() {
        let code = row.code.clone().unwrap_or_else(|| TOO_LATE.to_owned());
        return ending::end(app, row, claim, Ended::without(ViaState::Failed, code)).await.map(drop);
    }
    let brand = brands::load(app, row.brand_code).await?.ok_or(ServiceError::NotFound("brand"))?;
    let stop = {
        let mut tx = app.db.read().await?;
        holding::stop(&mut tx, app, &brand.row).await?
    };
    if let Some(stop) = stop {
        let again = stop.probe_at.unwrap_or(now + holding::pause(app));
        let row = ProcessRow { code: Some(stop.code), next_attempt_at: Some(again), ..row };
        return ending::release(app, &row, claim).await.map(drop);
    }
    let account = match account(app, row.iys_code).await {
        Ok(account) => account,
        Err(error) => return later(app, row, claim, None, &error.to_string()).await,
    };
    let (opt_in, ask) = open(app, &row).await?;
    if opt_in.state != OptInState::Pending {
        let ended = Ended::without(ViaState::Expired, TOO_LATE);
        return ending::end(app, row, claim, ended).await.map(drop);
    }
    let mut tx = app.db.begin(Priority::Interactive).await?;
    if !processes::begin(&mut tx, &row, claim, now).await? {
        return Ok(());
    }
    tx.commit().await?;
    let row = ProcessRow { started_at: Some(now), ..row };
    let request = request(&row, &ask);
    let asking = account.via_start(row.iys_code.0, &request);
    let answer = counted("via_start", priority::run(CallClass::Person, asking).await);
    match answer {
        Ok(started) => started_as(app, row, claim, started.request_id).await,
        Err(error) => refused(app, row, claim, &error).await,
    }
}

fn request(row: &ProcessRow, ask: &Ask) -> ViaStartRequest {
    ViaStartRequest {
        form_id: row.form_id.to_string(),
        recipient: ask.recipient.as_str().to_owned(),
        verification_type: row.verification.as_str().to_owned(),
        consent_types: vec![ViaConsentType {
            title: via_title::MESSAGES.to_owned(),
            brand_codes: vec![row.brand_code.0],
            types: ask.channels.iter().map(|channel| channel.as_str().to_owned()).collect(),
            recipient_type: Some(ask.recipient_type.as_str().to_owned()),
            person_data: None,
        }],
    }
}

/// The registry has sent its code or link.
async fn started_as(app: &App, row: ProcessRow, claim: Claim, request_id: String) -> ServiceResult<()> {
    let (now, wire) = (app.clocks.business(), app.clocks.wire());
    let started_at = row.started_at.unwrap_or(now);
    let row = ProcessRow {
        state: ViaState::Waiting,
        request_id: Some(request_id),
        code: None,
        attempt: 0,
        next_attempt_at: Some(now + row.verification.pause(0, started_at, now)),
        ..row
    };
    let mut tx = app.db.begin(Priority::Interactive).await?;
    let opt_in = opt_ins::lock(&mut tx, row.iys_code, row.id).await?;
    if !processes::settle(&mut tx, &row, claim).await? {
        return Ok(());
    }
    if let Some(opt_in) = opt_in {
        let good_until = wire + row.verification.life();
        opt_ins::save(&mut tx, &OptInRow { good_until, sends: opt_in.sends + 1, ..opt_in }).await?;
    }
    rows::lift(&mut tx, row.iys_code, row.brand_code).await?;
    tx.commit().await?;
    app.wake.wake();
    Ok(())
}

/// What becomes of a start that was refused, or of which nobody knows.
async fn refused(app: &App, row: ProcessRow, claim: Claim, error: &IysError) -> ServiceResult<()> {
    tracing::warn!(
        error = error as &dyn std::error::Error,
        brand.code = row.brand_code.0,
        "the registry did not start a confirmation"
    );
    let queued = ProcessRow { state: ViaState::Queued, started_at: None, ..row };
    if let Some(code) = holding::holds(error) {
        let mut tx = app.db.begin(Priority::Interactive).await?;
        let place = (queued.iys_code, queued.brand_code);
        let probe_at = holding::hold(&mut tx, app, place, &code).await?;
        let row = ProcessRow { code: Some(code), next_attempt_at: Some(probe_at), ..queued };
        processes::settle(&mut tx, &row, claim).await?;
        return Ok(tx.commit().await?);
    }
    let certain = error.code().is_some_and(|code| NOTHING_SENT.contains(&code));
    match error.class() {
        ErrorClass::NotSent | ErrorClass::Wait { .. } | ErrorClass::Reauthenticate => {
            later(app, queued, claim, Some(error), &error.to_string()).await
        }
        // A gateway that turns a request away has not passed it on.
        ErrorClass::Retry if certain || (error.code().is_none() && !error.may_have_written()) => {
            later(app, queued, claim, Some(error), &error.to_string()).await
        }
        ErrorClass::Retry | ErrorClass::OutcomeUnknown => {
            let row = ProcessRow { started_at: Some(app.clocks.business()), ..queued };
            let code = error.code().unwrap_or(NO_ANSWER).to_owned();
            without_answer(app, row, claim, code).await
        }
        // Without a login nothing was sent.
        ErrorClass::Config if error.code().is_none_or(|code| !code.starts_with('H')) => {
            later(app, queued, claim, Some(error), &error.to_string()).await
        }
        _ => {
            let code = error.code().unwrap_or("no_code").to_owned();
            ending::end(app, queued, claim, Ended::without(ViaState::Failed, code)).await.map(drop)
        }
    }
}

/// Nobody knows whether the registry has sent anything: it is not asked a second time. A code is of no use without the
/// registry's id; a link may be.
async fn without_answer(app: &App, row: ProcessRow, claim: Claim, code: String) -> ServiceResult<()> {
    metrics::counter!("via_starts_unknown_total").increment(1);
    if row.verification.way() == Way::Code {
        return ending::end(app, row, claim, Ended::without(ViaState::Failed, code)).await.map(drop);
    }
    let next_attempt_at = Some(app.clocks.business() + FIRST_LOOK);
    let row = ProcessRow { state: ViaState::Unknown, code: Some(code), attempt: 0, next_attempt_at, ..row };
    ending::release(app, &row, claim).await.map(drop)
}

/// Puts a step off.
pub(super) async fn later(
    app: &App,
    row: ProcessRow,
    claim: Claim,
    error: Option<&IysError>,
    why: &str,
) -> ServiceResult<()> {
    tracing::info!(why, opt_in.id = %row.id, "a step of a confirmation by the registry is tried again");
    let (_, seed) = row.id.as_u64_pair();
    let delay = match error.map(IysError::class) {
        Some(ErrorClass::Wait { after }) => after,
        _ => retry_delay(u32::try_from(row.attempt).unwrap_or(u32::MAX), seed),
    };
    let at = app.clocks.business() + TimeDelta::from_std(delay).unwrap_or(TimeDelta::minutes(15));
    ending::release(app, &ProcessRow { next_attempt_at: Some(at), ..row }, claim).await.map(drop)
}

/// The double opt-in of a process, with what was asked for.
pub(super) async fn open(app: &App, row: &ProcessRow) -> ServiceResult<(OptInRow, Ask)> {
    let mut tx = app.db.read().await?;
    let found = opt_ins::find(&mut tx, row.iys_code, row.id).await?;
    let opt_in = found.ok_or(ServiceError::NotFound("opt-in"))?;
    let keys = app.vault.keys(&mut tx, row.iys_code).await?;
    let ask = opened(&keys, &opt_in)?;
    Ok((opt_in, ask))
}

/// Asks the registry how far a claimed process has come; returns how far it is then.
pub(super) async fn ask(app: &App, row: ProcessRow, claim: Claim) -> ServiceResult<ViaState> {
    let account = account(app, row.iys_code).await?;
    let request_id = row.request_id.clone().unwrap_or_default();
    let answer = counted("via_status", account.via_status(row.iys_code.0, &request_id).await);
    let status = match answer {
        Ok(status) => status,
        Err(error) => {
            let waiting = row.state;
            // It knows nothing of a process that it has started itself.
            if matches!(error.class(), ErrorClass::Repair) {
                let code = error.code().unwrap_or("no_code").to_owned();
                ending::end(app, row, claim, Ended::without(ViaState::Failed, code)).await?;
                return Ok(ViaState::Failed);
            }
            later(app, row, claim, Some(&error), &error.to_string()).await?;
            return Ok(waiting);
        }
    };
    told(app, row, claim, &status).await
}

async fn told(app: &App, row: ProcessRow, claim: Claim, status: &ViaStatus) -> ServiceResult<ViaState> {
    let now = app.clocks.business();
    let last = &status.last_status;
    let approved: Vec<_> = status
        .request_details
        .iter()
        .filter(|detail| detail.is_approved() == Some(true) && detail.consent_type == via_title::MESSAGES)
        .filter(|detail| detail.brand_code.is_none_or(|brand| brand == row.brand_code.0))
        .collect();
    let word = format!("{}/{}", last.stage, last.status);
    let started_at = row.started_at.unwrap_or(row.created_at);
    match progress(&last.stage, &last.status, !approved.is_empty()) {
        Progress::Ended(ViaState::Approved) => {
            let movements = approved.into_iter().filter_map(|detail| {
                Some(MovementRow {
                    id: row.id,
                    transaction_id: detail.transaction_id.clone()?,
                    channel: detail.consent_type_choice.parse().ok()?,
                    consent_date: detail.consent_date.as_deref().and_then(|date| parse_registry(date).ok()),
                })
            });
            let ended = Ended::approved(movements.collect(), now);
            ending::end(app, row, claim, ended).await?;
            Ok(ViaState::Approved)
        }
        Progress::Ended(state) => {
            ending::end(app, row, claim, Ended::without(state, word)).await?;
            Ok(state)
        }
        Progress::Open if now > started_at + row.verification.life() + PATIENCE => {
            ending::end(app, row, claim, Ended::without(ViaState::Failed, word)).await?;
            Ok(ViaState::Failed)
        }
        Progress::Open => {
            let asked = u32::try_from(row.attempt).unwrap_or(u32::MAX);
            let next = now + row.verification.pause(asked, started_at, now);
            let row = ProcessRow { code: Some(word), next_attempt_at: Some(next), ..row };
            ending::release(app, &row, claim).await?;
            Ok(row.state)
        }
    }
}

/// Looks for the traces of a start without an answer: an approval in the record of the address, from the registry's own way, that
/// is younger than the start.
async fn look(app: &App, row: ProcessRow, claim: Claim) -> ServiceResult<()> {
    let started_at = row.started_at.unwrap_or(row.created_at);
    let (_, ask) = open(app, &row).await?;
    let sides = match record::mirror(app, &row, &ask, &ask.channels).await {
        Ok(sides) => sides,
        Err(ServiceError::Registry(error)) => {
            return later(app, row, claim, Some(&error), &error.to_string()).await;
        }
        Err(error) => return Err(error),
    };
    let movements: Vec<MovementRow> = sides
        .into_iter()
        .filter(|(_, side)| record::is_of(&row, side, started_at))
        .map(|(channel, side)| MovementRow {
            id: row.id,
            transaction_id: side.transaction_id,
            channel,
            consent_date: side.consent_date,
        })
        .collect();
    let now = app.clocks.business();
    if !movements.is_empty() {
        return ending::end(app, row, claim, Ended::approved(movements, now)).await.map(drop);
    }
    if now > started_at + row.verification.life() {
        let code = row.code.clone().unwrap_or_else(|| NO_ANSWER.to_owned());
        return ending::end(app, row, claim, Ended::without(ViaState::Expired, code)).await.map(drop);
    }
    let next = now + pause_before_look(row.attempt, started_at + row.verification.life(), now);
    ending::release(app, &ProcessRow { next_attempt_at: Some(next), ..row }, claim).await.map(drop)
}

/// The status query has an hourly limit: a handful of looks, the last one when the link is over.
fn pause_before_look(looks: i64, over: DateTime<Utc>, now: DateTime<Utc>) -> TimeDelta {
    let pause = TimeDelta::hours(if looks <= 1 { 1 } else { 6 });
    pause.min(over - now + TimeDelta::minutes(1)).max(TimeDelta::minutes(1))
}
