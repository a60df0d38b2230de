//! `kopru key`: keys to the HTTP API.

use std::process::ExitCode;

use chrono::{DateTime, TimeDelta, Utc};
use clap::Subcommand;
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use ipnet::IpNet;
use kopru_domain::time::parse_consent_date;
use kopru_domain::{IysCode, Lang, Text};

use super::admin::{self, Database, with_database};
use super::output::{STRONG, WARN, paint};
use super::{Failure, Global, Output};
use crate::config::parse_duration;
use crate::service::Scope;
use crate::service::keys::{self, NewKey};

const COLUMNS: [&str; 7] = ["id", "iysCode", "name", "scopes", "ipAllow", "expiresAt", "disabledAt"];

/// Arguments of `key`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make a key; it is shown once
    Add(Add),
    /// List the keys of a provider, or the partner-wide ones
    List {
        /// The provider's number at the registry; left out: keys for all providers
        #[arg(long, value_name = "IYS_CODE")]
        provider: Option<IysCode>,
    },
    /// Show one key, without its secret
    Show {
        /// Its public part
        #[arg(value_name = "ID")]
        id: String,
    },
    /// Disable a key for good
    Disable {
        /// Its public part
        #[arg(value_name = "ID")]
        id: String,
    },
}

#[derive(Debug, clap::Args)]
struct Add {
    /// A name by which people recognise it
    #[arg(long)]
    name: String,
    /// What it may do, separated by commas
    #[arg(long, required = true, value_delimiter = ',', value_name = "SCOPES", value_parser = scope())]
    scopes: Vec<Scope>,
    /// The provider that it is for
    #[arg(
        long,
        value_name = "IYS_CODE",
        required_unless_present = "partner_wide",
        conflicts_with = "partner_wide"
    )]
    provider: Option<IysCode>,
    /// For all providers of this installation
    #[arg(long)]
    partner_wide: bool,
    /// Networks it may come from (CIDR), separated by commas; all when left out
    #[arg(long, value_delimiter = ',', value_name = "NETWORKS")]
    ip_allow: Vec<IpNet>,
    /// How long it holds (90d) or until when (2027-01-01T00:00:00+03:00); for good when left out
    #[arg(long, value_name = "WHEN")]
    expires: Option<String>,
}

fn scope() -> impl clap::builder::TypedValueParser<Value = Scope> {
    PossibleValuesParser::new(Scope::ALL.map(Scope::as_str))
        .try_map(|word| Scope::from_wire(&word).ok_or("not a scope"))
}

pub(super) fn run(global: &Global, args: Args, output: Output) -> Result<ExitCode, Failure> {
    let caller = admin::caller(output.lang());
    let database = match args.action {
        Action::Add(_) => Database::MayBeNew,
        _ => Database::Existing,
    };
    with_database(global, database, async |app| match args.action {
        Action::Add(add) => {
            let expires_at =
                add.expires.as_deref().map(|text| expiry(text, app.clocks.wire())).transpose()?;
            let new = NewKey {
                iys_code: add.provider,
                name: add.name,
                scopes: add.scopes,
                ip_allow: add.ip_allow,
                expires_at,
            };
            let issued = keys::add(app, &caller, new).await?;
            if output.is_json() {
                return admin::show(output, &COLUMNS, &issued);
            }
            admin::show(output, &COLUMNS, &issued.details)?;
            output.line(format!("\n{}", paint(STRONG, &issued.key)))?;
            let note = match output.lang() {
                Lang::Tr => "Anahtarı şimdi saklayın: bir daha gösterilmez.",
                Lang::En => "Keep the key now: it is not shown again.",
            };
            output.line(paint(WARN, note))?;
            Ok(ExitCode::SUCCESS)
        }
        Action::List { provider } => {
            admin::show_all(output, &COLUMNS, &keys::list(app, &caller, provider).await?)
        }
        Action::Show { id } => admin::show(output, &COLUMNS, &keys::get(app, &caller, &id).await?),
        Action::Disable { id } => {
            keys::disable(app, &caller, &id).await?;
            admin::done(output, "key.disabled", id, &Text::fixed("kapatıldı", "disabled"))
        }
    })
}

/// A length of time from now on, or an instant.
fn expiry(text: &str, now: DateTime<Utc>) -> Result<DateTime<Utc>, Failure> {
    let length = parse_duration(text).and_then(|length| TimeDelta::from_std(length).ok());
    match length {
        Some(length) => now.checked_add_signed(length),
        None => parse_consent_date(text).ok(),
    }
    .ok_or_else(|| {
        let message = Text::fixed(
            "--expires için 90d gibi bir süre ya da 2027-01-01T00:00:00+03:00 gibi bir an yazın",
            "write --expires as a length such as 90d or an instant such as 2027-01-01T00:00:00+03:00",
        );
        Failure::new("expires", message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expiry_is_a_length_or_an_instant() {
        let now: DateTime<Utc> = "2026-11-22T09:00:00Z".parse().unwrap();
        let at = |text| expiry(text, now).unwrap().to_rfc3339();
        assert_eq!(at("90d"), "2027-02-20T09:00:00+00:00");
        assert_eq!(at("2027-01-01T00:00:00+03:00"), "2026-12-31T21:00:00+00:00");
        assert!(expiry("soon", now).is_err());
    }
}
