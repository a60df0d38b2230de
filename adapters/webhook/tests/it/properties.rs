//! What must hold for every message.

use std::time::Duration;

use kopru_webhook::{Headers, Secret, Signer, SigningKey, Verifier, VerifyError, sign, verify};
use proptest::prelude::*;

const TOLERANCE: Duration = Duration::from_mins(5);

fn secret() -> impl Strategy<Value = Secret> {
    prop::collection::vec(any::<u8>(), 24..=64).prop_map(|bytes| Secret::from_bytes(&bytes).unwrap())
}

/// Flips bit `index` of `text`, unless what comes out is no text any more.
fn flipped(text: &str, index: prop::sample::Index) -> Option<String> {
    String::from_utf8(flipped_bytes(text.as_bytes(), index)).ok()
}

fn flipped_bytes(bytes: &[u8], index: prop::sample::Index) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let bit = index.index(bytes.len() * 8);
    bytes[bit / 8] ^= 1 << (bit % 8);
    bytes
}

/// What both schemes must do with a message and with the same message after one flipped bit anywhere.
fn survives_no_flip(
    sign: impl Fn(&str, i64, &[u8]) -> String,
    verify: impl Fn(Headers<'_>, &[u8]) -> Result<(), VerifyError>,
    (id, timestamp, body): (&str, i64, &[u8]),
    index: prop::sample::Index,
) -> Result<(), TestCaseError> {
    let signature = sign(id, timestamp, body);
    let timestamp = timestamp.to_string();
    let headers = Headers { id, timestamp: &timestamp, signature: &signature };
    prop_assert_eq!(verify(headers, body), Ok(()));

    prop_assert!(verify(headers, &flipped_bytes(body, index)).is_err());
    prop_assert!(verify(headers, &[body, b" "].concat()).is_err());
    if let Some(id) = flipped(id, index) {
        prop_assert!(verify(Headers { id: &id, ..headers }, body).is_err(), "{:?}", id);
    }
    if let Some(timestamp) = flipped(&timestamp, index) {
        prop_assert!(verify(Headers { timestamp: &timestamp, ..headers }, body).is_err(), "{:?}", timestamp);
    }
    if let Some(signature) = flipped(&signature, index) {
        prop_assert!(verify(Headers { signature: &signature, ..headers }, body).is_err(), "{}", signature);
    }
    Ok(())
}

proptest! {
    #[test]
    fn a_flipped_bit_is_refused(
        secret in secret(),
        id in "[!-~&&[^.]]{1,40}",
        timestamp in 0..=i64::from(u32::MAX),
        body in prop::collection::vec(any::<u8>(), 1..200),
        index: prop::sample::Index,
    ) {
        let secrets = [secret];
        survives_no_flip(
            |id, timestamp, body| sign(id, timestamp, body, &secrets),
            // With an endless tolerance it is the signature that refuses and not the clock
            |headers, body| verify(headers, body, &secrets, 0, Duration::MAX),
            (&id, timestamp, &body),
            index,
        )?;
    }

    #[test]
    fn a_flipped_bit_in_a_secret_is_refused(bytes in prop::collection::vec(any::<u8>(), 24..=64), index: prop::sample::Index) {
        let [right, wrong] = [bytes.clone(), flipped_bytes(&bytes, index)].map(|it| Secret::from_bytes(&it).unwrap());
        let signature = sign("evt_1", 7, b"{}", &[right]);
        let headers = Headers { id: "evt_1", timestamp: "7", signature: &signature };
        prop_assert_eq!(verify(headers, b"{}", &[wrong], 7, TOLERANCE), Err(VerifyError::Mismatch));
    }

    #[test]
    fn text_forms_return(secret in secret()) {
        prop_assert_eq!(secret.expose().parse(), Ok(secret));
    }

    /// Nothing that arrives makes the verifier panic or believe.
    #[test]
    fn arbitrary_headers_are_refused(id in ".{0,20}", timestamp in "[0-9]{0,20}|.{0,20}", signature in "(v1a?,)?.{0,90}") {
        let secrets = vec!["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".parse().unwrap()];
        let public_keys = vec!["whpk_ZlN4eg7dSSqi0moX9hQUk3orrOouK3QVQSlJa248c/g=".parse().unwrap()];
        let headers = Headers { id: &id, timestamp: &timestamp, signature: &signature };
        let verifier = Verifier { secrets, public_keys };
        let result = verifier.verify(headers, b"{}", 0, Duration::MAX);
        prop_assert!(result.is_err());
    }
}

proptest! {
    // Curve arithmetic is slow in debug builds
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn a_flipped_bit_is_refused_by_ed25519(
        id in "[!-~&&[^.]]{1,40}",
        timestamp in 0..=i64::from(u32::MAX),
        body in prop::collection::vec(any::<u8>(), 1..50),
        index: prop::sample::Index,
    ) {
        let key = SigningKey::generate().unwrap();
        let verifier = Verifier { secrets: Vec::new(), public_keys: vec![key.public_key()] };
        let signer = Signer { secrets: Vec::new(), ed25519: Some(key) };
        survives_no_flip(
            |id, timestamp, body| signer.sign(id, timestamp, body),
            |headers, body| verifier.verify(headers, body, 0, Duration::MAX),
            (&id, timestamp, &body),
            index,
        )?;
    }
}
