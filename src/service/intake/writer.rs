//! Group commit: concurrent requests are committed together, and each is answered after the commit.

use std::panic::AssertUnwindSafe;

use futures::FutureExt as _;
use kopru_store::wake::Wake;
use kopru_store::{Dialect, Unflushed};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::bootstrap::{App, WeakApp};
use crate::service::intake::commit::{commit_alone, commit_group};
use crate::service::intake::prepare::Part;
use crate::service::intake::{IntakeAnswer, PART};
use crate::service::{ServiceError, ServiceResult};

/// Requests that may wait; beyond it callers wait for a place.
const QUEUE: usize = 4_096;
/// Items that are worth a commit while the disk still has the last one.
const TOGETHER: usize = 16;

pub(super) struct Job {
    pub part: Part,
    pub reply: Reply,
}

type Reply = oneshot::Sender<ServiceResult<IntakeAnswer>>;

/// The way to the writer. Cheap to clone.
#[derive(Clone)]
pub struct Intake {
    jobs: mpsc::Sender<Job>,
}

/// The writer before it runs.
pub struct Writer {
    jobs: mpsc::Receiver<Job>,
}

impl Intake {
    /// A queue and its writer.
    pub fn new() -> (Self, Writer) {
        let (sender, receiver) = mpsc::channel(QUEUE);
        (Self { jobs: sender }, Writer { jobs: receiver })
    }

    /// Commits a part together with whatever else is waiting.
    pub(super) async fn commit(&self, part: Part) -> ServiceResult<IntakeAnswer> {
        let (reply, answer) = oneshot::channel();
        self.jobs.send(Job { part, reply }).await.map_err(|_| ServiceError::ShuttingDown)?;
        answer.await.map_err(|_| ServiceError::ShuttingDown)?
    }
}

impl Writer {
    /// Runs until every [`Intake`] is gone. One writer, on PostgreSQL too: each commit holds its provider's head to the end, so
    /// a second one would only halve the groups.
    ///
    /// On SQLite it has a thread of its own and works on the database itself: as a task it would stand in line behind the
    /// requests that the last commit has answered, and each step of a transaction would wait for a change of threads. On
    /// PostgreSQL each step waits for the network, which wakes a task sooner than a thread.
    #[expect(clippy::expect_used, reason = "a program that can start no thread cannot run")]
    #[expect(
        clippy::disallowed_methods,
        reason = "must outlive the drain of requests, which wait for it; nothing unacknowledged is lost with it"
    )]
    pub fn start(self, app: &App) {
        let work = write(self.jobs, app.downgrade());
        match app.db.dialect() {
            Dialect::Postgres => drop(tokio::spawn(work)),
            Dialect::Sqlite => {
                let runtime = Handle::current();
                std::thread::Builder::new()
                    .name("intake-writer".to_owned())
                    .spawn(move || runtime.block_on(work))
                    .expect("a thread for the intake starts");
            }
        }
    }
}

async fn write(mut jobs: mpsc::Receiver<Job>, app: WeakApp) {
    let mut last = Flush::default();
    while let Some(group) = next_group(&mut jobs, &mut last).await {
        let Some(app) = app.upgrade() else { return };
        // A panic ends one group, whose callers are told; the writer goes on.
        last = AssertUnwindSafe(run(&app, group)).catch_unwind().await.unwrap_or_else(|_| {
            tracing::error!("a group commit panicked");
            Flush::default()
        });
    }
}

/// Ends when the last group has been answered, if there was one.
#[derive(Default)]
struct Flush(Option<JoinHandle<()>>);

impl Flush {
    async fn ended(&mut self) {
        if let Some(task) = &mut self.0 {
            // A task that panicked has told so itself.
            let _ = task.await;
            self.0 = None;
        }
    }
}

/// Whatever waits, up to the size of one transaction; at least one. While the disk still has the last group, only what is worth
/// a commit of its own: many small commits cost more than the wait.
async fn next_group(jobs: &mut mpsc::Receiver<Job>, last: &mut Flush) -> Option<Vec<Job>> {
    let mut group = Vec::new();
    let mut rows = 0;
    while rows < PART {
        let job = match jobs.try_recv() {
            Ok(job) => job,
            Err(_) if group.is_empty() => jobs.recv().await?,
            Err(_) if rows >= TOGETHER || last.0.is_none() => break,
            Err(_) => tokio::select! {
                biased;
                Some(job) = jobs.recv() => job,
                () = last.ended() => continue,
            },
        };
        rows += job.part.items.len();
        group.push(job);
    }
    Some(group)
}

async fn run(app: &App, mut group: Vec<Job>) -> Flush {
    let mut flush = Flush::default();
    while !group.is_empty() {
        // Two requests with one Idempotency-Key never share a transaction: the second replays the first.
        let (now, later) = split_repeats(group);
        let parts: Vec<&Part> = now.iter().map(|job| &job.part).collect();
        match commit_group(app, &parts).await {
            Ok((answers, commit)) => {
                let replies = now.into_iter().map(|job| job.reply).zip(answers).collect();
                flush = reply(replies, commit, app.wake.clone());
            }
            Err(ServiceError::Store(error)) if error.is_unavailable() => {
                tracing::error!(error = &error as &dyn std::error::Error, "the database cannot be reached");
                for job in now {
                    let _ = job.reply.send(Err(ServiceError::Overloaded));
                }
            }
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    members = now.len(),
                    "a group commit failed; its members go alone"
                );
                for job in now {
                    let answer = commit_alone(app, &job.part).await;
                    let _ = job.reply.send(answer);
                }
                app.wake.wake();
            }
        }
        group = later;
    }
    flush
}

/// Answers once the commit is on the disk, which is waited for beside the next group.
#[expect(
    clippy::disallowed_methods,
    reason = "must outlive the drain of requests, which wait for it; nothing unacknowledged is lost with it"
)]
fn reply(replies: Vec<(Reply, ServiceResult<IntakeAnswer>)>, commit: Unflushed, wake: Wake) -> Flush {
    Flush(Some(tokio::spawn(async move {
        let flushed = commit.flushed().await;
        if let Err(error) = &flushed {
            tracing::error!(error = error as &dyn std::error::Error, "a commit may not be on the disk");
        }
        for (reply, answer) in replies {
            let _ = reply.send(if flushed.is_ok() { answer } else { Err(ServiceError::Overloaded) });
        }
        wake.wake();
    })))
}

fn split_repeats(group: Vec<Job>) -> (Vec<Job>, Vec<Job>) {
    let mut seen = std::collections::HashSet::new();
    group.into_iter().partition(|job| match &job.part.idempotency {
        Some((idempotency, part)) => seen.insert((idempotency.key.clone(), *part)),
        None => true,
    })
}
