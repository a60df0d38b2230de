//! What can be done about a difference, and doing it. Proposals are made anew each time, from what is known then.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, NaiveDate, Utc};
use kopru_domain::{BrandCode, ConsentStatus, IysCode, KeyState, Lang, Merge, Text};
use kopru_store::brands::BrandRow;
use kopru_store::daily_differences::{self, DayOf, DifferenceKind, DifferenceRow};
use kopru_store::daily_reports;
use kopru_store::submissions::{self, SubmissionRow};
use kopru_store::{Priority, ProviderKeys, StoreError, Tx};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::bootstrap::App;
use crate::service::daily::compare::Theirs;
use crate::service::events::Subject;
use crate::service::filing::settling::Settling;
use crate::service::{Caller, Scope, ServiceError, ServiceResult, mirror, providers};

/// Differences repaired in one transaction.
pub const PORTION: i64 = 1_000;

/// What is done about a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// The consent is filed once more, as a new generation.
    Redrive,
    /// The registry is asked now what became of the filing.
    AskStatus,
    /// The registry's movement is merged into the mirror.
    ApplyMovement,
    /// Nothing but to take note.
    Acknowledge,
    /// Nothing yet.
    Wait,
}

impl Action {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Redrive => "redrive",
            Self::AskStatus => "ask_status",
            Self::ApplyMovement => "apply_movement",
            Self::Acknowledge => "acknowledge",
            Self::Wait => "wait",
        }
    }
}

/// What is proposed, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proposal {
    /// What would be done.
    pub action: Action,
    /// A stable word.
    pub why: &'static str,
}

impl Proposal {
    const fn new(action: Action, why: &'static str) -> Self {
        Self { action, why }
    }

    /// The reason for people.
    pub fn text(self, lang: Lang) -> &'static str {
        let (tr, en) = match self.why {
            "lost" => (
                "İYS onayladığı kaydı günün dosyasında göstermiyor; yeniden bildirilir",
                "the registry confirmed it and does not have it in the day's file; it is filed once more",
            ),
            "filed_again" => ("bu kayıt sonradan yeniden bildirilmiş", "it has been filed once more since"),
            "newer_known" => (
                "İYS'de bu adres için daha yeni bir hareket var",
                "the registry has a later movement of the address",
            ),
            "rejected_since" => (
                "kişi sonradan reddetmiş; onay yeniden bildirilmez",
                "the person has refused since; the approval is not filed again",
            ),
            "deadline_passed" => (
                "onayın bildirim süresi geçmiş; yeniden bildirilemez",
                "the deadline of the approval has passed; it cannot be filed again",
            ),
            "outcome_unknown" => (
                "sonucu bilinmeyen bildirim İYS'ye ulaşmış; durumu hemen sorulur",
                "a filing whose outcome is not known has reached the registry; its state is asked for now",
            ),
            "outcome_awaited" => (
                "bildirimin sonucu bekleniyor; kendiliğinden sorulur",
                "the outcome of the filing is on its way and is asked for by itself",
            ),
            "settled" => ("bildirimin sonucu artık biliniyor", "the outcome of the filing is known by now"),
            "not_in_mirror" => {
                ("hareket henüz burada görünmüyor; işlenir", "the movement does not show here; it is applied")
            }
            _ => (
                "hareket burada işlenmiş; yapılacak başka bir şey yok",
                "the movement is applied here; there is nothing else to do",
            ),
        };
        if lang == Lang::Tr { tr } else { en }
    }
}

/// What a difference is about, as it is known now.
pub(super) struct Case {
    pub difference: DifferenceRow,
    pub theirs: Option<Theirs>,
    /// The filing that is meant, and the newest of the same consent.
    pub meant: Option<SubmissionRow>,
    pub newest: Option<SubmissionRow>,
}

