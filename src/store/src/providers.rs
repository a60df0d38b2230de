//! Service providers (hizmet sağlayıcı).

use chrono::{DateTime, Utc};
use kopru_domain::IysCode;

use crate::error::Result;
use crate::{Tx, args, sql::Row, statements};

statements! {
    ADD = "INSERT INTO providers (iys_code, title, state, credential_mode, credentials, created_at)
           VALUES ($1, $2, 'active', $3, $4, $5) ON CONFLICT (iys_code) DO NOTHING";
    FIND = "SELECT iys_code, title, state, credential_mode, credentials, created_at, credentials_tested_at FROM providers WHERE iys_code = $1";
    LIST = "SELECT iys_code, title, state, credential_mode, credentials, created_at, credentials_tested_at FROM providers
            WHERE iys_code > $1 ORDER BY iys_code LIMIT 1000";
    SET_CREDENTIALS = "UPDATE providers SET credential_mode = $2, credentials = $3, credentials_tested_at = $4 WHERE iys_code = $1";
    TESTED = "UPDATE providers SET credentials_tested_at = $2 WHERE iys_code = $1";
    RENAME = "UPDATE providers SET title = $2 WHERE iys_code = $1";
    DISABLE = "UPDATE providers SET state = 'disabled' WHERE iys_code = $1 AND state = 'active'";
}

/// A service provider.
#[derive(Debug, Clone)]
pub struct ProviderRow {
    /// İYS number.
    pub iys_code: IysCode,
    /// Legal title.
    pub title: String,
    /// Not disabled.
    pub active: bool,
    /// Files with a registry user of its own instead of the partner's account.
    pub own_credentials: bool,
    /// Sealed by the master key.
    pub credentials: Option<Vec<u8>>,
    /// When it was added.
    pub created_at: DateTime<Utc>,
    /// When the registry accepted these credentials before they were kept; `None` = not tried.
    pub tested_at: Option<DateTime<Utc>>,
}

/// Adds a provider; false when it exists.
pub async fn add(
    tx: &mut Tx,
    iys_code: IysCode,
    title: &str,
    credentials: Option<Vec<u8>>,
    now: DateTime<Utc>,
) -> Result<bool> {
    let mode = if credentials.is_some() { "own" } else { "partner" };
    Ok(tx.execute(&ADD, args![iys_code, title, mode, credentials, now]).await? == 1)
}

/// One provider.
pub async fn find(tx: &mut Tx, iys_code: IysCode) -> Result<Option<ProviderRow>> {
    tx.row(&FIND, args![iys_code]).await?.map(|row| read(&row)).transpose()
}

/// Providers after a number, at most 1 000.
pub async fn list(tx: &mut Tx, after: IysCode) -> Result<Vec<ProviderRow>> {
    tx.rows(&LIST, args![after]).await?.iter().map(read).collect()
}

/// Changes how a provider logs in at the registry.
pub async fn set_credentials(
    tx: &mut Tx,
    iys_code: IysCode,
    credentials: Option<Vec<u8>>,
    tested_at: Option<DateTime<Utc>>,
) -> Result<bool> {
    let mode = if credentials.is_some() { "own" } else { "partner" };
    Ok(tx.execute(&SET_CREDENTIALS, args![iys_code, mode, credentials, tested_at]).await? == 1)
}

/// Notes that the registry has accepted a provider's credentials.
pub async fn tested(tx: &mut Tx, iys_code: IysCode, at: DateTime<Utc>) -> Result<()> {
    tx.execute(&TESTED, args![iys_code, at]).await.map(drop)
}

/// Changes a provider's title.
pub async fn rename(tx: &mut Tx, iys_code: IysCode, title: &str) -> Result<()> {
    tx.execute(&RENAME, args![iys_code, title]).await.map(drop)
}

/// Disables a provider; false when there was nothing to do.
pub async fn disable(tx: &mut Tx, iys_code: IysCode) -> Result<bool> {
    Ok(tx.execute(&DISABLE, args![iys_code]).await? == 1)
}

fn read(row: &Row) -> Result<ProviderRow> {
    Ok(ProviderRow {
        iys_code: IysCode(row.get(0)?),
        title: row.get(1)?,
        active: row.get::<String>(2)? == "active",
        own_credentials: row.get::<String>(3)? == "own",
        credentials: row.get(4)?,
        created_at: row.get(5)?,
        tested_at: row.get(6)?,
    })
}
