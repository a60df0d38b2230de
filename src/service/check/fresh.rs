//! Waiting for a mirror that is staler than the bound.

use std::time::Duration;

use chrono::TimeDelta;
use kopru_store::brands::BrandRow;
use tokio::time::{Instant, timeout_at};

use crate::bootstrap::App;
use crate::service::{ServiceResult, reconciliation};

/// How often the mirror is looked at while a pull goes on: a wake-up of another replica is a hint that may get lost.
const LOOK: Duration = Duration::from_millis(250);

/// Returns when the brand's mirror is young enough, or `wait` is over. Moves the brand's pull to the front where it is not.
pub(super) async fn wait_for(
    app: &App,
    brand: &BrandRow,
    bound: Duration,
    wait: Duration,
) -> ServiceResult<()> {
    let mut wake = app.wake.subscribe();
    if is_fresh(app, brand, bound).await? {
        return Ok(());
    }
    reconciliation::hurry(app, brand.iys_code, brand.brand_code).await?;
    let until = Instant::now() + wait;
    while Instant::now() < until && !app.lifecycle.is_stopping() {
        // Its result says nothing: whatever ended the wait, the mirror is looked at again.
        let _ = timeout_at(until.min(Instant::now() + LOOK), wake.changed()).await;
        if is_fresh(app, brand, bound).await? {
            return Ok(());
        }
    }
    Ok(())
}

async fn is_fresh(app: &App, brand: &BrandRow, bound: Duration) -> ServiceResult<bool> {
    let mut tx = app.db.read().await?;
    let freshness = reconciliation::freshness(&mut tx, brand.iys_code, brand.brand_code).await?;
    let bound = TimeDelta::from_std(bound).unwrap_or(TimeDelta::MAX);
    Ok(freshness.as_of.is_some_and(|as_of| app.clocks.business() - as_of <= bound))
}
