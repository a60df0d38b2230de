//! Times as vendors write them. Without a zone they are of Turkey: +03:00 all year since 2016.

use chrono::{DateTime, FixedOffset, NaiveDateTime, TimeZone, Utc};

/// How vendors write a time without a zone.
const FORMS: [&str; 9] = [
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%d %H:%M",
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y %H:%M",
    "%d/%m/%Y %H:%M:%S",
    "%d/%m/%Y %H:%M",
    "%d%m%Y%H%M%S",
    "%d%m%Y%H%M",
];
/// Turkey's offset.
const TURKEY: i32 = 3 * 60 * 60;

/// The instant that the text means, or `None` for a form that no vendor uses.
pub(super) fn parse(text: &str) -> Option<DateTime<Utc>> {
    let text = text.trim();
    let zoned = DateTime::parse_from_rfc3339(text)
        .or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S %z"))
        .or_else(|_| DateTime::parse_from_rfc2822(text));
    if let Ok(time) = zoned {
        return Some(time.with_timezone(&Utc));
    }
    // Unix seconds and milliseconds of this century; 12 and 14 digits are dates
    match (text.len(), text.parse::<i64>()) {
        (10, Ok(seconds)) => return DateTime::from_timestamp(seconds, 0),
        (13, Ok(milliseconds)) => return DateTime::from_timestamp_millis(milliseconds),
        _ => {}
    }
    let time = FORMS.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())?;
    Some(FixedOffset::east_opt(TURKEY)?.from_local_datetime(&time).single()?.with_timezone(&Utc))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_means_the_same_instant() {
        let expected = DateTime::parse_from_rfc3339("2026-11-28T21:05:00+03:00").unwrap();
        for text in [
            "2026-11-28 21:05:00",
            "2026-11-28 21:05:00.000",
            "2026-11-28T21:05:00.000+03:00",
            "2026-11-28T18:05:00Z",
            "2026-11-28 18:05:00 +0000",
            "Sat, 28 Nov 2026 18:05:00 +0000",
            "28.11.2026 21:05:00",
            "28.11.2026 21:05",
            "28/11/2026 21:05",
            "28112026210500",
            "281120262105",
            "1795889100",
            "1795889100000",
            " 2026-11-28 21:05 ",
        ] {
            assert_eq!(parse(text), Some(expected.to_utc()), "{text}");
        }
        for text in ["", "yesterday", "2026-13-01 00:00:00", "32.01.2026 00:00", "12"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
