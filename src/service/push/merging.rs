//! Merging what was kept: exactly once with the feed and the daily file, by (transactionId, status, consentDate) and the order of
//! creation (design.md section 4.2), so that repetitions and any order are harmless.
//!
//! A refusal acts at once. An approval changes nothing yet: the pull is set to the moment when the feed shows it.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use iys::wire::{PushEvent, PushedChange};
use kopru_domain::outcome::retry_delay;
use kopru_domain::{BrandCode, ConsentStatus, IysCode, Merge};
use kopru_store::push::{self, Merged, PushRow};
use kopru_store::{Claim, Priority, ProviderKeys};

use crate::bootstrap::App;
use crate::registry::words::FeedMovement;
use crate::service::ServiceResult;
use crate::service::events::Subject;
use crate::service::filing::settling::Settling;
use crate::service::push::receiving::BODY;
use crate::service::push::watch;
use crate::service::reconciliation::{self, HIDDEN};

/// Pushes of one transaction; each holds some hundred movements at most.
const PORTION: i64 = 20;
/// The feed shows a movement this long after it was hidden: its clock and ours may differ a little.
const MARGIN: TimeDelta = TimeDelta::seconds(5);
/// A movement from later than this is none: it would stand before all that comes.
const FUTURE: TimeDelta = TimeDelta::minutes(5);

/// Claims the pushes that have waited longest.
pub async fn claim(app: &App, claim: Claim) -> ServiceResult<Option<Vec<PushRow>>> {
    let due = {
        let mut tx = app.db.read().await?;
        push::is_due(&mut tx, app.clocks.business()).await?
    };
    if !due {
        return Ok(None);
    }
    let mut tx = app.db.begin(Priority::Interactive).await?;
    let rows = push::claim_pushes(&mut tx, app.clocks.business(), app.clocks.wire(), claim, PORTION).await?;
    tx.commit().await?;
    Ok(Some(rows).filter(|rows| !rows.is_empty()))
}

/// Merges claimed pushes, provider by provider; what fails is tried again later.
pub async fn merge(app: &App, rows: Vec<PushRow>, claim: Claim) -> ServiceResult<()> {
    let mut by_provider: BTreeMap<IysCode, Vec<PushRow>> = BTreeMap::new();
    for row in rows {
        by_provider.entry(row.iys_code).or_default().push(row);
    }
    let mut failed = Ok(());
    for (provider, rows) in by_provider {
        if let Err(error) = merge_of(app, provider, &rows, claim).await {
            put_off(app, &rows, claim).await?;
            failed = Err(error);
        }
    }
    failed
}

async fn put_off(app: &App, rows: &[PushRow], claim: Claim) -> ServiceResult<()> {
    let mut tx = app.db.begin(Priority::Bulk).await?;
    for row in rows {
        let attempt = u32::try_from(row.attempt).unwrap_or(u32::MAX);
        let delay = retry_delay(attempt, row.brand_code.0.unsigned_abs());
        let at = app.clocks.business() + TimeDelta::from_std(delay).unwrap_or(TimeDelta::minutes(1));
        push::release(&mut tx, row, claim, at).await?;
    }
    Ok(tx.commit().await?)
}

/// The movements of a body; `None` where it is no push.
fn read(keys: &ProviderKeys, row: &PushRow) -> ServiceResult<Option<Vec<PushedChange>>> {
    let body = keys.open(BODY, &row.sealed)?;
    Ok(PushEvent::parse(&body).ok().map(|event| event.list).filter(|list| !list.is_empty()))
}

