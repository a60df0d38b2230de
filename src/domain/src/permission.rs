//! What is known about one permission, from both sides (design.md sections 4.1, 4.2 and 4.10).
//!
//! A permission belongs to a key: (brand, recipient, recipientType, type). It has a *registry* side,
//! the last movement the registry confirmed, and a *local* side, a rejection this service took
//! itself. Everything here leans to the safe side: what is not known to be an approval is none.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::submission::Code;
use crate::time::truncate_seconds;
use crate::words::{ConsentStatus, RecipientType, Source};

/// The last movement the registry confirmed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistrySide {
    /// What it says.
    pub status: ConsentStatus,
    /// When the person decided, in whole seconds. A TACIR record may have none; a closed line
    /// carries the last known one.
    pub consent_date: Option<DateTime<Utc>>,
    /// Who wrote it. A TACIR record may have none.
    pub source: Option<Source>,
    /// When the registry wrote it, in whole seconds: the order of movements.
    pub creation_date: DateTime<Utc>,
    /// The registry's id of the movement; movements written in the same second share it.
    pub transaction_id: String,
}

impl RegistrySide {
    /// The instant the movement speaks for. A closed line speaks for the day of the report, though
    /// its consentDate is old; anything else for its consentDate, or its creation without one.
    pub fn event_time(&self) -> DateTime<Utc> {
        match self.consent_date {
            Some(date) if !self.source.as_ref().is_some_and(Source::is_line_closure) => date,
            _ => self.creation_date,
        }
    }

    /// Whether the person refused at the registry in person.
    pub fn is_citizen_rejection(&self) -> bool {
        self.status == ConsentStatus::Rejection && self.source.as_ref().is_some_and(Source::is_citizen)
    }

    /// Whether both describe the same movement (design.md section 4.2: transactionId, status,
    /// consentDate).
    fn is_same_movement(&self, other: &Self) -> bool {
        (self.status, self.consent_date, &self.transaction_id)
            == (other.status, other.consent_date, &other.transaction_id)
    }

    /// The order of movements: creationDate first, and within a second a rejection after any
    /// approval.
    fn order(&self) -> (DateTime<Utc>, ConsentStatus, &str, Option<DateTime<Utc>>) {
        (self.creation_date, self.status, &self.transaction_id, self.consent_date)
    }
}

/// What the registry is known to hold for a key.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum RegistryKnowledge {
    /// Nobody asked yet, or a gap in the feed made the answer worthless.
    #[default]
    NotKnown,
    /// The registry said that it holds no record.
    KnownEmpty {
        /// When it was asked.
        as_of: DateTime<Utc>,
    },
    /// The registry holds this.
    Known(RegistrySide),
}

impl RegistryKnowledge {
    /// The registry's record, where one is known.
    pub const fn side(&self) -> Option<&RegistrySide> {
        match self {
            Self::Known(side) => Some(side),
            Self::NotKnown | Self::KnownEmpty { .. } => None,
        }
    }

    /// The registry's record, where it is an approval.
    pub fn approval(&self) -> Option<&RegistrySide> {
        self.side().filter(|side| side.status == ConsentStatus::Approval)
    }

    /// The registry's record, where it is a rejection.
    pub fn rejection(&self) -> Option<&RegistrySide> {
        self.side().filter(|side| side.status == ConsentStatus::Rejection)
    }
}

/// A rejection this service took itself, which the registry does not show yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalRejection {
    /// When the person refused: the true time, never the date it was filed with.
    pub at: DateTime<Utc>,
    /// The consent that says so.
    pub consent_id: Uuid,
}

/// An answer of the registry's multi-status query: whether the address was among the approvals.
/// It is no movement: absence means RET or no record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Observation {
    /// When it was asked.
    pub asked_at: DateTime<Utc>,
    /// Whether the address was in the list of approvals.
    pub approved: bool,
}

