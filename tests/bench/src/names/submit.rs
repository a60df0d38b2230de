//! Filing with the registry sandbox.
//!
//! - `submit`: consents a second from the queue to `registered`, with the sandbox's limits and the pace off: batches of 1 000,
//!   filed by the workers as the program runs them, the sandbox's clock moved on when only results are waited for. Ceiling: a
//!   bare loop that posts the same consents with the same client and asks for the results, one thing after the other. In both
//!   the sandbox (in memory, in this process) is part of the time.
//! - `submit-budget`: with the limits on and the workers running, requests sent in ten seconds against those that the pace of
//!   8 a second allows. One consent a request, so that the pace is what counts.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use iys::wire::ConsentRequest;
use iys::{Account, BrandCodes, Credentials, IysClient, Unpaced};
use kopru::config::Config;
use kopru::worker;
use kopru_domain::Clock as _;
use kopru_store::{Dialect, batches, submissions};
use serde_json::Value;

use super::Bench;
use crate::bridge::{Bridge, config};
use crate::database::Database;
use crate::mix::{Addresses, Dates, Mix};
use crate::registry::Registry;
use crate::report::{Figure, Pair, word};

/// Consents of a batch: as many as the registry takes.
const BATCH: usize = 1_000;
/// More than the first look at a batch's result waits for.
const STEP: &str = "6m";
/// Looks at how far a run has come, and after how many it is given up.
const LOOK: Duration = Duration::from_millis(5);
const LOOKS: u32 = 12_000;
/// The registry's pace that Köprü keeps.
const PACE: f64 = 8.0;
/// How long the use of the budget is watched.
const WATCHED: Duration = Duration::from_secs(10);
/// Token, first requests: not watched.
const RUN_UP: Duration = Duration::from_secs(2);

/// Measures each database.
pub fn run(bench: &mut Bench<'_>) -> Result<()> {
    let consents = batches(bench) * BATCH;
    bench.report.note(&format!(
        "\nsubmit: {consents} consents a run in batches of {BATCH}; ceiling: a bare loop over the same client"
    ));
    for dialect in bench.args.dialects() {
        let figure = unlimited(bench, *dialect)?;
        bench.report.figure(&figure);
        let figure = budget(bench, *dialect)?;
        bench.report.figure(&figure);
    }
    Ok(())
}

fn batches(bench: &Bench<'_>) -> usize {
    bench.args.seconds as usize * 3
}

/// A database whose bridge files with a sandbox.
struct Stage {
    config: Config,
    registry: Registry,
    database: Database,
}

impl Stage {
    fn new(database: Database, registry: Registry) -> Result<Self> {
        let mut config = config(&database);
        config.registry.url = Some(registry.url().parse()?);
        config.registry.username = Some(registry.seed.username.clone());
        config.registry.password = Some(registry.seed.password.clone().into());
        config.registry.integrator_code = Some(registry.seed.integrator_code);
        config.registry.sandbox_clock = true;
        // Reading the feed is other work than filing.
        config.pull.interval = Duration::from_hours(24 * 365);
        config.pull.longest_interval = config.pull.interval;
        Ok(Self { config, registry, database })
    }

    /// A bridge whose workers do not run yet, with consents in its queue.
    async fn queue(&self, mix: &mut Mix, count: usize) -> Result<Bridge> {
        let bridge = Bridge::start(self.config.clone()).await?;
        ensure!(
            bridge.brand.brand_code.0 == self.registry.seed.brand_code,
            "the sandbox's demo brand has another number"
        );
        bridge.app.clocks.set_offset(self.registry.sandbox.clock_offset());
        let dates = Dates::at(bridge.app.clocks.business());
        for start in (0..count).step_by(BATCH) {
            bridge.take(mix.items(BATCH.min(count - start), &dates)).await?;
        }
        Ok(bridge)
    }

    /// Lets the workers file all there is; returns consents a second.
    #[expect(
        clippy::disallowed_methods,
        reason = "how far others have come has to be looked at again and again"
    )]
    async fn file(&self, mix: &mut Mix, count: usize) -> Result<f64> {
        let bridge = self.queue(mix, count).await?;
        let start = Instant::now();
        worker::spawn(&bridge.app);
        let mut advanced = false;
        for _ in 0..LOOKS {
            match self.progress(&bridge).await? {
                Progress::Filing => {}
                Progress::Waiting if advanced => {}
                Progress::Waiting => {
                    self.registry.advance(STEP).await?;
                    bridge.app.clocks.set_offset(self.registry.sandbox.clock_offset());
                    bridge.app.wake.wake();
                    advanced = true;
                }
                Progress::Done => {
                    let elapsed = start.elapsed();
                    bridge.stop().await;
                    return Ok(count as f64 / elapsed.as_secs_f64());
                }
            }
            tokio::time::sleep(LOOK).await;
        }
        bail!("some are still open after {:?}", start.elapsed())
    }

    async fn progress(&self, bridge: &Bridge) -> Result<Progress> {
        let mut tx = bridge.app.db.read().await?;
        let batches = batches::open_counts(&mut tx).await?;
        if submissions::queue_depth(&mut tx).await?.0.is_some()
            || batches.iter().any(|(state, _)| state != "waiting")
        {
            return Ok(Progress::Filing);
        }
        if !batches.is_empty() {
            return Ok(Progress::Waiting);
        }
        // Between the queue and its batch nothing is seen above.
        let open = submissions::counts(&mut tx).await?;
        Ok(if open.is_empty() { Progress::Done } else { Progress::Filing })
    }
}

