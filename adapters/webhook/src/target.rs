//! Which URLs and addresses may be called.

use std::net::IpAddr;

use url::{Host, Url};

use crate::address::AddressKind;

/// The longest URL that is accepted, in bytes.
pub const MAX_URL_LENGTH: usize = 2048;

/// Who may be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TargetPolicy {
    /// Public addresses only: the right choice wherever strangers register endpoints.
    #[default]
    Public,
    /// Also this machine itself: for a trial on one's own desk.
    AllowLoopback,
    /// Every address and port: for an installation whose receivers live in its own network and whose endpoints are
    /// registered by its own people.
    AllowAll,
}

impl TargetPolicy {
    /// Whether a connection to an address of this kind is allowed.
    pub const fn allows(self, kind: AddressKind) -> bool {
        match self {
            Self::Public => matches!(kind, AddressKind::Public),
            Self::AllowLoopback => matches!(kind, AddressKind::Public | AddressKind::Loopback),
            Self::AllowAll => true,
        }
    }
}

/// Why a URL cannot be an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UrlProblem {
    /// Longer than [`MAX_URL_LENGTH`].
    #[error("the URL is longer than {MAX_URL_LENGTH} bytes")]
    TooLong,
    /// No absolute URL with a host.
    #[error("this is not a URL: {0}")]
    Invalid(#[source] url::ParseError),
    /// Neither https nor http.
    #[error("only https and http are accepted")]
    Scheme,
    /// A user name or password stands before the host.
    #[error("the URL must not hold a user name or password")]
    UserInfo,
    /// The port belongs to another protocol.
    #[error("port {0} is not one for web hooks")]
    Port(u16),
    /// The name has a meaning only inside a machine or a network.
    #[error("the host name is not public")]
    LocalName,
    /// The host is an address of a kind that is not allowed.
    #[error("the host is a {0} address")]
    Address(AddressKind),
}

impl UrlProblem {
    /// A word for programs that does not change.
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooLong => "too_long",
            Self::Invalid(_) => "invalid",
            Self::Scheme => "scheme",
            Self::UserInfo => "user_info",
            Self::Port(_) => "port",
            Self::LocalName => "local_name",
            Self::Address(_) => "address",
        }
    }

    /// The problem in Turkish; `Display` says it in English.
    pub fn turkish(self) -> String {
        match self {
            Self::TooLong => format!("URL {MAX_URL_LENGTH} bayttan uzun"),
            Self::Invalid(_) => "geçerli bir URL değil".to_owned(),
            Self::Scheme => "yalnızca https ve http kabul edilir".to_owned(),
            Self::UserInfo => "URL kullanıcı adı veya parola içeremez".to_owned(),
            Self::Port(port) => format!("{port} numaralı port web kancası için kullanılamaz"),
            Self::LocalName => "sunucu adı herkese açık bir ad değil".to_owned(),
            Self::Address(kind) => format!("hedef adres {} aralığında", kind.turkish()),
        }
    }
}

/// Whether `url` may be registered as an endpoint: scheme, user information, port, host name, literal address.
///
/// This looks nothing up: a name that leads to an inner address is found by [`crate::Sender`] when it calls. Literal
/// addresses are recognised in every spelling that a browser understands (`http://2130706433/`, `http://0x7f.1/`).
pub fn check_url(url: &str, policy: TargetPolicy) -> Result<(), UrlProblem> {
    parse(url, policy).map(drop)
}

/// [`check_url`], and the URL in its normal form.
pub(crate) fn parse(url: &str, policy: TargetPolicy) -> Result<Url, UrlProblem> {
    if url.len() > MAX_URL_LENGTH {
        return Err(UrlProblem::TooLong);
    }
    let url = Url::parse(url).map_err(UrlProblem::Invalid)?;
    if !matches!(url.scheme(), "https" | "http") {
        return Err(UrlProblem::Scheme);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(UrlProblem::UserInfo);
    }
    check_port(&url, policy)?;
    check_host(&url, policy)?;
    Ok(url)
}

/// Ports of protocols that read lines of text and would take part of an HTTP request for their own commands: file
/// transfer, shells, mail, news, names, chat, voice, printers, databases and caches.
const FOREIGN_PORTS: [u16; 36] = [
    20, 21, 22, 23, 25, 43, 53, 69, 79, 109, 110, 111, 113, 119, 135, 137, 139, 143, 161, 389, 445, 465, 514,
    515, 563, 587, 636, 873, 993, 995, 2049, 3306, 5060, 5432, 6379, 11211,
];

fn check_port(url: &Url, policy: TargetPolicy) -> Result<(), UrlProblem> {
    match url.port() {
        Some(0) => Err(UrlProblem::Port(0)),
        Some(port) if policy != TargetPolicy::AllowAll && FOREIGN_PORTS.contains(&port) => {
            Err(UrlProblem::Port(port))
        }
        _ => Ok(()),
    }
}

