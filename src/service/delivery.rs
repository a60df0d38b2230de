//! Webhooks out: signed, first in first out inside one (endpoint, permission key), retried with patience, and given up in the end.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures::{StreamExt, stream};
use iys::Bytes;
use kopru_store::deliveries::{self, AttemptRow, DeliveryRow, DeliveryState, Finish};
use kopru_store::endpoints::{self, EndpointRow};
use kopru_store::{Claim, Priority, StoreError, changes};
use kopru_webhook::{Request, Response, Secret, SendError, Signer};

use crate::bootstrap::App;
use crate::service::{ServiceResult, mirror};

/// Waits between attempts, each ± 20 %.
const RETRIES: [Duration; 10] = [
    Duration::from_secs(5),
    Duration::from_mins(1),
    Duration::from_mins(5),
    Duration::from_mins(30),
    Duration::from_hours(2),
    Duration::from_hours(5),
    Duration::from_hours(10),
    Duration::from_hours(14),
    Duration::from_hours(20),
    Duration::from_hours(24),
];
/// An endpoint that takes nothing for so long is disabled.
const DISABLE_AFTER: TimeDelta = TimeDelta::days(5);
/// Deliveries claimed at once.
const MOST: i64 = 64;
/// Under which an endpoint's secret is sealed.
const SECRET: &str = "webhook_endpoints.secret";

/// Claims deliveries that are due and the first of their key.
pub async fn claim_deliveries(app: &App, claim: Claim) -> ServiceResult<Vec<DeliveryRow>> {
    let mut tx = app.db.begin(Priority::Bulk).await?;
    let rows = deliveries::claim(&mut tx, MOST, app.clocks.business(), app.clocks.wire(), claim).await?;
    tx.commit().await?;
    Ok(rows)
}

/// Sends what was claimed and records each attempt.
pub async fn deliver(app: &App, rows: Vec<DeliveryRow>, claim: Claim) -> ServiceResult<()> {
    let at_once = app.config.webhooks.concurrency.max(1) as usize;
    let mut attempts = stream::iter(rows)
        .map(|row| async move {
            let attempt = attempt(app, &row).await;
            (row, attempt)
        })
        .buffer_unordered(at_once)
        .ready_chunks(at_once);
    while let Some(done) = attempts.next().await {
        record(app, done, claim).await?;
    }
    Ok(())
}

/// What came of one attempt.
struct Attempt {
    at: DateTime<Utc>,
    elapsed: Duration,
    result: Result<Response, SendError>,
}

async fn attempt(app: &App, row: &DeliveryRow) -> ServiceResult<Attempt> {
    let (endpoint, id, body) = load(app, row).await?;
    let at = app.clocks.wire();
    let signer = signer(app, &endpoint, at)?;
    let request = Request {
        url: &endpoint.url,
        id: &id,
        timestamp: at.timestamp(),
        body,
        signer: &signer,
        timeout: app.config.webhooks.timeout,
    };
    let result = app.webhooks.send(request).await;
    let elapsed = result.as_ref().map_or(app.config.webhooks.timeout, |response| response.elapsed);
    Ok(Attempt { at, elapsed, result })
}

async fn load(app: &App, row: &DeliveryRow) -> ServiceResult<(EndpointRow, String, Bytes)> {
    let gone = |what| StoreError::Corrupt { what, detail: "missing".to_owned() };
    let mut tx = app.db.read().await?;
    let endpoint = endpoints::find(&mut tx, row.iys_code, row.endpoint_id)
        .await?
        .ok_or_else(|| gone("webhook_endpoints"))?;
    let change =
        changes::find(&mut tx, row.iys_code, row.change_seq).await?.ok_or_else(|| gone("changes"))?;
    let keys = app.vault.keys(&mut tx, row.iys_code).await?;
    let body = mirror::open_event(&keys, &change.sealed)?;
    Ok((endpoint, change.id.to_string(), Bytes::from(body)))
}

/// The keys an endpoint's calls are signed with: while a secret is being rotated, the old one too.
pub fn signer(app: &App, endpoint: &EndpointRow, now: DateTime<Utc>) -> ServiceResult<Signer> {
    let mut secrets = vec![open_secret(app, &endpoint.secret)?];
    if let Some(old) =
        endpoint.old_secret.as_ref().filter(|_| endpoint.old_secret_until.is_some_and(|until| until > now))
    {
        secrets.push(open_secret(app, old)?);
    }
    Ok(Signer { secrets, ed25519: None })
}

/// Seals an endpoint's secret under the master key.
pub fn seal_secret(app: &App, secret: &Secret) -> Vec<u8> {
    app.vault.master().seal(SECRET, secret.expose().as_bytes())
}

fn open_secret(app: &App, sealed: &[u8]) -> ServiceResult<Secret> {
    let unreadable = || StoreError::Corrupt { what: "webhook_endpoints", detail: "secret".to_owned() };
    let text = String::from_utf8(app.vault.master().open(SECRET, sealed)?).map_err(|_| unreadable())?;
    Ok(text.parse().map_err(|_| unreadable())?)
}

