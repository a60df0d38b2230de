//! Outgoing messages: a queue of their own, and what became of each. Codes go before everything else.

use std::str::FromStr;

use chrono::{DateTime, Utc};
use kopru_domain::{BrandCode, IysCode};
use uuid::Uuid;

use crate::error::{Result, StoreError};
use crate::{Claim, Insert, Key, Step, Tx, args, sql::Row, sql::Value, statements};

/// The columns of [`MessageRow`], as [`read`] expects them; unqualified, for RETURNING.
macro_rules! row {
    () => {
        "iys_code, id, brand_code, channel, purpose, dedupe, key, recipient, body, state, attempt, unsure, late, next_attempt_at, \
         not_after, account, vendor, vendor_id, code, answer, created_at, updated_at, sent_at, delivery, delivery_code, delivery_at, \
         delivery_report"
    };
}

/// What is due of a queue. The two queues differ in their index and in what they hold.
macro_rules! claim {
    ($index:literal, $which:literal) => {
        concat!(
            "WITH due AS MATERIALIZED (
              SELECT m.iys_code AS p, m.id AS i FROM messages m {by ", $index, "}
              WHERE m.state IN ('queued', 'sending') AND m.purpose ", $which, " 'code' AND m.next_attempt_at <= $1
                AND (m.state = 'queued' OR m.lease_until < $2)
              ORDER BY m.next_attempt_at LIMIT $5 {skip_locked})
            UPDATE messages SET unsure = (unsure OR state = 'sending'), state = 'sending', claimed_by = $3, lease_until = $4,
              attempt = attempt + 1, updated_at = $1 FROM due
            WHERE iys_code = p AND id = i RETURNING ",
            row!()
        )
    };
}

macro_rules! due {
    ($index:literal, $which:literal) => {
        concat!(
            "SELECT m.id FROM messages m {by ",
            $index,
            "}
             WHERE m.state IN ('queued', 'sending') AND m.purpose ",
            $which,
            " 'code' AND m.next_attempt_at <= $1
               AND (m.state = 'queued' OR m.lease_until < $2) ORDER BY m.next_attempt_at LIMIT 1"
        )
    };
}

