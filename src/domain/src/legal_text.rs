//! Texts that people agree to or are informed by (rules.md C1–C4, C6): consent texts, privacy notices (aydınlatma metni),
//! call scripts and paper forms, in Turkish and, where there is one, English.
//!
//! A text is kept in versions. A version is never changed: what somebody agreed to years ago must be shown word for word. Its
//! hash, which goes into each consent's evidence, is over a canonical form that anybody can rebuild.
//!
//! # Canonical form, version 1
//!
//! The ASCII text `kopru-text-1`, then the fields in ascending order of their number, each one byte of number, four bytes of
//! length (big endian) and the value in UTF-8: 1 the kind, 2 and 3 title and body in Turkish, 4 and 5 in English. What is
//! missing is left out. Texts are in Unicode form NFC, with `\n` as line end, without blanks at the ends of lines and without
//! empty lines at either end; an empty line parts paragraphs, which are all the mark-up there is.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use unicode_normalization::UnicodeNormalization as _;

use crate::lang::Lang;
use crate::ledger::{Bytes, Hash};
use crate::words::{UnknownWord, words};

const MAGIC: &[u8] = b"kopru-text-1";
/// Characters of a title at most.
pub const LONGEST_TITLE: usize = 200;
/// Characters of a body at most.
pub const LONGEST_BODY: usize = 20_000;
/// Characters of a code at most.
pub const LONGEST_CODE: usize = 64;

words! {
    /// What a text is for.
    pub enum LegalTextKind("text kind") {
        /// What somebody agrees to.
        Consent = "consent",
        /// What is done with personal data (aydınlatma metni), apart from the consent.
        Notice = "notice",
        /// What is read out on the phone.
        CallScript = "call_script",
        /// What is printed on a form to be signed.
        PaperForm = "paper_form",
    }
}

/// A text in one language.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Wording {
    /// Heading, one line.
    pub title: String,
    /// Paragraphs, parted by an empty line.
    pub body: String,
}

/// Why a wording cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WordingError {
    /// Nothing is left after tidying.
    Empty,
    /// More than this many characters.
    TooLong(usize),
    /// A character that is no text: a control character, or one that turns the direction of writing.
    Control,
}

impl Wording {
    /// Brings title and body into the canonical form; the error names the part, `title` or `body`.
    pub fn tidied(title: &str, body: &str) -> Result<Self, Vec<(&'static str, WordingError)>> {
        let mut errors = Vec::new();
        let mut part = |name, text: &str, most| {
            tidy(text, most).map_err(|error| errors.push((name, error))).unwrap_or_default()
        };
        let title = part("title", &title.split_whitespace().collect::<Vec<_>>().join(" "), LONGEST_TITLE);
        let body = part("body", body, LONGEST_BODY);
        if errors.is_empty() { Ok(Self { title, body }) } else { Err(errors) }
    }

    /// The paragraphs of the body.
    pub fn paragraphs(&self) -> impl Iterator<Item = &str> {
        self.body.split("\n\n").filter(|paragraph| !paragraph.is_empty())
    }
}

fn tidy(text: &str, most: usize) -> Result<String, WordingError> {
    let text: String = text.nfc().collect::<String>().replace("\r\n", "\n").replace(['\r', '\u{2028}'], "\n");
    if text.contains(is_control) {
        return Err(WordingError::Control);
    }
    let mut tidy = String::with_capacity(text.len());
    let mut empty = false;
    for line in text.lines().map(str::trim_end) {
        if line.is_empty() {
            empty = true;
        } else {
            if !tidy.is_empty() {
                tidy.push_str(if empty { "\n\n" } else { "\n" });
            }
            tidy.push_str(line);
            empty = false;
        }
    }
    match tidy.chars().count() {
        0 => Err(WordingError::Empty),
        count if count > most => Err(WordingError::TooLong(most)),
        _ => Ok(tidy),
    }
}

/// What must not stand in a text that proves something: what cannot be seen, or shows other text than it holds.
fn is_control(c: char) -> bool {
    (c.is_control() && c != '\n' && c != '\t')
        || matches!(c, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// One version of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LegalText {
    /// What it is for.
    pub kind: LegalTextKind,
    /// In Turkish.
    pub tr: Wording,
    /// In English, where there is one.
    pub en: Option<Wording>,
}

impl LegalText {
    /// The wording in a language, where there is one.
    pub fn get(&self, lang: Lang) -> Option<&Wording> {
        match lang {
            Lang::Tr => Some(&self.tr),
            Lang::En => self.en.as_ref(),
        }
    }

    /// The bytes that are hashed, as the module describes them.
    pub fn canonical(&self) -> Vec<u8> {
        let mut bytes = Bytes(MAGIC.to_vec());
        bytes.field(1, self.kind.as_str().as_bytes());
        bytes.field(2, self.tr.title.as_bytes());
        bytes.field(3, self.tr.body.as_bytes());
        if let Some(en) = &self.en {
            bytes.field(4, en.title.as_bytes());
            bytes.field(5, en.body.as_bytes());
        }
        bytes.0
    }

    /// SHA-256 of the canonical form.
    pub fn sha256(&self) -> Hash {
        Sha256::digest(self.canonical()).into()
    }
}

/// The name of one version of a text: `sms-onay/3`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TextRef {
    /// The text's code, given by the client.
    pub code: String,
    /// From 1.
    pub version: i64,
}

