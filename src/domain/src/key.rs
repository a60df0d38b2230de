//! Everything that is decided inside one key (brand, recipient, recipientType, type): what becomes of
//! a consent when it arrives, and again when its submission is about to be sent (design.md sections
//! 4.3, 4.4 and 4.6).
//!
//! Inside a key the order is that of consentDate, not of arrival. A rejection overtakes every older
//! approval that has not left the house, waits for one that has, and is filed after it; so whatever
//! the interleaving, the registry never ends up holding an approval older than a rejection of ours.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::calendar::BusinessCalendar;
use crate::deadline::{Deadline, strictest_registry_reading};
use crate::permission::{Effective, Permission, RegistrySide};
use crate::submission::{Code, HeldCause, SubmissionState};
use crate::time::truncate_seconds;
use crate::twin::{Movement, Projected, Verdict, judge};
use crate::words::{Channel, ConsentStatus, ProviderSource, RecipientType, Source};

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

impl Admitted {
    /// Why it is held, if it is: at admission only a review stops anything.
    pub fn held(&self) -> Option<HeldCause> {
        (self.state == SubmissionState::Held).then_some(HeldCause::Review)
    }
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

/// What the rules say about a candidate at an instant, whatever the occasion.
enum Ruling {
    File { wire_date: Option<DateTime<Utc>> },
    Hold { cause: HeldCause, code: Code },
    End { state: SubmissionState, code: Code },
}

impl Ruling {
    const fn end(state: SubmissionState, code: Code) -> Self {
        Self::End { state, code }
    }
}

/// How far ahead of ours the registry's clock may be for us to wait for it.
const CLOCK_SKEW: TimeDelta = TimeDelta::seconds(5);
/// Two movements of a key written in one second share a transactionId.
const APART: TimeDelta = TimeDelta::seconds(1);

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
        let (state, code, wire_date) = match self.rule(candidate, *policy, calendar, now) {
            Ruling::File { wire_date } => (SubmissionState::Queued, None, wire_date),
            Ruling::Hold { code, .. } => (SubmissionState::Held, Some(code), candidate.consent_date),
            Ruling::End { state, code } => (state, Some(code), None),
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
        Admission::Admitted(Admitted { state, code, wire_date, deadline, superseded, local_rejection })
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

    fn rule(
        &self,
        candidate: &Candidate,
        policy: BrandPolicy,
        calendar: &BusinessCalendar,
        now: DateTime<Utc>,
    ) -> Ruling {
        match candidate.status {
            ConsentStatus::Approval => self.rule_approval(candidate, policy, calendar, now),
            ConsentStatus::Rejection => self.rule_rejection(candidate, calendar, now),
        }
    }

    fn rule_approval(
        &self,
        candidate: &Candidate,
        policy: BrandPolicy,
        calendar: &BusinessCalendar,
        now: DateTime<Utc>,
    ) -> Ruling {
        let movement = candidate.movement(candidate.consent_date);
        let verdict = self.judge(candidate, &movement, now, calendar);
        // A merchant's record sent again without its date (H462, H463) may still be in force already.
        if let Verdict::Refuse(code) = &verdict
            && ![Code::H462, Code::H463].contains(code)
        {
            return Ruling::end(SubmissionState::Refused, code.clone());
        }
        if self.is_rejected_since(candidate) {
            return Ruling::end(SubmissionState::Superseded, Code::OLDER_THAN_REJECTION);
        }
        if self.is_approved_already(candidate, policy) {
            return Ruling::end(SubmissionState::NotNeeded, Code::ALREADY_APPROVED);
        }
        match verdict {
            Verdict::Refuse(code) => Ruling::end(SubmissionState::Refused, code),
            Verdict::NotNeeded(code) => Ruling::end(SubmissionState::NotNeeded, code),
            Verdict::Expired(code) => Ruling::end(SubmissionState::Expired, code),
            Verdict::File => self
                .rule_after_citizen(candidate, policy)
                .unwrap_or(Ruling::File { wire_date: candidate.consent_date }),
        }
    }

    fn rule_rejection(
        &self,
        candidate: &Candidate,
        calendar: &BusinessCalendar,
        now: DateTime<Utc>,
    ) -> Ruling {
        let wire_date = candidate.consent_date.map(|date| self.clear_of_approvals(candidate, date));
        // A date moved by a second may lie in the future, which the claim waits for.
        let moved = wire_date.filter(|date| candidate.consent_date != Some(*date));
        let judged_at = moved.map_or(now, |date| date.max(now));
        match self.judge(candidate, &candidate.movement(wire_date), judged_at, calendar) {
            Verdict::File => Ruling::File { wire_date },
            Verdict::NotNeeded(code) => Ruling::end(SubmissionState::NotNeeded, code),
            Verdict::Refuse(code) => Ruling::end(SubmissionState::Refused, code),
            Verdict::Expired(code) => Ruling::end(SubmissionState::Expired, code),
        }
    }

    fn judge(
        &self,
        candidate: &Candidate,
        movement: &Movement,
        now: DateTime<Utc>,
        calendar: &BusinessCalendar,
    ) -> Verdict {
        let others: Vec<OpenSubmission> = self.others(candidate).cloned().collect();
        let projected = Projected { registry: &self.permission.registry, open: &others };
        judge(movement, &projected, now, calendar)
    }

    /// An approval after the citizen's own refusal (design.md section 4.3). `None`: file it.
    fn rule_after_citizen(&self, candidate: &Candidate, policy: BrandPolicy) -> Option<Ruling> {
        let refusal = self.permission.registry.side().filter(|side| side.is_citizen_rejection())?;
        if candidate.reviewed_at.is_some_and(|reviewed| reviewed >= refusal.creation_date) {
            return None;
        }
        match policy.after_citizen_ret {
            AfterCitizenRet::Refuse => {
                Some(Ruling::end(SubmissionState::Refused, Code::REFUSED_AFTER_CITIZEN_RET))
            }
            AfterCitizenRet::Evidence
                if candidate.own_channel && candidate.true_time() > refusal.event_time() =>
            {
                None
            }
            AfterCitizenRet::Evidence | AfterCitizenRet::Review => {
                Some(Ruling::Hold { cause: HeldCause::Review, code: Code::REVIEW_AFTER_CITIZEN_RET })
            }
        }
    }

    /// Whether the same (status, source, consentDate) is open already.
    fn duplicate_of(&self, candidate: &Candidate) -> Option<Uuid> {
        let same = |open: &&OpenSubmission| {
            let dated = open.wire_date.map(|_| open.consent_date);
            (open.status, open.source, dated) == (candidate.status, candidate.source, candidate.consent_date)
        };
        self.open.iter().find(same).map(|open| open.consent_id)
    }

    /// Takes the approvals out that a rejection of this time overtakes: not later than it, and still in
    /// the house.
    fn supersede_until(&mut self, at: DateTime<Utc>) -> Vec<Uuid> {
        let overtaken = |open: &mut OpenSubmission| {
            open.status == ConsentStatus::Approval
                && open.consent_date <= at
                && !open.state.has_left_the_house()
        };
        self.open.extract_if(.., overtaken).map(|open| open.consent_id).collect()
    }

    /// Whether the person refused in the same second as the approval, or later. A line that was closed
    /// since counts too: the registry would take the approval, because its record carries an old date,
    /// but whoever gave it has no such number any more.
    fn is_rejected_since(&self, candidate: &Candidate) -> bool {
        let at = candidate.true_time();
        let closed = |side: &RegistrySide| {
            side.source.as_ref().is_some_and(Source::is_line_closure) && side.event_time() >= at
        };
        self.permission.local.is_some_and(|local| local.at >= at)
            || self.permission.registry.rejection().is_some_and(closed)
            || self
                .others(candidate)
                .any(|open| open.status == ConsentStatus::Rejection && open.consent_date >= at)
    }

    /// Whether an approval is in force that the brand does not refresh by this one. What is only on
    /// its way does not count: it may fail, and then this one is needed.
    fn is_approved_already(&self, candidate: &Candidate, policy: BrandPolicy) -> bool {
        let Some(side) = self.permission.registry.approval() else { return false };
        let in_force = self.permission.effective(candidate.recipient_type) == Effective::Approval
            && self.others(candidate).all(|open| open.status == ConsentStatus::Approval);
        in_force
            && match policy.onay_refresh {
                OnayRefresh::Always => false,
                OnayRefresh::Never => true,
                OnayRefresh::SourceChange => side.source == candidate.source.map(Source::Provider),
            }
    }

    /// The date to file a rejection with: its own, or a second later where an approval has the same
    /// second, which the registry would refuse as not later (H178).
    fn clear_of_approvals(&self, candidate: &Candidate, date: DateTime<Utc>) -> DateTime<Utc> {
        let registered =
            self.permission.registry.approval().is_some_and(|side| side.consent_date == Some(date));
        let on_its_way = self.others(candidate).any(|open| {
            open.status == ConsentStatus::Approval
                && open.state.has_left_the_house()
                && open.wire_date == Some(date)
        });
        if registered || on_its_way { date.checked_add_signed(APART).unwrap_or(date) } else { date }
    }

    /// The instant to wait for if the registry wrote its last movement within this second.
    fn too_close(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let until = self.permission.registry.side()?.creation_date.checked_add_signed(APART)?;
        // A date far in the future is a fault of some clock, and no reason to wait for ever.
        (now < until && until.signed_duration_since(now) <= CLOCK_SKEW).then_some(until)
    }

    /// Whether an earlier movement of the key is still to be sent. Held ones are not waited for: they
    /// may stay for long, and a later decision of the person is worth more. A rejection does not wait
    /// for an approval.
    fn has_earlier_in_queue(&self, candidate: &Candidate) -> bool {
        let order = (candidate.true_time(), candidate.consent_id);
        self.others(candidate).any(|open| {
            open.state == SubmissionState::Queued
                && (open.consent_date, open.consent_id) < order
                && (candidate.status == ConsentStatus::Approval || open.status == ConsentStatus::Rejection)
        })
    }

    /// The open submissions but the candidate's own.
    fn others(&self, candidate: &Candidate) -> impl Iterator<Item = &OpenSubmission> {
        let consent_id = candidate.consent_id;
        self.open.iter().filter(move |open| open.consent_id != consent_id)
    }

    /// An end that is first seen at the claim has causes of its own: the deadline passed while the
    /// approval waited here, and a late rejection was overtaken.
    fn end_at_claim(state: SubmissionState, code: Code, late: bool) -> ClaimVerdict {
        if state == SubmissionState::Expired {
            ClaimVerdict::End { state, code: Code::DEADLINE_PASSED }
        } else if late && code == Code::H178 {
            ClaimVerdict::End { state: SubmissionState::Superseded, code: Code::NEWER_APPROVAL }
        } else {
            ClaimVerdict::End { state, code }
        }
    }
}
