//! `kopru migrate`: brings the schema up to date without starting anything.

use std::process::ExitCode;

use kopru_domain::Text;
use kopru_store::{Db, Dialect, PoolSizes};
use serde_json::json;

use super::{Failure, Global, Output, admin, block_on};

pub(super) fn run(global: &Global, output: Output) -> Result<ExitCode, Failure> {
    let config = global.load_quietly()?;
    admin::prepare(&config)?;
    block_on(async {
        let db = Db::connect(&config.database_url(), PoolSizes { connections: 2 }).await?;
        let outcome = db.migrate().await;
        db.close().await;
        outcome?;
        let [sqlite, postgres] = Db::migrations();
        let (name, migrations) = match db.dialect() {
            Dialect::Sqlite => ("sqlite", sqlite),
            Dialect::Postgres => ("postgres", postgres),
        };
        let version = migrations.last().map(|(version, _)| *version).unwrap_or_default();
        if output.is_json() {
            output.object(&json!({"database": name, "version": version}))?;
        } else {
            let text = Text::new(
                format!("{name}: şema güncel, sürüm {version}"),
                format!("{name}: the schema is up to date, version {version}"),
            );
            output.line(text.get(output.lang()))?;
        }
        Ok(ExitCode::SUCCESS)
    })
}
