//! The registry's words, parsed by this crate's own hand.
//!
//! Wire values are the ones of the protocol's enumerations (section 3).

use serde::{Deserialize, Serialize};

/// Declares an enumeration with one wire value per variant.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $wire:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub(crate) enum $name { $($(#[$vdoc])* #[serde(rename = $wire)] $variant),+ }

        impl $name {
            /// Reads a wire value; `None` when it is not one of ours.
            pub(crate) fn parse(text: &str) -> Option<Self> {
                match text { $($wire => Some(Self::$variant),)+ _ => None }
            }

            /// The wire value.
            pub(crate) const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $wire),+ }
            }
        }
    };
}

words! {
    /// Whether the person permitted or refused.
    Status { Approval = "ONAY", Rejection = "RET" }
}

words! {
    /// In which capacity the address was recorded.
    RecipientType { Individual = "BIREYSEL", Merchant = "TACIR" }
}

words! {
    /// The channel a consent is about.
    Channel { Call = "ARAMA", Message = "MESAJ", Email = "EPOSTA" }
}

/// The source of consents that existed before 1 May 2015.
pub(crate) const HS_2015: &str = "HS_2015";
/// The source of a provider's own decision to reject.
pub(crate) const HS_KARAR: &str = "HS_KARAR";
/// The source of a closed telephone line, as the operator reported it.
pub(crate) const LINE_CLOSED: &str = "IYS_AHS_HAT_KAPATMA";
/// The source of a brand that the citizen added for the first time.
pub(crate) const FIRST_TIME_ON_WEB: &str = "IYS_WEB_YENI";

/// The thirteen sources a provider may declare.
const PROVIDER_SOURCES: [&str; 13] = [
    HS_2015,
    HS_KARAR,
    "HS_FIZIKSEL_ORTAM",
    "HS_ISLAK_IMZA",
    "HS_ETKINLIK",
    "HS_ATM",
    "HS_EORTAM",
    "HS_WEB",
    "HS_MOBIL",
    "HS_MESAJ",
    "HS_EPOSTA",
    "HS_CAGRI_MERKEZI",
    "HS_SOSYAL_MEDYA",
];

/// Reads a source that a provider may declare.
pub(crate) fn provider_source(text: &str) -> Option<&'static str> {
    PROVIDER_SOURCES.into_iter().find(|known| *known == text)
}
