//! Where settings come from, and how a variable becomes a value.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

use figment::error::Kind;
use figment::providers::{Format as _, Toml};
use figment::value::{Dict, Map, Num, Value};
use figment::{Figment, Metadata, Profile, Provider, Source};

use super::{Config, ConfigError, ValueProblem};

/// The reference: every key with its default and a comment.
pub const REFERENCE: &str = include_str!("../config.default.toml");

/// The reference with its comments in Turkish; the lines without comments are the same.
pub const REFERENCE_TR: &str = include_str!("../config.default.tr.toml");

const PREFIX: &str = "KOPRU__";

/// Reads all sources over each other; no secrets from files, no cross-checks yet.
pub(super) fn read<N: Into<OsString>, V: Into<OsString>>(
    path: Option<&Path>,
    environment: impl IntoIterator<Item = (N, V)>,
) -> Result<Config, ConfigError> {
    let reference = Figment::new().merge(Toml::string(REFERENCE));
    let mut figment = reference.clone();
    if let Some(path) = path {
        // Read here first, because a missing file is no error to the library.
        std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
        figment = figment.merge(Toml::file_exact(path));
    }
    for (name, value) in variables(environment)? {
        figment = figment.merge(Variable::new(name, &value, &reference));
    }
    figment.extract().map_err(|errors| ConfigError::Values(errors.into_iter().map(|e| problem(&e)).collect()))
}

/// The variables with our prefix, sorted by name, so that the outcome does not depend on the environment's order.
fn variables<N: Into<OsString>, V: Into<OsString>>(
    environment: impl IntoIterator<Item = (N, V)>,
) -> Result<BTreeMap<String, String>, ConfigError> {
    environment
        .into_iter()
        .filter_map(|(name, value)| Some((name.into().into_string().ok()?, value.into())))
        .filter(|(name, _)| name.starts_with(PREFIX))
        .map(|(name, value)| match value.into_string() {
            Ok(value) => Ok((name, value)),
            Err(_) => Err(ConfigError::Values(vec![ValueProblem {
                key: key_of(&name),
                origin: format!("environment variable {name}"),
                message: "the value is not UTF-8".to_owned(),
            }])),
        })
        .collect()
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
        Metadata::named(format!("environment variable {}", self.name))
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

fn problem(error: &figment::Error) -> ValueProblem {
    let origin = match &error.metadata {
        Some(Metadata { source: Some(Source::File(path)), .. }) => path.display().to_string(),
        Some(metadata) => metadata.name.to_string(),
        None => "configuration".to_owned(),
    };
    let message = match &error.kind {
        Kind::UnknownField(_, known) => format!("there is no such setting; there are {}", known.join(", ")),
        kind => kind.to_string(),
    };
    ValueProblem { key: error.path.join("."), origin, message }
}
