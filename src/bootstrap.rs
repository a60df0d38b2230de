//! The composition root: builds everything once and hands it down.

use std::ops::Deref;
use std::sync::{Arc, Weak};

use anyhow::Context as _;
use kopru_domain::BusinessCalendar;
use kopru_store::wake::Wake;
use kopru_store::{Db, PoolSizes, Priority, Vault, calendars};

use crate::clocks::Clocks;
use crate::config::Config;
use crate::lifecycle::Lifecycle;
use crate::registry::Registry;
use crate::service::intake::Intake;
use crate::service::messages::Couriers;
use crate::service::reconciliation::Rhythm;
use crate::worker::Pulse;

/// The running program. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// What everything is made of.
pub struct Parts {
    /// Settings.
    pub config: Config,
    /// The database.
    pub db: Db,
    /// The providers' data keys.
    pub vault: Vault,
    /// Business and wire time.
    pub clocks: Clocks,
    /// Wakes workers and waiting readers.
    pub wake: Wake,
    /// The holiday table in force.
    pub calendar: Arc<BusinessCalendar>,
    /// The writer behind all doors.
    pub intake: Intake,
    /// The registry.
    pub registry: Registry,
    /// What is remembered of brands' uses and of what pulls ask for.
    pub rhythm: Rhythm,
    /// Sends webhooks.
    pub webhooks: kopru_webhook::Sender,
    /// Carry messages.
    pub couriers: Couriers,
    /// Tasks and shutdown.
    pub lifecycle: Lifecycle,
    /// Whether the workers of this process live.
    pub pulse: Pulse,
}

/// The program, without keeping it alive.
#[derive(Clone)]
pub struct WeakApp(Weak<Parts>);

impl WeakApp {
    /// The program, while it runs.
    pub fn upgrade(&self) -> Option<App> {
        self.0.upgrade().map(App)
    }
}

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl App {
    /// For tasks that must end when the program does.
    pub fn downgrade(&self) -> WeakApp {
        WeakApp(Arc::downgrade(&self.0))
    }

    /// Opens the database, brings its schema up to date unless told not to, checks the master key and starts the intake writer.
    pub async fn start(config: Config, clocks: Clocks, lifecycle: Lifecycle) -> anyhow::Result<Self> {
        let url = config.database_url();
        let db = Db::connect(&url, PoolSizes { connections: config.database.connections })
            .await
            .context("the database cannot be opened; check database.url")?;
        if config.database.migrate {
            db.migrate().await.context("the schema could not be brought up to date; see `kopru migrate`")?;
        }
        let vault = open_vault(&config, &db, &clocks).await?;
        let calendar = calendar(&db).await?;
        let wake = Wake::default();
        let registry = Registry::new(&config, db.clone(), vault.clone(), &clocks)?;
        let webhooks = kopru_webhook::Sender::builder()
            .policy(crate::service::endpoints::target_policy(&config))
            .idle_connections_per_host(config.webhooks.at_once())
            .build()
            .context("the webhook sender cannot be built")?;
        let couriers = Couriers::new(&config)?;
        let (intake, writer) = Intake::new();
        let app = Self(Arc::new(Parts {
            config,
            db,
            vault,
            clocks,
            wake,
            calendar,
            intake,
            registry,
            rhythm: Rhythm::default(),
            webhooks,
            couriers,
            lifecycle,
            pulse: Pulse::default(),
        }));
        writer.start(&app);
        Ok(app)
    }
}

async fn open_vault(config: &Config, db: &Db, clocks: &Clocks) -> anyhow::Result<Vault> {
    let mut tx = db.begin(Priority::Interactive).await?;
    let existing =
        Vault::master_key_id(&mut tx).await.context("the database has no schema; run `kopru migrate`")?;
    let vault = Vault::new(crate::config::master_key(config, existing)?);
    vault.check(&mut tx, clocks.wire()).await?;
    tx.commit().await?;
    Ok(vault)
}

async fn calendar(db: &Db) -> anyhow::Result<Arc<BusinessCalendar>> {
    let mut tx = db.read().await?;
    Ok(Arc::new(match calendars::active(&mut tx).await? {
        Some((version, csv)) => BusinessCalendar::from_csv(&csv, &version)
            .with_context(|| format!("the calendar {version} in the database cannot be read"))?,
        None => BusinessCalendar::builtin().clone(),
    }))
}
