//! The kinds of work. Each is a claim and a handler of a service.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use kopru_domain::IysCode;
use kopru_store::batches::BatchRow;
use kopru_store::cursors::CursorRow;
use kopru_store::daily_reports::DailyRow;
use kopru_store::inbound::PostRow;
use kopru_store::jobs::{self, JobRow};
use kopru_store::messages::MessageRow;
use kopru_store::push::{ConnectionRow, PushRow};
use kopru_store::sweeps::SweepRow;
use kopru_store::via_processes::ProcessRow;
use kopru_store::{Claim, Priority};

use crate::bootstrap::App;
use crate::service::delivery::{self, Lanes, replay};
use crate::service::filing::{self, Doubts, Turn, Work};
use crate::service::inbound::polling::{self, Reading};
use crate::service::inbound::reading;
use crate::service::messages::sending;
use crate::service::push::{merging, registering};
use crate::service::reconciliation::sweep;
use crate::service::{ServiceResult, daily, housekeeping, onboarding, reconciliation, via};
use crate::worker::{Kind, Limits};

/// The job that forgets what has run out.
pub(super) const PURGE: &str = "purge";

fn registry_limits(app: &App, concurrency: u32) -> Limits {
    let lease = app.config.filing.lease;
    Limits { concurrency: concurrency.max(1) as usize, lease, timeout: lease.mul_f32(0.8) }
}

/// What is due goes to the registry.
#[derive(Clone, Default)]
pub(super) struct Filing {
    turn: Arc<Turn>,
}

impl Kind for Filing {
    type Batch = Work;
    const NAME: &'static str = "filing";

    fn limits(&self, app: &App) -> Limits {
        registry_limits(app, app.config.filing.concurrency)
    }

    async fn claim(&self, app: &App, claim: Claim) -> ServiceResult<Option<Work>> {
        filing::claim_due(app, &self.turn, claim).await
    }

    async fn work(&self, app: &App, batch: Work, _: Claim) -> ServiceResult<()> {
        filing::file(app, batch).await
    }
}

/// Single adds whose outcome is unknown.
#[derive(Clone)]
pub(super) struct Unresolved;

impl Kind for Unresolved {
    type Batch = Doubts;
    const NAME: &'static str = "unresolved";

    fn limits(&self, app: &App) -> Limits {
        registry_limits(app, 1)
    }

    async fn claim(&self, app: &App, claim: Claim) -> ServiceResult<Option<Self::Batch>> {
        filing::claim_unresolved(app, claim).await
    }

    async fn work(&self, app: &App, batch: Self::Batch, _: Claim) -> ServiceResult<()> {
        filing::resolve(app, batch).await
    }
}

/// Batches whose POST had no answer, or whose results may be there.
#[derive(Clone)]
pub(super) struct Batches;

impl Kind for Batches {
    type Batch = BatchRow;
    const NAME: &'static str = "batches";

    fn limits(&self, app: &App) -> Limits {
        registry_limits(app, app.config.filing.concurrency)
    }

    async fn claim(&self, app: &App, claim: Claim) -> ServiceResult<Option<BatchRow>> {
        filing::claim_batch(app, claim).await
    }

    async fn work(&self, app: &App, batch: BatchRow, _: Claim) -> ServiceResult<()> {
        filing::batch_step(app, batch).await
    }
}

/// Pulls of the registry's change feed.
#[derive(Clone)]
pub(super) struct Pulls;

impl Kind for Pulls {
    type Batch = CursorRow;
    const NAME: &'static str = "pulls";

    fn limits(&self, app: &App) -> Limits {
        registry_limits(app, 2)
    }

    async fn claim(&self, app: &App, claim: Claim) -> ServiceResult<Option<CursorRow>> {
        reconciliation::claim_pull(app, claim).await
    }

    async fn work(&self, app: &App, batch: CursorRow, claim: Claim) -> ServiceResult<()> {
        reconciliation::pull(app, batch, claim).await
    }
}

/// What the registry has pushed.
#[derive(Clone)]
pub(super) struct Pushes;

impl Kind for Pushes {
    type Batch = Vec<PushRow>;
    const NAME: &'static str = "pushes";

    fn limits(&self, _: &App) -> Limits {
        Limits { concurrency: 1, timeout: Duration::from_secs(30), lease: Duration::from_mins(1) }
    }

    async fn claim(&self, app: &App, claim: Claim) -> ServiceResult<Option<Self::Batch>> {
        merging::claim(app, claim).await
    }

    async fn work(&self, app: &App, batch: Self::Batch, claim: Claim) -> ServiceResult<()> {
        merging::merge(app, batch, claim).await
    }
}

/// Receivers of pushes that the registry is to be told of, asked for or rid of.
#[derive(Clone)]
pub(super) struct PushConnections;

impl Kind for PushConnections {
    type Batch = ConnectionRow;
    const NAME: &'static str = "push connections";

    fn limits(&self, app: &App) -> Limits {
        registry_limits(app, 1)
    }

