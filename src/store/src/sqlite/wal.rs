//! SQLite's write-ahead log (WAL), synced and checkpointed beside the work.
//!
//! COMMIT holds the one connection that writes. Left to itself, SQLite waits there for the disk, and now and then for a
//! checkpoint, which copies the whole log into the database. In a process that serves ([`Wal::serve`]) COMMIT writes the log and no
//! more (`synchronous = normal`), and the rest is done by two threads:
//! - One syncs the log, for all commits since the last time at once. Only then is a commit told to who ordered it
//!   ([`Wal::flushed`]): nothing is acknowledged, and nothing leaves the house, that a loss of power could take back.
//! - One makes the checkpoint while the writer goes on. The writer copies the little that came meanwhile itself: the log begins
//!   anew only when all of it has been copied.
//!
//! A sync of theirs that fails, of the log or of the database, is final: the kernel may have given up what it could not write and
//! call the next sync a success. From then on nothing begins, nothing is acknowledged and no checkpoint is made, not even at the
//! end; the next start makes it good (`repair.rs`). A process that does not serve makes no checkpoint at all.

use std::cell::Cell;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use tokio::sync::{oneshot, watch};

use crate::error::{Result, StoreError};

/// When a checkpoint is made, in pages of the log.
#[derive(Debug, Clone, Copy)]
struct Lengths {
    /// From so many on: fewer would copy the same pages of the database more often.
    long: u64,
    /// So many the writer copies itself, which takes some milliseconds.
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
pub(super) struct Wal {
    /// Commits that were begun.
    begun: Arc<AtomicU64>,
    commits: Sender<u64>,
    flushed: Arc<watch::Sender<Flushed>>,
    checkpointer: Arc<Checkpointer>,
    serves: Arc<AtomicBool>,
}

/// Up to which commit everything is on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flushed {
    Until(u64),
    /// What a failed sync leaves behind nobody knows: no commit succeeds any more until the program begins anew.
    Failed,
}

impl Wal {
    /// The log of the database at `path`.
    pub fn start(path: Arc<Path>) -> Self {
        let name = log_of(&path);
        let mut file = None;
        Self::with(path, LENGTHS, move || sync(&mut file, &name))
    }

    fn with(
        path: Arc<Path>,
        lengths: Lengths,
        sync: impl FnMut() -> io::Result<()> + Send + 'static,
    ) -> Self {
        let (commits, numbers) = channel();
        let flushed = Arc::new(watch::Sender::new(Flushed::Until(0)));
        let publish = flushed.clone();
        super::thread("sqlite-sync", move || sync_all(&numbers, sync, &publish));
        let checkpointer = Arc::new(Checkpointer::start(path, lengths, flushed.clone()));
        Self { begun: Arc::default(), commits, flushed, checkpointer, serves: Arc::default() }
    }

    /// Sets a connection up to commit through this log; however it ends, it makes no last checkpoint by itself.
    pub fn prepare(connection: &Connection) {
        // Cannot fail on an open connection.
        let _ = connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
        // In the place of SQLite's own, which makes the checkpoint inside of COMMIT.
        connection.wal_hook(Some(|_, pages| {
            PAGES.set(u64::try_from(pages).ok());
            Ok(())
        }));
    }

    /// Runs a COMMIT on this thread; returns its result and its number, to be awaited with [`Wal::flushed`].
    pub fn commit<T>(&self, connection: &Connection, commit: impl FnOnce() -> T) -> (T, u64) {
        // Counted before anybody can see it: who looks afterwards waits for it.
        let number = self.begun.fetch_add(1, Ordering::SeqCst) + 1;
        PAGES.set(None);
        let result = commit();
        // Whatever became of it: nobody may wait for it for ever. The thread ends only with the log.
        let _ = self.commits.send(number);
        if let Some(pages) = PAGES.get().filter(|_| self.serves.load(Ordering::Relaxed)) {
            self.checkpointer.after_commit(connection, pages);
        }
        (result, number)
    }

    /// Waits until a commit is on the disk.
    pub async fn flushed(&self, number: u64) -> Result<()> {
        let covers = |state: &Flushed| match state {
            Flushed::Until(done) => *done >= number,
            Flushed::Failed => true,
        };
        match self.flushed.subscribe().wait_for(covers).await.map(|state| *state) {
            Ok(Flushed::Until(_)) => Ok(()),
            Ok(Flushed::Failed) | Err(_) => Err(failed()),
        }
    }

    /// An error once something could not be brought to the disk.
    pub fn usable(&self) -> Result<()> {
        if is_failed(&self.flushed) { Err(failed()) } else { Ok(()) }
    }

    /// Ends when something could not be brought to the disk.
    pub async fn broken(&self) {
        // The sender is ours: this does not end without.
        let _ = self.flushed.subscribe().wait_for(|state| *state == Flushed::Failed).await;
    }

