//! Everything that is decided inside one key (brand, recipient, recipientType, type): what becomes of
//! a consent when it arrives, and again when its submission is about to be sent (design.md sections
//! 4.3, 4.4 and 4.6).
//!
//! Inside a key the order is that of consentDate, not of arrival. A rejection overtakes every older
//! approval that has not left the house, waits for one that has, and is filed after it; so whatever
//! the interleaving, the registry never ends up holding an approval older than a rejection of ours.

mod rules;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use self::rules::Ruling;
use crate::calendar::BusinessCalendar;
use crate::deadline::{Deadline, strictest_registry_reading};
use crate::permission::Permission;
use crate::submission::{Code, HeldCause, SubmissionState};
use crate::time::truncate_seconds;
use crate::twin::Movement;
use crate::words::{Channel, ConsentStatus, ProviderSource, RecipientType};

/// A submission of the key that is not at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenSubmission {
    /// The consent it files.
    pub consent_id: Uuid,
    /// Approval or rejection.
    pub status: ConsentStatus,
    /// Where the consent was taken.
    pub source: Option<ProviderSource>,
    /// When the person decided: [`Candidate::true_time`].
    pub consent_date: DateTime<Utc>,
    /// The date it is filed with; `None` for a TACIR consent without one.
    pub wire_date: Option<DateTime<Utc>>,
    /// Where it stands; always an open state.
    pub state: SubmissionState,
}

/// A consent that arrives, or whose submission is looked at again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Its id.
    pub consent_id: Uuid,
    /// In which capacity the address is held.
    pub recipient_type: RecipientType,
    /// The channel.
    pub channel: Channel,
    /// Approval or rejection.
    pub status: ConsentStatus,
    /// Where it was taken; only TACIR may have none.
    pub source: Option<ProviderSource>,
    /// When the person decided, in whole seconds; only TACIR may have none.
    pub consent_date: Option<DateTime<Utc>>,
    /// When it reached the service.
    pub received_at: DateTime<Utc>,
    /// Whether one of our own channels took it, with evidence (design.md section 4.3).
    pub own_channel: bool,
    /// When a reviewer released it, if one did. A refusal of the citizen that the registry wrote
    /// after that asks for a new review.
    pub reviewed_at: Option<DateTime<Utc>>,
}

impl Candidate {
    /// When the person decided, as far as anybody knows: consentDate, or the receipt without one.
    /// The order inside the key.
    pub fn true_time(&self) -> DateTime<Utc> {
        self.consent_date.unwrap_or_else(|| truncate_seconds(self.received_at))
    }

    const fn movement(&self, consent_date: Option<DateTime<Utc>>) -> Movement {
        Movement {
            recipient_type: self.recipient_type,
            status: self.status,
            source: self.source,
            consent_date,
        }
    }
}

/// What becomes of an approval where one is registered already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnayRefresh {
    /// It is not filed.
    Never,
    /// It is filed if it comes from another source.
    #[default]
    SourceChange,
    /// It is filed if it is later.
    Always,
}

/// What becomes of an approval after the citizen's own refusal at the registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AfterCitizenRet {
    /// A human looks at each.
    Review,
    /// Filed if one of our own channels took it with evidence dated after the refusal; else a human
    /// looks at it.
    #[default]
    Evidence,
    /// Refused.
    Refuse,
}

/// The settings of a brand that the rules ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BrandPolicy {
    /// An approval of what is approved.
    pub onay_refresh: OnayRefresh,
    /// An approval after the citizen's own refusal.
    pub after_citizen_ret: AfterCitizenRet,
}

/// Everything known about one key. Reading it and acting on [`KeyState::admit`] or
/// [`KeyState::review`] belong into one transaction.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct KeyState {
    /// Both sides of the permission.
    pub permission: Permission,
    /// The open submissions, in any order.
    pub open: Vec<OpenSubmission>,
}

/// What became of an arriving consent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admission {
    /// The same (status, source, consentDate) is open already: answer with that consent.
    Duplicate {
        /// The consent that is open.
        consent_id: Uuid,
    },
    /// It gets a ledger row and a submission.
    Admitted(Admitted),
}