    async fn claim(&self, app: &App, claim: Claim) -> ServiceResult<Option<ConnectionRow>> {
        registering::claim(app, claim).await
    }

    async fn work(&self, app: &App, batch: ConnectionRow, claim: Claim) -> ServiceResult<()> {
        registering::step(app, batch, claim).await
    }
}

/// SMS of citizens.
#[derive(Clone)]
pub(super) struct Inbound;

impl Kind for Inbound {
    type Batch = Vec<PostRow>;
    const NAME: &'static str = "inbound";

    fn limits(&self, _: &App) -> Limits {
        Limits { concurrency: 1, timeout: Duration::from_secs(30), lease: Duration::from_mins(1) }
    }

    async fn claim(&self, app: &App, claim: Claim) -> ServiceResult<Option<Self::Batch>> {
        reading::claim(app, claim).await
    }

    async fn work(&self, app: &App, batch: Self::Batch, claim: Claim) -> ServiceResult<()> {
        reading::read(app, batch, claim).await
    }
}

/// Inboxes of SMS vendors.
#[derive(Clone)]
pub(super) struct Inboxes;

impl Kind for Inboxes {
    type Batch = Reading;
    const NAME: &'static str = "inboxes";

    fn limits(&self, _: &App) -> Limits {
        Limits { concurrency: 1, timeout: Duration::from_secs(40), lease: Duration::from_mins(1) }
    }

    async fn claim(&self, app: &App, claim: Claim) -> ServiceResult<Option<Reading>> {
        polling::claim(app, claim).await
    }

    async fn work(&self, app: &App, batch: Reading, claim: Claim) -> ServiceResult<()> {
        polling::read(app, batch, claim).await
    }
}

/// Questions about every address of a brand, after a gap of its feed.
#[derive(Clone)]
pub(super) struct Sweeps;

impl Kind for Sweeps {
    type Batch = SweepRow;
    const NAME: &'static str = "sweeps";

    fn limits(&self, app: &App) -> Limits {
        registry_limits(app, 1)
    }

    async fn claim(&self, app: &App, claim: Claim) -> ServiceResult<Option<SweepRow>> {
        sweep::claim(app, claim).await
    }

    async fn work(&self, app: &App, batch: SweepRow, claim: Claim) -> ServiceResult<()> {
        sweep::step(app, batch, claim).await
    }
}

/// Days that are over, brand by brand.
#[derive(Clone, Default)]
pub(super) struct Daily {
    planned: Arc<daily::Planned>,
}

impl Kind for Daily {
    type Batch = DailyRow;
    const NAME: &'static str = "daily";

    fn limits(&self, app: &App) -> Limits {
        // A file may have millions of rows. The lease is renewed with every thousand.
        Limits { concurrency: 2, lease: app.config.filing.lease, timeout: Duration::from_hours(2) }
    }

    async fn claim(&self, app: &App, claim: Claim) -> ServiceResult<Option<DailyRow>> {
        daily::claim(app, &self.planned, claim).await
    }

    async fn work(&self, app: &App, batch: DailyRow, claim: Claim) -> ServiceResult<()> {
        daily::read(app, batch, claim).await
    }
}

/// Webhook calls, endpoint by endpoint.
#[derive(Clone)]
pub(super) struct Deliveries {
    lanes: Arc<Lanes>,
}

impl Deliveries {
    pub fn new(app: &App) -> Self {
        Self { lanes: Arc::new(Lanes::new(app.config.webhooks.concurrency)) }
    }
}

impl Kind for Deliveries {
    type Batch = delivery::Turn;
    const NAME: &'static str = "deliveries";

    fn limits(&self, app: &App) -> Limits {
        // A turn waits for room and makes its first call, and then the others, each within a slice and a call's time.
        let (call, slice) = (app.config.webhooks.timeout, delivery::SLICE);
        let concurrency = app.config.webhooks.concurrency.max(1) as usize;
        Limits { concurrency, timeout: slice * 2 + call * 3, lease: slice * 3 + call * 4 }
    }

    async fn claim(&self, app: &App, claim: Claim) -> ServiceResult<Option<Self::Batch>> {
        delivery::claim_turn(app, &self.lanes, claim).await
    }

    async fn work(&self, app: &App, turn: Self::Batch, claim: Claim) -> ServiceResult<()> {
        delivery::deliver(app, &self.lanes, turn, claim).await
    }
}

/// Outgoing SMS and e-mail. Codes have a worker of their own: nobody waits for one behind ten thousand notices.
#[derive(Clone)]
pub(super) struct Messages<const CODES: bool>;

impl<const CODES: bool> Kind for Messages<CODES> {
    type Batch = Vec<MessageRow>;
    const NAME: &'static str = if CODES { "codes" } else { "messages" };

    fn limits(&self, app: &App) -> Limits {
        let timeout = sending::longest(app, CODES);
        Limits { concurrency: 2, timeout, lease: timeout + Duration::from_secs(30) }
    }

