//! Where settings come from, and how a variable becomes a value.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

use figment::error::Kind;
use figment::providers::{Format as _, Toml};
use figment::value::{Dict, Map, Num, Value};
use figment::{Figment, Metadata, Profile, Provider, Source};
use kopru_domain::Text;

use super::{Config, ConfigError, Problem, value};

/// The reference: every key with its default and a comment.
pub const REFERENCE: &str = include_str!("../config.default.toml");

/// The reference with its comments in Turkish; the lines without comments are the same.
pub const REFERENCE_TR: &str = include_str!("../config.default.tr.toml");

const PREFIX: &str = "KOPRU__";
/// How a variable is called as the origin of a value.
const VARIABLE: &str = "environment variable";

/// Reads all sources over each other; no secrets from files, no cross-checks yet. The reader stops at the first value that has
/// the wrong form: it is told, left out, and the rest read again, until all of them are told.
pub(super) fn read<N: Into<OsString>, V: Into<OsString>>(
    path: Option<&Path>,
    environment: impl IntoIterator<Item = (N, V)>,
) -> Result<(Config, Vec<Problem>), ConfigError> {
    let reference = Figment::new().merge(Toml::string(REFERENCE));
    if let Some(path) = path {
        // Read here first, because a missing file is no error to the library.
        std::fs::read_to_string(path).map_err(|error| ConfigError(vec![unreadable(path, &error)]))?;
    }
    let (variables, mut problems) = variables(environment, &reference);
    let mut wrong: Vec<Vec<String>> = Vec::new();
    loop {
        let mut figment = reference.clone();
        if let Some(path) = path {
            figment = figment.merge(Without { source: Toml::file_exact(path), keys: &wrong });
        }
        for variable in &variables {
            figment = figment.merge(Without { source: variable, keys: &wrong });
        }
        let errors = match figment.extract() {
            Ok(config) => return Ok((config, problems)),
            Err(errors) => errors,
        };
        for error in errors {
            problems.push(problem(&error));
            // A file that is no TOML has no keys that could be left out.
            if error.path.is_empty() || wrong.contains(&error.path) {
                return Err(ConfigError(problems));
            }
            wrong.push(error.path);
        }
    }
}

fn unreadable(path: &Path, error: &std::io::Error) -> Problem {
    let path = path.display();
    let message = Text::new(
        format!("{path} ayar dosyası okunamadı: {error}"),
        format!("the configuration file {path} cannot be read: {error}"),
    );
    Problem::new("", message)
}

/// The variables with our prefix, sorted by name, so that the outcome does not depend on the environment's order; and those
/// that are no text.
fn variables<N: Into<OsString>, V: Into<OsString>>(
    environment: impl IntoIterator<Item = (N, V)>,
    reference: &Figment,
) -> (Vec<Variable>, Vec<Problem>) {
    let ours: BTreeMap<String, OsString> = environment
        .into_iter()
        .filter_map(|(name, value)| Some((name.into().into_string().ok()?, value.into())))
        .filter(|(name, _)| name.starts_with(PREFIX))
        .collect();
    let (mut variables, mut problems) = (Vec::new(), Vec::new());
    for (name, value) in ours {
        match value.into_string() {
            Ok(value) => variables.push(Variable::new(name, &value, reference)),
            Err(_) => {
                let message = Text::new(
                    format!("değer UTF-8 değil (ortam değişkeni {name})"),
                    format!("the value is not UTF-8 (environment variable {name})"),
                );
                problems.push(Problem::new(key_of(&name), message));
            }
        }
    }
    (variables, problems)
}

/// A source without these keys.
struct Without<'a, P> {
    source: P,
    keys: &'a [Vec<String>],
}

impl<P: Provider> Provider for Without<'_, P> {
    fn metadata(&self) -> Metadata {
        self.source.metadata()
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        let mut data = self.source.data()?;
        for dict in data.values_mut() {
            self.keys.iter().for_each(|key| take_out(dict, key));
        }
        Ok(data)
    }
}

