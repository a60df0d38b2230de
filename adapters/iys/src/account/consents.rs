//! Adding consents and asking for them (registry-protocol 4.1 to 4.10).

use std::collections::HashSet;

use bytes::Bytes;

use super::{Account, MAX_BATCH, body_of, check_length, refuse};
use crate::transport::Call;
use crate::wire::{
    AddResponse, BatchAddResponse, BatchItemResult, BatchResult, ChangesPage, ConsentRequest, ErrorItem,
    HistoryResponse, StatusRequest, StatusResponse, StatusesRequest, StatusesResponse,
};
use crate::{BrandCodes, ChangeSource, IysError, Operation};

impl Account {
    /// Adds one consent (v2, 4.2): sending the same body again gives the first answer again, so this is safe to
    /// repeat after an unknown outcome.
    ///
    /// # Errors
    /// [`IysError`]; [`ErrorClass::OutcomeUnknown`](crate::ErrorClass::OutcomeUnknown) when it was sent and no whole answer came.
    pub async fn add_consent(
        &self,
        brand: BrandCodes,
        consent: &ConsentRequest,
    ) -> Result<AddResponse, IysError> {
        self.add_consent_raw(brand, body_of(Operation::Add, consent)?).await
    }

    /// As [`add_consent`](Self::add_consent), with the exact bytes of the JSON object (see [`crate::wire::encode`]).
    ///
    /// # Errors
    /// As [`add_consent`](Self::add_consent).
    pub async fn add_consent_raw(&self, brand: BrandCodes, consent: Bytes) -> Result<AddResponse, IysError> {
        let call = Call::post(Operation::Add, brand.path(&["v2"], &["consents"]), consent);
        self.call(&call).await?.parse()
    }

    /// Puts up to [`MAX_BATCH`] consents into the registry's queue (v2, 4.4). What becomes of each is told by
    /// [`batch_result`](Self::batch_result), not before 300 s later.
    ///
    /// # Errors
    /// [`IysError::RefusedLocally`] for no consents, too many (H091), or two for one (recipientType, type, recipient)
    /// (H194, on the later one): the registry would refuse the whole list. Otherwise as
    /// [`add_consent`](Self::add_consent); a refusal's items carry the index.
    pub async fn add_batch(
        &self,
        brand: BrandCodes,
        consents: &[ConsentRequest],
    ) -> Result<BatchAddResponse, IysError> {
        check_batch(consents)?;
        self.add_batch_raw(brand, body_of(Operation::AddBatch, consents)?).await
    }

    /// As [`add_batch`](Self::add_batch), with the exact bytes of the JSON array (see [`crate::wire::encode_batch`]);
    /// they are sent unchecked.
    ///
    /// # Errors
    /// As [`add_batch`](Self::add_batch), but nothing is refused locally.
    pub async fn add_batch_raw(
        &self,
        brand: BrandCodes,
        consents: Bytes,
    ) -> Result<BatchAddResponse, IysError> {
        let call = Call::post(Operation::AddBatch, brand.path(&["v2"], &["consents", "request"]), consents);
        self.call(&call).await?.parse()
    }

    /// What became of a batch (v2, 4.6). Empty means "nothing yet", or that the id is unknown or older than 60 days.
    ///
    /// # Errors
    /// [`IysError`].
    pub async fn batch_result(
        &self,
        brand: BrandCodes,
        request_id: &str,
    ) -> Result<Vec<BatchItemResult>, IysError> {
        let call =
            Call::get(Operation::BatchResult, brand.path(&["v2"], &["consents", "request", request_id]));
        let result: Option<BatchResult> = self.call(&call).await?.parse_optional()?;
        let items = result.unwrap_or_default().items;
        let codes = items.iter().filter_map(|item| item.error.as_ref()?.code.as_deref());
        self.client.note_codes(Operation::BatchResult, codes);
        Ok(items)
    }

