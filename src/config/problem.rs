//! What is wrong with settings, in both languages and all of it at once.

use std::fmt;

use kopru_domain::{Lang, Text};

/// A setting that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Its key, parts joined by full stops; empty where a whole file cannot be read.
    pub key: String,
    /// What is wrong and what to do.
    pub message: Text,
}

impl Problem {
    pub(super) fn new(key: impl Into<String>, message: Text) -> Self {
        Self { key: key.into(), message }
    }

    fn line(&self, lang: Lang) -> String {
        let message = self.message.get(lang);
        if self.key.is_empty() { message.to_owned() } else { format!("{}: {message}", self.key) }
    }
}

/// Settings that cannot be used: everything that is wrong with them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError(pub Vec<Problem>);

impl ConfigError {
    /// All of it on one line.
    pub fn text(&self) -> Text {
        Text::new(self.line(Lang::Tr), self.line(Lang::En))
    }

    fn line(&self, lang: Lang) -> String {
        self.0.iter().map(|problem| problem.line(lang)).collect::<Vec<_>>().join("; ")
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.line(Lang::En))
    }
}

impl std::error::Error for ConfigError {}
