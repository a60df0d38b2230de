//! The sender: one signed POST to an address that a stranger chose.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, header};
use tokio::time::timeout;

use crate::error::{BlockReason, SendError};
use crate::resolve::{GuardedResolver, Lookup, system_lookup};
use crate::sign::Signer;
use crate::target::{self, TargetPolicy};
use crate::verify::check_id;
use crate::{HEADER_ID, HEADER_SIGNATURE, HEADER_TIMESTAMP, retry_after};

/// The most of an answer's body that is read. A shorter one is read to its end, so that the connection can serve again.
const BODY_LIMIT: usize = 20 * 1024;
/// The most of an answer's body that is kept, as text.
const EXCERPT_LIMIT: usize = 2 * 1024;

/// One attempt.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// Where to: see [`crate::check_url`] for what is accepted.
    pub url: &'a str,
    /// The event's id, the same in every attempt; visible ASCII without a full stop.
    pub id: &'a str,
    /// The time of this attempt in Unix seconds.
    pub timestamp: i64,
    /// The JSON text: sent as it is.
    pub body: Bytes,
    /// The endpoint's keys.
    pub signer: &'a Signer,
    /// The time from the start of the call until the answer's headers must be there. What is left of it may be spent
    /// on reading the answer's body.
    pub timeout: Duration,
}

/// What the receiver answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// HTTP status. A redirection is reported and not followed.
    pub status: u16,
    /// How long the receiver asks to be left alone (`retry-after`), at most seven days.
    pub retry_after: Option<Duration>,
    /// The beginning of the body, at most 2 048 bytes of text; what is no UTF-8, and NUL, which databases refuse in a
    /// text, stands as U+FFFD.
    pub body_excerpt: String,
    /// From the start of the call until the answer was read.
    pub elapsed: Duration,
}

impl Response {
    /// Whether the receiver took the event (2xx).
    pub const fn is_success(&self) -> bool {
        matches!(self.status, 200..=299)
    }

    /// Whether the receiver says that the endpoint is gone for good (410): send nothing more.
    pub const fn is_gone(&self) -> bool {
        self.status == 410
    }
}

