//! Forgetting what is no evidence of a consent, each kind after its term (section `[retention]`). A consent's own evidence is in the
//! ledger and is not touched here.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use kopru_store::{Priority, Tx, calls, form_posts, inbound, links, messages, opt_ins};

use crate::bootstrap::App;
use crate::service::ServiceResult;
use crate::service::forms::limits;

/// Rows of one transaction: a year's backlog in one would keep every other writer waiting.
const PORTION: i64 = 500;

/// How much of each kind was forgotten.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Forgotten {
    /// Addresses and texts of messages.
    pub messages: u64,
    /// Texts of citizens that led to nothing.
    pub inbound: u64,
    /// Calls without a decision.
    pub calls: u64,
    /// Double opt-ins that nobody confirmed.
    pub opt_ins: u64,
    /// Links of which nothing came.
    pub links: u64,
}

/// Forgets what is over at these instants of business and of wire time.
pub async fn forget(app: &App, business: DateTime<Utc>, wire: DateTime<Utc>) -> ServiceResult<Forgotten> {
    let terms = &app.config.retention;
    Ok(Forgotten {
        messages: portions(app, business, terms.messages, messages::forget).await?,
        inbound: portions(app, business, terms.inbound, inbound::forget).await?,
        calls: portions(app, business, terms.calls, calls::purge).await?,
        opt_ins: portions(app, wire, terms.opt_ins, opt_ins::purge).await?,
        links: portions(app, wire, terms.links, links::purge).await?,
    })
}

/// Forgets portion by portion until none is left; a term of zero is no term.
async fn portions(
    app: &App,
    now: DateTime<Utc>,
    term: Duration,
    forget: impl AsyncFn(&mut Tx, DateTime<Utc>, i64) -> kopru_store::Result<u64>,
) -> ServiceResult<u64> {
    let term = TimeDelta::from_std(term).ok().filter(|term| !term.is_zero());
    match term {
        Some(term) => all_before(app, now - term, forget).await,
        None => Ok(0),
    }
}

/// Forgets what forms have counted and what counts no more.
pub async fn forget_posts(app: &App) -> ServiceResult<u64> {
    all_before(app, limits::forgotten_before(app.clocks.wire()), form_posts::purge).await
}

async fn all_before(
    app: &App,
    before: DateTime<Utc>,
    forget: impl AsyncFn(&mut Tx, DateTime<Utc>, i64) -> kopru_store::Result<u64>,
) -> ServiceResult<u64> {
    let mut all = 0;
    loop {
        let mut tx = app.db.begin(Priority::Bulk).await?;
        let forgotten = forget(&mut tx, before, PORTION).await?;
        tx.commit().await?;
        if forgotten == 0 {
            return Ok(all);
        }
        all += forgotten;
    }
}
