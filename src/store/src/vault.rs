//! The providers' data keys, unwrapped once and kept.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use chrono::{DateTime, Utc};
use kopru_domain::IysCode;

use crate::crypto::{MasterKey, ProviderKeys, new_key_material};
use crate::error::{Result, StoreError};
use crate::{Tx, args, statements};

statements! {
    LIST = "SELECT id, wrapped FROM data_keys WHERE iys_code = $1 ORDER BY id";
    ADD = "INSERT INTO data_keys (iys_code, id, master_key_id, wrapped, created_at) VALUES ($1, $2, $3, $4, $5)
           ON CONFLICT (iys_code, id) DO NOTHING";
    MASTER = "SELECT master_key_id, wrapped FROM data_keys WHERE iys_code = 0 AND id = 0";
}

const CHECK: &[u8] = b"kopru master key check";

/// Gives each provider's keys. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Vault {
    master: Arc<MasterKey>,
    known: Arc<RwLock<HashMap<IysCode, Arc<ProviderKeys>>>>,
}

impl Vault {
    /// A vault under a master key; call [`Vault::check`] before using it.
    pub fn new(master: MasterKey) -> Self {
        Self { master: Arc::new(master), known: Arc::default() }
    }

    /// The master key, for secrets of the installation itself.
    pub fn master(&self) -> &MasterKey {
        &self.master
    }

    /// Whether the database has a master key already, by its id.
    pub async fn master_key_id(tx: &mut Tx) -> Result<Option<String>> {
        tx.row(&MASTER, args![]).await?.map(|row| row.get(0)).transpose()
    }

    /// Refuses a key that does not belong to the database; in a new database writes the check value.
    pub async fn check(&self, tx: &mut Tx, now: DateTime<Utc>) -> Result<()> {
        let wrapped = self.master.wrap(b"check", CHECK);
        tx.execute(&ADD, args![0_i64, 0_i64, self.master.id(), wrapped, now]).await?;
        let row = tx
            .row(&MASTER, args![])
            .await?
            .ok_or_else(|| StoreError::corrupt("data_keys", "no check value"))?;
        let expected: String = row.get(0)?;
        let opened = self.master.unwrap(b"check", &row.get::<Vec<u8>>(1)?);
        if expected == self.master.id() && opened.is_ok_and(|check| check == CHECK) {
            Ok(())
        } else {
            Err(StoreError::WrongMasterKey { expected })
        }
    }

    /// Makes the first data key of a provider; does nothing where it has one.
    pub async fn add_provider(&self, tx: &mut Tx, provider: IysCode, now: DateTime<Utc>) -> Result<()> {
        let wrapped = self.master.wrap(&context(provider), &new_key_material());
        tx.execute(&ADD, args![provider, 1_i64, self.master.id(), wrapped, now]).await?;
        Ok(())
    }

    /// The keys of a provider, if they were used before.
    pub fn known(&self, provider: IysCode) -> Option<Arc<ProviderKeys>> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).get(&provider).cloned()
    }

    /// The keys of a provider. Those read inside a transaction are not kept: it may yet be rolled back, and what is
    /// sealed under keys that no database holds would be lost.
    pub async fn keys(&self, tx: &mut Tx, provider: IysCode) -> Result<Arc<ProviderKeys>> {
        if let Some(keys) = self.known(provider) {
            return Ok(keys);
        }
        let mut material = Vec::new();
        for row in tx.rows(&LIST, args![provider]).await? {
            let id = u16::try_from(row.get::<i64>(0)?).map_err(|_| StoreError::corrupt("data_keys", "id"))?;
            material.push((id, self.master.unwrap(&context(provider), &row.get::<Vec<u8>>(1)?)?));
        }
        let keys = Arc::new(ProviderKeys::from_material(&material)?);
        if tx.is_read() {
            self.known.write().unwrap_or_else(PoisonError::into_inner).insert(provider, keys.clone());
        }
        Ok(keys)
    }
}

fn context(provider: IysCode) -> Vec<u8> {
    format!("data key of {}", provider.0).into_bytes()
}
