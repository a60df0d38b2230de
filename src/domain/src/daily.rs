//! Daily reconciliation (registry-protocol sections 4.16 to 4.18): which days the registry tells of, and when what it
//! tells of a filing is not what was filed.

use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::permission::RegistrySide;
use crate::time;
use crate::words::{ConsentStatus, ProviderSource, Source};

/// How far back the registry tells of days that are over.
pub const REPORTED_DAYS: u64 = 7;

/// Whether a brand's days are agreed to at the registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DailyAgreement {
    /// Never by this service.
    #[default]
    Off,
    /// Where both sides are equal.
    WhenEqual,
}

/// The days that the registry tells of at an instant, the latest first: yesterday and the six before.
pub fn reported(now: DateTime<Utc>) -> impl Iterator<Item = NaiveDate> {
    let today = time::local(now).date();
    (1..=REPORTED_DAYS).filter_map(move |back| today.checked_sub_days(Days::new(back)))
}

/// The first second of a day, in Turkey.
pub fn start(day: NaiveDate) -> DateTime<Utc> {
    time::instant(day, NaiveTime::MIN)
}

/// The first second after a day, in Turkey.
pub fn end(day: NaiveDate) -> DateTime<Utc> {
    start(day).checked_add_signed(TimeDelta::days(1)).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// What of a filing is not as the registry has it, by the registry's names of the fields. Both sides are known to be the
/// same movement.
pub fn differing(
    status: ConsentStatus,
    date: Option<DateTime<Utc>>,
    source: Option<ProviderSource>,
    theirs: &RegistrySide,
) -> Vec<&'static str> {
    [
        ("status", status == theirs.status),
        ("consentDate", date == theirs.consent_date),
        ("source", source.map(Source::Provider) == theirs.source),
    ]
    .into_iter()
    .filter_map(|(field, same)| (!same).then_some(field))
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utc(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn days_begin_and_end_at_midnight_in_turkey() {
        let day: NaiveDate = "2026-11-20".parse().unwrap();
        assert_eq!(start(day), utc("2026-11-19T21:00:00Z"));
        assert_eq!(end(day), utc("2026-11-20T21:00:00Z"));
    }

    #[test]
    fn the_registry_tells_of_yesterday_and_the_six_days_before() {
        let days: Vec<String> = reported(utc("2026-11-20T21:30:00Z")).map(|day| day.to_string()).collect();
        assert_eq!(days.first().map(String::as_str), Some("2026-11-20"), "in Turkey the 21st has begun");
        assert_eq!((days.last().map(String::as_str), days.len()), (Some("2026-11-14"), 7));
    }

    #[test]
    fn what_differs_is_named() {
        let at = utc("2026-11-20T10:00:00Z");
        let theirs = RegistrySide {
            status: ConsentStatus::Approval,
            consent_date: Some(at),
            source: "HS_WEB".parse().ok(),
            creation_date: at,
            transaction_id: "t".to_owned(),
        };
        let web = "HS_WEB".parse().ok();
        assert!(differing(ConsentStatus::Approval, Some(at), web, &theirs).is_empty());
        assert_eq!(
            differing(ConsentStatus::Rejection, None, None, &theirs),
            ["status", "consentDate", "source"]
        );
    }
}
