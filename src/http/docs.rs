//! `/docs`: the API for people. One page made from the description, without scripts and without anything from elsewhere, in
//! Turkish or English. The reference texts of single fields are English in both.

mod page;
mod schema;
mod words;

use std::sync::LazyLock;

use axum::http::{HeaderMap, HeaderValue, Uri, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kopru_domain::Lang;
use sha2::{Digest, Sha256};
use url::form_urlencoded;

use crate::http::{language, openapi};

const STYLE: &str = include_str!("docs/style.css");

/// Both pages and the policy that lets their style in, made once.
struct Pages {
    turkish: String,
    english: String,
    policy: HeaderValue,
}

static PAGES: LazyLock<Pages> = LazyLock::new(|| {
    let document = openapi::document();
    let style = STANDARD.encode(Sha256::digest(STYLE.as_bytes()));
    let policy =
        format!("default-src 'none'; style-src 'sha256-{style}'; frame-ancestors 'none'; base-uri 'none'");
    Pages {
        turkish: page::page(&document, Lang::Tr, STYLE),
        english: page::page(&document, Lang::En, STYLE),
        policy: HeaderValue::from_str(&policy)
            .unwrap_or_else(|_| HeaderValue::from_static("default-src 'none'")),
    }
});

/// Serves the page, in the language of `?lang=` or of the browser.
pub async fn serve(uri: Uri, headers: HeaderMap) -> Response {
    let query = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    let asked = query.into_iter().find(|(name, _)| name == "lang").and_then(|(_, value)| value.parse().ok());
    let lang = asked.unwrap_or_else(|| language::of(&headers));
    let page = match lang {
        Lang::Tr => PAGES.turkish.as_str(),
        Lang::En => PAGES.english.as_str(),
    };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (header::CONTENT_LANGUAGE, HeaderValue::from_static(lang.as_str())),
        (header::CONTENT_SECURITY_POLICY, PAGES.policy.clone()),
    ];
    (headers, page).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_pages_hold_every_operation_and_nothing_from_elsewhere() {
        for page in [&PAGES.turkish, &PAGES.english] {
            for path in openapi::document().paths.paths.keys() {
                assert!(page.contains(path.as_str()), "{path}");
            }
            assert!(!page.contains("<script") && !page.contains("src=") && !page.contains("@import"));
            assert!(!page.contains("style=\""), "the policy lets the one style sheet in and nothing else");
        }
        assert!(PAGES.turkish.contains("<html lang=\"tr\">") && PAGES.english.contains("<html lang=\"en\">"));
        assert!(PAGES.turkish.contains("İzin ve ret kayıtlarını al"));
    }

    #[test]
    fn every_link_inside_the_page_leads_somewhere() {
        for page in [&PAGES.turkish, &PAGES.english] {
            for link in page.split("href=\"#").skip(1) {
                let target = link.split('"').next().unwrap();
                assert!(page.contains(&format!("id=\"{target}\"")), "{target}");
            }
        }
    }

    #[tokio::test]
    async fn the_language_can_be_chosen() {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_LANGUAGE, HeaderValue::from_static("en"));
        let english = serve("/docs".parse().unwrap(), headers.clone()).await;
        assert_eq!(english.headers()[header::CONTENT_LANGUAGE], "en");
        let turkish = serve("/docs?lang=tr".parse().unwrap(), headers).await;
        assert_eq!(turkish.headers()[header::CONTENT_LANGUAGE], "tr");
    }
}
