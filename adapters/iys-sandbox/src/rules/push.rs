//! What a push connection must be (protocol 8). That an address which does not ask for credentials gives
//! H530, and that a third address of a channel does, is assumed (protocol 11, U21 and U22).

use serde_json::{Map, Value};
use url::{Host, Url};

use super::{Finding, Rule};
use crate::words::Channel;

/// The most active connections of a channel of a brand.
pub(crate) const CONNECTIONS_MAX: usize = 2;

/// The body of a registration.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RegistrationCase<'a> {
    /// The value of `connection`, when the key is there.
    pub(crate) connection: Option<&'a Value>,
}

type RegistrationCheck = for<'a> fn(&RegistrationCase<'a>) -> Option<Finding>;

/// The rules about the list as a whole. The document names no code for it; H014 is assumed.
pub(crate) const REGISTRATION: &[Rule<RegistrationCheck>] =
    &[Rule::new("H014", 400, "push_connections_unusable", |case| {
        let list = case.connection.and_then(Value::as_array);
        let usable = list.is_some_and(|list| !list.is_empty() && list.iter().all(Value::is_object));
        (!usable).then(|| Finding::at("connection"))
    })];

/// One connection as it came.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ConnectionCase<'a> {
    pub(crate) map: &'a Map<String, Value>,
    /// Plain HTTP to this machine is taken.
    pub(crate) allow_http: bool,
}

impl ConnectionCase<'_> {
    fn text(&self, field: &str) -> Option<&str> {
        self.map.get(field).and_then(Value::as_str).filter(|text| !text.is_empty())
    }

    fn missing(&self, field: &str) -> Option<Finding> {
        self.text(field).is_none().then(|| Finding::at(field))
    }
}

/// Whether an address may be posted to.
fn is_safe(url: &str, allow_http: bool) -> bool {
    let Ok(url) = Url::parse(url) else { return false };
    match url.scheme() {
        "https" => true,
        "http" if allow_http => match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        },
        _ => false,
    }
}

type ConnectionCheck = for<'a> fn(&ConnectionCase<'a>) -> Option<Finding>;

/// The rules about one connection, at registration and at removal. All findings come together.
pub(crate) const CONNECTION: &[Rule<ConnectionCheck>] = &[
    Rule::new("H531", 422, "push_url_missing", |case| case.missing("url")),
    Rule::new("H531", 422, "push_url_not_https", |case| {
        let url = case.text("url")?;
        (!is_safe(url, case.allow_http)).then(Finding::new)
    }),
    Rule::new("H111", 422, "push_type_missing", |case| case.missing("type")),
    Rule::new("H117", 422, "push_type_unknown", |case| {
        let text = case.text("type")?;
        Channel::parse(text).is_none().then(|| Finding::at("type").value(text))
    }),
    Rule::new("H093", 422, "push_username_missing", |case| case.missing("username")),
    Rule::new("H093", 422, "push_password_missing", |case| case.missing("password")),
];

/// What an address answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reply {
    Status(u16),
    TimedOut,
    /// No connection, or no HTTP.
    Broken,
}

impl Reply {
    /// Whether the address took what was posted.
    pub(crate) fn is_success(self) -> bool {
        matches!(self, Self::Status(200..=299))
    }
}

/// What was found out about an address.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ProbeCase {
    /// To a post without credentials.
    pub(crate) without: Reply,
    /// To the test event with the registered credentials.
    pub(crate) with: Reply,
    /// Active connections of the same channel to other addresses.
    pub(crate) others: usize,
}

type ProbeCheck = fn(&ProbeCase) -> Option<Finding>;

/// The rules about an address that was tried.
pub(crate) const PROBE: &[Rule<ProbeCheck>] = &[
    Rule::new("H530", 422, "push_connections_full", |case| {
        (case.others >= CONNECTIONS_MAX).then(Finding::new)
    }),
    Rule::new("H191", 422, "push_connection_timed_out", |case| {
        (case.without == Reply::TimedOut || case.with == Reply::TimedOut).then(Finding::new)
    }),
    Rule::new("H530", 422, "push_credentials_not_asked", |case| {
        (case.without != Reply::Status(401)).then(Finding::new)
    }),
    Rule::new("H530", 422, "push_test_event_refused", |case| (!case.with.is_success()).then(Finding::new)),
];

/// Whether a connection to be removed is there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RemovalCase {
    pub(crate) removed: bool,
}

type RemovalCheck = fn(&RemovalCase) -> Option<Finding>;

/// The rule about removal.
pub(crate) const REMOVAL: &[Rule<RemovalCheck>] =
    &[Rule::new("H530", 422, "push_connection_unknown", |case| (!case.removed).then(Finding::new))];
