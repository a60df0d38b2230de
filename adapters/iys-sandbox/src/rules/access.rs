//! Who may ask about whom (protocol 4, "common refusals", and 9).

use super::{Finding, Rule};
use crate::store::accounts::{Account, Family};
use crate::store::providers::{Authorisation, Subscription, SubscriptionStatus};
use crate::words::Channel;

/// What kind of path an operation has, and so which of the rules below concern it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// `/sps/{iysCode}/brands/{brandCode}/…`
    Brand,
    /// The same, where the document tells an unknown provider (H001) and an unknown brand (H018) apart
    /// from one that is not permitted.
    KnownBrand,
    /// `/info/…`: for everybody with a token.
    Everybody,
    /// `GET /sps/{iysCode}/brands`: for providers' own accounts.
    ProviderBrands,
    /// `GET /sps/{iysCode}/subscription`
    ProviderSubscription,
    /// `GET /integrator/{integratorCode}/sps[/{iysCode}]`: for partners.
    PartnerBrands,
    /// `GET /integrator/{integratorCode}/subscription`: for partners.
    PartnerSubscription,
    /// `/via/sps/{iysCode}/…`
    Via,
    /// `GET /via/sps/{iysCode}/consent/{requestId}`, whose codes are those of the other methods.
    ViaQuery,
    /// `/otp-management/api/v1/{iysCode}/…`
    Pass,
    /// `/otp-management/api/v1/…` without a provider.
    PassToken,
    /// `/otp-management/api/v1/subscription/{iysCode}`
    PassSubscription,
}

impl Scope {
    /// Whether the path belongs to the opt-in service.
    pub(crate) fn is_via(self) -> bool {
        matches!(self, Self::Via | Self::ViaQuery)
    }

    /// Whether the path belongs to the second-factor service, whose refusals have a shape of their own.
    pub(crate) fn is_pass(self) -> bool {
        matches!(self, Self::Pass | Self::PassToken | Self::PassSubscription)
    }
}

/// A code in a path: as written, and as a number when it is one.
#[derive(Debug, Clone, Default)]
pub(crate) struct PathCode {
    pub(crate) text: Option<String>,
}

impl PathCode {
    pub(crate) fn number(&self) -> Option<i64> {
        self.text.as_deref()?.parse().ok()
    }

    fn is_no_number(&self) -> bool {
        self.text.is_some() && self.number().is_none()
    }
}

/// What is known about the partner whose code stands in the path.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct PathPartner {
    pub(crate) exists: bool,
    /// The code belongs to a provider instead.
    pub(crate) is_provider: bool,
    pub(crate) has_user: bool,
}

/// The facts about a caller and a path.
#[derive(Debug)]
pub(crate) struct AccessCase {
    pub(crate) scope: Scope,
    pub(crate) iys_code: PathCode,
    pub(crate) brand_code: PathCode,
    pub(crate) integrator_code: PathCode,
    /// The request carries a token of any kind.
    pub(crate) token_given: bool,
    /// The request carries a token that was issued and lives.
    pub(crate) token_lives: bool,
    /// The account of that token, unless it was removed since.
    pub(crate) account: Option<Account>,
    pub(crate) partner: PathPartner,
    /// The provider of the path exists.
    pub(crate) provider_exists: bool,
    /// The brand of the path exists.
    pub(crate) brand_exists: bool,
    /// The caller may act for the provider of the path.
    pub(crate) may_provider: bool,
    /// The caller may act for the brand of the path.
    pub(crate) may_brand: bool,
    /// The caller may use the opt-in services of the provider of the path.
    pub(crate) may_via: bool,
    /// The subscription of the provider of the path.
    pub(crate) provider_subscription: Option<Subscription>,
    /// The subscription of the caller, when it is a partner.
    pub(crate) partner_subscription: Option<Subscription>,
}

impl AccessCase {
    fn is(&self, scopes: &[Scope]) -> bool {
        scopes.contains(&self.scope)
    }

    fn in_family(&self, family: Family) -> bool {
        self.account.as_ref().is_some_and(|account| account.family == family)
    }

    /// The subscriptions whose state gates this request, the caller's own first; `None` where one is due
    /// and missing.
    fn gates(&self) -> Vec<Option<&Subscription>> {
        let mut gates = Vec::new();
        if self.in_family(Family::Partner) {
            gates.push(self.partner_subscription.as_ref());
        }
        if self.is(&[Scope::Brand, Scope::KnownBrand, Scope::ProviderBrands]) {
            gates.push(self.provider_subscription.as_ref());
        }
        gates
    }

