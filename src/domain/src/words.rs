//! The registry's vocabulary: every enumerated value in its wire spelling (registry-protocol
//! section 3), and the numbers by which the registry names providers, brands and retailers.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A value that is not one of the words an enumeration knows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown {what}: {value:?}")]
pub struct UnknownWord {
    /// What was expected, e.g. `status`.
    pub what: &'static str,
    /// The value that came instead, cut to 64 characters.
    pub value: String,
}

impl UnknownWord {
    /// Remembers what was expected and (the beginning of) what came.
    pub fn new(what: &'static str, value: &str) -> Self {
        Self { what, value: value.chars().take(64).collect() }
    }
}

/// Declares an enumeration whose variants each have one wire word, used alike in JSON, in database
/// columns and in texts: `ALL`, `as_str`, `FromStr`, `Display` and serde agree by construction.
macro_rules! words {
    (
        $(#[$meta:meta])*
        $vis:vis enum $name:ident($what:literal) {
            $($(#[$variant_meta:meta])* $variant:ident = $word:literal),+ $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, ::serde::Serialize, ::serde::Deserialize,
        )]
        $vis enum $name {
            $($(#[$variant_meta])* #[serde(rename = $word)] $variant,)+
        }

        impl $name {
            /// Every value, in the order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word that stands for this value on the wire and in the database.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }

        impl ::std::str::FromStr for $name {
            type Err = $crate::words::UnknownWord;

            fn from_str(word: &str) -> Result<Self, Self::Err> {
                match word {
                    $($word => Ok(Self::$variant),)+
                    _ => Err($crate::words::UnknownWord::new($what, word)),
                }
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}
pub(crate) use words;

words! {
    /// What the person decided.
    pub enum ConsentStatus("status") {
        /// The person permits commercial messages.
        Approval = "ONAY",
        /// The person refuses them.
        Rejection = "RET",
    }
}

words! {
    /// The way a message would reach the person; the registry calls it `type`.
    pub enum Channel("type") {
        /// Voice call.
        Call = "ARAMA",
        /// SMS.
        Message = "MESAJ",
        /// E-mail.
        Email = "EPOSTA",
    }
}

words! {
    /// In which capacity the address is held. One address may have both, independently
    /// (registry-protocol section 7.1).
    #[derive(Default)]
    pub enum RecipientType("recipientType") {
        /// A natural person; the registry's default when the field is left out.
        #[default]
        Individual = "BIREYSEL",
        /// A merchant or tradesman: may be written to until it refuses (rules.md R6).
        Merchant = "TACIR",
    }
}

words! {
    /// Where a provider took the consent: the 13 values a provider may send (registry-protocol
    /// section 3).
    pub enum ProviderSource("source") {
        /// Given before 1 May 2015; only with the date 2015-05-01 00:00:00.
        Before2015 = "HS_2015",
        /// The provider's own decision to reject; only with [`ConsentStatus::Rejection`].
        OwnDecision = "HS_KARAR",
        /// In person, on paper or otherwise.
        PhysicalPlace = "HS_FIZIKSEL_ORTAM",
        /// A signed form.
        SignedForm = "HS_ISLAK_IMZA",
        /// An event.
        Event = "HS_ETKINLIK",
        /// The provider's cash machine.
        Atm = "HS_ATM",
        /// Another electronic place.
        Electronic = "HS_EORTAM",
        /// The provider's web site.
        Web = "HS_WEB",
        /// The provider's mobile application.
        Mobile = "HS_MOBIL",
        /// An SMS to the provider's number.
        Message = "HS_MESAJ",
        /// An e-mail to the provider.
        Email = "HS_EPOSTA",
        /// The provider's call centre, by voice or keypad.
        CallCentre = "HS_CAGRI_MERKEZI",
        /// A social-media tool of the provider.
        SocialMedia = "HS_SOSYAL_MEDYA",
    }
}

words! {
    /// What a link is for.
    pub enum LinkKind("link kind") {
        /// Everybody may use it; it leads to a form.
        Campaign = "campaign",
        /// One person's: asks for one consent.
        Recipient = "recipient",
        /// One person's: takes a refusal.
        Refusal = "refusal",
    }
}

/// Who wrote a movement into the registry, and where the person expressed it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// A provider (`HS_*`).
    Provider(ProviderSource),
    /// The registry itself (`IYS_*`). New values have been added over time, so any is accepted.
    Registry(String),
}

impl Source {
    /// The operator reported that the line was closed. The registry writes a RET with the last
    /// known consentDate, which may be old (registry-protocol section 4.10).
    pub const LINE_CLOSURE: &'static str = "IYS_AHS_HAT_KAPATMA";

    /// The wire word.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Provider(source) => source.as_str(),
            Self::Registry(word) => word,
        }
    }

    /// Whether the person acted at the registry in person. A line closure is the operator's report,
    /// not an act of the person, so it is none.
    pub fn is_citizen(&self) -> bool {
        matches!(self, Self::Registry(word) if word != Self::LINE_CLOSURE)
    }

    /// Whether this is the operator's report of a closed line.
    pub fn is_line_closure(&self) -> bool {
        matches!(self, Self::Registry(word) if word == Self::LINE_CLOSURE)
    }

    /// The provider's source, where a provider wrote the movement.
    pub const fn provider(&self) -> Option<ProviderSource> {
        match self {
            Self::Provider(source) => Some(*source),
            Self::Registry(_) => None,
        }
    }
}

impl From<ProviderSource> for Source {
    fn from(source: ProviderSource) -> Self {
        Self::Provider(source)
    }
}

impl FromStr for Source {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        if word.len() > "IYS_".len() && word.starts_with("IYS_") {
            return Ok(Self::Registry(word.to_owned()));
        }
        word.parse().map(Self::Provider)
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Serialize for Source {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Source {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        word.parse().map_err(serde::de::Error::custom)
    }
}

/// Declares a number by which the registry names something.
macro_rules! code {
    ($(#[$meta:meta])* $name:ident, $what:literal) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl From<i64> for $name {
            fn from(number: i64) -> Self {
                Self(number)
            }
        }

        impl FromStr for $name {
            type Err = UnknownWord;

            /// Reads decimal digits; leading zeros, which the registry's tokens carry, are allowed.
            fn from_str(digits: &str) -> Result<Self, UnknownWord> {
                let all_digits = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
                let number = if all_digits { digits.parse().ok() } else { None };
                number.map(Self).ok_or_else(|| UnknownWord::new($what, digits))
            }
        }
    };
}

code! {
    /// A service provider's number at the registry (`iysCode`).
    IysCode, "iysCode"
}
code! {
    /// A brand's number (`brandCode`); the master brand has its provider's number.
    BrandCode, "brandCode"
}
code! {
    /// A retailer's number (`retailerCode`), eight digits.
    RetailerCode, "retailerCode"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_reads_back_as_itself() {
        for source in ProviderSource::ALL {
            assert_eq!(source.as_str().parse(), Ok(*source));
            assert_eq!(serde_json::to_value(source).unwrap(), source.as_str());
        }
        assert_eq!(ProviderSource::ALL.len(), 13);
        for status in ConsentStatus::ALL {
            assert_eq!(status.to_string().parse(), Ok(*status));
        }
        for channel in Channel::ALL {
            assert_eq!(serde_json::from_value::<Channel>(channel.as_str().into()).unwrap(), *channel);
        }
    }

    #[test]
    fn a_word_in_another_case_is_unknown() {
        let error = "onay".parse::<ConsentStatus>().unwrap_err();
        assert_eq!(error, UnknownWord { what: "status", value: "onay".into() });
        assert_eq!(error.to_string(), "unknown status: \"onay\"");
    }

    #[test]
    fn a_source_of_the_registry_may_be_one_we_have_never_seen() {
        let source: Source = "IYS_YARIN".parse().unwrap();
        assert_eq!(source, Source::Registry("IYS_YARIN".into()));
        assert!(source.is_citizen());
        assert!("HS_YARIN".parse::<Source>().is_err());
        assert!("IYS_".parse::<Source>().is_err());
        assert_eq!("HS_WEB".parse(), Ok(Source::Provider(ProviderSource::Web)));
    }

    #[test]
    fn a_closed_line_is_no_act_of_the_citizen() {
        let source: Source = "IYS_AHS_HAT_KAPATMA".parse().unwrap();
        assert!(!source.is_citizen());
        assert!(source.is_line_closure());
        assert!(!Source::Provider(ProviderSource::Web).is_citizen());
    }

    #[test]
    fn codes_are_plain_numbers_in_json_and_read_leading_zeros() {
        assert_eq!(serde_json::to_string(&BrandCode(612_345)).unwrap(), "612345");
        assert_eq!("000100".parse(), Ok(IysCode(100)));
        assert!("-1".parse::<IysCode>().is_err());
        assert!("".parse::<BrandCode>().is_err());
        assert!("99999999999999999999".parse::<RetailerCode>().is_err());
    }
}
