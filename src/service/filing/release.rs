//! What a hold kept back, once it is lifted: queued again a bounded number at a time. The hold's row is the note that
//! something may be left, and goes last; so a crash in between loses nothing.

use kopru_domain::{BrandCode, Channel, IysCode};
use kopru_store::{Priority, Tx, heads, holds, submissions};

use crate::bootstrap::App;
use crate::service::ServiceResult;

/// Submissions of one transaction.
const PORTION: i64 = 1_000;

/// Queues the next portion of what a lifted hold kept back, and forgets the hold with the last; what waits for the same and
/// is in doubt is due as well. Needs the provider's head.
pub(crate) async fn release(
    tx: &mut Tx,
    app: &App,
    (provider, brand, channel): (IysCode, BrandCode, Channel),
) -> ServiceResult<()> {
    let now = app.clocks.business();
    let released = submissions::release_held(tx, provider, brand, channel, PORTION, now, false).await?;
    submissions::hurry_waiting(tx, provider, brand, channel, now).await?;
    if i64::try_from(released).unwrap_or(PORTION) < PORTION {
        holds::clear(tx, provider, brand, channel).await?;
    }
    Ok(())
}

/// Queues what an intake held by a hold that was lifted in the same moment: no hold is left to speak for it. Returns at how
/// many places.
pub async fn release_forgotten(app: &App) -> ServiceResult<usize> {
    let forgotten = {
        let mut tx = app.db.read().await?;
        holds::forgotten(&mut tx).await?
    };
    for place in &forgotten {
        let mut tx = app.db.begin(Priority::Bulk).await?;
        heads::lock(&mut tx, place.0).await?;
        release(&mut tx, app, *place).await?;
        tx.commit().await?;
        app.wake.wake();
    }
    Ok(forgotten.len())
}

/// Queues the next portion of each hold that is being lifted; returns how many those are.
pub async fn release_lifted(app: &App) -> ServiceResult<usize> {
    let lifted = {
        let mut tx = app.db.read().await?;
        holds::lifted(&mut tx).await?
    };
    for hold in &lifted {
        let mut tx = app.db.begin(Priority::Bulk).await?;
        heads::lock(&mut tx, hold.iys_code).await?;
        release(&mut tx, app, (hold.iys_code, hold.brand_code, hold.channel)).await?;
        tx.commit().await?;
        app.wake.wake();
    }
    Ok(lifted.len())
}
