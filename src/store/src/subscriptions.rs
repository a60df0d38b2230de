//! The providers' subscriptions at the registry, and the partner's own.

use chrono::{DateTime, Utc};
use kopru_domain::IysCode;

use crate::error::Result;
use crate::{Tx, args, sql::Row, statements};

statements! {
    SAVE = "INSERT INTO subscriptions (iys_code, status, package, expires_at, code, synced_at) VALUES ($1, $2, $3, $4, $5, $6)
            ON CONFLICT (iys_code) DO UPDATE SET status = excluded.status, package = excluded.package,
            expires_at = excluded.expires_at, code = excluded.code, synced_at = excluded.synced_at";
    FIND = "SELECT iys_code, status, package, expires_at, code, synced_at FROM subscriptions WHERE iys_code = $1";
}

/// A subscription as the registry told it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubscriptionRow {
    /// Provider; 0 = the partner itself.
    pub iys_code: IysCode,
    /// `ACTIVE`, `PAUSED`, `EXPIRED` or `CLOSED`; `NONE` where there is none.
    pub status: String,
    /// Name of the package.
    pub package: Option<String>,
    /// Its last instant.
    pub expires_at: Option<DateTime<Utc>>,
    /// The code with which filings are refused because of it; `None`: they are not.
    pub code: Option<String>,
    /// When the registry said so (business time).
    pub synced_at: DateTime<Utc>,
}

/// Keeps what the registry said.
pub async fn save(tx: &mut Tx, row: &SubscriptionRow) -> Result<()> {
    let args = args![
        row.iys_code,
        row.status.as_str(),
        row.package.as_deref(),
        row.expires_at,
        row.code.as_deref(),
        row.synced_at
    ];
    tx.execute(&SAVE, args).await.map(drop)
}

/// A provider's subscription; `None` where the registry was never asked.
pub async fn find(tx: &mut Tx, provider: IysCode) -> Result<Option<SubscriptionRow>> {
    tx.row(&FIND, args![provider]).await?.map(|row| read(&row)).transpose()
}

fn read(row: &Row) -> Result<SubscriptionRow> {
    Ok(SubscriptionRow {
        iys_code: IysCode(row.get(0)?),
        status: row.get(1)?,
        package: row.get(2)?,
        expires_at: row.get(3)?,
        code: row.get(4)?,
        synced_at: row.get(5)?,
    })
}
