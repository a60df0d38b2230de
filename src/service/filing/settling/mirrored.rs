//! What the registry says of a key, merged into the mirror with the event of its change.

use chrono::{DateTime, Utc};
use kopru_domain::{Code, Merge, Observation, RegistrySide};
use kopru_store::permissions::PermissionRow;
use kopru_store::submissions::SubmissionRow;

use crate::service::ServiceResult;
use crate::service::events::Subject;
use crate::service::filing::settling::{Settling, subject};
use crate::service::mirror;

impl Settling<'_> {
    /// Merges a movement of the registry into its key, with an event if the effective value changes.
    pub fn merge(
        &mut self,
        subject: Subject,
        side: RegistrySide,
        cause: &str,
        reference: Option<String>,
    ) -> Merge {
        let mut merge = Merge::Same;
        self.change(subject, cause, reference, |permission| merge = permission.merge(side));
        merge
    }

    /// Files once more what the registry has lost, and no longer holds its confirmation against it.
    pub fn lost(&mut self, row: &SubmissionRow) -> ServiceResult<()> {
        let (consent, opened) = self.consent(row.consent_id)?;
        let (subject, reference) = (subject(row, consent, opened), opened.reference.clone());
        let lost = row.transaction_id.clone().unwrap_or_default();
        self.change(subject, "lost", reference, |permission| {
            permission.forget_lost(&lost);
        });
        self.redriven.insert(row.consent_id);
        Ok(())
    }

    /// Merges the answer of a single status query (`None`: the registry holds nothing).
    pub fn merge_status(
        &mut self,
        row: &SubmissionRow,
        asked_at: DateTime<Utc>,
        side: Option<RegistrySide>,
    ) -> ServiceResult<()> {
        self.change_of(row, |permission| {
            permission.answer_status(asked_at, side);
        })
    }

    /// Keeps what a list query said of a submission's address.
    pub fn observed(&mut self, row: &SubmissionRow, seen: Observation) -> ServiceResult<()> {
        self.change_of(row, |permission| permission.observe(seen))
    }

    /// What a refusal says about the registry's record.
    pub(super) fn learn(&mut self, row: &SubmissionRow, code: &Code) -> ServiceResult<()> {
        let now = self.now;
        self.change_of(row, |permission| permission.learn_from_refusal(code, now))
    }

    fn change_of(
        &mut self,
        row: &SubmissionRow,
        change: impl FnOnce(&mut kopru_domain::Permission),
    ) -> ServiceResult<()> {
        let (consent, opened) = self.consent(row.consent_id)?;
        let (subject, reference) = (subject(row, consent, opened), opened.reference.clone());
        self.change(subject, "status_query", reference, change);
        Ok(())
    }

    fn change(
        &mut self,
        subject: Subject,
        cause: &str,
        reference: Option<String>,
        change: impl FnOnce(&mut kopru_domain::Permission),
    ) {
        let state = self.states.of(subject.key);
        let known = state.permission.clone();
        change(&mut state.permission);
        if let Some(consent) = state.unfiled_rejection() {
            self.redriven.insert(consent);
        }
        if known == state.permission {
            return;
        }
        let permission = state.permission.clone();
        let before = known.effective(subject.recipient_type);
        let recipient = mirror::seal_recipient(&self.keys, &subject.recipient);
        let row = PermissionRow {
            key: subject.key,
            brand_code: subject.brand_code,
            recipient_type: subject.recipient_type,
            channel: subject.channel,
            recipient,
            permission,
        };
        self.events.permission_changed(subject, before, &row.permission, cause, reference);
        self.permissions.insert(row.key, row);
    }
}