/// The submission of an admitted consent, and what else changes with it in the same transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admitted {
    /// Its state: queued, held (for review), or terminal by the twin's verdict.
    pub state: SubmissionState,
    /// Why, where it is not simply queued.
    pub code: Option<Code>,
    /// Why it is held, if it is.
    pub held: Option<HeldCause>,
    /// The date to file it with; differs from consentDate for a rejection in the same second as an
    /// approval.
    pub wire_date: Option<DateTime<Utc>>,
    /// Until when.
    pub deadline: Deadline,
    /// Consents whose open submissions become [`SubmissionState::Superseded`], with
    /// [`Code::OLDER_THAN_REJECTION`].
    pub superseded: Vec<Uuid>,
    /// Whether the permission's local side changed to this rejection.
    pub local_rejection: bool,
}

/// Whether a consent whose filing has ended is filed once more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Readmission {
    /// It is: by a new submission.
    File {
        /// The date to file it with.
        wire_date: Option<DateTime<Utc>>,
        /// As in [`Admitted::superseded`].
        superseded: Vec<Uuid>,
    },
    /// The rules say that it would come to nothing.
    Leave {
        /// Why.
        code: Code,
    },
}

/// What the claimer did before asking for a review.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Confirmation {
    /// Nothing.
    #[default]
    None,
    /// It asked the registry for the status of the key just now and merged the answer. For a
    /// rejection this also says that it is late: it goes with the present time.
    StatusJustAsked,
}

/// What to do with a claimed submission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClaimVerdict {
    /// Send it.
    Send {
        /// The date to file it with.
        wire_date: Option<DateTime<Utc>>,
        /// Whether that is the present time instead of the true one: to be marked in the evidence.
        late: bool,
    },
    /// It is at its end.
    End {
        /// The terminal state.
        state: SubmissionState,
        /// Why.
        code: Code,
    },
    /// It has to be looked at.
    Hold {
        /// The cause.
        cause: HeldCause,
        /// Why.
        code: Code,
    },
    /// Not yet. It stays queued.
    Wait {
        /// Until then; `None` until another movement of the key is decided.
        until: Option<DateTime<Utc>>,
    },
    /// A late rejection: ask the registry for the status, merge the answer, and ask again with
    /// [`Confirmation::StatusJustAsked`].
    AskStatusFirst,
}

impl KeyState {
    /// A key of which nothing is known.
    pub const fn not_known() -> Self {
        Self { permission: Permission::not_known(), open: Vec::new() }
    }

    /// Decides what becomes of an arriving consent, and updates the state so that the next one of the
    /// same batch sees it.
    pub fn admit(
        &mut self,
        candidate: &Candidate,
        policy: &BrandPolicy,
        calendar: &BusinessCalendar,
        now: DateTime<Utc>,
    ) -> Admission {
        if let Some(consent_id) = self.duplicate_of(candidate) {
            return Admission::Duplicate { consent_id };
        }
        let at = candidate.true_time();
        let (superseded, local_rejection) = match candidate.status {
            ConsentStatus::Approval => (Vec::new(), false),
            ConsentStatus::Rejection => {
                (self.supersede_until(at), self.permission.reject_locally(at, candidate.consent_id))
            }
        };
        let (state, code, held, wire_date) = match self.rule(candidate, *policy, calendar, now) {
            Ruling::File { wire_date } => (SubmissionState::Queued, None, None, wire_date),
            Ruling::Hold { cause, code } => {
                (SubmissionState::Held, Some(code), Some(cause), candidate.consent_date)
            }
            Ruling::End { state, code } => (state, Some(code), None, None),
        };
        if state.is_open() {
            self.open.push(OpenSubmission {
                consent_id: candidate.consent_id,
                status: candidate.status,
                source: candidate.source,
                consent_date: at,
                wire_date,
                state,
            });
        }
        let deadline = Deadline::of(at, calendar);
        Admission::Admitted(Admitted { state, code, held, wire_date, deadline, superseded, local_rejection })
    }

    /// Holds an admitted consent that would only be queued, because it is known that it cannot be filed now.
    pub fn stop(&mut self, consent_id: Uuid, admitted: &mut Admitted, cause: HeldCause, code: Code) {
        if admitted.state != SubmissionState::Queued {
            return;
        }
        admitted.state = SubmissionState::Held;
        admitted.code = Some(code);
        admitted.held = Some(cause);
        if let Some(open) = self.open.iter_mut().find(|open| open.consent_id == consent_id) {
            open.state = SubmissionState::Held;
        }
    }

