//! [Twilio](https://www.twilio.com/docs/messaging): a form in, JSON out, and signed webhooks.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::SecondsFormat;
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret, SecretString};
use sha1::Sha1;
use subtle::ConstantTimeEq as _;

use super::{Acknowledgement, Unverified, Vendor};
use crate::account::{Client, Inbox, Outgoing, Reply, Sent, Since, text_of};
use crate::decode::form;
use crate::inbound::{self, Mapping};
use crate::{Failure, FailureKind};

/// Where Twilio is.
pub const URL: &str = "https://api.twilio.com";
/// The header that a webhook is signed in.
pub const SIGNATURE: &str = "x-twilio-signature";
/// Entries of a page of the list of messages: the most it gives.
const PAGE: usize = 1_000;
/// Pages read at once. What is beyond them is read the next time, from the same cursor.
const PAGES: usize = 50;
/// TwiML that says nothing: without it Twilio would send the body of our answer to the person.
pub const EMPTY_ANSWER: Acknowledgement = Acknowledgement {
    content_type: "text/xml; charset=utf-8",
    body: r#"<?xml version="1.0" encoding="UTF-8"?><Response/>"#,
};

/// What its documents leave open.
pub const UNVERIFIED: &[Unverified] = &[Unverified {
    code: "twilio.turkish_numbers",
    tr: "Türkiye'ye gönderimde alfanümerik başlığın önceden kayıtlı olması gerekir; hesabınızda denenmedi",
    en: "sending to Turkey needs a registered alphanumeric sender; not tried with your account",
}];

/// An account. `Debug` shows no secret.
#[derive(Clone)]
pub struct Account {
    /// `AC…`.
    pub account_sid: String,
    /// The account's token: it signs webhooks too.
    pub auth_token: SecretString,
    /// Where the interface is: [`URL`].
    pub url: String,
    /// Where it is to report what becomes of a text; `None`: nowhere, unless the messaging service says so.
    pub status_callback: Option<String>,
}

impl Account {
    pub(crate) async fn send(&self, client: &Client, outgoing: Outgoing<'_>) -> Result<Sent, Failure> {
        // A messaging service has an id in the sender's place
        let from = if outgoing.from.starts_with("MG") { "MessagingServiceSid" } else { "From" };
        let valid = outgoing.valid_for.map(|time| time.as_secs().clamp(1, 36_000).to_string());
        let mut fields = vec![("To", outgoing.to), (from, outgoing.from), ("Body", outgoing.text)];
        fields.extend(valid.as_deref().map(|seconds| ("ValidityPeriod", seconds)));
        fields.extend(self.status_callback.as_deref().map(|url| ("StatusCallback", url)));
        let url = format!("{}/2010-04-01/Accounts/{}/Messages.json", self.url, self.account_sid);
        let request = client
            .post(&url)
            .basic_auth(&self.account_sid, Some(self.auth_token.expose_secret()))
            .form(&fields);
        let reply = Reply::to(request).await?;
        let json = reply.json();
        match (reply.is_success(), text_of(&json["sid"]), text_of(&json["code"])) {
            (true, Some(id), _) => Ok(Sent { id: Some(id), answer: reply.answer() }),
            (false, _, Some(code)) => {
                let by_status = reply.failure_by_status();
                Err(match kind(&code) {
                    Some(kind) => reply.failure(kind, &code),
                    None => Failure { code, ..by_status },
                })
            }
            _ => Err(reply.failure_by_status()),
        }
    }

    /// The list of messages holds both directions, the newest first, page by page.
    pub(crate) async fn inbox(&self, client: &Client, since: Since<'_>) -> Result<Inbox, Failure> {
        let start = since.start();
        let query =
            [("DateSent>", start.to_rfc3339_opts(SecondsFormat::Secs, true)), ("PageSize", PAGE.to_string())];
        let mut request = client
            .ask(&format!("{}/2010-04-01/Accounts/{}/Messages.json", self.url, self.account_sid), &query);
        let mut inbox = Inbox { messages: Vec::new(), unread: 0, cursor: None, more: false };
        for _ in 0..PAGES {
            let signed = request.basic_auth(&self.account_sid, Some(self.auth_token.expose_secret()));
            let reply = Reply::to(signed).await?;
            let json = reply.json();
            let (true, Some(list)) = (reply.is_success(), json["messages"].as_array()) else {
                return Err(reply.failure_by_status());
            };
            let received: Vec<_> = list.iter().filter(|entry| entry["direction"] == "inbound").collect();
            let read = serde_json::to_string(&received)
                .ok()
                .and_then(|list| inbound::parse_list(&Mapping::of(Vendor::Twilio), &list).ok())
                .ok_or_else(|| reply.failure(FailureKind::Retry, "unreadable"))?;
            inbox.messages.extend(read.messages);
            inbox.unread += read.unread;
            // A path, never another host: the token goes along.
            match json["next_page_uri"].as_str().filter(|path| path.starts_with('/')) {
                Some(path) => request = client.get(&format!("{}{path}", self.url)),
                None => {
                    inbox.cursor = Some(since.read());
                    break;
                }
            }
        }
        Ok(inbox)
    }
}

