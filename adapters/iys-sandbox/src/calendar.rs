//! How long after a consent the registry still takes it: the three-business-day rule (H467).
//!
//! The registry's own calendar is not published, so three readings can be chosen
//! (protocol 11, U6). Saturdays and Sundays never count, full holidays never count; the readings
//! differ in half days and in the time of day at which the last day ends.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use chrono::{Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, Weekday};
use serde::{Deserialize, Serialize};

use crate::wire_time;

/// Public holidays of Turkey, 2019 to 2035, with half days.
const TABLE: &str = include_str!("../data/holidays-tr.csv");

/// Which reading of "three business days" the registry follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgePolicy {
    /// The same time of day on the third business day; half days count. An event on a day that is
    /// no business day ends with the third business day instead.
    Exact,
    /// The end of the third business day; half days count.
    #[default]
    Legal,
    /// The end of the third business day; half days do not count.
    Latest,
}

/// Days that are not ordinary working days.
struct Calendar {
    /// Day → whether only its afternoon is off.
    holidays: BTreeMap<NaiveDate, bool>,
}

static CALENDAR: LazyLock<Calendar> = LazyLock::new(|| Calendar::read(TABLE));

impl Calendar {
    /// Reads the table. A line that is no holiday line (the heading) is skipped; two holidays on one
    /// day make a full one when either is full.
    fn read(table: &str) -> Self {
        let mut holidays = BTreeMap::new();
        for line in table.lines() {
            // Names may hold quoted commas, so the columns are taken from both ends.
            let mut from_end = line.rsplit(',');
            let (Some(_certainty), Some(half)) = (from_end.next(), from_end.next()) else { continue };
            let Some(Ok(day)) = line.get(..10).map(str::parse::<NaiveDate>) else { continue };
            let half = half == "true";
            holidays.entry(day).and_modify(|known| *known = *known && half).or_insert(half);
        }
        Self { holidays }
    }

    fn counts(&self, day: NaiveDate, half_days_count: bool) -> bool {
        if matches!(day.weekday(), Weekday::Sat | Weekday::Sun) {
            return false;
        }
        match self.holidays.get(&day) {
            None => true,
            Some(half) => *half && half_days_count,
        }
    }

    /// The third day that counts after `day`, which itself is not counted.
    fn third(&self, day: NaiveDate, half_days_count: bool) -> NaiveDate {
        let mut at = day;
        let mut counted = 0;
        while counted < 3 {
            let Some(next) = at.checked_add_days(Days::new(1)) else { return at };
            at = next;
            counted += u8::from(self.counts(at, half_days_count));
        }
        at
    }
}

/// The last instant (Unix seconds, inclusive) at which the registry takes a consent of `consent_date`.
pub(crate) fn last_acceptable(consent_date: i64, policy: AgePolicy) -> i64 {
    let event = wire_time::local(consent_date);
    let half_days_count = policy != AgePolicy::Latest;
    let day = CALENDAR.third(event.date(), half_days_count);
    let time = match policy {
        AgePolicy::Exact if CALENDAR.counts(event.date(), half_days_count) => event.time(),
        _ => end_of_day(),
    };
    wire_time::instant(NaiveDateTime::new(day, time))
}

fn end_of_day() -> NaiveTime {
    NaiveTime::from_num_seconds_from_midnight_opt(86_399, 0).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn last(event: &str, policy: AgePolicy) -> String {
        wire_time::write(last_acceptable(wire_time::read(event).unwrap(), policy))
    }

    #[test]
    fn an_ordinary_week() {
        assert_eq!(last("2026-11-23 10:00:00", AgePolicy::Exact), "2026-11-26 10:00:00");
        assert_eq!(last("2026-11-23 10:00:00", AgePolicy::Legal), "2026-11-26 23:59:59");
        assert_eq!(last("2026-11-23 10:00:00", AgePolicy::Latest), "2026-11-26 23:59:59");
    }

    #[test]
    fn a_weekend_is_stepped_over() {
        assert_eq!(last("2026-11-27 17:30:00", AgePolicy::Exact), "2026-12-02 17:30:00");
        assert_eq!(last("2026-11-28 12:00:00", AgePolicy::Exact), "2026-12-02 23:59:59");
    }

    #[test]
    fn half_days_count_except_in_the_latest_reading() {
        assert_eq!(last("2026-05-21 10:00:00", AgePolicy::Legal), "2026-05-26 23:59:59");
        assert_eq!(last("2026-05-21 10:00:00", AgePolicy::Latest), "2026-06-01 23:59:59");
        assert_eq!(last("2026-10-26 09:00:00", AgePolicy::Legal), "2026-10-30 23:59:59");
        assert_eq!(last("2026-10-26 09:00:00", AgePolicy::Latest), "2026-11-02 23:59:59");
    }

    #[test]
    fn the_table_is_read_whole() {
        let years: BTreeSet<i32> = CALENDAR.holidays.keys().map(Datelike::year).collect();
        assert_eq!(years, (2019..=2035).collect());
        assert_eq!(CALENDAR.holidays.len(), TABLE.lines().count() - 1 - 5, "five days stand twice");
    }

    #[test]
    fn a_full_holiday_beats_a_half_one_on_the_same_day() {
        let day: NaiveDate = "2026-11-25".parse().unwrap();
        let calendar =
            Calendar::read("2026-11-25,x,y,true,confirmed\n2026-11-25,x,\"y, z\",false,confirmed\n");
        assert!(!calendar.counts(day, true));
        assert!(Calendar::read("2026-11-25,x,y,true,confirmed").counts(day, true));
    }
}
