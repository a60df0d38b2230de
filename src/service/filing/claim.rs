//! Claiming what is due: the rules run again, the bytes are made and stored, and only then does anything leave the house.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use iys::Bytes;
use iys::wire::encode;
use kopru_domain::schedule::Shape;
use kopru_domain::{BrandCode, BrandPolicy, Code};
use kopru_domain::{Channel, ClaimVerdict, Confirmation, ConsentStatus, HeldCause, IysCode, SubmissionState};
use kopru_store::batches::{self, BatchRow, BatchState};
use kopru_store::brands;
use kopru_store::holds::{self, HoldRow};
use kopru_store::submissions::{self, Portion, SubmissionRow};
use kopru_store::{Claim, Priority, StoreError, Tx, ids};
use uuid::Uuid;

use crate::bootstrap::App;
use crate::registry::words::{Filing, request};
use crate::service::filing::settling::{Settling, candidate, consents_of};
use crate::service::filing::sharing::divide;
use crate::service::filing::{Outgoing, Outlook, Place, Turn};
use crate::service::mirror::{self, KeyStates};
use crate::service::{SLICE, ServiceError, ServiceResult};

/// Rejections whose target is nearer go even where a brand's filings are held back.
const NEAR: TimeDelta = TimeDelta::hours(4);
/// The others of such a brand come back after this.
const HELD_BACK_FOR: TimeDelta = TimeDelta::minutes(10);
/// Brands tried in one claim, when what is due there cannot go just now.
const BRANDS_A_CLAIM: usize = 200;

/// Work that was claimed, all of one brand.
#[derive(Debug)]
pub struct Work {
    /// Provider.
    pub provider: IysCode,
    /// Brand.
    pub brand: BrandCode,
    /// One batch, in state `posting`, with its exact bytes.
    pub batch: Option<(BatchRow, Bytes)>,
    /// Single adds, ready to be sent.
    pub singles: Vec<Outgoing>,
    /// Late rejections, to be asked about first, one by one.
    pub ask_first: Vec<SubmissionRow>,
    /// Late rejections, to be asked about as lists.
    pub sift: Vec<SubmissionRow>,
}

/// Claims the next work, or nothing when nothing can go.
pub async fn claim_due(app: &App, turn: &Turn, claim: Claim) -> ServiceResult<Option<Work>> {
    if !app.registry.is_open().await? {
        return Ok(None);
    }
    let mut except = Vec::new();
    while except.len() < BRANDS_A_CLAIM {
        let next = {
            let mut tx = app.db.read().await?;
            let outlook = turn.outlook(app, &mut tx).await?;
            let place = turn.next(app, &mut tx, outlook.regime, &except).await?;
            place.map(|place| (place, outlook))
        };
        let Some((place @ (provider, brand, statuses), outlook)) = next else { return Ok(None) };
        let most = i64::from(turn.items_per_request());
        let claimed = match going(app, place).await? {
            Some(going) => claim_brand(app, (provider, brand), going, most, &outlook, claim).await,
            None => Ok(None),
        };
        match claimed {
            Ok(Some(work)) => return Ok(Some(work)),
            Ok(None) => {}
            Err(ServiceError::Store(error)) if error.is_unavailable() => return Err(error.into()),
            // One brand that cannot be read or filed for is no reason to leave the others.
            Err(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    brand.code = brand.0,
                    "a brand's filings cannot be claimed"
                );
                metrics::counter!("claims_failed_total").increment(1);
            }
        }
        except.push((provider, brand, statuses));
    }
    Ok(None)
}

/// What of a brand goes.
#[derive(Clone, Copy)]
struct Going {
    statuses: &'static [ConsentStatus],
    /// Only what has its target before this instant.
    near: Option<DateTime<Utc>>,
    /// Too many requests fail: no single question that a list can answer.
    careful: bool,
}

/// What of a brand goes: all, unless its filings are held back because most of them failed and too many requests fail as it
/// is. Then only rejections near their target go.
async fn going(app: &App, (provider, brand, statuses): Place) -> ServiceResult<Option<Going>> {
    let standing = app.registry.standing().await?;
    let careful = standing.careful;
    if !standing.failing.contains(&(provider, brand)) {
        return Ok(Some(Going { statuses, near: None, careful }));
    }
    let now = app.clocks.business();
    let earliest = {
        let mut tx = app.db.read().await?;
        submissions::earliest_rejection(&mut tx, provider, brand, now).await?
    };
    let is_near =
        statuses.contains(&ConsentStatus::Rejection) && earliest.is_some_and(|target| target < now + NEAR);
    if !is_near {
        metrics::counter!("registry_held_back_total", "what" => "filing").increment(1);
        return Ok(None);
    }
    Ok(Some(Going { statuses: &[ConsentStatus::Rejection], near: Some(now + NEAR), careful }))
}

