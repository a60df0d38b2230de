//! The command line.

use std::time::Duration;

use clap::{Parser, ValueEnum};
use kopru_store::Dialect;

/// Measures Köprü beside the ceiling of the machine it runs on.
#[derive(Debug, Parser)]
#[command(name = "kopru-bench", version)]
pub struct Args {
    /// What to measure
    #[arg(value_enum)]
    pub name: Name,
    /// One JSON object a line on standard output; the text goes to standard error
    #[arg(long)]
    pub json: bool,
    /// On which database
    #[arg(long, value_enum, default_value_t = Which::Both)]
    pub database: Which,
    /// How long each side of a run is measured; sizes of work follow it
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=600))]
    pub seconds: u32,
    /// Paired runs; what is printed is their median
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub runs: u32,
    /// intake-single: every request carries an Idempotency-Key of its own
    #[arg(long)]
    pub idempotent: bool,
}

/// The benchmarks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Name {
    /// Durable single consents a second over HTTP
    IntakeSingle,
    /// Consents a second in chunks of 1 000, in process and over HTTP
    IntakeBatch,
    /// Consents filed into the registry sandbox, and use of the allowed request budget
    Submit,
    /// Signed webhooks a second to a local receiver
    Deliver,
    /// Memory, start time and size of the program
    Footprint,
    /// All of them
    All,
}

/// The databases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Which {
    /// SQLite alone
    Sqlite,
    /// PostgreSQL alone
    Postgres,
    /// One after the other
    Both,
}

impl Args {
    /// How long each side of a run is measured.
    pub fn duration(&self) -> Duration {
        Duration::from_secs(u64::from(self.seconds))
    }

    /// The databases asked for.
    pub fn dialects(&self) -> &'static [Dialect] {
        match self.database {
            Which::Sqlite => &[Dialect::Sqlite],
            Which::Postgres => &[Dialect::Postgres],
            Which::Both => &[Dialect::Sqlite, Dialect::Postgres],
        }
    }
}
