//! The mirror: what the registry holds for each key, and a RET of ours that it does not show yet.

use chrono::{DateTime, Utc};
use kopru_domain::{
    BrandCode, Channel, Effective, IysCode, LocalRejection, Observation, Permission, RecipientType,
    RegistryKnowledge, RegistrySide,
};

use crate::error::{Result, StoreError};
use crate::{Insert, Key, Step, Tx, args, sql::Row, sql::Value, statements};

statements! {
    OF_KEYS = "SELECT key, brand_code, recipient_type, channel, recipient, registry, consent_date, source, creation_date, transaction_id,
                   local_at, local_consent_id, observed_at, observed
               FROM {each $2 bytes of permissions AS p: p.iys_code = $1 AND p.key = wanted.value}";
    UNSURE = "SELECT key, brand_code, recipient_type, channel, recipient, registry, consent_date, source, creation_date, transaction_id,
                   local_at, local_consent_id, observed_at, observed
               FROM permissions WHERE iys_code = $1 AND brand_code = $2 AND channel = $3 AND key > $4 AND key <= $5
                 AND ((registry <> 'not_known' AND creation_date < $6) OR observed_at < $6) ORDER BY key LIMIT $7";
    UNASKED = "SELECT key, brand_code, recipient_type, channel, recipient, registry, consent_date, source, creation_date, transaction_id,
                   local_at, local_consent_id, observed_at, observed
               FROM permissions WHERE iys_code = $1 AND brand_code = $2 AND channel = $3 AND key > $4 AND key <= $5
                 AND recipient_type = $6 AND registry = 'not_known' AND (observed_at IS NULL OR observed_at < $7) ORDER BY key LIMIT $8";
}

static SAVE: Insert = Insert {
    head: "INSERT INTO permissions (iys_code, key, brand_code, recipient_type, channel, recipient, registry, consent_date, source, creation_date, transaction_id, local_at, local_consent_id, observed_at, observed, effective, updated_at)",
    types: &["bigint", "bytea", "bigint", "text", "text", "bytea", "text", "timestamptz", "text", "timestamptz", "text", "timestamptz", "uuid", "timestamptz", "boolean", "text", "timestamptz"],
    tail: "ON CONFLICT (iys_code, key) DO UPDATE SET registry = excluded.registry, consent_date = excluded.consent_date,
        source = excluded.source, creation_date = excluded.creation_date, transaction_id = excluded.transaction_id,
        local_at = excluded.local_at, local_consent_id = excluded.local_consent_id, observed_at = excluded.observed_at,
        observed = excluded.observed, effective = excluded.effective, updated_at = excluded.updated_at",
};

/// The bulk inserts of this module by name.
pub(crate) static INSERTS: &[(&str, &Insert)] = &[("SAVE", &SAVE)];

/// A permission with its place.
#[derive(Debug, Clone)]
pub struct PermissionRow {
    /// Blind name.
    pub key: Key,
    /// Brand.
    pub brand_code: BrandCode,
    /// Person or merchant.
    pub recipient_type: RecipientType,
    /// Channel.
    pub channel: Channel,
    /// The address, sealed.
    pub recipient: Vec<u8>,
    /// Both sides.
    pub permission: Permission,
}

/// Reads these keys; those never seen are missing from the answer.
pub async fn of_keys(tx: &mut Tx, provider: IysCode, keys: Vec<Key>) -> Result<Vec<PermissionRow>> {
    tx.rows(&OF_KEYS, args![provider, keys]).await?.iter().map(read).collect()
}

/// The step that writes permissions; each key at most once.
pub fn save_step(provider: IysCode, mut rows: Vec<PermissionRow>, now: DateTime<Utc>) -> Step {
    rows.sort_unstable_by_key(|row| row.key);
    Step::Insert(&SAVE, rows.into_iter().map(|row| values(provider, row, now)).collect())
}

/// Writes permissions; each key at most once.
pub async fn save(
    tx: &mut Tx,
    provider: IysCode,
    rows: Vec<PermissionRow>,
    now: DateTime<Utc>,
) -> Result<()> {
    tx.run(vec![save_step(provider, rows, now)]).await
}

