//! What a registry answer does to a submission (design.md sections 4.6 and 4.7).

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::permission::RegistrySide;
use crate::submission::{Code, HeldCause, SubmissionState};
use crate::words::ConsentStatus;

/// A registry answer about one submission, sorted by what it means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RegistryAnswer {
    /// It is recorded.
    Registered {
        /// The registry's id of the movement.
        transaction_id: String,
        /// When the registry wrote it. A resend may be answered with an old date.
        creation_date: DateTime<Utc>,
    },
    /// H174, H175 or H178: the registry's state makes it needless.
    Already(Code),
    /// H467: older than three business days.
    TooLate,
    /// Refused for good; the same bytes would be refused again.
    Refused(Code),
    /// Refused until something outside changes: a right, the subscription, the quota.
    Held(HeldCause, Code),
    /// Certainly not written: try again. Also H162 for a date that was not in the future here: the
    /// registry's clock is behind ours.
    Retry {
        /// The registry's code, if it gave one.
        code: Option<Code>,
        /// How long the registry wants us to wait, if it said so.
        after: Option<Duration>,
    },
    /// Nobody knows whether it was written: time-out, cut connection, unreadable answer, an error
    /// of the registry after it took the request.
    Unknown,
}

/// What to do with the submission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settlement {
    /// It changes its state.
    Become {
        /// The next state.
        state: SubmissionState,
        /// Why.
        code: Option<Code>,
    },
    /// The registry's single status query decides: see [`settle_by_status`].
    AskStatus,
    /// Try again: the same bytes if its outcome is unknown (see [`Settlement::state`]).
    Requeue {
        /// When; `None` leaves it to [`retry_delay`].
        after: Option<Duration>,
    },
    /// A rejection too late for its true date: queue it marked as late. Its next review gets
    /// `Confirmation::StatusJustAsked` and sends it with the present time.
    RetryRejectionLate,
    /// It waits for a change outside.
    Hold {
        /// For which.
        cause: HeldCause,
        /// The registry's code.
        code: Code,
    },
}

impl Settlement {
    /// The state the submission is in afterwards; `None` where the status query has to come first.
    /// While its outcome is unknown, a submission stays unresolved whatever a resend is answered:
    /// going back to the queue would permit other bytes.
    pub const fn state(&self, was_unresolved: bool) -> Option<SubmissionState> {
        match self {
            Self::Become { state, .. } => Some(*state),
            Self::AskStatus => None,
            Self::Requeue { .. } if was_unresolved => Some(SubmissionState::Unresolved),
            Self::Requeue { .. } | Self::RetryRejectionLate => Some(SubmissionState::Queued),
            Self::Hold { .. } => Some(SubmissionState::Held),
        }
    }
}

/// How long an unresolved submission waits when the resend meets a missing right: nothing but its
/// own bytes may be sent, so it cannot be held like the others.
const UNRESOLVED_AND_HELD: Duration = Duration::from_mins(30);

/// Decides what an answer does to a submission. `was_unresolved`: an earlier sending of the same
/// bytes had no known outcome, so that "it is there already" may be about ourselves.
pub fn settle(status: ConsentStatus, was_unresolved: bool, answer: &RegistryAnswer) -> Settlement {
    match answer {
        RegistryAnswer::Registered { .. } => become_(SubmissionState::Registered, None),
        RegistryAnswer::Already(code) if was_unresolved && *code != Code::H175 => Settlement::AskStatus,
        RegistryAnswer::Already(code) => become_(SubmissionState::NotNeeded, Some(code.clone())),
        RegistryAnswer::TooLate if was_unresolved => Settlement::AskStatus,
        RegistryAnswer::TooLate => too_late(status),
        RegistryAnswer::Refused(code) => become_(SubmissionState::Refused, Some(code.clone())),
        RegistryAnswer::Held(..) if was_unresolved => {
            Settlement::Requeue { after: Some(UNRESOLVED_AND_HELD) }
        }
        RegistryAnswer::Held(cause, code) => Settlement::Hold { cause: *cause, code: code.clone() },
        RegistryAnswer::Retry { after, .. } => Settlement::Requeue { after: *after },
        RegistryAnswer::Unknown => become_(SubmissionState::Unresolved, None),
    }
}

