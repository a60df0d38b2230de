//! SQLite: each connection is driven by a thread of its own.
//!
//! A whole run of statements, BEGIN and COMMIT among them, is one order to that thread and comes back as one answer, so that
//! a transaction costs a few changes of thread and no statement waits for one. One connection writes, and only one
//! transaction at a time has it; a few others read. Who has a thread that may block works on the connection himself
//! ([`Place::Here`]) and changes none.

mod repair;
#[cfg(test)]
mod tests;
mod wal;
mod work;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex as SyncMutex, PoisonError};
use std::time::Duration;

use rusqlite::Connection;
use sqlx::migrate::Migrator;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};
use tokio::sync::{Mutex, OwnedMutexGuard, OwnedSemaphorePermit, Semaphore, oneshot};

use crate::error::{Result, StoreError};
use crate::sqlite::wal::Wal;
pub(crate) use crate::sqlite::work::{Done, Job};
use crate::sqlite::work::{open, work};

/// How long a write waits for its turn.
const TURN: Duration = Duration::from_mins(1);
/// How long a statement waits for another process.
const BUSY: Duration = Duration::from_secs(10);

/// A value that SQLite answered with.
pub type Cell = rusqlite::types::Value;

/// A database file and the connections to it. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Sqlite {
    path: Arc<Path>,
    writer: Arc<Mutex<Option<Lane>>>,
    turns: Arc<AtomicU64>,
    bulk: Arc<Semaphore>,
    wal: Wal,
    readers: Readers,
}

impl Sqlite {
    /// Makes good what an earlier process may have left; for the one that serves, before anything opens the file.
    pub fn make_good(path: &Path) -> Result<()> {
        repair::make_good(&path.canonicalize().unwrap_or_else(|_| path.to_owned()))
    }

    /// Opens the file, and makes it where there is none.
    pub async fn open(path: PathBuf, readers: usize) -> Result<Self> {
        // SQLite puts its log beside the file itself, and not beside a link to it.
        let path: Arc<Path> = path.canonicalize().unwrap_or(path).into();
        let wal = Wal::start(path.clone());
        let writer = Lane::start(path.clone(), Some(wal.clone()));
        writer.run(0, Vec::new()).await?;
        Ok(Self {
            readers: Readers {
                path: path.clone(),
                idle: Arc::default(),
                places: Arc::new(Semaphore::new(readers)),
            },
            path,
            writer: Arc::new(Mutex::new(Some(writer))),
            turns: Arc::new(AtomicU64::new(1)),
            bulk: Arc::new(Semaphore::new(1)),
            wal,
        })
    }

    /// Brings the schema up to date, over a connection of the migrator's own driver.
    pub async fn migrate(&self, migrator: &Migrator) -> Result<()> {
        let _turn = self.writer.lock().await;
        let options = SqliteConnectOptions::new().filename(&self.path).foreign_keys(false).busy_timeout(BUSY);
        let options = options.pragma("wal_autocheckpoint", "0");
        let mut connection = options.connect().await?;
        let migrated = migrator.run(&mut connection).await;
        connection.close().await?;
        Ok(migrated?)
    }

    /// Waits for a turn at writing; bulk work passes a gate of its own first.
    pub async fn turn(&self, bulk: bool, place: Place) -> Result<Turn> {
        self.wal.usable()?;
        let permit = if bulk { self.bulk.clone().acquire_owned().await.ok() } else { None };
        let held = tokio::time::timeout(TURN, self.writer.clone().lock_owned())
            .await
            .map_err(|_| sqlx::Error::PoolTimedOut)?;
        let number = self.turns.fetch_add(1, Ordering::Relaxed);
        Ok(Turn { held, wal: self.wal.clone(), number, place, state: State::New, _bulk: permit })
    }

    /// From now on this process may show what it has committed before it is on the disk, which [`Sqlite::flushed`] makes good.
    pub async fn serve(&self) -> Result<()> {
        let lane = self.writer.lock().await;
        let number = self.turns.fetch_add(1, Ordering::Relaxed);
        lane.as_ref().ok_or(sqlx::Error::PoolClosed)?.run(number, vec![Job::Serve]).await.map(drop)
    }

    /// Waits until everything that could have been read so far is on the disk.
    pub async fn flushed(&self) -> Result<()> {
        self.wal.all_flushed().await
    }

    /// Ends when something could not be brought to the disk: nothing can be written any more.
    pub async fn broken(&self) {
        self.wal.broken().await;
    }

    /// A connection for reading.
    pub async fn read(&self) -> Result<Reader> {
        self.readers.acquire().await
    }