/// Part of a brand's permissions in order of their keys.
#[derive(Debug, Clone, Copy)]
pub struct Page<'a> {
    /// Provider.
    pub iys_code: IysCode,
    /// Brand.
    pub brand_code: BrandCode,
    /// Channel.
    pub channel: Channel,
    /// After this key; empty = from the first.
    pub after: &'a [u8],
    /// How many at most.
    pub limit: i64,
}

impl Page<'_> {
    /// The part of the keys that the page is looked for in: after the first of these, up to the second.
    fn span(&self) -> (Vec<u8>, Key) {
        let (before, last) = Key::span(self.brand_code, self.channel);
        (if self.after.is_empty() { before } else { self.after.to_vec() }, last)
    }
}

/// Permissions of which something is known from before an instant alone.
pub async fn unsure(tx: &mut Tx, page: Page<'_>, before: DateTime<Utc>) -> Result<Vec<PermissionRow>> {
    let (after, last) = page.span();
    let args = args![page.iys_code, page.brand_code, page.channel, after, last, before, page.limit];
    tx.rows(&UNSURE, args).await?.iter().map(read).collect()
}

/// Permissions of which the registry's side is not known, and that were not asked for since an instant.
pub async fn unasked(
    tx: &mut Tx,
    page: Page<'_>,
    recipient_type: RecipientType,
    since: DateTime<Utc>,
) -> Result<Vec<PermissionRow>> {
    let Page { iys_code, brand_code, channel, limit, .. } = page;
    let (after, last) = page.span();
    let args = args![iys_code, brand_code, channel, after, last, recipient_type, since, limit];
    tx.rows(&UNASKED, args).await?.iter().map(read).collect()
}

fn values(provider: IysCode, row: PermissionRow, now: DateTime<Utc>) -> Vec<Value> {
    let effective = match row.permission.effective(row.recipient_type) {
        Effective::Approval => "ONAY",
        Effective::Rejection => "RET",
        Effective::Unknown => "unknown",
    };
    let Permission { registry, local, observation } = row.permission;
    let (word, side, empty_as_of) = match registry {
        RegistryKnowledge::NotKnown => ("not_known", None, None),
        RegistryKnowledge::KnownEmpty { as_of } => ("empty", None, Some(as_of)),
        RegistryKnowledge::Known(side) => (side.status.as_str(), Some(side), None),
    };
    args![
        provider,
        row.key,
        row.brand_code,
        row.recipient_type,
        row.channel,
        row.recipient,
        word,
        side.as_ref().and_then(|side| side.consent_date),
        side.as_ref().and_then(|side| side.source.as_ref()).map(ToString::to_string),
        side.as_ref().map(|side| side.creation_date).or(empty_as_of),
        side.map(|side| side.transaction_id),
        local.as_ref().map(|local| local.at),
        local.as_ref().map(|local| local.consent_id),
        observation.as_ref().map(|seen| seen.asked_at),
        observation.as_ref().map(|seen| seen.approved),
        effective,
        now
    ]
}

pub(crate) fn read(row: &Row) -> Result<PermissionRow> {
    let missing = || StoreError::corrupt("permissions", "creation_date");
    let creation_date: Option<DateTime<Utc>> = row.get(8)?;
    let word: String = row.get(5)?;
    let registry = match word.as_str() {
        "not_known" => RegistryKnowledge::NotKnown,
        "empty" => RegistryKnowledge::KnownEmpty { as_of: creation_date.ok_or_else(missing)? },
        status => RegistryKnowledge::Known(RegistrySide {
            status: status.parse().map_err(|_| StoreError::corrupt("permissions", status))?,
            consent_date: row.get(6)?,
            source: row.word_opt(7)?,
            creation_date: creation_date.ok_or_else(missing)?,
            transaction_id: row.get::<Option<String>>(9)?.unwrap_or_default(),
        }),
    };
    let local = match (row.get(10)?, row.get(11)?) {
        (Some(at), Some(consent_id)) => Some(LocalRejection { at, consent_id }),
        _ => None,
    };
    let observation = match (row.get(12)?, row.get(13)?) {
        (Some(asked_at), Some(approved)) => Some(Observation { asked_at, approved }),
        _ => None,
    };
    Ok(PermissionRow {
        key: row.key(0)?,
        brand_code: BrandCode(row.get(1)?),
        recipient_type: row.word(2)?,
        channel: row.word(3)?,
        recipient: row.get(4)?,
        permission: Permission { registry, local, observation },
    })
}