statements! {
    DUE = due!("messages_due", "<>");
    CODES_DUE = due!("messages_codes_due", "=");
    CLAIM = claim!("messages_due", "<>");
    CLAIM_CODES = claim!("messages_codes_due", "=");
    FINISH = "UPDATE messages SET state = $4, next_attempt_at = $5, unsure = $6, account = $7, vendor = $8, vendor_id = $9, code = $10,
                  answer = $11, sent_at = $12, body = CASE WHEN $13 THEN NULL ELSE body END, updated_at = $14, claimed_by = NULL, lease_until = NULL
              WHERE iys_code = $1 AND id = $2 AND claimed_by = $3 AND state = 'sending'";
    /// Gives back what was not attempted.
    RELEASE = "UPDATE messages SET state = 'queued', next_attempt_at = $4, attempt = attempt - 1, code = $5, claimed_by = NULL, lease_until = NULL
               WHERE iys_code = $1 AND id = $2 AND claimed_by = $3 AND state = 'sending'";
    FIND = concat!("SELECT ", row!(), " FROM messages WHERE iys_code = $1 AND id = $2");
    FIND_BY_DEDUPE = "SELECT id FROM messages WHERE iys_code = $1 AND dedupe = $2";
    LIST = concat!("SELECT ", row!(), " FROM messages {by messages_of_brand} WHERE iys_code = $1 AND brand_code = $2 AND id < $3 ORDER BY id DESC LIMIT $4");
    LAST_TO = "SELECT brand_code FROM messages {by messages_to} WHERE iys_code = $1 AND key = $2 AND channel = 'sms' AND state = 'sent' AND sent_at >= $3
               ORDER BY id DESC LIMIT 1";
    UNTOLD = "SELECT m.iys_code, m.brand_code, m.id FROM messages m {by messages_late}
              WHERE m.purpose = 'notice' AND NOT m.late AND (m.state <> 'sent' OR m.delivery = 'failed') AND m.not_after < $1 AND m.created_at < $2 ORDER BY m.not_after LIMIT 500";
    BY_VENDOR_ID = "SELECT m.iys_code, m.id, m.purpose, m.vendor_id
                    FROM {each $2 text of messages AS m by messages_by_vendor_id: m.vendor = $1 AND m.vendor_id = wanted.value AND m.created_at >= $3}";
    BY_REFERENCE = "SELECT m.iys_code, m.id, m.purpose, m.vendor_id
                    FROM {each $1 uuid of messages AS m by messages_by_id: m.id = wanted.value}";
    /// Only what goes further than what is known, or ends it otherwise and later. What arrived was sent, and is not sent again.
    REPORT = "UPDATE messages SET delivery = $3, delivery_code = $4, delivery_at = $5, delivery_report = $6, updated_at = $7,
                state = CASE WHEN $8 AND state IN ('queued', 'unknown') THEN 'sent' ELSE state END,
                sent_at = CASE WHEN $8 AND state IN ('queued', 'unknown') THEN $5 ELSE sent_at END,
                body = CASE WHEN $8 AND purpose = 'code' AND state <> 'sending' THEN NULL ELSE body END
              WHERE iys_code = $1 AND id = $2 AND (delivery IS NULL OR (delivery = 'pending' AND $3 <> 'pending')
                OR (delivery = 'sent' AND $3 IN ('delivered', 'failed'))
                OR (delivery IN ('delivered', 'failed') AND $3 IN ('delivered', 'failed') AND delivery <> $3 AND delivery_at < $5))";
    /// What a message was about stays in its dedupe key; whom it went to and what it said go.
    FORGET = "WITH due AS MATERIALIZED (
              SELECT m.iys_code AS p, m.id AS i FROM messages m {by messages_kept}
              WHERE length(m.recipient) > 0 AND m.created_at < $1 AND m.state NOT IN ('queued', 'sending') ORDER BY m.created_at LIMIT $2 {skip_locked})
        UPDATE messages SET recipient = $3, body = NULL, answer = NULL, delivery_report = NULL FROM due WHERE iys_code = p AND id = i";
    TELL = "UPDATE messages SET late = $2 WHERE iys_code = $1 AND id {in $3 uuid} AND NOT late RETURNING dedupe, state, code, delivery_code";
    LATE = "SELECT brand_code, count(*) FROM messages {by messages_told}
            WHERE late AND created_at > $1 AND (state <> 'sent' OR delivery = 'failed') GROUP BY brand_code ORDER BY count(*) DESC LIMIT 100";
    OPEN = "SELECT account, code, count(*) FROM messages {by messages_open} WHERE state IN ('queued', 'sending') GROUP BY account, code";
}

static ADD: Insert = Insert {
    head: "INSERT INTO messages (iys_code, id, brand_code, channel, purpose, dedupe, key, recipient, body, state, attempt, unsure, late, next_attempt_at, not_after, created_at, updated_at)",
    types: &[
        "bigint",
        "uuid",
        "bigint",
        "text",
        "text",
        "text",
        "bytea",
        "bytea",
        "bytea",
        "text",
        "bigint",
        "boolean",
        "boolean",
        "timestamptz",
        "timestamptz",
        "timestamptz",
        "timestamptz",
    ],
    tail: "ON CONFLICT (iys_code, dedupe) DO NOTHING",
};

/// The bulk inserts of this module by name.
pub(crate) static INSERTS: &[(&str, &Insert)] = &[("ADD", &ADD)];

macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$of:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$of])* $variant,)* }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The stored word.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }

        impl FromStr for $name {
            type Err = ();

            fn from_str(word: &str) -> std::result::Result<Self, ()> {
                match word { $($word => Ok(Self::$variant),)* _ => Err(()) }
            }
        }
    };
}

words! {
    /// How a message goes out.
    MessageChannel {
        /// A text.
        Sms = "sms",
        /// An e-mail.
        Email = "email",
    }
}

words! {
    /// What a message is for. None of these is commercial.
    Purpose {
        /// A one-time code: urgent, and forgotten once it has ended.
        Code = "code",
        /// That a consent was received, on the same day.
        Notice = "notice",
        /// That something was done.
        Confirmation = "confirmation",
        /// An answer to what was not understood.
        Help = "help",
        /// Anything else.
        Other = "other",
    }
}

words! {
    /// Where a message stands.
    MessageState {
        /// Waits for its next attempt.
        Queued = "queued",
        /// Somebody is sending it.
        Sending = "sending",
        /// The vendor took it.
        Sent = "sent",
        /// The vendor will not take it.
        Failed = "failed",
        /// Its time was over first.
        Expired = "expired",
        /// Nobody knows whether it was sent, and it is not sent again.
        Unknown = "unknown",
    }
}

