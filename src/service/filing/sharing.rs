//! Who may ask for a status: single queries are rationed by the hour, and rejections draw first.

use chrono::{DateTime, TimeDelta, Utc};
use kopru_domain::ConsentStatus;
use kopru_store::Tx;
use kopru_store::submissions::{self, SubmissionRow};

use crate::bootstrap::App;
use crate::registry::{Hourly, Left};
use crate::service::ServiceResult;
use crate::service::filing::settling::{DOUBTED, Settling};
use crate::service::filing::sift::{is_approved, is_for_the_list};

/// Status queries of one claim: they must all be answered within its lease.
const QUESTIONS_A_CLAIM: usize = 50;
/// So many are asked about one by one; more of them are worth a list first, of which nothing is rationed by the hour.
const FEW: usize = 10;

/// Divides what has to be asked about into what is asked one by one, as far as this hour's status queries reach, and, where
/// it is much or the claim is careful, what is asked as lists first. The rest waits, without a call. An approval is asked about
/// only with what the rejections that wait for a question leave over.
pub(super) async fn divide(
    app: &App,
    tx: &mut Tx,
    settling: &mut Settling<'_>,
    rows: Vec<SubmissionRow>,
    careful: bool,
) -> ServiceResult<(Vec<SubmissionRow>, Vec<SubmissionRow>)> {
    if rows.is_empty() {
        return Ok((rows, Vec::new()));
    }
    let (unseen, seen): (Vec<_>, Vec<_>) =
        rows.into_iter().partition(|row| is_for_the_list(row) && !is_approved(settling, row));
    // A single question about an address without a record counts as a failure at the registry; the list never does.
    if careful && !unseen.is_empty() {
        metrics::counter!("registry_held_back_total", "what" => "status").increment(unseen.len() as u64);
    }
    let (questions, sift) =
        if unseen.len() > FEW || careful { (seen, unseen) } else { ([seen, unseen].concat(), Vec::new()) };
    let (rejections, approvals): (Vec<_>, Vec<_>) =
        questions.into_iter().partition(|row| row.status == ConsentStatus::Rejection);
    let left = app.registry.left(tx, Hourly::Status).await?;
    let mut questions = within(settling, left, QUESTIONS_A_CLAIM, rejections);
    if !approvals.is_empty() {
        let now = settling.now;
        let soon = now + TimeDelta::hours(1);
        let reserved = submissions::rejections_to_ask(tx, now, soon, &codes(), left.requests).await?;
        let spare = Left { requests: left.requests.saturating_sub(reserved), ..left };
        questions.extend(within(settling, spare, QUESTIONS_A_CLAIM - questions.len(), approvals));
    }
    Ok((questions, sift))
}

/// The codes of answers that wait for the status query.
pub(super) fn codes() -> Vec<String> {
    DOUBTED.iter().map(|code| code.as_str().to_owned()).collect()
}

/// Those that are asked about now; the others wait for the next claim, or for more queries.
fn within(
    settling: &mut Settling<'_>,
    left: Left,
    most: usize,
    mut rows: Vec<SubmissionRow>,
) -> Vec<SubmissionRow> {
    let next: DateTime<Utc> = if left.requests > QUESTIONS_A_CLAIM { settling.now } else { left.more_at };
    for row in rows.split_off(rows.len().min(most).min(left.requests)) {
        settling.put_back(row, next);
    }
    rows
}
