//! The page on which the owner of an address confirms it: `/c/{token}`. A look changes nothing, so scanners of mail and previews
//! of links do no harm; only the form's POST acts. It works without JavaScript.

use axum::extract::{Path, Request, State};
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use kopru_domain::opt_in::{OptInState, Way, identity, named};
use kopru_domain::{Lang, Text, time};
use maud::{Markup, html};

use super::form::to_the_code;
use super::sent;
use super::view::{head, notice, page, said};
use super::words::Words;
use crate::http::problem::Problem;
use crate::http::state::HttpState;
use crate::service::ServiceError;
use crate::service::opt_in::{self, Answered, Asked, Shown};

pub async fn show(
    State(state): State<HttpState>,
    Path(token): Path<String>,
    uri: Uri,
) -> Result<Response, Problem> {
    let mailed = uri.query() == Some("mail=1");
    let note = mailed.then(|| {
        Note::Said(Text::fixed(
            "E-posta adresinize de ayrı bir onay bağlantısı gönderdik.",
            "We have also sent a link to your e-mail address, to be confirmed by itself.",
        ))
    });
    match looked(&state, &token).await? {
        Some(shown) => Ok(asking(StatusCode::OK, &token, &shown, note.as_ref())),
        None => Ok(unknown()),
    }
}

pub async fn confirm(
    State(state): State<HttpState>,
    Path(token): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let Some(shown) = looked(&state, &token).await? else { return Ok(unknown()) };
    let code = sent::read(request).await?.code;
    let answered = opt_in::confirm(&state.app, &token, code.as_deref()).await?;
    let wrong =
        |title: Text| Ok(asking(StatusCode::UNPROCESSABLE_ENTITY, &token, &shown, Some(&Note::Wrong(title))));
    match answered {
        Answered::Confirmed => Ok(ended(StatusCode::OK, &Shown { state: OptInState::Done, ..shown })),
        Answered::Ended => Ok(ended(StatusCode::GONE, &Shown { state: OptInState::Abandoned, ..shown })),
        Answered::Wrong { left } => wrong(Text::new(
            format!("Kod doğru değil. {left} deneme hakkınız kaldı."),
            match left {
                1 => "The code is not right. You have one more try.".to_owned(),
                left => format!("The code is not right. You have {left} more tries."),
            },
        )),
        Answered::TooOld => wrong(Text::fixed(
            "Kodun süresi doldu. Aşağıdan yeni bir kod isteyin.",
            "The code is too old. Ask for a new one below.",
        )),
        Answered::Later => Ok(asking(
            StatusCode::SERVICE_UNAVAILABLE,
            &token,
            &shown,
            Some(&Note::Refused(Text::fixed(
                "İYS şu anda yanıt vermiyor ya da kodunuz inceleniyor. Birazdan aynı kodu yeniden girin.",
                "The registry does not answer at present, or your code is being looked at. Enter the same code again in a moment.",
            ))),
        )),
    }
}

pub async fn again(State(state): State<HttpState>, Path(token): Path<String>) -> Result<Response, Problem> {
    let Some(shown) = looked(&state, &token).await? else { return Ok(unknown()) };
    let (status, note) = match opt_in::again(&state.app, &token).await {
        Ok(Asked::TooOften { again_at }) => {
            let at = time::local(again_at).format("%H:%M");
            (
                StatusCode::TOO_MANY_REQUESTS,
                Note::Refused(Text::new(
                    format!("Kısa sürede çok kod istendi. Saat {at} sonrasında yeniden isteyebilirsiniz."),
                    format!("Too many codes were asked for. You can ask again after {at}."),
                )),
            )
        }
        Ok(Asked::NoSender | Asked::Stopped { .. } | Asked::Unfit(_)) => {
            return Ok(ended(
                StatusCode::GONE,
                &Shown { state: OptInState::Abandoned, may_ask_again: false, ..shown },
            ));
        }
        // A code of the registry's has a process of its own, with a page of its own.
        Ok(Asked::Code { token: fresh, .. }) if fresh != token => return Ok(to_the_code(&fresh, false)),
        Ok(_) => (StatusCode::OK, Note::Said(Text::fixed("Yeni kod gönderildi.", "A new code was sent."))),
        Err(ServiceError::NotFound(_)) => return Ok(ended(StatusCode::GONE, &shown)),
        Err(error) => return Err(error.into()),
    };
    Ok(asking(status, &token, &shown, Some(&note)))
}