    /// Whether that has happened.
    pub fn is_broken(&self) -> bool {
        self.wal.usable().is_err()
    }

    /// Closes all connections once they are free; where this process serves, the last one makes a checkpoint.
    pub async fn close(&self) {
        self.readers.places.close();
        self.readers.lock().clear();
        // The log is still to be synced when SQLite removes it with its last connection.
        let _ = self.wal.all_flushed().await;
        self.wal.close().await;
        if let Some(writer) = self.writer.lock().await.take() {
            writer.close().await;
        }
    }
}

/// Where the work of a turn is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// On the connection's own thread.
    Lane,
    /// On the thread that asks for it, which may block.
    Here,
}

/// A connection, and the way to its thread, which ends with it.
#[derive(Debug)]
struct Lane {
    orders: Sender<Order>,
    seat: Arc<SyncMutex<Seat>>,
}

/// What is ordered carries the number of its turn. A later one makes it void: what was given up half-way may still stand in
/// line when the next turn works elsewhere.
enum Order {
    Run(u64, Vec<Job>, oneshot::Sender<Result<Vec<Done>>>),
    RollBack(u64),
    Close(oneshot::Sender<()>),
}

impl Lane {
    /// With a log, the connection writes.
    fn start(path: Arc<Path>, wal: Option<Wal>) -> Self {
        let (orders, receiver) = channel();
        let name = if wal.is_some() { "sqlite-writer" } else { "sqlite-reader" };
        let seat = Arc::new(SyncMutex::new(Seat { path, wal, connection: None, turn: 0 }));
        let served = seat.clone();
        thread(name, move || serve(&served, &receiver));
        Self { orders, seat }
    }

    async fn run(&self, turn: u64, jobs: Vec<Job>) -> Result<Vec<Done>> {
        let (reply, answer) = oneshot::channel();
        self.orders.send(Order::Run(turn, jobs, reply)).map_err(|_| sqlx::Error::WorkerCrashed)?;
        answer.await.map_err(|_| sqlx::Error::WorkerCrashed)?
    }

    fn run_here(&self, turn: u64, jobs: Vec<Job>) -> Result<Vec<Done>> {
        sit(&self.seat).run(turn, jobs)
    }

    async fn close(self) {
        let (reply, closed) = oneshot::channel();
        if self.orders.send(Order::Close(reply)).is_ok() {
            let _ = closed.await;
        }
    }
}

#[expect(clippy::expect_used, reason = "a program that can start no thread cannot run")]
fn thread(name: &str, work: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new().name(name.to_owned()).spawn(work).expect("a thread for the database starts");
}

/// The life of a connection.
fn serve(seat: &SyncMutex<Seat>, orders: &Receiver<Order>) {
    while let Ok(order) = orders.recv() {
        match order {
            Order::Run(turn, jobs, reply) => {
                let _ = reply.send(sit(seat).run(turn, jobs));
            }
            Order::RollBack(turn) => sit(seat).roll_back(turn),
            Order::Close(reply) => {
                sit(seat).close();
                let _ = reply.send(());
                return;
            }
        }
    }
}

fn sit(seat: &SyncMutex<Seat>) -> std::sync::MutexGuard<'_, Seat> {
    seat.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A connection and whose turn it is. It is opened with its first order, whose answer says why if that fails.
#[derive(Debug)]
struct Seat {
    path: Arc<Path>,
    /// Through which it commits, where it writes.
    wal: Option<Wal>,
    connection: Option<Connection>,
    turn: u64,
}

impl Seat {
    fn run(&mut self, turn: u64, jobs: Vec<Job>) -> Result<Vec<Done>> {
        match turn.cmp(&self.turn) {
            std::cmp::Ordering::Less => return Err(StoreError::Undone),
            std::cmp::Ordering::Equal => {}
            std::cmp::Ordering::Greater => {
                self.roll_back(self.turn);
                self.turn = turn;
            }
        }
        let connection = match &mut self.connection {
            Some(connection) => connection,
            none => none.insert(open(&self.path, self.wal.is_some())?),
        };
        let wal = self.wal.as_ref();
        let done =
            jobs.into_iter().map(|job| work(connection, wal, job)).collect::<rusqlite::Result<Vec<_>>>();
        if done.is_err() {
            // As on PostgreSQL: what failed has undone its transaction.
            self.roll_back(turn);
        }
        Ok(done?)
    }

    fn close(&mut self) {
        match (self.connection.take(), &self.wal) {
            (Some(connection), Some(wal)) => wal.end(connection),
            (connection, _) => drop(connection),
        }
    }

