//! Brands, a partner's authorisations and subscriptions (registry-protocol 4.11 to 4.13).

use super::{Account, MAX_PAGE, path};
use crate::transport::Call;
use crate::wire::{BrandInfo, PartnerBrand, PartnerList, Subscription};
use crate::{IysError, Operation};

impl Account {
    /// A provider's brands (4.11); open to the provider's own accounts only.
    ///
    /// # Errors
    /// [`IysError`]; H363 for a partner's account, which asks for [`partner_brand`](Self::partner_brand).
    pub async fn brands(&self, iys_code: i64) -> Result<Vec<BrandInfo>, IysError> {
        let call = Call::get(Operation::Brands, path(&["sps", &iys_code.to_string(), "brands"]));
        Ok(self.call(&call).await?.parse_optional()?.unwrap_or_default())
    }

    /// One page of the brands that have authorised a partner (4.12); `limit` at most [`MAX_PAGE`]. Open to partners'
    /// accounts only, and in production only.
    ///
    /// # Errors
    /// [`IysError`]; H363 for a provider's own account, which asks for [`brands`](Self::brands).
    pub async fn partner_brands(
        &self,
        integrator_code: i64,
        offset: u32,
        limit: u16,
    ) -> Result<PartnerList, IysError> {
        let segments = path(&["integrator", &integrator_code.to_string(), "sps"]);
        self.partner_page(segments, offset, limit).await
    }

    /// One page of the brands of one provider that have authorised a partner (4.12). Open as
    /// [`partner_brands`](Self::partner_brands).
    ///
    /// # Errors
    /// As [`partner_brands`](Self::partner_brands).
    pub async fn partner_brand(
        &self,
        integrator_code: i64,
        iys_code: i64,
        offset: u32,
        limit: u16,
    ) -> Result<PartnerList, IysError> {
        let segments = path(&["integrator", &integrator_code.to_string(), "sps", &iys_code.to_string()]);
        self.partner_page(segments, offset, limit).await
    }

    /// All brands that have authorised a partner, page after page.
    ///
    /// # Errors
    /// [`IysError`] of the first page that fails.
    pub async fn all_partner_brands(&self, integrator_code: i64) -> Result<Vec<PartnerBrand>, IysError> {
        let mut brands = Vec::new();
        loop {
            let page = self.partner_brands(integrator_code, brands.len() as u32, MAX_PAGE).await?;
            let done = page.list.is_empty();
            brands.extend(page.list);
            if done || brands.len() as i64 >= page.pagination.total_count {
                return Ok(brands);
            }
        }
    }

    /// A provider's subscription (4.13), for its own accounts and for partners authorised by one of its brands.
    ///
    /// # Errors
    /// [`IysError`].
    pub async fn subscription(&self, iys_code: i64) -> Result<Subscription, IysError> {
        let segments = path(&["sps", &iys_code.to_string(), "subscription"]);
        self.call(&Call::get(Operation::Subscription, segments)).await?.parse()
    }

    /// A partner's own subscription (4.13); open to partners' accounts only.
    ///
    /// # Errors
    /// [`IysError`]; H522 for a provider's own account.
    pub async fn partner_subscription(&self, integrator_code: i64) -> Result<Subscription, IysError> {
        let segments = path(&["integrator", &integrator_code.to_string(), "subscription"]);
        self.call(&Call::get(Operation::PartnerSubscription, segments)).await?.parse()
    }

    async fn partner_page(
        &self,
        segments: Vec<String>,
        offset: u32,
        limit: u16,
    ) -> Result<PartnerList, IysError> {
        let call = Call::get(Operation::PartnerBrands, segments)
            .with("offset", offset.to_string())
            .with("limit", limit.to_string());
        Ok(self.call(&call).await?.parse_optional()?.unwrap_or_default())
    }
}
