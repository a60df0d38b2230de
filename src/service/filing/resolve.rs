//! Single adds whose outcome is unknown: the same bytes go again, and the registry's v2 answers them with the first result.
//! Where it has said already that the record is there (H174, H178) or too late (H467), the status query decides.

use iys::Bytes;
use kopru_domain::{Code, RegistryAnswer};
use kopru_store::submissions::{self, SubmissionRow};
use kopru_store::{Claim, Priority};

use crate::bootstrap::App;
use crate::service::filing::Outgoing;
use crate::service::filing::questions::ask;
use crate::service::filing::send::{account, record, send};
use crate::service::filing::settling::{AskStatus, Settling};
use crate::service::{ServiceResult, mirror};

/// Unresolved submissions claimed at once.
const MOST: i64 = 50;

/// Claims submissions whose outcome is unknown and whose time has come; also those whose sender died.
pub async fn claim_unresolved(app: &App, claim: Claim) -> ServiceResult<Vec<SubmissionRow>> {
    if !app.registry.is_open().await? {
        return Ok(Vec::new());
    }
    let mut tx = app.db.begin(Priority::Bulk).await?;
    let rows =
        submissions::claim_unresolved(&mut tx, MOST, app.clocks.business(), app.clocks.wire(), claim).await?;
    tx.commit().await?;
    Ok(rows)
}

/// Resolves them.
pub async fn resolve(app: &App, rows: Vec<SubmissionRow>) -> ServiceResult<()> {
    for (provider, brand, rows) in by_brand(rows) {
        let keys = {
            let mut tx = app.db.read().await?;
            app.vault.keys(&mut tx, provider).await?
        };
        let (sent, never_sent): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| row.wire.is_some());
        if !never_sent.is_empty() {
            requeue(app, provider, never_sent).await?;
        }
        let (mut outgoing, mut questions) = (Vec::with_capacity(sent.len()), Vec::new());
        for row in sent {
            if let Some(refusal) = refusal(&row) {
                questions.push(AskStatus { row, refusal: Some(refusal) });
                continue;
            }
            let bytes = mirror::open_wire(&keys, row.wire.as_deref().unwrap_or_default())?;
            outgoing.push(Outgoing { row, bytes: Bytes::from(bytes) });
        }
        match account(app, provider).await {
            Ok(account) => {
                ask(app, &account, provider, brand, questions).await?;
                send(app, &account, provider, brand, outgoing).await?;
            }
            Err(error) => {
                let answer = RegistryAnswer::Retry { code: None, after: None };
                let rows = outgoing.into_iter().map(|out| out.row);
                let rows = rows.chain(questions.into_iter().map(|question| question.row));
                record(app, provider, rows.map(|row| (row, answer.clone())).collect()).await?;
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "a provider's account cannot be used"
                );
            }
        }
    }
    Ok(())
}

/// The definite answer to a resend that waits for the status query, if the row has one.
fn refusal(row: &SubmissionRow) -> Option<Code> {
    let code = Code::new(row.code.clone()?);
    [Code::H174, Code::H178, Code::H467].contains(&code).then_some(code)
}

/// The claimer died before it had stored any bytes: nothing can have left the house.
async fn requeue(app: &App, provider: kopru_domain::IysCode, rows: Vec<SubmissionRow>) -> ServiceResult<()> {
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

type OfBrand = (kopru_domain::IysCode, kopru_domain::BrandCode, Vec<SubmissionRow>);

fn by_brand(rows: Vec<SubmissionRow>) -> Vec<OfBrand> {
    let mut groups: std::collections::BTreeMap<_, Vec<SubmissionRow>> = std::collections::BTreeMap::new();
    for row in rows {
        groups.entry((row.iys_code, row.brand_code)).or_default().push(row);
    }
    groups.into_iter().map(|((provider, brand), rows)| (provider, brand, rows)).collect()
}
