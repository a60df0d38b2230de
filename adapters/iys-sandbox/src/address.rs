//! What the registry takes for an address (protocol 3.1).
//!
//! A phone is E.164 with a leading plus and a number that its country's plan can hold; for Turkey the
//! plan itself is looked at. An e-mail is plain ASCII of 6 to 265 characters. This is the registry's
//! view only: it refuses and never repairs, except that e-mails are stored in lower case.

use crate::words::Channel;

/// The longest phone the registry takes, counted without the plus.
const PHONE_DIGITS_MAX: usize = 15;
const EMAIL_LENGTH: std::ops::RangeInclusive<usize> = 6..=265;
/// Turkey's country calling code.
const TURKEY: &str = "90";

/// Where the protocol leaves open what passes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AddressPolicy {
    /// `+9005…` passes, as the document warns, and makes a record of its own that nobody finds.
    pub(crate) trunk_zero: bool,
    /// A Turkish landline passes for MESAJ (protocol 11, U28).
    pub(crate) landline_message: bool,
    /// A Turkish mobile number must lie in an assigned block, not only have the form `+905XXXXXXXXX`.
    pub(crate) strict_mobile_blocks: bool,
}

/// What kind of address a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Phone(Line),
    Email,
    Neither,
}

/// What kind of line a valid phone number belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Line {
    TurkishMobile,
    TurkishOther,
    Foreign,
}

/// Classifies an address.
pub(crate) fn kind(text: &str, policy: AddressPolicy) -> Kind {
    if let Some(line) = phone(text, policy) {
        Kind::Phone(line)
    } else if is_email(text) {
        Kind::Email
    } else {
        Kind::Neither
    }
}

/// Whether an address of this kind can be used on a channel.
pub(crate) fn fits(kind: Kind, channel: Channel, policy: AddressPolicy) -> bool {
    match (channel, kind) {
        (Channel::Email, kind) => kind == Kind::Email,
        (Channel::Message, Kind::Phone(Line::TurkishOther)) => policy.landline_message,
        (Channel::Call | Channel::Message, Kind::Phone(_)) => true,
        _ => false,
    }
}

/// What is wrong with an address for a channel, in Turkish and in English; nothing when it can be used.
pub(crate) fn misfit(text: &str, channel: Channel, policy: AddressPolicy) -> Option<(String, String)> {
    let kind = kind(text, policy);
    if fits(kind, channel, policy) {
        return None;
    }
    let name = channel.as_str();
    Some(match kind {
        Kind::Neither if text.contains('@') => (
            "geçerli bir e-posta adresi değil; örnek: ali@ornek.com".to_owned(),
            "it is no valid e-mail address; for example ali@ornek.com".to_owned(),
        ),
        Kind::Neither => (
            "geçerli bir telefon numarası değil; örnek: +905551112233".to_owned(),
            "it is no valid phone number; for example +905551112233".to_owned(),
        ),
        Kind::Phone(Line::TurkishOther) if channel == Channel::Message => (
            "sabit hat; ayarlar MESAJ için kabul etmiyor (acceptLandlineMessage)".to_owned(),
            "it is a landline, which the settings do not take for MESAJ (acceptLandlineMessage)".to_owned(),
        ),
        Kind::Phone(_) => (
            format!("telefon numarası; {name} için e-posta adresi gerekir, ali@ornek.com gibi"),
            format!("it is a phone number, and {name} wants an e-mail address such as ali@ornek.com"),
        ),
        Kind::Email => (
            format!("e-posta adresi; {name} için telefon numarası gerekir, +905551112233 gibi"),
            format!("it is an e-mail address, and {name} wants a phone number such as +905551112233"),
        ),
    })
}

/// Whether a text of digits is longer than a phone may be.
pub(crate) fn is_overlong_phone(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or(text);
    digits.len() > PHONE_DIGITS_MAX && digits.bytes().all(|b| b.is_ascii_digit())
}

/// The form in which an address is stored and compared.
pub(crate) fn stored(text: &str) -> String {
    if text.contains('@') { text.to_ascii_lowercase() } else { text.to_owned() }
}