/// What may be done with an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Effective {
    /// Messages may be sent.
    Approval,
    /// The person refused.
    Rejection,
    /// Not known to be allowed, therefore not allowed.
    Unknown,
}

impl Effective {
    /// The registry's word, where it has one.
    pub const fn status(self) -> Option<ConsentStatus> {
        match self {
            Self::Approval => Some(ConsentStatus::Approval),
            Self::Rejection => Some(ConsentStatus::Rejection),
            Self::Unknown => None,
        }
    }
}

/// What merging a movement did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Merge {
    /// It is the newest: the registry side shows it now.
    Applied,
    /// A later movement is known already.
    Stale,
    /// It is the movement that is known already.
    Same,
}

/// Both sides of one permission.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Permission {
    /// What the registry holds.
    pub registry: RegistryKnowledge,
    /// A rejection of ours that still stands.
    pub local: Option<LocalRejection>,
    /// The last answer of the multi-status query.
    pub observation: Option<Observation>,
}

impl Permission {
    /// Nothing is known.
    pub const fn not_known() -> Self {
        Self { registry: RegistryKnowledge::NotKnown, local: None, observation: None }
    }

    /// What may be done with the address now (design.md section 4.1).
    ///
    /// Freshness, suppression and what is still queued are the caller's business: a check adds them.
    pub fn effective(&self, recipient_type: RecipientType) -> Effective {
        if self.local.is_some() {
            return Effective::Rejection;
        }
        match self.observed() {
            Some(true) => Effective::Approval,
            Some(false) if self.registry.rejection().is_some() => Effective::Rejection,
            Some(false) => Effective::Unknown,
            None => self.registered(recipient_type),
        }
    }

    /// What the registry side alone says. A merchant needs no approval, only a record that is not a
    /// rejection (rules.md R6); as every record is ONAY or RET, both kinds of recipient read alike.
    fn registered(&self, recipient_type: RecipientType) -> Effective {
        let Some(side) = self.registry.side() else { return Effective::Unknown };
        match (side.status, recipient_type) {
            (ConsentStatus::Rejection, _) => Effective::Rejection,
            (ConsentStatus::Approval, RecipientType::Individual | RecipientType::Merchant) => {
                Effective::Approval
            }
        }
    }

    /// The observation's answer, where no later movement or status query made it void.
    ///
    /// The registry's dates have whole seconds. Where a movement and the asking share one, the
    /// stricter reading wins: a refusal seen is kept, an approval seen is not.
    pub(crate) fn observed(&self) -> Option<bool> {
        let Observation { asked_at, approved } = self.observation?;
        let void = match &self.registry {
            RegistryKnowledge::Known(side) if approved => side.creation_date >= truncate_seconds(asked_at),
            RegistryKnowledge::Known(side) => side.creation_date > asked_at,
            RegistryKnowledge::KnownEmpty { as_of } => *as_of >= asked_at,
            RegistryKnowledge::NotKnown => false,
        };
        (!void).then_some(approved)
    }

    /// Merges a movement of the registry, whoever told of it. Only the order of creation counts,
    /// never consentDate: a resend that answers with an old transaction cannot overwrite what the
    /// citizen did since (design.md section 4.2).
    pub fn merge(&mut self, side: RegistrySide) -> Merge {
        let merge = match self.registry.side() {
            Some(known) if known.is_same_movement(&side) => Merge::Same,
            Some(known) if known.order() >= side.order() => Merge::Stale,
            Some(_) | None => Merge::Applied,
        };
        if merge == Merge::Applied {
            self.registry = RegistryKnowledge::Known(side);
        }
        if self.local.is_some_and(|local| !self.stands(local.at)) {
            self.local = None;
        }
        merge
    }