async fn record(
    app: &App,
    done: Vec<(DeliveryRow, ServiceResult<Attempt>)>,
    claim: Claim,
) -> ServiceResult<()> {
    let now = app.clocks.business();
    let mut tx = app.db.begin(Priority::Bulk).await?;
    for (row, attempt) in done {
        let attempt = match attempt {
            Ok(attempt) => attempt,
            Err(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    delivery.seq = row.change_seq,
                    "a delivery could not be prepared"
                );
                continue;
            }
        };
        let (finish, verdict) = judge(&row, &attempt, now);
        deliveries::finish(&mut tx, &row, claim, &finish, now).await?;
        let (provider, endpoint) = (row.iys_code, row.endpoint_id);
        match verdict {
            Verdict::Delivered => endpoints::healthy(&mut tx, provider, endpoint).await?,
            Verdict::Gone => {
                endpoints::disable(&mut tx, provider, endpoint, "the receiver answered 410 Gone").await?;
            }
            Verdict::Failed => {
                endpoints::failing(&mut tx, provider, endpoint, attempt.at).await?;
                let known = endpoints::find(&mut tx, provider, endpoint).await?;
                let since = known.and_then(|endpoint| endpoint.failing_since);
                if since.is_some_and(|since| attempt.at - since >= DISABLE_AFTER) {
                    endpoints::disable(&mut tx, provider, endpoint, "every call failed for five days")
                        .await?;
                }
            }
        }
        let outcome = finish.state.as_str();
        metrics::counter!("webhook_attempts_total", "outcome" => outcome).increment(1);
    }
    tx.commit().await?;
    app.wake.wake();
    Ok(())
}

enum Verdict {
    Delivered,
    Failed,
    Gone,
}

fn judge(row: &DeliveryRow, attempt: &Attempt, now: DateTime<Utc>) -> (Finish, Verdict) {
    let status = attempt.result.as_ref().ok().map(|response| i64::from(response.status));
    let (state, next, verdict) = match &attempt.result {
        Ok(response) if response.is_success() => (DeliveryState::Delivered, now, Verdict::Delivered),
        Ok(response) if response.is_gone() => (DeliveryState::Parked, now, Verdict::Gone),
        other => match delay(row, other.as_ref().ok().and_then(|response| response.retry_after)) {
            Some(delay) => (DeliveryState::Queued, now + delay, Verdict::Failed),
            None => (DeliveryState::Parked, now, Verdict::Failed),
        },
    };
    let error = match &attempt.result {
        Ok(response) if response.is_success() => None,
        Ok(response) => Some(format!("HTTP {}", response.status)),
        Err(error) => Some(error.to_string()),
    };
    let attempt = AttemptRow {
        attempt: row.attempt,
        at: attempt.at,
        status,
        error,
        elapsed_ms: i64::try_from(attempt.elapsed.as_millis()).unwrap_or(i64::MAX),
    };
    (Finish { state, next_attempt_at: next, attempt }, verdict)
}

/// How long to wait after an attempt; `None` when it was the last. What the receiver asks for counts, if it is longer.
fn delay(row: &DeliveryRow, asked: Option<Duration>) -> Option<TimeDelta> {
    let place = usize::try_from(row.attempt - 1).ok()?;
    let base = RETRIES.get(place)?;
    let (_, seed) = row.endpoint_id.as_u64_pair();
    // ± 20 %, different for each delivery and attempt, the same when computed again.
    let mixed = seed
        .wrapping_mul(0x9E37_79B9_7F4A_7C15)
        .wrapping_add(row.change_seq.unsigned_abs() * 31 + row.attempt.unsigned_abs());
    let spread = 0.8 + 0.4 * ((mixed >> 11) as f64 / (1_u64 << 53) as f64);
    let wait = base.mul_f64(spread).max(asked.unwrap_or_default());
    TimeDelta::from_std(wait).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(attempt: i64) -> DeliveryRow {
        DeliveryRow {
            iys_code: kopru_domain::IysCode(1),
            endpoint_id: uuid::Uuid::from_u128(7),
            change_seq: 9,
            key: kopru_store::Key([0; 16]),
            state: DeliveryState::InFlight,
            attempt,
            next_attempt_at: DateTime::<Utc>::MIN_UTC,
            last_status: None,
            last_error: None,
            updated_at: DateTime::<Utc>::MIN_UTC,
        }
    }

    #[test]
    fn each_wait_is_within_a_fifth_of_the_schedule_and_the_last_attempt_ends_it() {
        for (place, base) in RETRIES.iter().enumerate() {
            let wait = delay(&row(place as i64 + 1), None).unwrap().to_std().unwrap();
            assert!(wait >= base.mul_f64(0.79) && wait <= base.mul_f64(1.21), "{place}: {wait:?}");
        }
        assert_eq!(delay(&row(11), None), None);
    }

    #[test]
    fn a_longer_retry_after_is_honoured() {
        assert_eq!(delay(&row(1), Some(Duration::from_mins(5))), Some(TimeDelta::seconds(300)));
    }
}
