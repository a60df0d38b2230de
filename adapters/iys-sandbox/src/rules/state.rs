//! What the records already there allow (protocol 7.2 to 7.10).

use super::{Finding, Rule};
use crate::draft::Consent;
use crate::store::consents::Current;
use crate::words::{self, RecipientType, Status};

/// A consent and the record it would follow.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StateCase<'a> {
    pub(crate) consent: &'a Consent,
    pub(crate) current: Option<&'a Current>,
}

impl StateCase<'_> {
    fn updates_merchant(&self) -> bool {
        self.current.is_some() && self.consent.key.recipient_type == RecipientType::Merchant
    }

    fn is_first_rejection(&self) -> bool {
        self.current.is_none() && self.consent.status == Status::Rejection
    }
}

type Check = for<'a> fn(&StateCase<'a>) -> Option<Finding>;

/// The rules about what may follow what; the first finding wins, and H174 comes before H178
/// (protocol 11, U8).
pub(crate) const STATE: &[Rule<Check>] = &[
    Rule::new("H486", 400, "own_decision_on_first_record", |case| {
        let own_decision = case.consent.source.as_deref() == Some(words::HS_KARAR);
        (own_decision && case.current.is_none()).then(Finding::new)
    }),
    Rule::new("H175", 400, "first_record_rejects", |case| case.is_first_rejection().then(Finding::new)),
    Rule::new("H462", 400, "merchant_update_without_date", |case| {
        (case.updates_merchant() && case.consent.date.is_none()).then(Finding::new)
    }),
    Rule::new("H463", 400, "merchant_update_without_source", |case| {
        (case.updates_merchant() && case.consent.source.is_none()).then(Finding::new)
    }),
    Rule::new("H174", 400, "rejection_on_rejection", |case| {
        let rejected = case.current?.status == Status::Rejection;
        (rejected && case.consent.status == Status::Rejection)
            .then(|| Finding::new().detail(Status::Rejection.as_str()))
    }),
    Rule::new("H178", 400, "date_not_after_the_recorded_one", |case| {
        let recorded = case.current?.consent_date?;
        (case.consent.date? <= recorded).then(Finding::new)
    }),
];

/// Whether a record would be the first of an address beyond what the subscription allows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct QuotaCase {
    pub(crate) used: i64,
    /// `None` when the package has no limit or may exceed it.
    pub(crate) limit: Option<i64>,
    pub(crate) address_is_new: bool,
}

type QuotaCheck = fn(&QuotaCase) -> Option<Finding>;

/// The rule about the quota of addresses.
pub(crate) const QUOTA: &[Rule<QuotaCheck>] = &[Rule::new("H525", 422, "address_quota_used_up", |case| {
    (case.address_is_new && case.used >= case.limit?).then(Finding::new)
})];
