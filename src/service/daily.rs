//! Daily reconciliation: yesterday's movement file of the registry, read to its last byte, merged into the mirror and
//! compared with what was filed from here (registry-protocol sections 4.16 to 4.18).
//!
//! A day of a brand is a row that is due until all of it is done. The file counts only with the hash that the registry
//! names; then a row's number is a place to go on from, for the bytes do not change any more.

mod compare;
pub mod csv;
mod file;
mod planning;
pub mod repair;
mod stamp;
pub mod view;

use std::time::Duration;

use chrono::{DateTime, Days, TimeDelta, Utc};
use iys::wire::{Agreement, DailySummary};
use iys::{Account, ErrorClass, IysError};
use kopru_domain::daily::{end, reported};
use kopru_domain::outcome::retry_delay;
use kopru_domain::{DailyAgreement, RecipientType, time};
use kopru_store::daily_differences::{self, DayOf, DifferenceKind};
use kopru_store::daily_reports::{self, DailyProblem, DailyRow, DailyState};
use kopru_store::{Claim, Priority, Tx, brands};

use crate::bootstrap::App;
use crate::registry::codes;
use crate::service::filing::counted;
use crate::service::{ServiceError, ServiceResult, reconciliation};

pub use kopru_store::daily_reports::Standing;

use compare::Comparison;
use file::Fetched;
pub use planning::Planned;

/// How long the mirror's own pull may take to reach the end of a day before the file goes ahead of it.
const PULL_FIRST: TimeDelta = TimeDelta::hours(3);
/// How long a time stamp, or a file of a day on which something was filed from here, is waited for.
const PATIENCE: TimeDelta = TimeDelta::hours(12);
/// A file whose hash is wrong is asked for again this long after.
const MISMATCH_AGAIN: TimeDelta = TimeDelta::hours(1);
/// The shortest and the longest wait after a failure.
const RETRIES: (TimeDelta, TimeDelta) = (TimeDelta::minutes(5), TimeDelta::hours(1));

/// Claims the day that is most overdue, after planning what has come to be over.
pub async fn claim(app: &App, planned: &Planned, claim: Claim) -> ServiceResult<Option<DailyRow>> {
    if !app.registry.configured() {
        return Ok(None);
    }
    let now = app.clocks.business();
    planned.follow(app, now).await?;
    if app.registry.silent_until().await?.is_some() {
        return Ok(None);
    }
    let mut tx = app.db.begin(Priority::Bulk).await?;
    let row = daily_reports::claim(&mut tx, now, app.clocks.wire(), claim).await?;
    tx.commit().await?;
    Ok(row)
}

/// How a look at a day ended.
enum End {
    /// Everything is done.
    Done,
    /// Look again.
    Again(DailyProblem, TimeDelta),
    /// The account may not read the brand's reports; the registry's code.
    NotPermitted(String),
    /// The registry does not tell of the day any more.
    Lapsed,
}

/// Does what is left to do of a claimed day.
pub async fn read(app: &App, row: DailyRow, claim: Claim) -> ServiceResult<()> {
    let mut reading = Reading { app, row, claim };
    match reading.look().await {
        Ok(end) => reading.end(end).await,
        Err(ServiceError::Registry(error)) => {
            reading.row.last_error = Some(error.to_string());
            let end = reading.failed(&error);
            reading.end(end).await
        }
        // The next process goes on at once.
        Err(ServiceError::ShuttingDown) => {
            reading.end(End::Again(DailyProblem::Awaited, TimeDelta::zero())).await
        }
        Err(error) => {
            reading.row.last_error = Some(error.to_string());
            let wait = reading.backoff();
            reading.end(End::Again(DailyProblem::Failed, wait)).await?;
            Err(error)
        }
    }
}

/// A claimed day.
struct Reading<'a> {
    app: &'a App,
    row: DailyRow,
    claim: Claim,
}

