//! A database of its own for each test.

use std::path::Path;

use sqlx::{Connection as _, PgConnection};
use tempfile::TempDir;
use uuid::Uuid;

/// Which database a test runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Database {
    Sqlite,
    Postgres,
}

/// A fresh, empty database that goes with the test.
pub struct TestDatabase {
    pub url: String,
    folder: TempDir,
}

impl Database {
    /// PostgreSQL; `None` where its half is skipped on purpose.
    pub fn postgres() -> Option<Self> {
        postgres_url().map(|_| Self::Postgres)
    }

    pub async fn fresh(self) -> TestDatabase {
        let folder = tempfile::tempdir().unwrap();
        let url = match self {
            Self::Sqlite => format!("sqlite://{}", folder.path().join("kopru.db").display()),
            Self::Postgres => fresh_postgres().await,
        };
        TestDatabase { url, folder }
    }
}

impl TestDatabase {
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// The cluster's URL. A test that ran on half of its databases would pass for whole: that is said by a variable, not by a missing one.
#[expect(clippy::disallowed_methods, reason = "how tests/run names the cluster it has started")]
fn postgres_url() -> Option<String> {
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

async fn fresh_postgres() -> String {
    let cluster = postgres_url().unwrap();
    let name = format!("it_{}", Uuid::new_v4().simple());
    let mut connection = PgConnection::connect(&cluster).await.unwrap();
    let create = format!("CREATE DATABASE {name}");
    sqlx::raw_sql(sqlx::AssertSqlSafe(create)).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    let (server, _) = cluster.rsplit_once('/').unwrap();
    format!("{server}/{name}")
}
