//! Single adds whose outcome is unknown: the same bytes go again, and the registry's v2 answers them with the first result.
//! Where it has said already that the record is there (H174, H178) or too late (H467), the status query decides.

use std::collections::HashSet;

use chrono::TimeDelta;
use iys::Bytes;
use kopru_domain::{BrandCode, IysCode, RegistryAnswer};
use kopru_store::submissions::{self, SubmissionRow};
use kopru_store::{Claim, Priority};

use crate::bootstrap::App;
use crate::service::filing::Outgoing;
use crate::service::filing::questions::ask;
use crate::service::filing::send::{account, record, send};
use crate::service::filing::settling::Settling;
use crate::service::filing::sharing;
use crate::service::filing::sift::sift;
use crate::service::{ServiceError, ServiceResult, mirror};

/// Submissions claimed at once to be sent again.
const MOST: i64 = 50;
/// Submissions claimed at once to be asked about: as many as one list query takes.
const MOST_QUESTIONS: i64 = 1_000;
/// How long those wait of which another has gone ahead.
const BEHIND: TimeDelta = TimeDelta::minutes(30);

/// Submissions in doubt that were claimed.
#[derive(Debug)]
pub enum Doubts {
    /// Their bytes go again.
    Resends(Vec<SubmissionRow>),
    /// The registry has given a definite answer to a resend, which the status query confirms or not.
    Questions(Questions),
}

/// What is asked about at one brand.
#[derive(Debug)]
pub struct Questions {
    provider: IysCode,
    brand: BrandCode,
    one_by_one: Vec<SubmissionRow>,
    as_lists: Vec<SubmissionRow>,
}

/// Claims submissions whose outcome is unknown and whose time has come; also those whose sender died.
pub async fn claim_unresolved(app: &App, claim: Claim) -> ServiceResult<Option<Doubts>> {
    if !app.registry.is_open().await? {
        return Ok(None);
    }
    if let Some(questions) = claim_questions(app, claim).await? {
        return Ok(Some(Doubts::Questions(questions)));
    }
    let (business, wire) = (app.clocks.business(), app.clocks.wire());
    let mut tx = app.db.begin(Priority::Bulk).await?;
    let rows = submissions::claim_unresolved(&mut tx, MOST, business, wire, claim).await?;
    tx.commit().await?;
    Ok((!rows.is_empty()).then_some(Doubts::Resends(rows)))
}

async fn claim_questions(app: &App, claim: Claim) -> ServiceResult<Option<Questions>> {
    let (business, wire, codes) = (app.clocks.business(), app.clocks.wire(), sharing::codes());
    let next = {
        let mut tx = app.db.read().await?;
        submissions::next_question(&mut tx, &codes, business, wire).await?
    };
    let Some((provider, brand)) = next else { return Ok(None) };
    let careful = app.registry.standing().await?.careful;
    let mut tx = app.db.begin(Priority::Bulk).await?;
    let mut settling = Settling::begin(app, &mut tx, provider).await?;
    let of = (provider, brand, codes.as_slice());
    let rows = submissions::claim_questions(&mut tx, of, MOST_QUESTIONS, business, wire, claim).await?;
    settling.load(&mut tx, &rows).await?;
    let (one_by_one, as_lists) = sharing::divide(app, &mut tx, &mut settling, rows, careful).await?;
    settling.finish(&mut tx).await?;
    tx.commit().await?;
    Ok(Some(Questions { provider, brand, one_by_one, as_lists }))
}

/// Resolves them.
pub async fn resolve(app: &App, doubts: Doubts) -> ServiceResult<()> {
    match doubts {
        Doubts::Resends(rows) => resend(app, rows).await,
        Doubts::Questions(questions) => ask_about(app, questions).await,
    }
}

