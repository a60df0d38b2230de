//! `kopru serve`: the service itself.
//!
//! Everything that may be wrong with the surroundings (ports, the lock, keys) is found out before anything is started.
//! Shutdown goes from the outside in: no new requests, no new work, what is in hand is finished, then the sandbox stops,
//! which the last calls still needed.

mod banner;
pub(super) mod clock;
mod demo;
mod ground;
mod receiver;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::ValueEnum;
use iys_sandbox::{Sandbox, SandboxConfig, Seed};
use kopru_domain::Text;
use kopru_store::Db;
use metrics_exporter_prometheus::PrometheusHandle;
use secrecy::ExposeSecret as _;
use serde::Serialize;
use tokio::net::TcpListener;
use url::Url;

pub(super) use self::banner::warn_if_closed;
pub(super) use self::ground::{bind, file_lock, local_url, lock_of};
use super::sandbox::{load_scenario, signals, unusable};
use super::trial::{self, Note, Trial};
use super::{Failure, Global, Output, admin, block_on};
use crate::bootstrap::App;
use crate::clocks::Clocks;
use crate::config::Config;
use crate::lifecycle::Lifecycle;
use crate::{http, telemetry, worker};

/// Arguments of `serve`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// What this process does; on SQLite one process does everything
    #[arg(long, value_enum, default_value_t = Role::All)]
    role: Role,
    /// Try it out: with the registry's sandbox, a demo brand and a demo webhook receiver in this process
    #[arg(long)]
    sandbox: bool,
    /// What the sandbox begins with, instead of the demo: a TOML file, or one of small-shop, reseller, hostile-day
    #[arg(long, value_name = "FILE", requires = "sandbox")]
    scenario: Option<PathBuf>,
    /// Leave the database's schema as it is
    #[arg(long)]
    no_migrate: bool,
}

/// What a process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Role {
    /// The API and the workers
    All,
    /// The API
    Api,
    /// The workers
    Worker,
}

impl Role {
    fn has_api(self) -> bool {
        self != Self::Worker
    }

    fn has_workers(self) -> bool {
        self != Self::Api
    }
}

/// The doors, open before anything else is started, so that what stands in the way is found out first.
struct Doors {
    api: Option<TcpListener>,
    metrics: TcpListener,
}

impl Doors {
    async fn open(config: &Config, role: Role) -> Result<Self, Failure> {
        let api = if role.has_api() {
            Some(bind(config.http.listen, "http.listen", "KOPRU__HTTP__LISTEN").await?)
        } else {
            None
        };
        let metrics = bind(config.metrics.listen, "metrics.listen", "KOPRU__METRICS__LISTEN").await?;
        Ok(Self { api, metrics })
    }
}

/// The sandbox in this process.
struct InProcess {
    sandbox: Sandbox,
    url: String,
    /// Tells other commands of it.
    _note: Note,
    /// Held for as long as its data file is in use.
    _lock: File,
}

pub(super) fn run(global: &Global, args: Args, output: Output) -> Result<ExitCode, Failure> {
    // What the demo prints would drown in the workers' log lines.
    let mut config = if args.sandbox { global.load_quietly()? } else { global.load()? };
    config.database.migrate &= !args.no_migrate;
    admin::prepare(&config)?;
    let _lock = ground::lock(&config, args.role)?;
    let recorder = telemetry::init_metrics()?;
    block_on(serve(config, args, output, recorder))
}

async fn serve(
    mut config: Config,
    args: Args,
    output: Output,
    recorder: PrometheusHandle,
) -> Result<ExitCode, Failure> {
    let lifecycle = Lifecycle::new();
    lifecycle.listen_for_signals().map_err(signals)?;
    let doors = Doors::open(&config, args.role).await?;
    let api_url = doors.api.as_ref().map(local_url).transpose()?;
    let metrics_url = local_url(&doors.metrics)?;
    if args.sandbox && config.http.public_url.is_none() {
        // The sandbox in this process reaches us here; it takes plain http once `pushAllowHttp` is set.
        config.http.public_url = api_url.as_deref().and_then(|url| Url::parse(url).ok());
    }
    let clocks = Clocks::default();

    // The sandbox and the receiver outlive the workers, whose last calls go to them.
    let outer = Lifecycle::new();
    let in_process = if args.sandbox {
        Some(start_sandbox(&mut config, args.scenario.as_deref(), &clocks, &outer).await?)
    } else {
        None
    };
    if in_process.is_none() {
        clock::adopt(&config, &clocks).await?;
    }

    let stop_timeout = config.stop_timeout;
    Db::make_good(&config.database_url())?;
    let app = App::start(config, clocks, lifecycle.clone()).await?;
    app.db.serve().await?;
    match &in_process {
        Some(it) => clock::follow_in_process(&app, it.sandbox.subscribe()),
        None => clock::follow(&app)?,
    }
    let greeting = banner::Addresses { api: api_url, metrics: metrics_url, role: args.role };
    match &in_process {
        Some(it) => {
            let demo = demo::prepare(&app, &it.sandbox, &outer, output).await?;
            banner::demo(output, &app, &greeting, &it.url, &demo)?;
        }
        None => banner::plain(output, &app, &greeting)?,
    }
    start_work(&app, args.role, doors, recorder);

    tokio::select! {
        () = app.lifecycle.stopping() => {}
        () = app.db.broken() => {}
    }
    let drained = admin::close(&app, stop_timeout).await;
    outer.stop();
    outer.drained(Duration::from_secs(3)).await;
    if !drained {
        tracing::warn!("some work was cut off; it is taken up again when its lease has run out");
    }
    // Also while it stopped.
    if app.db.is_broken() { Err(disk_failed()) } else { Ok(ExitCode::SUCCESS) }
}

