//! Phone numbers, typed in any of the ways people in Turkey type them.

use super::error::AddressErrorCode;
use super::{bare, is_invisible};
use crate::words::Channel;

/// Reads a number into `+90…`.
pub(super) fn parse(raw: &str, channel: Channel) -> Result<String, AddressErrorCode> {
    if let Some(number) = plain_mobile(raw) {
        return Ok(number);
    }
    let text = bare(raw);
    if text.is_empty() {
        return Err(AddressErrorCode::Missing);
    }
    if text.contains(['@', '\u{ff20}']) {
        return Err(AddressErrorCode::EmailForPhone);
    }
    let plain = simplify(without_scheme(text));
    if is_scientific(&plain) {
        return Err(AddressErrorCode::DigitsLost);
    }
    let number = Digits::read(without_decimals(&plain))?;
    classify(number.national()?, channel)
}

/// Whether a number is canonical as the registry may hold it: E.164 of any country.
pub(super) fn is_canonical(text: &str) -> bool {
    text.strip_prefix('+').is_some_and(|digits| {
        (7..=15).contains(&digits.len())
            && !digits.starts_with('0')
            && digits.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// Whether a canonical number can take an SMS, as far as its shape tells.
pub(super) fn is_mobile_or_foreign(number: &str) -> bool {
    number.strip_prefix("+90").is_none_or(|national| national.starts_with('5'))
}

/// `+90 532 *** ** 67`; for a foreign number only its beginning and end.
pub(super) fn masked(number: &str) -> String {
    let tail = &number[number.len().saturating_sub(2)..];
    match number.strip_prefix("+90").and_then(|national| national.get(..3)) {
        Some(area) if number.len() == 13 => format!("+90 {area} *** ** {tail}"),
        _ => format!("{} *** ** {tail}", &number[..3.min(number.len())]),
    }
}

/// The shapes almost every number has; spares them the rest.
fn plain_mobile(text: &str) -> Option<String> {
    let is_mobile = |national: &&str| {
        national.len() == 10
            && national.starts_with('5')
            && national.bytes().all(|byte| byte.is_ascii_digit())
    };
    let national =
        ["+90", "90", "0", ""].iter().find_map(|prefix| text.strip_prefix(prefix).filter(is_mobile))?;
    Some(format!("+90{national}"))
}

fn without_scheme(text: &str) -> &str {
    match text.get(..4) {
        Some(scheme) if scheme.eq_ignore_ascii_case("tel:") => text[4..].trim_start(),
        _ => text,
    }
}

/// Digits of other scripts become ours, blanks of every kind a blank, dashes of every kind a dash;
/// marks without width go.
fn simplify(text: &str) -> String {
    text.chars()
        .filter(|c| !is_invisible(*c))
        .map(|c| match c {
            '\u{660}'..='\u{669}' => digit(c, '\u{660}'),
            '\u{6f0}'..='\u{6f9}' => digit(c, '\u{6f0}'),
            '\u{ff10}'..='\u{ff19}' => digit(c, '\u{ff10}'),
            '\u{ff0b}' => '+',
            '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{ff0d}' => '-',
            '\u{ff08}' => '(',
            '\u{ff09}' => ')',
            '\r' => '\n',
            c if c != '\n' && c.is_whitespace() => ' ',
            c => c,
        })
        .collect()
}

fn digit(c: char, zero: char) -> char {
    char::from_digit(u32::from(c) - u32::from(zero), 10).unwrap_or(c)
}

/// `5,32E+09`: what a spreadsheet makes of a long number in a narrow column.
fn is_scientific(text: &str) -> bool {
    let Some((mantissa, exponent)) = text.split_once(['e', 'E']) else { return false };
    let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let mantissa = mantissa.trim_start_matches('+');
    let (whole, fraction) = mantissa.split_once([',', '.']).unwrap_or((mantissa, "0"));
    all_digits(whole) && all_digits(fraction) && all_digits(exponent)
}

/// `5321234567.0`: what data tools make of a column of numbers.
fn without_decimals(text: &str) -> &str {
    match text.rsplit_once(['.', ',']) {
        Some((whole, zeros))
            if whole.len() >= 10
                && !zeros.is_empty()
                && zeros.bytes().all(|byte| byte == b'0')
                && zeros.len() <= 2
                && whole.bytes().all(|byte| byte.is_ascii_digit() || byte == b'+') =>
        {
            whole
        }
        _ => text,
    }
}

/// The digits of a number, and whether a plus stood before them.
struct Digits {
    digits: String,
    plus: bool,
}

impl Digits {
    fn read(text: &str) -> Result<Self, AddressErrorCode> {
        if holds_two_numbers(text) {
            return Err(AddressErrorCode::TwoNumbers);
        }
        let mut number = Self { digits: String::with_capacity(text.len()), plus: false };
        for c in text.chars() {
            match c {
                '0'..='9' => number.digits.push(c),
                '+' if number.digits.is_empty() => number.plus = true,
                ' ' | '\n' | '-' | '.' | '/' | '(' | ')' => {}
                '*' | '\u{2022}' | '\u{25cf}' => return Err(AddressErrorCode::Masked),
                'x' | 'X' if is_masked_by_letters(text) => return Err(AddressErrorCode::Masked),
                c if c.is_alphabetic() => return Err(AddressErrorCode::Letters),
                _ => return Err(AddressErrorCode::UnexpectedCharacter),
            }
        }
        if number.digits.is_empty() { Err(AddressErrorCode::UnexpectedCharacter) } else { Ok(number) }
    }

    /// The number within Turkey, without country code and trunk zero.
    fn national(&self) -> Result<&str, AddressErrorCode> {
        let digits = self.digits.as_str();
        let international = digits.strip_prefix("00").or_else(|| self.plus.then_some(digits));
        if let Some(rest) = international {
            return match rest.strip_prefix("90") {
                Some(national) => Ok(without_trunk_zero(national)),
                // A plus before the trunk zero can only be a slip: no country code begins with 0.
                None if self.plus && rest.starts_with('0') => Ok(&rest[1..]),
                None => Err(AddressErrorCode::Foreign),
            };
        }
        let rest = digits.strip_prefix('0').unwrap_or(digits);
        // 12 digits beginning with 90 are the country code; 10 digits are a 900 number.
        match rest.strip_prefix("90") {
            Some(national) if rest.len() >= 12 => Ok(without_trunk_zero(national)),
            _ => Ok(rest),
        }
    }
}

fn without_trunk_zero(national: &str) -> &str {
    national.strip_prefix('0').unwrap_or(national)
}

fn count_digits(text: &str) -> usize {
    text.bytes().filter(u8::is_ascii_digit).count()
}

/// Two parts that are each long enough for a number, more digits than one can have, or a second plus.
fn holds_two_numbers(text: &str) -> bool {
    let long_parts = |separators: &[char], at_least: usize| {
        text.split(separators).filter(|part| count_digits(part) >= at_least).count() >= 2
    };
    let second_plus = text.rfind('+').is_some_and(|at| count_digits(&text[..at]) >= 7);
    second_plus
        || count_digits(text) >= 20
        || long_parts(&[';', ',', '|', '&', '\n', '/'], 7)
        || long_parts(&[' ', '-', '\n'], 10)
        || text.split_whitespace().any(|word| matches!(word, "ve" | "veya" | "ya" | "and" | "or"))
            && count_digits(text) >= 14
}

/// `0532xxx4567`: several x in a row stand for digits, a single one for an extension.
fn is_masked_by_letters(text: &str) -> bool {
    text.to_ascii_lowercase().contains("xx")
}

fn classify(national: &str, channel: Channel) -> Result<String, AddressErrorCode> {
    let landline = || match channel {
        Channel::Message => Err(AddressErrorCode::LandlineForMessage),
        Channel::Call | Channel::Email => Ok(format!("+90{national}")),
    };
    match (national.len(), national.as_bytes()) {
        (10, [b'5', ..]) => Ok(format!("+90{national}")),
        (10, [b'2'..=b'4', ..] | [b'8', b'5', b'0', ..]) => landline(),
        (10, [b'8' | b'9', ..]) | (7, [b'4', b'4', b'4', ..]) => Err(AddressErrorCode::ServiceNumber),
        (10, _) => Err(AddressErrorCode::UnknownPrefix),
        (3..=4, _) => Err(AddressErrorCode::ShortCode),
        (0..=9, _) => Err(AddressErrorCode::TooShort),
        _ => Err(AddressErrorCode::TooLong),
    }
}
