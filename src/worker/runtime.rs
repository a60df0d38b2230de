//! One worker: a source that claims and never ends, a handler, and apalis' layers between them.
//!
//! Five rules hold here, each learned from a trial: a source never yields an error and never ends; handlers run as tasks of
//! their own; concurrency is always bounded; every task has an id; retries are rows, never a layer.

use std::error::Error;
use std::pin::Pin;
use std::time::Duration;

use apalis::prelude::WorkerBuilderExt as _;
use apalis_core::backend::custom::{BackendBuilder, CustomBackend};
use apalis_core::error::BoxDynError;
use apalis_core::monitor::Monitor as ApalisMonitor;
use apalis_core::task::Task;
use apalis_core::task::builder::TaskBuilder;
use apalis_core::task::task_id::TaskId;
use apalis_core::worker::builder::WorkerBuilder;
use apalis_core::worker::ext::parallelize::ParallelizeExt as _;
use futures::stream::{BoxStream, unfold};
use futures::{Sink, StreamExt, sink};
use kopru_store::Claim;
use tokio::sync::watch;
use tracing::Instrument as _;

use crate::bootstrap::App;
use crate::worker::{Kind, new_claim, pulse};

/// The floor under all wake-ups, spread by ± 10 % so that replicas do not poll in step.
const POLL: Duration = Duration::from_secs(1);
/// After a wake-up that found nothing, the next look waits this long: a stream of wake-ups is no busy loop.
const QUIET: Duration = Duration::from_millis(20);
/// Waits after failed claims double up to this.
const LONGEST_BACKOFF: Duration = Duration::from_secs(10);
/// Beyond the time-out of its work, a source that has not looked for so long counts as stuck.
const SILENCE: Duration = Duration::from_secs(30);
/// How long a stop waits for what is in hand.
const DRAIN: Duration = Duration::from_mins(1);

/// A claimed batch with its claim.
pub(super) struct Claimed<B> {
    batch: B,
    claim: Claim,
}

type Fetched<B> = Result<Option<Task<Claimed<B>>>, BoxDynError>;
type NoSink<B> = Pin<Box<dyn Sink<Task<Claimed<B>>, Error = BoxDynError> + Send>>;
type Backend<K> = CustomBackend<
    Claimed<<K as Kind>::Batch>,
    (App, K),
    BoxStream<'static, Fetched<<K as Kind>::Batch>>,
    NoSink<<K as Kind>::Batch>,
>;

/// All workers of this process.
pub(super) struct Monitor {
    app: App,
    inner: ApalisMonitor,
}

impl Monitor {
    pub fn new(app: &App) -> Self {
        let inner = ApalisMonitor::new().shutdown_timeout(DRAIN).should_restart(|worker, error| {
            tracing::error!(worker = worker.name(), error = %error, "a worker ended and is started again");
            metrics::counter!("worker_restarts_total").increment(1);
            true
        });
        Self { app: app.clone(), inner }
    }

    /// Adds a kind of work.
    pub fn with<K: Kind>(self, kind: K) -> Self {
        let app = self.app.clone();
        app.pulse.expect(K::NAME, kind.limits(&app).timeout + SILENCE);
        let inner = self.inner.register(move |restarts| {
            let limits = kind.limits(&app);
            let (lifecycle, data) = (app.lifecycle.clone(), (app.clone(), kind.clone()));
            WorkerBuilder::new(format!("{}-{restarts}", K::NAME))
                .backend(backend(app.clone(), kind.clone()))
                .concurrency(limits.concurrency)
                .parallelize(move |work| lifecycle.spawn(K::NAME, work))
                .catch_panic()
                .timeout(limits.timeout)
                .build(move |claimed: Claimed<K::Batch>| {
                    let (app, kind) = data.clone();
                    handle(app, kind, claimed)
                })
        });
        Self { inner, ..self }
    }

    /// Adds a worker that is built elsewhere.
    pub fn register(self, add: impl FnOnce(ApalisMonitor) -> ApalisMonitor) -> Self {
        Self { inner: add(self.inner), ..self }
    }

    /// Runs until the program stops and what is in hand is done.
    pub async fn run(self) {
        let stopping = self.app.lifecycle.stopping();
        let signal = async move {
            stopping.await;
            Ok(())
        };
        if let Err(error) = self.inner.run_with_signal(signal).await {
            tracing::error!(error = &error as &dyn Error, "workers ended with an error");
        }
    }
}

async fn handle<K: Kind>(app: App, kind: K, claimed: Claimed<K::Batch>) -> Result<(), BoxDynError> {
    let span = tracing::info_span!("job.run", job.kind = K::NAME);
    async {
        if let Err(error) = kind.work(&app, claimed.batch, claimed.claim).await {
            tracing::warn!(
                error = &error as &dyn Error,
                "work failed; what was claimed comes back by itself"
            );
            metrics::counter!("work_failed_total", "kind" => K::NAME).increment(1);
        }
        Ok(())
    }
    .instrument(span)
    .await
}