/// The sender could not be made, for example because the system holds no certificates to trust.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client could not be built")]
pub struct BuildError(#[source] reqwest::Error);

/// Posts signed events; cheap to clone, clones share their connections.
///
/// It resolves names itself and connects only to addresses that its [`TargetPolicy`] allows, follows no redirect, uses
/// no proxy, repeats nothing, and reads at most 20 kB of an answer.
#[derive(Debug, Clone)]
pub struct Sender {
    client: reqwest::Client,
    policy: TargetPolicy,
}

impl Sender {
    /// A sender to public addresses, unless told otherwise.
    pub fn builder() -> SenderBuilder {
        SenderBuilder {
            policy: TargetPolicy::default(),
            user_agent: concat!("kopru-webhook/", env!("CARGO_PKG_VERSION")).to_owned(),
            connect_timeout: Duration::from_secs(10),
            idle_connections_per_host: 8,
            lookup: system_lookup(),
        }
    }

    /// Makes one attempt. Any HTTP answer is `Ok`: what a status means is the caller's to decide.
    ///
    /// Once the answer's headers are there the outcome stands: a body that breaks off or crawls shortens the excerpt
    /// and is no error, because the receiver has spoken and a second attempt would be a repetition.
    pub async fn send(&self, request: Request<'_>) -> Result<Response, SendError> {
        let started = Instant::now();
        let url = target::parse(request.url, self.policy)
            .map_err(|problem| SendError::Blocked(BlockReason::Url(problem)))?;
        let headers = headers(&request)?;
        let outgoing = self.client.post(url).headers(headers).body(request.body);

        let mut answer = timeout(request.timeout, outgoing.send())
            .await
            .map_err(|_| SendError::Timeout)?
            .map_err(SendError::from_client)?;

        let retry_after = wished_wait(answer.headers(), request.timestamp);
        let left = request.timeout.saturating_sub(started.elapsed());
        let body_excerpt = read_excerpt(&mut answer, left).await;
        Ok(Response {
            status: answer.status().as_u16(),
            retry_after,
            body_excerpt,
            elapsed: started.elapsed(),
        })
    }
}

/// Settings of a [`Sender`].
#[must_use]
pub struct SenderBuilder {
    policy: TargetPolicy,
    user_agent: String,
    connect_timeout: Duration,
    idle_connections_per_host: usize,
    lookup: Lookup,
}

impl SenderBuilder {
    /// Who may be called; by default public addresses only.
    pub fn policy(mut self, policy: TargetPolicy) -> Self {
        self.policy = policy;
        self
    }

    /// The `user-agent` header, by which a receiver's log tells us from others.
    pub fn user_agent(mut self, user_agent: impl Into<String>) -> Self {
        self.user_agent = user_agent.into();
        self
    }

    /// The time for name resolution, connection and TLS handshake within the request's own time-out; by default 10 s.
    pub fn connect_timeout(mut self, connect_timeout: Duration) -> Self {
        self.connect_timeout = connect_timeout;
        self
    }

    /// How many idle connections are kept open for each host; by default 8.
    pub fn idle_connections_per_host(mut self, connections: usize) -> Self {
        self.idle_connections_per_host = connections;
        self
    }

    /// Answers of a resolver that a test makes up.
    #[cfg(test)]
    fn lookup(mut self, lookup: Lookup) -> Self {
        self.lookup = lookup;
        self
    }

    /// Makes the sender. Fails where the user agent cannot stand in a header, and where the system holds no
    /// certificates to trust.
    pub fn build(self) -> Result<Sender, BuildError> {
        let resolver = GuardedResolver { lookup: self.lookup, policy: self.policy };
        let client = reqwest::Client::builder()
            .dns_resolver(resolver)
            // A redirect leads where the check did not look; a proxy would resolve the name once more
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .referer(false)
            // An attempt is one attempt: the caller counts them
            .retry(reqwest::retry::never())
            .connect_timeout(self.connect_timeout)
            .pool_idle_timeout(Duration::from_secs(30))
            .pool_max_idle_per_host(self.idle_connections_per_host)
            .user_agent(self.user_agent)
            .build()
            .map_err(BuildError)?;
        Ok(Sender { client, policy: self.policy })
    }
}

fn headers(request: &Request<'_>) -> Result<HeaderMap, SendError> {
    check_id(request.id).map_err(|error| SendError::Other(error.into()))?;
    let signature = request.signer.sign(request.id, request.timestamp, &request.body);
    let text = |text: &str| HeaderValue::from_str(text).map_err(|error| SendError::Other(error.into()));
    let mut headers = HeaderMap::with_capacity(4);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(HEADER_ID, text(request.id)?);
    headers.insert(HEADER_TIMESTAMP, HeaderValue::from(request.timestamp));
    headers.insert(HEADER_SIGNATURE, text(&signature)?);
    Ok(headers)
}

fn wished_wait(headers: &HeaderMap, now_unix: i64) -> Option<Duration> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    retry_after::parse(text(header::RETRY_AFTER)?, text(header::DATE), now_unix)
}

/// The beginning of the body: whatever of it came in time.
async fn read_excerpt(answer: &mut reqwest::Response, left: Duration) -> String {
    let mut bytes = Vec::new();
    // Neither a late nor a broken body changes the outcome
    let _ = timeout(left, read_body(answer, &mut bytes)).await;
    excerpt(&bytes)
}

/// Reads to the end or the limit and keeps what an excerpt needs.
async fn read_body(answer: &mut reqwest::Response, kept: &mut Vec<u8>) -> reqwest::Result<()> {
    let mut read = 0;
    while read < BODY_LIMIT
        && let Some(chunk) = answer.chunk().await?
    {
        read += chunk.len();
        kept.extend(chunk.iter().take(EXCERPT_LIMIT - kept.len()));
    }
    Ok(())
}

fn excerpt(bytes: &[u8]) -> String {
    let mut text = String::from_utf8_lossy(bytes).replace('\0', "\u{fffd}");
    // A replacement character is longer than the byte that it stands for
    text.truncate(text.floor_char_boundary(EXCERPT_LIMIT));
    text
}

#[cfg(test)]
mod tests;
