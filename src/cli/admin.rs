//! What the commands that work on the database have in common: opening it, and showing what the services answer.

use std::io::BufRead as _;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use kopru_domain::{Lang, Text};
use serde::Serialize;
use serde_json::{Map, Value};

use super::output::{BAD, DIM, STRONG, paint};
use super::serve::clock;
use super::{Failure, Global, Output, block_on, labels, trial};
use crate::bootstrap::App;
use crate::clocks::Clocks;
use crate::config::{Config, files};
use crate::lifecycle::Lifecycle;
use crate::service::Caller;

/// Tasks of a short command have nothing left to do when it is through.
const CLOSE: Duration = Duration::from_secs(5);

/// Whether a command may make the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Database {
    /// There is nothing for it to do where none is: a slip in the path would look like an empty installation.
    Existing,
    /// What it adds stands first in an installation.
    MayBeNew,
}

/// Runs a piece of work on the database that is there, beside a server that may be running.
pub(super) fn with_app<T>(
    global: &Global,
    work: impl AsyncFnOnce(&App) -> Result<T, Failure>,
) -> Result<T, Failure> {
    with_database(global, Database::Existing, work)
}

/// Runs a piece of work on the database, beside a server that may be running.
pub(super) fn with_database<T>(
    global: &Global,
    database: Database,
    work: impl AsyncFnOnce(&App) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let mut config = global.load_quietly()?;
    match config.sqlite_file().filter(|file| !file.exists()) {
        Some(file) if database == Database::Existing => return Err(missing(&file)),
        _ => prepare(&config)?,
    }
    block_on(async {
        let clocks = Clocks::default();
        trial::join(&mut config, &clocks).await;
        if clock::adopt(&config, &clocks).await.is_err() {
            tracing::warn!("the sandbox's clock does not answer; going by this machine's");
        }
        let app = App::start(config, clocks, Lifecycle::new()).await?;
        let outcome = work(&app).await;
        close(&app, CLOSE).await;
        outcome
    })
}

fn missing(file: &Path) -> Failure {
    let file = file.display();
    let message = Text::new(
        format!(
            "{file} veritabanı yok; data_dir ve database.url ayarlarını denetleyin, yenisini `kopru migrate` oluşturur"
        ),
        format!(
            "there is no database {file}; check data_dir and database.url, `kopru migrate` makes a new one"
        ),
    );
    Failure::new("no_database", message)
}

/// Makes the data folder and a SQLite database's file, for their owner alone.
pub(super) fn prepare(config: &Config) -> Result<(), Failure> {
    let unusable = |path: &Path, error: std::io::Error| {
        let path = path.display();
        let message = Text::new(
            format!("{path} oluşturulamadı; data_dir ve database.url ayarlarını denetleyin"),
            format!("{path} cannot be made; check data_dir and database.url"),
        );
        Failure::new("data_dir", message).because(error)
    };
    files::make_private_dir(&config.data_dir).map_err(|error| unusable(&config.data_dir, error))?;
    let Some(file) = config.sqlite_file().filter(|file| !file.exists()) else { return Ok(()) };
    // SQLite takes an empty file for a new database, and gives its own companions the same mode.
    files::write_new_private(&file, b"").map(drop).map_err(|error| unusable(&file, error))
}

/// The text of a file, or of standard input for `-`.
pub(super) fn read_file(path: &Path) -> std::io::Result<String> {
    if path.as_os_str() == "-" {
        std::io::read_to_string(std::io::stdin())
    } else {
        std::fs::read_to_string(path)
    }
}

/// The lines of standard input; one that is no text does not end the rest.
pub(super) fn lines() -> impl Iterator<Item = Result<Result<String, Text>, Failure>> {
    std::io::stdin().lock().split(b'\n').map(|line| {
        let mut line = line.map_err(|error| {
            Failure::new("input", Text::fixed("girdi okunamadı", "the input cannot be read")).because(error)
        })?;
        line.pop_if(|last| *last == b'\r');
        Ok(String::from_utf8(line).map_err(|_| Text::fixed("satır UTF-8 değil", "the line is not UTF-8")))
    })
}

/// What is said of a line that is no text.
pub(super) fn show_unreadable(output: Output, message: &Text) -> Result<(), Failure> {
    let message = message.get(output.lang());
    if output.is_json() {
        return output.object(&serde_json::json!({"error": {"code": "not_utf8", "message": message}}));
    }
    output.line(format!("{} {message}", paint(BAD, "not_utf8")))
}

/// Stops what runs, waits for it and closes the database; false when something was cut off.
pub(super) async fn close(app: &App, timeout: Duration) -> bool {
    app.lifecycle.stop();
    let drained = app.lifecycle.drained(timeout).await;
    app.db.close().await;
    drained
}

/// The person at the terminal may do everything.
pub(super) fn caller(lang: Lang) -> Caller {
    Caller { lang, ..Caller::system("cli") }
}

