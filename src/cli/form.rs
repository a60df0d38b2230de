//! `kopru form`: web forms of the brands.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Subcommand, value_parser};
use kopru_domain::via::Confirmer;
use kopru_domain::{BrandCode, Channel, Text};

use super::admin::{self, with_app};
use super::{Failure, Global, Output};
use crate::service::forms::{self, Form, FormContent, Theme};

const COLUMNS: [&str; 7] = ["code", "version", "active", "channels", "text", "url", "createdAt"];

/// Arguments of `form`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Add a form, or change all that it holds: a new version, under the same address
    Set(Box<Set>),
    /// List a brand's forms
    List {
        /// The brand
        #[arg(long, value_name = "BRAND_CODE")]
        brand: BrandCode,
    },
    /// Show a form
    Show(Named),
    /// End a form: its page says so and takes nothing; `set` opens it again
    Disable(Named),
}

#[derive(Debug, clap::Args)]
struct Named {
    /// The form's code, such as bulten
    #[arg(value_name = "CODE")]
    code: String,
    /// The brand
    #[arg(long, value_name = "BRAND_CODE")]
    brand: BrandCode,
}

#[derive(Debug, clap::Args)]
struct Set {
    #[command(flatten)]
    of: Named,
    /// The provider's MERSİS number, which the page shows
    #[arg(long, value_name = "NUMBER")]
    mersis: String,
    /// The consent text that is shown, such as sms-onay/1
    #[arg(long, value_name = "TEXT")]
    text: String,
    /// The privacy notice that stands apart from it, such as aydinlatma/1
    #[arg(long, value_name = "TEXT")]
    notice: String,
    /// A box: ARAMA, MESAJ or EPOSTA; may be given several times
    #[arg(long = "type", value_name = "TYPE", required = true)]
    channels: Vec<Channel>,
    /// File without asking the owner of the address to confirm it
    #[arg(long)]
    without_confirmation: bool,
    /// The retailer whose form it is
    #[arg(long, value_name = "RETAILER_CODE")]
    retailer: Option<i64>,
    /// A page that may post to it or hold it, such as <https://www.example.com>; may be given several times
    #[arg(long = "allow-origin", value_name = "ORIGIN")]
    origins: Vec<String>,
    /// A host name of the client's own under which it is shown
    #[arg(long, value_name = "HOST")]
    domain: Option<String>,
    /// Who asks for the confirmation: own (this service) or via (the registry); left out: as the brand has set it
    #[arg(long, value_name = "WHO", conflicts_with = "without_confirmation")]
    confirmation: Option<Confirmer>,
    /// A file with colours and logo as JSON, as in the API; - for standard input
    #[arg(long, value_name = "FILE", value_parser = value_parser!(PathBuf))]
    theme: Option<PathBuf>,
}

impl Set {
    fn content(self) -> Result<FormContent, Failure> {
        Ok(FormContent {
            mersis: self.mersis,
            text: self.text,
            notice: self.notice,
            channels: self.channels,
            double_opt_in: !self.without_confirmation,
            confirmation: self.confirmation,
            retailer_code: self.retailer,
            allowed_origins: self.origins,
            domain: self.domain,
            theme: self.theme.as_deref().map(theme).transpose()?.unwrap_or_default(),
        })
    }
}

fn theme(path: &Path) -> Result<Theme, Failure> {
    let unreadable = |error: Box<dyn std::error::Error + Send + Sync>| {
        let path = path.display();
        let text = Text::new(format!("{path} okunamadı"), format!("{path} cannot be read"));
        Failure::new("file", text).because(error)
    };
    let json = admin::read_file(path).map_err(|error| unreadable(error.into()))?;
    serde_json::from_str(&json).map_err(|error| unreadable(error.into()))
}

fn show(output: Output, form: &Form) -> Result<ExitCode, Failure> {
    // Nobody reads a picture in a terminal.
    let form = match &form.content.theme.logo {
        Some(logo) if !output.is_json() => {
            let mut short = form.clone();
            short.content.theme.logo = Some(format!("{} bytes", logo.len()));
            short
        }
        _ => form.clone(),
    };
    admin::show(output, &COLUMNS, &form)
}

pub(super) fn run(global: &Global, args: Args, output: Output) -> Result<ExitCode, Failure> {
    let caller = admin::caller(output.lang());
    with_app(global, async |app| match args.action {
        Action::Set(set) => {
            let (brand, code) = (set.of.brand, set.of.code.clone());
            let (form, _) = forms::put(app, &caller, brand, &code, set.content()?).await?;
            show(output, &form)
        }
        Action::List { brand } => admin::show_all(output, &COLUMNS, &forms::list(app, &caller, brand).await?),
        Action::Show(Named { code, brand }) => show(output, &forms::get(app, &caller, brand, &code).await?),
        Action::Disable(Named { code, brand }) => {
            forms::disable(app, &caller, brand, &code).await?;
            admin::done(output, "form.disabled", code, &Text::fixed("kapatıldı", "ended"))
        }
    })
}
