//! Why a filing waits in the queue: the registry refuses its channel, or an earlier movement of the same address is still out.

use std::collections::HashMap;

use kopru_domain::{BrandCode, IysCode, SubmissionState};
use kopru_store::holds::{self, HoldRow};
use kopru_store::submissions::{self, OpenRow, SubmissionRow};
use kopru_store::{Key, Tx};
use uuid::Uuid;

use crate::service::ServiceResult;

/// A filing as it is told, with the consent that it waits for.
pub(super) struct Told {
    pub row: SubmissionRow,
    pub waits_for: Option<Uuid>,
}

/// What keeps filings of one brand in the queue.
pub(super) struct Waiting {
    holds: Vec<HoldRow>,
    /// Movements that have left the house and whose outcome is not known, by key: there is one at most.
    out: HashMap<Key, OpenRow>,
}

impl Waiting {
    /// Reads what these filings of a brand may wait for.
    pub async fn load(
        tx: &mut Tx,
        provider: IysCode,
        brand: BrandCode,
        rows: &[SubmissionRow],
    ) -> ServiceResult<Self> {
        let holds = holds::of_brand(tx, provider, brand).await?;
        let keys: Vec<Key> = rows.iter().filter(|row| is_unexplained(row)).map(|row| row.key).collect();
        let open =
            if keys.is_empty() { Vec::new() } else { submissions::open_of_keys(tx, provider, keys).await? };
        let out = open.into_iter().filter(|row| is_out(row.state)).map(|row| (row.key, row)).collect();
        Ok(Self { holds, out })
    }

    /// A filing as it is told.
    pub fn told(&self, row: SubmissionRow) -> Told {
        if !is_unexplained(&row) {
            return Told { row: without_probe(row), waits_for: None };
        }
        if let Some(hold) = self.holds.iter().find(|hold| hold.channel == row.channel) {
            let (code, cause) = (Some(hold.code.clone()), Some(hold.cause.clone()));
            return Told { row: SubmissionRow { code, cause, ..row }, waits_for: None };
        }
        let Some(ahead) = self.out.get(&row.key) else {
            return Told { row: without_probe(row), waits_for: None };
        };
        let (code, cause) = (ahead.code.clone(), ahead.cause.clone());
        Told { row: SubmissionRow { code, cause, ..row }, waits_for: Some(ahead.consent_id) }
    }
}

fn is_unexplained(row: &SubmissionRow) -> bool {
    row.state == SubmissionState::Queued && row.code.is_none()
}

fn is_out(state: SubmissionState) -> bool {
    matches!(state, SubmissionState::InFlight | SubmissionState::Batched | SubmissionState::Unresolved)
}

/// A probe is a matter between the queue and its claim.
fn without_probe(row: SubmissionRow) -> SubmissionRow {
    SubmissionRow { cause: row.cause.filter(|cause| cause != submissions::PROBE), ..row }
}
