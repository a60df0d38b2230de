//! Sending single adds and recording their answers.

use futures::{StreamExt, stream};
use iys::{Account, ErrorClass};
use kopru_domain::{BrandCode, Code, Confirmation, IysCode, RegistryAnswer, RegistrySide};
use kopru_store::brands;
use kopru_store::submissions::SubmissionRow;
use kopru_store::{Priority, Tx};

use crate::bootstrap::App;
use crate::registry::{codes, words};
use crate::service::filing::claim::{carry_out, store_wires};
use crate::service::filing::settling::{AskStatus, Settling, candidate};
use crate::service::filing::sift::sift;
use crate::service::filing::{Outgoing, Work, batch};
use crate::service::{ServiceError, ServiceResult, mirror};

/// Requests under way at once from one claim; the pace decides how many a second.
const AT_ONCE: usize = 8;
/// Answers recorded in one transaction.
const ANSWERS_A_COMMIT: usize = 50;

/// Files what was claimed.
pub async fn file(app: &App, work: Work) -> ServiceResult<()> {
    let account = account(app, work.provider).await?;
    if let Some((row, body)) = work.batch {
        batch::post(app, &account, row, body).await?;
    }
    send(app, &account, work.provider, work.brand, work.singles).await?;
    sift(app, &account, work.provider, work.brand, work.sift).await?;
    for row in work.ask_first {
        ask_then_send(app, &account, work.provider, work.brand, row).await?;
    }
    Ok(())
}

/// The account that files for a provider.
pub(super) async fn account(app: &App, provider: IysCode) -> ServiceResult<Account> {
    let mut tx = app.db.read().await?;
    Ok(app.registry.account(&mut tx, provider).await?)
}

/// Sends exact bytes and records what the registry answers.
pub(super) async fn send(
    app: &App,
    account: &Account,
    provider: IysCode,
    brand: BrandCode,
    outgoing: Vec<Outgoing>,
) -> ServiceResult<()> {
    let mut answers = stream::iter(outgoing)
        .map(|out| {
            // A task of its own: it goes on while answers are recorded.
            let (app, account) = (app.clone(), account.clone());
            app.lifecycle.clone().spawn("add", async move {
                let result = account.add_consent_raw(codes(provider, brand), out.bytes).await;
                app.registry.note(&result);
                count("add", &result);
                (out.row, words::answer(&result))
            })
        })
        .buffer_unordered(AT_ONCE)
        .ready_chunks(ANSWERS_A_COMMIT);
    let mut questions = Vec::new();
    while let Some(answers) = answers.next().await {
        // A task that panicked or was cut off leaves its row to the lease.
        let answers = answers.into_iter().filter_map(Result::ok).collect();
        questions.extend(record(app, provider, answers).await?);
    }
    ask(app, account, provider, brand, questions).await
}

/// Records answers in one transaction; returns what the status query has to tell.
pub(super) async fn record(
    app: &App,
    provider: IysCode,
    answers: Vec<(SubmissionRow, RegistryAnswer)>,
) -> ServiceResult<Vec<AskStatus>> {
    let mut tx = app.db.begin(Priority::Bulk).await?;
    let mut settling = Settling::begin(app, &mut tx, provider).await?;
    let rows: Vec<SubmissionRow> = answers.iter().map(|(row, _)| row.clone()).collect();
    settling.load(&mut tx, &rows).await?;
    let ours = settling.still_claimed(&mut tx, &rows).await?;
    let mut questions = Vec::new();
    for (row, answer) in
        answers.into_iter().filter(|(row, _)| ours.contains(&(row.consent_id, row.generation)))
    {
        questions.extend(settling.answered(row, &answer)?);
    }
    settling.finish(&mut tx).await?;
    tx.commit().await?;
    app.wake.wake();
    Ok(questions)
}

/// Asks the registry for the record of each and settles by it.
pub(super) async fn ask(
    app: &App,
    account: &Account,
    provider: IysCode,
    brand: BrandCode,
    questions: Vec<AskStatus>,
) -> ServiceResult<()> {
    for question in questions {
        let Some((side, asked_at)) = status(app, account, provider, brand, &question.row).await? else {
            continue;
        };
        let mut tx = app.db.begin(Priority::Bulk).await?;
        let mut settling = Settling::begin(app, &mut tx, provider).await?;
        settling.load(&mut tx, std::slice::from_ref(&question.row)).await?;
        settling.status_answered(question, side.as_ref(), asked_at)?;
        settling.finish(&mut tx).await?;
        tx.commit().await?;
        app.wake.wake();
    }
    Ok(())
}

