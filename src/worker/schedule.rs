//! Wall-clock schedules by apalis-cron. A tick only puts a job row in, under a lease, so that one replica does it.

use std::error::Error;
use std::str::FromStr as _;

use apalis::prelude::WorkerBuilderExt as _;
use apalis_core::error::BoxDynError;
use apalis_core::worker::builder::WorkerBuilder;
use apalis_cron::{CronScheduler, Tick};
use chrono::TimeDelta;
use cron::Schedule;
use kopru_store::{Claim, Priority, ids, jobs, leases};
use uuid::Uuid;

use crate::bootstrap::App;
use crate::service::ServiceResult;
use crate::worker::kinds::{INSTALLATION, PURGE};
use crate::worker::runtime::Monitor;

/// Every night at 03:17 in Turkey (00:17 UTC).
const NIGHTLY: &str = "0 17 0 * * *";

/// Adds the schedules.
pub(super) fn with_schedules(monitor: Monitor, app: &App) -> Monitor {
    let Ok(nightly) = Schedule::from_str(NIGHTLY) else {
        tracing::error!(schedule = NIGHTLY, "a schedule cannot be read");
        return monitor;
    };
    let app = app.clone();
    monitor.register(move |monitor| {
        monitor.register(move |restarts| {
            let app = app.clone();
            WorkerBuilder::new(format!("schedule-{restarts}"))
                .backend(CronScheduler::new(nightly.clone()))
                .concurrency(8)
                .build(move |_: Tick| {
                    let app = app.clone();
                    async move {
                        if let Err(error) = add_once(&app, PURGE).await {
                            tracing::warn!(
                                error = &error as &dyn Error,
                                "a scheduled job could not be put in"
                            );
                        }
                        Ok::<(), BoxDynError>(())
                    }
                })
        })
    })
}

/// Puts a job in, if this replica gets the lease and none of the kind waits.
async fn add_once(app: &App, kind: &str) -> ServiceResult<()> {
    let now = app.clocks.wire();
    let claim = Claim { by: Uuid::new_v4(), until: now + TimeDelta::minutes(1) };
    let mut tx = app.db.begin(Priority::Bulk).await?;
    if leases::take(&mut tx, &format!("schedule {kind}"), claim, now).await? {
        jobs::add_once(&mut tx, INSTALLATION, ids::new_id(now), kind, "{}", now).await?;
    }
    tx.commit().await?;
    app.wake.wake();
    Ok(())
}
