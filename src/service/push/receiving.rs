//! What comes in: proved, kept, answered. Nothing is read before the token and the credentials are, and nothing is judged before
//! it is kept: the registry repeats what is not answered with 2xx for a day at most (assumed, registry-protocol section 11, U20).

use kopru_domain::{BrandCode, Channel, IysCode};
use kopru_store::Priority;
use kopru_store::push::{self, ConnectionRow, ConnectionState, PushRow};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use uuid::Uuid;

use crate::bootstrap::App;
use crate::service::ServiceResult;
use crate::service::push::{hash_credentials, hash_token};

/// Under which bodies are sealed.
pub(super) const BODY: &str = "pushes.sealed";
/// Characters of a token: 256 random bits in base64url.
const TOKEN_LENGTH: usize = 43;

/// The receiver of a token.
#[derive(Debug, Clone)]
pub struct Receiver {
    iys_code: IysCode,
    id: Uuid,
    brand_code: BrandCode,
    channel: Channel,
    credentials_hash: Vec<u8>,
}

/// The hash under which the receiver of a token is looked up; `None` for what cannot be a token.
pub fn look_up(token: &str) -> Option<[u8; 32]> {
    let shaped = token.len() == TOKEN_LENGTH
        && token.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    shaped.then(|| hash_token(token))
}

/// The receiver of a token, by its hash.
pub async fn load(app: &App, token_hash: [u8; 32]) -> ServiceResult<Option<Receiver>> {
    let mut tx = app.db.read().await?;
    let row = push::by_token(&mut tx, &token_hash).await?;
    let open = |row: &ConnectionRow| {
        row.state != ConnectionState::Refused && bool::from(row.token_hash.ct_eq(&token_hash[..]))
    };
    Ok(row.filter(open).map(|row| Receiver {
        iys_code: row.iys_code,
        id: row.id,
        brand_code: row.brand_code,
        channel: row.channel,
        credentials_hash: row.credentials_hash,
    }))
}

impl Receiver {
    /// Whether these are its name and password, joined by a colon; takes the same time whatever differs.
    pub fn knows(&self, joined: &[u8]) -> bool {
        hash_credentials(joined).as_slice().ct_eq(&self.credentials_hash).into()
    }

    /// Keeps what came in, sealed, and returns when it is committed. The same bytes again are the same push.
    pub async fn keep(&self, app: &App, body: &[u8]) -> ServiceResult<()> {
        let keys = match app.vault.known(self.iys_code) {
            Some(keys) => keys,
            None => {
                let mut tx = app.db.read().await?;
                app.vault.keys(&mut tx, self.iys_code).await?
            }
        };
        let row = PushRow {
            iys_code: self.iys_code,
            connection_id: self.id,
            digest: Sha256::digest(body).to_vec(),
            brand_code: self.brand_code,
            channel: self.channel,
            sealed: keys.seal(BODY, body),
            received_at: app.clocks.business(),
            attempt: 0,
        };
        let mut tx = app.db.begin(Priority::Interactive).await?;
        let first = push::store(&mut tx, &row).await?;
        tx.commit().await?;
        app.wake.wake();
        let outcome = if first { "kept" } else { "duplicate" };
        metrics::counter!("pushes_received_total", "outcome" => outcome).increment(1);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_be_a_token_is_looked_up() {
        assert!(look_up(&"aZ9-_".repeat(9)[..TOKEN_LENGTH]).is_some());
        for text in
            [String::new(), "a".repeat(TOKEN_LENGTH + 1), "ş".repeat(TOKEN_LENGTH), "a".repeat(42) + "."]
        {
            assert!(look_up(&text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_receiver_knows_its_own_credentials_alone() {
        let receiver = Receiver {
            iys_code: IysCode(1),
            id: Uuid::nil(),
            brand_code: BrandCode(1),
            channel: Channel::Message,
            credentials_hash: hash_credentials(b"kopru-1:secret").to_vec(),
        };
        assert!(receiver.knows(b"kopru-1:secret"));
        assert!(
            !receiver.knows(b"kopru-1:secre") && !receiver.knows(b"") && !receiver.knows(b"kopru-2:secret")
        );
    }
}
