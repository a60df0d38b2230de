//! What a business partner is authorised for (protocol 4.12), and its own subscription (4.13).

use iys::wire::{self, Pagination, PartnerBrand, PartnerList};

use super::Desk;
use super::access::Access;
use super::answer::{Answer, Outcome};
use super::operation::Call;
use super::{provider, status};
use crate::store::providers::{self, AuthorisedBrand};

/// The brands that authorised the partner: of all providers, or of the one in the path.
pub(crate) fn brands(desk: &Desk<'_>, call: &Call, access: &Access) -> Outcome {
    let (offset, limit) = status::page(desk, call)?;
    let partner = access.account.as_ref().map_or(0, |account| account.code);
    let all = providers::list_authorised(desk.db, partner, call.code("iysCode").number())?;
    let total_count = all.len() as i64;
    let list: Vec<PartnerBrand> =
        all.into_iter().skip(offset as usize).take(limit as usize).map(shown).collect();
    let pagination = Pagination { offset, page_size: list.len() as i64, total_count };
    Ok(Answer::ok(&PartnerList { pagination, list })?.with_codes_as_text(desk))
}

fn shown(entry: AuthorisedBrand) -> PartnerBrand {
    let AuthorisedBrand { brand, title, authorisation } = entry;
    PartnerBrand {
        brand_code: brand.code,
        name: brand.name,
        master: brand.master,
        title,
        iys_code: brand.iys_code,
        agreement_control: authorisation.agreement_control,
        message: authorisation.message.shown(),
        call: authorisation.call.shown(),
        email: authorisation.email.shown(),
        via_control: authorisation.via_control,
    }
}

/// The partner's own subscription.
pub(crate) fn subscription(_: &Desk<'_>, _: &Call, access: &Access) -> Outcome {
    let Some(subscription) = &access.subscription else { return Ok(Answer::Empty(204)) };
    let answer = wire::Subscription { iys_code: Some(subscription.code), ..provider::shown(subscription) };
    Ok(Answer::ok(&answer)?)
}
