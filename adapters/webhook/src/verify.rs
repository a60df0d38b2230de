//! The receiver's side of the signature.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use subtle::{Choice, ConstantTimeEq};

use crate::key::PublicKey;
use crate::secret::Secret;
use crate::sign::{ASYMMETRIC, SYMMETRIC, mac, signed_content};
use crate::{HEADER_ID, HEADER_SIGNATURE, HEADER_TIMESTAMP};

/// More signatures than any rotation needs; a bound on the work that a stranger's header can cause.
const MAX_SIGNATURES: usize = 16;

/// The three headers of a call, as they arrived.
#[derive(Debug, Clone, Copy)]
pub struct Headers<'a> {
    /// `webhook-id`: the event's id, the same in every attempt.
    pub id: &'a str,
    /// `webhook-timestamp`: the time of the attempt in Unix seconds.
    pub timestamp: &'a str,
    /// `webhook-signature`: one or more signatures, separated by spaces.
    pub signature: &'a str,
}

impl<'a> Headers<'a> {
    /// Takes the three headers out of a request's headers.
    ///
    /// Fails with [`VerifyError::Missing`] where one is absent, and with [`VerifyError::Malformed`] where one stands
    /// there twice or is not text.
    pub fn from_map(map: &'a http::HeaderMap) -> Result<Self, VerifyError> {
        let one = |name: &'static str| {
            let mut values = map.get_all(name).iter();
            let value = values.next().ok_or(VerifyError::Missing(name))?;
            match (value.to_str(), values.next()) {
                (Ok(text), None) => Ok(text),
                _ => Err(VerifyError::Malformed(name)),
            }
        };
        Ok(Self { id: one(HEADER_ID)?, timestamp: one(HEADER_TIMESTAMP)?, signature: one(HEADER_SIGNATURE)? })
    }
}

/// Why a call is not to be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// The header is absent.
    #[error("the header {0} is missing")]
    Missing(&'static str),
    /// The header is empty, stands there twice, is not text, or has a form that no sender gives it.
    #[error("the header {0} is malformed")]
    Malformed(&'static str),
    /// The attempt is older than the tolerance: perhaps a recorded call that is being replayed.
    #[error("the timestamp is too old")]
    TooOld,
    /// The attempt lies further in the future than the tolerance.
    #[error("the timestamp is in the future")]
    InFuture,
    /// There is no signature of a version for which a key is at hand.
    #[error("no signature of a known version")]
    NoKnownVersion,
    /// No signature fits.
    #[error("no signature matches")]
    Mismatch,
}

/// The keys that a receiver believes.
#[derive(Debug, Clone, Default)]
pub struct Verifier {
    /// Shared secrets, against which `v1` signatures are compared.
    pub secrets: Vec<Secret>,
    /// Public keys, against which `v1a` signatures are checked.
    pub public_keys: Vec<PublicKey>,
}

impl Verifier {
    /// Whether one of the call's signatures is of one of these keys and the attempt is of now.
    ///
    /// A header may carry several signatures, of several versions: unknown ones are passed over, one that fits is
    /// enough. `now_unix` is in Unix seconds, `tolerance` counts in whole seconds, both ends inclusive. `body` must be
    /// the very bytes that arrived, not a JSON text written anew. Symmetric signatures are compared in constant time.
    pub fn verify(
        &self,
        headers: Headers<'_>,
        body: &[u8],
        now_unix: i64,
        tolerance: Duration,
    ) -> Result<(), VerifyError> {
        let call = Call::parse(headers, body)?;
        check_age(call.timestamp, now_unix, tolerance)?;
        call.check(&self.secrets, &self.public_keys)
    }
}

/// [`Verifier::verify`] with shared secrets alone.
pub fn verify(
    headers: Headers<'_>,
    body: &[u8],
    secrets: &[Secret],
    now_unix: i64,
    tolerance: Duration,
) -> Result<(), VerifyError> {
    let call = Call::parse(headers, body)?;
    check_age(call.timestamp, now_unix, tolerance)?;
    call.check(secrets, &[])
}

/// A call whose headers have the right form; nothing is believed yet.
struct Call<'a> {
    id: &'a str,
    timestamp: i64,
    body: &'a [u8],
    candidates: Candidates,
}

