//! The worker's part: claims what is due, hands it to a vendor with no transaction open, records what came of it.

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures::{StreamExt as _, stream};
use kopru_domain::{BrandCode, IysCode};
use kopru_mail::Mail;
use kopru_sms::{Found, Outgoing};
use kopru_store::messages::{self, Finish, MessageRow, MessageState, Purpose};
use kopru_store::senders::{self, SenderRow};
use kopru_store::{Claim, Priority, ProviderKeys, StoreError};

use super::couriers::{Courier, Route};
use super::{ANSWER, BODY, Content, RECIPIENT};
use crate::bootstrap::App;
use crate::service::ServiceResult;

/// Calls at once of one batch.
const AT_ONCE: usize = 8;
/// Calls of a batch one after the other. Codes have a single one: what a process that died was sending comes back soon.
const fn rounds(codes: bool) -> u32 {
    if codes { 1 } else { 4 }
}
/// Waits between attempts; the last one again and again.
const WAITS: [TimeDelta; 6] = [
    TimeDelta::seconds(5),
    TimeDelta::seconds(15),
    TimeDelta::minutes(1),
    TimeDelta::minutes(5),
    TimeDelta::minutes(15),
    TimeDelta::hours(1),
];
/// How long an account is left alone that cannot send: a person may be mending it.
const PAUSE: TimeDelta = TimeDelta::minutes(1);
/// A vendor that did not answer is asked, or tried again, after this.
const DOUBT: TimeDelta = TimeDelta::seconds(10);

/// The longest time that a batch takes.
pub fn longest(app: &App, codes: bool) -> Duration {
    let call = app.config.sms.timeout * 2;
    call.max(app.config.mail.timeout) * rounds(codes) + Duration::from_secs(15)
}

/// Claims what is due: codes, or everything else.
pub async fn claim(app: &App, codes: bool, claim: Claim) -> ServiceResult<Option<Vec<MessageRow>>> {
    let (business, wire) = (app.clocks.business(), app.clocks.wire());
    let most = AT_ONCE as i64 * i64::from(rounds(codes));
    {
        // Asked of a reader: a look that finds nothing does not keep the writers waiting.
        let mut tx = app.db.read().await?;
        if !messages::is_due(&mut tx, codes, business, wire).await? {
            return Ok(None);
        }
    }
    let mut tx = app.db.begin(Priority::Bulk).await?;
    let rows = messages::claim(&mut tx, codes, most, business, wire, claim).await?;
    tx.commit().await?;
    Ok(Some(rows).filter(|rows| !rows.is_empty()))
}

/// Sends what was claimed.
pub async fn send(app: &App, rows: Vec<MessageRow>, claim: Claim) -> ServiceResult<()> {
    let senders = senders_of(app, &rows).await?;
    let sent = stream::iter(rows)
        .map(|row| {
            let sender = senders.get(&(row.iys_code, row.brand_code)).and_then(Option::as_ref);
            one(app, row, sender, claim)
        })
        .buffer_unordered(AT_ONCE)
        .collect::<Vec<_>>()
        .await;
    sent.into_iter().collect()
}

type Senders = HashMap<(IysCode, BrandCode), Option<SenderRow>>;

async fn senders_of(app: &App, rows: &[MessageRow]) -> ServiceResult<Senders> {
    let mut tx = app.db.read().await?;
    let mut found = Senders::new();
    for place in rows.iter().map(|row| (row.iys_code, row.brand_code)) {
        if let std::collections::hash_map::Entry::Vacant(vacant) = found.entry(place) {
            vacant.insert(senders::find(&mut tx, place.0, place.1).await?);
        }
    }
    Ok(found)
}

async fn one(app: &App, row: MessageRow, sender: Option<&SenderRow>, claim: Claim) -> ServiceResult<()> {
    let now = app.clocks.business();
    if now >= row.not_after {
        return record(app, &row, claim, Outcome::ended(MessageState::Expired, None)).await;
    }
    let Some(route) = app.couriers.route(row.channel, sender) else {
        return put_off(app, &row, claim, now + PAUSE, "no_account").await;
    };
    if let Some(until) = app.couriers.paused(row.channel, route.account, now) {
        return put_off(app, &row, claim, until, row.code.as_deref().unwrap_or("paused")).await;
    }
    let mut outcome = match open(app, &row).await {
        Ok((recipient, content)) => attempt(app, &row, route, &recipient, &content).await,
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, message.id = %row.id, "a message cannot be opened");
            Outcome::ended(MessageState::Failed, Some("unreadable".to_owned()))
        }
    };
    outcome.account = Some((route.account.to_owned(), route.courier.vendor().to_owned()));
    if let Some(pause) = outcome.pause {
        app.couriers.pause(row.channel, route.account, app.clocks.business() + pause);
    }
    record(app, &row, claim, outcome).await
}

