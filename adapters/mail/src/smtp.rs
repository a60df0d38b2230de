//! The conversation with a server, step by step.

use std::fmt;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use lettre::address::Envelope;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail as MailFrom, Rcpt};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::response::{Response, Severity};
use secrecy::{ExposeSecret, SecretString};

use crate::{Failure, FailureKind, Mail, Sent, message};

/// The most of an answer that is kept.
const KEPT: usize = 2 * 1024;

/// How the connection is kept from others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// TLS from the first byte, port 465.
    Tls,
    /// STARTTLS, which the server must offer, port 587.
    StartTls,
    /// Not at all: for a server on this machine.
    None,
}

/// A server. `Debug` shows no secret.
#[derive(Clone)]
pub struct Smtp {
    /// Its name, which its certificate must have.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is kept from others.
    pub security: Security,
    /// User and password.
    pub credentials: Option<(String, SecretString)>,
    /// The time for the whole conversation.
    pub timeout: Duration,
}

impl fmt::Debug for Smtp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Smtp").field("host", &self.host).field("port", &self.port).finish_non_exhaustive()
    }
}

/// How far the conversation got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
enum Step {
    /// Connecting, greeting, TLS.
    Connect,
    /// User and password, sender.
    Account,
    /// The recipient.
    Recipient,
    /// The message itself: from here on only the server's answer tells what happened.
    Message,
}

/// Shared with the time-out, which has to know it too.
#[derive(Debug)]
struct Progress(AtomicU8);

impl Progress {
    fn at(&self, step: Step) {
        self.0.store(step as u8, Ordering::Relaxed);
    }

    fn step(&self) -> Step {
        match self.0.load(Ordering::Relaxed) {
            0 => Step::Connect,
            1 => Step::Account,
            2 => Step::Recipient,
            _ => Step::Message,
        }
    }
}

impl Smtp {
    pub(crate) async fn send(&self, mail: Mail<'_>) -> Result<Sent, Failure> {
        let (envelope, bytes) = message::build(mail)?;
        let progress = Progress(AtomicU8::new(Step::Connect as u8));
        match tokio::time::timeout(self.timeout, self.converse(&envelope, &bytes, &progress)).await {
            Ok(Ok(response)) => {
                let answer = words(&response);
                Ok(Sent { id: id_of(&answer), answer })
            }
            Ok(Err(error)) => Err(judge(progress.step(), error)),
            Err(elapsed) => {
                let unknown = progress.step() == Step::Message;
                let kind = if unknown { FailureKind::Unknown } else { FailureKind::Retry };
                Err(Failure::new(kind, "timeout", elapsed))
            }
        }
    }

    async fn converse(
        &self,
        envelope: &Envelope,
        bytes: &[u8],
        progress: &Progress,
    ) -> Result<Response, Error> {
        let name = ClientId::default();
        let tls = || TlsParameters::new(self.host.clone());
        let at_once = if self.security == Security::Tls { Some(tls()?) } else { None };
        let server = (self.host.as_str(), self.port);
        let mut connection =
            AsyncSmtpConnection::connect_tokio1(server, Some(self.timeout), &name, at_once, None).await?;
        if self.security == Security::StartTls {
            connection.starttls(tls()?, &name).await?;
        }
        progress.at(Step::Account);
        if let Some((user, password)) = &self.credentials {
            let credentials = Credentials::new(user.clone(), password.expose_secret().to_owned());
            connection.auth(DEFAULT_MECHANISMS, &credentials).await?;
        }
        connection.command(MailFrom::new(envelope.from().cloned(), Vec::new())).await?;
        progress.at(Step::Recipient);
        for to in envelope.to() {
            connection.command(Rcpt::new(to.clone(), Vec::new())).await?;
        }
        connection.command(Data).await?;
        progress.at(Step::Message);
        let response = connection.message(bytes).await?;
        // Taken is taken, however the parting goes
        let _ = tokio::time::timeout(Duration::from_secs(1), connection.quit()).await;
        Ok(response)
    }
}

/// What an error means, by the step at which it came.
fn judge(step: Step, error: Error) -> Failure {
    let answer =
        error.status().and_then(|_| std::error::Error::source(&error)).map(|said| cut(said.to_string()));
    let (kind, code) = match error.status() {
        Some(code) => {
            let permanent = code.severity == Severity::PermanentNegativeCompletion;
            let kind = match step {
                _ if !permanent => FailureKind::Retry,
                Step::Connect | Step::Account => FailureKind::Account,
                Step::Recipient | Step::Message => FailureKind::Refused,
            };
            (kind, code.to_string())
        }
        None if error.is_tls() || error.is_client() => (FailureKind::Account, "tls".to_owned()),
        None if step == Step::Message => (FailureKind::Unknown, "broken".to_owned()),
        None if step == Step::Connect => (FailureKind::Retry, "connect".to_owned()),
        None => (FailureKind::Retry, "broken".to_owned()),
    };
    Failure { answer, ..Failure::new(kind, code, error) }
}

fn words(response: &Response) -> String {
    cut(format!("{} {}", response.code(), response.message().collect::<Vec<_>>().join(" ")))
}

fn cut(mut text: String) -> String {
    text.retain(|letter| letter != '\0');
    text.truncate(text.floor_char_boundary(KEPT));
    text
}

/// What stands behind `queued as`, or `id=`, as the common servers say it.
fn id_of(answer: &str) -> Option<String> {
    let rest = ["queued as ", "id="].into_iter().find_map(|mark| answer.split_once(mark))?.1;
    let id = rest.split_whitespace().next()?.trim_end_matches(['.', ';', ',']);
    (!id.is_empty()).then(|| id.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_found_where_servers_put_them() {
        assert_eq!(id_of("250 2.0.0 Ok: queued as 4Zx1.").as_deref(), Some("4Zx1"));
        assert_eq!(id_of("250 OK id=1tQ-0001").as_deref(), Some("1tQ-0001"));
        assert_eq!(id_of("250 Ok"), None);
    }
}
