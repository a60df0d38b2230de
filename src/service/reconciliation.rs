//! Pulling the registry's change feed and merging it into the mirror. Each page is applied and its cursor saved in one transaction.

mod alarm;
mod gap;
mod rhythm;
pub mod sweep;
mod view;

use chrono::{DateTime, TimeDelta, Utc};
use iys::wire::{Change, ChangesPage};
use iys::{Account, ChangeSource, ErrorClass};
use kopru_domain::cadence::in_use;
use kopru_domain::governor::CallClass;
use kopru_domain::outcome::retry_delay;
use kopru_domain::{BrandCode, Channel, IysCode, Recipient};
use kopru_store::cursors::{self, CursorRow};
use kopru_store::{Claim, Priority, ProviderKeys, Tx};

use crate::bootstrap::App;
use crate::registry::words::{self, FeedMovement};
use crate::registry::{codes, priority};
use crate::service::events::Subject;
use crate::service::filing::counted;
use crate::service::filing::settling::Settling;
use crate::service::permissions::account;
use crate::service::push::{merging, watch};
use crate::service::{ServiceError, ServiceResult};

pub use alarm::{SILENCE, silent, tell_silent};
use gap::Gap;
pub use rhythm::{Rhythm, used};
pub use view::{Mirror, Sweep, mirror};

/// What the feed never shows (registry-protocol section 4.10).
pub(in crate::service) const HIDDEN: TimeDelta = TimeDelta::minutes(60);

/// This close to the end of what the feed reaches a pull is urgent.
const NEAR: TimeDelta = TimeDelta::hours(24);

/// A pull that the registry refuses for a missing right is tried again after this, doubled up to eight hours.
const RIGHTS_AGAIN: TimeDelta = TimeDelta::minutes(30);
const MOST_DOUBLINGS: u32 = 4;

/// The feed of what citizens and the registry itself did; the other is that of the provider's own movements.
const REGISTRY_SIDE: &str = "IYS";

/// How fresh a brand's mirror is (design.md section 4.10).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Freshness {
    /// Start of the last pull that reached the feed's end, of the older source; `None` before the first.
    pub as_of: Option<DateTime<Utc>>,
    /// Until when the mirror knows everything: the feed hides its last hour, and push may have told of it.
    pub horizon: Option<DateTime<Utc>>,
}

/// How fresh a brand's mirror is.
pub async fn freshness(tx: &mut Tx, provider: IysCode, brand: BrandCode) -> ServiceResult<Freshness> {
    let rows = cursors::of_brand(tx, provider, brand).await?;
    let complete = rows.len() == cursors::FEEDS.len() && rows.iter().all(|row| row.as_of.is_some());
    let as_of = if complete { rows.iter().filter_map(|row| row.as_of).min() } else { None };
    Ok(Freshness { as_of, horizon: as_of.map(|as_of| as_of - HIDDEN) })
}

/// How fresh a brand's mirror is for these channels: where push has told of the hour that the feed hides, everything is known up
/// to the last pull. Push tells what citizens did; what the provider itself changes elsewhere shows an hour later all the same.
pub async fn freshness_of(
    app: &App,
    tx: &mut Tx,
    provider: IysCode,
    brand: BrandCode,
    channels: &[Channel],
) -> ServiceResult<Freshness> {
    let freshness = freshness(tx, provider, brand).await?;
    let Some(as_of) = freshness.as_of else { return Ok(freshness) };
    let covered = watch::covered(app, tx, provider, brand, as_of).await?;
    let all = !channels.is_empty() && channels.iter().all(|channel| covered.contains(channel));
    Ok(if all { Freshness { horizon: Some(as_of), ..freshness } } else { freshness })
}

