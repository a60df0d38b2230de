//! Whose turn it is (design.md section 4.5): round robin while every target is safe, earliest target first while one is not.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use chrono::{DateTime, TimeDelta, Utc};
use kopru_domain::schedule::{Bucket, Forecast, Regime, forecast};
use kopru_domain::{BrandCode, ConsentStatus, IysCode};
use kopru_store::{Tx, submissions};

use crate::bootstrap::App;
use crate::service::ServiceResult;

/// How long a forecast is used before the next, at least.
const FORECAST_LIFE: TimeDelta = TimeDelta::seconds(10);
/// And at least this many times as long as it took: it walks the queue, which may hold a first load of millions.
const FORECAST_SHARE: u32 = 20;
/// Items of one request.
const ITEMS_PER_REQUEST: u32 = 1_000;
/// The pace that counts where none is set (a sandbox without limits).
const UNPACED_PER_SECOND: f64 = 1_000.0;

/// A brand, and which statuses of it go.
pub type Place = (IysCode, BrandCode, &'static [ConsentStatus]);

/// Where the worker stands between two claims.
#[derive(Debug, Default)]
pub struct Turn {
    state: Mutex<State>,
}

#[derive(Debug, Clone, Copy)]
struct State {
    last: [(IysCode, BrandCode); 2],
    forecast: Option<Known>,
}

#[derive(Debug, Clone, Copy)]
struct Known {
    at: DateTime<Utc>,
    life: TimeDelta,
    forecast: Forecast,
}

impl Default for State {
    fn default() -> Self {
        Self { last: [(IysCode(-1), BrandCode(-1)); 2], forecast: None }
    }
}

/// What the queue looks like at the present pace.
#[derive(Debug, Clone, Copy)]
pub struct Outlook {
    /// Comfortable, or at risk.
    pub forecast: Forecast,
    /// The earliest target in the queue.
    pub earliest_target: Option<DateTime<Utc>>,
    /// Queued submissions.
    pub queued: i64,
}

/// Looks at the queue. While even the whole queue fits before its earliest target, no closer look is needed.
pub async fn outlook(app: &App, tx: &mut Tx) -> ServiceResult<Outlook> {
    let now = app.clocks.business();
    let (earliest_target, queued) = submissions::queue_depth(tx).await?;
    let rate = match app.config.registry.requests_per_second {
        rate if rate > 0.0 => rate,
        _ => UNPACED_PER_SECOND,
    };
    let seconds_to_target = earliest_target.map_or(f64::MAX, |target| (target - now).num_seconds() as f64);
    let buckets = if (queued as f64) < seconds_to_target * rate {
        // One request an item would do: no target can be missed.
        Vec::new()
    } else {
        submissions::buckets(tx).await?
    };
    let buckets: Vec<Bucket> = buckets
        .into_iter()
        .map(|row| Bucket {
            iys_code: row.iys_code,
            brand_code: row.brand_code,
            target: row.target_at,
            count: u64::try_from(row.count).unwrap_or_default(),
        })
        .collect();
    let forecast = forecast(&buckets, now + FORECAST_LIFE, rate, ITEMS_PER_REQUEST);
    Ok(Outlook { forecast, earliest_target, queued })
}

impl Turn {
    /// The regime, looked at anew every few seconds.
    pub async fn regime(&self, app: &App, tx: &mut Tx) -> ServiceResult<Regime> {
        let now = app.clocks.business();
        let known = self.lock(|state| state.forecast);
        if let Some(known) = known.filter(|known| now - known.at < known.life && known.at <= now) {
            return Ok(known.forecast.regime);
        }
        let started = Instant::now();
        let forecast = outlook(app, tx).await?.forecast;
        let worth = TimeDelta::from_std(started.elapsed() * FORECAST_SHARE).unwrap_or(FORECAST_LIFE);
        self.lock(|state| state.forecast = Some(Known { at: now, life: worth.max(FORECAST_LIFE), forecast }));
        Ok(forecast.regime)
    }

    /// The next brand and which statuses of it go; `except` names brands where nothing could be claimed just now.
    pub async fn next(&self, app: &App, tx: &mut Tx, except: &[Place]) -> ServiceResult<Option<Place>> {
        const BOTH: &[ConsentStatus] = &[ConsentStatus::Rejection, ConsentStatus::Approval];
        let now = app.clocks.business();
        if self.regime(app, tx).await? == Regime::AtRisk {
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
