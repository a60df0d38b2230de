//! The frame of the public pages, and those of links. Everything that comes from outside is escaped by the template itself;
//! nothing is put in raw but our own style.

use std::sync::LazyLock;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kopru_domain::{Channel, Lang, Wording, opt_in};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

use super::theme;
use super::words::Words;
use crate::service::forms::filing::box_label;
use crate::service::forms::{ShownForm, Theme};
use crate::service::links::ShownLink;

/// The style of all pages, without the colours.
pub(super) const STYLE: &str = include_str!("style.css");
static PLAIN: LazyLock<Theme> = LazyLock::new(Theme::default);

/// A page with its status and the policy that lets nothing but itself work on it.
pub(super) fn page(
    status: StatusCode,
    lang: Lang,
    theme: Option<&Theme>,
    title: &str,
    body: &Markup,
) -> Response {
    let style = format!("{}{STYLE}", theme::root(theme.unwrap_or(&PLAIN)));
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
    page(status, lang, theme, title, &said(status, title, text))
}

/// As [`notice`], of a form's company.
pub(super) fn form_notice(
    status: StatusCode,
    lang: Lang,
    form: &ShownForm,
    title: &str,
    text: &str,
) -> Response {
    let body = html! { (form_head(form, lang, None)) (said(status, title, text)) };
    page(status, lang, Some(&form.content.theme), title, &body)
}

/// One thing that is said, with a sign of whether it went well.
pub(super) fn said(status: StatusCode, title: &str, text: &str) -> Markup {
    let good = status.is_success();
    html! {
        svg.mark.good[good] viewBox="0 0 48 48" aria-hidden="true" {
            circle cx="24" cy="24" r="21" {}
            @if good { path d="M15 25l6 6 12-14" {} } @else { path d="M24 14v12M24 33v.5" {} }
        }
        h1 { (title) }
        p.lead role="status" { (text) }
    }
}

/// Who asks: the company, its brand and number, and the way to the other language.
pub(super) fn head(
    lang: Lang,
    (title, brand): (&str, &str),
    number: Option<&str>,
    logo: Option<&str>,
    other: Option<&str>,
) -> Markup {
    let words = Words(lang);
    html! {
        header.head {
            @if let Some(logo) = logo { img src=(logo) alt=(brand); }
            div.who {
                p.name { (title) }
                @if brand != title { p { (brand) } }
                @if let Some(number) = number { p { (number) } }
            }
            @if let Some(other) = other {
                a.other href=(other) lang=(words.other().as_str()) hreflang=(words.other().as_str()) { (words.other_language()) }
            }
        }
    }
}

/// The head of a form's pages.
pub(super) fn form_head(form: &ShownForm, lang: Lang, other: Option<&str>) -> Markup {
    let number = format!("{} {}", Words(lang).mersis(), form.content.mersis);
    let names = (form.title.as_str(), form.brand.row.name.as_str());
    head(lang, names, Some(&number), form.content.theme.logo.as_deref(), other)
}

/// Where a page is shown in the other language.
pub(super) fn in_other_language(form: &ShownForm, lang: Lang, action: &str) -> Option<String> {
    form.has_english().then(|| format!("{action}?lang={}", Words(lang).other().as_str()))
}

/// The text that is agreed to, and apart from it the privacy notice.
pub(super) fn texts(words: Words, text: &Wording, notice: &Wording) -> Markup {
    html! {
        section.card aria-labelledby="onay" {
            h2 id="onay" { (words.consent_text()) }
            @if text.title != words.consent_text() { p.name { (text.title) } }
            @for paragraph in text.paragraphs() { p { (paragraph) } }
        }
        details {
            summary {
                (words.notice())
                @if notice.title != words.notice() { ": " (notice.title) }
            }
            @for paragraph in notice.paragraphs() { p { (paragraph) } }
        }
    }
}

/// What became of a form that was sent.
pub(super) fn thanks(form: &ShownForm, lang: Lang, channels: &[Channel]) -> Response {
    let words = Words(form.wordings(lang).0);
    let body = html! {
        (form_head(form, words.0, None))
        (said(StatusCode::OK, words.thanks_title(), words.thanks()))
        @if !channels.is_empty() {
            div.card {
                h2 { (words.agreed_to()) }
                ul { @for channel in channels { li { (words.channel(*channel)) } } }
            }
        }
    };
    page(StatusCode::OK, words.0, Some(&form.content.theme), words.thanks_title(), &body)
}

/// The page of a person's link: text, notice, masked address, and two buttons.
pub(super) fn personal(link: &ShownLink, form: &ShownForm, channel: Channel, lang: Lang) -> Response {
    let (lang, text, notice) = form.wordings(lang);
    let words = Words(lang);
    let action = format!("/l/{}", link.token());
    let other = in_other_language(form, lang, &action);
    let body = html! {
        (form_head(form, lang, other.as_deref()))
        h1 { (words.form_title()) }
        div.card {
            p.small { (words.address(channel)) }
            p.address { (link.masked().unwrap_or_default()) }
            p { (box_label(channel, lang)) }
        }
        (texts(words, text, notice))
        div.answers {
            @for (answer, label, class) in [("confirm", words.confirm(), "first"), ("refuse", words.reject(), "second")] {
                form method="post" action=(action) {
                    input type="hidden" name="answer" value=(answer);
                    input type="hidden" name="lang" value=(lang.as_str());
                    button type="submit" class=(class) { (label) }
                }
            }
        }
        p.small.end { (words.take_back()) }
    };
    page(StatusCode::OK, lang, Some(&form.content.theme), words.form_title(), &body)
}

/// The page of a link for refusals.
pub(super) fn refusal(link: &ShownLink, channel: Channel, lang: Lang) -> Response {
    let words = Words(lang);
    let action = format!("/r/{}", link.token());
    let body = html! {
        (refusal_head(link, lang, Some(&format!("{action}?lang={}", words.other().as_str()))))
        h1 { (words.refusal_title()) }
        div.card {
            p.small { (words.address(channel)) " · " (words.channel(channel)) }
            p.address { (link.masked().unwrap_or_default()) }
        }
        p { (words.refusal_text()) }
        form method="post" action=(action) {
            input type="hidden" name="lang" value=(lang.as_str());
            button type="submit" { (words.refuse()) }
        }
    };
    page(StatusCode::OK, lang, None, words.refusal_title(), &body)
}

/// A refusal was taken, now or before.
pub(super) fn refused(link: &ShownLink, lang: Lang) -> Response {
    let words = Words(lang);
    let body = html! {
        (refusal_head(link, lang, None))
        (said(StatusCode::OK, words.refused_title(), words.refused()))
    };
    page(StatusCode::OK, lang, None, words.refused_title(), &body)
}

fn refusal_head(link: &ShownLink, lang: Lang, other: Option<&str>) -> Markup {
    let number = link.brand.sender.as_ref().map(|sender| opt_in::identity(&sender.identity));
    head(lang, (&link.title, &link.brand.row.name), number.as_deref(), None, other)
}