/// Moves a brand's pull to the front: a check found it stale.
pub async fn hurry(app: &App, provider: IysCode, brand: BrandCode) -> ServiceResult<()> {
    let mut tx = app.db.begin(Priority::Interactive).await?;
    let now = app.clocks.business();
    cursors::to_the_front(&mut tx, provider, brand, now, rhythm::front(now)).await?;
    tx.commit().await?;
    app.wake.wake();
    Ok(())
}

/// Claims, of the pulls that are due, the one with the earliest bound.
pub async fn claim_pull(app: &App, claim: Claim) -> ServiceResult<Option<CursorRow>> {
    if !app.registry.is_open().await? {
        return Ok(None);
    }
    let mut tx = app.db.begin(Priority::Bulk).await?;
    let cursor = cursors::claim(&mut tx, app.clocks.business(), app.clocks.wire(), claim).await?;
    tx.commit().await?;
    Ok(cursor)
}

/// Pulls one source of one brand to the end of its feed.
pub async fn pull(app: &App, cursor: CursorRow, claim: Claim) -> ServiceResult<()> {
    let started = app.clocks.business();
    let pulled = match gap::close(app, &cursor, claim, started).await {
        Ok(Gap::Open) => return Ok(()),
        Ok(Gap::Closed(after)) => {
            let class = class_of(app, &cursor, started);
            priority::run(class, to_the_end(app, &cursor, after, claim)).await
        }
        Err(error) => Err(error),
    };
    match pulled {
        Ok(found) => finish(app, &cursor, claim, started, found).await,
        Err(error) => {
            let next = app.clocks.business() + again_after(&cursor, &error);
            let mut tx = app.db.begin(Priority::Bulk).await?;
            cursors::fail(&mut tx, &cursor, claim, &error.to_string(), next).await?;
            tx.commit().await?;
            Err(error)
        }
    }
}

/// When a pull that failed is tried again. A missing right is somebody else's to give: it is asked for ever more rarely, and
/// at once when the brand's rights are told to have changed.
fn again_after(cursor: &CursorRow, error: &ServiceError) -> TimeDelta {
    let attempt = u32::try_from(cursor.attempt).unwrap_or(u32::MAX);
    let delay = retry_delay(attempt, cursor.brand_code.0.unsigned_abs());
    let delay = TimeDelta::from_std(delay).unwrap_or(TimeDelta::minutes(1));
    let refused =
        matches!(error, ServiceError::Registry(cause) if matches!(cause.class(), ErrorClass::Pause { .. }));
    if refused { delay.max(RIGHTS_AGAIN * (1 << attempt.min(MOST_DOUBLINGS))) } else { delay }
}

/// The end of the feed was reached by a pull that found so many movements.
async fn finish(
    app: &App,
    cursor: &CursorRow,
    claim: Claim,
    started: DateTime<Utc>,
    found: u64,
) -> ServiceResult<()> {
    let mut tx = app.db.begin(Priority::Bulk).await?;
    // Read now: a use that was noted during the pull counts.
    let Some(used_at) = cursors::held(&mut tx, cursor, claim).await? else { return Err(lost()) };
    let mut next = rhythm::next(app, &mut tx, cursor, used_at, started, found).await?;
    if cursor.feed == REGISTRY_SIDE
        && let Some(visible_at) = merging::shown(&mut tx, cursor.iys_code, cursor.brand_code, started).await?
    {
        next.at = next.at.min(visible_at);
    }
    cursors::finish(&mut tx, cursor, claim, started, next).await?;
    tx.commit().await?;
    app.wake.wake();
    Ok(())
}

/// A pull whose last success is nearly as old as the feed reaches goes before what people ask: what it misses nobody tells
/// again. So does one of a brand in use that has waited for its turn until its mirror is nearly too old.
fn class_of(app: &App, cursor: &CursorRow, now: DateTime<Utc>) -> CallClass {
    let age = now - cursor.heard_at;
    let late = rhythm::cadence(&app.config).is_late(in_use(cursor.used_at, now), age);
    if late || age > gap::REACH - NEAR { CallClass::UrgentPull } else { CallClass::Background }
}

