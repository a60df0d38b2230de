//! `kopru inbound`: where SMS vendors push to, and what citizens wrote.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Subcommand;
use clap::builder::PossibleValuesParser;
use kopru_domain::{BrandCode, Channel, Text};
use kopru_store::inbound::InboundState;
use uuid::Uuid;

use super::admin::{self, with_app};
use super::{Failure, Global, Output};
use crate::service::inbound::{self, Decision, Inbox, NewConnection, VENDORS};

const CONNECTIONS: [&str; 6] = ["id", "vendor", "url", "signed", "lastAt", "createdAt"];
const MESSAGES: [&str; 8] = ["id", "number", "sender", "text", "state", "why", "answered", "receivedAt"];
/// Messages of one listing.
const MOST: i64 = 1_000;

/// Arguments of `inbound`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make an address for a vendor's pushes; its token is shown this once
    Connect {
        /// The vendor
        #[arg(value_name = "VENDOR", value_parser = PossibleValuesParser::new(VENDORS))]
        vendor: String,
        /// Of Twilio: a file with the account's auth token, or - for standard input
        #[arg(long, value_name = "FILE")]
        signing_secret_file: Option<PathBuf>,
        /// Read the vendor's inbox too, with this account (user name, or API key)
        #[arg(long, value_name = "USER", requires = "inbox_password_file")]
        inbox_username: Option<String>,
        /// A file with that account's password (or the key's hash), or - for standard input
        #[arg(long, value_name = "FILE", requires = "inbox_username")]
        inbox_password_file: Option<PathBuf>,
    },
    /// List the addresses for vendors' pushes
    Connections,
    /// Take nothing more through an address
    Disconnect {
        /// Its identity
        #[arg(value_name = "ID")]
        id: Uuid,
    },
    /// List what citizens wrote to a brand; by itself what waits for a person
    List {
        /// The brand
        #[arg(long, value_name = "BRAND_CODE")]
        brand: BrandCode,
        /// What was made of it
        #[arg(long, default_value = "unknown", value_parser = PossibleValuesParser::new(InboundState::ALL.map(InboundState::as_str)))]
        state: String,
    },
    /// Take a message that was not understood for a rejection
    Reject {
        /// The message
        #[arg(value_name = "ID")]
        id: Uuid,
        /// The brand
        #[arg(long, value_name = "BRAND_CODE")]
        brand: BrandCode,
        /// The channel; may be given twice
        #[arg(long = "type", value_name = "TYPE", default_value = "MESAJ")]
        channels: Vec<Channel>,
    },
    /// Take a message that was not understood for nothing
    Dismiss {
        /// The message
        #[arg(value_name = "ID")]
        id: Uuid,
        /// The brand
        #[arg(long, value_name = "BRAND_CODE")]
        brand: BrandCode,
    },
}

fn read_secret(path: &Path) -> Result<String, Failure> {
    let text = admin::read_file(path).map_err(|error| {
        Failure::new("file", Text::fixed("gizli değer okunamadı", "the secret cannot be read")).because(error)
    })?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

pub(super) fn run(global: &Global, args: Args, output: Output) -> Result<ExitCode, Failure> {
    let caller = admin::caller(output.lang());
    with_app(global, async |app| match args.action {
        Action::Connect { vendor, signing_secret_file, inbox_username, inbox_password_file } => {
            let signing_secret = signing_secret_file.as_deref().map(read_secret).transpose()?;
            let password = inbox_password_file.as_deref().map(read_secret).transpose()?;
            let inbox = inbox_username.zip(password);
            let inbox = inbox.map(|(username, password)| Inbox { username, password, url: None });
            let new = NewConnection { signing_secret, inbox };
            let made = inbound::connect(app, &caller, &vendor, new).await?;
            admin::show(output, &CONNECTIONS, &made)
        }
        Action::Connections => {
            admin::show_all(output, &CONNECTIONS, &inbound::connections(app, &caller).await?)
        }
        Action::Disconnect { id } => {
            inbound::disconnect(app, &caller, id).await?;
            admin::done(output, "inbound.disconnected", id, &Text::fixed("kaldırıldı", "removed"))
        }
        Action::List { brand, state } => {
            let state = InboundState::ALL.into_iter().find(|known| known.as_str() == state);
            let state = state.unwrap_or(InboundState::Unknown);
            admin::show_all(output, &MESSAGES, &inbound::list(app, &caller, brand, state, None, MOST).await?)
        }
        Action::Reject { id, brand, channels } => {
            let decision = Decision::Rejection(channels);
            admin::show(output, &MESSAGES, &inbound::decide(app, &caller, brand, id, decision).await?)
        }
        Action::Dismiss { id, brand } => admin::show(
            output,
            &MESSAGES,
            &inbound::decide(app, &caller, brand, id, Decision::Dismissal).await?,
        ),
    })
}
