//! The registry's web panel, pages for people in Turkish: what the citizen and the provider do at the registry with a browser.
//!
//! They need no script. Whoever logs in says who he is and is believed: everybody here is made up. So the pages are as
//! private as the control interface: open to this machine alone or, where a control token is configured, to whoever
//! knows it when logging in. Every change is a form with the session's own token, answered with a redirect.

mod citizen;
mod form;
pub(crate) mod frame;
mod provider;
pub(crate) mod session;
mod words;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{FromRequest, FromRequestParts, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use maud::{Markup, html};
use serde::Deserialize;

use self::form::{Form, Mistakes};
use self::frame::{Field, Page, TOKEN_FIELD};
use self::session::{Door, Visit, Who};
use crate::control;
use crate::error::{Error, Result};
use crate::http::App;

/// The routes of all pages.
pub(crate) fn router(app: Arc<App>) -> Router<Arc<App>> {
    citizen::router()
        .merge(provider::router())
        .route("/vatandas/{*rest}", get(async || PageError::NotFound(Door::Citizen)))
        .route("/hizmet-saglayici/{*rest}", get(async || PageError::NotFound(Door::Provider)))
        .layer(from_fn_with_state(app, guard))
}

/// Without a control token the pages are there for this machine alone.
async fn guard(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    if app.control_token.is_none() && !control::is_private(&app, &request) {
        return PageError::Closed.into_response();
    }
    next.run(request).await
}

/// Why a page is not shown.
#[derive(Debug)]
enum PageError {
    /// There is no control token, and the simulator listens beyond this machine.
    Closed,
    /// Somebody has to log in first, or again.
    LoggedOut {
        door: Door,
        had_session: bool,
    },
    /// A form without the token of its session.
    Forged(Door),
    /// A form that no page of ours sends.
    Unreadable(Door),
    NotFound(Door),
    Failed(Error),
}

impl From<Error> for PageError {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        let (status, door, title, text) = match self {
            Self::LoggedOut { door, had_session } => {
                let why = if had_session { "?oturum=bitti" } else { "" };
                return see_other(&format!("{}/giris{why}", door.path()));
            }
            Self::Closed => (
                StatusCode::FORBIDDEN,
                Door::Citizen,
                "Bu sayfalar kapalı",
                "Deneme ortamı bu makinenin dışına açık ve kontrol jetonu yok. Jeton ayarlayın ya da yalnız 127.0.0.1 adresinde dinletin.",
            ),
            Self::Forged(door) => (
                StatusCode::FORBIDDEN,
                door,
                "Form kabul edilmedi",
                "Form bu oturuma ait değil. Sayfaya dönüp yeniden deneyin.",
            ),
            Self::Unreadable(door) => (
                StatusCode::BAD_REQUEST,
                door,
                "Form anlaşılmadı",
                "Gönderilen bilgiler beklendiği gibi değil. Sayfaya dönüp yeniden deneyin.",
            ),
            Self::NotFound(door) => (
                StatusCode::NOT_FOUND,
                door,
                "Sayfa bulunamadı",
                "Aradığınız sayfa yok ya da size ait değil.",
            ),
            Self::Failed(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "a page failed");
                let text = "Simülatörde bir hata oldu. Biraz sonra yeniden deneyin.";
                (StatusCode::INTERNAL_SERVER_ERROR, Door::Citizen, "Bir hata oldu", text)
            }
        };
        let page = Page { status, ..Page::new(door, title) };
        page.show(&html! { p { (text) } p { a.button href=(door.path()) { "Ana sayfaya dön" } } })
    }
}

/// Sends the browser to another page, with GET.
fn see_other(path: &str) -> Response {
    (StatusCode::SEE_OTHER, [(header::LOCATION, path.to_owned())]).into_response()
}

/// Somebody who can be logged in.
trait Person: Sized + Send {
    const DOOR: Door;

    fn of(who: &Who) -> Option<Self>;

    /// What the pages call him.
    fn name(&self) -> String;
}

/// Somebody who is logged in. Others are sent to the log-in page.
struct Visitor<P> {
    app: Arc<App>,
    visit: Visit,
    person: P,
}

impl<P: Person> Visitor<P> {
    fn of(app: &Arc<App>, headers: &HeaderMap) -> Result<Self, PageError> {
        let door = P::DOOR;
        let visit = find_visit(app, door, headers);
        let known = visit.and_then(|visit| P::of(&visit.who).map(|person| (visit, person)));
        let (visit, person) = known.ok_or_else(|| {
            let had_session = session::names_one(headers, door);
            PageError::LoggedOut { door, had_session }
        })?;
        Ok(Self { app: Arc::clone(app), visit, person })
    }