/// What a person at the control interface may have meant: a plus lost in a query string or encoded for one, a
/// national form, capital letters.
pub(crate) fn lenient(text: &str) -> String {
    let text = text.trim();
    // A plus that was encoded for a query string and then written into a body.
    let plus = text.strip_prefix("%2B").or_else(|| text.strip_prefix("%2b"));
    let decoded = plus.map(|rest| format!("+{rest}"));
    let text = decoded.as_deref().unwrap_or(text);
    if text.contains('@') {
        return text.to_ascii_lowercase();
    }
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    match digits.len() {
        _ if text.starts_with('+') => format!("+{digits}"),
        10 if digits.starts_with('5') => format!("+{TURKEY}{digits}"),
        11 if digits.starts_with("05") => format!("+{TURKEY}{}", &digits[1..]),
        _ => format!("+{digits}"),
    }
}

fn phone(text: &str, policy: AddressPolicy) -> Option<Line> {
    let digits = text.strip_prefix('+')?;
    if !(7..=PHONE_DIGITS_MAX).contains(&digits.len()) || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    if let Some(national) = digits.strip_prefix(TURKEY) {
        let national = match national.strip_prefix('0') {
            Some(_) if !policy.trunk_zero => return None,
            Some(rest) => rest,
            None => national,
        };
        return turkish(national, policy);
    }
    let code = CALLING_CODES.iter().find(|code| digits.starts_with(**code))?;
    (digits.len() >= code.len() + 4).then_some(Line::Foreign)
}

fn turkish(national: &str, policy: AddressPolicy) -> Option<Line> {
    let is_unique_access = national.len() == 7 && national.starts_with("444");
    if is_unique_access {
        return Some(Line::TurkishOther);
    }
    if national.len() != 10 {
        return None;
    }
    let area = &national[..3];
    if national.starts_with('5') {
        let assigned = !policy.strict_mobile_blocks || MOBILE_BLOCKS.contains(&area);
        return assigned.then_some(Line::TurkishMobile);
    }
    (AREA_CODES.contains(&area) || SERVICE_CODES.contains(&area)).then_some(Line::TurkishOther)
}

fn is_email(text: &str) -> bool {
    if !text.is_ascii() || !EMAIL_LENGTH.contains(&text.len()) {
        return false;
    }
    let Some((local, domain)) = text.split_once('@') else { return false };
    let Some((name, top)) = domain.rsplit_once('.') else { return false };
    let local_ok = !local.is_empty()
        && local.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'_' | b'.'));
    let labels_ok = domain
        .split('.')
        .all(|label| !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'));
    local_ok && labels_ok && name.len() >= 2 && top.len() >= 2
}

/// Blocks of Turkish mobile numbers in use.
const MOBILE_BLOCKS: &[&str] = &[
    "501", "505", "506", "507", "510", "516", "524", "530", "531", "532", "533", "534", "535", "536", "537",
    "538", "539", "540", "541", "542", "543", "544", "545", "546", "547", "548", "549", "551", "552", "553",
    "554", "555", "556", "557", "558", "559", "561", "594", "596",
];

/// Numbers without a place: free, shared cost, internet telephony, premium.
const SERVICE_CODES: &[&str] = &["800", "811", "822", "850", "888", "900"];

/// Turkey's geographic area codes, and Northern Cyprus.
const AREA_CODES: &[&str] = &[
    "212", "216", "222", "224", "226", "228", "232", "236", "242", "246", "248", "252", "256", "258", "262",
    "264", "266", "272", "274", "276", "282", "284", "286", "288", "312", "318", "322", "324", "326", "328",
    "332", "338", "342", "344", "346", "348", "352", "354", "356", "358", "362", "364", "366", "368", "370",
    "372", "374", "376", "378", "380", "382", "384", "386", "388", "392", "412", "414", "416", "422", "424",
    "426", "428", "432", "434", "436", "438", "442", "446", "452", "454", "456", "458", "462", "464", "466",
    "472", "474", "476", "478", "482", "484", "486", "488",
];

