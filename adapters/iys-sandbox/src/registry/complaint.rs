//! Complaints of citizens, which go from the registry to the provider and come back answered.
//!
//! The real registry takes them on its web pages and offers no method for them (they are absent from the
//! protocol), so their states are this simulator's own.

use super::Desk;
use crate::error::Result;
use crate::store::complaints::{self, Complaint, Of, State};

/// Why a complaint did not go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stay {
    /// There is none of this number.
    Unknown,
    /// It is in the wanted state or further on.
    Further,
    /// Without an answer it is not answered.
    Unanswered,
}

/// The complaints of somebody, newest first, with those sent on that are due.
pub(crate) fn list(desk: &Desk<'_>, of: Of<'_>, limit: i64) -> Result<Vec<Complaint>> {
    send_due(desk)?;
    complaints::list(desk.db, of, limit)
}

/// A complaint as it stands.
pub(crate) fn find(desk: &Desk<'_>, id: i64) -> Result<Option<Complaint>> {
    send_due(desk)?;
    complaints::find(desk.db, id)
}

fn send_due(desk: &Desk<'_>) -> Result<()> {
    match desk.settings.settings.complaint_delay_seconds {
        Some(delay) => complaints::send_due(desk.db, delay, desk.now()),
        None => Ok(()),
    }
}

/// Moves a complaint on to a later state. What is answered has been sent, at the latest at the same instant; what is
/// closed before it was sent never is.
pub(crate) fn advance(
    desk: &Desk<'_>,
    id: i64,
    state: State,
    answer: Option<String>,
) -> Result<Result<Complaint, Stay>> {
    let Some(mut complaint) = find(desk, id)? else { return Ok(Err(Stay::Unknown)) };
    if state <= complaint.state {
        return Ok(Err(Stay::Further));
    }
    let now = Some(desk.now());
    if state != State::Closed {
        complaint.sent_at = complaint.sent_at.or(now);
    }
    if state == State::Answered {
        let Some(answer) = answer.filter(|answer| !answer.trim().is_empty()) else {
            return Ok(Err(Stay::Unanswered));
        };
        (complaint.answer, complaint.answered_at) = (Some(answer), now);
    }
    if state == State::Closed {
        complaint.closed_at = now;
    }
    complaint.state = state;
    complaints::put(desk.db, &complaint)?;
    Ok(Ok(complaint))
}
