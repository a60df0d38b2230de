//! Getting and keeping a valid token for one account (registry-protocol 1.2 and 1.3).
//!
//! The rules, in order of importance: never call the token endpoint during the hour of silence; never call it twice
//! for one need (one caller acts, the others share what comes out, failures included); never repeat a wrong password;
//! refresh before logging in; use a token until it really ends when no better one can be had.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError, RwLock};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use secrecy::{ExposeSecret, SecretString};

use crate::client::Inner;
use crate::transport::Call;
use crate::wire::{TokenRequest, TokenResponse};
use crate::{AccountKey, BoxError, Credentials, IysError, Operation, Token};

/// A token with less life than this is renewed before use.
const RENEW_BELOW: TimeDelta = TimeDelta::seconds(300);
/// A token with less life than this is not used at all: the request must still arrive.
const USABLE_ABOVE: TimeDelta = TimeDelta::seconds(5);
/// The silence after H084; each attempt inside it starts the hour anew.
const SILENCE: TimeDelta = TimeDelta::minutes(60);
/// How long a refused password is not tried again.
const REFUSED_FOR: TimeDelta = TimeDelta::minutes(15);
/// The window of the token budget.
const BUDGET_WINDOW: TimeDelta = TimeDelta::hours(1);
/// How often and how many times to look for the token that another process is getting.
const LOOK_AGAIN: Duration = Duration::from_millis(250);
const LOOKS: u32 = 40;

/// One account of a client: its credentials, its token, and the gate that only one caller passes at a time.
pub(crate) struct Login {
    key: AccountKey,
    credentials: Credentials,
    cached: RwLock<Option<Token>>,
    /// The last access token that the registry refused; not to be used again even where a store still has it.
    rejected: RwLock<Option<SecretString>>,
    /// A freshly renewed token was refused too: the next renewal uses the password, not the refresh token.
    password_next: AtomicBool,
    /// Counts finished renewals, so that callers who waited at the gate share the outcome instead of trying again.
    renewals: AtomicU64,
    gate: tokio::sync::Mutex<Gate>,
}

#[derive(Default)]
struct Gate {
    failure: Option<IysError>,
    refused: Option<(DateTime<Utc>, IysError)>,
}

impl fmt::Debug for Login {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.debug_struct("Login").field("credentials", &self.credentials).finish_non_exhaustive()
    }
}

impl Login {
    pub fn new(key: AccountKey, credentials: Credentials) -> Self {
        Self {
            key,
            credentials,
            cached: RwLock::new(None),
            rejected: RwLock::new(None),
            password_next: AtomicBool::new(false),
            renewals: AtomicU64::new(0),
            gate: tokio::sync::Mutex::new(Gate::default()),
        }
    }

    pub fn has_password(&self, password: &SecretString) -> bool {
        self.credentials.password.expose_secret() == password.expose_secret()
    }

    /// A token that can be used now.
    pub async fn token(&self, client: &Inner) -> Result<Token, IysError> {
        if let Some(token) = self.cached_above(client.clock.now(), RENEW_BELOW) {
            return Ok(token);
        }
        let seen = self.renewals.load(Ordering::Acquire);
        let mut gate = self.gate.lock().await;
        let now = client.clock.now();
        if let Some(token) = self.cached_above(now, RENEW_BELOW) {
            return Ok(token);
        }
        if self.renewals.load(Ordering::Acquire) != seen {
            // Somebody tried while this caller waited; its token was too short-lived for the test above or it failed.
            match &gate.failure {
                Some(failure) => return Err(failure.clone()),
                None => {
                    if let Some(token) = self.cached_above(now, USABLE_ABOVE) {
                        return Ok(token);
                    }
                }
            }
        }
        if let Some((until, refusal)) = &gate.refused
            && now < *until
        {
            return Err(refusal.clone());
        }
        let outcome = self.renew(client).await;
        gate.failure = outcome.as_ref().err().cloned();
        gate.refused = match &gate.failure {
            Some(refusal @ IysError::CredentialsRefused { .. }) => Some((now + REFUSED_FOR, refusal.clone())),
            _ => None,
        };
        self.renewals.fetch_add(1, Ordering::Release);
        outcome
    }

