//! The simulator as a program holds it.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use axum::Router;
use chrono::Duration;
use rusqlite::Connection;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::control;
use crate::control::providers::{
    AuthorisationRequest, BrandRequest, PartnerRequest, ProviderRequest, apply_partner, put_provider,
};
use crate::error::{Error, Result};
use crate::http::faults::Faults;
use crate::http::limits::Limits;
use crate::http::peer::{BreakableListener, Peer};
use crate::http::stats::Stats;
use crate::http::success::SuccessRates;
use crate::http::{self, App};
use crate::links;
use crate::panel;
use crate::panel::session::Sessions;
use crate::push::{self, Poster};
use crate::registry::{Desk, Registry};
use crate::scenario::{self, Scenario};
use crate::settings::{Effective, Settings, SettingsCell};
use crate::store::accounts::{self, Family};
use crate::store::{facts, providers, schema};
use crate::tsa::Authority;

/// The number of the demo provider, and of its master brand.
const DEMO_IYS_CODE: i64 = 600_100;
/// The number of the demo partner.
const DEMO_INTEGRATOR_CODE: i64 = 900_001;

/// How a simulator is opened.
#[derive(Debug, Default)]
pub struct SandboxConfig {
    /// The data file; `None` keeps everything in memory. Its clock offset, settings, accounts and records
    /// are taken up again when it is opened anew.
    pub data: Option<PathBuf>,
    /// The bearer token of the control interface. Without one, the control interface answers only
    /// this machine, and only while the simulator listens on a loopback address.
    pub control_token: Option<SecretString>,
    /// What an empty registry begins with.
    pub seed: Seed,
    /// What it begins with instead. Opening fails when there is data already.
    pub scenario: Option<Scenario>,
}

/// What an empty registry begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Seed {
    /// Nothing: providers and partners are made through `/_sandbox/providers` and `/_sandbox/partners`.
    #[default]
    Empty,
    /// See [`Seed::demo`].
    Demo,
}

impl Seed {
    /// One provider (600100) with one master brand "Demo", and one partner (900001) that may write all
    /// three channels of it.
    pub fn demo() -> Self {
        Self::Demo
    }
}

/// What the demo seed made. The passwords are generated once and stored with the data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeedInfo {
    /// The provider's number.
    pub iys_code: i64,
    /// The number of its master brand.
    pub brand_code: i64,
    /// The partner's number.
    pub integrator_code: i64,
    /// The name of the partner's API user.
    pub username: String,
    /// The password of the partner's API user.
    pub password: String,
    /// The name of the provider's own API user.
    pub provider_username: String,
    /// The password of the provider's own API user.
    pub provider_password: String,
}

/// A simulator of the registry. Clones share everything.
#[derive(Debug, Clone)]
pub struct Sandbox {
    app: Arc<App>,
    seed: Option<SeedInfo>,
}

impl Sandbox {
    /// Opens the data and seeds it when it is empty.
    ///
    /// # Errors
    /// When the data file cannot be read or written, or was written by a newer version.
    pub fn open(config: SandboxConfig) -> Result<Self> {
        let connection = match &config.data {
            Some(path) => {
                make_private(path)?;
                Connection::open(path)?
            }
            None => Connection::open_in_memory()?,
        };
        schema::prepare(&connection)?;
        Authority::open(&connection)?;
        let clock = clock(&connection)?;
        let settings: Settings = facts::find(&connection, facts::SETTINGS)?.unwrap_or_default();
        let faults = Faults::default();
        let (settings, seed) = match (config.scenario, facts::find(&connection, facts::SEED)?) {
            (Some(scenario), _) => {
                let applied = scenario::apply(&connection, &clock, &settings, &scenario)?;
                for fault in applied.faults {
                    faults.add(fault);
                }
                (applied.settings, applied.seed)
            }
            (None, None) if config.seed == Seed::Demo && providers::list(&connection)?.is_empty() => {
                let seed = plant(&connection, &clock, &settings)?;
                (settings, Some(seed))
            }
            (None, stored) => (settings, stored),
        };
        let app = App {
            registry: Registry::new(connection, clock, SettingsCell::new(settings)),
            faults,
            limits: Limits::default(),
            stats: Stats::default(),
            success: SuccessRates::default(),
            sessions: Sessions::default(),
            poster: Poster::default(),
            control_token: config.control_token,
            bound: OnceLock::new(),
        };
        Ok(Self { app: Arc::new(app), seed })
    }

    /// What the seed made, at this opening or at the first one.
    pub fn seed_info(&self) -> Option<&SeedInfo> {
        self.seed.as_ref()
    }

    /// The registry's methods, its pages for people and the control interface. Behind a server other than
    /// [`Self::serve`] callers have no address and connections cannot be cut.
    pub fn router(&self) -> Router {
        http::router()
            .merge(links::router())
            .merge(control::router(Arc::clone(&self.app)))
            .merge(panel::router(Arc::clone(&self.app)))
            .fallback(http::unknown_path)
            .method_not_allowed_fallback(http::wrong_method)
            .with_state(Arc::clone(&self.app))
    }