impl Case {
    /// Puts cases together.
    pub async fn load(
        tx: &mut Tx,
        of: DayOf,
        keys: &ProviderKeys,
        rows: Vec<DifferenceRow>,
    ) -> ServiceResult<Vec<Self>> {
        let ids = rows.iter().filter_map(|row| row.consent_id).collect();
        let mut filings: HashMap<Uuid, Vec<SubmissionRow>> = HashMap::new();
        for filing in submissions::find_many(tx, of.iys_code, ids).await? {
            filings.entry(filing.consent_id).or_default().push(filing);
        }
        rows.into_iter()
            .map(|difference| {
                let theirs = difference.sealed.as_ref().map(|sealed| opened(keys, sealed)).transpose()?;
                let all = difference.consent_id.and_then(|id| filings.get(&id));
                let newest = all.and_then(|all| all.iter().max_by_key(|row| row.generation)).cloned();
                let meant = match difference.generation {
                    Some(meant) => {
                        all.and_then(|all| all.iter().find(|row| row.generation == meant)).cloned()
                    }
                    None => newest.clone(),
                };
                Ok(Self { difference, theirs, meant, newest })
            })
            .collect()
    }

    /// What to do, the state of the key being this.
    pub fn propose(&self, state: &KeyState, now: DateTime<Utc>) -> Proposal {
        match (self.difference.kind, &self.meant, &self.theirs) {
            (DifferenceKind::MissingThere, Some(lost), _) => self.propose_for_lost(lost, state, now),
            (DifferenceKind::MissingHere, Some(ours), _) if ours.state.is_open() => {
                if ours.state == kopru_domain::SubmissionState::Unresolved && ours.batch_id.is_none() {
                    Proposal::new(Action::AskStatus, "outcome_unknown")
                } else {
                    Proposal::new(Action::Wait, "outcome_awaited")
                }
            }
            (DifferenceKind::MissingHere, Some(_), _) => Proposal::new(Action::Acknowledge, "settled"),
            (_, _, Some(theirs)) if state.permission.clone().merge(theirs.side()) == Merge::Applied => {
                Proposal::new(Action::ApplyMovement, "not_in_mirror")
            }
            _ => Proposal::new(Action::Acknowledge, "in_mirror"),
        }
    }

    fn propose_for_lost(&self, lost: &SubmissionRow, state: &KeyState, now: DateTime<Utc>) -> Proposal {
        let approval = lost.status == ConsentStatus::Approval;
        let later = state.permission.registry.side().is_some_and(|side| {
            Some(side.creation_date) > lost.creation_date
                && Some(&side.transaction_id) != lost.transaction_id.as_ref()
        });
        if self.newest.as_ref().is_some_and(|newest| newest.generation > lost.generation) {
            Proposal::new(Action::Acknowledge, "filed_again")
        } else if later {
            Proposal::new(Action::Acknowledge, "newer_known")
        } else if approval && state.permission.local.is_some() {
            Proposal::new(Action::Acknowledge, "rejected_since")
        } else if approval && lost.latest_at < now {
            Proposal::new(Action::Acknowledge, "deadline_passed")
        } else {
            Proposal::new(Action::Redrive, "lost")
        }
    }
}

fn opened(keys: &ProviderKeys, sealed: &[u8]) -> ServiceResult<Theirs> {
    let json = mirror::open_difference(keys, sealed)?;
    let unreadable = |_| StoreError::Corrupt { what: "daily_differences", detail: "shape".to_owned() };
    Ok(serde_json::from_slice(&json).map_err(unreadable)?)
}

/// What a repair did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Repair {
    /// The day.
    #[schema(example = "2026-11-20")]
    pub date: String,
    /// Differences that something was done about.
    pub repaired: i64,
    /// Consents filed once more, each as a new generation.
    pub redrive: i64,
    /// Filings whose state is asked for now.
    pub ask_status: i64,
    /// Movements merged into the mirror.
    pub apply_movement: i64,
    /// Differences that needed nothing but to be taken note of.
    pub acknowledge: i64,
    /// Differences that nothing was done about yet: repeat while this falls.
    pub remaining: i64,
}

/// Carries out what is proposed for a day's differences, at most [`PORTION`] of them. Doing it again does nothing twice.
pub async fn repair(app: &App, caller: &Caller, brand: &BrandRow, day: NaiveDate) -> ServiceResult<Repair> {
    let mut tx = app.db.begin(Priority::Bulk).await?;
    let repair = repair_in(&mut tx, app, caller, brand, day).await?;
    tx.commit().await?;
    app.wake.wake();
    Ok(repair)
}