words! {
    /// How far a message got, as its vendor reports.
    DeliveryState {
        /// On its way.
        Pending = "pending",
        /// Given to a network, which may say more.
        Sent = "sent",
        /// It arrived.
        Delivered = "delivered",
        /// It will not arrive.
        Failed = "failed",
    }
}

/// What a vendor reported of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryReport {
    /// How far it got.
    pub state: DeliveryState,
    /// The vendor's words.
    pub code: String,
    /// When (business time).
    pub at: DateTime<Utc>,
    /// The report as it came, sealed; `None`: forgotten.
    pub report: Option<Vec<u8>>,
}

/// A message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageRow {
    /// Provider.
    pub iys_code: IysCode,
    /// Identity, and the reference at the vendor.
    pub id: Uuid,
    /// Brand.
    pub brand_code: BrandCode,
    /// How it goes out.
    pub channel: MessageChannel,
    /// What it is for.
    pub purpose: Purpose,
    /// The same key twice is one message.
    pub dedupe: String,
    /// Blind name of the address.
    pub key: Key,
    /// The address, sealed.
    pub recipient: Vec<u8>,
    /// Subject and text, sealed; `None`: forgotten.
    pub body: Option<Vec<u8>>,
    /// Where it stands.
    pub state: MessageState,
    /// Attempts so far.
    pub attempt: i64,
    /// An attempt was made of which nobody knows how it ended.
    pub unsure: bool,
    /// The operator has been told that this notice is not sent.
    pub late: bool,
    /// Not before (business time).
    pub next_attempt_at: DateTime<Utc>,
    /// Not after (business time).
    pub not_after: DateTime<Utc>,
    /// The account of the settings that it was tried with.
    pub account: Option<String>,
    /// That account's vendor.
    pub vendor: Option<String>,
    /// The vendor's id.
    pub vendor_id: Option<String>,
    /// What went wrong last.
    pub code: Option<String>,
    /// What the vendor said, sealed.
    pub answer: Option<Vec<u8>>,
    /// When it was queued (business time).
    pub created_at: DateTime<Utc>,
    /// Last change.
    pub updated_at: DateTime<Utc>,
    /// When the vendor took it (business time).
    pub sent_at: Option<DateTime<Utc>>,
    /// What became of it, where the vendor reports.
    pub delivery: Option<DeliveryReport>,
}

/// A message that a report may be about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reported {
    /// Provider.
    pub iys_code: IysCode,
    /// Identity.
    pub id: Uuid,
    /// What it is for.
    pub purpose: Purpose,
    /// The vendor's id, once its answer is known.
    pub vendor_id: Option<String>,
}

/// What an attempt led to.
#[derive(Debug, Clone)]
pub struct Finish {
    /// The new state.
    pub state: MessageState,
    /// When it is tried again, if it is.
    pub next_attempt_at: DateTime<Utc>,
    /// Whether nobody knows how the attempt ended.
    pub unsure: bool,
    /// The account that it was tried with, and its vendor.
    pub account: Option<(String, String)>,
    /// The vendor's id.
    pub vendor_id: Option<String>,
    /// What went wrong.
    pub code: Option<String>,
    /// What the vendor said, sealed.
    pub answer: Option<Vec<u8>>,
    /// Whether the text is forgotten.
    pub forget: bool,
}

/// Adds messages, beside other steps of a transaction; those whose dedupe key is there already are left out.
pub fn add_step(rows: Vec<MessageRow>) -> Step {
    Step::Insert(&ADD, rows.into_iter().map(values).collect())
}

/// Adds a message; false where its dedupe key is there already.
pub async fn add(tx: &mut Tx, row: MessageRow) -> Result<bool> {
    Ok(tx.insert(&ADD, vec![values(row)]).await? == 1)
}

/// The message of a dedupe key.
pub async fn find_by_dedupe(tx: &mut Tx, provider: IysCode, dedupe: &str) -> Result<Option<Uuid>> {
    tx.row(&FIND_BY_DEDUPE, args![provider, dedupe]).await?.map(|row| row.get(0)).transpose()
}

