//! Provinces and districts (registry-protocol 4.20).

use super::{Account, path};
use crate::transport::Call;
use crate::wire::{City, Town};
use crate::{IysError, Operation};

impl Account {
    /// The provinces of Turkey (4.20), by plate number.
    ///
    /// # Errors
    /// [`IysError`].
    pub async fn cities(&self) -> Result<Vec<City>, IysError> {
        let call = Call::get(Operation::Cities, path(&["info", "city"]));
        Ok(self.call(&call).await?.parse_optional()?.unwrap_or_default())
    }

    /// The province with this plate number (4.20), `None` when there is none.
    ///
    /// # Errors
    /// [`IysError`].
    pub async fn city(&self, code: i64) -> Result<Option<City>, IysError> {
        let call = Call::get(Operation::Cities, path(&["info", "city", &code.to_string()]));
        self.call(&call).await?.parse_optional()
    }

    /// The districts of Turkey (4.20), numbered through the whole country.
    ///
    /// # Errors
    /// [`IysError`].
    pub async fn towns(&self) -> Result<Vec<Town>, IysError> {
        let call = Call::get(Operation::Towns, path(&["info", "town"]));
        Ok(self.call(&call).await?.parse_optional()?.unwrap_or_default())
    }

    /// The district with this number (4.20), `None` when there is none.
    ///
    /// # Errors
    /// [`IysError`].
    pub async fn town(&self, code: i64) -> Result<Option<Town>, IysError> {
        let call = Call::get(Operation::Towns, path(&["info", "town", &code.to_string()]));
        self.call(&call).await?.parse_optional()
    }
}
