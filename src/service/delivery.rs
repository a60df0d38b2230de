//! Webhooks out: signed, first in first out inside one (endpoint, permission key), retried with patience, and given up in the end.
//!
//! Calls are made in turns. A turn belongs to one endpoint: it holds the endpoint's lease, claims a number of its
//! deliveries, makes calls for a few seconds and gives back what it did not get to. So endpoints take turns however much
//! waits for one of them, and in all replicas together nobody is called more often at once than
//! `webhooks.endpoint_concurrency` says. The first call of a turn goes alone: an endpoint that is down costs one call, and is
//! then left alone for a while that is written into its row (see [`outcome`]).

mod outcome;
pub mod replay;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::{StreamExt, future, stream};
use iys::Bytes;
use kopru_store::audit::{self, AuditRow};
use kopru_store::changes::{self, ChangeRow};
use kopru_store::deliveries::{self, DeliveryRow, Finish};
use kopru_store::endpoints::{self, EndpointRow};
use kopru_store::{Claim, Priority, ProviderKeys, StoreError, Tx};
use kopru_webhook::{Request, Secret, Signer};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

pub(super) use self::outcome::BY_OWNER;
use self::outcome::{Sent, Tally};
use crate::bootstrap::App;
use crate::service::{Caller, ServiceResult, mirror};

/// How long a turn goes on making calls; what is under way then is finished.
pub const SLICE: Duration = Duration::from_secs(5);
/// Deliveries of a turn.
const MOST: i64 = 256;
/// Endpoints looked at for a turn: other replicas may take the first ones meanwhile.
const CANDIDATES: i64 = 8;
/// Under which an endpoint's secret is sealed.
const SECRET: &str = "webhook_endpoints.secret";
/// Old secrets that sign beside the present one: each is a part of a header.
const MOST_OLD_SECRETS: usize = 4;

/// What the calls of one process share.
#[derive(Debug)]
pub struct Lanes {
    /// Calls in flight, over all endpoints.
    calls: Semaphore,
    /// Turns of endpoints that failed last time: half of the turns at most, so that they never leave the others none.
    probes: Arc<Semaphore>,
}

impl Lanes {
    /// For so many calls at once.
    pub fn new(concurrency: u32) -> Self {
        let calls = concurrency.max(1) as usize;
        Self { calls: Semaphore::new(calls), probes: Arc::new(Semaphore::new((calls / 2).max(1))) }
    }
}

/// An endpoint's turn: its lease, and deliveries that are due and the first of their key.
#[derive(Debug)]
pub struct Turn {
    endpoint: EndpointRow,
    deliveries: Vec<DeliveryRow>,
    _probe: Option<OwnedSemaphorePermit>,
}

/// Claims a turn of the endpoint that has waited longest for one, with what is due for it.
pub async fn claim_turn(app: &App, lanes: &Lanes, claim: Claim) -> ServiceResult<Option<Turn>> {
    let (business, wire) = (app.clocks.business(), app.clocks.wire());
    let mut probe = lanes.probes.clone().try_acquire_owned().ok();
    let due = {
        // Asked of a reader: a look that finds nothing does not keep the writers waiting.
        let mut tx = app.db.read().await?;
        endpoints::due(&mut tx, business, wire, probe.is_some(), CANDIDATES).await?
    };
    for (provider, id) in due {
        let mut tx = app.db.begin(Priority::Bulk).await?;
        let Some(endpoint) = endpoints::claim(&mut tx, provider, id, business, wire, claim).await? else {
            continue;
        };
        let failing = endpoint.failures > 0;
        if failing && probe.is_none() {
            continue;
        }
        let most = if failing { 1 } else { MOST };
        let mut deliveries = deliveries::claim(&mut tx, (provider, id), most, business, wire, claim).await?;
        if deliveries.is_empty() {
            continue;
        }
        tx.commit().await?;
        deliveries.sort_by_key(|row| (row.next_attempt_at, row.change_seq));
        let probe = probe.take().filter(|_| failing);
        return Ok(Some(Turn { endpoint, deliveries, _probe: probe }));
    }
    Ok(None)
}

/// Makes the calls of a turn and records each; then the endpoint's standing.
pub async fn deliver(app: &App, lanes: &Lanes, turn: Turn, claim: Claim) -> ServiceResult<()> {
    let Turn { endpoint, deliveries, _probe } = turn;
    let places: Vec<i64> = deliveries.iter().map(|row| row.change_seq).collect();
    let (signer, calls) = match prepare(app, &endpoint, deliveries).await {
        Ok(prepared) => prepared,
        Err(error) => {
            // Nothing was attempted; the endpoint comes back when its lease has run out.
            let mut tx = app.db.begin(Priority::Bulk).await?;
            deliveries::release(&mut tx, endpoint.iys_code, endpoint.id, places, claim).await?;
            tx.commit().await?;
            return Err(error);
        }
    };
    let course = Course { app, lanes, endpoint: &endpoint, signer, claim, tally: Mutex::default() };
    let mut calls = calls.into_iter();
    course.make(calls.by_ref().take(1)).await?;
    course.make(calls).await?;
    course.close(places).await
}