impl Reading<'_> {
    async fn look(&mut self) -> ServiceResult<End> {
        let now = self.app.clocks.business();
        if !reported(now).any(|day| day == self.row.day) {
            return Ok(End::Lapsed);
        }
        if self.pull_comes_first(now).await? {
            return Ok(End::Again(DailyProblem::Awaited, self.again()));
        }
        let account = {
            let mut tx = self.app.db.read().await?;
            self.app.registry.account(&mut tx, self.row.iys_code).await?
        };
        let brand = codes(self.row.iys_code, self.row.brand_code);
        let agreement = counted("agreement", account.agreement(brand, self.row.day).await)?;
        let Some(agreement) = agreement else { return self.without_file(&account, now).await };
        if !agreement.is_completed() {
            return Ok(End::Again(DailyProblem::Awaited, self.again()));
        }
        if let Some(end) = self.compare(&account, &agreement).await? {
            return Ok(end);
        }
        self.agree(&account, &agreement).await?;
        self.stamp(&account, now).await
    }

    /// The registry has no hash: there was no movement, or it has not begun with the day.
    async fn without_file(&mut self, account: &Account, now: DateTime<Utc>) -> ServiceResult<End> {
        let counts = self.summary(account).await?;
        let ours = compare::any_registered(self.app, &self.row).await?;
        let waits = ours && now < end(self.row.day) + PATIENCE;
        if counts > 0 || waits {
            return Ok(End::Again(DailyProblem::Awaited, self.again()));
        }
        let mut comparison = Comparison::begin(self.app, &mut self.row, self.claim).await?;
        comparison.end().await?;
        self.compared().await?;
        Ok(End::Done)
    }

    /// Reads the file and compares, unless that is done; an end where it cannot be read just now.
    async fn compare(&mut self, account: &Account, agreement: &Agreement) -> ServiceResult<Option<End>> {
        let known = self.row.hash.as_ref().map(hex::encode);
        if self.row.compared_at.is_some() && known.is_some_and(|hash| agreement.matches(&hash)) {
            return Ok(None);
        }
        let brand = codes(self.row.iys_code, self.row.brand_code);
        let Some(fetched) = file::fetch(self, account, brand).await? else {
            return Ok(Some(End::Again(DailyProblem::Awaited, self.again())));
        };
        if !agreement.matches(&fetched.hash) {
            return Ok(Some(self.mismatch(&fetched, agreement)));
        }
        let hash = hex::decode(&fetched.hash).ok();
        if self.row.hash != hash {
            self.begin_anew().await?;
            self.row.hash = hash;
        }
        let mut comparison = Comparison::begin(self.app, &mut self.row, self.claim).await?;
        let replayed = file::replay(&fetched, account, brand, &mut comparison).await;
        let disordered = comparison.disordered;
        match replayed {
            Ok(_) if disordered => {
                return Ok(Some(self.unreadable("rows are not in the order of their dates")));
            }
            Ok(true) => {}
            Ok(false) => return Ok(Some(self.mismatch(&fetched, agreement))),
            Err(ServiceError::Registry(error)) if matches!(*error, IysError::Malformed { .. }) => {
                return Ok(Some(self.unreadable(&error.to_string())));
            }
            Err(error) => return Err(error),
        }
        self.summary(account).await?;
        self.compared().await?;
        Ok(None)
    }

    /// A file that is not the one whose hash the registry names is not merged and not compared.
    fn mismatch(&mut self, fetched: &Fetched, agreement: &Agreement) -> End {
        tracing::error!(
            brand.code = self.row.brand_code.0,
            day = %self.row.day,
            file.sha384 = %fetched.hash,
            registry.hash = agreement.hash_value.as_deref().unwrap_or_default(),
            "the registry's file of a day does not have the hash that the registry names: it is refused"
        );
        metrics::counter!("daily_hash_mismatches_total").increment(1);
        End::Again(DailyProblem::HashMismatch, MISMATCH_AGAIN)
    }

    fn unreadable(&mut self, why: &str) -> End {
        tracing::error!(
            brand.code = self.row.brand_code.0,
            day = %self.row.day,
            why,
            "the registry's file of a day cannot be read"
        );
        self.row.last_error = Some(why.to_owned());
        End::Again(DailyProblem::Unreadable, MISMATCH_AGAIN)
    }

    /// Forgets what was compared with other bytes.
    async fn begin_anew(&mut self) -> ServiceResult<()> {
        if self.row.hash.is_some() || self.row.movements > 0 {
            let mut tx = self.app.db.begin(Priority::Bulk).await?;
            daily_differences::forget(&mut tx, of(&self.row)).await?;
            tx.commit().await?;
        }
        let row = &mut self.row;
        (row.movements, row.matched, row.unreadable, row.truncated) = (0, 0, 0, false);
        row.compared_at = None;
        Ok(())
    }

    /// Both sides are compared: the differences are counted and told.
    async fn compared(&mut self) -> ServiceResult<()> {
        let counts = {
            let mut tx = self.app.db.read().await?;
            daily_differences::counts(&mut tx, of(&self.row)).await?
        };
        let row = &mut self.row;
        let all = |wanted| counts.iter().find(|(kind, ..)| *kind == wanted).map_or(0, |(_, all, _)| *all);
        row.missing_there = all(DifferenceKind::MissingThere);
        row.missing_here = all(DifferenceKind::MissingHere);
        row.differing = all(DifferenceKind::Different);
        row.unrepaired = counts.iter().map(|(.., open)| open).sum();
        row.compared_at = Some(self.app.clocks.business());
        for (kind, all, _) in &counts {
            metrics::counter!("daily_differences_total", "kind" => kind.as_str())
                .increment(u64::try_from(*all).unwrap_or_default());
        }
        if !is_equal(row) {
            tracing::error!(
                brand.code = row.brand_code.0,
                day = %row.day,
                missing_there = row.missing_there,
                missing_here = row.missing_here,
                different = row.differing,
                unreadable = row.unreadable,
                "a day at the registry is not as it is here: see `kopru reconcile`"
            );
        }
        self.keep().await
    }

    /// Agrees to the day, where it is equal and the brand wants it.
    async fn agree(&mut self, account: &Account, agreement: &Agreement) -> ServiceResult<()> {
        self.row.agreed |= agreement.agreement_status;
        if self.row.agreed || !is_equal(&self.row) {
            return Ok(());
        }
        let wanted = {
            let mut tx = self.app.db.read().await?;
            brands::find_by_code(&mut tx, self.row.brand_code).await?.map(|brand| brand.daily_agreement)
        };
        if wanted != Some(DailyAgreement::WhenEqual) {
            return Ok(());
        }
        let brand = codes(self.row.iys_code, self.row.brand_code);
        let captured = counted("confirm_agreement", account.confirm_agreement(brand, self.row.day).await)?;
        if captured {
            self.row.agreed = true;
            self.row.agreed_at = Some(self.app.clocks.business());
            metrics::counter!("daily_agreements_total").increment(1);
        }
        self.keep().await
    }

    /// Keeps the time stamp of the file, and looks whether it is about it.
    async fn stamp(&mut self, account: &Account, now: DateTime<Utc>) -> ServiceResult<End> {
        if self.row.time_stamp.is_some() {
            return Ok(End::Done);
        }
        let brand = codes(self.row.iys_code, self.row.brand_code);
        let answer = counted("agreement_timestamp", account.agreement_timestamp(brand, self.row.day).await)?;
        let Some(bytes) = answer.filter(|bytes| bytes.len() <= stamp::LONGEST) else {
            let patient = now < end(self.row.day) + PATIENCE;
            return Ok(if patient { End::Again(DailyProblem::Awaited, self.again()) } else { End::Done });
        };
        let read = stamp::read(&bytes);
        let fits = read.as_ref().is_some_and(|stamp| Some(&stamp.imprint) == self.row.hash.as_ref());
        if !fits {
            tracing::error!(
                brand.code = self.row.brand_code.0,
                day = %self.row.day,
                readable = read.is_some(),
                "the time stamp of a day is not about its file"
            );
            metrics::counter!("daily_stamps_unfit_total").increment(1);
        }
        self.row.stamped_at = read.map(|stamp| stamp.at);
        self.row.stamp_fits = Some(fits);
        self.row.time_stamp = Some(bytes.to_vec());
        Ok(End::Done)
    }

    /// Reads and keeps the registry's own counts; returns how many movements they are.
    async fn summary(&mut self, account: &Account) -> ServiceResult<i64> {
        let brand = codes(self.row.iys_code, self.row.brand_code);
        let mut kept = serde_json::Map::new();
        let mut total = 0;
        for kind in [RecipientType::Individual, RecipientType::Merchant] {
            let answer = account.daily_summary(brand, self.row.day, kind.as_str()).await;
            let DailySummary { change_stats } = counted("daily_summary", answer)?;
            total +=
                change_stats.iter().flat_map(|channel| &channel.consents).map(|it| it.total).sum::<i64>();
            kept.insert(kind.as_str().to_owned(), serde_json::to_value(change_stats).unwrap_or_default());
        }
        self.row.summary = Some(serde_json::Value::Object(kept).to_string());
        Ok(total)
    }

    /// While the mirror's own pull has not come to the end of the day, what the file brings would look as if nobody had
    /// told of it. A pull that does not come on is waited for a while only.
    async fn pull_comes_first(&self, now: DateTime<Utc>) -> ServiceResult<bool> {
        let since = (end(self.row.day) + span(self.app.config.daily.ready_after)).max(self.row.created_at);
        if self.row.compared_at.is_some() || now >= since + PULL_FIRST {
            return Ok(false);
        }
        let mut tx = self.app.db.read().await?;
        let fresh = reconciliation::freshness(&mut tx, self.row.iys_code, self.row.brand_code).await?;
        Ok(fresh.horizon.is_none_or(|horizon| horizon < end(self.row.day)))
    }

    /// What an error of the registry means for the day.
    fn failed(&self, error: &IysError) -> End {
        let code = error.code();
        match (error.class(), code, error.status()) {
            (_, Some("H353" | "H355" | "H363"), _) | (_, None, Some(403)) => {
                End::NotPermitted(code.unwrap_or("no_code").to_owned())
            }
            (_, Some("H502"), _) => End::Lapsed,
            (ErrorClass::Wait { after }, ..) => End::Again(DailyProblem::Failed, span(after).max(RETRIES.0)),
            _ => End::Again(DailyProblem::Failed, self.backoff()),
        }
    }

    fn backoff(&self) -> TimeDelta {
        let attempt = u32::try_from(self.row.attempt).unwrap_or(u32::MAX);
        span(retry_delay(attempt, self.row.brand_code.0.unsigned_abs())).clamp(RETRIES.0, RETRIES.1)
    }

    fn again(&self) -> TimeDelta {
        span(self.app.config.daily.look_again)
    }

    /// Writes the day down and goes on with it.
    async fn keep(&mut self) -> ServiceResult<()> {
        let mut tx = self.app.db.begin(Priority::Bulk).await?;
        keep(&mut tx, self.app, &self.row, self.claim).await?;
        Ok(tx.commit().await?)
    }

    /// Writes the day down and gives it back.
    async fn end(mut self, end: End) -> ServiceResult<()> {
        let row = &mut self.row;
        let mut refused = None;
        row.problem = None;
        let outcome = match end {
            End::Done => {
                row.state = DailyState::Done;
                row.last_error = None;
                if is_equal(row) { "equal" } else { "different" }
            }
            End::NotPermitted(code) => {
                tracing::warn!(
                    brand.code = row.brand_code.0,
                    code,
                    "the account may not read the brand's daily reports (agreementControl): they are not asked for again this week, or until it is given"
                );
                row.state = DailyState::NotPermitted;
                refused = Some(code.clone());
                row.last_error = Some(code);
                "not_permitted"
            }
            End::Lapsed => {
                tracing::error!(brand.code = row.brand_code.0, day = %row.day, "a day was not reconciled while the registry told of it");
                row.state = DailyState::Lapsed;
                "lapsed"
            }
            End::Again(problem, after) => {
                if problem == DailyProblem::Awaited {
                    row.attempt = 0;
                    row.last_error = None;
                }
                row.problem = Some(problem);
                row.next_attempt_at = self.app.clocks.business() + after;
                problem.as_str()
            }
        };
        metrics::counter!("daily_reports_total", "outcome" => outcome).increment(1);
        let mut tx = self.app.db.begin(Priority::Bulk).await?;
        if !daily_reports::save(&mut tx, &self.row, self.claim, None).await? {
            return Err(lost());
        }
        if let Some(code) = refused {
            daily_reports::refuse(&mut tx, self.row.iys_code, self.row.brand_code, &code).await?;
        }
        Ok(tx.commit().await?)
    }
}

