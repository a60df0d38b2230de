//! A feed that was not read for longer than it reaches back: citizens may have refused and nobody will tell us. What the
//! registry recorded before that is forgotten, portion by portion and with an event where that changes what may be done
//! (design.md section 4.1); then the brand is swept ([`super::sweep`]).

use chrono::{DateTime, TimeDelta, Utc};
use kopru_domain::Channel;
use kopru_store::cursors::{self, CursorRow};
use kopru_store::permissions::{self, Page, PermissionRow};
use kopru_store::sweeps::{self, Phase, Place, SweepRow};
use kopru_store::{Claim, Priority, Tx, heads};

use crate::bootstrap::App;
use crate::service::ServiceResult;
use crate::service::events::{EventLog, Subject};
use crate::service::mirror;
use crate::service::reconciliation::{HIDDEN, lost};

/// How far back the feed reaches (registry-protocol section 4.10).
pub(super) const REACH: TimeDelta = TimeDelta::days(7);
/// Forgetting takes its time while the feed's window moves on, and both feeds of a brand share one forgetting: so much more
/// than needed is forgotten.
const MARGIN: TimeDelta = TimeDelta::hours(6);
/// Permissions of one transaction.
const PORTION: i64 = 1_000;
/// Portions of one turn; then others may go first.
const PORTIONS: usize = 20;

/// Whether a pull that begins now leaves out a part of the feed.
fn is_open(row: &CursorRow, started: DateTime<Utc>) -> bool {
    started - row.heard_at > REACH - HIDDEN
}

/// What became of a gap.
pub(super) enum Gap {
    /// There is none, or it is dealt with: the pull may go on from the place given.
    Closed(Option<String>),
    /// There is more to forget first.
    Open,
}

/// Forgets what a gap has made unsure, if there is one.
pub(super) async fn close(
    app: &App,
    row: &CursorRow,
    claim: Claim,
    started: DateTime<Utc>,
) -> ServiceResult<Gap> {
    if !is_open(row, started) {
        return Ok(Gap::Closed(row.after.clone()));
    }
    for _ in 0..PORTIONS {
        let mut tx = app.db.begin(Priority::Bulk).await?;
        // The head first, as whoever applies a page does.
        let head = heads::lock(&mut tx, row.iys_code).await?;
        if cursors::held(&mut tx, row, claim).await?.is_none() {
            return Err(lost());
        }
        let sweep = current(app, &mut tx, row, started).await?;
        if sweep.phase != Phase::Forgetting {
            let rows = cursors::of_brand(&mut tx, row.iys_code, row.brand_code).await?;
            let after = rows.into_iter().find(|found| found.feed == row.feed).and_then(|found| found.after);
            tx.commit().await?;
            app.wake.wake();
            return Ok(Gap::Closed(after));
        }
        forget(app, &mut tx, head, sweep).await?;
        tx.commit().await?;
        app.wake.wake();
    }
    let mut tx = app.db.begin(Priority::Bulk).await?;
    cursors::put_back(&mut tx, row, claim, app.clocks.business()).await?;
    tx.commit().await?;
    Ok(Gap::Open)
}

/// The sweep that deals with this gap: the one that is there, or a new one.
async fn current(app: &App, tx: &mut Tx, row: &CursorRow, started: DateTime<Utc>) -> ServiceResult<SweepRow> {
    let (provider, brand) = (row.iys_code, row.brand_code);
    let needed = started - REACH;
    let known = sweeps::find(tx, provider, brand).await?;
    if let Some(sweep) = known.filter(|sweep| sweep.unsure_before >= needed) {
        return Ok(sweep);
    }
    tracing::error!(
        brand.code = brand.0,
        "the feed was not read for longer than it reaches back: what the registry holds is forgotten and asked for anew"
    );
    metrics::counter!("mirror_gaps_total").increment(1);
    sweeps::begin(tx, provider, brand, needed + MARGIN, app.clocks.business()).await?;
    // A cursor from before the window has no meaning that the registry's document tells.
    cursors::restart(tx, provider, brand, started - (REACH - HIDDEN)).await?;
    let begun = sweeps::find(tx, provider, brand).await?;
    Ok(begun.ok_or(kopru_store::StoreError::Corrupt { what: "sweeps", detail: "missing".to_owned() })?)
}

/// Forgets a portion, under the provider's head.
async fn forget(app: &App, tx: &mut Tx, mut head: heads::Head, sweep: SweepRow) -> ServiceResult<()> {
    let (provider, now) = (sweep.iys_code, app.clocks.business());
    let channel = usize::try_from(sweep.place.pass).ok().and_then(|pass| Channel::ALL.get(pass));
    let Some(channel) = channel else {
        return Ok(sweeps::forgot(tx, &sweep, Phase::Asking, Place::default(), 0, now).await?);
    };
    let page = Page {
        iys_code: provider,
        brand_code: sweep.brand_code,
        channel: *channel,
        after: &sweep.place.key,
        limit: PORTION,
    };
    let found = permissions::unsure(tx, page, sweep.unsure_before).await?;
    let keys = app.vault.keys(tx, provider).await?;
    let mut events = EventLog::new(provider, keys.clone(), now);
    let mut saved = Vec::with_capacity(found.len());
    for mut row in found {
        let before = row.permission.effective(row.recipient_type);
        row.permission.forget(sweep.unsure_before);
        if row.permission.effective(row.recipient_type) != before {
            let subject = Subject {
                brand_code: row.brand_code,
                key: row.key,
                recipient: mirror::open_recipient(&keys, &row.recipient)?,
                recipient_type: row.recipient_type,
                channel: row.channel,
            };
            events.permission_changed(subject, before, &row.permission, "gap", None);
        }
        saved.push(row);
    }
    let place = next_place(&sweep.place, &saved);
    let count = saved.len() as i64;
    permissions::save(tx, provider, saved, now).await?;
    events.append(tx, &mut head).await?;
    heads::advance(tx, provider, &head).await?;
    Ok(sweeps::forgot(tx, &sweep, Phase::Forgetting, place, count, now).await?)
}

/// Where the walk goes on: behind the last key, or at the beginning of the next pass.
pub(super) fn next_place(place: &Place, rows: &[PermissionRow]) -> Place {
    match rows.last() {
        Some(last) if rows.len() as i64 == PORTION => Place { pass: place.pass, key: last.key.0.to_vec() },
        _ => Place { pass: place.pass + 1, key: Vec::new() },
    }
}
