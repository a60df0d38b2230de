//! The benchmarks, one file each. To add one: a file here, a word in [`Name`], a line in [`run`].

mod deliver;
mod footprint;
mod intake_batch;
mod intake_single;
mod submit;

use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use kopru::config::Config;
use kopru::telemetry;
use tokio::runtime::Runtime;

use crate::args::{Args, Name};
use crate::database::Databases;
use crate::report::Report;

/// What a benchmark has at hand.
#[derive(Debug)]
pub struct Bench<'a> {
    /// What was asked for.
    pub args: &'a Args,
    /// Where results go.
    pub report: Report,
    /// What servers and databases run on: as many threads as the machine has processors, as in the program itself. Load
    /// generators have threads of their own.
    pub runtime: Runtime,
    /// Where databases come from.
    pub databases: Databases,
}

/// Runs what was asked for.
pub fn run(args: &Args, report: Report) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    observe(&runtime)?;
    let mut bench = Bench { args, report, runtime, databases: Databases::default() };
    bench.report.note(&surroundings(args));
    match args.name {
        Name::IntakeSingle => intake_single::run(&mut bench),
        Name::IntakeBatch => intake_batch::run(&mut bench),
        Name::Submit => submit::run(&mut bench),
        Name::Deliver => deliver::run(&mut bench),
        Name::Footprint => footprint::run(&mut bench),
        Name::All => {
            intake_single::run(&mut bench)?;
            intake_batch::run(&mut bench)?;
            submit::run(&mut bench)?;
            deliver::run(&mut bench)?;
            footprint::run(&mut bench)
        }
    }
}

/// Logs and metrics as the program sets them up by default: what they cost belongs to its figures.
#[expect(clippy::disallowed_methods, reason = "nothing but time says when the metrics are to be tended")]
fn observe(runtime: &Runtime) -> Result<()> {
    let mut log = Config::for_tests(Path::new("")).log;
    // What starts and stops is no news here.
    log.level += ",apalis_core=warn";
    telemetry::init_logs(&log)?;
    let recorder = telemetry::init_metrics()?;
    runtime.spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_secs(5)).await;
            recorder.run_upkeep();
        }
    });
    Ok(())
}

fn surroundings(args: &Args) -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or("?").to_owned();
    let build = if cfg!(debug_assertions) {
        "DEBUG BUILD: these figures mean nothing; use --release"
    } else {
        "release build"
    };
    format!("{build}; {cores} processors, load {load}; {} runs of {} s a side", args.runs, args.seconds)
}
