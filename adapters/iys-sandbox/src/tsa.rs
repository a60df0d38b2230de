//! A time-stamp authority of the simulator's own (RFC 3161), because the registry stamps the movement file
//! of every day (protocol 4.17).
//!
//! Its key and its certificate are made once and kept with the data. The certificate is its own issuer:
//! who wants to verify a stamp takes it from the control interface and trusts it.

use std::time::Duration;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use aws_lc_rs::{encoding::AsDer, encoding::PublicKeyX509Der};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use der::asn1::{Any, BitString, GeneralizedTime, ObjectIdentifier, OctetString, Uint, UtcTime};
use der::{DateTime, Decode, Encode, Tag, TagNumber};
use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256, Sha384};

use crate::error::{Error, Result};
use crate::store::facts;

const NAME: &str = "iys-sandbox time-stamp authority";
/// Below the number that RFC 5612 sets apart for documentation: nobody else's policy.
const POLICY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.32473.1");

const SHA_384: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.2");
const ECDSA_WITH_SHA_384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.3");
const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");
const KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.15");
const EXTENDED_KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37");
const TIME_STAMPING: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.8");
const SIGNED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.2");
const TST_INFO: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.1.4");
const CONTENT_TYPE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.3");
const MESSAGE_DIGEST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.4");
const SIGNING_CERTIFICATE_V2: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.2.47");

/// The authority as it is kept: both in Base64 of DER.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    /// PKCS #8.
    key: String,
    /// X.509.
    certificate: String,
}

/// The authority.
pub(crate) struct Authority {
    key: EcdsaKeyPair,
    /// DER.
    certificate: Vec<u8>,
}

impl Authority {
    /// The authority of this data; it is made when there is none yet.
    pub(crate) fn open(db: &Connection) -> Result<Self> {
        if let Some(kept) = facts::find::<Kept>(db, facts::TIME_STAMP_AUTHORITY)? {
            let broken = Error::Corrupt("facts.time_stamp_authority");
            let (Ok(key), Ok(certificate)) = (STANDARD.decode(kept.key), STANDARD.decode(kept.certificate))
            else {
                return Err(broken);
            };
            let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P384_SHA384_ASN1_SIGNING, &key).map_err(|_| broken)?;
            return Ok(Self { key, certificate });
        }
        let key = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_ASN1_SIGNING)?;
        let certificate = certificate(&key)?;
        let kept =
            Kept { key: STANDARD.encode(key.to_pkcs8v1()?), certificate: STANDARD.encode(&certificate) };
        facts::put(db, facts::TIME_STAMP_AUTHORITY, &kept)?;
        Ok(Self { key, certificate })
    }

    /// The certificate as PEM.
    pub(crate) fn pem(&self) -> String {
        let text = STANDARD.encode(&self.certificate);
        let lines = text.as_bytes().chunks(64).map(String::from_utf8_lossy).collect::<Vec<_>>();
        format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
    }

    /// A time-stamp response: this SHA-384 was there at this instant (Unix seconds).
    pub(crate) fn stamp(&self, sha_384: &[u8], at: i64) -> Result<Vec<u8>> {
        let at = Duration::from_secs(u64::try_from(at).unwrap_or_default());
        let info = sequence(&[
            number(&[1])?,
            Any::encode_from(&POLICY)?,
            sequence(&[sequence(&[Any::encode_from(&SHA_384)?])?, octets(sha_384)?])?,
            serial_number()?,
            Any::encode_from(&GeneralizedTime::from_unix_duration(at)?)?,
        ])?
        .to_der()?;
        let token = sequence(&[
            Any::encode_from(&SIGNED_DATA)?,
            tagged(
                0,
                &sequence(&[
                    number(&[3])?,
                    set(&[sequence(&[Any::encode_from(&SHA_384)?])?])?,
                    sequence(&[Any::encode_from(&TST_INFO)?, tagged(0, &octets(&info)?)?])?,
                    in_place_of(0, &set(&[Any::from_der(&self.certificate)?])?)?,
                    set(&[self.signer_info(&info)?])?,
                ])?,
            )?,
        ])?;
        let granted = sequence(&[number(&[0])?])?;
        Ok(sequence(&[granted, token])?.to_der()?)
    }

    /// Who signed, and the signature over the attributes that bind the content and the certificate.
    fn signer_info(&self, content: &[u8]) -> Result<Any> {
        // The hash inside is SHA-256 where none is named.
        let binding = sequence(&[sequence(&[sequence(&[octets(&Sha256::digest(&self.certificate))?])?])?])?;
        let attributes = set(&[
            attribute(CONTENT_TYPE, Any::encode_from(&TST_INFO)?)?,
            attribute(MESSAGE_DIGEST, octets(&Sha384::digest(content))?)?,
            attribute(SIGNING_CERTIFICATE_V2, binding)?,
        ])?;
        let signature = self.key.sign(&SystemRandom::new(), &attributes.to_der()?)?;
        let (issuer, serial) = issuer_and_serial(&self.certificate)?;
        Ok(sequence(&[
            number(&[1])?,
            sequence(&[issuer, serial])?,
            sequence(&[Any::encode_from(&SHA_384)?])?,
            in_place_of(0, &attributes)?,
            sequence(&[Any::encode_from(&ECDSA_WITH_SHA_384)?])?,
            octets(signature.as_ref())?,
        ])?)
    }
}