    async fn claim(&self, app: &App, claim: Claim) -> ServiceResult<Option<Self::Batch>> {
        sending::claim(app, CODES, claim).await
    }

    async fn work(&self, app: &App, batch: Self::Batch, claim: Claim) -> ServiceResult<()> {
        sending::send(app, batch, claim).await
    }
}

/// Confirmations by the registry. Starts have a worker of their own: nobody waits for a code behind questions about others.
#[derive(Clone)]
pub(super) struct Via<const STARTS: bool>;

impl<const STARTS: bool> Kind for Via<STARTS> {
    type Batch = ProcessRow;
    const NAME: &'static str = if STARTS { "via starts" } else { "via" };

    fn limits(&self, app: &App) -> Limits {
        registry_limits(app, 2)
    }

    async fn claim(&self, app: &App, claim: Claim) -> ServiceResult<Option<ProcessRow>> {
        via::claim(app, STARTS, claim).await
    }

    async fn work(&self, app: &App, batch: ProcessRow, claim: Claim) -> ServiceResult<()> {
        Box::pin(via::step(app, batch, claim)).await
    }
}

/// What time itself brings. The claim does the work: what it finds it ends, and it looks again while it finds something,
/// else once a second of business time.
#[derive(Clone, Default)]
pub(super) struct Tending {
    quiet_since: Arc<Mutex<Option<DateTime<Utc>>>>,
    /// When what no hold speaks for was last looked for (wire time).
    searched_at: Arc<Mutex<Option<DateTime<Utc>>>>,
}

impl Kind for Tending {
    type Batch = ();
    const NAME: &'static str = "tending";

    fn limits(&self, _: &App) -> Limits {
        Limits { concurrency: 1, timeout: Duration::from_mins(1), lease: Duration::from_mins(2) }
    }

    async fn claim(&self, app: &App, _: Claim) -> ServiceResult<Option<()>> {
        let now = app.clocks.business();
        let quiet = |since: DateTime<Utc>| since <= now && now - since < TimeDelta::seconds(1);
        if self.quiet_since.lock().unwrap_or_else(PoisonError::into_inner).is_some_and(quiet) {
            return Ok(None);
        }
        let found = housekeeping::tend(app).await? + self.search(app).await? > 0;
        *self.quiet_since.lock().unwrap_or_else(PoisonError::into_inner) = (!found).then_some(now);
        Ok(found.then_some(()))
    }

    async fn work(&self, _: &App, (): (), _: Claim) -> ServiceResult<()> {
        Ok(())
    }
}

impl Tending {
    /// Looks once a minute for what no hold speaks for.
    async fn search(&self, app: &App) -> ServiceResult<usize> {
        let now = app.clocks.wire();
        let recent = |at: DateTime<Utc>| now - at < TimeDelta::minutes(1);
        if self.searched_at.lock().unwrap_or_else(PoisonError::into_inner).is_some_and(recent) {
            return Ok(0);
        }
        let found = filing::release_forgotten(app).await?;
        *self.searched_at.lock().unwrap_or_else(PoisonError::into_inner) = (found == 0).then_some(now);
        Ok(found)
    }
}

/// Durable jobs: what schedules put in, and replays.
#[derive(Clone)]
pub(super) struct Jobs;

impl Kind for Jobs {
    type Batch = JobRow;
    const NAME: &'static str = "jobs";

    fn limits(&self, _: &App) -> Limits {
        Limits { concurrency: 1, timeout: Duration::from_mins(10), lease: Duration::from_mins(15) }
    }

    async fn claim(&self, app: &App, claim: Claim) -> ServiceResult<Option<JobRow>> {
        let mut tx = app.db.begin(Priority::Bulk).await?;
        let job = jobs::claim(&mut tx, app.clocks.wire(), claim).await?;
        tx.commit().await?;
        Ok(job)
    }

    async fn work(&self, app: &App, job: JobRow, claim: Claim) -> ServiceResult<()> {
        let result = match job.kind.as_str() {
            PURGE => housekeeping::purge(app).await,
            onboarding::JOB => onboarding::work(app, job.iys_code).await,
            _ if replay::is_replay(&job) => match replay::step(app, &job, claim).await {
                // It has queued its own next step.
                Ok(false) => return Ok(()),
                ended => ended.map(drop),
            },
            other => {
                tracing::error!(job.kind = other, "nobody knows this kind of job");
                Ok(())
            }
        };
        let error = result.as_ref().err().map(ToString::to_string);
        let state = if error.is_none() {
            "done"
        } else if job.attempt < 5 {
            "queued"
        } else {
            "failed"
        };
        let next = app.clocks.wire() + chrono::TimeDelta::minutes(if error.is_none() { 0 } else { 5 });
        let mut tx = app.db.begin(Priority::Bulk).await?;
        jobs::finish(&mut tx, &job, claim, state, next, error.as_deref()).await?;
        Ok(tx.commit().await?)
    }
}

/// Jobs of the installation itself.
pub(super) const INSTALLATION: IysCode = IysCode(0);
