//! Getting and keeping a valid token for one account (registry-protocol 1.2 and 1.3).
//!
//! The rules, in order of importance: never call the token endpoint during the hour of silence; never call it twice
//! for one need (one caller acts, the others share what comes out, failures included); never repeat a wrong password;
//! refresh before logging in; use a token until it really ends when no better one can be had.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use secrecy::{ExposeSecret, SecretString};

use crate::client::Inner;
use crate::error::classify;
use crate::transport::Call;
use crate::wire::{TokenRequest, TokenResponse};
use crate::{
    AccountKey, BoxError, Credentials, ErrorClass, IysError, Operation, Refusal, StoredToken, Token,
};

/// A token with less life than this is renewed before use.
const RENEW_BELOW: TimeDelta = TimeDelta::seconds(300);
/// A token with less life than this is not used at all: the request must still arrive.
const USABLE_ABOVE: TimeDelta = TimeDelta::seconds(5);
/// The silence after H084; each attempt inside it starts the hour anew.
const SILENCE: TimeDelta = TimeDelta::minutes(60);
/// How long a refused password is not tried again where the store could not note it.
const REFUSED_FOR: TimeDelta = TimeDelta::minutes(15);
/// Stands in the place of the registry's word when a password is not tried because it was refused before.
const REFUSED_BEFORE: &str = "refused_before";
/// A token that the registry refuses is renewed for that reason at most this often: if a fresh one is refused too,
/// tokens are not what is wrong.
const FORCED_EVERY: TimeDelta = TimeDelta::minutes(5);
/// The window of the token budget.
const BUDGET_WINDOW: TimeDelta = TimeDelta::hours(1);
/// How often and how many times to look for the token that another process is getting.
const LOOK_AGAIN: Duration = Duration::from_millis(250);
const LOOKS: u32 = 40;

/// One account of a client: its credentials, its token, and the gate that only one caller passes at a time.
pub(crate) struct Login {
    key: AccountKey,
    username: String,
    password: Mutex<SecretString>,
    state: Mutex<State>,
    gate: tokio::sync::Mutex<Gate>,
}

/// What callers look at without waiting.
#[derive(Default)]
struct State {
    cached: Option<Token>,
    /// The last access token that the registry refused; not to be used again even where a store still has it.
    rejected: Option<SecretString>,
    /// When a refused token last caused a renewal.
    forced_at: Option<DateTime<Utc>>,
    /// The renewed token was refused too: the next renewal uses the password, not the refresh token.
    password_next: bool,
}

/// What only the caller inside the gate looks at: the last failure, for as long as it keeps others from trying.
#[derive(Default)]
struct Gate {
    held: Option<(DateTime<Utc>, IysError)>,
    failures: u32,
}

impl fmt::Debug for Login {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.debug_struct("Login").field("username", &self.username).finish_non_exhaustive()
    }
}

impl Login {
    pub fn new(key: AccountKey, credentials: Credentials) -> Self {
        let Credentials { username, password } = credentials;
        Self {
            key,
            username,
            password: Mutex::new(password),
            state: Mutex::default(),
            gate: tokio::sync::Mutex::default(),
        }
    }

    pub fn key(&self) -> &AccountKey {
        &self.key
    }

    pub fn has_password(&self, password: &SecretString) -> bool {
        same(&self.password(), password)
    }

    /// Takes another password from now on, the token that there is as long as it lives.
    pub fn set_password(&self, password: SecretString) {
        *self.password.lock().unwrap_or_else(PoisonError::into_inner) = password;
    }

