//! Forms that values have in the configuration: durations as people write them, empty texts and zeros for "not set".

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use kopru_domain::Text;
use secrecy::SecretString;
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer};

const UNITS: [(&str, u64); 5] = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

/// What follows the text that is none.
pub(super) const NO_DURATION: Text = Text::fixed(
    " bir süre değil; 500ms, 30s, 15m, 2h ya da 1h30m gibi yazın",
    " is no duration; write 500ms, 30s, 15m, 2h or 1h30m",
);

/// Reads `500ms`, `30s`, `15m`, `2h`, `7d` or a sum such as `1h30m`. A bare number has no unit and is refused.
pub fn parse_duration(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    let mut millis: u64 = 0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let amount: u64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let letters = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (_, factor) = UNITS.into_iter().find(|(unit, _)| *unit == &rest[..letters])?;
        millis = millis.checked_add(amount.checked_mul(factor)?)?;
        rest = &rest[letters..];
    }
    Some(Duration::from_millis(millis))
}

/// Writes a duration as [`parse_duration`] reads it, whole milliseconds.
pub fn format_duration(duration: Duration) -> String {
    let mut millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    if millis == 0 {
        return "0s".to_owned();
    }
    let mut text = String::new();
    for (unit, factor) in UNITS.into_iter().rev() {
        if millis >= factor {
            text.extend([(millis / factor).to_string().as_str(), unit]);
            millis %= factor;
        }
    }
    text
}

pub(super) fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse_duration(&text).ok_or_else(|| D::Error::custom(format!("`{text}`{}", NO_DURATION.en)))
}

/// An empty text is `None`; anything else is read as `T` is.
pub(super) fn optional<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: std::str::FromStr<Err: fmt::Display>,
{
    let text = String::deserialize(deserializer)?;
    if text.is_empty() { Ok(None) } else { text.parse().map(Some).map_err(D::Error::custom) }
}

pub(super) fn optional_path<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<PathBuf>, D::Error> {
    let text = String::deserialize(deserializer)?;
    Ok(if text.is_empty() { None } else { Some(PathBuf::from(text)) })
}

/// Zero is `None`.
pub(super) fn optional_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    let number = i64::deserialize(deserializer)?;
    Ok(if number == 0 { None } else { Some(number) })
}

/// A secret; an empty text is `None`. A value of another type is refused without being repeated in the message.
pub(super) fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SecretString>, D::Error> {
    struct Quoted;

    impl Visitor<'_> for Quoted {
        type Value = Option<SecretString>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a secret in quotes")
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
            Ok(if text.is_empty() { None } else { Some(SecretString::from(text)) })
        }

        fn visit_i64<E: Error>(self, _: i64) -> Result<Self::Value, E> {
            Err(E::custom("a secret stands in quotes"))
        }

        fn visit_u64<E: Error>(self, _: u64) -> Result<Self::Value, E> {
            Err(E::custom("a secret stands in quotes"))
        }

        fn visit_f64<E: Error>(self, _: f64) -> Result<Self::Value, E> {
            Err(E::custom("a secret stands in quotes"))
        }
    }

    deserializer.deserialize_any(Quoted)
}
