//! The ceiling of batch intake: multi-row inserts of the ledger's columns, prepared beforehand, into an equal table of another
//! database, by the same insert mechanism and with the same commit settings. No keys, no rules, no chain, no other table.

use std::sync::LazyLock;

use anyhow::{Context as _, Result};
use chrono::{DateTime, TimeDelta, Utc};
use kopru_domain::{BrandCode, Channel, ConsentStatus, IysCode, RecipientType};
use kopru_store::sql::Value;
use kopru_store::{Db, Insert, Priority, all_inserts, args, ids, random};

/// The store's own description of the ledger's insert.
static LEDGER: LazyLock<Option<&'static Insert>> = LazyLock::new(|| {
    all_inserts()
        .into_iter()
        .find(|(module, name, _)| (*module, *name) == ("consents", "APPEND"))
        .map(|(_, _, insert)| insert)
});

/// Length of a sealed address with its reference: header, salt, `+90…`, a zero byte, `crm-…`, tag.
const SEALED: usize = 3 + 12 + 32 + 13 + 1 + 12 + 16;

/// Length of sealed evidence as the API leaves it: header, salt, about 120 bytes of JSON, tag.
const EVIDENCE: usize = 3 + 12 + 32 + 120 + 16;

/// Prepared rows of one insert.
pub type Rows = Vec<Vec<Value>>;

/// Prepares rows; `first` is the ledger number of the first of them.
pub fn rows(first: i64, count: usize, now: DateTime<Utc>) -> Rows {
    (first..).take(count).map(|seq| row(seq, now)).collect()
}

fn row(seq: i64, now: DateTime<Utc>) -> Vec<Value> {
    args![
        IysCode(600_100),
        ids::new_id(now),
        seq,
        BrandCode(600_100),
        random::<16>().as_slice(),
        RecipientType::Individual,
        Channel::Message,
        ConsentStatus::Approval,
        "HS_WEB",
        now - TimeDelta::minutes(10),
        None::<i64>,
        "api",
        now,
        now,
        random::<SEALED>().as_slice(),
        random::<32>().as_slice(),
        random::<32>().as_slice(),
        random::<32>().as_slice(),
        random::<EVIDENCE>().as_slice()
    ]
}

/// Inserts rows in a transaction of their own.
pub async fn insert(db: &Db, rows: Rows) -> Result<u64> {
    let ledger = LEDGER.context("the store has no insert consents.APPEND any more")?;
    let mut tx = db.begin(Priority::Bulk).await?;
    let inserted = tx.insert(ledger, rows).await?;
    tx.commit().await?;
    Ok(inserted)
}

#[cfg(test)]
mod tests {
    use kopru_store::PoolSizes;
    use kopru_store::consents;

    use super::*;

    #[tokio::test]
    async fn what_is_inserted_is_a_ledger_row_like_any_other() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("raw.db").display());
        let db = Db::connect(&url, PoolSizes::default()).await.unwrap();
        db.migrate().await.unwrap();
        let now = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
        assert_eq!(insert(&db, rows(1, 300, now)).await.unwrap(), 300);
        let mut tx = db.read().await.unwrap();
        let chain = consents::chain(&mut tx, IysCode(600_100), 0).await.unwrap();
        let first = chain[0].1.as_ref().unwrap();
        assert_eq!((chain.len(), chain[299].0, first.sealed.len()), (300, 300, SEALED));
    }
}