/// Whether anything is due: codes, or the others.
pub async fn is_due(
    tx: &mut Tx,
    codes: bool,
    business_now: DateTime<Utc>,
    wire_now: DateTime<Utc>,
) -> Result<bool> {
    let statement = if codes { &CODES_DUE } else { &DUE };
    Ok(tx.row(statement, args![business_now, wire_now]).await?.is_some())
}

/// Claims what is due: codes, or the others. What somebody else was sending when his lease ran out comes back unsure.
pub async fn claim(
    tx: &mut Tx,
    codes: bool,
    limit: i64,
    business_now: DateTime<Utc>,
    wire_now: DateTime<Utc>,
    claim: Claim,
) -> Result<Vec<MessageRow>> {
    let statement = if codes { &CLAIM_CODES } else { &CLAIM };
    let args = args![business_now, wire_now, claim.by, claim.until, limit];
    tx.rows(statement, args).await?.iter().map(read).collect()
}

/// Records what an attempt led to; false when the claim was lost meanwhile.
pub async fn finish(
    tx: &mut Tx,
    row: &MessageRow,
    claim: Claim,
    finish: Finish,
    now: DateTime<Utc>,
) -> Result<bool> {
    let (account, vendor) = finish.account.unzip();
    let sent_at = (finish.state == MessageState::Sent).then_some(now);
    let args = args![
        row.iys_code,
        row.id,
        claim.by,
        finish.state.as_str(),
        finish.next_attempt_at,
        finish.unsure,
        account,
        vendor,
        finish.vendor_id,
        finish.code,
        finish.answer,
        sent_at,
        finish.forget,
        now
    ];
    Ok(tx.execute(&FINISH, args).await? == 1)
}

/// Gives back a message that was not attempted, to be tried at an instant, with the reason.
pub async fn release(
    tx: &mut Tx,
    row: &MessageRow,
    claim: Claim,
    at: DateTime<Utc>,
    code: Option<&str>,
) -> Result<()> {
    tx.execute(&RELEASE, args![row.iys_code, row.id, claim.by, at, code]).await.map(drop)
}

/// One message.
pub async fn find(tx: &mut Tx, provider: IysCode, id: Uuid) -> Result<Option<MessageRow>> {
    tx.row(&FIND, args![provider, id]).await?.map(|row| read(&row)).transpose()
}

/// Messages of a brand, newest first, before an id.
pub async fn list(
    tx: &mut Tx,
    provider: IysCode,
    brand: BrandCode,
    before: Uuid,
    limit: i64,
) -> Result<Vec<MessageRow>> {
    tx.rows(&LIST, args![provider, brand, before, limit]).await?.iter().map(read).collect()
}

/// The brand of the last text that was sent to an address since an instant.
pub async fn last_brand_to(
    tx: &mut Tx,
    provider: IysCode,
    key: Key,
    since: DateTime<Utc>,
) -> Result<Option<BrandCode>> {
    tx.row(&LAST_TO, args![provider, key, since]).await?.map(|row| row.get(0).map(BrandCode)).transpose()
}

/// Notices that are not sent, whose time ends before an instant, of which nobody was told: at most 500, with provider and brand.
/// Those queued after `created_before` have not had their chance yet.
pub async fn untold(
    tx: &mut Tx,
    ends_before: DateTime<Utc>,
    created_before: DateTime<Utc>,
) -> Result<Vec<(IysCode, BrandCode, Uuid)>> {
    let rows = tx.rows(&UNTOLD, args![ends_before, created_before]).await?;
    rows.iter().map(|row| Ok((IysCode(row.get(0)?), BrandCode(row.get(1)?), row.get(2)?))).collect()
}

/// The messages of these ids of a vendor, queued since an instant: vendors count anew.
pub async fn by_vendor_ids(
    tx: &mut Tx,
    vendor: &str,
    ids: Vec<String>,
    since: DateTime<Utc>,
) -> Result<Vec<Reported>> {
    tx.rows(&BY_VENDOR_ID, args![vendor, ids, since]).await?.iter().map(read_reported).collect()
}

/// The messages of these identities, whosever they are: a vendor hands back what it was given as a reference.
pub async fn by_references(tx: &mut Tx, ids: Vec<Uuid>) -> Result<Vec<Reported>> {
    tx.rows(&BY_REFERENCE, args![ids]).await?.iter().map(read_reported).collect()
}

