//! The public pages. Everything that comes from outside is escaped by the template itself; nothing is put in raw but our own style.

use std::sync::LazyLock;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kopru_domain::{Channel, Lang, Wording};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

use super::words::Words;
use crate::service::FieldProblem;
use crate::service::forms::filing::{Sent, box_label};
use crate::service::forms::{ShownForm, Theme};
use crate::service::links::ShownLink;

/// The style of all pages, without the colours.
pub(super) const STYLE: &str = include_str!("style.css");
static PLAIN: LazyLock<Theme> = LazyLock::new(Theme::default);

/// The colours of a theme as custom properties. Only checked colours (`#rrggbb`) get there.
pub(super) fn colours(theme: &Theme) -> String {
    let colour = |colour: &Option<String>, usual: &str| colour.clone().unwrap_or_else(|| usual.to_owned());
    format!(
        "--accent:{};--bg:{};--fg:{}",
        colour(&theme.accent, "#0b5c8a"),
        colour(&theme.background, "#ffffff"),
        colour(&theme.text, "#1b1b1b")
    )
}

/// A page with its status and the policy that lets nothing but itself work on it.
pub(super) fn page(
    status: StatusCode,
    lang: Lang,
    theme: Option<&Theme>,
    title: &str,
    body: &Markup,
) -> Response {
    let theme = theme.unwrap_or(&PLAIN);
    let style = format!(":root{{{}}}{STYLE}", colours(theme));
    let digest = STANDARD.encode(Sha256::digest(style.as_bytes()));
    let markup = html! {
        (DOCTYPE)
        html lang=(lang.as_str()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="robots" content="noindex";
                title { (title) }
                style { (PreEscaped(&style)) }
            }
            body { main { (body) } }
        }
    };
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{digest}'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    );
    let mut response =
        (status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], markup.into_string()).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(lang.as_str()));
    // Without it browsers send an empty Origin with the form.
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// A page that says one thing.
pub(super) fn notice(
    status: StatusCode,
    lang: Lang,
    theme: Option<&Theme>,
    title: &str,
    text: &str,
) -> Response {
    page(status, lang, theme, title, &html! { h1 { (title) } p role="status" { (text) } })
}

fn head(words: Words, title: &str, brand: &str, mersis: &str, theme: &Theme, other: Option<&str>) -> Markup {
    html! {
        header {
            @if let Some(logo) = &theme.logo { img src=(logo) alt=(brand); }
            div {
                p { strong { (title) } @if brand != title { " · " (brand) } }
                p.small { (words.mersis()) ": " (mersis) }
            }
        }
        @if let Some(other) = other {
            p.small { a href=(other) lang=(other_lang(words).as_str()) { (words.other_language()) } }
        }
    }
}

fn other_lang(words: Words) -> Lang {
    if words.0 == Lang::Tr { Lang::En } else { Lang::Tr }
}

fn texts(words: Words, text: &Wording, notice: &Wording) -> Markup {
    html! {
        section aria-labelledby="onay" {
            h2 id="onay" { (words.consent_text()) }
            p { strong { (text.title) } }
            @for paragraph in text.paragraphs() { p { (paragraph) } }
        }
        details {
            summary { (words.notice()) ": " (notice.title) }
            @for paragraph in notice.paragraphs() { p { (paragraph) } }
        }
    }
}

/// What a form page is shown with.
pub(super) struct FormPage<'a> {
    pub form: &'a ShownForm,
    pub lang: Lang,
    /// Where it posts.
    pub action: String,
    /// Its own name, so that sending it twice is one act.
    pub page: &'a str,
    pub sent: &'a Sent,
    pub problems: &'a [FieldProblem],
}

