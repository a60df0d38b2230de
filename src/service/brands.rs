//! Brands (marka): adding one starts the reading of its change feed at the registry.

use std::sync::Arc;

use kopru_domain::time::format_rfc3339;
use kopru_domain::{
    AfterCitizenRet, BrandCode, BrandPolicy, DailyAgreement, IysCode, OnayRefresh, ProviderSource, Text,
};
use kopru_store::brands::{self, BrandRow};
use kopru_store::senders::{self, SenderRow};
use kopru_store::{Priority, Tx, cursors, providers as provider_rows};
use serde::Serialize;
use utoipa::ToSchema;

use crate::bootstrap::App;
use crate::service::messages::notice::Notices;
use crate::service::reconciliation::{self, Mirror};
use crate::service::standing::{Standing, StandingView, Stops};
use crate::service::{Caller, Scope, ServiceError, ServiceResult, forms, onboarding, providers};

/// A brand as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Brand {
    /// The provider's number at the registry.
    pub iys_code: i64,
    /// The brand's number at the registry.
    pub brand_code: i64,
    /// Name.
    pub name: String,
    /// Disabled brands take nothing in and are not pulled.
    pub active: bool,
    /// What becomes of an ONAY of what is approved already: `never`, `source_change` or `always` filed.
    #[schema(value_type = String)]
    pub onay_refresh: OnayRefresh,
    /// What becomes of an ONAY after the citizen's own RET: `review`, `evidence` or `refuse`.
    #[schema(value_type = String)]
    pub after_citizen_ret: AfterCitizenRet,
    /// Sources that may be declared; missing = all.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<String>>)]
    pub allowed_sources: Option<Vec<ProviderSource>>,
    /// Whether days that are equal on both sides are agreed to at the registry: `off` or `when_equal`.
    #[schema(value_type = String)]
    pub daily_agreement: DailyAgreement,
    /// When it was added, RFC 3339 with +03:00.
    pub created_at: String,
    /// How well what the registry holds is known here; only where one brand is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mirror: Option<Mirror>,
    /// How it stands at the registry.
    #[serde(flatten)]
    pub standing: StandingView,
}

/// A brand to be added.
#[derive(Debug, Clone)]
pub struct NewBrand {
    /// Its provider.
    pub iys_code: IysCode,
    /// Its number at the registry.
    pub brand_code: BrandCode,
    /// Name.
    pub name: String,
    /// Settings of the rules.
    pub policy: BrandPolicy,
    /// Sources that may be declared; `None` = all.
    pub allowed_sources: Option<Vec<ProviderSource>>,
    /// Whether days that are equal on both sides are agreed to at the registry.
    pub daily_agreement: DailyAgreement,
}

impl Brand {
    fn new(row: BrandRow, standing: StandingView) -> Self {
        Self {
            standing,
            iys_code: row.iys_code.0,
            brand_code: row.brand_code.0,
            name: row.name,
            active: row.active,
            onay_refresh: row.policy.onay_refresh,
            after_citizen_ret: row.policy.after_citizen_ret,
            allowed_sources: row.allowed_sources,
            daily_agreement: row.daily_agreement,
            created_at: format_rfc3339(row.created_at),
            mirror: None,
        }
    }
}

/// A brand with whether anything may be taken in for it.
#[derive(Debug, Clone)]
pub struct KnownBrand {
    /// The brand.
    pub row: BrandRow,
    /// Whether its provider is not disabled.
    pub provider_active: bool,
    /// How it stands at the registry.
    pub standing: Standing,
    /// On whose behalf its messages go out.
    pub sender: Option<Arc<SenderRow>>,
    /// How electronic consents are answered on the same day, where they are.
    pub notices: Option<Arc<Notices>>,
}

impl KnownBrand {
    /// How electronic consents are answered, where they are.
    pub fn notices(&self) -> Option<Arc<Notices>> {
        self.notices.clone()
    }

