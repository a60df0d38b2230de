//! Waking workers: in the process by a counter that is watched, between replicas by LISTEN/NOTIFY.
//! A wake-up is a hint; the jittered poll of every worker is the floor.

use std::sync::Arc;

use sqlx::postgres::PgListener;
use tokio::sync::watch;

use crate::Db;
use crate::error::Result;

const CHANNEL: &str = "kopru_wake";

/// Wakes everybody who waits for work. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Wake {
    /// Changes at every wake-up, from here or from another replica.
    local: Arc<watch::Sender<u64>>,
    /// Changes at wake-ups from here alone: these are passed on.
    own: Arc<watch::Sender<u64>>,
}

impl Default for Wake {
    fn default() -> Self {
        Self { local: Arc::new(watch::channel(0).0), own: Arc::new(watch::channel(0).0) }
    }
}

impl Wake {
    /// Wakes this process. Call it after a commit that made work.
    pub fn wake(&self) {
        bump(&self.local);
        bump(&self.own);
    }

    /// A watch that changes at each wake-up from this process, for the relay to the others.
    pub fn subscribe_own(&self) -> watch::Receiver<u64> {
        self.own.subscribe()
    }

    /// Wakes the other replicas; does nothing on SQLite, where there are none.
    pub async fn wake_others(&self, db: &Db) -> Result<()> {
        if let Some(pool) = db.postgres() {
            sqlx::query("SELECT pg_notify($1, '')").bind(CHANNEL).execute(pool).await?;
        }
        Ok(())
    }

    /// A watch that changes at each wake-up.
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.local.subscribe()
    }

    /// Passes the wake-ups of other replicas on to this process, until it is dropped or the connection fails.
    pub async fn listen(&self, db: &Db) -> Result<()> {
        let Some(pool) = db.postgres() else { return Ok(()) };
        let mut listener = PgListener::connect_with(pool).await?;
        listener.listen(CHANNEL).await?;
        loop {
            listener.recv().await?;
            bump(&self.local);
        }
    }
}

fn bump(counter: &watch::Sender<u64>) {
    counter.send_modify(|count| *count = count.wrapping_add(1));
}
