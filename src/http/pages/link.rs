//! Links: a campaign's, a person's, and for refusals.

use std::time::Duration;

use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use kopru_domain::{Channel, Lang, LinkKind, ProviderSource};

use super::form::{self, context, visitor};
use super::words::Words;
use super::{failed, host, lang, missing, sent, too_fast, view};
use crate::http::problem::Problem;
use crate::http::state::HttpState;
use crate::service::forms::ShownForm;
use crate::service::forms::filing::{Sent, Visitor};
use crate::service::links::{self, Followed, ShownLink};
use crate::service::opt_in::Asked;

/// The link of a token, where it is shown under this host name.
async fn known(state: &HttpState, token: &str, headers: &HeaderMap) -> Result<Option<ShownLink>, Problem> {
    let link = links::shown(&state.app, token).await?;
    Ok(link.filter(|link| link.form.as_ref().is_none_or(|form| form.lives_at(&state.app, host(headers)))))
}

fn is_ended(link: &ShownLink) -> bool {
    link.ended || link.form.as_ref().is_none_or(|form| !form.row.active)
}

fn ended(link: &ShownLink, lang: Lang) -> Response {
    let words = Words(lang);
    let (title, text) = (words.ended_title(), words.ended());
    match &link.form {
        Some(form) => view::form_notice(StatusCode::GONE, lang, form, title, text),
        None => view::notice(StatusCode::GONE, lang, None, title, text),
    }
}

/// Shows the page behind a link; whoever opens it, nothing else happens.
pub async fn show(State(state): State<HttpState>, Path(token): Path<String>, request: Request) -> Response {
    let lang = lang(request.uri(), context(&request).lang);
    let link = match known(&state, &token, request.headers()).await {
        Ok(Some(link)) if link.row.kind != LinkKind::Refusal => link,
        Ok(_) => return missing(lang),
        Err(problem) => return failed(lang, problem),
    };
    if is_ended(&link) {
        return ended(&link, lang);
    }
    if let Err(error) = links::count(&state.app, &link.row, [1, 0, 0]).await {
        return failed(lang, error);
    }
    match (&link.form, link.row.channel) {
        (Some(form), Some(channel)) => view::personal(&link, form, channel, lang),
        (Some(form), None) => form::page(form, lang, format!("/l/{token}"), &Sent::default(), &[]),
        _ => missing(lang),
    }
}

/// Acts on a link: a campaign's form, or a person's answer.
pub async fn act(State(state): State<HttpState>, Path(token): Path<String>, request: Request) -> Response {
    let context = context(&request);
    let usual = lang(request.uri(), context.lang);
    let link = match known(&state, &token, request.headers()).await {
        Ok(Some(link)) if link.row.kind != LinkKind::Refusal => link,
        Ok(_) => return missing(usual),
        Err(problem) => return failed(usual, problem),
    };
    if is_ended(&link) {
        return ended(&link, usual);
    }
    let Some(shown) = &link.form else { return missing(usual) };
    if link.row.channel.is_none() {
        return form::take(&state, shown, Some(&link), &format!("/l/{token}"), request).await;
    }
    let seen = visitor(&request, &context);
    let fields = match sent::read(request).await {
        Ok(fields) => fields,
        Err(problem) => return failed(usual, problem),
    };
    let lang = fields.lang(usual);
    let answered = answer(&state, &link, &Visitor { lang, ..seen }, &fields.answer).await;
    answered.unwrap_or_else(|problem| failed(lang, problem))
}