    /// What is known to be unfilable for it.
    pub fn stops(&self) -> Stops {
        Stops::of(self.standing.rights.as_ref(), &self.standing.holds)
    }

    /// Refuses a brand for which nothing may be taken in or filed any more.
    pub fn require_active(&self) -> ServiceResult<()> {
        if self.row.active && self.provider_active {
            return Ok(());
        }
        Err(ServiceError::Conflict(Text::fixed(
            "marka ya da hizmet sağlayıcısı kapatılmış; yeni kayıt alınmaz",
            "the brand or its provider is disabled; nothing new is taken in",
        )))
    }
}

/// Adds a brand. Needs `admin`; brand numbers are unique over all providers.
pub async fn add(app: &App, caller: &Caller, new: NewBrand) -> ServiceResult<Brand> {
    let mut tx = app.db.begin(Priority::Interactive).await?;
    let brand = add_in(&mut tx, app, caller, new).await?;
    onboarding::enqueue(&mut tx, app, IysCode(brand.iys_code)).await?;
    tx.commit().await?;
    // The first pull of its feed is due now.
    app.wake.wake();
    Ok(brand)
}

/// As [`add`], inside a transaction of the caller's, who wakes the workers after its commit.
pub async fn add_in(tx: &mut Tx, app: &App, caller: &Caller, new: NewBrand) -> ServiceResult<Brand> {
    caller.require(Scope::Admin)?;
    let provider = providers::find(tx, caller, new.iys_code).await?;
    if !provider.active {
        return Err(ServiceError::Conflict(Text::fixed(
            "hizmet sağlayıcı kapatılmış",
            "the provider is disabled",
        )));
    }
    let row = checked(app, new)?;
    if !brands::add(tx, &row).await? {
        return Err(providers::taken(
            "brandCode",
            Text::fixed("bu brandCode ile bir marka zaten var", "a brand with this brandCode exists already"),
        ));
    }
    cursors::add(tx, row.iys_code, row.brand_code, app.clocks.business()).await?;
    providers::note(tx, app, caller, row.iys_code, "brand.added", &row.brand_code.to_string()).await?;
    let standing = Standing::load(tx, &row).await?.view(caller.lang);
    Ok(Brand::new(row, standing))
}

/// Brands of a provider by number, after one; at most 1 000. A partner-wide caller names the provider.
pub async fn list(
    app: &App,
    caller: &Caller,
    provider: Option<IysCode>,
    after: BrandCode,
) -> ServiceResult<Vec<Brand>> {
    caller.require(Scope::Admin)?;
    let provider = providers::meant(caller, provider)?;
    let mut tx = app.db.read().await?;
    let rows = brands::list(&mut tx, provider, after).await?;
    let standings = Standing::of_provider(&mut tx, provider, &rows).await?;
    let views = standings.iter().map(|standing| standing.view(caller.lang));
    Ok(rows.into_iter().zip(views).map(|(row, view)| Brand::new(row, view)).collect())
}

/// One brand.
pub async fn get(app: &App, caller: &Caller, brand: BrandCode) -> ServiceResult<Brand> {
    caller.require(Scope::Admin)?;
    let known = find(app, caller, brand).await?;
    let mirror = reconciliation::mirror(app, known.row.iys_code, known.row.brand_code).await?;
    Ok(Brand { mirror: Some(mirror), ..Brand::new(known.row, known.standing.view(caller.lang)) })
}

/// Changes whether a brand's equal days are agreed to at the registry.
pub async fn set_daily_agreement(
    app: &App,
    caller: &Caller,
    brand: BrandCode,
    agreement: DailyAgreement,
) -> ServiceResult<Brand> {
    caller.require(Scope::Admin)?;
    let mut tx = app.db.begin(Priority::Interactive).await?;
    let row = visible(&mut tx, caller, brand).await?;
    if row.daily_agreement != agreement {
        brands::agree_daily(&mut tx, row.iys_code, brand, agreement).await?;
        let action = match agreement {
            DailyAgreement::Off => "brand.daily_agreement_off",
            DailyAgreement::WhenEqual => "brand.daily_agreement_when_equal",
        };
        providers::note(&mut tx, app, caller, row.iys_code, action, &brand.to_string()).await?;
    }
    tx.commit().await?;
    get(app, caller, brand).await
}