/// A call to be made: a delivery and its event, where that can be read.
struct Call {
    row: DeliveryRow,
    event: Option<(String, Bytes)>,
}

async fn prepare(
    app: &App,
    endpoint: &EndpointRow,
    rows: Vec<DeliveryRow>,
) -> ServiceResult<(Signer, Vec<Call>)> {
    let signer = signer(app, endpoint, app.clocks.wire())?;
    let places = rows.iter().map(|row| row.change_seq).collect();
    let mut tx = app.db.read().await?;
    let events = changes::find_many(&mut tx, endpoint.iys_code, places).await?;
    let keys = app.vault.keys(&mut tx, endpoint.iys_code).await?;
    drop(tx);
    let events: HashMap<i64, ChangeRow> = events.into_iter().map(|event| (event.seq, event)).collect();
    let calls = rows.into_iter().map(|row| {
        let event = events.get(&row.change_seq).and_then(|event| open(&keys, event, &row));
        Call { row, event }
    });
    Ok((signer, calls.collect()))
}

/// The event's id and what is sent of it; `None`, with a line in the log, where it cannot be read.
fn open(keys: &ProviderKeys, event: &ChangeRow, row: &DeliveryRow) -> Option<(String, Bytes)> {
    let json = mirror::open_event(keys, &event.sealed)
        .inspect_err(|error| {
            tracing::error!(
                error = error as &dyn std::error::Error,
                change.seq = event.seq,
                "an event cannot be opened"
            );
        })
        .ok()?;
    let body = if row.replay == 0 { json } else { replay::marked(&json)? };
    Some((event.id.to_string(), Bytes::from(body)))
}

/// A turn while it goes on.
struct Course<'a> {
    app: &'a App,
    lanes: &'a Lanes,
    endpoint: &'a EndpointRow,
    signer: Signer,
    claim: Claim,
    tally: Mutex<Tally>,
}

impl Course<'_> {
    /// Makes calls until all are made, the slice of time is over or the endpoint is to be left alone.
    async fn make(&self, calls: impl Iterator<Item = Call>) -> ServiceResult<()> {
        let at_once = self.app.config.webhooks.at_once();
        let until = Instant::now() + SLICE;
        let mut attempts = stream::iter(calls)
            .take_while(|_| future::ready(self.goes_on() && Instant::now() < until))
            .map(|call| self.attempt(call, until))
            .buffer_unordered(at_once)
            .filter_map(future::ready)
            .ready_chunks(at_once);
        while let Some(done) = attempts.next().await {
            self.record(done).await?;
        }
        Ok(())
    }

    /// Makes a call, unless none may be made any more when there is room for it.
    async fn attempt(&self, call: Call, until: Instant) -> Option<(DeliveryRow, Finish)> {
        let Call { row, event } = call;
        let Some((id, body)) = event else {
            let finish = outcome::unreadable(&row, self.app.clocks.wire(), self.app.clocks.business());
            return Some((row, finish));
        };
        let room = timeout_at(until, self.lanes.calls.acquire()).await.ok()?.ok()?;
        if !self.goes_on() {
            return None;
        }
        let (at, started) = (self.app.clocks.wire(), Instant::now());
        let request = Request {
            url: &self.endpoint.url,
            id: &id,
            timestamp: at.timestamp(),
            body,
            signer: &self.signer,
            timeout: self.app.config.webhooks.timeout,
        };
        let result = self.app.webhooks.send(request).await;
        drop(room);
        let sent = Sent { at, elapsed: started.elapsed(), result };
        let (finish, verdict) = outcome::judge(&row, &sent, self.app.clocks.business());
        self.tally().add(verdict);
        Some((row, finish))
    }

    async fn record(&self, done: Vec<(DeliveryRow, Finish)>) -> ServiceResult<()> {
        let mut tx = self.app.db.begin(Priority::Bulk).await?;
        let lost = deliveries::finish(&mut tx, &done, self.claim, self.app.clocks.business()).await?;
        tx.commit().await?;
        for (_, finish) in &done {
            let outcome = finish.state.as_str();
            metrics::counter!("webhook_attempts_total", "outcome" => outcome).increment(1);
        }
        if lost > 0 {
            tracing::warn!(lost, "a turn took longer than its lease: these calls will be made again");
        }
        Ok(())
    }

    /// Gives back what was not attempted, and the endpoint's turn.
    async fn close(self, places: Vec<i64>) -> ServiceResult<()> {
        let (provider, id) = (self.endpoint.iys_code, self.endpoint.id);
        let now = self.app.clocks.business();
        let tally = self.tally().clone();
        let standing = tally.standing(self.endpoint, now);
        let mut tx = self.app.db.begin(Priority::Bulk).await?;
        let ours = endpoints::finish(&mut tx, provider, id, self.claim, standing).await?;
        deliveries::release(&mut tx, provider, id, places, self.claim).await?;
        if let Some(reason) = tally.disables(standing, now).filter(|_| ours) {
            disable(&mut tx, self.app, self.endpoint, reason).await?;
        }
        tx.commit().await?;
        self.app.wake.wake();
        Ok(())
    }

    /// Whether further calls may be made.
    fn goes_on(&self) -> bool {
        !self.tally().stops() && !self.app.lifecycle.is_stopping()
    }

    fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Switches an endpoint off and tells its owner: in its `disabledReason`, the audit trail, the log and a metric.
