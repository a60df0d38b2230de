//! Fresh databases for the runs.

use std::path::Path;

use anyhow::{Context as _, Result};
use kopru_store::{Dialect, random};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use tempfile::TempDir;

use crate::cluster::Cluster;

/// Where databases are made; starts a private PostgreSQL when one is first needed.
#[derive(Debug, Default)]
pub struct Databases {
    cluster: Option<Cluster>,
}

/// A database of its own, with a folder for what lies beside it.
#[derive(Debug)]
pub struct Database {
    /// Its address.
    pub url: String,
    /// Which one.
    pub dialect: Dialect,
    folder: TempDir,
    /// Server and name, to remove it by.
    server: Option<(String, String)>,
}

impl Databases {
    /// Makes an empty one.
    pub async fn fresh(&mut self, dialect: Dialect) -> Result<Database> {
        let folder = TempDir::with_prefix("kopru-bench.")?;
        match dialect {
            Dialect::Sqlite => {
                let url = format!("sqlite://{}", folder.path().join("kopru.db").display());
                Ok(Database { url, dialect, folder, server: None })
            }
            Dialect::Postgres => {
                let cluster = match &mut self.cluster {
                    Some(cluster) => cluster,
                    none => none.insert(Cluster::start()?),
                };
                let server = cluster.url.clone();
                let name = format!("bench_{}", hex::encode(random::<6>()));
                execute(&server, format!("CREATE DATABASE {name}")).await?;
                let (base, _) = server.rsplit_once('/').context("the cluster's address has no database")?;
                let url = format!("{base}/{name}");
                Ok(Database { url, dialect, folder, server: Some((server, name)) })
            }
        }
    }
}

impl Database {
    /// For files beside it.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Removes it; nobody is connected any more, or is thrown out.
    pub async fn remove(self) -> Result<()> {
        match &self.server {
            Some((server, name)) => execute(server, format!("DROP DATABASE {name} WITH (FORCE)")).await,
            None => Ok(()),
        }
    }
}

async fn execute(server: &str, statement: String) -> Result<()> {
    let mut connection = PgConnection::connect(server).await.context("PostgreSQL cannot be reached")?;
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await?;
    Ok(connection.close().await?)
}