    /// Decides whether a consent none of whose submissions is open is filed once more, by what is known now, and updates the
    /// state as [`KeyState::admit`] does. It was admitted before: its rejection stands locally or was overtaken since, and
    /// an approval is never given another date.
    pub fn readmit(
        &mut self,
        candidate: &Candidate,
        policy: &BrandPolicy,
        calendar: &BusinessCalendar,
        now: DateTime<Utc>,
    ) -> Readmission {
        if self.duplicate_of(candidate).is_some() {
            return Readmission::Leave { code: Code::ALREADY_OPEN };
        }
        let wire_date = match self.rule(candidate, *policy, calendar, now) {
            Ruling::File { wire_date } => wire_date,
            Ruling::Hold { code, .. } => return Readmission::Leave { code },
            Ruling::End { state, code } => {
                let expired = state == SubmissionState::Expired;
                return Readmission::Leave { code: if expired { Code::DEADLINE_PASSED } else { code } };
            }
        };
        let at = candidate.true_time();
        let superseded = match candidate.status {
            ConsentStatus::Approval => Vec::new(),
            ConsentStatus::Rejection => self.supersede_until(at),
        };
        self.open.push(OpenSubmission {
            consent_id: candidate.consent_id,
            status: candidate.status,
            source: candidate.source,
            consent_date: at,
            wire_date,
            state: SubmissionState::Queued,
        });
        Readmission::File { wire_date, superseded }
    }

    /// Looks again at a submission that was queued and is claimed now: what was known at its
    /// admission may have changed. `candidate` is the consent as stored; its own row may be among the
    /// open ones, as queued or already in flight. Not for an unresolved submission: its bytes are
    /// fixed, whatever the state says.
    pub fn review(
        &self,
        candidate: &Candidate,
        policy: &BrandPolicy,
        calendar: &BusinessCalendar,
        now: DateTime<Utc>,
        confirm: Confirmation,
    ) -> ClaimVerdict {
        if self.others(candidate).any(|open| open.state.has_left_the_house()) {
            return ClaimVerdict::Wait { until: None };
        }
        if let Some(until) = self.too_close(now) {
            return ClaimVerdict::Wait { until: Some(until) };
        }
        let late = candidate.status == ConsentStatus::Rejection
            && candidate.consent_date.is_some_and(|date| {
                confirm == Confirmation::StatusJustAsked || now > strictest_registry_reading(date, calendar)
            });
        match self.rule(candidate, *policy, calendar, now) {
            Ruling::End { state, code } => Self::end_at_claim(state, code, late),
            Ruling::Hold { cause, code } => ClaimVerdict::Hold { cause, code },
            Ruling::File { .. } if self.has_earlier_in_queue(candidate) => ClaimVerdict::Wait { until: None },
            Ruling::File { .. } if late && confirm == Confirmation::None => ClaimVerdict::AskStatusFirst,
            Ruling::File { .. } if late => {
                ClaimVerdict::Send { wire_date: Some(truncate_seconds(now)), late: true }
            }
            Ruling::File { wire_date } => match wire_date {
                // One second later than an approval of the present second.
                Some(date) if date > now => ClaimVerdict::Wait { until: Some(date) },
                _ => ClaimVerdict::Send { wire_date, late: false },
            },
        }
    }

    /// A rejection of ours that has to be filed once more: it stands, the registry is known to hold an
    /// approval older than it, and nothing is open that would change that.
    ///
    /// It happens where the rejection was not needed by what was known (H174, H175) while the feed
    /// still hid an approval. To be asked after every merge; the answer is the consent whose
    /// submission is to be driven again.
    pub fn unfiled_rejection(&self) -> Option<Uuid> {
        let local = self.permission.local?;
        self.permission.registry.approval()?;
        // The registry said meanwhile that it holds no approval; the feed has not caught up.
        if self.permission.observed() == Some(false) {
            return None;
        }
        let under_way = self
            .open
            .iter()
            .any(|open| open.status == ConsentStatus::Rejection && open.consent_date >= local.at);
        (!under_way).then_some(local.consent_id)
    }
}
