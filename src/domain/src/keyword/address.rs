//! E-mail addresses in an SMS: a person who refuses e-mails says there which address is meant.

use crate::address::Recipient;
use crate::words::Channel;

/// Signs that may stand around an address and are no part of it.
const AROUND: &[char] = &[
    '<', '>', '(', ')', '[', ']', '{', '}', '"', '“', '”', '«', '»', ',', ';', ':', '!', '?', '.', '/', '*',
    '-',
];

/// A text without its e-mail addresses, and these, each once, in the order in which they stand there. What only resembles an address
/// stays in the text.
pub(super) fn take_addresses(text: &str) -> (String, Vec<Recipient>) {
    let mut addresses: Vec<Recipient> = Vec::new();
    let mut rest = Vec::new();
    for word in text.split([' ', '\t', '\n', '\r', '\u{a0}', ',', ';']) {
        match address(word) {
            Some(found) if addresses.contains(&found) => {}
            Some(found) => addresses.push(found),
            None => rest.push(word),
        }
    }
    (rest.join(" "), addresses)
}

/// The address that a word is, without what people write around it: signs, `mailto:`, and a case ending (`a@example.com'a`).
fn address(word: &str) -> Option<Recipient> {
    let at = word.find('@')?;
    let word = word.trim_matches(AROUND);
    let word =
        word.get(..7).filter(|start| start.eq_ignore_ascii_case("mailto:")).map_or(word, |_| &word[7..]);
    let at = word.find('@').unwrap_or(at);
    let end = word[at..].find(['\'', '’', '`', '´']).map_or(word.len(), |length| at + length);
    Recipient::parse(word[..end].trim_matches(AROUND), Channel::Email).ok()
}