async fn disable(tx: &mut Tx, app: &App, endpoint: &EndpointRow, reason: &'static str) -> ServiceResult<()> {
    if !endpoints::disable(tx, endpoint.iys_code, endpoint.id, reason).await? {
        return Ok(());
    }
    let row = AuditRow {
        at: app.clocks.wire(),
        actor: Caller::system("system").actor,
        action: "endpoint.disabled".to_owned(),
        subject: endpoint.id.to_string(),
        detail: reason.to_owned(),
    };
    audit::add(tx, endpoint.iys_code, &row).await?;
    metrics::counter!("webhook_endpoints_disabled_total", "reason" => reason).increment(1);
    tracing::warn!(endpoint.id = %endpoint.id, reason, "a webhook endpoint was disabled");
    Ok(())
}

/// The keys an endpoint's calls are signed with: while a secret is being rotated, the old ones too.
pub fn signer(app: &App, endpoint: &EndpointRow, now: DateTime<Utc>) -> ServiceResult<Signer> {
    let mut secrets = vec![open_secret(app, &endpoint.secret)?];
    secrets.extend(old_secrets(app, endpoint, now)?.into_iter().map(|(secret, _)| secret));
    Ok(Signer { secrets, ed25519: None })
}

/// The present secret and those before it, sealed, to sign on until their time is over: the present one until `until`. Whoever
/// rotates twice in a day, for a secret that was lost or seen, has receivers that still know the first.
pub fn retire_secret(
    app: &App,
    endpoint: &EndpointRow,
    now: DateTime<Utc>,
    until: DateTime<Utc>,
) -> ServiceResult<Vec<u8>> {
    // One that cannot be read signs no more, and is no reason to keep it.
    let present = open_secret(app, &endpoint.secret).ok().map(|secret| (secret, until));
    let mut secrets: Vec<_> = present.into_iter().collect();
    secrets.extend(old_secrets(app, endpoint, now).unwrap_or_default());
    secrets.truncate(MOST_OLD_SECRETS);
    let line =
        |(secret, until): &(Secret, DateTime<Utc>)| format!("{} {}", secret.expose(), until.timestamp());
    let lines: Vec<String> = secrets.iter().map(line).collect();
    Ok(app.vault.master().seal(SECRET, lines.join("\n").as_bytes()))
}

/// The old secrets that still sign, and until when.
fn old_secrets(
    app: &App,
    endpoint: &EndpointRow,
    now: DateTime<Utc>,
) -> ServiceResult<Vec<(Secret, DateTime<Utc>)>> {
    let (Some(sealed), Some(last)) = (&endpoint.old_secret, endpoint.old_secret_until) else {
        return Ok(Vec::new());
    };
    let mut secrets = Vec::new();
    for line in open_text(app, sealed)?.lines() {
        // One without a time was written when there was only one.
        let (secret, until) = line.split_once(' ').unwrap_or((line, ""));
        let until =
            until.parse().ok().and_then(|seconds| DateTime::from_timestamp(seconds, 0)).unwrap_or(last);
        secrets.push((secret.parse().map_err(|_| unreadable())?, until));
    }
    secrets.retain(|(_, until)| *until > now);
    Ok(secrets)
}

/// Seals an endpoint's secret under the master key.
pub fn seal_secret(app: &App, secret: &Secret) -> Vec<u8> {
    app.vault.master().seal(SECRET, secret.expose().as_bytes())
}

fn open_secret(app: &App, sealed: &[u8]) -> ServiceResult<Secret> {
    Ok(open_text(app, sealed)?.parse().map_err(|_| unreadable())?)
}

fn open_text(app: &App, sealed: &[u8]) -> ServiceResult<String> {
    Ok(String::from_utf8(app.vault.master().open(SECRET, sealed)?).map_err(|_| unreadable())?)
}

fn unreadable() -> StoreError {
    StoreError::Corrupt { what: "webhook_endpoints", detail: "secret".to_owned() }
}
