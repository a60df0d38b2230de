//! The change feed (protocol 4.10).

use iys::wire::{Change, ChangesPage};

use super::Desk;
use super::access::Access;
use super::answer::{Answer, Outcome};
use super::operation::Call;
use super::status::listed;
use crate::rules::effect;
use crate::rules::query::{FEED, FEED_MAX, FeedCase, Number};
use crate::store::consents::{self, Cursor, FeedPart, Movement, Side};
use crate::words::{Channel, FIRST_TIME_ON_WEB, LINE_CLOSED};

/// A page of movements, oldest first; 204 when there is none.
pub(crate) fn changes(desk: &Desk<'_>, call: &Call, access: &Access) -> Outcome {
    let case = FeedCase {
        source: call.parameter("source").unwrap_or("IYS"),
        limit: Number(call.parameter("limit")),
        after: call.parameter("after"),
    };
    desk.settings.all(FEED, |check| check(&case))?;
    let settings = &desk.settings.settings;
    let delay = if desk.settings.is_on(effect::FEED_DELAY) { settings.feed_delay_seconds } else { 0 };
    let from = if desk.settings.is_on(effect::FEED_WINDOW) {
        desk.now().saturating_sub(settings.feed_window_seconds)
    } else {
        0
    };
    let channels = if desk.settings.is_on(effect::FEED_RIGHTS) {
        access.readable()
    } else {
        vec![Channel::Call, Channel::Message, Channel::Email]
    };
    let movements = consents::feed(
        desk.db,
        &FeedPart {
            brand_code: access.brand_code,
            side: Side::parse(case.source).unwrap_or(Side::Registry),
            from,
            // Never the running second: what is still written in it could come before the cursor.
            until: desk.now().saturating_sub(delay.max(1)),
            after: case.after.and_then(Cursor::parse),
            channels,
            limit: case.limit.or(FEED_MAX).unwrap_or(FEED_MAX),
        },
    )?;
    let Some(last) = movements.last() else { return Ok(Answer::Empty(204)) };
    let after = Some(last.cursor().write());
    let list = movements.into_iter().map(told).collect();
    Ok(Answer::ok(&ChangesPage { after, list })?)
}

/// A movement as the feed tells it.
fn told(movement: Movement) -> Change {
    let mut change = listed(movement);
    let source = change.source.as_deref();
    if source != Some(FIRST_TIME_ON_WEB) {
        change.citizen_name = None;
    }
    // A closed line repeats the last known date, which merchants may not have: then the field is empty.
    if source == Some(LINE_CLOSED) && change.consent_date.is_none() {
        change.consent_date = Some(String::new());
    }
    change
}
