//! The rules of consent, tested from outside: tables of examples, and properties over everything that
//! can happen.

mod addresses;
mod cadence;
mod deadlines;
mod driver;
mod interleavings;
mod keys;
mod keyword;
mod ledger;
mod opt_in;
mod outcomes;
mod permissions;
mod registry_model;
mod schedule;
mod twin;

use chrono::{DateTime, Utc};
use kopru_domain::time::parse_consent_date;

/// An instant in Turkey's wall clock: `2026-11-28 16:00:00`, seconds optional.
fn trt(text: &str) -> DateTime<Utc> {
    let padded = if text.len() == 16 { format!("{text}:00") } else { text.to_owned() };
    parse_consent_date(&padded).unwrap_or_else(|error| panic!("{text}: {error}"))
}
