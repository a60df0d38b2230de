//! The key pair of an asymmetric signature (ed25519).

use std::fmt;
use std::str::FromStr;

use ed25519_dalek::{Signature, Signer as _, VerifyingKey};
use secrecy::zeroize::Zeroizing;

use crate::secret::{KeyError, decode, encode};

/// A private ed25519 key, written `whsk_` and base64.
///
/// The receiver needs only the [`PublicKey`] and so cannot sign in the sender's name. `Debug` does not show the key,
/// and its memory is overwritten when it is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningKey(ed25519_dalek::SigningKey);

impl SigningKey {
    /// What the text form starts with.
    pub const PREFIX: &'static str = "whsk_";

    /// A new key from the operating system's random source.
    ///
    /// Fails with [`KeyError::Random`] where the system has none to give.
    pub fn generate() -> Result<Self, KeyError> {
        let mut seed = Zeroizing::new([0; 32]);
        getrandom::fill(seed.as_mut()).map_err(KeyError::Random)?;
        Ok(Self(ed25519_dalek::SigningKey::from_bytes(&seed)))
    }

    /// The half that the receiver gets.
    pub fn public_key(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    /// The text form (the 32 bytes of the seed), to be stored encrypted.
    pub fn expose(&self) -> String {
        encode(Self::PREFIX, self.0.as_bytes())
    }

    /// The 64 bytes of the signature over `message`.
    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }
}

impl FromStr for SigningKey {
    type Err = KeyError;

    /// Reads a seed of 32 bytes, or seed and public key together (64 bytes), as some libraries write it.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bytes = decode(text, Self::PREFIX)?;
        if let Ok(seed) = <&[u8; 32]>::try_from(bytes.as_slice()) {
            Ok(Self(ed25519_dalek::SigningKey::from_bytes(seed)))
        } else if let Ok(pair) = <&[u8; 64]>::try_from(bytes.as_slice()) {
            ed25519_dalek::SigningKey::from_keypair_bytes(pair).map(Self).map_err(|_| KeyError::Unusable)
        } else {
            Err(KeyError::Length { length: bytes.len(), allowed: "32 or 64" })
        }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey([redacted], {})", self.public_key())
    }
}

/// A public ed25519 key, written `whpk_` and base64.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

impl PublicKey {
    /// What the text form starts with.
    pub const PREFIX: &'static str = "whpk_";

    /// Whether `signature` is this key's signature over `message`. Strict: of the signatures that ed25519 leaves
    /// ambiguous none is accepted.
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        self.0.verify_strict(message, &Signature::from_bytes(signature)).is_ok()
    }
}

impl FromStr for PublicKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bytes = decode(text, Self::PREFIX)?;
        let bytes = <&[u8; 32]>::try_from(bytes.as_slice())
            .map_err(|_| KeyError::Length { length: bytes.len(), allowed: "32" })?;
        let key = VerifyingKey::from_bytes(bytes).map_err(|_| KeyError::Unusable)?;
        if key.is_weak() { Err(KeyError::Unusable) } else { Ok(Self(key)) }
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&encode(Self::PREFIX, self.0.as_bytes()))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_halves_return_from_text() {
        let key = SigningKey::generate().unwrap();
        assert_eq!(key.expose().parse(), Ok(key.clone()));
        assert_eq!(key.public_key().to_string().parse(), Ok(key.public_key()));
        assert_ne!(key, SigningKey::generate().unwrap());
    }

    #[test]
    fn a_pair_is_read_when_its_halves_belong_together() {
        let key = SigningKey::generate().unwrap();
        let mut pair = key.0.to_keypair_bytes();
        assert_eq!(encode("whsk_", &pair).parse(), Ok(key));
        pair[63] ^= 1;
        assert_eq!(encode("whsk_", &pair).parse::<SigningKey>(), Err(KeyError::Unusable));
    }

    #[test]
    fn other_lengths_and_weak_points_are_refused() {
        assert!(matches!(encode("whsk_", &[1; 33]).parse::<SigningKey>(), Err(KeyError::Length { .. })));
        assert!(matches!(encode("whpk_", &[1; 31]).parse::<PublicKey>(), Err(KeyError::Length { .. })));
        // The neutral element: with it as a key, one signature fits many messages.
        let mut neutral = [0; 32];
        neutral[0] = 1;
        assert_eq!(encode("whpk_", &neutral).parse::<PublicKey>(), Err(KeyError::Unusable));
    }

    #[test]
    fn debug_shows_the_public_half_only() {
        let key: SigningKey = "whsk_VEVTVFNJR05JTkdLRVlET05PVFVTRVRISVNGT1JBTlk=".parse().unwrap();
        let shown = format!("{key:?}");
        assert!(shown.contains("[redacted]") && shown.contains("whpk_") && !shown.contains("VEVTVFNJ"));
    }
}
