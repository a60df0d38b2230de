//! Re-drive: a consent whose filing has ended without the registry's record is filed once more (design.md section 4.7).
//!
//! A filing that has ended is never reopened: a new one of the same consent goes into the queue, and the audit trail says who
//! wanted it. Whether it can come to anything is decided by the rules as they stand now, which nothing overrides: no approval
//! after its latest instant, none against a refusal that stands, nothing that the registry has. Beyond that a code may say
//! that filing again cannot help; only that is what `force` passes over.
//!
//! A portion is one transaction under the provider's head. What it has queued is found no more, so doing it all again after
//! a crash does the rest.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use kopru_domain::{BrandCode, BrandPolicy, Code, IysCode, Lang, Readmission, SubmissionState};
use kopru_store::audit::{self, AuditRow};
use kopru_store::consents::{self, TakenRow};
use kopru_store::submissions::{self, EndedFilter, SubmissionRow};
use kopru_store::{Priority, StoreError, Tx, brands as brand_rows, heads};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::bootstrap::App;
use crate::service::brands::{self, KnownBrand};
use crate::service::consents::{Explanation, explain_filing};
use crate::service::filing::settling::candidate;
use crate::service::mirror::KeyStates;
use crate::service::standing::Standing;
use crate::service::{Caller, Scope, ServiceResult, providers};

/// Filings looked at in one transaction.
pub const PORTION: i64 = 1_000;
/// Consents named in a group.
const NAMED: usize = 20;

/// The states from which a filing can be driven again.
pub const ENDED: [SubmissionState; 4] = [
    SubmissionState::Refused,
    SubmissionState::Expired,
    SubmissionState::NotNeeded,
    SubmissionState::Superseded,
];

/// How a redrive is wanted.
#[derive(Debug, Clone, Default)]
pub struct Wish {
    /// Only tell what would happen.
    pub dry_run: bool,
    /// Also file what its code says cannot be helped, where the rules allow it.
    pub force: bool,
    /// Why, for the audit trail.
    pub reason: Option<String>,
}

/// What a redrive did, or would do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Redrive {
    /// Nothing was changed.
    pub dry_run: bool,
    /// Filings looked at.
    pub looked_at: u64,
    /// Filed once more; in a dry run, what would be.
    pub redriven: u64,
    /// Left as they are, because filing again would come to nothing.
    pub left: u64,
    /// The same by how the filings had ended, and why they are left.
    pub groups: Vec<RedriveGroup>,
}

/// Filings that ended alike and are treated alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RedriveGroup {
    /// `ONAY` or `RET`.
    #[schema(value_type = String)]
    pub status: &'static str,
    /// How they had ended: `refused`, `expired`, `not_needed`, `superseded`; or where they stand.
    #[schema(value_type = String)]
    pub state: &'static str,
    /// Why they had ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What that code means.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explanation: Option<Explanation>,
    /// How many.
    pub count: u64,
    /// Whether they are filed once more.
    pub redriven: bool,
    /// Why they are left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_because: Option<LeftBecause>,
    /// The first of these consents, at most 20.
    pub consents: Vec<Uuid>,
}

/// Why filings are left as they are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LeftBecause {
    /// The registry's H-code that filing again would meet, or a word of this service.
    pub code: String,
    /// What it means.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explanation: Option<Explanation>,
    /// Whether `force` would file them all the same.
    pub force_helps: bool,
}

impl Redrive {
    fn count(&mut self, row: &SubmissionRow, left: Option<&Code>, lang: Lang) {
        self.looked_at += 1;
        *(if left.is_some() { &mut self.left } else { &mut self.redriven }) += 1;
        let left = left.map(Code::as_str);
        let alike = |group: &&mut RedriveGroup| {
            (group.status, group.state, group.code.as_deref())
                == (row.status.as_str(), row.state.as_str(), row.code.as_deref())
                && group.left_because.as_ref().map(|left| left.code.as_str()) == left
        };
        if let Some(group) = self.groups.iter_mut().find(alike) {
            return group.add(1, &[row.consent_id]);
        }
        self.groups.push(RedriveGroup {
            status: row.status.as_str(),
            state: row.state.as_str(),
            explanation: row.code.as_deref().and_then(|code| explain_filing(code, lang)),
            code: row.code.clone(),
            count: 1,
            redriven: left.is_none(),
            left_because: left.map(|code| LeftBecause {
                code: code.to_owned(),
                explanation: explain_filing(code, lang),
                force_helps: code == Code::CANNOT_HELP.as_str(),
            }),
            consents: vec![row.consent_id],
        });
    }

