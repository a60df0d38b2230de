//! `kopru retailer`: retailers of a brand, and which consents they may use.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;
use iys::wire::RetailerRequest;
use kopru_domain::{BrandCode, Channel, RecipientType, RetailerCode, Text};
use kopru_store::Priority;
use serde::Serialize;

use super::admin::{self, with_app};
use super::{Failure, Global, Output};
use crate::bootstrap::App;
use crate::service::Caller;
use crate::service::brands::{self, KnownBrand};
use crate::service::retailers::{self, Access, Change, Retailer};

const COLUMNS: [&str; 6] = ["retailerCode", "title", "status", "alias", "name", "retailerAccessCount"];
/// Retailers of one page; the registry has at most 3 000 a brand.
const PAGE: i64 = 1_000;

/// Arguments of `retailer`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make a retailer at the registry, from a JSON object with the fields of POST …/retailers
    Add {
        #[command(flatten)]
        of: Of,
        /// A file with the object, or - for standard input: persons' numbers are no arguments
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// List a brand's retailers
    List {
        #[command(flatten)]
        of: Of,
        /// Read them from the registry first
        #[arg(long)]
        refresh: bool,
    },
    /// Show one retailer as the registry has it now
    Show {
        #[command(flatten)]
        of: Of,
        /// Its number at the registry
        #[arg(value_name = "RETAILER_CODE")]
        retailer_code: i64,
    },
    /// Delete a retailer to which no consent refers
    Delete {
        #[command(flatten)]
        of: Of,
        /// Its number at the registry
        #[arg(value_name = "RETAILER_CODE")]
        retailer_code: i64,
    },
    /// Let retailers use consents, besides those that may
    Grant(Changing),
    /// Let these retailers use consents and no others
    Replace(Changing),
    /// Take consents away from retailers, or from all
    Revoke(Changing),
    /// Tell which retailers may use a consent
    Access {
        #[command(flatten)]
        consents: Consents,
        /// The consent's address
        #[arg(value_name = "RECIPIENT")]
        recipient: String,
    },
}

#[derive(Debug, clap::Args)]
struct Of {
    /// The brand's number at the registry
    #[arg(long, value_name = "BRAND_CODE")]
    brand: BrandCode,
}

#[derive(Debug, clap::Args)]
struct Consents {
    #[command(flatten)]
    of: Of,
    /// The channel: ARAMA, MESAJ or EPOSTA
    #[arg(long = "type", value_name = "TYPE")]
    channel: Channel,
    /// In which capacity the address was recorded: BIREYSEL or TACIR
    #[arg(long, value_name = "KIND", default_value = "BIREYSEL")]
    recipient_type: RecipientType,
}

#[derive(Debug, clap::Args)]
struct Changing {
    #[command(flatten)]
    consents: Consents,
    /// Numbers of retailers, separated by commas
    #[arg(long, value_name = "CODES", value_delimiter = ',')]
    retailers: Vec<i64>,
    /// The consents' addresses
    #[arg(value_name = "RECIPIENT", required = true)]
    recipients: Vec<String>,
}

pub(super) fn run(global: &Global, args: Args, output: Output) -> Result<ExitCode, Failure> {
    let caller = admin::caller(output.lang());
    with_app(global, async |app| match args.action {
        Action::Add { of, file } => add(app, &caller, output, &of, &file).await,
        Action::List { of, refresh } => {
            let brand = find(app, &caller, &of).await?;
            let all = list(app, &caller, &brand, refresh).await?;
            admin::show_all(output, &COLUMNS, &all)
        }
        Action::Show { of, retailer_code } => {
            let brand = find(app, &caller, &of).await?;
            let code = RetailerCode(retailer_code);
            admin::show(output, &COLUMNS, &retailers::get(app, &caller, &brand.row, code).await?)
        }
        Action::Delete { of, retailer_code } => {
            let brand = find(app, &caller, &of).await?;
            retailers::delete(app, &caller, &brand.row, RetailerCode(retailer_code)).await?;
            admin::done(output, "retailer.deleted", retailer_code, &Text::fixed("silindi", "deleted"))
        }
        Action::Grant(changing) => change(app, &caller, output, Change::Grant, changing).await,
        Action::Replace(changing) => change(app, &caller, output, Change::Replace, changing).await,
        Action::Revoke(changing) => change(app, &caller, output, Change::Revoke, changing).await,
        Action::Access { consents: Consents { of, channel, recipient_type }, recipient } => {
            let brand = find(app, &caller, &of).await?;
            let all =
                retailers::of_consent(app, &caller, &brand.row, &recipient, recipient_type, channel).await?;
            admin::show_all(output, &COLUMNS, &all)
        }
    })
}

async fn find(app: &App, caller: &Caller, of: &Of) -> Result<KnownBrand, Failure> {
    Ok(brands::find(app, caller, of.brand).await?)
}

async fn add(
    app: &App,
    caller: &Caller,
    output: Output,
    of: &Of,
    file: &std::path::Path,
) -> Result<ExitCode, Failure> {
    let unreadable = || {
        Failure::new("retailer", Text::fixed("bayi dosyası okunamadı", "the retailer's file cannot be read"))
    };
    let text = admin::read_file(file).map_err(|error| unreadable().because(error))?;
    let new: RetailerRequest = serde_json::from_str(&text).map_err(|error| unreadable().because(error))?;
    let brand = find(app, caller, of).await?;
    let code = retailers::file(app, caller, &brand.row, &new).await?;
    let mut tx = app.db.begin(Priority::Interactive).await?;
    let retailer = retailers::record(&mut tx, app, caller, &brand.row, code, new).await?;
    tx.commit().await?;
    admin::show(output, &COLUMNS, &retailer)
}

async fn list(
    app: &App,
    caller: &Caller,
    brand: &KnownBrand,
    refresh: bool,
) -> Result<Vec<Retailer>, Failure> {
    let mut all: Vec<Retailer> = Vec::new();
    loop {
        let after = RetailerCode(all.last().map_or(0, |last| last.retailer_code));
        let fresh = refresh && all.is_empty();
        let page = retailers::list(app, caller, &brand.row, after, PAGE, fresh).await?;
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page);
    }
}

/// What became of a change.
#[derive(Serialize)]
struct Outcome {
    done: usize,
    refused: Vec<Refused>,
}

#[derive(Serialize)]
struct Refused {
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<usize>,
    field: String,
    code: String,
    title: String,
}

async fn change(
    app: &App,
    caller: &Caller,
    output: Output,
    change: Change,
    changing: Changing,
) -> Result<ExitCode, Failure> {
    let Changing { consents: Consents { of, channel, recipient_type }, retailers, recipients } = changing;
    let brand = find(app, caller, &of).await?;
    let access = Access { recipients, recipient_type, channel, retailers };
    let report = retailers::change(app, caller, &brand.row, change, access).await?;
    let refused = report.refused.into_iter().map(|problem| Refused {
        index: problem.index,
        title: problem.title.get(output.lang()).to_owned(),
        field: problem.field,
        code: problem.code,
    });
    let outcome = Outcome { done: report.done, refused: refused.collect() };
    let all = outcome.refused.is_empty();
    admin::show(output, &["done"], &outcome)?;
    Ok(if all { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
