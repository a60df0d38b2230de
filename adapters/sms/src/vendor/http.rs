//! Any other vendor: its request by a template of the operator's.

use std::collections::BTreeMap;
use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::account::{Client, Outgoing, Reply, Sent, text_of};
use crate::{Failure, FailureKind};

/// How a vendor wants to be asked. In the address, in the values of headers and in the body, `{from}`, `{to}` (with its
/// plus sign), `{to_digits}` (without), `{to_local}` (without `+90`), `{text}`, `{reference}` and `{secret}` are filled in: escaped for JSON
/// where the content type says JSON, else for a URL or a form; plain in headers.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Template {
    /// Where to.
    pub url: String,
    /// `POST` (default) or `GET`.
    #[serde(default = "post")]
    pub method: String,
    /// `application/json` (default) or `application/x-www-form-urlencoded`.
    #[serde(default = "json")]
    pub content_type: String,
    /// Further headers.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The body.
    #[serde(default)]
    pub body: String,
    /// Where the vendor's id stands in a JSON answer: names joined by full stops. Without it the whole answer is the id.
    #[serde(default)]
    pub id: Option<String>,
    /// What an answer must hold to be a success, beside a status of 2xx.
    #[serde(default)]
    pub accepted: Option<String>,
}

fn post() -> String {
    "POST".to_owned()
}

fn json() -> String {
    "application/json".to_owned()
}

/// A template that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// No address.
    #[error("url is no http or https address")]
    Url,
    /// Neither of the two.
    #[error("method {0:?} is neither POST nor GET")]
    Method(String),
    /// Neither of the two.
    #[error("content_type {0:?} is neither application/json nor application/x-www-form-urlencoded")]
    ContentType(String),
    /// A header that cannot be sent.
    #[error("header {0:?} cannot stand in a request")]
    Header(String),
    /// Nothing is said to nobody.
    #[error("{0} stands nowhere in the template")]
    Missing(&'static str),
    /// The body is no JSON once its places are filled.
    #[error("body is no JSON")]
    Body,
}

/// An account. `Debug` shows no secret.
#[derive(Clone)]
pub struct Account {
    template: Template,
    secret: Option<SecretString>,
}

/// How a value is written where it is filled in.
#[derive(Clone, Copy)]
enum Escape {
    Json,
    Url,
    Plain,
}

impl Account {
    /// An account by a template; `secret` is filled in for `{secret}`.
    pub fn new(template: Template, secret: Option<SecretString>) -> Result<Self, TemplateError> {
        let account = Self { template, secret };
        account.check()?;
        Ok(account)
    }

    fn check(&self) -> Result<(), TemplateError> {
        let Template { url, method, content_type, headers, body, .. } = &self.template;
        let parsed = url::Url::parse(url).map_err(|_| TemplateError::Url)?;
        if !matches!(parsed.scheme(), "http" | "https") || parsed.host_str().is_none() {
            return Err(TemplateError::Url);
        }
        if !matches!(method.as_str(), "POST" | "GET") {
            return Err(TemplateError::Method(method.clone()));
        }
        if !matches!(content_type.as_str(), "application/json" | "application/x-www-form-urlencoded") {
            return Err(TemplateError::ContentType(content_type.clone()));
        }
        for name in headers.keys() {
            reqwest::header::HeaderName::try_from(name.as_str())
                .map_err(|_| TemplateError::Header(name.clone()))?;
        }
        let somewhere = |place: &str| url.contains(place) || body.contains(place);
        if !somewhere("{text}") {
            return Err(TemplateError::Missing("{text}"));
        }
        if !["{to}", "{to_digits}", "{to_local}"].into_iter().any(somewhere) {
            return Err(TemplateError::Missing("{to}"));
        }
        let sample = Outgoing {
            from: "F",
            to: "+905000000000",
            text: "\"T\"\n",
            reference: "r",
            valid_for: None,
            now: chrono::DateTime::UNIX_EPOCH,
        };
        let filled = self.fill(body, sample, self.escape());
        if method == "POST"
            && content_type == "application/json"
            && serde_json::from_str::<serde_json::Value>(&filled).is_err()
        {
            return Err(TemplateError::Body);
        }
        Ok(())
    }

    fn escape(&self) -> Escape {
        if self.template.content_type == "application/json" { Escape::Json } else { Escape::Url }
    }

    pub(crate) async fn send(&self, client: &Client, outgoing: Outgoing<'_>) -> Result<Sent, Failure> {
        let Template { url, method, content_type, headers, body, id, accepted } = &self.template;
        let url = self.fill(url, outgoing, Escape::Url);
        let mut request = if method == "GET" { client.get(&url) } else { client.post(&url) };
        for (name, value) in headers {
            request = request.header(name, self.fill(value, outgoing, Escape::Plain));
        }
        if method != "GET" {
            request = request.header(reqwest::header::CONTENT_TYPE, content_type).body(self.fill(
                body,
                outgoing,
                self.escape(),
            ));
        }
        let reply = Reply::to(request).await?;
        if !reply.is_success() {
            return Err(reply.failure_by_status());
        }
        if accepted.as_ref().is_some_and(|word| !reply.body.contains(word)) {
            return Err(reply.failure(FailureKind::Refused, "not_accepted"));
        }
        let whole = Some(reply.body.trim().to_owned()).filter(|body| !body.is_empty() && body.len() <= 100);
        let id = match id {
            Some(path) => {
                let json = reply.json();
                path.split('.')
                    .try_fold(&json, |value, name| match name.parse::<usize>() {
                        Ok(place) if value.is_array() => value.get(place),
                        _ => value.get(name),
                    })
                    .and_then(text_of)
            }
            None => whole,
        };
        Ok(Sent { id, answer: reply.answer() })
    }

    /// One pass over the template: what is filled in is not looked at again.
    fn fill(&self, template: &str, outgoing: Outgoing<'_>, escape: Escape) -> String {
        let secret = self.secret.as_ref().map_or("", |secret| secret.expose_secret());
        let mut filled = String::with_capacity(template.len() + outgoing.text.len());
        let mut rest = template;
        while let Some(start) = rest.find('{') {
            filled.push_str(&rest[..start]);
            rest = &rest[start..];
            let name = rest[1..].split('}').next().unwrap_or_default();
            let value = match name {
                "from" => outgoing.from,
                "to" => outgoing.to,
                "to_digits" => outgoing.to.trim_start_matches('+'),
                "to_local" => outgoing.to.trim_start_matches("+90"),
                "text" => outgoing.text,
                "reference" => outgoing.reference,
                "secret" => secret,
                _ => {
                    filled.push('{');
                    rest = &rest[1..];
                    continue;
                }
            };
            filled.push_str(&escape.write(value));
            rest = &rest[name.len() + 2..];
        }
        filled.push_str(rest);
        filled
    }
}

impl Escape {
    fn write(self, value: &str) -> String {
        match self {
            Self::Plain => value.to_owned(),
            Self::Url => url::form_urlencoded::byte_serialize(value.as_bytes()).collect(),
            Self::Json => {
                let quoted = serde_json::Value::from(value).to_string();
                quoted[1..quoted.len() - 1].to_owned()
            }
        }
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = url::Url::parse(&self.template.url).ok();
        let host = host.as_ref().and_then(url::Url::host_str);
        f.debug_struct("http::Account").field("host", &host).finish_non_exhaustive()
    }
}
