//! `kopru push`: receivers of the registry's pushes.

use std::process::ExitCode;

use clap::Subcommand;
use kopru_domain::{BrandCode, Channel, Text};
use uuid::Uuid;

use super::admin::{self, with_app};
use super::{Failure, Global, Output};
use crate::service::push;

const COLUMNS: [&str; 8] =
    ["id", "brandCode", "type", "state", "alive", "confirmedAt", "lastPushAt", "lastError"];

/// Arguments of `push`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Let the registry push what citizens decide; the service must be running and reachable at http.public_url
    Add {
        /// The brand
        #[arg(long, value_name = "BRAND_CODE")]
        brand: BrandCode,
        /// ARAMA, MESAJ or EPOSTA
        #[arg(long = "type", value_name = "TYPE")]
        channel: Channel,
    },
    /// List a brand's connections
    List {
        /// The brand
        #[arg(long, value_name = "BRAND_CODE")]
        brand: BrandCode,
    },
    /// Show one connection
    Show {
        /// Its identity
        #[arg(value_name = "ID")]
        id: Uuid,
        /// The brand
        #[arg(long, value_name = "BRAND_CODE")]
        brand: BrandCode,
    },
    /// Let the registry push no more
    Remove {
        /// Its identity
        #[arg(value_name = "ID")]
        id: Uuid,
        /// The brand
        #[arg(long, value_name = "BRAND_CODE")]
        brand: BrandCode,
    },
}

pub(super) fn run(global: &Global, args: &Args, output: Output) -> Result<ExitCode, Failure> {
    let caller = admin::caller(output.lang());
    with_app(global, async |app| match args.action {
        Action::Add { brand, channel } => {
            let added = push::add(app, &caller, brand, channel).await?;
            admin::show(output, &COLUMNS, &added)?;
            Ok(if added.state == "active" { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        Action::List { brand } => admin::show_all(output, &COLUMNS, &push::list(app, &caller, brand).await?),
        Action::Show { id, brand } => {
            admin::show(output, &COLUMNS, &push::get(app, &caller, brand, id).await?)
        }
        Action::Remove { id, brand } => {
            push::remove(app, &caller, brand, id).await?;
            push::registering::now(app, id).await?;
            let text = Text::fixed(
                "kaldırılıyor; `kopru push list` artık göstermezse kaldırıldı",
                "being removed; it is gone once `kopru push list` does not show it",
            );
            admin::done(output, "push.removed", id, &text)
        }
    })
}
