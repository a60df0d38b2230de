//! SQLite's write-ahead log, brought to the disk and into the database beside the work.
//!
//! COMMIT holds the one connection that writes. Left to itself, SQLite waits there for the disk, and now and then until the
//! whole log is carried into the database. Here COMMIT writes the log and no more (`synchronous = normal`), and the rest is
//! done by two threads:
//! - One syncs the log, for all commits since the last time at once. Only then is a commit told to who ordered it
//!   ([`Log::flushed`]): nothing is acknowledged, and nothing leaves the house, that a loss of power could take back.
//! - One carries the log into the database while the writer goes on. The writer carries the little that came meanwhile itself:
//!   the log begins anew only when all of it has been carried.

use std::cell::Cell;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};

use rusqlite::{Connection, OpenFlags};
use tokio::sync::{oneshot, watch};

use crate::error::{Result, StoreError};

/// When the log is carried into the database.
#[derive(Debug, Clone, Copy)]
struct Lengths {
    /// From so many pages on: fewer would carry the same pages more often.
    long: u64,
    /// So many the writer carries itself, which takes some milliseconds.
    rest: u64,
}

/// 80 MB and 16 MB.
const LENGTHS: Lengths = Lengths { long: 20_000, rest: 4_000 };

thread_local! {
    /// Pages in the log after the commit that this thread runs, if it wrote any.
    static PAGES: Cell<Option<u64>> = const { Cell::new(None) };
}

/// The log of a database. Cheap to clone; its threads end with it.
#[derive(Debug, Clone)]
pub(super) struct Log {
    /// Commits that were begun.
    begun: Arc<AtomicU64>,
    commits: Sender<u64>,
    flushed: watch::Receiver<Flushed>,
    carrier: Arc<Carrier>,
}

/// Up to which commit everything is on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flushed {
    Until(u64),
    /// What a failed sync leaves behind nobody knows: no commit succeeds any more until the program begins anew.
    Failed,
}

impl Log {
    /// The log of the database at `path`.
    pub fn start(path: Arc<Path>) -> Self {
        let mut name = path.as_os_str().to_owned();
        name.push("-wal");
        let name = PathBuf::from(name);
        let mut file = None;
        Self::with(path, LENGTHS, move || sync(&mut file, &name))
    }

    fn with(
        path: Arc<Path>,
        lengths: Lengths,
        sync: impl FnMut() -> io::Result<()> + Send + 'static,
    ) -> Self {
        let (commits, numbers) = channel();
        let (publish, flushed) = watch::channel(Flushed::Until(0));
        super::thread("sqlite-sync", move || sync_all(&numbers, sync, &publish));
        Self { begun: Arc::default(), commits, flushed, carrier: Arc::new(Carrier::start(path, lengths)) }
    }

    /// Sets a connection up to commit through this log.
    pub fn prepare(connection: &Connection) {
        // In the place of SQLite's own way, which carries the whole log inside of COMMIT.
        connection.wal_hook(Some(|_, pages| {
            PAGES.set(u64::try_from(pages).ok());
            Ok(())
        }));
    }

    /// Runs a COMMIT on this thread; returns its result and its number, to be awaited with [`Log::flushed`].
    pub fn commit<T>(&self, connection: &Connection, commit: impl FnOnce() -> T) -> (T, u64) {
        // Counted before anybody can see it: who looks afterwards waits for it.
        let number = self.begun.fetch_add(1, Ordering::SeqCst) + 1;
        PAGES.set(None);
        let result = commit();
        // Whatever became of it: nobody may wait for it for ever. The thread ends only with the log.
        let _ = self.commits.send(number);
        if let Some(pages) = PAGES.get() {
            self.carrier.after_commit(connection, pages);
        }
        (result, number)
    }

    /// Waits until a commit is on the disk.
    pub async fn flushed(&self, number: u64) -> Result<()> {
        let covers = |state: &Flushed| match state {
            Flushed::Until(done) => *done >= number,
            Flushed::Failed => true,
        };
        match self.flushed.clone().wait_for(covers).await.map(|state| *state) {
            Ok(Flushed::Until(_)) => Ok(()),
            Ok(Flushed::Failed) | Err(_) => Err(StoreError::Database(sqlx::Error::Io(io::Error::other(
                "the write-ahead log could not be brought to the disk; the program has to begin anew",
            )))),
        }
    }

