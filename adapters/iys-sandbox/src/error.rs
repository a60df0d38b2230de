//! What can go wrong inside the simulator itself, as opposed to the refusals it simulates.

/// A failure of the simulator.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The data file could not be read or written.
    #[error("the sandbox's database failed")]
    Database(#[from] rusqlite::Error),
    /// The data file was written by a newer version of this crate.
    #[error("the data file has schema version {found}, this program knows up to {known}")]
    SchemaTooNew {
        /// The version found in the file.
        found: i64,
        /// The newest version this program can read.
        known: i64,
    },
    /// A stored value is not one this program wrote.
    #[error("the data file holds an unusable value in {0}")]
    Corrupt(&'static str),
    /// A scenario cannot be used.
    #[error("the scenario cannot be used")]
    Scenario(#[from] crate::scenario::ScenarioError),
    /// A value could not be turned into JSON or back.
    #[error("a stored JSON value could not be read or written")]
    Json(#[from] serde_json::Error),
    /// The system's random source failed.
    #[error("the system has no random numbers to give")]
    Random(#[from] getrandom::Error),
    /// The listening socket or the data file failed.
    #[error("the socket or the data file failed")]
    Io(#[from] std::io::Error),
    /// A time stamp could not be written down.
    #[error("a time stamp could not be encoded")]
    Encoding(#[from] der::Error),
    /// A time stamp could not be signed.
    #[error("a time stamp could not be signed")]
    Signing(#[from] aws_lc_rs::error::Unspecified),
    /// The HTTP client for pushes could not be made, or could not write a request.
    #[error("a push could not be prepared")]
    Push(#[from] reqwest::Error),
    /// A piece of work was lost because the runtime is shutting down.
    #[error("a piece of work was interrupted")]
    Interrupted(#[from] tokio::task::JoinError),
}

/// A result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;
