//! Watches how many of all requests succeed, over all replicas, and says what is to be held back before the registry throws the
//! address out. What this process has counted goes to the database once a minute.

use std::collections::{HashMap, HashSet};
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, DurationRound as _, TimeDelta, Utc};
use iys::{BrandCodes, Ended, IysError, Operation};
use kopru_domain::governor::{Care, Tally};
use kopru_domain::{BrandCode, IysCode};
use kopru_store::outcomes::{self, OutcomeRow};
use kopru_store::{Db, Priority, StoreError};

use crate::clocks::Clocks;
use crate::config;

/// How often counts are written and read.
const EVERY: TimeDelta = TimeDelta::minutes(1);
/// What counts.
const DAY: TimeDelta = TimeDelta::hours(24);
/// All requests are kept in portions of this.
const PORTION: TimeDelta = TimeDelta::minutes(10);
/// A brand's are kept by the hour, and what is older than these says nothing of what it would file now.
const RECENT: TimeDelta = TimeDelta::hours(3);

/// How requests fared, and what waits for it.
#[derive(Debug, Clone, Default)]
pub struct Standing {
    /// The last 24 hours.
    pub day: Tally,
    /// Whether what is likely to fail waits.
    pub careful: bool,
    /// Brands whose filings wait, while `careful`.
    pub failing: Arc<HashSet<(IysCode, BrandCode)>>,
}

/// The watch. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Success {
    db: Db,
    clocks: Clocks,
    name: String,
    care: Care,
    state: Arc<Mutex<State>>,
    /// Held by the one who writes and reads.
    turn: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Debug, Default)]
struct State {
    all: Tally,
    by_brand: HashMap<(IysCode, BrandCode), Tally>,
    looked_at: Option<DateTime<Utc>>,
    standing: Standing,
}

impl Success {
    pub fn new(db: Db, clocks: Clocks, url: &str, settings: &config::Registry) -> Self {
        let care = Care { from: settings.guard_from, below: settings.guard_below };
        let name = format!("registry {url}");
        Self { db, clocks, name, care, state: Arc::default(), turn: Arc::default() }
    }

    /// Counts a request that has ended, if the registry answered it.
    pub fn count(&self, ended: &Ended<'_>) {
        let status = ended.error.map_or(Some(200), IysError::status);
        let Some(status) = status else { return };
        let mut state = self.lock();
        state.all.count(status);
        if let (Operation::Add | Operation::AddBatch, Some(brand)) = (ended.operation, ended.brand) {
            let BrandCodes { iys_code, brand_code } = brand;
            state.by_brand.entry((IysCode(iys_code), BrandCode(brand_code))).or_default().count(status);
        }
    }

    /// The standing, at most a minute old.
    pub async fn standing(&self) -> Result<Standing, StoreError> {
        let now = self.clocks.business();
        let is_fresh = |at: DateTime<Utc>| at <= now && now - at < EVERY;
        let turn = {
            let state = self.lock();
            if state.looked_at.is_some_and(is_fresh) {
                return Ok(state.standing.clone());
            }
            self.turn.try_lock()
        };
        // Somebody else is at it: what was known serves meanwhile.
        let Ok(_turn) = turn else { return Ok(self.lock().standing.clone()) };
        self.write(now).await?;
        self.read(now).await
    }

    /// Writes what was counted here.
    async fn write(&self, now: DateTime<Utc>) -> Result<(), StoreError> {
        let (all, by_brand) = {
            let mut state = self.lock();
            (mem::take(&mut state.all), mem::take(&mut state.by_brand))
        };
        if all.requests == 0 {
            return Ok(());
        }
        let written = self.add(now, all, &by_brand).await;
        if written.is_err() {
            let mut state = self.lock();
            state.all.add(all);
            for (brand, tally) in by_brand {
                state.by_brand.entry(brand).or_default().add(tally);
            }
        }
        written
    }

    async fn add(
        &self,
        now: DateTime<Utc>,
        all: Tally,
        by_brand: &HashMap<(IysCode, BrandCode), Tally>,
    ) -> Result<(), StoreError> {
        let portion = |length| now.duration_trunc(length).unwrap_or(now);
        let total = OutcomeRow {
            iys_code: IysCode(0),
            brand_code: BrandCode(0),
            since: portion(PORTION),
            tally: all,
        };
        let mut rows = vec![total];
        for ((iys_code, brand_code), tally) in by_brand {
            let since = portion(TimeDelta::hours(1));
            rows.push(OutcomeRow { iys_code: *iys_code, brand_code: *brand_code, since, tally: *tally });
        }
        // In one order in all replicas, so that none waits for another that waits for it.
        rows.sort_by_key(|row| (row.iys_code, row.brand_code));
        let mut tx = self.db.begin(Priority::Bulk).await?;
        outcomes::add(&mut tx, &self.name, rows).await?;
        outcomes::purge(&mut tx, now - DAY - PORTION).await?;
        tx.commit().await
    }

    async fn read(&self, now: DateTime<Utc>) -> Result<Standing, StoreError> {
        let mut tx = self.db.read().await?;
        let day = outcomes::total(&mut tx, &self.name, now - DAY, now).await?;
        let before = self.lock().standing.clone();
        let careful = self.care.is_needed(day, before.careful);
        let failing = if careful {
            let brands = outcomes::failing_brands(&mut tx, &self.name, now - RECENT, now).await?;
            let failing = brands.into_iter().filter(|(.., tally)| tally.is_failing());
            Arc::new(failing.map(|(provider, brand, _)| (provider, brand)).collect())
        } else {
            Arc::default()
        };
        let standing = Standing { day, careful, failing };
        tell(&before, &standing);
        let mut state = self.lock();
        state.looked_at = Some(now);
        state.standing = standing.clone();
        Ok(standing)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells the log what changed.
fn tell(before: &Standing, standing: &Standing) {
    let percent = (standing.day.success() * 100.0).floor();
    let Tally { requests, failed } = standing.day;
    if standing.careful && (!before.careful || before.failing != standing.failing) {
        let brands: Vec<i64> = standing.failing.iter().map(|(_, brand)| brand.0).collect();
        tracing::warn!(
            requests,
            failed,
            percent,
            ?brands,
            "too many requests to the registry fail, which throws an address out below 70 %: probes of held brands, status \
             queries that rarely find a record and the filings of these brands wait, rejections near their target excepted"
        );
    } else if before.careful && !standing.careful {
        tracing::info!(
            requests,
            failed,
            percent,
            "enough requests to the registry succeed again: nothing is held back"
        );
    }
}