/// As [`repair`], in a transaction of the caller's, who commits and wakes the workers.
pub async fn repair_in(
    tx: &mut Tx,
    app: &App,
    caller: &Caller,
    brand: &BrandRow,
    day: NaiveDate,
) -> ServiceResult<Repair> {
    caller.require(Scope::ConsentsWrite)?;
    let of = DayOf { iys_code: brand.iys_code, brand_code: brand.brand_code, day };
    let mut settling = Settling::begin(app, tx, of.iys_code).await?;
    let report = daily_reports::find(tx, of.iys_code, of.brand_code, day)
        .await?
        .ok_or(ServiceError::NotFound("report"))?;
    if report.compared_at.is_none() {
        return Err(ServiceError::Conflict(Text::fixed(
            "gün henüz karşılaştırılmadı; önce İYS'nin dosyası okunmalı",
            "the day is not compared yet; the registry's file has to be read first",
        )));
    }
    let cases = cases(tx, &mut settling, of).await?;
    let done = carry_out(tx, &mut settling, of, cases).await?;
    let now = settling.now;
    settling.finish(tx).await?;
    let mut repair = Repair { date: day.to_string(), ..Repair::default() };
    for ((action, why), ids) in done {
        let count = daily_differences::repaired(tx, of, ids, why, now).await? as i64;
        repair.repaired += count;
        match action {
            Action::Redrive => repair.redrive += count,
            Action::AskStatus => repair.ask_status += count,
            Action::ApplyMovement => repair.apply_movement += count,
            Action::Acknowledge | Action::Wait => repair.acknowledge += count,
        }
    }
    daily_reports::repaired(tx, of.iys_code, of.brand_code, day, repair.repaired).await?;
    repair.remaining = report.unrepaired - repair.repaired;
    if repair.repaired > 0 {
        note(tx, app, caller, of, &repair).await?;
        metrics::counter!("daily_repairs_total").increment(repair.repaired as u64);
    }
    Ok(repair)
}

/// The next open differences, with the state of their keys loaded. Those that wait are passed over.
async fn cases(tx: &mut Tx, settling: &mut Settling<'_>, of: DayOf) -> ServiceResult<Vec<Case>> {
    let rows = daily_differences::list(tx, of, true, Uuid::nil(), PORTION).await?;
    let cases = Case::load(tx, of, &settling.keys, rows).await?;
    let meant: Vec<SubmissionRow> = cases.iter().filter_map(|case| case.meant.clone()).collect();
    settling.load(tx, &meant).await?;
    settling.load_keys(tx, cases.iter().map(|case| case.difference.key).collect()).await?;
    Ok(cases)
}

type Done = BTreeMap<(Action, &'static str), Vec<Uuid>>;

async fn carry_out(
    tx: &mut Tx,
    settling: &mut Settling<'_>,
    of: DayOf,
    cases: Vec<Case>,
) -> ServiceResult<Done> {
    let (mut done, mut ask) = (Done::new(), Vec::new());
    for case in cases {
        let proposal = case.propose(settling.states.of(case.difference.key), settling.now);
        match (proposal.action, case.meant, case.theirs) {
            (Action::Wait, ..) => continue,
            (Action::Redrive, Some(lost), _) => settling.lost(&lost)?,
            (Action::AskStatus, Some(unresolved), _) => ask.push(unresolved.consent_id),
            (Action::ApplyMovement, _, Some(theirs)) => {
                let subject = subject(of.brand_code, &case.difference, &theirs);
                settling.merge(subject, theirs.side(), "daily_file", None);
            }
            _ => {}
        }
        done.entry((proposal.action, proposal.why)).or_default().push(case.difference.id);
    }
    submissions::hurry(tx, of.iys_code, ask, settling.now).await?;
    Ok(done)
}

fn subject(brand_code: BrandCode, difference: &DifferenceRow, theirs: &Theirs) -> Subject {
    Subject {
        brand_code,
        key: difference.key,
        recipient: theirs.recipient.clone(),
        recipient_type: theirs.recipient_type,
        channel: theirs.channel,
    }
}

async fn note(tx: &mut Tx, app: &App, caller: &Caller, of: DayOf, repair: &Repair) -> ServiceResult<()> {
    let Repair { redrive, ask_status, apply_movement, acknowledge, .. } = repair;
    let subject = format!(
        "brand {} {}: redrive {redrive}, ask_status {ask_status}, apply_movement {apply_movement}, acknowledge {acknowledge}",
        of.brand_code, of.day
    );
    let provider: IysCode = of.iys_code;
    providers::note(tx, app, caller, provider, "daily.repaired", &subject).await
}
