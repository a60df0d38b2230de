//! Another code for somebody who waits for one: the first has grown old, or never came.

use chrono::{DateTime, Utc};
use kopru_domain::opt_in::{self, OptInState, Way};
use kopru_store::opt_ins::{self as rows, OptInRow};
use kopru_store::via_processes::ProcessRow;
use kopru_store::{Priority, Tx, ids};

use super::{Asked, ask_in, find, locked, opened, send, senders, too_often};
use crate::bootstrap::App;
use crate::service::brands::{self, KnownBrand};
use crate::service::via::{self, ViaWay};
use crate::service::{ServiceError, ServiceResult};

/// Sends a new code for a process that waits for one; the one before is good no more.
pub async fn again(app: &App, token: &str) -> ServiceResult<Asked> {
    let found = find(app, token).await?;
    let brand = brands::load(app, found.brand_code).await?.ok_or(ServiceError::NotFound("brand"))?;
    let now = app.clocks.wire();
    let mut tx = app.db.begin(Priority::Interactive).await?;
    let mut row = locked(&mut tx, &found).await?;
    if let Some(process) = via::process(&mut tx, &row).await? {
        return again_by_registry(app, tx, &brand, row, process).await;
    }
    let Some(sender) = brand.sender.as_deref() else { return Ok(Asked::NoSender) };
    if row.state != OptInState::Pending || row.way != Way::Code || row.ends_at < now {
        return Err(ServiceError::NotFound("opt-in"));
    }
    let keys = app.vault.keys(&mut tx, row.iys_code).await?;
    let ask = opened(&keys, &row)?;
    let senders = senders(&keys, row.address, ask.client);
    if let Some(again_at) = too_often(&mut tx, row.iys_code, &senders, now).await? {
        return Ok(Asked::TooOften { again_at });
    }
    row.good_until = now + row.way.life();
    send(&mut tx, app, (&keys, sender), &mut row, &ask, "").await?;
    rows::save(&mut tx, &row).await?;
    for sender in senders {
        rows::sent(&mut tx, row.iys_code, sender, now, ids::new_id(now)).await?;
    }
    tx.commit().await?;
    app.wake.wake();
    Ok(Asked::Code { token: token.to_owned(), good_until: row.good_until, by_registry: false })
}

/// A code of the registry cannot be sent again: a new process takes the place of the old one, with a page of its own.
async fn again_by_registry(
    app: &App,
    mut tx: Tx,
    brand: &KnownBrand,
    mut row: OptInRow,
    process: ProcessRow,
) -> ServiceResult<Asked> {
    if !may_ask_again(&row, &process, app.clocks.wire()) {
        return Err(ServiceError::NotFound("opt-in"));
    }
    let keys = app.vault.keys(&mut tx, row.iys_code).await?;
    let ask = opened(&keys, &row)?;
    let way = ViaWay { verification: process.verification, form_id: process.form_id };
    let asked = ask_in(&mut tx, app, brand, "", Some(way), ask).await?;
    if matches!(asked, Asked::Code { .. }) {
        if !via::replace(&mut tx, app, &process).await? {
            return Err(ServiceError::NotFound("opt-in"));
        }
        row.state = OptInState::Abandoned;
        rows::save(&mut tx, &row).await?;
        tx.commit().await?;
        app.wake.wake();
    }
    Ok(asked)
}

pub(super) fn may_ask_again(row: &OptInRow, process: &ProcessRow, now: DateTime<Utc>) -> bool {
    let replaced = process.code.as_deref() == Some(via::REPLACED);
    via::is_replaceable(process) && !replaced && now < row.created_at + opt_in::PATIENCE
}
