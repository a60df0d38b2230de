//! Three business days, in three readings.

use chrono::{DateTime, Datelike, TimeDelta, Timelike, Utc, Weekday};
use kopru_domain::deadline::{DayReason, Deadline, Explanation, explain, strictest_registry_reading};
use kopru_domain::time::{format_registry, local};
use kopru_domain::{BusinessCalendar, Lang};
use proptest::prelude::*;

use crate::trt;

fn calendar() -> &'static BusinessCalendar {
    BusinessCalendar::builtin()
}

/// Asserts (event, target, legal day, latest day).
fn assert_deadline(event: &str, target: &str, legal: &str, latest: &str) {
    let deadline = Deadline::of(trt(event), calendar());
    let written =
        (format_registry(deadline.target), format_registry(deadline.legal), format_registry(deadline.latest));
    let expected = (format!("{target}:00"), format!("{legal} 23:59:59"), format!("{latest} 23:59:59"));
    assert_eq!(written, expected, "event {event}");
}

#[test]
fn the_worked_examples_of_the_rules() {
    for (event, target, legal, latest) in [
        ("2026-11-23 10:00", "2026-11-26 10:00", "2026-11-26", "2026-11-26"),
        ("2026-11-27 17:30", "2026-12-01 17:00", "2026-12-02", "2026-12-02"),
        ("2026-11-28 12:00", "2026-12-02 12:00", "2026-12-02", "2026-12-02"),
        ("2026-05-21 10:00", "2026-05-25 10:00", "2026-05-26", "2026-06-01"),
        ("2026-05-26 15:00", "2026-06-03 15:00", "2026-06-03", "2026-06-03"),
        ("2026-10-26 09:00", "2026-10-30 09:00", "2026-10-30", "2026-11-02"),
        ("2026-10-28 14:00", "2026-11-02 14:00", "2026-11-03", "2026-11-03"),
        ("2026-03-16 11:00", "2026-03-19 11:00", "2026-03-19", "2026-03-23"),
        ("2026-04-30 23:50", "2026-05-06 17:00", "2026-05-06", "2026-05-06"),
        ("2027-03-05 10:00", "2027-03-12 10:00", "2027-03-15", "2027-03-16"),
        ("2026-12-30 18:00", "2027-01-05 17:00", "2027-01-05", "2027-01-05"),
    ] {
        assert_deadline(event, target, legal, latest);
    }
}

#[test]
fn a_half_day_closes_at_one() {
    assert_deadline("2026-03-16 16:00", "2026-03-19 13:00", "2026-03-19", "2026-03-23");
}

#[test]
fn an_event_on_a_day_that_does_not_count_has_no_time_of_day() {
    assert_deadline("2026-11-28 16:00", "2026-12-02 16:00", "2026-12-02", "2026-12-02");
    assert_deadline("2026-11-29 01:00", "2026-12-02 17:00", "2026-12-02", "2026-12-02");
    // A Sunday whose third business day is the half day before Republic Day.
    assert_deadline("2026-10-25 01:00", "2026-10-28 13:00", "2026-10-28", "2026-10-30");
    // A Saturday that is off because Friday, 1 May, was a holiday.
    assert_deadline("2026-05-02 09:00", "2026-05-06 17:00", "2026-05-06", "2026-05-06");
}

#[test]
fn the_registry_may_count_to_the_same_time_of_day() {
    for (event, reading) in [
        ("2026-11-23 10:00", "2026-11-26 10:00:00"),
        ("2026-11-23 22:15", "2026-11-26 22:15:00"),
        ("2026-10-26 09:00", "2026-10-30 09:00:00"),
        ("2026-11-28 16:00", "2026-12-02 23:59:59"),
        ("2026-11-29 01:00", "2026-12-02 23:59:59"),
    ] {
        assert_eq!(format_registry(strictest_registry_reading(trt(event), calendar())), reading, "{event}");
    }
}

#[test]
fn an_explanation_names_each_day_and_why() {
    let explanation = explain(trt("2026-10-26 09:00"), calendar());
    let days: Vec<_> = explanation
        .latest
        .days
        .iter()
        .map(|step| (step.date.to_string(), step.counted, step.reason))
        .collect();
    assert_eq!(
        days,
        [
            ("2026-10-27".to_owned(), Some(1), DayReason::WorkingDay),
            ("2026-10-28".to_owned(), None, DayReason::HalfDay),
            ("2026-10-29".to_owned(), None, DayReason::Holiday),
            ("2026-10-30".to_owned(), Some(2), DayReason::WorkingDay),
            ("2026-10-31".to_owned(), None, DayReason::Saturday),
            ("2026-11-01".to_owned(), None, DayReason::Sunday),
            ("2026-11-02".to_owned(), Some(3), DayReason::WorkingDay),
        ]
    );
    let holiday = &explanation.latest.days[2].text;
    assert_eq!(holiday.get(Lang::Tr), "resmî tatil: Cumhuriyet Bayramı");
    assert_eq!(holiday.get(Lang::En), "public holiday: Republic Day");
    assert!(explanation.covered);
    assert_eq!(explanation.calendar, calendar().version());
}

