//! Whose turn it is (design.md section 4.5): round robin while every target is safe, earliest target first while one is not.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use chrono::{DateTime, TimeDelta, Utc};
use kopru_domain::schedule::{
    BrandForecast, Bucket, Forecast, Load, Regime, Reserve, forecast_by_brand, regime,
};
use kopru_domain::{BrandCode, ConsentStatus, IysCode};
use kopru_store::{Tx, submissions};

use crate::bootstrap::App;
use crate::service::ServiceResult;

/// How long a forecast is used before the next, at least.
const FORECAST_LIFE: TimeDelta = TimeDelta::seconds(10);
/// And at least this many times as long as it took: it walks the queue, which may hold a first load of millions.
const FORECAST_SHARE: u32 = 20;
/// Items of one request.
pub const ITEMS_PER_REQUEST: u32 = 1_000;
/// An outage of the registry of half an hour, or as much work that comes suddenly, costs no target, nor does a budget that is
/// halved: as long as that holds, brands take turns.
const RESERVE: Reserve = Reserve { outage: TimeDelta::minutes(30), share: 0.5 };
/// The pace that counts where none is set (a sandbox without limits).
const UNPACED_PER_SECOND: f64 = 1_000.0;

/// A brand, and which statuses of it go.
pub type Place = (IysCode, BrandCode, &'static [ConsentStatus]);

/// Where the worker stands between two claims.
#[derive(Debug)]
pub struct Turn {
    items_per_request: u32,
    reserve: Reserve,
    /// A forecast is used at least this many times as long as it took.
    forecast_share: u32,
    state: Mutex<State>,
}

impl Default for Turn {
    fn default() -> Self {
        Self { forecast_share: FORECAST_SHARE, ..Self::scaled(ITEMS_PER_REQUEST, RESERVE) }
    }
}

#[derive(Debug, Clone, Copy)]
struct State {
    last: [(IysCode, BrandCode); 2],
    known: Option<Known>,
}

#[derive(Debug, Clone, Copy)]
struct Known {
    at: DateTime<Utc>,
    life: TimeDelta,
    outlook: Outlook,
}

impl Default for State {
    fn default() -> Self {
        Self { last: [(IysCode(-1), BrandCode(-1)); 2], known: None }
    }
}

/// What the queue looks like at the present pace.
#[derive(Debug, Clone, Copy)]
pub struct Outlook {
    /// How requests are shared out.
    pub regime: Regime,
    /// The earliest target in the queue.
    pub earliest_target: Option<DateTime<Utc>>,
    /// Queued submissions.
    pub queued: i64,
}

/// The budget that counts, in requests a second.
pub fn requests_per_second(app: &App) -> f64 {
    match app.config.registry.requests_per_second {
        rate if rate > 0.0 => rate,
        _ => UNPACED_PER_SECOND,
    }
}

/// What the present budget can do, as a whole and brand by brand: walks the queue. What was claimed to go one by one goes first.
pub async fn forecast(app: &App, tx: &mut Tx) -> ServiceResult<(Forecast, Vec<BrandForecast>)> {
    let now = app.clocks.business();
    let rate = requests_per_second(app);
    let in_hand = u64::try_from(submissions::in_flight(tx).await?).unwrap_or_default();
    let start = now + TimeDelta::microseconds((in_hand as f64 / rate * 1e6) as i64);
    let buckets = buckets(tx, now, true).await?;
    let (whole, brands) = forecast_by_brand(&buckets, start, rate, ITEMS_PER_REQUEST);
    Ok((Forecast { requests: whole.requests + in_hand, ..whole }, brands))
}

async fn buckets(tx: &mut Tx, now: DateTime<Utc>, waiting: bool) -> ServiceResult<Vec<Bucket>> {
    let bucket = |row: submissions::BucketRow| Bucket {
        iys_code: row.iys_code,
        brand_code: row.brand_code,
        target: row.target_at,
        count: u64::try_from(row.count).unwrap_or_default(),
    };
    Ok(submissions::buckets(tx, now, waiting).await?.into_iter().map(bucket).collect())
}

impl Outlook {
    /// What decides how items of one brand travel whose earliest target is this.
    pub fn load(&self, app: &App, earliest_target: DateTime<Utc>) -> Load {
        Load {
            regime: self.regime,
            queued: u64::try_from(self.queued).unwrap_or_default(),
            slack: earliest_target - app.clocks.business(),
            requests_per_second: requests_per_second(app),
            most_singles: u64::from(app.config.filing.batch_threshold),
        }
    }
}

impl Turn {
    /// A turn on another scale and for a clock that is moved by hand, as in simulations.
    pub fn scaled(items_per_request: u32, reserve: Reserve) -> Self {
        Self { items_per_request, reserve, forecast_share: 0, state: Mutex::default() }
    }

    /// Items of one request.
    pub fn items_per_request(&self) -> u32 {
        self.items_per_request
    }

    /// What the queue looks like, looked at anew every few seconds.
    pub async fn outlook(&self, app: &App, tx: &mut Tx) -> ServiceResult<Outlook> {
        let now = app.clocks.business();
        let known = self.lock(|state| state.known);
        if let Some(known) = known.filter(|known| now - known.at < known.life && known.at <= now) {
            return Ok(known.outlook);
        }
        let started = Instant::now();
        let outlook = self.look(app, tx, now).await?;
        let worth = TimeDelta::from_std(started.elapsed() * self.forecast_share).unwrap_or(FORECAST_LIFE);
        self.lock(|state| state.known = Some(Known { at: now, life: worth.max(FORECAST_LIFE), outlook }));
        Ok(outlook)
    }

    /// While even the whole queue fits before its earliest target, one request an item, no closer look is needed.
    async fn look(&self, app: &App, tx: &mut Tx, now: DateTime<Utc>) -> ServiceResult<Outlook> {
        let (earliest_target, queued) = submissions::queue_depth(tx).await?;
        let rate = requests_per_second(app);
        let start = now + FORECAST_LIFE;
        let slack = earliest_target
            .map_or(f64::MAX, |target| (target - start - self.reserve.outage).as_seconds_f64());
        let regime = if (queued as f64) < slack * rate * self.reserve.share {
            Regime::Comfortable
        } else {
            regime(&buckets(tx, now, false).await?, start, rate, self.items_per_request, self.reserve)
        };
        Ok(Outlook { regime, earliest_target, queued })
    }

    /// The next brand and which statuses of it go; `except` names brands where nothing could be claimed just now.
    pub async fn next(
        &self,
        app: &App,
        tx: &mut Tx,
        regime: Regime,
        except: &[Place],
    ) -> ServiceResult<Option<Place>> {
        const BOTH: &[ConsentStatus] = &[ConsentStatus::Rejection, ConsentStatus::Approval];
        let now = app.clocks.business();
        if regime == Regime::AtRisk {
            let brands: Vec<_> = except.iter().map(|(provider, brand, _)| (*provider, *brand)).collect();
            let next = submissions::next_by_target(tx, now, &brands).await?;
            return Ok(next.map(|(provider, brand)| (provider, brand, BOTH)));
        }
        for (place, statuses) in [(0, &BOTH[..1]), (1, &BOTH[1..])] {
            let mut last = self.lock(|state| state.last[place]);
            for _ in 0..=except.len() {
                let Some(next) = submissions::next_in_turn(tx, statuses[0], now, last).await? else { break };
                if !except.contains(&(next.0, next.1, statuses)) {
                    self.lock(|state| state.last[place] = next);
                    return Ok(Some((next.0, next.1, statuses)));
                }
                last = next;
            }
        }
        Ok(None)
    }

    fn lock<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
