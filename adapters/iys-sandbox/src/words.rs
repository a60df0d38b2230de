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

/// The sources that the registry itself writes (protocol 3).
pub(crate) const REGISTRY_SOURCES: [&str; 9] = [
    SHORT_NUMBER,
    VOICE_CENTRE,
    "IYS_WEB",
    FIRST_TIME_ON_WEB,
    "IYS_MOBIL",
    BY_EMAIL,
    LINE_CLOSED,
    "IYS_FRAME_EPOSTA",
    "IYS_FRAME_SMS",
];

words! {
    /// How the registry asks a citizen for an opt-in (protocol 3, `verificationType`).
    Verification {
        /// A link in a text message.
        SmsShortUrl = "SMS_SHORTURL",
        /// A code in a text message.
        SmsOtp = "SMS_OTP",
        /// A link in an e-mail.
        EmailShortUrl = "EPOSTA_SHORTURL",
        /// A code in an e-mail.
        EmailOtp = "EPOSTA_OTP",
        /// A link in an e-mail that approves everything at once.
        EmailApprovalUrl = "EPOSTA_APPROVALURL",
    }
}

impl Verification {
    /// What a form must be made for.
    pub(crate) const fn form_kind(self) -> FormKind {
        match self {
            Self::SmsShortUrl | Self::EmailShortUrl => FormKind::ShortUrl,
            Self::SmsOtp | Self::EmailOtp => FormKind::Otp,
            Self::EmailApprovalUrl => FormKind::ApprovalUrl,
        }
    }

    /// Whether it reaches a telephone.
    pub(crate) const fn is_sms(self) -> bool {
        matches!(self, Self::SmsShortUrl | Self::SmsOtp)
    }

    /// The source of what is approved in this way (protocol 10.2).
    pub(crate) const fn source(self) -> &'static str {
        if self.is_sms() { "IYS_KISAMESAJ" } else { "IYS_EPOSTA" }
    }
}

words! {
    /// What an opt-in form is made for (protocol 10.1).
    FormKind { ShortUrl = "SHORTURL", Otp = "OTP", ApprovalUrl = "APPROVALURL" }
}

words! {
    /// How the second-factor service asks (protocol 10.8).
    PassMethod {
        SmsOtp = "SMS_OTP",
        EmailOtp = "EMAIL_OTP",
        SmsShortUrl = "SMS_SHORT_URL",
        EmailShortUrl = "EMAIL_SHORT_URL",
    }
}

words! {
    /// The two services with a credit of their own.
    Product { Via = "via", Pass = "via_pass" }
}

/// The source of what the citizen sends to the short number 3338.
pub(crate) const SHORT_NUMBER: &str = "IYS_KISAMESAJ";
/// The source of what the citizen says to the voice centre.
pub(crate) const VOICE_CENTRE: &str = "IYS_CM";
/// The source of what the citizen does by e-mail.
pub(crate) const BY_EMAIL: &str = "IYS_EPOSTA";