    /// Lets a refused password be tried once more, because somebody asks for it.
    pub async fn forget_refusal(&self) {
        self.gate.lock().await.refused = None;
    }

    /// The registry has refused this token. `renewed`: it had just been renewed for the same reason.
    pub fn reject(&self, token: &Token, renewed: bool) {
        let mut cached = self.cached.write().unwrap_or_else(PoisonError::into_inner);
        if cached.as_ref().is_some_and(|cached| same(&cached.access_token, &token.access_token)) {
            *cached = None;
        }
        *self.rejected.write().unwrap_or_else(PoisonError::into_inner) = Some(token.access_token.clone());
        if renewed {
            self.password_next.store(true, Ordering::Release);
        }
    }

    /// Takes the token that another process has got meanwhile, or gets one.
    async fn renew(&self, client: &Inner) -> Result<Token, IysError> {
        for _ in 0..LOOKS {
            let stored = client.store.load(&self.key).await.map_err(store_failed)?;
            let now = client.clock.now();
            let current = stored.token.clone().filter(|token| !self.is_rejected(token));
            if let Some(token) = current.clone().filter(|token| token.expires_at - now > RENEW_BELOW) {
                return Ok(self.keep(token));
            }
            let usable = current.filter(|token| token.expires_at - now > USABLE_ABOVE);
            if let Some(until) = stored.halted_until.filter(|until| *until > now) {
                // Not kept in the cache: it is too short-lived to pass the test there anyway.
                return usable.ok_or_else(|| held_back(Some("H084"), until - now));
            }
            let lease = client.login_lease;
            if client
                .store
                .try_begin_login(&self.key, &client.holder, now, lease)
                .await
                .map_err(store_failed)?
            {
                let outcome = self.renew_alone(client, usable).await;
                client.store.end_login(&self.key, &client.holder).await.map_err(store_failed)?;
                return outcome;
            }
            if let Some(token) = usable {
                return Ok(token);
            }
            client.clock.sleep(LOOK_AGAIN).await;
        }
        Err(held_back(None, TimeDelta::seconds(5)))
    }

    /// With the lease in hand: refreshes, or logs in. A token that still has some life is better than an error.
    async fn renew_alone(&self, client: &Inner, usable: Option<Token>) -> Result<Token, IysError> {
        // The former holder of the lease may have finished between our look at the store and the lease.
        let stored = client.store.load(&self.key).await.map_err(store_failed)?.token;
        let now = client.clock.now();
        if let Some(token) = &stored
            && token.expires_at - now > RENEW_BELOW
            && !self.is_rejected(token)
        {
            return Ok(self.keep(token.clone()));
        }
        match self.ask_for_token(client, stored).await {
            Ok(token) => {
                client.store.save(&self.key, &token).await.map_err(store_failed)?;
                Ok(self.keep(token))
            }
            Err(error) => {
                if matches!(&error, IysError::Throttled { code: Some(code), .. } if code == "H084") {
                    client.store.halt_until(client.clock.now() + SILENCE).await.map_err(store_failed)?;
                }
                usable.ok_or(error)
            }
        }
    }

    async fn ask_for_token(&self, client: &Inner, stored: Option<Token>) -> Result<Token, IysError> {
        let now = client.clock.now();
        let by_password = self.password_next.swap(false, Ordering::AcqRel);
        if let Some(token) =
            stored.filter(|token| !by_password && token.refresh_expires_at - now > USABLE_ABOVE)
        {
            match token_call(client, &TokenRequest::Refresh { refresh_token: token.refresh_token }).await {
                // Used up, revoked or unknown: the password still works.
                Err(IysError::CredentialsRefused { .. }) => {}
                outcome => return outcome,
            }
        }
        let Credentials { username, password } = self.credentials.clone();
        token_call(client, &TokenRequest::Password { username, password }).await
    }

