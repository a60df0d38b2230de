//! API keys: only a hash of the secret is kept.

use chrono::{DateTime, Utc};
use kopru_domain::IysCode;

use crate::error::{Result, StoreError};
use crate::{Tx, args, sql::Row, statements};

statements! {
    ADD = "INSERT INTO api_keys (iys_code, id, name, secret_hash, scopes, ip_allow, expires_at, created_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    BY_ID = "SELECT iys_code, id, name, secret_hash, scopes, ip_allow, expires_at, disabled_at, created_at FROM api_keys WHERE id = $1";
    LIST = "SELECT iys_code, id, name, secret_hash, scopes, ip_allow, expires_at, disabled_at, created_at FROM api_keys
            WHERE iys_code = $1 ORDER BY created_at, id LIMIT 1000";
    DISABLE = "UPDATE api_keys SET disabled_at = $3 WHERE iys_code = $1 AND id = $2 AND disabled_at IS NULL";
}

/// An API key.
#[derive(Debug, Clone)]
pub struct ApiKeyRow {
    /// Its provider; 0 = partner-wide.
    pub iys_code: IysCode,
    /// The public part.
    pub id: String,
    /// A name for people.
    pub name: String,
    /// SHA-256 of the secret part, which has 256 random bits.
    pub secret_hash: Vec<u8>,
    /// What it may do.
    pub scopes: Vec<String>,
    /// Networks it may come from; empty = all.
    pub ip_allow: Vec<String>,
    /// Until when it holds (wire time).
    pub expires_at: Option<DateTime<Utc>>,
    /// Since when it is disabled.
    pub disabled_at: Option<DateTime<Utc>>,
    /// When it was made (wire time).
    pub created_at: DateTime<Utc>,
}

/// Adds a key.
pub async fn add(tx: &mut Tx, key: &ApiKeyRow) -> Result<()> {
    let args = args![
        key.iys_code,
        key.id.as_str(),
        key.name.as_str(),
        key.secret_hash.clone(),
        json(&key.scopes)?,
        json(&key.ip_allow)?,
        key.expires_at,
        key.created_at
    ];
    tx.execute(&ADD, args).await.map(drop)
}

/// The key of a public part.
pub async fn find(tx: &mut Tx, id: &str) -> Result<Option<ApiKeyRow>> {
    tx.row(&BY_ID, args![id]).await?.map(|row| read(&row)).transpose()
}

/// The keys of a provider.
pub async fn list(tx: &mut Tx, provider: IysCode) -> Result<Vec<ApiKeyRow>> {
    tx.rows(&LIST, args![provider]).await?.iter().map(read).collect()
}

/// Disables a key for good; false when there was nothing to do.
pub async fn disable(tx: &mut Tx, provider: IysCode, id: &str, now: DateTime<Utc>) -> Result<bool> {
    Ok(tx.execute(&DISABLE, args![provider, id, now]).await? == 1)
}

fn read(row: &Row) -> Result<ApiKeyRow> {
    Ok(ApiKeyRow {
        iys_code: IysCode(row.get(0)?),
        id: row.get(1)?,
        name: row.get(2)?,
        secret_hash: row.get(3)?,
        scopes: list_of(&row.get::<String>(4)?)?,
        ip_allow: row.get::<Option<String>>(5)?.map_or(Ok(Vec::new()), |text| list_of(&text))?,
        expires_at: row.get(6)?,
        disabled_at: row.get(7)?,
        created_at: row.get(8)?,
    })
}

fn json(words: &[String]) -> Result<String> {
    serde_json::to_string(words).map_err(|e| StoreError::corrupt("api_keys", &e.to_string()))
}

fn list_of(text: &str) -> Result<Vec<String>> {
    serde_json::from_str(text).map_err(|e| StoreError::corrupt("api_keys", &e.to_string()))
}