async fn open(app: &App, row: &MessageRow) -> Result<(String, Content), StoreError> {
    let keys = keys(app, row).await?;
    let recipient = keys.open_text(RECIPIENT, &row.recipient)?;
    let unreadable = |detail: &str| StoreError::Corrupt { what: "messages", detail: detail.to_owned() };
    let sealed = row.body.as_ref().ok_or_else(|| unreadable("no body"))?;
    let content = serde_json::from_slice(&keys.open(BODY, sealed)?).map_err(|_| unreadable("body"))?;
    Ok((recipient, content))
}

async fn keys(app: &App, row: &MessageRow) -> Result<std::sync::Arc<ProviderKeys>, StoreError> {
    match app.vault.known(row.iys_code) {
        Some(keys) => Ok(keys),
        None => app.vault.keys(&mut app.db.read().await?, row.iys_code).await,
    }
}

/// What an attempt led to.
#[derive(Debug, Default)]
struct Outcome {
    state: Option<MessageState>,
    wait: Option<TimeDelta>,
    unsure: bool,
    vendor_id: Option<String>,
    code: Option<String>,
    answer: Option<String>,
    account: Option<(String, String)>,
    pause: Option<TimeDelta>,
}

impl Outcome {
    fn ended(state: MessageState, code: Option<String>) -> Self {
        Self { state: Some(state), code, ..Self::default() }
    }

    fn sent(vendor_id: Option<String>, answer: String) -> Self {
        Self { state: Some(MessageState::Sent), vendor_id, answer: Some(answer), ..Self::default() }
    }
}

async fn attempt(
    app: &App,
    row: &MessageRow,
    route: Route<'_>,
    recipient: &str,
    content: &Content,
) -> Outcome {
    let now = app.clocks.business();
    let reference = row.id.simple().to_string();
    match route.courier {
        Courier::Sms(account) => {
            let doubt = match earlier(app, row, account, &reference).await {
                Earlier::Ended(outcome) => return outcome,
                Earlier::Over => false,
                Earlier::Dark => true,
            };
            let left = (row.not_after - now).to_std().ok();
            let outgoing = Outgoing {
                from: route.from,
                to: recipient,
                text: &content.text,
                reference: &reference,
                valid_for: left.filter(|_| row.purpose == Purpose::Code),
                now,
            };
            match account.send(&app.couriers.client, outgoing).await {
                Ok(sent) => Outcome::sent(sent.id, said(&sent.answer)),
                Err(failure) => of_sms(row, &failure, doubt),
            }
        }
        Courier::Mail(account) => {
            if row.unsure && row.purpose == Purpose::Code {
                return Outcome::ended(MessageState::Unknown, row.code.clone());
            }
            let mail = Mail {
                from: route.from,
                to: recipient,
                subject: content.subject.as_deref().unwrap_or_default(),
                text: &content.text,
                html: content.html.as_deref(),
                unsubscribe: content.unsubscribe.as_deref(),
                reference: &reference,
                now,
            };
            match account.send(mail).await {
                Ok(sent) => Outcome::sent(sent.id, sent.answer),
                Err(failure) => of_mail(row, failure),
            }
        }
    }
}

/// What is known of an attempt before this one.
enum Earlier {
    /// It settles the message, or leaves it waiting.
    Ended(Outcome),
    /// There was none, or it certainly failed.
    Over,
    /// It may have gone out.
    Dark,
}

/// Asks the vendor about an attempt that nobody knows the end of.
async fn earlier(app: &App, row: &MessageRow, account: &kopru_sms::Account, reference: &str) -> Earlier {
    if !row.unsure {
        return Earlier::Over;
    }
    match account.find(&app.couriers.client, reference).await {
        Ok(Found::Yes(sent)) => Earlier::Ended(Outcome::sent(sent.id, said(&sent.answer))),
        Ok(Found::No) => Earlier::Over,
        Ok(Found::CannotTell) if row.purpose == Purpose::Code => {
            Earlier::Ended(Outcome::ended(MessageState::Unknown, row.code.clone()))
        }
        Ok(Found::CannotTell) => Earlier::Dark,
        // A question that fails says nothing about the message: asked again until its time is over
        Err(failure) => Earlier::Ended(Outcome {
            wait: Some(backoff(row)),
            unsure: true,
            code: Some(failure.code.clone()),
            answer: failure.answer.as_ref().map(said),
            ..Outcome::default()
        }),
    }
}

