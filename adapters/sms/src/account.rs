//! An account with a vendor, and what can be asked of it.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::inbound::Message;
use crate::vendor::{http, iletimerkezi, log, netgsm, twilio, verimor};
use crate::{Answer, Failure, FailureKind, Vendor};

/// The most of an answer that is read: an inbox may be long.
const ANSWER_LIMIT: usize = 4 * 1024 * 1024;

/// An account. `Debug` shows no secret.
#[derive(Debug, Clone)]
pub enum Account {
    /// Verimor.
    Verimor(verimor::Account),
    /// Netgsm.
    Netgsm(netgsm::Account),
    /// iletiMerkezi.
    IletiMerkezi(iletimerkezi::Account),
    /// Twilio.
    Twilio(twilio::Account),
    /// Another vendor.
    Http(http::Account),
    /// A file.
    Log(log::Account),
}

/// A text to one number. `Debug` shows the reference alone.
#[derive(Clone, Copy)]
pub struct Outgoing<'a> {
    /// Who sends: the name or number that the vendor has approved for the account.
    pub from: &'a str,
    /// The number, E.164 with its plus sign: `+905…`.
    pub to: &'a str,
    /// The text.
    pub text: &'a str,
    /// Our reference, the same in every attempt; 1 to 64 letters, digits, `-` or `_`.
    pub reference: &'a str,
    /// After which time it need not arrive any more. Vendors that cannot do that ignore it.
    pub valid_for: Option<Duration>,
    /// The time of this attempt.
    pub now: DateTime<Utc>,
}

impl std::fmt::Debug for Outgoing<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outgoing").field("reference", &self.reference).finish_non_exhaustive()
    }
}

/// The vendor took the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// The vendor's id for it.
    pub id: Option<String>,
    /// What the vendor said.
    pub answer: Answer,
}

/// Whether a vendor has a text, by our reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// It has.
    Yes(Sent),
    /// It has not: it was not sent.
    No,
    /// This vendor cannot be asked.
    CannotTell,
}

/// From where on an inbox is read.
#[derive(Debug, Clone, Copy)]
pub struct Since<'a> {
    /// What the last reading returned.
    pub cursor: Option<&'a str>,
    /// Without a cursor: from this instant on.
    pub from: DateTime<Utc>,
    /// Now.
    pub now: DateTime<Utc>,
}

/// What arrives in an inbox a little after its time is seen by the next reading.
const OVERLAP: TimeDelta = TimeDelta::minutes(15);

impl Since<'_> {
    /// From when on to ask a vendor that knows no cursor but the time: the cursor is when it was read last ([`Since::read`]).
    pub(crate) fn start(&self) -> DateTime<Utc> {
        let cursor = self.cursor.and_then(|cursor| DateTime::parse_from_rfc3339(cursor).ok());
        cursor.map_or(self.from, |cursor| cursor.to_utc() - OVERLAP)
    }

    /// The cursor after this reading, for [`Since::start`].
    pub(crate) fn read(&self) -> String {
        self.now.to_rfc3339()
    }
}

/// A page of an inbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inbox {
    /// What was received, in the vendor's order. Repetitions of what was pushed are to be expected.
    pub messages: Vec<Message>,
    /// Records that could not be read as messages.
    pub unread: usize,
    /// Where to go on; `None`: as before.
    pub cursor: Option<String>,
    /// Whether there is more to read at once.
    pub more: bool,
}

impl Account {
    /// Whose it is.
    pub const fn vendor(&self) -> Vendor {
        match self {
            Self::Verimor(_) => Vendor::Verimor,
            Self::Netgsm(_) => Vendor::Netgsm,
            Self::IletiMerkezi(_) => Vendor::IletiMerkezi,
            Self::Twilio(_) => Vendor::Twilio,
            Self::Http(_) => Vendor::Http,
            Self::Log(_) => Vendor::Log,
        }
    }

    /// Hands a text to the vendor: one attempt.
    pub async fn send(&self, client: &Client, outgoing: Outgoing<'_>) -> Result<Sent, Failure> {
        match self {
            Self::Verimor(account) => account.send(client, outgoing).await,
            Self::Netgsm(account) => account.send(client, outgoing).await,
            Self::IletiMerkezi(account) => account.send(client, outgoing).await,
            Self::Twilio(account) => account.send(client, outgoing).await,
            Self::Http(account) => account.send(client, outgoing).await,
            Self::Log(account) => account.send(outgoing).await,
        }
    }

    /// Asks whether the vendor has the text of a reference, after an attempt of which nobody knows.
    pub async fn find(&self, client: &Client, reference: &str) -> Result<Found, Failure> {
        match self {
            Self::Verimor(account) => account.find(client, reference).await,
            _ => Ok(Found::CannotTell),
        }
    }

