//! Onboarding: who has authorised us, for what, and how their subscriptions stand, read from the registry and kept here
//! (`provider sync`). What cannot be filed is held with its reason, before a filing is refused; what can be again is released.
//! Nothing is deleted.
//!
//! It runs on a schedule, at once after a first refusal that holds a brand or channel, and on request. Each provider is a
//! transaction of its own, under its head; the registry is asked before, with no transaction open.

mod ask;
mod plan;
mod report;

use std::collections::BTreeMap;

use chrono::TimeDelta;
use futures::{StreamExt as _, stream};
use iys::Account;
use kopru_domain::governor::CallClass;
use kopru_domain::{BrandCode, BrandPolicy, Code, DailyAgreement, IysCode, Text};
use kopru_store::cursors;
use kopru_store::holds::HoldRow;
use kopru_store::providers::ProviderRow;
use kopru_store::{
    Priority, Tx, brands as brand_rows, heads, holds, ids, jobs, providers as provider_rows, rights,
    subscriptions,
};

use crate::bootstrap::App;
use crate::registry::priority;
use crate::service::brands::{self, NewBrand};
use crate::service::filing::release;
use crate::service::providers::{self, LONGEST_NAME, NewProvider};
use crate::service::{Caller, Scope, ServiceError, ServiceResult, retailers, via};
use ask::{PartnerList, Told};
use plan::{Act, Known, Reach, plan};
pub use report::{SyncItem, SyncReport};

/// The job that asks the registry; of a provider, or of the installation for all of them.
pub const JOB: &str = "provider_sync";
/// The installation itself: whose subscription is the partner's own.
const INSTALLATION: IysCode = IysCode(0);

/// What to sync.
#[derive(Debug, Clone, Copy, Default)]
pub struct SyncRequest {
    /// Only this provider; `None` = all, new ones among them.
    pub provider: Option<IysCode>,
    /// Write nothing, only tell what would change.
    pub dry_run: bool,
}

/// Reads from the registry who has authorised us for what, and does what follows. Needs `admin` and a partner-wide caller.
/// Doing it twice changes nothing.
pub async fn sync(app: &App, caller: &Caller, request: SyncRequest) -> ServiceResult<SyncReport> {
    caller.require(Scope::Admin)?;
    if caller.provider.is_some() {
        return Err(ServiceError::NotFound("provider"));
    }
    let report = priority::run(CallClass::Person, run(app, caller, request, false)).await?;
    Ok(SyncReport { dry_run: request.dry_run, ..report }.explained(caller.lang))
}

/// Asks for the rights on the brands of a provider that are here, and makes no others.
pub async fn look(app: &App, caller: &Caller, provider: IysCode) -> ServiceResult<()> {
    caller.require(Scope::Admin)?;
    let request = SyncRequest { provider: Some(provider), dry_run: false };
    priority::run(CallClass::Person, run(app, caller, request, true)).await.map(drop)
}

/// Does the job of [`enqueue`] or of the schedule.
pub async fn work(app: &App, provider: IysCode) -> ServiceResult<()> {
    let provider = Some(provider).filter(|provider| *provider != INSTALLATION);
    let request = SyncRequest { provider, dry_run: false };
    let report = run(app, &Caller::system("sync"), request, false).await?;
    if report.has_changes() || !report.failed.is_empty() {
        tracing::info!(
            created = report.created.len(),
            changed = report.changed.len(),
            withdrawn = report.withdrawn.len(),
            held = report.held.len(),
            released = report.released.len(),
            failed = report.failed.len(),
            "synced providers with the registry"
        );
    }
    Ok(())
}

/// Puts the job of one provider in, unless it waits already, where syncs run by themselves.
pub async fn enqueue(tx: &mut Tx, app: &App, provider: IysCode) -> ServiceResult<()> {
    if app.config.providers.syncs_by_itself() && can_ask(app) {
        let now = app.clocks.wire();
        jobs::add_once(tx, provider, ids::new_id(now), JOB, "{}", now).await?;
    }
    Ok(())
}

