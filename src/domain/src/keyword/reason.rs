//! Why the engine decided as it did, for the person who reads the message and for the evidence.

use super::Keyword;
use crate::lang::Text;

/// Why a message is what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The whole message is an approval, by this verb.
    Exact(String),
    /// A word refuses.
    Verb {
        /// As it was typed, folded.
        typed: String,
        /// What it was read as.
        word: String,
    },
    /// Two words refuse together: `onay … vermiyorum`.
    Pair(String, String),
    /// A word of approval and one of rejection: the rejection wins.
    Both(String, String),
    /// Nothing to read.
    Empty,
    /// An approval on a shared number without the keyword that says whose.
    KeywordMissing(Keyword),
    /// A word of approval, but not the whole message.
    NotExact(String),
    /// An exact approval of a channel that the number does not offer.
    NotOffered,
    /// One letter from an approval as well as from a rejection.
    NearApproval(String),
    /// No word that the engine knows.
    NothingKnown,
}

impl Reason {
    /// A stable word for programs and statistics.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Exact(_) => "exact",
            Self::Verb { .. } => "verb",
            Self::Pair(..) => "pair",
            Self::Both(..) => "both",
            Self::Empty => "empty",
            Self::KeywordMissing(_) => "keyword_missing",
            Self::NotExact(_) => "not_exact",
            Self::NotOffered => "not_offered",
            Self::NearApproval(_) => "near_approval",
            Self::NothingKnown => "nothing_known",
        }
    }

    /// The word that refused, as it was typed.
    pub(super) fn typed(&self) -> Option<&str> {
        match self {
            Self::Verb { typed, .. } => Some(typed),
            Self::Pair(_, word) | Self::Both(_, word) => Some(word),
            _ => None,
        }
    }

    /// The reason for people.
    pub fn text(&self) -> Text {
        match self {
            Self::Exact(verb) => Text::new(
                format!("mesajın tamamı onay sözcüğü {verb}"),
                format!("the whole message is {verb}, a word of approval"),
            ),
            Self::Verb { typed, word } if typed == word => {
                Text::new(format!("{word} ret bildirir"), format!("{word} refuses"))
            }
            Self::Verb { typed, word } => Text::new(
                format!("{typed}, ret bildiren {word} olarak okundu"),
                format!("{typed} was read as {word}, which refuses"),
            ),
            Self::Pair(left, right) => Text::new(
                format!("{left} ile {right} birlikte ret bildirir"),
                format!("{left} and {right} together refuse"),
            ),
            Self::Both(yes, no) => Text::new(
                format!("hem {yes} hem {no} yazılmış; ret sayılır"),
                format!("both {yes} and {no} were written; the rejection counts"),
            ),
            Self::Empty => {
                Text::fixed("mesajda okunacak bir şey yok", "there is nothing to read in the message")
            }
            Self::KeywordMissing(keyword) => Text::new(
                format!("bu numara ortak; onay {keyword} ile başlamalı"),
                format!("this number is shared; an approval must begin with {keyword}"),
            ),
            Self::NotExact(verb) => Text::new(
                format!("{verb} yazılmış ama mesajın tamamı bu değil; onay yalnızca tam eşleşmeyle alınır"),
                format!("{verb} was written, but is not the whole message; only an exact approval is one"),
            ),
            Self::NotOffered => Text::fixed(
                "bu numara istenen kanal için onay almıyor",
                "this number does not take approvals for that channel",
            ),
            Self::NearApproval(typed) => Text::new(
                format!("{typed} onaya da redde de tek harf uzakta; bir kişi okumalı"),
                format!(
                    "{typed} is one letter from an approval as well as from a rejection; a person must read it"
                ),
            ),
            Self::NothingKnown => {
                Text::fixed("onay ya da ret bildiren bir sözcük yok", "no word of approval or rejection")
            }
        }
    }
}
