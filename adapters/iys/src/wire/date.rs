//! The registry's way to write an instant: `YYYY-MM-DD HH:mm:ss` in Turkey's time, without zone and fraction.

use chrono::{DateTime, FixedOffset, NaiveDateTime, SubsecRound, TimeZone};

/// The registry's form of an instant, in `chrono`'s notation.
pub const DATE_FORMAT: &str = "%Y-%m-%d %H:%M:%S";

/// Turkey's zone: UTC+03:00 the whole year (no summer time since 2016), and what the registry uses throughout.
pub const TURKEY: FixedOffset = match FixedOffset::east_opt(3 * 3600) {
    Some(offset) => offset,
    None => panic!("three hours are less than a day"),
};

/// A text that is no instant of the registry's form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an instant of the form YYYY-MM-DD HH:mm:ss")]
pub struct DateError;

/// Reads an instant of the registry: `2026-11-20 10:05:00`, meant at +03:00.
///
/// A fraction of a second is accepted and kept (opt-in answers carry one), as is RFC 3339 with an offset, which some of
/// the registry's schema examples show. The answer is always at +03:00.
///
/// # Errors
/// [`DateError`] when the text is neither; the empty string, which the change feed has for some merchants, among them.
pub fn parse_date(text: &str) -> Result<DateTime<FixedOffset>, DateError> {
    let text = text.trim();
    if !has_the_shape(text) {
        return Err(DateError);
    }
    if let Ok(local) = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f") {
        return local.and_local_timezone(TURKEY).single().ok_or(DateError);
    }
    DateTime::parse_from_rfc3339(text).map(|instant| instant.with_timezone(&TURKEY)).map_err(|_| DateError)
}

/// `chrono` takes one-digit months and leading blanks; the registry does not write them.
fn has_the_shape(text: &str) -> bool {
    let shape = b"0000-00-00 00:00:00";
    text.len() >= shape.len()
        && text.bytes().zip(shape).all(|(found, wanted)| match wanted {
            b'0' => found.is_ascii_digit(),
            b' ' => found == b' ' || found == b'T',
            _ => found == *wanted,
        })
}

/// Writes an instant in the registry's form at +03:00, the fraction of a second cut off.
pub fn format_date<Z: TimeZone>(instant: &DateTime<Z>) -> String {
    instant.with_timezone(&TURKEY).trunc_subsecs(0).format(DATE_FORMAT).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_read_at_plus_three() {
        let instant = parse_date("2026-11-20 10:05:00").unwrap();
        assert_eq!(instant.to_rfc3339(), "2026-11-20T10:05:00+03:00");
        assert_eq!(instant.to_utc().to_rfc3339(), "2026-11-20T07:05:00+00:00");
    }

    #[test]
    fn other_spellings_are_read_and_come_out_at_plus_three() {
        for (text, expected) in [
            ("2024-07-09 10:43:16.038", "2024-07-09T10:43:16.038+03:00"),
            ("2024-07-09 10:43:16.05", "2024-07-09T10:43:16.050+03:00"),
            ("2026-11-20T07:05:00Z", "2026-11-20T10:05:00+03:00"),
            ("2026-11-20T10:05:00+03:00", "2026-11-20T10:05:00+03:00"),
        ] {
            assert_eq!(parse_date(text).unwrap().to_rfc3339(), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_instant_is_refused() {
        for text in [
            "",
            "2026-11-20",
            "20.11.2026 10:05:00",
            "2026-02-30 10:05:00",
            "2026-1-20 10:05:00",
            "2026-11-20 24:00:00",
            "2026-11-20T10:05:00",
        ] {
            assert!(parse_date(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn summer_has_the_same_offset() {
        let instant = DateTime::parse_from_rfc3339("2026-07-01T21:30:00Z").unwrap();
        assert_eq!(format_date(&instant), "2026-07-02 00:30:00");
    }

    #[test]
    fn the_fraction_is_cut_not_rounded() {
        let instant = DateTime::parse_from_rfc3339("2026-11-20T10:05:00.999+03:00").unwrap();
        assert_eq!(format_date(&instant), "2026-11-20 10:05:00");
    }
}
