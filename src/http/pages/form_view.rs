//! The page of a form.

use axum::http::StatusCode;
use axum::response::Response;
use kopru_domain::{Channel, Lang};
use maud::{Markup, html};

use super::view::{form_head, in_other_language, page, texts};
use super::words::{Words, sentence};
use crate::service::FieldProblem;
use crate::service::forms::ShownForm;
use crate::service::forms::filing::{Sent, box_label};

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

/// The page of a form. The browser's own complaints are left out: ours are in the page's language, stay, and are read out.
pub(super) fn form(it: &FormPage<'_>) -> Response {
    let (lang, text, notice) = it.form.wordings(it.lang);
    let words = Words(lang);
    let content = &it.form.content;
    let other = in_other_language(it.form, lang, &it.action);
    let body = html! {
        (form_head(it.form, lang, other.as_deref()))
        h1 { (words.form_title()) }
        (summary(words, it.problems))
        (texts(words, text, notice))
        form method="post" action=(it.action) novalidate {
            (boxes(it, words))
            (input(it, words, &Field { name: "fullName", label: words.full_name(), kind: "text", autocomplete: "name", value: &it.sent.full_name, hint: None }))
            @if content.channels.iter().any(|channel| *channel != Channel::Email) {
                (input(it, words, &Field { name: "phone", label: words.phone(), kind: "tel", autocomplete: "tel", value: &it.sent.phone, hint: phone_hint(content.channels.as_slice(), words) }))
            }
            @if content.channels.contains(&Channel::Email) {
                (input(it, words, &Field { name: "email", label: words.email(), kind: "email", autocomplete: "email", value: &it.sent.email, hint: email_hint(content.channels.as_slice(), words) }))
            }
            div.trap aria-hidden="true" {
                label for="website" { (words.leave_empty()) }
                input id="website" name="website" type="text" tabindex="-1" autocomplete="off";
            }
            input type="hidden" name="page" value=(it.page);
            input type="hidden" name="lang" value=(lang.as_str());
            button type="submit" { (words.send()) }
            p.small { (words.take_back()) }
        }
    };
    let wrong = !it.problems.is_empty();
    let status = if wrong { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let mark = if wrong { words.error_mark() } else { "" };
    let title = format!("{mark}{} · {}", words.form_title(), it.form.title);
    page(status, lang, Some(&content.theme), &title, &body)
}

/// The number is needed for some of the boxes only.
pub(super) fn phone_hint(channels: &[Channel], words: Words) -> Option<&'static str> {
    channels.contains(&Channel::Email).then(|| words.phone_hint())
}

/// The address is needed for one of the boxes only.
pub(super) fn email_hint(channels: &[Channel], words: Words) -> Option<&'static str> {
    channels.iter().any(|channel| *channel != Channel::Email).then(|| words.email_hint())
}

/// What is wrong, each leading to its field; the focus begins here.
fn summary(words: Words, problems: &[FieldProblem]) -> Markup {
    html! {
        @if !problems.is_empty() {
            div.errors role="alert" tabindex="-1" autofocus {
                h2 { (words.errors()) }
                ul {
                    @for problem in problems {
                        li { a href={ "#" (problem.field) } { (sentence(problem.title.get(words.0), words.0)) } }
                    }
                }
            }
        }
    }
}

fn wrong(it: &FormPage<'_>, words: Words, name: &str) -> Option<String> {
    let problem = it.problems.iter().find(|problem| problem.field == name);
    problem.map(|problem| sentence(problem.title.get(words.0), words.0))
}

fn boxes(it: &FormPage<'_>, words: Words) -> Markup {
    let wrong = wrong(it, words, "channels");
    let described = if wrong.is_some() { "channels-hint channels-error" } else { "channels-hint" };
    html! {
        fieldset id="channels" aria-describedby=(described) tabindex="-1" {
            legend { (words.channels()) }
            p.small id="channels-hint" { (words.channels_hint()) }
            @if let Some(wrong) = wrong { p.wrong id="channels-error" { (wrong) } }
            @for channel in &it.form.content.channels {
                label.box {
                    input type="checkbox" name="channels" value=(channel.as_str()) checked[it.sent.channels.contains(channel)];
                    span { (box_label(*channel, words.0)) }
                }
            }
        }
    }
}

struct Field<'a> {
    name: &'a str,
    label: &'a str,
    kind: &'a str,
    autocomplete: &'a str,
    value: &'a str,
    /// When it is needed; `None`: always.
    hint: Option<&'a str>,
}

fn input(it: &FormPage<'_>, words: Words, field: &Field<'_>) -> Markup {
    let Field { name, label, kind, autocomplete, value, hint } = field;
    let wrong = wrong(it, words, name);
    let described = [hint.map(|_| "hint"), wrong.as_ref().map(|_| "error")];
    let described: Vec<String> =
        described.into_iter().flatten().map(|part| format!("{name}-{part}")).collect();
    let described = (!described.is_empty()).then(|| described.join(" "));
    html! {
        div.field {
            label for=(name) { (label) }
            @if let Some(hint) = hint { p.small id={ (name) "-hint" } { (hint) } }
            @if let Some(wrong) = &wrong { p.wrong id={ (name) "-error" } { (wrong) } }
            input id=(name) name=(name) type=(kind) autocomplete=(autocomplete) value=(value) maxlength="254"
                required[hint.is_none()] aria-invalid=[wrong.as_ref().map(|_| "true")] aria-describedby=[described];
        }
    }
}
