//! Dates as the registry writes them: Turkey time, fixed at +03:00.
//!
//! Never tzdata: its Turkey had +02:00 in the winters up to 2016, while the registry's dates are
//! GMT+3 all year (rules.md section 2.1), so a date of 2015 would shift by an hour.

use chrono::{
    DateTime, Datelike as _, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, SubsecRound, Timelike as _,
    Utc,
};

use crate::lang::Text;

const TRT: FixedOffset = match FixedOffset::east_opt(3 * 3_600) {
    Some(zone) => zone,
    None => panic!("three hours are a valid offset"),
};

/// Turkey's zone: +03:00, all year, in every year.
pub const fn trt() -> FixedOffset {
    TRT
}

/// Why a text is no date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum DateError {
    /// The text has neither the registry's form nor that of RFC 3339.
    #[error("date is neither 'YYYY-MM-DD HH:mm:ss' nor RFC 3339")]
    Format,
    /// RFC 3339 without an offset: it does not say which instant is meant.
    #[error("date of the form 'YYYY-MM-DDTHH:mm:ss' lacks its offset")]
    NoOffset,
    /// The form is right, but there is no such day or time of day.
    #[error("no such date or time of day")]
    NotReal,
}

impl DateError {
    /// The registry's code for it (registry-protocol section 5.1).
    pub const fn h_code(self) -> &'static str {
        match self {
            Self::Format | Self::NoOffset => "H158",
            Self::NotReal => "H157",
        }
    }

    /// What is wrong and what to write instead.
    pub const fn text(self) -> Text {
        match self {
            Self::Format => Text::fixed(
                "tarih YYYY-AA-GG SS:dd:ss biçiminde (Türkiye saati) ya da saat farkı yazılmış RFC 3339 biçiminde olmalıdır",
                "write the date as YYYY-MM-DD HH:mm:ss (Turkey time) or as RFC 3339 with an offset",
            ),
            Self::NoOffset => Text::fixed(
                "T harfiyle yazılan tarihte saat farkı da bulunmalıdır, örneğin +03:00",
                "a date written with T needs its offset, for example +03:00",
            ),
            Self::NotReal => {
                Text::fixed("böyle bir gün ya da saat yok", "there is no such day or time of day")
            }
        }
    }
}

/// Reads a consentDate as clients may send it: `YYYY-MM-DD HH:mm:ss` in Turkey time, or RFC 3339
/// with an offset. A fraction of a second is cut off, because the registry keeps none.
pub fn parse_consent_date(text: &str) -> Result<DateTime<Utc>, DateError> {
    let (head, tail) = split(text.trim())?;
    let tail = fraction(tail)?;
    if tail.is_empty() {
        return if head.separator == b' ' { from_local(head.local()?) } else { Err(DateError::NoOffset) };
    }
    let seconds_east = offset(tail)?;
    let zone = FixedOffset::east_opt(seconds_east).ok_or(DateError::NotReal)?;
    let utc = head.local()?.checked_sub_offset(zone).ok_or(DateError::NotReal)?;
    Ok(utc.and_utc())
}

/// Reads a date as the registry writes it: `YYYY-MM-DD HH:mm:ss` in Turkey time. Some of its
/// answers carry a fraction (registry-protocol section 2), which is cut off.
pub fn parse_registry(text: &str) -> Result<DateTime<Utc>, DateError> {
    let (head, tail) = split(text.trim())?;
    let rest = if tail.is_empty() { tail } else { fraction(tail)? };
    if head.separator == b' ' && rest.is_empty() { from_local(head.local()?) } else { Err(DateError::Format) }
}

/// Writes an instant as the registry does: `YYYY-MM-DD HH:mm:ss` in Turkey time.
pub fn format_registry(instant: DateTime<Utc>) -> String {
    write_wall(local(truncate_seconds(instant)), ' ', "")
}

/// Writes an instant as our own interfaces do: RFC 3339 with +03:00, whole seconds where possible, else milli-, micro- or
/// nanoseconds.
pub fn format_rfc3339(instant: DateTime<Utc>) -> String {
    write_wall(local(instant), 'T', "+03:00")
}

/// Every event and every filing has a few dates, and the general way through formatting costs five times as much.
fn write_wall(wall: NaiveDateTime, between: char, zone: &str) -> String {
    let (Ok(year @ 0..=9_999), nanosecond @ 0..1_000_000_000) =
        (u32::try_from(wall.year()), wall.nanosecond())
    else {
        // Years of five digits, and leap seconds.
        return format!("{:?}{between}{:?}{zone}", wall.date(), wall.time());
    };
    let mut out = String::with_capacity(35);
    push_digits(&mut out, year, 4);
    for (mark, value) in [
        ('-', wall.month()),
        ('-', wall.day()),
        (between, wall.hour()),
        (':', wall.minute()),
        (':', wall.second()),
    ] {
        out.push(mark);
        push_digits(&mut out, value, 2);
    }
    let (fraction, digits) = match nanosecond {
        0 => (0, 0),
        n if n % 1_000_000 == 0 => (n / 1_000_000, 3),
        n if n % 1_000 == 0 => (n / 1_000, 6),
        n => (n, 9),
    };
    if digits > 0 {
        out.push('.');
        push_digits(&mut out, fraction, digits);
    }
    out.push_str(zone);
    out
}

