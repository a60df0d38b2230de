//! What all pages share: head, navigation, messages, forms, and the headers of the answer.

use std::sync::LazyLock;

use axum::response::{Html, IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderValue, StatusCode, header};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

use super::form::{Form, Mistakes};
use super::session::{Door, Visit};
use super::words;
use crate::wire_time;

const STYLE: &str = include_str!("style.css");

/// The name of the field that carries a session's form token.
pub(crate) const TOKEN_FIELD: &str = "_anahtar";

/// Lets the one style sheet in and nothing else; forms go nowhere but here.
static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let style = STANDARD.encode(Sha256::digest(STYLE.as_bytes()));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{style}'; form-action 'self'; frame-ancestors 'none'; \
         base-uri 'none'"
    );
    HeaderValue::from_str(&policy).unwrap_or_else(|_| HeaderValue::from_static("default-src 'none'"))
});

impl Door {
    const fn name(self) -> &'static str {
        match self {
            Self::Citizen => "Vatandaş",
            Self::Provider => "Hizmet sağlayıcı",
        }
    }

    const fn navigation(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Citizen => &[
                ("/vatandas", "İzinlerim"),
                ("/vatandas/marka-ekle", "Marka ekle"),
                ("/vatandas/gecmis", "Geçmiş"),
                ("/vatandas/sikayetler", "Şikâyetler"),
            ],
            Self::Provider => &[
                ("/hizmet-saglayici", "Özet"),
                ("/hizmet-saglayici/markalar", "Markalar"),
                ("/hizmet-saglayici/is-ortaklari", "İş ortakları"),
                ("/hizmet-saglayici/via-formlari", "VİA formları"),
                ("/hizmet-saglayici/mutabakat", "Mutabakat"),
                ("/hizmet-saglayici/sikayetler", "Şikâyetler"),
            ],
        }
    }
}

/// A page that is being put together.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) door: Door,
    pub(crate) title: String,
    /// The path of the navigation's entry to which the page belongs.
    pub(crate) here: &'static str,
    /// Who is logged in, with the name to be shown.
    pub(crate) visitor: Option<(Visit, String)>,
    pub(crate) notice: Option<String>,
    pub(crate) mistakes: Mistakes,
    pub(crate) status: StatusCode,
}

impl Page {
    /// A page for whoever comes.
    pub(crate) fn new(door: Door, title: impl Into<String>) -> Self {
        Self {
            door,
            title: title.into(),
            here: "",
            visitor: None,
            notice: None,
            mistakes: Mistakes::default(),
            status: StatusCode::OK,
        }
    }

    /// Says what is wrong with the form that was sent.
    pub(crate) fn mistaken(mut self, mistakes: Mistakes) -> Self {
        if !mistakes.is_empty() {
            self.status = StatusCode::UNPROCESSABLE_ENTITY;
        }
        self.mistakes = mistakes;
        self
    }

    /// The answer.
    pub(crate) fn show(&self, content: &Markup) -> Response {
        let headers = [
            (header::CONTENT_SECURITY_POLICY, POLICY.clone()),
            (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
            (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
            (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        ];
        (self.status, headers, Html(self.document(content).into_string())).into_response()
    }

    fn document(&self, content: &Markup) -> Markup {
        let mistaken = !self.mistakes.is_empty();
        html! {
            (DOCTYPE)
            html lang="tr" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    title { @if mistaken { "Hata: " } (self.title) " – " (self.door.name()) " – İYS deneme ortamı" }
                    style { (PreEscaped(STYLE)) }
                }
                body {
                    a.skip href="#icerik" { "İçeriğe geç" }
                    (self.header())
                    main #icerik tabindex="-1" {
                        h1 { (self.title) }
                        @if let Some(notice) = &self.notice { p.notice role="status" { (notice) } }
                        @if mistaken { (self.summary()) }
                        (content)
                    }
                    footer {
                        p { "Bu bir deneme ortamıdır. Gerçek İYS değildir; kişiler ve numaralar uydurmadır." }
                        p { a href="/vatandas/yardim" { "Yardım" } }
                    }
                }
            }
        }
    }

    fn header(&self) -> Markup {
        html! {
            header {
                div.bar {
                    p.brand { strong { "İYS" } " deneme ortamı " span.dim { (self.door.name()) } }
                    @if let Some((visit, name)) = &self.visitor {
                        div.who {
                            span { span.hidden { "Giriş yapan: " } (name) }
                            (form(visit, &format!("{}/cikis", self.door.path()), &html! {
                                button.quiet type="submit" { "Çıkış" }
                            }))
                        }
                    }
                }
                @if self.visitor.is_some() {
                    nav aria-label="Sayfalar" {
                        ul {
                            @for (path, name) in self.door.navigation() {
                                li { a href=(path) aria-current=[(*path == self.here).then_some("page")] { (name) } }
                            }
                        }
                    }
                }
            }
        }
    }

    fn summary(&self) -> Markup {
        html! {
            div.mistakes role="alert" {
                h2 { "Formda düzeltilecek yerler var" }
                ul {
                    @for (field, sentence) in self.mistakes.all() {
                        li { a href={ "#" (field) } { (sentence) } }
                    }
                }
            }
        }
    }
}