fn lost() -> ServiceError {
    ServiceError::Conflict(kopru_domain::Text::fixed(
        "çekme işini başka bir süreç aldı",
        "another process took this pull over",
    ))
}

/// Reads pages until there are no more; returns how many movements they held.
async fn to_the_end(
    app: &App,
    cursor: &CursorRow,
    mut after: Option<String>,
    claim: Claim,
) -> ServiceResult<u64> {
    let account = account(app, cursor.iys_code).await?;
    let source = if cursor.feed == "HS" { ChangeSource::Provider } else { ChangeSource::Registry };
    let limit = u16::try_from(app.config.pull.page).unwrap_or(iys::MAX_CHANGES);
    let mut found = 0;
    loop {
        let page = page(&account, cursor, source, after.as_deref(), limit).await?;
        let full = page.list.len() >= usize::from(limit);
        let next = page.after.clone().filter(|next| after.as_ref() != Some(next));
        found += page.list.len() as u64;
        if !page.list.is_empty() && !apply(app, cursor, claim, &page).await? {
            return Err(lost());
        }
        match next {
            Some(next) if full => after = Some(next),
            _ => return Ok(found),
        }
    }
}

async fn page(
    account: &Account,
    cursor: &CursorRow,
    source: ChangeSource,
    after: Option<&str>,
    limit: u16,
) -> ServiceResult<ChangesPage> {
    let answer = account.changes(codes(cursor.iys_code, cursor.brand_code), source, after, limit).await;
    Ok(counted("changes", answer)?)
}

/// Applies a page; false when the claim was lost meanwhile, and then nothing was written.
async fn apply(app: &App, cursor: &CursorRow, claim: Claim, page: &ChangesPage) -> ServiceResult<bool> {
    let mut tx = app.db.begin(Priority::Bulk).await?;
    let mut settling = Settling::begin(app, &mut tx, cursor.iys_code).await?;
    let movements: Vec<(Subject, FeedMovement)> =
        page.list.iter().filter_map(|change| read(&settling.keys, cursor.brand_code, change)).collect();
    if cursor.feed == REGISTRY_SIDE {
        watch::compare(&mut tx, cursor.iys_code, cursor.brand_code, &movements, settling.now).await?;
    }
    settling.load_keys(&mut tx, movements.iter().map(|(subject, _)| subject.key).collect()).await?;
    for (subject, movement) in movements {
        settling.merge(subject, movement.side, "registry_change", None);
    }
    if let Some(after) = &page.after
        && !cursors::advance(&mut tx, cursor, claim, after).await?
    {
        return Ok(false);
    }
    settling.finish(&mut tx).await?;
    tx.commit().await?;
    app.wake.wake();
    metrics::counter!("registry_movements_total", "feed" => cursor.feed.clone())
        .increment(page.list.len() as u64);
    Ok(true)
}

/// A movement that the registry tells of, and where it belongs; `None` where a word of it is unknown.
pub(in crate::service) fn read(
    keys: &ProviderKeys,
    brand: BrandCode,
    change: &Change,
) -> Option<(Subject, FeedMovement)> {
    let movement = words::movement(change);
    let Some(movement) = movement else {
        tracing::warn!(transaction.id = %change.transaction_id, "a movement of the registry has unknown words and is passed over");
        metrics::counter!("registry_movements_unreadable_total").increment(1);
        return None;
    };
    // What the registry holds counts as it stands there; our own spelling is the same for all that we filed.
    let recipient = Recipient::from_canonical(&movement.recipient)
        .map_or_else(|_| movement.recipient.clone(), |recipient| recipient.as_str().to_owned());
    let key = keys.key(brand, movement.recipient_type, movement.channel, &recipient);
    let subject = Subject {
        brand_code: brand,
        key,
        recipient,
        recipient_type: movement.recipient_type,
        channel: movement.channel,
    };
    Some((subject, movement))
}
