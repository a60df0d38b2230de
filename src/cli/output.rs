//! How commands answer.

use std::io::{self, Write};
use std::process::ExitCode;

use anstyle::{AnsiColor, Style};
use kopru_domain::Lang;
use serde::Serialize;

use super::Failure;

/// Headlines and names.
pub(crate) const STRONG: Style = Style::new().bold();
/// What is well.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
/// What deserves a look.
pub(crate) const WARN: Style = AnsiColor::Yellow.on_default().bold();
/// What is wrong.
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
/// What is less important.
pub(crate) const DIM: Style = Style::new().dimmed();

/// Puts a style around a text. Where standard output is no terminal, the codes are taken out again on the way.
pub(crate) fn paint(style: Style, text: impl std::fmt::Display) -> String {
    format!("{style}{text}{style:#}")
}

fn write_line(mut to: impl Write, text: &str) -> io::Result<()> {
    writeln!(to, "{text}")?;
    to.flush()
}

/// An answer: an object for programs, a text for people.
pub trait Report: Serialize {
    /// The answer for people, without a line end.
    fn text(&self, lang: Lang) -> String;
}

/// Where and how a call answers.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    json: bool,
    lang: Lang,
}

impl Output {
    /// Answers as JSON or in a language.
    pub fn new(json: bool, lang: Lang) -> Self {
        Self { json, lang }
    }

    /// Whether programs read the answer.
    pub fn is_json(self) -> bool {
        self.json
    }

    /// The language of texts.
    pub fn lang(self) -> Lang {
        self.lang
    }

    /// Gives an answer.
    pub fn show(self, report: &impl Report) -> Result<(), Failure> {
        if self.json { self.object(report) } else { self.line(report.text(self.lang)) }
    }

    /// Writes one JSON object on a line.
    pub(crate) fn object(self, value: &impl Serialize) -> Result<(), Failure> {
        let text = serde_json::to_string(value).map_err(|error| Failure::output(error.into()))?;
        self.line(text)
    }

    /// Writes a line as it is, colours included where a terminal shows them.
    pub(crate) fn line(self, text: impl AsRef<str>) -> Result<(), Failure> {
        let text = text.as_ref();
        let outcome = if self.json {
            // Past the filter for colours, which would take out what looks like one in the data.
            write_line(io::stdout().lock(), text)
        } else {
            write_line(anstream::stdout().lock(), text)
        };
        match outcome {
            // The reader has seen enough (`kopru … | head`): that is no failure.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => std::process::exit(0),
            outcome => outcome.map_err(Failure::output),
        }
    }

    /// Says on standard error why the command failed; returns the program's exit status.
    pub fn fail(self, failure: &Failure) -> ExitCode {
        if self.json {
            eprintln!("{}", failure.to_json(self.lang));
        } else {
            let word = if self.lang == Lang::Tr { "hata:" } else { "error:" };
            anstream::eprintln!("{} {}", paint(BAD, word), failure.line(self.lang));
        }
        ExitCode::FAILURE
    }
}
