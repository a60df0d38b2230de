//! [Verimor](https://github.com/verimor/SMS-API): JSON in, plain text out.
//!
//! Texts go to `POST /v2/send.json`; the answer is the number of the campaign, or HTTP 400 with a word. `GET /v2/status` by our
//! own reference (`custom_id`) tells whether a text of unknown outcome is there. `GET /v2/inbound_messages` returns what was
//! received, 100 at a time, after a message's number.
//!
//! A push that is not answered with 200 is repeated three times, five minutes apart, and then never again: read the inbox.

use std::fmt;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;

use super::Unverified;
use crate::account::{Client, Found, Inbox, Outgoing, Reply, Sent, Since, text_of};
use crate::inbound::{self, Mapping};
use crate::{Alphabet, Failure, FailureKind, Segments, Vendor};

/// Where Verimor is.
pub const URL: &str = "https://sms.verimor.com.tr";
/// Messages of a full page of the inbox.
const PAGE: usize = 100;

/// What its guide leaves open.
pub const UNVERIFIED: &[Unverified] = &[
    Unverified {
        code: "verimor.turkish_units",
        tr: "Türkçe harflerin bir mi iki karakter mi sayıldığı kılavuzda yazmıyor; iki sayılıyor",
        en: "the guide does not say whether a Turkish letter counts as one or two characters; two are counted",
    },
    Unverified {
        code: "verimor.find_by_reference",
        tr: "sonucu bilinmeyen bir gönderimden hemen sonra custom_id ile sorgunun güncel olduğu varsayılıyor",
        en: "a query by custom_id is assumed to know of a campaign as soon as it was taken",
    },
];

/// An account. `Debug` shows no secret.
#[derive(Clone)]
pub struct Account {
    /// The account's number, 12 digits.
    pub username: String,
    /// The password of the interface.
    pub password: SecretString,
    /// Where the interface is: [`URL`].
    pub url: String,
}

#[derive(Serialize)]
struct Send<'a> {
    username: &'a str,
    password: &'a str,
    source_addr: &'a str,
    custom_id: &'a str,
    datacoding: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    valid_for: Option<String>,
    is_commercial: bool,
    messages: [One<'a>; 1],
}

#[derive(Serialize)]
struct One<'a> {
    msg: &'a str,
    dest: &'a str,
    id: &'a str,
}

impl Account {
    pub(crate) async fn send(&self, client: &Client, outgoing: Outgoing<'_>) -> Result<Sent, Failure> {
        let datacoding = match Segments::of(outgoing.text).alphabet {
            Alphabet::Gsm7 => "0",
            Alphabet::Turkish => "1",
            Alphabet::Ucs2 => "2",
        };
        let body = Send {
            username: &self.username,
            password: self.password.expose_secret(),
            source_addr: outgoing.from,
            custom_id: outgoing.reference,
            datacoding,
            valid_for: outgoing.valid_for.map(valid_for),
            is_commercial: false,
            messages: [One {
                msg: outgoing.text,
                dest: outgoing.to.trim_start_matches('+'),
                id: outgoing.reference,
            }],
        };
        let reply = Reply::to(client.post(&format!("{}/v2/send.json", self.url)).json(&body)).await?;
        let word = reply.body.trim();
        match reply.status {
            200 if !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit()) => {
                Ok(Sent { id: Some(word.to_owned()), answer: reply.answer() })
            }
            400 => Err(reply.failure(kind(word), code(word))),
            _ => Err(reply.failure_by_status()),
        }
    }

    pub(crate) async fn find(&self, client: &Client, reference: &str) -> Result<Found, Failure> {
        let mut query = self.credentials();
        query.push(("custom_id", reference.to_owned()));
        let request = client.ask(&format!("{}/v2/status", self.url), &query);
        let reply = Reply::to(request).await?;
        match reply.status {
            404 => Ok(Found::No),
            200 => match reply.json().get(0) {
                Some(first) => {
                    Ok(Found::Yes(Sent { id: text_of(&first["campaign_id"]), answer: reply.answer() }))
                }
                // The campaign is there and its messages are not yet, or it is not: no answer to go by
                None => Ok(Found::CannotTell),
            },
            _ => Err(reply.failure_by_status()),
        }
    }

    pub(crate) async fn inbox(&self, client: &Client, since: Since<'_>) -> Result<Inbox, Failure> {
        let turkish = |time: chrono::DateTime<chrono::Utc>| {
            (time + chrono::TimeDelta::hours(3)).format("%Y-%m-%d %H:%M:%S").to_string()
        };
        let mut query = self.credentials();
        match since.cursor {
            Some(cursor) => query.push(("greater_than", cursor.to_owned())),
            None => {
                query.extend([("from_time", turkish(since.from)), ("to_time", turkish(since.now))]);
            }
        }
        let reply = Reply::to(client.ask(&format!("{}/v2/inbound_messages", self.url), &query)).await?;
        if reply.status != 200 {
            return Err(reply.failure_by_status());
        }
        let read = inbound::parse_list(&Mapping::of(Vendor::Verimor), &reply.body)
            .map_err(|_| reply.failure(FailureKind::Retry, "unreadable"))?;
        let last = read.messages.iter().filter_map(|message| message.id.as_ref()?.parse::<u64>().ok()).max();
        let more = read.messages.len() + read.unread >= PAGE && last.is_some();
        Ok(Inbox {
            messages: read.messages,
            unread: read.unread,
            cursor: last.map(|id| id.to_string()),
            more,
        })
    }
}

impl Account {
    /// In the query, as Verimor wants them.
    fn credentials(&self) -> Vec<(&'static str, String)> {
        vec![("username", self.username.clone()), ("password", self.password.expose_secret().to_owned())]
    }
}

/// Hours and minutes, within what Verimor takes.
fn valid_for(time: Duration) -> String {
    let minutes = time.as_secs().div_ceil(60).clamp(1, 48 * 60);
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

/// The word of a refusal: some carry an explanation behind it.
fn code(body: &str) -> &str {
    body.split(|end: char| !(end.is_ascii_alphanumeric() || end == '_'))
        .next()
        .filter(|word| !word.is_empty())
        .unwrap_or("refused")
}

fn kind(body: &str) -> FailureKind {
    match code(body) {
        "INSUFFICIENT_CREDITS"
        | "INVALID_SOURCE_ADDRESS"
        | "NUMERIC_SOURCE_ADDRESS_NOT_ALLOWED"
        | "MISSING_IYS_BRAND_CODE"
        | "AHS_AUTHORIZATION_ERROR"
        | "NO_AHS_BRAND_ERROR" => FailureKind::Account,
        "MUKERRER_RAPORLAMA" => FailureKind::Duplicate,
        _ => FailureKind::Refused,
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("verimor::Account").field("username", &self.username).finish_non_exhaustive()
    }
}
