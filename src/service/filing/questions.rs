//! Single status queries: what became of a filing, and what the registry holds before a late rejection goes.

use chrono::{DateTime, Utc};
use iys::wire::StatusRequest;
use iys::{Account, BrandCodes, ErrorClass};
use kopru_domain::{BrandCode, Code, Confirmation, IysCode, RegistryAnswer, RegistrySide};
use kopru_store::submissions::SubmissionRow;
use kopru_store::{Priority, Tx, brands};

use crate::bootstrap::App;
use crate::registry::{codes, words};
use crate::service::filing::claim::{carry_out, store_wires};
use crate::service::filing::send::{count, record, send};
use crate::service::filing::settling::{Consents, Settling, candidate, consents_of};
use crate::service::{ServiceError, ServiceResult};

/// A submission with the answer.
struct Answered {
    row: SubmissionRow,
    /// The registry's record; `None`: it holds nothing.
    side: Option<RegistrySide>,
    asked_at: DateTime<Utc>,
}

/// Asks the registry for the record of each and settles by it.
pub(super) async fn ask(
    app: &App,
    account: &Account,
    provider: IysCode,
    brand: BrandCode,
    rows: Vec<SubmissionRow>,
) -> ServiceResult<()> {
    let answers = answers(app, account, provider, brand, rows).await?;
    if answers.is_empty() {
        return Ok(());
    }
    let mut tx = app.db.begin(Priority::Bulk).await?;
    let (mut settling, answers) = still_ours(app, &mut tx, provider, answers).await?;
    for Answered { row, side, asked_at } in answers {
        settling.status_answered(row, side.as_ref(), asked_at)?;
    }
    settling.finish(&mut tx).await?;
    tx.commit().await?;
    app.wake.wake();
    Ok(())
}

/// Late rejections (design.md section 4.6): status query, then with the present time, true time in evidence.
pub(super) async fn ask_then_send(
    app: &App,
    account: &Account,
    provider: IysCode,
    brand: BrandCode,
    rows: Vec<SubmissionRow>,
) -> ServiceResult<()> {
    let answers = answers(app, account, provider, brand, rows).await?;
    if answers.is_empty() {
        return Ok(());
    }
    let mut ready = Vec::new();
    let mut tx = app.db.begin(Priority::Bulk).await?;
    let (mut settling, answers) = still_ours(app, &mut tx, provider, answers).await?;
    settling.load_access(&mut tx).await?;
    let policy = brands::find_by_code(&mut tx, brand).await?.map(|brand| brand.policy).unwrap_or_default();
    for Answered { row, side, asked_at } in answers {
        settling.merge_status(&row, asked_at, side)?;
        let consent = candidate(&settling.consent(row.consent_id)?.0);
        let (now, asked) = (settling.now, Confirmation::StatusJustAsked);
        let verdict = settling.states.of(row.key).review(&consent, &policy, &app.calendar, now, asked);
        carry_out(&mut settling, row, verdict, &mut ready, &mut Vec::new())?;
    }
    store_wires(&mut settling, &mut ready);
    settling.finish(&mut tx).await?;
    tx.commit().await?;
    send(app, account, provider, brand, ready).await
}

/// The registry's answers. What it could not be asked waits for another try and is not among them.
async fn answers(
    app: &App,
    account: &Account,
    provider: IysCode,
    brand: BrandCode,
    rows: Vec<SubmissionRow>,
) -> ServiceResult<Vec<Answered>> {
    let consents = {
        let mut tx = app.db.read().await?;
        consents_of(&mut tx, app, provider, rows.iter().map(|row| row.consent_id).collect()).await?
    };
    let mut answers = Vec::with_capacity(rows.len());
    // One after the other: when the registry refuses one for its limit, no other is on its way.
    for row in rows {
        let request = request(&consents, &row)?;
        answers.extend(answer(app, account, codes(provider, brand), &request, row).await?);
    }
    Ok(answers)
}

/// Those answers whose submissions are still in our hands.
async fn still_ours<'a>(
    app: &'a App,
    tx: &mut Tx,
    provider: IysCode,
    mut answers: Vec<Answered>,
) -> ServiceResult<(Settling<'a>, Vec<Answered>)> {
    let mut settling = Settling::begin(app, tx, provider).await?;
    let rows: Vec<SubmissionRow> = answers.iter().map(|answer| answer.row.clone()).collect();
    settling.load(tx, &rows).await?;
    let ours = settling.still_claimed(tx, &rows).await?;
    answers.retain(|Answered { row, .. }| ours.contains(&(row.consent_id, row.generation)));
    Ok((settling, answers))
}

async fn answer(
    app: &App,
    account: &Account,
    place: BrandCodes,
    request: &StatusRequest,
    row: SubmissionRow,
) -> ServiceResult<Option<Answered>> {
    let asked_at = app.clocks.business();
    let result = account.status(place, request).await;
    count("status", &result);
    let (code, after) = match result {
        Ok(None) => return Ok(Some(Answered { row, side: None, asked_at })),
        Ok(Some(answer)) => match words::status_side(&answer, asked_at) {
            Some(side) => return Ok(Some(Answered { row, side: Some(side), asked_at })),
            None => {
                tracing::error!(submission.id = %row.consent_id, "a status answer has unknown words; asking again later");
                (None, None)
            }
        },
        Err(error) => {
            tracing::info!(error = &error as &dyn std::error::Error, submission.id = %row.consent_id, "status query failed; asking again later");
            let after = match error.class() {
                ErrorClass::Wait { after } => Some(after),
                _ => None,
            };
            (error.code().map(Code::new), after)
        }
    };
    // What led to the question stays with the row.
    let code = row.code.clone().map(Code::new).or(code);
    record(app, row.iys_code, vec![(row, RegistryAnswer::Retry { code, after })]).await?;
    Ok(None)
}

fn request(consents: &Consents, row: &SubmissionRow) -> ServiceResult<StatusRequest> {
    let (consent, opened) = consents.get(&row.consent_id).ok_or(ServiceError::NotFound("consent"))?;
    Ok(StatusRequest {
        recipient: opened.recipient.clone(),
        recipient_type: consent.recipient_type.as_str().to_owned(),
        r#type: consent.channel.as_str().to_owned(),
    })
}
