//! Signed webhooks a second to a receiver on this machine.
//!
//! Ours: events that wait for one endpoint go out by the workers, from claim to the recorded outcome of each. Ceiling: a bare
//! loop over the same HTTP library that posts the same bodies to the same receiver, as many calls at once, unsigned and
//! unrecorded. The receiver reads each call and answers 204.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use axum::Router;
use axum::body::Bytes;
use axum::http::StatusCode;
use axum::routing::post;
use chrono::TimeDelta;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use kopru::service::Caller;
use kopru::service::endpoints::{self, NewEndpoint};
use kopru::service::events::{EventData, EventLog, Subject};
use kopru::worker;
use kopru_domain::{Channel, RecipientType};
use kopru_store::{Dialect, Key, Priority, deliveries, heads, random};
use tokio::net::TcpListener;
use tokio::runtime::Handle;

use super::Bench;
use crate::bridge::{Bridge, config};
use crate::report::{Figure, Pair, word};

/// Events of one transaction when they are queued.
const CHUNK: usize = 1_000;
/// Webhooks of a run for each second that a side is to be measured.
const A_SECOND: usize = 1_000;
/// Events are queued for an instant so far ahead: the workers rest until the clock is moved.
const AHEAD: TimeDelta = TimeDelta::hours(1);
/// How often it is looked whether all are through.
const LOOK: Duration = Duration::from_millis(5);
/// After which a run is given up.
const LONGEST: Duration = Duration::from_mins(5);

/// Measures each database.
pub fn run(bench: &mut Bench<'_>) -> Result<()> {
    let count = bench.args.seconds as usize * A_SECOND;
    bench.report.note(&format!(
        "\ndeliver: {count} webhooks a run to one endpoint; ceiling: a bare loop over the same HTTP library"
    ));
    for dialect in bench.args.dialects() {
        let figure = measure(bench, *dialect, count)?;
        bench.report.figure(&figure);
    }
    Ok(())
}

fn measure(bench: &mut Bench<'_>, dialect: Dialect, count: usize) -> Result<Figure> {
    let Bench { args, report, runtime, databases } = bench;
    runtime.block_on(async {
        let database = databases.fresh(dialect).await?;
        let bridge = Bridge::start(config(&database)).await?;
        let receiver = Receiver::start().await?;
        let new = NewEndpoint {
            iys_code: Some(bridge.brand.iys_code),
            url: receiver.url(),
            ..NewEndpoint::default()
        };
        endpoints::add(&bridge.app, &Caller::system("bench"), new).await?;
        let at_once = bridge.app.config.webhooks.at_once();
        let client = reqwest::Client::builder().pool_max_idle_per_host(at_once).build()?;
        worker::spawn(&bridge.app);
        let mut pairs = Vec::new();
        // Run 0 warms up and is not counted.
        for run in 0..=args.runs {
            let count = if run == 0 { CHUNK } else { count };
            let ours = deliver(&bridge, &receiver, count).await?;
            let ceiling = bare(&client, &receiver, count, at_once).await?;
            if run > 0 {
                pairs.push(Pair { ours, ceiling, naive: None });
                report.note(&format!(
                    "  {} run {run}: ours {ours:.0}/s, bare loop {ceiling:.0}/s",
                    word(dialect)
                ));
            }
        }
        bridge.stop().await;
        database.remove().await?;
        Ok(Figure::of_pairs("deliver", dialect, "webhooks/s", &pairs))
    })
}

/// Queues events, moves the clock on and waits until all are recorded as delivered; webhooks a second.
async fn deliver(bridge: &Bridge, receiver: &Receiver, count: usize) -> Result<f64> {
    for start in (0..count).step_by(CHUNK) {
        queue(bridge, CHUNK.min(count - start)).await?;
    }
    let before = receiver.taken();
    let start = Instant::now();
    bridge.app.clocks.set_offset(bridge.app.clocks.offset() + AHEAD);
    bridge.app.wake.wake();
    while open(bridge).await? > 0 {
        ensure!(start.elapsed() < LONGEST, "{} are still open", open(bridge).await?);
        #[expect(clippy::disallowed_methods, reason = "looks seldom enough to cost nothing")]
        tokio::time::sleep(LOOK).await;
    }
    let elapsed = start.elapsed();
    let taken = receiver.taken() - before;
    ensure!(taken == count as u64, "{taken} calls for {count} events");
    Ok(count as f64 / elapsed.as_secs_f64())
}

/// Queues events, each of an address of its own, due [`AHEAD`] of now.
async fn queue(bridge: &Bridge, count: usize) -> Result<()> {
    let (app, brand) = (&bridge.app, &bridge.brand);
    let mut tx = app.db.begin(Priority::Bulk).await?;
    let keys = app.vault.keys(&mut tx, brand.iys_code).await?;
    let mut log = EventLog::new(brand.iys_code, keys, app.clocks.business() + AHEAD);
    for _ in 0..count {
        let subject = Subject {
            brand_code: brand.brand_code,
            key: Key(random()),
            recipient: "+905321234567".to_owned(),
            recipient_type: RecipientType::Individual,
            channel: Channel::Message,
        };
        let data = EventData {
            status: Some("RET".to_owned()),
            previous: Some("ONAY".to_owned()),
            consent_date: Some("2026-11-22T10:00:00+03:00".to_owned()),
            source: Some("IYS_WEB".to_owned()),
            cause: "registry_change".to_owned(),
            ..EventData::default()
        };
        log.consent(subject, "permission.changed", data);
    }
    let mut head = heads::lock(&mut tx, brand.iys_code).await?;
    log.append(&mut tx, &mut head).await?;
    heads::advance(&mut tx, brand.iys_code, &head).await?;
    Ok(tx.commit().await?)
}

async fn open(bridge: &Bridge) -> Result<i64> {
    let mut tx = bridge.app.db.read().await?;
    Ok(deliveries::open_count(&mut tx).await?)
}

/// Posts the last body that the receiver has seen, so often; calls a second.
async fn bare(client: &reqwest::Client, receiver: &Receiver, count: usize, at_once: usize) -> Result<f64> {
    let (url, body) = (receiver.url(), receiver.last());
    let start = Instant::now();
    stream::iter(0..count)
        .map(|_| client.post(&url).header("content-type", "application/json").body(body.clone()).send())
        .buffer_unordered(at_once)
        .map_err(anyhow::Error::from)
        .try_for_each(async |answer| {
            ensure!(answer.status() == StatusCode::NO_CONTENT, "HTTP {}", answer.status());
            Ok(())
        })
        .await?;
    Ok(count as f64 / start.elapsed().as_secs_f64())
}

/// Reads each call, counts it and answers 204.
struct Receiver {
    address: SocketAddr,
    seen: Arc<Mutex<(u64, Bytes)>>,
}

impl Receiver {
    async fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let seen: Arc<Mutex<(u64, Bytes)>> = Arc::default();
        let state = seen.clone();
        let route = post(async move |body: Bytes| {
            let mut seen = state.lock().unwrap_or_else(PoisonError::into_inner);
            *seen = (seen.0 + 1, body);
            StatusCode::NO_CONTENT
        });
        let router = Router::new().route("/hook", route);
        Handle::current().spawn(async move { axum::serve(listener, router).await });
        Ok(Self { address, seen })
    }

    fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    fn taken(&self) -> u64 {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).0
    }

    fn last(&self) -> Bytes {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).1.clone()
    }
}