    /// A page for this visitor, with what the last action left to say.
    fn page(&self, title: impl Into<String>, here: &'static str) -> Page {
        Page {
            here,
            visitor: Some((self.visit.clone(), self.person.name())),
            notice: self.app.sessions.take_notice(&self.visit),
            ..Page::new(P::DOOR, title)
        }
    }

    /// Goes to a page that will say what has happened.
    fn go(&self, path: &str, notice: impl Into<String>) -> Response {
        self.app.sessions.leave_notice(&self.visit, notice.into());
        see_other(path)
    }
}

impl<P: Person> FromRequestParts<Arc<App>> for Visitor<P> {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, PageError> {
        Self::of(app, &parts.headers)
    }
}

/// A form that a logged-in visitor sent from one of our pages.
struct Posted<P> {
    visitor: Visitor<P>,
    form: Form,
}

impl<P: Person> FromRequest<Arc<App>> for Posted<P> {
    type Rejection = PageError;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, PageError> {
        let visitor = Visitor::of(app, request.headers())?;
        let body = Bytes::from_request(request, app).await.map_err(|_| PageError::Unreadable(P::DOOR))?;
        let form = own_form(&visitor.visit, P::DOOR, &body)?;
        Ok(Self { visitor, form })
    }
}

/// A form, once it is sure that it came from a page of this session.
fn own_form(visit: &Visit, door: Door, body: &[u8]) -> Result<Form, PageError> {
    let form = Form::read(body);
    if visit.owns(form.get(TOKEN_FIELD)) { Ok(form) } else { Err(PageError::Forged(door)) }
}

fn find_visit(app: &App, door: Door, headers: &HeaderMap) -> Option<Visit> {
    let idle = Duration::from_secs(app.registry.settings.get().settings.page_session_seconds);
    app.sessions.find(door, headers, idle)
}

/// What brought somebody to the log-in page.
#[derive(Debug, Deserialize)]
struct Why {
    /// Says that a session has ended.
    oturum: Option<String>,
}

/// Somebody who is about to log in, with a session that knows nobody yet.
struct Guest {
    visit: Visit,
    /// For a session that began with this request.
    cookie: Option<HeaderValue>,
    /// Came from a session that has ended.
    is_late: bool,
}

impl Guest {
    fn of(app: &App, door: Door, headers: &HeaderMap, is_late: bool) -> Result<Self> {
        if let Some(visit) = find_visit(app, door, headers) {
            return Ok(Self { visit, cookie: None, is_late });
        }
        let visit = app.sessions.begin(door, Who::Nobody)?;
        Ok(Self { cookie: session::set_cookie(door, &visit), visit, is_late })
    }

    /// The log-in page.
    fn page(&self, door: Door, title: &str) -> Page {
        let notice = self.is_late.then(|| "Oturumunuz sona erdi. Yeniden giriş yapın.".to_owned());
        Page { notice, ..Page::new(door, title) }
    }

    fn with_cookie(self, mut response: Response) -> Response {
        if let Some(cookie) = self.cookie {
            response.headers_mut().insert(header::SET_COOKIE, cookie);
        }
        response
    }
}

/// A form that somebody sent who is not logged in yet.
fn guest_form(app: &App, door: Door, headers: &HeaderMap, body: &[u8]) -> Result<(Visit, Form), PageError> {
    let visit = find_visit(app, door, headers).ok_or(PageError::LoggedOut { door, had_session: true })?;
    let form = own_form(&visit, door, body)?;
    Ok((visit, form))
}

/// Logs somebody in: a new session takes the place of the one before.
fn log_in(app: &App, door: Door, before: &Visit, who: Who) -> Result<Response> {
    app.sessions.end(before);
    let visit = app.sessions.begin(door, who)?;
    let mut response = see_other(door.path());
    if let Some(cookie) = session::set_cookie(door, &visit) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// Logs somebody out.
async fn log_out<P: Person>(Posted { visitor, .. }: Posted<P>) -> Response {
    visitor.app.sessions.end(&visitor.visit);
    see_other(&format!("{}/giris", P::DOOR.path()))
}

/// The name of the field for the control token.
const CONTROL_TOKEN_FIELD: &str = "jeton";

/// The field for the control token, where one is configured.
fn control_token_field(app: &App, mistakes: &Mistakes) -> Markup {
    if app.control_token.is_none() {
        return Markup::default();
    }
    let field = Field {
        name: CONTROL_TOKEN_FIELD,
        label: "Kontrol jetonu",
        hint: "Simülatörün ayarlarındaki jeton.",
        kind: "password",
        ..Field::default()
    };
    field.show(mistakes)
}

/// Whether somebody may log in at all.
fn check_control_token(app: &App, form: &Form, mistakes: &mut Mistakes) {
    if app.control_token.is_some() && !control::token_matches(app, form.get(CONTROL_TOKEN_FIELD)) {
        mistakes.add(CONTROL_TOKEN_FIELD, "Kontrol jetonu yanlış.");
    }
}
