//! E-mail addresses: ASCII in lower case, by ASCII's rules and not Turkey's.

use unicode_normalization::UnicodeNormalization;

use super::error::AddressErrorCode;
use super::{bare, is_invisible};

const LONGEST_LOCAL: usize = 64;
const LONGEST: usize = 254;

/// Reads an address.
pub(super) fn parse(raw: &str) -> Result<String, AddressErrorCode> {
    let text: String = without_scheme(bare(raw)).nfc().filter(|c| !is_invisible(*c)).collect();
    if text.is_empty() {
        return Err(AddressErrorCode::Missing);
    }
    check_whole(&text)?;
    let Some((local, domain)) = text.split_once('@') else {
        let digits = text.bytes().filter(u8::is_ascii_digit).count();
        let phone_like = digits >= 7 && !text.chars().any(char::is_alphabetic);
        let code =
            if phone_like { AddressErrorCode::PhoneForEmail } else { AddressErrorCode::EmailWithoutAt };
        return Err(code);
    };
    let address = format!("{}@{}", read_local(local)?, read_domain(domain)?);
    if address.len() > LONGEST { Err(AddressErrorCode::TooLong) } else { Ok(address) }
}

/// Whether an address is canonical as the registry may hold it: it takes dots where
/// [`parse`] does not.
pub(super) fn is_canonical(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    let plain = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_graphic() && !byte.is_ascii_uppercase())
    };
    text.len() <= 265 && plain(local) && plain(domain) && domain.contains('.') && !domain.contains('@')
}

/// `a***@d***.com`.
pub(super) fn masked(address: &str) -> String {
    let (local, domain) = address.split_once('@').unwrap_or((address, ""));
    let first = |part: &str| part.chars().next().map(String::from).unwrap_or_default();
    match domain.rsplit_once('.') {
        Some((name, top)) => format!("{}***@{}***.{top}", first(local), first(name)),
        None => format!("{}***@***", first(local)),
    }
}

fn without_scheme(text: &str) -> &str {
    match text.get(..7) {
        Some(scheme) if scheme.eq_ignore_ascii_case("mailto:") => text[7..].trim_start(),
        _ => text,
    }
}

/// What is wrong with the text as a whole, before it is taken apart.
fn check_whole(text: &str) -> Result<(), AddressErrorCode> {
    if text.contains(['<', '>']) {
        Err(AddressErrorCode::EmailDisplayName)
    } else if text.contains(['"', '(', ')', '\u{201c}', '\u{201d}']) {
        Err(AddressErrorCode::EmailQuoted)
    } else if text.matches('@').count() > 1 {
        Err(AddressErrorCode::TwoAddresses)
    } else if text.contains('@') && text.contains(char::is_whitespace) {
        Err(AddressErrorCode::EmailBlank)
    } else {
        Ok(())
    }
}

fn read_local(local: &str) -> Result<String, AddressErrorCode> {
    if local.is_empty() || local.chars().count() > LONGEST_LOCAL {
        return Err(AddressErrorCode::EmailLocalLength);
    }
    if !local.is_ascii() {
        return Err(AddressErrorCode::EmailNonAsciiLocal);
    }
    if local.starts_with('.') || local.ends_with('.') || local.contains("..") {
        return Err(AddressErrorCode::EmailDots);
    }
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b'+');
    if local.bytes().all(allowed) {
        Ok(local.to_ascii_lowercase())
    } else {
        Err(AddressErrorCode::EmailLocalCharacter)
    }
}

fn read_domain(domain: &str) -> Result<String, AddressErrorCode> {
    if domain.starts_with('[') || domain.parse::<std::net::Ipv4Addr>().is_ok() {
        return Err(AddressErrorCode::EmailIpLiteral);
    }
    let ascii = if domain.is_ascii() {
        domain.to_ascii_lowercase()
    } else {
        // GMAİL.COM is gmail.com in Turkish capitals: fold the dotted İ as Turkish does. Software that
        // knows only the general rules makes it an i with a combining dot, which no domain has.
        let folded = domain.replace('İ', "i").replace("i\u{307}", "i");
        idna::domain_to_ascii_strict(&folded).map_err(|_| AddressErrorCode::EmailDomain)?
    };
    if is_domain(&ascii) { Ok(ascii) } else { Err(AddressErrorCode::EmailDomain) }
}

/// Host-name labels, at least two, the last one no number; and what the registry asks for: two
/// characters before the last dot and two after it (registry-protocol section 3.1).
fn is_domain(domain: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    let Some((name, top)) = domain.rsplit_once('.') else { return false };
    domain.split('.').all(label)
        && name.len() >= 2
        && top.len() >= 2
        && top.bytes().any(|byte| byte.is_ascii_lowercase())
}