/// Nothing can be written any more; who watches over the program starts it again, and then all that was acknowledged is there.
fn disk_failed() -> Failure {
    Failure::new(
        "disk",
        Text::fixed(
            "veritabanı diske yazılamadı, bu yüzden program durdu; diski ve günlüğü denetleyip yeniden başlatın (onaylanmış hiçbir kayıt kaybolmadı)",
            "the database could not be brought to the disk, so the program has stopped; check the disk and the log, and start it again (nothing acknowledged is lost)",
        ),
    )
}

/// Starts the workers and opens the doors to callers.
fn start_work(app: &App, role: Role, doors: Doors, recorder: PrometheusHandle) {
    if role.has_workers() {
        worker::spawn(app);
    }
    if let Some(listener) = doors.api {
        let app = app.clone();
        app.lifecycle.clone().spawn("api", async move {
            if let Err(error) = http::serve(app.clone(), listener).await {
                tracing::error!(error = &error as &dyn std::error::Error, "the API ended; stopping");
                app.lifecycle.stop();
            }
        });
    }
    let stopping = app.lifecycle.stopping();
    let router = http::metrics_router(recorder.clone());
    app.lifecycle.spawn("metrics", async move {
        if let Err(error) = axum::serve(doors.metrics, router).with_graceful_shutdown(stopping).await {
            tracing::error!(error = &error as &dyn std::error::Error, "metrics are served no more");
        }
    });
    let stopping = app.lifecycle.stopping();
    app.lifecycle.spawn("metrics upkeep", async move {
        let mut ticks = tokio::time::interval(Duration::from_secs(5));
        tokio::pin!(stopping);
        loop {
            tokio::select! {
                () = &mut stopping => return,
                _ = ticks.tick() => recorder.run_upkeep(),
            }
        }
    });
}

/// Starts the registry's sandbox in this process and points the settings at it.
async fn start_sandbox(
    config: &mut Config,
    scenario: Option<&Path>,
    clocks: &Clocks,
    outer: &Lifecycle,
) -> Result<InProcess, Failure> {
    if config.registry.url.is_some() {
        let message = Text::fixed(
            "--sandbox kendi deneme ortamını getirir; registry.url ayarını kaldırın ya da --sandbox yazmayın",
            "--sandbox brings its own registry; take registry.url out of the settings, or leave --sandbox out",
        );
        return Err(Failure::new("sandbox", message));
    }
    let scenario = scenario.map(load_scenario).transpose()?;
    let listener = bind(config.sandbox.listen, "sandbox.listen", "KOPRU__SANDBOX__LISTEN").await?;
    let url = local_url(&listener)?;
    let data = trial::data(config);
    let lock = file_lock(&data)?;
    let sandbox = Sandbox::open(SandboxConfig {
        data: Some(data),
        control_token: config.sandbox.token.clone(),
        seed: Seed::demo(),
        scenario,
    })
    .map_err(unusable)?;
    let seed = sandbox.seed_info().ok_or_else(demo::seedless)?;
    let trial = Trial {
        sandbox: url.clone(),
        username: seed.username.clone(),
        password: seed.password.clone(),
        integrator_code: seed.integrator_code,
        token: config.sandbox.token.as_ref().map(|token| token.expose_secret().to_owned()),
        public_url: config.http.public_url.as_ref().map(ToString::to_string),
    };
    trial.apply(config);
    clocks.set_offset(sandbox.clock_offset());

    let (served, stopping) = (sandbox.clone(), outer.stopping());
    outer.spawn("sandbox", async move {
        if let Err(error) = served.serve(listener, stopping).await {
            tracing::error!(error = &error as &dyn std::error::Error, "the sandbox ended");
        }
    });
    Ok(InProcess { sandbox, url, _note: trial.announce(config)?, _lock: lock })
}

/// The bearer token of a control interface, where there is one, as an argument of curl.
fn control_header(config: &Config) -> String {
    let token = config.sandbox.token.as_ref();
    token.map(|token| format!(" -H 'Authorization: Bearer {}'", token.expose_secret())).unwrap_or_default()
}
