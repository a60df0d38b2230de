//! What follows an approval: the registry's record of the address comes into the mirror, and its evidence is fetched and kept.

use chrono::{DateTime, TimeDelta, Utc};
use iys::wire::StatusRequest;
use kopru_domain::{Channel, ConsentStatus, RegistrySide};
use kopru_store::via_processes::{self as processes, EvidenceState, ProcessRow, ProofRow};
use kopru_store::{Claim, Priority};
use sha2::{Digest as _, Sha256};

use super::{ending, follow};
use crate::bootstrap::App;
use crate::registry::{codes, words};
use crate::service::events::Subject;
use crate::service::filing::counted;
use crate::service::filing::settling::Settling;
use crate::service::opt_in::Ask;
use crate::service::permissions::account;
use crate::service::{ServiceError, ServiceResult};

/// Under which the registry's evidence is sealed.
pub(super) const SEALED: &str = "via_evidence.sealed";
/// Why a movement came into the mirror.
const CAUSE: &str = "via";
/// After this time the change feed has told what was approved.
const FEED_HAS_TOLD: TimeDelta = TimeDelta::hours(3);
/// How long evidence that is not there is waited for.
const EVIDENCE_WITHIN: TimeDelta = TimeDelta::days(7);
/// The registry's clock and ours.
const CLOCKS_AGREE: TimeDelta = TimeDelta::seconds(10);

/// Does what is still to be done for an approved process.
pub(super) async fn complete(app: &App, row: ProcessRow, claim: Claim) -> ServiceResult<()> {
    let now = app.clocks.business();
    let ended_at = row.ended_at.unwrap_or(now);
    let mut row = row;
    if !row.mirrored {
        match mirrored(app, &row).await {
            Ok(done) => row.mirrored = done || now > ended_at + FEED_HAS_TOLD,
            Err(ServiceError::Registry(error)) if now <= ended_at + FEED_HAS_TOLD => {
                tracing::info!(
                    error = &*error as &dyn std::error::Error,
                    "an approval is not in the mirror yet"
                );
            }
            Err(ServiceError::Registry(_)) => row.mirrored = true,
            Err(error) => return Err(error),
        }
    }
    if row.evidence != EvidenceState::Due {
        return settle(app, row, claim).await;
    }
    let account = account(app, row.iys_code).await?;
    let request_id = row.request_id.clone().unwrap_or_default();
    match counted("via_evidence", account.via_evidence(row.iys_code.0, &request_id).await) {
        Ok(file) => store(app, row, claim, &file).await,
        Err(error) if now > ended_at + EVIDENCE_WITHIN => {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                opt_in.id = %row.id,
                "the registry gives no evidence of an approval"
            );
            settle(app, ProcessRow { evidence: EvidenceState::Missing, ..row }, claim).await
        }
        Err(error) => follow::later(app, row, claim, Some(&error), &error.to_string()).await,
    }
}

/// Lets go of it: done, or to be looked at again.
async fn settle(app: &App, row: ProcessRow, claim: Claim) -> ServiceResult<()> {
    if row.mirrored {
        return ending::release(app, &ProcessRow { next_attempt_at: None, ..row }, claim).await.map(drop);
    }
    follow::later(app, row, claim, None, "the record does not show the approval yet").await
}

async fn store(app: &App, row: ProcessRow, claim: Claim, file: &[u8]) -> ServiceResult<()> {
    let now = app.clocks.business();
    let proof = ProofRow {
        id: row.id,
        sha256: Sha256::digest(file).to_vec(),
        size: i64::try_from(file.len()).unwrap_or(i64::MAX),
        fetched_at: now,
    };
    let mut tx = app.db.begin(Priority::Bulk).await?;
    let keys = app.vault.keys(&mut tx, row.iys_code).await?;
    let next_attempt_at = (!row.mirrored).then_some(now + TimeDelta::minutes(1));
    let row = ProcessRow { evidence: EvidenceState::Stored, next_attempt_at, ..row };
    if !processes::settle(&mut tx, &row, claim).await? {
        return Ok(());
    }
    processes::prove(&mut tx, row.iys_code, &proof, keys.seal(SEALED, file)).await?;
    tx.commit().await?;
    metrics::counter!("via_evidence_stored_total").increment(1);
    Ok(())
}

/// Brings what was approved into the mirror; false while the record does not show it.
async fn mirrored(app: &App, row: &ProcessRow) -> ServiceResult<bool> {
    let (_, ask) = follow::open(app, row).await?;
    let known = {
        let mut tx = app.db.read().await?;
        processes::movements(&mut tx, row.iys_code, vec![row.id]).await?
    };
    let mut channels: Vec<Channel> = known.iter().map(|movement| movement.channel).collect();
    if channels.is_empty() {
        channels.clone_from(&ask.channels);
    }
    let sides = mirror(app, row, &ask, &channels).await?;
    let since = row.started_at.unwrap_or(row.created_at) - CLOCKS_AGREE;
    Ok(channels
        .iter()
        .all(|channel| sides.iter().any(|(shown, side)| shown == channel && side.creation_date >= since)))
}

/// Asks for the record of an address on some channels, and merges what the registry holds.
pub(super) async fn mirror(
    app: &App,
    row: &ProcessRow,
    ask: &Ask,
    channels: &[Channel],
) -> ServiceResult<Vec<(Channel, RegistrySide)>> {
    let account = account(app, row.iys_code).await?;
    let mut sides = Vec::with_capacity(channels.len());
    for channel in channels {
        let request = StatusRequest {
            recipient: ask.recipient.as_str().to_owned(),
            recipient_type: ask.recipient_type.as_str().to_owned(),
            r#type: channel.as_str().to_owned(),
        };
        let asked_at = app.clocks.business();
        let answer = account.status(codes(row.iys_code, row.brand_code), &request).await;
        let answer = counted("status", answer)?;
        let side = answer.and_then(|answer| words::status_side(&answer, asked_at));
        sides.extend(side.map(|side| (*channel, side)));
    }
    let mut tx = app.db.begin(Priority::Bulk).await?;
    let mut settling = Settling::begin(app, &mut tx, row.iys_code).await?;
    let key = |channel: Channel| {
        settling.keys.key(row.brand_code, ask.recipient_type, channel, ask.recipient.as_str())
    };
    let keyed: Vec<_> = sides.iter().map(|(channel, side)| (*channel, key(*channel), side.clone())).collect();
    settling.load_keys(&mut tx, keyed.iter().map(|(_, key, _)| *key).collect()).await?;
    for (channel, key, side) in keyed {
        let subject = Subject {
            brand_code: row.brand_code,
            key,
            recipient: ask.recipient.as_str().to_owned(),
            recipient_type: ask.recipient_type,
            channel,
        };
        settling.merge(subject, side, CAUSE, ask.reference.clone());
    }
    settling.finish(&mut tx).await?;
    tx.commit().await?;
    app.wake.wake();
    Ok(sides)
}

/// Whether a record is what a process has led to, whose answer to the start never came.
pub(super) fn is_of(row: &ProcessRow, side: &RegistrySide, started_at: DateTime<Utc>) -> bool {
    side.status == ConsentStatus::Approval
        && side.creation_date >= started_at - CLOCKS_AGREE
        && side.source.as_ref().is_some_and(|source| row.verification.is_source(source))
}
