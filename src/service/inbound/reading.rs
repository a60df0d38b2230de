//! Reading what was kept: messages out of bodies, repetitions aside, parts put together. A post that fails is tried again; what it
//! has had done before is not done twice, because each message is seen once.

use chrono::{DateTime, TimeDelta, Utc};
use kopru_domain::Recipient;
use kopru_domain::keyword::ShortNumber;
use kopru_domain::outcome::retry_delay;
use kopru_domain::{Channel, time::format_registry};
use kopru_sms::Vendor;
use kopru_sms::inbound::{Mapping, Message, Part, Request, parse};
use kopru_store::inbound::{self, PostRow, PostState};
use kopru_store::{Claim, Priority};
use sha2::{Digest, Sha256};

use super::acting::{self, Incoming};
use super::receiving;
use crate::bootstrap::App;
use crate::service::ServiceResult;
use crate::service::messages::reports;

/// Posts of one claim.
const PORTION: i64 = 20;
/// A long message whose parts are not all there by then is read as far as it goes: a RET stands in the first part. A report on a
/// message that is not known is looked at once more then.
const PATIENCE: TimeDelta = TimeDelta::minutes(2);
/// Under which parts are sealed.
const PART: &str = "inbound_parts.sealed";

/// Claims the posts that have waited longest.
pub async fn claim(app: &App, claim: Claim) -> ServiceResult<Option<Vec<PostRow>>> {
    let due = {
        let mut tx = app.db.read().await?;
        inbound::is_due(&mut tx, app.clocks.business()).await?
    };
    if !due {
        return Ok(None);
    }
    let mut tx = app.db.begin(Priority::Interactive).await?;
    let rows = inbound::claim(&mut tx, app.clocks.business(), app.clocks.wire(), claim, PORTION).await?;
    tx.commit().await?;
    Ok(Some(rows).filter(|rows| !rows.is_empty()))
}

/// Reads claimed posts in the order in which they came; one that fails is tried again later.
pub async fn read(app: &App, rows: Vec<PostRow>, claim: Claim) -> ServiceResult<()> {
    let mut failed = Ok(());
    for row in rows {
        // On the heap: an intake is a large future.
        let end = match Box::pin(post(app, &row)).await {
            Ok(end) => end,
            Err(error) => {
                let attempt = u32::try_from(row.attempt).unwrap_or(u32::MAX);
                let delay = TimeDelta::from_std(retry_delay(attempt, row.id.as_u64_pair().1));
                failed = Err(error);
                End::Later(app.clocks.business() + delay.unwrap_or(TimeDelta::minutes(1)))
            }
        };
        let mut tx = app.db.begin(Priority::Interactive).await?;
        match end {
            End::Done => inbound::finish(&mut tx, row.id, claim, PostState::Done).await?,
            End::Unplaced => inbound::finish(&mut tx, row.id, claim, PostState::Unplaced).await?,
            End::Unreadable => inbound::finish(&mut tx, row.id, claim, PostState::Unreadable).await?,
            End::Later(at) => inbound::release(&mut tx, row.id, claim, at).await?,
        };
        tx.commit().await?;
    }
    app.wake.wake();
    failed
}

/// How a message, or a post of several, ends; the worst of its messages counts for a post.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum End {
    /// Dealt with.
    Done,
    /// For a number that is no brand's.
    Unplaced,
    /// Without a sender, a number or a form.
    Unreadable,
    /// To be looked at again.
    Later(DateTime<Utc>),
}

async fn post(app: &App, row: &PostRow) -> ServiceResult<End> {
    let Ok(vendor) = row.vendor.parse::<Vendor>() else { return Ok(End::Unreadable) };
    let (head, body) = receiving::open(app, row)?;
    let request =
        Request { content_type: head.content_type.as_deref(), query: head.query.as_deref(), body: &body };
    let mut end = End::Done;
    match parse(&mapping(app, vendor), request) {
        Ok(read) => {
            if read.unread > 0 {
                end = End::Unreadable;
            }
            for message in &read.messages {
                end = end.max(one(app, vendor, row, message).await?);
            }
            let known = reports::note(app, vendor, &read.reports, row.received_at).await?;
            // The answer to the sending may still be on its way; later it is about a message of somebody else's.
            if !known && app.clocks.business() < row.received_at + PATIENCE {
                end = end.max(End::Later(row.received_at + PATIENCE));
            }
        }
        Err(error) => {
            tracing::error!(sms.vendor = %vendor, inbound.post = %row.id, %error, "an inbound SMS could not be read");
            end = End::Unreadable;
        }
    }
    match end {
        End::Unreadable => count(vendor, "unreadable"),
        End::Unplaced => {
            tracing::error!(sms.vendor = %vendor, inbound.post = %row.id,
                "an SMS came in for a number that no brand has; add it with `kopru keyword add`, and it is read again");
            count(vendor, "unplaced");
        }
        End::Done | End::Later(_) => {}
    }
    Ok(end)
}

