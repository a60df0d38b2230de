//! Where a request comes from: the address of the connection, and the client's behind trusted proxies.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, header};
use ipnet::IpNet;

/// Longest user agent that is kept, in characters.
const LONGEST_AGENT: usize = 200;

/// Addresses of a request. Evidence keeps both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Origin {
    /// The connection's other end.
    pub peer: Option<IpAddr>,
    /// The client, where the connection comes from a trusted proxy that names it.
    pub client: Option<IpAddr>,
}

impl Origin {
    /// Reads a request's origin. Forwarding headers count only from trusted proxies; from the right, the first address that
    /// is none of theirs is the client.
    ///
    /// A proxy must set `X-Forwarded-For` or, alone, `Forwarded`: where both are there the first one counts.
    pub fn of(peer: Option<SocketAddr>, headers: &HeaderMap, trusted: &[IpNet]) -> Self {
        let peer = peer.map(|peer| peer.ip().to_canonical());
        let is_trusted = |address: &IpAddr| trusted.iter().any(|net| net.contains(address));
        if trusted.is_empty() || !peer.as_ref().is_some_and(is_trusted) {
            return Self { peer, client: None };
        }
        let chain = if headers.contains_key("x-forwarded-for") {
            list(headers, "x-forwarded-for", |entry| Some(entry.trim()))
        } else {
            list(headers, header::FORWARDED.as_str(), forwarded_for)
        };
        Self {
            peer,
            client: chain.into_iter().rev().map_while(|entry| entry).find(|address| !is_trusted(address)),
        }
    }

    /// The client as far as it is known.
    pub fn address(self) -> Option<IpAddr> {
        self.client.or(self.peer)
    }
}

/// The client software, as it names itself, cut to 200 characters.
pub fn user_agent(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(header::USER_AGENT)?.to_str().ok()?;
    (!text.is_empty()).then(|| text.chars().take(LONGEST_AGENT).collect())
}

/// The entries of a header that may stand several times, left to right; `None` for one that holds no address.
fn list(headers: &HeaderMap, name: &str, read: fn(&str) -> Option<&str>) -> Vec<Option<IpAddr>> {
    headers
        .get_all(name)
        .iter()
        .flat_map(|value| value.to_str().unwrap_or("?").split(','))
        .map(|entry| read(entry).and_then(address))
        .collect()
}

/// The `for` of one entry of `Forwarded` (RFC 7239).
fn forwarded_for(entry: &str) -> Option<&str> {
    entry.split(';').find_map(|pair| {
        let (name, value) = pair.trim().split_once('=')?;
        name.eq_ignore_ascii_case("for").then(|| value.trim_matches('"'))
    })
}

/// An address, with or without a port and brackets.
fn address(text: &str) -> Option<IpAddr> {
    let plain = text.parse::<IpAddr>().ok();
    let with_port = || text.parse::<SocketAddr>().ok().map(|socket| socket.ip());
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    plain.or_else(with_port).or_else(bracketed).map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(peer: &str, headers: &[(&'static str, &str)]) -> Origin {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        let trusted = ["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()];
        Origin::of(Some(peer.parse().unwrap()), &map, &trusted)
    }

    fn client(peer: &str, headers: &[(&'static str, &str)]) -> Option<String> {
        origin(peer, headers).client.map(|address| address.to_string())
    }

    #[test]
    fn a_stranger_cannot_name_a_client() {
        let header = [("x-forwarded-for", "198.51.100.7")];
        assert_eq!(client("203.0.113.9:1000", &header), None);
        assert_eq!(origin("203.0.113.9:1000", &header).address(), Some("203.0.113.9".parse().unwrap()));
    }

    #[test]
    fn behind_a_proxy_the_last_address_that_is_not_ours_counts() {
        let peer = "10.0.0.1:1000";
        assert_eq!(client(peer, &[("x-forwarded-for", "198.51.100.7")]).as_deref(), Some("198.51.100.7"));
        let spoofed = [("x-forwarded-for", "1.2.3.4, 198.51.100.7, 10.0.0.2")];
        assert_eq!(client(peer, &spoofed).as_deref(), Some("198.51.100.7"));
        let twice = [("x-forwarded-for", "1.2.3.4"), ("x-forwarded-for", "198.51.100.7:55, 10.0.0.2")];
        assert_eq!(client(peer, &twice).as_deref(), Some("198.51.100.7"));
        let hidden = [("x-forwarded-for", "1.2.3.4, unknown, 10.0.0.2")];
        assert_eq!(client(peer, &hidden), None);
    }

    #[test]
    fn the_standard_header_counts_where_the_other_is_missing() {
        let peer = "[::ffff:10.0.0.1]:1000";
        let standard = [("forwarded", "for=1.2.3.4, For=\"[2001:db8::7]:55\";proto=https, for=10.9.9.9")];
        assert_eq!(client(peer, &standard).as_deref(), Some("2001:db8::7"));
        let both = [("forwarded", "for=1.2.3.4"), ("x-forwarded-for", "198.51.100.7")];
        assert_eq!(client(peer, &both).as_deref(), Some("198.51.100.7"));
    }

    #[test]
    fn a_long_user_agent_is_cut() {
        let mut headers = HeaderMap::new();
        assert_eq!(user_agent(&headers), None);
        headers.insert(header::USER_AGENT, "a".repeat(300).parse().unwrap());
        assert_eq!(user_agent(&headers).unwrap().len(), LONGEST_AGENT);
    }
}
