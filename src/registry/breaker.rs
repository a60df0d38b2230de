//! Leaves the registry alone while it does not answer, so that an outage costs few calls and no busy loop. One row of the
//! database serves all replicas; after each silence one request of one of them tries whether the registry is back, and the
//! others wait for what it finds.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use iys::{BoxError, ErrorClass, IysError, NotBefore};
use kopru_domain::governor::{Circuit, Gate};
use kopru_store::circuits::{self, CircuitRow};
use kopru_store::{Db, Priority, StoreError};
use uuid::Uuid;

use crate::clocks::Clocks;
use crate::registry::clock::sleep_until;

/// How long a process believes that nobody else has met a silent registry.
const BELIEVED: TimeDelta = TimeDelta::milliseconds(500);
/// How often those who wait for a probe look.
const LOOK: TimeDelta = TimeDelta::milliseconds(100);
/// A probe may wait for its slot so long, beside its request's own time.
const PROBE_MARGIN: Duration = Duration::from_mins(1);

/// The circuit breaker. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Breaker {
    db: Db,
    clocks: Clocks,
    name: String,
    /// After this time the outcome of a probe is not awaited any more.
    probe_lease: TimeDelta,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    /// Failures in a row in this process.
    failures: u32,
    row: CircuitRow,
    /// When `row` was read (wire time).
    read_at: Option<DateTime<Utc>>,
    /// The probe of this process.
    probe: Option<Uuid>,
}

/// The right to send a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Leave {
    Ordinary,
    /// As the one that tries.
    Probe(Uuid),
}

impl Breaker {
    pub fn new(db: Db, clocks: Clocks, url: &str, timeout: Duration) -> Self {
        let probe_lease = TimeDelta::from_std(timeout + PROBE_MARGIN).unwrap_or(TimeDelta::minutes(2));
        Self { db, clocks, name: format!("registry {url}"), probe_lease, state: Arc::default() }
    }

    /// Until when nothing is sent; `None` while the registry answers, and when somebody has to try.
    pub async fn silent_until(&self) -> Result<Option<DateTime<Utc>>, StoreError> {
        let row = self.look().await?;
        Ok(match row.circuit.gate(self.clocks.business()) {
            Gate::Closed => None,
            Gate::Silent(until) => Some(until),
            Gate::HalfOpen => self.is_probing(row).then(|| self.clocks.business() + LOOK),
        })
    }

    /// Gives leave to send, or [`NotBefore`]. While another request tries whether the registry is back, waits for what it finds.
    pub async fn admit(&self) -> Result<Leave, BoxError> {
        loop {
            let row = self.look().await?;
            let now = self.clocks.business();
            match row.circuit.gate(now) {
                Gate::Closed => return Ok(Leave::Ordinary),
                Gate::Silent(until) => return Err(not_before(until - now)),
                Gate::HalfOpen => {}
            }
            if let Some(probe) = self.begin_probe(row).await? {
                return Ok(Leave::Probe(probe));
            }
            sleep_until(&self.clocks, now + LOOK).await;
        }
    }

    /// Whether an ordinary request may still leave, after it has waited for its slot.
    pub fn recheck(&self) -> Result<(), BoxError> {
        let now = self.clocks.business();
        match self.lock().row.circuit.gate(now) {
            Gate::Silent(until) => Err(not_before(until - now)),
            Gate::Closed | Gate::HalfOpen => Ok(()),
        }
    }

    /// A request with leave was not sent after all.
    pub async fn give_back(&self, leave: Leave) -> Result<(), StoreError> {
        let Leave::Probe(probe) = leave else { return Ok(()) };
        self.lock().probe = None;
        let mut tx = self.db.begin(Priority::Interactive).await?;
        circuits::end_probe(&mut tx, &self.name, probe).await?;
        tx.commit().await
    }

