//! The bridge in this process, over a database of its own.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use kopru::bootstrap::App;
use kopru::clocks::Clocks;
use kopru::config::Config;
use kopru::http;
use kopru::lifecycle::Lifecycle;
use kopru::service::brands::NewBrand;
use kopru::service::intake::{self, IntakeItem, IntakeRequest};
use kopru::service::keys::NewKey;
use kopru::service::providers::NewProvider;
use kopru::service::standing::Stops;
use kopru::service::{Caller, Scope, brands, keys, providers};
use kopru_domain::{BrandCode, BrandPolicy, DailyAgreement, IysCode, Lang};
use kopru_store::brands::BrandRow;
use kopru_store::{Dialect, heads};
use tokio::net::TcpListener;

use crate::database::Database;

/// Provider and brand of all benchmarks; those of the sandbox's demo seed.
const IYS_CODE: IysCode = IysCode(600_100);
const BRAND_CODE: BrandCode = BrandCode(600_100);

/// The running program.
pub struct Bridge {
    /// Its parts.
    pub app: App,
    /// The brand that everything is for.
    pub brand: BrandRow,
}

/// Settings for a database: without workers, registry and rate limit.
pub fn config(database: &Database) -> Config {
    let mut config = Config::for_tests(database.folder());
    config.database.url = Some(database.url.clone());
    config.http.requests_per_second_per_key = 0;
    if database.dialect == Dialect::Postgres {
        config.security.master_key = Some("5a".repeat(32).into());
    }
    config
}

impl Bridge {
    /// Starts; over an empty database it makes provider and brand.
    pub async fn start(config: Config) -> Result<Self> {
        let app = App::start(config, Clocks::default(), Lifecycle::new()).await?;
        app.db.serve().await?;
        if let Some(known) = brands::load(&app, BRAND_CODE).await? {
            return Ok(Self { app, brand: known.row });
        }
        let caller = Caller::system("bench");
        let provider = NewProvider {
            iys_code: IYS_CODE,
            title: "Bench A.Ş.".to_owned(),
            credentials: None,
            tested_at: None,
        };
        providers::add(&app, &caller, provider, false).await?;
        let brand = NewBrand {
            iys_code: IYS_CODE,
            brand_code: BRAND_CODE,
            name: "Bench".to_owned(),
            policy: BrandPolicy::default(),
            allowed_sources: None,
            daily_agreement: DailyAgreement::Off,
        };
        brands::add(&app, &caller, brand).await?;
        let known = brands::load(&app, BRAND_CODE).await?.context("the brand was just made")?;
        Ok(Self { app, brand: known.row })
    }

    /// Opens the real HTTP door.
    pub async fn serve(&self) -> Result<SocketAddr> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let app = self.app.clone();
        self.app.lifecycle.spawn("api", async move { http::serve(app, listener).await });
        Ok(address)
    }

    /// A key that may write consents.
    pub async fn key(&self) -> Result<String> {
        let new =
            NewKey { name: "bench".to_owned(), scopes: vec![Scope::ConsentsWrite], ..NewKey::default() };
        Ok(keys::add(&self.app, &Caller::system("bench"), new).await?.key)
    }

    /// The path that consents are posted to.
    pub fn path(&self) -> String {
        format!("/v1/brands/{}/consents", self.brand.brand_code.0)
    }

    /// Takes a chunk in, in process; returns how many consents that were.
    pub async fn take(&self, items: Vec<IntakeItem>) -> Result<usize> {
        take(&self.app, &self.brand, items).await
    }

    /// Rows in the ledger.
    pub async fn ledger(&self) -> Result<u64> {
        let mut tx = self.app.db.read().await?;
        Ok(u64::try_from(heads::get(&mut tx, self.brand.iys_code).await?.ledger_seq)?)
    }

    /// Transactions that intake has committed so far: it wakes the workers once after each.
    pub fn commits(&self) -> u64 {
        *self.app.wake.subscribe().borrow()
    }

    /// Stops it and lets go of the database.
    pub async fn stop(self) {
        self.app.lifecycle.stop();
        self.app.lifecycle.drained(Duration::from_secs(10)).await;
        self.app.db.close().await;
    }
}

/// Takes a chunk in, in process; every consent must be accepted.
pub async fn take(app: &App, brand: &BrandRow, items: Vec<IntakeItem>) -> Result<usize> {
    let sent = items.len();
    let request = IntakeRequest {
        brand: brand.clone(),
        stops: Stops::default(),
        notices: None,
        door: "api",
        items,
        idempotency: None,
        lang: Lang::En,
    };
    let answer = intake::submit(app, request).await?;
    ensure!(answer.accepted.len() == sent, "refused: {:?}", answer.refused.first());
    Ok(sent)
}