impl<'a> Call<'a> {
    fn parse(headers: Headers<'a>, body: &'a [u8]) -> Result<Self, VerifyError> {
        check_id(headers.id)?;
        let timestamp = parse_timestamp(headers.timestamp)?;
        let candidates = Candidates::parse(headers.signature)?;
        Ok(Self { id: headers.id, timestamp, body, candidates })
    }

    fn check(&self, secrets: &[Secret], public_keys: &[PublicKey]) -> Result<(), VerifyError> {
        let symmetric = !secrets.is_empty() && !self.candidates.symmetric.is_empty();
        let asymmetric = !public_keys.is_empty() && !self.candidates.asymmetric.is_empty();
        if !symmetric && !asymmetric {
            Err(VerifyError::NoKnownVersion)
        } else if self.matches_secret(secrets) || (asymmetric && self.matches_public_key(public_keys)) {
            Ok(())
        } else {
            Err(VerifyError::Mismatch)
        }
    }

    /// Compares all with all, so that the time taken does not tell which one came close.
    fn matches_secret(&self, secrets: &[Secret]) -> bool {
        let mut matched = Choice::from(0);
        for secret in secrets {
            let expected = mac(secret, self.id, self.timestamp, self.body);
            for candidate in &self.candidates.symmetric {
                matched |= expected.ct_eq(candidate);
            }
        }
        matched.into()
    }

    /// Public keys and signatures are no secrets: this may stop at the first that fits.
    fn matches_public_key(&self, public_keys: &[PublicKey]) -> bool {
        let message = signed_content(self.id, self.timestamp, self.body);
        let fits = |key: &PublicKey| self.candidates.asymmetric.iter().any(|it| key.verifies(&message, it));
        public_keys.iter().any(fits)
    }
}

/// Full stops separate what is signed: an id with one could pass for another id and timestamp.
pub(crate) fn check_id(id: &str) -> Result<(), VerifyError> {
    if id.is_empty() || id.contains('.') { Err(VerifyError::Malformed(HEADER_ID)) } else { Ok(()) }
}

/// Only the one way in which a sender writes a number: no sign, no leading zero, no space.
fn parse_timestamp(text: &str) -> Result<i64, VerifyError> {
    match text.parse::<i64>() {
        Ok(seconds) if seconds >= 0 && seconds.to_string() == text => Ok(seconds),
        _ => Err(VerifyError::Malformed(HEADER_TIMESTAMP)),
    }
}

fn check_age(timestamp: i64, now_unix: i64, tolerance: Duration) -> Result<(), VerifyError> {
    let tolerance = i64::try_from(tolerance.as_secs()).unwrap_or(i64::MAX);
    let age = now_unix.saturating_sub(timestamp);
    if age > tolerance {
        Err(VerifyError::TooOld)
    } else if age.saturating_neg() > tolerance {
        Err(VerifyError::InFuture)
    } else {
        Ok(())
    }
}

/// The signatures of a header by kind; those of other versions or lengths are left out.
#[derive(Default)]
struct Candidates {
    symmetric: Vec<[u8; 32]>,
    asymmetric: Vec<[u8; 64]>,
}

impl Candidates {
    fn parse(header: &str) -> Result<Self, VerifyError> {
        let mut found = Self::default();
        for (index, part) in header.split(' ').enumerate() {
            let malformed = VerifyError::Malformed(HEADER_SIGNATURE);
            let (version, encoded) = part.split_once(',').ok_or(malformed)?;
            if index >= MAX_SIGNATURES {
                return Err(malformed);
            }
            // What does not decode can be no match, but must not keep a good signature beside it from counting.
            let bytes = STANDARD.decode(encoded).unwrap_or_default();
            match version {
                SYMMETRIC => found.symmetric.extend(<[u8; 32]>::try_from(bytes)),
                ASYMMETRIC => found.asymmetric.extend(<[u8; 64]>::try_from(bytes)),
                _ => {}
            }
        }
        Ok(found)
    }
}
