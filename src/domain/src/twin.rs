//! The registry's rules as one pure function, so that no quota and no request is spent on what the
//! registry is known to refuse (design.md section 4.3; registry-protocol sections 5 and 7).

use chrono::{DateTime, Utc};

use crate::calendar::BusinessCalendar;
use crate::deadline::Deadline;
use crate::key::OpenSubmission;
use crate::permission::RegistryKnowledge;
use crate::shape::{EARLIEST_CONSENT, date_fits_source};
use crate::submission::Code;
use crate::time::truncate_seconds;
use crate::words::{ConsentStatus, ProviderSource, RecipientType};

/// What is about to be told to the registry, in the registry's terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Movement {
    /// In which capacity the address is held.
    pub recipient_type: RecipientType,
    /// Approval or rejection.
    pub status: ConsentStatus,
    /// Where it was taken; only a TACIR movement may have none.
    pub source: Option<ProviderSource>,
    /// The date it would be filed with; only a TACIR movement may have none.
    pub consent_date: Option<DateTime<Utc>>,
}

/// The state the movement would meet: what the registry holds, and what is on its way there.
#[derive(Clone, Copy, Debug)]
pub struct Projected<'a> {
    /// The registry side. [`RegistryKnowledge::NotKnown`] yields no H174, H175 or H178.
    pub registry: &'a RegistryKnowledge,
    /// The other open movements of the same key.
    pub open: &'a [OpenSubmission],
}

/// What the registry would answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It would take it, or nobody here can tell.
    File,
    /// It already holds that state, a newer one, or nothing that could be rejected.
    NotNeeded(Code),
    /// It would refuse it, today and tomorrow.
    Refuse(Code),
    /// It would say that the approval comes too late.
    Expired(Code),
}

/// Judges a movement as the registry would at `now`.
///
/// An approval is only judged too late after [`Deadline::latest`], whose second still counts to its
/// end, as the registry reckons in whole seconds; a rejection never is. Verdicts
/// that need the registry's state are only given where that state is known and nothing on its way
/// can change it: an approval that has left the house may be registered before this movement. What
/// still waits in the queue is no reason to drop anything, because it may yet fail.
///
/// The registry's H486 (a source that is not accepted for the record) has no case of its own: an
/// approval by own decision is H408 before that, and a first rejection is H175 before that.
pub fn judge(
    movement: &Movement,
    projected: &Projected<'_>,
    now: DateTime<Utc>,
    calendar: &BusinessCalendar,
) -> Verdict {
    if let Some(code) = refused_by_itself(movement, now) {
        return Verdict::Refuse(code);
    }
    if let Some(verdict) = by_state(movement, projected) {
        return verdict;
    }
    match (movement.status, movement.consent_date) {
        (ConsentStatus::Approval, Some(date))
            if truncate_seconds(now) > Deadline::of(date, calendar).latest =>
        {
            Verdict::Expired(Code::H467)
        }
        _ => Verdict::File,
    }
}

/// What is wrong with the movement whatever the registry holds.
fn refused_by_itself(movement: &Movement, now: DateTime<Utc>) -> Option<Code> {
    let individual = movement.recipient_type == RecipientType::Individual;
    if movement.status == ConsentStatus::Approval && movement.source == Some(ProviderSource::OwnDecision) {
        return Some(Code::H408);
    }
    if individual && movement.source.is_none() {
        return Some(Code::H113);
    }
    let Some(date) = movement.consent_date else {
        return individual.then_some(Code::H112);
    };
    if !date_fits_source(movement.source, date) {
        Some(Code::H155)
    } else if date < EARLIEST_CONSENT {
        Some(Code::H156)
    } else if date > now {
        Some(Code::H162)
    } else {
        None
    }
}

/// What the registry's state, as far as it is known, makes of the movement. Where several rules
/// fit, the one that ends well comes first: a rejection of what is rejected is done, whatever else
/// it lacks.
fn by_state(movement: &Movement, projected: &Projected<'_>) -> Option<Verdict> {
    let rejection = movement.status == ConsentStatus::Rejection;
    let approval_on_its_way = projected
        .open
        .iter()
        .any(|open| open.status == ConsentStatus::Approval && open.state.has_left_the_house());
    let side = match projected.registry {
        RegistryKnowledge::NotKnown => return None,
        RegistryKnowledge::KnownEmpty { .. } => {
            return (rejection && !approval_on_its_way).then_some(Verdict::NotNeeded(Code::H175));
        }
        RegistryKnowledge::Known(side) => side,
    };
    if rejection && approval_on_its_way && side.status == ConsentStatus::Rejection {
        return None;
    }
    if rejection && side.status == ConsentStatus::Rejection {
        return Some(Verdict::NotNeeded(Code::H174));
    }
    if movement.source.is_none() {
        return Some(Verdict::Refuse(Code::H463));
    }
    let Some(date) = movement.consent_date else {
        return Some(Verdict::Refuse(Code::H462));
    };
    side.consent_date.is_some_and(|stored| date <= stored).then_some(Verdict::NotNeeded(Code::H178))
}