fn take_out(dict: &mut Dict, key: &[String]) {
    let Some((first, rest)) = key.split_first() else { return };
    match dict.get_mut(first) {
        Some(Value::Dict(_, inner)) if !rest.is_empty() => take_out(inner, rest),
        _ => drop(dict.remove(first)),
    }
}

fn key_of(name: &str) -> String {
    name.strip_prefix(PREFIX).unwrap_or(name).to_ascii_lowercase().replace("__", ".")
}

/// One environment variable as a source of its own, so that an error names it.
struct Variable {
    name: String,
    key: String,
    value: Value,
}

impl Variable {
    fn new(name: String, text: &str, reference: &Figment) -> Self {
        let key = key_of(&name);
        let value = typed(text, reference.find_value(&key).ok().as_ref());
        Self { name, key, value }
    }
}

impl Provider for Variable {
    fn metadata(&self) -> Metadata {
        Metadata::named(format!("{VARIABLE} {}", self.name))
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        let dict = figment::util::nest(&self.key, self.value.clone()).into_dict().unwrap_or_default();
        Ok(Map::from([(Profile::default(), dict)]))
    }
}

/// The text as a value of the reference's type. What does not fit stays a text, and is refused with its key's name later.
fn typed(text: &str, reference: Option<&Value>) -> Value {
    let parsed = match reference {
        Some(Value::Bool(..)) => text.parse::<bool>().ok().map(Value::from),
        Some(Value::Num(_, Num::F32(_) | Num::F64(_))) => text.parse::<f64>().ok().map(Value::from),
        Some(Value::Num(..)) => text.parse::<i64>().ok().map(Value::from),
        Some(Value::Array(..)) if text.trim_start().starts_with('[') => text.parse::<Value>().ok(),
        Some(Value::Array(..)) => {
            let items: Vec<&str> = text.split(',').map(str::trim).filter(|item| !item.is_empty()).collect();
            Some(Value::from(items))
        }
        _ => None,
    };
    parsed.unwrap_or_else(|| Value::from(text))
}

fn problem(error: &figment::Error) -> Problem {
    let (tr, en) = match &error.metadata {
        Some(Metadata { source: Some(Source::File(path)), .. }) => {
            (path.display().to_string(), path.display().to_string())
        }
        Some(metadata) => (metadata.name.replace(VARIABLE, "ortam değişkeni"), metadata.name.to_string()),
        None => ("ayarlar".to_owned(), "configuration".to_owned()),
    };
    let text = wrong(&error.kind);
    Problem::new(
        error.path.join("."),
        Text::new(format!("{} ({tr})", text.tr), format!("{} ({en})", text.en)),
    )
}

/// What is wrong with a value.
fn wrong(kind: &Kind) -> Text {
    match kind {
        Kind::UnknownField(_, known) => {
            let known = known.join(", ");
            Text::new(
                format!("böyle bir ayar yok; olanlar: {known}"),
                format!("there is no such setting; there are {known}"),
            )
        }
        Kind::UnknownVariant(found, known) => {
            let known = known.join(", ");
            Text::new(
                format!("`{found}` olamaz; olabilenler: {known}"),
                format!("`{found}` is none of {known}"),
            )
        }
        Kind::InvalidType(found, expected) | Kind::InvalidValue(found, expected) => Text::new(
            format!("{found} verilmiş, {expected} bekleniyor"),
            format!("found {found}, expected {expected}"),
        ),
        Kind::MissingField(name) => Text::new(format!("`{name}` eksik"), format!("`{name}` is missing")),
        Kind::Message(message) => match message.strip_suffix(value::NO_DURATION.en.as_ref()) {
            Some(text) => Text::new(format!("{text}{}", value::NO_DURATION.tr), message.clone()),
            None => Text::new(format!("kullanılamıyor: {message}"), message.clone()),
        },
        kind => Text::new(format!("kullanılamıyor: {kind}"), kind.to_string()),
    }
}
