//! Identities: UUIDv7 whose time part comes from a clock of ours.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::crypto::random;

/// A new id; ids of later instants sort later, up to the millisecond.
pub fn new_id(now: DateTime<Utc>) -> Uuid {
    let millis = u64::try_from(now.timestamp_millis()).unwrap_or_default();
    uuid::Builder::from_unix_timestamp_millis(millis, &random()).into_uuid()
}

/// Ids of one batch, in rising order even inside a millisecond.
pub fn new_ids(now: DateTime<Utc>, count: usize) -> Vec<Uuid> {
    let mut ids: Vec<Uuid> = (0..count).map(|_| new_id(now)).collect();
    ids.sort_unstable();
    ids
}
