//! Replays: events of the feed since an instant are delivered to an endpoint once more.
//!
//! They keep their ids, say `"replayed": true`, and stand outside the order of their keys. A replay is a job that puts a part
//! of the feed at a time into the queue and waits until most of it is through: a million events are neither one transaction
//! nor a mountain before the events of today.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use kopru_domain::IysCode;
use kopru_store::deliveries::{self, Part};
use kopru_store::jobs::{self, JobRow};
use kopru_store::{Claim, Priority, StoreError, Tx, changes, endpoints, heads, ids};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::bootstrap::App;
use crate::service::ServiceResult;

/// Kind of the job, followed by the endpoint: one replay of an endpoint at a time.
const KIND: &str = "replay ";
/// Places of the feed in one part.
const PART: i64 = 1_000;
/// The next part is queued once no more of the one before it are open.
const OPEN: i64 = PART / 10;
/// How long a step waits for the part before it.
const LOOK: TimeDelta = TimeDelta::seconds(1);
/// The same while the endpoint is left alone after a failure.
const PATIENCE: TimeDelta = TimeDelta::minutes(1);
/// Events are numbered in the order of their commits and dated when their transaction began: so far they may be apart.
const DISORDER: TimeDelta = TimeDelta::minutes(10);

/// How far a replay has come: the payload of its job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Progress {
    endpoint: Uuid,
    replay: i64,
    since: DateTime<Utc>,
    /// Where the part that was queued last began.
    from: i64,
    /// Up to here everything is queued.
    after: i64,
    until: i64,
}

impl Progress {
    /// The part that was queued last.
    fn last(&self) -> Part {
        Part { replay: self.replay, after: self.from, until: self.after }
    }

    /// As it is once the next part is queued.
    fn next(&self) -> Self {
        let after = self.after.saturating_add(PART).min(self.until);
        Self { from: self.after, after, ..self.clone() }
    }
}

/// Whether a job is a replay.
pub fn is_replay(job: &JobRow) -> bool {
    job.kind.starts_with(KIND)
}

/// The first and the last place of what a replay will send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::service) struct Range {
    pub first: i64,
    pub last: i64,
}

/// Begins the replay of what has happened since an instant; `None` where another one of the endpoint is still going on.
/// The range is empty (`first` behind `last`) where nothing happened.
pub(in crate::service) async fn begin(
    tx: &mut Tx,
    app: &App,
    provider: IysCode,
    endpoint: Uuid,
    since: DateTime<Utc>,
) -> ServiceResult<Option<(Uuid, Range)>> {
    // Also keeps two requests from beginning at once.
    let replay = endpoints::next_replay(tx, provider, endpoint).await?.unwrap_or_default();
    let last = heads::get(tx, provider).await?.change_seq;
    let first = first_since(tx, provider, since - DISORDER, last).await?;
    let now = app.clocks.wire();
    let id = ids::new_id(now);
    let progress = Progress { endpoint, replay, since, from: first - 1, after: first - 1, until: last };
    let kind = format!("{KIND}{endpoint}");
    let begun = jobs::add_once(tx, provider, id, &kind, &payload(&progress)?, now).await?;
    Ok(begun.then_some((id, Range { first, last })))
}

/// The first place of the feed with an event of an instant or later; the place behind `last` where there is none.
async fn first_since(tx: &mut Tx, provider: IysCode, since: DateTime<Utc>, last: i64) -> ServiceResult<i64> {
    let (mut low, mut high) = (1, last + 1);
    while low < high {
        let middle = low + (high - low) / 2;
        match changes::at_or_after(tx, provider, middle).await? {
            Some((seq, at)) if at < since && seq <= last => low = seq + 1,
            _ => high = middle,
        }
    }
    Ok(low)
}

/// Queues the next part of a replay, if the one before it is through; returns whether the replay has ended.
pub async fn step(app: &App, job: &JobRow, claim: Claim) -> ServiceResult<bool> {
    let unreadable = || StoreError::Corrupt { what: "jobs", detail: "payload".to_owned() };
    let progress: Progress = serde_json::from_str(&job.payload).map_err(|_| unreadable())?;
    let (provider, id) = (job.iys_code, progress.endpoint);
    let mut tx = app.db.begin(Priority::Bulk).await?;
    let Some(endpoint) = endpoints::find(&mut tx, provider, id).await?.filter(|endpoint| endpoint.active)
    else {
        tracing::warn!(endpoint.id = %id, "a replay ended early: its endpoint is disabled");
        return Ok(true);
    };
    if progress.after >= progress.until {
        return Ok(true);
    }
    let (wire, business) = (app.clocks.wire(), app.clocks.business());
    if deliveries::open_of_replay(&mut tx, provider, id, progress.last()).await? > OPEN {
        let patience = if endpoint.failures > 0 { PATIENCE } else { LOOK };
        jobs::proceed(&mut tx, job, claim, &job.payload, wire + patience).await?;
        tx.commit().await?;
        return Ok(false);
    }
    let next = progress.next();
    let queued = deliveries::replay(&mut tx, provider, id, next.last(), next.since, business).await?;
    // A step without anything queued, of another brand's events, needs no waiting.
    if jobs::proceed(&mut tx, job, claim, &payload(&next)?, wire).await? {
        tx.commit().await?;
        tracing::debug!(endpoint.id = %id, queued, replay.until = next.after, "a part of a replay was queued");
        app.wake.wake();
    }
    Ok(false)
}

fn payload(progress: &Progress) -> ServiceResult<String> {
    let unwritable = |_| StoreError::Corrupt { what: "jobs", detail: "payload".to_owned() };
    Ok(serde_json::to_string(progress).map_err(unwritable)?)
}

/// An event as a replay sends it: with `"replayed": true` beside its id and type; `None` where it is no JSON object.
pub(super) fn marked(json: &[u8]) -> Option<Vec<u8>> {
    let mut event: BTreeMap<&str, &RawValue> = serde_json::from_slice(json).ok()?;
    event.insert("replayed", serde_json::from_str("true").ok()?);
    serde_json::to_vec(&event).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_marked_and_otherwise_the_same() {
        let event = br#"{"id":"1","type":"permission.changed","data":{"sequence":7,"recipient":"a@b.c"}}"#;
        let marked: serde_json::Value = serde_json::from_slice(&marked(event).unwrap()).unwrap();
        let mut expected: serde_json::Value = serde_json::from_slice(event).unwrap();
        expected["replayed"] = true.into();
        assert_eq!(marked, expected);
        assert_eq!(super::marked(b"[]"), None);
    }

    #[test]
    fn parts_follow_each_other_up_to_the_end() {
        let since = DateTime::<Utc>::UNIX_EPOCH;
        let start =
            Progress { endpoint: Uuid::nil(), replay: 3, since, from: 41, after: 41, until: 41 + PART + 5 };
        let first = start.next();
        assert_eq!(first.last(), Part { replay: 3, after: 41, until: 41 + PART });
        let second = first.next();
        assert_eq!(second.last(), Part { replay: 3, after: 41 + PART, until: 41 + PART + 5 });
        let read: Progress = serde_json::from_str(&payload(&second).unwrap()).unwrap();
        assert_eq!(read, second);
    }
}
