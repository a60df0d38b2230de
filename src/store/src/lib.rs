//! Storage for Köprü on SQLite and PostgreSQL: one SQL text for both.
//!
//! Modules are named by table; their functions are plain async functions over a [`Tx`], provider first. They return what
//! they read and decide nothing: rules live in `kopru-domain`, the order of steps in the services.
//!
//! To add a table: write both migrations (same version and name), add a module with its statements inside
//! [`statements!`], list it in [`all_statements`] (and [`all_inserts`]), and cover it in `tests/contract`.

mod crypto;
mod db;
mod dialect;
mod error;
pub mod sql;
mod vault;

pub mod acts;
pub mod audit;
pub mod batches;
pub mod brands;
pub mod budgets;
pub mod calendars;
pub mod calls;
pub mod changes;
pub mod circuits;
pub mod consents;
pub mod cursors;
pub mod daily_differences;
pub mod daily_reports;
pub mod deliveries;
pub mod endpoints;
pub mod form_posts;
pub mod forms;
pub mod heads;
pub mod holds;
pub mod idempotency;
pub mod ids;
pub mod inbound;
pub mod jobs;
pub mod key_states;
pub mod keys;
pub mod keywords;
pub mod leases;
pub mod links;
pub mod messages;
pub mod opt_ins;
pub mod outcomes;
pub mod permissions;
pub mod providers;
pub mod push;
pub mod retailers;
pub mod rights;
pub mod senders;
pub mod sessions;
mod sqlite;
mod steps;
pub mod submissions;
pub mod subscriptions;
pub mod sweeps;
pub mod texts;
pub mod via;
pub mod via_processes;
pub mod wake;

pub use crypto::{Key, MasterKey, ProviderKeys, random};
pub use db::{Db, PoolSizes, Priority, Tx};
pub use dialect::{Dialect, Insert};
pub use error::{Result, StoreError};
pub use sqlite::Unflushed;
pub use steps::Step;
pub use vault::Vault;

use chrono::{DateTime, Utc};
use uuid::Uuid;

/// Who claims, and until when the claim holds (wire time).
#[derive(Debug, Clone, Copy)]
pub struct Claim {
    /// This process start and worker.
    pub by: Uuid,
    /// After this instant the work is anybody's again.
    pub until: DateTime<Utc>,
}

/// Every statement of the store by module and name, for the test that prepares them all.
pub fn all_statements() -> Vec<(&'static str, &'static str, &'static sql::Statement)> {
    let modules: Vec<(&str, &[(&'static str, &'static sql::Statement)])> = vec![
        ("acts", acts::STATEMENTS),
        ("audit", audit::STATEMENTS),
        ("batches", batches::STATEMENTS),
        ("brands", brands::STATEMENTS),
        ("budgets", budgets::STATEMENTS),
        ("calendars", calendars::STATEMENTS),
        ("calls", calls::STATEMENTS),
        ("changes", changes::STATEMENTS),
        ("circuits", circuits::STATEMENTS),
        ("consents", consents::STATEMENTS),
        ("cursors", cursors::STATEMENTS),
        ("daily_differences", daily_differences::STATEMENTS),
        ("daily_reports", daily_reports::STATEMENTS),
        ("deliveries", deliveries::STATEMENTS),
        ("endpoints", endpoints::STATEMENTS),
        ("form_posts", form_posts::STATEMENTS),
        ("forms", forms::STATEMENTS),
        ("heads", heads::STATEMENTS),
        ("holds", holds::STATEMENTS),
        ("idempotency", idempotency::STATEMENTS),
        ("inbound", inbound::STATEMENTS),
        ("jobs", jobs::STATEMENTS),
        ("keys", keys::STATEMENTS),
        ("keywords", keywords::STATEMENTS),
        ("leases", leases::STATEMENTS),
        ("links", links::STATEMENTS),
        ("messages", messages::STATEMENTS),
        ("opt_ins", opt_ins::STATEMENTS),
        ("outcomes", outcomes::STATEMENTS),
        ("permissions", permissions::STATEMENTS),
        ("providers", providers::STATEMENTS),
        ("push", push::STATEMENTS),
        ("retailers", retailers::STATEMENTS),
        ("rights", rights::STATEMENTS),
        ("senders", senders::STATEMENTS),
        ("sessions", sessions::STATEMENTS),
        ("submissions", submissions::STATEMENTS),
        ("queue", submissions::QUEUE_STATEMENTS),
        ("sweeps", sweeps::STATEMENTS),
        ("subscriptions", subscriptions::STATEMENTS),
        ("texts", texts::STATEMENTS),
        ("vault", vault::STATEMENTS),
        ("via", via::STATEMENTS),
        ("via_processes", via_processes::STATEMENTS),
    ];
    modules
        .into_iter()
        .flat_map(|(module, list)| list.iter().map(move |(name, statement)| (module, *name, *statement)))
        .collect()
}

/// Every bulk insert of the store by module and name, for the same test.
pub fn all_inserts() -> Vec<(&'static str, &'static str, &'static Insert)> {
    let modules: Vec<(&str, &[(&'static str, &'static Insert)])> = vec![
        ("acts", acts::INSERTS),
        ("audit", audit::INSERTS),
        ("calls", calls::INSERTS),
        ("changes", changes::INSERTS),
        ("consents", consents::INSERTS),
        ("daily_differences", daily_differences::INSERTS),
        ("daily_reports", daily_reports::INSERTS),
        ("deliveries", deliveries::INSERTS),
        ("form_posts", form_posts::INSERTS),
        ("idempotency", idempotency::INSERTS),
        ("links", links::INSERTS),
        ("messages", messages::INSERTS),
        ("outcomes", outcomes::INSERTS),
        ("permissions", permissions::INSERTS),
        ("push", push::INSERTS),
        ("retailers", retailers::INSERTS),
        ("submissions", submissions::INSERTS),
    ];
    modules
        .into_iter()
        .flat_map(|(module, list)| list.iter().map(move |(name, insert)| (module, *name, *insert)))
        .collect()
}
