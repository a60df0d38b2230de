//! `kopru provider`: service providers.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;
use kopru_domain::{IysCode, Text};

use super::admin::{self, Database, with_database};
use super::{Failure, Global, Output};
use crate::registry::OwnCredentials;
use crate::service::onboarding::{self, SyncItem, SyncReport, SyncRequest};
use crate::service::providers::{self, NewProvider};

const COLUMNS: [&str; 6] =
    ["iysCode", "title", "active", "ownCredentials", "credentialsTestedAt", "createdAt"];

/// Arguments of `provider`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Add a provider
    Add(Add),
    /// List all providers
    List,
    /// Show one provider
    Show {
        /// Its number at the registry
        #[arg(value_name = "IYS_CODE")]
        iys_code: IysCode,
    },
    /// Set or take away a provider's own registry user; the registry is asked whether it accepts it
    Credentials {
        /// Its number at the registry
        #[arg(value_name = "IYS_CODE")]
        iys_code: IysCode,
        #[command(flatten)]
        login: Login,
    },
    /// Read from the registry who has authorised us for what, and do what follows
    Sync {
        /// Only the provider of this number
        #[arg(value_name = "IYS_CODE")]
        iys_code: Option<IysCode>,
        /// Write nothing, only tell what would change
        #[arg(long)]
        dry_run: bool,
    },
    /// Disable a provider for good: nothing is taken in or filed for it any more
    Disable {
        /// Its number at the registry
        #[arg(value_name = "IYS_CODE")]
        iys_code: IysCode,
    },
}

#[derive(Debug, clap::Args)]
struct Add {
    /// Its number at the registry
    #[arg(value_name = "IYS_CODE")]
    iys_code: IysCode,
    /// Its legal title
    #[arg(long)]
    title: String,
    #[command(flatten)]
    login: Login,
}

#[derive(Debug, clap::Args)]
struct Login {
    /// Name of the provider's own registry user; without it the partner's account files for the provider
    #[arg(long, requires = "password_file")]
    username: Option<String>,
    /// A file with that user's password, or - for standard input
    #[arg(long, requires = "username", value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Keep them without asking the registry whether it accepts them
    #[arg(long)]
    untested: bool,
}

impl Login {
    /// The credentials. A password is never an argument: other users of the machine can see those.
    fn read(self) -> Result<Option<OwnCredentials>, Failure> {
        let (Some(username), Some(path)) = (self.username, self.password_file) else { return Ok(None) };
        let text = admin::read_file(&path).map_err(|error| {
            Failure::new("password", Text::fixed("parola okunamadı", "the password cannot be read"))
                .because(error)
        })?;
        Ok(Some(OwnCredentials { username, password: text.trim_end_matches(['\r', '\n']).to_owned() }))
    }
}

pub(super) fn run(global: &Global, args: Args, output: Output) -> Result<ExitCode, Failure> {
    let caller = admin::caller(output.lang());
    let database = match args.action {
        Action::Add(_) | Action::Sync { .. } => Database::MayBeNew,
        _ => Database::Existing,
    };
    with_database(global, database, async |app| match args.action {
        Action::Add(Add { iys_code, title, login }) => {
            let test = !login.untested;
            let new = NewProvider { iys_code, title, credentials: login.read()?, tested_at: None };
            admin::show(output, &COLUMNS, &providers::add(app, &caller, new, test).await?)
        }
        Action::List => {
            let mut all = Vec::new();
            loop {
                let after = all.last().map_or(0, |last: &providers::Provider| last.iys_code);
                let page = providers::list(app, &caller, IysCode(after)).await?;
                if page.is_empty() {
                    break;
                }
                all.extend(page);
            }
            admin::show_all(output, &COLUMNS, &all)
        }
        Action::Show { iys_code } => {
            admin::show(output, &COLUMNS, &providers::get(app, &caller, iys_code).await?)
        }
        Action::Credentials { iys_code, login } => {
            let test = !login.untested;
            let credentials = login.read()?;
            admin::show(
                output,
                &COLUMNS,
                &providers::set_credentials(app, &caller, iys_code, credentials, test).await?,
            )
        }
        Action::Sync { iys_code: provider, dry_run } => {
            let report = onboarding::sync(app, &caller, SyncRequest { provider, dry_run }).await?;
            show_sync(output, &report)
        }
        Action::Disable { iys_code } => {
            providers::disable(app, &caller, iys_code).await?;
            admin::done(output, "provider.disabled", iys_code, &Text::fixed("kapatıldı", "disabled"))
        }
    })
}

/// What a sync did: the same object that the API gives, or a table with a line of counts below.
fn show_sync(output: Output, report: &SyncReport) -> Result<ExitCode, Failure> {
    let outcome = if report.failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    if output.is_json() {
        output.object(report)?;
        return Ok(outcome);
    }
    let rows: Vec<SyncLine<'_>> = report.items().map(|(what, item)| SyncLine { what, item }).collect();
    if !rows.is_empty() {
        admin::show_all(output, &SYNC_COLUMNS, &rows)?;
    }
    let (providers, brands, changes) = (report.providers, report.brands, rows.len());
    let text = match (report.dry_run, changes) {
        (_, 0) => Text::new(
            format!("{providers} hizmet sağlayıcı, {brands} marka: değişen bir şey yok"),
            format!("{providers} providers, {brands} brands: nothing has changed"),
        ),
        (true, _) => Text::new(
            format!("{providers} hizmet sağlayıcı, {brands} marka: {changes} değişiklik olacaktı, yazılmadı"),
            format!("{providers} providers, {brands} brands: {changes} changes, not written"),
        ),
        (false, _) => Text::new(
            format!("{providers} hizmet sağlayıcı, {brands} marka: {changes} değişiklik"),
            format!("{providers} providers, {brands} brands: {changes} changes"),
        ),
    };
    output.line(text.get(output.lang()))?;
    Ok(outcome)
}

const SYNC_COLUMNS: [&str; 9] =
    ["what", "iysCode", "brandCode", "type", "name", "field", "before", "after", "code"];

#[derive(serde::Serialize)]
struct SyncLine<'a> {
    what: &'static str,
    #[serde(flatten)]
    item: &'a SyncItem,
}
