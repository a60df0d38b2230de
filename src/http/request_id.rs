//! The name of a request: in the `x-request-id` of its answer, in its problems and in the log.

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use chrono::{DateTime, Utc};
use kopru_store::ids;

/// Name of the header.
pub const HEADER: HeaderName = HeaderName::from_static("x-request-id");
const LONGEST: usize = 64;

/// A request's name: the client's own where it is short and plain, so that two logs can be laid side by side; else a new one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(HeaderValue);

impl RequestId {
    /// The name of a request with these headers.
    pub fn of(headers: &HeaderMap, wire_now: DateTime<Utc>) -> Self {
        match headers.get(HEADER) {
            Some(given) if is_plain(given.as_bytes()) => Self(given.clone()),
            _ => Self::fresh(wire_now),
        }
    }

    fn fresh(wire_now: DateTime<Utc>) -> Self {
        let mut buffer = uuid::Uuid::encode_buffer();
        let text = ids::new_id(wire_now).hyphenated().encode_lower(&mut buffer);
        // A UUID's text is always a header value.
        Self(HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static("unknown")))
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }

    /// As the value of its header.
    pub fn value(&self) -> HeaderValue {
        self.0.clone()
    }
}

fn is_plain(text: &[u8]) -> bool {
    (1..=LONGEST).contains(&text.len())
        && text.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(given: &str) -> RequestId {
        let mut headers = HeaderMap::new();
        headers.insert(HEADER, HeaderValue::from_str(given).unwrap());
        RequestId::of(&headers, DateTime::UNIX_EPOCH)
    }

    #[test]
    fn a_plain_name_is_kept() {
        assert_eq!(of("order-17_a.b").as_str(), "order-17_a.b");
    }

    #[test]
    fn anything_else_gets_a_new_one() {
        for given in ["", "a b", "x\"y", "é", &"a".repeat(LONGEST + 1)] {
            let id = of(given);
            assert_eq!(id.as_str().len(), 36, "{given}");
        }
        let (one, two) = (of(""), of(""));
        assert_ne!(one, two);
    }
}
