//! A provider's brands (protocol 4.11) and subscription (4.13).

use iys::wire::{self, BrandConsentStats, BrandInfo, BrandRetailerStats, BrandStats};

use super::Desk;
use super::access::Access;
use super::answer::{Answer, Outcome};
use super::operation::Call;
use crate::error::Result;
use crate::rules::effect;
use crate::store::providers::{self, Subscription};
use crate::store::{consents, opt_in, retailers};
use crate::wire_time;
use crate::words::Product;

/// The brands of a provider with their counts.
pub(crate) fn brands(desk: &Desk<'_>, _: &Call, access: &Access) -> Outcome {
    let mut list = Vec::new();
    for brand in providers::list_brands(desk.db, access.iys_code())? {
        let (approval, rejection) = consents::count_by_status(desk.db, brand.code)?;
        let retailers = retailers::count(desk.db, brand.code)?;
        list.push(BrandInfo {
            brand_code: brand.code,
            name: brand.name,
            master: brand.master,
            stats: BrandStats {
                consents: BrandConsentStats { approval, rejection, total: approval + rejection },
                retailers: BrandRetailerStats { total: retailers },
            },
        });
    }
    Ok(Answer::ok(&list)?.with_codes_as_text(desk))
}

/// A provider's subscription. A partner does not see the quota.
pub(crate) fn subscription(desk: &Desk<'_>, _: &Call, access: &Access) -> Outcome {
    let Some(subscription) = &access.subscription else { return Ok(Answer::Empty(204)) };
    let mut answer = shown(subscription);
    if !access.is_partner() || !desk.settings.is_on(effect::PARTNER_SEES_NO_QUOTA) {
        answer.consent_limit = Some(subscription.consent_limit);
        answer.consent_limit_exceed = Some(subscription.consent_limit_exceed);
        answer.used_consent_limit = access.provider.as_ref().map(|provider| provider.used_addresses);
    }
    add_opt_in_packages(desk, access, &mut answer)?;
    Ok(Answer::ok(&answer)?)
}

/// The packages of the opt-in services. A partner does not see their credit.
fn add_opt_in_packages(desk: &Desk<'_>, access: &Access, answer: &mut wire::Subscription) -> Result<()> {
    let sees = !access.is_partner() || !desk.settings.is_on(effect::PARTNER_SEES_NO_QUOTA);
    if let Some(package) = opt_in::find_package(desk.db, access.iys_code(), Product::Via)? {
        answer.via_subscription_package = Some(wire::ViaSubscription {
            start_date: Some(wire_time::write(package.start_at)),
            expiration_date: Some(wire_time::write(package.expires_at)),
            via_subscription_package_name: Some(package.name),
            via_subscription_id: Some(package.id),
            status: package.status.as_str().to_owned(),
            via_credit: sees.then_some(package.credit),
        });
    }
    if let Some(package) = opt_in::find_package(desk.db, access.iys_code(), Product::Pass)? {
        answer.via_pass_subscription_package = Some(wire::ViaPassSubscription {
            start_date: Some(wire_time::write(package.start_at)),
            expiration_date: Some(wire_time::write(package.expires_at)),
            via_pass_subscription_package_name: Some(package.name),
            via_pass_subscription_id: Some(package.id),
            status: package.status.as_str().to_owned(),
            via_pass_credit: sees.then_some(package.credit),
        });
    }
    Ok(())
}

/// What everybody sees of a subscription.
pub(super) fn shown(subscription: &Subscription) -> wire::Subscription {
    wire::Subscription {
        subscription_id: Some(subscription.id.clone()),
        start_date: Some(wire_time::write(subscription.start_at)),
        expiration_date: Some(wire_time::write(subscription.expires_at)),
        subscription_package_name: Some(subscription.package.clone()),
        status: subscription.status.as_str().to_owned(),
        ..wire::Subscription::default()
    }
}
