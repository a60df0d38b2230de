//! Reading and writing what is kept sealed about consents and permissions, and the state of a key put together from it.

use std::collections::HashMap;

use kopru_domain::{BrandCode, Channel};
use kopru_domain::{IysCode, KeyState, OpenSubmission, Permission, RecipientType};
use kopru_store::heads::Head;
use kopru_store::key_states::{self, KeyRows};
use kopru_store::permissions::PermissionRow;
use kopru_store::submissions::OpenRow;
use kopru_store::{Claim, Key, ProviderKeys, Result, StoreError, Tx};

const CONSENT: &str = "consents.sealed";
const EVIDENCE: &str = "evidence.sealed";
const RECIPIENT: &str = "permissions.recipient";
const WIRE: &str = "submissions.wire";
const EVENT: &str = "changes.sealed";
const DIFFERENCE: &str = "daily_differences.sealed";

/// What a ledger row keeps sealed.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedConsent {
    /// Salt of the commitment.
    pub salt: [u8; 32],
    /// The canonical address.
    pub recipient: String,
    /// The client's reference.
    pub reference: Option<String>,
}

/// Seals address and reference of a ledger row: salt, address, and after a zero byte the reference.
pub fn seal_consent(
    keys: &ProviderKeys,
    salt: &[u8; 32],
    recipient: &str,
    reference: Option<&str>,
) -> Vec<u8> {
    let mut plain = Vec::with_capacity(48 + recipient.len());
    plain.extend_from_slice(salt);
    plain.extend_from_slice(recipient.as_bytes());
    if let Some(reference) = reference {
        plain.push(0);
        plain.extend_from_slice(reference.as_bytes());
    }
    keys.seal(CONSENT, &plain)
}

/// Opens what [`seal_consent`] made.
pub fn open_consent(keys: &ProviderKeys, sealed: &[u8]) -> Result<SealedConsent> {
    let (salt, rest) = open_salted(keys, CONSENT, sealed)?;
    let text = String::from_utf8(rest).map_err(|_| corrupt())?;
    let (recipient, reference) = match text.split_once('\0') {
        Some((recipient, reference)) => (recipient.to_owned(), Some(reference.to_owned())),
        None => (text, None),
    };
    Ok(SealedConsent { salt, recipient, reference })
}

/// Seals evidence in its stored form, behind the salt of its commitment.
pub fn seal_evidence(keys: &ProviderKeys, salt: &[u8; 32], json: &[u8]) -> Vec<u8> {
    keys.seal(EVIDENCE, &[salt.as_slice(), json].concat())
}

/// Salt and stored form of evidence.
pub fn open_evidence(keys: &ProviderKeys, sealed: &[u8]) -> Result<([u8; 32], Vec<u8>)> {
    open_salted(keys, EVIDENCE, sealed)
}

/// Seals the address of a permission.
pub fn seal_recipient(keys: &ProviderKeys, recipient: &str) -> Vec<u8> {
    keys.seal(RECIPIENT, recipient.as_bytes())
}

/// Opens the address of a permission.
pub fn open_recipient(keys: &ProviderKeys, sealed: &[u8]) -> Result<String> {
    keys.open_text(RECIPIENT, sealed)
}

/// Seals the bytes of a request to the registry.
pub fn seal_wire(keys: &ProviderKeys, bytes: &[u8]) -> Vec<u8> {
    keys.seal(WIRE, bytes)
}

/// Opens the bytes of a request to the registry.
pub fn open_wire(keys: &ProviderKeys, sealed: &[u8]) -> Result<Vec<u8>> {
    keys.open(WIRE, sealed)
}

/// Seals an event of the change feed.
pub fn seal_event(keys: &ProviderKeys, json: &[u8]) -> Vec<u8> {
    keys.seal(EVENT, json)
}

/// Opens an event of the change feed.
pub fn open_event(keys: &ProviderKeys, sealed: &[u8]) -> Result<Vec<u8>> {
    keys.open(EVENT, sealed)
}

