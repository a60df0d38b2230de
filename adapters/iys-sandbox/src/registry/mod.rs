//! The registry at work: what it knows, when it is, and how one request is served.

pub(crate) mod access;
pub(crate) mod add;
pub(crate) mod answer;
pub(crate) mod batch;
pub(crate) mod changes;
pub(crate) mod citizen;
pub(crate) mod complaint;
pub(crate) mod info;
pub(crate) mod movement_file;
pub(crate) mod operation;
pub(crate) mod partner;
#[cfg(test)]
mod plans;
pub(crate) mod provider;
pub(crate) mod push;
pub(crate) mod reject_links;
pub(crate) mod reports;
pub(crate) mod retailer_access;
pub(crate) mod retailers;
pub(crate) mod status;
pub(crate) mod token;
pub(crate) mod via;
pub(crate) mod via_pass;

use std::cell::Cell;
use std::sync::Arc;

use chrono::Duration;
use rusqlite::Connection;
use tokio::sync::{Mutex, Notify};
use tokio::task::spawn_blocking;

use crate::clock::{Clock, ClockRefusal};
use crate::error::Result;
use crate::settings::{Effective, SettingsCell};
use crate::store::{batches, facts};
use crate::wire_time;

/// The registry: one connection behind a lock, the clock and the settings.
#[derive(Debug, Clone)]
pub(crate) struct Registry {
    connection: Arc<Mutex<Connection>>,
    pub(crate) clock: Clock,
    pub(crate) settings: SettingsCell,
    /// Told whenever a batch was put into the queue.
    pub(crate) due: Arc<Notify>,
    /// Told whenever a movement was queued for a push connection.
    pub(crate) announced: Arc<Notify>,
    /// Held by whoever is delivering to push connections.
    pub(crate) delivering: Arc<Mutex<()>>,
}

/// What a piece of work has at hand: one transaction, one instant, one set of settings.
pub(crate) struct Desk<'a> {
    pub(crate) db: &'a Connection,
    pub(crate) now_millis: i64,
    pub(crate) settings: &'a Effective,
    /// Set by work that put a batch into the queue.
    pub(crate) queued: Cell<bool>,
    /// Set by work that queued a movement for a push connection.
    pub(crate) announced: Cell<bool>,
}

impl<'a> Desk<'a> {
    /// A desk in a transaction of the caller's.
    pub(crate) fn new(db: &'a Connection, now_millis: i64, settings: &'a Effective) -> Self {
        Self { db, now_millis, settings, queued: Cell::new(false), announced: Cell::new(false) }
    }

    /// The present in Unix seconds.
    pub(crate) fn now(&self) -> i64 {
        self.now_millis.div_euclid(1000)
    }

    /// The present as the registry writes it.
    pub(crate) fn today(&self) -> String {
        wire_time::write(self.now())
    }
}

impl Registry {
    pub(crate) fn new(connection: Connection, clock: Clock, settings: SettingsCell) -> Self {
        Self {
            connection: Arc::new(Mutex::new(connection)),
            clock,
            settings,
            due: Arc::default(),
            announced: Arc::default(),
            delivering: Arc::default(),
        }
    }

    /// Does a piece of work in one transaction, after all batches that are due by now. What it wrote is
    /// committed before this returns, and stays undone when it fails.
    pub(crate) async fn run<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Desk<'_>) -> Result<T> + Send + 'static,
    {
        let mut connection = Arc::clone(&self.connection).lock_owned().await;
        let (clock, settings) = (self.clock.clone(), self.settings.get());
        let (due, announced) = (Arc::clone(&self.due), Arc::clone(&self.announced));
        spawn_blocking(move || {
            // Read behind the lock, so that the order of writing is the order of time.
            let now_millis = clock.now_millis();
            while settle_one(&mut connection, now_millis, &settings)? {}
            let (done, left) = in_transaction(&mut connection, now_millis, &settings, work)?;
            if left.queued {
                due.notify_one();
            }
            if left.announced {
                announced.notify_one();
            }
            Ok(done)
        })
        .await?
    }

    /// Processes one due batch, if any; whether there may be more.
    pub(crate) async fn settle(&self) -> Result<bool> {
        let mut connection = Arc::clone(&self.connection).lock_owned().await;
        let (clock, settings) = (self.clock.clone(), self.settings.get());
        spawn_blocking(move || settle_one(&mut connection, clock.now_millis(), &settings)).await?
    }

    /// Moves the clock: stores the new offset and then follows it, with the connection held, so that no
    /// work sees one without the other.
    pub(crate) async fn move_clock<F>(&self, wanted: F) -> Result<Result<(), ClockRefusal>>
    where
        F: FnOnce(&Clock) -> Result<Duration, ClockRefusal> + Send + 'static,
    {
        let mut connection = Arc::clone(&self.connection).lock_owned().await;
        let (clock, settings) = (self.clock.clone(), self.settings.get());
        spawn_blocking(move || {
            let offset = match wanted(&clock) {
                Ok(offset) => offset,
                Err(refusal) => return Ok(Err(refusal)),
            };
            in_transaction(&mut connection, clock.now_millis(), &settings, |desk| {
                facts::put(desk.db, facts::CLOCK_OFFSET, &offset.num_milliseconds())
            })?;
            clock.publish(offset);
            Ok(Ok(()))
        })
        .await?
    }

    /// When the next batch is due, Unix seconds.
    pub(crate) async fn next_due(&self) -> Result<Option<i64>> {
        self.run(|desk| batches::next_due(desk.db)).await
    }
}

/// What a piece of work left to be done later.
#[derive(Debug, Clone, Copy)]
struct Left {
    /// A batch waits.
    queued: bool,
    /// A push connection waits.
    announced: bool,
}

fn in_transaction<T>(
    connection: &mut Connection,
    now_millis: i64,
    settings: &Effective,
    work: impl FnOnce(&Desk<'_>) -> Result<T>,
) -> Result<(T, Left)> {
    let transaction = connection.transaction()?;
    let desk = Desk::new(&transaction, now_millis, settings);
    let done = work(&desk)?;
    let left = Left { queued: desk.queued.get(), announced: desk.announced.get() };
    transaction.commit()?;
    Ok((done, left))
}

/// Processes the batch that has been due longest, in a transaction of its own.
fn settle_one(connection: &mut Connection, now_millis: i64, settings: &Effective) -> Result<bool> {
    let (settled, _) = in_transaction(connection, now_millis, settings, |desk| {
        let Some(due) = batches::find_due(desk.db, desk.now())? else { return Ok(false) };
        batch::process(desk, &due)?;
        Ok(true)
    })?;
    Ok(settled)
}
