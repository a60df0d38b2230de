//! Double opt-ins that the registry carries out: their way there, what was approved, and the registry's evidence.

use std::str::FromStr;

use chrono::{DateTime, Utc};
use kopru_domain::via::{Verification, ViaState};
use kopru_domain::{BrandCode, Channel, IysCode};
use uuid::Uuid;

use crate::error::Result;
use crate::{Claim, Tx, args, sql::Row, statements};

/// The columns of [`ProcessRow`], as [`read`] expects them; unqualified, for RETURNING.
macro_rules! row {
    () => {
        "iys_code, id, brand_code, verification, form_id, link_id, state, request_id, code, started_at, ended_at, mirrored, evidence, \
         attempt, next_attempt_at, created_at"
    };
}

/// What is due of a queue: of the starts, which people wait for, or of the rest.
macro_rules! due {
    ($columns:literal, $index:literal, $which:literal, $limit:literal) => {
        concat!(
            "SELECT ",
            $columns,
            " FROM via_processes v {by ",
            $index,
            "} WHERE v.state ",
            $which,
            " ('queued', 'starting') AND v.next_attempt_at IS NOT NULL AND v.next_attempt_at <= $1
              AND (v.lease_until IS NULL OR v.lease_until < $2) ORDER BY v.next_attempt_at ",
            $limit
        )
    };
}

macro_rules! claim {
    ($index:literal, $which:literal) => {
        concat!(
            "WITH due AS MATERIALIZED (",
            due!("v.iys_code AS p, v.id AS i", $index, $which, "LIMIT 1 {skip_locked}"),
            ") UPDATE via_processes SET claimed_by = $3, lease_until = $4, attempt = attempt + 1 FROM due WHERE iys_code = p AND id = i
             RETURNING ",
            row!()
        )
    };
}

statements! {
    ADD = concat!("INSERT INTO via_processes (", row!(), ")
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)");
    FIND = concat!("SELECT ", row!(), " FROM via_processes WHERE iys_code = $1 AND id = $2");
    OF_IDS = concat!("SELECT ", row!(), " FROM via_processes WHERE iys_code = $1 AND id {in $2 uuid}");
    STARTS_DUE = due!("1", "via_processes_start", "IN", "LIMIT 1");
    DUE = due!("1", "via_processes_due", "NOT IN", "LIMIT 1");
    CLAIM_START = claim!("via_processes_start", "IN");
    CLAIM = claim!("via_processes_due", "NOT IN");
    /// For the confirmation of a person, who does not wait for what a worker has in hand.
    TAKE = concat!("UPDATE via_processes SET claimed_by = $3, lease_until = $4 WHERE iys_code = $1 AND id = $2 AND state = 'waiting'
             AND (lease_until IS NULL OR lease_until < $5) RETURNING ", row!());
    BEGIN = "UPDATE via_processes SET state = 'starting', started_at = $4
             WHERE iys_code = $1 AND id = $2 AND claimed_by = $3 AND state = 'queued'";
    SETTLE = "UPDATE via_processes SET state = $4, request_id = $5, code = $6, started_at = $7, ended_at = $8, mirrored = $9, evidence = $10,
                  attempt = $11, next_attempt_at = $12, claimed_by = NULL, lease_until = NULL
              WHERE iys_code = $1 AND id = $2 AND claimed_by = $3";
    END = "UPDATE via_processes SET state = CASE WHEN state IN ('queued', 'starting', 'unknown', 'waiting') THEN 'expired' ELSE state END,
               code = $3, ended_at = COALESCE(ended_at, $4), next_attempt_at = NULL, claimed_by = NULL, lease_until = NULL
           WHERE iys_code = $1 AND id = $2 AND state <> 'approved' AND (code IS NULL OR code <> $3)";
    MOVED = "INSERT INTO via_movements (iys_code, transaction_id, id, channel, consent_date) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (iys_code, transaction_id, channel) DO NOTHING";
    MOVEMENTS = "SELECT id, transaction_id, channel, consent_date FROM via_movements {by via_movements_of}
                 WHERE iys_code = $1 AND id {in $2 uuid} ORDER BY id, channel, transaction_id";
    BEHIND = "SELECT id, transaction_id, channel, consent_date FROM via_movements WHERE iys_code = $1 AND transaction_id {in $2 text}";
    PROVE = "INSERT INTO via_evidence (iys_code, id, sha256, size, sealed, fetched_at) VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (iys_code, id) DO NOTHING";
    PROOFS = "SELECT id, sha256, size, fetched_at FROM via_evidence WHERE iys_code = $1 AND id {in $2 uuid}";
    PROOF = "SELECT sealed FROM via_evidence WHERE iys_code = $1 AND id = $2";
    OPEN = "SELECT state, count(*) FROM via_processes {by via_processes_start} WHERE state IN ('queued', 'starting') AND next_attempt_at IS NOT NULL
            GROUP BY state
            UNION ALL SELECT state, count(*) FROM via_processes {by via_processes_due}
            WHERE state NOT IN ('queued', 'starting') AND next_attempt_at IS NOT NULL GROUP BY state";
}

/// What is known of the registry's evidence of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EvidenceState {
    /// There is nothing to prove.
    None,
    /// It is to be fetched.
    Due,
    /// It is kept here.
    Stored,
    /// The registry has none.
    Missing,
}

