//! Reading a request's body: JSON by announcement, within the limit, in time.

use std::error::Error;
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody, to_bytes};
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, header};
use http_body_util::LengthLimitError;
use tokio::time::timeout;

use crate::http::problem::Problem;
use crate::http::state::HttpState;

/// How long a body may take to arrive.
const PATIENCE: Duration = Duration::from_mins(1);

/// A JSON body, not yet read.
pub struct JsonBody(pub Bytes);

impl FromRequest<HttpState> for JsonBody {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &HttpState) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            return Err(Problem::UnsupportedMediaType);
        }
        let body = read_plain(request, state.app.config.http.body_limit).await?;
        if body.trim_ascii().is_empty() { Err(Problem::EmptyBody) } else { Ok(Self(body)) }
    }
}

/// A JSON body that may be left out: an empty object then.
pub struct OptionalBody(pub Bytes);

impl FromRequest<HttpState> for OptionalBody {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &HttpState) -> Result<Self, Problem> {
        match JsonBody::from_request(request, state).await {
            Ok(JsonBody(body)) => Ok(Self(body)),
            Err(Problem::EmptyBody) => Ok(Self(Bytes::from_static(b"{}"))),
            Err(problem) => Err(problem),
        }
    }
}

/// As [`read`], of a request that says how its body is written.
pub async fn read_plain(request: Request, limit: usize) -> Result<Bytes, Problem> {
    let encoding = request.headers().get(header::CONTENT_ENCODING);
    if encoding.is_some_and(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return Err(Problem::EncodedBody);
    }
    read(request.into_body(), limit).await
}

/// A body within the limit, in time.
pub async fn read(body: Body, limit: usize) -> Result<Bytes, Problem> {
    // What announces itself as too long is refused unread.
    if usize::try_from(body.size_hint().lower()).map_or(true, |announced| announced > limit) {
        return Err(Problem::BodyTooLarge(limit));
    }
    match timeout(PATIENCE, to_bytes(body, limit)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) if error.source().is_some_and(<dyn Error>::is::<LengthLimitError>) => {
            Err(Problem::BodyTooLarge(limit))
        }
        Ok(Err(_)) => Err(Problem::BodyBroken),
        Err(_) => Err(Problem::BodyUnfinished),
    }
}

/// JSON, or nothing said about it.
fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(header::CONTENT_TYPE) else { return true };
    let essence =
        value.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn announced(kind: &str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, kind.parse().unwrap());
        is_json(&headers)
    }

    #[test]
    fn json_is_json_by_any_of_its_names() {
        for kind in ["application/json", "Application/JSON; charset=utf-8", "application/vnd.kopru+json"] {
            assert!(announced(kind), "{kind}");
        }
        for kind in ["text/csv", "application/x-www-form-urlencoded", "text/plain", "application/jsonx"] {
            assert!(!announced(kind), "{kind}");
        }
        assert!(is_json(&HeaderMap::new()));
    }

    #[tokio::test]
    async fn a_body_is_read_up_to_the_limit() {
        assert_eq!(read(Body::from("12345"), 5).await.unwrap(), "12345");
        assert_eq!(read(Body::from("123456"), 5).await.unwrap_err(), Problem::BodyTooLarge(5));
        let chunks = futures::stream::iter([Ok::<_, std::io::Error>("123"), Ok("456")]);
        assert_eq!(read(Body::from_stream(chunks), 5).await.unwrap_err(), Problem::BodyTooLarge(5));
        let broken = futures::stream::iter([Ok("1"), Err(std::io::Error::other("cut"))]);
        assert_eq!(read(Body::from_stream(broken), 5).await.unwrap_err(), Problem::BodyBroken);
    }
}
