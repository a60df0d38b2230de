//! Durable single consents a second over HTTP, from 64 keep-alive connections.
//!
//! - Ours: the real HTTP door of a bridge in this process, with authentication, ledger, chain, encryption, evidence, submission
//!   and permission on; answered after the commit. No registry is configured and no worker runs.
//! - Ceiling: a bare axum route that parses the same JSON into the same fields and answers 202 with a small JSON.
//! - Naive: a bare axum route with one transaction a request, one statement after the other ([`crate::plain`]); the same rows
//!   by the same rules. Eight connections on PostgreSQL; SQLite has one that writes.
//!
//! The load generator is a thread of the same process and shares the machine with the server in all three; its cost is printed.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, ensure};
use kopru_store::{Dialect, random};

use super::Bench;
use crate::bare;
use crate::bridge::{Bridge, config};
use crate::database::Database;
use crate::load::{self, Load, Requests};
use crate::mix::{Addresses, Dates, Mix};
use crate::plain;
use crate::report::{Figure, Pair, word};
use crate::wire::Head;

const CONNECTIONS: usize = 64;
/// Connections of the plain way on PostgreSQL; SQLite has one that writes.
const NAIVE_CONNECTIONS: u32 = 8;
/// A RET withdraws what was approved on the same connection some fifty requests before.
const LAG: usize = 5;

/// Measures each database.
pub fn run(bench: &mut Bench<'_>) -> Result<()> {
    bench.report.note(&format!(
        "\nintake-single: {CONNECTIONS} keep-alive connections, 90 % ONAY of new addresses, 10 % RET; bridge and load generator in one process"
    ));
    for dialect in bench.args.dialects() {
        let figure = measure(bench, *dialect)?;
        bench.report.figure(&figure);
    }
    Ok(())
}

/// The three servers that are measured in turn.
struct Stage {
    bridge: Bridge,
    ours: Target,
    ceiling: Target,
    naive: Target,
    naive_bridge: Bridge,
    databases: [Database; 2],
}

/// Where a kind of request goes.
struct Target {
    address: SocketAddr,
    head: Arc<Head>,
    idempotent: bool,
    addresses: Addresses,
}

fn measure(bench: &mut Bench<'_>, dialect: Dialect) -> Result<Figure> {
    let stage = set_up(bench, dialect)?;
    let warm_up = bench.args.duration().min(Duration::from_secs(1));
    stage.ceiling.load(&stage.bridge, warm_up)?;
    let mut plainly = stage.naive.load(&stage.bridge, warm_up)?.consents;
    let mut acknowledged = stage.ours.load(&stage.bridge, warm_up)?.consents;
    let mut pairs = Vec::new();
    for run in 1..=bench.args.runs {
        let ceiling = stage.ceiling.load(&stage.bridge, bench.args.duration())?;
        let commits = stage.bridge.commits();
        let ours = stage.ours.load(&stage.bridge, bench.args.duration())?;
        let commits = stage.bridge.commits() - commits;
        let naive = stage.naive.load(&stage.bridge, bench.args.duration())?;
        acknowledged += ours.consents;
        plainly += naive.consents;
        pairs.push(Pair { ours: ours.rate(), ceiling: ceiling.rate(), naive: Some(naive.rate()) });
        let together = ours.consents as f64 / commits.max(1) as f64;
        let name = word(dialect);
        bench
            .report
            .note(&format!("  {name} run {run}: ours    {} ({together:.1} a commit)", ours.describe()));
        bench.report.note(&format!("  {name} run {run}: ceiling {}", ceiling.describe()));
        bench.report.note(&format!("  {name} run {run}: naive   {}", naive.describe()));
    }
    for (bridge, acknowledged) in [(&stage.bridge, acknowledged), (&stage.naive_bridge, plainly)] {
        let ledger = bench.runtime.block_on(bridge.ledger())?;
        ensure!(
            ledger == acknowledged,
            "{acknowledged} consents were acknowledged, {ledger} are in the ledger"
        );
    }
    bench.report.note(&format!(
        "  {}: {acknowledged} ledger rows, one for every acknowledged consent",
        word(dialect)
    ));
    bench.runtime.block_on(stage.tear_down())?;
    let name = if bench.args.idempotent { "intake-single-key" } else { "intake-single" };
    Ok(Figure::of_pairs(name, dialect, "consents/s", &pairs))
}

fn set_up(bench: &mut Bench<'_>, dialect: Dialect) -> Result<Stage> {
    let Bench { args, runtime, databases, .. } = bench;
    runtime.block_on(async {
        let databases = [databases.fresh(dialect).await?, databases.fresh(dialect).await?];
        let bridge = Bridge::start(config(&databases[0])).await?;
        let mut naive_config = config(&databases[1]);
        naive_config.database.connections = NAIVE_CONNECTIONS;
        let naive_bridge = Bridge::start(naive_config).await?;
        let key = bridge.key().await?;
        let target = |address, head, idempotent| Target {
            address,
            head: Arc::new(head),
            idempotent,
            addresses: Addresses::default(),
        };
        // The same headers for all three: whoever does not look at the key has to read past it.
        let bare_head = Head::post(bare::PATH, Some(&key));
        let naive =
            plain::one_transaction_a_request(naive_bridge.app.clone(), naive_bridge.brand.clone()).await?;
        Ok(Stage {
            ours: target(bridge.serve().await?, Head::post(&bridge.path(), Some(&key)), args.idempotent),
            ceiling: target(bare::parse_only().await?, bare_head.clone(), false),
            naive: target(naive, bare_head, false),
            bridge,
            naive_bridge,
            databases,
        })
    })
}

impl Stage {
    async fn tear_down(self) -> Result<()> {
        self.bridge.stop().await;
        self.naive_bridge.stop().await;
        for database in self.databases {
            database.remove().await?;
        }
        Ok(())
    }
}

impl Target {
    fn load(&self, bridge: &Bridge, duration: Duration) -> Result<Load> {
        let dates = Arc::new(Dates::at(bridge.app.clocks.business()));
        let singles = |_| Singles {
            head: self.head.clone(),
            dates: dates.clone(),
            mix: Mix::new(&self.addresses, LAG),
            idempotent: self.idempotent,
            body: Vec::with_capacity(512),
        };
        load::run(self.address, (0..CONNECTIONS).map(singles).collect(), duration)
    }
}

/// The requests of one connection.
struct Singles {
    head: Arc<Head>,
    dates: Arc<Dates>,
    mix: Mix,
    idempotent: bool,
    body: Vec<u8>,
}

impl Requests for Singles {
    fn next(&mut self, out: &mut Vec<u8>) -> u64 {
        self.body.clear();
        self.mix.next().write(&self.dates, &mut self.body);
        if self.idempotent {
            let key = format!("idempotency-key: {}\r\n", hex::encode(random::<16>()));
            self.head.write(key.as_bytes(), &self.body, out);
        } else {
            self.head.write(b"", &self.body, out);
        }
        1
    }
}
