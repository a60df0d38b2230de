//! Retailers and their access to consents (registry-protocol 4.14 and 4.15).

use super::{Account, MAX_PAGE, MAX_RETAILER_ACCESS, body_of, check_length};
use crate::transport::Call;
use crate::wire::{
    AddResponse, Retailer, RetailerAccessChange, RetailerAccessRemoval, RetailerAccessRequest, RetailerAdded,
    RetailerList, RetailerRequest, StatusRequest,
};
use crate::{BrandCodes, IysError, Operation};

/// The registry's codes for a list of addresses that is empty, and for one that is too long.
const RECIPIENTS: (&str, &str) = ("H164", "H127");
/// The same for a list of retailers.
const RETAILERS: (&str, &str) = ("H163", "H126");

impl Account {
    /// Adds a retailer to a brand (4.14), which may have 3 000.
    ///
    /// # Errors
    /// [`IysError`]. After [`ErrorClass::OutcomeUnknown`](crate::ErrorClass::OutcomeUnknown) look for it in
    /// [`retailers`](Self::retailers): the repetition of a success is refused (H230, H231).
    pub async fn add_retailer(
        &self,
        brand: BrandCodes,
        retailer: &RetailerRequest,
    ) -> Result<RetailerAdded, IysError> {
        let body = body_of(Operation::AddRetailer, retailer)?;
        let call = Call::post(Operation::AddRetailer, brand.path(&[], &["retailers"]), body);
        self.call(&call).await?.parse()
    }

    /// One page of a brand's retailers with their fields (4.14); `limit` at most [`MAX_PAGE`].
    ///
    /// # Errors
    /// [`IysError`].
    pub async fn retailers(
        &self,
        brand: BrandCodes,
        offset: u32,
        limit: u16,
    ) -> Result<RetailerList, IysError> {
        self.retailer_page(brand, offset, limit, None).await
    }

    /// As [`retailers`](Self::retailers), with title, province, status, number and count of consents only.
    ///
    /// # Errors
    /// [`IysError`].
    pub async fn retailers_short(
        &self,
        brand: BrandCodes,
        offset: u32,
        limit: u16,
    ) -> Result<RetailerList, IysError> {
        self.retailer_page(brand, offset, limit, Some("true")).await
    }

    /// All retailers of a brand, page after page.
    ///
    /// # Errors
    /// [`IysError`] of the first page that fails.
    pub async fn all_retailers(&self, brand: BrandCodes) -> Result<Vec<Retailer>, IysError> {
        let mut retailers = Vec::new();
        loop {
            let page = self.retailers(brand, retailers.len() as u32, MAX_PAGE).await?;
            let done = page.list.is_empty();
            retailers.extend(page.list);
            if done || retailers.len() as i64 >= page.pagination.total_count {
                return Ok(retailers);
            }
        }
    }