impl EvidenceState {
    /// The stored word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Due => "due",
            Self::Stored => "stored",
            Self::Missing => "missing",
        }
    }
}

impl FromStr for EvidenceState {
    type Err = ();

    fn from_str(word: &str) -> std::result::Result<Self, ()> {
        [Self::None, Self::Due, Self::Stored, Self::Missing]
            .into_iter()
            .find(|state| state.as_str() == word)
            .ok_or(())
    }
}

/// A double opt-in that the registry carries out. All instants are business time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessRow {
    /// Provider.
    pub iys_code: IysCode,
    /// The double opt-in.
    pub id: Uuid,
    /// Brand.
    pub brand_code: BrandCode,
    /// How the registry asks.
    pub verification: Verification,
    /// The registry's form.
    pub form_id: i64,
    /// The link of ours that led to it.
    pub link_id: Option<Uuid>,
    /// How far it has come.
    pub state: ViaState,
    /// The registry's id.
    pub request_id: Option<String>,
    /// The registry's last word: a refusal's code, or stage and status.
    pub code: Option<String>,
    /// When the registry was asked to start it.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
    /// Whether what was approved is in the mirror.
    pub mirrored: bool,
    /// The registry's evidence.
    pub evidence: EvidenceState,
    /// Tries, or questions, in the present state.
    pub attempt: i64,
    /// When it goes on; `None`: nothing more is to be done.
    pub next_attempt_at: Option<DateTime<Utc>>,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
}

/// A movement at the registry that a process has led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MovementRow {
    /// The process.
    pub id: Uuid,
    /// The registry's id.
    pub transaction_id: String,
    /// Channel.
    pub channel: Channel,
    /// When the citizen approved, by the registry's word.
    pub consent_date: Option<DateTime<Utc>>,
}

/// The registry's evidence file of a process, without its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProofRow {
    /// The process.
    pub id: Uuid,
    /// SHA-256 of the file as it came.
    pub sha256: Vec<u8>,
    /// Bytes of the file.
    pub size: i64,
    /// When it was fetched (business time).
    pub fetched_at: DateTime<Utc>,
}

/// Adds one.
pub async fn add(tx: &mut Tx, row: &ProcessRow) -> Result<()> {
    let args = args![
        row.iys_code,
        row.id,
        row.brand_code,
        row.verification.as_str(),
        row.form_id,
        row.link_id,
        row.state.as_str(),
        row.request_id.as_deref(),
        row.code.as_deref(),
        row.started_at,
        row.ended_at,
        row.mirrored,
        row.evidence.as_str(),
        row.attempt,
        row.next_attempt_at,
        row.created_at
    ];
    tx.execute(&ADD, args).await.map(drop)
}

/// One of them; `None` where the double opt-in is our own.
pub async fn find(tx: &mut Tx, provider: IysCode, id: Uuid) -> Result<Option<ProcessRow>> {
    tx.row(&FIND, args![provider, id]).await?.map(|row| read(&row)).transpose()
}

/// Those of these double opt-ins that the registry carries out.
pub async fn of_ids(tx: &mut Tx, provider: IysCode, ids: Vec<Uuid>) -> Result<Vec<ProcessRow>> {
    tx.rows(&OF_IDS, args![provider, ids]).await?.iter().map(read).collect()
}

/// Whether something is due: of the starts, or of the rest.
pub async fn is_due(tx: &mut Tx, starts: bool, now: DateTime<Utc>, wire: DateTime<Utc>) -> Result<bool> {
    let statement = if starts { &STARTS_DUE } else { &DUE };
    Ok(tx.row(statement, args![now, wire]).await?.is_some())
}

/// Claims what has waited longest: of the starts, or of the rest.
pub async fn claim(
    tx: &mut Tx,
    starts: bool,
    now: DateTime<Utc>,
    wire: DateTime<Utc>,
    claim: Claim,
) -> Result<Option<ProcessRow>> {
    let statement = if starts { &CLAIM_START } else { &CLAIM };
    let args = args![now, wire, claim.by, claim.until];
    tx.row(statement, args).await?.map(|row| read(&row)).transpose()
}

