//! SQLite's one write connection.
//!
//! Not a pool: a transaction begins with its first statements and ends with its last, in one command to SQLite's thread each,
//! and the next one starts the moment the connection is free.

use std::sync::Arc;
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions as _, Connection as _, Executor as _};
use tokio::sync::{Mutex, OwnedMutexGuard, OwnedSemaphorePermit, Semaphore};

use crate::error::{Result, StoreError};

/// How long a write waits for its turn.
const TURN: Duration = Duration::from_mins(1);

/// The write connection and whose turn it is. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Writer {
    slot: Arc<Mutex<Slot>>,
    bulk: Arc<Semaphore>,
}

#[derive(Debug)]
struct Slot {
    /// Nothing once it is closed.
    connection: Option<SqliteConnection>,
    /// A transaction was left without COMMIT or ROLLBACK.
    left_open: bool,
}

/// A turn at the write connection: one transaction.
#[derive(Debug)]
pub(crate) struct Turn {
    held: Option<OwnedMutexGuard<Slot>>,
    begun: bool,
    _bulk: Option<OwnedSemaphorePermit>,
}

impl Writer {
    pub(crate) async fn open(options: &SqliteConnectOptions) -> Result<Self> {
        let slot = Slot { connection: Some(options.connect().await?), left_open: false };
        Ok(Self { slot: Arc::new(Mutex::new(slot)), bulk: Arc::new(Semaphore::new(1)) })
    }

    pub(crate) async fn migrate(&self, migrator: &Migrator) -> Result<()> {
        let mut held = self.slot.lock().await;
        Ok(migrator.run(held.connection.as_mut().ok_or_else(closed)?).await?)
    }

    /// Waits for a turn; bulk work passes a gate of its own first.
    pub(crate) async fn turn(&self, bulk: bool) -> Result<Turn> {
        let permit = if bulk { self.bulk.clone().acquire_owned().await.ok() } else { None };
        let mut held = tokio::time::timeout(TURN, self.slot.clone().lock_owned())
            .await
            .map_err(|_| sqlx::Error::PoolTimedOut)?;
        held.roll_back().await?;
        Ok(Turn { held: Some(held), begun: false, _bulk: permit })
    }

    /// Closes the connection once it is free, which writes the last checkpoint.
    pub(crate) async fn close(&self) {
        if let Some(connection) = self.slot.lock().await.connection.take() {
            let _ = connection.close().await;
        }
    }
}

impl Turn {
    /// The connection for a statement that follows the transaction's first.
    pub(crate) async fn connection(&mut self) -> Result<&mut SqliteConnection> {
        if !self.begun {
            let begin = self.first();
            self.raw()?.execute(begin).await?;
        }
        self.raw()
    }

    /// The connection as it is, for a text that begins with [`Turn::first`].
    pub(crate) fn raw(&mut self) -> Result<&mut SqliteConnection> {
        self.held.as_mut().and_then(|held| held.connection.as_mut()).ok_or_else(closed)
    }

    /// What the transaction's next command starts with; it counts as begun from now on.
    pub(crate) fn first(&mut self) -> &'static str {
        if std::mem::replace(&mut self.begun, true) { "" } else { "BEGIN IMMEDIATE;\n" }
    }

    /// Notes that the text just run ended in COMMIT.
    pub(crate) fn committed(&mut self) {
        self.begun = false;
    }

    pub(crate) async fn commit(mut self) -> Result<()> {
        if self.begun {
            self.raw()?.execute("COMMIT").await?;
            self.committed();
        }
        Ok(())
    }
}

impl Slot {
    async fn roll_back(&mut self) -> Result<()> {
        let connection = self.connection.as_mut().ok_or_else(closed)?;
        if std::mem::take(&mut self.left_open) {
            // Fails where SQLite has rolled back by itself, or where BEGIN never came.
            let _ = connection.execute("ROLLBACK").await;
        }
        Ok(())
    }
}

/// Rolls back what was begun and not committed. A drop cannot wait, so a task does, or else the next turn.
impl Drop for Turn {
    fn drop(&mut self) {
        let Some(mut held) = self.held.take().filter(|_| self.begun) else { return };
        held.left_open = true;
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { held.roll_back().await });
        }
    }
}

fn closed() -> StoreError {
    sqlx::Error::PoolClosed.into()
}
