//! Personal data at rest: AES-256-GCM under a data key per provider, wrapped by the master key; look-up by a keyed blind index.

use std::cell::RefCell;
use std::fmt;

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use hmac::{Hmac, Mac};
use kopru_domain::{BrandCode, Channel, RecipientType};
use sha2::{Digest, Sha256};

use crate::error::{Result, StoreError};

const FORMAT: u8 = 1;
const NONCE_BYTES: usize = 12;
/// Format byte and key id before the nonce.
const HEADER_BYTES: usize = 3;

/// The key that wraps all data keys. It never enters the database; its id does.
#[derive(Clone)]
pub struct MasterKey {
    bytes: [u8; 32],
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MasterKey({})", self.id())
    }
}

impl MasterKey {
    /// Makes a new one from the system's random source.
    pub fn generate() -> Self {
        Self { bytes: random() }
    }

    /// Reads the text form: 64 hexadecimal digits, white space around them ignored.
    pub fn from_text(text: &str) -> Result<Self> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text.trim(), &mut bytes)
            .map_err(|_| StoreError::Address("the master key must be 64 hexadecimal digits".to_owned()))?;
        Ok(Self { bytes })
    }

    /// The text form, for the key file alone.
    pub fn to_text(&self) -> String {
        hex::encode(self.bytes)
    }

    /// A public name of the key: says which key it is, not what it is.
    pub fn id(&self) -> String {
        let digest = Sha256::new().chain_update(b"kopru master key id").chain_update(self.bytes).finalize();
        hex::encode(&digest[..8])
    }

    pub(crate) fn wrap(&self, context: &[u8], plain: &[u8]) -> Vec<u8> {
        seal(&cipher(&self.bytes), 0, context, plain)
    }

    pub(crate) fn unwrap(&self, context: &[u8], sealed: &[u8]) -> Result<Vec<u8>> {
        open(&cipher(&self.bytes), context, sealed)
    }

    /// Seals a secret of the installation itself (tokens, credentials).
    pub fn seal(&self, context: &str, plain: &[u8]) -> Vec<u8> {
        self.wrap(context.as_bytes(), plain)
    }

    /// Opens what [`MasterKey::seal`] made.
    pub fn open(&self, context: &str, sealed: &[u8]) -> Result<Vec<u8>> {
        self.unwrap(context.as_bytes(), sealed)
    }
}

/// The blind name of one (brand, recipient, recipientType, type) of a provider: brand and channel, which stand beside it in the
/// clear, and the first 88 bits of an HMAC-SHA-256. So the keys of a brand's channel lie together in each index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key(pub [u8; 16]);

impl Key {
    const PLACE: usize = 5;

    /// The key with this name among those of a brand's channel.
    pub fn of(brand: BrandCode, channel: Channel, name: [u8; 11]) -> Self {
        let mut key = [0; 16];
        // Of a number beyond 32 bits the lower ones: then two brands share a span, and queries name the brand as well.
        key[..4].copy_from_slice(&brand.0.to_be_bytes()[4..]);
        key[4] = match channel {
            Channel::Call => 1,
            Channel::Message => 2,
            Channel::Email => 3,
        };
        key[Self::PLACE..].copy_from_slice(&name);
        Self(key)
    }

    /// What all keys of a brand's channel are greater than, and the last that can be.
    pub fn span(brand: BrandCode, channel: Channel) -> (Vec<u8>, Self) {
        let last = Self::of(brand, channel, [u8::MAX; 11]);
        (last.0[..Self::PLACE].to_vec(), last)
    }

    pub(crate) fn from_slice(bytes: &[u8]) -> Result<Self> {
        bytes.try_into().map(Self).map_err(|_| StoreError::corrupt("key", "length"))
    }
}

/// The keys of one provider, ready for use.
pub struct ProviderKeys {
    current: u16,
    ciphers: Vec<(u16, Aes256Gcm)>,
    index: Hmac<Sha256>,
}

impl fmt::Debug for ProviderKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProviderKeys(current {})", self.current)
    }
}

/// A data key and the index key as they are wrapped: 64 bytes.
pub(crate) fn new_key_material() -> [u8; 64] {
    let mut material = [0; 64];
    material[..32].copy_from_slice(&random::<32>());
    material[32..].copy_from_slice(&random::<32>());
    material
}

