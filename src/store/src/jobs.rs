//! Durable work that has no table of its own: housekeeping, and what schedules put in.

use chrono::{DateTime, Utc};
use kopru_domain::IysCode;
use uuid::Uuid;

use crate::error::Result;
use crate::{Claim, Tx, args, sql::Row, statements};

statements! {
    ADD = "INSERT INTO jobs (iys_code, id, kind, payload, state, attempt, next_attempt_at, created_at) VALUES ($1, $2, $3, $4, 'queued', 0, $5, $5)";
    /// Of a schedule: only when none of the kind is waiting.
    ADD_ONCE = "INSERT INTO jobs (iys_code, id, kind, payload, state, attempt, next_attempt_at, created_at)
                SELECT $1, $2, $3, $4, 'queued', 0, $5, $5 WHERE NOT EXISTS (SELECT 1 FROM jobs WHERE iys_code = $1 AND kind = $3 AND state IN ('queued', 'in_flight'))";
    CLAIM = "WITH due AS MATERIALIZED (
              SELECT j.iys_code AS p, j.id AS i FROM jobs j {by jobs_due}
              WHERE j.state IN ('queued', 'in_flight') AND j.next_attempt_at <= $1 AND (j.state = 'queued' OR j.lease_until < $2)
              ORDER BY j.next_attempt_at LIMIT 1 {skip_locked})
        UPDATE jobs SET state = 'in_flight', claimed_by = $3, lease_until = $4, attempt = attempt + 1 FROM due
        WHERE iys_code = p AND id = i RETURNING iys_code, id, kind, payload, attempt";
    FINISH = "UPDATE jobs SET state = $4, next_attempt_at = $5, last_error = $6, claimed_by = NULL, lease_until = NULL
              WHERE iys_code = $1 AND id = $2 AND claimed_by = $3";
    PROCEED = "UPDATE jobs SET state = 'queued', payload = $4, next_attempt_at = $5, attempt = 0, last_error = NULL, claimed_by = NULL, lease_until = NULL
               WHERE iys_code = $1 AND id = $2 AND claimed_by = $3";
    PURGE = "DELETE FROM jobs WHERE state IN ('done', 'failed') AND next_attempt_at < $1";
}

/// A job.
#[derive(Debug, Clone)]
pub struct JobRow {
    /// Provider; 0 = the installation.
    pub iys_code: IysCode,
    /// Identity.
    pub id: Uuid,
    /// Which work.
    pub kind: String,
    /// Its input, JSON.
    pub payload: String,
    /// Tries so far.
    pub attempt: i64,
}

/// Adds a job.
pub async fn add(
    tx: &mut Tx,
    provider: IysCode,
    id: Uuid,
    kind: &str,
    payload: &str,
    at: DateTime<Utc>,
) -> Result<()> {
    tx.execute(&ADD, args![provider, id, kind, payload, at]).await.map(drop)
}

/// Adds a job unless one of its kind is waiting.
pub async fn add_once(
    tx: &mut Tx,
    provider: IysCode,
    id: Uuid,
    kind: &str,
    payload: &str,
    at: DateTime<Utc>,
) -> Result<bool> {
    Ok(tx.execute(&ADD_ONCE, args![provider, id, kind, payload, at]).await? == 1)
}

/// Claims the job that has waited longest (both instants in wire time).
pub async fn claim(tx: &mut Tx, now: DateTime<Utc>, claim: Claim) -> Result<Option<JobRow>> {
    tx.row(&CLAIM, args![now, now, claim.by, claim.until]).await?.map(|row| read(&row)).transpose()
}

/// Ends a job (`done`, `failed`) or queues it again (`queued`) at an instant.
pub async fn finish(
    tx: &mut Tx,
    job: &JobRow,
    claim: Claim,
    state: &str,
    at: DateTime<Utc>,
    error: Option<&str>,
) -> Result<bool> {
    Ok(tx.execute(&FINISH, args![job.iys_code, job.id, claim.by, state, at, error]).await? == 1)
}

/// Notes how far a job in steps has come and queues its next step; write it in the transaction of the step. False when the
/// claim was lost: then the step is somebody else's.
pub async fn proceed(
    tx: &mut Tx,
    job: &JobRow,
    claim: Claim,
    payload: &str,
    at: DateTime<Utc>,
) -> Result<bool> {
    Ok(tx.execute(&PROCEED, args![job.iys_code, job.id, claim.by, payload, at]).await? == 1)
}

/// Forgets ended jobs.
pub async fn purge(tx: &mut Tx, before: DateTime<Utc>) -> Result<u64> {
    tx.execute(&PURGE, args![before]).await
}

fn read(row: &Row) -> Result<JobRow> {
    Ok(JobRow {
        iys_code: IysCode(row.get(0)?),
        id: row.get(1)?,
        kind: row.get(2)?,
        payload: row.get(3)?,
        attempt: row.get(4)?,
    })
}
