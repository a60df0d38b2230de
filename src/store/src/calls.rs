//! Call centres: the settings of a brand, and calls that ended without a decision.

use chrono::{DateTime, Utc};
use kopru_domain::call::{CallSettings, NoConsent};
use kopru_domain::{BrandCode, Channel, IysCode};
use uuid::Uuid;

use crate::error::Result;
use crate::{Insert, Key, Tx, args, sql::Row, statements};

statements! {
    SETTINGS = "SELECT voice_record, approval_key, rejection_key FROM call_settings WHERE iys_code = $1 AND brand_code = $2";
    SET = "INSERT INTO call_settings (iys_code, brand_code, voice_record, approval_key, rejection_key) VALUES ($1, $2, $3, $4, $5)
           ON CONFLICT (iys_code, brand_code) DO UPDATE SET voice_record = excluded.voice_record,
           approval_key = excluded.approval_key, rejection_key = excluded.rejection_key";
    LIST = "SELECT id, mark, channel, reason, sealed, received_at FROM call_outcomes {by call_outcomes_by_brand}
            WHERE iys_code = $1 AND brand_code = $2 AND id > $3 ORDER BY id LIMIT $4";
    PURGE = "DELETE FROM call_outcomes WHERE (iys_code, mark) IN
              (SELECT c.iys_code, c.mark FROM call_outcomes c {by call_outcomes_old} WHERE c.received_at < $1 LIMIT $2)";
}

static ADD: Insert = Insert {
    head: "INSERT INTO call_outcomes (iys_code, mark, brand_code, id, channel, reason, sealed, received_at)",
    types: &["bigint", "bytea", "bigint", "uuid", "text", "text", "bytea", "timestamptz"],
    tail: "ON CONFLICT (iys_code, mark) DO NOTHING",
};

/// The bulk inserts of this module by name.
pub(crate) static INSERTS: &[(&str, &Insert)] = &[("ADD", &ADD)];

/// A call that ended without a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutcomeRow {
    /// Identity.
    pub id: Uuid,
    /// Keyed digest of call, address and channel: told again, it is the same.
    pub mark: Key,
    /// What was asked for.
    pub channel: Channel,
    /// Why there is no decision.
    pub reason: NoConsent,
    /// Call, address and agent, sealed.
    pub sealed: Vec<u8>,
    /// When it was told (business time).
    pub received_at: DateTime<Utc>,
}

/// A brand's settings; the defaults where none were made.
pub async fn settings(tx: &mut Tx, provider: IysCode, brand: BrandCode) -> Result<CallSettings> {
    let Some(row) = tx.row(&SETTINGS, args![provider, brand]).await? else {
        return Ok(CallSettings::default());
    };
    Ok(CallSettings { voice_record: row.get(0)?, approval_key: row.get(1)?, rejection_key: row.get(2)? })
}

/// Keeps a brand's settings.
pub async fn set(tx: &mut Tx, provider: IysCode, brand: BrandCode, settings: &CallSettings) -> Result<()> {
    let (approval, rejection) = (settings.approval_key.as_str(), settings.rejection_key.as_str());
    tx.execute(&SET, args![provider, brand, settings.voice_record, approval, rejection]).await.map(drop)
}

/// Keeps calls without a decision; those told before change nothing.
pub async fn add(tx: &mut Tx, provider: IysCode, brand: BrandCode, rows: Vec<OutcomeRow>) -> Result<()> {
    let values = rows.into_iter().map(|row| {
        let reason = row.reason.as_str();
        args![provider, row.mark, brand, row.id, row.channel, reason, row.sealed, row.received_at]
    });
    tx.insert(&ADD, values.collect()).await.map(drop)
}

/// A brand's calls without a decision after an id, oldest first.
pub async fn list(
    tx: &mut Tx,
    provider: IysCode,
    brand: BrandCode,
    after: Uuid,
    limit: i64,
) -> Result<Vec<OutcomeRow>> {
    tx.rows(&LIST, args![provider, brand, after, limit]).await?.iter().map(read).collect()
}

/// Deletes those that were told before an instant (business time); returns how many.
pub async fn purge(tx: &mut Tx, before: DateTime<Utc>, limit: i64) -> Result<u64> {
    tx.execute(&PURGE, args![before, limit]).await
}

fn read(row: &Row) -> Result<OutcomeRow> {
    Ok(OutcomeRow {
        id: row.get(0)?,
        mark: row.key(1)?,
        channel: row.word(2)?,
        reason: row.word(3)?,
        sealed: row.get(4)?,
        received_at: row.get(5)?,
    })
}