    /// Waits until everything that could have been read so far is on the disk.
    pub async fn all_flushed(&self) -> Result<()> {
        self.flushed(self.begun.load(Ordering::SeqCst)).await
    }

    /// Closes the connection that carries.
    pub async fn close(&self) {
        let (reply, closed) = oneshot::channel();
        if self.carrier.orders.send(Order::Close(reply)).is_ok() {
            let _ = closed.await;
        }
    }
}

fn sync_all(
    numbers: &Receiver<u64>,
    mut sync: impl FnMut() -> io::Result<()>,
    publish: &watch::Sender<Flushed>,
) {
    while let Ok(first) = numbers.recv() {
        let last = numbers.try_iter().fold(first, u64::max);
        let done = match sync() {
            Ok(()) => Flushed::Until(last),
            Err(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "the write-ahead log cannot be synced"
                );
                Flushed::Failed
            }
        };
        publish.send_replace(done);
        if done == Flushed::Failed {
            return;
        }
    }
}

/// Brings to the disk what the file holds. It stays the same file as long as the writer's connection is open.
fn sync(file: &mut Option<File>, name: &Path) -> io::Result<()> {
    if file.is_none() {
        *file = match File::open(name) {
            Ok(file) => Some(file),
            // Nothing was ever written.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
    }
    file.as_ref().map_or(Ok(()), File::sync_data)
}

/// Who carries the log into the database.
#[derive(Debug)]
struct Carrier {
    lengths: Lengths,
    orders: Sender<Order>,
    work: Arc<Work>,
}

enum Order {
    Carry,
    Close(oneshot::Sender<()>),
}

#[derive(Debug, Default)]
struct Work {
    /// One of [`IDLE`], [`UNDER_WAY`], [`CARRIED`].
    state: AtomicU8,
    /// Pages that were carried when it was.
    carried: AtomicU64,
}

const IDLE: u8 = 0;
const UNDER_WAY: u8 = 1;
const CARRIED: u8 = 2;

impl Carrier {
    fn start(path: Arc<Path>, lengths: Lengths) -> Self {
        let (orders, receiver) = channel();
        let work = Arc::new(Work::default());
        let shared = work.clone();
        super::thread("sqlite-carry", move || carry_on(&path, &shared, &receiver));
        Self { lengths, orders, work }
    }

    /// Looks after the log when a commit has left it with so many pages; the writer holds no transaction.
    fn after_commit(&self, connection: &Connection, pages: u64) {
        match self.work.state.load(Ordering::Acquire) {
            IDLE if pages >= self.lengths.long => self.order(),
            CARRIED if pages < self.work.carried.load(Ordering::Acquire) => {
                // It has begun anew by itself.
                self.work.state.store(IDLE, Ordering::Release);
            }
            CARRIED if pages - self.work.carried.load(Ordering::Acquire) > self.lengths.rest => self.order(),
            CARRIED => {
                if let Err(error) = carry(connection) {
                    tracing::debug!(error = &error as &dyn std::error::Error, "the rest of the log waits");
                }
                self.work.state.store(IDLE, Ordering::Release);
            }
            _ => {}
        }
    }

    fn order(&self) {
        self.work.state.store(UNDER_WAY, Ordering::Release);
        if self.orders.send(Order::Carry).is_err() {
            self.work.state.store(IDLE, Ordering::Release);
        }
    }
}

/// The life of the connection that carries, opened when it is needed first.
fn carry_on(path: &Path, work: &Work, orders: &Receiver<Order>) {
    let mut connection = None;
    while let Ok(order) = orders.recv() {
        match order {
            Order::Carry => {
                let carried = opened(&mut connection, path).and_then(carry);
                match carried {
                    Ok(pages) => {
                        work.carried.store(pages, Ordering::Release);
                        work.state.store(CARRIED, Ordering::Release);
                    }
                    Err(error) => {
                        tracing::warn!(
                            error = &error as &dyn std::error::Error,
                            "the write-ahead log could not be carried into the database; it grows until it can"
                        );
                        work.state.store(IDLE, Ordering::Release);
                    }
                }
            }
            Order::Close(reply) => {
                drop(connection.take());
                let _ = reply.send(());
            }
        }
    }
}

fn opened<'c>(connection: &'c mut Option<Connection>, path: &Path) -> rusqlite::Result<&'c Connection> {
    if connection.is_none() {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let opened = Connection::open_with_flags(path, flags)?;
        opened.execute_batch("PRAGMA synchronous = normal; PRAGMA wal_autocheckpoint = 0;")?;
        *connection = Some(opened);
    }
    connection.as_ref().ok_or(rusqlite::Error::InvalidQuery)
}

