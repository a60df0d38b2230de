//! What a call decides (rules.md 4.3). Silence is no consent, and neither is any key but the one that was offered for it; a
//! refusal counts however it was given.

use serde::{Deserialize, Serialize};

use crate::words::{ConsentStatus, words};

/// How a brand's calls are read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallSettings {
    /// Whether an approval without a voice record is refused.
    pub voice_record: bool,
    /// The key that was offered for yes.
    pub approval_key: String,
    /// The key that was offered for no.
    pub rejection_key: String,
}

impl Default for CallSettings {
    /// A voice record is needed; 1 is yes and 9 is no.
    fn default() -> Self {
        Self { voice_record: true, approval_key: "1".to_owned(), rejection_key: "9".to_owned() }
    }
}

words! {
    /// Why a call ended without a decision.
    pub enum NoConsent("reason") {
        /// Nothing was pressed or said in time.
        Silence = "silence",
        /// Another key than those offered.
        OtherKey = "other_key",
    }
}

/// What came of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallAnswer {
    /// ONAY or RET.
    Decided(ConsentStatus),
    /// Neither.
    Undecided(NoConsent),
}

/// What a call centre tells of an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ToldAnswer<'a> {
    /// The key that was pressed.
    pub key: Option<&'a str>,
    /// What the agent has entered.
    pub status: Option<ConsentStatus>,
    /// The agent's one key for a refusal in whatever words.
    pub rejection: bool,
}

impl ToldAnswer<'_> {
    /// The decision. Where the signs contradict each other, a refusal wins over all and anything else over an approval.
    pub fn read(self, settings: &CallSettings) -> CallAnswer {
        let key = self.key.map(str::trim).filter(|key| !key.is_empty());
        let refused = self.rejection
            || self.status == Some(ConsentStatus::Rejection)
            || key == Some(settings.rejection_key.as_str());
        match (refused, key, self.status) {
            (true, ..) => CallAnswer::Decided(ConsentStatus::Rejection),
            (_, Some(key), _) if key == settings.approval_key => CallAnswer::Decided(ConsentStatus::Approval),
            (_, Some(_), _) => CallAnswer::Undecided(NoConsent::OtherKey),
            (_, None, Some(status)) => CallAnswer::Decided(status),
            (_, None, None) => CallAnswer::Undecided(NoConsent::Silence),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use ConsentStatus::{Approval, Rejection};

    fn read(key: Option<&str>, status: Option<ConsentStatus>, rejection: bool) -> CallAnswer {
        ToldAnswer { key, status, rejection }.read(&CallSettings::default())
    }

    #[test]
    fn only_the_key_that_was_offered_is_a_consent() {
        assert_eq!(read(Some("1"), None, false), CallAnswer::Decided(Approval));
        assert_eq!(read(Some(" 1 "), Some(Approval), false), CallAnswer::Decided(Approval));
        assert_eq!(read(None, Some(Approval), false), CallAnswer::Decided(Approval));
        assert_eq!(read(Some("11"), None, false), CallAnswer::Undecided(NoConsent::OtherKey));
        assert_eq!(read(Some("5"), Some(Approval), false), CallAnswer::Undecided(NoConsent::OtherKey));
        assert_eq!(read(Some(" "), None, false), CallAnswer::Undecided(NoConsent::Silence));
        assert_eq!(read(None, None, false), CallAnswer::Undecided(NoConsent::Silence));
    }

    #[test]
    fn a_refusal_wins_however_it_was_given() {
        assert_eq!(read(Some("9"), Some(Approval), false), CallAnswer::Decided(Rejection));
        assert_eq!(read(Some("1"), Some(Rejection), false), CallAnswer::Decided(Rejection));
        assert_eq!(read(Some("1"), Some(Approval), true), CallAnswer::Decided(Rejection));
    }

    proptest! {
        #[test]
        fn no_other_key_is_ever_a_consent(key in "[0-9*#]{1,3}") {
            prop_assume!(key != "1");
            prop_assert_ne!(read(Some(&key), Some(Approval), false), CallAnswer::Decided(Approval));
        }
    }
}
