//! Double opt-in (rules.md section 4.1): an address that somebody typed counts only after its owner has confirmed it, with a
//! code sent by SMS or a link sent by e-mail.
//!
//! A code or link has one purpose: commercial messages of one brand, never together with a contract or with a consent under the
//! data protection law (Kurul decision 2025/1072). Calls and messages to one number may share a code whose message names both;
//! e-mail has its own link. What is confirmed is the moment of consent.
//!
//! Everything here is counted in wire time: a person waits in real time, whatever clock the registry keeps.

use chrono::{DateTime, TimeDelta, Utc};

use crate::lang::Lang;
use crate::words::{Channel, words};

/// How long a code is good for.
pub const CODE_LIFE: TimeDelta = TimeDelta::minutes(3);
/// How long a link is good for.
pub const LINK_LIFE: TimeDelta = TimeDelta::hours(72);
/// Wrong codes that are taken before the process ends.
pub const TRIES: u32 = 5;
/// Sends to one address, and from one client, within [`SENDS_WITHIN`].
pub const SENDS: usize = 3;
/// The time in which sends are counted.
pub const SENDS_WITHIN: TimeDelta = TimeDelta::minutes(15);
/// How long a process waits for its code, new ones asked for included, before it counts as abandoned.
pub const PATIENCE: TimeDelta = TimeDelta::minutes(30);
const DIGITS: u32 = 1_000_000;

words! {
    /// How an address is confirmed.
    pub enum Way("way") {
        /// Six digits by SMS.
        Code = "code",
        /// A link by e-mail.
        Link = "link",
    }
}

words! {
    /// How far a double opt-in has come.
    pub enum OptInState("opt-in state") {
        /// Sent, and waited for.
        Pending = "pending",
        /// Confirmed by the person; on its way to the ledger.
        Confirmed = "confirmed",
        /// In the ledger.
        Done = "done",
        /// Not confirmed in time, or too many wrong codes.
        Abandoned = "abandoned",
    }
}

impl Way {
    /// The way for an address of this channel.
    pub fn of(channel: Channel) -> Self {
        if channel == Channel::Email { Self::Link } else { Self::Code }
    }

    /// How long what is sent is good for.
    pub fn life(self) -> TimeDelta {
        match self {
            Self::Code => CODE_LIFE,
            Self::Link => LINK_LIFE,
        }
    }

    /// How long the whole process is waited for.
    pub fn patience(self) -> TimeDelta {
        match self {
            Self::Code => PATIENCE,
            Self::Link => LINK_LIFE,
        }
    }
}

/// Six digits out of random bits; `None` for the few values that would make some codes likelier than others.
pub fn code_from(random: u32) -> Option<String> {
    let fair = u32::MAX - u32::MAX % DIGITS;
    (random < fair).then(|| format!("{:06}", random % DIGITS))
}

/// What a person typed as a code of ours.
pub fn read_code(typed: &str) -> Option<String> {
    digits(typed).filter(|digits| digits.len() == 6)
}

/// What a person typed as a code: digits alone, blanks and dashes between them allowed, in any script's digits.
pub(crate) fn digits(typed: &str) -> Option<String> {
    let mut digits = String::with_capacity(6);
    for letter in typed.trim().chars() {
        match letter {
            ' ' | '-' | '\u{a0}' => {}
            '0'..='9' => digits.push(letter),
            '\u{660}'..='\u{669}' => digits.push(shifted(letter, 0x660)),
            '\u{6f0}'..='\u{6f9}' => digits.push(shifted(letter, 0x6f0)),
            _ => return None,
        }
    }
    Some(digits)
}

fn shifted(digit: char, zero: u32) -> char {
    char::from_digit(u32::from(digit).saturating_sub(zero), 10).unwrap_or('0')
}

/// Where a process stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Process {
    /// How far it has come.
    pub state: OptInState,
    /// Until when what was sent last is good.
    pub good_until: DateTime<Utc>,
    /// Wrong codes so far.
    pub wrong: u32,
}

/// What an attempt to confirm comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempt {
    /// Right: from now on it is confirmed.
    Right,
    /// It was confirmed before; nothing changes.
    Already,
    /// Wrong; so many tries are left.
    Wrong {
        /// Tries left; 0 ends the process.
        left: u32,
    },
    /// What was sent is too old; a new one may be asked for.
    TooOld,
    /// The process has ended without a confirmation.
    Ended,
}