    /// Notes how a request ended: after failures of the registry itself it is left alone for a while, longer each time.
    pub async fn note(&self, error: Option<&IysError>) -> Result<(), StoreError> {
        let failed = error.is_some_and(is_failure);
        let (is_open, probe) = {
            let mut state = self.lock();
            state.failures = if failed { state.failures.saturating_add(1) } else { 0 };
            if failed && state.row.circuit.rounds == 0 && !Circuit::opens_after(state.failures) {
                return Ok(());
            }
            (state.row.circuit.rounds > 0, state.probe)
        };
        match (failed, is_open) {
            (false, false) => Ok(()),
            (false, true) => self.close().await,
            // Requests that left before the silence began say nothing new.
            (true, true) if probe.is_none() => Ok(()),
            (true, _) => self.open(probe).await,
        }
    }

    async fn open(&self, probe: Option<Uuid>) -> Result<(), StoreError> {
        let now = self.clocks.business();
        let mut tx = self.db.begin(Priority::Interactive).await?;
        let row = circuits::lock(&mut tx, &self.name).await?;
        let is_news = match row.circuit.gate(now) {
            Gate::Closed => true,
            Gate::Silent(_) => false,
            Gate::HalfOpen => probe.is_some() && row.probe_by == probe,
        };
        if !is_news {
            self.keep(row);
            return Ok(());
        }
        let circuit = row.circuit.failed(now, u64::from(row.circuit.rounds));
        circuits::save(&mut tx, &self.name, circuit).await?;
        tx.commit().await?;
        tracing::warn!(rounds = circuit.rounds, until = ?circuit.silent_until, "the registry does not answer and is left alone");
        metrics::counter!("registry_silences_total").increment(1);
        self.keep(CircuitRow { circuit, ..CircuitRow::default() });
        Ok(())
    }

    async fn close(&self) -> Result<(), StoreError> {
        let mut tx = self.db.begin(Priority::Interactive).await?;
        circuits::save(&mut tx, &self.name, Circuit::default()).await?;
        tx.commit().await?;
        tracing::info!("the registry answers again");
        self.keep(CircuitRow::default());
        Ok(())
    }

    async fn begin_probe(&self, row: CircuitRow) -> Result<Option<Uuid>, StoreError> {
        if self.is_probing(row) {
            return Ok(None);
        }
        let (probe, wire) = (Uuid::new_v4(), self.clocks.wire());
        let mut tx = self.db.begin(Priority::Interactive).await?;
        let until = wire + self.probe_lease;
        let begun =
            circuits::begin_probe(&mut tx, &self.name, probe, row.circuit.rounds, until, wire).await?;
        tx.commit().await?;
        if !begun {
            return Ok(None);
        }
        self.lock().probe = Some(probe);
        Ok(Some(probe))
    }

    fn is_probing(&self, row: CircuitRow) -> bool {
        row.probe_until.is_some_and(|until| until > self.clocks.wire())
    }

    /// The row, as this process knows it while all is well, else as it is.
    async fn look(&self) -> Result<CircuitRow, StoreError> {
        let wire = self.clocks.wire();
        {
            let state = self.lock();
            let fresh = state.read_at.is_some_and(|at| at <= wire && wire - at < BELIEVED);
            if state.row.circuit.rounds == 0 && fresh {
                return Ok(state.row);
            }
        }
        let mut tx = self.db.read().await?;
        let row = circuits::find(&mut tx, &self.name).await?;
        let mut state = self.lock();
        state.row = row;
        state.read_at = Some(wire);
        Ok(row)
    }

    fn keep(&self, row: CircuitRow) {
        let mut state = self.lock();
        *state = State { row, read_at: Some(self.clocks.wire()), ..State::default() };
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether an error says that the registry is not there. Any other readable answer shows that it is.
fn is_failure(error: &IysError) -> bool {
    matches!(error.class(), ErrorClass::Retry | ErrorClass::NotSent | ErrorClass::OutcomeUnknown)
}

fn not_before(wait: TimeDelta) -> BoxError {
    NotBefore(wait.to_std().unwrap_or_default()).into()
}
