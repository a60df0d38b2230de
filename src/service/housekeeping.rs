//! What time itself brings: approvals whose latest instant passed, targets that come near, holds that want a probe or are
//! being lifted, and things to be forgotten.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use kopru_domain::time::truncate_seconds;
use kopru_domain::{Code, Deadline, IysCode, SubmissionState};
use kopru_store::holds::{self, HoldRow};
use kopru_store::submissions::{self, SubmissionRow};
use kopru_store::{Priority, Tx, batches, idempotency, inbound, jobs, push};

use crate::bootstrap::App;
use crate::service::filing::settling::Settling;
use crate::service::messages::notice;
use crate::service::{ServiceResult, filing, onboarding, opt_in, reconciliation, retention};

/// `deadline.at_risk` is told this long before the target.
const WARNING: TimeDelta = TimeDelta::hours(4);
/// Rows of one transaction.
const MOST: i64 = 500;
/// Stored answers forgotten in one transaction.
const ANSWERS: i64 = 1_000;
/// How long ended jobs and batches are kept.
const KEEP_JOBS: TimeDelta = TimeDelta::days(30);

/// How long pushes are kept: as long as the feed reaches back, and a day for a person to look at what could not be read.
const KEEP_PUSHES: TimeDelta = TimeDelta::days(8);

/// How long a message that was dealt with is known again: vendors' inboxes reach back a month at most.
const KEEP_SEEN: TimeDelta = TimeDelta::days(40);

/// Does everything that is due now; returns how much it did.
pub async fn tend(app: &App) -> ServiceResult<usize> {
    // Dates have whole seconds: an instant has passed when its second has.
    let now = truncate_seconds(app.clocks.business());
    let ended = expire(app, now).await? + warn(app, now).await?;
    let lifted = filing::release_lifted(app).await? + probe(app, now).await?;
    let told = reconciliation::tell_silent(app).await? + notice::tell_late(app).await?;
    let confirmed = opt_in::tend(app).await?;
    Ok(ended + lifted + onboarding::schedule(app).await? + told + confirmed)
}

/// Ends approvals that can no longer be filed by any reading of the deadline.
async fn expire(app: &App, now: DateTime<Utc>) -> ServiceResult<usize> {
    let target = Deadline::target_of_expired(now, &app.calendar);
    let rows = {
        let mut tx = app.db.read().await?;
        submissions::expiring(&mut tx, now, target, MOST).await?
    };
    each_provider(app, rows, |settling, row| {
        let still =
            matches!(row.state, SubmissionState::Queued | SubmissionState::Held) && row.latest_at < now;
        if still { settling.end(row, SubmissionState::Expired, Some(Code::DEADLINE_PASSED)) } else { Ok(()) }
    })
    .await
}

/// Tells of targets that are near or past.
async fn warn(app: &App, now: DateTime<Utc>) -> ServiceResult<usize> {
    let rows = {
        let mut tx = app.db.read().await?;
        submissions::at_risk(&mut tx, now + WARNING, MOST).await?
    };
    each_provider(
        app,
        rows,
        |settling, row| {
            if row.state.is_open() && !row.at_risk { settling.at_risk(row) } else { Ok(()) }
        },
    )
    .await
}

