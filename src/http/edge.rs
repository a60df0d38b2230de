//! The outermost layer: names each request, opens its span, catches panics, renders problems, counts, and sets the headers
//! that every answer carries.
//!
//! Spans and metrics hold the matched route, never the path, and no address of a client.

use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::time::Instant;

use axum::body::Body;
use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures::FutureExt;
use kopru_domain::Lang;
use tracing::{Instrument, field};

use crate::http::client::Origin;
use crate::http::language;
use crate::http::problem::{Pending, Problem};
use crate::http::request_id::{self, RequestId};
use crate::http::state::HttpState;
use crate::http::unread;

/// What the edge has established of a request.
#[derive(Debug, Clone, Default)]
pub struct Context {
    /// Where it comes from.
    pub origin: Origin,
    /// The language of its answer.
    pub lang: Lang,
}

/// Marks an answer that tells only of what it has waited for itself, where waiting for all others' writes too would cost time.
#[derive(Debug, Clone, Copy)]
pub struct Flushed;

/// The layer.
pub async fn edge(State(state): State<HttpState>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = RequestId::of(request.headers(), state.app.clocks.wire());
    let lang = language::of(request.headers());
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0);
    let origin = Origin::of(peer, request.headers(), &state.app.config.http.trusted_proxies);
    request.extensions_mut().insert(Context { origin, lang });

    let method = method_word(request.method());
    let matched = request.extensions().get::<MatchedPath>().cloned();
    let route = matched.as_ref().map_or("unmatched", MatchedPath::as_str);
    let span = tracing::info_span!(
        "http.request",
        http.method = method,
        http.route = route,
        request.id = id.as_str(),
        key.id = field::Empty
    );
    let (request, rest) = unread::watch(request);
    let answering = async {
        let mut response = next.run(request).await;
        rest.throw_away().await;
        // What was read is told once it is certain to last, whatever the method.
        if response.extensions_mut().remove::<Flushed>().is_none() && state.app.db.flushed().await.is_err() {
            return Problem::Overloaded.into_response();
        }
        response
    };
    let answered = AssertUnwindSafe(answering).catch_unwind().instrument(span.clone()).await;
    let mut response = answered.unwrap_or_else(|_| {
        span.in_scope(|| tracing::error!("a request panicked; the message stands above"));
        Problem::Internal.into_response()
    });

    if let Some(Pending(problem)) = response.extensions_mut().remove::<Pending>() {
        render(&problem, lang, &id, &mut response);
    }
    finish(response.headers_mut(), &id);
    let status = response.status();
    let elapsed = started.elapsed();
    span.in_scope(|| {
        tracing::debug!(
            http.status = status.as_u16(),
            elapsed_ms = elapsed.as_secs_f64() * 1_000.0,
            "answered"
        );
    });
    metrics::counter!("http_requests_total", "method" => method, "route" => route.to_owned(), "status" => status.as_str().to_owned())
        .increment(1);
    metrics::histogram!("http_request_duration_seconds", "method" => method, "route" => route.to_owned())
        .record(elapsed.as_secs_f64());
    response
}

/// Anybody may send any word as a method: unknown ones share a name.
fn method_word(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

fn render(problem: &Problem, lang: Lang, id: &RequestId, response: &mut Response) {
    let body = serde_json::to_vec(&problem.body(lang, id.as_str())).unwrap_or_default();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(lang.as_str()));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
    *response.body_mut() = Body::from(body);
}

/// Headers of every answer. What a handler has set stays.
fn finish(headers: &mut HeaderMap, id: &RequestId) {
    headers.insert(request_id::HEADER, id.value());
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
        (header::VARY, "accept-language"),
    ] {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
}

/// Answers where no route has the path.
pub async fn no_such_route() -> Problem {
    Problem::NoSuchRoute
}

/// Answers where the route does not know the method.
pub async fn method_not_allowed() -> Problem {
    Problem::MethodNotAllowed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_rendered_with_its_language_and_name() {
        let mut headers = HeaderMap::new();
        headers.insert(request_id::HEADER, HeaderValue::from_static("r-1"));
        let id = RequestId::of(&headers, chrono::DateTime::UNIX_EPOCH);
        let mut response = Problem::EmptyBody.into_response();
        render(&Problem::EmptyBody, Lang::En, &id, &mut response);
        finish(response.headers_mut(), &id);
        let headers = response.headers();
        assert_eq!(headers[header::CONTENT_TYPE], "application/problem+json");
        assert_eq!(headers[header::CONTENT_LANGUAGE], "en");
        assert_eq!(headers[header::CACHE_CONTROL], "no-store");
        assert_eq!(headers[request_id::HEADER], "r-1");
    }

    #[test]
    fn what_a_handler_has_set_stays() {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'self'"));
        finish(&mut headers, &RequestId::of(&HeaderMap::new(), chrono::DateTime::UNIX_EPOCH));
        assert_eq!(headers[header::CONTENT_SECURITY_POLICY], "default-src 'self'");
    }

    #[test]
    fn methods_that_nobody_knows_share_a_name() {
        assert_eq!(method_word(&Method::from_bytes(b"BREW").unwrap()), "other");
    }
}