async fn looked(state: &HttpState, token: &str) -> Result<Option<Shown>, Problem> {
    match opt_in::look(&state.app, token).await {
        Ok(shown) => Ok(Some(shown)),
        Err(ServiceError::NotFound(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// What the page of a process that waits says of the last act.
enum Note {
    /// All is well.
    Said(Text),
    /// Of the code that was entered.
    Wrong(Text),
    /// Of anything else.
    Refused(Text),
}

/// The page of a process that waits; what has ended has its own.
fn asking(status: StatusCode, token: &str, shown: &Shown, note: Option<&Note>) -> Response {
    if shown.state != OptInState::Pending && !shown.may_ask_again {
        return ended(status, shown);
    }
    // A code of the registry's ends with its process, and another may take its place.
    let over = Note::Refused(Text::fixed(
        "Bu kod artık geçerli değil. Aşağıdan yeni bir kod isteyin.",
        "This code is good no more. Ask for a new one below.",
    ));
    let note = note.or_else(|| (shown.state != OptInState::Pending).then_some(&over));
    let (lang, words) = (shown.lang, Words(shown.lang));
    if shown.via.is_some() && shown.way == Way::Link {
        let body = html! { (head_of(shown)) (said(status, words.registry_title(), words.registry_sent())) };
        return page(status, lang, None, words.registry_title(), &body);
    }
    let channels = named(&shown.channels, lang);
    let purpose = match lang {
        Lang::Tr => {
            format!("{}, size {channels} ile ticari ileti göndermek için onayınızı istiyor.", shown.title)
        }
        Lang::En => {
            format!("{} asks for your consent to send you commercial messages by {channels}.", shown.title)
        }
    };
    let wrong = match note {
        Some(Note::Wrong(text)) => Some(text.get(lang)),
        _ => None,
    };
    let body = html! {
        (head_of(shown))
        h1 { (words.confirm_title()) }
        @match note {
            Some(Note::Said(text)) => p.note role="status" { (text.get(lang)) },
            Some(Note::Refused(text)) => div.errors role="alert" tabindex="-1" autofocus { p { (text.get(lang)) } },
            Some(Note::Wrong(_)) | None => {}
        }
        p.lead { (purpose) }
        @if shown.via.is_some() { p.small { (words.by_registry()) } }
        (form(token, shown, wrong))
        p.small.end { (words.do_not_confirm()) }
    };
    let mark = if wrong.is_some() { words.error_mark() } else { "" };
    page(status, lang, None, &format!("{mark}{}", words.confirm_title()), &body)
}

fn head_of(shown: &Shown) -> Markup {
    let number = (!shown.identity.is_empty()).then(|| identity(&shown.identity));
    head(shown.lang, (&shown.title, &shown.title), number.as_deref(), None, None)
}

/// What the person fills in or presses. After a wrong code the focus is in the field, which tells what is wrong.
fn form(token: &str, shown: &Shown, wrong: Option<&str>) -> Markup {
    let (action, words) = (format!("/c/{token}"), Words(shown.lang));
    let (described, by_registry) = (if wrong.is_some() { "hint error" } else { "hint" }, shown.via.is_some());
    html! {
        @match shown.way {
            Way::Link => {
                div.card {
                    p.small { (words.email()) }
                    p.address { (shown.recipient) }
                }
                form method="post" action=(action) { button type="submit" { (words.confirm()) } }
            }
            Way::Code => {
                form method="post" action=(action) novalidate {
                    div.field {
                        label for="code" { @if by_registry { (words.registry_code()) } @else { (words.code()) } }
                        p.small id="hint" { @if by_registry { (words.sent_to()) } @else { (words.code_hint()) } " " strong { (shown.recipient) } }
                        @if let Some(wrong) = wrong { p.wrong id="error" role="alert" { (wrong) } }
                        input id="code" name="code" inputmode="numeric" autocomplete="one-time-code" maxlength="12" required
                            aria-describedby=(described) aria-invalid=[wrong.map(|_| "true")] autofocus[wrong.is_some()];
                    }
                    button type="submit" { (words.confirm()) }
                }
                (again_button(&action, words))
            }
        }
    }
}

fn again_button(action: &str, words: Words) -> Markup {
    html! {
        form.again method="post" action=(format!("{action}/again")) {
            button.second type="submit" { (words.new_code()) }
        }
    }
}

fn ended(status: StatusCode, shown: &Shown) -> Response {
    let lang = shown.lang;
    let done = matches!(shown.state, OptInState::Confirmed | OptInState::Done);
    let (title, channels) = (&shown.title, named(&shown.channels, lang));
    let (heading, text) = match (done, lang) {
        (true, Lang::Tr) => (
            "Onayınız alındı",
            format!(
                "{title}, size {channels} ile ticari ileti gönderebilir. Dilediğiniz an vazgeçebilirsiniz."
            ),
        ),
        (true, Lang::En) => (
            "Your consent was received",
            format!("{title} may send you commercial messages by {channels}. You can withdraw at any time."),
        ),
        (false, Lang::Tr) => (
            "Onay alınmadı",
            format!(
                "Bu onayın süresi doldu ya da çok sayıda yanlış kod girildi. {title} bu onayla size ticari ileti gönderemez. İsterseniz formu yeniden doldurun."
            ),
        ),
        (false, Lang::En) => (
            "No consent was taken",
            format!(
                "This confirmation is over, or too many wrong codes were entered. {title} may not send you commercial messages on its strength. You may fill in the form again."
            ),
        ),
    };
    let body = html! { (head_of(shown)) (said(status, heading, &text)) };
    page(status, lang, None, heading, &body)
}

/// Nothing is told of who else might be meant.
fn unknown() -> Response {
    let words = Words(Lang::Tr);
    notice(StatusCode::NOT_FOUND, Lang::Tr, None, words.missing_title(), words.no_such_confirmation())
}
