//! How many parts a text has on the air (3GPP TS 23.038 and 23.040).

/// The letters of GSM-7's default alphabet, beside those of ASCII that it shares.
const GSM: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
/// What stands in its extension table: an escape, then one more.
const EXTENSION: &str = "^{}\\[~]|€\u{c}";
/// What the Turkish shift table adds to the extension table (language 1).
const TURKISH: &str = "ŞşĞğçıİ";

/// In which letters a text goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alphabet {
    /// GSM-7: 160 units, or 153 in each of several parts.
    Gsm7,
    /// GSM-7 with the Turkish single shift table, whose header costs five units: 155, or 149.
    Turkish,
    /// UCS-2: 70 units of UTF-16, or 67.
    Ucs2,
}

impl Alphabet {
    /// Units of a text of one part, and of each part of a longer one.
    pub const fn limits(self) -> (usize, usize) {
        match self {
            Self::Gsm7 => (160, 153),
            Self::Turkish => (155, 149),
            Self::Ucs2 => (70, 67),
        }
    }
}

/// What a text costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segments {
    /// In which letters it goes out.
    pub alphabet: Alphabet,
    /// Its length in that alphabet's units: what needs an escape counts twice.
    pub units: usize,
    /// How many parts. An empty text has one.
    pub parts: usize,
}

impl Segments {
    /// Counts with the smallest alphabet that has every letter of the text. Nothing that needs two units is torn between
    /// two parts.
    pub fn of(text: &str) -> Self {
        let alphabet = alphabet(text);
        let widths = text.chars().map(|letter| match alphabet {
            Alphabet::Ucs2 => letter.len_utf16(),
            _ if GSM.contains(letter) => 1,
            _ => 2,
        });
        let units = widths.clone().sum();
        let (single, each) = alphabet.limits();
        let parts = if units <= single { 1 } else { parts(widths, each) };
        Self { alphabet, units, parts }
    }
}

fn alphabet(text: &str) -> Alphabet {
    let mut alphabet = Alphabet::Gsm7;
    for letter in text.chars() {
        if TURKISH.contains(letter) {
            alphabet = Alphabet::Turkish;
        } else if !GSM.contains(letter) && !EXTENSION.contains(letter) {
            return Alphabet::Ucs2;
        }
    }
    alphabet
}

fn parts(widths: impl Iterator<Item = usize>, each: usize) -> usize {
    let (mut parts, mut used) = (1, 0);
    for width in widths {
        if used + width > each {
            parts += 1;
            used = 0;
        }
        used += width;
    }
    parts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn count(text: &str) -> (Alphabet, usize, usize) {
        let Segments { alphabet, units, parts } = Segments::of(text);
        (alphabet, units, parts)
    }

    #[test]
    fn the_table_of_the_networks() {
        for (letter, alphabet, single, each, width) in [
            ('a', Alphabet::Gsm7, 160, 153, 1),
            ('Ö', Alphabet::Gsm7, 160, 153, 1),
            ('€', Alphabet::Gsm7, 160, 153, 2),
            ('ş', Alphabet::Turkish, 155, 149, 2),
            ('ж', Alphabet::Ucs2, 70, 67, 1),
            ('😀', Alphabet::Ucs2, 70, 67, 2),
        ] {
            let text = |units: usize| letter.to_string().repeat(units / width);
            assert_eq!(Segments::of(&text(single)).parts, 1, "{letter}");
            assert_eq!(count(&text(single + width)).2, 2, "{letter}");
            assert_eq!(count(&text(each / width * width * 2)).2, 2, "{letter}");
            assert_eq!(count(&text(each / width * width * 2 + width)).2, 3, "{letter}");
            assert_eq!(count(&text(single)).0, alphabet, "{letter}");
        }
    }

    #[test]
    fn samples() {
        assert_eq!(count(""), (Alphabet::Gsm7, 0, 1));
        assert_eq!(count("RET"), (Alphabet::Gsm7, 3, 1));
        assert_eq!(count("Çöküş"), (Alphabet::Turkish, 6, 1));
        assert_eq!(count("şifre: 123456 — süre 3 dk"), (Alphabet::Ucs2, 25, 1));
        // The pair of the 153rd place goes whole into the second part
        assert_eq!(count(&format!("{}€{}", "a".repeat(152), "b".repeat(151))).2, 2);
        assert_eq!(count(&format!("{}€{}", "a".repeat(152), "b".repeat(152))).2, 3);
    }

    proptest! {
        #[test]
        fn longer_is_never_cheaper(text in "[a-zşĞ€ж😀]{0,400}", more in "[a-zşĞ€ж😀]") {
            let (one, two) = (Segments::of(&text), Segments::of(&format!("{text}{more}")));
            prop_assert!(two.parts >= one.parts);
            let (single, each) = one.alphabet.limits();
            let fits = if one.parts == 1 { single } else { one.parts * each };
            prop_assert!(one.units <= fits);
        }
    }
}
