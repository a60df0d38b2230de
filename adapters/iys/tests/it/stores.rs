//! Token stores: sharing between clients, leases, and stores that fail.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures::future::{BoxFuture, FutureExt, ready};
use iys::{
    AccountKey, BoxError, Clock, ErrorClass, IysError, MemoryTokenStore, SecretString, StoredToken, Token,
    TokenStore,
};

use crate::support::{BRAND, FakeClock, FakeRegistry, added, consent, credentials, refusal};
use crate::tokens::{add, bearers, oauth};

#[tokio::test]
async fn two_clients_share_a_token_through_their_store() {
    let registry = FakeRegistry::start().await;
    let clock = FakeClock::new();
    let store = Arc::new(MemoryTokenStore::default());
    let account =
        || registry.client(&clock).token_store(store.clone()).build().unwrap().account(credentials());
    let (one, two) = (account(), account());
    add(&registry, &one).await.unwrap();
    add(&registry, &two).await.unwrap();
    assert_eq!(registry.token_calls().len(), 1);

    registry.will(refusal(401, "H351"));
    add(&registry, &one).await.unwrap();
    registry.will(refusal(401, "H351"));
    add(&registry, &two).await.unwrap();
    assert_eq!(registry.token_calls().len(), 2, "the second finds the token that the first has renewed");

    clock.advance(TimeDelta::hours(3));
    registry.token_will(refusal(429, "H084"));
    assert!(add(&registry, &one).await.is_err());
    assert_eq!(add(&registry, &two).await.unwrap_err().code(), Some("H084"), "the silence is shared too");
    assert_eq!(registry.token_calls().len(), 3);
}

/// A store in which another process holds the lease, for some looks, and then has a token.
#[derive(Debug)]
struct Busy {
    clock: Arc<FakeClock>,
    until: DateTime<Utc>,
    ended: bool,
}

impl TokenStore for Busy {
    fn load<'a>(&'a self, _: &'a AccountKey) -> BoxFuture<'a, Result<StoredToken, BoxError>> {
        let ready_now = self.ended && self.clock.now() >= self.until;
        let token = ready_now.then(|| Token {
            access_token: "theirs".into(),
            refresh_token: "r".into(),
            expires_at: self.until + TimeDelta::hours(2),
            refresh_expires_at: self.until + TimeDelta::hours(4),
        });
        ready(Ok(StoredToken { token, ..StoredToken::default() })).boxed()
    }

    fn try_begin_login<'a>(
        &'a self,
        _: &'a AccountKey,
        _: &'a str,
        _: DateTime<Utc>,
        _: Duration,
    ) -> BoxFuture<'a, Result<bool, BoxError>> {
        ready(Ok(false)).boxed()
    }

    fn save<'a>(&'a self, _: &'a AccountKey, _: &'a Token) -> BoxFuture<'a, Result<(), BoxError>> {
        unreachable!("nothing is saved without the lease")
    }

    fn end_login<'a>(&'a self, _: &'a AccountKey, _: &'a str) -> BoxFuture<'a, Result<(), BoxError>> {
        unreachable!("there is no lease to end")
    }

    fn halt_until(&self, _: DateTime<Utc>) -> BoxFuture<'_, Result<(), BoxError>> {
        unreachable!("nothing was refused")
    }

    fn refuse<'a>(&'a self, _: &'a AccountKey, _: &'a SecretString) -> BoxFuture<'a, Result<(), BoxError>> {
        unreachable!("nothing was refused")
    }
}

#[tokio::test]
async fn while_another_process_logs_in_its_token_is_awaited() {
    let registry = FakeRegistry::start().await;
    let clock = FakeClock::new();
    let until = clock.now() + TimeDelta::seconds(2);
    let store = Arc::new(Busy { clock: clock.clone(), until, ended: true });
    let account = registry.client(&clock).token_store(store).build().unwrap().account(credentials());
    add(&registry, &account).await.unwrap();
    assert_eq!(bearers(&registry), ["theirs"]);
    assert!(registry.token_calls().is_empty());
}

#[tokio::test]
async fn another_process_that_never_finishes_is_not_awaited_for_ever() {
    let registry = FakeRegistry::start().await;
    let clock = FakeClock::new();
    let store = Arc::new(Busy { clock: clock.clone(), until: clock.now(), ended: false });
    let account = registry.client(&clock).token_store(store).build().unwrap().account(credentials());
    let started = clock.now();
    let error = add(&registry, &account).await.unwrap_err();
    assert!(matches!(error, IysError::Throttled { status: None, .. }), "{error:?}");
    assert!(clock.now() - started <= TimeDelta::seconds(11));
}

#[tokio::test]
async fn the_memory_store_keeps_leases_apart() {
    let store = MemoryTokenStore::default();
    let clock = FakeClock::new();
    let keys = Keys::default();
    let (key, now, lease) = (keys.one().await, clock.now(), Duration::from_mins(1));
    let begin = |holder: &'static str, now| store.try_begin_login(&key, holder, now, lease);
    assert!(begin("a", now).await.unwrap());
    assert!(!begin("b", now).await.unwrap(), "a has it");
    assert!(begin("a", now).await.unwrap(), "a may take it again");
    store.end_login(&key, "b").await.unwrap();
    assert!(!begin("b", now).await.unwrap(), "b cannot end a's lease");
    assert!(begin("b", now + TimeDelta::seconds(61)).await.unwrap(), "a's lease has expired");
    store.end_login(&key, "b").await.unwrap();
    assert!(begin("a", now).await.unwrap());

    store.halt_until(now + TimeDelta::minutes(60)).await.unwrap();
    store.halt_until(now + TimeDelta::minutes(5)).await.unwrap();
    assert_eq!(store.load(&key).await.unwrap().halted_until, Some(now + TimeDelta::minutes(60)));
}

