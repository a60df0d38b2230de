//! A form: its page, and what is sent by it, from its own page or a client's.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::Json;
use axum::extract::{ConnectInfo, Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kopru_domain::{Channel, Lang, Text};
use kopru_store::random;
use serde_json::json;
use url::Url;

use super::form_view::{self, FormPage};
use super::sent::{self, Fields};
use super::view;
use super::words::{Words, sentence};
use super::{failed, host, lang, missing, too_fast};
use crate::http::cache::Remembered;
use crate::http::client;
use crate::http::edge::Context;
use crate::http::problem::Problem;
use crate::http::state::HttpState;
use crate::service::forms::filing::{self, Filed, Sent, Visitor};
use crate::service::forms::{self, ShownForm, host_of, limits};
use crate::service::links::{self, ShownLink};
use crate::service::{FieldProblem, providers};

/// The form of an address, where it is shown under this host name.
pub(super) async fn known(
    state: &HttpState,
    key: &str,
    headers: &HeaderMap,
) -> Result<Option<Arc<ShownForm>>, Problem> {
    let now = Instant::now();
    let form = match state.forms.get(key, now) {
        Some(Remembered(form)) => form,
        None => state.forms.put(key.to_owned(), forms::shown(&state.app, key).await?, now),
    };
    Ok(form.filter(|form| form.lives_at(&state.app, host(headers))))
}

/// Shows the form.
pub async fn show(State(state): State<HttpState>, Path(key): Path<String>, request: Request) -> Response {
    let lang = lang(request.uri(), context(&request).lang);
    match known(&state, &key, request.headers()).await {
        Ok(Some(form)) => page(&form, lang, format!("/f/{key}"), &Sent::default(), &[]),
        Ok(None) => missing(lang),
        Err(problem) => failed(lang, problem),
    }
}

pub(super) fn context(request: &Request) -> Context {
    request.extensions().get::<Context>().cloned().unwrap_or_default()
}

pub(super) fn page(
    form: &ShownForm,
    lang: Lang,
    action: String,
    sent: &Sent,
    problems: &[FieldProblem],
) -> Response {
    if !form.row.active || form.brand.require_active().is_err() {
        let words = Words(lang);
        return view::form_notice(StatusCode::GONE, lang, form, words.closed_title(), words.closed());
    }
    let fresh = URL_SAFE_NO_PAD.encode(random::<16>());
    let page = sent.page.as_deref().unwrap_or(&fresh);
    form_view::form(&FormPage { form, lang, action, page, sent, problems })
}

/// Lets pages of allowed origins ask before they post JSON.
pub async fn preflight(
    State(state): State<HttpState>,
    Path(key): Path<String>,
    request: Request,
) -> Response {
    let Ok(Some(form)) = known(&state, &key, request.headers()).await else { return missing(Lang::En) };
    let mut response = StatusCode::NO_CONTENT.into_response();
    if let Some(origin) = origin(request.headers()).filter(|origin| form.allows(origin)) {
        allow(&mut response, origin);
        let headers = response.headers_mut();
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("POST"));
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("content-type"));
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    }
    response
}

fn origin(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::ORIGIN)?.to_str().ok()
}

fn allow(response: &mut Response, origin: &str) {
    if let Ok(value) = HeaderValue::from_str(origin) {
        response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, value);
        response.headers_mut().insert(header::VARY, HeaderValue::from_static("origin, accept-language"));
    }
}

/// Whether a page of this origin is the form's own.
fn is_own(origin: &str, headers: &HeaderMap) -> bool {
    Url::parse(origin).is_ok_and(|url| host_of(&url) == host(headers))
}

/// Takes what was sent by a form's page.
pub async fn send(State(state): State<HttpState>, Path(key): Path<String>, request: Request) -> Response {
    let lang = lang(request.uri(), context(&request).lang);
    match known(&state, &key, request.headers()).await {
        Ok(Some(form)) => take(&state, &form, None, &format!("/f/{key}"), request).await,
        Ok(None) => missing(lang),
        Err(problem) => failed(lang, problem),
    }
}

