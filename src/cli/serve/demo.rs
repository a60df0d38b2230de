//! The demo of `serve --sandbox`: a provider, a brand, two keys and a webhook endpoint, the same after a restart.

use std::path::PathBuf;

use iys_sandbox::{Sandbox, SeedInfo};
use kopru_domain::{BrandCode, BrandPolicy, DailyAgreement, IysCode, Text};
use kopru_webhook::Secret;
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use uuid::Uuid;

use super::receiver;
use crate::bootstrap::App;
use crate::cli::{Failure, Output, admin};
use crate::config::files;
use crate::lifecycle::Lifecycle;
use crate::service::brands::{self, NewBrand};
use crate::service::endpoints::{self, NewEndpoint};
use crate::service::keys::{self, KeyText, NewKey};
use crate::service::providers::{self, NewProvider};
use crate::service::{Caller, Scope, ServiceError};

/// What the demo consists of.
#[derive(Debug)]
pub(super) struct Demo {
    /// The sandbox's provider, brand, partner and account.
    pub seed: SeedInfo,
    /// A key of the provider with every right but `admin`.
    pub api_key: String,
    /// A key that may do everything.
    pub admin_key: String,
    /// Where the demo's receiver listens.
    pub receiver: String,
}

/// What must not change over a restart, in a file of mode 0600.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Kept {
    api_key: String,
    admin_key: String,
    endpoint: Option<KeptEndpoint>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct KeptEndpoint {
    id: Uuid,
    secret: String,
    port: u16,
}

/// The sandbox's file was made without the demo.
pub(super) fn seedless() -> Failure {
    let message = Text::fixed(
        "sandbox.db dosyasında deneme verisi yok; dosyayı kaldırın, yeniden oluşturulur",
        "sandbox.db holds no demo; take the file away and it is made anew",
    );
    Failure::new("sandbox", message)
}

/// Makes what is missing of the demo and starts its receiver.
pub(super) async fn prepare(
    app: &App,
    sandbox: &Sandbox,
    outer: &Lifecycle,
    output: Output,
) -> Result<Demo, Failure> {
    let seed = sandbox.seed_info().ok_or_else(seedless)?.clone();
    let caller = admin::caller(output.lang());
    let provider = IysCode(seed.iys_code);
    add_provider(app, &caller, &seed).await?;
    let mut kept = read(app)?;
    let client: Vec<Scope> = Scope::ALL.into_iter().filter(|scope| *scope != Scope::Admin).collect();
    kept.api_key = key(app, &caller, kept.api_key, "demo", Some(provider), client).await?;
    kept.admin_key = key(app, &caller, kept.admin_key, "demo admin", None, Scope::ALL.to_vec()).await?;
    let (listener, endpoint) = endpoint(app, &caller, kept.endpoint, &seed).await?;
    kept.endpoint = Some(endpoint.clone());
    write(app, &kept)?;
    let receiver = super::local_url(&listener)?;
    serve(app, outer, listener, &endpoint, output)?;
    Ok(Demo { seed, api_key: kept.api_key, admin_key: kept.admin_key, receiver })
}

async fn add_provider(app: &App, caller: &Caller, seed: &SeedInfo) -> Result<(), Failure> {
    let iys_code = IysCode(seed.iys_code);
    let new = NewProvider {
        iys_code,
        title: "Demo Perakende Ticaret A.Ş.".to_owned(),
        credentials: None,
        tested_at: None,
    };
    unless_there(providers::add(app, caller, new, false).await.map(drop))?;
    let new = NewBrand {
        iys_code,
        brand_code: BrandCode(seed.brand_code),
        name: "Demo".to_owned(),
        policy: BrandPolicy::default(),
        allowed_sources: None,
        daily_agreement: DailyAgreement::Off,
    };
    unless_there(brands::add(app, caller, new).await.map(drop))
}

