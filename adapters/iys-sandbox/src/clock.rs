//! The registry's clock: the system's plus an offset that only grows.

use chrono::{DateTime, Datelike, Duration, Utc};
use tokio::sync::watch;

/// A clock that can be advanced but never turned back.
#[derive(Debug, Clone)]
pub(crate) struct Clock {
    offset: watch::Sender<Duration>,
}

/// Why the clock was not moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClockRefusal {
    /// The wanted instant lies in the registry's past.
    Backwards,
    /// The wanted instant is further away than the registry can write.
    TooFar,
}

impl Clock {
    /// A clock that is ahead of the system by `offset`.
    pub(crate) fn new(offset: Duration) -> Self {
        Self { offset: watch::Sender::new(offset) }
    }

    /// The registry's present.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        let offset = *self.offset.borrow();
        system_now().checked_add_signed(offset).unwrap_or(DateTime::<Utc>::MAX_UTC)
    }

    /// The registry's present in milliseconds since 1970.
    pub(crate) fn now_millis(&self) -> i64 {
        self.now().timestamp_millis()
    }

    /// How far the clock is ahead of the system's.
    pub(crate) fn offset(&self) -> Duration {
        *self.offset.borrow()
    }

    /// Follows the offset.
    pub(crate) fn subscribe(&self) -> watch::Receiver<Duration> {
        self.offset.subscribe()
    }

    /// The offset after moving forward by `step`.
    pub(crate) fn advanced(&self, step: Duration) -> Result<Duration, ClockRefusal> {
        if step < Duration::zero() {
            return Err(ClockRefusal::Backwards);
        }
        let offset = self.offset().checked_add(&step).ok_or(ClockRefusal::TooFar)?;
        let instant = system_now().checked_add_signed(offset).ok_or(ClockRefusal::TooFar)?;
        writable(instant).map(|()| offset)
    }

    /// The offset at which the registry's present would be `instant`. The running second is no past.
    pub(crate) fn set_to(&self, instant: DateTime<Utc>) -> Result<Duration, ClockRefusal> {
        if instant.timestamp() < self.now().timestamp() {
            return Err(ClockRefusal::Backwards);
        }
        writable(instant)?;
        Ok((instant - system_now()).max(self.offset()))
    }

    /// Takes over an offset that has been stored; a smaller one than the present is ignored, so that two
    /// callers at once cannot turn the clock back.
    pub(crate) fn publish(&self, offset: Duration) {
        self.offset.send_if_modified(|present| {
            let moved = offset > *present;
            if moved {
                *present = offset;
            }
            moved
        });
    }
}

/// Whether an instant can still be written with a year of four digits.
fn writable(instant: DateTime<Utc>) -> Result<(), ClockRefusal> {
    if instant.year() < 9999 { Ok(()) } else { Err(ClockRefusal::TooFar) }
}

/// The system's time: the one place where it is read.
#[expect(clippy::disallowed_methods, reason = "this is the simulator's clock")]
fn system_now() -> DateTime<Utc> {
    Utc::now()
}

/// Reads a length of time such as `65m`, `2h`, `4d`, `90s` or `1h30m`.
pub(crate) fn parse_step(text: &str) -> Option<Duration> {
    let mut total = Duration::zero();
    let mut rest = text.trim();
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let amount: i64 = rest.get(..digits)?.parse().ok()?;
        let unit = rest.get(digits..=digits)?;
        let part = match unit {
            "s" => Duration::try_seconds(amount),
            "m" => Duration::try_minutes(amount),
            "h" => Duration::try_hours(amount),
            "d" => Duration::try_days(amount),
            _ => None,
        }?;
        total = total.checked_add(&part)?;
        rest = &rest[digits + 1..];
    }
    Some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_read() {
        assert_eq!(parse_step("65m"), Some(Duration::minutes(65)));
        assert_eq!(parse_step("1h30m"), Some(Duration::minutes(90)));
        assert_eq!(parse_step("4d"), Some(Duration::days(4)));
        assert_eq!(parse_step("90s"), Some(Duration::seconds(90)));
        for text in ["", "m", "5", "-5m", "5w", "5 m", "99999999999999999999s", "9223372036854775807d", "5ş"]
        {
            assert_eq!(parse_step(text), None, "{text}");
        }
    }

    #[test]
    fn the_clock_never_goes_back() {
        let clock = Clock::new(Duration::hours(1));
        let now = clock.now();
        assert_eq!(clock.set_to(now - Duration::minutes(1)), Err(ClockRefusal::Backwards));
        assert_eq!(clock.advanced(Duration::seconds(-1)), Err(ClockRefusal::Backwards));
        assert_eq!(clock.advanced(Duration::MAX), Err(ClockRefusal::TooFar));
        clock.publish(Duration::minutes(30));
        assert_eq!(clock.offset(), Duration::hours(1));
        clock.publish(clock.advanced(Duration::hours(2)).unwrap());
        assert_eq!(clock.offset(), Duration::hours(3));
    }

    #[test]
    fn subscribers_see_each_move() {
        let clock = Clock::new(Duration::zero());
        let mut offsets = clock.subscribe();
        clock.publish(Duration::minutes(65));
        assert!(offsets.has_changed().unwrap());
        assert_eq!(*offsets.borrow_and_update(), Duration::minutes(65));
    }
}
