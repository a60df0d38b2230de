//! The help in Turkish. clap knows one language: the texts of its commands and arguments are replaced before they are used.

mod commands;
mod options;

use clap::{Arg, Command};

use self::commands::COMMANDS;
use self::options::OPTIONS;

const TEMPLATE: &str = "{about-with-newline}\nKullanım: {usage}\n\n{all-args}{after-help}";

const AFTER_HELP: &str = "\
Denemek için, İYS deneme ortamı aynı süreçte ve her şey ./data içinde:
  kopru serve --sandbox

Ayarlar: derlenmiş varsayılanlar < --config DOSYA < KOPRU__BÖLÜM__AYAR ortam değişkenleri.
`kopru config default` hepsini açıklamasıyla yazar.";

/// The Turkish of an English text; a test sees to it that there is one.
fn text(table: &[(&'static str, &'static str)], english: &str) -> Option<&'static str> {
    table.iter().find(|(en, _)| *en == english).map(|(_, tr)| *tr)
}

/// The commands with their help in Turkish.
pub(super) fn translated(mut command: Command) -> Command {
    // clap adds its own arguments first, whose texts are replaced as well.
    command.build();
    translate(command).after_help(AFTER_HELP)
}

fn translate(command: Command) -> Command {
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    let command = match text(COMMANDS, &about) {
        Some(about) => command.about(about),
        None => command,
    };
    command
        .help_template(TEMPLATE)
        .subcommand_help_heading("Komutlar")
        .subcommand_value_name("KOMUT")
        .mut_args(argument)
        .mut_subcommands(translate)
}

fn argument(argument: Arg) -> Arg {
    let heading = match argument.get_help_heading() {
        Some(_) => "Genel seçenekler",
        None if argument.is_positional() => "Bilgiler",
        None => "Seçenekler",
    };
    let values: Vec<String> = argument
        .get_possible_values()
        .iter()
        .filter_map(|value| {
            let help = text(OPTIONS, &value.get_help()?.to_string())?;
            Some(format!("{}: {help}", value.get_name()))
        })
        .collect();
    let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
    let Some(help) = text(OPTIONS, &help) else { return argument.help_heading(heading) };
    let argument = argument.help_heading(heading).long_help(None);
    if values.is_empty() {
        return argument.help(help);
    }
    argument.hide_possible_values(true).help(format!("{help} ({})", values.join("; ")))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use clap::CommandFactory as _;

    use super::*;
    use crate::cli::Cli;

    /// With `--lang tr` all help was in English.
    #[test]
    fn every_text_of_the_help_is_in_turkish_too_and_no_other() {
        let (mut commands, mut options) = (BTreeSet::new(), BTreeSet::new());
        let mut root = Cli::command();
        root.build();
        let mut stack = vec![root];
        while let Some(command) = stack.pop() {
            commands.extend(command.get_about().map(ToString::to_string));
            for argument in command.get_arguments() {
                options.extend(argument.get_help().map(ToString::to_string));
                for value in argument.get_possible_values() {
                    options.extend(value.get_help().map(ToString::to_string));
                }
            }
            stack.extend(command.get_subcommands().cloned());
        }
        for (used, table) in [(commands, COMMANDS), (options, OPTIONS)] {
            let known: BTreeSet<String> = table.iter().map(|(en, _)| (*en).to_owned()).collect();
            let missing: Vec<_> = used.difference(&known).collect();
            let useless: Vec<_> = known.difference(&used).collect();
            assert!(missing.is_empty() && useless.is_empty(), "missing {missing:#?}, useless {useless:#?}");
            assert_eq!(known.len(), table.len(), "one is there twice");
        }
    }

    #[test]
    fn the_help_is_turkish_throughout() {
        let mut command = translated(Cli::command());
        let help = command.render_long_help().to_string();
        for word in ["Usage", "Commands:", "Options", "Print ", "Run "] {
            assert!(!help.contains(word), "{word}: {help}");
        }
        command.debug_assert();
    }
}
