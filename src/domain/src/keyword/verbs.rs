//! What a short number understands: its keywords and its verbs, and which of them cannot live together.

use std::fmt;

use super::fold::fold;
use super::near::{is_near, same_but_held, within_one_error};
use super::tables::{
    ANYWHERE, APPROVALS, CHANNELS, EARLY, FILLERS, Named, OTHER_WORDS, REJECTED_CHANNELS, REJECTIONS, is,
    named,
};
use crate::lang::Text;
use crate::words::Channel;

/// No keyword and no verb is longer, in letters.
const LONGEST_WORD: usize = 20;

/// The keyword by which messages to a shared number name their brand, folded: `ABC`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Keyword(String);

/// Why a keyword or a verb cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeywordError {
    /// Not one word of 2 to 20 letters and digits, at least one of them a letter.
    #[error("{0:?} is not one word of 2 to 20 letters and digits")]
    NotAWord(String),
    /// The mark that operators put at the end of advertisements: `B001`.
    #[error("{0:?} is the mark of an operator")]
    OperatorMark(String),
    /// A keyword that is, or could be read as, a word of the grammar.
    #[error("{0:?} is a word of approval, rejection or a channel")]
    Verb(String),
    /// Another keyword of the same number is this one.
    #[error("{0:?} is taken on this number")]
    Taken(String),
    /// Another keyword of the same number is one error away.
    #[error("{0:?} is one letter from {1:?} on this number")]
    TooNear(String, String),
    /// A verb of approval that is one error away from a word of rejection.
    #[error("{0:?} is one letter from {1:?}, which refuses")]
    DoubtfulApproval(String, String),
}

impl KeywordError {
    /// A stable word for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotAWord(_) => "not_a_word",
            Self::OperatorMark(_) => "operator_mark",
            Self::Verb(_) => "verb",
            Self::Taken(_) => "taken",
            Self::TooNear(..) => "too_near",
            Self::DoubtfulApproval(..) => "doubtful_approval",
        }
    }

    /// What is wrong and what to do.
    pub fn text(&self) -> Text {
        match self {
            Self::NotAWord(word) => Text::new(
                format!("{word:?} 2-20 harf ve rakamdan oluşan, en az bir harfi olan tek bir sözcük olmalı"),
                format!("{word:?} must be one word of 2 to 20 letters and digits with at least one letter"),
            ),
            Self::OperatorMark(word) => Text::new(
                format!(
                    "{word} işletmecilerin toplu mesajların sonuna koyduğu koddur; başka bir anahtar sözcük seçin"
                ),
                format!("{word} is what operators put at the end of bulk messages; choose another keyword"),
            ),
            Self::Verb(word) => Text::new(
                format!("{word} onay, ret ya da kanal bildiren bir sözcük; başka bir anahtar sözcük seçin"),
                format!("{word} is a word for approval, rejection or a channel; choose another keyword"),
            ),
            Self::Taken(word) => Text::new(
                format!("{word} bu numarada zaten kullanılıyor; başka bir anahtar sözcük seçin"),
                format!("{word} is in use on this number already; choose another keyword"),
            ),
            Self::TooNear(word, other) => Text::new(
                format!(
                    "{word} bu numaradaki {other} sözcüğünden tek harf uzakta; karışmayacak bir anahtar sözcük seçin"
                ),
                format!(
                    "{word} is one letter away from {other} on this number; choose one that cannot be confused"
                ),
            ),
            Self::DoubtfulApproval(word, other) => Text::new(
                format!(
                    "{word} ret bildiren {other} sözcüğünden tek harf uzakta; karışmayacak bir onay sözcüğü seçin"
                ),
                format!(
                    "{word} is one letter away from {other}, which refuses; choose a word that cannot be confused"
                ),
            ),
        }
    }
}

impl Keyword {
    /// Reads a keyword in any spelling.
    pub fn parse(text: &str) -> Result<Self, KeywordError> {
        let word = word(text)?;
        if is_operator_mark(&word) {
            return Err(KeywordError::OperatorMark(word));
        }
        Ok(Self(word))
    }

