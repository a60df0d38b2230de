//! Asking the registry: the authorised brands (registry-protocol section 4.12, or 4.11 for an account of the provider's own)
//! and the subscriptions (4.13).

use std::collections::BTreeMap;

use iys::wire::{PartnerBrand, Subscription};
use iys::{Account, IysError, MAX_PAGE};
use kopru_domain::time::parse_registry;
use kopru_domain::{BrandCode, BrandRights, IysCode, Right};
use kopru_store::subscriptions::SubscriptionRow;
use kopru_store::via::PackageRow;

use crate::bootstrap::App;
use crate::service::filing::counted;
use crate::service::{ServiceResult, via};

/// What the registry says of one provider.
#[derive(Debug, Clone, Default)]
pub(super) struct Told {
    /// Legal title; an account of the provider's own is not told.
    pub title: Option<String>,
    /// Its brands; `None`: the registry does not say while the subscription rests.
    pub brands: Option<BTreeMap<BrandCode, ToldBrand>>,
    /// The rights on a brand of which nothing is said or known.
    pub by_default: Option<BrandRights>,
    /// Its subscription; `None`: it could not be asked.
    pub subscription: Option<SubscriptionRow>,
    /// Its package of the registry's opt-in services, where that was told.
    pub via: Option<PackageRow>,
}

/// A brand that may be filed for.
#[derive(Debug, Clone)]
pub(super) struct ToldBrand {
    pub name: String,
    pub rights: BrandRights,
}

/// The authorised brands by provider.
pub(super) type PartnerList = BTreeMap<IysCode, Told>;

/// All brands that have authorised the partner.
pub(super) async fn everybody(account: &Account, integrator: i64) -> ServiceResult<PartnerList> {
    let brands = counted("partner_brands", account.all_partner_brands(integrator).await)?;
    let mut list = PartnerList::new();
    for brand in brands {
        take(list.entry(IysCode(brand.iys_code)).or_default(), brand);
    }
    Ok(list)
}

/// The brands of one provider that have authorised the partner: none, where the registry says that they may not be asked
/// for (H353) or knows no such provider.
pub(super) async fn one(account: &Account, integrator: i64, provider: IysCode) -> ServiceResult<Told> {
    let mut told = Told { brands: Some(BTreeMap::new()), ..Told::default() };
    let mut offset = 0;
    loop {
        let page = account.partner_brand(integrator, provider.0, offset, MAX_PAGE).await;
        let page = match counted("partner_brands", page) {
            Err(error) if matches!(error.code(), Some("H353" | "H001")) => {
                return Ok(Told { brands: Some(BTreeMap::new()), ..Told::default() });
            }
            page => page?,
        };
        let found = u32::try_from(page.list.len()).unwrap_or(u32::MAX);
        offset = offset.saturating_add(found);
        page.list.into_iter().for_each(|brand| take(&mut told, brand));
        if found == 0 || i64::from(offset) >= page.pagination.total_count {
            return Ok(told);
        }
    }
}

/// The brands of an account of the provider's own, which may do everything for them.
pub(super) async fn own(app: &App, account: &Account, provider: IysCode) -> ServiceResult<Told> {
    let (subscription, via) = subscription(app, account, provider).await?;
    // It is not shown its brands while the subscription rests.
    if subscription.code.is_some() {
        let by_default = Some(BrandRights::ALL);
        return Ok(Told { subscription: Some(subscription), by_default, via, ..Told::default() });
    }
    let brands = counted("brands", account.brands(provider.0).await)?;
    let brands = brands
        .into_iter()
        .map(|brand| (BrandCode(brand.brand_code), ToldBrand { name: brand.name, rights: BrandRights::ALL }));
    Ok(Told { brands: Some(brands.collect()), subscription: Some(subscription), via, ..Told::default() })
}

/// A provider's subscription, and its package of the opt-in services where that was told.
pub(super) async fn subscription(
    app: &App,
    account: &Account,
    provider: IysCode,
) -> ServiceResult<(SubscriptionRow, Option<PackageRow>)> {
    let answer = account.subscription(provider.0).await;
    let package = answer.as_ref().ok().map(|told| via::packaged(provider, told, app.clocks.business()));
    Ok((read_subscription(app, "subscription", provider, answer)?, package))
}

/// The partner's own subscription, which stops all filings of its account.
pub(super) async fn partner_subscription(
    app: &App,
    account: &Account,
    integrator: i64,
) -> ServiceResult<SubscriptionRow> {
    let answer = account.partner_subscription(integrator).await;
    read_subscription(app, "partner_subscription", IysCode(0), answer)
}

fn read_subscription(
    app: &App,
    operation: &'static str,
    provider: IysCode,
    answer: Result<Subscription, IysError>,
) -> ServiceResult<SubscriptionRow> {
    let synced_at = app.clocks.business();
    let row = |status: &str, code: Option<&str>| SubscriptionRow {
        iys_code: provider,
        status: status.to_owned(),
        package: None,
        expires_at: None,
        code: code.map(ToOwned::to_owned),
        synced_at,
    };
    match counted(operation, answer) {
        Ok(answer) => Ok(SubscriptionRow {
            package: answer.subscription_package_name,
            expires_at: answer.expiration_date.as_deref().and_then(|date| parse_registry(date).ok()),
            ..row(&answer.status, refusal(&answer.status))
        }),
        // There is none: filings are refused with the one, the question with the other.
        Err(error) if error.code() == Some("H437") => Ok(row("NONE", Some("H524"))),
        Err(error) if error.code() == Some("H586") => Ok(row("NO_API", Some("H586"))),
        Err(error) => Err(error.into()),
    }
}

/// The code with which filings are refused in a state; a word of other years stops nothing.
fn refusal(status: &str) -> Option<&'static str> {
    match status {
        "PAUSED" | "EXPIRED" => Some("H520"),
        "CLOSED" => Some("H521"),
        _ => None,
    }
}

fn take(told: &mut Told, brand: PartnerBrand) {
    let right = |word: Option<&str>| word.and_then(|word| word.parse().ok()).unwrap_or(Right::None);
    let rights = BrandRights {
        authorised: true,
        call: right(brand.call.as_deref()),
        message: right(brand.message.as_deref()),
        email: right(brand.email.as_deref()),
        agreement_control: brand.agreement_control,
        via_control: brand.via_control,
    };
    if !brand.title.is_empty() {
        told.title = Some(brand.title);
    }
    let brands = told.brands.get_or_insert_default();
    brands.insert(BrandCode(brand.brand_code), ToldBrand { name: brand.name, rights });
}