/// Seals the registry's movement of a difference.
pub fn seal_difference(keys: &ProviderKeys, json: &[u8]) -> Vec<u8> {
    keys.seal(DIFFERENCE, json)
}

/// Opens the registry's movement of a difference.
pub fn open_difference(keys: &ProviderKeys, sealed: &[u8]) -> Result<Vec<u8>> {
    keys.open(DIFFERENCE, sealed)
}

fn open_salted(keys: &ProviderKeys, context: &str, sealed: &[u8]) -> Result<([u8; 32], Vec<u8>)> {
    let plain = keys.open(context, sealed)?;
    let (salt, rest) = plain.split_at_checked(32).ok_or_else(corrupt)?;
    Ok((salt.try_into().map_err(|_| corrupt())?, rest.to_vec()))
}

fn corrupt() -> StoreError {
    StoreError::Corrupt { what: "sealed value", detail: "shape".to_owned() }
}

/// The state of keys: permission and open submissions. Read it under the lock of the provider's head.
#[derive(Default)]
pub struct KeyStates {
    states: HashMap<Key, KeyState>,
}

impl KeyStates {
    /// Locks the provider's head and loads the state of each of these keys.
    pub async fn lock(tx: &mut Tx, provider: IysCode, keys: Vec<Key>) -> Result<(Head, Self)> {
        let (head, rows) = key_states::lock(tx, provider, distinct(keys)).await?;
        Ok((head, Self::new(rows)))
    }

    /// Loads the state of each of these keys.
    pub async fn load(tx: &mut Tx, provider: IysCode, keys: Vec<Key>) -> Result<Self> {
        Ok(Self::new(key_states::load(tx, provider, distinct(keys)).await?))
    }

    /// Loads the state of each of these keys beside what `claim` has taken.
    pub async fn load_beside(tx: &mut Tx, provider: IysCode, keys: Vec<Key>, claim: Claim) -> Result<Self> {
        if keys.is_empty() {
            return Ok(Self::default());
        }
        Ok(Self::new(key_states::load_beside(tx, provider, distinct(keys), claim).await?))
    }

    /// Loads what merging the registry's movements into these keys asks for.
    pub async fn load_to_merge(tx: &mut Tx, provider: IysCode, keys: Vec<Key>) -> Result<Self> {
        Ok(Self::new(key_states::load_to_merge(tx, provider, distinct(keys)).await?))
    }

    fn new(rows: KeyRows) -> Self {
        let mut states: HashMap<Key, KeyState> = HashMap::with_capacity(rows.permissions.len());
        for row in rows.permissions {
            states.insert(row.key, KeyState { permission: row.permission, open: Vec::new() });
        }
        for row in rows.open {
            states.entry(row.key).or_insert_with(fresh).open.push(open(&row));
        }
        Self { states }
    }

    /// Takes in the states of other keys.
    pub fn add(&mut self, others: Self) {
        self.states.extend(others.states);
    }

    /// The state of a key; nothing known and nothing open where it was never seen.
    pub fn of(&mut self, key: Key) -> &mut KeyState {
        self.states.entry(key).or_insert_with(fresh)
    }

    /// The permission of a key, to be written.
    pub fn permission_row(
        &self,
        key: Key,
        brand_code: BrandCode,
        recipient_type: RecipientType,
        channel: Channel,
        recipient: Vec<u8>,
    ) -> PermissionRow {
        let permission =
            self.states.get(&key).map_or_else(Permission::not_known, |state| state.permission.clone());
        PermissionRow { key, brand_code, recipient_type, channel, recipient, permission }
    }
}

fn distinct(mut keys: Vec<Key>) -> Vec<Key> {
    keys.sort_unstable();
    keys.dedup();
    keys
}

fn fresh() -> KeyState {
    KeyState::not_known()
}

fn open(row: &OpenRow) -> OpenSubmission {
    OpenSubmission {
        consent_id: row.consent_id,
        status: row.status,
        source: row.source,
        consent_date: row.ordered_at,
        wire_date: row.wire_date,
        state: row.state,
    }
}
