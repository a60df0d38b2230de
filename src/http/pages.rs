//! The public pages: forms, confirmations, links, refusals. Not part of the described API: people open them, and clients' own pages post to them.
//!
//! A GET only shows, whoever opens the page; a POST acts. No page redirects anywhere but from a form to the page of its code, and
//! everything from outside is escaped.

mod confirm;
mod embed;
mod form;
mod form_view;
mod link;
pub mod qr;
mod sent;
mod theme;
pub mod throttle;
mod view;
mod words;

use axum::Router;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use kopru_domain::Lang;
use url::form_urlencoded;

use crate::http::problem::Problem;
use crate::http::state::HttpState;
use crate::service::forms::ShownForm;
use words::Words;

/// All routes.
pub fn routes() -> Router<HttpState> {
    Router::new()
        .route("/f/{key}", get(form::show).post(form::send).options(form::preflight))
        .route("/f/{key}/embed.js", get(embed::script))
        .route("/c/{token}", get(confirm::show).post(confirm::confirm))
        .route("/c/{token}/again", post(confirm::again))
        .route("/l/{token}", get(link::show).post(link::act))
        .route("/r/{token}", get(link::show_refusal).post(link::refuse))
}

/// The language of a page: as the address says, else the browser's.
fn lang(uri: &Uri, usual: Lang) -> Lang {
    let named = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes())
        .find_map(|(name, value)| (name == "lang").then(|| value.parse().ok()).flatten());
    named.unwrap_or(usual)
}

/// The host name under which the page was asked for.
fn host(headers: &HeaderMap) -> &str {
    headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default()
}

fn missing(lang: Lang) -> Response {
    let words = Words(lang);
    view::notice(StatusCode::NOT_FOUND, lang, None, words.missing_title(), words.missing())
}

fn too_fast(lang: Lang, form: &ShownForm, after: std::time::Duration) -> Response {
    let words = Words(lang);
    let mut response =
        view::form_notice(StatusCode::TOO_MANY_REQUESTS, lang, form, words.slow_title(), words.slow());
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(after.as_secs().max(1)));
    response
}

/// A fault is logged by its problem; the person is told that nothing was recorded.
fn failed(lang: Lang, problem: impl Into<Problem>) -> Response {
    let words = Words(lang);
    let status = problem.into().into_response().status();
    view::notice(status, lang, None, words.failed_title(), words.failed())
}