    fn keep(&self, token: Token) -> Token {
        *self.cached.write().unwrap_or_else(PoisonError::into_inner) = Some(token.clone());
        token
    }

    fn cached_above(&self, now: DateTime<Utc>, life: TimeDelta) -> Option<Token> {
        let cached = self.cached.read().unwrap_or_else(PoisonError::into_inner);
        cached.clone().filter(|token| token.expires_at - now > life)
    }

    fn is_rejected(&self, token: &Token) -> bool {
        let rejected = self.rejected.read().unwrap_or_else(PoisonError::into_inner);
        rejected.as_ref().is_some_and(|rejected| same(rejected, &token.access_token))
    }
}

/// One call of the token endpoint, inside the client's own budget.
async fn token_call(client: &Inner, request: &TokenRequest) -> Result<Token, IysError> {
    let now = client.clock.now();
    client.budget.take(now).map_err(|wait| held_back(None, wait))?;
    let body = serde_json::to_vec(request).map_err(|error| IysError::Port {
        operation: Operation::Token,
        port: "token request",
        source: std::sync::Arc::new(error),
    })?;
    let call = Call::post(Operation::Token, vec!["oauth2".to_owned(), "token".to_owned()], body.into());
    let answer: TokenResponse = match client.exchange(&call, None).await {
        Ok(reply) => reply.parse()?,
        // The documents give 400 for every kind of refusal here; other clients have met 401.
        Err(IysError::Refused(refusal)) if matches!(refusal.status, 400 | 401) => {
            let word = refusal.code().unwrap_or("no code").to_owned();
            return Err(IysError::CredentialsRefused { status: refusal.status, word });
        }
        Err(error) => return Err(error),
    };
    // Lives are counted from before the call, so that a slow answer never makes a token look younger than it is.
    Ok(Token {
        access_token: answer.access_token,
        refresh_token: answer.refresh_token,
        expires_at: now + seconds(answer.expires_in),
        refresh_expires_at: now + seconds(answer.refresh_expires_in),
    })
}

/// How many token calls the client allows itself in an hour; the registry counts them per IP address.
#[derive(Debug)]
pub(crate) struct TokenBudget {
    per_hour: usize,
    calls: Mutex<VecDeque<DateTime<Utc>>>,
}

impl TokenBudget {
    pub fn new(per_hour: u32) -> Self {
        Self { per_hour: per_hour.max(1) as usize, calls: Mutex::new(VecDeque::new()) }
    }

    /// Notes a call, or says how long until the next one is allowed.
    fn take(&self, now: DateTime<Utc>) -> Result<(), TimeDelta> {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        while calls.front().is_some_and(|oldest| now - *oldest >= BUDGET_WINDOW) {
            calls.pop_front();
        }
        match calls.front() {
            Some(oldest) if calls.len() >= self.per_hour => Err(*oldest + BUDGET_WINDOW - now),
            _ => {
                calls.push_back(now);
                Ok(())
            }
        }
    }
}

fn same(one: &SecretString, other: &SecretString) -> bool {
    one.expose_secret() == other.expose_secret()
}

/// A life of a hundred years stands in for absurd numbers, which would overflow.
fn seconds(life: i64) -> TimeDelta {
    TimeDelta::seconds(life.clamp(0, 100 * 365 * 86_400))
}

fn held_back(code: Option<&str>, wait: TimeDelta) -> IysError {
    IysError::Throttled {
        operation: Operation::Token,
        code: code.map(ToOwned::to_owned),
        status: None,
        retry_after: wait.to_std().unwrap_or_default(),
    }
}

fn store_failed(source: BoxError) -> IysError {
    IysError::Port { operation: Operation::Token, port: "token store", source: source.into() }
}