fn check_host(url: &Url, policy: TargetPolicy) -> Result<(), UrlProblem> {
    let address = match url.host() {
        None => return Err(UrlProblem::Invalid(url::ParseError::EmptyHost)),
        Some(Host::Domain(name)) => return check_name(name, policy),
        Some(Host::Ipv4(address)) => IpAddr::V4(address),
        Some(Host::Ipv6(address)) => IpAddr::V6(address),
    };
    let kind = AddressKind::of(address);
    if policy.allows(kind) { Ok(()) } else { Err(UrlProblem::Address(kind)) }
}

/// Top-level names that are never delegated to the public (RFC 6761, 6762, 7686, 8375, and ICANN's `internal`).
const LOCAL_ZONES: [&str; 5] = ["local", "internal", "home.arpa", "onion", "invalid"];

/// The URL parser has put the name in lower case; a full stop at its end changes nothing about where it leads.
fn check_name(name: &str, policy: TargetPolicy) -> Result<(), UrlProblem> {
    let name = name.trim_end_matches('.');
    let within =
        |zone: &str| name.strip_suffix(zone).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    let allowed = match policy {
        TargetPolicy::AllowAll => !name.is_empty(),
        TargetPolicy::AllowLoopback if within("localhost") => true,
        _ => name.contains('.') && !within("localhost") && !LOCAL_ZONES.iter().any(|zone| within(zone)),
    };
    if allowed { Ok(()) } else { Err(UrlProblem::LocalName) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    use AddressKind as Kind;
    use TargetPolicy::{AllowAll, AllowLoopback, Public};
    use UrlProblem as Problem;

    #[test]
    fn ordinary_urls_are_accepted() {
        let urls = [
            "https://example.com/hook",
            "http://example.com:8080/a/b?c=d",
            "https://crm.şirket.com.tr/",
            "https://8.8.8.8/",
            "https://[2606:4700:4700::1111]:8443/hook",
            "HTTPS://EXAMPLE.COM.",
            "https://localhost.example.com/",
            "https://notlocal.example.com/",
            "https://mylocal.tr/",
            // The backslash is a slash to the parser: what follows is a path and not the host
            "https://example.com\\@127.0.0.1/",
        ];
        for url in urls {
            for policy in [Public, AllowLoopback, AllowAll] {
                assert_eq!(check_url(url, policy), Ok(()), "{url} {policy:?}");
            }
        }
    }

    #[test]
    fn loopback_in_every_spelling() {
        let urls = [
            "http://127.0.0.1/",
            "http://127.0.0.1./",
            "http://127.1/",
            "http://127.0.1:8080/",
            "http://2130706433/",
            "http://0x7f000001/",
            "http://0x7f.1/",
            "http://0x7f.0x0.0x0.0x1/",
            "http://017700000001/",
            "http://0177.0.0.1/",
            "http://127.255.255.254/",
            "http://%31%32%37.0.0.1/",
            "http://１２７。０。０。１/",
            "http://①②⑦.0.0.1/",
            "http://[::1]/",
            "http://[0:0:0:0:0:0:0:1]/",
            "http://[::ffff:127.0.0.1]/",
            "http://[::ffff:7f00:1]/",
            "http:127.0.0.1",
            "http:\\\\127.0.0.1\\",
            "http://127.0.0.1\t/",
        ];
        for url in urls {
            assert_eq!(check_url(url, Public), Err(Problem::Address(Kind::Loopback)), "{url}");
            assert_eq!(check_url(url, AllowLoopback), Ok(()), "{url}");
        }
    }

    #[test]
    fn inner_addresses_are_refused_with_loopback_allowed_too() {
        let cases = [
            ("http://10.0.0.1/", Kind::Private),
            ("http://0xa.1/", Kind::Private),
            ("http://192.168.1.1:8080/", Kind::Private),
            ("http://169.254.169.254/latest/meta-data/", Kind::LinkLocal),
            ("http://2852039166/", Kind::LinkLocal),
            ("http://100.64.0.1/", Kind::Shared),
            ("http://0/", Kind::Unspecified),
            ("http://0.0.0.0:8080/", Kind::Unspecified),
            ("http://[::]/", Kind::Unspecified),
            ("http://224.0.0.1/", Kind::Multicast),
            ("http://255.255.255.255/", Kind::Reserved),
            ("http://[fd00::1]/", Kind::UniqueLocal),
            ("http://[fe80::1]/", Kind::LinkLocal),
            ("http://[::ffff:10.0.0.1]/", Kind::Private),
            ("http://[64:ff9b::7f00:1]/", Kind::Translated),
            ("http://[2002:7f00:1::]/", Kind::Tunnel),
            ("http://[2001:0:7f00:1::]/", Kind::Tunnel),
        ];
        for (url, kind) in cases {
            for policy in [Public, AllowLoopback] {
                assert_eq!(check_url(url, policy), Err(Problem::Address(kind)), "{url} {policy:?}");
            }
            assert_eq!(check_url(url, AllowAll), Ok(()), "{url}");
        }
    }

    #[test]
    fn names_without_a_public_meaning_are_refused() {
        let loopback =
            ["http://localhost/", "http://LOCALHOST./", "http://a.localhost/", "http://localhost:8080"];
        for url in loopback {
            assert_eq!(check_url(url, Public), Err(Problem::LocalName), "{url}");
            assert_eq!(check_url(url, AllowLoopback), Ok(()), "{url}");
        }
        let others = [
            "http://postgres/",
            "http://postgres./",
            "http://com/",
            "http://printer.local/",
            "http://db.internal./",
            "http://metadata.google.internal/",
            "http://nas.home.arpa/",
            "http://a.onion/",
        ];
        for url in others {
            for policy in [Public, AllowLoopback] {
                assert_eq!(check_url(url, policy), Err(Problem::LocalName), "{url} {policy:?}");
            }
            assert_eq!(check_url(url, AllowAll), Ok(()), "{url}");
        }
    }

    #[test]
    fn other_problems() {
        let long = format!("https://example.com/{}", "a".repeat(MAX_URL_LENGTH));
        let cases = [
            (long.as_str(), Problem::TooLong),
            ("", Problem::Invalid(url::ParseError::RelativeUrlWithoutBase)),
            ("example.com/hook", Problem::Invalid(url::ParseError::RelativeUrlWithoutBase)),
            ("https://", Problem::Invalid(url::ParseError::EmptyHost)),
            ("https://1.2.3.256/", Problem::Invalid(url::ParseError::InvalidIpv4Address)),
            ("ftp://example.com/", Problem::Scheme),
            ("file:///etc/passwd", Problem::Scheme),
            ("gopher://example.com/", Problem::Scheme),
            ("data:text/plain,x", Problem::Scheme),
            ("https://user@example.com/", Problem::UserInfo),
            ("https://:secret@example.com/", Problem::UserInfo),
            ("https://example.com@127.0.0.1/", Problem::UserInfo),
            ("https://example.com:0/", Problem::Port(0)),
            ("https://example.com:22/", Problem::Port(22)),
            ("http://example.com:6379/", Problem::Port(6379)),
        ];
        for (url, problem) in cases {
            assert_eq!(check_url(url, Public), Err(problem), "{url}");
        }
        assert_eq!(check_url("http://10.0.0.1:6379/", AllowAll), Ok(()));
        assert_eq!(check_url("http://10.0.0.1:0/", AllowAll), Err(Problem::Port(0)));
    }

    #[test]
    fn every_problem_has_a_code_and_a_turkish_text() {
        let all = [
            Problem::TooLong,
            Problem::Invalid(url::ParseError::EmptyHost),
            Problem::Scheme,
            Problem::UserInfo,
            Problem::Port(25),
            Problem::LocalName,
            Problem::Address(Kind::Private),
        ];
        let codes: std::collections::BTreeSet<_> = all.iter().map(|problem| problem.code()).collect();
        assert_eq!(codes.len(), all.len());
        assert_eq!(Problem::Address(Kind::Private).turkish(), "hedef adres özel ağ aralığında");
        assert_eq!(Problem::Address(Kind::Private).to_string(), "the host is a private network address");
    }

    proptest! {
        /// Whatever IPv4 number is written, in whatever spelling, the judgement is that of the address.
        #[test]
        fn spelling_does_not_matter(number: u32) {
            let kind = AddressKind::of(std::net::Ipv4Addr::from_bits(number).into());
            let expected = if kind == Kind::Public { Ok(()) } else { Err(Problem::Address(kind)) };
            let [a, b, c, d] = number.to_be_bytes();
            let tail = number & 0xff_ffff;
            for host in [
                format!("{number}"),
                format!("{number:#x}"),
                format!("0{number:o}"),
                format!("{a}.{tail}"),
                format!("{a:#x}.0{b:o}.{c}.{d}"),
                format!("[::ffff:{a}.{b}.{c}.{d}]"),
            ] {
                prop_assert_eq!(check_url(&format!("https://{host}/"), Public), expected, "{}", host);
            }
        }

        #[test]
        fn never_panics(text in ".{0,60}") {
            let _ = check_url(&text, Public);
            let _ = check_url(&format!("https://{text}"), Public);
        }
    }
}
