//! What an operator watches: the time left to any target, the depth of the queues, the age of the mirror.

use kopru_domain::cadence::IN_USE_FOR;
use kopru_domain::schedule::Regime;
use kopru_store::{batches, cursors, deliveries, push, submissions, sweeps};

use crate::bootstrap::App;
use crate::service::ServiceResult;
use crate::service::filing::outlook;
use crate::service::reconciliation::SILENCE;

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
    for (state, count) in batches::open_counts(&mut tx).await? {
        metrics::gauge!("batches_open", "state" => state).set(count as f64);
    }
    metrics::gauge!("deliveries_open").set(deliveries::open_count(&mut tx).await? as f64);
    let (stalest, in_use) = cursors::stalest(&mut tx, now - IN_USE_FOR).await?;
    for (brands, stalest) in [("all", stalest), ("in_use", in_use)] {
        let age = stalest.map_or(0, |stalest| (now - stalest).num_seconds());
        metrics::gauge!("mirror_age_seconds", "brands" => brands).set(age as f64);
    }
    for (state, count, oldest) in push::open_counts(&mut tx).await? {
        let age = oldest.map_or(0, |oldest| (now - oldest).num_seconds());
        metrics::gauge!("pushes_open", "state" => state.clone()).set(count as f64);
        metrics::gauge!("pushes_open_age_seconds", "state" => state).set(age as f64);
    }
    metrics::gauge!("brands_silent").set(cursors::silent_count(&mut tx, now - SILENCE).await? as f64);
    metrics::gauge!("sweeps_open").set(sweeps::open_count(&mut tx).await? as f64);
    Ok(())
}
