//! The registry's time format: `YYYY-MM-DD HH:mm:ss`, fixed +03:00, no zone written.
//!
//! Inside this crate an instant is a count of whole Unix seconds. The zone is a constant and never
//! tzdata, which still knows +02:00 for the winters of 2015 and 2016.

use chrono::{DateTime, NaiveDate, NaiveDateTime};

/// Turkey's offset from UTC in seconds.
const OFFSET: i64 = 3 * 3600;

/// Why a date text was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DateFault {
    /// Not of the form `YYYY-MM-DD HH:mm:ss`.
    Format,
    /// Of the form, but no such day or time.
    NotReal,
}

/// The wall-clock time in Turkey at an instant.
pub(crate) fn local(seconds: i64) -> NaiveDateTime {
    DateTime::from_timestamp(seconds + OFFSET, 0).unwrap_or_default().naive_utc()
}

/// The instant of a wall-clock time in Turkey.
pub(crate) fn instant(local: NaiveDateTime) -> i64 {
    local.and_utc().timestamp() - OFFSET
}

/// Writes an instant as the registry does.
pub(crate) fn write(seconds: i64) -> String {
    local(seconds).format("%Y-%m-%d %H:%M:%S").to_string()
}

/// Writes an instant (milliseconds since 1970) as the opt-in services do.
pub(crate) fn write_millis(millis: i64) -> String {
    format!("{}.{:03}", write(millis.div_euclid(1000)), millis.rem_euclid(1000))
}

/// Writes an instant in RFC 3339 with +03:00, for people and the control interface.
pub(crate) fn rfc3339(seconds: i64) -> String {
    local(seconds).format("%Y-%m-%dT%H:%M:%S+03:00").to_string()
}

/// Reads the registry's format.
pub(crate) fn read(text: &str) -> Result<i64, DateFault> {
    const SHAPE: &[u8; 19] = b"dddd-dd-dd dd:dd:dd";
    let bytes = text.as_bytes();
    let fits = bytes.len() == SHAPE.len()
        && bytes.iter().zip(SHAPE).all(|(byte, shape)| match shape {
            b'd' => byte.is_ascii_digit(),
            literal => byte == literal,
        });
    if !fits {
        return Err(DateFault::Format);
    }
    let number =
        |from: usize, to: usize| bytes[from..to].iter().fold(0_u32, |sum, b| sum * 10 + u32::from(b - b'0'));
    NaiveDate::from_ymd_opt(number(0, 4) as i32, number(5, 7), number(8, 10))
        .and_then(|day| day.and_hms_opt(number(11, 13), number(14, 16), number(17, 19)))
        .map(instant)
        .ok_or(DateFault::NotReal)
}

/// Reads a day, `YYYY-MM-DD`; `None` when it is of another form or not in the calendar.
pub(crate) fn read_day(text: &str) -> Option<NaiveDate> {
    let is_of_form = text.len() == 10 && text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().filter(|_| is_of_form)
}

/// The instant at which a day begins in Turkey.
pub(crate) fn day_start(day: NaiveDate) -> i64 {
    instant(NaiveDateTime::from(day))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes_turkish_wall_clock() {
        let instant = read("2026-11-20 10:05:00").unwrap();
        assert_eq!(write(instant), "2026-11-20 10:05:00");
        assert_eq!(rfc3339(instant), "2026-11-20T10:05:00+03:00");
        assert_eq!(instant, 1_795_158_300);
    }

    #[test]
    fn days_are_read_in_one_form_and_begin_at_turkish_midnight() {
        let day = read_day("2026-11-20").unwrap();
        assert_eq!(write(day_start(day)), "2026-11-20 00:00:00");
        for text in ["20.11.2026", "2026-11-31", "2026-1-20", "+026-11-20", "2026-11-20 ", "", "yesterday"] {
            assert_eq!(read_day(text), None, "{text}");
        }
    }

    #[test]
    fn winter_of_2015_is_plus_three_too() {
        assert_eq!(read("2015-12-31 03:00:00"), Ok(1_451_520_000));
    }

    #[test]
    fn tells_a_wrong_form_from_an_impossible_day() {
        for text in ["2026-11-20", "2026-11-20T10:05:00", "20-11-2026 10:05:00", "2026-11-20 10:05:00 ", ""] {
            assert_eq!(read(text), Err(DateFault::Format), "{text}");
        }
        for text in ["2026-15-01 10:05:00", "2026-02-29 10:05:00", "2026-01-01 24:00:00"] {
            assert_eq!(read(text), Err(DateFault::NotReal), "{text}");
        }
    }
}