async fn merge_of(app: &App, provider: IysCode, rows: &[PushRow], claim: Claim) -> ServiceResult<()> {
    let mut tx = app.db.begin(Priority::Interactive).await?;
    let mut settling = Settling::begin(app, &mut tx, provider).await?;
    let mut pushes = Vec::with_capacity(rows.len());
    for row in rows {
        pushes.push(Push::new(&settling, row, read(&settling.keys, row)?));
    }
    let keys = pushes.iter().flat_map(|push| push.movements.iter().map(|(subject, _)| subject.key));
    let keys = keys.collect();
    settling.load_keys(&mut tx, keys).await?;
    let now = settling.now;
    for pushed in pushes {
        let row = pushed.row;
        let unreadable = pushed.unreadable;
        push::note(&mut tx, provider, row.brand_code, pushed.digests(), now).await?;
        let visible_at = pushed.merge_into(&mut settling);
        if let Some(at) = visible_at {
            push::bring_forward(&mut tx, provider, row.brand_code, at.max(now)).await?;
        }
        if unreadable {
            // What it said is not known: for the time being push has left something out.
            push::gap(&mut tx, provider, row.brand_code, row.channel, now).await?;
        }
        let became = match visible_at {
            _ if unreadable => Merged::Unreadable,
            Some(at) => Merged::Waiting(at),
            None => Merged::Done,
        };
        push::merged(&mut tx, row, claim, became).await?;
    }
    settling.finish(&mut tx).await?;
    tx.commit().await?;
    app.wake.wake();
    Ok(())
}

/// A push that has been read.
struct Push<'a> {
    row: &'a PushRow,
    movements: Vec<(Subject, FeedMovement)>,
    /// Whether something in it could not be read.
    unreadable: bool,
}

impl<'a> Push<'a> {
    fn new(settling: &Settling<'_>, row: &'a PushRow, list: Option<Vec<PushedChange>>) -> Self {
        let mut push = Self { row, movements: Vec::new(), unreadable: list.is_none() };
        for pushed in list.unwrap_or_default() {
            push.take(settling, &pushed);
        }
        if push.unreadable {
            tracing::error!(
                brand.code = row.brand_code.0,
                push.digest = hex::encode(&row.digest),
                "a push could not be read; it is kept for some days, and the pull brings what it said"
            );
        }
        push
    }

    fn take(&mut self, settling: &Settling<'_>, pushed: &PushedChange) {
        if pushed.is_test() {
            return count("test");
        }
        // Nothing here is signed: the receiver says whose movements these are, and others do not belong here.
        let (provider, brand) = (self.row.iys_code, self.row.brand_code);
        let is_ours = pushed.iys_code.is_none_or(|code| code == provider.0)
            && pushed.brand_code.is_none_or(|code| code == brand.0);
        if !is_ours {
            tracing::warn!(
                brand.code = brand.0,
                "a push names another brand than its receiver's; it is ignored"
            );
            return count("foreign");
        }
        let movement = reconciliation::read(&settling.keys, brand, &pushed.change);
        match movement.filter(|(_, movement)| movement.side.creation_date <= settling.now + FUTURE) {
            Some(movement) => {
                let lag = self.row.received_at - movement.1.side.creation_date;
                metrics::histogram!("push_lag_seconds").record(lag.num_milliseconds().max(0) as f64 / 1e3);
                self.movements.push(movement);
            }
            None => {
                self.unreadable = true;
                count("unreadable");
            }
        }
    }

    fn digests(&self) -> Vec<Vec<u8>> {
        self.movements.iter().map(|(subject, movement)| watch::digest(subject, movement)).collect()
    }

    /// Lets refusals act; returns when the feed shows the approvals, where there are any that are news.
    fn merge_into(self, settling: &mut Settling<'_>) -> Option<DateTime<Utc>> {
        let mut visible_at = None;
        for (subject, movement) in self.movements {
            let side = movement.side;
            let mut permission = settling.states.of(subject.key).permission.clone();
            let is_news = permission.merge(side.clone()) == Merge::Applied;
            match side.status {
                _ if !is_news => count("known"),
                ConsentStatus::Rejection => {
                    settling.merge(subject, side, "registry_push", None);
                    count("applied");
                }
                ConsentStatus::Approval => {
                    visible_at = visible_at.max(Some(side.creation_date + HIDDEN + MARGIN));
                    count("awaiting");
                }
            }
        }
        visible_at
    }
}

fn count(outcome: &'static str) {
    metrics::counter!("push_movements_total", "outcome" => outcome).increment(1);
}

/// The feed of a brand was read by a pull that began then: approvals that it has shown wait no more. Returns when it shows the
/// next ones.
pub async fn shown(
    tx: &mut kopru_store::Tx,
    provider: IysCode,
    brand: BrandCode,
    started: DateTime<Utc>,
) -> ServiceResult<Option<DateTime<Utc>>> {
    Ok(push::shown(tx, provider, brand, started).await?)
}