/// How far a run has come.
enum Progress {
    /// Something is still to be sent.
    Filing,
    /// All is sent, and results are waited for.
    Waiting,
    /// Nothing is open.
    Done,
}

fn unlimited(bench: &mut Bench<'_>, dialect: Dialect) -> Result<Figure> {
    let count = batches(bench) * BATCH;
    let Bench { args, report, runtime, databases } = bench;
    runtime.block_on(async {
        let registry = Registry::unlimited().await?;
        let mut stage = Stage::new(databases.fresh(dialect).await?, registry)?;
        stage.config.registry.requests_per_second = 0.0;
        let bare = Bare::start().await?;
        let addresses = Addresses::default();
        let (mut ours_mix, mut bare_mix) = (Mix::approvals(&addresses), Mix::approvals(&addresses));
        let mut pairs = Vec::new();
        let mut filed = 0;
        // Run 0 warms up and is not counted.
        for run in 0..=args.runs {
            let count = if run == 0 { BATCH } else { count };
            let ceiling = bare.file(&mut bare_mix, count).await?;
            let ours = stage.file(&mut ours_mix, count).await?;
            filed += count as u64;
            if run > 0 {
                pairs.push(Pair { ours, ceiling, naive: None });
                report.note(&format!("  {} run {run}: ours {ours:.0}/s, bare loop {ceiling:.0}/s", word(dialect)));
            }
        }
        let stats = stage.registry.stats().await?;
        let calls = |operation: &str| stats["operations"][operation]["calls"].as_u64().unwrap_or_default();
        let posted = calls("add_batch");
        report.note(&format!(
            "  {}: {filed} consents in {posted} batches, {} results asked for, {} single adds, {} status queries",
            word(dialect),
            calls("batch_result"),
            calls("add"),
            calls("status")
        ));
        ensure!(posted * BATCH as u64 >= filed, "{filed} consents cannot fit into {posted} batches");
        stage.database.remove().await?;
        Ok(Figure::of_pairs("submit", dialect, "consents/s", &pairs))
    })
}

/// The bare loop over the registry's client.
struct Bare {
    registry: Registry,
    account: Account,
    brand: BrandCodes,
}

impl Bare {
    async fn start() -> Result<Self> {
        let registry = Registry::unlimited().await?;
        let client = IysClient::builder(registry.url()).pacer(Arc::new(Unpaced)).build()?;
        let credentials = Credentials::new(registry.seed.username.clone(), registry.seed.password.clone());
        let account = client.account(credentials);
        let brand = BrandCodes::new(registry.seed.iys_code, registry.seed.brand_code);
        Ok(Self { registry, account, brand })
    }

    async fn file(&self, mix: &mut Mix, count: usize) -> Result<f64> {
        let now = kopru::clocks::SystemClock.now() + self.registry.sandbox.clock_offset();
        let dates = Dates::at(now);
        let lists: Vec<Vec<ConsentRequest>> = (0..count)
            .step_by(BATCH)
            .map(|start| (start..count.min(start + BATCH)).map(|_| mix.next().request(&dates)).collect())
            .collect();
        let start = Instant::now();
        let mut requests = Vec::with_capacity(lists.len());
        for list in &lists {
            requests.push(self.account.add_batch(self.brand, list).await?.request_id);
        }
        self.registry.advance(STEP).await?;
        let mut recorded = 0;
        for request in &requests {
            let results = self.account.batch_result(self.brand, request).await?;
            recorded += results.iter().filter(|item| item.is_recorded()).count();
        }
        let elapsed = start.elapsed();
        ensure!(recorded == count, "the sandbox recorded {recorded} of {count}");
        Ok(count as f64 / elapsed.as_secs_f64())
    }
}

fn budget(bench: &mut Bench<'_>, dialect: Dialect) -> Result<Figure> {
    let Bench { report, runtime, databases, .. } = bench;
    let (stage, bridge) = runtime.block_on(async {
        let mut stage = Stage::new(databases.fresh(dialect).await?, Registry::limited().await?)?;
        stage.config.registry.requests_per_second = PACE;
        stage.config.filing.batch_threshold = u32::MAX;
        let enough = (PACE * (WATCHED + RUN_UP).as_secs_f64() * 2.0) as usize;
        let bridge = stage.queue(&mut Mix::approvals(&Addresses::default()), enough).await?;
        worker::spawn(&bridge.app);
        anyhow::Ok((stage, bridge))
    })?;
    // On the main thread: the servers run on the runtime's.
    std::thread::sleep(RUN_UP);
    let (before, start) = (runtime.block_on(stage.registry.stats())?, Instant::now());
    std::thread::sleep(WATCHED);
    let (after, watched) = (runtime.block_on(stage.registry.stats())?, start.elapsed());
    let sent = calls(&after)? - calls(&before)?;
    let refused = &after["refusedByLimit"];
    report.note(&format!(
        "  {}: {sent} requests in {:.1} s, refused for a limit: {refused}",
        word(dialect),
        watched.as_secs_f64()
    ));
    runtime.block_on(async {
        bridge.stop().await;
        stage.database.remove().await
    })?;
    let ours = sent as f64 / watched.as_secs_f64();
    Ok(Figure::of_pairs("submit-budget", dialect, "requests/s", &[Pair { ours, ceiling: PACE, naive: None }]))
}

/// Calls of all operations together.
fn calls(stats: &Value) -> Result<u64> {
    let operations =
        stats["operations"].as_object().context("the sandbox's statistics have no operations")?;
    Ok(operations.values().filter_map(|operation| operation["calls"].as_u64()).sum())
}
