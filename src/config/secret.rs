//! Secrets and their `_file` twins.

use std::path::Path;

use kopru_domain::Text;
use secrecy::SecretString;

use super::Problem;

/// Reads the value from its file where one is named. Both at once is a mistake: it would be left open which one counts. What
/// cannot be read counts as set, so that no other rule misses it.
pub(super) fn twin(
    key: &'static str,
    value: &mut Option<SecretString>,
    file: Option<&Path>,
    problems: &mut Vec<Problem>,
) {
    let Some(path) = file else { return };
    if value.is_some() {
        let message = Text::new(
            format!("{key}_file da verilmiş; birini bırakın"),
            format!("{key}_file is set too; keep one of them"),
        );
        problems.push(Problem::new(key, message));
        return;
    }
    *value = Some(of_file(key, path).unwrap_or_else(|problem| {
        problems.push(problem);
        SecretString::default()
    }));
}

/// What a file holds, line end cut off.
pub(super) fn of_file(key: &'static str, path: &Path) -> Result<SecretString, Problem> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).map_err(|error| {
        let message = Text::new(
            format!("{key}_file: {shown} okunamadı: {error}"),
            format!("{key}_file: {shown} cannot be read: {error}"),
        );
        Problem::new(key, message)
    })?;
    match text.trim_end_matches(['\r', '\n']) {
        "" => {
            let message =
                Text::new(format!("{key}_file: {shown} boş"), format!("{key}_file: {shown} is empty"));
            Err(Problem::new(key, message))
        }
        secret => Ok(SecretString::from(secret)),
    }
}