    fn merge(&mut self, other: Self) {
        self.dry_run = other.dry_run;
        self.looked_at += other.looked_at;
        self.redriven += other.redriven;
        self.left += other.left;
        for more in other.groups {
            let alike = |group: &&mut RedriveGroup| {
                (group.status, group.state, &group.code, &group.left_because)
                    == (more.status, more.state, &more.code, &more.left_because)
            };
            match self.groups.iter_mut().find(alike) {
                Some(group) => group.add(more.count, &more.consents),
                None => self.groups.push(more),
            }
        }
    }
}

impl RedriveGroup {
    fn add(&mut self, count: u64, consents: &[Uuid]) {
        self.count += count;
        let room = NAMED.saturating_sub(self.consents.len());
        self.consents.extend(consents.iter().take(room));
    }
}

/// A consent by itself.
pub async fn consent(app: &App, caller: &Caller, id: Uuid, wish: &Wish) -> ServiceResult<Redrive> {
    let mut tx = begin(app, wish).await?;
    let redrive = consent_in(&mut tx, app, caller, id, wish).await?;
    finish(app, tx, wish).await?;
    Ok(redrive)
}

/// Consents by themselves, each in a transaction of its own.
pub async fn consents(app: &App, caller: &Caller, ids: &[Uuid], wish: &Wish) -> ServiceResult<Redrive> {
    let mut redrive = Redrive { dry_run: wish.dry_run, ..Redrive::default() };
    for id in ids {
        redrive.merge(consent(app, caller, *id, wish).await?);
    }
    Ok(redrive)
}

/// As [`consent`], in a transaction of the caller's, who commits and wakes the workers.
pub async fn consent_in(
    tx: &mut Tx,
    app: &App,
    caller: &Caller,
    id: Uuid,
    wish: &Wish,
) -> ServiceResult<Redrive> {
    caller.require(Scope::ConsentsWrite)?;
    let (provider, consent) = super::consents::find(tx, caller, id).await?;
    let brand = known(tx, provider, consent.brand_code).await?;
    brand.require_active()?;
    lock(tx, provider, wish).await?;
    let row = submissions::find(tx, provider, id).await?;
    drive(tx, app, caller, &brand, row.into_iter().collect(), wish).await
}

/// The next portion of a brand's ended filings after a consent; with the consent to go on from, where there may be more.
pub async fn portion_in(
    tx: &mut Tx,
    app: &App,
    caller: &Caller,
    brand: &KnownBrand,
    filter: &EndedFilter,
    after: Option<Uuid>,
    wish: &Wish,
) -> ServiceResult<(Redrive, Option<Uuid>)> {
    caller.require(Scope::ConsentsWrite)?;
    brand.require_active()?;
    let (provider, code) = (brand.row.iys_code, brand.row.brand_code);
    lock(tx, provider, wish).await?;
    let rows = submissions::ended(tx, provider, code, filter, after.unwrap_or_default(), PORTION).await?;
    let full = rows.len() as i64 == PORTION;
    let next = rows.last().filter(|_| full).map(|row| row.consent_id);
    Ok((drive(tx, app, caller, brand, rows, wish).await?, next))
}

/// Portions of a brand, each in a transaction of its own, until about `most` filings were looked at; with the consent to go
/// on from, where there may be more.
pub async fn portions(
    app: &App,
    caller: &Caller,
    brand: &KnownBrand,
    filter: &EndedFilter,
    after: Option<Uuid>,
    wish: &Wish,
    most: u64,
) -> ServiceResult<(Redrive, Option<Uuid>)> {
    let mut redrive = Redrive { dry_run: wish.dry_run, ..Redrive::default() };
    let mut after = after;
    loop {
        let mut tx = begin(app, wish).await?;
        let (portion, next) = portion_in(&mut tx, app, caller, brand, filter, after, wish).await?;
        finish(app, tx, wish).await?;
        redrive.merge(portion);
        after = next;
        if after.is_none() || redrive.looked_at >= most {
            return Ok((redrive, after));
        }
    }
}

