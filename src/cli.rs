//! The command line: one file per command.
//!
//! Every command answers on standard output: text for people, with `--json` one JSON object a line. Log lines and errors
//! go to standard error. To add a command: a file with its arguments and a `run`, a variant of [`Command`] and a line in
//! [`Cli::run`].

mod address;
mod admin;
mod arguments;
mod brand;
mod config;
mod consent;
mod deadline;
mod doctor;
mod endpoint;
mod explain;
mod failure;
mod forecast;
mod form;
mod inbound;
mod key;
mod keyword;
mod labels;
mod ledger;
mod link;
mod message;
mod migrate;
mod openapi;
mod opt_in;
mod output;
mod provider;
mod push;
mod reconcile;
mod redrive;
mod retailer;
mod sandbox;
mod serve;
mod text;
mod trial;

use std::future::Future;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::builder::styling::{AnsiColor, Styles};
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use clap::{Args, Parser, Subcommand};
use kopru_domain::{Lang, Text};

pub use self::failure::Failure;
pub use self::output::{Output, Report};
use crate::config::Config;
use crate::telemetry;

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Cyan.on_default().bold())
    .usage(AnsiColor::Cyan.on_default().bold())
    .literal(AnsiColor::Green.on_default())
    .placeholder(AnsiColor::Yellow.on_default());

const AFTER_HELP: &str = "\
Try it out, with the registry's sandbox in the same process and everything in ./data:
  kopru serve --sandbox

Settings: compiled-in defaults < --config FILE < environment variables KOPRU__SECTION__KEY.
`kopru config default` prints all of them with a comment each.";

/// The bridge between a business partner's clients and Turkey's consent registry (İYS)
#[derive(Debug, Parser)]
#[command(
    name = "kopru",
    version,
    about,
    after_help = AFTER_HELP,
    styles = STYLES,
    arg_required_else_help = true,
    subcommand_required = true,
    propagate_version = true
)]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// What every command takes.
#[derive(Debug, Clone, Args)]
pub(crate) struct Global {
    /// Read settings from this file
    #[arg(long, global = true, env = "KOPRU_CONFIG", value_name = "FILE", help_heading = "Global options")]
    config: Option<PathBuf>,
    /// Answer with one JSON object a line
    #[arg(long, global = true, help_heading = "Global options")]
    json: bool,
    /// Language of answers to people
    #[arg(
        long,
        global = true,
        env = "KOPRU_LANG",
        value_name = "LANG",
        default_value = "en",
        value_parser = PossibleValuesParser::new(["en", "tr"]).try_map(|word| word.parse::<Lang>()),
        help_heading = "Global options"
    )]
    lang: Lang,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the service: the API, the workers, or both
    Serve(serve::Args),
    /// Run the registry sandbox alone
    Sandbox(sandbox::Args),
    /// Bring the database's schema up to date
    Migrate,
    /// Look for what is wrong with this installation, and say what to do
    Doctor,
    /// Look at the settings, make keys
    Config(config::Args),
    /// Print the OpenAPI document of the HTTP API
    Openapi,
    /// Tell until when a consent must be filed, and why
    Deadline(deadline::Args),
    /// Tell what becomes of an address, or why it is refused
    Address(address::Args),
    /// Short numbers and their keywords
    Keyword(keyword::Args),
    /// Tell what a code of the registry or of this service means, and what to do
    Explain(explain::Args),
    /// Consents
    Consent(consent::Args),
    /// Tell when the queue is empty at the present budget, and what would miss its target
    Forecast(forecast::Args),
    /// File once more what has ended without the registry's record; tells what it would do unless --yes
    Redrive(redrive::Args),
    /// Service providers (hizmet sağlayıcı)
    Provider(provider::Args),
    /// Brands (marka) of the providers
    Brand(brand::Args),
    /// Retailers (bayi) of the brands
    Retailer(retailer::Args),
    /// Consent texts, privacy notices, call scripts and paper forms of the brands
    Text(text::Args),
    /// Web forms of the brands
    Form(form::Args),
    /// Links of the brands: of campaigns, of one person, and for refusals
    Link(link::Args),
    /// Double opt-ins of the brands
    OptIn(opt_in::Args),
    /// Outgoing SMS and e-mail of the brands
    Message(message::Args),
    /// On whose behalf a brand's messages go out
    Sender(message::SenderArgs),
    /// What the registry pushes: connections of the brands
    Push(push::Args),
    /// What citizens send to short numbers, and where SMS vendors push it to
    Inbound(inbound::Args),
    /// Keys to the HTTP API
    Key(key::Args),
    /// Webhook endpoints of clients
    Endpoint(endpoint::Args),
    /// The ledger of consents
    Ledger(ledger::Args),
    /// Compare a day at the registry with what was filed from here, and repair what differs
    Reconcile(reconcile::Args),
}

