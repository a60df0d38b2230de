//! The vendors by name.

use std::fmt;
use std::str::FromStr;

pub mod http;
pub mod iletimerkezi;
pub mod log;
pub mod netgsm;
pub mod twilio;
pub mod verimor;

/// Who carries text messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Vendor {
    /// Verimor Telekom.
    Verimor,
    /// Netgsm.
    Netgsm,
    /// iletiMerkezi.
    IletiMerkezi,
    /// Twilio.
    Twilio,
    /// Any other, by a template of its request.
    Http,
    /// None: a file, for trials.
    Log,
}

/// No vendor has this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no vendor: {names}", names = Vendor::ALL.map(Vendor::as_str).join(", "))]
pub struct UnknownVendor(pub String);

/// What of a vendor's interface is assumed: its published documents leave it open, or contradict each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unverified {
    /// A short name that does not change.
    pub code: &'static str,
    /// What is assumed, in Turkish.
    pub tr: &'static str,
    /// What is assumed.
    pub en: &'static str,
}

/// What a vendor wants to hear for a push: HTTP 200 with this.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Acknowledgement {
    /// `content-type`.
    pub content_type: &'static str,
    /// The body.
    pub body: &'static str,
}

impl Vendor {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Verimor, Self::Netgsm, Self::IletiMerkezi, Self::Twilio, Self::Http, Self::Log];

    /// The name, as in settings and paths.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Verimor => "verimor",
            Self::Netgsm => "netgsm",
            Self::IletiMerkezi => "iletimerkezi",
            Self::Twilio => "twilio",
            Self::Http => "http",
            Self::Log => "log",
        }
    }

    /// What of this vendor's interface nobody has confirmed yet. A program that uses the vendor should tell its operator.
    pub const fn unverified(self) -> &'static [Unverified] {
        match self {
            Self::Verimor => verimor::UNVERIFIED,
            Self::Netgsm => netgsm::UNVERIFIED,
            Self::IletiMerkezi => iletimerkezi::UNVERIFIED,
            Self::Twilio => twilio::UNVERIFIED,
            Self::Http | Self::Log => &[],
        }
    }

    /// What it wants to hear when it pushes. Twilio would send any other text back to the person.
    pub const fn answer(self) -> Acknowledgement {
        match self {
            Self::Twilio => twilio::EMPTY_ANSWER,
            _ => Acknowledgement { content_type: "text/plain; charset=utf-8", body: "OK" },
        }
    }

    /// Whether [`crate::Account::inbox`] can ask this vendor for what it received.
    pub const fn has_inbox(self) -> bool {
        matches!(self, Self::Verimor | Self::Netgsm | Self::IletiMerkezi | Self::Twilio)
    }
}

impl fmt::Display for Vendor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Vendor {
    type Err = UnknownVendor;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|vendor| vendor.as_str() == name)
            .ok_or_else(|| UnknownVendor(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vendor_comes_back_from_its_name() {
        for vendor in Vendor::ALL {
            assert_eq!(vendor.as_str().parse(), Ok(vendor));
        }
        let error = "vodafone".parse::<Vendor>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "\"vodafone\" is no vendor: verimor, netgsm, iletimerkezi, twilio, http, log"
        );
    }

    #[test]
    fn notes_on_what_is_assumed_have_names_of_their_own() {
        let mut seen = std::collections::BTreeSet::new();
        for note in Vendor::ALL.into_iter().flat_map(Vendor::unverified) {
            assert!(seen.insert(note.code), "{}", note.code);
            assert!(!note.tr.is_empty() && !note.en.is_empty(), "{}", note.code);
        }
    }
}
