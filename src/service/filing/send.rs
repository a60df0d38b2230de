//! Sending single adds and recording their answers.

use std::sync::Arc;

use futures::{StreamExt, stream};
use iys::Account;
use kopru_domain::{BrandCode, IysCode, RegistryAnswer, SubmissionState};
use kopru_store::Priority;
use kopru_store::submissions::SubmissionRow;
use tokio::sync::RwLock;

use crate::bootstrap::App;
use crate::registry::{codes, words};
use crate::service::ServiceResult;
use crate::service::filing::claim::Gate;
use crate::service::filing::questions::ask_then_send;
use crate::service::filing::settling::Settling;
use crate::service::filing::sift::sift;
use crate::service::filing::{Outgoing, Work, batch};

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
    ask_then_send(app, &account, work.provider, work.brand, work.ask_first).await
}

/// The account that files for a provider.
pub(super) async fn account(app: &App, provider: IysCode) -> ServiceResult<Account> {
    let mut tx = app.db.read().await?;
    Ok(app.registry.account(&mut tx, provider).await?)
}

/// Sends exact bytes and records what the registry answers. What becomes held meanwhile goes back untried.
pub(super) async fn send(
    app: &App,
    account: &Account,
    provider: IysCode,
    brand: BrandCode,
    outgoing: Vec<Outgoing>,
) -> ServiceResult<()> {
    // The claim has just looked.
    let gate = Arc::new(RwLock::new(Gate::default()));
    let mut answers = stream::iter(outgoing)
        .map(|out| {
            // A task of its own: it goes on while answers are recorded.
            let (app, account, gate) = (app.clone(), account.clone(), gate.clone());
            app.lifecycle.clone().spawn("add", async move {
                // Where an outcome is unknown, nothing but its own bytes may follow: it cannot be held like the others.
                let stopped =
                    out.row.state == SubmissionState::InFlight && gate.read().await.stop(&out.row).is_some();
                if stopped {
                    return (out.row, None);
                }
                let result = account.add_consent_raw(codes(provider, brand), out.bytes).await;
                count("add", &result);
                (out.row, Some(words::answer(&result)))
            })
        })
        .buffer_unordered(AT_ONCE)
        .ready_chunks(ANSWERS_A_COMMIT);
    while let Some(answers) = answers.next().await {
        // A task that panicked or was cut off leaves its row to the lease.
        let answers: Vec<_> = answers.into_iter().filter_map(Result::ok).collect();
        let is_refused = answers.iter().any(|(_, answer)| matches!(answer, Some(RegistryAnswer::Held(..))));
        settle(app, provider, answers).await?;
        if is_refused {
            let mut tx = app.db.read().await?;
            *gate.write().await = Gate::load(&mut tx, provider, brand).await?;
        }
    }
    Ok(())
}

/// Records answers in one transaction. What the status query has to tell waits to be claimed for it.
pub async fn record(
    app: &App,
    provider: IysCode,
    answers: Vec<(SubmissionRow, RegistryAnswer)>,
) -> ServiceResult<()> {
    settle(app, provider, answers.into_iter().map(|(row, answer)| (row, Some(answer))).collect()).await
}

/// As [`record`]; what has no answer was not sent, and is put back.
async fn settle(
    app: &App,
    provider: IysCode,
    answers: Vec<(SubmissionRow, Option<RegistryAnswer>)>,
) -> ServiceResult<()> {
    let mut tx = app.db.begin(Priority::Bulk).await?;
    let mut settling = Settling::begin(app, &mut tx, provider).await?;
    let rows: Vec<SubmissionRow> = answers.iter().map(|(row, _)| row.clone()).collect();
    settling.load(&mut tx, &rows).await?;
    let ours = settling.still_claimed(&mut tx, &rows).await?;
    for (row, answer) in
        answers.into_iter().filter(|(row, _)| ours.contains(&(row.consent_id, row.generation)))
    {
        match answer {
            Some(answer) => settling.answered(row, &answer)?,
            None => settling.put_back(row, settling.now),
        }
    }
    settling.finish(&mut tx).await?;
    tx.commit_yielding().await?;
    app.wake.wake();
    Ok(())
}

/// Counts a call by operation and outcome.
pub(crate) fn count<T>(operation: &'static str, result: &Result<T, iys::IysError>) {
    let outcome = match result {
        Ok(_) => "ok".to_owned(),
        Err(error) => error.code().map_or_else(|| "transport".to_owned(), ToOwned::to_owned),
    };
    metrics::counter!("registry_requests_total", "operation" => operation, "outcome" => outcome).increment(1);
}

/// Counts a call by operation and outcome, and hands its answer on.
pub(crate) fn counted<T>(
    operation: &'static str,
    answer: Result<T, iys::IysError>,
) -> Result<T, iys::IysError> {
    count(operation, &answer);
    answer
}
