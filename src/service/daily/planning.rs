//! Which days of which brands there are to read: planned once a day, ahead of everything else.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, NaiveDate, Utc};
use kopru_domain::daily::{end, reported};
use kopru_domain::{BrandCode, Code, IysCode, time};
use kopru_store::daily_reports::{self, NewDay};
use kopru_store::{Priority, brands, rights};

use super::span;
use crate::bootstrap::App;
use crate::service::ServiceResult;

/// Brands and days planned in one transaction.
const PLANNED_AT_ONCE: usize = 1_000;

/// The last day that this process has planned for.
#[derive(Debug, Default)]
pub struct Planned(Mutex<Option<NaiveDate>>);

impl Planned {
    /// Plans what has come to be over since.
    pub(super) async fn follow(&self, app: &App, now: DateTime<Utc>) -> ServiceResult<()> {
        let today = time::local(now).date();
        if *self.0.lock().unwrap_or_else(PoisonError::into_inner) == Some(today) {
            return Ok(());
        }
        add_days(app, now).await?;
        end_forbidden(app).await?;
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(today);
        Ok(())
    }
}

/// Plans the days that the registry tells of and that are not planned yet, for every active brand since it was added; none
/// for a brand that was refused in this time, so that it is tried once a week, or when its rights are told to have changed.
async fn add_days(app: &App, now: DateTime<Utc>) -> ServiceResult<()> {
    let days: Vec<NaiveDate> = reported(now).collect();
    let Some(oldest) = days.last().copied() else { return Ok(()) };
    let refused: HashSet<(IysCode, BrandCode)> = {
        let mut tx = app.db.read().await?;
        daily_reports::refused(&mut tx, oldest).await?.into_iter().collect()
    };
    let mut after = (IysCode(0), BrandCode(0));
    loop {
        let page = {
            let mut tx = app.db.read().await?;
            brands::active(&mut tx, after).await?
        };
        let Some((provider, brand, _)) = page.last() else { return Ok(()) };
        after = (*provider, *brand);
        let new = |day: NaiveDate| {
            let (refused, due_at) = (&refused, end(day) + span(app.config.daily.ready_after));
            page.iter()
                .filter(move |(provider, brand, added)| {
                    *added < end(day) && !refused.contains(&(*provider, *brand))
                })
                .map(move |(iys_code, brand_code, _)| NewDay {
                    iys_code: *iys_code,
                    brand_code: *brand_code,
                    day,
                    due_at,
                })
        };
        let all: Vec<NewDay> = days.iter().copied().flat_map(new).collect();
        for part in all.chunks(PLANNED_AT_ONCE) {
            let mut tx = app.db.begin(Priority::Bulk).await?;
            daily_reports::add(&mut tx, part, now).await?;
            tx.commit().await?;
        }
    }
}

/// Ends the planned days of brands that, by the registry's list of rights, let nobody but themselves read them.
async fn end_forbidden(app: &App) -> ServiceResult<()> {
    let forbidden = {
        let mut tx = app.db.read().await?;
        rights::without_agreement(&mut tx).await?
    };
    for part in forbidden.chunks(PLANNED_AT_ONCE) {
        let mut tx = app.db.begin(Priority::Bulk).await?;
        for (provider, brand) in part {
            let code = Code::NO_AGREEMENT_CONTROL;
            daily_reports::refuse(&mut tx, *provider, *brand, code.as_str()).await?;
        }
        tx.commit().await?;
    }
    Ok(())
}