/// A certificate that signs itself and may sign time stamps only. It is valid for as long as the
/// registry's clock can be moved.
fn certificate(key: &EcdsaKeyPair) -> Result<Vec<u8>> {
    let algorithm = sequence(&[Any::encode_from(&ECDSA_WITH_SHA_384)?])?;
    let common_name =
        sequence(&[Any::encode_from(&COMMON_NAME)?, Any::new(Tag::Utf8String, NAME.as_bytes())?])?;
    let name = sequence(&[set(&[common_name])?])?;
    let public_key: PublicKeyX509Der<'_> = key.public_key().as_der()?;
    // digitalSignature and nonRepudiation: the first two bits of eight.
    let usage = extension(KEY_USAGE, &BitString::new(6, vec![0b1100_0000])?.to_der()?)?;
    let purpose = sequence(&[Any::encode_from(&TIME_STAMPING)?])?.to_der()?;
    let content = sequence(&[
        tagged(0, &number(&[2])?)?,
        serial_number()?,
        algorithm.clone(),
        name.clone(),
        sequence(&[
            Any::encode_from(&UtcTime::from_date_time(DateTime::new(2015, 5, 1, 0, 0, 0)?)?)?,
            Any::encode_from(&GeneralizedTime::from_date_time(DateTime::new(9999, 12, 31, 23, 59, 59)?))?,
        ])?,
        name,
        Any::from_der(public_key.as_ref())?,
        tagged(3, &sequence(&[usage, extension(EXTENDED_KEY_USAGE, &purpose)?])?)?,
    ])?;
    let signature = key.sign(&SystemRandom::new(), &content.to_der()?)?;
    let signature = Any::encode_from(&BitString::from_bytes(signature.as_ref())?)?;
    Ok(sequence(&[content, algorithm, signature])?.to_der()?)
}

/// The issuer and the serial number of a certificate of ours.
fn issuer_and_serial(certificate: &[u8]) -> der::Result<(Any, Any)> {
    let parts = Vec::<Any>::from_der(certificate)?;
    let content = parts.first().map(Any::to_der).transpose()?.unwrap_or_default();
    match Vec::<Any>::from_der(&content)?.as_slice() {
        [_version, serial, _algorithm, issuer, ..] => Ok((issuer.clone(), serial.clone())),
        _ => Err(Tag::Sequence.length_error().into()),
    }
}

fn attribute(kind: ObjectIdentifier, value: Any) -> der::Result<Any> {
    sequence(&[Any::encode_from(&kind)?, set(&[value])?])
}

/// A critical extension.
fn extension(kind: ObjectIdentifier, value: &[u8]) -> der::Result<Any> {
    sequence(&[Any::encode_from(&kind)?, Any::encode_from(&true)?, octets(value)?])
}

fn sequence(parts: &[Any]) -> der::Result<Any> {
    let parts = parts.iter().map(Encode::to_der).collect::<der::Result<Vec<_>>>()?;
    Any::new(Tag::Sequence, parts.concat())
}

/// The parts of a set stand in the order of their encodings.
fn set(parts: &[Any]) -> der::Result<Any> {
    let mut parts = parts.iter().map(Encode::to_der).collect::<der::Result<Vec<_>>>()?;
    parts.sort();
    Any::new(Tag::Set, parts.concat())
}

/// A value inside a tag of its context (`EXPLICIT`).
fn tagged(place: u32, value: &Any) -> der::Result<Any> {
    Any::new(Tag::ContextSpecific { constructed: true, number: TagNumber(place) }, value.to_der()?)
}

/// A value under a tag of its context in place of its own (`IMPLICIT`).
fn in_place_of(place: u32, value: &Any) -> der::Result<Any> {
    Any::new(Tag::ContextSpecific { constructed: true, number: TagNumber(place) }, value.value())
}

fn octets(bytes: &[u8]) -> der::Result<Any> {
    Any::encode_from(&OctetString::new(bytes)?)
}

fn number(bytes: &[u8]) -> der::Result<Any> {
    Any::encode_from(&Uint::new(bytes)?)
}

/// A number that nobody has given yet.
fn serial_number() -> Result<Any> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes)?;
    Ok(number(&bytes)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::schema;

    #[test]
    fn the_authority_stays_the_same_and_its_stamps_say_what_was_stamped() {
        let db = Connection::open_in_memory().unwrap();
        schema::prepare(&db).unwrap();
        let made = Authority::open(&db).unwrap();
        assert_eq!(Authority::open(&db).unwrap().certificate, made.certificate);
        let hash = Sha384::digest(b"a day");
        let stamp = made.stamp(&hash, 1_795_158_300).unwrap();
        assert!(stamp.windows(hash.len()).any(|part| part == hash.as_slice()));
        assert!(stamp.windows(15).any(|part| part == b"20261120070500Z"));
    }

    #[test]
    fn a_key_that_was_tampered_with_is_no_key() {
        let db = Connection::open_in_memory().unwrap();
        schema::prepare(&db).unwrap();
        let kept = Kept { key: "AAAA".to_owned(), certificate: "AAAA".to_owned() };
        facts::put(&db, facts::TIME_STAMP_AUTHORITY, &kept).unwrap();
        assert!(matches!(Authority::open(&db), Err(Error::Corrupt(_))));
    }
}
