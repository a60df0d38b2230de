//! Connections: a pool for reading, transactions for writing.
//!
//! On SQLite there is one write connection (`BEGIN IMMEDIATE`, WAL, each commit awaited to the disk); bulk work passes a gate of
//! its own, so that at most one bulk transaction stands before an interactive one.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{Postgres, Transaction};

use crate::dialect::{Dialect, Insert};
use crate::error::{Result, StoreError};
use crate::sql::{Row, Statement, Value, bind_postgres};
use crate::sqlite::{Done, Job, Place, Reader, Sqlite, Turn, Unflushed};

static SQLITE_MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("../../migrations/sqlite");
static POSTGRES_MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("../../migrations/postgres");

/// Whom a write serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Priority {
    /// Somebody waits for the answer.
    Interactive,
    /// Imports, pulls, housekeeping.
    Bulk,
}

/// Pool sizes.
#[derive(Debug, Clone, Copy)]
pub struct PoolSizes {
    /// Connections for reading (SQLite) or for everything (PostgreSQL).
    pub connections: u32,
}

impl Default for PoolSizes {
    fn default() -> Self {
        Self { connections: 8 }
    }
}

/// The database. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Db {
    pools: Pools,
}

#[derive(Debug, Clone)]
enum Pools {
    Sqlite(Sqlite),
    Postgres(PgPool),
}

/// Where a run of statements happens: a transaction, or a bare connection for reading.
#[derive(Debug)]
pub struct Tx(pub(crate) Inner);

#[derive(Debug)]
pub(crate) enum Inner {
    Sqlite(Turn),
    SqliteRead(Reader),
    Postgres(Transaction<'static, Postgres>),
    PostgresRead(PoolConnection<Postgres>),
}

impl Db {
    /// Opens `sqlite://PATH` or `postgres://…`. A missing SQLite file (and its folder) is made.
    pub async fn connect(url: &str, sizes: PoolSizes) -> Result<Self> {
        if let Some(path) = url.strip_prefix("sqlite://") {
            return Self::connect_sqlite(PathBuf::from(path), sizes).await;
        }
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Self::connect_postgres(url, sizes).await;
        }
        Err(StoreError::Address("database.url must start with sqlite:// or postgres://".to_owned()))
    }