/// Claims one that waits for its citizen; `None` where it does not, or somebody has it in hand.
pub async fn take(
    tx: &mut Tx,
    provider: IysCode,
    id: Uuid,
    wire: DateTime<Utc>,
    claim: Claim,
) -> Result<Option<ProcessRow>> {
    let args = args![provider, id, claim.by, claim.until, wire];
    tx.row(&TAKE, args).await?.map(|row| read(&row)).transpose()
}

/// Notes that the registry is about to be asked to start one; false when the claim was lost. Commit before it is asked.
pub async fn begin(tx: &mut Tx, row: &ProcessRow, claim: Claim, now: DateTime<Utc>) -> Result<bool> {
    Ok(tx.execute(&BEGIN, args![row.iys_code, row.id, claim.by, now]).await? == 1)
}

/// Writes back a claimed one and lets go of it; false when the claim was lost.
pub async fn settle(tx: &mut Tx, row: &ProcessRow, claim: Claim) -> Result<bool> {
    let args = args![
        row.iys_code,
        row.id,
        claim.by,
        row.state.as_str(),
        row.request_id.as_deref(),
        row.code.as_deref(),
        row.started_at,
        row.ended_at,
        row.mirrored,
        row.evidence.as_str(),
        row.attempt,
        row.next_attempt_at
    ];
    Ok(tx.execute(&SETTLE, args).await? == 1)
}

/// Ends one for good, whoever has it in hand; false when it was approved, or ended so before.
pub async fn end(tx: &mut Tx, provider: IysCode, id: Uuid, code: &str, now: DateTime<Utc>) -> Result<bool> {
    Ok(tx.execute(&END, args![provider, id, code, now]).await? == 1)
}

/// Notes a movement that a process has led to; noted before, nothing changes.
pub async fn moved(tx: &mut Tx, provider: IysCode, movement: &MovementRow) -> Result<()> {
    let args = args![
        provider,
        movement.transaction_id.as_str(),
        movement.id,
        movement.channel.as_str(),
        movement.consent_date
    ];
    tx.execute(&MOVED, args).await.map(drop)
}

/// What these processes have led to.
pub async fn movements(tx: &mut Tx, provider: IysCode, ids: Vec<Uuid>) -> Result<Vec<MovementRow>> {
    tx.rows(&MOVEMENTS, args![provider, ids]).await?.iter().map(read_movement).collect()
}

/// The processes behind these movements of the registry.
pub async fn behind(
    tx: &mut Tx,
    provider: IysCode,
    transaction_ids: Vec<String>,
) -> Result<Vec<MovementRow>> {
    tx.rows(&BEHIND, args![provider, transaction_ids]).await?.iter().map(read_movement).collect()
}

fn read_movement(row: &Row) -> Result<MovementRow> {
    Ok(MovementRow {
        id: row.get(0)?,
        transaction_id: row.get(1)?,
        channel: row.word(2)?,
        consent_date: row.get(3)?,
    })
}

/// Keeps the registry's evidence, sealed; kept before, nothing changes.
pub async fn prove(tx: &mut Tx, provider: IysCode, proof: &ProofRow, sealed: Vec<u8>) -> Result<()> {
    let args = args![provider, proof.id, proof.sha256.clone(), proof.size, sealed, proof.fetched_at];
    tx.execute(&PROVE, args).await.map(drop)
}

/// What is kept of the evidence of these processes.
pub async fn proofs(tx: &mut Tx, provider: IysCode, ids: Vec<Uuid>) -> Result<Vec<ProofRow>> {
    let rows = tx.rows(&PROOFS, args![provider, ids]).await?;
    let read = |row: &Row| {
        Ok(ProofRow { id: row.get(0)?, sha256: row.get(1)?, size: row.get(2)?, fetched_at: row.get(3)? })
    };
    rows.iter().map(read).collect()
}

/// The evidence of a process, sealed.
pub async fn proof(tx: &mut Tx, provider: IysCode, id: Uuid) -> Result<Option<Vec<u8>>> {
    tx.row(&PROOF, args![provider, id]).await?.map(|row| row.get(0)).transpose()
}

/// How many are under way, by state.
pub async fn open_counts(tx: &mut Tx) -> Result<Vec<(String, i64)>> {
    tx.rows(&OPEN, args![]).await?.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

fn read(row: &Row) -> Result<ProcessRow> {
    Ok(ProcessRow {
        iys_code: IysCode(row.get(0)?),
        id: row.get(1)?,
        brand_code: BrandCode(row.get(2)?),
        verification: row.word(3)?,
        form_id: row.get(4)?,
        link_id: row.get(5)?,
        state: row.word(6)?,
        request_id: row.get(7)?,
        code: row.get(8)?,
        started_at: row.get(9)?,
        ended_at: row.get(10)?,
        mirrored: row.get(11)?,
        evidence: row.word(12)?,
        attempt: row.get(13)?,
        next_attempt_at: row.get(14)?,
        created_at: row.get(15)?,
    })
}
