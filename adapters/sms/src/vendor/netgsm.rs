//! [Netgsm](https://github.com/netgsm/netgsm-sms-js), REST v2: JSON with HTTP basic authentication.
//!
//! Texts go to `POST /sms/rest/v2/send`; the answer has a `code`, `"00"` for success, and a `jobid`. `GET /sms/rest/v2/inbox`
//! returns what was received between two instants. Without them it shows each message once only, to whoever asks first: this
//! crate always gives them.

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;

use super::Unverified;
use crate::account::{Client, Inbox, Outgoing, Reply, Sent, Since, text_of};
use crate::inbound::{self, Mapping};
use crate::{Alphabet, Failure, FailureKind, Segments, Vendor};

/// Where Netgsm is.
pub const URL: &str = "https://api.netgsm.com.tr";

/// What its documents leave open.
pub const UNVERIFIED: &[Unverified] = &[
    Unverified {
        code: "netgsm.push_fields",
        tr: "panelde tanımlanan adrese gönderilen gelen SMS'in alan adları yayımlanmamış; yaygın adlar deneniyor, gerekirse [sms.inbound.netgsm] ile verin",
        en: "the fields of an inbound SMS pushed to the address set in the panel are not published; common names are tried, name them under [sms.inbound.netgsm] if need be",
    },
    Unverified {
        code: "netgsm.inbox_dates",
        tr: "gelen kutusunun tarih biçimi kaynaklarda farklı (ddMMyyyyHHmm, ddMMyyyyHHmmss); saniyeli olanı kullanılıyor",
        en: "the sources differ on the dates of the inbox (ddMMyyyyHHmm, ddMMyyyyHHmmss); the one with seconds is used",
    },
    Unverified {
        code: "netgsm.reports",
        tr: "SMS'in ulaşıp ulaşmadığını bildiren bir gönderi yayımlanmamış; panelde varsa alan adlarını [sms.inbound.netgsm] altında (status, report_id, …) verin",
        en: "no push that reports on delivery is published; where the panel has one, name its fields under [sms.inbound.netgsm] (status, report_id, …)",
    },
    Unverified {
        code: "netgsm.message_ids",
        tr: "gelen kutusunda ileti kimliği yok; tekrarlar gönderen, alıcı, metin ve dakikadan tanınıyor",
        en: "the inbox has no message ids; repetitions are recognised by sender, recipient, text and minute",
    },
];

/// An account. `Debug` shows no secret.
#[derive(Clone)]
pub struct Account {
    /// The subscriber's number or user name.
    pub username: String,
    /// The password of the interface.
    pub password: SecretString,
    /// The application's name, where Netgsm gave one.
    pub appname: Option<String>,
    /// Where the interface is: [`URL`].
    pub url: String,
}

#[derive(Serialize)]
struct Send<'a> {
    msgheader: &'a str,
    messages: [One<'a>; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    encoding: Option<&'a str>,
    /// No commercial content: the registry is not asked.
    iysfilter: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    appname: Option<&'a str>,
}

#[derive(Serialize)]
struct One<'a> {
    msg: &'a str,
    no: &'a str,
}

impl Account {
    pub(crate) async fn send(&self, client: &Client, outgoing: Outgoing<'_>) -> Result<Sent, Failure> {
        let turkish = Segments::of(outgoing.text).alphabet != Alphabet::Gsm7;
        let body = Send {
            msgheader: outgoing.from,
            messages: [One {
                msg: outgoing.text,
                no: outgoing.to.trim_start_matches("+90").trim_start_matches('+'),
            }],
            encoding: turkish.then_some("TR"),
            iysfilter: "0",
            appname: self.appname.as_deref(),
        };
        let request = client.post(&format!("{}/sms/rest/v2/send", self.url));
        let reply = Reply::to(self.signed(request).json(&body)).await?;
        let json = reply.json();
        match text_of(&json["code"]).as_deref() {
            Some("00" | "01" | "02") if reply.is_success() => {
                Ok(Sent { id: text_of(&json["jobid"]), answer: reply.answer() })
            }
            Some(code) => Err(reply.failure(kind(code), code)),
            None => Err(reply.failure_by_status()),
        }
    }

    pub(crate) async fn inbox(&self, client: &Client, since: Since<'_>) -> Result<Inbox, Failure> {
        let mut query = vec![("startdate", date(since.start())), ("stopdate", date(since.now))];
        query.extend(self.appname.clone().map(|name| ("appname", name)));
        let request = client.ask(&format!("{}/sms/rest/v2/inbox", self.url), &query);
        let reply = Reply::to(self.signed(request)).await?;
        let cursor = Some(since.read());
        match text_of(&reply.json()["code"]).as_deref() {
            // Nothing to show
            Some("40") => Ok(Inbox { messages: Vec::new(), unread: 0, cursor, more: false }),
            Some("00") if reply.is_success() => {
                let read = inbound::parse_list(&Mapping::of(Vendor::Netgsm), &reply.body)
                    .map_err(|_| reply.failure(FailureKind::Retry, "unreadable"))?;
                Ok(Inbox { messages: read.messages, unread: read.unread, cursor, more: false })
            }
            Some(code) => Err(reply.failure(kind(code), code)),
            None => Err(reply.failure_by_status()),
        }
    }

    fn signed(&self, request: reqwest::RequestBuilder) -> reqwest::RequestBuilder {
        request.basic_auth(&self.username, Some(self.password.expose_secret()))
    }
}

/// As the inbox writes it, Turkish time.
fn date(time: DateTime<Utc>) -> String {
    (time + TimeDelta::hours(3)).format("%d%m%Y%H%M%S").to_string()
}

fn kind(code: &str) -> FailureKind {
    match code {
        // Password, address or right; sender's name; no right to the registry's filter; no credit
        "30" | "40" | "41" | "50" | "51" | "60" => FailureKind::Account,
        "80" | "85" => FailureKind::Wait,
        "100" | "101" | "110" => FailureKind::Retry,
        "5000" => FailureKind::Unknown,
        _ => FailureKind::Refused,
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("netgsm::Account").field("username", &self.username).finish_non_exhaustive()
    }
}
