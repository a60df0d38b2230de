//! Sending single adds and recording their answers.

use futures::{StreamExt, stream};
use iys::Account;
use kopru_domain::{BrandCode, IysCode, RegistryAnswer};
use kopru_store::Priority;
use kopru_store::submissions::SubmissionRow;

use crate::bootstrap::App;
use crate::registry::{codes, words};
use crate::service::ServiceResult;
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
                count("add", &result);
                (out.row, words::answer(&result))
            })
        })
        .buffer_unordered(AT_ONCE)
        .ready_chunks(ANSWERS_A_COMMIT);
    while let Some(answers) = answers.next().await {
        // A task that panicked or was cut off leaves its row to the lease.
        record(app, provider, answers.into_iter().filter_map(Result::ok).collect()).await?;
    }
    Ok(())
}

/// Records answers in one transaction. What the status query has to tell waits to be claimed for it.
pub async fn record(
    app: &App,
    provider: IysCode,
    answers: Vec<(SubmissionRow, RegistryAnswer)>,
) -> ServiceResult<()> {
    let mut tx = app.db.begin(Priority::Bulk).await?;
    let mut settling = Settling::begin(app, &mut tx, provider).await?;
    let rows: Vec<SubmissionRow> = answers.iter().map(|(row, _)| row.clone()).collect();
    settling.load(&mut tx, &rows).await?;
    let ours = settling.still_claimed(&mut tx, &rows).await?;
    for (row, answer) in
        answers.into_iter().filter(|(row, _)| ours.contains(&(row.consent_id, row.generation)))
    {
        settling.answered(row, &answer)?;
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
