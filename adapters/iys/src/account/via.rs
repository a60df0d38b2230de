//! The registry's own opt-in services, ViA (registry-protocol section 10).

use bytes::Bytes;

use super::{Account, MAX_REJECT_LINKS, body_of, check_length, path};
use crate::transport::{Call, Reply};
use crate::wire::{
    KvkConsent, KvkQuery, RejectLink, RejectLinkRecipient, RejectLinksRequest, ViaConfirmRequest,
    ViaRecorded, ViaStartRequest, ViaStarted, ViaStatus, via,
};
use crate::{BrandCodes, IysError, Operation};

/// The opt-in services need a ViA subscription with credit, a published form, and, for a partner, the right
/// `viaControl` (4.12).
impl Account {
    /// Starts an approval (10.1): the registry asks the citizen by SMS or e-mail. Costs one credit.
    ///
    /// # Errors
    /// [`IysError`]; H1015 when the credit does not suffice. Not safe to repeat after an unknown outcome: the citizen
    /// would be asked twice, and two credits be used.
    pub async fn via_start(&self, iys_code: i64, request: &ViaStartRequest) -> Result<ViaStarted, IysError> {
        const OPERATION: Operation = Operation::ViaStart;
        let path = path(&["via", "sps", &iys_code.to_string(), "consent"]);
        let reply = self.call(&Call::post(OPERATION, path, body_of(OPERATION, request)?)).await?;
        reply.parse_by(via::unwrap)
    }

    /// Completes an approval with the code that the citizen got (10.2); for the ways with `OTP` only. Answers what was
    /// recorded, one entry per brand and channel, or per text.
    ///
    /// # Errors
    /// [`IysError`]; H1052 for a wrong code, H1050 after three of them, H1051 when the code has expired. After an
    /// unknown outcome ask for [`via_status`](Self::via_status): another call would use up a try.
    pub async fn via_confirm(
        &self,
        iys_code: i64,
        request: &ViaConfirmRequest,
    ) -> Result<Vec<ViaRecorded>, IysError> {
        const OPERATION: Operation = Operation::ViaConfirm;
        let path = path(&["via", "sps", &iys_code.to_string(), "confirmation"]);
        let reply = self.call(&Call::post(OPERATION, path, body_of(OPERATION, request)?)).await?;
        reply.parse_by(via::unwrap_list)
    }

    /// How far an approval has come (10.4).
    ///
    /// # Errors
    /// [`IysError`]; H1030 when there is no such approval.
    pub async fn via_status(&self, iys_code: i64, request_id: &str) -> Result<ViaStatus, IysError> {
        let path = path(&["via", "sps", &iys_code.to_string(), "consent", "request", request_id]);
        self.call(&Call::get(Operation::ViaStatus, path)).await?.parse_by(via::unwrap)
    }

    /// The evidence of an approval (10.5): a ZIP file with a summary (PDF) and its time stamp (`.tsr`).
    ///
    /// # Errors
    /// [`IysError`]; H1072 when there is none, [`IysError::Unreadable`] when an answer comes that is no ZIP file.
    pub async fn via_evidence(&self, iys_code: i64, request_id: &str) -> Result<Bytes, IysError> {
        let path = path(&["via", "sps", &iys_code.to_string(), "via", "clarification", request_id, "file"]);
        zip(self.call(&Call::get(Operation::ViaEvidence, path).for_file()).await?)
    }

    /// The texts on personal data that an approval covers (10.6).
    ///
    /// # Errors
    /// [`IysError`]; H1030 when there is no such approval.
    pub async fn kvk_consents(&self, iys_code: i64, request_id: &str) -> Result<Vec<KvkConsent>, IysError> {
        let path = path(&["via", "sps", &iys_code.to_string(), "consent", request_id]);
        self.call(&Call::get(Operation::KvkConsents, path)).await?.parse_by(via::unwrap_list)
    }

    /// The ids of the approvals by which an address has approved a text on personal data (10.6).
    ///
    /// # Errors
    /// [`IysError`].
    pub async fn kvk_requests(&self, iys_code: i64, query: &KvkQuery) -> Result<Vec<String>, IysError> {
        const OPERATION: Operation = Operation::KvkRequests;
        let path = path(&["via", "sps", &iys_code.to_string(), "consent", "status"]);
        let reply = self.call(&Call::post(OPERATION, path, body_of(OPERATION, query)?)).await?;
        reply.parse_by(via::unwrap_list)
    }

    /// Links by which citizens withdraw their e-mail consents to a brand (10.7), for up to [`MAX_REJECT_LINKS`]
    /// addresses in ONAY. The answer is mixed: an address gets a link, or the reason why not (H568).
    ///
    /// # Errors
    /// [`IysError::RefusedLocally`] for no addresses (H164) or too many (H127); otherwise [`IysError`].
    pub async fn reject_links(
        &self,
        brand: BrandCodes,
        recipients: &[RejectLinkRecipient],
    ) -> Result<Vec<RejectLink>, IysError> {
        const OPERATION: Operation = Operation::RejectLinks;
        check_length(OPERATION, "recipients", recipients.len(), MAX_REJECT_LINKS, ("H164", "H127"))?;
        let request = RejectLinksRequest { recipients: recipients.to_vec() };
        let path = brand.path(&[], &["via-hash-links"]);
        let reply = self.call(&Call::post(OPERATION, path, body_of(OPERATION, &request)?)).await?;
        let links: Vec<RejectLink> = reply.parse_by(via::list)?;
        self.client.note_codes(OPERATION, links.iter().filter_map(|link| link.code.as_deref()));
        Ok(links)
    }
}

/// A ZIP file, and nothing else that a gateway or the documents' odd example (`{"message":"OK"}`) may put in its
/// place.
pub(super) fn zip(reply: Reply) -> Result<Bytes, IysError> {
    let unreadable = reply.unreadable();
    reply.file().filter(|file| file.starts_with(b"PK")).ok_or(unreadable)
}
