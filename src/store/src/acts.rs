//! Acts of people that may be told more than once: a call, a scan, a link that was followed. By the mark of the act, a keyed
//! digest of its name ([`ProviderKeys::act`](crate::ProviderKeys::act)), the consent that came of it is found again.

use kopru_domain::IysCode;
use uuid::Uuid;

use crate::error::Result;
use crate::{Insert, Key, Step, Tx, args, statements};

statements! {
    FIND = "SELECT a.mark, a.consent_id FROM {each $2 bytes of acts AS a: a.iys_code = $1 AND a.mark = wanted.value}";
}

static ADD: Insert = Insert {
    head: "INSERT INTO acts (iys_code, mark, consent_id)",
    types: &["bigint", "bytea", "uuid"],
    tail: "ON CONFLICT (iys_code, mark) DO NOTHING",
};

/// The bulk inserts of this module by name.
pub(crate) static INSERTS: &[(&str, &Insert)] = &[("ADD", &ADD)];

/// The consents of acts that were told before, in no order. Read it under the provider's head.
pub async fn find(tx: &mut Tx, provider: IysCode, marks: Vec<Key>) -> Result<Vec<(Key, Uuid)>> {
    let rows = tx.rows(&FIND, args![provider, marks]).await?;
    rows.iter().map(|row| Ok((row.key(0)?, row.get(1)?))).collect()
}

/// The step that remembers acts; the caller holds the provider's head.
pub fn add_step(provider: IysCode, acts: Vec<(Key, Uuid)>) -> Step {
    Step::Insert(&ADD, acts.into_iter().map(|(mark, consent)| args![provider, mark, consent]).collect())
}
