//! Secrets and their `_file` twins.

use std::path::Path;

use secrecy::SecretString;

use super::ConfigError;

/// The value itself or what its file holds, line end cut off. Both at once is an error: it would be left open which one counts.
pub(super) fn twin(
    key: &'static str,
    value: Option<SecretString>,
    file: Option<&Path>,
) -> Result<Option<SecretString>, ConfigError> {
    let Some(path) = file else { return Ok(value) };
    if value.is_some() {
        return Err(ConfigError::Twins { key });
    }
    of_file(key, path).map(Some)
}

/// What a file holds, line end cut off.
pub(super) fn of_file(key: &'static str, path: &Path) -> Result<SecretString, ConfigError> {
    let text = std::fs::read_to_string(path).map_err(|source| ConfigError::SecretFile {
        key,
        path: path.to_owned(),
        source,
    })?;
    match text.trim_end_matches(['\r', '\n']) {
        "" => Err(ConfigError::SecretEmpty { key, path: path.to_owned() }),
        secret => Ok(SecretString::from(secret)),
    }
}
