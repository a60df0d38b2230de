//! Known signatures, and what a verifier must refuse.

use std::time::Duration;

use kopru_webhook::{Headers, PublicKey, Secret, Signer, SigningKey, Verifier, VerifyError, sign, verify};

const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
const TIMESTAMP: i64 = 1_614_265_330;
const BODY: &[u8] = br#"{"test": 2432232314}"#;
const TOLERANCE: Duration = Duration::from_mins(5);

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const SYMMETRIC: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

const PRIVATE_KEY: &str = "whsk_VEVTVFNJR05JTkdLRVlET05PVFVTRVRISVNGT1JBTlk=";
const ASYMMETRIC: &str =
    "v1a,tQ9V2XOqn7jL/DQenEFpqIugdBVtiMmER5mhSkXBNwM0mkATuDe6KYYUuxqtaiHeYGb7KaaBRdM5WqyeFiL8Ag==";

fn secret() -> Secret {
    SECRET.parse().unwrap()
}

fn headers(signature: &str) -> Headers<'_> {
    Headers { id: ID, timestamp: "1614265330", signature }
}

fn check(signature: &str) -> Result<(), VerifyError> {
    verify(headers(signature), BODY, &[secret()], TIMESTAMP, TOLERANCE)
}

/// The values of the specification's own test suite.
#[test]
fn known_signatures() {
    assert_eq!(sign(ID, TIMESTAMP, BODY, &[secret()]), SYMMETRIC);
    let key: SigningKey = PRIVATE_KEY.parse().unwrap();
    let signer = Signer { secrets: Vec::new(), ed25519: Some(key.clone()) };
    assert_eq!(signer.sign(ID, TIMESTAMP, BODY), ASYMMETRIC);

    let signer = Signer { secrets: vec![secret()], ed25519: Some(key) };
    assert_eq!(signer.sign(ID, TIMESTAMP, BODY), format!("{SYMMETRIC} {ASYMMETRIC}"));
}

/// The longest and shortest secret; values from an HMAC of another language (Python's `hmac`).
#[test]
fn known_signatures_at_the_limits() {
    let cases = [
        (24, "v1,DA4eKjHjONmbwrFhzbLZHUxU8ss78cpAGtkRI2zM8tM="),
        (64, "v1,xiYq7KiN9fbEf3F7hwGCpJ/pG+R/iuNBmv03f0sgXzY="),
    ];
    for (length, expected) in cases {
        let secret = Secret::from_bytes(&(0..length).collect::<Vec<u8>>()).unwrap();
        assert_eq!(sign("evt_1", 0, "ğ".as_bytes(), &[secret]), expected);
    }
}

#[test]
fn either_secret_of_a_rotation_is_enough() {
    let (old, new) = (Secret::generate().unwrap(), Secret::generate().unwrap());
    let signature = sign(ID, TIMESTAMP, BODY, &[new.clone(), old.clone()]);
    assert_eq!(signature.split(' ').count(), 2);
    for known in [vec![old.clone()], vec![new.clone()], vec![Secret::generate().unwrap(), old]] {
        assert_eq!(verify(headers(&signature), BODY, &known, TIMESTAMP, TOLERANCE), Ok(()));
    }
    let stranger = [Secret::generate().unwrap()];
    assert_eq!(
        verify(headers(&signature), BODY, &stranger, TIMESTAMP, TOLERANCE),
        Err(VerifyError::Mismatch)
    );
    assert_eq!(
        verify(headers(&signature), BODY, &[], TIMESTAMP, TOLERANCE),
        Err(VerifyError::NoKnownVersion)
    );
}

#[test]
fn a_public_key_is_enough() {
    let key: SigningKey = PRIVATE_KEY.parse().unwrap();
    let check = |public_keys: Vec<PublicKey>, signature: &str| {
        let verifier = Verifier { secrets: Vec::new(), public_keys };
        verifier.verify(headers(signature), BODY, TIMESTAMP, TOLERANCE)
    };
    let both = format!("{SYMMETRIC} {ASYMMETRIC}");
    assert_eq!(check(vec![key.public_key()], &both), Ok(()));
    let stranger = SigningKey::generate().unwrap().public_key();
    assert_eq!(check(vec![stranger, key.public_key()], ASYMMETRIC), Ok(()));
    assert_eq!(check(vec![stranger], ASYMMETRIC), Err(VerifyError::Mismatch));
    assert_eq!(check(vec![key.public_key()], SYMMETRIC), Err(VerifyError::NoKnownVersion));
    // One that fits in the other scheme does not speak for a key that it does not fit
    let verifier =
        Verifier { secrets: vec![Secret::generate().unwrap()], public_keys: vec![key.public_key()] };
    assert_eq!(verifier.verify(headers(&both), BODY, TIMESTAMP, TOLERANCE), Ok(()));
}

