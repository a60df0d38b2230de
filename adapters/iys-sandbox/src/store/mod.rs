//! The registry's memory: plain SQL over one SQLite connection, no rules.
//!
//! Every function takes the connection, so the caller decides what one transaction is.

pub(crate) mod accounts;
pub(crate) mod batches;
pub(crate) mod citizens;
pub(crate) mod complaints;
pub(crate) mod consents;
pub(crate) mod evidence;
pub(crate) mod facts;
pub(crate) mod opt_in;
pub(crate) mod outbox;
pub(crate) mod pass;
pub(crate) mod providers;
pub(crate) mod push;
pub(crate) mod reject_links;
pub(crate) mod reports;
pub(crate) mod retailers;
pub(crate) mod schema;
pub(crate) mod via;

use rusqlite::Row;

use crate::error::Result;

/// Reads a text column that holds one of our own words.
pub(crate) fn word<T>(
    row: &Row<'_>,
    column: usize,
    parse: impl Fn(&str) -> Option<T>,
) -> rusqlite::Result<T> {
    let value = row.get_ref(column)?;
    value
        .as_str()
        .ok()
        .and_then(parse)
        .ok_or_else(|| rusqlite::Error::InvalidColumnType(column, "word".to_owned(), value.data_type()))
}

/// A random one-time code of six digits.
pub(crate) fn random_code() -> Result<String> {
    Ok(format!("{:06}", getrandom::u32()? % 1_000_000))
}

/// Random letters and digits for passwords and names of tokens.
pub(crate) fn random_text(bytes: usize) -> Result<String> {
    let mut buffer = vec![0_u8; bytes];
    getrandom::fill(&mut buffer)?;
    Ok(hex::encode(buffer))
}