impl ProviderKeys {
    /// From unwrapped material by key id; the highest id seals, the first gives the index key.
    pub(crate) fn from_material(material: &[(u16, Vec<u8>)]) -> Result<Self> {
        let mut ciphers = Vec::with_capacity(material.len());
        for (id, bytes) in material {
            let key: [u8; 32] = part(bytes, 0)?;
            ciphers.push((*id, cipher(&key)));
        }
        let (_, first) = material.first().ok_or_else(|| StoreError::corrupt("data_keys", "none"))?;
        let index_key: [u8; 32] = part(first, 32)?;
        let index = <Hmac<Sha256> as KeyInit>::new_from_slice(&index_key)
            .map_err(|_| StoreError::corrupt("data_keys", "index key"))?;
        let current = ciphers.iter().map(|(id, _)| *id).max().unwrap_or_default();
        Ok(Self { current, ciphers, index })
    }

    /// Encrypts. `context` names table and column and binds the ciphertext to its place.
    pub fn seal(&self, context: &str, plain: &[u8]) -> Vec<u8> {
        let (id, cipher) =
            self.ciphers.iter().find(|(id, _)| *id == self.current).unwrap_or(&self.ciphers[0]);
        seal(cipher, *id, context.as_bytes(), plain)
    }

    /// Decrypts what [`ProviderKeys::seal`] made under any key of the provider.
    pub fn open(&self, context: &str, sealed: &[u8]) -> Result<Vec<u8>> {
        let id = sealed.get(1..HEADER_BYTES).map_or(0, |bytes| u16::from_be_bytes([bytes[0], bytes[1]]));
        let (_, cipher) = self
            .ciphers
            .iter()
            .find(|(known, _)| *known == id)
            .ok_or_else(|| StoreError::corrupt("sealed value", "unknown key id"))?;
        open(cipher, context.as_bytes(), sealed)
    }

    /// Decrypts text.
    pub fn open_text(&self, context: &str, sealed: &[u8]) -> Result<String> {
        String::from_utf8(self.open(context, sealed)?)
            .map_err(|_| StoreError::corrupt("sealed value", "not UTF-8"))
    }

    /// The blind name under which everything about this address, brand and channel is stored. `recipient` is canonical.
    pub fn key(&self, brand: BrandCode, kind: RecipientType, channel: Channel, recipient: &str) -> Key {
        let (kind, word) = (kind.as_str().as_bytes(), channel.as_str().as_bytes());
        let Key(name) = self.name(&[&brand.0.to_be_bytes(), kind, b"/", word, b"/", recipient.as_bytes()]);
        let mut short = [0; 11];
        short.copy_from_slice(&name[..11]);
        Key::of(brand, channel, short)
    }

    /// The blind name of an address by itself. `recipient` is canonical.
    pub fn address_key(&self, recipient: &str) -> Key {
        // No brand's number is so long as to begin like this
        self.name(&[b"the address alone/", recipient.as_bytes()])
    }

    /// The blind name of a client's network address.
    pub fn client_key(&self, address: &str) -> Key {
        self.name(&[b"the client alone/", address.as_bytes()])
    }

