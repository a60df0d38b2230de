//! The audit trail: who did what, when. Append-only.

use chrono::{DateTime, Utc};
use kopru_domain::IysCode;

use crate::error::Result;
use crate::{Insert, Step, Tx, args, ids, statements};

static ADD: Insert = Insert {
    head: "INSERT INTO audit (iys_code, id, at, actor, action, subject, detail)",
    types: &["bigint", "uuid", "timestamptz", "text", "text", "text", "text"],
    tail: "",
};

/// The bulk inserts of this module by name.
pub(crate) static INSERTS: &[(&str, &Insert)] = &[("ADD", &ADD)];

statements! {
    LIST = "SELECT at, actor, action, subject, detail FROM audit WHERE iys_code = $1 ORDER BY id DESC LIMIT $2";
}

/// One act.
#[derive(Debug, Clone)]
pub struct AuditRow {
    /// When (wire time).
    pub at: DateTime<Utc>,
    /// API key, operator or `cli`.
    pub actor: String,
    /// What was done.
    pub action: String,
    /// To what; never personal data in clear.
    pub subject: String,
    /// More, as text.
    pub detail: String,
}

/// Writes an act down, in the transaction of the act.
pub async fn add(tx: &mut Tx, provider: IysCode, row: &AuditRow) -> Result<()> {
    add_all(tx, provider, std::slice::from_ref(row)).await
}

/// Writes acts down, in the transaction of the acts.
pub async fn add_all(tx: &mut Tx, provider: IysCode, rows: &[AuditRow]) -> Result<()> {
    let values = |row: &AuditRow| {
        args![
            provider,
            ids::new_id(row.at),
            row.at,
            row.actor.as_str(),
            row.action.as_str(),
            row.subject.as_str(),
            row.detail.as_str()
        ]
    };
    tx.run(vec![Step::Insert(&ADD, rows.iter().map(values).collect())]).await
}

/// The newest acts.
pub async fn list(tx: &mut Tx, provider: IysCode, limit: i64) -> Result<Vec<AuditRow>> {
    let rows = tx.rows(&LIST, args![provider, limit]).await?;
    rows.iter()
        .map(|row| {
            Ok(AuditRow {
                at: row.get(0)?,
                actor: row.get(1)?,
                action: row.get(2)?,
                subject: row.get(3)?,
                detail: row.get(4)?,
            })
        })
        .collect()
}
