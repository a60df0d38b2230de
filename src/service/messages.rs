//! Outgoing SMS and e-mail: codes, notices, confirmations and help. The bridge never sends commercial content.
//!
//! A message is queued in the transaction of what it is about ([`enqueue`]) and sent by a worker ([`sending`]). What is sent
//! twice and what never:
//!
//! - A message that is certain not to have gone out is tried again until its time is over.
//! - An attempt of which nobody knows how it ended (no answer, a process that died) is asked about where the vendor can be
//!   asked. Where it cannot, a *code* is never sent again: it ends as `unknown`, and who waits for it asks for a new one. Anything
//!   else is sent a second time, and no third: to be told twice that a consent was received harms less than not to be told at all.
//! - The text of a code is forgotten as soon as it has ended.

mod couriers;
pub mod notice;
pub mod reports;
pub mod sender;
pub mod sending;
mod view;

use chrono::{DateTime, TimeDelta, Utc};
use kopru_domain::{BrandCode, IysCode, Recipient};
use kopru_store::messages::{self, MessageRow, MessageState};
use kopru_store::{ProviderKeys, Tx, ids};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::bootstrap::App;
use crate::service::ServiceResult;

pub use couriers::Couriers;
pub use kopru_store::messages::{MessageChannel, Purpose};
pub use view::{Delivery, Message, list};

/// How long a message is tried that has no end of its own.
const LIFE: TimeDelta = TimeDelta::days(3);
/// How far back the last message to a number counts (rules.md 4.2).
const RECENT: TimeDelta = TimeDelta::days(30);

/// How far back late notices are shown as something to be looked after.
const WEEK: TimeDelta = TimeDelta::days(7);

const RECIPIENT: &str = "messages.recipient";
const BODY: &str = "messages.body";
const ANSWER: &str = "messages.answer";
const REPORT: &str = "messages.delivery_report";

/// A message to be sent. `Debug` shows neither address nor text.
#[derive(Clone)]
pub struct NewMessage {
    /// On behalf of which provider.
    pub provider: IysCode,
    /// On behalf of which brand.
    pub brand: BrandCode,
    /// How it goes out.
    pub channel: MessageChannel,
    /// To whom, canonical.
    pub recipient: Recipient,
    /// What it is for.
    pub purpose: Purpose,
    /// What it says.
    pub content: Content,
    /// The same key twice is one message of the provider: name what it is about, such as `notice:<consent>`.
    pub dedupe: String,
    /// After this instant of business time it is not sent any more; `None`: three days.
    pub not_after: Option<DateTime<Utc>>,
}

impl std::fmt::Debug for NewMessage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewMessage")
            .field("brand", &self.brand)
            .field("purpose", &self.purpose)
            .field("dedupe", &self.dedupe)
            .finish_non_exhaustive()
    }
}

/// What a message says.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// Of an e-mail.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub subject: Option<String>,
    /// The text.
    pub text: String,
    /// Of an e-mail, beside the text.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub html: Option<String>,
    /// Of an e-mail: where one unsubscribes; an https address takes one click (RFC 8058).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub unsubscribe: Option<String>,
}

impl Content {
    /// A text.
    pub fn sms(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }
}

/// Queues a message in the caller's transaction: it is sent if and only if that commits. Wake the workers afterwards. The same
/// dedupe key twice is one message: the flag tells whether this call queued it.
pub async fn enqueue(tx: &mut Tx, app: &App, new: NewMessage) -> ServiceResult<(Uuid, bool)> {
    let keys = app.vault.keys(tx, new.provider).await?;
    let row = row(&keys, new, app.clocks.business());
    let (provider, dedupe, id) = (row.iys_code, row.dedupe.clone(), row.id);
    if messages::add(tx, row).await? {
        return Ok((id, true));
    }
    let existing = messages::find_by_dedupe(tx, provider, &dedupe).await?;
    Ok((existing.unwrap_or(id), false))
}

/// The row of a message that is queued now.
pub(super) fn row(keys: &ProviderKeys, new: NewMessage, now: DateTime<Utc>) -> MessageRow {
    let body = serde_json::to_vec(&new.content).unwrap_or_default();
    MessageRow {
        iys_code: new.provider,
        id: ids::new_id(now),
        brand_code: new.brand,
        channel: new.channel,
        purpose: new.purpose,
        dedupe: new.dedupe,
        key: keys.address_key(new.recipient.as_str()),
        recipient: keys.seal(RECIPIENT, new.recipient.as_str().as_bytes()),
        body: Some(keys.seal(BODY, &body)),
        state: MessageState::Queued,
        attempt: 0,
        unsure: false,
        late: false,
        next_attempt_at: now,
        not_after: new.not_after.unwrap_or(now + LIFE),
        account: None,
        vendor: None,
        vendor_id: None,
        code: None,
        answer: None,
        created_at: now,
        updated_at: now,
        sent_at: None,
        delivery: None,
    }
}

/// How the queue stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Messages that have not ended.
    pub open: i64,
    /// Those of them that failed so far: by account and last error.
    pub failing: Vec<(Option<String>, String, i64)>,
    /// Notices of the last week that were not sent by 21:00 of their day, and still are not: by brand.
    pub late: Vec<(BrandCode, i64)>,
}

/// How the queue stands.
pub async fn standing(app: &App) -> ServiceResult<Standing> {
    let mut tx = app.db.read().await?;
    let counts = messages::open_counts(&mut tx).await?;
    let open = counts.iter().map(|(_, _, count)| count).sum();
    let failing = counts.into_iter().filter_map(|(account, code, count)| Some((account, code?, count)));
    let late = messages::late(&mut tx, app.clocks.business() - WEEK).await?;
    Ok(Standing { open, failing: failing.collect(), late })
}

/// The brand of the last text that went to a number in the last 30 days: whose RET it is that comes back without a keyword.
pub async fn last_brand_to(
    app: &App,
    tx: &mut Tx,
    provider: IysCode,
    number: &Recipient,
) -> ServiceResult<Option<BrandCode>> {
    let keys = app.vault.keys(tx, provider).await?;
    let key = keys.address_key(number.as_str());
    Ok(messages::last_brand_to(tx, provider, key, app.clocks.business() - RECENT).await?)
}