async fn answer(
    state: &HttpState,
    link: &ShownLink,
    visitor: &Visitor,
    answer: &str,
) -> Result<Response, Problem> {
    let (lang, words) = (visitor.lang, Words(visitor.lang));
    let Some(form) = &link.form else { return Ok(missing(lang)) };
    match answer {
        "confirm" => {
            let taken = match links::confirm(&state.app, link, visitor).await? {
                Followed::Taken(taken) => taken,
                Followed::Asked(asked) => return Ok(asked_registry(state, form, lang, asked)),
            };
            count(state, link, taken.and_then(|taken| taken.code), [0, 1, 0]).await?;
            let channels: Vec<Channel> = link.row.channel.into_iter().collect();
            Ok(view::thanks(form, lang, &channels))
        }
        "refuse" => {
            let taken = links::refuse(&state.app, link, visitor, ProviderSource::Web).await?;
            count(state, link, taken.and_then(|taken| taken.code), [0, 0, 1]).await?;
            Ok(view::form_notice(StatusCode::OK, lang, form, words.not_agreed_title(), words.not_agreed()))
        }
        _ => Ok(view::form_notice(
            StatusCode::UNPROCESSABLE_ENTITY,
            lang,
            form,
            words.failed_title(),
            words.failed(),
        )),
    }
}

/// The registry asks the person: its page of ours comes next. What comes of it is counted when it has ended.
fn asked_registry(state: &HttpState, form: &ShownForm, lang: Lang, asked: Asked) -> Response {
    let words = Words(lang);
    match asked {
        Asked::Code { token, .. } | Asked::Link { token: Some(token), .. } => {
            form::to_the_code(&token, false)
        }
        Asked::TooOften { again_at } => {
            let wait = (again_at - state.app.clocks.wire()).to_std();
            too_fast(lang, form, wait.unwrap_or(Duration::from_secs(1)))
        }
        _ => view::form_notice(
            StatusCode::SERVICE_UNAVAILABLE,
            lang,
            form,
            words.no_confirmation_title(),
            words.no_confirmation(),
        ),
    }
}

/// Counts an act, once.
async fn count(
    state: &HttpState,
    link: &ShownLink,
    code: Option<String>,
    counts: [i64; 3],
) -> Result<(), Problem> {
    if code.as_deref() == Some("already_taken") {
        return Ok(());
    }
    Ok(links::count(&state.app, &link.row, counts).await?)
}

/// Shows the page of a link for refusals; whoever opens it, nothing else happens.
pub async fn show_refusal(
    State(state): State<HttpState>,
    Path(token): Path<String>,
    request: Request,
) -> Response {
    let lang = lang(request.uri(), context(&request).lang);
    match known(&state, &token, request.headers()).await {
        Ok(Some(link)) if link.row.kind == LinkKind::Refusal => match link.row.channel {
            Some(channel) => {
                if let Err(error) = links::count(&state.app, &link.row, [1, 0, 0]).await {
                    return failed(lang, error);
                }
                view::refusal(&link, channel, lang)
            }
            None => missing(lang),
        },
        Ok(_) => missing(lang),
        Err(problem) => failed(lang, problem),
    }
}

/// Takes a refusal: by the button of the page, or by a mail program's one click (RFC 8058).
pub async fn refuse(State(state): State<HttpState>, Path(token): Path<String>, request: Request) -> Response {
    let context = context(&request);
    let usual = lang(request.uri(), context.lang);
    let link = match known(&state, &token, request.headers()).await {
        Ok(Some(link)) if link.row.kind == LinkKind::Refusal => link,
        Ok(_) => return missing(usual),
        Err(problem) => return failed(usual, problem),
    };
    let seen = visitor(&request, &context);
    // Whatever stands in the body, it is a refusal.
    let fields = sent::read(request).await.unwrap_or_default();
    let lang = fields.lang(usual);
    let one_click = fields.list_unsubscribe.eq_ignore_ascii_case("One-Click");
    let by_email = one_click && link.row.channel == Some(Channel::Email);
    let source = if by_email { ProviderSource::Email } else { ProviderSource::Web };
    let done = async {
        let taken = links::refuse(&state.app, &link, &Visitor { lang, ..seen }, source).await?;
        count(&state, &link, taken.and_then(|taken| taken.code), [0, 0, 1]).await
    };
    if let Err(problem) = done.await {
        return failed(lang, problem);
    }
    if one_click {
        return ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], Words(lang).refused())
            .into_response();
    }
    view::refused(&link, lang)
}