    async fn connect_sqlite(path: PathBuf, sizes: PoolSizes) -> Result<Self> {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(|e| {
                StoreError::Address(format!("cannot make the folder {}: {e}", folder.display()))
            })?;
        }
        let readers = sizes.connections.clamp(1, 4) as usize;
        Ok(Self { pools: Pools::Sqlite(Sqlite::open(path, readers).await?) })
    }

    async fn connect_postgres(url: &str, sizes: PoolSizes) -> Result<Self> {
        let options: PgConnectOptions = url.parse()?;
        let pool = PgPoolOptions::new()
            .max_connections(sizes.connections)
            .acquire_timeout(Duration::from_secs(30))
            .test_before_acquire(false)
            // Generic plans of the claim and look-up statements are slower by factors.
            .connect_with(
                options.application_name("kopru").options([("plan_cache_mode", "force_custom_plan")]),
            )
            .await?;
        Ok(Self { pools: Pools::Postgres(pool) })
    }

    /// Makes good what a failed sync of an earlier process may have left in a SQLite file; for the process that serves, before
    /// anything opens it. PostgreSQL sees to that itself.
    pub fn make_good(url: &str) -> Result<()> {
        url.strip_prefix("sqlite://").map_or(Ok(()), |path| Sqlite::make_good(Path::new(path)))
    }

    /// For the process that serves. On SQLite a commit is otherwise on the disk before anybody can see it, which takes longer; from
    /// now on it is so before anybody is told of it.
    pub async fn serve(&self) -> Result<()> {
        match &self.pools {
            Pools::Sqlite(sqlite) => sqlite.serve().await,
            Pools::Postgres(_) => Ok(()),
        }
    }

    /// Ends when the disk has failed us: nothing can be written until the program begins anew. PostgreSQL sees to that itself.
    pub async fn broken(&self) {
        match &self.pools {
            Pools::Sqlite(sqlite) => sqlite.broken().await,
            Pools::Postgres(_) => std::future::pending().await,
        }
    }

    /// Whether that has happened.
    pub fn is_broken(&self) -> bool {
        matches!(&self.pools, Pools::Sqlite(sqlite) if sqlite.is_broken())
    }

    /// Which database this is.
    pub fn dialect(&self) -> Dialect {
        match self.pools {
            Pools::Sqlite(_) => Dialect::Sqlite,
            Pools::Postgres(_) => Dialect::Postgres,
        }
    }

    /// Brings the schema up to date.
    pub async fn migrate(&self) -> Result<()> {
        match &self.pools {
            Pools::Sqlite(sqlite) => sqlite.migrate(&SQLITE_MIGRATIONS).await?,
            Pools::Postgres(pool) => POSTGRES_MIGRATIONS.run(pool).await?,
        }
        Ok(())
    }

    /// Versions and names of the migrations of both databases, to compare.
    pub fn migrations() -> [Vec<(i64, String)>; 2] {
        [&SQLITE_MIGRATIONS, &POSTGRES_MIGRATIONS]
            .map(|migrator| migrator.iter().map(|m| (m.version, m.description.to_string())).collect())
    }

    /// A connection for reading; each statement sees what is committed when it runs.
    ///
    /// Waiting for a PostgreSQL connection takes seven kilobytes of state, twice: boxed, they are not part of every future that
    /// reads or writes, from here up to each request's.
    pub async fn read(&self) -> Result<Tx> {
        Ok(Tx(match &self.pools {
            Pools::Sqlite(sqlite) => Inner::SqliteRead(sqlite.read().await?),
            Pools::Postgres(pool) => Inner::PostgresRead(Box::pin(pool.acquire()).await?),
        }))
    }

    /// Begins a transaction. Dropped without [`Tx::commit`], it is rolled back.
    pub async fn begin(&self, priority: Priority) -> Result<Tx> {
        self.begin_at(priority, Place::Lane).await
    }

    /// As an interactive [`Db::begin`], for a thread of its own that may block: SQLite works there.
    pub async fn begin_here(&self) -> Result<Tx> {
        self.begin_at(Priority::Interactive, Place::Here).await
    }

    async fn begin_at(&self, priority: Priority, place: Place) -> Result<Tx> {
        Ok(Tx(match &self.pools {
            Pools::Sqlite(sqlite) => Inner::Sqlite(sqlite.turn(priority == Priority::Bulk, place).await?),
            Pools::Postgres(pool) => Inner::Postgres(Box::pin(pool.begin()).await?),
        }))
    }

    /// Waits until everything that could have been read so far is on the disk: an answer made of it tells of nothing that a
    /// loss of power could take back. PostgreSQL shows nothing earlier.
    pub async fn flushed(&self) -> Result<()> {
        match &self.pools {
            Pools::Sqlite(sqlite) => sqlite.flushed().await,
            Pools::Postgres(_) => Ok(()),
        }
    }

    /// The PostgreSQL pool, for LISTEN/NOTIFY.
    pub(crate) fn postgres(&self) -> Option<&PgPool> {
        match &self.pools {
            Pools::Sqlite(_) => None,
            Pools::Postgres(pool) => Some(pool),
        }
    }

    /// Closes the pools, waiting for connections in use. Where SQLite serves, it makes its last checkpoint.
    pub async fn close(&self) {
        match &self.pools {
            Pools::Sqlite(sqlite) => sqlite.close().await,
            Pools::Postgres(pool) => pool.close().await,
        }
    }
}

impl Tx {
    /// Which database this is.
    pub fn dialect(&self) -> Dialect {
        match self.0 {
            Inner::Sqlite(_) | Inner::SqliteRead(_) => Dialect::Sqlite,
            Inner::Postgres(_) | Inner::PostgresRead(_) => Dialect::Postgres,
        }
    }

    /// Whether this is a bare connection, which sees only what is committed.
    pub(crate) fn is_read(&self) -> bool {
        matches!(self.0, Inner::SqliteRead(_) | Inner::PostgresRead(_))
    }

    /// Commits. Nothing is acknowledged to anybody before this has returned.
    pub async fn commit(self) -> Result<()> {
        match self.0 {
            Inner::Sqlite(turn) => turn.commit().await?,
            Inner::Postgres(tx) => tx.commit().await?,
            Inner::SqliteRead(_) | Inner::PostgresRead(_) => {}
        }
        Ok(())
    }