async fn claim_brand(
    app: &App,
    (provider, brand): (IysCode, BrandCode),
    going: Going,
    most: i64,
    outlook: &Outlook,
    claim: Claim,
) -> ServiceResult<Option<Work>> {
    // What never changes is read and opened before the provider's head is held.
    let (policy, consents, singles) = {
        let mut tx = app.db.read().await?;
        // Without an account nothing can be sent: what is claimed would only look as if it had left the house.
        app.registry.account(&mut tx, provider).await?;
        let now = app.clocks.business();
        let due = submissions::due(&mut tx, provider, brand, going.statuses, most, now).await?;
        let earliest = due.iter().map(|(_, target)| *target).min().unwrap_or(now);
        let policy = brands::find_by_code(&mut tx, brand).await?.map(|brand| brand.policy);
        let consents =
            consents_of(&mut tx, app, provider, due.into_iter().map(|(id, _)| id).collect()).await?;
        (policy.unwrap_or_default(), consents, outlook.load(app, earliest).most_as_singles(most as u64))
    };
    let mut tx = app.db.begin(Priority::Bulk).await?;
    let mut settling = Settling::begin(app, &mut tx, provider).await?.with(consents);
    let batch_id = ids::new_id(settling.now);
    let portion = Portion { limit: most, singles: singles as i64, batch: batch_id };
    let rows =
        submissions::claim(&mut tx, provider, brand, going.statuses, portion, settling.now, claim).await?;
    if rows.is_empty() {
        return Ok(None);
    }
    settling.load_consents(&mut tx, &rows).await?;
    settling.load_access(&mut tx).await?;
    let gate = Gate::load(&mut tx, provider, brand).await?;
    let mut review = Review { app, going, gate, policy, ready: Vec::new(), ask_first: Vec::new() };
    review.all(&mut tx, &mut settling, rows, (provider, claim)).await?;
    let Review { mut ready, ask_first, .. } = review;
    let ask_first = ask_first.into_iter().map(|row| settling.alone(row)).collect();
    let (ask_first, sift) = divide(app, &mut tx, &mut settling, ask_first, going.careful).await?;
    let mut work = Work { provider, brand, batch: None, singles: Vec::new(), ask_first, sift };
    let earliest = ready.iter().map(|out| out.row.target_at).min().unwrap_or(settling.now);
    if outlook.load(app, earliest).shape(ready.len() as u64) == Shape::Batch {
        let place = (provider, brand, batch_id);
        work.batch = Some(batch(&mut tx, &mut settling, place, ready, claim).await?);
    } else {
        store_wires(&mut settling, &mut ready);
        work.singles = ready;
    }
    settling.finish(&mut tx).await?;
    tx.commit_yielding().await?;
    Ok(Some(work))
}

/// The holds of a brand: everything on a held channel waits, but for the probe that housekeeping puts in.
#[derive(Debug, Default)]
pub(super) struct Gate {
    holds: HashMap<Channel, HoldRow>,
}

impl Gate {
    pub(super) async fn load(tx: &mut Tx, provider: IysCode, brand: BrandCode) -> ServiceResult<Self> {
        let holds = holds::of_brand(tx, provider, brand).await?;
        Ok(Self { holds: holds.into_iter().map(|hold| (hold.channel, hold)).collect() })
    }

    pub(super) fn stop(&self, row: &SubmissionRow) -> Option<(HeldCause, Code)> {
        let hold = self.holds.get(&row.channel)?;
        let cause: HeldCause = hold.cause.parse().ok()?;
        // A used-up package refuses new addresses; a RET of a known one may pass.
        let passes = cause == HeldCause::Quota && row.status == ConsentStatus::Rejection;
        if passes || row.cause.as_deref() == Some(submissions::PROBE) {
            return None;
        }
        Some((cause, Code::new(hold.code.clone())))
    }
}

/// The rules, run over what was claimed.
struct Review<'a> {
    app: &'a App,
    going: Going,
    gate: Gate,
    policy: BrandPolicy,
    ready: Vec<Outgoing>,
    ask_first: Vec<SubmissionRow>,
}

impl Review<'_> {
    /// Some are reviewed while the database looks up the keys of the next. Beside the movement that was claimed, a key's others
    /// count.
    async fn all(
        &mut self,
        tx: &mut Tx,
        settling: &mut Settling<'_>,
        rows: Vec<SubmissionRow>,
        (provider, claim): (IysCode, Claim),
    ) -> ServiceResult<()> {
        let mut rows = rows.into_iter();
        let mut known: Vec<SubmissionRow> = Vec::new();
        loop {
            let next: Vec<SubmissionRow> = rows.by_ref().take(SLICE).collect();
            let keys = next.iter().map(|row| row.key).collect();
            let reviewed = async { known.into_iter().try_for_each(|row| self.one(settling, row)) };
            let (states, reviewed) =
                futures::join!(KeyStates::load_beside(tx, provider, keys, claim), reviewed);
            reviewed?;
            settling.states.add(states?);
            if next.is_empty() {
                return Ok(());
            }
            known = next;
        }
    }

    fn one(&mut self, settling: &mut Settling<'_>, row: SubmissionRow) -> ServiceResult<()> {
        let now = settling.now;
        if self.going.near.is_some_and(|near| row.target_at >= near) {
            settling.put_back(row, now + HELD_BACK_FOR);
            return Ok(());
        }
        if let Some((cause, code)) = self.gate.stop(&row) {
            return settling.hold(row, cause, &code, false);
        }
        if row.late {
            // The registry said "too late" to the true date: it goes with the present time, after a status query.
            self.ask_first.push(row);
            return Ok(());
        }
        let consent = candidate(&settling.consent(row.consent_id)?.0);
        let state = settling.states.of(row.key);
        let verdict = state.review(&consent, &self.policy, &self.app.calendar, now, Confirmation::None);
        carry_out(settling, row, verdict, &mut self.ready, &mut self.ask_first)
    }
}

