//! What an attempt means for its delivery, and a turn for its endpoint.
//!
//! A delivery is tried eleven times over three days. An endpoint is left alone after a turn in which it was down (no answer,
//! an overload, a wish to be left alone) or took nothing; one that takes some events and refuses others goes on, for the
//! refusals are about those events.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use kopru_store::deliveries::{AttemptRow, DeliveryRow, DeliveryState, Finish};
use kopru_store::endpoints::{EndpointRow, Standing};
use kopru_webhook::{Response, SendError};
use uuid::Uuid;

/// Waits between the attempts of a delivery, each ± 20 %.
const RETRIES: [Duration; 10] = [
    Duration::from_secs(5),
    Duration::from_mins(1),
    Duration::from_mins(5),
    Duration::from_mins(30),
    Duration::from_hours(2),
    Duration::from_hours(5),
    Duration::from_hours(10),
    Duration::from_hours(14),
    Duration::from_hours(20),
    Duration::from_hours(24),
];
/// An endpoint waits as its deliveries do, but no longer than the third time: what comes in for it once it works again is
/// not to wait for hours.
const LONGEST_PAUSE: usize = 3;
/// An endpoint that takes nothing for so long is disabled.
const DISABLE_AFTER: TimeDelta = TimeDelta::days(5);

/// `disabled_reason` of an endpoint that its owner switched off.
pub(in crate::service) const BY_OWNER: &str = "by_owner";
/// `disabled_reason` of an endpoint that said it is gone for good (410).
const GONE: &str = "gone";
/// `disabled_reason` of an endpoint that took nothing for [`DISABLE_AFTER`].
const FAILING: &str = "failing";

/// A call that was made.
pub(super) struct Sent {
    /// When (wire time).
    pub at: DateTime<Utc>,
    /// How long it took.
    pub elapsed: Duration,
    /// What came back.
    pub result: Result<Response, SendError>,
}

/// What a call says of its endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It took the event.
    Taken,
    /// It works and does not want this event.
    Refused,
    /// It cannot take anything now, and may say for how long.
    Down(Option<Duration>),
    /// It is gone for good.
    Gone,
}

/// What a call means for its delivery, and what it says of the endpoint.
pub(super) fn judge(row: &DeliveryRow, sent: &Sent, now: DateTime<Utc>) -> (Finish, Verdict) {
    let (verdict, status, error) = match &sent.result {
        Ok(answer) => {
            let error = (!answer.is_success()).then(|| format!("HTTP {}", answer.status));
            (verdict(answer), Some(i64::from(answer.status)), error)
        }
        Err(error) => (Verdict::Down(None), None, Some(error.to_string())),
    };
    let again = |asked| delay(row, asked).map(|delay| (DeliveryState::Queued, now + delay));
    let (state, next_attempt_at) = match verdict {
        Verdict::Taken => (DeliveryState::Delivered, now),
        // It goes out first if the endpoint is enabled again.
        Verdict::Gone => (DeliveryState::Queued, now),
        Verdict::Refused => again(None).unwrap_or((DeliveryState::Parked, now)),
        Verdict::Down(asked) => again(asked).unwrap_or((DeliveryState::Parked, now)),
    };
    let elapsed_ms = i64::try_from(sent.elapsed.as_millis()).unwrap_or(i64::MAX);
    let attempt = AttemptRow { attempt: row.attempt, at: sent.at, status, error, elapsed_ms };
    (Finish { state, next_attempt_at, attempt }, verdict)
}

fn verdict(answer: &Response) -> Verdict {
    match answer.status {
        _ if answer.is_success() => Verdict::Taken,
        _ if answer.is_gone() => Verdict::Gone,
        // Time-out of the receiver, too many requests, and the gateways before it.
        408 | 429 | 502 | 503 | 504 => Verdict::Down(answer.retry_after),
        _ if answer.retry_after.is_some() => Verdict::Down(answer.retry_after),
        _ => Verdict::Refused,
    }
}

/// A delivery whose event cannot be read is given up: trying again would not help.
pub(super) fn unreadable(row: &DeliveryRow, at: DateTime<Utc>, now: DateTime<Utc>) -> Finish {
    let error = Some("the event cannot be read".to_owned());
    let attempt = AttemptRow { attempt: row.attempt, at, status: None, error, elapsed_ms: 0 };
    Finish { state: DeliveryState::Parked, next_attempt_at: now, attempt }
}

/// What the calls of a turn have said so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    taken: bool,
    refused: bool,
    down: bool,
    gone: bool,
    asked: Option<Duration>,
}

impl Tally {
    /// Counts a call.
    pub fn add(&mut self, verdict: Verdict) {
        match verdict {
            Verdict::Taken => self.taken = true,
            Verdict::Refused => self.refused = true,
            Verdict::Down(asked) => {
                self.down = true;
                self.asked = self.asked.max(asked);
            }
            Verdict::Gone => self.gone = true,
        }
    }

    /// Whether no further call is to be made in this turn.
    pub fn stops(&self) -> bool {
        self.gone || self.down || (self.refused && !self.taken)
    }

    /// How the endpoint stands after the turn.
    pub fn standing(&self, before: &EndpointRow, now: DateTime<Utc>) -> Standing {
        if !self.stops() {
            return if self.taken {
                Standing { failures: 0, wait_until: None, failing_since: None }
            } else {
                // There was no call.
                let EndpointRow { failures, wait_until, failing_since, .. } = *before;
                Standing { failures, wait_until, failing_since }
            };
        }
        let (failures, since) = if self.taken {
            (1, now)
        } else {
            (before.failures.saturating_add(1), before.failing_since.unwrap_or(now))
        };
        let pause = pause(before.id, failures).max(self.asked.unwrap_or_default());
        let pause = TimeDelta::from_std(pause).unwrap_or(TimeDelta::days(1));
        Standing { failures, wait_until: Some(now + pause), failing_since: Some(since) }
    }

    /// Why the endpoint is to be disabled after the turn, if it is.
    pub fn disables(&self, after: Standing, now: DateTime<Utc>) -> Option<&'static str> {
        let long = after.failing_since.is_some_and(|since| now - since >= DISABLE_AFTER);
        match self.stops() {
            true if self.gone => Some(GONE),
            true if long => Some(FAILING),
            _ => None,
        }
    }
}

/// How long an endpoint is left alone after so many turns in a row that failed.
fn pause(endpoint: Uuid, failures: i64) -> Duration {
    let place = usize::try_from(failures - 1).unwrap_or_default().min(LONGEST_PAUSE - 1);
    RETRIES[place].mul_f64(spread(endpoint, failures.unsigned_abs()))
}

/// How long to wait after an attempt; `None` when it was the last. What the receiver asks for counts, if it is longer.
fn delay(row: &DeliveryRow, asked: Option<Duration>) -> Option<TimeDelta> {
    let place = usize::try_from(row.attempt - 1).ok()?;
    let seed = row.change_seq.unsigned_abs().wrapping_mul(31).wrapping_add(row.attempt.unsigned_abs());
    let wait = RETRIES.get(place)?.mul_f64(spread(row.endpoint_id, seed)).max(asked.unwrap_or_default());
    TimeDelta::from_std(wait).ok()
}

/// 0.8 to 1.2, different for each endpoint and seed, the same when computed again.
fn spread(endpoint: Uuid, seed: u64) -> f64 {
    let (_, low) = endpoint.as_u64_pair();
    let mixed = low.wrapping_add(seed).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    0.8 + 0.4 * ((mixed >> 11) as f64 / (1_u64 << 53) as f64)
}

#[cfg(test)]
mod tests;