impl fmt::Display for TextRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.code, self.version)
    }
}

impl FromStr for TextRef {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        let read = || {
            let (code, version) = text.trim().split_once('/')?;
            let digits = !version.starts_with('0') && version.bytes().all(|byte| byte.is_ascii_digit());
            let version = if digits { version.parse().ok()? } else { None? };
            is_code(code).then(|| Self { code: code.to_owned(), version })
        };
        read().ok_or_else(|| UnknownWord::new("text version", text))
    }
}

/// Whether a code can name something in a path: lower-case letters, digits and hyphens, not at its ends.
pub fn is_code(code: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=LONGEST_CODE).contains(&code.len())
        && code.bytes().all(inner)
        && !code.starts_with('-')
        && !code.ends_with('-')
}

/// A text version as somebody saw or heard it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ShownText {
    /// The text's code.
    pub code: String,
    /// Its version.
    pub version: i64,
    /// The language it was shown in.
    pub lang: Lang,
    /// SHA-256 of the version, lower-case hexadecimal; filled in when the consent is taken in.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub sha256: String,
}

impl ShownText {
    /// A version that was shown in a language; its hash is not looked up yet.
    pub fn new(text: TextRef, lang: Lang) -> Self {
        Self { code: text.code, version: text.version, lang, sha256: String::new() }
    }

    /// Which version it is.
    pub fn text(&self) -> TextRef {
        TextRef { code: self.code.clone(), version: self.version }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text() -> LegalText {
        let tr = Wording::tidied(
            " SMS  onayı ",
            "Kampanya iletisi almak istiyorum.\r\n\r\n\r\nVazgeçebilirim.  \n",
        )
        .unwrap();
        LegalText { kind: LegalTextKind::Consent, tr, en: None }
    }

    #[test]
    fn a_wording_is_tidied_and_parted_into_paragraphs() {
        let text = text();
        assert_eq!(text.tr.title, "SMS onayı");
        assert_eq!(text.tr.body, "Kampanya iletisi almak istiyorum.\n\nVazgeçebilirim.");
        assert_eq!(text.tr.paragraphs().count(), 2);
        let errors = |title, body| Wording::tidied(title, body).unwrap_err();
        assert_eq!(
            errors(" ", "a\u{202e}b"),
            [("title", WordingError::Empty), ("body", WordingError::Control)]
        );
        assert_eq!(
            errors("a", &"ş".repeat(LONGEST_BODY + 1)),
            [("body", WordingError::TooLong(LONGEST_BODY))]
        );
    }

    /// The canonical form is a promise to those who keep hashes: it must not change.
    #[test]
    fn the_canonical_form_stays() {
        let mut expected = b"kopru-text-1".to_vec();
        for (number, value) in
            [(1, "consent"), (2, "SMS onayı"), (3, "Kampanya iletisi almak istiyorum.\n\nVazgeçebilirim.")]
        {
            expected.push(number);
            expected.extend_from_slice(&u32::try_from(value.len()).unwrap().to_be_bytes());
            expected.extend_from_slice(value.as_bytes());
        }
        assert_eq!(text().canonical(), expected);
        assert_eq!(text().sha256(), <Hash>::from(Sha256::digest(&expected)));
    }

    #[test]
    fn a_version_is_named_by_code_and_number() {
        let named: TextRef = " sms-onay/12 ".parse().unwrap();
        assert_eq!(
            (named.code.as_str(), named.version, named.to_string().as_str()),
            ("sms-onay", 12, "sms-onay/12")
        );
        for bad in [
            "sms-onay",
            "sms-onay/0",
            "sms-onay/01",
            "sms-onay/",
            "/1",
            "Sms/1",
            "-a/1",
            "a/1/2",
            "a/-1",
            "a/99999999999999999999",
        ] {
            assert!(bad.parse::<TextRef>().is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn tidying_twice_changes_nothing(title in ".{1,40}", body in "(?s).{1,200}") {
            if let Ok(once) = Wording::tidied(&title, &body) {
                prop_assert_eq!(Wording::tidied(&once.title, &once.body), Ok(once));
            }
        }

        #[test]
        fn another_wording_has_another_hash(a in "[a-zş ]{1,30}", b in "[a-zş ]{1,30}") {
            let of = |title: &str, body: &str| Wording::tidied(title, body)
                .map(|tr| LegalText { kind: LegalTextKind::Notice, tr, en: None });
            if let (Ok(first), Ok(second)) = (of(&a, &b), of(&b, &a)) {
                prop_assert_eq!(first == second, first.sha256() == second.sha256());
            }
        }
    }
}