    /// Undoes what this turn has begun, if it is still its turn.
    fn roll_back(&self, turn: u64) {
        if let Some(connection) = self.connection.as_ref().filter(|c| self.turn == turn && !c.is_autocommit())
        {
            // Fails only where SQLite has rolled back by itself.
            let _ = connection.execute_batch("ROLLBACK");
        }
    }
}

/// A turn at the write connection: one transaction.
#[derive(Debug)]
pub(crate) struct Turn {
    held: OwnedMutexGuard<Option<Lane>>,
    wal: Wal,
    /// Later turns have higher ones.
    number: u64,
    place: Place,
    state: State,
    _bulk: Option<OwnedSemaphorePermit>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    New,
    Begun,
    /// Committed, or undone by what failed.
    Over,
}

impl Turn {
    /// Runs jobs, the first of the transaction after BEGIN; returns what came of each.
    pub async fn run(&mut self, mut jobs: Vec<Job>) -> Result<Vec<Done>> {
        let first = match self.state {
            State::New => true,
            State::Begun => false,
            State::Over => return Err(StoreError::Undone),
        };
        if first {
            jobs.insert(0, Job::Begin);
        }
        let lane = self.held.as_ref().ok_or(sqlx::Error::PoolClosed)?;
        // Given up half-way, it is begun: the drop undoes it.
        self.state = State::Begun;
        let answer = match self.place {
            Place::Lane => lane.run(self.number, jobs).await,
            Place::Here => lane.run_here(self.number, jobs),
        };
        if answer.is_err() {
            self.state = State::Over;
        }
        let mut done = answer?;
        if first {
            done.remove(0);
        }
        Ok(done)
    }

    /// Commits, and ends when that is on the disk.
    pub async fn commit(mut self) -> Result<()> {
        self.order_commit(Vec::new()).await?.flushed().await
    }

    /// Runs the last jobs and commits. The next turn begins at once.
    pub async fn commit_early(mut self, last: Vec<Job>) -> Result<Unflushed> {
        self.order_commit(last).await
    }

    async fn order_commit(&mut self, mut jobs: Vec<Job>) -> Result<Unflushed> {
        if self.state == State::New && jobs.is_empty() {
            return Ok(Unflushed(None));
        }
        jobs.push(Job::Commit);
        let done = self.run(jobs).await?;
        self.state = State::Over;
        let number = done.last().map_or(0, |done| done.commit);
        Ok(Unflushed(Some((self.wal.clone(), number))))
    }
}

/// A commit that may not be on the disk yet. Nobody may be told of it before [`Unflushed::flushed`].
#[must_use = "what is not on the disk may be lost"]
#[derive(Debug)]
pub struct Unflushed(Option<(Wal, u64)>);

impl Unflushed {
    /// One that is on the disk.
    pub(crate) fn none() -> Self {
        Self(None)
    }

    /// Waits for the disk.
    pub async fn flushed(self) -> Result<()> {
        match self.0 {
            Some((wal, number)) => wal.flushed(number).await,
            None => Ok(()),
        }
    }
}

/// Undoes what was begun and not committed, before the next transaction.
impl Drop for Turn {
    fn drop(&mut self) {
        if self.state == State::Begun
            && let Some(lane) = self.held.as_ref()
        {
            match self.place {
                Place::Lane => drop(lane.orders.send(Order::RollBack(self.number))),
                Place::Here => sit(&lane.seat).roll_back(self.number),
            }
        }
    }
}

/// Connections for reading, opened as they are needed.
#[derive(Debug, Clone)]
struct Readers {
    path: Arc<Path>,
    idle: Arc<SyncMutex<Vec<Lane>>>,
    places: Arc<Semaphore>,
}

impl Readers {
    async fn acquire(&self) -> Result<Reader> {
        let place = self.places.clone().acquire_owned().await.map_err(|_| sqlx::Error::PoolClosed)?;
        let idle = self.lock().pop();
        let lane = idle.unwrap_or_else(|| Lane::start(self.path.clone(), None));
        Ok(Reader { lane: Some(lane), home: self.clone(), _place: place })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Lane>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection for reading, which goes home when it is dropped.
#[derive(Debug)]
pub(crate) struct Reader {
    lane: Option<Lane>,
    home: Readers,
    _place: OwnedSemaphorePermit,
}

impl Reader {
    pub async fn run(&self, jobs: Vec<Job>) -> Result<Vec<Done>> {
        self.lane.as_ref().ok_or(sqlx::Error::PoolClosed)?.run(0, jobs).await
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        if let Some(lane) = self.lane.take().filter(|_| !self.home.places.is_closed()) {
            self.home.lock().push(lane);
        }
    }
}
