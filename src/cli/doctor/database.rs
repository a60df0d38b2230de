//! The database: whether it answers, whether its schema is ours, and whether the master key belongs to it.

use kopru_domain::Text;
use kopru_store::sql::Statement;
use kopru_store::{Db, Dialect, PoolSizes, StoreError, Vault};

use super::{Finding, chain, place};
use crate::bootstrap::App;
use crate::cli::serve::clock;
use crate::clocks::Clocks;
use crate::config::{Config, master_key};
use crate::lifecycle::Lifecycle;

/// The table is the migrator's, not ours: no module of the store has it.
static APPLIED: Statement =
    Statement::new("SELECT version FROM _sqlx_migrations WHERE success ORDER BY version");

/// Looks at the database; hands the program's parts on where all of it is sound.
pub(super) async fn examine(config: &Config) -> (Option<App>, Vec<Finding>) {
    let url = config.database_url();
    let shown = config.database.redacted_url().unwrap_or_else(|| url.clone());
    // Opening would make the file.
    if config.sqlite_file().is_some_and(|file| !file.exists()) {
        let text = Text::new(
            format!("{shown} henüz yok, ilk çalıştırmada oluşturulur"),
            format!("{shown} is not there yet and is made at the first start"),
        );
        return (None, vec![Finding::ok("database", text)]);
    }
    let db = match Db::connect(&url, PoolSizes { connections: 2 }).await {
        Ok(db) => db,
        Err(error) => return (None, vec![unreachable(&shown, &error)]),
    };
    let mut findings = vec![Finding::ok("database", Text::new(shown.clone(), shown))];
    let sound = inspect(config, &db, &mut findings).await;
    db.close().await;
    if !sound {
        return (None, findings);
    }
    let clocks = Clocks::default();
    // A sandbox that does not answer is told by the checks of the registry.
    drop(clock::adopt(config, &clocks).await);
    let mut config = config.clone();
    config.database.migrate = false;
    match App::start(config, clocks, Lifecycle::new()).await {
        Ok(app) => {
            findings.extend(stored_calendar(&app));
            (Some(app), findings)
        }
        Err(error) => {
            let text = chain(&*Box::<dyn std::error::Error + Send + Sync>::from(error));
            findings.push(Finding::fail("start", Text::new(text.clone(), text)));
            (None, findings)
        }
    }
}

fn unreachable(shown: &str, error: &StoreError) -> Finding {
    let error = chain(error);
    Finding::fail("database", Text::new(format!("{shown}: {error}"), format!("{shown}: {error}"))).advise(
        "veritabanı çalışıyor mu, adres ve parola doğru mu (database.url)?",
        "is the database running, are its address and password right (database.url)?",
    )
}

/// Whether schema and key are as they should be.
async fn inspect(config: &Config, db: &Db, findings: &mut Vec<Finding>) -> bool {
    let schema = match applied(db).await {
        Ok(versions) => schema(db.dialect(), &versions),
        Err(_) => {
            Finding::fail("schema", Text::fixed("veritabanında şema yok", "the database has no schema"))
                .advise(
                    "`kopru migrate` ya da `kopru serve` çalıştırın",
                    "run `kopru migrate` or `kopru serve`",
                )
        }
    };
    let current = schema.status == super::Status::Ok;
    findings.push(schema);
    if !current {
        return false;
    }
    let key = key(config, db).await;
    let fits = key.status != super::Status::Fail;
    findings.push(key);
    fits
}

async fn applied(db: &Db) -> Result<Vec<i64>, StoreError> {
    let mut tx = db.read().await?;
    tx.rows(&APPLIED, Vec::new()).await?.iter().map(|row| row.get(0)).collect()
}

