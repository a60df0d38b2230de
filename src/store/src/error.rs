//! What can go wrong in storage.

use rusqlite::ffi::{SQLITE_CONSTRAINT_PRIMARYKEY, SQLITE_CONSTRAINT_ROWID, SQLITE_CONSTRAINT_UNIQUE};

/// An error of the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database refused or could not be reached; trying again may help.
    #[error("the database did not answer as expected")]
    Database(#[source] sqlx::Error),
    /// SQLite refused; trying again may help.
    #[error("the database did not answer as expected")]
    Sqlite(#[source] rusqlite::Error),
    /// A statement of this transaction has failed, and with it the transaction.
    #[error("the transaction was undone by a statement that failed")]
    Undone,
    /// A row of that identity exists already.
    #[error("{what} exists already")]
    Conflict {
        /// What exists, by name.
        what: &'static str,
    },
    /// A stored value cannot be read: damage, or a newer version wrote it.
    #[error("stored data of {what} cannot be read: {detail}")]
    Corrupt {
        /// Table or column.
        what: &'static str,
        /// Never personal data.
        detail: String,
    },
    /// The master key does not belong to this database.
    #[error("this master key is not the one that the database was created with (expected key id {expected})")]
    WrongMasterKey {
        /// Key id in the database.
        expected: String,
    },
    /// A migration failed or the database is newer than this program.
    #[error("the database schema could not be brought up to date")]
    Migration(#[source] sqlx::migrate::MigrateError),
    /// The database address cannot be used.
    #[error("{0}")]
    Address(String),
}

/// Shorthand.
pub type Result<T> = std::result::Result<T, StoreError>;

impl StoreError {
    pub(crate) fn corrupt(what: &'static str, detail: &str) -> Self {
        Self::Corrupt { what, detail: detail.chars().take(40).collect() }
    }

    /// Whether the database itself could not be reached: every other request would fail alike.
    pub fn is_unavailable(&self) -> bool {
        matches!(
            self,
            Self::Database(
                sqlx::Error::Io(_)
                    | sqlx::Error::PoolTimedOut
                    | sqlx::Error::PoolClosed
                    | sqlx::Error::WorkerCrashed
            )
        )
    }

    /// Whether a unique constraint was violated.
    pub fn is_conflict(&self) -> bool {
        match self {
            Self::Conflict { .. } => true,
            Self::Database(error) => {
                error.as_database_error().is_some_and(sqlx::error::DatabaseError::is_unique_violation)
            }
            Self::Sqlite(rusqlite::Error::SqliteFailure(error, _)) => matches!(
                error.extended_code,
                SQLITE_CONSTRAINT_UNIQUE | SQLITE_CONSTRAINT_PRIMARYKEY | SQLITE_CONSTRAINT_ROWID
            ),
            _ => false,
        }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<sqlx::migrate::MigrateError> for StoreError {
    fn from(error: sqlx::migrate::MigrateError) -> Self {
        Self::Migration(error)
    }
}