/// Takes what was sent by a form, on its own page or behind a link.
pub(super) async fn take(
    state: &HttpState,
    form: &ShownForm,
    link: Option<&ShownLink>,
    action: &str,
    request: Request,
) -> Response {
    let context = context(&request);
    let from = origin(request.headers()).map(str::to_owned);
    let foreign = from.as_deref().filter(|from| !is_own(from, request.headers())).map(str::to_owned);
    let json = sent::wants_json(request.headers());
    let usual = lang(request.uri(), context.lang);
    let answer = |outcome: Outcome, lang: Lang| outcome.answer(form, lang, json, action);
    if foreign.as_deref().is_some_and(|from| !form.allows(from)) {
        return answer(Outcome::Foreign, usual);
    }
    let outcome = Box::pin(taken(state, form, link, &context, request)).await;
    let (outcome, lang) = outcome.unwrap_or_else(|problem| (Outcome::Failed(problem), usual));
    let mut response = answer(outcome, lang);
    if let Some(from) = foreign {
        allow(&mut response, &from);
    }
    response
}

async fn taken(
    state: &HttpState,
    form: &ShownForm,
    link: Option<&ShownLink>,
    context: &Context,
    request: Request,
) -> Result<(Outcome, Lang), Problem> {
    let (now, usual) = (Instant::now(), context.lang);
    let address = limits::network(context.origin.address());
    if let Err(after) = state.pages.by_address.take((form.row.id, address), now) {
        metrics::counter!("form_posts_total", "outcome" => "limited").increment(1);
        return Ok((Outcome::TooFast(after), usual));
    }
    let visitor = visitor(&request, context);
    let fields: Fields = sent::read(request).await?;
    let lang = fields.lang(usual);
    if !form.row.active {
        return Ok((Outcome::Closed, lang));
    }
    if !fields.website.is_empty() {
        // A program is told what it wants to hear.
        metrics::counter!("form_posts_total", "outcome" => "trapped").increment(1);
        return Ok((Outcome::Taken(Vec::new()), lang));
    }
    let Some(sent) = fields.into_sent(link.map(|link| link.row.id.to_string())) else {
        let title = Text::fixed("bu formda böyle bir kutu yok", "this form has no such box");
        let problem = providers::field_problem("channels", "unknown_value", title);
        return Ok((Outcome::Invalid(Sent::default(), vec![problem]), lang));
    };
    for address in limits::addresses(&sent) {
        let name = (form.brand.row.brand_code, address.as_str());
        if let Err(after) = state.pages.by_number.take(name, now) {
            metrics::counter!("form_posts_total", "outcome" => "limited").increment(1);
            return Ok((Outcome::TooFast(after), lang));
        }
    }
    let filed = filing::file(&state.app, form, &Visitor { lang, ..visitor }, sent.clone()).await?;
    let outcome = match filed {
        Filed::Taken(taken) => {
            if let Some(link) =
                link.filter(|_| taken.iter().any(|(_, one)| one.code.as_deref() != Some("already_taken")))
            {
                links::count(&state.app, &link.row, [0, 1, 0]).await?;
            }
            Outcome::Taken(taken.into_iter().map(|(channel, _)| channel).collect())
        }
        Filed::Asked { token, mail, by_link } => Outcome::Asked { token, mail, by_link },
        Filed::TooOften { again_at } => {
            let wait = (again_at - state.app.clocks.wire()).to_std();
            Outcome::TooFast(wait.unwrap_or(std::time::Duration::from_secs(1)))
        }
        Filed::NoConfirmation => Outcome::NoConfirmation,
        Filed::Invalid(problems) => Outcome::Invalid(sent, problems),
    };
    metrics::counter!("form_posts_total", "outcome" => outcome.word()).increment(1);
    Ok((outcome, lang))
}

/// Who sends, as far as it can be seen.
pub(super) fn visitor(request: &Request, context: &Context) -> Visitor {
    let port = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.port());
    Visitor {
        peer: context.origin.peer,
        port,
        client: context.origin.client,
        user_agent: client::user_agent(request.headers()),
        lang: context.lang,
    }
}

/// Where a code is entered, on this host.
fn code_page(token: &str, mail: bool) -> String {
    format!("/c/{token}{}", if mail { "?mail=1" } else { "" })
}