fn said(answer: &kopru_sms::Answer) -> String {
    format!("{} {}", answer.status, answer.body).trim_end().to_owned()
}

/// `doubt`: an attempt before may have gone out, and a second one in doubt is the last.
fn of_sms(row: &MessageRow, failure: &kopru_sms::Failure, doubt: bool) -> Outcome {
    use kopru_sms::FailureKind;
    let wait =
        |fallback| failure.retry_after.and_then(|wait| TimeDelta::from_std(wait).ok()).unwrap_or(fallback);
    let mut outcome = Outcome {
        code: Some(failure.code.clone()),
        answer: failure.answer.as_ref().map(said),
        unsure: doubt,
        ..Outcome::default()
    };
    match failure.kind {
        FailureKind::Retry => outcome.wait = Some(backoff(row)),
        FailureKind::Wait | FailureKind::Account => {
            let pause = wait(PAUSE).min(TimeDelta::hours(1));
            (outcome.wait, outcome.pause) = (Some(pause), Some(pause));
        }
        FailureKind::Duplicate if row.unsure => outcome.state = Some(MessageState::Sent),
        FailureKind::Refused | FailureKind::Duplicate => outcome.state = Some(MessageState::Failed),
        FailureKind::Unknown if doubt => outcome.state = Some(MessageState::Unknown),
        FailureKind::Unknown => (outcome.wait, outcome.unsure) = (Some(DOUBT.max(backoff(row))), true),
    }
    outcome
}

fn of_mail(row: &MessageRow, failure: kopru_mail::Failure) -> Outcome {
    use kopru_mail::FailureKind;
    let mut outcome = Outcome {
        code: Some(failure.code.clone()),
        answer: failure.answer,
        unsure: row.unsure,
        ..Outcome::default()
    };
    match failure.kind {
        FailureKind::Retry => outcome.wait = Some(backoff(row)),
        FailureKind::Account => (outcome.wait, outcome.pause) = (Some(PAUSE), Some(PAUSE)),
        FailureKind::Refused => outcome.state = Some(MessageState::Failed),
        FailureKind::Unknown if row.unsure => outcome.state = Some(MessageState::Unknown),
        FailureKind::Unknown => (outcome.wait, outcome.unsure) = (Some(DOUBT.max(backoff(row))), true),
    }
    outcome
}

fn backoff(row: &MessageRow) -> TimeDelta {
    let place = usize::try_from(row.attempt - 1).unwrap_or_default();
    WAITS[place.min(WAITS.len() - 1)]
}

/// Gives a message back untried.
async fn put_off(
    app: &App,
    row: &MessageRow,
    claim: Claim,
    at: DateTime<Utc>,
    code: &str,
) -> ServiceResult<()> {
    let mut tx = app.db.begin(Priority::Bulk).await?;
    messages::release(&mut tx, row, claim, at.min(row.not_after), Some(code)).await?;
    Ok(tx.commit().await?)
}

async fn record(app: &App, row: &MessageRow, claim: Claim, outcome: Outcome) -> ServiceResult<()> {
    let now = app.clocks.business();
    let state = outcome.state.unwrap_or(MessageState::Queued);
    let ended = state != MessageState::Queued;
    let answer = match &outcome.answer {
        Some(answer) => Some(keys(app, row).await?.seal(ANSWER, answer.as_bytes())),
        None => None,
    };
    // A message whose time is over by then comes back to be ended.
    let next = (now + outcome.wait.unwrap_or_default()).min(row.not_after);
    let finish = Finish {
        state,
        next_attempt_at: next,
        unsure: outcome.unsure,
        account: outcome.account,
        vendor_id: outcome.vendor_id,
        code: outcome.code,
        answer,
        forget: ended && row.purpose == Purpose::Code,
    };
    let code = finish.code.clone();
    let mut tx = app.db.begin(Priority::Bulk).await?;
    let ours = messages::finish(&mut tx, row, claim, finish, now).await?;
    tx.commit().await?;
    let outcome = if ended { state.as_str() } else { "retry" };
    metrics::counter!("messages_total", "channel" => row.channel.as_str(), "purpose" => row.purpose.as_str(),
        "outcome" => outcome)
    .increment(1);
    if !ours {
        tracing::warn!(message.id = %row.id, "sending a message took longer than its lease");
    }
    if matches!(state, MessageState::Failed | MessageState::Unknown) {
        tracing::warn!(message.id = %row.id, brand = row.brand_code.0, purpose = row.purpose.as_str(), code,
            state = state.as_str(), "a message was not sent");
    }
    Ok(())
}