    /// Asks for what the account received. Of vendors without an inbox ([`Vendor::has_inbox`]) it is empty.
    pub async fn inbox(&self, client: &Client, since: Since<'_>) -> Result<Inbox, Failure> {
        match self {
            Self::Verimor(account) => account.inbox(client, since).await,
            Self::Netgsm(account) => account.inbox(client, since).await,
            Self::IletiMerkezi(account) => account.inbox(client).await,
            Self::Twilio(account) => account.inbox(client, since).await,
            Self::Http(_) | Self::Log(_) => {
                Ok(Inbox { messages: Vec::new(), unread: 0, cursor: None, more: false })
            }
        }
    }
}

/// The HTTP client could not be made, for example because the system holds no certificates to trust.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client could not be built")]
pub struct BuildError(#[source] reqwest::Error);

/// Makes calls; cheap to clone, clones share their connections. It follows no redirect and repeats nothing.
#[derive(Debug, Clone)]
pub struct Client(reqwest::Client);

/// Settings of a [`Client`].
#[derive(Debug, Clone)]
#[must_use]
pub struct ClientBuilder {
    timeout: Duration,
    connect_timeout: Duration,
    user_agent: String,
}

impl Client {
    /// A client with a time-out of 20 s, 10 s of it for the connection.
    pub fn builder() -> ClientBuilder {
        ClientBuilder {
            timeout: Duration::from_secs(20),
            connect_timeout: Duration::from_secs(10),
            user_agent: concat!("kopru-sms/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }

    pub(crate) fn get(&self, url: &str) -> reqwest::RequestBuilder {
        self.0.get(url)
    }

    /// With a query.
    pub(crate) fn ask(&self, url: &str, query: &[(&str, String)]) -> reqwest::RequestBuilder {
        let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
        self.get(&format!("{url}?{query}"))
    }

    pub(crate) fn post(&self, url: &str) -> reqwest::RequestBuilder {
        self.0.post(url)
    }
}

impl ClientBuilder {
    /// The time for a whole call.
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The `user-agent` header.
    pub fn user_agent(mut self, user_agent: impl Into<String>) -> Self {
        self.user_agent = user_agent.into();
        self
    }

    /// Makes the client.
    pub fn build(self) -> Result<Client, BuildError> {
        reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .timeout(self.timeout)
            .connect_timeout(self.connect_timeout.min(self.timeout))
            .pool_idle_timeout(Duration::from_secs(30))
            .user_agent(self.user_agent)
            .build()
            .map(Client)
            .map_err(BuildError)
    }
}

/// What a vendor said to a request.
pub(crate) struct Reply {
    pub status: u16,
    pub body: String,
    pub retry_after: Option<Duration>,
}

impl Reply {
    /// Makes a call and reads what comes back.
    pub async fn to(request: reqwest::RequestBuilder) -> Result<Self, Failure> {
        let mut response = request.send().await.map_err(Failure::from_client)?;
        let status = response.status().as_u16();
        let retry_after = response
            .headers()
            .get(reqwest::header::RETRY_AFTER)
            .and_then(|value| value.to_str().ok()?.trim().parse().ok())
            .map(Duration::from_secs);
        let mut bytes = Vec::new();
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if bytes.len() + chunk.len() <= ANSWER_LIMIT => {
                    bytes.extend_from_slice(&chunk);
                }
                Ok(None) => break,
                Ok(Some(_)) => {
                    return Err(Failure::silent(FailureKind::Unknown, "too_long", "the answer is too long"));
                }
                Err(error) => return Err(Failure::from_client(error)),
            }
        }
        Ok(Self { status, body: crate::decode::decode_body(&bytes), retry_after })
    }

    pub const fn is_success(&self) -> bool {
        matches!(self.status, 200..=299)
    }

    pub fn answer(&self) -> Answer {
        Answer::new(self.status, &self.body)
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    /// A failure of a kind that the vendor's code says.
    pub fn failure(&self, kind: FailureKind, code: &str) -> Failure {
        Failure { retry_after: self.retry_after, ..Failure::new(kind, code, self.answer()) }
    }

    /// A failure that only the HTTP status tells something about. A success that says nothing is an unknown outcome.
    pub fn failure_by_status(&self) -> Failure {
        Failure::by_status(self.answer(), self.retry_after)
    }
}

/// A text or a number of a JSON value, as text.
pub(crate) fn text_of(value: &serde_json::Value) -> Option<String> {
    match value {
        serde_json::Value::String(text) => Some(text.clone()).filter(|text| !text.is_empty()),
        serde_json::Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
