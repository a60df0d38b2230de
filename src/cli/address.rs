//! `kopru address`: what the normaliser makes of an address.

use std::process::ExitCode;

use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use kopru_domain::address::warnings;
use kopru_domain::{AddressError, Channel, Lang, Recipient};
use serde::{Serialize, Serializer};
use serde_json::json;

use super::output::{BAD, GOOD, WARN, paint};
use super::{Failure, Output, Report, admin};

/// Arguments of `address`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// An address as it was typed; `-` reads one a line
    #[arg(value_name = "ADDR", allow_hyphen_values = true)]
    address: String,
    /// What it is for
    #[arg(long = "type", value_name = "TYPE", value_parser = channel())]
    channel: Channel,
}

/// Reads a channel by the registry's word.
pub(super) fn channel() -> impl clap::builder::TypedValueParser<Value = Channel> {
    PossibleValuesParser::new(Channel::ALL.iter().map(|channel| channel.as_str()))
        .try_map(|word| word.parse::<Channel>())
}

pub(super) fn run(args: &Args, output: Output) -> Result<ExitCode, Failure> {
    if args.address != "-" {
        let verdict = Verdict::of(&args.address, args.channel, output.lang());
        output.show(&verdict)?;
        return Ok(if verdict.outcome.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    for line in admin::lines() {
        match line? {
            Ok(line) => output.show(&Verdict::of(&line, args.channel, output.lang()))?,
            Err(message) => admin::show_unreadable(output, &message)?,
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The canonical address, or why there is none.
struct Verdict {
    outcome: Result<Recipient, AddressError>,
    lang: Lang,
}

impl Verdict {
    fn of(address: &str, channel: Channel, lang: Lang) -> Self {
        Self { outcome: Recipient::parse(address, channel), lang }
    }
}

impl Serialize for Verdict {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.outcome {
            Ok(recipient) => json!({"recipient": recipient.as_str()}),
            Err(error) => json!({"error": {"code": error.code, "message": error.message(self.lang)}}),
        }
        .serialize(serializer)
    }
}

impl Report for Verdict {
    fn text(&self, lang: Lang) -> String {
        match &self.outcome {
            Ok(recipient) => {
                let mut text = paint(GOOD, recipient.as_str());
                for warning in warnings(recipient) {
                    text.push_str("  ");
                    text.push_str(&paint(WARN, warning.message(lang)));
                }
                text
            }
            Err(error) => format!("{} {}", paint(BAD, error.code), error.message(lang)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_object_is_a_recipient_or_an_error() {
        let object =
            |address, channel| serde_json::to_value(Verdict::of(address, channel, Lang::En)).unwrap();
        assert_eq!(object("0532 123 45 67", Channel::Message), json!({"recipient": "+905321234567"}));
        assert_eq!(object("Ali@Example.COM", Channel::Email), json!({"recipient": "ali@example.com"}));
        let refused = object("0212 555 00 00", Channel::Message);
        assert_eq!(refused["error"]["code"], "landline_for_message");
        assert!(refused["error"]["message"].as_str().unwrap().contains("mobile"));
        assert_eq!(refused.as_object().unwrap().len(), 1);
    }

    #[test]
    fn people_are_told_in_their_language() {
        let refused = Verdict::of("5,32E+09", Channel::Message, Lang::Tr);
        assert!(refused.text(Lang::En).contains("spreadsheet"));
        assert!(refused.text(Lang::Tr).contains("tablolama"));
    }
}