/// Shows what a service answered: the same object that the API gives, or its fields for people, these ones first.
pub(super) fn show(output: Output, first: &[&str], object: &impl Serialize) -> Result<ExitCode, Failure> {
    if output.is_json() {
        output.object(object)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut rest = fields(object)?;
    let first = first.iter().filter_map(|name| Some(((*name).to_owned(), rest.remove(*name)?)));
    let ordered: Vec<(String, Value)> = first.collect();
    for (name, value) in ordered.into_iter().chain(rest).flat_map(|(name, value)| parts(name, value)) {
        let text = match &value {
            Value::String(word) if name == "who" => labels::actor(word, output.lang()).to_owned(),
            value => cell(value, output.lang()),
        };
        output.line(entry(&name, &text, output.lang()))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A value; of an object that has no state each part.
fn parts(name: String, value: Value) -> Vec<(String, Value)> {
    match value {
        Value::Object(fields) if !fields.contains_key("state") => {
            fields.into_iter().flat_map(|(part, value)| parts(format!("{name}.{part}"), value)).collect()
        }
        value => vec![(name, value)],
    }
}

/// A name as people read it, and what it is.
pub(super) fn entry(name: &str, text: &str, lang: Lang) -> String {
    format!("{} {text}", paint(DIM, format!("{:<20}", labels::label(name, lang))))
}

/// Shows a list: one object a line, or a table of these fields for people.
pub(super) fn show_all<T: Serialize>(
    output: Output,
    columns: &[&str],
    items: &[T],
) -> Result<ExitCode, Failure> {
    if output.is_json() {
        for item in items {
            output.object(item)?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    let mut rows = vec![columns.iter().map(|name| labels::label(name, output.lang())).collect::<Vec<_>>()];
    for item in items {
        let fields = fields(item)?;
        rows.push(
            columns
                .iter()
                .map(|name| cell(fields.get(*name).unwrap_or(&Value::Null), output.lang()))
                .collect(),
        );
    }
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let widths: Vec<usize> = (0..columns.len()).map(width).collect();
    for (number, row) in rows.iter().enumerate() {
        let cells: Vec<_> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        let line = cells.join("  ");
        output.line(if number == 0 { paint(STRONG, line.trim_end()) } else { line.trim_end().to_owned() })?;
    }
    Ok(ExitCode::SUCCESS)
}

fn fields(object: &impl Serialize) -> Result<Map<String, Value>, Failure> {
    match serde_json::to_value(object) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(other) => Ok(Map::from_iter([("value".to_owned(), other)])),
        Err(error) => Err(Failure::output(error.into())),
    }
}

pub(super) fn cell(value: &Value, lang: Lang) -> String {
    match (value, lang) {
        (Value::Null, _) => "-".to_owned(),
        (Value::Bool(true), Lang::En) => "yes".to_owned(),
        (Value::Bool(true), Lang::Tr) => "evet".to_owned(),
        (Value::Bool(false), Lang::En) => "no".to_owned(),
        (Value::Bool(false), Lang::Tr) => "hayır".to_owned(),
        (Value::String(text), _) => text.clone(),
        (Value::Array(items), _) if items.is_empty() => "-".to_owned(),
        (Value::Array(items), _) => items.iter().map(|item| cell(item, lang)).collect::<Vec<_>>().join(", "),
        // Of what became of something, how far it got
        (Value::Object(fields), _) if fields.contains_key("state") => cell(&fields["state"], lang),
        (other, _) => other.to_string(),
    }
}

/// A line for people about what was done; programs get an object with the same meaning.
pub(super) fn done(
    output: Output,
    action: &str,
    subject: impl std::fmt::Display,
    text: &Text,
) -> Result<ExitCode, Failure> {
    if output.is_json() {
        output.object(&serde_json::json!({"done": action, "subject": subject.to_string()}))?;
    } else {
        output.line(format!("{subject}: {}", text.get(output.lang())))?;
    }
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The mirror of a brand was shown as JSON.
    #[test]
    fn the_parts_of_an_object_are_entries_of_their_own() {
        let mirror = json!({"asOf": "now", "sweep": {"state": "done", "asked": 7}});
        let names: Vec<_> = parts("mirror".to_owned(), mirror).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["mirror.asOf", "mirror.sweep"]);
    }

    #[test]
    fn cells_read_well() {
        for (value, text) in [
            (json!(null), "-"),
            (json!(true), "yes"),
            (json!("a"), "a"),
            (json!(["a", "b"]), "a, b"),
            (json!([]), "-"),
            (json!(7), "7"),
            (json!({"state": "failed", "code": "27"}), "failed"),
        ] {
            assert_eq!(cell(&value, Lang::En), text);
        }
        assert_eq!(cell(&json!(false), Lang::Tr), "hayır");
    }
}