/// Disables a brand for good: nothing is taken in for it and its feed is no longer read. Doing it twice changes nothing.
pub async fn disable(app: &App, caller: &Caller, brand: BrandCode) -> ServiceResult<()> {
    caller.require(Scope::Admin)?;
    let mut tx = app.db.begin(Priority::Interactive).await?;
    let row = visible(&mut tx, caller, brand).await?;
    if brands::disable(&mut tx, row.iys_code, brand).await? {
        providers::note(&mut tx, app, caller, row.iys_code, "brand.disabled", &brand.to_string()).await?;
    }
    Ok(tx.commit().await?)
}

/// The brand of a number, where the caller sees it: another provider's brand does not exist.
pub async fn find(app: &App, caller: &Caller, brand: BrandCode) -> ServiceResult<KnownBrand> {
    let known = load(app, brand).await?.filter(|known| caller.sees(known.row.iys_code));
    known.ok_or(ServiceError::NotFound("brand"))
}

/// The brand of a number, whosever it is: for a door that compares the provider itself.
pub async fn load(app: &App, brand: BrandCode) -> ServiceResult<Option<KnownBrand>> {
    load_in(&mut app.db.read().await?, app, brand).await
}

/// As [`load`], in the caller's transaction: who waits for a second one while he holds a first may wait for ever.
pub(super) async fn load_in(tx: &mut Tx, app: &App, brand: BrandCode) -> ServiceResult<Option<KnownBrand>> {
    let Some(row) = brands::find_by_code(tx, brand).await? else { return Ok(None) };
    let provider_active =
        provider_rows::find(tx, row.iys_code).await?.is_some_and(|provider| provider.active);
    let standing = Standing::load(tx, &row).await?;
    let sender = senders::find(tx, row.iys_code, row.brand_code).await?.map(Arc::new);
    let notices = match &sender {
        Some(sender) if sender.notices => {
            let refusals = forms::place(app, tx, &row).await?;
            Some(Arc::new(Notices { sender: Arc::clone(sender), refusals }))
        }
        _ => None,
    };
    Ok(Some(KnownBrand { row, provider_active, standing, sender, notices }))
}

/// The brand of a number, where the caller sees it.
pub(super) async fn visible(tx: &mut Tx, caller: &Caller, brand: BrandCode) -> ServiceResult<BrandRow> {
    let row = brands::find_by_code(tx, brand).await?.filter(|row| caller.sees(row.iys_code));
    row.ok_or(ServiceError::NotFound("brand"))
}

fn checked(app: &App, new: NewBrand) -> ServiceResult<BrandRow> {
    let mut problems = Vec::new();
    problems.extend(providers::checked_code("brandCode", new.brand_code.0).err());
    let name = providers::checked_name("name", &new.name)
        .map_err(|problem| problems.push(problem))
        .unwrap_or_default();
    if new.allowed_sources.as_ref().is_some_and(Vec::is_empty) {
        let title = Text::fixed(
            "en az bir kaynak yazın ya da bütün kaynaklar için alanı göndermeyin",
            "name at least one source, or leave the field out to allow all",
        );
        problems.push(providers::field_problem("allowedSources", "empty", title));
    }
    if !problems.is_empty() {
        return Err(ServiceError::Invalid(problems));
    }
    Ok(BrandRow {
        iys_code: new.iys_code,
        brand_code: new.brand_code,
        name,
        active: true,
        policy: new.policy,
        allowed_sources: new.allowed_sources,
        daily_agreement: new.daily_agreement,
        created_at: app.clocks.wire(),
    })
}
