//! Our words ↔ the registry's words, and the one client of the registry that all work shares.

mod breaker;
mod budget;
mod clock;
mod governor;
mod line;
mod pace;
mod password;
pub mod priority;
mod session;
mod success;
pub mod words;

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use chrono::{DateTime, Utc};
use iys::{Account, BoxError, BrandCodes, Credentials, Ended, IysClient, IysError, Operation, Pacer as _};
use kopru_domain::governor::{CallClass, Pace};
use kopru_domain::{BrandCode, IysCode};
use kopru_store::{Db, StoreError, Tx, Vault, providers, sessions};
use serde::{Deserialize, Serialize};

use crate::clocks::Clocks;
use crate::config::Config;
use breaker::Breaker;
use budget::HourlyBudgets;
pub use budget::{Hourly, Left};
use governor::Governor;
use pace::DbPace;
use password::PartnerPassword;
pub use success::Standing;
use success::Success;

const CREDENTIALS: &str = "providers.credentials";

/// The registry. Cheap to clone.
#[derive(Clone)]
pub struct Registry {
    client: IysClient,
    vault: Vault,
    partner: Option<Account>,
    partner_password: PartnerPassword,
    integrator_code: Option<i64>,
    configured: bool,
    /// Accounts of providers by the sealed credentials they were made of.
    own: Arc<RwLock<HashMap<IysCode, OwnAccount>>>,
    governor: Governor,
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
    pub fn new(config: &Config, db: Db, vault: Vault, clocks: &Clocks) -> anyhow::Result<Self> {
        let settings = &config.registry;
        let url =
            settings.url.as_ref().map_or_else(|| "http://127.0.0.1:9090".to_owned(), ToString::to_string);
        let clock = Arc::new(clock::RegistryClock(clocks.clone()));
        let governor = Governor {
            breaker: Breaker::new(db.clone(), clocks.clone(), &url, settings.timeout),
            hourly: HourlyBudgets::new(db.clone(), clocks.clone(), &url, settings),
            pace: DbPace::new(db.clone(), clocks.clone(), &url, settings.requests_per_second),
            success: Success::new(db.clone(), clocks.clone(), &url, settings),
        };
        let client = IysClient::builder(url)
            .timeout(settings.timeout)
            .user_agent(concat!("kopru/", env!("CARGO_PKG_VERSION")))
            .token_calls_per_hour(settings.token_calls_per_hour)
            .clock(clock)
            .pacer(Arc::new(governor.clone()))
            .token_store(Arc::new(session::DbTokenStore::new(db, vault.clone())))
            .build()?;
        let partner = match (&settings.username, &settings.password) {
            (Some(username), Some(password)) => {
                Some(client.account(Credentials::new(username.clone(), password.clone())))
            }
            _ => None,
        };
        Ok(Self {
            client,
            vault,
            partner,
            partner_password: PartnerPassword::new(settings, clocks.clone()),
            integrator_code: settings.integrator_code,
            configured: settings.url.is_some(),
            own: Arc::default(),
            governor,
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
        self.follow_password();
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
        let own = self.open(&sealed)?;
        let account = self.client.account(Credentials::new(own.username, own.password));
        self.own.write().unwrap_or_else(PoisonError::into_inner).insert(provider, (sealed, account.clone()));
        Ok(account)
    }

    /// Takes the partner's password anew where its file holds another.
    fn follow_password(&self) {
        if let (Some(partner), Some(password)) = (&self.partner, self.partner_password.changed()) {
            tracing::info!("the partner's password file has changed: the next login uses it");
            partner.set_password(password);
        }
    }

    /// Tries a provider's own registry user, whatever became of it before: logs in with it and reads the provider's brands,
    /// which is open to its own users alone. Changes nothing there.
    pub async fn try_out(&self, provider: IysCode, own: &OwnCredentials) -> Result<(), IysError> {
        let account = self.client.account(Credentials::new(own.username.clone(), own.password.clone()));
        let trial = async {
            account.log_in().await?;
            account.brands(provider.0).await.map(drop)
        };
        priority::run(CallClass::Person, trial).await
    }

    /// Tries the partner's account, whatever became of it before.
    pub async fn try_partner(&self) -> Result<(), RegistryError> {
        self.follow_password();
        let partner = self.partner.as_ref().ok_or(RegistryError::NoCredentials)?;
        priority::run(CallClass::Person, partner.login_check()).await?;
        Ok(())
    }

    /// Drops the session of a user that a provider has used until now, unless the new one is the same.
    pub async fn drop_session(
        &self,
        tx: &mut Tx,
        provider: IysCode,
        old: &[u8],
        new: Option<&OwnCredentials>,
    ) -> Result<(), RegistryError> {
        let own = self.open(old)?;
        if new.is_none_or(|new| new.username != own.username) {
            let account = self.client.account(Credentials::new(own.username, own.password));
            sessions::forget(tx, account.key().as_str()).await?;
        }
        self.own.write().unwrap_or_else(PoisonError::into_inner).remove(&provider);
        Ok(())
    }

    /// The users that log in today and whose password the registry has refused. What it once refused of a user that no setting
    /// and no provider names any more holds nothing up.
    pub async fn refused(&self, tx: &mut Tx) -> Result<Vec<String>, RegistryError> {
        let refused = sessions::refused(tx).await?;
        if refused.is_empty() {
            return Ok(Vec::new());
        }
        let mut used: Vec<String> = self.partner.iter().map(|account| account.key().to_string()).collect();
        let mut after = IysCode(0);
        loop {
            let page = providers::list(tx, after).await?;
            let Some(last) = page.last() else { break };
            after = last.iys_code;
            for row in page.into_iter().filter(|row| row.active && row.own_credentials) {
                if let Some(sealed) = row.credentials {
                    used.push(self.own_account(row.iys_code, sealed)?.key().to_string());
                }
            }
        }
        let refused = refused.into_iter().filter(|account| used.contains(account));
        Ok(refused.filter_map(|account| Some(account.split(' ').next()?.to_owned())).collect())
    }

    fn open(&self, sealed: &[u8]) -> Result<OwnCredentials, RegistryError> {
        let json = self.vault.master().open(CREDENTIALS, sealed)?;
        Ok(serde_json::from_slice(&json)
            .map_err(|_| StoreError::Corrupt { what: "providers", detail: "credentials".to_owned() })?)
    }

    /// Whether work that asks the registry may be claimed now: there is a registry, and it answers or has to be tried.
    pub async fn is_open(&self) -> Result<bool, StoreError> {
        Ok(self.configured && self.silent_until().await?.is_none())
    }

    /// Until when the registry is left alone because it does not answer (business time); `None` while it answers, and when a
    /// request has to try whether it is back.
    pub async fn silent_until(&self) -> Result<Option<DateTime<Utc>>, StoreError> {
        self.governor.breaker.silent_until().await
    }

    /// What is left of an hourly limit. The client draws from it by itself, and a call beyond it fails with
    /// [`IysError::Throttled`] before it is sent; who has many questions looks first.
    pub async fn left(&self, tx: &mut Tx, hourly: Hourly) -> Result<Left, StoreError> {
        self.governor.hourly.left(tx, hourly).await
    }

    /// What failures of the registry have left of the pace.
    pub async fn pace(&self) -> Result<Pace, StoreError> {
        self.governor.pace.present().await
    }

    /// How requests fared, and what is held back for it; at most a minute old.
    pub async fn standing(&self) -> Result<Standing, StoreError> {
        self.governor.success.standing().await
    }

    /// Waits for a place in the budget, as every request of the client does by itself: for simulations, which send none.
    pub async fn place(&self, operation: Operation) -> Result<(), BoxError> {
        self.governor.acquire(operation).await
    }

    /// Tells the governor how a request has ended, as the client does by itself: for the same simulations.
    pub async fn ended(&self, ended: Ended<'_>) {
        self.governor.ended(ended).await;
    }
}

/// A brand's place in the registry's paths.
pub fn codes(provider: IysCode, brand: BrandCode) -> BrandCodes {
    BrandCodes::new(provider.0, brand.0)
}
