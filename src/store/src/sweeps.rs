//! What is being asked for anew after a gap of a brand's change feed. This table is the queue of these questions.

use chrono::{DateTime, Utc};
use kopru_domain::{BrandCode, IysCode};

use crate::error::Result;
use crate::{Claim, Tx, args, sql::Row, statements};

statements! {
    BEGIN = "INSERT INTO sweeps (iys_code, brand_code, phase, unsure_before, pass, place, forgotten, asked, approved, started_at, attempt, next_attempt_at)
             VALUES ($1, $2, 'forgetting', $3, 0, $4, 0, 0, 0, $5, 0, $5)
             ON CONFLICT (iys_code, brand_code) DO UPDATE SET phase = excluded.phase, unsure_before = excluded.unsure_before, pass = 0,
               place = excluded.place, forgotten = 0, asked = 0, approved = 0, started_at = excluded.started_at, ended_at = NULL,
               attempt = 0, next_attempt_at = excluded.next_attempt_at, last_error = NULL, claimed_by = NULL, lease_until = NULL";
    FIND = "SELECT iys_code, brand_code, phase, unsure_before, pass, place, forgotten, asked, approved, started_at, ended_at, attempt, last_error
            FROM sweeps WHERE iys_code = $1 AND brand_code = $2";
    FORGOT = "UPDATE sweeps SET phase = $3, pass = $4, place = $5, forgotten = forgotten + $6, next_attempt_at = $7
              WHERE iys_code = $1 AND brand_code = $2 AND phase = 'forgetting'";
    CLAIM = "WITH due AS MATERIALIZED (
              SELECT s.iys_code AS p, s.brand_code AS b FROM sweeps s
              WHERE s.phase = 'asking' AND s.next_attempt_at <= $1 AND (s.lease_until IS NULL OR s.lease_until < $2)
                AND EXISTS (SELECT 1 FROM brands k WHERE k.iys_code = s.iys_code AND k.brand_code = s.brand_code AND k.state = 'active')
              ORDER BY s.next_attempt_at LIMIT 1 {skip_locked})
        UPDATE sweeps SET claimed_by = $3, lease_until = $4, attempt = attempt + 1 FROM due WHERE iys_code = p AND brand_code = b
        RETURNING iys_code, brand_code, phase, unsure_before, pass, place, forgotten, asked, approved, started_at, ended_at, attempt, last_error";
    ADVANCE = "UPDATE sweeps SET phase = $4, pass = $5, place = $6, asked = asked + $7, approved = approved + $8, ended_at = $9, attempt = 0,
                 last_error = NULL, claimed_by = NULL, lease_until = NULL
               WHERE iys_code = $1 AND brand_code = $2 AND claimed_by = $3 AND phase = 'asking'";
    FAIL = "UPDATE sweeps SET next_attempt_at = $4, last_error = $5, claimed_by = NULL, lease_until = NULL
            WHERE iys_code = $1 AND brand_code = $2 AND claimed_by = $3";
    OPEN = "SELECT count(*) FROM sweeps WHERE phase <> 'done'";
}

/// How far a sweep has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// What the registry holds is being forgotten.
    Forgetting,
    /// The registry is being asked.
    Asking,
    /// Everything has been asked.
    Done,
}

impl Phase {
    /// The word in the table.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Forgetting => "forgetting",
            Self::Asking => "asking",
            Self::Done => "done",
        }
    }
}

/// A place in the walk over a brand's addresses.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Place {
    /// Which of the passes.
    pub pass: i64,
    /// The last key that is done in it; empty at its beginning.
    pub key: Vec<u8>,
}

/// The sweep of a brand: the one that goes on, or the last one.
#[derive(Debug, Clone)]
pub struct SweepRow {
    /// Provider.
    pub iys_code: IysCode,
    /// Brand.
    pub brand_code: BrandCode,
    /// How far.
    pub phase: Phase,
    /// What the registry recorded before this instant may have changed since, unseen.
    pub unsure_before: DateTime<Utc>,
    /// Where in the phase.
    pub place: Place,
    /// Permissions forgotten.
    pub forgotten: i64,
    /// Addresses asked.
    pub asked: i64,
    /// Of these, approved.
    pub approved: i64,
    /// When the gap was found (business time).
    pub started_at: DateTime<Utc>,
    /// When everything had been asked.
    pub ended_at: Option<DateTime<Utc>>,
    /// Tries since the last answer.
    pub attempt: i64,
    /// What went wrong last.
    pub last_error: Option<String>,
}