/// Does what the rules say about a claimed submission.
pub(super) fn carry_out(
    settling: &mut Settling<'_>,
    row: SubmissionRow,
    verdict: ClaimVerdict,
    ready: &mut Vec<Outgoing>,
    ask_first: &mut Vec<SubmissionRow>,
) -> ServiceResult<()> {
    match verdict {
        ClaimVerdict::Send { wire_date, late } => {
            let as_claimed = row.wire_date == wire_date && row.late == late;
            // A code that led here was said of other bytes.
            let row = SubmissionRow { wire_date, late, code: None, ..row };
            if !as_claimed {
                settling.save(row.clone());
            }
            ready.push(outgoing(settling, row)?);
        }
        ClaimVerdict::End { state, code } => settling.end(row, state, Some(code))?,
        ClaimVerdict::Hold { cause, code } => settling.hold(row, cause, &code, true)?,
        ClaimVerdict::Wait { until } => {
            let at = until.unwrap_or(settling.now + chrono::TimeDelta::seconds(1));
            settling.requeue(row, at);
        }
        ClaimVerdict::AskStatusFirst => ask_first.push(row),
    }
    Ok(())
}

fn outgoing(settling: &Settling<'_>, row: SubmissionRow) -> ServiceResult<Outgoing> {
    let (consent, opened) = settling.consent(row.consent_id)?;
    let body = request(&Filing {
        recipient: &opened.recipient,
        recipient_type: consent.recipient_type,
        channel: consent.channel,
        status: consent.status,
        source: consent.source,
        wire_date: row.wire_date,
        retailer_code: consent.retailer_code,
        retailer_access: settling.access_of(row.consent_id),
    });
    let bytes = encode(&body)
        .map_err(|_| StoreError::Corrupt { what: "submissions", detail: "not encodable".to_owned() })?;
    Ok(Outgoing { row, bytes })
}

/// Stores the bytes of single adds with their submissions.
pub(super) fn store_wires(settling: &mut Settling<'_>, outgoing: &mut [Outgoing]) {
    for out in outgoing {
        out.row = settling.alone(out.row.clone());
        out.row.wire = Some(mirror::seal_wire(&settling.keys, &out.bytes));
        settling.save(out.row.clone());
    }
}

async fn batch(
    tx: &mut Tx,
    settling: &mut Settling<'_>,
    (provider, brand, id): (IysCode, BrandCode, Uuid),
    ready: Vec<Outgoing>,
    claim: Claim,
) -> ServiceResult<(BatchRow, Bytes)> {
    let body = join(ready.iter().map(|out| &out.bytes));
    let earliest = ready.iter().map(|out| out.row.target_at).min().unwrap_or(settling.now);
    let batch = BatchRow {
        iys_code: provider,
        id,
        brand_code: brand,
        state: BatchState::Posting,
        body: Some(mirror::seal_wire(&settling.keys, &body)),
        items: i64::try_from(ready.len()).unwrap_or_default(),
        request_id: None,
        earliest_target: earliest,
        posted_at: None,
        looks: 0,
        attempt: 1,
        claimed_by: Some(claim.by),
        next_attempt_at: settling.now,
        created_at: settling.now,
        sub_requests: Vec::new(),
        resent: false,
    };
    batches::add(tx, &batch, Some(claim)).await?;
    // They were claimed into their places; where one did not come along, those behind it move up.
    for (index, out) in ready.into_iter().enumerate() {
        let (batch_id, batch_index) = (Some(id), i64::try_from(index).ok());
        if (out.row.batch_id, out.row.batch_index) != (batch_id, batch_index) {
            settling.save(SubmissionRow {
                state: SubmissionState::Batched,
                batch_id,
                batch_index,
                ..out.row
            });
        }
    }
    Ok((batch, body))
}

/// A JSON array of the items' exact bytes.
pub(super) fn join<'b>(items: impl Iterator<Item = &'b Bytes>) -> Bytes {
    let mut body = vec![b'['];
    for (index, item) in items.enumerate() {
        if index > 0 {
            body.push(b',');
        }
        body.extend_from_slice(item);
    }
    body.push(b']');
    Bytes::from(body)
}