/// Catches the key that a client hands to its store: only clients make keys.
#[derive(Debug, Default, Clone)]
struct Keys(Arc<std::sync::Mutex<Option<AccountKey>>>);

impl Keys {
    async fn one(&self) -> AccountKey {
        let registry = FakeRegistry::start().await;
        let client = registry.client(&FakeClock::new()).token_store(Arc::new(self.clone())).build().unwrap();
        let error = client.account(credentials()).login_check().await.unwrap_err();
        assert_eq!(error.class(), ErrorClass::NotSent, "a store that fails keeps the request at home");
        assert!(registry.token_calls().is_empty());
        self.0.lock().unwrap().take().unwrap()
    }
}

impl TokenStore for Keys {
    fn load<'a>(&'a self, key: &'a AccountKey) -> BoxFuture<'a, Result<StoredToken, BoxError>> {
        *self.0.lock().unwrap() = Some(key.clone());
        ready(Err("no database".into())).boxed()
    }

    fn try_begin_login<'a>(
        &'a self,
        _: &'a AccountKey,
        _: &'a str,
        _: DateTime<Utc>,
        _: Duration,
    ) -> BoxFuture<'a, Result<bool, BoxError>> {
        ready(Err("no database".into())).boxed()
    }

    fn save<'a>(&'a self, _: &'a AccountKey, _: &'a Token) -> BoxFuture<'a, Result<(), BoxError>> {
        ready(Err("no database".into())).boxed()
    }

    fn end_login<'a>(&'a self, _: &'a AccountKey, _: &'a str) -> BoxFuture<'a, Result<(), BoxError>> {
        ready(Err("no database".into())).boxed()
    }

    fn halt_until(&self, _: DateTime<Utc>) -> BoxFuture<'_, Result<(), BoxError>> {
        ready(Err("no database".into())).boxed()
    }

    fn refuse<'a>(&'a self, _: &'a AccountKey, _: &'a SecretString) -> BoxFuture<'a, Result<(), BoxError>> {
        ready(Err("no database".into())).boxed()
    }
}

#[tokio::test]
async fn a_key_names_user_and_registry_but_no_secret() {
    let key = Keys::default().one().await;
    assert!(key.as_str().starts_with("user@example.com http://127.0.0.1:"), "{key}");
    assert!(!key.as_str().contains("p4ssw0rd"));
}

/// A store that can be read but not written.
#[derive(Debug, Default)]
struct ReadOnly;

impl TokenStore for ReadOnly {
    fn load<'a>(&'a self, _: &'a AccountKey) -> BoxFuture<'a, Result<StoredToken, BoxError>> {
        ready(Ok(StoredToken::default())).boxed()
    }

    fn try_begin_login<'a>(
        &'a self,
        _: &'a AccountKey,
        _: &'a str,
        _: DateTime<Utc>,
        _: Duration,
    ) -> BoxFuture<'a, Result<bool, BoxError>> {
        ready(Ok(true)).boxed()
    }

    fn save<'a>(&'a self, _: &'a AccountKey, _: &'a Token) -> BoxFuture<'a, Result<(), BoxError>> {
        ready(Err("the disk is full".into())).boxed()
    }

    fn end_login<'a>(&'a self, _: &'a AccountKey, _: &'a str) -> BoxFuture<'a, Result<(), BoxError>> {
        ready(Err("the disk is full".into())).boxed()
    }

    fn halt_until(&self, _: DateTime<Utc>) -> BoxFuture<'_, Result<(), BoxError>> {
        ready(Err("the disk is full".into())).boxed()
    }

    fn refuse<'a>(&'a self, _: &'a AccountKey, _: &'a SecretString) -> BoxFuture<'a, Result<(), BoxError>> {
        ready(Err("the disk is full".into())).boxed()
    }
}

#[tokio::test]
async fn a_refusal_that_cannot_be_noted_is_remembered_for_a_quarter_of_an_hour() {
    let registry = FakeRegistry::start().await;
    let clock = FakeClock::new();
    let account =
        registry.client(&clock).token_store(Arc::new(ReadOnly)).build().unwrap().account(credentials());
    registry.token_will(oauth(400, "invalid_request"));
    for _ in 0..3 {
        assert_eq!(account.add_consent(BRAND, &consent()).await.unwrap_err().class(), ErrorClass::Config);
        clock.advance(TimeDelta::minutes(4));
    }
    assert_eq!(registry.token_calls().len(), 1);
    clock.advance(TimeDelta::minutes(4));
    add(&registry, &account).await.unwrap();
}

#[tokio::test]
async fn a_store_that_cannot_keep_a_token_does_not_lose_it() {
    let registry = FakeRegistry::start().await;
    let clock = FakeClock::new();
    let account =
        registry.client(&clock).token_store(Arc::new(ReadOnly)).build().unwrap().account(credentials());
    add(&registry, &account).await.unwrap();
    add(&registry, &account).await.unwrap();
    assert_eq!(registry.token_calls().len(), 1);

    clock.advance(TimeDelta::hours(5));
    registry.token_will(refusal(429, "H084"));
    for _ in 0..2 {
        registry.will(added());
        let error = account.add_consent(BRAND, &consent()).await.unwrap_err();
        assert_eq!(error.code(), Some("H084"), "the hour of silence is kept all the same");
        assert_eq!(account.login_check().await.unwrap_err().code(), Some("H084"));
    }
    assert_eq!(registry.token_calls().len(), 2);
}