/// Which field of a vendor's record means what.
pub(super) fn mapping(app: &App, vendor: Vendor) -> Mapping {
    app.config.sms.inbound.get(vendor.as_str()).cloned().unwrap_or_default().or(vendor)
}

async fn one(app: &App, vendor: Vendor, post: &PostRow, message: &Message) -> ServiceResult<End> {
    let now = app.clocks.business();
    let at = message.received_at.unwrap_or(post.received_at).min(now);
    let digest = digest(vendor, message, at);
    if is_seen(app, &digest).await? {
        count(vendor, "duplicate");
        return Ok(End::Done);
    }
    let text = match &message.part {
        None => message.text.clone(),
        Some(part) => match joined(app, post, &digest, part, &message.text).await? {
            Some(text) => text,
            None => return Ok(End::Later(post.received_at + PATIENCE)),
        },
    };
    let Some(number) = message.to.as_deref().and_then(|to| ShortNumber::parse(to).ok()) else {
        return Ok(End::Unplaced);
    };
    let Ok(sender) = Recipient::parse(&message.from, Channel::Message) else { return Ok(End::Unreadable) };
    let incoming = Incoming {
        vendor,
        digest,
        number,
        sender,
        text,
        keyword: message.keyword.as_deref(),
        raw: &message.raw,
        message_id: message.id.as_deref(),
        at,
    };
    let placed = acting::act(app, &incoming).await?;
    if placed {
        count(vendor, "read");
    }
    Ok(if placed { End::Done } else { End::Unplaced })
}

/// The text of a long message, if all its parts are there or it has waited long enough.
async fn joined(
    app: &App,
    post: &PostRow,
    digest: &[u8; 32],
    part: &Part,
    text: &str,
) -> ServiceResult<Option<String>> {
    let sealed = app.vault.master().seal(PART, text.as_bytes());
    let mut tx = app.db.begin(Priority::Interactive).await?;
    inbound::add_part(&mut tx, digest, i64::from(part.number), sealed, post.received_at).await?;
    let parts = inbound::parts(&mut tx, digest).await?;
    tx.commit().await?;
    let complete = parts.len() >= usize::from(part.total);
    if !complete && app.clocks.business() < post.received_at + PATIENCE {
        return Ok(None);
    }
    let mut text = String::new();
    for (_, sealed) in parts {
        text.push_str(&String::from_utf8_lossy(&app.vault.master().open(PART, &sealed)?));
    }
    Ok(Some(text))
}

async fn is_seen(app: &App, digest: &[u8; 32]) -> ServiceResult<bool> {
    let mut tx = app.db.read().await?;
    Ok(!inbound::seen(&mut tx, vec![digest.to_vec()]).await?.is_empty())
}

/// What tells a message from all others: the vendor's id; of parts what they share, on one day; else sender, number, text and minute.
pub(super) fn digest(vendor: Vendor, message: &Message, at: DateTime<Utc>) -> [u8; 32] {
    let second = format_registry(at);
    let to = message.to.as_deref().unwrap_or_default();
    let facts: Vec<&str> = match (&message.part, &message.id) {
        (Some(part), _) => vec!["part", &message.from, to, &part.reference, &second[..10]],
        (None, Some(id)) => vec!["id", id],
        (None, None) => vec!["text", &message.from, to, &message.text, &second[..16]],
    };
    let mut hash = Sha256::new();
    for fact in std::iter::once(vendor.as_str()).chain(facts) {
        hash.update(fact.len().to_be_bytes());
        hash.update(fact.as_bytes());
    }
    hash.finalize().into()
}

fn count(vendor: Vendor, outcome: &'static str) {
    metrics::counter!("inbound_messages_total", "vendor" => vendor.as_str(), "outcome" => outcome)
        .increment(1);
}