/// Begins a sweep in place of the last one.
pub async fn begin(
    tx: &mut Tx,
    provider: IysCode,
    brand: BrandCode,
    unsure_before: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<()> {
    tx.execute(&BEGIN, args![provider, brand, unsure_before, Vec::<u8>::new(), now]).await.map(drop)
}

/// The sweep of a brand.
pub async fn find(tx: &mut Tx, provider: IysCode, brand: BrandCode) -> Result<Option<SweepRow>> {
    tx.row(&FIND, args![provider, brand]).await?.map(|row| read(&row)).transpose()
}

/// Notes how far the forgetting has come; in the transaction of the portion, under the provider's head.
pub async fn forgot(
    tx: &mut Tx,
    row: &SweepRow,
    phase: Phase,
    place: Place,
    count: i64,
    now: DateTime<Utc>,
) -> Result<()> {
    let args = args![row.iys_code, row.brand_code, phase.as_str(), place.pass, place.key, count, now];
    tx.execute(&FORGOT, args).await.map(drop)
}

/// Claims the sweep that has waited longest.
pub async fn claim(
    tx: &mut Tx,
    business_now: DateTime<Utc>,
    wire_now: DateTime<Utc>,
    claim: Claim,
) -> Result<Option<SweepRow>> {
    tx.row(&CLAIM, args![business_now, wire_now, claim.by, claim.until])
        .await?
        .map(|row| read(&row))
        .transpose()
}

/// What a portion of the questions brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// How far it has come.
    pub place: Place,
    /// Addresses.
    pub asked: i64,
    /// Of these, approved.
    pub approved: i64,
    /// When everything had been asked; `None` while there is more.
    pub ended_at: Option<DateTime<Utc>>,
}

/// Notes a portion of the questions, in the transaction that records the answers, and gives the claim back; false when it was
/// lost.
pub async fn advance(tx: &mut Tx, row: &SweepRow, claim: Claim, asked: Asked) -> Result<bool> {
    let phase = if asked.ended_at.is_some() { Phase::Done } else { Phase::Asking };
    let args = args![
        row.iys_code,
        row.brand_code,
        claim.by,
        phase.as_str(),
        asked.place.pass,
        asked.place.key,
        asked.asked,
        asked.approved,
        asked.ended_at
    ];
    Ok(tx.execute(&ADVANCE, args).await? == 1)
}

/// The registry did not answer; it is asked again at `next`.
pub async fn fail(tx: &mut Tx, row: &SweepRow, claim: Claim, error: &str, next: DateTime<Utc>) -> Result<()> {
    tx.execute(&FAIL, args![row.iys_code, row.brand_code, claim.by, next, error]).await.map(drop)
}

/// How many are going on.
pub async fn open_count(tx: &mut Tx) -> Result<i64> {
    tx.row(&OPEN, args![]).await?.map_or(Ok(0), |row| row.get(0))
}

fn read(row: &Row) -> Result<SweepRow> {
    let phase: String = row.get(2)?;
    Ok(SweepRow {
        iys_code: IysCode(row.get(0)?),
        brand_code: BrandCode(row.get(1)?),
        phase: match phase.as_str() {
            "forgetting" => Phase::Forgetting,
            "asking" => Phase::Asking,
            _ => Phase::Done,
        },
        unsure_before: row.get(3)?,
        place: Place { pass: row.get(4)?, key: row.get(5)? },
        forgotten: row.get(6)?,
        asked: row.get(7)?,
        approved: row.get(8)?,
        started_at: row.get(9)?,
        ended_at: row.get(10)?,
        attempt: row.get(11)?,
        last_error: row.get(12)?,
    })
}
