//! The registry's operations on behalf of one account: one file per subject.

mod brands;
mod consents;
mod info;
mod push;
mod reports;
mod retailers;
mod via;
mod via_pass;

use std::sync::Arc;

use bytes::Bytes;
use chrono::NaiveDate;
use serde::Serialize;

use crate::client::Inner;
use crate::login::Login;
use crate::transport::{Call, Opened, Reply};
use crate::wire::ErrorItem;
use crate::{AccountKey, ErrorClass, IysError, LoginCheck, Operation, SecretString};

pub use reports::{MovementFile, Movements};

/// The most consents in a batch and the most addresses in a multi-status query.
pub const MAX_BATCH: usize = 1_000;
/// The most movements on a page of the change feed.
pub const MAX_CHANGES: u16 = 1_000;
/// The most entries on a page of any other list.
pub const MAX_PAGE: u16 = 100;
/// The most addresses, and the most retailers, in a change of retailers' access to consents.
pub const MAX_RETAILER_ACCESS: usize = 100;
/// The most addresses in a request for links to withdraw.
pub const MAX_REJECT_LINKS: usize = 100;

/// An account at the registry: the operations, with its token. Cheap to clone.
///
/// The account may be a service provider's own API user or a business partner's: the credentials have the same form,
/// and a partner names its customer by the codes in each call. Where a method is open to one kind only, it says so;
/// the registry refuses the other kind with H363 (H522 for a partner's subscription).
///
/// Every operation gets or renews the token by itself, waits for the client's pace, and after an HTTP 401 renews the
/// token and sends once more. Nothing else is ever resent: that is the caller's decision, by [`IysError::class`].
#[derive(Debug, Clone)]
pub struct Account {
    client: Arc<Inner>,
    login: Arc<Login>,
}

impl Account {
    pub(crate) fn new(client: Arc<Inner>, login: Arc<Login>) -> Self {
        Self { client, login }
    }

    /// Which account it is, for its [`TokenStore`](crate::TokenStore).
    pub fn key(&self) -> &AccountKey {
        self.login.key()
    }

    /// Logs in by another password from now on, in all clones of this account; a token that there is serves as long as it
    /// lives. For a password that was changed at the registry.
    pub fn set_password(&self, password: SecretString) {
        self.login.set_password(password);
    }

    /// Logs in by the password, even where there is a valid token, and does nothing else: tells whether the registry
    /// accepts it. The new token takes the place of the old one.
    ///
    /// # Errors
    /// [`IysError::CredentialsRefused`], or whatever keeps the token endpoint from answering.
    pub async fn log_in(&self) -> Result<LoginCheck, IysError> {
        let token = self.login.log_in(&self.client).await?;
        Ok(LoginCheck { expires_at: token.expires_at, refresh_expires_at: token.refresh_expires_at })
    }

    /// Whether the account can log in: gets a token where there is no valid one, and does nothing else. Tries a
    /// password that was refused before once more.
    ///
    /// # Errors
    /// [`IysError::CredentialsRefused`], or whatever keeps the token endpoint from answering.
    pub async fn login_check(&self) -> Result<LoginCheck, IysError> {
        let token = self.login.token_anew(&self.client).await?;
        Ok(LoginCheck { expires_at: token.expires_at, refresh_expires_at: token.refresh_expires_at })
    }

    /// Sends a call and reads the whole answer.
    async fn call(&self, call: &Call) -> Result<Reply, IysError> {
        self.open(call).await?.whole().await
    }

    /// Sends a call with the account's token; on HTTP 401 renews the token and sends once more.
    async fn open(&self, call: &Call) -> Result<Opened, IysError> {
        let token = self.login.token(&self.client).await?;
        match self.client.open(call, Some(&token.access_token)).await {
            Err(error) if is_token_refused(&error) => {
                if !self.login.reject(&token, self.client.clock.now()) {
                    return Err(error);
                }
            }
            outcome => return outcome,
        }
        let renewed = self.login.token(&self.client).await?;
        let outcome = self.client.open(call, Some(&renewed.access_token)).await;
        if outcome.as_ref().is_err_and(is_token_refused) {
            self.login.reject(&renewed, self.client.clock.now());
        }
        outcome
    }
}

fn is_token_refused(error: &IysError) -> bool {
    error.status() == Some(401) || error.class() == ErrorClass::Reauthenticate
}

/// The client's own refusal of what the registry certainly would refuse.
fn refuse(operation: Operation, items: Vec<ErrorItem>) -> IysError {
    IysError::RefusedLocally { operation, items }
}

/// Refuses a list that is empty or longer than `most`, with the registry's codes for either.
fn check_length(
    operation: Operation,
    field: &'static str,
    length: usize,
    most: usize,
    (empty, long): (&'static str, &'static str),
) -> Result<(), IysError> {
    let (code, message) = match length {
        0 => (empty, "the list is empty".to_owned()),
        _ if length > most => (long, format!("the list has more than {most} entries")),
        _ => return Ok(()),
    };
    Err(refuse(operation, vec![ErrorItem::new(code, message).at(field)]))
}

/// A report's day as it stands in a path.
fn day(date: NaiveDate) -> String {
    date.format("%Y-%m-%d").to_string()
}

fn body_of<T: Serialize + ?Sized>(operation: Operation, value: &T) -> Result<Bytes, IysError> {
    serde_json::to_vec(value).map(Into::into).map_err(|error| IysError::Port {
        operation,
        port: "JSON writer",
        source: Arc::new(error),
    })
}

pub(crate) fn path(segments: &[&str]) -> Vec<String> {
    segments.iter().map(|segment| (*segment).to_owned()).collect()
}
