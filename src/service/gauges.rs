//! What an operator watches: the time left to any target, the depth of the queues, the age of the mirror.

use kopru_domain::HeldCause;
use kopru_domain::cadence::IN_USE_FOR;
use kopru_domain::schedule::Regime;
use kopru_domain::via::ViaState;
use kopru_store::daily_reports::{DailyProblem, DailyState};
use kopru_store::{batches, cursors, deliveries, holds, push, submissions, sweeps, via, via_processes};

use crate::bootstrap::App;
use crate::service::filing::forecast;
use crate::service::reconciliation::SILENCE;
use crate::service::{ServiceResult, daily, inbound, messages};

/// The open states, so that a queue that has emptied shows zero instead of its last value.
const STATES: [&str; 5] = ["queued", "in_flight", "batched", "unresolved", "held"];

/// Measures and publishes.
pub async fn measure(app: &App) -> ServiceResult<()> {
    measure_registry(app).await?;
    let now = app.clocks.business();
    let mut tx = app.db.read().await?;
    let counts = submissions::counts(&mut tx).await?;
    // Whatever its state: what waits for an answer or a right can miss its target like what is queued.
    let earliest = counts.iter().map(|open| open.earliest_target).min();
    let slack = earliest.map_or(f64::INFINITY, |target| (target - now).num_seconds() as f64);
    metrics::gauge!("submission_deadline_slack_seconds").set(slack);
    let (forecast, _) = forecast(app, &mut tx).await?;
    let empty = forecast.empty_at.map_or(f64::INFINITY, |at| (at - now).as_seconds_f64().max(0.0));
    metrics::gauge!("submissions_forecast_late").set(forecast.late as f64);
    metrics::gauge!("submissions_forecast_requests").set(forecast.requests as f64);
    metrics::gauge!("submissions_forecast_empty_seconds").set(empty);
    metrics::gauge!("submissions_at_risk").set(if forecast.regime == Regime::AtRisk { 1.0 } else { 0.0 });
    for state in STATES {
        let count = counts.iter().find(|open| open.state.as_str() == state).map_or(0, |open| open.count);
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
    let waiting = messages::standing(app).await?;
    metrics::gauge!("messages_open").set(waiting.open as f64);
    let failing: i64 = waiting.failing.iter().map(|(_, _, count)| count).sum();
    metrics::gauge!("messages_failing").set(failing as f64);
    let waiting = inbound::waiting(app).await?;
    let unknown: i64 = waiting.unknown.iter().map(|(_, count, _)| count).sum();
    let unread = |unplaced: bool| -> i64 {
        waiting.unread.iter().filter(|it| it.unplaced == unplaced).map(|it| it.count).sum()
    };
    for (what, count) in [("unknown", unknown), ("unplaced", unread(true)), ("unreadable", unread(false))] {
        metrics::gauge!("inbound_waiting", "what" => what).set(count as f64);
    }
    let under_way = via_processes::open_counts(&mut tx).await?;
    for state in ViaState::ALL.iter().filter(|state| !state.has_ended()) {
        let of_state = under_way.iter().find(|(known, _)| known == state.as_str());
        let count = of_state.map_or(0, |(_, count)| *count);
        metrics::gauge!("via_processes_open", "state" => state.as_str()).set(count as f64);
    }
    metrics::gauge!("via_holds").set(via::all_holds(&mut tx).await?.len() as f64);
    let credit = via::packages(&mut tx).await?.into_iter().filter_map(|package| package.credit);
    let lowest = credit.filter(|credit| *credit >= 0).min();
    metrics::gauge!("via_credit_lowest").set(lowest.map_or(f64::INFINITY, |credit| credit as f64));
    let days = daily::standings(app).await?;
    let count = |wanted: &dyn Fn(&daily::Standing) -> bool| -> i64 {
        days.iter().filter(|day| wanted(day)).map(|day| day.days).sum()
    };
    for (state, days) in [
        ("due", count(&|day| day.state == DailyState::Due)),
        ("hash_mismatch", count(&|day| day.problem == Some(DailyProblem::HashMismatch))),
        ("not_permitted", count(&|day| day.state == DailyState::NotPermitted)),
        ("lapsed", count(&|day| day.state == DailyState::Lapsed)),
    ] {
        metrics::gauge!("daily_reports_recent", "state" => state).set(days as f64);
    }
    let unrepaired: i64 = days.iter().map(|day| day.unrepaired).sum();
    metrics::gauge!("daily_reports_unrepaired").set(unrepaired as f64);
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

/// How the registry fares, and what is held back for it.
async fn measure_registry(app: &App) -> ServiceResult<()> {
    let standing = app.registry.standing().await?;
    metrics::gauge!("registry_requests_24h").set(standing.day.requests as f64);
    metrics::gauge!("registry_requests_failed_24h").set(standing.day.failed as f64);
    metrics::gauge!("registry_success_ratio").set(standing.day.success());
    metrics::gauge!("registry_holding_back").set(f64::from(u8::from(standing.careful)));
    metrics::gauge!("registry_brands_held_back").set(standing.failing.len() as f64);
    metrics::gauge!("registry_pace_ratio").set(app.registry.pace().await?.share());
    let silent = app.registry.silent_until().await?.is_some();
    let refused = {
        let mut tx = app.db.read().await?;
        app.registry.refused(&mut tx).await?.len()
    };
    metrics::gauge!("registry_accounts_refused").set(refused as f64);
    metrics::gauge!("registry_silent").set(f64::from(u8::from(silent)));
    Ok(())
}