    /// As [`Tx::commit`], but on SQLite the next transaction begins while this one waits for the disk: for those that come one
    /// after the other when there is much to do.
    pub async fn commit_yielding(self) -> Result<()> {
        self.commit_early(Vec::new()).await?.flushed().await
    }

    /// Commits after some last jobs on SQLite.
    pub(crate) async fn commit_early(self, last: Vec<Job>) -> Result<Unflushed> {
        match self.0 {
            Inner::Sqlite(turn) => return turn.commit_early(last).await,
            Inner::Postgres(tx) => tx.commit().await?,
            Inner::SqliteRead(_) | Inner::PostgresRead(_) => {}
        }
        Ok(Unflushed::none())
    }

    /// Runs a statement; returns the number of rows it touched.
    pub async fn execute(&mut self, statement: &Statement, args: Vec<Value>) -> Result<u64> {
        let text = statement.for_dialect(self.dialect());
        Ok(match &mut self.0 {
            Inner::Postgres(tx) => postgres(text, args).execute(&mut **tx).await?.rows_affected(),
            Inner::PostgresRead(c) => postgres(text, args).execute(&mut **c).await?.rows_affected(),
            _ => self.sqlite(Job::Statement(text, args)).await?.changed,
        })
    }

    /// All rows of a statement.
    pub async fn rows(&mut self, statement: &Statement, args: Vec<Value>) -> Result<Vec<Row>> {
        let text = statement.for_dialect(self.dialect());
        Ok(match &mut self.0 {
            Inner::Postgres(tx) => wrap(postgres(text, args).fetch_all(&mut **tx).await?),
            Inner::PostgresRead(c) => wrap(postgres(text, args).fetch_all(&mut **c).await?),
            _ => self.sqlite(Job::Statement(text, args)).await?.rows,
        })
    }

    /// The first row of a statement, if any.
    pub async fn row(&mut self, statement: &Statement, args: Vec<Value>) -> Result<Option<Row>> {
        Ok(self.rows(statement, args).await?.into_iter().next())
    }

    /// Inserts many rows at once; returns how many were inserted.
    pub async fn insert(&mut self, insert: &'static Insert, rows: Vec<Vec<Value>>) -> Result<u64> {
        if rows.is_empty() {
            return Ok(0);
        }
        Ok(match &mut self.0 {
            Inner::Sqlite(_) => self.sqlite(Job::Insert(insert, rows)).await?.changed,
            Inner::Postgres(tx) => insert.postgres(rows).execute(&mut **tx).await?.rows_affected(),
            Inner::SqliteRead(_) | Inner::PostgresRead(_) => return Err(read_only()),
        })
    }

    /// As [`Tx::insert`], with the rows of its `RETURNING`.
    pub async fn insert_returning(
        &mut self,
        insert: &'static Insert,
        rows: Vec<Vec<Value>>,
    ) -> Result<Vec<Row>> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        Ok(match &mut self.0 {
            Inner::Sqlite(_) => self.sqlite(Job::Insert(insert, rows)).await?.rows,
            Inner::Postgres(tx) => wrap(insert.postgres(rows).fetch_all(&mut **tx).await?),
            Inner::SqliteRead(_) | Inner::PostgresRead(_) => return Err(read_only()),
        })
    }

    async fn sqlite(&mut self, job: Job) -> Result<Done> {
        let done = match &mut self.0 {
            Inner::Sqlite(turn) => turn.run(vec![job]).await?,
            Inner::SqliteRead(reader) => reader.run(vec![job]).await?,
            Inner::Postgres(_) | Inner::PostgresRead(_) => Vec::new(),
        };
        Ok(done.into_iter().next().unwrap_or_default())
    }
}

pub(crate) fn read_only() -> StoreError {
    StoreError::Address("a bare connection is for reading: begin a transaction to write".to_owned())
}

fn postgres(text: &'static str, args: Vec<Value>) -> crate::sql::PgQuery {
    args.into_iter().fold(sqlx::query(text), bind_postgres)
}

fn wrap(rows: Vec<sqlx::postgres::PgRow>) -> Vec<Row> {
    rows.into_iter().map(Row::Postgres).collect()
}