async fn ask_about(app: &App, questions: Questions) -> ServiceResult<()> {
    let Questions { provider, brand, one_by_one, as_lists } = questions;
    match account(app, provider).await {
        Ok(account) => {
            sift(app, &account, provider, brand, as_lists).await?;
            ask(app, &account, provider, brand, one_by_one).await
        }
        Err(error) => no_account(app, provider, [one_by_one, as_lists].concat(), &error).await,
    }
}

async fn resend(app: &App, rows: Vec<SubmissionRow>) -> ServiceResult<()> {
    for (provider, brand, rows) in by_brand(rows) {
        let keys = {
            let mut tx = app.db.read().await?;
            app.vault.keys(&mut tx, provider).await?
        };
        let (sent, never_sent): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| row.wire.is_some());
        if !never_sent.is_empty() {
            requeue(app, provider, never_sent).await?;
        }
        let (sent, behind) = scouts(sent);
        if !behind.is_empty() {
            wait_behind(app, provider, behind).await?;
        }
        match account(app, provider).await {
            Ok(account) => {
                let mut outgoing = Vec::with_capacity(sent.len());
                for row in sent {
                    let bytes = mirror::open_wire(&keys, row.wire.as_deref().unwrap_or_default())?;
                    outgoing.push(Outgoing { row, bytes: Bytes::from(bytes) });
                }
                send(app, &account, provider, brand, outgoing).await?;
            }
            Err(error) => no_account(app, provider, sent, &error).await?,
        }
    }
    Ok(())
}

/// Of those that wait for others to act, of a right that is missing, one a channel goes ahead; the others wait. When one
/// is taken its hold is lifted, and with it all that waits is due.
fn scouts(rows: Vec<SubmissionRow>) -> (Vec<SubmissionRow>, Vec<SubmissionRow>) {
    let mut ahead = HashSet::new();
    rows.into_iter().partition(|row| row.cause.is_none() || ahead.insert(row.channel))
}

async fn wait_behind(app: &App, provider: IysCode, rows: Vec<SubmissionRow>) -> ServiceResult<()> {
    let mut tx = app.db.begin(Priority::Bulk).await?;
    let mut settling = Settling::begin(app, &mut tx, provider).await?;
    settling.load(&mut tx, &rows).await?;
    let ours = settling.still_claimed(&mut tx, &rows).await?;
    let at = settling.now + BEHIND;
    for row in rows.into_iter().filter(|row| ours.contains(&(row.consent_id, row.generation))) {
        settling.put_back(row, at);
    }
    settling.finish(&mut tx).await?;
    Ok(tx.commit().await?)
}

async fn no_account(
    app: &App,
    provider: IysCode,
    rows: Vec<SubmissionRow>,
    error: &ServiceError,
) -> ServiceResult<()> {
    tracing::warn!(error = error as &dyn std::error::Error, "a provider's account cannot be used");
    let answer = RegistryAnswer::Retry { code: None, after: None };
    record(app, provider, rows.into_iter().map(|row| (row, answer.clone())).collect()).await
}

/// The claimer died before it had stored any bytes: nothing can have left the house.
async fn requeue(app: &App, provider: IysCode, rows: Vec<SubmissionRow>) -> ServiceResult<()> {
    let mut tx = app.db.begin(Priority::Bulk).await?;
    let mut settling = Settling::begin(app, &mut tx, provider).await?;
    let now = settling.now;
    for row in rows {
        settling.requeue(row, now);
    }
    settling.finish(&mut tx).await?;
    tx.commit().await?;
    app.wake.wake();
    Ok(())
}

type OfBrand = (IysCode, BrandCode, Vec<SubmissionRow>);

fn by_brand(rows: Vec<SubmissionRow>) -> Vec<OfBrand> {
    let mut groups: std::collections::BTreeMap<_, Vec<SubmissionRow>> = std::collections::BTreeMap::new();
    for row in rows {
        groups.entry((row.iys_code, row.brand_code)).or_default().push(row);
    }
    groups.into_iter().map(|((provider, brand), rows)| (provider, brand, rows)).collect()
}