    fn password(&self) -> SecretString {
        self.password.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A token that can be used now.
    pub async fn token(&self, client: &Inner) -> Result<Token, IysError> {
        if let Some(token) = self.cached_above(client.clock.now(), RENEW_BELOW) {
            return Ok(token);
        }
        let mut gate = self.gate.lock().await;
        match self.cached_above(client.clock.now(), RENEW_BELOW) {
            Some(token) => Ok(token),
            None => self.renew(client, &mut gate, false).await,
        }
    }

    /// As [`token`](Self::token), but tries at once, whatever failed before, because somebody asks for it. The hour of
    /// silence stays.
    pub async fn token_anew(&self, client: &Inner) -> Result<Token, IysError> {
        let mut gate = self.gate.lock().await;
        gate.forget_failure();
        match self.cached_above(client.clock.now(), RENEW_BELOW) {
            Some(token) => Ok(token),
            None => self.renew(client, &mut gate, true).await,
        }
    }

    /// Logs in by the password, whatever token there is, and keeps the new one.
    pub async fn log_in(&self, client: &Inner) -> Result<Token, IysError> {
        let mut gate = self.gate.lock().await;
        gate.forget_failure();
        let now = client.clock.now();
        let stored = client.store.load(&self.key).await.map_err(store_failed)?;
        if let Some(failure) = gate.held_back(now).or_else(|| silence(&stored, now)) {
            return Err(failure);
        }
        let password = self.password();
        match self.ask_by_password(client, password.clone()).await {
            Ok(token) => Ok(self.take(client, &mut gate, token).await),
            Err(failure) => Err(self.fail(client, &mut gate, failure, &password).await),
        }
    }

    /// The registry has refused this token. Answers whether it is worth asking for another one and sending again.
    pub fn reject(&self, token: &Token, now: DateTime<Utc>) -> bool {
        let mut state = self.lock();
        let is_latest = match (&state.cached, &state.rejected) {
            (Some(cached), _) => same(&cached.access_token, &token.access_token),
            (None, Some(rejected)) => !same(rejected, &token.access_token),
            (None, None) => true,
        };
        if !is_latest {
            return true;
        }
        if state.forced_at.is_some_and(|forced_at| now - forced_at < FORCED_EVERY) {
            state.password_next = true;
            return false;
        }
        state.forced_at = Some(now);
        state.cached = None;
        state.rejected = Some(token.access_token.clone());
        true
    }

    /// Takes the token that another process has got meanwhile, or gets one.
    async fn renew(&self, client: &Inner, gate: &mut Gate, asked: bool) -> Result<Token, IysError> {
        for _ in 0..LOOKS {
            let stored = client.store.load(&self.key).await.map_err(store_failed)?;
            let now = client.clock.now();
            let best = self.best_of(&stored);
            if let Some(token) = best.clone().filter(|token| token.expires_at - now > RENEW_BELOW) {
                return Ok(self.keep(token));
            }
            let usable = best.filter(|token| token.expires_at - now > USABLE_ABOVE);
            let refused = || self.refused(&stored).filter(|_| !asked);
            if let Some(failure) = gate.held_back(now).or_else(|| silence(&stored, now)).or_else(refused) {
                return usable.map(|token| self.keep(token)).ok_or(failure);
            }
            let lease = client.login_lease;
            if client
                .store
                .try_begin_login(&self.key, &client.holder, now, lease)
                .await
                .map_err(store_failed)?
            {
                let outcome = self.renew_alone(client, gate, usable).await;
                if let Err(error) = client.store.end_login(&self.key, &client.holder).await {
                    tracing::warn!(%error, "the token store did not take the login lease back; it will expire");
                }
                return outcome;
            }
            if let Some(token) = usable {
                return Ok(self.keep(token));
            }
            client.clock.sleep(LOOK_AGAIN).await;
        }
        Err(held_back(None, TimeDelta::seconds(5)))
    }

    /// With the lease in hand: refreshes, or logs in. A token that still has some life is better than an error.
    async fn renew_alone(
        &self,
        client: &Inner,
        gate: &mut Gate,
        usable: Option<Token>,
    ) -> Result<Token, IysError> {
        // The former holder of the lease may have finished between our look at the store and the lease.
        let stored = client.store.load(&self.key).await.map_err(store_failed)?;
        let now = client.clock.now();
        if let Some(token) = self.best_of(&stored).filter(|token| token.expires_at - now > RENEW_BELOW) {
            return Ok(self.keep(token));
        }
        let password = self.password();
        match self.ask_for_token(client, stored.token, password.clone()).await {
            Ok(token) => Ok(self.take(client, gate, token).await),
            Err(failure) => {
                let failure = self.fail(client, gate, failure, &password).await;
                usable.map(|token| self.keep(token)).ok_or(failure)
            }
        }
    }

    /// Keeps a new token, here and for the others.
    async fn take(&self, client: &Inner, gate: &mut Gate, token: Token) -> Token {
        *gate = Gate::default();
        if let Err(error) = client.store.save(&self.key, &token).await {
            // Without the new refresh token the others will have to log in by password; nothing worse.
            tracing::warn!(%error, "the token store did not keep the new token");
        }
        self.keep(token)
    }

    /// Notes a failure, so that nobody tries again too early.
    async fn fail(
        &self,
        client: &Inner,
        gate: &mut Gate,
        failure: IysError,
        password: &SecretString,
    ) -> IysError {
        let now = client.clock.now();
        let noted = match &failure {
            IysError::CredentialsRefused { .. } => {
                let noted = client.store.refuse(&self.key, password).await;
                if noted.is_ok() {
                    // The store knows, and also when it is over.
                    return failure;
                }
                noted
            }
            other if other.code() == Some("H084") => client.store.halt_until(now + SILENCE).await,
            _ => Ok(()),
        };
        gate.hold(&failure, now);
        if let Err(error) = noted {
            tracing::error!(%error, "the token store did not note a refusal");
        }
        failure
    }

    /// The failure that stands for a password that was refused before.
    fn refused(&self, stored: &StoredToken) -> Option<IysError> {
        let refused = stored.refused.as_ref()?;
        self.has_password(refused)
            .then(|| IysError::CredentialsRefused { status: 400, word: REFUSED_BEFORE.to_owned() })
    }

    async fn ask_for_token(
        &self,
        client: &Inner,
        stored: Option<Token>,
        password: SecretString,
    ) -> Result<Token, IysError> {
        let now = client.clock.now();
        let by_password = std::mem::take(&mut self.lock().password_next);
        if let Some(token) =
            stored.filter(|token| !by_password && token.refresh_expires_at - now > USABLE_ABOVE)
        {
            match token_call(client, &TokenRequest::Refresh { refresh_token: token.refresh_token }).await {
                // Used up, revoked or unknown: the password still works.
                Err(IysError::CredentialsRefused { .. }) => {}
                outcome => return outcome,
            }
        }
        self.ask_by_password(client, password).await
    }

    async fn ask_by_password(&self, client: &Inner, password: SecretString) -> Result<Token, IysError> {
        let username = self.username.clone();
        token_call(client, &TokenRequest::Password { username, password }).await
    }

    fn keep(&self, token: Token) -> Token {
        self.lock().cached = Some(token.clone());
        token
    }

    fn cached_above(&self, now: DateTime<Utc>, life: TimeDelta) -> Option<Token> {
        self.lock().cached.clone().filter(|token| token.expires_at - now > life)
    }

    /// The longer-lived of the store's token and our own (which the store may have failed to keep), unless refused.
    fn best_of(&self, stored: &StoredToken) -> Option<Token> {
        let state = self.lock();
        let refused = |token: &&Token| {
            state.rejected.as_ref().is_some_and(|rejected| same(rejected, &token.access_token))
        };
        let candidates = [stored.token.as_ref(), state.cached.as_ref()];
        candidates
            .into_iter()
            .flatten()
            .filter(|token| !refused(token))
            .max_by_key(|token| token.expires_at)
            .cloned()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Gate {
    /// Lets the next caller try, unless the registry itself has asked for silence.
    fn forget_failure(&mut self) {
        if self.held.as_ref().is_some_and(|(_, failure)| failure.code() != Some("H084")) {
            *self = Self::default();
        }
    }

    /// Keeps everybody from trying again for a time that fits the failure.
    fn hold(&mut self, failure: &IysError, now: DateTime<Utc>) {
        self.failures = self.failures.saturating_add(1);
        let doubled = |first: i64, longest: i64| {
            let factor = 1_i64 << (self.failures - 1).min(20);
            TimeDelta::seconds((first * factor).min(longest))
        };
        let pause = match failure {
            IysError::CredentialsRefused { .. } => REFUSED_FOR,
            IysError::Throttled { code: Some(code), .. } if code == "H084" => SILENCE,
            // Our own budget answers without a call; it needs no memory.
            IysError::Throttled { status: None, .. } | IysError::Port { .. } => return,
            IysError::Throttled { retry_after, .. } => TimeDelta::from_std(*retry_after).unwrap_or(SILENCE),
            IysError::Unreachable { .. } => doubled(2, 60),
            // These calls may have counted: ten of them must last for most of an hour.
            _ => doubled(5, 600),
        };
        self.held = Some((now + pause, failure.clone()));
    }

    /// The failure that still keeps callers from trying; a wait is told as what is left of it.
    fn held_back(&self, now: DateTime<Utc>) -> Option<IysError> {
        let (until, failure) = self.held.as_ref().filter(|(until, _)| *until > now)?;
        Some(match failure {
            IysError::Throttled { code, .. } => held_back(code.as_deref(), *until - now),
            other => other.clone(),
        })
    }
}

fn silence(stored: &StoredToken, now: DateTime<Utc>) -> Option<IysError> {
    let until = stored.halted_until.filter(|until| *until > now)?;
    Some(held_back(Some("H084"), until - now))
}

/// The documents give 400 for every kind of refusal of a login; other clients have met 401. H123 (busy) is a 400 as well and says
/// nothing about the password.
fn is_of_credentials(refusal: &Refusal) -> bool {
    let class = classify(Operation::Token, refusal.status, refusal.code());
    matches!(refusal.status, 400 | 401) && !matches!(class, ErrorClass::Retry | ErrorClass::Wait { .. })
}

/// One call of the token endpoint, inside the client's own budget.
async fn token_call(client: &Inner, request: &TokenRequest) -> Result<Token, IysError> {
    let now = client.clock.now();
    client.budget.take(now).map_err(|wait| held_back(None, wait))?;
    let body = serde_json::to_vec(request).map_err(|error| IysError::Port {
        operation: Operation::Token,
        port: "token request",
        source: Arc::new(error),
    })?;
    let call = Call::post(Operation::Token, vec!["oauth2".to_owned(), "token".to_owned()], body.into());
    let answer: TokenResponse = match client.exchange(&call, None).await {
        Ok(reply) => reply.parse()?,
        Err(IysError::Refused(refusal)) if is_of_credentials(&refusal) => {
            let word = refusal.code().unwrap_or("no code").to_owned();
            return Err(IysError::CredentialsRefused { status: refusal.status, word });
        }
        Err(error) => {
            if matches!(error, IysError::Unreachable { .. } | IysError::Port { .. }) {
                client.budget.give_back();
            }
            return Err(error);
        }
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

    /// The call noted last did not reach the registry.
    fn give_back(&self) {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).pop_back();
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