impl Cli {
    /// Where and how this call answers.
    pub fn output(&self) -> Output {
        Output::new(self.global.json, self.global.lang)
    }

    /// Carries the command out.
    pub fn run(self) -> Result<ExitCode, Failure> {
        let output = self.output();
        let global = self.global;
        match self.command {
            Command::Serve(args) => serve::run(&global, args, output),
            Command::Sandbox(args) => sandbox::run(&global, args, output),
            Command::Migrate => migrate::run(&global, output),
            Command::Doctor => doctor::run(&global, output),
            Command::Config(args) => config::run(&global, &args, output),
            Command::Openapi => openapi::run(output),
            Command::Deadline(args) => deadline::run(&args, output),
            Command::Address(args) => address::run(&args, output),
            Command::Keyword(args) => keyword::run(&global, args, output),
            Command::Inbound(args) => inbound::run(&global, args, output),
            Command::Explain(args) => explain::run(&args, output),
            Command::Consent(args) => consent::run(&global, &args, output),
            Command::Forecast(args) => forecast::run(&global, &args, output),
            Command::Redrive(args) => redrive::run(&global, args, output),
            Command::Provider(args) => provider::run(&global, args, output),
            Command::Brand(args) => brand::run(&global, args, output),
            Command::Retailer(args) => retailer::run(&global, args, output),
            Command::Text(args) => text::run(&global, args, output),
            Command::Form(args) => form::run(&global, args, output),
            Command::Link(args) => link::run(&global, args, output),
            Command::OptIn(args) => opt_in::run(&global, &args, output),
            Command::Message(args) => message::run(&global, args, output),
            Command::Sender(args) => message::run_sender(&global, args, output),
            Command::Push(args) => push::run(&global, &args, output),
            Command::Key(args) => key::run(&global, args, output),
            Command::Endpoint(args) => endpoint::run(&global, args, output),
            Command::Ledger(args) => ledger::run(&global, &args, output),
            Command::Reconcile(args) => reconcile::run(&global, &args, output),
        }
    }
}

impl Global {
    /// The settings, and logs as they say.
    fn load(&self) -> Result<Config, Failure> {
        let config = Config::load(self.config.as_deref())?;
        telemetry::init_logs(&config.log)?;
        Ok(config)
    }

    /// The settings for a command that does a small thing: only warnings are logged, unless something else is set.
    fn load_quietly(&self) -> Result<Config, Failure> {
        let mut config = Config::load(self.config.as_deref())?;
        if config.log.level == "info" {
            "warn".clone_into(&mut config.log.level);
        }
        telemetry::init_logs(&config.log)?;
        Ok(config)
    }
}

/// Runs a future on a runtime of its own.
fn block_on<T>(future: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name("kopru")
        .build()
        .map_err(|error| {
            let message = Text::fixed("çalışma ortamı başlatılamadı", "the runtime cannot be started");
            Failure::new("runtime", message).because(error)
        })?
        .block_on(future)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_has_help_and_global_options_work_anywhere() {
        let mut stack = vec![Cli::command()];
        while let Some(command) = stack.pop() {
            assert!(command.get_about().is_some(), "{} says nothing about itself", command.get_name());
            for arg in command.get_arguments() {
                assert!(arg.get_help().is_some(), "{} {} has no help", command.get_name(), arg.get_id());
            }
            stack.extend(command.get_subcommands().cloned());
        }
        let cli = Cli::try_parse_from(["kopru", "deadline", "-", "--json", "--lang", "tr"]).unwrap();
        assert!(cli.global.json);
        assert_eq!(cli.global.lang, Lang::Tr);
        assert!(Cli::try_parse_from(["kopru", "--lang", "de", "doctor"]).is_err());
    }
}