    /// A proof that whoever names these parts was told of them: HMAC-SHA-256 over all, each with its length.
    pub fn proof(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut mac = self.index.clone();
        mac.update(b"a proof of what was sent/");
        for part in parts {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }

    fn name(&self, parts: &[&[u8]]) -> Key {
        let mut mac = self.index.clone();
        for part in parts {
            mac.update(part);
        }
        let full = mac.finalize().into_bytes();
        let mut key = [0; 16];
        key.copy_from_slice(&full[..16]);
        Key(key)
    }

    /// The mark of an act of a person, such as a call: by the blind name of what it decided on, and the act's own name.
    pub fn act(&self, key: Key, status: &str, name: &str) -> Key {
        self.name(&[b"act/", &key.0, status.as_bytes(), b"/", name.as_bytes()])
    }
}

/// How many random bytes are drawn from the system at once: a consent asks five times for a few.
const DRAW: usize = 2_048;

/// Random bytes, those that were not given out yet from `given` on.
struct Drawn {
    bytes: [u8; DRAW],
    given: usize,
}

thread_local! {
    static DRAWN: RefCell<Drawn> = const { RefCell::new(Drawn { bytes: [0; DRAW], given: DRAW }) };
}

/// Bytes from the system's random source, each given out once.
///
/// # Panics
/// When the system has none: nothing may go on without it.
#[expect(clippy::expect_used, reason = "without randomness no key, nonce or salt may be made")]
pub fn random<const N: usize>() -> [u8; N] {
    const { assert!(N <= DRAW) };
    DRAWN.with_borrow_mut(|drawn| {
        if N > DRAW - drawn.given {
            getrandom::fill(&mut drawn.bytes).expect("the system's random source answers");
            drawn.given = 0;
        }
        let given = &mut drawn.bytes[drawn.given..drawn.given + N];
        let mut bytes = [0; N];
        bytes.copy_from_slice(given);
        // Keys are made of these: nothing of them stays behind.
        given.fill(0);
        drawn.given += N;
        bytes
    })
}

fn cipher(key: &[u8; 32]) -> Aes256Gcm {
    Aes256Gcm::new(key.into())
}

fn part(bytes: &[u8], from: usize) -> Result<[u8; 32]> {
    bytes
        .get(from..from + 32)
        .and_then(|slice| slice.try_into().ok())
        .ok_or_else(|| StoreError::corrupt("data_keys", "length"))
}

#[expect(clippy::expect_used, reason = "AES-GCM refuses only plaintexts of 64 GiB and more")]
fn seal(cipher: &Aes256Gcm, key_id: u16, context: &[u8], plain: &[u8]) -> Vec<u8> {
    let nonce: [u8; NONCE_BYTES] = random();
    let sealed = cipher
        .encrypt(&Nonce::from(nonce), Payload { msg: plain, aad: context })
        .expect("the plaintext is short");
    let mut out = Vec::with_capacity(HEADER_BYTES + NONCE_BYTES + sealed.len());
    out.push(FORMAT);
    out.extend_from_slice(&key_id.to_be_bytes());
    out.extend_from_slice(&nonce);
    out.extend_from_slice(&sealed);
    out
}

fn open(cipher: &Aes256Gcm, context: &[u8], sealed: &[u8]) -> Result<Vec<u8>> {
    let damaged = || StoreError::corrupt("sealed value", "damaged, or sealed by another key");
    if sealed.first() != Some(&FORMAT) || sealed.len() < HEADER_BYTES + NONCE_BYTES {
        return Err(damaged());
    }
    let (nonce, body) = sealed[HEADER_BYTES..].split_at(NONCE_BYTES);
    let nonce: [u8; NONCE_BYTES] = nonce.try_into().map_err(|_| damaged())?;
    cipher.decrypt(&Nonce::from(nonce), Payload { msg: body, aad: context }).map_err(|_| damaged())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> ProviderKeys {
        ProviderKeys::from_material(&[(1, new_key_material().to_vec())]).unwrap()
    }

    #[test]
    fn sealed_values_open_only_in_their_place_and_untouched() {
        let keys = keys();
        let sealed = keys.seal("consents", b"+905321234567");
        assert_eq!(keys.open("consents", &sealed).unwrap(), b"+905321234567");
        assert!(keys.open("permissions", &sealed).is_err());
        for index in 0..sealed.len() {
            let mut damaged = sealed.clone();
            damaged[index] ^= 1;
            assert!(keys.open("consents", &damaged).is_err(), "byte {index}");
        }
        assert_ne!(keys.seal("consents", b"x"), keys.seal("consents", b"x"), "a nonce is never used twice");
    }

    #[test]
    fn blind_keys_differ_by_every_part_and_by_provider() {
        let keys = keys();
        let key = |brand, kind, channel, recipient| keys.key(BrandCode(brand), kind, channel, recipient);
        let one = key(1, RecipientType::Individual, Channel::Message, "+905321234567");
        assert_eq!(one, key(1, RecipientType::Individual, Channel::Message, "+905321234567"));
        assert_ne!(one, key(2, RecipientType::Individual, Channel::Message, "+905321234567"));
        assert_ne!(one, key(1, RecipientType::Merchant, Channel::Message, "+905321234567"));
        assert_ne!(one, key(1, RecipientType::Individual, Channel::Call, "+905321234567"));
        assert_ne!(
            one,
            self::keys().key(BrandCode(1), RecipientType::Individual, Channel::Message, "+905321234567")
        );
    }

    #[test]
    fn a_master_key_shows_its_id_and_never_itself() {
        let key = MasterKey::generate();
        assert!(!format!("{key:?}").contains(&key.to_text()));
        assert_eq!(MasterKey::from_text(&format!(" {}\n", key.to_text())).unwrap().id(), key.id());
        assert!(MasterKey::from_text("abc").is_err());
    }
}
