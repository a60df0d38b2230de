//! One verdict: allowed, or why not.

use chrono::{DateTime, Utc};
use kopru_domain::time::format_rfc3339;
use kopru_domain::{
    AddressError, ConsentStatus, Effective, Lang, Permission, RecipientType, SubmissionState,
};
use kopru_store::submissions::OpenRow;
use serde::Serialize;
use utoipa::ToSchema;

use crate::service::permissions::word;

/// Why an address may not be written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Reason {
    /// The person refused.
    #[serde(rename = "RET")]
    Rejected,
    /// An ONAY is on its way to the registry: it counts once the registry has it.
    Pending,
    /// An ONAY is held back.
    Held,
    /// No ONAY is known.
    Unknown,
    /// What is known is older than the bound.
    Stale,
    /// The address is on a blacklist.
    Suppressed,
    /// The address cannot be used for this channel.
    Invalid,
}

/// What a check says of one address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Verdict {
    /// The address as sent.
    pub recipient: String,
    /// Whether messages may be sent to it.
    pub allowed: bool,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// The effective value that is known: `ONAY`, `RET` or null.
    #[schema(value_type = Option<String>)]
    pub status: Option<&'static str>,
    /// As of when it is known, RFC 3339 with +03:00; missing where that is older than the bound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub as_of: Option<String>,
    /// For an unusable address: what is wrong with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
}

impl Verdict {
    /// The verdict on an address that cannot be read.
    pub(super) fn invalid(recipient: String, error: AddressError, lang: Lang) -> Self {
        Self {
            recipient,
            allowed: false,
            reason: Some(Reason::Invalid),
            status: None,
            as_of: None,
            title: Some(error.message(lang)),
        }
    }

    /// The verdict by what is known. `as_of` is `None` where nothing young enough is.
    pub(super) fn judge(
        recipient: String,
        recipient_type: RecipientType,
        permission: Option<&Permission>,
        open: &[OpenRow],
        as_of: Option<DateTime<Utc>>,
    ) -> Self {
        let effective =
            permission.map_or(Effective::Unknown, |permission| permission.effective(recipient_type));
        let reason = reason(effective, open, as_of.is_some());
        Self {
            recipient,
            allowed: reason.is_none(),
            reason,
            status: word(effective),
            as_of: as_of.map(format_rfc3339),
            title: None,
        }
    }
}

/// `None`: allowed. A refusal stands however old it is; anything else has to be young enough first.
fn reason(effective: Effective, open: &[OpenRow], fresh: bool) -> Option<Reason> {
    match effective {
        Effective::Rejection => Some(Reason::Rejected),
        _ if !fresh => Some(Reason::Stale),
        Effective::Approval => None,
        Effective::Unknown => Some(under_way(open)),
    }
}

fn under_way(open: &[OpenRow]) -> Reason {
    let mut approvals = open.iter().filter(|row| row.status == ConsentStatus::Approval).peekable();
    if approvals.peek().is_none() {
        Reason::Unknown
    } else if approvals.all(|row| row.state == SubmissionState::Held) {
        Reason::Held
    } else {
        Reason::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kopru_store::Key;
    use uuid::Uuid;

    fn open(status: ConsentStatus, state: SubmissionState) -> OpenRow {
        OpenRow {
            key: Key([0; 16]),
            consent_id: Uuid::nil(),
            generation: 1,
            status,
            ordered_at: DateTime::<Utc>::UNIX_EPOCH,
            wire_date: None,
            state,
            source: None,
            cause: None,
            code: None,
        }
    }

    #[test]
    fn only_a_fresh_approval_is_allowed() {
        assert_eq!(reason(Effective::Approval, &[], true), None);
        assert_eq!(reason(Effective::Approval, &[], false), Some(Reason::Stale));
        assert_eq!(reason(Effective::Unknown, &[], false), Some(Reason::Stale));
        assert_eq!(reason(Effective::Unknown, &[], true), Some(Reason::Unknown));
    }

    #[test]
    fn a_refusal_stands_however_old() {
        assert_eq!(reason(Effective::Rejection, &[], false), Some(Reason::Rejected));
        assert_eq!(reason(Effective::Rejection, &[], true), Some(Reason::Rejected));
    }

    #[test]
    fn an_approval_on_its_way_is_no_permission() {
        use ConsentStatus::{Approval, Rejection};
        use SubmissionState::{Held, InFlight, Queued};
        let reason = |open: &[OpenRow]| reason(Effective::Unknown, open, true);
        assert_eq!(reason(&[open(Approval, Queued)]), Some(Reason::Pending));
        assert_eq!(reason(&[open(Approval, Held)]), Some(Reason::Held));
        assert_eq!(reason(&[open(Approval, Held), open(Approval, InFlight)]), Some(Reason::Pending));
        assert_eq!(reason(&[open(Rejection, Queued)]), Some(Reason::Unknown));
    }

    #[test]
    fn the_words_are_those_of_the_design() {
        let words: Vec<String> = [
            Reason::Rejected,
            Reason::Pending,
            Reason::Held,
            Reason::Unknown,
            Reason::Stale,
            Reason::Invalid,
        ]
        .iter()
        .map(|reason| serde_json::to_string(reason).unwrap())
        .collect();
        assert_eq!(words, ["\"RET\"", "\"pending\"", "\"held\"", "\"unknown\"", "\"stale\"", "\"invalid\""]);
    }
}
