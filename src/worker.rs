//! Workers: each kind of work claims rows of our own tables and does them, on apalis as the runtime.
//!
//! To add a kind of work: implement [`Kind`] in a file of its own and list it in [`spawn`] and [`drain`]. A kind knows how to
//! claim a batch and how to do it; waking, polling, leases, concurrency, time-outs, panics and shutdown are handled here.

mod kinds;
mod pulse;
mod runtime;
mod schedule;

use std::future::Future;
use std::time::Duration;

use chrono::TimeDelta;
use kopru_store::Claim;
use uuid::Uuid;

use crate::bootstrap::App;
use crate::service::ServiceResult;
use kinds::{
    Batches, Daily, Deliveries, Filing, Inbound, Inboxes, Jobs, Messages, Pulls, PushConnections, Pushes,
    Sweeps, Tending, Unresolved, Via,
};

pub use pulse::Pulse;

/// How much a kind of work may do at once, and for how long.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Batches claimed at once.
    pub concurrency: usize,
    /// How long a claim holds; longer than `timeout`.
    pub lease: Duration,
    /// After this time a batch is abandoned, and its rows come back when the lease ends.
    pub timeout: Duration,
}

/// A kind of work over our own tables.
pub trait Kind: Clone + Send + Sync + 'static {
    /// What is claimed at once.
    type Batch: Send + 'static;

    /// Name, as in logs and metrics.
    const NAME: &'static str;

    /// How much at once.
    fn limits(&self, app: &App) -> Limits;

    /// Claims what is due, if anything is.
    fn claim(
        &self,
        app: &App,
        claim: Claim,
    ) -> impl Future<Output = ServiceResult<Option<Self::Batch>>> + Send;

    /// Does it. An error is logged; what was claimed comes back by itself.
    fn work(
        &self,
        app: &App,
        batch: Self::Batch,
        claim: Claim,
    ) -> impl Future<Output = ServiceResult<()>> + Send;
}

/// Starts all workers. They end some time after the program begins to stop.
pub fn spawn(app: &App) {
    let filing = Filing::default();
    let monitor = runtime::Monitor::new(app)
        .with(filing)
        .with(Unresolved)
        .with(Batches)
        .with(PushConnections)
        .with(Pushes)
        .with(Inbound)
        .with(Inboxes)
        .with(Pulls)
        .with(Sweeps)
        .with(Daily::default())
        .with(Deliveries::new(app))
        .with(Messages::<true>)
        .with(Messages::<false>)
        .with(Via::<true>)
        .with(Via::<false>)
        .with(Tending::default())
        .with(Jobs);
    let monitor = schedule::with_schedules(monitor, app);
    app.lifecycle.spawn("workers", monitor.run());
    runtime::relay_wakes(app);
    runtime::measure(app);
}

/// Does everything that is due until nothing is, in the caller's task; returns how many batches that were. For tests and for
/// commands that run beside a stopped server.
pub async fn drain(app: &App) -> ServiceResult<usize> {
    let (filing, tending, deliveries) = (Filing::default(), Tending::default(), Deliveries::new(app));
    let daily = Daily::default();
    let mut done = 0;
    loop {
        let round = once(app, &filing).await?
            + once(app, &Unresolved).await?
            + once(app, &Batches).await?
            + once(app, &PushConnections).await?
            + once(app, &Pushes).await?
            + once(app, &Inboxes).await?
            + once(app, &Inbound).await?
            + once(app, &Pulls).await?
            + once(app, &Sweeps).await?
            + once(app, &daily).await?
            + once(app, &tending).await?
            + once(app, &deliveries).await?
            + once(app, &Messages::<true>).await?
            + once(app, &Messages::<false>).await?
            + once(app, &Via::<true>).await?
            + once(app, &Via::<false>).await?
            + once(app, &Jobs).await?;
        if round == 0 {
            return Ok(done);
        }
        done += round;
    }
}

async fn once<K: Kind>(app: &App, kind: &K) -> ServiceResult<usize> {
    let mut done = 0;
    loop {
        let claim = new_claim(app, kind.limits(app).lease);
        let Some(batch) = kind.claim(app, claim).await? else { return Ok(done) };
        if let Err(error) = kind.work(app, batch, claim).await {
            tracing::warn!(error = &error as &dyn std::error::Error, worker = K::NAME, "work failed");
        }
        done += 1;
    }
}

/// A claim of its own for each batch: a late finisher whose lease ran out cannot be taken for its successor.
fn new_claim(app: &App, lease: Duration) -> Claim {
    let now = app.clocks.wire();
    let lease = TimeDelta::from_std(lease).unwrap_or(TimeDelta::minutes(2));
    Claim { by: Uuid::new_v4(), until: now + lease }
}
