//! Leases: one holder at a time over all replicas, until the lease runs out (wire time).

use chrono::{DateTime, Utc};

use crate::error::Result;
use crate::{Claim, Tx, args, statements};

statements! {
    TAKE = "INSERT INTO leases (name, holder, until) VALUES ($1, $2, $3)
            ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until
            WHERE leases.until < $4 OR leases.holder = $2";
}

/// Takes or renews a lease; false while somebody else holds it.
pub async fn take(tx: &mut Tx, name: &str, claim: Claim, wire_now: DateTime<Utc>) -> Result<bool> {
    Ok(tx.execute(&TAKE, args![name, claim.by, claim.until, wire_now]).await? == 1)
}
