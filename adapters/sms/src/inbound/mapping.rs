//! Which field of a vendor's record means what.

use serde::Deserialize;

use crate::Vendor;

/// Names of fields, the best first. Of nested objects the names are joined by full stops; capitals do not matter where no
/// field has the very name. What is left out of an operator's mapping is what [`Mapping::of`] has for the vendor.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Mapping {
    /// Where the list of records stands in a JSON object; an object without it is a record itself.
    pub list: Vec<String>,
    /// The vendor's id of the message.
    pub id: Vec<String>,
    /// The sender's number.
    pub from: Vec<String>,
    /// The number it was sent to.
    pub to: Vec<String>,
    /// The text.
    pub text: Vec<String>,
    /// When the vendor received it.
    pub received_at: Vec<String>,
    /// The keyword on a shared number.
    pub keyword: Vec<String>,
    /// What the parts of one text share.
    pub part_reference: Vec<String>,
    /// The part's number, from 1.
    pub part_number: Vec<String>,
    /// How many parts there are.
    pub part_total: Vec<String>,
    /// In a report: how far a text of ours got.
    pub status: Vec<String>,
    /// In a report: the id that the vendor gave when the text was sent.
    pub report_id: Vec<String>,
    /// In a report: our own reference.
    pub reference: Vec<String>,
    /// In a report: the reason.
    pub detail: Vec<String>,
    /// In a report: when.
    pub reported_at: Vec<String>,
}

/// A mapping with which no message can be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the mapping names no field for {field}")]
pub struct MappingError {
    /// The field, by its name here.
    pub field: &'static str,
}

impl Mapping {
    /// What the vendor's documents say. Of [`Vendor::Http`], [`Vendor::Log`] and Netgsm's push, which document nothing, it is
    /// a guess at common names.
    pub fn of(vendor: Vendor) -> Self {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        match vendor {
            Vendor::Verimor => Self {
                id: names(&["message_id"]),
                from: names(&["source_addr"]),
                to: names(&["destination_addr"]),
                text: names(&["content"]),
                received_at: names(&["received_at", "created_at"]),
                keyword: names(&["keyword"]),
                status: names(&["status"]),
                report_id: names(&["campaign_id"]),
                reference: names(&["message_custom_id", "campaign_custom_id"]),
                detail: names(&["gsm_error"]),
                reported_at: names(&["done_at"]),
                ..Self::default()
            },
            Vendor::Netgsm => Self {
                list: names(&["messages"]),
                id: names(&["id", "msgid"]),
                from: names(&["sender", "ceptel", "gonderen", "from"]),
                to: names(&["receiver", "aboneno", "alici", "to"]),
                text: names(&["message", "mesaj", "msg", "text"]),
                received_at: names(&["datetime", "tarih", "date"]),
                keyword: names(&["keyword", "anahtar"]),
                ..Self::default()
            },
            Vendor::IletiMerkezi => Self {
                list: names(&["response.inbox.message", "response.inbox", "response.messages"]),
                id: names(&["id"]),
                from: names(&["sender", "from", "number"]),
                to: names(&["account", "receiver", "to"]),
                text: names(&["content", "text", "body", "message"]),
                received_at: names(&["date", "receivedAt", "created_at"]),
                keyword: names(&["keyword"]),
                status: names(&["report.status"]),
                report_id: names(&["report.packet_id"]),
                ..Self::default()
            },
            // Of the list of messages as well: what is read there is kept as it is, and read again. Case does not matter
            Vendor::Twilio => Self {
                id: names(&["MessageSid", "SmsMessageSid", "SmsSid", "sid"]),
                from: names(&["From"]),
                to: names(&["To"]),
                text: names(&["Body"]),
                received_at: names(&["date_sent", "date_created"]),
                status: names(&["MessageStatus", "SmsStatus"]),
                report_id: names(&["MessageSid", "SmsSid"]),
                detail: names(&["ErrorCode"]),
                ..Self::default()
            },
            Vendor::Http | Vendor::Log => Self {
                list: names(&["messages"]),
                id: names(&["id", "message_id", "messageId"]),
                from: names(&["from", "sender", "source_addr", "msisdn"]),
                to: names(&["to", "receiver", "destination_addr"]),
                text: names(&["text", "message", "content", "body"]),
                received_at: names(&["received_at", "timestamp", "date", "datetime", "created"]),
                keyword: names(&["keyword"]),
                part_reference: names(&["concat-ref", "part_reference"]),
                part_number: names(&["concat-part", "part_number"]),
                part_total: names(&["concat-total", "part_total"]),
                ..Self::default()
            },
        }
    }

    /// This mapping, with the vendor's own names for what it does not say.
    pub fn or(mut self, vendor: Vendor) -> Self {
        let own = Self::of(vendor);
        let Self {
            list,
            id,
            from,
            to,
            text,
            received_at,
            keyword,
            part_reference,
            part_number,
            part_total,
            status,
            report_id,
            reference,
            detail,
            reported_at,
        } = &mut self;
        for (names, own) in [
            (list, own.list),
            (id, own.id),
            (from, own.from),
            (to, own.to),
            (text, own.text),
            (received_at, own.received_at),
            (keyword, own.keyword),
            (part_reference, own.part_reference),
            (part_number, own.part_number),
            (part_total, own.part_total),
            (status, own.status),
            (report_id, own.report_id),
            (reference, own.reference),
            (detail, own.detail),
            (reported_at, own.reported_at),
        ] {
            if names.is_empty() {
                *names = own;
            }
        }
        self
    }

    /// Whether messages can be read with it.
    pub fn check(&self) -> Result<(), MappingError> {
        for (field, names) in [("from", &self.from), ("text", &self.text)] {
            if names.is_empty() {
                return Err(MappingError { field });
            }
        }
        Ok(())
    }
}