#[test]
fn an_explanation_is_written_with_the_offset_of_turkey() {
    let json = serde_json::to_value(explain(trt("2026-11-27 17:30"), calendar())).unwrap();
    assert_eq!(json["event"], "2026-11-27T17:30:00+03:00");
    assert_eq!(json["target"]["at"], "2026-12-01T17:00:00+03:00");
    assert_eq!(json["target"]["days"][0]["reason"], "counted_saturday");
    assert_eq!(json["target"]["days"][0]["text"]["en"], "Saturday, counts");
    assert_eq!(json["target"]["text"]["en"], "the close of business on the last day (17:00)");
    assert_eq!(json["legal"]["at"], "2026-12-02T23:59:59+03:00");
}

#[test]
fn outside_the_table_only_weekends_are_off() {
    assert_deadline("2036-12-31 10:00", "2037-01-03 10:00", "2037-01-05", "2037-01-05");
    assert!(!explain(trt("2036-12-31 10:00"), calendar()).covered);
    assert!(!explain(trt("2035-12-31 10:00"), calendar()).covered);
}

#[test]
fn the_ends_of_time_do_not_panic() {
    for event in [DateTime::<Utc>::MAX_UTC, DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::UNIX_EPOCH] {
        let _ = explain(event, calendar());
        let _ = strictest_registry_reading(event, calendar());
    }
}

/// Every second from before the table to after it.
fn any_event() -> impl Strategy<Value = DateTime<Utc>> {
    let (from, to) = (trt("2018-10-01 00:00").timestamp(), trt("2036-03-01 00:00").timestamp());
    (from..to).prop_map(|second| DateTime::from_timestamp(second, 0).unwrap_or_default())
}

/// Mostly around holidays, where the readings part.
fn delicate_event() -> impl Strategy<Value = DateTime<Utc>> {
    let days = prop_oneof![
        Just("2026-03-19"),
        Just("2026-05-26"),
        Just("2026-05-02"),
        Just("2026-10-28"),
        Just("2027-05-15"),
        Just("2029-04-22"),
        Just("2033-01-01"),
    ];
    (days, -8_i64..8, 0_i64..86_400).prop_map(|(day, shift, second)| {
        trt(&format!("{day} 00:00")) + TimeDelta::seconds(shift * 86_400 + second)
    })
}

/// The day before this one's midnight, in Turkey.
fn weekday(instant: DateTime<Utc>) -> Weekday {
    local(instant).weekday()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn the_three_instants_are_in_order(event in prop_oneof![any_event(), delicate_event()]) {
        let Deadline { target, legal, latest } = Deadline::of(event, calendar());
        let registry = strictest_registry_reading(event, calendar());
        prop_assert!(event < target && target <= registry && registry <= legal && legal <= latest);
    }

    /// Nothing that has expired hides behind the bound, and the bound is a target that did expire.
    #[test]
    fn what_has_expired_has_a_target_up_to_the_bound(
        now in prop_oneof![any_event(), delicate_event()],
        days_before in 0_i64..40,
        seconds in 0_i64..86_400,
    ) {
        let event = now - TimeDelta::days(days_before) - TimeDelta::seconds(seconds);
        let deadline = Deadline::of(event, calendar());
        let bound = Deadline::target_of_expired(now, calendar());
        prop_assert!(deadline.latest >= now || deadline.target <= bound);
        prop_assert!(bound < now);
    }

    #[test]
    fn each_instant_is_monotone_in_the_event(
        event in prop_oneof![any_event(), delicate_event()],
        later in prop_oneof![0_i64..120, 0_i64..86_400, 0_i64..(10 * 86_400)],
    ) {
        let (a, b) = (event, event + TimeDelta::seconds(later));
        let (first, second) = (Deadline::of(a, calendar()), Deadline::of(b, calendar()));
        prop_assert!(first.target <= second.target, "{first:?} {second:?}");
        prop_assert!(first.legal <= second.legal && first.latest <= second.latest);
        prop_assert!(strictest_registry_reading(a, calendar()) <= strictest_registry_reading(b, calendar()));
    }

    #[test]
    fn each_instant_lies_on_a_day_that_counts_in_its_own_reading(
        event in prop_oneof![any_event(), delicate_event()],
    ) {
        let Deadline { target, legal, latest } = Deadline::of(event, calendar());
        for (instant, saturdays, halves) in [(target, true, true), (legal, false, true), (latest, false, false)] {
            let day = calendar().day(local(instant).date());
            prop_assert!(weekday(instant) != Weekday::Sun && !day.is_full_holiday());
            prop_assert!(saturdays || weekday(instant) != Weekday::Sat);
            prop_assert!(halves || !day.is_half_holiday());
        }
        let close = if calendar().day(local(target).date()).is_half_holiday() { 13 } else { 17 };
        prop_assert!(local(target).num_seconds_from_midnight() <= close * 3_600);
    }

    #[test]
    fn an_explanation_agrees_with_the_deadline(event in prop_oneof![any_event(), delicate_event()]) {
        let deadline = Deadline::of(event, calendar());
        let Explanation { target, legal, latest, .. } = explain(event, calendar());
        for (instant, explained) in [(deadline.target, target), (deadline.legal, legal), (deadline.latest, latest)] {
            prop_assert_eq!(instant, explained.at);
            let counted: Vec<_> = explained.days.iter().filter_map(|step| step.counted).collect();
            prop_assert_eq!(counted, vec![1, 2, 3]);
            let last = explained.days.last().map(|step| step.date);
            prop_assert_eq!(last, Some(local(instant).date()));
        }
    }
}
