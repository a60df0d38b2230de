//! Brands whose pull has not succeeded for days: told once, in the log and the metrics; `kopru doctor` and the brand itself
//! show it for as long as it lasts.

use chrono::TimeDelta;
use kopru_store::Priority;
use kopru_store::cursors::{self, Silent};

use crate::bootstrap::App;
use crate::service::ServiceResult;

/// Without a successful pull for so long somebody has to act: after seven days the feed has a gap.
pub const SILENCE: TimeDelta = TimeDelta::days(3);

/// Tells of pulls that have become silent; returns how many.
pub async fn tell_silent(app: &App) -> ServiceResult<usize> {
    let since = app.clocks.business() - SILENCE;
    let found = {
        let mut tx = app.db.read().await?;
        cursors::untold(&mut tx, since).await?
    };
    for (feed, active, silent) in &found {
        let mut tx = app.db.begin(Priority::Bulk).await?;
        let first = cursors::told(&mut tx, feed, silent, since).await?;
        tx.commit().await?;
        if first && *active {
            tracing::error!(
                brand.code = silent.brand_code.0,
                feed = feed.as_str(),
                last_success = %silent.heard_at,
                cause = silent.last_error.as_deref().unwrap_or("nothing was tried"),
                "no pull of this brand has succeeded for three days; beyond seven its mirror has a gap"
            );
            metrics::counter!("pulls_silent_total").increment(1);
        }
    }
    Ok(found.len())
}

/// Brands whose pull has not succeeded for so long, the most silent first; at most ten.
pub async fn silent(app: &App) -> ServiceResult<Vec<Silent>> {
    let mut tx = app.db.read().await?;
    Ok(cursors::silent(&mut tx, app.clocks.business() - SILENCE, 10).await?)
}
