//! The load generator: a thread with a small runtime of its own, some keep-alive connections, one request after the other on
//! each. It counts its own processor time, because it shares the machine with what it measures.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, bail};
use futures::future::try_join_all;

use crate::meter;
use crate::wire::Connection;

/// Makes the requests of one connection.
pub trait Requests: Send + 'static {
    /// Appends the next request, whole; returns how many consents are in it.
    fn next(&mut self, out: &mut Vec<u8>) -> u64;
}

/// What came of a run.
#[derive(Debug, Clone)]
pub struct Load {
    /// Consents in acknowledged requests.
    pub consents: u64,
    /// Acknowledged requests.
    pub requests: u64,
    /// From the first request to the last answer.
    pub elapsed: Duration,
    /// Time to the answer that half of the requests did not exceed.
    pub median: Duration,
    /// Time to the answer that 99 of 100 requests did not exceed.
    pub p99: Duration,
    /// Processor time of the generator itself.
    pub generator: Duration,
    /// Processor time of the rest of this process: the server, and SQLite where it is the database.
    pub server: Duration,
}

impl Load {
    /// Consents a second.
    pub fn rate(&self) -> f64 {
        self.consents as f64 / self.elapsed.as_secs_f64()
    }

    /// One line for people.
    pub fn describe(&self) -> String {
        let each = |time: Duration| time.as_secs_f64() * 1e6 / self.requests.max(1) as f64;
        format!(
            "{:.0} requests/s, half within {:.2} ms, 99 % within {:.2} ms; processor time a request: server {:.1} µs, generator {:.1} µs",
            self.requests as f64 / self.elapsed.as_secs_f64(),
            self.median.as_secs_f64() * 1e3,
            self.p99.as_secs_f64() * 1e3,
            each(self.server),
            each(self.generator)
        )
    }
}

/// Sends requests for so long, on one connection for each of `sources`; any answer but 202 ends the run with an error.
pub fn run<R: Requests>(address: SocketAddr, sources: Vec<R>, duration: Duration) -> Result<Load> {
    let generator = std::thread::Builder::new().name("load".to_owned()).spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
        runtime.block_on(drive(address, sources, duration))
    })?;
    generator.join().map_err(|_| anyhow!("the load generator panicked"))?
}

struct Driven {
    consents: u64,
    micros: Vec<u32>,
}

async fn drive<R: Requests>(address: SocketAddr, sources: Vec<R>, duration: Duration) -> Result<Load> {
    let connections = try_join_all(sources.iter().map(|_| Connection::open(address))).await?;
    let (process, own, start) = (meter::of_process(), meter::of_thread(), Instant::now());
    let until = start + duration;
    let driven =
        try_join_all(connections.into_iter().zip(sources).map(|(it, requests)| one(it, requests, until)))
            .await?;
    let elapsed = start.elapsed();
    let own = meter::of_thread().saturating_sub(own);
    let process = meter::of_process().saturating_sub(process);
    let mut micros: Vec<u32> = driven.iter().flat_map(|driven| driven.micros.iter().copied()).collect();
    micros.sort_unstable();
    let at = |share: f64| {
        let place = ((micros.len() as f64 * share) as usize).min(micros.len().saturating_sub(1));
        Duration::from_micros(micros.get(place).copied().unwrap_or_default().into())
    };
    Ok(Load {
        consents: driven.iter().map(|driven| driven.consents).sum(),
        requests: micros.len() as u64,
        elapsed,
        median: at(0.5),
        p99: at(0.99),
        generator: own,
        server: process.saturating_sub(own),
    })
}

async fn one<R: Requests>(mut connection: Connection, mut requests: R, until: Instant) -> Result<Driven> {
    let mut driven = Driven { consents: 0, micros: Vec::new() };
    let mut request = Vec::with_capacity(1_024);
    loop {
        let sent = Instant::now();
        if sent >= until {
            return Ok(driven);
        }
        request.clear();
        let consents = requests.next(&mut request);
        let status = connection.exchange(&request).await.context("a request under load failed")?;
        if status != 202 {
            bail!("HTTP {status} under load: {}", String::from_utf8_lossy(connection.body()));
        }
        driven.micros.push(u32::try_from(sent.elapsed().as_micros()).unwrap_or(u32::MAX));
        driven.consents += consents;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bare;
    use crate::wire::Head;

    struct Same(&'static [u8]);

    impl Requests for Same {
        fn next(&mut self, out: &mut Vec<u8>) -> u64 {
            Head::post(bare::PATH, None).write(b"", self.0, out);
            if self.0.starts_with(b"[") { 2 } else { 1 }
        }
    }

    fn load(body: &'static [u8]) -> Result<Load> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let address = runtime.block_on(bare::parse_only())?;
        run(address, vec![Same(body), Same(body)], Duration::from_millis(50))
    }

    #[test]
    fn what_is_acknowledged_is_counted() {
        let singles = load(br#"{"recipient":"+905321234567","status":"ONAY"}"#).unwrap();
        assert!(singles.requests > 0 && singles.consents == singles.requests);
        assert!(singles.median <= singles.p99 && singles.p99 <= singles.elapsed);
        assert!(singles.elapsed >= Duration::from_millis(50) && singles.generator > Duration::ZERO);
        let arrays = load(br#"[{"status":"ONAY"},{"status":"RET"}]"#).unwrap();
        assert_eq!(arrays.consents, arrays.requests * 2);
    }

    #[test]
    fn a_refusal_ends_the_run_with_its_reason() {
        let error = load(br#"{"unknown":1}"#).unwrap_err().to_string();
        assert!(error.contains("HTTP 400") && error.contains("unknown"), "{error}");
    }
}