/// Puts the job of all in when the interval has passed since the last one; returns how many.
pub async fn schedule(app: &App) -> ServiceResult<usize> {
    if !app.config.providers.syncs_by_itself() || !can_ask(app) || !app.registry.is_open().await? {
        return Ok(0);
    }
    let last = {
        let mut tx = app.db.read().await?;
        subscriptions::find(&mut tx, INSTALLATION).await?
    };
    let due = last.is_none_or(|last| last.synced_at + interval(app) <= app.clocks.business());
    if !due {
        return Ok(0);
    }
    let now = app.clocks.wire();
    let mut tx = app.db.begin(Priority::Bulk).await?;
    let added = jobs::add_once(&mut tx, INSTALLATION, ids::new_id(now), JOB, "{}", now).await?;
    tx.commit().await?;
    Ok(usize::from(added))
}

/// Asks the list anew about what it holds back, in the place of a filing that would only be refused. False where the list does not
/// answer for this brand: it was never read, or not for two intervals.
pub(super) async fn asks_the_list(tx: &mut Tx, app: &App, hold: &HoldRow) -> ServiceResult<bool> {
    if !hold.listed || !app.config.providers.syncs_by_itself() || !can_ask(app) {
        return Ok(false);
    }
    let told = rights::find(tx, hold.iys_code, hold.brand_code).await?;
    let twice = interval(app).checked_mul(2).unwrap_or(TimeDelta::MAX);
    let stale = told.map(|told| told.synced_at.checked_add_signed(twice));
    Ok(stale.is_some_and(|at| at.is_none_or(|at| app.clocks.business() < at)))
}

/// Whether there is anybody to ask as: an account without the partner's number cannot read the list.
fn can_ask(app: &App) -> bool {
    app.registry.configured()
        && (app.registry.partner().is_none() || app.registry.integrator_code().is_some())
}

fn interval(app: &App) -> TimeDelta {
    TimeDelta::from_std(app.config.providers.sync_interval).unwrap_or(TimeDelta::MAX)
}

async fn run(
    app: &App,
    caller: &Caller,
    request: SyncRequest,
    known_only: bool,
) -> ServiceResult<SyncReport> {
    let known = known_providers(app, request.provider).await?;
    let mut report = SyncReport::default();
    let (list, partner) = partner_list(app, &request, &known).await?;
    let stop = partner.as_ref().and_then(|row| row.code.clone()).map(Code::new);
    let told = everybody_told(app, &known, list, &mut report).await;
    for (provider, (own, told)) in told {
        let reach = Reach { partner: stop.as_ref().filter(|_| !own), known_only };
        match apply(app, caller, provider, &told, reach, request.dry_run).await {
            Ok(done) => report.add(done),
            Err(ServiceError::Store(error)) => return Err(error.into()),
            Err(error) => report.failed.push(failure(provider, &error)),
        }
    }
    if !request.dry_run {
        refresh_retailers(app, request.provider, &mut report).await?;
    }
    if request.provider.is_none() && !request.dry_run {
        let row = partner.unwrap_or_else(|| subscriptions::SubscriptionRow {
            iys_code: INSTALLATION,
            status: "NONE".to_owned(),
            package: None,
            expires_at: None,
            code: None,
            synced_at: app.clocks.business(),
        });
        let mut tx = app.db.begin(Priority::Bulk).await?;
        subscriptions::save(&mut tx, &row).await?;
        tx.commit().await?;
    }
    app.wake.wake();
    Ok(report)
}

/// Reads the retailers of the brands whose mirror is in use.
async fn refresh_retailers(app: &App, only: Option<IysCode>, report: &mut SyncReport) -> ServiceResult<()> {
    let used = {
        let mut tx = app.db.read().await?;
        rights::with_retailers(&mut tx).await?
    };
    for (provider, brand) in
        used.into_iter().filter(|(provider, _)| only.is_none_or(|only| only == *provider))
    {
        match retailers::refresh(app, provider, brand).await {
            Ok(_) => {}
            Err(ServiceError::Store(error)) => return Err(error.into()),
            Err(error) => {
                report.failed.push(SyncItem { brand_code: Some(brand.0), ..failure(provider, &error) });
            }
        }
    }
    Ok(())
}

