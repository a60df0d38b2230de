//! ViA Pass: the registry's second-factor service (registry-protocol 10.8). It has no effect on consents.

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::via::zip;
use super::{Account, body_of, path};
use crate::transport::{Call, Reply};
use crate::wire::via_pass::ViaPassAnswer;
use crate::wire::{
    MessageResponse, ViaPassAccount, ViaPassCompleteRequest, ViaPassEmailRequest, ViaPassHistory,
    ViaPassHistoryRequest, ViaPassSmsRequest, ViaPassStarted,
};
use crate::{IysError, Operation};

/// ViA Pass may have an address of its own: [`IysClientBuilder::via_pass_url`](crate::IysClientBuilder::via_pass_url).
/// Its codes have a table of their own too; failures behind it show the code of the service that failed.
impl Account {
    /// Starts a check of a phone number by a code in an SMS.
    ///
    /// # Errors
    /// [`IysError`]; H1107 for an unknown text. Not safe to repeat after an unknown outcome: a second SMS would go
    /// out, and a second credit be used.
    pub async fn via_pass_sms(
        &self,
        iys_code: i64,
        request: &ViaPassSmsRequest,
    ) -> Result<ViaPassStarted, IysError> {
        self.via_pass_start(&[&iys_code.to_string(), "sms", "start"], request).await
    }

    /// Starts a check of an e-mail address by a code.
    ///
    /// # Errors
    /// As [`via_pass_sms`](Self::via_pass_sms).
    pub async fn via_pass_email(
        &self,
        iys_code: i64,
        request: &ViaPassEmailRequest,
    ) -> Result<ViaPassStarted, IysError> {
        self.via_pass_start(&[&iys_code.to_string(), "email", "start"], request).await
    }

    /// Starts a check of a phone number by a short link; it is completed by the person who opens it.
    ///
    /// # Errors
    /// As [`via_pass_sms`](Self::via_pass_sms).
    pub async fn via_pass_sms_link(
        &self,
        iys_code: i64,
        request: &ViaPassSmsRequest,
    ) -> Result<ViaPassStarted, IysError> {
        self.via_pass_start(&[&iys_code.to_string(), "sms", "start", "short-url"], request).await
    }

    /// Starts a check of an e-mail address by a short link.
    ///
    /// # Errors
    /// As [`via_pass_sms`](Self::via_pass_sms).
    pub async fn via_pass_email_link(
        &self,
        iys_code: i64,
        request: &ViaPassEmailRequest,
    ) -> Result<ViaPassStarted, IysError> {
        self.via_pass_start(&[&iys_code.to_string(), "email", "start", "short-url"], request).await
    }

    /// Completes a check of a phone number with its code: success means that the code was right. Three tries within
    /// three minutes.
    ///
    /// # Errors
    /// [`IysError`]; OTP-ERROR-001 when no such check was started, H1050 to H1052 for wrong or expired codes. After an
    /// unknown outcome ask for [`via_pass_history`](Self::via_pass_history).
    pub async fn via_pass_complete_sms(&self, request: &ViaPassCompleteRequest) -> Result<(), IysError> {
        self.via_pass_complete("sms", request).await
    }

    /// Completes a check of an e-mail address with its code.
    ///
    /// # Errors
    /// As [`via_pass_complete_sms`](Self::via_pass_complete_sms).
    pub async fn via_pass_complete_email(&self, request: &ViaPassCompleteRequest) -> Result<(), IysError> {
        self.via_pass_complete("email", request).await
    }

    /// The evidence of a check: a ZIP file with a summary (PDF) and its time stamp (`.tsr`).
    ///
    /// # Errors
    /// [`IysError`]; H1072 when there is none.
    pub async fn via_pass_evidence(&self, iys_code: i64, request_id: &str) -> Result<Bytes, IysError> {
        let path = otp_path(&["get-clarification-file", &iys_code.to_string(), request_id]);
        let call = Call::get(Operation::ViaPassEvidence, path).at_via_pass().for_file();
        zip(self.call(&call).await?)
    }

    /// One page of the steps of a check; `page` counts from 1.
    ///
    /// # Errors
    /// [`IysError`]; OTP-ERROR-002 when there is no such check.
    pub async fn via_pass_history(
        &self,
        request_id: &str,
        page: u32,
        page_size: u16,
    ) -> Result<ViaPassHistory, IysError> {
        const OPERATION: Operation = Operation::ViaPassHistory;
        let body = body_of(OPERATION, &ViaPassHistoryRequest { request_id: request_id.to_owned() })?;
        let call = Call::post(OPERATION, otp_path(&["request-history"]), body)
            .at_via_pass()
            .with("page", page.to_string())
            .with("pageSize", page_size.to_string());
        Ok(self.call(&call).await?.parse_optional()?.unwrap_or_default())
    }

    /// A provider's subscriptions to the service.
    ///
    /// # Errors
    /// [`IysError`].
    pub async fn via_pass_subscription(&self, iys_code: i64) -> Result<Vec<ViaPassAccount>, IysError> {
        let path = otp_path(&["subscription", &iys_code.to_string()]);
        data(&self.call(&Call::get(Operation::ViaPassSubscription, path).at_via_pass()).await?)
    }

    async fn via_pass_start<T: Serialize>(
        &self,
        rest: &[&str],
        request: &T,
    ) -> Result<ViaPassStarted, IysError> {
        const OPERATION: Operation = Operation::ViaPassStart;
        let call = Call::post(OPERATION, otp_path(rest), body_of(OPERATION, request)?).at_via_pass();
        let reply = self.call(&call).await?;
        data(&reply)?.into_iter().next().ok_or_else(|| reply.unreadable())
    }

    async fn via_pass_complete(&self, kind: &str, request: &ViaPassCompleteRequest) -> Result<(), IysError> {
        const OPERATION: Operation = Operation::ViaPassComplete;
        let body = body_of(OPERATION, request)?;
        let call = Call::post(OPERATION, otp_path(&[kind, "complete"]), body).at_via_pass();
        let reply = self.call(&call).await?;
        let answer: MessageResponse = reply.parse()?;
        // Anything but the documented answer must not pass for the proof of who somebody is.
        if answer.message.is_empty() { Err(reply.unreadable()) } else { Ok(()) }
    }
}

fn otp_path(rest: &[&str]) -> Vec<String> {
    path(&[&["otp-management", "api", "v1"], rest].concat())
}

fn data<T: DeserializeOwned>(reply: &Reply) -> Result<Vec<T>, IysError> {
    reply.parse::<ViaPassAnswer<T>>().map(|answer| answer.data)
}
