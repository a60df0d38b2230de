//! Why a filing is not at the registry yet, and when it is looked at next: the registry refuses its channel, an earlier movement of
//! the same address is still out, the registry does not answer, or its answer was lost.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use kopru_domain::{BrandCode, Code, IysCode, SubmissionState};
use kopru_store::holds::{self, HoldRow};
use kopru_store::submissions::{self, OpenRow, SubmissionRow};
use kopru_store::{Key, Tx};
use uuid::Uuid;

use crate::bootstrap::App;
use crate::service::ServiceResult;

/// A filing as it is told.
pub(super) struct Told {
    pub row: SubmissionRow,
    /// The consent that it waits for.
    pub waits_for: Option<Uuid>,
    /// When it is looked at next; nothing where only a person moves it.
    pub next: Option<DateTime<Utc>>,
}

/// Whether there is a registry that answers.
#[derive(Debug, Clone, Copy)]
pub(super) enum Reach {
    Answers,
    SilentUntil(DateTime<Utc>),
    None,
}

impl Reach {
    /// Reads on a connection of its own.
    pub async fn load(app: &App) -> ServiceResult<Self> {
        if !app.registry.configured() {
            return Ok(Self::None);
        }
        Ok(app.registry.silent_until().await?.map_or(Self::Answers, Self::SilentUntil))
    }
}

/// What keeps filings of one brand in the queue.
pub(super) struct Waiting {
    reach: Reach,
    holds: Vec<HoldRow>,
    /// Movements that have left the house and whose outcome is not known, by key: there is one at most.
    out: HashMap<Key, OpenRow>,
}

impl Waiting {
    /// Reads what these filings of a brand may wait for.
    pub async fn load(
        tx: &mut Tx,
        reach: Reach,
        provider: IysCode,
        brand: BrandCode,
        rows: &[SubmissionRow],
    ) -> ServiceResult<Self> {
        let holds = holds::of_brand(tx, provider, brand).await?;
        let keys: Vec<Key> = rows.iter().filter(|row| is_unexplained(row)).map(|row| row.key).collect();
        let open =
            if keys.is_empty() { Vec::new() } else { submissions::open_of_keys(tx, provider, keys).await? };
        let out = open.into_iter().filter(|row| is_out(row.state)).map(|row| (row.key, row)).collect();
        Ok(Self { reach, holds, out })
    }

    /// A filing as it is told.
    pub fn told(&self, row: SubmissionRow) -> Told {
        let hold = self.holds.iter().find(|hold| hold.channel == row.channel);
        match row.state {
            SubmissionState::Held => {
                // Nobody but a person moves what is in review.
                let hold = hold.filter(|hold| row.cause.as_ref() == Some(&hold.cause));
                Told { next: hold.map(|hold| hold.probe_at), row, waits_for: None }
            }
            SubmissionState::Unresolved if row.code.is_none() => Told::coded(row, &Code::OUTCOME_UNKNOWN),
            SubmissionState::Queued if row.code.is_none() => self.queued(row, hold),
            _ => Told::plain(row),
        }
    }

    fn queued(&self, row: SubmissionRow, hold: Option<&HoldRow>) -> Told {
        if let Some(hold) = hold {
            let (code, cause) = (Some(hold.code.clone()), Some(hold.cause.clone()));
            return Told { next: Some(hold.probe_at), ..Told::plain(SubmissionRow { code, cause, ..row }) };
        }
        if let Some(ahead) = self.out.get(&row.key) {
            let (code, cause) = (ahead.code.clone(), ahead.cause.clone());
            let told = Told::plain(SubmissionRow { code, cause, ..row });
            return Told { waits_for: Some(ahead.consent_id), ..told };
        }
        match self.reach {
            Reach::Answers => Told::plain(row),
            Reach::SilentUntil(until) => {
                let next = Some(until.max(row.next_attempt_at));
                Told { next, ..Told::coded(row, &Code::REGISTRY_SILENT) }
            }
            Reach::None => Told { next: None, ..Told::coded(row, &Code::NO_REGISTRY) },
        }
    }
}

impl Told {
    fn plain(row: SubmissionRow) -> Self {
        let row = without_probe(row);
        let is_waiting = matches!(row.state, SubmissionState::Queued | SubmissionState::Unresolved);
        Self { next: is_waiting.then_some(row.next_attempt_at), row, waits_for: None }
    }

    fn coded(row: SubmissionRow, code: &Code) -> Self {
        Self::plain(SubmissionRow { code: Some(code.as_str().to_owned()), ..row })
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
