//! Push: registering receivers (registry-protocol section 8). What they receive is
//! [`PushEvent`](crate::wire::PushEvent).

use super::{Account, body_of};
use crate::transport::Call;
use crate::wire::{MessageResponse, PushConnection, PushRegistration, PushRegistrationRequest};
use crate::{BrandCodes, IysError, Operation};

impl Account {
    /// Registers receivers for the movements of the citizen's side, one entry per channel and address, at most two
    /// active ones per channel (section 8). The registry's support must have opened push for the account.
    ///
    /// The registry calls each address at once: it must be `https`, refuse a call without the credentials, accept one
    /// with them, and answer within five seconds. Then the test event comes
    /// ([`PushEvent::is_test`](crate::wire::PushEvent::is_test)).
    ///
    /// # Errors
    /// [`IysError`]; H531 for another scheme than `https`, H191 for a receiver too slow, H530 for one that does not
    /// meet the conditions.
    pub async fn register_push(
        &self,
        brand: BrandCodes,
        connections: &[PushConnection],
    ) -> Result<MessageResponse, IysError> {
        const OPERATION: Operation = Operation::PushRegister;
        let request = PushRegistrationRequest { connection: connections.to_vec() };
        let path = brand.path(&[], &["push", "registration"]);
        let reply = self.call(&Call::post(OPERATION, path, body_of(OPERATION, &request)?)).await?;
        Ok(reply.parse_optional()?.unwrap_or_default())
    }

    /// The receivers registered for a brand, those that could not be connected among them (section 8).
    ///
    /// # Errors
    /// [`IysError`].
    pub async fn push_registrations(&self, brand: BrandCodes) -> Result<Vec<PushRegistration>, IysError> {
        let path = brand.path(&[], &["push", "registration"]);
        let reply = self.call(&Call::get(Operation::PushRegistrations, path)).await?;
        Ok(reply.parse_optional()?.unwrap_or_default())
    }

    /// Removes one receiver (section 8); all four fields must be those of the registration.
    ///
    /// # Errors
    /// [`IysError`]; H530 when it could not be removed.
    pub async fn unregister_push(
        &self,
        brand: BrandCodes,
        connection: &PushConnection,
    ) -> Result<MessageResponse, IysError> {
        const OPERATION: Operation = Operation::PushUnregister;
        let path = brand.path(&[], &["push", "unregistration"]);
        let reply = self.call(&Call::post(OPERATION, path, body_of(OPERATION, connection)?)).await?;
        Ok(reply.parse_optional()?.unwrap_or_default())
    }
}