/// The page of a form.
pub(super) fn form(it: &FormPage<'_>) -> Response {
    let (lang, text, notice) = it.form.wordings(it.lang);
    let words = Words(lang);
    let content = &it.form.content;
    let other = it.form.has_english().then(|| format!("{}?lang={}", it.action, other_lang(words).as_str()));
    let body = html! {
        (head(words, &it.form.title, &it.form.brand.row.name, &content.mersis, &content.theme, other.as_deref()))
        h1 { (words.form_title()) }
        @if !it.problems.is_empty() {
            div.error role="alert" tabindex="-1" {
                p { (words.errors()) }
                ul {
                    @for problem in it.problems {
                        li { a href={ "#" (problem.field) } { (problem.title.get(lang)) } }
                    }
                }
            }
        }
        (texts(words, text, notice))
        form method="post" action=(it.action) {
            fieldset id="channels" aria-describedby="channels-hint" tabindex="-1" {
                legend { (words.channels()) }
                p.small id="channels-hint" { (words.channels_hint()) }
                @for channel in &content.channels {
                    label {
                        input type="checkbox" name="channels" value=(channel.as_str()) checked[it.sent.channels.contains(channel)];
                        span { (box_label(*channel, lang)) }
                    }
                }
            }
            (input(it, words.full_name(), "fullName", "text", "name", &it.sent.full_name, None))
            @if content.channels.iter().any(|channel| *channel != Channel::Email) {
                (input(it, words.phone(), "phone", "tel", "tel", &it.sent.phone, Some(words.phone_hint())))
            }
            @if content.channels.contains(&Channel::Email) {
                (input(it, words.email(), "email", "email", "email", &it.sent.email, Some(words.email_hint())))
            }
            div.trap aria-hidden="true" {
                label for="website" { (words.leave_empty()) }
                input id="website" name="website" type="text" tabindex="-1" autocomplete="off";
            }
            input type="hidden" name="page" value=(it.page);
            input type="hidden" name="lang" value=(lang.as_str());
            button type="submit" { (words.send()) }
        }
    };
    let status = if it.problems.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    page(status, lang, Some(&content.theme), &format!("{} · {}", words.form_title(), it.form.title), &body)
}

fn input(
    it: &FormPage<'_>,
    label: &str,
    name: &str,
    kind: &str,
    autocomplete: &str,
    value: &str,
    hint: Option<&str>,
) -> Markup {
    let wrong = it.problems.iter().any(|problem| problem.field == name);
    html! {
        div.field {
            label for=(name) { (label) }
            @if let Some(hint) = hint { p.small id={ (name) "-hint" } { (hint) } }
            input id=(name) name=(name) type=(kind) autocomplete=(autocomplete) value=(value) maxlength="254"
                required[hint.is_none()] aria-invalid=[wrong.then_some("true")]
                aria-describedby=[hint.map(|_| format!("{name}-hint"))];
        }
    }
}

/// What became of a form that was sent.
pub(super) fn thanks(form: &ShownForm, lang: Lang, channels: &[Channel]) -> Response {
    let words = Words(form.wordings(lang).0);
    let body = html! {
        h1 { (words.thanks_title()) }
        p role="status" { (words.thanks()) }
        ul { @for channel in channels { li { (words.channel(*channel)) } } }
        p { (form.title) }
    };
    page(StatusCode::OK, words.0, Some(&form.content.theme), words.thanks_title(), &body)
}

/// The page of a person's link: text, notice, masked address, and two buttons.
pub(super) fn personal(link: &ShownLink, form: &ShownForm, channel: Channel, lang: Lang) -> Response {
    let (lang, text, notice) = form.wordings(lang);
    let words = Words(lang);
    let action = format!("/l/{}", link.token());
    let other = form.has_english().then(|| format!("{action}?lang={}", other_lang(words).as_str()));
    let body = html! {
        (head(words, &form.title, &form.brand.row.name, &form.content.mersis, &form.content.theme, other.as_deref()))
        h1 { (words.form_title()) }
        p { (words.your_address()) ": " strong { (link.masked().unwrap_or_default()) } }
        p { (box_label(channel, lang)) }
        (texts(words, text, notice))
        @for (answer, label, class) in [("confirm", words.confirm(), ""), ("refuse", words.reject(), "second")] {
            form.row method="post" action=(action) {
                input type="hidden" name="answer" value=(answer);
                input type="hidden" name="lang" value=(lang.as_str());
                button type="submit" class=(class) { (label) }
            }
        }
    };
    page(StatusCode::OK, lang, Some(&form.content.theme), words.form_title(), &body)
}

/// The page of a link for refusals.
pub(super) fn refusal(link: &ShownLink, channel: Channel, lang: Lang) -> Response {
    let words = Words(lang);
    let action = format!("/r/{}", link.token());
    let body = html! {
        p { strong { (link.title) } @if link.brand.row.name != link.title { " · " (link.brand.row.name) } }
        h1 { (words.refusal_title()) }
        p { (words.your_address()) ": " strong { (link.masked().unwrap_or_default()) } " (" (words.channel(channel)) ")" }
        p { (words.refusal_text()) }
        form method="post" action=(action) {
            input type="hidden" name="lang" value=(lang.as_str());
            button type="submit" { (words.refuse()) }
        }
    };
    page(StatusCode::OK, lang, None, words.refusal_title(), &body)
}
