//! Numbers to which citizens send SMS.

use std::fmt;

use crate::lang::Text;

/// A number that takes SMS, as it is dialled in Turkey: `7889`, `8501234567`. Vendors write the same number
/// as `08501234567`, `908501234567` or `+908501234567`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ShortNumber(String);

/// Not a number of 3 to 15 digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a number of 3 to 15 digits")]
pub struct NoShortNumber;

impl NoShortNumber {
    /// What is wrong and what to do.
    pub const fn text(self) -> Text {
        Text::fixed(
            "SMS alan numarayı 3-15 rakamla yazın: 7889 ya da 0850 123 45 67",
            "write the number that takes the SMS in 3 to 15 digits: 7889 or 0850 123 45 67",
        )
    }
}

impl ShortNumber {
    /// Reads a number in any of its spellings.
    pub fn parse(text: &str) -> Result<Self, NoShortNumber> {
        let text = text.trim();
        let known = |c: char| c.is_ascii_digit() || c.is_whitespace() || "+-()./".contains(c);
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        let (abroad, digits) = match digits.strip_prefix("00") {
            Some(rest) => (true, rest),
            None => (text.starts_with('+'), digits.as_str()),
        };
        let national = match digits.len() {
            12 => digits.strip_prefix("90").unwrap_or(digits),
            11 if !abroad => digits.strip_prefix('0').unwrap_or(digits),
            _ => digits,
        };
        if (3..=15).contains(&national.len()) && text.chars().all(known) {
            Ok(Self(national.to_owned()))
        } else {
            Err(NoShortNumber)
        }
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ShortNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_number_has_many_spellings() {
        for text in [
            "8501234567",
            "08501234567",
            "908501234567",
            "+908501234567",
            "0090 850 123 45 67",
            "0(850) 123-45-67",
        ] {
            assert_eq!(ShortNumber::parse(text).unwrap().as_str(), "8501234567", "{text}");
        }
        assert_eq!(ShortNumber::parse(" 7889 ").unwrap().as_str(), "7889");
        assert_eq!(ShortNumber::parse("+15017122661").unwrap().as_str(), "15017122661");
        for text in ["", "12", "KOPRU", "7889x", "1234567890123456"] {
            assert_eq!(ShortNumber::parse(text), Err(NoShortNumber), "{text}");
        }
    }
}