/// What Twilio's own numbers say more than the HTTP status.
fn kind(code: &str) -> Option<FailureKind> {
    match code {
        // Token; sender not ours, not fit for the country; the account is suspended
        "20003" | "20005" | "21606" | "21603" | "21612" | "21212" | "21408" | "30002" => {
            Some(FailureKind::Account)
        }
        "20429" | "14107" => Some(FailureKind::Wait),
        // No number, not a mobile one, the person said STOP, text too long
        "21211" | "21214" | "21610" | "21614" | "21617" => Some(FailureKind::Refused),
        _ => None,
    }
}

/// Whether Twilio signed this webhook with the account's token: HMAC-SHA1 over the URL as Twilio called it, with its query, and
/// all fields of the form in order of their names. The URL must be the public one: behind a proxy it is not what arrives.
pub fn verify(auth_token: &SecretString, url: &str, form_body: &[u8], signature: &str) -> bool {
    let Ok(given) = STANDARD.decode(signature.trim()) else { return false };
    with_and_without_port(url).iter().any(|url| {
        signature_of(auth_token, url, form_body).is_some_and(|right| bool::from(right.ct_eq(&given)))
    })
}

fn signature_of(auth_token: &SecretString, url: &str, form_body: &[u8]) -> Option<Vec<u8>> {
    let mut fields = form(form_body);
    fields.sort();
    fields.dedup();
    let mut mac = Hmac::<Sha1>::new_from_slice(auth_token.expose_secret().as_bytes()).ok()?;
    mac.update(url.as_bytes());
    for (name, value) in &fields {
        mac.update(name.as_bytes());
        mac.update(value.as_bytes());
    }
    Some(mac.finalize().into_bytes().to_vec())
}

/// Twilio signs with the port or without it, by how it called.
fn with_and_without_port(url: &str) -> Vec<String> {
    let mut urls = vec![url.to_owned()];
    if let Ok(parsed) = url::Url::parse(url)
        && let Some(host) = parsed.host_str()
    {
        let port = parsed.port_or_known_default().unwrap_or_default();
        let rest = url.find("://").and_then(|start| {
            let after = &url[start + 3..];
            after.find(['/', '?']).map(|end| &after[end..])
        });
        let rest = rest.unwrap_or_default();
        for authority in [host.to_owned(), format!("{host}:{port}")] {
            let variant = format!("{}://{authority}{rest}", parsed.scheme());
            if !urls.contains(&variant) {
                urls.push(variant);
            }
        }
    }
    urls
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("twilio::Account").field("account_sid", &self.account_sid).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of Twilio's guide.
    const URL: &str = "https://mycompany.com/myapp.php?foo=1&bar=2";
    const FORM: &[u8] =
        b"To=%2B18005551212&Digits=1234&CallSid=CA1234567890ABCDE&From=%2B12349013030&Caller=%2B12349013030";
    const RIGHT: &str = "0/KCTR6DLpKmkAf8muzZqo1nDgQ=";

    fn token() -> SecretString {
        "12345".to_owned().into()
    }

    #[test]
    fn the_vendors_own_example_is_right() {
        assert!(verify(&token(), URL, FORM, RIGHT));
        assert!(verify(&token(), "https://mycompany.com:443/myapp.php?foo=1&bar=2", FORM, RIGHT));
    }

    #[test]
    fn whatever_is_changed_is_wrong() {
        let more = [FORM, b"&Body=ONAY"].concat();
        for (url, body, signature) in [
            (URL, &more[..], RIGHT),
            (URL, &FORM[..FORM.len() - 1], RIGHT),
            ("https://mycompany.com/myapp.php?foo=1&bar=3", FORM, RIGHT),
            ("http://mycompany.com/myapp.php?foo=1&bar=2", FORM, RIGHT),
            (URL, FORM, "0/KCTR6DLpKmkAf8muzZqo1nDgA="),
            (URL, FORM, "0/KCTR6DLpKmkAf8muzZ"),
            (URL, FORM, ""),
            (URL, FORM, "not base64"),
        ] {
            assert!(!verify(&token(), url, body, signature), "{url} {signature}");
        }
        assert!(!verify(&"54321".to_owned().into(), URL, FORM, RIGHT));
    }
}
