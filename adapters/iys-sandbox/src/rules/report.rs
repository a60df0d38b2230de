//! Reports on a day's movements (protocol 4.16 to 4.18), and the lists of places (4.20).

use chrono::{Days, NaiveDate};
use serde_json::Value;

use super::query::Number;
use super::{Finding, Rule};
use crate::store::providers::Authorisation;
use crate::wire_time;
use crate::words::RecipientType;

/// For how many days back there are reports.
const DAYS_BACK: u64 = 7;

/// The report asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ReportCase<'a> {
    /// The day as it stands in the path.
    pub(crate) day: &'a str,
    /// The registry's present day.
    pub(crate) today: NaiveDate,
    /// The path names a kind of recipient.
    pub(crate) recipient_type: Option<&'a str>,
    /// The body as it came, where there has to be one.
    pub(crate) body: Option<&'a Value>,
}

impl ReportCase<'_> {
    /// The day, when it is one.
    pub(crate) fn day(&self) -> Option<NaiveDate> {
        wire_time::read_day(self.day)
    }
}

type ReportCheck = for<'a> fn(&ReportCase<'a>) -> Option<Finding>;

/// The rules about a report.
pub(crate) const REPORT: &[Rule<ReportCheck>] = &[
    Rule::new("H501", 422, "report_date_format", |case| {
        case.day().is_none().then(|| Finding::at("reportDate").value(case.day))
    }),
    Rule::new("H502", 422, "report_date_outside_window", |case| {
        let day = case.day()?;
        let oldest = case.today.checked_sub_days(Days::new(DAYS_BACK))?;
        (day < oldest || day >= case.today).then(|| Finding::at("reportDate").value(case.day))
    }),
    Rule::new("H116", 422, "report_recipient_type_unknown", |case| {
        let text = case.recipient_type.filter(|text| RecipientType::parse(text).is_none())?;
        Some(Finding::at("recipientType").value(text))
    }),
    Rule::new("H512", 422, "agreement_not_true", |case| {
        let agrees = case.body?.get("agreementStatus") == Some(&Value::Bool(true));
        (!agrees).then(|| Finding::at("agreementStatus"))
    }),
];

type ReportRightsCheck = fn(Option<&Authorisation>) -> Option<Finding>;

/// The rule about who may have reports: a partner only with the brand's `agreementControl` (protocol 9).
/// That its absence is told as H353 is an assumption.
pub(crate) const REPORT_RIGHTS: &[Rule<ReportRightsCheck>] =
    &[Rule::new("H353", 403, "agreement_not_permitted", |authorisation| {
        let lacks = authorisation.is_some_and(|authorisation| !authorisation.agreement_control);
        lacks.then(|| Finding::new().detail("agreementControl"))
    })];

type PlaceCodeCheck = for<'a> fn(&&'a str) -> Option<Finding>;

/// The rule about the number of a province or district. That it is told as H241 is an assumption.
pub(crate) const PLACE_CODE: &[Rule<PlaceCodeCheck>] =
    &[Rule::new("H241", 400, "place_code_not_integer", |code| {
        let number = Number(Some(code)).or(0);
        number.is_none().then(Finding::new)
    })];
