//! The `Retry-After` header (RFC 9110 section 10.2.3).

use std::time::Duration;

use chrono::NaiveDateTime;

/// The longest wait that is passed on. Nobody means more, and a careless number must not overflow a caller's sum.
const LONGEST: Duration = Duration::from_hours(7 * 24);

/// How long the receiver wants to be left alone, at most seven days.
///
/// A number counts seconds. A date is compared with the receiver's own `date` header, which takes its clock's error
/// out, or with `now_unix` where there is none; a date that has passed means zero. Anything else is no wish at all.
pub(crate) fn parse(value: &str, date: Option<&str>, now_unix: i64) -> Option<Duration> {
    let value = value.trim();
    let wait = if !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()) {
        Duration::from_secs(value.parse().unwrap_or(u64::MAX))
    } else {
        let from = date.and_then(unix_seconds).unwrap_or(now_unix);
        Duration::from_secs(unix_seconds(value)?.saturating_sub(from).try_into().unwrap_or(0))
    };
    Some(wait.min(LONGEST))
}

/// The three forms of an HTTP date, all of which a recipient must read (RFC 9110 section 5.6.7).
fn unix_seconds(text: &str) -> Option<i64> {
    const FORMS: [&str; 3] =
        ["%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"];
    FORMS
        .iter()
        .find_map(|form| NaiveDateTime::parse_from_str(text.trim(), form).ok())
        .map(|instant| instant.and_utc().timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: i64 = 1_795_348_800; // Sun, 22 Nov 2026 12:00:00 GMT

    #[test]
    fn table() {
        let seconds = |n| Some(Duration::from_secs(n));
        let cases = [
            ("120", None, seconds(120)),
            (" 0 ", None, seconds(0)),
            ("99999999999999999999999", None, Some(LONGEST)),
            ("Sun, 22 Nov 2026 12:05:00 GMT", None, seconds(300)),
            ("Sunday, 22-Nov-26 12:05:00 GMT", None, seconds(300)),
            ("Sun Nov 22 12:05:00 2026", None, seconds(300)),
            // The receiver's clock is an hour behind: five minutes are five minutes.
            ("Sun, 22 Nov 2026 11:05:00 GMT", Some("Sun, 22 Nov 2026 11:00:00 GMT"), seconds(300)),
            ("Sun, 22 Nov 2026 12:05:00 GMT", Some("nonsense"), seconds(300)),
            ("Sun, 22 Nov 2026 11:59:59 GMT", None, seconds(0)),
            ("Fri, 01 Jan 2100 00:00:00 GMT", None, Some(LONGEST)),
            ("-5", None, None),
            ("1.5", None, None),
            ("soon", None, None),
            ("", None, None),
            ("Mon, 22 Nov 2026 12:05:00 GMT", None, None),
        ];
        for (value, date, expected) in cases {
            assert_eq!(parse(value, date, NOON), expected, "{value:?} {date:?}");
        }
    }
}
