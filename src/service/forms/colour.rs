//! Colours and whether one can be read on another (WCAG 2.2, 1.4.3 and 1.4.11).

use std::fmt;

/// Contrast that text needs.
pub const TEXT: f64 = 4.5;
/// Contrast that the edges of controls need.
pub const EDGE: f64 = 3.0;

/// A colour in sRGB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colour(pub [u8; 3]);

impl Colour {
    /// White.
    pub const WHITE: Self = Self([255; 3]);
    const BLACK: Self = Self([0; 3]);

    /// Reads `#rrggbb`.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6)?;
        let mut bytes = [0; 3];
        hex::decode_to_slice(digits, &mut bytes).ok()?;
        Some(Self(bytes))
    }

    /// Relative luminance.
    fn luminance(self) -> f64 {
        let linear = |byte: u8| {
            let share = f64::from(byte) / 255.0;
            if share <= 0.040_45 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
        };
        let [red, green, blue] = self.0.map(linear);
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    /// Contrast with another, from 1 to 21.
    pub fn contrast(self, other: Self) -> f64 {
        let (one, other) = (self.luminance(), other.luminance());
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    /// With so many percent of another in it.
    pub fn mixed(self, other: Self, percent: u16) -> Self {
        let mut mixed = self.0;
        for (byte, other) in mixed.iter_mut().zip(other.0) {
            let sum = u16::from(*byte) * (100 - percent) + u16::from(other) * percent;
            *byte = u8::try_from(sum / 100).unwrap_or(u8::MAX);
        }
        Self(mixed)
    }

    /// The nearest to it, towards black or white, that has this contrast with a ground.
    pub fn readable(self, ground: Self, least: f64) -> Self {
        let black = Self::BLACK.contrast(ground) > Self::WHITE.contrast(ground);
        let end = if black { Self::BLACK } else { Self::WHITE };
        let mut steps = (0..=20).map(|step| self.mixed(end, step * 5));
        steps.find(|colour| colour.contrast(ground) >= least).unwrap_or(end)
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn colour(text: &str) -> Colour {
        Colour::parse(text).unwrap()
    }

    #[test]
    fn contrasts_are_those_of_the_books() {
        let of = |one, other| format!("{:.2}", colour(one).contrast(colour(other)));
        assert_eq!(
            (of("#000000", "#ffffff"), of("#777777", "#ffffff")),
            ("21.00".to_owned(), "4.48".to_owned())
        );
        assert_eq!(of("#0b5c8a", "#ffffff"), of("#ffffff", "#0b5c8a"));
        assert!(
            Colour::parse("red").is_none()
                && Colour::parse("#12345").is_none()
                && Colour::parse("#12345é").is_none()
        );
        assert_eq!(colour("#0B5c8a").to_string(), "#0b5c8a");
    }

    #[test]
    fn what_cannot_be_read_is_moved_until_it_can() {
        for ground in ["#ffffff", "#14171a", "#777777", "#ffeecc", "#003366"].map(colour) {
            for ink in ["#ffffff", "#000000", "#0b5c8a", "#b3261e", "#777777"].map(colour) {
                assert!(ink.readable(ground, TEXT).contrast(ground) >= TEXT, "{ink} on {ground}");
            }
        }
        let good = colour("#0b5c8a");
        assert_eq!(good.readable(Colour::WHITE, TEXT), good, "what can be read stays as it is");
    }
}
