//! Pages for people: escaped text, one frame, and headers that let a page do no more than it has to.

use std::sync::LazyLock;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kopru_domain::Lang;
use sha2::{Digest as _, Sha256};

const STYLE: &str = include_str!("html/page.css");

/// Nothing is loaded, nothing runs, and forms go to us alone.
static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let style = STANDARD.encode(Sha256::digest(STYLE.as_bytes()));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{style}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    );
    HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
});

/// Text as it may stand in HTML, in an attribute's quotes as well.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}

/// A page that a person sees; `main` is HTML, `title` is text.
pub fn page(status: StatusCode, lang: Lang, title: &str, main: &str) -> Response {
    let (lang, title) = (lang.as_str(), escape(title));
    let html = format!(
        "<!doctype html>\n<html lang=\"{lang}\">\n<head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width, initial-scale=1\"><meta name=\"robots\" content=\"noindex\"><title>{title}</title>\n\
         <style>{STYLE}</style></head>\n<body><main>\n<h1>{title}</h1>\n{main}</main></body></html>\n"
    );
    let headers = [
        (header::CONTENT_SECURITY_POLICY, POLICY.clone()),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    ];
    (status, headers, Html(html)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_opens_a_tag_or_ends_an_attribute_passes() {
        assert_eq!(escape("<a href=\"x\" y='z'>&"), "&lt;a href=&quot;x&quot; y=&#39;z&#39;&gt;&amp;");
    }
}