    /// From now on a commit may be seen before it is on the disk, and checkpoints are made.
    pub fn serve(&self, connection: &Connection) -> rusqlite::Result<()> {
        connection.execute_batch("PRAGMA synchronous = normal")?;
        self.serves.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Closes the connection that writes, with a last checkpoint where this process serves and no sync has failed.
    pub fn end(&self, connection: Connection) {
        if self.serves.load(Ordering::Relaxed) && self.usable().is_ok() {
            let _ = connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false);
        }
        drop(connection);
    }

    /// Waits until everything that could have been read so far is on the disk.
    pub async fn all_flushed(&self) -> Result<()> {
        self.flushed(self.begun.load(Ordering::SeqCst)).await
    }

    /// Closes the connection that makes checkpoints.
    pub async fn close(&self) {
        let (reply, closed) = oneshot::channel();
        if self.checkpointer.orders.send(Order::Close(reply)).is_ok() {
            let _ = closed.await;
        }
    }
}

fn failed() -> StoreError {
    StoreError::Database(sqlx::Error::Io(io::Error::other(
        "the database could not be brought to the disk; the program has to begin anew",
    )))
}

fn is_failed(flushed: &watch::Sender<Flushed>) -> bool {
    *flushed.borrow() == Flushed::Failed
}

/// SQLite's log of a database.
pub(super) fn log_of(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push("-wal");
    name.into()
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
        // The checkpoint may have failed meanwhile, which no later sync mends.
        publish.send_if_modified(|state| {
            let goes_on = *state != Flushed::Failed;
            if goes_on {
                *state = done;
            }
            goes_on
        });
        if is_failed(publish) {
            return;
        }
    }
}

/// Brings to the disk what the file holds. It stays the same file as long as the writer's connection is open.
fn sync(file: &mut Option<File>, name: &Path) -> io::Result<()> {
    if file.is_none() {
        // SQLite has made it before it commits: where it is not found, it is looked for in the wrong place.
        *file = Some(File::open(name)?);
    }
    file.as_ref().map_or(Ok(()), File::sync_data)
}

/// Makes checkpoints.
#[derive(Debug)]
struct Checkpointer {
    lengths: Lengths,
    orders: Sender<Order>,
    state: Arc<Mutex<State>>,
    flushed: Arc<watch::Sender<Flushed>>,
}

enum Order {
    Checkpoint,
    Close(oneshot::Sender<()>),
}

#[derive(Debug, Clone, Copy)]
enum State {
    Idle,
    UnderWay,
    /// Made, up to this page of the log; the writer copies what came after.
    Made(u64),
}

impl Checkpointer {
    fn start(path: Arc<Path>, lengths: Lengths, flushed: Arc<watch::Sender<Flushed>>) -> Self {
        let (orders, receiver) = channel();
        let state = Arc::new(Mutex::new(State::Idle));
        let (shared, publish) = (state.clone(), flushed.clone());
        super::thread("sqlite-checkpoint", move || make(&path, &shared, &receiver, &publish));
        Self { lengths, orders, state, flushed }
    }

    /// Looks after the log when a commit has left it with so many pages; the writer holds no transaction.
    fn after_commit(&self, connection: &Connection, pages: u64) {
        let mut state = lock(&self.state);
        *state = match *state {
            State::Idle if pages >= self.lengths.long => self.order(),
            // It has begun anew by itself.
            State::Made(page) if pages < page => State::Idle,
            State::Made(page) if pages - page > self.lengths.rest => self.order(),
            State::Made(_) => {
                let _ = checkpoint(connection, &self.flushed);
                State::Idle
            }
            same => same,
        };
    }