/// The providers here: all, or the one asked for where it is here.
async fn known_providers(app: &App, only: Option<IysCode>) -> ServiceResult<BTreeMap<IysCode, ProviderRow>> {
    let mut tx = app.db.read().await?;
    if let Some(only) = only {
        let row = provider_rows::find(&mut tx, only).await?;
        return Ok(row.map(|row| (only, row)).into_iter().collect());
    }
    let mut all = BTreeMap::new();
    let mut after = IysCode(0);
    loop {
        let page = provider_rows::list(&mut tx, after).await?;
        let Some(last) = page.last() else { return Ok(all) };
        after = last.iys_code;
        all.extend(page.into_iter().map(|row| (row.iys_code, row)));
    }
}

/// What the partner's account is told, and its own subscription. Nothing where it has no part in this.
async fn partner_list(
    app: &App,
    request: &SyncRequest,
    known: &BTreeMap<IysCode, ProviderRow>,
) -> ServiceResult<(PartnerList, Option<subscriptions::SubscriptionRow>)> {
    let all_own = !known.is_empty() && known.values().all(|row| row.own_credentials);
    let (account, integrator) = match (app.registry.partner(), app.registry.integrator_code()) {
        _ if request.provider.is_some() && all_own => return Ok(Default::default()),
        (Some(account), Some(integrator)) => (account, integrator),
        (None, _) if all_own => return Ok(Default::default()),
        _ => {
            return Err(ServiceError::Conflict(Text::fixed(
                "iş ortağı hesabı eksik: registry.username, parola ve registry.integrator_code ayarlayın",
                "the partner's account is incomplete: set registry.username, its password and registry.integrator_code",
            )));
        }
    };
    let subscription = ask::partner_subscription(app, account, integrator).await?;
    // The list is not shown while the partner's own subscription rests: rights are as they were.
    if subscription.code.is_some() {
        let silent = known.iter().filter(|(_, row)| !row.own_credentials);
        let list = silent.map(|(provider, _)| (*provider, Told::default())).collect();
        return Ok((list, Some(subscription)));
    }
    let mut list = match request.provider {
        Some(provider) => [(provider, ask::one(account, integrator, provider).await?)].into(),
        None => ask::everybody(account, integrator).await?,
    };
    if request.provider.is_none() {
        confirm(app, account, integrator, known, &mut list).await?;
    }
    Ok((list, Some(subscription)))
}

/// Asks once more for each provider of ours of whom a brand is missing: pages shift while others withdraw, and what is
/// believed here stops a provider's filings.
async fn confirm(
    app: &App,
    account: &Account,
    integrator: i64,
    known: &BTreeMap<IysCode, ProviderRow>,
    list: &mut PartnerList,
) -> ServiceResult<()> {
    for (provider, _) in known.iter().filter(|(_, row)| row.active && !row.own_credentials) {
        let ours = {
            let mut tx = app.db.read().await?;
            let rights = rights::of_provider(&mut tx, *provider).await?;
            let withdrawn = |code| rights.iter().any(|row| row.brand_code == code && !row.rights.authorised);
            let brands = brand_rows::list(&mut tx, *provider, BrandCode(0)).await?;
            let brands = brands.into_iter().filter(|row| row.active).map(|row| row.brand_code);
            brands.filter(|code| !withdrawn(*code)).collect::<Vec<_>>()
        };
        let told = list.get(provider).and_then(|told| told.brands.as_ref());
        let missing = |code| told.is_none_or(|brands| !brands.contains_key(code));
        if ours.iter().any(missing) {
            list.insert(*provider, ask::one(account, integrator, *provider).await?);
        } else {
            list.entry(*provider)
                .or_insert_with(|| Told { brands: Some(BTreeMap::new()), ..Told::default() });
        }
    }
    Ok(())
}