/// A form that changes something. It carries the session's token.
pub(crate) fn form(visit: &Visit, action: &str, content: &Markup) -> Markup {
    html! {
        form method="post" action=(action) {
            input type="hidden" name=(TOKEN_FIELD) value=(visit.form_token);
            (content)
        }
    }
}

/// A hidden field.
pub(crate) fn hidden(name: &str, value: &str) -> Markup {
    html! { input type="hidden" name=(name) value=(value); }
}

/// A field of one line, or of several.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Field<'a> {
    /// Both id and name.
    pub(crate) name: &'static str,
    pub(crate) label: &'a str,
    pub(crate) hint: &'a str,
    pub(crate) value: &'a str,
    /// `text` when empty.
    pub(crate) kind: &'static str,
    /// What browsers may fill in; `off` when empty.
    pub(crate) autocomplete: &'static str,
    /// Which keyboard a phone shows.
    pub(crate) keyboard: Option<&'static str>,
    /// How many lines; one when zero.
    pub(crate) lines: u8,
    pub(crate) optional: bool,
}

impl<'a> Field<'a> {
    /// The number of something new.
    pub(crate) fn next_number(label: &'a str, filled: &'a Form) -> Self {
        Self {
            name: "no",
            label,
            hint: "Boş bırakırsanız sıradaki numara verilir.",
            value: filled.get("no"),
            keyboard: Some("numeric"),
            optional: true,
            ..Self::default()
        }
    }

    /// The field with its label, its hint and what is wrong with it.
    pub(crate) fn show(&self, mistakes: &Mistakes) -> Markup {
        let mistake = mistakes.at(self.name);
        let (hint, error) = (format!("{}-ipucu", self.name), format!("{}-hata", self.name));
        let described: Vec<&str> =
            [(!self.hint.is_empty()).then_some(hint.as_str()), mistake.is_some().then_some(error.as_str())]
                .into_iter()
                .flatten()
                .collect();
        let described = (!described.is_empty()).then(|| described.join(" "));
        let invalid = mistake.map(|_| "true");
        let autocomplete = if self.autocomplete.is_empty() { "off" } else { self.autocomplete };
        let kind = if self.kind.is_empty() { "text" } else { self.kind };
        html! {
            div.field {
                label for=(self.name) { (self.label) @if self.optional { span.dim { " (isteğe bağlı)" } } }
                @if !self.hint.is_empty() { p.hint id=(hint) { (self.hint) } }
                @if let Some(mistake) = mistake { p.mistake id=(error) { (mistake) } }
                @if self.lines > 1 {
                    textarea id=(self.name) name=(self.name) rows=(self.lines) required[!self.optional]
                        aria-describedby=[described] aria-invalid=[invalid] { (self.value) }
                } @else {
                    input id=(self.name) name=(self.name) type=(kind) value=(self.value) required[!self.optional]
                        autocomplete=(autocomplete) inputmode=[self.keyboard] spellcheck="false"
                        aria-describedby=[described] aria-invalid=[invalid];
                }
            }
        }
    }
}

/// A choice of one among some, each with its value and its words.
pub(crate) fn select(
    name: &str,
    label: &str,
    options: &[(String, String)],
    chosen: &str,
    mistakes: &Mistakes,
) -> Markup {
    let mistake = mistakes.at(name);
    let error = format!("{name}-hata");
    html! {
        div.field {
            label for=(name) { (label) }
            @if let Some(mistake) = mistake { p.mistake id=(error) { (mistake) } }
            select id=(name) name=(name) aria-describedby=[mistake.map(|_| &error)]
                aria-invalid=[mistake.map(|_| "true")] {
                @for (value, words) in options {
                    option value=(value) selected[value == chosen] { (words) }
                }
            }
        }
    }
}

/// A box to be ticked.
pub(crate) fn tick(name: &str, value: &str, label: &str, is_ticked: bool) -> Markup {
    html! {
        label.tick {
            input type="checkbox" name=(name) value=(value) checked[is_ticked];
            span { (label) }
        }
    }
}

/// An instant, readable for people and for programs.
pub(crate) fn time(seconds: i64) -> Markup {
    html! { time datetime=(wire_time::rfc3339(seconds)) { (words::instant(seconds)) } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_shown_is_escaped() {
        let evil = "<script>alert(\"&\")</script>";
        let field = Field { name: "ad", label: evil, hint: evil, value: evil, ..Field::default() };
        let pages = [
            field.show(&Mistakes::of("ad", evil)),
            Field { lines: 3, ..field }.show(&Mistakes::default()),
            select("m", evil, &[(evil.to_owned(), evil.to_owned())], "", &Mistakes::of("m", evil)),
            tick("t", evil, evil, true),
            hidden("h", evil),
        ];
        for page in pages {
            let html = page.into_string();
            assert!(!html.contains("<script") && html.contains("&lt;script&gt;"), "{html}");
            assert!(html.contains("&quot;&amp;&quot;"), "{html}");
        }
    }

    #[test]
    fn a_mistake_is_tied_to_its_field() {
        let field = Field { name: "ad", label: "Ad", hint: "Kısa.", ..Field::default() };
        let html = field.show(&Mistakes::of("ad", "Boş.")).into_string();
        assert!(
            html.contains(r#"aria-describedby="ad-ipucu ad-hata""#)
                && html.contains(r#"aria-invalid="true""#)
        );
        assert!(!field.show(&Mistakes::default()).into_string().contains("aria-invalid"));
    }
}
