//! Daily reports and their differences as CSV.

use super::view::{DailyReport, DifferenceView, MovementView};

/// Columns of the differences as CSV.
pub const DIFFERENCE_COLUMNS: &str = "id,kind,cause,recipient,recipientType,type,consentId,ourStatus,ourConsentDate,ourSource,registryStatus,registryConsentDate,registrySource,creationDate,transactionId,proposal,repairedAt,outcome\n";

/// Columns of reports as CSV.
pub const REPORT_COLUMNS: &str = "date,status,movements,matched,unreadable,missingThere,missingHere,different,unrepaired,agreed,timeStampFits,sha384\n";

impl DifferenceView {
    /// As a line of CSV.
    pub fn csv(&self) -> String {
        let side = self.registry.as_ref().or(self.ours.as_ref());
        let status = |side: &Option<MovementView>| side.as_ref().map(|it| it.status.to_owned());
        let date = |side: &Option<MovementView>| side.as_ref().and_then(|it| it.consent_date.clone());
        let source = |side: &Option<MovementView>| side.as_ref().and_then(|it| it.source.clone());
        csv_line([
            Some(self.id.to_string()),
            Some(self.kind.to_owned()),
            Some(self.cause.clone()),
            self.recipient.clone(),
            self.recipient_type.map(ToOwned::to_owned),
            self.channel.map(ToOwned::to_owned),
            self.consent_id.map(|id| id.to_string()),
            status(&self.ours),
            date(&self.ours),
            source(&self.ours),
            status(&self.registry),
            date(&self.registry),
            source(&self.registry),
            side.and_then(|it| it.creation_date.clone()),
            side.and_then(|it| it.transaction_id.clone()),
            self.proposal.as_ref().map(|proposal| proposal.action.to_owned()),
            self.repaired_at.clone(),
            self.outcome.clone(),
        ])
    }
}

impl DailyReport {
    /// As a line of CSV.
    pub fn csv(&self) -> String {
        let fits = self.time_stamp.as_ref().map(|stamp| stamp.fits.to_string());
        csv_line([
            Some(self.date.clone()),
            Some(self.status.to_owned()),
            Some(self.movements.to_string()),
            Some(self.matched.to_string()),
            Some(self.unreadable.to_string()),
            Some(self.missing_there.to_string()),
            Some(self.missing_here.to_string()),
            Some(self.different.to_string()),
            Some(self.unrepaired.to_string()),
            Some(self.agreed.to_string()),
            fits,
            self.sha384.clone(),
        ])
    }
}

fn csv_line<const N: usize>(fields: [Option<String>; N]) -> String {
    let quoted = fields.map(|field| {
        let field = field.unwrap_or_default();
        if field.contains(['"', ',', '\n', '\r']) {
            format!("\"{}\"", field.replace('"', "\"\""))
        } else {
            field
        }
    });
    quoted.join(",") + "\n"
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_field_with_a_comma_stays_one_field() {
        let line = csv_line([Some("consentDate,source".to_owned()), None, Some("a\"b".to_owned())]);
        assert_eq!(line, "\"consentDate,source\",,\"a\"\"b\"\n");
    }

    #[test]
    fn columns_and_lines_have_the_same_length() {
        let view = DifferenceView {
            id: Uuid::nil(),
            kind: "different",
            cause: "source".to_owned(),
            recipient: None,
            recipient_type: None,
            channel: None,
            consent_id: None,
            ours: None,
            registry: None,
            proposal: None,
            repaired_at: None,
            outcome: None,
        };
        let fields = |line: &str| line.split(',').count();
        assert_eq!(fields(&view.csv()), fields(DIFFERENCE_COLUMNS));
        assert!(REPORT_COLUMNS.ends_with("sha384\n"));
    }
}
