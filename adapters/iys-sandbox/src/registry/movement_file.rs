//! The file of a day's movements (protocol 4.18), part by part, so that no day is too long for memory.
//!
//! A day that is over changes no more: movements are written in the order of time, and lists that were
//! due in it are processed before anybody is served. So the parts of a file fit together, however far
//! apart they are read.

use rusqlite::Connection;

use crate::error::Result;
use crate::store::consents::{self, Cursor, Movement};
use crate::store::reports::Day;
use crate::wire_time;

/// The first line.
const HEADER: &str = "creationDate,transactionId,recipient,recipientType,type,status,consentDate,source\n";
/// How many movements make a part.
const PART: i64 = 5_000;

/// The part behind a cursor, or the first, and the cursor behind it; `None` at the end. A day without
/// movements has no parts.
pub(crate) fn part(db: &Connection, day: Day, after: Option<Cursor>) -> Result<Option<(String, Cursor)>> {
    let movements = consents::of_day(db, day, after, PART)?;
    let Some(last) = movements.last().map(Movement::cursor) else { return Ok(None) };
    let mut text = if after.is_none() { HEADER.to_owned() } else { String::new() };
    for movement in &movements {
        line(&mut text, movement);
    }
    Ok(Some((text, last)))
}

/// Writes a movement. No value has a comma or a quotation mark in it; a merchant's first record may have
/// neither date nor source, and its fields are empty then.
fn line(text: &mut String, movement: &Movement) {
    let consent_date = movement.consent_date.map(wire_time::write).unwrap_or_default();
    for field in [
        wire_time::write(movement.created_at).as_str(),
        &hex::encode(movement.transaction_id),
        &movement.recipient,
        movement.recipient_type.as_str(),
        movement.channel.as_str(),
        movement.status.as_str(),
        &consent_date,
    ] {
        text.push_str(field);
        text.push(',');
    }
    text.push_str(movement.source.as_deref().unwrap_or_default());
    text.push('\n');
}