    /// One retailer (4.14), `None` when the brand has none with this number: the registry then answers with success
    /// and no data, or with H058.
    ///
    /// # Errors
    /// [`IysError`].
    pub async fn retailer(
        &self,
        brand: BrandCodes,
        retailer_code: i64,
    ) -> Result<Option<Retailer>, IysError> {
        let path = brand.path(&[], &["retailers", &retailer_code.to_string()]);
        match self.call(&Call::get(Operation::Retailer, path)).await {
            Ok(reply) => {
                let found: Option<Retailer> = reply.parse_optional()?;
                Ok(found.filter(|retailer| !retailer.title.is_empty() || retailer.retailer_code.is_some()))
            }
            Err(error) if error.code() == Some("H058") => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Deletes a retailer to which no consent refers (4.14).
    ///
    /// # Errors
    /// [`IysError`]; H058 when there is none (also for the repetition of a success).
    pub async fn delete_retailer(&self, brand: BrandCodes, retailer_code: i64) -> Result<(), IysError> {
        let path = brand.path(&[], &["retailers", &retailer_code.to_string()]);
        self.call(&Call::delete(Operation::DeleteRetailer, path).for_file()).await?;
        Ok(())
    }

    /// Lets up to [`MAX_RETAILER_ACCESS`] retailers use one consent, beside those that may already (4.15).
    ///
    /// # Errors
    /// [`IysError::RefusedLocally`] for no retailers (H163) or too many (H126); otherwise [`IysError`], H401 when
    /// there is no such consent, H180 for an unknown retailer.
    pub async fn add_retailer_access(
        &self,
        brand: BrandCodes,
        request: &RetailerAccessRequest,
    ) -> Result<AddResponse, IysError> {
        const OPERATION: Operation = Operation::AddRetailerAccess;
        check(OPERATION, None, Some(&request.retailer_access))?;
        let path = brand.path(&[], &["consents", "retailers", "access"]);
        self.call(&Call::post(OPERATION, path, body_of(OPERATION, request)?)).await?.parse()
    }

    /// Sets which retailers may use up to [`MAX_RETAILER_ACCESS`] consents (4.15). All others lose them, the one that
    /// took the consent among them. The registry only takes the request; it is done a little later.
    ///
    /// # Errors
    /// [`IysError::RefusedLocally`] for an empty list (H163, H164) or one too long (H126, H127); otherwise
    /// [`IysError`], H180 for an unknown retailer.
    pub async fn set_retailer_access(
        &self,
        brand: BrandCodes,
        request: &RetailerAccessChange,
    ) -> Result<(), IysError> {
        const OPERATION: Operation = Operation::SetRetailerAccess;
        check(OPERATION, Some(&request.recipients), Some(&request.retailer_access))?;
        let path = brand.path(&[], &["consents", "retailers", "access"]);
        self.call(&Call::put(OPERATION, path, body_of(OPERATION, request)?)).await?;
        Ok(())
    }

    /// One page of the retailers that may use one consent (4.15); `limit` at most [`MAX_PAGE`].
    ///
    /// # Errors
    /// [`IysError`].
    pub async fn retailer_access(
        &self,
        brand: BrandCodes,
        consent: &StatusRequest,
        offset: u32,
        limit: u16,
    ) -> Result<RetailerList, IysError> {
        // `consent` in this path, `consents` in the others: the registry's spelling.
        let path = brand.path(&[], &["consent", "retailers", "access", "list"]);
        let call = Call::post(Operation::RetailerAccess, path, body_of(Operation::RetailerAccess, consent)?)
            .with("offset", offset.to_string())
            .with("limit", limit.to_string());
        Ok(self.call(&call).await?.parse_optional()?.unwrap_or_default())
    }

    /// Takes retailers away from up to [`MAX_RETAILER_ACCESS`] consents (4.15).
    ///
    /// # Errors
    /// As [`set_retailer_access`](Self::set_retailer_access).
    pub async fn remove_retailer_access(
        &self,
        brand: BrandCodes,
        request: &RetailerAccessChange,
    ) -> Result<(), IysError> {
        const OPERATION: Operation = Operation::RemoveRetailerAccess;
        check(OPERATION, Some(&request.recipients), Some(&request.retailer_access))?;
        let path = brand.path(&[], &["consents", "retailers", "access", "remove"]);
        self.call(&Call::post(OPERATION, path, body_of(OPERATION, request)?)).await?;
        Ok(())
    }

    /// Takes all retailers away from up to [`MAX_RETAILER_ACCESS`] consents (4.15).
    ///
    /// # Errors
    /// [`IysError::RefusedLocally`] for an empty list (H164) or one too long (H127); otherwise [`IysError`].
    pub async fn clear_retailer_access(
        &self,
        brand: BrandCodes,
        request: &RetailerAccessRemoval,
    ) -> Result<(), IysError> {
        const OPERATION: Operation = Operation::ClearRetailerAccess;
        check(OPERATION, Some(&request.recipients), None)?;
        let path = brand.path(&[], &["consents", "retailers", "access", "remove", "all"]);
        self.call(&Call::post(OPERATION, path, body_of(OPERATION, request)?)).await?;
        Ok(())
    }

    async fn retailer_page(
        &self,
        brand: BrandCodes,
        offset: u32,
        limit: u16,
        short: Option<&'static str>,
    ) -> Result<RetailerList, IysError> {
        let mut call = Call::get(Operation::Retailers, brand.path(&[], &["retailers"]))
            .with("offset", offset.to_string())
            .with("limit", limit.to_string());
        if let Some(short) = short {
            call = call.with("short", short);
        }
        Ok(self.call(&call).await?.parse_optional()?.unwrap_or_default())
    }
}

fn check(
    operation: Operation,
    recipients: Option<&[String]>,
    retailers: Option<&[i64]>,
) -> Result<(), IysError> {
    if let Some(list) = recipients {
        check_length(operation, "recipients", list.len(), MAX_RETAILER_ACCESS, RECIPIENTS)?;
    }
    if let Some(list) = retailers {
        check_length(operation, "retailerAccess", list.len(), MAX_RETAILER_ACCESS, RETAILERS)?;
    }
    Ok(())
}
