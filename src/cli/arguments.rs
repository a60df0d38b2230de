//! Reading the arguments: help and mistakes are told in the reader's language, and as JSON where that is asked for.

mod turkish;

use std::error::Error as _;
use std::process::ExitCode;

use clap::error::{ContextKind, ErrorKind};
use clap::{Command, CommandFactory as _, FromArgMatches as _};
use kopru_domain::{Lang, Text};

use super::{Cli, Failure, Output};

impl Cli {
    /// The program's arguments; where they only ask for help, or cannot be read, the answer is given here, and the exit status
    /// returned.
    pub fn read() -> Result<Self, ExitCode> {
        let arguments: Vec<String> =
            std::env::args_os().map(|argument| argument.to_string_lossy().into_owned()).collect();
        let output = wanted(&arguments);
        let mut command = command(output.lang());
        let matches = command.try_get_matches_from_mut(std::env::args_os());
        matches
            .and_then(|matches| Self::from_arg_matches(&matches))
            .map_err(|error| refuse(&error.format(&mut command), output))
    }
}

/// The commands, with their help in a language.
fn command(lang: Lang) -> Command {
    match lang {
        Lang::En => Cli::command(),
        Lang::Tr => turkish::translated(Cli::command()),
    }
}

/// How to answer, before the arguments are understood.
fn wanted(arguments: &[String]) -> Output {
    let options: Vec<&str> =
        arguments.iter().map(String::as_str).take_while(|argument| *argument != "--").collect();
    let after = options.iter().position(|option| *option == "--lang").and_then(|at| options.get(at + 1));
    let given = after.copied().or_else(|| options.iter().find_map(|option| option.strip_prefix("--lang=")));
    let lang = given.map(str::to_owned).or_else(set).and_then(|word| word.parse().ok());
    Output::new(options.contains(&"--json"), lang.unwrap_or(Lang::En))
}

#[expect(
    clippy::disallowed_methods,
    reason = "clap reads the same variable, once the arguments are understood"
)]
fn set() -> Option<String> {
    std::env::var("KOPRU_LANG").ok()
}

/// Tells why there is nothing to carry out.
fn refuse(error: &clap::Error, output: Output) -> ExitCode {
    let asked = matches!(
        error.kind(),
        ErrorKind::DisplayHelp
            | ErrorKind::DisplayVersion
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
    );
    if asked || (output.lang() == Lang::En && !output.is_json()) {
        // The terminal may be gone; the status says the same.
        drop(error.print());
    } else {
        output.fail(&Failure::new("arguments", mistake(error)));
    }
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}

/// What is wrong with the arguments, on one line.
fn mistake(error: &clap::Error) -> Text {
    let rendered = error.render().to_string();
    let en = rendered.split("\n\nUsage:").next().unwrap_or_default();
    let en = en.split("\n\nFor more").next().unwrap_or_default();
    Text::new(turkish_mistake(error), en.trim_start_matches("error: ").trim().to_owned())
}

fn turkish_mistake(error: &clap::Error) -> String {
    let of = |kind| error.get(kind).map(ToString::to_string).filter(|text| !text.is_empty());
    let argument = of(ContextKind::InvalidArg).unwrap_or_default();
    let value = of(ContextKind::InvalidValue);
    let known =
        of(ContextKind::ValidValue).map(|known| format!("; olabilenler: {known}")).unwrap_or_default();
    match error.kind() {
        ErrorKind::UnknownArgument => {
            let meant = of(ContextKind::SuggestedArg).map(|meant| format!("; {meant} mi demek istediniz?"));
            format!("beklenmeyen {argument}{}", meant.unwrap_or_default())
        }
        ErrorKind::InvalidSubcommand => {
            let typed = of(ContextKind::InvalidSubcommand).unwrap_or_default();
            let meant = of(ContextKind::SuggestedSubcommand);
            let meant = meant.map(|meant| format!("; {meant} mi demek istediniz?"));
            format!("böyle bir komut yok: {typed}{}", meant.unwrap_or_default())
        }
        ErrorKind::MissingSubcommand => {
            format!("bir komut eksik; olanlar: {}", of(ContextKind::ValidSubcommand).unwrap_or_default())
        }
        ErrorKind::MissingRequiredArgument => format!("eksik: {argument}"),
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            let why = error.source().map(|source| format!(": {source}")).unwrap_or_default();
            match value {
                Some(value) => format!("{argument}: {value} olamaz{why}{known}"),
                None => format!("{argument}: değer eksik{known}"),
            }
        }
        ErrorKind::ArgumentConflict => {
            let other = of(ContextKind::PriorArg).unwrap_or_default();
            format!("{argument} ile {other} birlikte verilemez")
        }
        kind => format!("{argument}: {}", kind.as_str().unwrap_or("kullanılamıyor")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(arguments: &[&str], lang: Lang) -> String {
        let error = command(lang).try_get_matches_from(arguments).unwrap_err();
        mistake(&error).get(lang).to_owned()
    }

    #[test]
    fn the_answer_s_form_is_known_before_the_arguments_are() {
        let wanted = |words: &[&str]| {
            let output = wanted(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>());
            (output.is_json(), output.lang())
        };
        assert_eq!(wanted(&["kopru", "--json", "nothing", "--lang", "tr"]), (true, Lang::Tr));
        assert_eq!(wanted(&["kopru", "address", "--lang=tr", "--", "--json"]), (false, Lang::Tr));
    }

    /// With `--json` a mistake in the arguments was told as text, and always in English.
    #[test]
    fn mistakes_in_the_arguments_are_one_line_in_both_languages() {
        for (arguments, en, tr) in [
            (&["kopru", "nothing"][..], "unrecognized subcommand 'nothing'", "böyle bir komut yok: nothing"),
            (&["kopru", "doctor", "--x"], "unexpected argument '--x'", "beklenmeyen --x"),
            (&["kopru", "address", "1"], "--type <TYPE>", "eksik: --type <TYPE>"),
            (&["kopru", "address", "1", "--type", "SMS"], "invalid value 'SMS'", "SMS olamaz"),
            (&["kopru", "brand", "show", "x"], "invalid value 'x'", "x olamaz"),
        ] {
            let english = told(arguments, Lang::En);
            assert!(english.contains(en) && !english.contains("Usage"), "{english}");
            let turkish = told(arguments, Lang::Tr);
            assert!(turkish.contains(tr) && !turkish.contains("invalid"), "{turkish}");
        }
    }
}
