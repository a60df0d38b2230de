//! Many questions at once. Single status queries are rationed by the hour; the list query (registry-protocol section 4.8)
//! tells of up to 1 000 addresses in one call which are approved, and no more. One of its two answers is conclusive: where no
//! approval is in force, a late rejection has nothing to reject, whether the registry holds a rejection or no record, and an
//! approval in doubt was not recorded. Where one is, its date decides (design.md sections 4.6 and 4.7), and only the single
//! query tells that.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::TimeDelta;
use iys::wire::StatusesRequest;
use iys::{Account, BrandCodes, ErrorClass, IysError};
use kopru_domain::{
    BrandCode, Channel, Code, ConsentStatus, IysCode, Observation, Recipient, RecipientType, RegistryAnswer,
    SubmissionState,
};
use kopru_store::Priority;
use kopru_store::submissions::SubmissionRow;
use uuid::Uuid;

use crate::bootstrap::App;
use crate::registry::codes;
use crate::service::ServiceResult;
use crate::service::filing::send::{count, record};
use crate::service::filing::settling::{Settling, consents_of};

/// How long the answer of a list query spares a submission another one.
const KNOWN_FOR: TimeDelta = TimeDelta::hours(1);

/// Whether the registry's list has said within the hour that the address is approved.
pub(super) fn is_approved(settling: &mut Settling<'_>, row: &SubmissionRow) -> bool {
    let now = settling.now;
    let seen = settling.states.of(row.key).permission.observation;
    seen.is_some_and(|seen| seen.approved && now - seen.asked_at < KNOWN_FOR)
}

/// Whether the list query may be conclusive. Of a rejection in doubt it cannot tell whether it was recorded.
pub(super) fn is_for_the_list(row: &SubmissionRow) -> bool {
    row.state != SubmissionState::Unresolved || row.status == ConsentStatus::Approval
}

/// Asks the registry about claimed late rejections and approvals in doubt as lists: ends those that the answer decides, and
/// puts the others back, for the single query.
pub(super) async fn sift(
    app: &App,
    account: &Account,
    provider: IysCode,
    brand: BrandCode,
    rows: Vec<SubmissionRow>,
) -> ServiceResult<()> {
    for ((recipient_type, channel), group) in by_list(app, provider, rows).await? {
        let asked_at = app.clocks.business();
        let recipients = group.values().map(|(_, recipient)| recipient.clone()).collect();
        let place = codes(provider, brand);
        match approved(account, place, recipient_type, channel, recipients).await {
            Ok(approved) => {
                let answers = group.into_values().map(|(row, recipient)| {
                    (row, Observation { asked_at, approved: approved.contains(&recipient) })
                });
                settle(app, provider, answers.collect()).await?;
            }
            Err(error) => {
                tracing::info!(
                    error = &error as &dyn std::error::Error,
                    "list query failed; asking again later"
                );
                let after = match error.class() {
                    ErrorClass::Wait { after } => Some(after),
                    _ => None,
                };
                let retry = |row: SubmissionRow| {
                    // What led to the question stays with the row.
                    let code = row.code.clone().map(Code::new).or_else(|| error.code().map(Code::new));
                    (row, RegistryAnswer::Retry { code, after })
                };
                record(app, provider, group.into_values().map(|(row, _)| retry(row)).collect()).await?;
            }
        }
    }
    Ok(())
}

/// Which of up to 1 000 addresses, each once, are approved at the registry.
pub(crate) async fn approved(
    account: &Account,
    place: BrandCodes,
    recipient_type: RecipientType,
    channel: Channel,
    recipients: Vec<String>,
) -> Result<HashSet<String>, IysError> {
    let question = StatusesRequest { recipients };
    let result = account.statuses(place, recipient_type.as_str(), channel.as_str(), &question).await;
    count("statuses", &result);
    Ok(result?.list.iter().filter_map(|text| canonical(text)).collect())
}

/// The registry gives addresses back in its own spelling: e-mails in lower case.
fn canonical(text: &str) -> Option<String> {
    Recipient::from_canonical(text).ok().map(|recipient| recipient.as_str().to_owned())
}

type Lists = BTreeMap<(RecipientType, Channel), HashMap<Uuid, (SubmissionRow, String)>>;

/// One list asks for one kind of recipient on one channel. Rows by consent, with their addresses.
async fn by_list(app: &App, provider: IysCode, rows: Vec<SubmissionRow>) -> ServiceResult<Lists> {
    let mut tx = app.db.read().await?;
    let mut consents =
        consents_of(&mut tx, app, provider, rows.iter().map(|row| row.consent_id).collect()).await?;
    let mut lists = Lists::new();
    for row in rows {
        let Some((consent, opened)) = consents.remove(&row.consent_id) else { continue };
        let list = lists.entry((consent.recipient_type, consent.channel)).or_default();
        list.insert(consent.id, (row, opened.recipient));
    }
    Ok(lists)
}

async fn settle(
    app: &App,
    provider: IysCode,
    answers: Vec<(SubmissionRow, Observation)>,
) -> ServiceResult<()> {
    let mut tx = app.db.begin(Priority::Bulk).await?;
    let mut settling = Settling::begin(app, &mut tx, provider).await?;
    let rows: Vec<SubmissionRow> = answers.iter().map(|(row, _)| row.clone()).collect();
    settling.load(&mut tx, &rows).await?;
    let ours = settling.still_claimed(&mut tx, &rows).await?;
    let now = settling.now;
    for (row, seen) in answers {
        if !ours.contains(&(row.consent_id, row.generation)) {
            continue;
        }
        settling.observed(&row, seen)?;
        if seen.approved {
            settling.put_back(row, now);
        } else {
            settling.not_approved(row)?;
        }
    }
    settling.finish(&mut tx).await?;
    tx.commit().await?;
    app.wake.wake();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_registrys_spelling_is_read_as_ours() {
        assert_eq!(canonical("+905321234567").as_deref(), Some("+905321234567"));
        assert_eq!(canonical("ali@example.com").as_deref(), Some("ali@example.com"));
        assert_eq!(canonical("nothing"), None);
    }
}