/// What is remembered of a submission whose outcome the status query has to tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubmissionFacts {
    /// Approval or rejection.
    pub status: ConsentStatus,
    /// The date in the bytes that were sent.
    pub wire_date: Option<DateTime<Utc>>,
    /// The definite answer (H174, H178, H467) a resend got, if one led to the question.
    pub refusal: Option<Code>,
}

/// Decides an unresolved submission by what the registry holds for its address (`None`: no record);
/// also one whose batch result never came. Its [`Settlement::state`] is that of an unresolved one.
///
/// The same status with the same date is ours: registered. Otherwise a definite answer to the resend
/// stands; without one the same bytes go out once more, by the idempotent method.
pub fn settle_by_status(facts: &SubmissionFacts, side: Option<&RegistrySide>) -> Settlement {
    let ours = side.is_some_and(|side| side.status == facts.status && side.consent_date == facts.wire_date);
    match &facts.refusal {
        _ if ours => become_(SubmissionState::Registered, None),
        None => Settlement::Requeue { after: None },
        Some(code) if *code == Code::H467 => too_late(facts.status),
        Some(code) => become_(SubmissionState::NotNeeded, Some(code.clone())),
    }
}

fn too_late(status: ConsentStatus) -> Settlement {
    match status {
        ConsentStatus::Approval => become_(SubmissionState::Expired, Some(Code::H467)),
        ConsentStatus::Rejection => Settlement::RetryRejectionLate,
    }
}

const fn become_(state: SubmissionState, code: Option<Code>) -> Settlement {
    Settlement::Become { state, code }
}

/// The longest wait between two tries.
const LONGEST_RETRY: Duration = Duration::from_hours(1);
/// The wait before the second try, before jitter.
const FIRST_RETRY: Duration = Duration::from_secs(4);

/// How long to wait after the `attempt`-th failed try (from 1): doubling from about 4 s, at most an
/// hour, spread over the upper half so that what failed together does not come back together.
/// `seed` makes the spread repeatable; use something that differs between submissions.
pub fn retry_delay(attempt: u32, seed: u64) -> Duration {
    let doublings = attempt.saturating_sub(1).min(16);
    let longest = FIRST_RETRY.saturating_mul(1 << doublings).min(LONGEST_RETRY);
    let half = longest / 2;
    let span = u64::try_from(half.as_millis()).unwrap_or(u64::MAX).saturating_add(1);
    half + Duration::from_millis(mix(seed ^ u64::from(attempt).rotate_left(32)) % span)
}

/// Spreads the bits of a number (the finaliser of splitmix64).
const fn mix(seed: u64) -> u64 {
    let a = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let b = (a ^ (a >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let c = (b ^ (b >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    c ^ (c >> 31)
}

/// How long to wait before looking at a batch result. The first look (`look` 0) comes 300 s after
/// the POST, as the registry demands; after an empty one 5, 10, 20, 40 min and then every hour.
pub fn batch_look_delay(look: u32) -> Duration {
    let minutes = 5_u64 << look.saturating_sub(1).min(4);
    Duration::from_mins(minutes.min(60))
}

/// When to stop looking at an empty batch result and ask the status of each item instead: after six
/// hours, or half of what was left until the target, but never before the second look.
pub fn batch_give_up(posted_at: DateTime<Utc>, target: DateTime<Utc>) -> DateTime<Utc> {
    let half_the_slack = target.signed_duration_since(posted_at) / 2;
    let patience = half_the_slack.clamp(TimeDelta::minutes(10), TimeDelta::hours(6));
    posted_at.checked_add_signed(patience).unwrap_or(posted_at)
}
