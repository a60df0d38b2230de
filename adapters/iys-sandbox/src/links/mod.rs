//! The registry's own pages for citizens, reached through links that cannot be guessed: opting in
//! (protocol 10.3), rejecting e-mails (10.7), proving an address (10.8).
//!
//! Opening a page shows it; only the button acts, because mail scanners open links too. Unlike the panel
//! they are open to everybody, as the links of the real registry are: the token in the link is the key.

mod opt_in;
mod pass;
mod reject;

use std::sync::Arc;

use axum::Router;
use axum::extract::{ConnectInfo, FromRequestParts};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::StatusCode;
use http::request::Parts;
use maud::{Markup, html};

use crate::error::Error;
use crate::http::App;
use crate::http::peer::Peer;
use crate::panel::frame;
use crate::panel::session::Door;

/// The routes of the pages.
pub(crate) fn router() -> Router<Arc<App>> {
    Router::new()
        .route("/v/{token}", get(opt_in::show).post(opt_in::answer))
        .route("/RET/{token}", get(reject::show).post(reject::answer))
        .route("/p/{token}", get(pass::show).post(pass::answer))
}

/// A page.
struct Page {
    status: StatusCode,
    heading: &'static str,
    content: Markup,
}

impl Page {
    /// A page with a heading and a paragraph.
    fn text(status: StatusCode, heading: &'static str, paragraph: &str) -> Self {
        Self { status, heading, content: html! { p { (paragraph) } } }
    }

    /// Nothing is known about the link.
    fn unknown() -> Self {
        Self::text(StatusCode::NOT_FOUND, "Bağlantı geçersiz", "Bu bağlantı tanınmıyor.")
    }

    /// The link was used before.
    fn used() -> Self {
        let text = "Bu bağlantı ile daha önce işlem yapılmış.";
        Self::text(StatusCode::CONFLICT, "İşlem tamamlanmış", text)
    }

    /// The link is too old.
    fn expired() -> Self {
        Self::text(StatusCode::GONE, "Süre dolmuş", "Bu bağlantının geçerlilik süresi dolmuş.")
    }
}

impl From<Error> for Page {
    fn from(error: Error) -> Self {
        tracing::error!(error = &error as &dyn std::error::Error, "a page behind a link failed");
        Self::text(StatusCode::INTERNAL_SERVER_ERROR, "Hata", "Beklenmeyen bir hata oldu.")
    }
}

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        let page = frame::Page { status: self.status, ..frame::Page::new(Door::Citizen, self.heading) };
        page.show(&self.content)
    }
}

/// The network address of whoever looks at a page.
struct Visitor(String);

impl<S: Sync> FromRequestParts<S> for Visitor {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let peer = parts.extensions.get::<ConnectInfo<Peer>>().map(|info| info.0.clone());
        Ok(Self(peer.unwrap_or_default().address()))
    }
}
