//! `kopru endpoint`: webhook endpoints of clients.

use std::process::ExitCode;

use chrono::{DateTime, Utc};
use clap::Subcommand;
use kopru_domain::{BrandCode, IysCode, Lang, Text};
use uuid::Uuid;

use super::admin::{self, with_app};
use super::output::{STRONG, WARN, paint};
use super::{Failure, Global, Output};
use crate::service::endpoints::{self, Endpoint, NewEndpoint};

const COLUMNS: [&str; 6] = ["id", "iysCode", "brandCode", "url", "active", "failingSince"];
/// Endpoints asked for at once.
const PAGE: i64 = 100;

/// Arguments of `endpoint`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Add an endpoint; its signing secret is shown once
    Add(Add),
    /// List a provider's endpoints
    List {
        /// The provider's number at the registry
        #[arg(long, value_name = "IYS_CODE")]
        provider: IysCode,
    },
    /// Show one endpoint, without its secret
    Show {
        /// Its identity
        #[arg(value_name = "ID")]
        id: Uuid,
    },
    /// Send one signed call now and tell what came back
    Test {
        /// Its identity
        #[arg(value_name = "ID")]
        id: Uuid,
    },
    /// Stop deliveries; what waits stays until the endpoint is enabled again
    Disable {
        /// Its identity
        #[arg(value_name = "ID")]
        id: Uuid,
    },
    /// Deliver past events once more, marked as replayed
    Replay {
        /// Its identity
        #[arg(value_name = "ID")]
        id: Uuid,
        /// From when on: 2026-11-20, "2026-11-20 10:00:00" (Turkey time) or 2026-11-20T10:00:00+03:00
        #[arg(long, value_name = "INSTANT", value_parser = since)]
        since: DateTime<Utc>,
    },
    /// Start deliveries again
    Enable {
        /// Its identity
        #[arg(value_name = "ID")]
        id: Uuid,
    },
}

#[derive(Debug, clap::Args)]
struct Add {
    /// Where events go
    #[arg(value_name = "URL")]
    url: String,
    /// The provider whose events it gets
    #[arg(long, value_name = "IYS_CODE")]
    provider: IysCode,
    /// Only this brand's events
    #[arg(long, value_name = "BRAND_CODE")]
    brand: Option<BrandCode>,
    /// What it is for
    #[arg(long, default_value = "")]
    description: String,
}

fn since(text: &str) -> Result<DateTime<Utc>, &'static str> {
    endpoints::parse_since(text).ok_or("write a day (2026-11-20) or an instant (2026-11-20T10:00:00+03:00)")
}

pub(super) fn run(global: &Global, args: Args, output: Output) -> Result<ExitCode, Failure> {
    let caller = admin::caller(output.lang());
    with_app(global, async |app| match args.action {
        Action::Add(add) => {
            let new = NewEndpoint {
                iys_code: Some(add.provider),
                brand_code: add.brand,
                url: add.url,
                description: add.description,
            };
            let issued = endpoints::add(app, &caller, new).await?;
            if output.is_json() {
                return admin::show(output, &COLUMNS, &issued);
            }
            admin::show(output, &COLUMNS, &issued.details)?;
            output.line(format!("\n{}", paint(STRONG, &issued.secret)))?;
            let note = match output.lang() {
                Lang::Tr => "İmza sırrını şimdi saklayın: bir daha gösterilmez.",
                Lang::En => "Keep the signing secret now: it is not shown again.",
            };
            output.line(paint(WARN, note))?;
            Ok(ExitCode::SUCCESS)
        }
        Action::List { provider } => {
            let mut all: Vec<Endpoint> = Vec::new();
            loop {
                let after = all.last().map(|last| last.id);
                let page = endpoints::list(app, &caller, Some(provider), after, PAGE).await?;
                if page.is_empty() {
                    break;
                }
                all.extend(page);
            }
            admin::show_all(output, &COLUMNS, &all)
        }
        Action::Show { id } => admin::show(output, &COLUMNS, &endpoints::get(app, &caller, id).await?),
        Action::Test { id } => {
            let result = endpoints::test(app, &caller, id).await?;
            admin::show(output, &["delivered", "status"], &result)?;
            Ok(if result.delivered { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        Action::Disable { id } => {
            endpoints::disable(app, &caller, id).await?;
            admin::done(output, "endpoint.disabled", id, &Text::fixed("kapatıldı", "disabled"))
        }
        Action::Replay { id, since } => {
            let replay = endpoints::replay(app, &caller, id, since).await?;
            admin::show(output, &["endpointId", "since", "fromSequence", "toSequence"], &replay)
        }
        Action::Enable { id } => admin::show(output, &COLUMNS, &endpoints::enable(app, &caller, id).await?),
    })
}