/// Writes a day down in a transaction of its work, and keeps its claim alive.
async fn keep(tx: &mut Tx, app: &App, row: &DailyRow, claim: Claim) -> ServiceResult<()> {
    let until = app.clocks.wire() + span(app.config.filing.lease);
    if daily_reports::save(tx, row, claim, Some(until)).await? { Ok(()) } else { Err(lost()) }
}

fn lost() -> ServiceError {
    ServiceError::Conflict(kopru_domain::Text::fixed(
        "günü başka bir süreç aldı",
        "another process took this day over",
    ))
}

/// The day that differences of a row belong to.
fn of(row: &DailyRow) -> DayOf {
    DayOf { iys_code: row.iys_code, brand_code: row.brand_code, day: row.day }
}

/// Whether a compared day is the same on both sides.
fn is_equal(row: &DailyRow) -> bool {
    row.compared_at.is_some()
        && (row.missing_there, row.missing_here, row.differing, row.unreadable) == (0, 0, 0, 0)
        && !row.truncated
}

fn span(duration: Duration) -> TimeDelta {
    TimeDelta::from_std(duration).unwrap_or(TimeDelta::hours(1))
}

/// How the days of the last week stand, over all brands.
pub async fn standings(app: &App) -> ServiceResult<Vec<Standing>> {
    let today = time::local(app.clocks.business()).date();
    let since = today.checked_sub_days(Days::new(kopru_domain::daily::REPORTED_DAYS)).unwrap_or(today);
    let mut tx = app.db.read().await?;
    Ok(daily_reports::standings(&mut tx, since).await?)
}
