//! The head of a provider: the last link of its ledger and the last number of its change feed.

use kopru_domain::IysCode;

use crate::error::{Result, StoreError};
use crate::{Step, Tx, args, statements};

statements! {
    ADD = "INSERT INTO heads (iys_code, ledger_seq, ledger_hash, change_seq) VALUES ($1, 0, $2, 0) ON CONFLICT (iys_code) DO NOTHING";
    LOCK = "SELECT ledger_seq, ledger_hash, change_seq FROM heads WHERE iys_code = $1 {for_update}";
    FIND = "SELECT ledger_seq, ledger_hash, change_seq FROM heads WHERE iys_code = $1";
    ADVANCE = "UPDATE heads SET ledger_seq = $2, ledger_hash = $3, change_seq = $4 WHERE iys_code = $1";
}

/// Where the chain and the feed of a provider end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Number of the last ledger row; 0 when there is none.
    pub ledger_seq: i64,
    /// Hash of the last ledger row, or the genesis value.
    pub ledger_hash: [u8; 32],
    /// Number of the last change; 0 when there is none.
    pub change_seq: i64,
}

/// Makes the head of a new provider.
pub async fn add(tx: &mut Tx, provider: IysCode, genesis: [u8; 32]) -> Result<()> {
    tx.execute(&ADD, args![provider, genesis.to_vec()]).await.map(drop)
}

/// Locks the head until commit. Every transaction that touches a provider's rows takes it first, in order of the providers' codes.
pub async fn lock(tx: &mut Tx, provider: IysCode) -> Result<Head> {
    read(tx.row(&LOCK, args![provider]).await?)
}

/// Reads the head without a lock.
pub async fn get(tx: &mut Tx, provider: IysCode) -> Result<Head> {
    read(tx.row(&FIND, args![provider]).await?)
}

/// The step that writes the head back; the caller holds its lock.
pub fn advance_step(provider: IysCode, head: &Head) -> Step {
    let args = args![provider, head.ledger_seq, head.ledger_hash.to_vec(), head.change_seq];
    Step::Statement(&ADVANCE, args)
}

/// Writes the head back; the caller holds its lock.
pub async fn advance(tx: &mut Tx, provider: IysCode, head: &Head) -> Result<()> {
    tx.run(vec![advance_step(provider, head)]).await
}

pub(crate) fn read(row: Option<crate::sql::Row>) -> Result<Head> {
    let row = row.ok_or_else(|| StoreError::corrupt("heads", "missing"))?;
    let hash: Vec<u8> = row.get(1)?;
    Ok(Head {
        ledger_seq: row.get(0)?,
        ledger_hash: hash.try_into().map_err(|_| StoreError::corrupt("heads", "hash"))?,
        change_seq: row.get(2)?,
    })
}