/// Everything that fits a filter: of a brand, or of all active brands that the caller sees.
pub async fn whole(
    app: &App,
    caller: &Caller,
    brand: Option<BrandCode>,
    filter: &EndedFilter,
    wish: &Wish,
) -> ServiceResult<Redrive> {
    caller.require(Scope::ConsentsWrite)?;
    let brands = match brand {
        Some(code) => vec![brands::find(app, caller, code).await?],
        None => active_brands(app, caller).await?,
    };
    let mut redrive = Redrive { dry_run: wish.dry_run, ..Redrive::default() };
    for brand in brands {
        redrive.merge(portions(app, caller, &brand, filter, None, wish, u64::MAX).await?.0);
    }
    Ok(redrive)
}

async fn active_brands(app: &App, caller: &Caller) -> ServiceResult<Vec<KnownBrand>> {
    let mut tx = app.db.read().await?;
    let mut brands = Vec::new();
    for provider in providers::visible(&mut tx, caller).await? {
        if !kopru_store::providers::find(&mut tx, provider).await?.is_some_and(|row| row.active) {
            continue;
        }
        let mut after = BrandCode(0);
        loop {
            let page = brand_rows::list(&mut tx, provider, after).await?;
            let Some(last) = page.last() else { break };
            after = last.brand_code;
            let page = page.into_iter().filter(|row| row.active);
            brands.extend(page.map(|row| KnownBrand {
                row,
                provider_active: true,
                standing: Standing::default(),
                sender: None,
                notices: None,
            }));
        }
    }
    Ok(brands)
}

async fn known(tx: &mut Tx, provider: IysCode, brand: BrandCode) -> ServiceResult<KnownBrand> {
    let missing = || StoreError::Corrupt { what: "brands", detail: "missing".to_owned() };
    let row = brand_rows::find_by_code(tx, brand).await?.ok_or_else(missing)?;
    let provider_active =
        kopru_store::providers::find(tx, provider).await?.is_some_and(|provider| provider.active);
    Ok(KnownBrand { row, provider_active, standing: Standing::default(), sender: None, notices: None })
}

async fn begin(app: &App, wish: &Wish) -> ServiceResult<Tx> {
    Ok(if wish.dry_run { app.db.read().await? } else { app.db.begin(Priority::Bulk).await? })
}

async fn finish(app: &App, tx: Tx, wish: &Wish) -> ServiceResult<()> {
    if !wish.dry_run {
        tx.commit().await?;
        app.wake.wake();
    }
    Ok(())
}

/// What is read afterwards stays true until commit.
async fn lock(tx: &mut Tx, provider: IysCode, wish: &Wish) -> ServiceResult<()> {
    if !wish.dry_run {
        heads::lock(tx, provider).await?;
    }
    Ok(())
}

