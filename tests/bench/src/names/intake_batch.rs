//! Consents a second in chunks of 1 000.
//!
//! - `intake-batch`: in process, from the service call to the commit, two callers.
//! - `intake-batch-http`: arrays of 1 000 over the real HTTP door, four keep-alive connections.
//! - Ceiling of both: the raw multi-row insert of the ledger's columns, two callers (see [`crate::raw`]).
//!
//! In process and raw a run is a fixed amount of work, prepared beforehand: 20 chunks for each second asked for.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use anyhow::{Result, ensure};
use chrono::TimeDelta;
use futures::future::try_join_all;
use kopru::bootstrap::App;
use kopru_domain::Clock as _;
use kopru_store::brands::BrandRow;
use kopru_store::{Db, Dialect, PoolSizes};
use tokio::runtime::Handle;

use super::Bench;
use crate::bridge::{self, Bridge, config};
use crate::load::{self, Load, Requests};
use crate::mix::{Addresses, Dates, Mix};
use crate::raw;
use crate::report::{Figure, Pair, word};
use crate::wire::Head;

/// Consents of a chunk: what one transaction takes at most.
const CHUNK: usize = 1_000;
const CALLERS: usize = 2;
const CONNECTIONS: usize = 4;
/// A RET withdraws what was approved at least three chunks before.
const LAG: usize = 3 * CHUNK / 10;

/// Measures each database.
pub fn run(bench: &mut Bench<'_>) -> Result<()> {
    bench.report.note(&format!(
        "\nintake-batch: chunks of {CHUNK}, {CALLERS} callers in process, {CONNECTIONS} connections over HTTP; ceiling: raw insert of the ledger's columns"
    ));
    for dialect in bench.args.dialects() {
        measure(bench, *dialect)?;
    }
    Ok(())
}

fn measure(bench: &mut Bench<'_>, dialect: Dialect) -> Result<()> {
    let Bench { args, report, runtime, databases } = bench;
    let (database, raw_database) = runtime
        .block_on(async { anyhow::Ok((databases.fresh(dialect).await?, databases.fresh(dialect).await?)) })?;
    let bridge = runtime.block_on(Bridge::start(config(&database)))?;
    let raw = runtime.block_on(raw_table(&raw_database.url))?;
    let (address, key) =
        runtime.block_on(async { anyhow::Ok((bridge.serve().await?, bridge.key().await?)) })?;
    let addresses = Addresses::default();
    let head = Arc::new(Head::post(&bridge.path(), Some(&key)));

    let chunks = args.seconds as usize * 20;
    let mut raw_rows = 1;
    let (mut service, mut http) = (Vec::new(), Vec::new());
    let mut acknowledged = 0;
    // Run 0 warms up and is not counted.
    for run in 0..=args.runs {
        let chunks = if run == 0 { 4 } else { chunks };
        let ceiling = runtime.block_on(raw_inserts(&raw, raw_rows, chunks))?;
        raw_rows += i64::try_from(chunks * CHUNK)?;
        let commits = bridge.commits();
        let mut mix = Mix::new(&addresses, LAG);
        let ours = runtime.block_on(in_process(&bridge, &mut mix, chunks))?;
        let commits = bridge.commits() - commits;
        let over_http = over_http(&bridge, address, &head, &addresses, args.duration())?;
        acknowledged += (chunks * CHUNK) as u64 + over_http.consents;
        if run == 0 {
            continue;
        }
        service.push(Pair { ours, ceiling, naive: None });
        http.push(Pair { ours: over_http.rate(), ceiling, naive: None });
        report.note(&format!(
            "  {} run {run}: raw {ceiling:.0}/s, in process {ours:.0}/s ({:.0} a commit), over HTTP {:.0}/s: {}",
            word(dialect),
            (chunks * CHUNK) as f64 / commits.max(1) as f64,
            over_http.rate(),
            over_http.describe()
        ));
    }
    let ledger = runtime.block_on(bridge.ledger())?;
    ensure!(ledger == acknowledged, "{acknowledged} consents were acknowledged, {ledger} are in the ledger");
    report.note(&format!("  {}: {ledger} ledger rows, every acknowledged consent among them", word(dialect)));
    report.figure(&Figure::of_pairs("intake-batch", dialect, "consents/s", &service));
    report.figure(&Figure::of_pairs("intake-batch-http", dialect, "consents/s", &http));
    runtime.block_on(async {
        bridge.stop().await;
        raw.close().await;
        database.remove().await?;
        raw_database.remove().await
    })
}

