//! The shared secret of a symmetric signature, and the text form that all keys have in common.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretSlice};
use subtle::ConstantTimeEq;

/// Keys are pasted by people: padding that got lost on the way is forgiven.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The text is not a key, or no key could be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The prefix that tells the kinds of key apart is missing.
    #[error("the key does not start with {expected}")]
    Prefix {
        /// The prefix that this kind of key has.
        expected: &'static str,
    },
    /// What follows the prefix is not standard base64.
    #[error("the key is not base64")]
    Encoding,
    /// The number of bytes is not one that the scheme allows.
    #[error("the key has {length} bytes, allowed are {allowed}")]
    Length {
        /// Bytes found.
        length: usize,
        /// Bytes allowed, as text.
        allowed: &'static str,
    },
    /// The bytes are no usable ed25519 key: no point of the curve, a weak point, or two halves that do not belong
    /// together.
    #[error("the bytes are not a usable ed25519 key")]
    Unusable,
    /// The operating system gave no random bytes.
    #[error("no random bytes from the operating system")]
    Random(#[source] getrandom::Error),
}

/// The bytes behind `prefix` in a key's text form.
pub(crate) fn decode(text: &str, prefix: &'static str) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let encoded = text.trim().strip_prefix(prefix).ok_or(KeyError::Prefix { expected: prefix })?;
    LENIENT.decode(encoded).map(Zeroizing::new).map_err(|_| KeyError::Encoding)
}

/// A key's text form.
pub(crate) fn encode(prefix: &'static str, bytes: &[u8]) -> String {
    format!("{prefix}{}", STANDARD.encode(bytes))
}

/// A shared secret, written `whsec_` and base64, of 24 to 64 bytes.
///
/// One secret belongs to one endpoint. `Debug` does not show it, and its memory is overwritten when it is dropped.
#[derive(Clone)]
pub struct Secret(SecretSlice<u8>);

impl Secret {
    /// What the text form starts with.
    pub const PREFIX: &'static str = "whsec_";
    /// The fewest bytes that the specification allows (192 bits).
    pub const MIN_LENGTH: usize = 24;
    /// The most bytes that the specification allows (512 bits).
    pub const MAX_LENGTH: usize = 64;
    /// The length of a generated secret: as long as the HMAC's output, more adds nothing.
    const GENERATED_LENGTH: usize = 32;

    /// A new secret of 32 bytes from the operating system's random source.
    ///
    /// Fails with [`KeyError::Random`] where the system has none to give.
    pub fn generate() -> Result<Self, KeyError> {
        let mut bytes = vec![0; Self::GENERATED_LENGTH];
        getrandom::fill(&mut bytes).map_err(KeyError::Random)?;
        Ok(Self(SecretSlice::from(bytes)))
    }

    /// A secret of these bytes. Fails with [`KeyError::Length`] outside 24 to 64 bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KeyError> {
        if !(Self::MIN_LENGTH..=Self::MAX_LENGTH).contains(&bytes.len()) {
            return Err(KeyError::Length { length: bytes.len(), allowed: "24 to 64" });
        }
        Ok(Self(SecretSlice::from(bytes.to_vec())))
    }

    /// The text form, to be shown once to the endpoint's owner or stored encrypted.
    pub fn expose(&self) -> String {
        encode(Self::PREFIX, self.0.expose_secret())
    }

    /// The bytes, padded to HMAC-SHA-256's block: the padding that HMAC itself prescribes, so the result is the same,
    /// and the block always has the length that the cipher's infallible constructor wants.
    pub(crate) fn block(&self) -> Zeroizing<[u8; Self::MAX_LENGTH]> {
        let mut block = Zeroizing::new([0; Self::MAX_LENGTH]);
        for (to, from) in block.iter_mut().zip(self.0.expose_secret()) {
            *to = *from;
        }
        block
    }
}

impl FromStr for Secret {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::from_bytes(&decode(text, Self::PREFIX)?)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret([redacted])")
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.0.expose_secret().ct_eq(other.0.expose_secret()).into()
    }
}

impl Eq for Secret {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_must_be_what_the_specification_allows() {
        for (length, ok) in [(0, false), (23, false), (24, true), (32, true), (64, true), (65, false)] {
            assert_eq!(Secret::from_bytes(&vec![7; length]).is_ok(), ok, "{length}");
            assert_eq!(encode("whsec_", &vec![7; length]).parse::<Secret>().is_ok(), ok, "{length}");
        }
    }

    #[test]
    fn the_text_form_is_checked() {
        let bytes = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        assert_eq!(bytes.parse::<Secret>(), Err(KeyError::Prefix { expected: "whsec_" }));
        assert_eq!(format!("whsk_{bytes}").parse::<Secret>(), Err(KeyError::Prefix { expected: "whsec_" }));
        assert_eq!(format!("whsec_{bytes}*").parse::<Secret>(), Err(KeyError::Encoding));
        assert_eq!(format!(" whsec_{bytes}\n").parse::<Secret>(), format!("whsec_{bytes}").parse());
    }

    #[test]
    fn lost_padding_is_forgiven() {
        let secret = Secret::from_bytes(&[5; 25]).unwrap();
        let text = secret.expose();
        assert!(text.ends_with("=="));
        assert_eq!(text.trim_end_matches('=').parse(), Ok(secret));
    }

    #[test]
    fn generated_secrets_differ_and_return_from_text() {
        let (one, two) = (Secret::generate().unwrap(), Secret::generate().unwrap());
        assert_ne!(one, two);
        assert_eq!(one.expose().parse(), Ok(one));
    }

    #[test]
    fn debug_shows_nothing() {
        let secret = Secret::from_bytes(&[b'A'; 24]).unwrap();
        assert_eq!(format!("{secret:?}"), "Secret([redacted])");
    }
}
