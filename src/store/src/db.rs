//! Connections: a pool for reading, transactions for writing.
//!
//! On SQLite there is one write connection (`BEGIN IMMEDIATE`, WAL, `synchronous=FULL`); bulk work passes a gate of its own,
//! so that at most one bulk transaction stands before an interactive one.

use std::path::PathBuf;
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{Postgres, Sqlite, Transaction};

use crate::dialect::{Dialect, Insert};
use crate::error::{Result, StoreError};
use crate::sql::{Row, Statement, Value, bind_postgres, bind_sqlite};
use crate::writer::{Turn, Writer};

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
    Sqlite { readers: SqlitePool, writer: Writer },
    Postgres(PgPool),
}

/// Where a run of statements happens: a transaction, or a bare connection for reading.
#[derive(Debug)]
pub struct Tx(pub(crate) Inner);

#[derive(Debug)]
pub(crate) enum Inner {
    Sqlite(Turn),
    SqliteRead(PoolConnection<Sqlite>),
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
        let options = SqliteConnectOptions::new()
            .filename(&path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(Duration::from_secs(10))
            .foreign_keys(false)
            .statement_cache_capacity(400)
            .pragma("wal_autocheckpoint", "20000")
            .pragma("temp_store", "memory");
        let writer = Writer::open(&options.clone().pragma("cache_size", "-64000")).await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(sizes.connections.clamp(1, 4))
            .test_before_acquire(false)
            .connect_lazy_with(
                options.read_only(true).pragma("query_only", "on").pragma("cache_size", "-8000"),
            );
        Ok(Self { pools: Pools::Sqlite { readers, writer } })
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

    /// Which database this is.
    pub fn dialect(&self) -> Dialect {
        match self.pools {
            Pools::Sqlite { .. } => Dialect::Sqlite,
            Pools::Postgres(_) => Dialect::Postgres,
        }
    }

    /// Brings the schema up to date.
    pub async fn migrate(&self) -> Result<()> {
        match &self.pools {
            Pools::Sqlite { writer, .. } => writer.migrate(&SQLITE_MIGRATIONS).await?,
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
    pub async fn read(&self) -> Result<Tx> {
        Ok(Tx(match &self.pools {
            Pools::Sqlite { readers, .. } => Inner::SqliteRead(readers.acquire().await?),
            Pools::Postgres(pool) => Inner::PostgresRead(pool.acquire().await?),
        }))
    }

    /// Begins a transaction. Dropped without [`Tx::commit`], it is rolled back.
    pub async fn begin(&self, priority: Priority) -> Result<Tx> {
        Ok(Tx(match &self.pools {
            Pools::Sqlite { writer, .. } => Inner::Sqlite(writer.turn(priority == Priority::Bulk).await?),
            Pools::Postgres(pool) => Inner::Postgres(pool.begin().await?),
        }))
    }

    /// The PostgreSQL pool, for LISTEN/NOTIFY.
    pub(crate) fn postgres(&self) -> Option<&PgPool> {
        match &self.pools {
            Pools::Sqlite { .. } => None,
            Pools::Postgres(pool) => Some(pool),
        }
    }

    /// Closes the pools, waiting for connections in use. SQLite writes its checkpoint.
    pub async fn close(&self) {
        match &self.pools {
            Pools::Sqlite { readers, writer, .. } => {
                readers.close().await;
                writer.close().await;
            }
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

    /// Runs a statement; returns the number of rows it touched.
    pub async fn execute(&mut self, statement: &Statement, args: Vec<Value>) -> Result<u64> {
        let text = statement.for_dialect(self.dialect());
        Ok(match &mut self.0 {
            Inner::Sqlite(turn) => {
                sqlite(text, args).execute(turn.connection().await?).await?.rows_affected()
            }
            Inner::SqliteRead(c) => sqlite(text, args).execute(&mut **c).await?.rows_affected(),
            Inner::Postgres(tx) => postgres(text, args).execute(&mut **tx).await?.rows_affected(),
            Inner::PostgresRead(c) => postgres(text, args).execute(&mut **c).await?.rows_affected(),
        })
    }

    /// All rows of a statement.
    pub async fn rows(&mut self, statement: &Statement, args: Vec<Value>) -> Result<Vec<Row>> {
        let text = statement.for_dialect(self.dialect());
        Ok(match &mut self.0 {
            Inner::Sqlite(turn) => {
                wrap(sqlite(text, args).fetch_all(turn.connection().await?).await?, Row::Sqlite)
            }
            Inner::SqliteRead(c) => wrap(sqlite(text, args).fetch_all(&mut **c).await?, Row::Sqlite),
            Inner::Postgres(tx) => wrap(postgres(text, args).fetch_all(&mut **tx).await?, Row::Postgres),
            Inner::PostgresRead(c) => wrap(postgres(text, args).fetch_all(&mut **c).await?, Row::Postgres),
        })
    }

    /// The first row of a statement, if any.
    pub async fn row(&mut self, statement: &Statement, args: Vec<Value>) -> Result<Option<Row>> {
        Ok(self.rows(statement, args).await?.into_iter().next())
    }

    /// Inserts many rows with few statements; returns how many were inserted.
    pub async fn insert(&mut self, insert: &Insert, rows: Vec<Vec<Value>>) -> Result<u64> {
        if rows.is_empty() {
            return Ok(0);
        }
        let mut inserted = 0;
        match &mut self.0 {
            Inner::Sqlite(turn) => {
                let connection = turn.connection().await?;
                let mut chunks = insert.sqlite(rows);
                let mut next = chunks.next();
                while let Some(chunk) = next {
                    // While SQLite's thread works on a chunk, the following one is bound.
                    let run = chunk.execute(&mut *connection);
                    let (done, following) = tokio::join!(run, async { chunks.next() });
                    inserted += done?.rows_affected();
                    next = following;
                }
            }
            Inner::Postgres(tx) => {
                inserted += insert.postgres(rows).execute(&mut **tx).await?.rows_affected();
            }
            Inner::SqliteRead(_) | Inner::PostgresRead(_) => return Err(read_only()),
        }
        Ok(inserted)
    }

    /// As [`Tx::insert`], with the rows of its `RETURNING`.
    pub async fn insert_returning(&mut self, insert: &Insert, rows: Vec<Vec<Value>>) -> Result<Vec<Row>> {
        let mut returned = Vec::new();
        if rows.is_empty() {
            return Ok(returned);
        }
        match &mut self.0 {
            Inner::Sqlite(turn) => {
                for query in insert.sqlite(rows) {
                    returned.extend(wrap(query.fetch_all(turn.connection().await?).await?, Row::Sqlite));
                }
            }
            Inner::Postgres(tx) => {
                returned.extend(wrap(insert.postgres(rows).fetch_all(&mut **tx).await?, Row::Postgres));
            }
            Inner::SqliteRead(_) | Inner::PostgresRead(_) => return Err(read_only()),
        }
        Ok(returned)
    }
}

pub(crate) fn read_only() -> StoreError {
    StoreError::Address("a bare connection is for reading: begin a transaction to write".to_owned())
}

fn sqlite(text: &'static str, args: Vec<Value>) -> crate::sql::SqliteQuery {
    args.into_iter().fold(sqlx::query(text), bind_sqlite)
}

fn postgres(text: &'static str, args: Vec<Value>) -> crate::sql::PgQuery {
    args.into_iter().fold(sqlx::query(text), bind_postgres)
}

fn wrap<R>(rows: Vec<R>, wrap: impl Fn(R) -> Row) -> Vec<Row> {
    rows.into_iter().map(wrap).collect()
}
