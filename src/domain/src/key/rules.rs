//! The rules themselves: what one key's state makes of a candidate.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::{AfterCitizenRet, BrandPolicy, Candidate, ClaimVerdict, KeyState, OnayRefresh, OpenSubmission};
use crate::calendar::BusinessCalendar;
use crate::permission::{Effective, RegistrySide};
use crate::submission::{Code, HeldCause, SubmissionState};
use crate::twin::{Movement, Projected, Verdict, judge};
use crate::words::{ConsentStatus, Source};

/// What the rules say about a candidate at an instant, whatever the occasion.
pub(super) enum Ruling {
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
    pub(super) fn rule(
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
    pub(super) fn duplicate_of(&self, candidate: &Candidate) -> Option<Uuid> {
        let same = |open: &&OpenSubmission| {
            let dated = open.wire_date.map(|_| open.consent_date);
            (open.status, open.source, dated) == (candidate.status, candidate.source, candidate.consent_date)
        };
        self.open.iter().find(same).map(|open| open.consent_id)
    }

    /// Takes the approvals out that a rejection of this time overtakes: not later than it, and still in
    /// the house.
    pub(super) fn supersede_until(&mut self, at: DateTime<Utc>) -> Vec<Uuid> {
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
    pub(super) fn too_close(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let until = self.permission.registry.side()?.creation_date.checked_add_signed(APART)?;
        // A date far in the future is a fault of some clock, and no reason to wait for ever.
        (now < until && until.signed_duration_since(now) <= CLOCK_SKEW).then_some(until)
    }

    /// Whether an earlier movement of the key is still to be sent. Held ones are not waited for: they
    /// may stay for long, and a later decision of the person is worth more. A rejection does not wait
    /// for an approval.
    pub(super) fn has_earlier_in_queue(&self, candidate: &Candidate) -> bool {
        let order = (candidate.true_time(), candidate.consent_id);
        self.others(candidate).any(|open| {
            open.state == SubmissionState::Queued
                && (open.consent_date, open.consent_id) < order
                && (candidate.status == ConsentStatus::Approval || open.status == ConsentStatus::Rejection)
        })
    }

    /// The open submissions but the candidate's own.
    pub(super) fn others(&self, candidate: &Candidate) -> impl Iterator<Item = &OpenSubmission> {
        let consent_id = candidate.consent_id;
        self.open.iter().filter(move |open| open.consent_id != consent_id)
    }

    /// An end that is first seen at the claim has causes of its own: the deadline passed while the
    /// approval waited here, and a late rejection was overtaken.
    pub(super) fn end_at_claim(state: SubmissionState, code: Code, late: bool) -> ClaimVerdict {
        if state == SubmissionState::Expired {
            ClaimVerdict::End { state, code: Code::DEADLINE_PASSED }
        } else if late && code == Code::H178 {
            ClaimVerdict::End { state: SubmissionState::Superseded, code: Code::NEWER_APPROVAL }
        } else {
            ClaimVerdict::End { state, code }
        }
    }
}
