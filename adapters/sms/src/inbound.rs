//! What vendors push to us: texts that people sent, and reports on texts that we sent.
//!
//! One reader for all vendors. A body is JSON or a form, or there is none and everything stands in the query; each gives
//! *records*, flat lists of names and texts; a [`Mapping`] says which name means what. The mappings of the known vendors are
//! built in ([`Mapping::of`]); one of another vendor, or a known vendor that changes its mind, comes from the operator's
//! settings.
//!
//! Nothing is thrown away for its form: JSON with a comma missing or too many is mended, bytes that are no UTF-8 are read as
//! Windows-1254, numbers and texts are one, unknown fields are ignored. What cannot be read at all is an [`Unreadable`], and a
//! record without a sender or a text is counted: keep the raw body, so that a person can look.

mod mapping;
mod mend;
mod record;
mod time;

use chrono::{DateTime, Utc};

pub use mapping::{Mapping, MappingError};
use record::Record;

/// A push as it came over HTTP.
#[derive(Debug, Clone, Copy, Default)]
pub struct Request<'a> {
    /// The `content-type` header.
    pub content_type: Option<&'a str>,
    /// The URL's query, still encoded.
    pub query: Option<&'a str>,
    /// The body.
    pub body: &'a [u8],
}

/// A text that a person sent. It holds personal data: `Debug` shows the id and the destination alone.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// The vendor's id. Where it gives none, recognise repetitions by sender, destination, text and minute.
    pub id: Option<String>,
    /// The sender's number, as the vendor writes it: `905…`, `+905…`, `5…`.
    pub from: String,
    /// The number that it was sent to, as the vendor writes it.
    pub to: Option<String>,
    /// The text.
    pub text: String,
    /// When the vendor says that it received the text.
    pub received_at: Option<DateTime<Utc>>,
    /// On a number shared by many: the vendor's idea of whose it is.
    pub keyword: Option<String>,
    /// Of a text that came in parts.
    pub part: Option<Part>,
    /// The record as it came, as JSON: evidence.
    pub raw: String,
}

impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Message").field("id", &self.id).field("to", &self.to).finish_non_exhaustive()
    }
}

/// Which part of a text this is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// What the parts of one text share, beside sender and destination.
    pub reference: String,
    /// From 1.
    pub number: u16,
    /// How many there are.
    pub total: u16,
}

/// What a vendor says of a text that we sent. `Debug` leaves the record out.
#[derive(Clone, PartialEq, Eq)]
pub struct Report {
    /// The id that the vendor gave for it when it was sent.
    pub id: Option<String>,
    /// Our own reference, where the vendor hands it back.
    pub reference: Option<String>,
    /// How it went.
    pub state: Delivery,
    /// The vendor's word for that.
    pub status: String,
    /// The vendor's reason.
    pub detail: Option<String>,
    /// When.
    pub at: Option<DateTime<Utc>>,
    /// The record as it came, as JSON: evidence. It may quote number and text.
    pub raw: String,
}

impl std::fmt::Debug for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Report").field("id", &self.id).field("state", &self.state).finish_non_exhaustive()
    }
}

/// How far a text got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// On its way.
    Pending,
    /// Given to the network, which may say more of it or nothing.
    Sent,
    /// On the telephone.
    Delivered,
    /// It will not arrive.
    Failed,
    /// A word that we do not know.
    Unknown,
}

/// What a push holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Read {
    /// Texts that people sent.
    pub messages: Vec<Message>,
    /// What became of texts that we sent.
    pub reports: Vec<Report>,
    /// Records that are neither: no sender, no text, no status.
    pub unread: usize,
}

/// The push is no JSON and no form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// The body starts like JSON, and is none even after mending.
    #[error("the body is no JSON: {0}")]
    Json(String),
    /// There is neither a body nor a query.
    #[error("the push is empty")]
    Empty,
}

/// Reads a push.
pub fn parse(mapping: &Mapping, request: Request<'_>) -> Result<Read, Unreadable> {
    Ok(sort(mapping, record::read(mapping, request)?))
}

/// Reads the JSON text of an inbox.
pub(crate) fn parse_list(mapping: &Mapping, json: &str) -> Result<Read, Unreadable> {
    Ok(sort(mapping, record::from_json(mapping, json)?))
}

fn sort(mapping: &Mapping, records: Vec<Record>) -> Read {
    let mut read = Read::default();
    for record in records {
        // A report may quote the text and name numbers: its status is what tells it from a message
        if let Some(report) = report(mapping, &record) {
            read.reports.push(report);
        } else if let Some(message) = message(mapping, &record) {
            read.messages.push(message);
        } else {
            read.unread += 1;
        }
    }
    read
}

fn message(mapping: &Mapping, record: &Record) -> Option<Message> {
    let from = record.first(&mapping.from)?;
    let text = record.present(&mapping.text)?;
    Some(Message {
        id: record.first(&mapping.id).map(str::to_owned),
        from: from.to_owned(),
        to: record.first(&mapping.to).map(str::to_owned),
        text: text.to_owned(),
        received_at: record.first(&mapping.received_at).and_then(time::parse),
        keyword: record.first(&mapping.keyword).map(str::to_owned),
        part: part(mapping, record),
        raw: record.to_json(),
    })
}

fn part(mapping: &Mapping, record: &Record) -> Option<Part> {
    let number = record.first(&mapping.part_number)?.parse().ok()?;
    let total = record.first(&mapping.part_total)?.parse().ok()?;
    let reference = record.first(&mapping.part_reference)?.to_owned();
    (number >= 1 && number <= total && total > 1).then_some(Part { reference, number, total })
}

fn report(mapping: &Mapping, record: &Record) -> Option<Report> {
    let status = record.first(&mapping.status)?;
    let state = delivery(status)?;
    Some(Report {
        id: record.first(&mapping.report_id).map(str::to_owned),
        reference: record.first(&mapping.reference).map(str::to_owned),
        state,
        status: status.to_owned(),
        detail: record.first(&mapping.detail).map(str::to_owned),
        at: record.first(&mapping.reported_at).and_then(time::parse),
        raw: record.to_json(),
    })
}

/// What a word of a report means; `None` for a word that says that the record is no report (`received`).
fn delivery(status: &str) -> Option<Delivery> {
    let status = status.to_ascii_lowercase();
    Some(match status.as_str() {
        "received" | "receiving" => return None,
        "delivered" | "read" => Delivery::Delivered,
        "sent" => Delivery::Sent,
        "accepted" | "queued" | "sending" | "waiting" | "scheduled" => Delivery::Pending,
        "undelivered"
        | "not_delivered"
        | "failed"
        | "expired"
        | "rejected"
        | "canceled"
        | "send_error"
        | "invalid_destination_address"
        | "double_send_error"
        | "blacklisted_destination_address"
        | "missing_tariff"
        | "route_not_available"
        | "network_notcovered"
        | "international_denied" => Delivery::Failed,
        _ => Delivery::Unknown,
    })
}

#[cfg(test)]
mod tests;