    /// The current record of one address (4.7), `None` when the registry has none. At most 1 000 an hour and IP
    /// address.
    ///
    /// The registry's documents do not say how it answers for an address without a record, so several ways are taken
    /// for it: no content, an empty object, HTTP 404 (unless with a code that means something else), and a "not
    /// found" code.
    ///
    /// # Errors
    /// [`IysError`].
    pub async fn status(
        &self,
        brand: BrandCodes,
        request: &StatusRequest,
    ) -> Result<Option<StatusResponse>, IysError> {
        let body = body_of(Operation::Status, request)?;
        let call = Call::post(Operation::Status, brand.path(&[], &["consents", "status"]), body);
        match self.call(&call).await {
            Ok(reply) => {
                let record: Option<StatusResponse> = reply.parse_optional()?;
                Ok(record.filter(|record| !record.status.is_empty()))
            }
            Err(error) if says_no_record(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Which of up to [`MAX_BATCH`] addresses are in ONAY (4.8). The others are in RET or unknown.
    ///
    /// # Errors
    /// [`IysError::RefusedLocally`] for no addresses (H164), too many (H125), or a repeated one (H193); otherwise
    /// [`IysError`].
    pub async fn statuses(
        &self,
        brand: BrandCodes,
        recipient_type: &str,
        r#type: &str,
        request: &StatusesRequest,
    ) -> Result<StatusesResponse, IysError> {
        check_recipients(&request.recipients)?;
        let path = brand.path(&[], &["consents", recipient_type, "status", r#type]);
        let call = Call::post(Operation::Statuses, path, body_of(Operation::Statuses, request)?);
        Ok(self.call(&call).await?.parse_optional()?.unwrap_or_default())
    }

    /// The movements of one address (4.9), newest consent date first; `limit` at most [`MAX_PAGE`](crate::MAX_PAGE). At most 100 an
    /// hour and IP address.
    ///
    /// # Errors
    /// [`IysError`].
    pub async fn history(
        &self,
        brand: BrandCodes,
        request: &StatusRequest,
        offset: u32,
        limit: u16,
    ) -> Result<HistoryResponse, IysError> {
        let body = body_of(Operation::History, request)?;
        let call = Call::post(Operation::History, brand.path(&[], &["consents", "history"]), body)
            .with("offset", offset.to_string())
            .with("limit", limit.to_string());
        Ok(self.call(&call).await?.parse_optional()?.unwrap_or_default())
    }

    /// A page of the change feed (4.10), oldest first, `limit` at most [`MAX_CHANGES`](crate::MAX_CHANGES); `after` is the cursor of the
    /// page before, `None` for the start of the window.
    ///
    /// The feed reaches back seven days and never shows the last sixty minutes. When nothing is there the page is
    /// empty and has no cursor: keep the old one.
    ///
    /// # Errors
    /// [`IysError`].
    pub async fn changes(
        &self,
        brand: BrandCodes,
        source: ChangeSource,
        after: Option<&str>,
        limit: u16,
    ) -> Result<ChangesPage, IysError> {
        let mut call = Call::get(Operation::Changes, brand.path(&[], &["consents", "changes"]))
            .with("source", source.as_str())
            .with("limit", limit.to_string());
        if let Some(after) = after {
            call = call.with("after", after);
        }
        let page: ChangesPage = self.call(&call).await?.parse_optional()?.unwrap_or_default();
        Ok(if page.list.is_empty() { ChangesPage::default() } else { page })
    }
}

/// The codes that say "no such consent": the retailer-access call's, and the opt-in services'.
const NO_RECORD_CODES: [&str; 4] = ["H401", "H1076", "H1083", "H1084"];

fn says_no_record(error: &IysError) -> bool {
    match error {
        IysError::Refused(refusal) => match refusal.code() {
            Some(code) if NO_RECORD_CODES.contains(&code) => true,
            // A code from the table has its own meaning: no such provider, no right to the type, no subscription.
            Some(code) => refusal.status == 404 && crate::codes::lookup(code).is_none(),
            None => refusal.status == 404,
        },
        IysError::Unreadable { status: 404, empty: true, .. } => true,
        _ => false,
    }
}

fn check_batch(consents: &[ConsentRequest]) -> Result<(), IysError> {
    check_length(Operation::AddBatch, "consents", consents.len(), MAX_BATCH, ("H092", "H091"))?;
    let mut seen = HashSet::with_capacity(consents.len());
    let duplicates: Vec<_> = consents
        .iter()
        .enumerate()
        .filter(|(_, consent)| {
            let recipient_type = consent.recipient_type.as_deref().unwrap_or("BIREYSEL");
            !seen.insert((recipient_type, consent.r#type.as_str(), consent.recipient.to_lowercase()))
        })
        .map(|(index, _)| ErrorItem::new("H194", "the address occurs twice").at("recipient").in_batch(index))
        .collect();
    if duplicates.is_empty() { Ok(()) } else { Err(refuse(Operation::AddBatch, duplicates)) }
}

fn check_recipients(recipients: &[String]) -> Result<(), IysError> {
    check_length(Operation::Statuses, "recipients", recipients.len(), MAX_BATCH, ("H164", "H125"))?;
    let mut seen = HashSet::with_capacity(recipients.len());
    let duplicates: Vec<_> = recipients
        .iter()
        .enumerate()
        .filter(|(_, recipient)| !seen.insert(recipient.to_lowercase()))
        .map(|(position, _)| {
            ErrorItem::new("H193", "the address occurs twice").at("recipients").at_position(position)
        })
        .collect();
    if duplicates.is_empty() { Ok(()) } else { Err(refuse(Operation::Statuses, duplicates)) }
}
