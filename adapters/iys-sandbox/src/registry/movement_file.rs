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
    part_of(db, day, after, PART)
}

fn part_of(
    db: &Connection,
    day: Day,
    after: Option<Cursor>,
    length: i64,
) -> Result<Option<(String, Cursor)>> {
    let movements = consents::of_day(db, day, after, length)?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draft::{Consent, Key};
    use crate::store::consents::Origin;
    use crate::store::schema;
    use crate::words::{Channel, RecipientType, Status};

    #[test]
    fn parts_of_any_length_make_the_same_file_and_keep_to_the_day() {
        let db = Connection::open_in_memory().unwrap();
        schema::prepare(&db).unwrap();
        let day = Day { brand_code: 1, start: 86_400, end: 2 * 86_400 };
        // Three to a second, the second and third of one address; one before the day, one behind it.
        let instants = [day.start - 1, day.start, day.start, day.start, day.end - 1, day.end - 1, day.end];
        for (number, at) in instants.into_iter().enumerate() {
            for brand_code in [1, 2] {
                let recipient = format!("+9055511122{:02}", if number == 3 { 2 } else { number });
                let key =
                    Key { recipient, recipient_type: RecipientType::Individual, channel: Channel::Call };
                let current = consents::find_current(&db, brand_code, &key).unwrap();
                let consent = Consent {
                    key,
                    status: Status::Approval,
                    source: Some("HS_WEB".to_owned()),
                    date: Some(at - 60),
                    retailer_code: None,
                    retailer_access: Vec::new(),
                };
                let origin = Origin { is_registry: number % 2 == 1, ..Origin::default() };
                consents::record(&db, brand_code, &consent, current.as_ref(), &origin, at, false).unwrap();
            }
        }
        let whole = |length: i64| {
            let (mut file, mut after) = (String::new(), None);
            while let Some((text, last)) = part_of(&db, day, after, length).unwrap() {
                file.push_str(&text);
                after = Some(last);
            }
            file
        };
        let file = whole(PART);
        assert_eq!(file.lines().count(), 1 + 5, "{file}");
        assert!(
            file.starts_with(HEADER) && !file.contains("+905551112200") && !file.contains("+905551112206")
        );
        for length in 1..=6 {
            assert_eq!(whole(length), file, "parts of {length}");
        }
    }
}
