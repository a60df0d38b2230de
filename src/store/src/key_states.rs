//! All that is known of keys: what the registry holds of them, and what of theirs has not ended.

use kopru_domain::IysCode;

use crate::error::Result;
use crate::heads::{self, Head};
use crate::permissions::{self, PermissionRow};
use crate::submissions::{self, OpenRow};
use crate::{Claim, Key, Tx, args};

/// Permissions and open submissions of keys.
#[derive(Debug, Default)]
pub struct KeyRows {
    /// Keys never seen are missing.
    pub permissions: Vec<PermissionRow>,
    /// In order inside each key.
    pub open: Vec<OpenRow>,
}

/// Locks the provider's head until commit and reads these keys.
pub async fn lock(tx: &mut Tx, provider: IysCode, keys: Vec<Key>) -> Result<(Head, KeyRows)> {
    let queries = vec![
        (&heads::LOCK, args![provider]),
        (&permissions::OF_KEYS, args![provider, keys.clone()]),
        (&submissions::OPEN_OF_KEYS, args![provider, keys]),
    ];
    let mut answers = tx.rows_of(queries).await?.into_iter();
    let mut next = || answers.next().unwrap_or_default();
    let head = heads::read(next().into_iter().next())?;
    let permissions = next().iter().map(permissions::read).collect::<Result<_>>()?;
    let open = next().iter().map(submissions::read_open).collect::<Result<_>>()?;
    Ok((head, KeyRows { permissions, open }))
}

/// Reads these keys, and what is open of them beside what `claim` has taken; the caller holds the provider's head.
pub async fn load_beside(tx: &mut Tx, provider: IysCode, keys: Vec<Key>, claim: Claim) -> Result<KeyRows> {
    let permissions = permissions::of_keys(tx, provider, keys.clone()).await?;
    Ok(KeyRows { permissions, open: submissions::open_beside(tx, provider, keys, claim).await? })
}

/// Reads these keys, and what is open of those where a rejection of ours stands: only there a movement of the registry asks
/// for it. The caller holds the provider's head.
pub async fn load_to_merge(tx: &mut Tx, provider: IysCode, keys: Vec<Key>) -> Result<KeyRows> {
    let permissions = permissions::of_keys(tx, provider, keys).await?;
    let rejected: Vec<Key> =
        permissions.iter().filter(|row| row.permission.local.is_some()).map(|row| row.key).collect();
    let open = if rejected.is_empty() {
        Vec::new()
    } else {
        submissions::open_of_keys(tx, provider, rejected).await?
    };
    Ok(KeyRows { permissions, open })
}

/// Reads these keys; the caller holds the provider's head.
pub async fn load(tx: &mut Tx, provider: IysCode, keys: Vec<Key>) -> Result<KeyRows> {
    let permissions = permissions::of_keys(tx, provider, keys.clone()).await?;
    Ok(KeyRows { permissions, open: submissions::open_of_keys(tx, provider, keys).await? })
}
