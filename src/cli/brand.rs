//! `kopru brand`: brands of the providers.

use std::process::ExitCode;

use clap::{Subcommand, ValueEnum};
use kopru_domain::{
    AfterCitizenRet, BrandCode, BrandPolicy, DailyAgreement, IysCode, OnayRefresh, ProviderSource, Text,
};

use super::admin::{self, with_app};
use super::output::{WARN, paint};
use super::{Failure, Global, Output};
use crate::bootstrap::App;
use crate::service::brands::{self, Brand, NewBrand};
use crate::service::standing::{RightsView, StandingView};
use crate::service::{Caller, onboarding};

const COLUMNS: [&str; 8] = [
    "iysCode",
    "brandCode",
    "name",
    "active",
    "onayRefresh",
    "afterCitizenRet",
    "allowedSources",
    "dailyAgreement",
];

/// Arguments of `brand`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Add a brand
    Add(Add),
    /// List a provider's brands
    List {
        /// The provider's number at the registry
        #[arg(long, value_name = "IYS_CODE")]
        provider: IysCode,
    },
    /// Show one brand
    Show {
        /// Its number at the registry
        #[arg(value_name = "BRAND_CODE")]
        brand_code: BrandCode,
    },
    /// Change a brand
    Set {
        /// Its number at the registry
        #[arg(value_name = "BRAND_CODE")]
        brand_code: BrandCode,
        /// Whether days that are equal on both sides are agreed to at the registry
        #[arg(long, value_enum)]
        daily_agreement: Agreement,
    },
    /// Disable a brand for good: nothing is taken in for it and its changes are no longer read
    Disable {
        /// Its number at the registry
        #[arg(value_name = "BRAND_CODE")]
        brand_code: BrandCode,
    },
}

#[derive(Debug, clap::Args)]
struct Add {
    /// Its number at the registry
    #[arg(value_name = "BRAND_CODE")]
    brand_code: BrandCode,
    /// The provider's number at the registry
    #[arg(long, value_name = "IYS_CODE")]
    provider: IysCode,
    /// Its name
    #[arg(long)]
    name: String,
    /// Whether an ONAY of what is approved already is filed again
    #[arg(long, value_enum, default_value_t = Refresh::SourceChange)]
    onay_refresh: Refresh,
    /// What becomes of an ONAY after the citizen's own RET
    #[arg(long, value_enum, default_value_t = AfterRet::Evidence)]
    after_citizen_ret: AfterRet,
    /// Sources that may be declared (HS_WEB, HS_MESAJ …), separated by commas; all when left out
    #[arg(long, value_name = "SOURCES", value_delimiter = ',')]
    allowed_sources: Option<Vec<ProviderSource>>,
    /// Whether days that are equal on both sides are agreed to at the registry
    #[arg(long, value_enum, default_value_t = Agreement::Off)]
    daily_agreement: Agreement,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
#[value(rename_all = "snake_case")]
enum Agreement {
    /// Never by this service
    Off,
    /// Where both sides are equal
    WhenEqual,
}

impl From<Agreement> for DailyAgreement {
    fn from(word: Agreement) -> Self {
        match word {
            Agreement::Off => Self::Off,
            Agreement::WhenEqual => Self::WhenEqual,
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
#[value(rename_all = "snake_case")]
enum Refresh {
    /// Never
    Never,
    /// When it comes from another source
    SourceChange,
    /// When it is later
    Always,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
#[value(rename_all = "snake_case")]
enum AfterRet {
    /// A person looks at each
    Review,
    /// Filed with later evidence from a channel of ours, else a person looks at it
    Evidence,
    /// Refused
    Refuse,
}

impl From<Refresh> for OnayRefresh {
    fn from(word: Refresh) -> Self {
        match word {
            Refresh::Never => Self::Never,
            Refresh::SourceChange => Self::SourceChange,
            Refresh::Always => Self::Always,
        }
    }
}

impl From<AfterRet> for AfterCitizenRet {
    fn from(word: AfterRet) -> Self {
        match word {
            AfterRet::Review => Self::Review,
            AfterRet::Evidence => Self::Evidence,
            AfterRet::Refuse => Self::Refuse,
        }
    }
}

/// A brand: the object that the API gives, or for people its fields, its rights and a line for each warning.
fn show(output: Output, brand: &Brand) -> Result<ExitCode, Failure> {
    if output.is_json() {
        return admin::show(output, &COLUMNS, brand);
    }
    let Brand { standing, .. } = brand;
    admin::show(output, &COLUMNS, &Brand { standing: StandingView::default(), ..brand.clone() })?;
    let line = |name, text: String| output.line(admin::entry(name, &text, output.lang()));
    if let Some(rights) = &standing.rights {
        let RightsView { call, message, email, .. } = rights;
        line("rights", format!("ARAMA {call}, MESAJ {message}, EPOSTA {email}"))?;
    }
    if let Some(subscription) = &standing.subscription {
        let package = subscription.package.as_deref().unwrap_or_default();
        line("subscription", format!("{} {package}", subscription.status).trim_end().to_owned())?;
    }
    for warning in &standing.warnings {
        output.line(format!("{} {}", paint(WARN, "!"), warning.title))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A brand with what the registry says of it now: a missing right is best known before the first consent. Where nobody can be
/// asked, the brand says so itself.
async fn looked_at(app: &App, caller: &Caller, brand: Brand) -> Result<Brand, Failure> {
    if !app.registry.configured() {
        return Ok(brand);
    }
    if let Err(error) = onboarding::look(app, caller, IysCode(brand.iys_code)).await {
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "the registry could not be asked for the brand's rights"
        );
    }
    Ok(brands::get(app, caller, BrandCode(brand.brand_code)).await?)
}

pub(super) fn run(global: &Global, args: Args, output: Output) -> Result<ExitCode, Failure> {
    let caller = admin::caller(output.lang());
    with_app(global, async |app| match args.action {
        Action::Add(add) => {
            let policy = BrandPolicy {
                onay_refresh: add.onay_refresh.into(),
                after_citizen_ret: add.after_citizen_ret.into(),
            };
            let new = NewBrand {
                iys_code: add.provider,
                brand_code: add.brand_code,
                name: add.name,
                policy,
                allowed_sources: add.allowed_sources,
                daily_agreement: add.daily_agreement.into(),
            };
            let brand = brands::add(app, &caller, new).await?;
            show(output, &looked_at(app, &caller, brand).await?)
        }
        Action::List { provider } => {
            let all = brands::list(app, &caller, Some(provider), BrandCode(0)).await?;
            admin::show_all(output, &COLUMNS, &all)
        }
        Action::Show { brand_code } => show(output, &brands::get(app, &caller, brand_code).await?),
        Action::Set { brand_code, daily_agreement } => {
            let brand = brands::set_daily_agreement(app, &caller, brand_code, daily_agreement.into()).await?;
            show(output, &brand)
        }
        Action::Disable { brand_code } => {
            brands::disable(app, &caller, brand_code).await?;
            admin::done(output, "brand.disabled", brand_code, &Text::fixed("kapatıldı", "disabled"))
        }
    })
}