    /// Whether a rejection of ours stands against the registry side: until the registry shows it, or
    /// holds an approval that was given later.
    ///
    /// "Shows it" asks for a rejection with this date or a later one. An older one is not enough,
    /// nor is a closed line with its old date: the registry would still take an approval that is
    /// older than our rejection.
    fn stands(&self, at: DateTime<Utc>) -> bool {
        let Some(side) = self.registry.side() else { return true };
        match side.status {
            ConsentStatus::Rejection => {
                side.consent_date.unwrap_or(side.creation_date) < truncate_seconds(at)
            }
            ConsentStatus::Approval => side.consent_date.is_none_or(|date| date <= at),
        }
    }

    /// Gives up what was learnt of the registry before an instant: it may have changed since, and nobody will tell
    /// (design.md section 4.1). A rejection of ours stands.
    pub fn forget(&mut self, before: DateTime<Utc>) {
        let learnt = match &self.registry {
            RegistryKnowledge::NotKnown => None,
            RegistryKnowledge::KnownEmpty { as_of } => Some(*as_of),
            RegistryKnowledge::Known(side) => Some(side.creation_date),
        };
        if learnt.is_some_and(|at| at < before) {
            self.registry = RegistryKnowledge::NotKnown;
        }
        if self.observation.is_some_and(|seen| seen.asked_at < before) {
            self.observation = None;
        }
    }

    /// Takes note that the registry said it holds no record.
    ///
    /// A record cannot vanish: where one is known and the answer is younger, the two contradict each
    /// other, and the address counts as not approved until the next movement or answer.
    pub fn mark_empty(&mut self, as_of: DateTime<Utc>) {
        match &mut self.registry {
            RegistryKnowledge::NotKnown => self.registry = RegistryKnowledge::KnownEmpty { as_of },
            RegistryKnowledge::KnownEmpty { as_of: known } => *known = as_of.max(*known),
            RegistryKnowledge::Known(_) => self.observe(Observation { asked_at: as_of, approved: false }),
        }
    }

    /// Takes note that the registry has lost a movement that it had confirmed: it is not in its own file of the day. Where
    /// that was the last one known, what the registry holds is not known any more. True where it was.
    pub fn forget_lost(&mut self, transaction_id: &str) -> bool {
        let lost = self.registry.side().is_some_and(|side| side.transaction_id == transaction_id);
        if lost {
            self.registry = RegistryKnowledge::NotKnown;
        }
        lost
    }

    /// Takes note of the answer to a single status query, which makes older observations void.
    pub fn answer_status(&mut self, asked_at: DateTime<Utc>, answer: Option<RegistrySide>) -> Merge {
        if self.observation.is_some_and(|observation| observation.asked_at <= asked_at) {
            self.observation = None;
        }
        match answer {
            Some(side) => self.merge(side),
            None => {
                let before = self.registry.clone();
                self.mark_empty(asked_at);
                if before == self.registry { Merge::Same } else { Merge::Applied }
            }
        }
    }

    /// Takes note of what a refusal says about the registry's state: H175 that there is no record,
    /// H174 that the record is a rejection. `asked_at` is when the refused movement was sent.
    pub fn learn_from_refusal(&mut self, code: &Code, asked_at: DateTime<Utc>) {
        if *code == Code::H175 {
            self.mark_empty(asked_at);
        } else if *code == Code::H174 {
            self.observe(Observation { asked_at, approved: false });
        }
    }

    /// Takes a rejection of ours. Returns whether it stands as the local side: not where the registry
    /// shows it or a later decision already, nor where a later rejection of ours stands.
    pub fn reject_locally(&mut self, at: DateTime<Utc>, consent_id: Uuid) -> bool {
        if !self.stands(at) || self.local.is_some_and(|local| local.at >= at) {
            return false;
        }
        self.local = Some(LocalRejection { at, consent_id });
        true
    }

    /// Takes note of an answer of the multi-status query; an older one than is known is dropped.
    pub fn observe(&mut self, observation: Observation) {
        if self.observation.is_none_or(|known| known.asked_at <= observation.asked_at) {
            self.observation = Some(observation);
        }
    }
}
