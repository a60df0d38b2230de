//! Why an attempt did not bring an answer.

use std::error::Error;
use std::io;
use std::iter;
use std::net::IpAddr;

use crate::address::AddressKind;
use crate::resolve::ResolveError;
use crate::target::UrlProblem;

type Source = Box<dyn Error + Send + Sync>;

/// Why a target is not called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BlockReason {
    /// The URL itself is not acceptable.
    #[error("{0}")]
    Url(UrlProblem),
    /// The host's name leads to an address that is not allowed. The text does not name the address: it may be of a
    /// network that the endpoint's owner has no business to learn about.
    #[error("the host name leads to a {kind} address")]
    Address {
        /// The address found.
        address: IpAddr,
        /// What the address is for.
        kind: AddressKind,
    },
}

impl BlockReason {
    /// The reason in Turkish; `Display` says it in English.
    pub fn turkish(self) -> String {
        match self {
            Self::Url(problem) => problem.turkish(),
            Self::Address { kind, .. } => {
                format!("sunucu adının gösterdiği adres {} aralığında", kind.turkish())
            }
        }
    }
}

/// An attempt that ended without an HTTP answer. An answer of whatever status is no error.
///
/// No text of an error holds the URL: its path or query may be a secret of the endpoint's owner.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The target is not allowed; nothing was sent. Trying again helps only once the target has changed.
    #[error("target refused: {0}")]
    Blocked(BlockReason),
    /// The host's name could not be resolved; nothing was sent.
    #[error("name resolution failed: {}", root(.0.as_ref()))]
    Dns(#[source] Source),
    /// No connection came about; nothing was sent.
    #[error("could not connect: {}", root(.0.as_ref()))]
    Connect(#[source] Source),
    /// No answer within the time allowed. The receiver may have worked on the call all the same.
    #[error("timed out")]
    Timeout,
    /// The TLS handshake failed, for example for a certificate that is not trusted; nothing was sent.
    #[error("TLS handshake failed: {}", root(.0.as_ref()))]
    Tls(#[source] Source),
    /// Anything else: the connection broke, the answer was no HTTP, the id cannot stand in a header.
    #[error("request failed: {}", root(.0.as_ref()))]
    Other(#[source] Source),
}

impl SendError {
    /// A word for programs that does not change: `blocked`, `dns`, `connect`, `timeout`, `tls` or `other`.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Blocked(_) => "blocked",
            Self::Dns(_) => "dns",
            Self::Connect(_) => "connect",
            Self::Timeout => "timeout",
            Self::Tls(_) => "tls",
            Self::Other(_) => "other",
        }
    }

    /// What happened in Turkish, for the endpoint's owner; `Display` says it in English, with the technical cause.
    pub fn turkish(&self) -> String {
        match self {
            Self::Blocked(reason) => format!("hedefe izin verilmiyor: {}", reason.turkish()),
            Self::Dns(_) => "sunucu adı çözümlenemedi".to_owned(),
            Self::Connect(_) => "sunucuya bağlanılamadı".to_owned(),
            Self::Timeout => "süresi içinde yanıt gelmedi".to_owned(),
            Self::Tls(_) => "güvenli bağlantı (TLS) kurulamadı; sertifikayı denetleyin".to_owned(),
            Self::Other(_) => "istek tamamlanamadı; bağlantı kesildi veya yanıt HTTP değil".to_owned(),
        }
    }

    /// The HTTP client's error, sorted by what it means to the endpoint's owner.
    pub(crate) fn from_client(error: reqwest::Error) -> Self {
        if let Some(ResolveError::Blocked { address, kind }) = find::<ResolveError>(&error) {
            return Self::Blocked(BlockReason::Address { address: *address, kind: *kind });
        }
        let error = error.without_url();
        if error.is_timeout() {
            Self::Timeout
        } else if find::<ResolveError>(&error).is_some() {
            Self::Dns(error.into())
        } else if error.is_connect() && is_handshake(&error) {
            Self::Tls(error.into())
        } else if error.is_connect() {
            Self::Connect(error.into())
        } else {
            Self::Other(error.into())
        }
    }
}

/// While connecting, a TCP socket is not read from: data that make no sense and an early end can only have come to the
/// TLS layer, which reports them in these two ways.
fn is_handshake(error: &reqwest::Error) -> bool {
    causes(error)
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|cause| matches!(cause.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof))
}

/// The error and its causes, from the outside in. `io::Error` hides the error that it wraps from `source`.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    iter::successors(Some(error), |&error| {
        match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(wrapped) => Some(wrapped),
            None => error.source(),
        }
    })
}

fn find<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    causes(error).find_map(|cause| cause.downcast_ref())
}

/// The innermost cause: what a person can act on.
fn root(error: &(dyn Error + Send + Sync + 'static)) -> String {
    causes(error).last().unwrap_or(error).to_string()
}
