//! The canonical record of the ledger and its hash chain (design.md section 4.8).
//!
//! The ledger proves, years later, what was taken when and in which order. It is hash-chained per
//! provider over a record in which personal data appear only as commitments: SHA-256 over a random
//! salt and the value. Salt and value are stored apart, encrypted; a purge destroys them and leaves
//! the chain provable.
//!
//! # Byte format, version 1
//!
//! A record is the ASCII text `kopru-ledger-1` followed by its fields in ascending order of their
//! number. Each field is one byte of number, four bytes of length (big endian) and the value. A
//! field without a value is left out. Integers are eight bytes big endian (two's complement), instants
//! are microseconds since 1970-01-01T00:00:00Z as such an integer, words are their wire spelling in
//! UTF-8, ids are their 16 bytes.
//!
//! | no. | field | no. | field |
//! |---|---|---|---|
//! | 1 | number in the chain, from 1 | 9 | source |
//! | 2 | iysCode | 10 | consentDate, true time |
//! | 3 | brandCode | 11 | instant of receipt |
//! | 4 | consent id | 12 | instant of recording |
//! | 5 | kind of record | 13 | retailerCode |
//! | 6 | type | 14 | commitment to the recipient |
//! | 7 | recipientType | 15 | commitment to the evidence |
//! | 8 | status | | |
//!
//! The hash of an entry is SHA-256 over the 32 bytes of its predecessor's hash ([`GENESIS`] for the
//! first) followed by the record.

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::words::{BrandCode, Channel, ConsentStatus, IysCode, RecipientType, RetailerCode, Source, words};

/// A SHA-256 hash.
pub type Hash = [u8; 32];

/// The predecessor of a provider's first entry.
pub const GENESIS: Hash = [0; 32];

const MAGIC: &[u8] = b"kopru-ledger-1";

words! {
    /// What a ledger entry states.
    pub enum RecordKind("record kind") {
        /// A consent was taken.
        Consent = "consent",
        /// A person was informed about it (the same-day notice of rules.md C4).
        Notice = "notice",
        /// The personal part of earlier entries of the consent was destroyed.
        Purge = "purge",
    }
}

/// One entry of the ledger, in the form that is hashed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Place in the provider's chain, counted from 1 without gaps.
    pub number: i64,
    /// The provider.
    pub iys_code: IysCode,
    /// The brand.
    pub brand_code: BrandCode,
    /// The consent the entry is about.
    pub consent_id: Uuid,
    /// What the entry states.
    pub kind: RecordKind,
    /// The channel.
    pub channel: Channel,
    /// The capacity of the recipient.
    pub recipient_type: RecipientType,
    /// Approval or rejection.
    pub status: ConsentStatus,
    /// Where it was taken; a TACIR consent may have none.
    pub source: Option<Source>,
    /// When the person decided: the true time, whatever date is filed.
    pub consent_date: Option<DateTime<Utc>>,
    /// When it reached the service.
    pub received_at: DateTime<Utc>,
    /// When it was recorded.
    pub recorded_at: DateTime<Utc>,
    /// The retailer that took it.
    pub retailer_code: Option<RetailerCode>,
    /// [`commitment`] to the canonical address.
    pub recipient: Hash,
    /// [`commitment`] to the evidence in its stored form.
    pub evidence: Hash,
}

impl Record {
    /// The canonical bytes, as the module describes them.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Bytes(Vec::with_capacity(384));
        bytes.0.extend_from_slice(MAGIC);
        bytes.field(1, &self.number.to_be_bytes());
        bytes.field(2, &self.iys_code.0.to_be_bytes());
        bytes.field(3, &self.brand_code.0.to_be_bytes());
        bytes.field(4, self.consent_id.as_bytes());
        bytes.field(5, self.kind.as_str().as_bytes());
        bytes.field(6, self.channel.as_str().as_bytes());
        bytes.field(7, self.recipient_type.as_str().as_bytes());
        bytes.field(8, self.status.as_str().as_bytes());
        if let Some(source) = &self.source {
            bytes.field(9, source.as_str().as_bytes());
        }
        if let Some(date) = self.consent_date {
            bytes.field(10, &date.timestamp_micros().to_be_bytes());
        }
        bytes.field(11, &self.received_at.timestamp_micros().to_be_bytes());
        bytes.field(12, &self.recorded_at.timestamp_micros().to_be_bytes());
        if let Some(retailer) = self.retailer_code {
            bytes.field(13, &retailer.0.to_be_bytes());
        }
        bytes.field(14, &self.recipient);
        bytes.field(15, &self.evidence);
        bytes.0
    }
}

/// Bytes of a canonical form.
pub(crate) struct Bytes(pub(crate) Vec<u8>);

impl Bytes {
    /// Appends a field: number, length, value.
    pub(crate) fn field(&mut self, number: u8, value: &[u8]) {
        self.0.push(number);
        // No field comes near 4 GiB: the longest is the body of a text.
        let length = u32::try_from(value.len()).unwrap_or(u32::MAX);
        self.0.extend_from_slice(&length.to_be_bytes());
        self.0.extend_from_slice(value);
    }
}

/// Commits to a personal value without showing it: SHA-256(salt ‖ value).
pub fn commitment(value: &[u8], salt: &Hash) -> Hash {
    Sha256::new().chain_update(salt).chain_update(value).finalize().into()
}

/// The hash of an entry, given its predecessor's.
pub fn entry_hash(previous: &Hash, record: &Record) -> Hash {
    Sha256::new().chain_update(previous).chain_update(record.to_bytes()).finalize().into()
}

/// Where the chain does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// An entry is missing or doubled.
    #[error("entry {found} stands where entry {expected} belongs")]
    Number {
        /// The number that should follow.
        expected: i64,
        /// The number that was found.
        found: i64,
    },
    /// An entry, or one before it, was changed.
    #[error("the hash of entry {number} does not fit its content and predecessor")]
    Hash {
        /// The entry's number.
        number: i64,
    },
    /// A stored personal value is not the one that was committed to.
    #[error("the personal part of entry {number} does not fit its commitment")]
    Commitment {
        /// The entry's number.
        number: i64,
    },
}

/// Walks a provider's chain from its beginning, or from an entry whose hash is trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainWalk {
    last_number: i64,
    last_hash: Hash,
}

impl ChainWalk {
    /// Starts before the first entry.
    pub const fn from_genesis() -> Self {
        Self { last_number: 0, last_hash: GENESIS }
    }

    /// Starts after an entry whose hash is trusted.
    pub const fn after(number: i64, hash: Hash) -> Self {
        Self { last_number: number, last_hash: hash }
    }

    /// Verifies the next entry against its stored hash and steps onto it.
    pub fn step(&mut self, record: &Record, stored: &Hash) -> Result<(), ChainError> {
        let expected = self.last_number.saturating_add(1);
        if record.number != expected {
            return Err(ChainError::Number { expected, found: record.number });
        }
        if entry_hash(&self.last_hash, record) != *stored {
            return Err(ChainError::Hash { number: record.number });
        }
        self.last_number = record.number;
        self.last_hash = *stored;
        Ok(())
    }

    /// The number and hash of the last verified entry: what a provider's head must say.
    pub const fn head(&self) -> (i64, Hash) {
        (self.last_number, self.last_hash)
    }
}

/// Verifies that a stored personal value is the one a record commits to. Not to be called for what
/// a purge has destroyed: the chain holds without it.
pub fn verify_commitment(number: i64, committed: &Hash, value: &[u8], salt: &Hash) -> Result<(), ChainError> {
    if commitment(value, salt) == *committed { Ok(()) } else { Err(ChainError::Commitment { number }) }
}
