//! The bridge, the registry sandbox and a webhook receiver, each over real HTTP on free ports.

mod app;
mod database;
mod dice;
mod receiver;
mod registry;

pub use app::{Bridge, Options, consent, kopru, master_key};
pub use database::{Database, TestDatabase};
pub use dice::Dice;
pub use receiver::Receiver;
pub use registry::Registry;

use std::future::Future;

/// What a test has time for: `gate`, or `full` in the full run.
#[expect(clippy::disallowed_methods, reason = "how tests/run says which size it wants")]
pub fn scaled<T>(gate: T, full: T) -> T {
    if std::env::var("KOPRU_TEST_SCALE").is_ok_and(|scale| scale == "full") { full } else { gate }
}

/// Starts a background task of a test.
#[expect(clippy::disallowed_methods, reason = "a test's servers end with its runtime")]
pub fn background(task: impl Future<Output = ()> + Send + 'static) {
    tokio::spawn(task);
}

/// Makes two tests of one: on SQLite and on PostgreSQL.
#[macro_export]
macro_rules! on_both_databases {
    ($(#[$meta:meta])* async fn $name:ident($database:ident: Database) $body:block) => {
        mod $name {
            use super::*;

            async fn run($database: Database) $body

            $(#[$meta])*
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                run(Database::Sqlite).await;
            }

            $(#[$meta])*
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                if let Some(database) = $crate::support::Database::postgres() {
                    run(database).await;
                }
            }
        }
    };
}