/// Carries what no reader still needs in the log into the database, and syncs both; returns up to which page.
fn carry(connection: &Connection) -> rusqlite::Result<u64> {
    connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| row.get::<_, i64>(2)).map(|pages| {
        // -1 where another is carrying just now.
        u64::try_from(pages).unwrap_or_default()
    })
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Waker};

    use super::*;

    fn writer(path: &Path) -> Connection {
        let connection = Connection::open(path).unwrap();
        connection
            .execute_batch(
                "PRAGMA journal_mode = wal; PRAGMA synchronous = normal; CREATE TABLE t (x BLOB NOT NULL);",
            )
            .unwrap();
        Log::prepare(&connection);
        connection
    }

    fn add(log: &Log, connection: &Connection) -> u64 {
        connection.execute_batch("BEGIN IMMEDIATE; INSERT INTO t VALUES (randomblob(3000));").unwrap();
        let (done, number) = log.commit(connection, || connection.execute_batch("COMMIT"));
        done.unwrap();
        number
    }

    fn rows(connection: &Connection) -> i64 {
        connection.query_row("SELECT count(*) FROM t", [], |row| row.get(0)).unwrap()
    }

    /// Whether it is still waited for.
    fn waits(work: impl Future) -> bool {
        pin!(work).poll(&mut Context::from_waker(Waker::noop())).is_pending()
    }

    #[tokio::test]
    async fn a_commit_is_told_of_when_it_is_on_the_disk_and_the_next_does_not_wait_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let path: Arc<Path> = folder.path().join("a.db").into();
        let (go, wait) = channel::<()>();
        let log = Log::with(path.clone(), LENGTHS, move || wait.recv().map_err(io::Error::other));
        let connection = writer(&path);
        assert!(!waits(log.all_flushed()), "nothing was written");
        let first = add(&log, &connection);
        let second = add(&log, &connection);
        assert!(waits(log.flushed(first)) && waits(log.flushed(second)) && waits(log.all_flushed()));
        go.send(()).unwrap();
        log.flushed(first).await.unwrap();
        go.send(()).unwrap();
        log.flushed(second).await.unwrap();
        assert!(!waits(log.all_flushed()));
    }

    #[tokio::test]
    async fn after_a_failed_sync_no_commit_succeeds() {
        let folder = tempfile::tempdir().unwrap();
        let path: Arc<Path> = folder.path().join("a.db").into();
        let mut failures = vec![Ok(()), Err(io::Error::other("no room")), Ok(())].into_iter();
        let log = Log::with(path.clone(), LENGTHS, move || failures.next().unwrap());
        let connection = writer(&path);
        log.flushed(add(&log, &connection)).await.unwrap();
        assert!(log.flushed(add(&log, &connection)).await.unwrap_err().is_unavailable());
        assert!(log.flushed(add(&log, &connection)).await.is_err());
        assert!(log.all_flushed().await.is_err());
    }

    #[tokio::test]
    async fn a_long_log_is_carried_over_and_begins_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path: Arc<Path> = folder.path().join("a.db").into();
        let log = Log::with(path.clone(), Lengths { long: 60, rest: 30 }, || Ok(()));
        let connection = writer(&path);
        let mut added = 0;
        for _ in 0..3 {
            // How long the other thread takes nobody knows: the log goes on growing until it has been.
            loop {
                let before = PAGES.get().unwrap_or_default();
                add(&log, &connection);
                added += 1;
                if PAGES.get().unwrap() < before {
                    break;
                }
                assert!(added < 1_000_000, "the log is never carried over");
            }
        }
        assert_eq!(rows(&connection), added);
        log.close().await;
        drop(connection);
        let reopened = Connection::open(&path).unwrap();
        assert_eq!(rows(&reopened), added);
        let whole: String = reopened.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!(whole, "ok");
    }
}
