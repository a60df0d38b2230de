//! `kopru opt-in`: double opt-ins of the brands. They are started where the person is: by a form, or over the API.

use std::process::ExitCode;

use clap::Subcommand;
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use kopru_domain::BrandCode;
use kopru_domain::opt_in::OptInState;
use uuid::Uuid;

use super::admin::{self, with_app};
use super::{Failure, Global, Output};
use crate::service::opt_in;

const COLUMNS: [&str; 7] = ["id", "origin", "way", "state", "recipient", "types", "createdAt"];
/// Entries of one listing.
const MOST: i64 = 1_000;

/// Arguments of `opt-in`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List a brand's double opt-ins in one state, oldest first; by itself those that nobody confirmed
    List {
        /// The brand
        #[arg(long, value_name = "BRAND_CODE")]
        brand: BrandCode,
        /// How far they have come
        #[arg(
            long,
            default_value = "abandoned",
            value_parser = PossibleValuesParser::new(["pending", "confirmed", "done", "abandoned"])
                .try_map(|word| word.parse::<OptInState>())
        )]
        state: OptInState,
        /// Only those after this one
        #[arg(long, value_name = "ID")]
        after: Option<Uuid>,
    },
}

pub(super) fn run(global: &Global, args: &Args, output: Output) -> Result<ExitCode, Failure> {
    let caller = admin::caller(output.lang());
    let Action::List { brand, state, after } = &args.action;
    with_app(global, async |app| {
        admin::show_all(output, &COLUMNS, &opt_in::list(app, &caller, *brand, *state, *after, MOST).await?)
    })
}
