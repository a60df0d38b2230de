//! E-mail by SMTP (RFC 5321): one message, one attempt, errors sorted by what to do next.
//!
//! * [`Account::send`] hands one message to a server and waits until that has taken it. It talks step by step, because the
//!   step tells what an error means: before the message itself was sent nothing was, after that a broken connection
//!   leaves everybody in the dark ([`FailureKind::Unknown`]).
//! * [`Mail::unsubscribe`] becomes `List-Unsubscribe`, and with an https address `List-Unsubscribe-Post`, the one click
//!   of RFC 8058.
//! * [`Account::Log`] writes lines to a file instead, for trials.
//!
//! The crate knows nothing of consents, queues or storage, takes time as a parameter and holds no state. Each message has
//! a connection of its own.

mod failure;
mod log;
mod message;
mod smtp;

use chrono::{DateTime, Utc};

pub use failure::{Failure, FailureKind};
pub use log::Log;
pub use message::check_address;
pub use smtp::{Security, Smtp};

/// Where messages go. `Debug` shows no secret.
#[derive(Debug, Clone)]
pub enum Account {
    /// A server.
    Smtp(Smtp),
    /// A file.
    Log(Log),
}

/// A message to one address. `Debug` shows the reference alone.
#[derive(Clone, Copy)]
pub struct Mail<'a> {
    /// The sender, with a name if wanted: `Örnek A.Ş. <onay@example.com>`.
    pub from: &'a str,
    /// The address.
    pub to: &'a str,
    /// The subject.
    pub subject: &'a str,
    /// The text.
    pub text: &'a str,
    /// The same as HTML.
    pub html: Option<&'a str>,
    /// Where one unsubscribes: an https address that takes a POST without a question, or `mailto:`.
    pub unsubscribe: Option<&'a str>,
    /// Our reference, the same in every attempt; it becomes the message's id, by which mailboxes recognise repetitions. Letters,
    /// digits and `-`.
    pub reference: &'a str,
    /// The time of this attempt.
    pub now: DateTime<Utc>,
}

impl std::fmt::Debug for Mail<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mail").field("reference", &self.reference).finish_non_exhaustive()
    }
}

/// The server took the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// The server's id for it, where it told one.
    pub id: Option<String>,
    /// What the server said.
    pub answer: String,
}

impl Account {
    /// Sends a message: one attempt.
    pub async fn send(&self, mail: Mail<'_>) -> Result<Sent, Failure> {
        match self {
            Self::Smtp(smtp) => smtp.send(mail).await,
            Self::Log(log) => log.send(mail).await,
        }
    }
}

/// The example of the read-me file compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
