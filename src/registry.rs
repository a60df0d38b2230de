//! Our words ↔ the registry's words, and the one client of the registry that all work shares.

mod breaker;
mod budget;
mod clock;
mod line;
mod pace;
pub mod priority;
mod session;
pub mod words;

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use chrono::{DateTime, Utc};
use iys::{Account, BoxError, BrandCodes, Credentials, IysClient, IysError, Operation, Pacer};
use kopru_domain::governor::Pace;
use kopru_domain::{BrandCode, IysCode};
use kopru_store::{Db, StoreError, Tx, Vault, budgets, providers};
use serde::{Deserialize, Serialize};

use crate::clocks::Clocks;
use crate::config::Config;
use breaker::Breaker;
use budget::HourlyBudgets;
pub use budget::{Hourly, Left};

const CREDENTIALS: &str = "providers.credentials";

/// The registry. Cheap to clone.
#[derive(Clone)]
pub struct Registry {
    client: IysClient,
    pacer: Arc<dyn Pacer>,
    vault: Vault,
    partner: Option<Account>,
    integrator_code: Option<i64>,
    configured: bool,
    /// Accounts of providers by the sealed credentials they were made of.
    own: Arc<RwLock<HashMap<IysCode, OwnAccount>>>,
    breaker: Arc<Breaker>,
    hourly: HourlyBudgets,
    db: Db,
    clocks: Clocks,
    url: String,
}

/// The sealed credentials and the account that was made of them.
type OwnAccount = (Vec<u8>, Account);

/// Why the registry cannot be spoken to at all.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// Nothing says which registry, or how to log in.
    #[error(
        "no credentials for the registry: set registry.username and registry.password, or the provider's own"
    )]
    NoCredentials,
    /// Its answer.
    #[error(transparent)]
    Iys(#[from] IysError),
    /// The provider's credentials could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A provider's own registry user, as it is kept sealed.
#[derive(Serialize, Deserialize)]
pub struct OwnCredentials {
    /// Name.
    pub username: String,
    /// Password.
    pub password: String,
}

impl OwnCredentials {
    /// Seals credentials under the master key.
    pub fn seal(&self, vault: &Vault) -> Vec<u8> {
        vault.master().seal(CREDENTIALS, &serde_json::to_vec(self).unwrap_or_default())
    }
}

impl Registry {
    /// Builds the client with token and pace shared through the database.
    pub fn new(config: &Config, db: Db, vault: Vault, clocks: Clocks) -> anyhow::Result<Self> {
        let settings = &config.registry;
        let url =
            settings.url.as_ref().map_or_else(|| "http://127.0.0.1:9090".to_owned(), ToString::to_string);
        let clock = Arc::new(clock::RegistryClock(clocks.clone()));
        let hourly = HourlyBudgets::new(db.clone(), clocks.clone(), &url, settings);
        let pacer: Arc<dyn Pacer> = Arc::new(pace::DbPacer::new(
            db.clone(),
            clocks.clone(),
            hourly.clone(),
            &url,
            settings.requests_per_second,
        ));
        let client = IysClient::builder(&url)
            .timeout(settings.timeout)
            .user_agent(concat!("kopru/", env!("CARGO_PKG_VERSION")))
            .token_calls_per_hour(settings.token_calls_per_hour)
            .clock(clock)
            .pacer(pacer.clone())
            .token_store(Arc::new(session::DbTokenStore::new(db.clone(), vault.clone())))
            .build()?;
        let partner = match (&settings.username, &settings.password) {
            (Some(username), Some(password)) => {
                Some(client.account(Credentials::new(username.clone(), password.clone())))
            }
            _ => None,
        };
        Ok(Self {
            client,
            pacer,
            vault,
            partner,
            integrator_code: settings.integrator_code,
            configured: settings.url.is_some(),
            own: Arc::default(),
            breaker: Arc::new(Breaker::new(clocks.clone())),
            hourly,
            db,
            clocks,
            url,
        })
    }

    /// Whether there is a registry to file with.
    pub fn configured(&self) -> bool {
        self.configured
    }

    /// The partner's own number, when it is configured.
    pub fn integrator_code(&self) -> Option<i64> {
        self.integrator_code
    }

    /// The partner's account, when there is one.
    pub fn partner(&self) -> Option<&Account> {
        self.partner.as_ref()
    }

    /// The account that files for a provider: its own user, or the partner's. Changed credentials count at once, whichever
    /// process changed them.
    pub async fn account(&self, tx: &mut Tx, provider: IysCode) -> Result<Account, RegistryError> {
        let row = providers::find(tx, provider).await?;
        let own = match row.filter(|row| row.own_credentials).and_then(|row| row.credentials) {
            Some(sealed) => Some(self.own_account(provider, sealed)?),
            None => None,
        };
        own.or_else(|| self.partner.clone()).ok_or(RegistryError::NoCredentials)
    }

    fn own_account(&self, provider: IysCode, sealed: Vec<u8>) -> Result<Account, RegistryError> {
        let known = self.own.read().unwrap_or_else(PoisonError::into_inner).get(&provider).cloned();
        if let Some((_, account)) = known.filter(|(made_of, _)| *made_of == sealed) {
            return Ok(account);
        }
        let json = self.vault.master().open(CREDENTIALS, &sealed)?;
        let own: OwnCredentials = serde_json::from_slice(&json)
            .map_err(|_| StoreError::Corrupt { what: "providers", detail: "credentials".to_owned() })?;
        let account = self.client.account(Credentials::new(own.username, own.password));
        self.own.write().unwrap_or_else(PoisonError::into_inner).insert(provider, (sealed, account.clone()));
        Ok(account)
    }

    /// Forgets a provider's account, after its credentials changed.
    pub fn forget(&self, provider: IysCode) {
        self.own.write().unwrap_or_else(PoisonError::into_inner).remove(&provider);
    }

    /// Until when the registry is left alone because it does not answer (business time); `None` while it answers.
    pub fn silent_until(&self) -> Option<DateTime<Utc>> {
        self.breaker.silent_until()
    }

    /// What is left of an hourly limit. The client draws from it by itself, and a call beyond it fails with
    /// [`IysError::Throttled`] before it is sent; who has many questions looks first.
    pub async fn left(&self, tx: &mut Tx, hourly: Hourly) -> Result<Left, StoreError> {
        self.hourly.left(tx, hourly).await
    }

    /// What failures of the registry have left of the pace.
    pub async fn pace(&self) -> Result<Pace, StoreError> {
        let mut tx = self.db.read().await?;
        let pace = budgets::pace(&mut tx, &pace::name(&self.url)).await?;
        Ok(pace.at(self.clocks.business()))
    }

    /// Waits for a place in the budget, as every request of the client does by itself: for simulations, which send none.
    pub async fn place(&self, operation: Operation) -> Result<(), BoxError> {
        self.pacer.acquire(operation).await
    }

    /// Notes how a call ended: after failures of the registry itself it is left alone for a while, longer each time.
    pub fn note<T>(&self, result: &Result<T, IysError>) {
        self.breaker.note(result);
    }
}

/// A brand's place in the registry's paths.
pub fn codes(provider: IysCode, brand: BrandCode) -> BrandCodes {
    BrandCodes::new(provider.0, brand.0)
}
