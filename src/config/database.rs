//! Section `[database]`.

use std::fmt;
use std::path::PathBuf;

use serde::Deserialize;
use url::Url;

use super::value;

/// Storage.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// `sqlite://PATH` or `postgres://…`; `None` = `sqlite://{data_dir}/kopru.db`. May hold a password.
    #[serde(deserialize_with = "value::optional")]
    pub url: Option<String>,
    /// A file with the address in it.
    #[serde(deserialize_with = "value::optional_path")]
    pub url_file: Option<PathBuf>,
    /// Connections to PostgreSQL; SQLite takes one for writing and at most four of these for reading.
    pub connections: u32,
    /// Whether the schema is brought up to date at start.
    pub migrate: bool,
}

impl Database {
    /// The address without its password, for people.
    pub fn redacted_url(&self) -> Option<String> {
        let url = self.url.as_deref()?;
        if url.starts_with("sqlite:") {
            return Some(url.to_owned());
        }
        let Ok(mut url) = Url::parse(url) else { return Some("[unreadable]".to_owned()) };
        if url.password().is_some() && url.set_password(Some("***")).is_err() {
            return Some("[unreadable]".to_owned());
        }
        // A password may also stand in the query.
        if url.query().is_some() {
            url.set_query(Some("***"));
        }
        Some(url.to_string())
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database")
            .field("url", &self.redacted_url())
            .field("url_file", &self.url_file)
            .field("connections", &self.connections)
            .field("migrate", &self.migrate)
            .finish()
    }
}
