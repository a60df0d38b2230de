//! Tokens and where they are kept.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::future::{BoxFuture, FutureExt, ready};
use secrecy::SecretString;

use crate::BoxError;

/// The name and password of one API account.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The name that the registry issued.
    pub username: String,
    /// The password.
    pub password: SecretString,
}

impl Credentials {
    /// Puts the two together.
    pub fn new(username: impl Into<String>, password: impl Into<SecretString>) -> Self {
        Self { username: username.into(), password: password.into() }
    }
}

/// Which account a token belongs to: registry address and user name. No secret.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AccountKey(String);

impl AccountKey {
    pub(crate) fn new(base_url: &url::Url, username: &str) -> Self {
        Self(format!("{username} {base_url}"))
    }

    /// The key as text: stable, and different for each registry address and user.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AccountKey {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(&self.0)
    }
}

/// A pair of tokens.
#[derive(Debug, Clone)]
pub struct Token {
    /// The bearer token.
    pub access_token: SecretString,
    /// What buys the next pair.
    pub refresh_token: SecretString,
    /// When the access token ends, by the client's clock.
    pub expires_at: DateTime<Utc>,
    /// When the refresh token ends.
    pub refresh_expires_at: DateTime<Utc>,
}

/// What a store knows about an account.
#[derive(Debug, Clone, Default)]
pub struct StoredToken {
    /// The latest pair, expired or not.
    pub token: Option<Token>,
    /// Until when no token call may be made, for any account.
    pub halted_until: Option<DateTime<Utc>>,
    /// The password that the registry refused last, unless it has given the account a token since.
    pub refused: Option<SecretString>,
}

/// Keeps the tokens, so that several processes can share one login. The registry counts token calls per IP address
/// and punishes too many with an hour of silence.
///
/// Within one client only one caller at a time acts for an account; the lease is for several clients.
pub trait TokenStore: fmt::Debug + Send + Sync {
    /// The account's latest pair, and whether token calls are halted.
    fn load<'a>(&'a self, account: &'a AccountKey) -> BoxFuture<'a, Result<StoredToken, BoxError>>;

    /// Takes the right to make a token call for the account until `now + lease`; `false` while another holder has it.
    /// The same holder may take it again (its earlier attempt was cancelled).
    fn try_begin_login<'a>(
        &'a self,
        account: &'a AccountKey,
        holder: &'a str,
        now: DateTime<Utc>,
        lease: Duration,
    ) -> BoxFuture<'a, Result<bool, BoxError>>;

    /// Keeps a new pair in place of the old one, and forgets a refused password.
    fn save<'a>(&'a self, account: &'a AccountKey, token: &'a Token) -> BoxFuture<'a, Result<(), BoxError>>;

    /// Notes that the registry does not accept this password: nobody tries it again by himself.
    fn refuse<'a>(
        &'a self,
        account: &'a AccountKey,
        password: &'a SecretString,
    ) -> BoxFuture<'a, Result<(), BoxError>>;

    /// Gives the right back, after success and failure alike.
    fn end_login<'a>(
        &'a self,
        account: &'a AccountKey,
        holder: &'a str,
    ) -> BoxFuture<'a, Result<(), BoxError>>;

    /// Forbids token calls of every account until then (H084 counts by IP address). An earlier end than the one known
    /// is ignored.
    fn halt_until(&self, until: DateTime<Utc>) -> BoxFuture<'_, Result<(), BoxError>>;
}

/// The default store: this process's memory.
#[derive(Debug, Default)]
pub struct MemoryTokenStore {
    state: Mutex<Memory>,
}

#[derive(Debug, Default)]
struct Memory {
    tokens: HashMap<AccountKey, Token>,
    leases: HashMap<AccountKey, (String, DateTime<Utc>)>,
    refused: HashMap<AccountKey, SecretString>,
    halted_until: Option<DateTime<Utc>>,
}

impl MemoryTokenStore {
    fn lock(&self) -> MutexGuard<'_, Memory> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TokenStore for MemoryTokenStore {
    fn load<'a>(&'a self, account: &'a AccountKey) -> BoxFuture<'a, Result<StoredToken, BoxError>> {
        let state = self.lock();
        let stored = StoredToken {
            token: state.tokens.get(account).cloned(),
            halted_until: state.halted_until,
            refused: state.refused.get(account).cloned(),
        };
        ready(Ok(stored)).boxed()
    }

    fn try_begin_login<'a>(
        &'a self,
        account: &'a AccountKey,
        holder: &'a str,
        now: DateTime<Utc>,
        lease: Duration,
    ) -> BoxFuture<'a, Result<bool, BoxError>> {
        let mut state = self.lock();
        let taken = state.leases.get(account).is_some_and(|(by, until)| by != holder && *until > now);
        if !taken {
            state.leases.insert(account.clone(), (holder.to_owned(), now + lease));
        }
        ready(Ok(!taken)).boxed()
    }

    fn save<'a>(&'a self, account: &'a AccountKey, token: &'a Token) -> BoxFuture<'a, Result<(), BoxError>> {
        let mut state = self.lock();
        state.tokens.insert(account.clone(), token.clone());
        state.refused.remove(account);
        ready(Ok(())).boxed()
    }

    fn refuse<'a>(
        &'a self,
        account: &'a AccountKey,
        password: &'a SecretString,
    ) -> BoxFuture<'a, Result<(), BoxError>> {
        self.lock().refused.insert(account.clone(), password.clone());
        ready(Ok(())).boxed()
    }

    fn end_login<'a>(
        &'a self,
        account: &'a AccountKey,
        holder: &'a str,
    ) -> BoxFuture<'a, Result<(), BoxError>> {
        let mut state = self.lock();
        if state.leases.get(account).is_some_and(|(by, _)| by == holder) {
            state.leases.remove(account);
        }
        ready(Ok(())).boxed()
    }

    fn halt_until(&self, until: DateTime<Utc>) -> BoxFuture<'_, Result<(), BoxError>> {
        let mut state = self.lock();
        state.halted_until = state.halted_until.max(Some(until));
        ready(Ok(())).boxed()
    }
}
