//! What is odd about an address without being wrong: a hint for whoever looks at an import, never a
//! reason to refuse. Number blocks move between operators and new ones open.

use super::{Email, Phone, Recipient};
use crate::lang::{Lang, Text};
use crate::words::words;

words! {
    /// A hint about an address.
    pub enum AddressWarning("address warning") {
        /// All digits after the prefix are alike, or they only count up: probably made up.
        Dummy = "dummy",
        /// A mobile block that is in nobody's use as far as we know.
        UnassignedMobileBlock = "unassigned_mobile_block",
        /// A landline area code that does not exist as far as we know.
        UnknownAreaCode = "unknown_area_code",
        /// An 850 number: reachable by call, but seldom a person's own.
        Number850 = "number_850",
        /// A number outside Turkey, as the registry may hold it.
        ForeignNumber = "foreign_number",
        /// A domain one slip away from a well-known one.
        MistypedDomain = "mistyped_domain",
        /// A domain that is reserved for examples: probably made up.
        ExampleDomain = "example_domain",
    }
}

impl AddressWarning {
    /// What the hint says, in one language.
    pub fn message(self, lang: Lang) -> String {
        self.text().get(lang).to_owned()
    }

    /// What the hint says.
    pub const fn text(self) -> Text {
        match self {
            Self::Dummy => Text::fixed("uydurma bir numaraya benziyor", "the number looks made up"),
            Self::UnassignedMobileBlock => Text::fixed(
                "bu cep numarası bloğu bilinen operatörlere ait değil",
                "this block of mobile numbers belongs to no known operator",
            ),
            Self::UnknownAreaCode => {
                Text::fixed("bilinmeyen sabit hat alan kodu", "the landline area code is not known")
            }
            Self::Number850 => Text::fixed(
                "850'li numara; çoğunlukla kişiye değil firmaya aittir",
                "an 850 number, mostly a firm's and not a person's",
            ),
            Self::ForeignNumber => Text::fixed("yurt dışı numarası", "a foreign number"),
            Self::MistypedDomain => {
                Text::fixed("e-posta alan adı yanlış yazılmış olabilir", "the e-mail domain may be mistyped")
            }
            Self::ExampleDomain => Text::fixed(
                "e-posta alan adı örnekler için ayrılmış",
                "the e-mail domain is reserved for examples",
            ),
        }
    }
}

/// Hints about an address, in no order of weight.
pub fn warnings(recipient: &Recipient) -> Vec<AddressWarning> {
    match recipient {
        Recipient::Phone(Phone(number)) => match number.strip_prefix("+90") {
            Some(national) if national.len() == 10 => phone_warnings(national),
            _ => vec![AddressWarning::ForeignNumber],
        },
        Recipient::Email(Email(address)) => {
            let domain = address.rsplit_once('@').map_or("", |(_, domain)| domain);
            email_warning(domain).into_iter().collect()
        }
    }
}

fn phone_warnings(national: &str) -> Vec<AddressWarning> {
    let mut found = Vec::new();
    if is_dummy(&national[3..]) {
        found.push(AddressWarning::Dummy);
    }
    if national.starts_with('5') && !is_assigned_mobile(national) {
        found.push(AddressWarning::UnassignedMobileBlock);
    } else if national.starts_with("850") {
        found.push(AddressWarning::Number850);
    } else if national.starts_with(['2', '3', '4']) && !AREA_CODES.contains(&&national[..3]) {
        found.push(AddressWarning::UnknownAreaCode);
    }
    found
}

/// Seven digits that are all alike.
fn is_dummy(subscriber: &str) -> bool {
    let bytes = subscriber.as_bytes();
    bytes.iter().all(|byte| Some(byte) == bytes.first()) || subscriber == "1234567"
}

/// The blocks in use by the numbering plan (rules.md section 5.1).
fn is_assigned_mobile(national: &str) -> bool {
    matches!(
        national.as_bytes(),
        [_, b'0' | b'3' | b'4' | b'5', ..]
            | [_, b'1', b'0' | b'6', ..]
            | [_, b'2', b'4', ..]
            | [_, b'6', b'1' | b'2' | b'4', ..]
            | [_, b'7', b'2' | b'4' | b'5', ..]
            | [_, b'8', b'2', b'2'..=b'5', ..]
            | [_, b'9', b'4' | b'6', ..]
    )
}

/// The area codes of Turkey's provinces (Istanbul has two) and of Northern Cyprus.
const AREA_CODES: [&str; 83] = [
    "212", "216", "222", "224", "226", "228", "232", "236", "242", "246", "248", "252", "256", "258", "262",
    "264", "266", "272", "274", "276", "282", "284", "286", "288", "312", "318", "322", "324", "326", "328",
    "332", "338", "342", "344", "346", "348", "352", "354", "356", "358", "362", "364", "366", "368", "370",
    "372", "374", "376", "378", "380", "382", "384", "386", "388", "392", "412", "414", "416", "422", "424",
    "426", "428", "432", "434", "436", "438", "442", "446", "452", "454", "456", "458", "462", "464", "466",
    "472", "474", "476", "478", "482", "484", "486", "488",
];

fn email_warning(domain: &str) -> Option<AddressWarning> {
    const MISTYPED: [&str; 22] = [
        "gmial.com",
        "gmai.com",
        "gmal.com",
        "gamil.com",
        "gmail.co",
        "gmail.con",
        "gmail.cm",
        "gnail.com",
        "gmail.com.tr",
        "gmaill.com",
        "hotmial.com",
        "hotmai.com",
        "hotmal.com",
        "hotmail.co",
        "hotmail.con",
        "homail.com",
        "hotmil.com",
        "hotmaill.com",
        "yaho.com",
        "yahooo.com",
        "outlok.com",
        "outlook.con",
    ];
    let reserved = ["example.com", "example.org", "example.net"].contains(&domain)
        || [".test", ".invalid", ".example", ".localhost"].iter().any(|top| domain.ends_with(top));
    if reserved {
        Some(AddressWarning::ExampleDomain)
    } else {
        MISTYPED.contains(&domain).then_some(AddressWarning::MistypedDomain)
    }
}
