//! How often each brand is pulled: the rule is [`Cadence`]; this is what it needs to know, gathered cheaply.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use kopru_domain::cadence::{Cadence, IN_USE_FOR, Load, in_use};
use kopru_domain::{BrandCode, IysCode};
use kopru_store::cursors::{self, CursorRow, Next};
use kopru_store::{Priority, Tx};

use crate::bootstrap::App;
use crate::config::Config;
use crate::service::ServiceResult;

/// A use of a brand is written down this often at most.
const NOTED: TimeDelta = TimeDelta::minutes(5);
/// How long what all feeds ask for is taken as known.
const LOAD_KNOWN: TimeDelta = TimeDelta::minutes(1);

/// What a process remembers between pulls and checks.
#[derive(Debug, Default)]
pub struct Rhythm {
    /// When a use of each brand was last written down.
    noted: Mutex<HashMap<BrandCode, DateTime<Utc>>>,
    load: Mutex<Option<(DateTime<Utc>, Load)>>,
}

impl Rhythm {
    /// Whether a use of the brand has to be written down; then it counts as done.
    fn is_news(&self, brand: BrandCode, now: DateTime<Utc>) -> bool {
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        let known = noted.get(&brand).is_some_and(|at| is_recent(*at, now));
        if !known {
            noted.insert(brand, now);
        }
        !known
    }

    fn forget(&self, brand: BrandCode) {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner).remove(&brand);
    }

    fn load(&self, now: DateTime<Utc>) -> Option<Load> {
        let known = *self.load.lock().unwrap_or_else(PoisonError::into_inner);
        known.filter(|(at, _)| *at <= now && now - *at < LOAD_KNOWN).map(|(_, load)| load)
    }

    fn keep(&self, now: DateTime<Utc>, load: Load) {
        *self.load.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, load));
    }
}

fn is_recent(noted: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    noted <= now && now - noted < NOTED
}

/// The settings of the rule.
pub(super) fn cadence(config: &Config) -> Cadence {
    let delta = |duration| TimeDelta::from_std(duration).unwrap_or(TimeDelta::hours(1));
    Cadence {
        shortest: delta(config.pull.interval),
        longest: delta(config.pull.longest_interval),
        freshness: delta(config.check.freshness),
    }
}

/// What all feeds ask for, at most a minute old.
async fn load(app: &App, tx: &mut Tx) -> ServiceResult<Load> {
    let now = app.clocks.business();
    if let Some(load) = app.rhythm.load(now) {
        return Ok(load);
    }
    let demand = cursors::demand(tx, now - IN_USE_FOR).await?;
    let per_second = app.config.registry.requests_per_second;
    let count = |count: i64| u64::try_from(count).unwrap_or_default();
    let load = Load {
        in_use: count(demand.in_use),
        others: count(demand.feeds - demand.in_use),
        wished: demand.wished as f64 / 1e9,
        per_second: if per_second > 0.0 { per_second } else { f64::INFINITY },
    };
    app.rhythm.keep(now, load);
    Ok(load)
}

fn every(row: &CursorRow) -> Option<TimeDelta> {
    (row.every > 0).then(|| TimeDelta::seconds(row.every))
}

/// When a pull that began at `started` and found so many movements goes on.
pub(super) async fn next(
    app: &App,
    tx: &mut Tx,
    row: &CursorRow,
    used_at: Option<DateTime<Utc>>,
    started: DateTime<Utc>,
    found: u64,
) -> ServiceResult<Next> {
    let cadence = cadence(&app.config);
    let in_use = in_use(used_at, started);
    let wish = cadence.wish(every(row), found, in_use);
    let plan = cadence.plan(wish, in_use, &load(app, tx).await?);
    Ok(Next { at: started + plan.next, every: wish.num_seconds().max(1), bound_at: started + plan.bound })
}

/// Notes that a brand is in use: somebody checks its addresses, or sends. From now on its mirror is kept young. Costs a write
/// in some minutes, and never fails the use itself.
pub async fn used(app: &App, provider: IysCode, brand: BrandCode) {
    let now = app.clocks.business();
    if !app.rhythm.is_news(brand, now) {
        return;
    }
    if let Err(error) = note(app, provider, brand, now).await {
        app.rhythm.forget(brand);
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            brand.code = brand.0,
            "the use of a brand was not noted"
        );
    }
}

async fn note(app: &App, provider: IysCode, brand: BrandCode, now: DateTime<Utc>) -> ServiceResult<()> {
    let mut tx = app.db.begin(Priority::Interactive).await?;
    let load = load(app, &mut tx).await?;
    let cadence = cadence(&app.config);
    for row in cursors::of_brand(&mut tx, provider, brand).await? {
        if row.used_at.is_some_and(|at| is_recent(at, now)) {
            continue;
        }
        let plan = cadence.plan(every(&row).unwrap_or(cadence.shortest), true, &load);
        let due = (row.heard_at + plan.next).max(now);
        // A pull that failed waits as long as it was told to.
        let at = if row.last_error.is_some() { row.next_attempt_at } else { row.next_attempt_at.min(due) };
        let bound_at = row.heard_at + plan.bound;
        cursors::used(&mut tx, &CursorRow { next_attempt_at: at, ..row }, now, bound_at).await?;
    }
    tx.commit().await?;
    app.wake.wake();
    Ok(())
}

/// The place of a brand that a check waits for: before all others.
pub(super) fn front(now: DateTime<Utc>) -> DateTime<Utc> {
    now - IN_USE_FOR
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_use_is_news_once_in_some_minutes() {
        let rhythm = Rhythm::default();
        let now: DateTime<Utc> = "2026-11-28T09:00:00Z".parse().unwrap();
        let brand = BrandCode(1);
        assert!(rhythm.is_news(brand, now) && !rhythm.is_news(brand, now + TimeDelta::minutes(4)));
        assert!(rhythm.is_news(BrandCode(2), now));
        assert!(rhythm.is_news(brand, now + NOTED));
        rhythm.forget(brand);
        assert!(rhythm.is_news(brand, now + NOTED));
        assert!(rhythm.is_news(brand, now), "a clock that went back does not silence it");
    }
}
