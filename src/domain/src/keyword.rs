//! The keyword engine: what an SMS to a short number means (rules.md 4.2).
//!
//! The grammar is `[KEYWORD] VERB [CHANNEL] [rest]`, and the engine is deliberately unfair:
//!
//! - An **approval** must be exact: the whole message is the keyword (where the number has one), one verb
//!   and at most one channel. Nothing is guessed; one letter, sign or word more, and it is none.
//! - A **rejection** is taken wherever it can be heard: a verb among the first three words that say
//!   something, with one error in a word of four letters or more, with letters that a gateway lost; a whole
//!   sentence (`beni listenizden çıkarın`); an approval that is negated (`onay vermiyorum`); both verbs in
//!   one message.
//! - Everything else is **unknown**: a person reads it.
//!
//! A rejection may name e-mail addresses: what stands around them is read, and they are what e-mail means. An
//! approval names none.
//!
//! Between the two lies a gap: no text that is one slip of the finger from an approval is a rejection
//! (`onaylmıyorum` is one letter from yes as well as from no). So a rejection never turns into an approval
//! by one error on the way, nor an approval into a rejection.
//!
//! The engine is a pure function over tables (`keyword/tables.rs`). Its examples, written from what citizens
//! type, are `data/keyword-examples.csv` and `data/keyword-addresses.csv`.

mod address;
mod fold;
mod near;
mod number;
mod reason;
mod tables;
mod verbs;

use self::address::take_addresses;
use self::fold::{Message, message};
use self::near::{is_near, within_one_error};
use self::tables::{ANYWHERE, CHANNELS, EARLY, FILLERS, Named, PAIRS, REJECTED_CHANNELS, is, named};
use self::verbs::{is_operator_mark, refuses};

pub use self::fold::fold;
pub use self::number::{NoShortNumber, ShortNumber};
pub use self::reason::Reason;
pub use self::verbs::{Keyword, KeywordError, Verbs};
use crate::address::Recipient;
use crate::words::{Channel, words};

/// Written into the evidence of what the engine decided; it grows with every change of a decision.
pub const ENGINE_VERSION: u32 = 2;

/// A verb of rejection stands among so many words that say something.
const EARLY_WORDS: usize = 3;
/// How far before the refusal its channel is looked for, in words.
const LOOK_BACK: usize = 6;
/// Built-in words of rejection may hold an error from this length on; shorter ones resemble names.
const LONG_WORD: usize = 7;

words! {
    /// What a message is.
    pub enum KeywordOutcome("outcome") {
        /// ONAY: beyond doubt.
        Approval = "approval",
        /// RET.
        Rejection = "rejection",
        /// Neither: a person reads it.
        Unknown = "unknown",
    }
}

/// Where a message came in, as far as keywords go.
#[derive(Clone, Copy, Debug)]
pub enum Place<'a> {
    /// The number is one brand's: no keyword is needed, and an approval holds none.
    Own,
    /// The number is shared: an approval begins with the brand's keyword.
    Shared(&'a Keyword),
    /// The number is shared and the vendor has named the keyword beside the text, which may repeat it.
    Named(&'a Keyword),
}

impl Place<'_> {
    fn keyword(&self) -> Option<&str> {
        match self {
            Self::Own => None,
            Self::Shared(keyword) | Self::Named(keyword) => Some(keyword.as_str()),
        }
    }
}

/// Where a message came in, and what is understood there.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a> {
    /// Whose number it is.
    pub place: Place<'a>,
    /// The verbs.
    pub verbs: &'a Verbs,
}

/// What a message means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeywordVerdict {
    /// Approval, rejection, or neither.
    pub outcome: KeywordOutcome,
    /// What it is about, in the order of [`Channel::ALL`]; none if the outcome is unknown. A rejection may
    /// name e-mail and no address.
    pub channels: Vec<Channel>,
    /// The e-mail addresses that a rejection names.
    pub addresses: Vec<Recipient>,
    /// Why.
    pub reason: Reason,
}

/// Decides what a message means.
///
/// ```
/// use kopru_domain::keyword::{Keyword, KeywordOutcome, Line, Place, Verbs, read};
///
/// let (abc, verbs) = (Keyword::parse("abc").unwrap(), Verbs::default());
/// let line = Line { place: Place::Shared(&abc), verbs: &verbs };
/// assert_eq!(read("ABC ONAY", &line).outcome, KeywordOutcome::Approval);
/// assert_eq!(read("ıptl etmek istiyorum", &line).outcome, KeywordOutcome::Rejection);
/// assert_eq!(read("ABC ONAY?", &line).outcome, KeywordOutcome::Unknown);
/// ```
pub fn read(text: &str, line: &Line<'_>) -> KeywordVerdict {
    let (rest, addresses) = take_addresses(text);
    if !addresses.is_empty() {
        let around = read_words(&rest, line);
        if around.outcome == KeywordOutcome::Rejection {
            let said = |channel: &Channel| *channel == Channel::Email || around.channels.contains(channel);
            let channels = Channel::ALL.iter().copied().filter(said).collect();
            return KeywordVerdict { channels, addresses, ..around };
        }
    }
    read_words(text, line)
}

