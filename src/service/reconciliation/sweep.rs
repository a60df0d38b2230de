//! After a gap every address of the brand is asked for by the registry's list query, 1 000 in a call, when nothing else wants
//! the registry. Absent from the list means not ONAY. The place is kept in the database: a sweep goes on where it stopped.

use std::collections::HashMap;

use chrono::TimeDelta;
use iys::ErrorClass;
use kopru_domain::governor::CallClass;
use kopru_domain::outcome::retry_delay;
use kopru_domain::{Channel, RecipientType};
use kopru_store::permissions::{self, Page, PermissionRow};
use kopru_store::sweeps::{self, Asked, Place, SweepRow};
use kopru_store::{Claim, Key, Priority};

use crate::bootstrap::App;
use crate::service::observing::List;
use crate::service::reconciliation::gap::next_place;
use crate::service::{ServiceError, ServiceResult, mirror};

/// Addresses of one call.
const CALL: i64 = 1_000;

/// Claims the sweep that has waited longest.
pub async fn claim(app: &App, claim: Claim) -> ServiceResult<Option<SweepRow>> {
    if !app.registry.is_open().await? {
        return Ok(None);
    }
    let mut tx = app.db.begin(Priority::Bulk).await?;
    let sweep = sweeps::claim(&mut tx, app.clocks.business(), app.clocks.wire(), claim).await?;
    tx.commit().await?;
    Ok(sweep)
}

/// Asks for the next addresses of a brand, in one call.
pub async fn step(app: &App, mut sweep: SweepRow, claim: Claim) -> ServiceResult<()> {
    let (list, rows) = loop {
        let Some((channel, recipient_type)) = pass(&sweep.place) else {
            return end(app, &sweep, claim).await;
        };
        let list = List { iys_code: sweep.iys_code, brand_code: sweep.brand_code, channel, recipient_type };
        let rows = next(app, &sweep, list).await?;
        if !rows.is_empty() {
            break (list, rows);
        }
        sweep.place = next_place(&sweep.place, &rows);
    };
    let place = next_place(&sweep.place, &rows);
    let asked = addresses(app, &sweep, &rows).await?;
    let count = asked.len() as i64;
    let asked_at = app.clocks.business();
    let approved = match list.ask(app, CallClass::Background, asked.values().cloned().collect()).await {
        Ok(approved) => approved,
        Err(error) => return refused(app, &sweep, claim, place, &error).await,
    };
    let mut tx = app.db.begin(Priority::Bulk).await?;
    let portion = Asked { place, asked: count, approved: approved.len() as i64, ended_at: None };
    list.record(&mut tx, app, asked, &approved, asked_at).await?;
    // Where the claim was lost, another asks for the same: then nothing of this is kept.
    if sweeps::advance(&mut tx, &sweep, claim, portion).await? {
        tx.commit().await?;
        app.wake.wake();
    }
    Ok(())
}

/// What a pass asks about; `None` behind the last.
fn pass(place: &Place) -> Option<(Channel, RecipientType)> {
    let pass = usize::try_from(place.pass).ok()?;
    let kinds = RecipientType::ALL.len();
    Some((*Channel::ALL.get(pass / kinds)?, RecipientType::ALL[pass % kinds]))
}

/// The next addresses of a pass that nobody has asked for since the gap was found.
async fn next(app: &App, sweep: &SweepRow, list: List) -> ServiceResult<Vec<PermissionRow>> {
    let page = Page {
        iys_code: sweep.iys_code,
        brand_code: sweep.brand_code,
        channel: list.channel,
        after: &sweep.place.key,
        limit: CALL,
    };
    let mut tx = app.db.read().await?;
    Ok(permissions::unasked(&mut tx, page, list.recipient_type, sweep.started_at).await?)
}

async fn addresses(
    app: &App,
    sweep: &SweepRow,
    rows: &[PermissionRow],
) -> ServiceResult<HashMap<Key, String>> {
    let mut tx = app.db.read().await?;
    let keys = app.vault.keys(&mut tx, sweep.iys_code).await?;
    let open = |row: &PermissionRow| Ok((row.key, mirror::open_recipient(&keys, &row.recipient)?));
    Ok(rows.iter().map(open).collect::<Result<_, kopru_store::StoreError>>()?)
}

/// What the registry will never answer is passed over and stays not known; anything else is asked again later.
async fn refused(
    app: &App,
    sweep: &SweepRow,
    claim: Claim,
    place: Place,
    error: &ServiceError,
) -> ServiceResult<()> {
    let class = match error {
        ServiceError::Registry(error) => Some(error.class()),
        _ => None,
    };
    let mut tx = app.db.begin(Priority::Bulk).await?;
    let over = match class {
        // The list itself: an address that the registry does not take.
        Some(ErrorClass::Repair | ErrorClass::Bug) => Some(place),
        // The channel: the right to it is missing.
        Some(ErrorClass::Pause { .. }) => Some(Place { pass: sweep.place.pass + 1, key: Vec::new() }),
        _ => None,
    };
    if let Some(place) = over {
        tracing::warn!(
            brand.code = sweep.brand_code.0,
            error = error as &dyn std::error::Error,
            "a sweep passes over addresses that the registry does not answer for"
        );
        let asked = Asked { place, asked: 0, approved: 0, ended_at: None };
        sweeps::advance(&mut tx, sweep, claim, asked).await?;
    } else {
        let attempt = u32::try_from(sweep.attempt).unwrap_or(u32::MAX);
        let delay = match class {
            Some(ErrorClass::Wait { after }) => after,
            _ => retry_delay(attempt, sweep.brand_code.0.unsigned_abs()),
        };
        let next = app.clocks.business() + TimeDelta::from_std(delay).unwrap_or(TimeDelta::minutes(1));
        sweeps::fail(&mut tx, sweep, claim, &error.to_string(), next).await?;
    }
    Ok(tx.commit().await?)
}

async fn end(app: &App, sweep: &SweepRow, claim: Claim) -> ServiceResult<()> {
    let ended =
        Asked { place: sweep.place.clone(), asked: 0, approved: 0, ended_at: Some(app.clocks.business()) };
    let mut tx = app.db.begin(Priority::Bulk).await?;
    if sweeps::advance(&mut tx, sweep, claim, ended).await? {
        tracing::info!(
            brand.code = sweep.brand_code.0,
            asked = sweep.asked,
            approved = sweep.approved,
            "a brand was asked for anew after a gap of its feed"
        );
        metrics::counter!("sweeps_total").increment(1);
    }
    Ok(tx.commit().await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_channel_is_asked_for_both_kinds_of_recipient() {
        let all: Vec<_> = (0..).map_while(|number| pass(&Place { pass: number, key: Vec::new() })).collect();
        assert_eq!(all.len(), Channel::ALL.len() * RecipientType::ALL.len());
        assert!(all.iter().enumerate().all(|(n, one)| all[..n].iter().all(|other| one != other)));
    }
}
