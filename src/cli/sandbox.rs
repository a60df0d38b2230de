//! `kopru sandbox`: the registry sandbox alone.

use std::error::Error as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use iys_sandbox::{Sandbox, SandboxConfig, Scenario, ScenarioError, Seed, SeedInfo};
use kopru_domain::{Lang, Text};
use serde_json::json;

use super::output::{DIM, STRONG, paint};
use super::serve::{bind, file_lock, local_url, warn_if_closed};
use super::{Failure, Global, Output, admin, block_on};
use crate::lifecycle::Lifecycle;

/// Arguments of `sandbox`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Where it listens [default: sandbox.listen of the settings]
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
    /// Its data file; `:memory:` keeps nothing [default: sandbox.db in the data folder]
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
    /// What it begins with, instead of the demo: a TOML file, or one of small-shop, reseller, hostile-day
    #[arg(long, value_name = "FILE")]
    scenario: Option<PathBuf>,
}

pub(super) fn run(global: &Global, args: Args, output: Output) -> Result<ExitCode, Failure> {
    let config = global.load()?;
    let scenario = args.scenario.as_deref().map(load_scenario).transpose()?;
    let data = match args.data {
        Some(path) if path.as_os_str() == ":memory:" => None,
        Some(path) => Some(path),
        None => {
            admin::prepare(&config)?;
            Some(config.data_dir.join("sandbox.db"))
        }
    };
    // Two simulators on one file would each count limits and idempotency for themselves.
    let _lock = data.as_deref().map(file_lock).transpose()?;
    let listen = args.listen.unwrap_or(config.sandbox.listen);
    let token = config.sandbox.token.is_some();
    block_on(async {
        let lifecycle = Lifecycle::new();
        lifecycle.listen_for_signals().map_err(signals)?;
        let listener = bind(listen, "sandbox.listen", "KOPRU__SANDBOX__LISTEN").await?;
        let url = local_url(&listener)?;
        let sandbox = Sandbox::open(SandboxConfig {
            data,
            control_token: config.sandbox.token,
            seed: Seed::demo(),
            scenario,
        })
        .map_err(unusable)?;
        greet(output, &url, sandbox.seed_info())?;
        if !output.is_json() {
            warn_if_closed(output, listen, token)?;
        }
        sandbox.serve(listener, lifecycle.stopping()).await.map_err(unusable)?;
        Ok(ExitCode::SUCCESS)
    })
}

/// Reads a scenario.
pub(super) fn load_scenario(path: &Path) -> Result<Scenario, Failure> {
    Scenario::load(path).map_err(|error| unusable_scenario(&error))
}

fn unusable_scenario(error: &ScenarioError) -> Failure {
    let message = Text::new(error.turkish(), error.to_string());
    let failure = Failure::new("scenario", message);
    // What is told by the text itself is not told again.
    match error.source() {
        Some(source) => failure.because(source.to_string()),
        None => failure,
    }
}

/// The sandbox's data file or its socket failed, or the scenario does not fit.
pub(super) fn unusable(error: iys_sandbox::Error) -> Failure {
    if let iys_sandbox::Error::Scenario(error) = error {
        return unusable_scenario(&error);
    }
    let message = Text::fixed("deneme ortamı çalıştırılamadı", "the sandbox cannot run");
    Failure::new("sandbox", message).because(error)
}

/// The program cannot hear that it is to stop.
pub(super) fn signals(error: std::io::Error) -> Failure {
    Failure::new("signals", Text::fixed("sinyaller dinlenemiyor", "signals cannot be listened for"))
        .because(error)
}

fn greet(output: Output, url: &str, seed: Option<&SeedInfo>) -> Result<(), Failure> {
    if output.is_json() {
        return output.object(&json!({
            "sandbox": url,
            "iysCode": seed.map(|it| it.iys_code),
            "brandCode": seed.map(|it| it.brand_code),
            "integratorCode": seed.map(|it| it.integrator_code),
            "registryUsername": seed.map(|it| &it.username),
            "registryPassword": seed.map(|it| &it.password),
        }));
    }
    let tr = output.lang() == Lang::Tr;
    output.line(format!(
        "{} {url}",
        paint(STRONG, if tr { "İYS deneme ortamı" } else { "registry sandbox " })
    ))?;
    let (citizen, provider) = if tr { ("vatandaş", "hizmet sağlayıcı") } else { ("citizen", "provider") };
    output.line(paint(DIM, format!("{citizen} {url}/vatandas  {provider} {url}/hizmet-saglayici")))?;
    let Some(seed) = seed else { return Ok(()) };
    let provider = format!(
        "iysCode {}  brandCode {}  integratorCode {}",
        seed.iys_code, seed.brand_code, seed.integrator_code
    );
    output.line(paint(DIM, provider))?;
    let hint = if tr { "Köprü'yü bununla çalıştırmak için:" } else { "To run Köprü with it:" };
    output.line(format!(
        "\n{hint}\nKOPRU__REGISTRY__URL={url} KOPRU__REGISTRY__SANDBOX_CLOCK=true KOPRU__REGISTRY__USERNAME={} \
         KOPRU__REGISTRY__PASSWORD={} KOPRU__REGISTRY__INTEGRATOR_CODE={} kopru serve",
        seed.username, seed.password, seed.integrator_code
    ))
}