async fn raw_table(url: &str) -> Result<Db> {
    let db = Db::connect(url, PoolSizes::default()).await?;
    db.migrate().await?;
    db.serve().await?;
    Ok(db)
}

async fn raw_inserts(db: &Db, first: i64, chunks: usize) -> Result<f64> {
    let now = kopru::clocks::SystemClock.now();
    // Each chunk a millisecond later: the ids of real rows rise too, and an index takes rising keys at its end.
    let chunk = |chunk| raw::rows(first + chunk * CHUNK as i64, CHUNK, now + TimeDelta::milliseconds(chunk));
    let work = (0..chunks as i64).map(chunk).collect();
    let db = db.clone();
    with_callers(work, move |rows| {
        let db = db.clone();
        async move { Ok(usize::try_from(raw::insert(&db, rows).await?)?) }
    })
    .await
}

async fn in_process(bridge: &Bridge, mix: &mut Mix, chunks: usize) -> Result<f64> {
    let dates = Dates::at(bridge.app.clocks.business());
    let work = (0..chunks).map(|_| mix.items(CHUNK, &dates)).collect();
    let (app, brand): (App, BrandRow) = (bridge.app.clone(), bridge.brand.clone());
    with_callers(work, move |items| {
        let (app, brand) = (app.clone(), brand.clone());
        async move { bridge::take(&app, &brand, items).await }
    })
    .await
}

/// Has callers do all of the work, each taking the next piece when it has finished one; returns consents a second.
async fn with_callers<T, F, W>(work: VecDeque<T>, piece: F) -> Result<f64>
where
    T: Send + 'static,
    F: Fn(T) -> W + Clone + Send + 'static,
    W: Future<Output = Result<usize>> + Send,
{
    let work = Arc::new(Mutex::new(work));
    let start = Instant::now();
    let callers = (0..CALLERS).map(|_| {
        let (work, piece) = (work.clone(), piece.clone());
        Handle::current().spawn(async move {
            let mut done = 0;
            while let Some(next) = take_next(&work) {
                done += piece(next).await?;
            }
            anyhow::Ok(done)
        })
    });
    let mut done = 0;
    for caller in try_join_all(callers).await? {
        done += caller?;
    }
    Ok(done as f64 / start.elapsed().as_secs_f64())
}

fn take_next<T>(work: &Mutex<VecDeque<T>>) -> Option<T> {
    work.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
}

fn over_http(
    bridge: &Bridge,
    address: SocketAddr,
    head: &Arc<Head>,
    addresses: &Addresses,
    duration: std::time::Duration,
) -> Result<Load> {
    let dates = Arc::new(Dates::at(bridge.app.clocks.business()));
    let arrays = |_| Arrays {
        head: head.clone(),
        dates: dates.clone(),
        mix: Mix::new(addresses, LAG),
        body: Vec::new(),
    };
    load::run(address, (0..CONNECTIONS).map(arrays).collect(), duration)
}

/// The requests of one connection.
struct Arrays {
    head: Arc<Head>,
    dates: Arc<Dates>,
    mix: Mix,
    body: Vec<u8>,
}

impl Requests for Arrays {
    fn next(&mut self, out: &mut Vec<u8>) -> u64 {
        self.body.clear();
        self.mix.write_array(CHUNK, &self.dates, &mut self.body);
        self.head.write(b"", &self.body, out);
        CHUNK as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn callers_share_the_work_and_all_of_it_is_done() {
        let done = Arc::new(Mutex::new(Vec::new()));
        let seen = done.clone();
        let rate = with_callers((1..=9).collect(), move |piece: usize| {
            let seen = seen.clone();
            async move {
                seen.lock().unwrap().push(piece);
                tokio::task::yield_now().await;
                Ok(piece)
            }
        })
        .await
        .unwrap();
        let mut done = done.lock().unwrap().clone();
        done.sort_unstable();
        assert_eq!(done, (1..=9).collect::<Vec<_>>());
        assert!(rate > 0.0);
    }

    #[tokio::test]
    async fn a_piece_that_fails_fails_the_run() {
        let failed = with_callers(VecDeque::from([1]), |_: u8| async { anyhow::bail!("disk full") }).await;
        assert_eq!(failed.unwrap_err().to_string(), "disk full");
    }
}
