//! What the program costs: memory, time to start, size.
//!
//! Measured on the program itself (`kopru serve --sandbox`, which lies beside this one), with SQLite, sandbox, demo receiver and
//! workers in its one process. In place of a ceiling stands the limit that the project has set itself; a ratio below 1 keeps it.

use std::io::{BufRead as _, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use kopru_domain::Clock as _;
use rustix::process::{Pid, Signal, kill_process};
use serde::Deserialize;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::Bench;
use crate::meter::memory;
use crate::mix::{Addresses, Dates, Mix};
use crate::report::{Figure, median};
use crate::wire;

const STARTS: u32 = 5;
const IDLE: Duration = Duration::from_secs(3);
const CONSENTS: usize = 20_000;
const ARRAY: usize = 1_000;
/// How long filing what was taken in is waited for, at the registry's pace.
const FILING: Duration = Duration::from_secs(6);
const LONGEST_START: Duration = Duration::from_mins(1);
const MOST_MEGABYTES: f64 = 50.0;
const MOST_MILLIS: f64 = 300.0;

/// Measures memory, starts and size.
pub fn run(bench: &mut Bench<'_>) -> Result<()> {
    let program = program()?;
    bench.report.note(&format!(
        "\nfootprint: {} serve --sandbox; ceiling: the project's own limit",
        program.display()
    ));
    let folder = TempDir::with_prefix("kopru-bench.")?;
    let (mut first, mut again) = (Vec::new(), Vec::new());
    for start in 0..STARTS {
        let data = folder.path().join(start.to_string());
        // Each folder twice: with the schema to be made, and as it is after a stop.
        for times in [&mut first, &mut again] {
            let running = Running::start(&program, &data, &bench.runtime)?;
            times.push(running.ready_after.as_secs_f64() * 1e3);
            running.stop()?;
        }
    }
    let running = Running::start(&program, &folder.path().join("load"), &bench.runtime)?;
    std::thread::sleep(IDLE);
    let idle = memory(running.child.id())?.resident;
    running.take(CONSENTS, &bench.runtime)?;
    std::thread::sleep(FILING);
    let after = memory(running.child.id())?;
    running.stop()?;
    let size = std::fs::metadata(&program)?.len() as f64 / 1e6;

    let report = bench.report;
    report.note(&format!(
        "  after {CONSENTS} consents in arrays of {ARRAY}: {:.1} MB resident",
        after.resident
    ));
    report.figure(&Figure::limited("footprint-idle", "MB", idle, Some(MOST_MEGABYTES)));
    report.figure(&Figure::limited("footprint-peak", "MB", after.peak, None));
    report.figure(&Figure::limited("footprint-start", "ms", median(first), Some(MOST_MILLIS)));
    report.figure(&Figure::limited("footprint-restart", "ms", median(again), Some(MOST_MILLIS)));
    report.figure(&Figure::limited("footprint-binary", "MB", size, None));
    Ok(())
}

/// The program that was built beside this one.
fn program() -> Result<PathBuf> {
    let own = std::env::current_exe()?;
    let path = own.with_file_name("kopru");
    let profile = if cfg!(debug_assertions) { "" } else { " --release" };
    ensure!(path.exists(), "{} is missing: build it with cargo build{profile}", path.display());
    Ok(path)
}

/// The first line of `serve --sandbox --json`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Greeting {
    api_key: String,
    brand_code: i64,
}

/// A running program.
struct Running {
    child: Child,
    address: SocketAddr,
    greeting: Greeting,
    /// From the start of the process to the first 200 of /healthz.
    ready_after: Duration,
}

impl Running {
    fn start(program: &Path, data: &Path, runtime: &Runtime) -> Result<Self> {
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let mut command = Command::new(program);
        command.args(["serve", "--sandbox", "--json"]).env("KOPRU__DATA_DIR", data);
        command.env("KOPRU__HTTP__LISTEN", address.to_string());
        command.env("KOPRU__SANDBOX__LISTEN", "127.0.0.1:0").env("KOPRU__METRICS__LISTEN", "127.0.0.1:0");
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let start = Instant::now();
        let mut child = command.spawn().with_context(|| format!("{} does not start", program.display()))?;
        let ready = wait_until_healthy(&mut child, address, start, runtime);
        let greeting = ready.and_then(|ready_after| Ok((ready_after, greeting(&mut child)?)));
        match greeting {
            Ok((ready_after, greeting)) => Ok(Self { child, address, greeting, ready_after }),
            Err(error) => {
                let _ = child.kill();
                let _ = child.wait();
                Err(error)
            }
        }
    }

    fn take(&self, count: usize, runtime: &Runtime) -> Result<()> {
        let path = format!("/v1/brands/{}/consents", self.greeting.brand_code);
        let mut mix = Mix::approvals(&Addresses::default());
        for _ in 0..count / ARRAY {
            let dates = Dates::at(kopru::clocks::SystemClock.now());
            let mut body = Vec::new();
            mix.write_array(ARRAY, &dates, &mut body);
            let key = Some(self.greeting.api_key.as_str());
            let (status, answer) = runtime.block_on(wire::call(self.address, "POST", &path, key, &body))?;
            ensure!(status == 202, "HTTP {status}: {}", String::from_utf8_lossy(&answer));
        }
        Ok(())
    }

    fn stop(mut self) -> Result<()> {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).context("no process id")?;
        kill_process(pid, Signal::TERM)?;
        let status = self.child.wait()?;
        ensure!(status.success(), "the program ended with {status}");
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // After an error on the way; after a stop the process is gone and these do nothing.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn wait_until_healthy(
    child: &mut Child,
    address: SocketAddr,
    start: Instant,
    runtime: &Runtime,
) -> Result<Duration> {
    loop {
        if let Ok((200, _)) = runtime.block_on(wire::call(address, "GET", "/healthz", None, b"")) {
            return Ok(start.elapsed());
        }
        if let Some(status) = child.try_wait()? {
            bail!("the program ended with {status} before it was ready");
        }
        ensure!(start.elapsed() < LONGEST_START, "the program is not ready after {LONGEST_START:?}");
        std::thread::sleep(Duration::from_micros(500));
    }
}

fn greeting(child: &mut Child) -> Result<Greeting> {
    let output = child.stdout.as_mut().context("standard output is not piped")?;
    let mut line = String::new();
    BufReader::new(output).read_line(&mut line)?;
    serde_json::from_str(&line)
        .with_context(|| format!("not the first line of serve --sandbox --json: {line}"))
}
