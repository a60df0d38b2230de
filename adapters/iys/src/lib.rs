//! A client for the HTTP API of İYS, Turkey's consent registry.

mod account;
mod client;
mod clock;
pub mod codes;
mod error;
mod login;
mod operation;
mod pace;
mod token;
mod transport;
pub mod wire;

use chrono::{DateTime, Utc};

pub use account::{Account, MAX_BATCH, MAX_CHANGES, MAX_PAGE};
pub use bytes::Bytes;
pub use client::{BuildError, IysClient, IysClientBuilder, PRODUCTION, REGISTRY_SANDBOX};
pub use clock::{Clock, SystemClock};
pub use codes::{Actor, CodeInfo};
pub use error::{BoxError, ErrorClass, IysError, PauseScope, Refusal, SharedError};
pub use futures::future::BoxFuture;
pub use operation::Operation;
pub use pace::{AdaptivePacer, Pacer, Unpaced};
pub use secrecy::SecretString;
pub use token::{AccountKey, Credentials, MemoryTokenStore, StoredToken, Token, TokenStore};

/// A brand's place at the registry: the numbers in every path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct BrandCodes {
    /// The service provider's number.
    pub iys_code: i64,
    /// The brand's number; a master brand has its provider's.
    pub brand_code: i64,
}

impl BrandCodes {
    /// Puts the two together, provider first.
    pub fn new(iys_code: i64, brand_code: i64) -> Self {
        Self { iys_code, brand_code }
    }

    fn path(self, prefix: &[&str], rest: &[&str]) -> Vec<String> {
        let (iys_code, brand_code) = (self.iys_code.to_string(), self.brand_code.to_string());
        account::path(&[prefix, &["sps", &iys_code, "brands", &brand_code], rest].concat())
    }
}

/// Whose movements a page of the change feed shows. There is no value for both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChangeSource {
    /// The provider's own movements, whoever uploaded them.
    Provider,
    /// The citizens' and the registry's movements.
    Registry,
}

impl ChangeSource {
    /// The value on the wire: `HS` or `IYS`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Provider => "HS",
            Self::Registry => "IYS",
        }
    }
}

/// A login that works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoginCheck {
    /// When the access token ends.
    pub expires_at: DateTime<Utc>,
    /// When the refresh token ends.
    pub refresh_expires_at: DateTime<Utc>,
}