/// Adds the subscriptions, and what providers with accounts of their own are told; who could not be asked is in the report.
async fn everybody_told(
    app: &App,
    known: &BTreeMap<IysCode, ProviderRow>,
    mut list: PartnerList,
    report: &mut SyncReport,
) -> BTreeMap<IysCode, (bool, Told)> {
    let own = |provider: &IysCode| known.get(provider).is_some_and(|row| row.own_credentials);
    let disabled = |provider: &IysCode| known.get(provider).is_some_and(|row| !row.active);
    for (provider, _) in known.iter().filter(|(_, row)| row.own_credentials) {
        list.insert(*provider, Told::default());
    }
    let questions: Vec<(IysCode, bool, Told)> = list
        .into_iter()
        .filter(|(provider, _)| !disabled(provider))
        .map(|(provider, told)| (provider, own(&provider), told))
        .collect();
    let mut answers = stream::iter(questions)
        .map(async |(provider, own, told)| (provider, own, complete(app, provider, own, told).await))
        .buffer_unordered(app.config.filing.concurrency.max(1) as usize);
    let mut all = BTreeMap::new();
    while let Some((provider, own, (told, error))) = answers.next().await {
        report.failed.extend(error.map(|error| failure(provider, &error)));
        all.extend(told.map(|told| (provider, (own, told))));
    }
    all
}

/// What is still to be asked of one provider. Without its subscription the rights are believed all the same.
async fn complete(
    app: &App,
    provider: IysCode,
    own: bool,
    told: Told,
) -> (Option<Told>, Option<ServiceError>) {
    // Nobody may ask for the subscription of a provider that has authorised nothing.
    if !own && told.brands.as_ref().is_none_or(BTreeMap::is_empty) {
        return (Some(told), None);
    }
    let account = async {
        let mut tx = app.db.read().await?;
        Ok::<_, ServiceError>(app.registry.account(&mut tx, provider).await?)
    };
    let account = match account.await {
        Ok(account) => account,
        Err(error) => return (Some(told).filter(|_| !own), Some(error)),
    };
    if own {
        return match ask::own(app, &account, provider).await {
            Ok(told) => (Some(told), None),
            Err(error) => (None, Some(error)),
        };
    }
    match ask::subscription(app, &account, provider).await {
        Ok((subscription, via)) => (Some(Told { subscription: Some(subscription), via, ..told }), None),
        Err(error) => (Some(told), Some(error)),
    }
}

fn failure(provider: IysCode, error: &ServiceError) -> SyncItem {
    let item = SyncItem::of(provider);
    match error {
        ServiceError::Registry(cause) if cause.code().is_some() => {
            SyncItem { code: cause.code().map(ToOwned::to_owned), ..item }
        }
        error => SyncItem { explanation: Some(error.to_string()), ..item },
    }
}

/// Compares and does what follows, in one transaction under the provider's head.
async fn apply(
    app: &App,
    caller: &Caller,
    provider: IysCode,
    told: &Told,
    reach: Reach<'_>,
    dry_run: bool,
) -> ServiceResult<SyncReport> {
    if dry_run {
        let mut tx = app.db.read().await?;
        return Ok(plan(provider, &known(&mut tx, provider).await?, told, reach).1);
    }
    let mut tx = app.db.begin(Priority::Bulk).await?;
    if provider_rows::find(&mut tx, provider).await?.is_some() {
        heads::lock(&mut tx, provider).await?;
    }
    let (acts, mut report) = plan(provider, &known(&mut tx, provider).await?, told, reach);
    let mut taken = Vec::new();
    for act in acts {
        match act {
            Act::AddBrand(brand, name) => {
                if let Some(failed) = add_brand(&mut tx, app, caller, provider, brand, name).await? {
                    report.failed.push(failed);
                    taken.push(brand);
                }
            }
            Act::SaveRights(brand, _) | Act::Hold(brand, ..) if taken.contains(&brand) => {}
            act => carry_out(&mut tx, app, caller, provider, act).await?,
        }
    }
    if let Some(package) = &told.via
        && provider_rows::find(&mut tx, provider).await?.is_some()
    {
        via::told(&mut tx, package).await?;
    }
    let is_taken = |item: &SyncItem| item.brand_code.is_some_and(|brand| taken.contains(&BrandCode(brand)));
    report.created.retain(|item| !is_taken(item));
    report.held.retain(|item| !is_taken(item));
    if report.has_changes() {
        providers::note(&mut tx, app, caller, provider, "provider.synced", &provider.to_string()).await?;
    }
    tx.commit().await?;
    Ok(report)
}

