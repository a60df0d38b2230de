//! Who is asking, and may they.

use super::Desk;
use super::answer::Stop;
use super::operation::Call;
use crate::rules::Refusal;
use crate::rules::access::{ACCESS, AccessCase, PathPartner, RIGHTS, RightsCase, Scope};
use crate::rules::report::REPORT_RIGHTS;
use crate::store::accounts::{self, Account, Family};
use crate::store::providers::{self, Authorisation, Brand, Provider, Subscription};
use crate::words::Channel;

/// What is known once a request was let in.
#[derive(Debug, Default)]
pub(crate) struct Access {
    pub(crate) account: Option<Account>,
    /// The provider of the path.
    pub(crate) provider: Option<Provider>,
    /// The subscription of the path's provider.
    pub(crate) subscription: Option<Subscription>,
    /// The brand of the path.
    pub(crate) brand_code: i64,
    /// What a partner may do with the brand; `None` for the provider's own users.
    pub(crate) authorisation: Option<Authorisation>,
    /// On paths of the opt-in service: the brands for which the caller may use it.
    pub(crate) via_brands: Vec<i64>,
}

impl Access {
    /// Whether a partner is asking.
    pub(crate) fn is_partner(&self) -> bool {
        self.account.as_ref().is_some_and(|account| account.family == Family::Partner)
    }

    /// The number of the path's provider.
    pub(crate) fn iys_code(&self) -> i64 {
        self.provider.as_ref().map_or(0, |provider| provider.iys_code)
    }

    /// Whether a channel may be written, or read (H355).
    pub(crate) fn permit(
        &self,
        desk: &Desk<'_>,
        channel: Channel,
        writes: bool,
        index: Option<usize>,
    ) -> Result<(), Refusal> {
        let case = RightsCase { authorisation: self.authorisation.as_ref(), channel, writes, index };
        desk.settings.first(RIGHTS, |check| check(&case))
    }

    /// Whether the caller may have reports on the brand (protocol 9).
    pub(crate) fn permit_reports(&self, desk: &Desk<'_>) -> Result<(), Refusal> {
        desk.settings.first(REPORT_RIGHTS, |check| check(self.authorisation.as_ref()))
    }

    /// The channels whose movements may be shown.
    pub(crate) fn readable(&self) -> Vec<Channel> {
        let all = [Channel::Call, Channel::Message, Channel::Email];
        let may = |channel: &Channel| self.authorisation.is_none_or(|a| a.right(*channel).can_read());
        all.into_iter().filter(may).collect()
    }
}

/// Gathers the facts about a caller and a path and asks the access rules.
pub(crate) fn admit(desk: &Desk<'_>, call: &Call, scope: Scope) -> Result<Access, Stop> {
    let user = match &call.bearer {
        Some(token) => accounts::token_user(desk.db, token, false, desk.now_millis)?,
        None => None,
    };
    let account = user.as_deref().map(|name| accounts::find(desk.db, name)).transpose()?.flatten();
    let (iys_code, brand_code) = (call.code("iysCode"), call.code("brandCode"));
    let integrator_code = call.code("integratorCode");
    let provider = match iys_code.number() {
        Some(code) => providers::find(desk.db, code)?,
        None => None,
    };
    let brand = match brand_code.number() {
        Some(code) => providers::find_brand(desk.db, code)?,
        None => None,
    };
    let brand_exists = brand.is_some();
    let permitted = permitted(desk, account.as_ref(), provider.as_ref(), brand)?;
    let via_brands = match (&account, &provider) {
        (Some(account), Some(provider)) if scope.is_via() && permitted.provider => {
            via_brands(desk, account, provider.iys_code)?
        }
        _ => Vec::new(),
    };
    let subscription = match &provider {
        Some(provider) => providers::find_subscription(desk.db, provider.iys_code)?,
        None => None,
    };
    let partner_subscription = match &account {
        Some(account) if account.family == Family::Partner => {
            providers::find_subscription(desk.db, account.code)?
        }
        _ => None,
    };
    let case = AccessCase {
        scope,
        token_given: call.bearer.is_some(),
        token_lives: user.is_some(),
        account,
        partner: path_partner(desk, integrator_code.number())?,
        provider_exists: provider.is_some(),
        brand_exists,
        may_provider: permitted.provider,
        may_brand: permitted.brand,
        may_via: !via_brands.is_empty(),
        provider_subscription: subscription,
        partner_subscription,
        brand_code,
        iys_code,
        integrator_code,
    };
    desk.settings.first(ACCESS, |check| check(&case))?;
    let subscription = match scope {
        Scope::PartnerSubscription => case.partner_subscription,
        _ => case.provider_subscription,
    };
    Ok(Access {
        account: case.account,
        provider,
        subscription,
        brand_code: case.brand_code.number().unwrap_or_default(),
        authorisation: permitted.authorisation,
        via_brands,
    })
}

/// The brands of a provider for which an account may use the opt-in service: all for the provider itself,
/// those with `viaControl` for a partner.
fn via_brands(desk: &Desk<'_>, account: &Account, iys_code: i64) -> Result<Vec<i64>, Stop> {
    let mut brands = Vec::new();
    for brand in providers::list_brands(desk.db, iys_code)? {
        let may = match account.family {
            Family::Provider => true,
            Family::Partner => providers::find_authorisation(desk.db, account.code, brand.code)?
                .is_some_and(|authorisation| authorisation.via_control),
        };
        brands.extend(may.then_some(brand.code));
    }
    Ok(brands)
}

/// What a caller may act for.
#[derive(Default)]
struct Permitted {
    provider: bool,
    brand: bool,
    authorisation: Option<Authorisation>,
}

fn permitted(
    desk: &Desk<'_>,
    account: Option<&Account>,
    provider: Option<&Provider>,
    brand: Option<Brand>,
) -> Result<Permitted, Stop> {
    let (Some(account), Some(provider)) = (account, provider) else { return Ok(Permitted::default()) };
    let brand = brand.filter(|brand| brand.iys_code == provider.iys_code);
    Ok(match account.family {
        Family::Provider => {
            let own = account.code == provider.iys_code;
            Permitted { provider: own, brand: own && brand.is_some(), authorisation: None }
        }
        Family::Partner => {
            let authorisation = match &brand {
                Some(brand) => providers::find_authorisation(desk.db, account.code, brand.code)?,
                None => None,
            };
            let served = providers::serves_provider(desk.db, account.code, provider.iys_code)?;
            Permitted { provider: served, brand: authorisation.is_some(), authorisation }
        }
    })
}

/// Whether an account may act for a provider: its own, or one that authorised it for a brand.
pub(super) fn may_act_for(desk: &Desk<'_>, account: &Account, iys_code: i64) -> crate::error::Result<bool> {
    match account.family {
        Family::Provider => Ok(account.code == iys_code),
        Family::Partner => providers::serves_provider(desk.db, account.code, iys_code),
    }
}

fn path_partner(desk: &Desk<'_>, code: Option<i64>) -> Result<PathPartner, Stop> {
    let Some(code) = code else { return Ok(PathPartner::default()) };
    Ok(PathPartner {
        exists: providers::find_partner(desk.db, code)?.is_some(),
        is_provider: providers::find(desk.db, code)?.is_some(),
        has_user: !accounts::list(desk.db, Family::Partner, code)?.is_empty(),
    })
}