impl Process {
    /// What a code or link comes to; `right` says whether it is the one that was sent last.
    pub fn attempt(&self, right: bool, now: DateTime<Utc>) -> Attempt {
        match self.state {
            // Who repeats the right code has confirmed; who guesses afterwards learns nothing.
            OptInState::Confirmed | OptInState::Done if right => Attempt::Already,
            OptInState::Confirmed | OptInState::Done | OptInState::Abandoned => Attempt::Ended,
            OptInState::Pending if now > self.good_until => Attempt::TooOld,
            OptInState::Pending if right => Attempt::Right,
            OptInState::Pending => Attempt::Wrong { left: TRIES.saturating_sub(self.wrong + 1) },
        }
    }
}

/// Whether one more may be sent after these; else when it may.
pub fn may_send(sends: &[DateTime<Utc>], now: DateTime<Utc>) -> Result<(), DateTime<Utc>> {
    let mut recent: Vec<DateTime<Utc>> =
        sends.iter().copied().filter(|at| *at + SENDS_WITHIN > now).collect();
    recent.sort_unstable();
    match recent.len().checked_sub(SENDS) {
        None => Ok(()),
        // When the oldest of the last few has left the window.
        Some(over) => Err(recent[over] + SENDS_WITHIN),
    }
}

/// Who asks, as the message names it.
#[derive(Debug, Clone, Copy)]
pub struct Asker<'t> {
    /// Title of the provider.
    pub title: &'t str,
    /// Its MERSİS number; of a tradesperson the T.C. number.
    pub identity: Option<&'t str>,
    /// Where more can be read.
    pub info: Option<&'t str>,
}

/// The SMS with a code: purpose and consequence first, no promotion (rules.md 4.1, M1).
pub fn code_message(asker: Asker<'_>, channels: &[Channel], code: &str, lang: Lang) -> String {
    let names = named(channels, lang);
    let Asker { title, identity: number, info } = asker;
    let mut text = match lang {
        Lang::Tr => format!(
            "{title}: {names} ile ticari ileti almayı onaylamak için kod {code}. Kodu girerseniz size ticari ileti gönderilebilir; istemiyorsanız kodu girmeyin ve kimseyle paylaşmayın."
        ),
        Lang::En => format!(
            "{title}: code {code} to agree to receive commercial messages by {names}. If you enter it, commercial messages may be sent to you; if you do not want them, do not enter or share it."
        ),
    };
    if let Some(number) = number {
        text.push(' ');
        text.push_str(&identity(number));
    }
    if let Some(info) = info {
        text.push(' ');
        text.push_str(info);
    }
    text
}

/// Subject and text of the e-mail with a link.
pub fn link_message(asker: Asker<'_>, link: &str, lang: Lang) -> (String, String) {
    let Asker { title, identity: number, info } = asker;
    let mersis = number.map(|number| format!("\n{}", identity(number))).unwrap_or_default();
    let info = info.map(|info| format!("\n{info}")).unwrap_or_default();
    match lang {
        Lang::Tr => (
            format!("{title}: e-posta ile ticari ileti onayınız"),
            format!(
                "{title}, bu adrese e-posta ile ticari ileti gönderebilmek için onayınızı istiyor.\n\nOnaylamak için bağlantıyı açıp sayfadaki düğmeye basın (72 saat geçerlidir):\n{link}\n\nOnaylamazsanız hiçbir şey yapmanız gerekmez; size ticari ileti gönderilmez.\n{mersis}{info}\n"
            ),
        ),
        Lang::En => (
            format!("{title}: your consent to commercial e-mails"),
            format!(
                "{title} asks for your consent to send commercial e-mails to this address.\n\nTo agree, open the link and press the button on the page (good for 72 hours):\n{link}\n\nIf you do not agree, you need not do anything; no commercial messages are sent to you.\n{mersis}{info}\n"
            ),
        ),
    }
}

/// A number that identifies a sender, with its name (rules.md M1): sixteen digits are a MERSİS number.
pub fn identity(number: &str) -> String {
    let name = if number.len() == 16 { "MERSİS" } else { "T.C. kimlik no" };
    format!("{name} {number}")
}

/// The channels by their everyday names, joined.
pub fn named(channels: &[Channel], lang: Lang) -> String {
    let name = |channel: &Channel| match (channel, lang) {
        (Channel::Message, _) => "SMS",
        (Channel::Call, Lang::Tr) => "arama",
        (Channel::Call, Lang::En) => "phone call",
        (Channel::Email, Lang::Tr) => "e-posta",
        (Channel::Email, Lang::En) => "e-mail",
    };
    let and = if lang == Lang::Tr { " ve " } else { " and " };
    channels.iter().map(name).collect::<Vec<_>>().join(and)
}