type Asked = Option<(Option<RegistrySide>, chrono::DateTime<chrono::Utc>)>;

/// The registry's record of a submission's address; `None` when it could not be asked, and the row waits for another try.
async fn status(
    app: &App,
    account: &Account,
    provider: IysCode,
    brand: BrandCode,
    row: &SubmissionRow,
) -> ServiceResult<Asked> {
    let request = {
        let mut tx = app.db.read().await?;
        status_request(app, &mut tx, provider, row).await?
    };
    let asked_at = app.clocks.business();
    let result = account.status(codes(provider, brand), &request).await;
    app.registry.note(&result);
    count("status", &result);
    match result {
        Ok(None) => Ok(Some((None, asked_at))),
        Ok(Some(answer)) => match words::status_side(&answer, asked_at) {
            Some(side) => Ok(Some((Some(side), asked_at))),
            None => {
                tracing::error!(submission.id = %row.consent_id, "a status answer has unknown words; asking again later");
                let answer = RegistryAnswer::Retry { code: None, after: None };
                record(app, provider, vec![(row.clone(), answer)]).await?;
                Ok(None)
            }
        },
        Err(error) => {
            tracing::info!(error = &error as &dyn std::error::Error, submission.id = %row.consent_id, "status query failed; asking again later");
            let after = match error.class() {
                ErrorClass::Wait { after } => Some(after),
                _ => None,
            };
            // What led to the question stays with the row.
            let code = row.code.as_deref().or(error.code()).map(Code::new);
            let answer = RegistryAnswer::Retry { code, after };
            record(app, provider, vec![(row.clone(), answer)]).await?;
            Ok(None)
        }
    }
}

async fn status_request(
    app: &App,
    tx: &mut Tx,
    provider: IysCode,
    row: &SubmissionRow,
) -> ServiceResult<iys::wire::StatusRequest> {
    let keys = app.vault.keys(tx, provider).await?;
    let consent = kopru_store::consents::find(tx, provider, row.consent_id)
        .await?
        .ok_or(ServiceError::NotFound("consent"))?;
    let opened = mirror::open_consent(&keys, &consent.sealed)?;
    Ok(iys::wire::StatusRequest {
        recipient: opened.recipient,
        recipient_type: consent.recipient_type.as_str().to_owned(),
        r#type: consent.channel.as_str().to_owned(),
    })
}

/// A late rejection (design.md section 4.6): status query, then with the present time, true time in evidence.
async fn ask_then_send(
    app: &App,
    account: &Account,
    provider: IysCode,
    brand: BrandCode,
    row: SubmissionRow,
) -> ServiceResult<()> {
    let Some((side, asked_at)) = status(app, account, provider, brand, &row).await? else { return Ok(()) };
    let mut ready = Vec::new();
    {
        let mut tx = app.db.begin(Priority::Interactive).await?;
        let mut settling = Settling::begin(app, &mut tx, provider).await?;
        settling.load(&mut tx, std::slice::from_ref(&row)).await?;
        settling.merge_status(&row, asked_at, side)?;
        let policy =
            brands::find_by_code(&mut tx, brand).await?.map(|brand| brand.policy).unwrap_or_default();
        let consent = candidate(settling.consent(row.consent_id)?.0);
        let now = settling.now;
        let verdict = settling.states.of(row.key).review(
            &consent,
            &policy,
            &app.calendar,
            now,
            Confirmation::StatusJustAsked,
        );
        carry_out(&mut settling, row, verdict, &mut ready, &mut Vec::new())?;
        store_wires(&mut settling, &mut ready);
        settling.finish(&mut tx).await?;
        tx.commit().await?;
    }
    Box::pin(send(app, account, provider, brand, ready)).await
}

/// Counts a call by operation and outcome.
pub(crate) fn count<T>(operation: &'static str, result: &Result<T, iys::IysError>) {
    let outcome = match result {
        Ok(_) => "ok".to_owned(),
        Err(error) => error.code().map_or_else(|| "transport".to_owned(), ToOwned::to_owned),
    };
    metrics::counter!("registry_requests_total", "operation" => operation, "outcome" => outcome).increment(1);
}
