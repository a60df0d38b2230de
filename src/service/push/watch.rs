//! Whether push can be relied on (design.md section 4.10). The registry numbers nothing and promises nothing, so this is watched
//! from outside: the connection is active, the registry has confirmed it lately, everything that came is merged, and no
//! movement was found by the pull that push had not brought. One that was makes push unreliable for a day.

use chrono::{DateTime, TimeDelta, Utc};
use kopru_domain::{BrandCode, Channel, IysCode};
use kopru_store::Tx;
use kopru_store::push::{self, ConnectionRow, ConnectionState};
use sha2::{Digest, Sha256};

use crate::bootstrap::App;
use crate::registry::words::FeedMovement;
use crate::service::ServiceResult;
use crate::service::events::Subject;
use crate::service::reconciliation::HIDDEN;

/// How long a movement that was not pushed counts against push.
const DISTRUST: TimeDelta = TimeDelta::hours(24);
/// What has come in is merged within this time.
const PROMPT: TimeDelta = TimeDelta::minutes(1);
/// Confirmations may come so much later than planned.
const GRACE: TimeDelta = TimeDelta::minutes(15);

/// The identity of a movement (design.md section 4.2) as a digest. The transaction id makes it say nothing of the address.
pub fn digest(subject: &Subject, movement: &FeedMovement) -> Vec<u8> {
    let mut hash = Sha256::new();
    for part in [
        movement.side.transaction_id.as_str(),
        movement.side.status.as_str(),
        &movement.consent_date,
        subject.channel.as_str(),
        subject.recipient_type.as_str(),
        &subject.recipient,
    ] {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    hash.finalize()[..16].to_vec()
}

/// Whether a receiver could be relied on at an instant, apart from what is not merged yet.
pub fn is_alive(app: &App, row: &ConnectionRow, now: DateTime<Utc>) -> bool {
    let every = TimeDelta::from_std(app.config.push.check_interval).unwrap_or(TimeDelta::hours(1));
    row.state == ConnectionState::Active
        && row.confirmed_at.is_some_and(|at| now - at <= every + GRACE)
        && row.gap_at.is_none_or(|at| now - at > DISTRUST)
}

/// Whether pushes of a brand have come in that are not merged yet.
pub async fn is_lagging(app: &App, tx: &mut Tx, provider: IysCode, brand: BrandCode) -> ServiceResult<bool> {
    Ok(push::is_lagging(tx, provider, brand, app.clocks.business() - PROMPT).await?)
}

/// The channels of a brand of which push has told everything that the feed still hid when it was read at `as_of`.
pub async fn covered(
    app: &App,
    tx: &mut Tx,
    provider: IysCode,
    brand: BrandCode,
    as_of: DateTime<Utc>,
) -> ServiceResult<Vec<Channel>> {
    let rows = push::of_brand(tx, provider, brand).await?;
    if rows.is_empty() || is_lagging(app, tx, provider, brand).await? {
        return Ok(Vec::new());
    }
    let now = app.clocks.business();
    let covers = |row: &ConnectionRow| {
        is_alive(app, row, now) && row.active_since.is_some_and(|since| since <= as_of - HIDDEN)
    };
    let mut channels: Vec<Channel> = rows.iter().filter(|row| covers(row)).map(|row| row.channel).collect();
    channels.dedup();
    Ok(channels)
}

/// Notes what a page of the feed shows and push has left out.
pub async fn compare(
    tx: &mut Tx,
    provider: IysCode,
    brand: BrandCode,
    movements: &[(Subject, FeedMovement)],
    now: DateTime<Utc>,
) -> ServiceResult<()> {
    let connections = push::of_brand(tx, provider, brand).await?;
    let since = |channel: Channel| {
        let active = connections.iter().filter(|row| row.channel == channel);
        active.filter_map(|row| row.active_since).min()
    };
    let expected: Vec<(Channel, Vec<u8>)> = movements
        .iter()
        // Whole seconds: what was written in the second of the registration may have come before it.
        .filter(|(subject, movement)| {
            since(subject.channel).is_some_and(|at| movement.side.creation_date > at)
        })
        .map(|(subject, movement)| (subject.channel, digest(subject, movement)))
        .collect();
    if expected.is_empty() {
        return Ok(());
    }
    let digests = expected.iter().map(|(_, digest)| digest.clone()).collect();
    let pushed = push::pushed(tx, provider, brand, digests).await?;
    let mut missed: Vec<Channel> = expected
        .into_iter()
        .filter(|(_, digest)| !pushed.contains(digest))
        .map(|(channel, _)| channel)
        .collect();
    metrics::counter!("push_missed_total").increment(missed.len() as u64);
    missed.sort_unstable();
    missed.dedup();
    for channel in missed {
        tracing::warn!(
            brand.code = brand.0,
            channel = channel.as_str(),
            "the feed shows a movement that was not pushed: push is not relied on for a day"
        );
        push::gap(tx, provider, brand, channel, now).await?;
    }
    Ok(())
}
