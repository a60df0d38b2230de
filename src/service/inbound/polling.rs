//! Reading the vendors' inboxes: what was pushed while nobody listened, or never pushed, is found there. What is found goes the way of
//! a push; what was pushed before is known again.

use chrono::{DateTime, TimeDelta, Utc};
use kopru_domain::outcome::retry_delay;
use kopru_sms::inbound::Message;
use kopru_sms::{Account, Client, Since, Vendor, iletimerkezi, netgsm, twilio, verimor};
use kopru_store::inbound::{self, ConnectionRow, PollRow};
use kopru_store::{Claim, Priority};

use super::receiving::{self, Head};
use super::{Inbox, Secrets, reading};
use crate::bootstrap::App;
use crate::service::ServiceResult;

/// Between two readings of an inbox.
const EVERY: TimeDelta = TimeDelta::minutes(2);

/// An inbox to be read.
pub struct Reading {
    connection: ConnectionRow,
    account: Account,
    poll: PollRow,
}

/// Claims an inbox that is due, if one is.
pub async fn claim(app: &App, claim: Claim) -> ServiceResult<Option<Reading>> {
    let now = app.clocks.business();
    let mut due = Vec::new();
    {
        let mut tx = app.db.read().await?;
        for connection in inbound::connections(&mut tx).await? {
            if let Some(account) = account(app, &connection)?
                && !inbound::poll_waits(&mut tx, &connection.id.to_string(), now).await?
            {
                due.push((connection, account));
            }
        }
    }
    for (connection, account) in due {
        let mut tx = app.db.begin(Priority::Bulk).await?;
        let name = connection.id.to_string();
        let poll = inbound::claim_poll(&mut tx, &name, now, app.clocks.wire(), claim).await?;
        tx.commit().await?;
        if let Some(poll) = poll {
            return Ok(Some(Reading { connection, account, poll }));
        }
    }
    Ok(None)
}

fn account(app: &App, connection: &ConnectionRow) -> ServiceResult<Option<Account>> {
    let Some(Inbox { username, password, url }) = Secrets::open(app, connection)?.inbox else {
        return Ok(None);
    };
    let password = password.into();
    let at = |known: &str| url.clone().unwrap_or_else(|| known.to_owned());
    Ok(match connection.vendor.parse() {
        Ok(Vendor::Verimor) => {
            Some(Account::Verimor(verimor::Account { username, password, url: at(verimor::URL) }))
        }
        Ok(Vendor::Netgsm) => {
            Some(Account::Netgsm(netgsm::Account { username, password, appname: None, url: at(netgsm::URL) }))
        }
        Ok(Vendor::IletiMerkezi) => {
            let url = at(iletimerkezi::URL);
            Some(Account::IletiMerkezi(iletimerkezi::Account { key: username, hash: password, url }))
        }
        Ok(Vendor::Twilio) => Some(Account::Twilio(twilio::Account {
            account_sid: username,
            auth_token: password,
            url: at(twilio::URL),
            status_callback: None,
        })),
        _ => None,
    })
}

/// Reads a claimed inbox once; what is new in it is kept before the cursor moves.
pub async fn read(app: &App, reading: Reading, claim: Claim) -> ServiceResult<()> {
    let Reading { connection, account, mut poll } = reading;
    let now = app.clocks.business();
    // An inbox is asked from when it was last read, or from when it was connected.
    let from = poll.read_at.unwrap_or(connection.created_at).min(now);
    let cursor = poll.cursor.clone();
    let since = Since { cursor: cursor.as_deref(), from, now };
    let outcome = match Client::builder().build() {
        Ok(client) => account.inbox(&client, since).await.map_err(|failure| failure.to_string()),
        Err(error) => Err(error.to_string()),
    };
    let mut tx;
    let (next, error) = match outcome {
        Ok(inbox) => {
            if inbox.unread > 0 {
                tracing::error!(
                    sms.vendor = connection.vendor,
                    records = inbox.unread,
                    "an inbox holds what cannot be read"
                );
            }
            let fresh = unseen(app, &connection, account.vendor(), inbox.messages, now).await?;
            tx = app.db.begin(Priority::Interactive).await?;
            for message in &fresh {
                let head = Head { content_type: Some("application/json".to_owned()), query: None };
                let post = receiving::post(app, account.vendor(), &head, message.raw.as_bytes());
                inbound::store(&mut tx, &post).await?;
            }
            let found = u64::try_from(fresh.len()).unwrap_or_default();
            metrics::counter!("inbound_polled_total", "vendor" => account.vendor().as_str()).increment(found);
            poll.cursor = inbox.cursor.or(poll.cursor);
            poll.read_at = Some(now);
            poll.attempt = 0;
            (if inbox.more { now } else { now + EVERY }, None)
        }
        Err(error) => {
            tracing::warn!(sms.vendor = connection.vendor, error, "an inbox could not be read");
            tx = app.db.begin(Priority::Interactive).await?;
            let attempt = u32::try_from(poll.attempt).unwrap_or(u32::MAX);
            let delay = TimeDelta::from_std(retry_delay(attempt, 0)).unwrap_or(EVERY);
            (now + delay, Some(error))
        }
    };
    inbound::finish_poll(&mut tx, &poll, claim, next, error.as_deref()).await?;
    tx.commit().await?;
    app.wake.wake();
    Ok(())
}

/// The messages that were not dealt with before, and that came after the inbox was connected: what was there then is somebody else's.
async fn unseen(
    app: &App,
    connection: &ConnectionRow,
    vendor: Vendor,
    mut messages: Vec<Message>,
    now: DateTime<Utc>,
) -> ServiceResult<Vec<Message>> {
    messages.retain(|message| message.received_at.is_none_or(|at| at >= connection.created_at));
    let digest =
        |message: &Message| reading::digest(vendor, message, message.received_at.unwrap_or(now)).to_vec();
    let digests: Vec<Vec<u8>> = messages.iter().map(digest).collect();
    let mut tx = app.db.read().await?;
    let seen = inbound::seen(&mut tx, digests.clone()).await?;
    let pairs = messages.into_iter().zip(digests);
    Ok(pairs.filter(|(_, digest)| !seen.contains(digest)).map(|(message, _)| message).collect())
}
