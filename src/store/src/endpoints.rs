//! Webhook endpoints of clients.

use chrono::{DateTime, Utc};
use kopru_domain::{BrandCode, IysCode};
use uuid::Uuid;

use crate::error::Result;
use crate::{Tx, args, sql::Row, statements};

statements! {
    ADD = "INSERT INTO webhook_endpoints (iys_code, id, brand_code, url, description, secret, state, created_at)
           VALUES ($1, $2, $3, $4, $5, $6, 'active', $7)";
    FIND = "SELECT id, brand_code, url, description, secret, old_secret, old_secret_until, state, disabled_reason, failing_since, created_at, iys_code
            FROM webhook_endpoints WHERE iys_code = $1 AND id = $2";
    LIST = "SELECT id, brand_code, url, description, secret, old_secret, old_secret_until, state, disabled_reason, failing_since, created_at, iys_code
            FROM webhook_endpoints WHERE iys_code = $1 AND id > $2 ORDER BY id LIMIT $3";
    ROTATE = "UPDATE webhook_endpoints SET old_secret = secret, old_secret_until = $4, secret = $3 WHERE iys_code = $1 AND id = $2";
    DISABLE = "UPDATE webhook_endpoints SET state = 'disabled', disabled_reason = $3 WHERE iys_code = $1 AND id = $2 AND state = 'active'";
    ENABLE = "UPDATE webhook_endpoints SET state = 'active', disabled_reason = NULL, failing_since = NULL WHERE iys_code = $1 AND id = $2 AND state = 'disabled'";
    FAILING = "UPDATE webhook_endpoints SET failing_since = $3 WHERE iys_code = $1 AND id = $2 AND failing_since IS NULL";
    HEALTHY = "UPDATE webhook_endpoints SET failing_since = NULL WHERE iys_code = $1 AND id = $2 AND failing_since IS NOT NULL";
}

/// An endpoint.
#[derive(Debug, Clone)]
pub struct EndpointRow {
    /// Provider.
    pub iys_code: IysCode,
    /// Identity.
    pub id: Uuid,
    /// Only this brand's events; `None` = all brands of the provider.
    pub brand_code: Option<BrandCode>,
    /// Where events go.
    pub url: String,
    /// The client's own words.
    pub description: String,
    /// Signing secret, sealed.
    pub secret: Vec<u8>,
    /// The secret before it, while rotating, sealed.
    pub old_secret: Option<Vec<u8>>,
    /// Until when both sign (wire time).
    pub old_secret_until: Option<DateTime<Utc>>,
    /// Not disabled.
    pub active: bool,
    /// Why it is disabled.
    pub disabled_reason: Option<String>,
    /// Since when every delivery has failed (wire time).
    pub failing_since: Option<DateTime<Utc>>,
    /// When it was added (wire time).
    pub created_at: DateTime<Utc>,
}

/// Adds an endpoint.
pub async fn add(tx: &mut Tx, endpoint: &EndpointRow) -> Result<()> {
    let args = args![
        endpoint.iys_code,
        endpoint.id,
        endpoint.brand_code,
        endpoint.url.as_str(),
        endpoint.description.as_str(),
        endpoint.secret.clone(),
        endpoint.created_at
    ];
    tx.execute(&ADD, args).await.map(drop)
}

/// One endpoint.
pub async fn find(tx: &mut Tx, provider: IysCode, id: Uuid) -> Result<Option<EndpointRow>> {
    tx.row(&FIND, args![provider, id]).await?.map(|row| read(&row)).transpose()
}

/// A page of endpoints after an id.
pub async fn list(tx: &mut Tx, provider: IysCode, after: Uuid, limit: i64) -> Result<Vec<EndpointRow>> {
    tx.rows(&LIST, args![provider, after, limit]).await?.iter().map(read).collect()
}

/// Puts a new secret in; the present one keeps signing beside it until `until`.
pub async fn rotate(
    tx: &mut Tx,
    provider: IysCode,
    id: Uuid,
    secret: Vec<u8>,
    until: DateTime<Utc>,
) -> Result<bool> {
    Ok(tx.execute(&ROTATE, args![provider, id, secret, until]).await? == 1)
}

/// Stops deliveries to an endpoint; false when it was not active.
pub async fn disable(tx: &mut Tx, provider: IysCode, id: Uuid, reason: &str) -> Result<bool> {
    Ok(tx.execute(&DISABLE, args![provider, id, reason]).await? == 1)
}

/// Starts deliveries again; false when it was active.
pub async fn enable(tx: &mut Tx, provider: IysCode, id: Uuid) -> Result<bool> {
    Ok(tx.execute(&ENABLE, args![provider, id]).await? == 1)
}

/// Notes that deliveries fail since `at`, unless that is known.
pub async fn failing(tx: &mut Tx, provider: IysCode, id: Uuid, at: DateTime<Utc>) -> Result<()> {
    tx.execute(&FAILING, args![provider, id, at]).await.map(drop)
}

/// Notes that a delivery succeeded.
pub async fn healthy(tx: &mut Tx, provider: IysCode, id: Uuid) -> Result<()> {
    tx.execute(&HEALTHY, args![provider, id]).await.map(drop)
}

fn read(row: &Row) -> Result<EndpointRow> {
    Ok(EndpointRow {
        id: row.get(0)?,
        brand_code: row.get::<Option<i64>>(1)?.map(BrandCode),
        url: row.get(2)?,
        description: row.get(3)?,
        secret: row.get(4)?,
        old_secret: row.get(5)?,
        old_secret_until: row.get(6)?,
        active: row.get::<String>(7)? == "active",
        disabled_reason: row.get(8)?,
        failing_since: row.get(9)?,
        created_at: row.get(10)?,
        iys_code: IysCode(row.get(11)?),
    })
}
