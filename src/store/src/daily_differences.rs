//! What differs between a day's file of the registry and what is held here.

use chrono::{DateTime, NaiveDate, Utc};
use kopru_domain::{BrandCode, IysCode};
use uuid::Uuid;

use crate::error::{Result, StoreError};
use crate::{Insert, Key, Tx, args, sql::Row, statements};

/// The columns of [`DifferenceRow`], as [`read`] expects them.
macro_rules! row {
    () => {
        "id, kind, cause, key, consent_id, generation, sealed, repaired_at, outcome"
    };
}

statements! {
    LIST = concat!("SELECT ", row!(), " FROM daily_differences
        WHERE iys_code = $1 AND brand_code = $2 AND day = $3 AND id > $4 ORDER BY id LIMIT $5");
    OPEN = concat!("SELECT ", row!(), " FROM daily_differences
        WHERE iys_code = $1 AND brand_code = $2 AND day = $3 AND id > $4 AND repaired_at IS NULL ORDER BY id LIMIT $5");
    COUNTS = "SELECT kind, count(*), coalesce(sum(CASE WHEN repaired_at IS NULL THEN 1 ELSE 0 END), 0) FROM daily_differences
        WHERE iys_code = $1 AND brand_code = $2 AND day = $3 GROUP BY kind";
    REPAIRED = "UPDATE daily_differences SET repaired_at = $5, outcome = $6
        WHERE iys_code = $1 AND brand_code = $2 AND day = $3 AND id {in $4 uuid} AND repaired_at IS NULL";
    FORGET = "DELETE FROM daily_differences WHERE iys_code = $1 AND brand_code = $2 AND day = $3 AND repaired_at IS NULL";
}

static ADD: Insert = Insert {
    head: "INSERT INTO daily_differences (iys_code, brand_code, day, id, kind, cause, key, consent_id, generation, sealed)",
    types: &["bigint", "bigint", "text", "uuid", "text", "text", "bytea", "uuid", "bigint", "bytea"],
    tail: "ON CONFLICT (iys_code, brand_code, day, id) DO NOTHING",
};

/// The bulk inserts of this module by name.
pub(crate) static INSERTS: &[(&str, &Insert)] = &[("ADD", &ADD)];

/// How the two sides differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DifferenceKind {
    /// Held here as registered, and not in the registry's file.
    MissingThere,
    /// In the registry's file, and not known here.
    MissingHere,
    /// On both sides, and not the same.
    Different,
}

impl DifferenceKind {
    /// The word in the database and on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MissingThere => "missing_there",
            Self::MissingHere => "missing_here",
            Self::Different => "different",
        }
    }

    fn from_word(word: &str) -> Result<Self> {
        [Self::MissingThere, Self::MissingHere, Self::Different]
            .into_iter()
            .find(|kind| kind.as_str() == word)
            .ok_or_else(|| StoreError::corrupt("daily_differences", word))
    }
}

/// The day of a brand that differences belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DayOf {
    /// Provider.
    pub iys_code: IysCode,
    /// Brand.
    pub brand_code: BrandCode,
    /// Day.
    pub day: NaiveDate,
}

/// One difference.
#[derive(Debug, Clone)]
pub struct DifferenceRow {
    /// Made of what it is about.
    pub id: Uuid,
    /// How the sides differ.
    pub kind: DifferenceKind,
    /// More exactly: a word, or the fields that differ.
    pub cause: String,
    /// Blind name of the address.
    pub key: Key,
    /// The consent of ours.
    pub consent_id: Option<Uuid>,
    /// Which filing of it.
    pub generation: Option<i64>,
    /// The registry's movement, sealed.
    pub sealed: Option<Vec<u8>>,
    /// When something was done about it (business time).
    pub repaired_at: Option<DateTime<Utc>>,
    /// What was done.
    pub outcome: Option<String>,
}

/// Adds differences; those known stay as they are. Returns how many were new.
pub async fn add(tx: &mut Tx, of: DayOf, rows: Vec<DifferenceRow>) -> Result<u64> {
    let values = rows.into_iter().map(|row| {
        args![
            of.iys_code,
            of.brand_code,
            of.day.to_string(),
            row.id,
            row.kind.as_str(),
            row.cause,
            row.key,
            row.consent_id,
            row.generation,
            row.sealed
        ]
    });
    tx.insert(&ADD, values.collect()).await
}

/// A page of a day's differences after an id; only those that nothing was done about where `open` says so.
pub async fn list(tx: &mut Tx, of: DayOf, open: bool, after: Uuid, limit: i64) -> Result<Vec<DifferenceRow>> {
    let args = args![of.iys_code, of.brand_code, of.day.to_string(), after, limit];
    let rows = if open { tx.rows(&OPEN, args).await? } else { tx.rows(&LIST, args).await? };
    rows.iter().map(read).collect()
}

/// How many differences there are of each kind, and how many of these nothing was done about.
pub async fn counts(tx: &mut Tx, of: DayOf) -> Result<Vec<(DifferenceKind, i64, i64)>> {
    let rows = tx.rows(&COUNTS, args![of.iys_code, of.brand_code, of.day.to_string()]).await?;
    rows.iter()
        .map(|row| Ok((DifferenceKind::from_word(&row.get::<String>(0)?)?, row.get(1)?, row.get(2)?)))
        .collect()
}

/// Notes what was done about some of a day's differences; returns how many nothing had been done about before.
pub async fn repaired(
    tx: &mut Tx,
    of: DayOf,
    ids: Vec<Uuid>,
    outcome: &str,
    now: DateTime<Utc>,
) -> Result<u64> {
    let args = args![of.iys_code, of.brand_code, of.day.to_string(), ids, now, outcome];
    tx.execute(&REPAIRED, args).await
}

/// Forgets the differences of a day that nothing was done about: it is compared anew.
pub async fn forget(tx: &mut Tx, of: DayOf) -> Result<u64> {
    tx.execute(&FORGET, args![of.iys_code, of.brand_code, of.day.to_string()]).await
}

fn read(row: &Row) -> Result<DifferenceRow> {
    Ok(DifferenceRow {
        id: row.get(0)?,
        kind: DifferenceKind::from_word(&row.get::<String>(1)?)?,
        cause: row.get(2)?,
        key: row.key(3)?,
        consent_id: row.get(4)?,
        generation: row.get(5)?,
        sealed: row.get(6)?,
        repaired_at: row.get(7)?,
        outcome: row.get(8)?,
    })
}
