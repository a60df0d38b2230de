//! Load and comparison programs: `cargo run --release -p kopru-bench -- NAME`.
//!
//! A figure without its ceiling says more about the machine than about the program. So each benchmark measures, in turn and
//! on the same machine, what the machine could do at best (the ceiling) and what Köprü does, several times, and prints the
//! medians and the median of the ratios. What is compared with what stands at the head of each file in `names/`.
//!
//! Everything is started here and removed at the end: databases, servers, a private PostgreSQL. All runs of a benchmark use
//! one database, which grows with them.

mod args;
mod bare;
mod bridge;
mod cluster;
mod database;
mod load;
mod meter;
mod mix;
mod names;
mod plain;
mod raw;
mod registry;
mod report;
mod wire;

use std::process::ExitCode;

use clap::Parser as _;

use crate::args::Args;
use crate::report::Report;

/// Much of what one thread allocates another frees (rows and values cross to the database's threads), which this one is good at.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let args = Args::parse();
    let report = Report::new(args.json);
    match names::run(&args, report) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report::failed(&error);
            ExitCode::FAILURE
        }
    }
}
