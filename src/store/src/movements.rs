//! Movements that the registry told us, by (transactionId, status, consentDate), so that none acts twice.

use chrono::{DateTime, Utc};
use kopru_domain::{BrandCode, ConsentStatus, IysCode};

use crate::error::Result;
use crate::{Insert, Key, Tx, args};

static ADD: Insert = Insert {
    head: "INSERT INTO movements (iys_code, transaction_id, status, consent_date, brand_code, key, seen_at)",
    types: &["bigint", "text", "text", "text", "bigint", "bytea", "timestamptz"],
    tail: "ON CONFLICT (iys_code, transaction_id, status, consent_date) DO NOTHING RETURNING transaction_id, status, consent_date",
};

/// A movement's identity and place.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MovementRow {
    /// The registry's id of it.
    pub transaction_id: String,
    /// ONAY or RET.
    pub status: ConsentStatus,
    /// As the registry wrote it; empty for a merchant's record without a date.
    pub consent_date: String,
    /// Brand.
    pub brand_code: BrandCode,
    /// Blind name of the address.
    pub key: Key,
}

/// Remembers movements; returns the identities of those that are new.
pub async fn add(
    tx: &mut Tx,
    provider: IysCode,
    rows: Vec<MovementRow>,
    now: DateTime<Utc>,
) -> Result<Vec<(String, ConsentStatus, String)>> {
    let rows = rows
        .into_iter()
        .map(|row| args![provider, row.transaction_id, row.status, row.consent_date, row.brand_code, row.key, now])
        .collect();
    let rows = tx.insert_returning(&ADD, rows).await?;
    rows.iter().map(|row| Ok((row.get(0)?, row.word(1)?, row.get(2)?))).collect()
}