fn push_digits(out: &mut String, value: u32, digits: u32) {
    for place in (0..digits).rev() {
        out.push(char::from_digit(value / 10_u32.pow(place) % 10, 10).unwrap_or('0'));
    }
}

/// Cuts an instant to microseconds, the precision both databases keep, so that a value reads back
/// equal from either.
pub fn truncate_micros(instant: DateTime<Utc>) -> DateTime<Utc> {
    instant.trunc_subsecs(6)
}

/// Cuts an instant to whole seconds, the precision of the registry.
pub fn truncate_seconds(instant: DateTime<Utc>) -> DateTime<Utc> {
    instant.trunc_subsecs(0)
}

/// The wall clock in Turkey at an instant. At the very ends of time, where three hours do not fit,
/// the clock stands.
pub fn local(instant: DateTime<Utc>) -> NaiveDateTime {
    let utc = instant.naive_utc();
    utc.checked_add_offset(TRT).unwrap_or(utc)
}

/// The instant at which Turkey's wall clock shows a date and time; the reverse of [`local`].
pub fn instant(date: NaiveDate, time: NaiveTime) -> DateTime<Utc> {
    let wall = date.and_time(time);
    wall.checked_sub_offset(TRT).unwrap_or(wall).and_utc()
}

/// Serde form of an instant in our own interfaces: written in RFC 3339 with +03:00, read with any
/// offset. Use with `#[serde(with = "kopru_domain::time::rfc3339")]`.
pub mod rfc3339 {
    use chrono::{DateTime, Utc};
    use serde::{Deserialize, Deserializer, Serializer};

    /// Writes RFC 3339 with +03:00.
    pub fn serialize<S: Serializer>(instant: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&super::format_rfc3339(*instant))
    }

    /// Reads RFC 3339 with any offset.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DateTime<Utc>, D::Error> {
        DateTime::<Utc>::deserialize(deserializer)
    }
}

/// The first 19 characters of a date: `YYYY-MM-DD?HH:mm:ss`, numbers not yet checked.
struct Head {
    separator: u8,
    date: (u32, u32, u32),
    time: (u32, u32, u32),
}

impl Head {
    fn local(&self) -> Result<NaiveDateTime, DateError> {
        let (year, month, day) = self.date;
        let (hour, minute, second) = self.time;
        i32::try_from(year)
            .ok()
            .and_then(|year| NaiveDate::from_ymd_opt(year, month, day))
            .and_then(|date| date.and_hms_opt(hour, minute, second))
            .ok_or(DateError::NotReal)
    }
}

fn split(text: &str) -> Result<(Head, &[u8]), DateError> {
    const SHAPE: &[u8; 19] = b"dddd-dd-dd?dd:dd:dd";
    let (head, tail) = text.as_bytes().split_first_chunk::<19>().ok_or(DateError::Format)?;
    let fits = head.iter().zip(SHAPE).all(|(byte, shape)| match shape {
        b'd' => byte.is_ascii_digit(),
        b'?' => matches!(byte, b' ' | b'T' | b't'),
        _ => byte == shape,
    });
    if !fits {
        return Err(DateError::Format);
    }
    let number =
        |from: usize, to: usize| head[from..to].iter().fold(0, |sum, byte| sum * 10 + u32::from(byte - b'0'));
    let date = (number(0, 4), number(5, 7), number(8, 10));
    let time = (number(11, 13), number(14, 16), number(17, 19));
    Ok((Head { separator: head[10], date, time }, tail))
}

/// Skips `.digits`, if there.
fn fraction(tail: &[u8]) -> Result<&[u8], DateError> {
    let Some(rest) = tail.strip_prefix(b".") else { return Ok(tail) };
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if digits == 0 { Err(DateError::Format) } else { Ok(&rest[digits..]) }
}

/// Reads `Z` or `±HH:mm` as seconds east of Greenwich.
fn offset(text: &[u8]) -> Result<i32, DateError> {
    match text {
        b"Z" | b"z" => Ok(0),
        [] => Err(DateError::NoOffset),
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2]
            if [h1, h2, m1, m2].iter().all(|b| b.is_ascii_digit()) =>
        {
            let two = |a: &u8, b: &u8| i32::from(a - b'0') * 10 + i32::from(b - b'0');
            let (hours, minutes) = (two(h1, h2), two(m1, m2));
            if hours > 23 || minutes > 59 {
                return Err(DateError::NotReal);
            }
            let seconds = hours * 3_600 + minutes * 60;
            Ok(if *sign == b'-' { -seconds } else { seconds })
        }
        _ => Err(DateError::Format),
    }
}