async fn known(tx: &mut Tx, provider: IysCode) -> ServiceResult<Known> {
    let mut brands = BTreeMap::new();
    loop {
        let after = brands.last_key_value().map_or(BrandCode(0), |(code, _)| *code);
        let page = brand_rows::list(tx, provider, after).await?;
        if page.is_empty() {
            break;
        }
        brands.extend(page.into_iter().map(|row| (row.brand_code, row)));
    }
    Ok(Known {
        provider: provider_rows::find(tx, provider).await?,
        brands,
        rights: rights::of_provider(tx, provider)
            .await?
            .iter()
            .map(|row| (row.brand_code, row.rights))
            .collect(),
        subscription: subscriptions::find(tx, provider).await?,
        holds: holds::of_provider(tx, provider)
            .await?
            .into_iter()
            .map(|hold| ((hold.brand_code, hold.channel), hold))
            .collect(),
    })
}

/// Adds a brand; what is told where its number belongs to somebody else here.
async fn add_brand(
    tx: &mut Tx,
    app: &App,
    caller: &Caller,
    provider: IysCode,
    brand: BrandCode,
    name: String,
) -> ServiceResult<Option<SyncItem>> {
    let new = NewBrand {
        iys_code: provider,
        brand_code: brand,
        name,
        policy: BrandPolicy::default(),
        allowed_sources: None,
        daily_agreement: DailyAgreement::default(),
    };
    match brands::add_in(tx, app, caller, new).await {
        Ok(_) => Ok(None),
        Err(ServiceError::Taken(problem)) => {
            let explanation = Some(problem.title.get(caller.lang).to_owned());
            Ok(Some(SyncItem { explanation, ..SyncItem::brand(provider, brand) }))
        }
        Err(error) => Err(error),
    }
}

async fn carry_out(
    tx: &mut Tx,
    app: &App,
    caller: &Caller,
    provider: IysCode,
    act: Act,
) -> ServiceResult<()> {
    let now = app.clocks.business();
    match act {
        Act::AddProvider(title) => {
            let new = NewProvider { iys_code: provider, title, credentials: None, tested_at: None };
            providers::add_in(tx, app, caller, new).await?;
        }
        Act::RenameProvider(title) => provider_rows::rename(tx, provider, &title).await?,
        Act::RenameBrand(brand, name) => brand_rows::rename(tx, provider, brand, &name).await?,
        Act::SaveRights(brand, told) => rights::save(tx, provider, brand, &told, now).await?,
        Act::SaveSubscription(row) => subscriptions::save(tx, &row).await?,
        Act::Hold(brand, channel, cause, code) => {
            let hold = HoldRow {
                iys_code: provider,
                brand_code: brand,
                channel,
                cause: cause.as_str().to_owned(),
                code: code.as_str().to_owned(),
                since: now,
                probe_at: now + app.config.filing.probe_after(),
                listed: true,
            };
            holds::set(tx, &hold).await?;
        }
        Act::Lift(brand, channel) => {
            if holds::lift(tx, provider, brand, channel, false, now).await? {
                release(tx, app, (provider, brand, channel)).await?;
                cursors::allowed(tx, provider, brand, now).await?;
            }
        }
        Act::AddBrand(..) => {}
    }
    Ok(())
}
