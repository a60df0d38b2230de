//! What is left of a message when spelling does not count: upper-case words without Turkish accents.
//!
//! The letters are folded by our own table and by no locale: in one locale the capital of `i` is `I`, in
//! another `İ`, and the small letter of `İ` is sometimes two code points. Letters that the table does not
//! know stay what they are, so that no look-alike of another alphabet turns into one of ours.

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

use crate::address::is_invisible;

/// What is longer than ten joined SMS is not read to its end.
const LONGEST: usize = 1_600;

/// A message taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Message {
    /// Its words: upper-case letters, digits, and `?`, which may stand for a lost letter.
    pub(super) words: Vec<String>,
    /// Whether nothing else was there but blanks, quotation marks, commas, exclamation marks and single
    /// full stops. Anything more (a smiley, a bracket, an ellipsis) may change what a word means.
    pub(super) bare: bool,
}

/// Takes a message apart.
pub(super) fn message(text: &str) -> Message {
    let mut words = String::new();
    let mut bare = true;
    let mut last = ' ';
    for (at, c) in text.chars().filter(|c| !is_invisible(*c)).nfkc().enumerate() {
        if at == LONGEST {
            bare = false;
            break;
        }
        match folded(c) {
            Some(letter) => words.push(letter),
            // The dot that is left when somebody else made a small letter of İ.
            None if c == '\u{307}' && matches!(last, 'i' | 'I') => {}
            None => {
                bare &= is_harmless(c) && (c, last) != ('.', '.');
                words.push(' ');
            }
        }
        last = c;
    }
    Message { words: words.split_whitespace().map(str::to_owned).collect(), bare }
}

/// The message in folded words with one blank between them: what [`read`](super::read) compares.
pub fn fold(text: &str) -> String {
    message(text).words.join(" ")
}

/// A letter, digit or question mark as it counts; `None` for everything that only stands between words.
///
/// `Ý ý Þ þ Ð ð` are what Windows-1254's `İ ı Ş ş Ğ ğ` look like to a reader of Latin-1.
fn folded(c: char) -> Option<char> {
    Some(match c {
        'İ' | 'ı' | 'Î' | 'î' | 'Ý' | 'ý' => 'I',
        'Ş' | 'ş' | 'Þ' | 'þ' => 'S',
        'Ğ' | 'ğ' | 'Ð' | 'ð' => 'G',
        'Ü' | 'ü' | 'Û' | 'û' => 'U',
        'Ö' | 'ö' | 'Ô' | 'ô' => 'O',
        'Ç' | 'ç' => 'C',
        'Â' | 'â' => 'A',
        '?' => '?',
        _ if is_combining_mark(c) => return None,
        _ if c.is_alphanumeric() => c.to_ascii_uppercase(),
        _ => return None,
    })
}

/// Marks that change nothing about an approval.
fn is_harmless(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, '.' | ',' | '!' | '"' | '\'' | '“' | '”' | '„' | '‘' | '’' | '«' | '»' | '`')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_a_word_is_one_word() {
        for text in [
            "İPTAL",
            "IPTAL",
            "iptal",
            "ıptal",
            "İptal",
            "i\u{307}ptal",
            "\"iptal\"",
            "Ýptal",
            "ＩＰＴＡＬ",
            "İPTAL.",
        ] {
            assert_eq!(fold(text), "IPTAL", "{text}");
        }
        assert_eq!(fold("çĞşÖÜ âîû ÇğŞöü"), "CGSOU AIU CGSOU");
        assert_eq!(fold(" \u{feff}ABC\u{a0}\u{a0}ret\r\n"), "ABC RET");
        assert_eq!(fold("e-posta 👍 B001?"), "E POSTA B001?");
        assert_eq!(fold("О\u{301}NAY é"), "О NAY é", "letters of other alphabets stay other letters");
    }

    #[test]
    fn what_might_change_the_meaning_is_noticed() {
        for text in ["ONAY", " onay. ", "\"Onay\"!", "‘onay’", "ABC ONAY\n", "evet!!!", "1.500"] {
            assert!(message(text).bare, "{text}");
        }
        for text in ["onay...", "onay…", "onay 👍", "onay :(", "*onay*", "abc-onay", "ONA\u{334}Y", "(onay)"]
        {
            assert!(!message(text).bare, "{text}");
        }
    }
}