/// Does something to rows, each read again under its provider's head: it may have changed since it was found.
async fn each_provider(
    app: &App,
    rows: Vec<SubmissionRow>,
    work: impl Fn(&mut Settling<'_>, SubmissionRow) -> ServiceResult<()>,
) -> ServiceResult<usize> {
    let mut by_provider: BTreeMap<IysCode, Vec<(uuid::Uuid, i64)>> = BTreeMap::new();
    let found = rows.len();
    for row in rows {
        by_provider.entry(row.iys_code).or_default().push((row.consent_id, row.generation));
    }
    for (provider, found) in by_provider {
        let mut tx = app.db.begin(Priority::Bulk).await?;
        let mut settling = Settling::begin(app, &mut tx, provider).await?;
        let ids = found.iter().map(|(consent, _)| *consent).collect();
        let rows: Vec<SubmissionRow> = submissions::find_many(&mut tx, provider, ids)
            .await?
            .into_iter()
            .filter(|row| found.contains(&(row.consent_id, row.generation)))
            .collect();
        settling.load(&mut tx, &rows).await?;
        for row in rows {
            work(&mut settling, row)?;
        }
        settling.finish(&mut tx).await?;
        tx.commit().await?;
        app.wake.wake();
    }
    Ok(found)
}

/// Looks whether what is refused would pass by now. Of a hold that the registry's list tells, the list is asked; of any other one
/// held submission is put back into the queue, and the claim lets it through.
async fn probe(app: &App, now: DateTime<Utc>) -> ServiceResult<usize> {
    let due = {
        let mut tx = app.db.read().await?;
        holds::due(&mut tx, now).await?
    };
    let mut probes = 0;
    let careful = app.registry.standing().await?.careful;
    for hold in due {
        let mut tx = app.db.begin(Priority::Bulk).await?;
        let settling = Settling::begin(app, &mut tx, hold.iys_code).await?;
        let probe_at = now + app.config.filing.probe_after();
        holds::set(&mut tx, &HoldRow { probe_at, ..hold.clone() }).await?;
        if onboarding::asks_the_list(&mut tx, app, &hold).await? {
            if submissions::holds_any(&mut tx, hold.iys_code, hold.brand_code, hold.channel).await? {
                onboarding::enqueue(&mut tx, app, hold.iys_code).await?;
            }
            tx.commit().await?;
            continue;
        }
        if careful && !holds_near(&mut tx, &hold, now).await? {
            metrics::counter!("registry_held_back_total", "what" => "probe").increment(1);
            tx.commit().await?;
            continue;
        }
        let released =
            submissions::release_held(&mut tx, hold.iys_code, hold.brand_code, hold.channel, 1, now, true)
                .await?;
        if released == 0 && !hold.listed {
            // Nothing waits any more: the next filing shows whether the registry still refuses.
            holds::lift(&mut tx, hold.iys_code, hold.brand_code, hold.channel, true, now).await?;
        }
        settling.finish(&mut tx).await?;
        tx.commit().await?;
        probes += usize::try_from(released).unwrap_or_default();
    }
    if probes > 0 {
        app.wake.wake();
    }
    Ok(probes)
}

/// Whether a rejection near its target waits for a hold to be lifted: then it is tried even where probes are held back.
async fn holds_near(tx: &mut Tx, hold: &HoldRow, now: DateTime<Utc>) -> ServiceResult<bool> {
    let until = now + WARNING;
    Ok(submissions::holds_rejection(tx, hold.iys_code, hold.brand_code, hold.channel, until).await?)
}

/// Forgets what has run out.
pub async fn purge(app: &App) -> ServiceResult<()> {
    let now = app.clocks.wire();
    let answers = purge_answers(app, now).await?;
    opt_in::purge(app).await?;
    retention::forget_posts(app).await?;
    let forgotten = Box::pin(retention::forget(app, app.clocks.business(), now)).await?;
    let mut tx = app.db.begin(Priority::Bulk).await?;
    let ended = jobs::purge(&mut tx, now - KEEP_JOBS).await?;
    let batches = batches::purge(&mut tx, app.clocks.business() - KEEP_JOBS).await?;
    let pushes = push::purge(&mut tx, app.clocks.business() - KEEP_PUSHES).await?;
    let business = app.clocks.business();
    let inbound = inbound::purge(&mut tx, business - KEEP_PUSHES, business - KEEP_SEEN).await?;
    tx.commit().await?;
    tracing::info!(answers, jobs = ended, batches, pushes, inbound, ?forgotten, "forgot what had run out");
    Ok(())
}

/// Forgets stored answers portion by portion: a day's traffic in one transaction would keep every other writer waiting.
async fn purge_answers(app: &App, now: DateTime<Utc>) -> ServiceResult<u64> {
    let mut answers = 0;
    loop {
        let mut tx = app.db.begin(Priority::Bulk).await?;
        let purged = idempotency::purge(&mut tx, now, ANSWERS).await?;
        tx.commit().await?;
        answers += purged;
        if i64::try_from(purged).unwrap_or(ANSWERS) < ANSWERS {
            return Ok(answers);
        }
    }
}