    /// Serves until `shutdown` completes, and then finishes what is under way. Meanwhile batches that become
    /// due are processed, and movements delivered to push connections.
    ///
    /// # Errors
    /// When the socket fails.
    pub async fn serve(
        &self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> Result<()> {
        // The first address stays: a simulator that is served twice is as open as its first door.
        let _present = self.app.bound.set(listener.local_addr()?);
        let stop = CancellationToken::new();
        let listener = BreakableListener { listener, stop: stop.clone() };
        let service = self.router().into_make_service_with_connect_info::<Peer>();
        let ended = stop.clone();
        let server = axum::serve(listener, service).with_graceful_shutdown(async move {
            shutdown.await;
            stop.cancel();
        });
        let served = async {
            let served = server.await;
            ended.cancel();
            served
        };
        let registry = &self.app.registry;
        // All come to their end, so that nothing is under way any more when this returns.
        let (served, (), ()) = tokio::join!(
            served,
            whenever_due(registry, &registry.due, &ended, || process_due(registry)),
            whenever_due(registry, &registry.announced, &ended, || push::deliver(&self.app)),
        );
        Ok(served?)
    }

    /// How far the registry's clock is ahead of the system's.
    pub fn clock_offset(&self) -> Duration {
        self.app.registry.clock.offset()
    }

    /// Follows the clock: the receiver holds the present offset and changes with it.
    pub fn subscribe(&self) -> watch::Receiver<Duration> {
        self.app.registry.clock.subscribe()
    }
}

/// Makes the data file, when there is none, so that only its owner can read it: it holds the passwords of
/// the simulated accounts. SQLite gives the files beside it the same mode.
fn make_private(path: &Path) -> Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?;
    Ok(())
}

/// The clock as it was left. It never falls behind what was written under it.
fn clock(connection: &Connection) -> Result<Clock> {
    let stored: Option<i64> = facts::find(connection, facts::CLOCK_OFFSET)?;
    let offset = Duration::try_milliseconds(stored.unwrap_or_default())
        .ok_or(Error::Corrupt("facts.clock_offset_millis"))?;
    let clock = Clock::new(offset);
    let behind = facts::last_written(connection)? - clock.now().timestamp();
    if behind > 0 {
        let step = Duration::try_seconds(behind).ok_or(Error::Corrupt("movements.created_at"))?;
        clock.publish(offset + step);
    }
    Ok(clock)
}

/// Makes the demo provider and partner in one transaction.
fn plant(connection: &Connection, clock: &Clock, settings: &Settings) -> Result<SeedInfo> {
    let transaction = connection.unchecked_transaction()?;
    let settings = Effective::new(settings.clone());
    let desk = Desk::new(&transaction, clock.now_millis(), &settings);
    let integrator_code = apply_partner(
        &desk,
        PartnerRequest { integrator_code: Some(DEMO_INTEGRATOR_CODE), ..PartnerRequest::default() },
    )?;
    let rights = AuthorisationRequest {
        integrator_code,
        brand_code: DEMO_IYS_CODE,
        message: "write".to_owned(),
        call: "write".to_owned(),
        email: "write".to_owned(),
        agreement_control: true,
        via_control: false,
        remove: false,
    };
    let brand =
        BrandRequest { brand_code: DEMO_IYS_CODE, name: Some("Demo".to_owned()), ..BrandRequest::default() };
    let request = ProviderRequest {
        iys_code: Some(DEMO_IYS_CODE),
        title: Some("DEMO PERAKENDE TİCARET ANONİM ŞİRKETİ".to_owned()),
        brands: vec![brand],
        authorisations: vec![rights],
        ..ProviderRequest::default()
    };
    let iys_code = put_provider(&desk, request)?.map_err(|_| Error::Corrupt("the demo seed"))?;
    let user = |family, code| -> Result<accounts::Account> {
        accounts::list(&transaction, family, code)?.pop().ok_or(Error::Corrupt("accounts"))
    };
    let (partner, provider) = (user(Family::Partner, integrator_code)?, user(Family::Provider, iys_code)?);
    let info = SeedInfo {
        iys_code,
        brand_code: DEMO_IYS_CODE,
        integrator_code,
        username: partner.username,
        password: partner.password,
        provider_username: provider.username,
        provider_password: provider.password,
    };
    facts::put(&transaction, facts::SEED, &info)?;
    transaction.commit()?;
    Ok(info)
}

/// Does a kind of work as it becomes due, until `stop`. `work` says how long it takes until there is more;
/// `told` and the moving clock end the waiting.
async fn whenever_due<F>(registry: &Registry, told: &Notify, stop: &CancellationToken, work: impl Fn() -> F)
where
    F: Future<Output = Result<Option<std::time::Duration>>>,
{
    const RETRY: std::time::Duration = std::time::Duration::from_secs(1);
    let mut offsets = registry.clock.subscribe();
    while !stop.is_cancelled() {
        let wait = match work().await {
            Ok(wait) => wait,
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "work that was due failed");
                Some(RETRY)
            }
        };
        let changed = async {
            tokio::select! {
                // The sender lives as long as the registry, so this only ends with a change.
                _ = offsets.changed() => {}
                () = told.notified() => {}
                () = stop.cancelled() => {}
            }
        };
        match wait {
            None => changed.await,
            // Running out of time is what is waited for.
            Some(wait) => drop(tokio::time::timeout(wait, changed).await),
        }
    }
}

/// Processes the batches that are due, one at a time, so that requests come in between, and says how long
/// it takes until there is more; `None` when nothing waits.
async fn process_due(registry: &Registry) -> Result<Option<std::time::Duration>> {
    while registry.settle().await? {}
    let Some(due) = registry.next_due().await? else { return Ok(None) };
    let millis = due.saturating_mul(1000).saturating_sub(registry.clock.now_millis());
    Ok(Some(std::time::Duration::from_millis(u64::try_from(millis).unwrap_or_default())))
}
