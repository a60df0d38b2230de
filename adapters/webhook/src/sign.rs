//! The sender's side of the signature.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::key::SigningKey;
use crate::secret::Secret;

/// Version mark of an HMAC-SHA-256 signature.
pub(crate) const SYMMETRIC: &str = "v1";
/// Version mark of an ed25519 signature.
pub(crate) const ASYMMETRIC: &str = "v1a";

/// What an endpoint's calls are signed with.
#[derive(Debug, Clone, Default)]
pub struct Signer {
    /// One signature is made per secret. While a secret is being rotated both the new and the old stand here, and a
    /// receiver that knows either accepts the call.
    pub secrets: Vec<Secret>,
    /// Adds an asymmetric signature.
    pub ed25519: Option<SigningKey>,
}

impl Signer {
    /// The value of the `webhook-signature` header: `v1,…` once per secret in their order, then `v1a,…`.
    ///
    /// `timestamp` is the time of this attempt in Unix seconds. `id` must not be under a stranger's control or must
    /// have no full stop in it, because full stops separate what is signed; [`crate::Sender`] and [`crate::verify()`]
    /// refuse such an id. A signer without keys gives an empty text, which no receiver accepts.
    pub fn sign(&self, id: &str, timestamp: i64, body: &[u8]) -> String {
        let mut header = sign(id, timestamp, body, &self.secrets);
        if let Some(key) = &self.ed25519 {
            let signature = STANDARD.encode(key.sign(&signed_content(id, timestamp, body)));
            if !header.is_empty() {
                header.push(' ');
            }
            header.push_str(ASYMMETRIC);
            header.push(',');
            header.push_str(&signature);
        }
        header
    }
}

/// The value of the `webhook-signature` header with one `v1,…` per secret, separated by spaces.
///
/// See [`Signer::sign`] for the meaning of the parameters.
pub fn sign(id: &str, timestamp: i64, body: &[u8], secrets: &[Secret]) -> String {
    let signatures: Vec<_> = secrets
        .iter()
        .map(|secret| format!("{SYMMETRIC},{}", STANDARD.encode(mac(secret, id, timestamp, body))))
        .collect();
    signatures.join(" ")
}

/// The 32 bytes of the symmetric signature.
pub(crate) fn mac(secret: &Secret, id: &str, timestamp: i64, body: &[u8]) -> [u8; 32] {
    let block = secret.block();
    let mut mac = Hmac::<Sha256>::new((&*block).into());
    mac.update(prefix(id, timestamp).as_bytes());
    mac.update(body);
    mac.finalize().into_bytes().into()
}

/// Everything that is signed, in one piece: ed25519 reads its message twice.
pub(crate) fn signed_content(id: &str, timestamp: i64, body: &[u8]) -> Vec<u8> {
    [prefix(id, timestamp).as_bytes(), body].concat()
}

fn prefix(id: &str, timestamp: i64) -> String {
    format!("{id}.{timestamp}.")
}