    fn order(&self) -> State {
        if self.orders.send(Order::Checkpoint).is_ok() { State::UnderWay } else { State::Idle }
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The life of the connection that makes checkpoints, opened when it is needed first.
fn make(path: &Path, state: &Mutex<State>, orders: &Receiver<Order>, flushed: &watch::Sender<Flushed>) {
    let mut connection = None;
    while let Ok(order) = orders.recv() {
        match order {
            Order::Checkpoint => {
                let opened = opened(&mut connection, path).map_err(|error| note(&error, flushed)).ok();
                let made = opened.and_then(|connection| checkpoint(connection, flushed));
                *lock(state) = made.map_or(State::Idle, State::Made);
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
        opened.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        opened.execute_batch("PRAGMA synchronous = normal; PRAGMA wal_autocheckpoint = 0;")?;
        *connection = Some(opened);
    }
    connection.as_ref().ok_or(rusqlite::Error::InvalidQuery)
}

/// Copies what no reader still needs in the log into the database; returns up to which page, if anything could be done. SQLite
/// syncs the log before, and the database where the whole log was copied.
fn checkpoint(connection: &Connection, flushed: &watch::Sender<Flushed>) -> Option<u64> {
    if is_failed(flushed) {
        return None;
    }
    // -1 where another process is at it just now.
    let page = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| row.get::<_, i64>(2));
    page.map_err(|error| note(&error, flushed)).ok().map(|page| u64::try_from(page).unwrap_or_default())
}

/// Takes note of a checkpoint that failed.
fn note(error: &rusqlite::Error, flushed: &watch::Sender<Flushed>) {
    let error_code = error.sqlite_error_code();
    let error = error as &dyn std::error::Error;
    if let Some(ErrorCode::SystemIoFailure | ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) =
        error_code
    {
        tracing::error!(error, "the write-ahead log cannot be copied into the database");
        flushed.send_replace(Flushed::Failed);
    } else {
        // No room, no memory: the log is as it was.
        tracing::warn!(error, "no checkpoint could be made; the write-ahead log grows until one can");
    }
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
        Wal::prepare(&connection);
        connection
    }

    fn add(wal: &Wal, connection: &Connection) -> u64 {
        connection.execute_batch("BEGIN IMMEDIATE; INSERT INTO t VALUES (randomblob(3000));").unwrap();
        let (done, number) = wal.commit(connection, || connection.execute_batch("COMMIT"));
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
        let wal = Wal::with(path.clone(), LENGTHS, move || wait.recv().map_err(io::Error::other));
        let connection = writer(&path);
        assert!(!waits(wal.all_flushed()), "nothing was written");
        let first = add(&wal, &connection);
        let second = add(&wal, &connection);
        assert!(waits(wal.flushed(first)) && waits(wal.flushed(second)) && waits(wal.all_flushed()));
        go.send(()).unwrap();
        wal.flushed(first).await.unwrap();
        go.send(()).unwrap();
        wal.flushed(second).await.unwrap();
        assert!(!waits(wal.all_flushed()));
    }

    #[tokio::test]
    async fn after_a_failed_sync_no_commit_succeeds() {
        let folder = tempfile::tempdir().unwrap();
        let path: Arc<Path> = folder.path().join("a.db").into();
        let mut failures = vec![Ok(()), Err(io::Error::other("no room")), Ok(())].into_iter();
        let wal = Wal::with(path.clone(), LENGTHS, move || failures.next().unwrap());
        let connection = writer(&path);
        wal.flushed(add(&wal, &connection)).await.unwrap();
        assert!(wal.flushed(add(&wal, &connection)).await.unwrap_err().is_unavailable());
        assert!(wal.flushed(add(&wal, &connection)).await.is_err());
        assert!(wal.all_flushed().await.is_err());
        assert!(wal.usable().is_err(), "and none begins");
        wal.broken().await;
    }

    #[test]
    fn a_log_that_is_not_where_it_should_be_is_no_success() {
        let folder = tempfile::tempdir().unwrap();
        assert!(sync(&mut None, &folder.path().join("a.db-wal")).is_err());
    }

    /// It was taken for one that can be made later: SQLite may then call the next one a success, and throw the log away.
    #[tokio::test]
    async fn after_a_checkpoint_that_failed_halfway_nothing_succeeds_and_the_log_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path: Arc<Path> = folder.path().join("a.db").into();
        let wal = Wal::with(path.clone(), Lengths { long: 60, rest: 30 }, || Ok(()));
        let connection = writer(&path);
        wal.serve(&connection).unwrap();
        let log = folder.path().join("a.db-wal");
        wal.flushed(add(&wal, &connection)).await.unwrap();
        // What is to be copied cannot be read: an I/O error, as of a disk that fails.
        File::options().write(true).open(&log).unwrap().set_len(4_000).unwrap();
        wal.checkpointer.order();
        wal.broken().await;
        assert!(wal.usable().is_err() && wal.all_flushed().await.is_err());
        let before = std::fs::metadata(&log).unwrap().len();
        wal.close().await;
        wal.end(connection);
        assert_eq!(std::fs::metadata(&log).unwrap().len(), before, "a last checkpoint was made");
    }

    #[tokio::test]
    async fn a_long_log_is_copied_and_begins_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path: Arc<Path> = folder.path().join("a.db").into();
        let wal = Wal::with(path.clone(), Lengths { long: 60, rest: 30 }, || Ok(()));
        let connection = writer(&path);
        wal.serve(&connection).unwrap();
        let mut added = 0;
        for _ in 0..3 {
            // How long the other thread takes nobody knows: the log goes on growing until it has been.
            loop {
                let before = PAGES.get().unwrap_or_default();
                add(&wal, &connection);
                added += 1;
                if PAGES.get().unwrap() < before {
                    break;
                }
                assert!(added < 1_000_000, "no checkpoint is ever made");
            }
        }
        assert_eq!(rows(&connection), added);
        wal.close().await;
        wal.end(connection);
        assert!(!log_of(&path).exists(), "the last checkpoint is made at the end");
        let reopened = Connection::open(&path).unwrap();
        assert_eq!(rows(&reopened), added);
        let whole: String = reopened.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!(whole, "ok");
    }
}
