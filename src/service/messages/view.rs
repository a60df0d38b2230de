//! Messages as they are shown.

use kopru_domain::time::format_rfc3339;
use kopru_domain::{BrandCode, Recipient};
use kopru_store::ProviderKeys;
use kopru_store::messages::{self, MessageRow};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{ANSWER, RECIPIENT, REPORT};
use crate::bootstrap::App;
use crate::service::{Caller, Scope, ServiceResult, brands};

/// A message that went out or is to go out. Its text is not shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    /// Identity, and the reference at the vendor.
    pub id: Uuid,
    /// `sms` or `email`.
    pub channel: &'static str,
    /// `code`, `notice`, `confirmation`, `help` or `other`.
    pub purpose: &'static str,
    /// To whom, masked.
    pub recipient: String,
    /// `queued`, `sending`, `sent`, `failed`, `expired` or `unknown` (nobody knows, and it is not sent again).
    pub state: &'static str,
    /// Attempts so far.
    pub attempts: i64,
    /// The account of the settings that it was tried with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// That account's vendor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vendor: Option<String>,
    /// The vendor's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vendor_id: Option<String>,
    /// What went wrong last: the vendor's code, or a word of ours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What the vendor said, without the recipient's number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
    /// Whether this notice was not sent when the alarm was given.
    pub late: bool,
    /// When it was queued, RFC 3339 with +03:00.
    pub created_at: String,
    /// After this it is not sent any more.
    pub not_after: String,
    /// The next attempt, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_attempt_at: Option<String>,
    /// When the vendor took it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sent_at: Option<String>,
    /// What became of it, where the vendor reports.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivery: Option<Delivery>,
}

/// What a vendor reported of a text that it took.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = MessageDelivery)]
pub struct Delivery {
    /// `pending`, `sent` (given to a network, which may say more), `delivered` or `failed`.
    pub state: &'static str,
    /// The vendor's words.
    #[schema(example = "NOT_DELIVERED 27")]
    pub code: String,
    /// When, RFC 3339 with +03:00.
    pub at: String,
    /// The report as it came, without the recipient's number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub report: Option<String>,
}

impl Message {
    fn new(keys: &ProviderKeys, row: MessageRow) -> Self {
        let recipient = keys.open_text(RECIPIENT, &row.recipient).unwrap_or_default();
        let masked =
            Recipient::from_canonical(&recipient).map_or_else(|_| "***".to_owned(), |it| it.masked());
        let answer = row.answer.as_ref().and_then(|sealed| keys.open_text(ANSWER, sealed).ok());
        let delivery = row.delivery.map(|delivery| {
            let report = delivery.report.and_then(|sealed| keys.open_text(REPORT, &sealed).ok());
            Delivery {
                state: delivery.state.as_str(),
                code: delivery.code,
                at: format_rfc3339(delivery.at),
                report: report.map(|report| without(&report, &recipient)),
            }
        });
        let open = matches!(row.state, messages::MessageState::Queued | messages::MessageState::Sending);
        Self {
            id: row.id,
            channel: row.channel.as_str(),
            purpose: row.purpose.as_str(),
            state: row.state.as_str(),
            attempts: row.attempt,
            account: row.account,
            vendor: row.vendor,
            vendor_id: row.vendor_id,
            code: row.code,
            answer: answer.map(|answer| without(&answer, &recipient)),
            late: row.late,
            created_at: format_rfc3339(row.created_at),
            not_after: format_rfc3339(row.not_after),
            next_attempt_at: open.then(|| format_rfc3339(row.next_attempt_at)),
            sent_at: row.sent_at.map(format_rfc3339),
            delivery,
            recipient: masked,
        }
    }
}

/// Vendors quote the number in forms of their own: its last ten digits are what they have in common.
fn without(answer: &str, recipient: &str) -> String {
    let core =
        if recipient.contains('@') { recipient } else { &recipient[recipient.len().saturating_sub(10)..] };
    if core.is_empty() { answer.to_owned() } else { answer.replace(core, "***") }
}

/// Messages of a brand, newest first, before an id; one more than `limit`, where there is one. Needs `consents:read`.
pub async fn list(
    app: &App,
    caller: &Caller,
    brand: BrandCode,
    before: Option<Uuid>,
    limit: i64,
) -> ServiceResult<Vec<Message>> {
    caller.require(Scope::ConsentsRead)?;
    let mut tx = app.db.read().await?;
    let brand = brands::visible(&mut tx, caller, brand).await?;
    let before = before.unwrap_or(Uuid::max());
    let rows = messages::list(&mut tx, brand.iys_code, brand.brand_code, before, limit + 1).await?;
    let keys = app.vault.keys(&mut tx, brand.iys_code).await?;
    Ok(rows.into_iter().map(|row| Message::new(&keys, row)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_does_not_quote_the_number() {
        let answer = r#"201 {"to": "+905319876543", "no": "5319876543", "sid": "SM1"}"#;
        assert_eq!(without(answer, "+905319876543"), r#"201 {"to": "+90***", "no": "***", "sid": "SM1"}"#);
        assert_eq!(without("550 ayse@example.net unknown", "ayse@example.net"), "550 *** unknown");
    }
}