    /// The folded word.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this keyword can be added to a number: it is no word of the grammar, and neither is nor
    /// resembles another brand's keyword there. With less than that a message would be one brand's or
    /// another's by a slip of the finger.
    pub fn check_beside<'a>(
        &self,
        others: impl IntoIterator<Item = &'a Self>,
        verbs: &Verbs,
    ) -> Result<(), KeywordError> {
        if verbs.speaks(&self.0) {
            return Err(KeywordError::Verb(self.0.clone()));
        }
        for other in others {
            if self == other {
                return Err(KeywordError::Taken(self.0.clone()));
            }
            if within_one_error(&self.0, &other.0) {
                return Err(KeywordError::TooNear(self.0.clone(), other.0.clone()));
            }
        }
        Ok(())
    }
}

impl fmt::Display for Keyword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Keyword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The verbs of a number, folded. Verbs of rejection can be added and never taken away: a citizen's plain
/// `RET` is a rejection whatever a number was set up for. Verbs of approval can be replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verbs {
    approvals: Vec<String>,
    rejections: Vec<String>,
    offers: Vec<Channel>,
}

impl Default for Verbs {
    fn default() -> Self {
        let words = |table: &[&str]| table.iter().map(|word| (*word).to_owned()).collect();
        Self {
            approvals: words(APPROVALS),
            rejections: words(REJECTIONS),
            offers: vec![Channel::Call, Channel::Message],
        }
    }
}

impl Verbs {
    /// The built-in verbs with these in place of the approvals (none given: the built-in ones) and these
    /// beside the rejections.
    pub fn new<'a>(
        approvals: impl IntoIterator<Item = &'a str>,
        more_rejections: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, KeywordError> {
        let mut verbs = Self::default();
        for text in more_rejections {
            let verb = word(text)?;
            if named(&verb, CHANNELS).is_some() || APPROVALS.contains(&verb.as_str()) {
                return Err(KeywordError::Verb(verb));
            }
            if !verbs.rejections.contains(&verb) {
                verbs.rejections.push(verb);
            }
        }
        let own = approvals.into_iter().map(word).collect::<Result<Vec<_>, _>>()?;
        if !own.is_empty() {
            verbs.approvals = own;
        }
        for verb in &verbs.approvals {
            if named(verb, REJECTED_CHANNELS).is_some() {
                return Err(KeywordError::Verb(verb.clone()));
            }
            let mut refusing = verbs.refusals();
            if let Some(other) =
                refusing.find(|other| within_one_error(verb, other.trim_end_matches('*')) || is(verb, other))
            {
                return Err(KeywordError::DoubtfulApproval(verb.clone(), other.to_owned()));
            }
        }
        Ok(verbs)
    }

    /// The same verbs on a number that offers consent to these channels only. E-mail is never among them:
    /// an SMS says no e-mail address.
    #[must_use]
    pub fn offering(mut self, channels: &[Channel]) -> Self {
        self.offers.retain(|channel| channels.contains(channel));
        self
    }

    /// The exact words of approval.
    pub fn approvals(&self) -> impl Iterator<Item = &str> {
        self.approvals.iter().map(String::as_str)
    }

    /// The words of rejection.
    pub fn rejections(&self) -> impl Iterator<Item = &str> {
        self.rejections.iter().map(String::as_str)
    }

    /// The channels that a plain yes to "all" permits.
    pub fn offers(&self) -> &[Channel] {
        &self.offers
    }

    /// The channels that an exact approval permits, when its word for them is one of the grammar.
    pub(super) fn offered(&self, channel: Option<&str>) -> Option<Vec<Channel>> {
        let named = channel.map_or(Some(Named::One(Channel::Message)), |word| named(word, CHANNELS))?;
        let channels = match named {
            Named::One(channel) => {
                self.offers.iter().copied().filter(|offered| *offered == channel).collect()
            }
            Named::All | Named::Every => self.offers.clone(),
        };
        Some(channels)
    }