#[expect(clippy::expect_used, reason = "all parts of the backend are given right here")]
fn backend<K: Kind>(app: App, kind: K) -> Backend<K> {
    BackendBuilder::new()
        .database((app, kind))
        .fetcher(|(app, kind): &mut (App, K), (), _| source(app.clone(), kind.clone()))
        .sink(|_, ()| {
            // Work enters through our own tables alone.
            Box::pin(sink::unfold((), |(), _: Task<Claimed<K::Batch>>| async {
                Err::<(), BoxDynError>("work is not pushed into a worker".into())
            })) as NoSink<K::Batch>
        })
        .build()
        .expect("database, fetcher and sink are given")
}

/// Claims for ever: at a wake-up, at the latest after [`POLL`], and again at once while there is something.
fn source<K: Kind>(app: App, kind: K) -> BoxStream<'static, Fetched<K::Batch>> {
    let woken = app.wake.subscribe();
    let pulse = app.pulse.source(K::NAME);
    let state = Source { app, kind, woken, failures: 0, pulse };
    unfold(state, |mut source| async move {
        let claimed = source.next().await;
        let task =
            TaskBuilder::new(claimed).task_id(TaskId::from_string(uuid::Uuid::new_v4().to_string())).build();
        Some((Ok(Some(task)), source))
    })
    .boxed()
}

struct Source<K> {
    app: App,
    kind: K,
    woken: watch::Receiver<u64>,
    failures: u32,
    pulse: pulse::Source,
}

impl<K: Kind> Source<K> {
    async fn next(&mut self) -> Claimed<K::Batch> {
        loop {
            // Seen before the claim: a wake-up during it is not lost.
            self.woken.borrow_and_update();
            self.pulse.beat();
            let claim = new_claim(&self.app, self.kind.limits(&self.app).lease);
            match self.claim(claim).await {
                Ok(Some(batch)) => {
                    self.failures = 0;
                    return Claimed { batch, claim };
                }
                Ok(None) => {
                    self.failures = 0;
                    self.wait().await;
                }
                Err(error) => {
                    tracing::warn!(
                        error = &*error as &dyn Error,
                        worker = K::NAME,
                        "a claim failed; trying again"
                    );
                    self.failures = self.failures.saturating_add(1);
                    self.back_off().await;
                }
            }
        }
    }

    /// Claims in a task of its own: at a stop nobody polls this source any more, and a claim that rests with the write
    /// connection in hand would keep the last handlers from it.
    async fn claim(&self, claim: Claim) -> Result<Option<K::Batch>, BoxDynError> {
        let (app, kind) = (self.app.clone(), self.kind.clone());
        let task = async move { kind.claim(&app, claim).await };
        Ok(self.app.lifecycle.spawn(K::NAME, task).await??)
    }

    #[expect(clippy::disallowed_methods, reason = "the poll is the floor under wake-ups that may be lost")]
    async fn wait(&mut self) {
        tokio::time::sleep(QUIET).await;
        let poll = POLL.mul_f64(0.9 + f64::from(uuid::Uuid::new_v4().as_bytes()[0]) / 1_280.0);
        let _ = tokio::time::timeout(poll, self.woken.changed()).await;
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "a database that does not answer is asked again after a while"
    )]
    async fn back_off(&mut self) {
        let wait = Duration::from_millis(100).saturating_mul(1 << self.failures.min(10));
        tokio::time::sleep(wait.min(LONGEST_BACKOFF)).await;
    }
}

/// Passes wake-ups on to the other replicas, at most ten a second, and theirs to this process.
pub(super) fn relay_wakes(app: &App) {
    let (out, inward) = (app.clone(), app.clone());
    app.lifecycle.spawn("wake relay", async move {
        let mut own = out.wake.subscribe_own();
        let stopping = out.lifecycle.stopping();
        tokio::pin!(stopping);
        loop {
            tokio::select! {
                () = &mut stopping => return,
                changed = own.changed() => if changed.is_err() { return },
            }
            if let Err(error) = out.wake.wake_others(&out.db).await {
                tracing::debug!(
                    error = &error as &dyn Error,
                    "a wake-up was not passed on; the poll will do"
                );
            }
            pause(Duration::from_millis(100)).await;
        }
    });
    app.lifecycle.spawn("wake listener", async move {
        let stopping = inward.lifecycle.stopping();
        tokio::pin!(stopping);
        loop {
            tokio::select! {
                () = &mut stopping => return,
                result = inward.wake.listen(&inward.db) => match result {
                    // SQLite: there are no other replicas.
                    Ok(()) => return,
                    Err(error) => tracing::info!(error = &error as &dyn Error, "the wake-up listener lost its connection"),
                },
            }
            pause(Duration::from_secs(1)).await;
        }
    });
}

/// Publishes the gauges every few seconds.
pub(super) fn measure(app: &App) {
    const EVERY: Duration = Duration::from_secs(5);
    let app = app.clone();
    app.lifecycle.clone().spawn("gauges", async move {
        let stopping = app.lifecycle.stopping();
        tokio::pin!(stopping);
        loop {
            if let Err(error) = crate::service::gauges::measure(&app).await {
                tracing::debug!(error = &error as &dyn Error, "the gauges could not be measured");
            }
            tokio::select! {
                () = &mut stopping => return,
                () = pause(EVERY) => {}
            }
        }
    });
}

#[expect(clippy::disallowed_methods, reason = "bounds how often the database is asked")]
async fn pause(duration: Duration) {
    tokio::time::sleep(duration).await;
}
