//! Fresh databases for tests, and what a test may do to them besides the store's own functions.

use std::sync::Arc;

use kopru_store::sql::{Row, Statement, Value};
use kopru_store::{Db, Dialect, PoolSizes, Priority, Tx};
use sqlx::postgres::PgConnectOptions;
use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, PgConnection, SqlSafeStr as _,
    SqliteConnection,
};
use tempfile::TempDir;

/// Runs a test on a temporary SQLite file.
pub fn on_sqlite<T: Future<Output = ()>>(test: impl FnOnce(Store) -> T) {
    runtime().block_on(async {
        let (store, _folder) = Store::in_temporary_file().await;
        test(store.clone()).await;
        store.db.close().await;
    });
}

/// Runs a test on a PostgreSQL database that nobody else uses meanwhile, in a schema that is new.
pub fn on_postgres<T: Future<Output = ()>>(test: impl FnOnce(Store) -> T) {
    let Some(server) = postgres_server() else { return };
    runtime().block_on(async {
        let (url, _lent) = lend_database(&server.parse().unwrap()).await;
        let store = Store::open(url).await;
        test(store.clone()).await;
        store.db.close().await;
    });
}

/// Making and dropping a database for each test would cost more than the tests. So there are as many as tests run at once,
/// and they stay for the next run. The connection holds the right to the database, and gives it back however the test ends.
async fn lend_database(server: &PgConnectOptions) -> (String, PgConnection) {
    for number in 0.. {
        let name = format!("kopru_contract_{number}");
        let database = server.clone().database(&name);
        let mut holder = match PgConnection::connect_with(&database).await {
            Ok(connection) => connection,
            Err(_) => {
                // Another test may be making it too: what counts is that it is there afterwards.
                let mut admin = PgConnection::connect_with(server).await.unwrap();
                let made = admin.execute(AssertSqlSafe(format!("CREATE DATABASE {name}"))).await;
                PgConnection::connect_with(&database)
                    .await
                    .unwrap_or_else(|error| panic!("{error}, {made:?}"))
            }
        };
        let free =
            sqlx::query_scalar("SELECT pg_try_advisory_lock(20261122)").fetch_one(&mut holder).await.unwrap();
        if free {
            holder.execute(sqlx::raw_sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public")).await.unwrap();
            return (database.to_url_lossy().to_string(), holder);
        }
    }
    unreachable!("a server has room for another database");
}

/// The server's URL. A test that ran on half of its databases would pass for whole: that is said by a variable, not by a missing one.
#[expect(clippy::disallowed_methods, reason = "the two settings of the tests")]
fn postgres_server() -> Option<String> {
    if let Ok(url) = std::env::var("KOPRU_TEST_POSTGRES_URL") {
        return Some(url);
    }
    let skipped = std::env::var("KOPRU_TEST_POSTGRES").is_ok_and(|word| word == "skip");
    assert!(
        skipped,
        "KOPRU_TEST_POSTGRES_URL is not set: run ./tests/run, which brings a PostgreSQL, or say KOPRU_TEST_POSTGRES=skip"
    );
    println!("SKIPPED on PostgreSQL: KOPRU_TEST_POSTGRES=skip");
    None
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// A migrated, empty database.
#[derive(Clone)]
pub struct Store {
    pub db: Db,
    pub url: Arc<str>,
}

impl Store {
    pub async fn open(url: String) -> Self {
        let db = Db::connect(&url, PoolSizes::default()).await.unwrap();
        db.migrate().await.unwrap();
        Self { db, url: url.into() }
    }

    pub async fn in_temporary_file() -> (Self, TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("new/kopru.db").display());
        (Self::open(url).await, folder)
    }

    pub fn dialect(&self) -> Dialect {
        self.db.dialect()
    }

    pub fn is_postgres(&self) -> bool {
        self.dialect() == Dialect::Postgres
    }

    /// Does something in a transaction and commits it.
    pub async fn write<R>(&self, work: impl AsyncFnOnce(&mut Tx) -> R) -> R {
        let mut tx = self.db.begin(Priority::Interactive).await.unwrap();
        let result = work(&mut tx).await;
        tx.commit().await.unwrap();
        result
    }

    /// Does something on a bare connection for reading.
    pub async fn read<R>(&self, work: impl AsyncFnOnce(&mut Tx) -> R) -> R {
        let mut tx = self.db.read().await.unwrap();
        work(&mut tx).await
    }

    /// Runs a statement of the test's own in a transaction.
    pub async fn execute(&self, text: &str, args: Vec<Value>) -> u64 {
        let statement = statement(text);
        self.write(async |tx| tx.execute(&statement, args).await.unwrap()).await
    }

    /// Reads with a statement of the test's own.
    pub async fn rows(&self, text: &str, args: Vec<Value>) -> Vec<Row> {
        let statement = statement(text);
        self.read(async |tx| tx.rows(&statement, args).await.unwrap()).await
    }

    /// Reads one number.
    pub async fn number(&self, text: &str, args: Vec<Value>) -> i64 {
        self.rows(text, args).await[0].get(0).unwrap()
    }

    /// A connection beside the store's pools.
    pub async fn connection(&self) -> Connection {
        match self.dialect() {
            Dialect::Sqlite => Connection::Sqlite(SqliteConnection::connect(&self.url).await.unwrap()),
            Dialect::Postgres => Connection::Postgres(PgConnection::connect(&self.url).await.unwrap()),
        }
    }
}

/// A statement that is made at run time; it lives as long as the test.
pub fn statement(text: &str) -> Statement {
    Statement::new(text.to_owned().leak())
}

/// A connection of the driver itself.
pub enum Connection {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Connection {
    /// Lets the database parse and check a statement without running it.
    pub async fn prepare(&mut self, text: &'static str) -> Result<(), sqlx::Error> {
        match self {
            Self::Sqlite(connection) => connection.prepare(text.into_sql_str()).await.map(drop),
            Self::Postgres(connection) => connection.prepare(text.into_sql_str()).await.map(drop),
        }
    }
}