/// Decides on ended filings, each the newest of its consent, and queues the new ones.
async fn drive(
    tx: &mut Tx,
    app: &App,
    caller: &Caller,
    brand: &KnownBrand,
    mut rows: Vec<SubmissionRow>,
    wish: &Wish,
) -> ServiceResult<Redrive> {
    let (provider, now) = (brand.row.iys_code, app.clocks.business());
    let ids = rows.iter().map(|row| row.consent_id).collect();
    let known: HashMap<Uuid, TakenRow> =
        consents::taken(tx, provider, ids).await?.into_iter().map(|row| (row.id, row)).collect();
    let states = KeyStates::load(tx, provider, rows.iter().map(|row| row.key).collect()).await?;
    let mut decision = Decision { app, policy: brand.row.policy, states, known, force: wish.force, now };
    let mut redrive = Redrive { dry_run: wish.dry_run, ..Redrive::default() };
    let (mut fresh, mut superseded) = (BTreeMap::new(), Vec::new());
    // As inside a key: in the order of the decisions.
    rows.sort_by_key(|row| (row.ordered_at, row.consent_id));
    for row in rows {
        match decision.of(&row)? {
            Readmission::Leave { code } => redrive.count(&row, Some(&code), caller.lang),
            Readmission::File { wire_date, superseded: overtaken } => {
                redrive.count(&row, None, caller.lang);
                superseded.extend(overtaken);
                fresh.insert(row.consent_id, (row, wire_date));
            }
        }
    }
    if !wish.dry_run && !fresh.is_empty() {
        for overtaken in &superseded {
            fresh.remove(overtaken);
        }
        let notes: Vec<AuditRow> =
            fresh.values().map(|(row, _)| note(app, caller, row, wish.reason.as_deref())).collect();
        metrics::counter!("submissions_redriven_total").increment(notes.len() as u64);
        audit::add_all(tx, provider, &notes).await?;
        let rows = fresh.into_values().map(|(row, wire_date)| row.again(wire_date, now)).collect();
        let code = Code::OLDER_THAN_REJECTION;
        let overtake = submissions::supersede_step(provider, superseded, code.as_str(), now);
        tx.run(vec![overtake, submissions::add_step(rows, now)]).await?;
    }
    Ok(redrive)
}

struct Decision<'a> {
    app: &'a App,
    policy: BrandPolicy,
    states: KeyStates,
    known: HashMap<Uuid, TakenRow>,
    force: bool,
    now: DateTime<Utc>,
}

impl Decision<'_> {
    fn of(&mut self, row: &SubmissionRow) -> ServiceResult<Readmission> {
        let leave = |code| Ok(Readmission::Leave { code });
        match row.state {
            SubmissionState::Registered => return leave(Code::ALREADY_REGISTERED),
            state if state.is_open() => return leave(Code::ALREADY_OPEN),
            _ => {}
        }
        let missing = || StoreError::Corrupt { what: "consents", detail: "missing".to_owned() };
        let consent = candidate(self.known.get(&row.consent_id).ok_or_else(missing)?);
        let state = self.states.of(row.key);
        let before = state.clone();
        let readmission = state.readmit(&consent, &self.policy, &self.app.calendar, self.now);
        let futile = row
            .code
            .as_deref()
            .and_then(|code| explain_filing(code, Lang::En))
            .is_some_and(|code| !code.redrive_helps);
        if futile && !self.force && matches!(readmission, Readmission::File { .. }) {
            *state = before;
            return leave(Code::CANNOT_HELP);
        }
        Ok(readmission)
    }
}

/// The audit trail's row of one new filing.
fn note(app: &App, caller: &Caller, row: &SubmissionRow, reason: Option<&str>) -> AuditRow {
    let code = row.code.as_deref().map(|code| format!(" {code}")).unwrap_or_default();
    let from = caller.client.or(caller.peer).map(|address| format!("; from {address}")).unwrap_or_default();
    let reason = reason.map(|reason| format!("; {reason}")).unwrap_or_default();
    AuditRow {
        at: app.clocks.wire(),
        actor: caller.actor.clone(),
        action: "consent.redriven".to_owned(),
        subject: format!("consent {}", row.consent_id),
        detail: format!("filing {} after {}{code}{from}{reason}", row.generation + 1, row.state),
    }
}

/// A rejection of ours that the registry's older approval needs filed once more: by itself, inside the transaction that has
/// learnt of the approval. Nothing where a filing of it is open.
pub(super) async fn rejection(
    tx: &mut Tx,
    app: &App,
    provider: IysCode,
    consent: Uuid,
    now: DateTime<Utc>,
) -> ServiceResult<()> {
    let Some(last) = submissions::find(tx, provider, consent).await? else { return Ok(()) };
    if last.state.is_open() {
        return Ok(());
    }
    let reason = "the registry holds an older approval";
    audit::add_all(tx, provider, &[note(app, &Caller::system("system"), &last, Some(reason))]).await?;
    let wire_date = Some(last.ordered_at);
    Ok(submissions::add(tx, vec![last.again(wire_date, now)], now).await?)
}