#[test]
fn signatures_of_other_versions_are_passed_over() {
    let value = SYMMETRIC.strip_prefix("v1,").unwrap();
    let wrong = "v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc=";
    assert_eq!(check(&format!("{wrong} v2,{value} {SYMMETRIC} {wrong}")), Ok(()));
    assert_eq!(check(&format!("v1,??? {SYMMETRIC}")), Ok(()));
    assert_eq!(check(wrong), Err(VerifyError::Mismatch));
    for other in ["v2", "v1a", "V1", "v11", ""] {
        assert_eq!(check(&format!("{other},{value}")), Err(VerifyError::NoKnownVersion), "{other}");
    }
}

#[test]
fn broken_headers_are_refused() {
    let malformed = Err(VerifyError::Malformed("webhook-signature"));
    for broken in ["", "v1", &format!("{SYMMETRIC} "), &format!(" {SYMMETRIC}")] {
        assert_eq!(check(broken), malformed, "{broken:?}");
    }
    // No value, cut short, too long, and one written in base64's other alphabet
    for broken in ["v1,", &SYMMETRIC[..40], &format!("{SYMMETRIC}A"), &SYMMETRIC.replace('+', "-")] {
        assert_eq!(check(broken), Err(VerifyError::NoKnownVersion), "{broken:?}");
    }
    assert_eq!(check(&[SYMMETRIC; 16].join(" ")), Ok(()));
    assert_eq!(check(&[SYMMETRIC; 17].join(" ")), malformed);
}

#[test]
fn the_timestamp_must_be_of_now() {
    let at = |now| verify(headers(SYMMETRIC), BODY, &[secret()], now, TOLERANCE);
    assert_eq!(at(TIMESTAMP + 300), Ok(()));
    assert_eq!(at(TIMESTAMP - 300), Ok(()));
    assert_eq!(at(TIMESTAMP + 301), Err(VerifyError::TooOld));
    assert_eq!(at(TIMESTAMP - 301), Err(VerifyError::InFuture));
    assert_eq!(at(i64::MAX), Err(VerifyError::TooOld));
    assert_eq!(at(i64::MIN), Err(VerifyError::InFuture));
    assert_eq!(verify(headers(SYMMETRIC), BODY, &[secret()], 0, Duration::MAX), Ok(()));
}

#[test]
fn the_timestamp_is_written_in_one_way_only() {
    for timestamp in
        ["", "+1614265330", "01614265330", " 1614265330", "1614265330.0", "-1", "99999999999999999999"]
    {
        let headers = Headers { timestamp, ..headers(SYMMETRIC) };
        let result = verify(headers, BODY, &[secret()], TIMESTAMP, Duration::MAX);
        assert_eq!(result, Err(VerifyError::Malformed("webhook-timestamp")), "{timestamp:?}");
    }
}

/// Without this, the signature over id `a.5`, time 6 and body `x` would also fit id `a`, time 5 and body `6.x`.
#[test]
fn an_id_with_a_full_stop_is_refused() {
    let signature = sign("a.5", 6, b"x", &[secret()]);
    for id in ["a.5", ""] {
        let headers = Headers { id, timestamp: "6", signature: &signature };
        let result = verify(headers, b"x", &[secret()], 6, TOLERANCE);
        assert_eq!(result, Err(VerifyError::Malformed("webhook-id")), "{id:?}");
    }
}

#[test]
fn headers_are_taken_out_of_a_map() {
    let mut map = http::HeaderMap::new();
    assert_eq!(Headers::from_map(&map).err(), Some(VerifyError::Missing("webhook-id")));
    map.insert("webhook-id", ID.parse().unwrap());
    map.insert("webhook-timestamp", TIMESTAMP.into());
    assert_eq!(Headers::from_map(&map).err(), Some(VerifyError::Missing("webhook-signature")));
    map.insert("webhook-signature", SYMMETRIC.parse().unwrap());
    let headers = Headers::from_map(&map).unwrap();
    assert_eq!(verify(headers, BODY, &[secret()], TIMESTAMP, TOLERANCE), Ok(()));

    map.append("webhook-signature", SYMMETRIC.parse().unwrap());
    assert_eq!(Headers::from_map(&map).err(), Some(VerifyError::Malformed("webhook-signature")));
    map.insert("webhook-signature", http::HeaderValue::from_bytes(b"v1,\xff").unwrap());
    assert_eq!(Headers::from_map(&map).err(), Some(VerifyError::Malformed("webhook-signature")));
}