fn read_words(text: &str, line: &Line<'_>) -> KeywordVerdict {
    let message = message(text);
    match approval(&message, line) {
        Some(Ok((channels, reason))) => {
            KeywordVerdict { outcome: KeywordOutcome::Approval, channels, addresses: Vec::new(), reason }
        }
        Some(Err(reason)) => unknown(reason),
        None => match rejection(&message.words, line) {
            Some(found) if is_near_approval(&message, line) => unknown(Reason::NearApproval(found.typed())),
            Some(found) => KeywordVerdict {
                outcome: KeywordOutcome::Rejection,
                channels: rejected_channels(&message.words, found.at, line),
                addresses: Vec::new(),
                reason: found.reason,
            },
            None => unknown(why_unknown(&message, line)),
        },
    }
}

/// Which of a shared number's keywords a message names: one of its first words is it; or else has it glued to
/// a verb of rejection (`ABCRET`), or is it but for one error. A message that approves names its keyword
/// exactly or is no approval, so that leniency here errs on the safe side too.
pub fn named_keyword<'a>(
    text: &str,
    keywords: impl IntoIterator<Item = &'a Keyword>,
    verbs: &Verbs,
) -> Option<&'a Keyword> {
    let words = message(&take_addresses(text).0).words;
    let first = &words[..words.len().min(EARLY_WORDS)];
    let keywords: Vec<&Keyword> = keywords.into_iter().collect();
    let find = |is_it: &dyn Fn(&str, &Keyword) -> bool| {
        first.iter().find_map(|word| keywords.iter().copied().find(|keyword| is_it(word, keyword)))
    };
    find(&|word, keyword| word == keyword.as_str())
        .or_else(|| {
            find(&|word, keyword| {
                let line = Line { place: Place::Shared(keyword), verbs };
                glued_verb(word, keyword.as_str(), &line).is_some()
            })
        })
        .or_else(|| find(&|word, keyword| !verbs.speaks(word) && is_near(word, keyword.as_str())))
}

const fn unknown(reason: Reason) -> KeywordVerdict {
    KeywordVerdict { outcome: KeywordOutcome::Unknown, channels: Vec::new(), addresses: Vec::new(), reason }
}

/// The channels of an exact approval; `Err` if it is exact and yet for nothing that this number offers;
/// `None` if it is no exact approval.
fn approval(message: &Message, line: &Line<'_>) -> Option<Result<(Vec<Channel>, Reason), Reason>> {
    let words = message.words.as_slice();
    let words = match line.place {
        Place::Own => words,
        Place::Shared(keyword) => words.split_first().filter(|(first, _)| *first == keyword.as_str())?.1,
        Place::Named(keyword) => match words.split_first() {
            Some((first, rest)) if first == keyword.as_str() => rest,
            _ => words,
        },
    };
    let (verb, channel) = match words {
        [verb] => (verb, None),
        [verb, channel] => (verb, Some(channel.as_str())),
        _ => return None,
    };
    if !message.bare || !line.verbs.approvals().any(|known| known == verb) {
        return None;
    }
    let channels = line.verbs.offered(channel)?;
    Some(if channels.is_empty() {
        Err(Reason::NotOffered)
    } else {
        Ok((channels, Reason::Exact(verb.clone())))
    })
}

/// A refusal that was heard, and at which word.
struct Found {
    at: usize,
    reason: Reason,
}

impl Found {
    fn typed(&self) -> String {
        self.reason.typed().unwrap_or_default().to_owned()
    }
}

fn rejection(words: &[String], line: &Line<'_>) -> Option<Found> {
    let found = early_verb(words, line).or_else(|| anywhere(words)).or_else(|| pair(words));
    let approving = words.iter().find(|word| line.verbs.approvals().any(|verb| verb == *word));
    match (found, approving) {
        (Some(Found { at, reason: Reason::Verb { word, .. } }), Some(yes)) => {
            Some(Found { at, reason: Reason::Both(yes.clone(), word) })
        }
        (Some(found), _) => Some(found),
        (None, Some(yes)) => words
            .iter()
            .position(|word| line.verbs.rejections().any(|verb| verb == word))
            .map(|at| Found { at, reason: Reason::Both(yes.clone(), words[at].clone()) }),
        (None, None) => None,
    }
}

/// A verb of rejection among the first words that say something.
fn early_verb(words: &[String], line: &Line<'_>) -> Option<Found> {
    let mut telling = 0;
    for (at, word) in words.iter().enumerate() {
        if let Some(verb) = verb_in(word, line) {
            return Some(Found { at, reason: Reason::Verb { typed: word.clone(), word: verb } });
        }
        telling += usize::from(tells(word, line));
        if telling == EARLY_WORDS {
            break;
        }
    }
    None
}

