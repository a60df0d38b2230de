//! Tasks and shutdown: the one place that starts background tasks, and the signals that end them.

use std::future::Future;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument as _;

/// Exit status after a second signal, as a shell reports it for Ctrl-C.
const INTERRUPTED: i32 = 130;

/// Knows whether the program is stopping and which tasks still run. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Lifecycle {
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Lifecycle {
    /// A program that has just started.
    pub fn new() -> Self {
        Self::default()
    }

    /// Ends when the program is to stop: take up nothing new from then on.
    pub fn stopping(&self) -> impl Future<Output = ()> + Send + use<> {
        self.stop.clone().cancelled_owned()
    }

    /// Whether the program is to stop.
    pub fn is_stopping(&self) -> bool {
        self.stop.is_cancelled()
    }

    /// Tells every task to finish what it has in hand and end.
    pub fn stop(&self) {
        self.stop.cancel();
    }

    /// Starts a background task that [`Lifecycle::drained`] waits for. It must end some time after
    /// [`Lifecycle::stopping`]. Its log lines carry `name`.
    pub fn spawn<F>(&self, name: &'static str, future: F) -> JoinHandle<F::Output>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        self.tasks.spawn(future.instrument(tracing::info_span!("task", task.name = name)))
    }

    /// How many tasks run.
    pub fn tasks(&self) -> usize {
        self.tasks.len()
    }

    /// Waits until every task has ended, at most `timeout`; false when some are left then.
    pub async fn drained(&self, timeout: Duration) -> bool {
        self.tasks.close();
        tokio::time::timeout(timeout, self.tasks.wait()).await.is_ok()
    }

    /// From now on the first SIGTERM or SIGINT stops the program softly, and the second ends it at once.
    pub fn listen_for_signals(&self) -> std::io::Result<()> {
        let mut signals = Signals::new()?;
        let lifecycle = self.clone();
        #[expect(
            clippy::disallowed_methods,
            reason = "must hear the second signal while the tracked tasks drain"
        )]
        tokio::spawn(async move {
            signals.next().await;
            tracing::info!("stopping: finishing what is in hand, a second signal ends at once");
            lifecycle.stop();
            signals.next().await;
            tracing::warn!("ended by a second signal");
            std::process::exit(INTERRUPTED);
        });
        Ok(())
    }
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Signals(tokio::signal::windows::CtrlC);

#[cfg(not(unix))]
impl Signals {
    fn new() -> std::io::Result<Self> {
        tokio::signal::windows::ctrl_c().map(Self)
    }

    async fn next(&mut self) {
        self.0.recv().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn tasks_are_told_to_stop_and_waited_for() {
        let lifecycle = Lifecycle::new();
        let stopping = lifecycle.stopping();
        let task = lifecycle.spawn("one", async move {
            stopping.await;
            7
        });
        assert!(!lifecycle.drained(Duration::from_millis(10)).await, "the task has not been told yet");
        assert_eq!(lifecycle.tasks(), 1);
        lifecycle.stop();
        assert!(lifecycle.is_stopping());
        assert!(lifecycle.drained(Duration::from_secs(1)).await);
        assert_eq!(task.await.unwrap(), 7);
        // Whoever asks late learns it at once.
        lifecycle.stopping().await;
    }

    #[tokio::test]
    async fn a_task_that_panics_does_not_hold_up_the_end() {
        let lifecycle = Lifecycle::new();
        let task = lifecycle.spawn("bad", async { panic!("on purpose") });
        assert!(task.await.unwrap_err().is_panic());
        assert!(lifecycle.drained(Duration::from_secs(1)).await);
    }
}
