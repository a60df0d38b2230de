//! Addresses: one normaliser for every door (rules.md section 5, registry-protocol section 3.1).
//!
//! Whatever way an address is typed, it becomes one canonical text, which is the key of a permission
//! and what the registry is told: `+905321234567` for a phone, lower-case ASCII for an e-mail. What
//! cannot be read for certain is refused with advice, because a wrong guess would put one person's
//! decision on another's number. Plausibility that is no certainty (a number block nobody uses, a
//! likely typing error) is a warning only.

mod email;
mod error;
mod phone;
mod warning;

use std::fmt;

pub use self::error::{AddressError, AddressErrorCode};
pub use self::warning::{AddressWarning, warnings};
pub use crate::lang::Lang;
use crate::words::Channel;

/// No address is longer, however it is typed; what is longer is no address.
const LONGEST_INPUT: usize = 512;

/// A canonical phone number: `+` and 7 to 15 digits.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Phone(String);

/// A canonical e-mail address: lower-case ASCII.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Email(String);

/// A canonical address. It is personal data: there is no `Display`, and `Debug` masks it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Recipient {
    /// A phone number, for calls and messages.
    Phone(Phone),
    /// An e-mail address.
    Email(Email),
}

impl Recipient {
    /// Reads an address as people, spreadsheets and systems write it.
    pub fn parse(raw: &str, channel: Channel) -> Result<Self, AddressError> {
        let result = if raw.len() > LONGEST_INPUT {
            Err(AddressErrorCode::TooLong)
        } else {
            match channel {
                Channel::Call | Channel::Message => {
                    phone::parse(raw, channel).map(|number| Self::Phone(Phone(number)))
                }
                Channel::Email => email::parse(raw).map(|address| Self::Email(Email(address))),
            }
        };
        result.map_err(|code| AddressError { code, channel })
    }

    /// Reads an address that is canonical already: from the database, or from the registry, which
    /// may hold foreign numbers and forms that [`Recipient::parse`] would not take.
    pub fn from_canonical(text: &str) -> Result<Self, AddressError> {
        if phone::is_canonical(text) {
            Ok(Self::Phone(Phone(text.to_owned())))
        } else if email::is_canonical(text) {
            Ok(Self::Email(Email(text.to_owned())))
        } else {
            let channel = if text.contains('@') { Channel::Email } else { Channel::Message };
            Err(AddressError { code: AddressErrorCode::NotCanonical, channel })
        }
    }

    /// The canonical text: the key of the permission. Never to be logged.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Phone(Phone(text)) | Self::Email(Email(text)) => text,
        }
    }

    /// The address as it may be shown: `+90 532 *** ** 67`, `a***@d***.com`.
    pub fn masked(&self) -> String {
        match self {
            Self::Phone(Phone(number)) => phone::masked(number),
            Self::Email(Email(address)) => email::masked(address),
        }
    }

    /// Whether messages of the channel can reach it: no SMS to a landline, no call to an e-mail.
    pub fn fits(&self, channel: Channel) -> bool {
        match (self, channel) {
            (Self::Phone(_), Channel::Call) | (Self::Email(_), Channel::Email) => true,
            (Self::Phone(Phone(number)), Channel::Message) => phone::is_mobile_or_foreign(number),
            (Self::Phone(_), Channel::Email) | (Self::Email(_), Channel::Call | Channel::Message) => false,
        }
    }
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Recipient").field(&format_args!("{}", self.masked())).finish()
    }
}

impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&phone::masked(&self.0))
    }
}

impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&email::masked(&self.0))
    }
}

/// Takes away what surrounds an address without being part of it: blanks of every kind, marks that
/// have no width, quotation marks around the whole, the apostrophe by which spreadsheets keep a text.
fn bare(raw: &str) -> &str {
    let mut text = trim(raw);
    for (open, close) in [('"', '"'), ('\u{201c}', '\u{201d}'), ('\'', '\''), ('\u{2018}', '\u{2019}')] {
        if let Some(inner) = text.strip_prefix(open).and_then(|rest| rest.strip_suffix(close)) {
            text = trim(inner);
        }
    }
    trim(text.trim_start_matches(['\'', '\u{2018}', '\u{2019}', '`']))
}

fn trim(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || is_invisible(c))
}

/// Marks without width that come along when addresses are copied from web pages and documents.
pub(crate) const fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}' | '\u{2066}'..='\u{2069}' | '\u{feff}'
    )
}
