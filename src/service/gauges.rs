//! What an operator watches: the time left to any target, the depth of the queues, the age of the mirror.

use kopru_domain::HeldCause;
use kopru_domain::schedule::Regime;
use kopru_store::{batches, cursors, deliveries, holds, submissions};

use crate::bootstrap::App;
use crate::service::ServiceResult;
use crate::service::filing::outlook;

/// The open states, so that a queue that has emptied shows zero instead of its last value.
const STATES: [&str; 5] = ["queued", "in_flight", "batched", "unresolved", "held"];

/// Measures and publishes.
pub async fn measure(app: &App) -> ServiceResult<()> {
    let now = app.clocks.business();
    let mut tx = app.db.read().await?;
    let outlook = outlook(app, &mut tx).await?;
    let slack = outlook.earliest_target.map_or(f64::INFINITY, |target| (target - now).num_seconds() as f64);
    metrics::gauge!("submission_deadline_slack_seconds").set(slack);
    metrics::gauge!("submissions_forecast_late").set(outlook.forecast.late as f64);
    metrics::gauge!("submissions_at_risk").set(if outlook.forecast.regime == Regime::AtRisk {
        1.0
    } else {
        0.0
    });
    let counts = submissions::counts(&mut tx).await?;
    for state in STATES {
        let count = counts.iter().find(|(known, _)| known.as_str() == state).map_or(0, |(_, count)| *count);
        metrics::gauge!("submissions_open", "state" => state).set(count as f64);
    }
    let holds = holds::counts(&mut tx).await?;
    for cause in HeldCause::ALL.iter().filter(|cause| cause.is_released_automatically()) {
        let count = holds.iter().find(|(known, _)| known == cause.as_str()).map_or(0, |(_, count)| *count);
        metrics::gauge!("registry_holds", "cause" => cause.as_str()).set(count as f64);
    }
    for (state, count) in batches::open_counts(&mut tx).await? {
        metrics::gauge!("batches_open", "state" => state).set(count as f64);
    }
    metrics::gauge!("deliveries_open").set(deliveries::open_count(&mut tx).await? as f64);
    if let Some(stalest) = cursors::stalest(&mut tx).await? {
        metrics::gauge!("mirror_age_seconds").set((now - stalest).num_seconds() as f64);
    }
    Ok(())
}
