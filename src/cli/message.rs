//! `kopru message` and `kopru sender`: outgoing SMS and e-mail of the brands, and on whose behalf they go out.

use std::process::ExitCode;

use clap::Subcommand;
use kopru_domain::{BrandCode, Text};

use super::admin::{self, with_app};
use super::{Failure, Global, Output};
use crate::service::messages;
use crate::service::messages::sender::{self, NewSender};

const COLUMNS: [&str; 9] =
    ["createdAt", "channel", "purpose", "recipient", "state", "delivery", "attempts", "vendor", "code"];
const SENDER: [&str; 6] = ["brandCode", "title", "identity", "smsAccount", "smsFrom", "notices"];

#[derive(Debug, clap::Args)]
struct Of {
    /// The brand's number at the registry
    #[arg(long, value_name = "BRAND_CODE")]
    brand: BrandCode,
}

/// Arguments of `message`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List a brand's messages, newest first, with what the vendor said
    List {
        #[command(flatten)]
        of: Of,
        /// How many
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(i64).range(1..=1000))]
        limit: i64,
    },
}

/// Arguments of `sender`.
#[derive(Debug, clap::Args)]
pub(super) struct SenderArgs {
    #[command(subcommand)]
    action: SenderAction,
}

#[derive(Debug, Subcommand)]
enum SenderAction {
    /// Set a brand's sender, all of it
    Set(Box<Set>),
    /// Show a brand's sender
    Show(Of),
    /// Remove a brand's sender
    Remove(Of),
}

#[derive(Debug, clap::Args)]
struct Set {
    #[command(flatten)]
    of: Of,
    /// The company's title; of a tradesperson name and surname
    #[arg(long)]
    title: String,
    /// MERSİS number; of a tradesperson the T.C. number
    #[arg(long, value_name = "NUMBER")]
    identity: String,
    /// The account of the settings for SMS
    #[arg(long, value_name = "NAME")]
    sms_account: Option<String>,
    /// The sender's name that the vendor has approved
    #[arg(long, value_name = "NAME")]
    sms_from: Option<String>,
    /// The account of the settings for e-mail
    #[arg(long, value_name = "NAME")]
    mail_account: Option<String>,
    /// The sender's e-mail address
    #[arg(long, value_name = "ADDRESS")]
    mail_from: Option<String>,
    /// The number to which RET is sent
    #[arg(long, value_name = "NUMBER")]
    ret_number: Option<String>,
    /// The keyword before it, on a shared number
    #[arg(long, value_name = "WORD")]
    ret_keyword: Option<String>,
    /// Where else one says no: an e-mail address, telephone number or page
    #[arg(long)]
    contact: Option<String>,
    /// Answer electronic consents by a notice on the same day
    #[arg(long)]
    notices: bool,
}

pub(super) fn run(global: &Global, args: Args, output: Output) -> Result<ExitCode, Failure> {
    let caller = admin::caller(output.lang());
    let Action::List { of, limit } = args.action;
    with_app(global, async |app| {
        let mut items = messages::list(app, &caller, of.brand, None, limit).await?;
        items.truncate(usize::try_from(limit).unwrap_or_default());
        admin::show_all(output, &COLUMNS, &items)
    })
}

pub(super) fn run_sender(global: &Global, args: SenderArgs, output: Output) -> Result<ExitCode, Failure> {
    let caller = admin::caller(output.lang());
    with_app(global, async |app| match args.action {
        SenderAction::Set(set) => {
            let set = *set;
            let new = NewSender {
                title: set.title,
                identity: set.identity,
                sms_account: set.sms_account,
                sms_from: set.sms_from,
                mail_account: set.mail_account,
                mail_from: set.mail_from,
                ret_number: set.ret_number,
                ret_keyword: set.ret_keyword,
                contact: set.contact,
                notices: set.notices,
            };
            admin::show(output, &SENDER, &sender::set(app, &caller, set.of.brand, new).await?)
        }
        SenderAction::Show(of) => admin::show(output, &SENDER, &sender::get(app, &caller, of.brand).await?),
        SenderAction::Remove(of) => {
            sender::remove(app, &caller, of.brand).await?;
            admin::done(output, "sender.removed", of.brand, &Text::fixed("kaldırıldı", "removed"))
        }
    })
}