fn schema(dialect: Dialect, applied: &[i64]) -> Finding {
    let [sqlite, postgres] = Db::migrations();
    let ours = match dialect {
        Dialect::Sqlite => sqlite,
        Dialect::Postgres => postgres,
    };
    let missing = ours.iter().filter(|(version, _)| !applied.contains(version)).count();
    let newer = applied.iter().filter(|version| !ours.iter().any(|(known, _)| known == *version)).count();
    let last = applied.last().copied().unwrap_or_default();
    if newer > 0 {
        let text = Text::new(
            format!("şema bu programdan yeni ({newer} bilinmeyen adım, son sürüm {last})"),
            format!("the schema is newer than this program ({newer} unknown steps, last version {last})"),
        );
        return Finding::fail("schema", text).advise("programı güncelleyin", "upgrade the program");
    }
    if missing > 0 {
        let text =
            Text::new(format!("{missing} adım uygulanmamış"), format!("{missing} steps are not applied"));
        return Finding::fail("schema", text).advise("`kopru migrate` çalıştırın", "run `kopru migrate`");
    }
    Finding::ok("schema", Text::new(format!("güncel, sürüm {last}"), format!("up to date, version {last}")))
}

async fn key(config: &Config, db: &Db) -> Finding {
    let check = "master key";
    let existing = match db.read().await {
        Ok(mut tx) => Vault::master_key_id(&mut tx).await,
        Err(error) => Err(error),
    };
    let existing = match existing {
        Ok(Some(id)) => id,
        Ok(None) => {
            return Finding::ok(
                check,
                Text::fixed("ilk çalıştırmada oluşturulur", "is made or taken over at the first start"),
            );
        }
        Err(error) => {
            let text = chain(&error);
            return Finding::fail(check, Text::new(text.clone(), text));
        }
    };
    // With an id at hand no key is ever made here.
    match master_key(config, Some(existing.clone())) {
        Ok(key) if key.id() == existing => beside_the_database(config, &existing),
        Ok(key) => {
            let text = Text::new(
                format!("veritabanı {existing} anahtarıyla yazılmış, ayardaki anahtar {}", key.id()),
                format!("the database was written with key {existing}, the settings hold key {}", key.id()),
            );
            Finding::fail(check, text).advise(
                "doğru anahtarı yedeğinizden geri koyun (security.master_key_file)",
                "put the right key back from your backup (security.master_key_file)",
            )
        }
        Err(error) => Finding::fail(check, Text::new(error.turkish(), error.to_string())).advise(
            "anahtarı yedeğinizden geri koyun; onsuz kişisel veriler okunamaz",
            "put the key back from your backup; without it personal data cannot be read",
        ),
    }
}

fn beside_the_database(config: &Config, id: &str) -> Finding {
    let fits = Text::new(format!("{id}, veritabanına uyuyor"), format!("{id}, belongs to the database"));
    if config.security.master_key.is_some() || !config.is_sqlite() {
        return Finding::ok("master key", fits);
    }
    let text = Text::new(
        format!("{}; ama veritabanıyla aynı klasörde", fits.tr),
        format!("{}; but it lies in the same folder", fits.en),
    );
    Finding::warn("master key", text).advise(
        "anahtarı ayrı yedekleyin: onsuz yedek okunamaz, onunla birlikte duran yedek korunmamış olur",
        "back the key up apart: without it a backup cannot be read, and beside it a backup is not protected",
    )
}

/// The calendar in force, where the operator has replaced the built-in one.
fn stored_calendar(app: &App) -> Option<Finding> {
    let replaced = app.calendar.version() != kopru_domain::BusinessCalendar::builtin().version();
    replaced.then(|| place::calendar(&app.calendar, kopru_domain::time::local(app.clocks.wire()).date()))
}

#[cfg(test)]
mod tests {
    use super::super::Status;
    use super::*;

    #[test]
    fn the_schema_is_compared_with_what_the_program_knows() {
        let [known, _] = Db::migrations();
        let all: Vec<i64> = known.iter().map(|(version, _)| *version).collect();
        assert_eq!(schema(Dialect::Sqlite, &all).status, Status::Ok);
        assert_eq!(schema(Dialect::Sqlite, &all[1..]).status, Status::Fail);
        let newer: Vec<i64> = all.iter().copied().chain([99_990_101_000_000]).collect();
        assert!(schema(Dialect::Sqlite, &newer).text.en.contains("newer"));
    }
}
