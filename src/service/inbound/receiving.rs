//! What comes in: its token proved, kept, answered. Nothing is read before the token is checked, and nothing is judged before it is
//! kept: some vendors try three more times within a quarter of an hour and then never again.

use kopru_sms::{Vendor, twilio};
use kopru_store::inbound::{self, PostRow};
use kopru_store::{Priority, ids};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use uuid::Uuid;

use super::Secrets;
use crate::bootstrap::App;
use crate::service::ServiceResult;

/// Tokens are made and looked up as those of the registry's pushes are.
pub use crate::service::push::receiving::look_up;

/// Under which bodies are sealed.
const POST: &str = "inbound_posts.sealed";

/// The receiver behind a token.
#[derive(Debug, Clone)]
pub struct Receiver {
    id: Uuid,
    vendor: Vendor,
    secret: Option<SecretString>,
}

/// A request as it came.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Head {
    pub content_type: Option<String>,
    pub query: Option<String>,
}

/// The receiver of a token, by its hash.
pub async fn load(app: &App, token_hash: [u8; 32]) -> ServiceResult<Option<Receiver>> {
    let mut tx = app.db.read().await?;
    let row = inbound::by_token(&mut tx, &token_hash).await?;
    let Some(row) = row.filter(|row| bool::from(row.token_hash.ct_eq(&token_hash[..]))) else {
        return Ok(None);
    };
    let Ok(vendor) = row.vendor.parse() else { return Ok(None) };
    let secret = Secrets::open(app, &row)?.signing.map(SecretString::from);
    Ok(Some(Receiver { id: row.id, vendor, secret }))
}

impl Receiver {
    /// The vendor that it is for.
    pub fn vendor(&self) -> Vendor {
        self.vendor
    }

    /// Whether the vendor has signed this, where it signs. The URL is the one that the vendor called.
    pub fn is_signed(&self, url: &str, form: &[u8], signature: Option<&str>) -> bool {
        match &self.secret {
            Some(secret) => signature.is_some_and(|signature| twilio::verify(secret, url, form, signature)),
            None => true,
        }
    }

    /// Keeps what came in, sealed, and returns when it is committed.
    pub async fn keep(
        &self,
        app: &App,
        content_type: Option<&str>,
        query: Option<&str>,
        body: &[u8],
    ) -> ServiceResult<()> {
        let head = Head { content_type: content_type.map(str::to_owned), query: query.map(str::to_owned) };
        let row = post(app, self.vendor, &head, body);
        let mut tx = app.db.begin(Priority::Interactive).await?;
        inbound::store(&mut tx, &row).await?;
        inbound::heard(&mut tx, self.id, row.received_at).await?;
        tx.commit().await?;
        app.wake.wake();
        metrics::counter!("inbound_posts_total", "vendor" => self.vendor.as_str(), "outcome" => "kept")
            .increment(1);
        Ok(())
    }
}

/// A post to be kept: a line with the head, and behind it the bytes as they came.
pub(super) fn post(app: &App, vendor: Vendor, head: &Head, body: &[u8]) -> PostRow {
    let mut plain = serde_json::to_vec(head).unwrap_or_default();
    plain.push(b'\n');
    plain.extend_from_slice(body);
    PostRow {
        id: ids::new_id(app.clocks.wire()),
        vendor: vendor.as_str().to_owned(),
        sealed: app.vault.master().seal(POST, &plain),
        received_at: app.clocks.business(),
        attempt: 0,
    }
}

/// Opens what [`post`] made.
pub(super) fn open(app: &App, row: &PostRow) -> ServiceResult<(Head, Vec<u8>)> {
    let plain = app.vault.master().open(POST, &row.sealed)?;
    let end = plain.iter().position(|byte| *byte == b'\n').unwrap_or(plain.len());
    let head = serde_json::from_slice(&plain[..end]).unwrap_or_default();
    Ok((head, plain.get(end + 1..).unwrap_or_default().to_vec()))
}