/// Whether a word says something of its own: not the keyword, a channel, a courtesy, a number, or the mark
/// of an operator.
fn tells(word: &str, line: &Line<'_>) -> bool {
    line.place.keyword() != Some(word)
        && named(word, REJECTED_CHANNELS).is_none()
        && !FILLERS.contains(&word)
        && !is_operator_mark(word)
        && !letters(word).is_empty()
}

/// A word without the digits around it: people append the number they write from.
fn letters(word: &str) -> &str {
    word.trim_matches(|c: char| c.is_ascii_digit())
}

/// The verb of rejection that a typed word is, alone or glued to the keyword or to `SMS`.
fn verb_in(word: &str, line: &Line<'_>) -> Option<String> {
    let plain = letters(word);
    let glued = [Some("SMS"), line.place.keyword()].into_iter().flatten();
    (line.verbs.rejections().find(|verb| refuses(plain, verb)))
        .or_else(|| glued.into_iter().find_map(|part| glued_verb(word, part, line)))
        .or_else(|| EARLY.iter().copied().find(|entry| is(plain, entry)))
        .map(|verb| verb.trim_end_matches('*').to_owned())
}

/// The verb of rejection that is glued to this part of a word.
fn glued_verb<'a>(word: &str, part: &str, line: &Line<'a>) -> Option<&'a str> {
    let known = |typed: &str| line.verbs.rejections().find(|verb| *verb == typed);
    word.strip_prefix(part).and_then(known).or_else(|| word.strip_suffix(part).and_then(known))
}

/// A word that refuses wherever it stands.
fn anywhere(words: &[String]) -> Option<Found> {
    words.iter().enumerate().find_map(|(at, typed)| {
        let word = ANYWHERE.iter().find(|entry| refuses_built_in(typed, entry))?;
        Some(Found { at, reason: Reason::Verb { typed: typed.clone(), word: (*word).to_owned() } })
    })
}

fn refuses_built_in(typed: &str, word: &str) -> bool {
    typed == word || (word.len() >= LONG_WORD && refuses(typed, word))
}

/// Two words that refuse together.
fn pair(words: &[String]) -> Option<Found> {
    PAIRS.iter().find_map(|(left, right)| {
        let first = words.iter().position(|word| left.iter().any(|entry| is(word, entry)))?;
        let second = words
            .iter()
            .skip(first + 1)
            .position(|word| right.iter().any(|entry| refuses_built_in(word, entry)))?;
        let at = first + 1 + second;
        Some(Found { at, reason: Reason::Pair(words[first].clone(), words[at].clone()) })
    })
}

/// The channels that a rejection names: before the refusing word, in it (`aramayın`), or in the place that
/// the grammar has for them right after it. None named: messages, because a message refused them.
fn rejected_channels(words: &[String], at: usize, line: &Line<'_>) -> Vec<Channel> {
    let after = words[at + 1..].iter().take_while(|word| {
        line.place.keyword() == Some(word) || FILLERS.contains(&word.as_str()) || in_slot(word).is_some()
    });
    let before =
        words[at.saturating_sub(LOOK_BACK)..=at].iter().filter_map(|word| named(word, REJECTED_CHANNELS));
    let found: Vec<Named> = before.chain(after.filter_map(|word| in_slot(word))).collect();
    let one = |channel| found.contains(&Named::One(channel));
    let any = Channel::ALL.iter().any(|channel| one(*channel));
    let all = found.contains(&Named::All) || (!any && found.contains(&Named::Every));
    let named = Channel::ALL.iter().copied();
    if any || all {
        named.filter(|channel| one(*channel) || (all && *channel != Channel::Email)).collect()
    } else {
        vec![Channel::Message]
    }
}

fn in_slot(word: &str) -> Option<Named> {
    if word == "TELEFON" { Some(Named::One(Channel::Call)) } else { named(word, REJECTED_CHANNELS) }
}

/// Whether the message is one error away from an exact approval.
fn is_near_approval(message: &Message, line: &Line<'_>) -> bool {
    let text = message.words.join(" ");
    let keywords = [Some(""), line.place.keyword()].into_iter().flatten();
    let channels = || std::iter::once("").chain(CHANNELS.iter().map(|(word, _)| *word));
    keywords.into_iter().any(|keyword| {
        line.verbs.approvals().any(|verb| {
            channels().any(|channel| {
                let phrase = [keyword, verb, channel].join(" ");
                within_one_error(&text, phrase.trim())
            })
        })
    })
}

fn why_unknown(message: &Message, line: &Line<'_>) -> Reason {
    let Some(first) = message.words.first() else { return Reason::Empty };
    let approves = |word: &str| line.verbs.approvals().any(|verb| verb == word);
    if let (Place::Shared(keyword), true) = (line.place, approves(first)) {
        return Reason::KeywordMissing(keyword.clone());
    }
    match message.words.iter().find(|word| approves(word.trim_matches('?'))) {
        Some(verb) => Reason::NotExact(verb.trim_matches('?').to_owned()),
        None => Reason::NothingKnown,
    }
}