/// Leads to the page of our own on which the code is entered.
pub(super) fn to_the_code(token: &str, mail: bool) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    if let Ok(place) = HeaderValue::from_str(&code_page(token, mail)) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    response
}

/// What became of what was sent.
enum Outcome {
    Taken(Vec<Channel>),
    Asked { token: Option<String>, mail: bool, by_link: bool },
    NoConfirmation,
    Invalid(Sent, Vec<FieldProblem>),
    Closed,
    Foreign,
    TooFast(std::time::Duration),
    Failed(Problem),
}

impl Outcome {
    fn word(&self) -> &'static str {
        match self {
            Self::Taken(_) => "taken",
            Self::Asked { .. } => "confirm",
            Self::NoConfirmation => "no_confirmation",
            Self::Invalid(..) => "invalid",
            Self::Closed => "closed",
            Self::Foreign => "foreign_origin",
            Self::TooFast(_) => "too_fast",
            Self::Failed(_) => "failed",
        }
    }

    fn answer(self, form: &ShownForm, lang: Lang, json: bool, action: &str) -> Response {
        let words = Words(lang);
        let told = if json { self.json(lang) } else { None };
        if let Some((status, body)) = told {
            let mut response = (status, Json(body)).into_response();
            if let Self::TooFast(after) = self {
                response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(after.as_secs().max(1)));
            }
            return response;
        }
        let notice = |status, title, text| view::form_notice(status, lang, form, title, text);
        match self {
            Self::Taken(channels) => view::thanks(form, lang, &channels),
            Self::Asked { token: Some(token), mail, .. } => to_the_code(&token, mail),
            Self::Asked { .. } => notice(StatusCode::OK, words.mail_title(), words.mail_sent()),
            Self::NoConfirmation => notice(
                StatusCode::SERVICE_UNAVAILABLE,
                words.no_confirmation_title(),
                words.no_confirmation(),
            ),
            Self::Invalid(sent, problems) => page(form, lang, action.to_owned(), &sent, &problems),
            Self::Closed => notice(StatusCode::GONE, words.closed_title(), words.closed()),
            Self::Foreign => notice(StatusCode::FORBIDDEN, words.foreign_title(), words.foreign()),
            Self::TooFast(after) => too_fast(lang, form, after),
            Self::Failed(problem) if json => problem.into_response(),
            Self::Failed(problem) => failed(lang, problem),
        }
    }

    /// For programs; a fault of ours is a problem document like any other.
    fn json(&self, lang: Lang) -> Option<(StatusCode, serde_json::Value)> {
        let words = Words(lang);
        let (status, text) = match self {
            Self::Taken(channels) => {
                let types: Vec<&str> = channels.iter().map(|channel| channel.as_str()).collect();
                return Some((
                    StatusCode::OK,
                    json!({"result": self.word(), "types": types, "title": words.thanks()}),
                ));
            }
            Self::Asked { token, mail, by_link } => {
                let (title, open) = match token {
                    Some(_) if *by_link => (words.registry_sent(), words.follow()),
                    Some(_) => (words.code_sent(), words.enter_code()),
                    None => (words.mail_sent(), words.enter_code()),
                };
                let page = token.as_ref().map(|token| code_page(token, *mail));
                let body = json!({"result": self.word(), "title": title, "page": page, "open": open});
                return Some((StatusCode::ACCEPTED, body));
            }
            Self::Invalid(_, problems) => {
                let errors: Vec<_> = problems
                    .iter()
                    .map(|problem| json!({"field": problem.field, "code": problem.code, "title": sentence(problem.title.get(lang), lang)}))
                    .collect();
                let body = json!({"result": self.word(), "title": words.errors(), "errors": errors});
                return Some((StatusCode::UNPROCESSABLE_ENTITY, body));
            }
            Self::NoConfirmation => (StatusCode::SERVICE_UNAVAILABLE, words.no_confirmation()),
            Self::Closed => (StatusCode::GONE, words.closed()),
            Self::Foreign => (StatusCode::FORBIDDEN, words.foreign()),
            Self::TooFast(_) => (StatusCode::TOO_MANY_REQUESTS, words.slow()),
            Self::Failed(_) => return None,
        };
        Some((status, json!({"result": self.word(), "title": text})))
    }
}