fn from_local(wall: NaiveDateTime) -> Result<DateTime<Utc>, DateError> {
    wall.checked_sub_offset(TRT).map(|utc| utc.and_utc()).ok_or(DateError::NotReal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::strategy::Strategy as _;

    fn utc(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn both_forms_mean_the_same_instant() {
        let expected = utc("2026-11-20T07:05:00Z");
        for text in [
            "2026-11-20 10:05:00",
            " 2026-11-20 10:05:00\n",
            "2026-11-20T10:05:00+03:00",
            "2026-11-20t07:05:00z",
            "2026-11-20T07:05:00.999999Z",
            "2026-11-20T02:05:00-05:00",
            "2026-11-20 10:05:00+03:00",
            "2026-11-20T12:35:00.1+05:30",
        ] {
            assert_eq!(parse_consent_date(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn winters_before_2016_are_three_hours_ahead_too() {
        assert_eq!(parse_consent_date("2015-12-31 23:30:00"), Ok(utc("2015-12-31T20:30:00Z")));
        assert_eq!(format_registry(utc("2015-12-31T20:30:00Z")), "2015-12-31 23:30:00");
    }

    #[test]
    fn a_wrong_form_and_an_unreal_date_have_codes_of_their_own() {
        for (text, code) in [
            ("", "H158"),
            ("2026-11-20", "H158"),
            ("20.11.2026 10:05:00", "H158"),
            ("2026-1-2 3:4:5", "H158"),
            ("2026-11-20 10:05", "H158"),
            ("2026-11-20 10:05:00.", "H158"),
            ("2026-11-20T10:05:00", "H158"),
            ("2026-11-20T10:05:00.", "H158"),
            ("2026-11-20T10:05:00.Z", "H158"),
            ("2026-11-20T10:05:00+0300", "H158"),
            ("2026-11-20T10:05:00+03:00 x", "H158"),
            ("٢٠٢٦-11-20 10:05:00", "H158"),
            ("2026-02-30 10:05:00", "H157"),
            ("2026-11-20 24:00:00", "H157"),
            ("2026-11-20 10:60:00", "H157"),
            ("2026-11-20 23:59:60", "H157"),
            ("2026-11-20T10:05:00+24:00", "H157"),
            ("0000-00-00 00:00:00", "H157"),
        ] {
            assert_eq!(parse_consent_date(text).map_err(DateError::h_code), Err(code), "{text}");
        }
        assert_eq!(parse_consent_date("2026-11-20T10:05:00"), Err(DateError::NoOffset));
        // Without T there is nothing to say about T.
        assert_eq!(parse_consent_date("2026-11-20 10:05:00.250"), Ok(utc("2026-11-20T07:05:00Z")));
        assert_eq!(parse_consent_date("2026-11-20T10:05:00.250"), Err(DateError::NoOffset));
    }

    #[test]
    fn the_registry_s_own_form_may_carry_a_fraction_but_no_offset() {
        assert_eq!(parse_registry("2024-07-09 10:43:16.038"), Ok(utc("2024-07-09T07:43:16Z")));
        assert_eq!(parse_registry("2024-07-09 10:43:16"), Ok(utc("2024-07-09T07:43:16Z")));
        assert_eq!(parse_registry("2024-07-09T10:43:16+03:00"), Err(DateError::Format));
    }

    #[test]
    fn what_is_written_reads_back() {
        let instant = utc("2026-11-28T13:00:00.250Z");
        assert_eq!(format_rfc3339(instant), "2026-11-28T16:00:00.250+03:00");
        assert_eq!(format_rfc3339(truncate_seconds(instant)), "2026-11-28T16:00:00+03:00");
        assert_eq!(parse_registry(&format_registry(instant)), Ok(truncate_seconds(instant)));
        assert_eq!(parse_consent_date(&format_rfc3339(instant)), Ok(truncate_seconds(instant)));
    }

    #[test]
    fn the_ends_of_time_do_not_panic() {
        for instant in [DateTime::<Utc>::MAX_UTC, DateTime::<Utc>::MIN_UTC] {
            assert!(!format_registry(instant).is_empty());
            assert!(!format_rfc3339(instant).is_empty());
            let wall = local(instant);
            let _ = super::instant(wall.date(), wall.time());
        }
    }

    #[test]
    fn microseconds_are_the_finest_grain() {
        let fine = DateTime::from_timestamp(0, 123_456_789).unwrap();
        assert_eq!(truncate_micros(fine).timestamp_subsec_nanos(), 123_456_000);
    }

    proptest::proptest! {
        #[test]
        fn dates_are_written_as_everybody_writes_them(seconds in -70_000_000_000_i64..260_000_000_000, nanos in proptest::prop_oneof![
            proptest::strategy::Just(0_u32), 0_u32..1_000_000_000, (0_u32..1_000).prop_map(|n| n * 1_000_000), (0_u32..1_000_000).prop_map(|n| n * 1_000)
        ]) {
            let instant = DateTime::from_timestamp(seconds, nanos).unwrap();
            proptest::prop_assert_eq!(format_rfc3339(instant), format!("{:?}+03:00", local(instant)));
            proptest::prop_assert_eq!(format_registry(instant), local(truncate_seconds(instant)).to_string());
        }
    }
}
