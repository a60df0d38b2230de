//! The circuit breaker of a registry, shared by all replicas.

use chrono::{DateTime, Utc};
use kopru_domain::governor::Circuit;
use uuid::Uuid;

use crate::error::{Result, StoreError};
use crate::{Tx, args, sql::Row, statements};

statements! {
    ADD = "INSERT INTO circuits (name, rounds) VALUES ($1, 0) ON CONFLICT (name) DO NOTHING";
    FIND = "SELECT rounds, silent_until, probe_by, probe_until FROM circuits WHERE name = $1";
    LOCK = "SELECT rounds, silent_until, probe_by, probe_until FROM circuits WHERE name = $1 {for_update}";
    SAVE = "UPDATE circuits SET rounds = $2, silent_until = $3, probe_by = NULL, probe_until = NULL WHERE name = $1";
    PROBE = "UPDATE circuits SET probe_by = $2, probe_until = $3
             WHERE name = $1 AND rounds = $4 AND (probe_until IS NULL OR probe_until <= $5)";
    RELEASE = "UPDATE circuits SET probe_by = NULL, probe_until = NULL WHERE name = $1 AND probe_by = $2";
}

/// A circuit breaker, and who tries whether the registry is back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CircuitRow {
    /// Its state.
    pub circuit: Circuit,
    /// The probe under way, if it has not been lost.
    pub probe_by: Option<Uuid>,
    /// Until when its outcome is awaited (wire time).
    pub probe_until: Option<DateTime<Utc>>,
}

/// Reads it; a closed one where there is none.
pub async fn find(tx: &mut Tx, name: &str) -> Result<CircuitRow> {
    tx.row(&FIND, args![name]).await?.map_or(Ok(CircuitRow::default()), |row| read(&row))
}

/// Reads it and locks it until commit; makes it where it is missing.
pub async fn lock(tx: &mut Tx, name: &str) -> Result<CircuitRow> {
    let mut found = tx.row(&LOCK, args![name]).await?;
    if found.is_none() {
        tx.execute(&ADD, args![name]).await?;
        found = tx.row(&LOCK, args![name]).await?;
    }
    read(&found.ok_or_else(|| StoreError::corrupt("circuits", "missing"))?)
}

/// Writes a new state; a probe under way has ended with it.
pub async fn save(tx: &mut Tx, name: &str, circuit: Circuit) -> Result<()> {
    tx.execute(&SAVE, args![name, circuit.rounds, circuit.silent_until]).await.map(drop)
}

/// Takes the right to probe until an instant (wire time), in the round that was seen; false while another has it, or when
/// the round is over.
pub async fn begin_probe(
    tx: &mut Tx,
    name: &str,
    probe: Uuid,
    rounds: u32,
    until: DateTime<Utc>,
    wire_now: DateTime<Utc>,
) -> Result<bool> {
    Ok(tx.execute(&PROBE, args![name, probe, until, rounds, wire_now]).await? == 1)
}

/// Gives the right to probe back, without an outcome.
pub async fn end_probe(tx: &mut Tx, name: &str, probe: Uuid) -> Result<()> {
    tx.execute(&RELEASE, args![name, probe]).await.map(drop)
}

fn read(row: &Row) -> Result<CircuitRow> {
    let rounds: i64 = row.get(0)?;
    let circuit = Circuit { rounds: u32::try_from(rounds).unwrap_or(u32::MAX), silent_until: row.get(1)? };
    Ok(CircuitRow { circuit, probe_by: row.get(2)?, probe_until: row.get(3)? })
}