    /// A gate in one of these states.
    fn gate_in(&self, states: &[SubscriptionStatus]) -> Option<Finding> {
        self.gates()
            .into_iter()
            .flatten()
            .find(|subscription| states.contains(&subscription.status))
            .map(|subscription| Finding::new().detail(subscription.status.as_str()))
    }
}

type Check = fn(&AccessCase) -> Option<Finding>;

/// The longest number of a provider that the opt-in service reads.
const IYS_CODE_MAX: usize = 15;

const GATED: [Scope; 4] = [Scope::Brand, Scope::KnownBrand, Scope::ProviderBrands, Scope::PartnerBrands];
const PROVIDER_PATHS: [Scope; 5] =
    [Scope::Brand, Scope::KnownBrand, Scope::ProviderBrands, Scope::ProviderSubscription, Scope::ViaQuery];

/// The rules about token, path and subscription.
pub(crate) const ACCESS: &[Rule<Check>] = &[
    Rule::new("H1038", 401, "via_token_missing", |case| {
        (case.is(&[Scope::Via]) && !case.token_given).then(Finding::new)
    }),
    Rule::new("H1045", 401, "via_token_invalid", |case| {
        (case.is(&[Scope::Via]) && case.account.is_none()).then(Finding::new)
    }),
    Rule::new("H1039", 400, "via_iys_code_too_long", |case| {
        let long = case.iys_code.text.as_ref().is_some_and(|text| text.chars().count() > IYS_CODE_MAX);
        (case.is(&[Scope::Via]) && long).then(|| Finding::new().detail("iysCode"))
    }),
    Rule::new("H1040", 403, "via_iys_code_not_permitted", |case| {
        (case.is(&[Scope::Via]) && !case.may_provider).then(|| Finding::new().detail("iysCode"))
    }),
    Rule::new("ERR-SYS-0006", 401, "pass_token_invalid", |case| {
        (case.scope.is_pass() && case.account.is_none()).then(Finding::new)
    }),
    Rule::new("ERR-SYS-0005", 403, "pass_iys_code_not_permitted", |case| {
        (case.is(&[Scope::Pass]) && !case.may_provider).then(Finding::new)
    }),
    Rule::new("H1040", 403, "pass_subscription_not_permitted", |case| {
        let code = case.iys_code.text.as_deref().unwrap_or_default();
        (case.is(&[Scope::PassSubscription]) && !case.may_provider).then(|| Finding::new().detail(code))
    }),
    // The one method whose document knows no H351.
    Rule::new("H251", 401, "credentials_invalid", |case| {
        (case.is(&[Scope::PartnerSubscription]) && case.account.is_none()).then(Finding::new)
    }),
    Rule::new("H351", 401, "token_invalid", |case| {
        let user_is_missed_later = case.is(&[Scope::PartnerBrands]) && case.token_lives;
        (case.account.is_none() && !user_is_missed_later).then(Finding::new)
    }),
    Rule::new("H031", 404, "partner_user_removed", |case| case.account.is_none().then(Finding::new)),
    // The opt-in service has no such answer: a number that is none is not permitted there.
    Rule::new("H190", 422, "iys_code_not_integer", |case| {
        let asked = !case.is(&[Scope::ViaQuery]) && case.iys_code.is_no_number();
        asked.then(|| path_finding("iysCode", &case.iys_code))
    }),
    Rule::new("H191", 422, "brand_code_not_integer", |case| {
        case.brand_code.is_no_number().then(|| path_finding("brandCode", &case.brand_code))
    }),
    Rule::new("H522", 400, "only_partners_have_a_partner_subscription", |case| {
        (case.is(&[Scope::PartnerSubscription]) && case.in_family(Family::Provider)).then(Finding::new)
    }),
    Rule::new("H363", 400, "method_of_the_other_family", |case| {
        let foreign = match case.scope {
            Scope::ProviderBrands => Family::Partner,
            Scope::PartnerBrands => Family::Provider,
            _ => return None,
        };
        case.in_family(foreign).then(Finding::new)
    }),
    Rule::new("H245", 500, "code_is_not_of_the_partner_group", |case| {
        (case.is(&[Scope::PartnerBrands]) && case.partner.is_provider).then(Finding::new)
    }),
    Rule::new("H129", 404, "partner_unknown", |case| {
        (case.is(&[Scope::PartnerBrands]) && !case.partner.exists).then(Finding::new)
    }),
    Rule::new("H268", 500, "partner_has_no_user", |case| {
        (case.is(&[Scope::PartnerBrands]) && !case.partner.has_user).then(Finding::new)
    }),
    Rule::new("H353", 403, "integrator_code_not_permitted", |case| {
        let own = case.account.as_ref().map(|account| account.code);
        let asked = case.is(&[Scope::PartnerBrands, Scope::PartnerSubscription]);
        (asked && case.integrator_code.number() != own).then(|| Finding::new().detail("integratorIysCode"))
    }),
    Rule::new("H001", 404, "provider_unknown", |case| {
        (case.is(&[Scope::KnownBrand, Scope::ProviderBrands]) && !case.provider_exists)
            .then(|| Finding::new().detail(case.iys_code.text.as_deref().unwrap_or_default()))
    }),
    Rule::new("H353", 403, "iys_code_not_permitted", |case| {
        let asked =
            case.is(&PROVIDER_PATHS) || (case.is(&[Scope::PartnerBrands]) && case.iys_code.text.is_some());
        (asked && !case.may_provider).then(|| Finding::new().detail("iysCode"))
    }),
    Rule::new("H018", 404, "brand_unknown", |case| {
        (case.is(&[Scope::KnownBrand]) && !case.brand_exists)
            .then(|| Finding::new().detail(case.brand_code.text.as_deref().unwrap_or_default()))
    }),
    Rule::new("H1104", 404, "via_not_permitted", |case| {
        (case.scope.is_via() && !case.may_via).then(Finding::new)
    }),
    Rule::new("H353", 403, "brand_code_not_permitted", |case| {
        (case.is(&[Scope::Brand, Scope::KnownBrand]) && !case.may_brand)
            .then(|| Finding::new().detail("brandCode"))
    }),
    Rule::new("H437", 404, "subscription_not_found", |case| {
        let missing = match case.scope {
            Scope::ProviderSubscription => case.provider_subscription.is_none(),
            Scope::PartnerSubscription => case.partner_subscription.is_none(),
            _ => false,
        };
        missing.then(|| {
            let code = case.iys_code.text.as_ref().or(case.integrator_code.text.as_ref());
            Finding::new().detail(code.map_or("", String::as_str))
        })
    }),
    Rule::new("H524", 403, "subscription_missing", |case| {
        (case.is(&GATED) && case.gates().contains(&None))
            .then(|| Finding::new().detail(case.iys_code.text.as_deref().unwrap_or_default()))
    }),
    Rule::new("H521", 403, "subscription_closed", |case| {
        case.is(&GATED).then(|| case.gate_in(&[SubscriptionStatus::Closed])).flatten()
    }),
    Rule::new("H520", 403, "subscription_paused_or_expired", |case| {
        case.is(&GATED)
            .then(|| case.gate_in(&[SubscriptionStatus::Paused, SubscriptionStatus::Expired]))
            .flatten()
    }),
    Rule::new("H586", 403, "package_without_api", |case| {
        let subscription =
            case.is(&PROVIDER_PATHS).then_some(case.provider_subscription.as_ref()).flatten()?;
        (!subscription.api_use).then(Finding::new)
    }),
];