    fn refusals(&self) -> impl Iterator<Item = &str> {
        self.rejections().chain(EARLY.iter().copied()).chain(ANYWHERE.iter().copied())
    }

    /// Whether the grammar has a use for the word, or would read it as one of its verbs.
    pub(super) fn speaks(&self, word: &str) -> bool {
        self.approvals().any(|verb| within_one_error(word, verb))
            || self.refusals().any(|verb| is(word, verb))
            || self.rejections().any(|verb| refuses(word, verb))
            || named(word, REJECTED_CHANNELS).is_some()
            || FILLERS.contains(&word)
    }
}

/// Whether a typed word can be this verb of rejection: all but those that are words of their own.
pub(super) fn refuses(typed: &str, verb: &str) -> bool {
    typed == verb || (is_near(typed, verb) && !OTHER_WORDS.iter().any(|other| same_but_held(typed, other)))
}

/// `B001`: the code of the operator that sent an advertisement.
pub(super) fn is_operator_mark(word: &str) -> bool {
    word.len() == 4 && word.starts_with('B') && word[1..].bytes().all(|byte| byte.is_ascii_digit())
}

fn word(text: &str) -> Result<String, KeywordError> {
    let folded = fold(text);
    let fits = (2..=LONGEST_WORD).contains(&folded.len())
        && folded.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && folded.bytes().any(|byte| byte.is_ascii_alphabetic());
    if fits { Ok(folded) } else { Err(KeywordError::NotAWord(text.chars().take(2 * LONGEST_WORD).collect())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keyword(text: &str) -> Keyword {
        Keyword::parse(text).unwrap()
    }

    #[test]
    fn keywords_are_one_folded_word() {
        assert_eq!(keyword(" Çiçek ").as_str(), "CICEK");
        assert_eq!(keyword("a101").as_str(), "A101");
        for text in ["", "A", "AB CD", "123", "A?C", "ABCDEFGHIJKLMNOPQRSTU", "абв"] {
            assert_eq!(Keyword::parse(text).unwrap_err().code(), "not_a_word", "{text}");
        }
        assert_eq!(Keyword::parse("b001").unwrap_err().code(), "operator_mark");
    }

    #[test]
    fn keywords_that_could_be_confused_are_refused() {
        let others = [keyword("MODA"), keyword("CICEK")];
        let check =
            |text: &str| keyword(text).check_beside(&others, &Verbs::default()).map_err(|error| error.code());
        assert_eq!(check("ABC"), Ok(()));
        assert_eq!(check("moda"), Err("taken"));
        assert_eq!(check("Çiçek"), Err("taken"));
        for text in ["MODAA", "MDA", "MOAD", "KODA", "CICE"] {
            assert_eq!(check(text), Err("too_near"), "{text}");
        }
        for text in [
            "RET", "RED", "iptal", "IPTL", "onay", "ONAYY", "EVT", "sms", "arama", "hepsi", "ISTEMEM",
            "LUTFEN",
        ] {
            assert_eq!(check(text), Err("verb"), "{text}");
        }
    }

    #[test]
    fn rejections_are_added_and_approvals_replaced() {
        let verbs = Verbs::new(["Katıl"], ["BIRAK"]).unwrap();
        assert_eq!(verbs.approvals().collect::<Vec<_>>(), ["KATIL"]);
        assert!(
            verbs.rejections().any(|verb| verb == "RET") && verbs.rejections().any(|verb| verb == "BIRAK")
        );
        for verb in ["REY", "IPTAK", "ISTEMIYORUN", "DUR", "IPTALSIZ", "ATMAYIM"] {
            assert_eq!(Verbs::new([verb], []).unwrap_err().code(), "doubtful_approval", "{verb}");
        }
        assert_eq!(Verbs::new(["SMS"], []).unwrap_err().code(), "verb");
        assert_eq!(Verbs::new([], ["ONAY"]).unwrap_err().code(), "verb");
        assert_eq!(Verbs::new(["iki kelime"], []).unwrap_err().code(), "not_a_word");
    }
}