/// Country calling codes assigned by the ITU (E.164), without Turkey.
const CALLING_CODES: &[&str] = &[
    "1", "7", "20", "27", "30", "31", "32", "33", "34", "36", "39", "40", "41", "43", "44", "45", "46", "47",
    "48", "49", "51", "52", "53", "54", "55", "56", "57", "58", "60", "61", "62", "63", "64", "65", "66",
    "81", "82", "84", "86", "91", "92", "93", "94", "95", "98", "211", "212", "213", "216", "218", "220",
    "221", "222", "223", "224", "225", "226", "227", "228", "229", "230", "231", "232", "233", "234", "235",
    "236", "237", "238", "239", "240", "241", "242", "243", "244", "245", "246", "247", "248", "249", "250",
    "251", "252", "253", "254", "255", "256", "257", "258", "260", "261", "262", "263", "264", "265", "266",
    "267", "268", "269", "290", "291", "297", "298", "299", "350", "351", "352", "353", "354", "355", "356",
    "357", "358", "359", "370", "371", "372", "373", "374", "375", "376", "377", "378", "380", "381", "382",
    "383", "385", "386", "387", "389", "420", "421", "423", "500", "501", "502", "503", "504", "505", "506",
    "507", "508", "509", "590", "591", "592", "593", "594", "595", "596", "597", "598", "599", "670", "672",
    "673", "674", "675", "676", "677", "678", "679", "680", "681", "682", "683", "685", "686", "687", "688",
    "689", "690", "691", "692", "850", "852", "853", "855", "856", "880", "886", "960", "961", "962", "963",
    "964", "965", "966", "967", "968", "970", "971", "972", "973", "974", "975", "976", "977", "992", "993",
    "994", "995", "996", "998",
];

#[cfg(test)]
mod tests {
    use super::*;

    const DEFAULT: AddressPolicy =
        AddressPolicy { trunk_zero: true, landline_message: true, strict_mobile_blocks: false };

    #[test]
    fn classifies_phones() {
        for (text, expected) in [
            ("+905551112233", Kind::Phone(Line::TurkishMobile)),
            ("+9005551112233", Kind::Phone(Line::TurkishMobile)),
            ("+902121230000", Kind::Phone(Line::TurkishOther)),
            ("+904441234", Kind::Phone(Line::TurkishOther)),
            ("+4915112345678", Kind::Phone(Line::Foreign)),
            ("905551112233", Kind::Neither),
            ("+90555111223", Kind::Neither),
            ("+9055511122334", Kind::Neither),
            ("+902131230000", Kind::Neither),
            ("+05543213232", Kind::Neither),
            ("+9999999999", Kind::Neither),
            ("+90 555 111 22 33", Kind::Neither),
            ("9055436100000000", Kind::Neither),
        ] {
            assert_eq!(kind(text, DEFAULT), expected, "{text}");
        }
    }

    #[test]
    fn the_open_questions_are_switches() {
        let strict = AddressPolicy { trunk_zero: false, landline_message: false, strict_mobile_blocks: true };
        assert_eq!(kind("+9005551112233", strict), Kind::Neither);
        assert_eq!(kind("+905991112233", strict), Kind::Neither);
        assert_eq!(kind("+905551112233", strict), Kind::Phone(Line::TurkishMobile));
        assert!(!fits(Kind::Phone(Line::TurkishOther), Channel::Message, strict));
        assert!(fits(Kind::Phone(Line::TurkishOther), Channel::Call, strict));
    }

    #[test]
    fn classifies_emails() {
        for text in ["a@bc.de", "ali+etiket@ornek.com", ".a..b_-@ornek.com.tr", "ALI@ORNEK.COM"] {
            assert_eq!(kind(text, DEFAULT), Kind::Email, "{text}");
        }
        for text in [
            "örnek@mail.com",
            "a@b.de",
            "a@bc.d",
            "a b@bc.de",
            "a@@bc.de",
            "a@bc",
            "a@bc..de",
            "@bc.de",
            "a%@bc.de",
        ] {
            assert_eq!(kind(text, DEFAULT), Kind::Neither, "{text}");
        }
        assert_eq!(kind(&format!("{}@mail.com", "a".repeat(256)), DEFAULT), Kind::Email);
        assert_eq!(kind(&format!("{}@mail.com", "a".repeat(257)), DEFAULT), Kind::Neither);
    }

    #[test]
    fn length_is_counted_without_the_plus() {
        assert!(is_overlong_phone("9055436100000000"));
        assert!(is_overlong_phone("+0554321323223333333333"));
        assert!(!is_overlong_phone("+905543610000000"));
        assert!(!is_overlong_phone("ornekornekornekornek@mail.com"));
    }

    #[test]
    fn control_addresses_are_read_leniently() {
        for text in ["+905551112233", " 905551112233", "905551112233", "05551112233", "5551112233"] {
            assert_eq!(lenient(text), "+905551112233", "{text:?}");
        }
        for text in ["%2B905551112233", " %2b905551112233 "] {
            assert_eq!(lenient(text), "+905551112233", "{text:?}: an encoded plus was read as the digit 2");
        }
        assert_eq!(lenient(" Ali@Ornek.com "), "ali@ornek.com");
    }
}
