//! `kopru link`: links of the brands: of campaigns, of one person, and for refusals.

use std::process::ExitCode;
use std::time::Duration;

use clap::Subcommand;
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use kopru_domain::{BrandCode, Channel, LinkKind, RecipientType, Text};
use uuid::Uuid;

use super::admin::{self, with_app};
use super::{Failure, Global, Output};
use crate::config::parse_duration;
use crate::service::links::{self, LONGEST_LIFE, NewLink};

const COLUMNS: [&str; 9] =
    ["id", "kind", "url", "type", "recipient", "active", "opened", "confirmed", "refused"];
/// Links of one listing.
const MOST: i64 = 1_000;

/// Arguments of `link`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make a link
    Add(Add),
    /// List a brand's links with their counters, oldest first
    List {
        /// The brand
        #[arg(long, value_name = "BRAND_CODE")]
        brand: BrandCode,
        /// Only those after this one
        #[arg(long, value_name = "ID")]
        after: Option<Uuid>,
    },
    /// Show a link
    Show(Named),
    /// End a link; one for refusals cannot be ended
    Disable(Named),
}

#[derive(Debug, clap::Args)]
struct Named {
    /// The link's identity
    #[arg(value_name = "ID")]
    id: Uuid,
    /// The brand
    #[arg(long, value_name = "BRAND_CODE")]
    brand: BrandCode,
}

#[derive(Debug, clap::Args)]
struct Add {
    /// What it is for: everybody (to a form), one person's consent, or one person's refusal
    #[arg(
        value_name = "KIND",
        value_parser = PossibleValuesParser::new(["campaign", "recipient", "refusal"])
            .try_map(|word| word.parse::<LinkKind>())
    )]
    kind: LinkKind,
    /// The brand
    #[arg(long, value_name = "BRAND_CODE")]
    brand: BrandCode,
    /// The form's code: for campaigns and persons
    #[arg(long, value_name = "CODE")]
    form: Option<String>,
    /// ARAMA, MESAJ or EPOSTA: for persons and refusals
    #[arg(long = "type", value_name = "TYPE")]
    channel: Option<Channel>,
    /// The address: for persons and refusals
    #[arg(long, value_name = "ADDRESS")]
    recipient: Option<String>,
    /// BIREYSEL or TACIR
    #[arg(long, value_name = "TYPE", default_value = "BIREYSEL")]
    recipient_type: RecipientType,
    /// How long it leads somewhere, such as 72h; 2160h at most
    #[arg(long, value_name = "TIME", value_parser = life)]
    life: Option<Duration>,
}

fn life(text: &str) -> Result<Duration, &'static str> {
    parse_duration(text)
        .filter(|life| !life.is_zero() && *life <= LONGEST_LIFE)
        .ok_or("write a length of time such as 72h or 30m, at most 2160h")
}

impl From<Add> for NewLink {
    fn from(add: Add) -> Self {
        let Add { kind, form, channel, recipient, recipient_type, life, brand: _ } = add;
        Self { kind, form, channel, recipient, recipient_type, life }
    }
}

pub(super) fn run(global: &Global, args: Args, output: Output) -> Result<ExitCode, Failure> {
    let caller = admin::caller(output.lang());
    with_app(global, async |app| match args.action {
        Action::Add(add) => {
            let brand = add.brand;
            admin::show(output, &COLUMNS, &links::add(app, &caller, brand, add.into()).await?)
        }
        Action::List { brand, after } => {
            admin::show_all(output, &COLUMNS, &links::list(app, &caller, brand, after, MOST).await?)
        }
        Action::Show(Named { id, brand }) => {
            admin::show(output, &COLUMNS, &links::get(app, &caller, brand, id).await?)
        }
        Action::Disable(Named { id, brand }) => {
            links::disable(app, &caller, brand, id).await?;
            admin::done(output, "link.disabled", id, &Text::fixed("kapatıldı", "ended"))
        }
    })
}