fn unless_there(outcome: Result<(), ServiceError>) -> Result<(), Failure> {
    match outcome {
        Ok(()) | Err(ServiceError::Taken(_) | ServiceError::Conflict(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// The key of the last run where the database still knows it, else a new one.
async fn key(
    app: &App,
    caller: &Caller,
    kept: String,
    name: &str,
    iys_code: Option<IysCode>,
    scopes: Vec<Scope>,
) -> Result<String, Failure> {
    if let Some(text) = KeyText::parse(&kept) {
        let row = keys::load(app, text.id).await?;
        if row.is_some_and(|row| row.disabled_at.is_none() && text.matches(&row.secret_hash)) {
            return Ok(kept);
        }
    }
    let new = NewKey { iys_code, name: name.to_owned(), scopes, ..NewKey::default() };
    Ok(keys::add(app, caller, new).await?.key)
}

/// The endpoint of the last run where the database still knows it and its port is free, else a new one.
async fn endpoint(
    app: &App,
    caller: &Caller,
    kept: Option<KeptEndpoint>,
    seed: &SeedInfo,
) -> Result<(TcpListener, KeptEndpoint), Failure> {
    if let Some(kept) = kept {
        let known = match endpoints::get(app, caller, kept.id).await {
            Ok(endpoint) => Some(endpoint),
            Err(ServiceError::NotFound(_)) => None,
            Err(error) => return Err(error.into()),
        };
        let listener = TcpListener::bind(("127.0.0.1", kept.port)).await.ok();
        match (known, listener) {
            (Some(endpoint), Some(listener)) => {
                if !endpoint.active {
                    endpoints::enable(app, caller, kept.id).await?;
                }
                return Ok((listener, kept));
            }
            (Some(_), None) => endpoints::disable(app, caller, kept.id).await?,
            (None, _) => {}
        }
    }
    let listener = super::bind(([127, 0, 0, 1], 0).into(), "the demo's receiver", "-").await?;
    let port = listener.local_addr().map(|address| address.port()).unwrap_or_default();
    let new = NewEndpoint {
        iys_code: Some(IysCode(seed.iys_code)),
        brand_code: None,
        url: format!("http://127.0.0.1:{port}/webhook"),
        description: "demo".to_owned(),
    };
    let issued = endpoints::add(app, caller, new).await?;
    Ok((listener, KeptEndpoint { id: issued.details.id, secret: issued.secret, port }))
}

fn serve(
    app: &App,
    outer: &Lifecycle,
    listener: TcpListener,
    endpoint: &KeptEndpoint,
    output: Output,
) -> Result<(), Failure> {
    let secret: Secret =
        endpoint.secret.parse().map_err(|error: kopru_webhook::KeyError| file(app).because(error))?;
    let router = receiver::router(secret, app.clocks.clone(), output);
    let stopping = outer.stopping();
    outer.spawn("demo receiver", async move {
        if let Err(error) = axum::serve(listener, router).with_graceful_shutdown(stopping).await {
            tracing::error!(error = &error as &dyn std::error::Error, "the demo's receiver ended");
        }
    });
    Ok(())
}

fn path(app: &App) -> PathBuf {
    app.config.data_dir.join("demo.json")
}

fn file(app: &App) -> Failure {
    let path = path(app);
    let message = Text::new(
        format!("{} kullanılamıyor; dosyayı kaldırın, yeniden oluşturulur", path.display()),
        format!("{} cannot be used; take it away and it is made anew", path.display()),
    );
    Failure::new("demo", message)
}

fn read(app: &App) -> Result<Kept, Failure> {
    match std::fs::read(path(app)) {
        Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| file(app).because(error)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Kept::default()),
        Err(error) => Err(file(app).because(error)),
    }
}

fn write(app: &App, kept: &Kept) -> Result<(), Failure> {
    let json = serde_json::to_vec_pretty(kept).map_err(|error| file(app).because(error))?;
    files::replace_private(&path(app), &json).map_err(|error| file(app).because(error))
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Duration;

    use iys_sandbox::{SandboxConfig, Seed};
    use kopru_domain::Lang;

    use super::*;
    use crate::clocks::Clocks;
    use crate::config::Config;

    /// One run of the program: what the demo was, and its endpoints.
    async fn run(data: &Path) -> (Kept, Vec<endpoints::Endpoint>) {
        let sandbox =
            Sandbox::open(SandboxConfig { seed: Seed::demo(), ..SandboxConfig::default() }).unwrap();
        let app = App::start(Config::for_tests(data), Clocks::default(), Lifecycle::new()).await.unwrap();
        let outer = Lifecycle::new();
        let demo = prepare(&app, &sandbox, &outer, Output::new(true, Lang::En)).await.unwrap();
        let kept = read(&app).unwrap();
        assert_eq!((&demo.api_key, &demo.admin_key), (&kept.api_key, &kept.admin_key));
        assert!(!files::is_open_to_others(&path(&app)).unwrap());
        let provider = Some(IysCode(demo.seed.iys_code));
        let caller = Caller::system("test");
        let endpoints = endpoints::list(&app, &caller, provider, None, 100).await.unwrap();
        outer.stop();
        assert!(outer.drained(Duration::from_secs(5)).await);
        admin::close(&app, Duration::from_secs(5)).await;
        (kept, endpoints)
    }

    #[tokio::test]
    async fn a_restart_finds_the_same_demo() {
        let dir = tempfile::tempdir().unwrap();
        let (first, _) = run(dir.path()).await;
        let (second, endpoints) = run(dir.path()).await;
        assert_eq!((first.api_key, first.admin_key), (second.api_key, second.admin_key));
        assert_eq!(endpoints.len(), 1);
        assert_eq!(endpoints[0].id, first.endpoint.unwrap().id);
    }

    #[tokio::test]
    async fn a_port_that_is_taken_meanwhile_costs_a_new_endpoint_and_no_event_goes_astray() {
        let dir = tempfile::tempdir().unwrap();
        let (first, _) = run(dir.path()).await;
        let old = first.endpoint.unwrap();
        let _stranger = TcpListener::bind(("127.0.0.1", old.port)).await.unwrap();
        let (second, endpoints) = run(dir.path()).await;
        assert_ne!(second.endpoint.unwrap().id, old.id);
        let active: Vec<_> = endpoints.iter().map(|endpoint| endpoint.active).collect();
        assert_eq!(active, [false, true]);
    }

    #[tokio::test]
    async fn a_database_that_was_taken_away_gets_new_keys() {
        let dir = tempfile::tempdir().unwrap();
        let (first, _) = run(dir.path()).await;
        for name in ["kopru.db", "kopru.db-wal", "kopru.db-shm"] {
            drop(std::fs::remove_file(dir.path().join(name)));
        }
        let (second, endpoints) = run(dir.path()).await;
        assert_ne!(first.api_key, second.api_key);
        assert_eq!(endpoints.len(), 1);
    }
}