/// Keeps a report; false where as much or more is known. A message that arrived counts as sent.
pub async fn report(
    tx: &mut Tx,
    provider: IysCode,
    id: Uuid,
    report: &DeliveryReport,
    now: DateTime<Utc>,
) -> Result<bool> {
    let arrived = report.state == DeliveryState::Delivered;
    let args = args![
        provider,
        id,
        report.state.as_str(),
        report.code.as_str(),
        report.at,
        report.report.clone(),
        now,
        arrived
    ];
    Ok(tx.execute(&REPORT, args).await? == 1)
}

/// Forgets address, text and the vendor's answers of ended messages that were queued before an instant; returns of how many. That
/// there was such a message stays.
pub async fn forget(tx: &mut Tx, before: DateTime<Utc>, limit: i64) -> Result<u64> {
    tx.execute(&FORGET, args![before, limit, Vec::<u8>::new().as_slice()]).await
}

/// A notice that is not sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Late {
    /// What it is about.
    pub dedupe: String,
    /// Where it stands: `sent` where it did not arrive.
    pub state: MessageState,
    /// What went wrong last.
    pub code: Option<String>,
}

/// Remembers that the operator is told of these; returns those of which nobody was told before.
pub async fn tell(tx: &mut Tx, provider: IysCode, ids: Vec<Uuid>) -> Result<Vec<Late>> {
    let rows = tx.rows(&TELL, args![provider, true, ids]).await?;
    let late = |row: &Row| {
        let state = row.word(1)?;
        let code = row.get(if state == MessageState::Sent { 3 } else { 2 })?;
        Ok(Late { dedupe: row.get(0)?, state, code })
    };
    rows.iter().map(late).collect()
}

/// Notices queued since an instant that were not sent when the alarm was given, and still are not: how many by brand.
pub async fn late(tx: &mut Tx, since: DateTime<Utc>) -> Result<Vec<(BrandCode, i64)>> {
    let rows = tx.rows(&LATE, args![since]).await?;
    rows.iter().map(|row| Ok((BrandCode(row.get(0)?), row.get(1)?))).collect()
}

/// Messages that have not ended, by account and last failure.
pub async fn open_counts(tx: &mut Tx) -> Result<Vec<(Option<String>, Option<String>, i64)>> {
    let rows = tx.rows(&OPEN, args![]).await?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).collect()
}

fn values(row: MessageRow) -> Vec<Value> {
    args![
        row.iys_code,
        row.id,
        row.brand_code,
        row.channel.as_str(),
        row.purpose.as_str(),
        row.dedupe,
        row.key,
        row.recipient,
        row.body,
        row.state.as_str(),
        row.attempt,
        row.unsure,
        row.late,
        row.next_attempt_at,
        row.not_after,
        row.created_at,
        row.updated_at
    ]
}

fn read_reported(row: &Row) -> Result<Reported> {
    Ok(Reported {
        iys_code: IysCode(row.get(0)?),
        id: row.get(1)?,
        purpose: row.word(2)?,
        vendor_id: row.get(3)?,
    })
}

fn read_delivery(row: &Row) -> Result<Option<DeliveryReport>> {
    let Some(state) = row.word_opt(23)? else { return Ok(None) };
    let code = row.get::<Option<String>>(24)?.unwrap_or_default();
    let at = row
        .get::<Option<DateTime<Utc>>>(25)?
        .ok_or_else(|| StoreError::corrupt("messages", "delivery_at"))?;
    Ok(Some(DeliveryReport { state, code, at, report: row.get(26)? }))
}

fn read(row: &Row) -> Result<MessageRow> {
    Ok(MessageRow {
        iys_code: IysCode(row.get(0)?),
        id: row.get(1)?,
        brand_code: BrandCode(row.get(2)?),
        channel: row.word(3)?,
        purpose: row.word(4)?,
        dedupe: row.get(5)?,
        key: row.key(6)?,
        recipient: row.get(7)?,
        body: row.get(8)?,
        state: row.word(9)?,
        attempt: row.get(10)?,
        unsure: row.get(11)?,
        late: row.get(12)?,
        next_attempt_at: row.get(13)?,
        not_after: row.get(14)?,
        account: row.get(15)?,
        vendor: row.get(16)?,
        vendor_id: row.get(17)?,
        code: row.get(18)?,
        answer: row.get(19)?,
        created_at: row.get(20)?,
        updated_at: row.get(21)?,
        sent_at: row.get(22)?,
        delivery: read_delivery(row)?,
    })
}
