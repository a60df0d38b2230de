//! Reading what a form sent: url-encoded as browsers do, or JSON.

use axum::body::Bytes;
use axum::extract::Request;
use axum::http::{HeaderMap, header};
use kopru_domain::{Channel, Lang};
use serde::Deserialize;
use url::form_urlencoded;

use crate::http::body;
use crate::http::problem::Problem;
use crate::service::forms::filing::Sent;

/// Bytes of a form at most.
pub(super) const LIMIT: usize = 16 * 1024;
const LONGEST_PAGE: usize = 64;

/// What a form sent.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Fields {
    full_name: String,
    phone: String,
    email: String,
    channels: Vec<String>,
    /// Nobody sees it; programs fill it in.
    pub website: String,
    page: String,
    lang: String,
    /// The button of a person's link.
    pub answer: String,
    /// The code of a confirmation.
    pub code: Option<String>,
    /// `One-Click`, by mail programs (RFC 8058).
    #[serde(rename = "List-Unsubscribe")]
    pub list_unsubscribe: String,
}

/// Whether the answer is for a program.
pub(super) fn wants_json(headers: &HeaderMap) -> bool {
    let has = |name, word: &str| {
        headers.get(name).and_then(|value| value.to_str().ok()).is_some_and(|value| value.contains(word))
    };
    has(header::CONTENT_TYPE, "application/json") || has(header::ACCEPT, "application/json")
}

/// Reads a body.
pub(super) async fn read(request: Request) -> Result<Fields, Problem> {
    let kind =
        request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let json = kind == "application/json";
    if !json
        && kind != "application/x-www-form-urlencoded"
        && kind != "multipart/form-data"
        && !kind.is_empty()
    {
        return Err(Problem::UnsupportedMediaType);
    }
    // Mail programs may send one-click refusals as multipart (RFC 8058 section 3.1).
    let multipart = kind == "multipart/form-data";
    let bytes = body::read(request.into_body(), LIMIT).await?;
    if json {
        let malformed = |error: serde_json::Error| crate::http::json::malformed(&error);
        return serde_json::from_slice(&bytes).map_err(malformed);
    }
    Ok(if multipart { Fields::multipart(&bytes) } else { Fields::urlencoded(&bytes) })
}

impl Fields {
    fn urlencoded(bytes: &Bytes) -> Self {
        let mut fields = Self::default();
        for (name, value) in form_urlencoded::parse(bytes) {
            let value = value.into_owned();
            match name.as_ref() {
                "fullName" => fields.full_name = value,
                "phone" => fields.phone = value,
                "email" => fields.email = value,
                "channels" => fields.channels.push(value),
                "website" => fields.website = value,
                "page" => fields.page = value,
                "lang" => fields.lang = value,
                "answer" => fields.answer = value,
                "code" => fields.code = Some(value),
                "List-Unsubscribe" => fields.list_unsubscribe = value,
                _ => {}
            }
        }
        fields
    }

    /// Only the one-click refusal is looked for.
    fn multipart(bytes: &Bytes) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let one_click = text.contains("name=\"List-Unsubscribe\"") && text.contains("One-Click");
        let list_unsubscribe = if one_click { "One-Click".to_owned() } else { String::new() };
        Self { list_unsubscribe, ..Self::default() }
    }

    /// The language of the page that was sent.
    pub fn lang(&self, usual: Lang) -> Lang {
        self.lang.parse().unwrap_or(usual)
    }

    /// The fields of a form; a word that is no channel is told as `None`.
    pub fn into_sent(self, link: Option<String>) -> Option<Sent> {
        let channels =
            self.channels.iter().map(|word| word.parse::<Channel>().ok()).collect::<Option<_>>()?;
        let named = !self.page.is_empty() && self.page.len() <= LONGEST_PAGE;
        Some(Sent {
            full_name: self.full_name,
            phone: self.phone,
            email: self.email,
            channels,
            page: named.then_some(self.page),
            link,
        })
    }
}
