//! Answers to requests with an `Idempotency-Key`, written in the transaction of their effect. A large array stores its parts.

use chrono::{DateTime, Utc};
use kopru_domain::IysCode;

use crate::error::Result;
use crate::{Insert, Tx, args, statements};

statements! {
    PARTS = "SELECT part, body_hash, status, answer FROM idempotency
             WHERE iys_code = $1 AND api_key_id = $2 AND route = $3 AND idem_key = $4 AND expires_at > $5 ORDER BY part";
    PURGE = "DELETE FROM idempotency WHERE (iys_code, api_key_id, route, idem_key, part) IN
              (SELECT iys_code, api_key_id, route, idem_key, part FROM idempotency WHERE expires_at <= $1 LIMIT $2)";
}

static ADD: Insert = Insert {
    head: "INSERT INTO idempotency (iys_code, api_key_id, route, idem_key, part, body_hash, status, answer, created_at, expires_at)",
    types: &["bigint", "text", "text", "text", "bigint", "bytea", "bigint", "bytea", "timestamptz", "timestamptz"],
    tail: "ON CONFLICT (iys_code, api_key_id, route, idem_key, part) DO UPDATE SET body_hash = excluded.body_hash, status = excluded.status,
           answer = excluded.answer, created_at = excluded.created_at, expires_at = excluded.expires_at
           WHERE idempotency.expires_at <= excluded.created_at
           RETURNING api_key_id, route, idem_key, part",
};

/// The bulk inserts of this module by name.
pub(crate) static INSERTS: &[(&str, &Insert)] = &[("ADD", &ADD)];

/// Whose request it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct IdempotencyKey {
    /// Provider of the key; 0 = partner-wide.
    pub iys_code: IysCode,
    /// API key.
    pub api_key_id: String,
    /// Method and path.
    pub route: String,
    /// What the client sent.
    pub key: String,
}

/// A stored part of an answer.
#[derive(Debug, Clone)]
pub struct PartRow {
    /// Number of the part, from 0.
    pub part: i64,
    /// SHA-256 of the request's body.
    pub body_hash: Vec<u8>,
    /// HTTP status.
    pub status: Option<i64>,
    /// The answer, sealed by the master key.
    pub answer: Option<Vec<u8>>,
}

/// The stored parts of a request's answer that have not run out (wire time).
pub async fn parts(tx: &mut Tx, key: &IdempotencyKey, wire_now: DateTime<Utc>) -> Result<Vec<PartRow>> {
    let args = args![key.iys_code, key.api_key_id.as_str(), key.route.as_str(), key.key.as_str(), wire_now];
    let rows = tx.rows(&PARTS, args).await?;
    rows.iter()
        .map(|row| {
            Ok(PartRow {
                part: row.get(0)?,
                body_hash: row.get(1)?,
                status: row.get(2)?,
                answer: row.get(3)?,
            })
        })
        .collect()
}

/// Stores a part; false when another request stored it first, whose effect then stands and this one's must not.
pub async fn add(
    tx: &mut Tx,
    key: &IdempotencyKey,
    part: &PartRow,
    wire_now: DateTime<Utc>,
    expires_at: DateTime<Utc>,
) -> Result<bool> {
    let row = args![
        key.iys_code,
        key.api_key_id.as_str(),
        key.route.as_str(),
        key.key.as_str(),
        part.part,
        part.body_hash.clone(),
        part.status,
        part.answer.clone(),
        wire_now,
        expires_at
    ];
    Ok(tx.insert_returning(&ADD, vec![row]).await?.len() == 1)
}

/// Forgets answers that have run out, at most `limit`; returns how many.
pub async fn purge(tx: &mut Tx, wire_now: DateTime<Utc>, limit: i64) -> Result<u64> {
    tx.execute(&PURGE, args![wire_now, limit]).await
}
