//! The registry's tokens in the database, so that all replicas share one login.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures::FutureExt;
use futures::future::BoxFuture;
use iys::{AccountKey, BoxError, SecretString, StoredToken, Token, TokenStore};
use kopru_store::{Db, Priority, Vault, sessions};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};

const TOKEN: &str = "registry_sessions.sealed";
const REFUSED: &str = "registry_sessions.refused";
/// The registry counts token calls by address: a halt concerns every account.
const ALL: &str = "*";

#[derive(Debug)]
pub(super) struct DbTokenStore {
    db: Db,
    vault: Vault,
}

#[derive(Serialize, Deserialize)]
struct Kept {
    access_token: String,
    refresh_token: String,
    expires_at: DateTime<Utc>,
    refresh_expires_at: DateTime<Utc>,
}

impl DbTokenStore {
    pub fn new(db: Db, vault: Vault) -> Self {
        Self { db, vault }
    }

    async fn read(&self, account: &str) -> Result<StoredToken, BoxError> {
        let mut tx = self.db.read().await?;
        let halted = sessions::find(&mut tx, ALL).await?.and_then(|row| row.halted_until);
        let row = sessions::find(&mut tx, account).await?;
        let (sealed, refused) = row.map_or((None, None), |row| (row.sealed, row.refused));
        let refused = match refused {
            Some(sealed) => Some(String::from_utf8(self.vault.master().open(REFUSED, &sealed)?)?.into()),
            None => None,
        };
        let token = match sealed {
            Some(sealed) => {
                let kept: Kept = serde_json::from_slice(&self.vault.master().open(TOKEN, &sealed)?)?;
                Some(Token {
                    access_token: SecretString::from(kept.access_token),
                    refresh_token: SecretString::from(kept.refresh_token),
                    expires_at: kept.expires_at,
                    refresh_expires_at: kept.refresh_expires_at,
                })
            }
            None => None,
        };
        Ok(StoredToken { token, halted_until: halted, refused })
    }

    async fn write(&self, account: &str, token: &Token) -> Result<(), BoxError> {
        let kept = Kept {
            access_token: token.access_token.expose_secret().to_owned(),
            refresh_token: token.refresh_token.expose_secret().to_owned(),
            expires_at: token.expires_at,
            refresh_expires_at: token.refresh_expires_at,
        };
        let sealed = self.vault.master().seal(TOKEN, &serde_json::to_vec(&kept)?);
        let mut tx = self.db.begin(Priority::Interactive).await?;
        sessions::save(&mut tx, account, sealed).await?;
        Ok(tx.commit().await?)
    }
}

impl TokenStore for DbTokenStore {
    fn load<'a>(&'a self, account: &'a AccountKey) -> BoxFuture<'a, Result<StoredToken, BoxError>> {
        self.read(account.as_str()).boxed()
    }

    fn try_begin_login<'a>(
        &'a self,
        account: &'a AccountKey,
        holder: &'a str,
        now: DateTime<Utc>,
        lease: Duration,
    ) -> BoxFuture<'a, Result<bool, BoxError>> {
        async move {
            let until = now + TimeDelta::from_std(lease)?;
            let mut tx = self.db.begin(Priority::Interactive).await?;
            let taken = sessions::begin_login(&mut tx, account.as_str(), holder, until, now).await?;
            tx.commit().await?;
            Ok(taken)
        }
        .boxed()
    }

    fn save<'a>(&'a self, account: &'a AccountKey, token: &'a Token) -> BoxFuture<'a, Result<(), BoxError>> {
        self.write(account.as_str(), token).boxed()
    }

    fn refuse<'a>(
        &'a self,
        account: &'a AccountKey,
        password: &'a SecretString,
    ) -> BoxFuture<'a, Result<(), BoxError>> {
        async move {
            tracing::error!(
                "the registry refuses an account's password: nothing is asked with it before it is changed or checked by hand"
            );
            let sealed = self.vault.master().seal(REFUSED, password.expose_secret().as_bytes());
            let mut tx = self.db.begin(Priority::Interactive).await?;
            sessions::refuse(&mut tx, account.as_str(), sealed).await?;
            Ok(tx.commit().await?)
        }
        .boxed()
    }

    fn end_login<'a>(
        &'a self,
        account: &'a AccountKey,
        holder: &'a str,
    ) -> BoxFuture<'a, Result<(), BoxError>> {
        async move {
            let mut tx = self.db.begin(Priority::Interactive).await?;
            sessions::end_login(&mut tx, account.as_str(), holder).await?;
            Ok(tx.commit().await?)
        }
        .boxed()
    }

    fn halt_until(&self, until: DateTime<Utc>) -> BoxFuture<'_, Result<(), BoxError>> {
        async move {
            let mut tx = self.db.begin(Priority::Interactive).await?;
            sessions::halt(&mut tx, ALL, until).await?;
            Ok(tx.commit().await?)
        }
        .boxed()
    }
}