fn path_finding(name: &str, code: &PathCode) -> Finding {
    Finding::at(name).value(code.text.clone().unwrap_or_default())
}

/// What a caller wants to do with a channel of a brand.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RightsCase<'a> {
    /// A partner's rights on the brand; `None` for the provider itself, which may do all.
    pub(crate) authorisation: Option<&'a Authorisation>,
    pub(crate) channel: Channel,
    pub(crate) writes: bool,
    pub(crate) index: Option<usize>,
}

type RightsCheck = for<'a> fn(&RightsCase<'a>) -> Option<Finding>;

/// The rules about channels (H355).
pub(crate) const RIGHTS: &[Rule<RightsCheck>] = &[
    Rule::new("H355", 404, "channel_not_writable", |case| {
        let lacks = case.writes && case.authorisation.is_some_and(|a| !a.right(case.channel).can_write());
        lacks.then(|| rights_finding(case))
    }),
    Rule::new("H355", 404, "channel_not_readable", |case| {
        let lacks = !case.writes && case.authorisation.is_some_and(|a| !a.right(case.channel).can_read());
        lacks.then(|| rights_finding(case))
    }),
];

fn rights_finding(case: &RightsCase<'_>) -> Finding {
    Finding::new().detail(case.channel.as_str()).index(case.index)
}
