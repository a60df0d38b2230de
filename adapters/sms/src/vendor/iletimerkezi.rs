//! [iletiMerkezi](https://www.iletimerkezi.com/docs/api), v1: JSON with the key and its hash inside.
//!
//! Texts go to `POST /v1/send-sms/json` as an order; the answer wraps a status, `200` for success, and the order's number. It has
//! pushes for delivery reports only, to one HTTPS address per account. What people send is read from
//! `POST /v1/get-inbox/json`, which the vendor took out of its published documents in May 2026.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use super::Unverified;
use crate::account::{Client, Inbox, Outgoing, Reply, Sent, text_of};
use crate::inbound::{self, Mapping};
use crate::{Failure, FailureKind, Vendor};

/// Where iletiMerkezi is.
pub const URL: &str = "https://api.iletimerkezi.com";

/// What its documents leave open.
pub const UNVERIFIED: &[Unverified] = &[
    Unverified {
        code: "iletimerkezi.inbox",
        tr: "get-inbox yayımlanmış belgelerden Mayıs 2026'da çıkarıldı; alan adları doğrulanamadı, çalışmayabilir",
        en: "get-inbox was taken out of the published documents in May 2026; its fields could not be confirmed, it may not work",
    },
    Unverified {
        code: "iletimerkezi.push_fields",
        tr: "gelen SMS için bir bildirim belgelenmemiş; yaygın alan adları deneniyor, gerekirse [sms.inbound.iletimerkezi] ile verin",
        en: "no push of an inbound SMS is documented; common field names are tried, name them under [sms.inbound.iletimerkezi] if need be",
    },
    Unverified {
        code: "iletimerkezi.report_ids",
        tr: "teslim raporundaki packet_id'nin, gönderim yanıtındaki order.id olduğu varsayılıyor",
        en: "the packet_id of a delivery report is taken for the order.id of the answer to the sending",
    },
];

/// An account. `Debug` shows no secret.
#[derive(Clone)]
pub struct Account {
    /// The API key.
    pub key: String,
    /// The hash that the panel shows beside it.
    pub hash: SecretString,
    /// Where the interface is: [`URL`].
    pub url: String,
}

impl Account {
    pub(crate) async fn send(&self, client: &Client, outgoing: Outgoing<'_>) -> Result<Sent, Failure> {
        let body = json!({ "request": {
            "authentication": self.authentication(),
            "order": {
                "sender": outgoing.from,
                // No commercial content: the registry is not asked
                "iys": "0",
                "message": {
                    "text": outgoing.text,
                    // Spelt so by the vendor
                    "receipents": { "number": [outgoing.to.trim_start_matches('+')] },
                },
            },
        }});
        let reply = Reply::to(client.post(&format!("{}/v1/send-sms/json", self.url)).json(&body)).await?;
        let json = reply.json();
        match text_of(&json["response"]["status"]["code"]).as_deref() {
            Some("200") if reply.is_success() => {
                Ok(Sent { id: text_of(&json["response"]["order"]["id"]), answer: reply.answer() })
            }
            Some(code) => Err(reply.failure(kind(code), code)),
            None => Err(reply.failure_by_status()),
        }
    }

    /// The whole inbox: there is no cursor to give.
    pub(crate) async fn inbox(&self, client: &Client) -> Result<Inbox, Failure> {
        let body = json!({ "request": { "authentication": self.authentication() } });
        let reply = Reply::to(client.post(&format!("{}/v1/get-inbox/json", self.url)).json(&body)).await?;
        match text_of(&reply.json()["response"]["status"]["code"]).as_deref() {
            Some("200") if reply.is_success() => {
                let read = inbound::parse_list(&Mapping::of(Vendor::IletiMerkezi), &reply.body)
                    .map_err(|_| reply.failure(FailureKind::Retry, "unreadable"))?;
                Ok(Inbox { messages: read.messages, unread: read.unread, cursor: None, more: false })
            }
            Some(code) => Err(reply.failure(kind(code), code)),
            None => Err(reply.failure_by_status()),
        }
    }

    fn authentication(&self) -> serde_json::Value {
        json!({ "key": self.key, "hash": self.hash.expose_secret() })
    }
}

fn kind(code: &str) -> FailureKind {
    match code {
        // Key, credit, sender's name, the registry's settings of the account
        "401" | "402" | "450" | "459" | "460" | "468" | "469" | "470" => FailureKind::Account,
        "429" => FailureKind::Wait,
        "451" => FailureKind::Duplicate,
        "503" => FailureKind::Retry,
        _ => FailureKind::Refused,
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("iletimerkezi::Account")
    }
}
