//! Until when a consent must be in the registry: three business days after it was given
//! (rules.md section 2, corrected by design.md section 4.6).
//!
//! The law leaves open whether Saturdays and half days count and when a day ends, and the registry
//! does not say how it counts. So there are three instants: we work towards the strictest reading,
//! show the usual one, and call something late for certain only by the most lenient one.

use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, TimeDelta, Utc, Weekday};
use serde::{Deserialize, Serialize};

use crate::calendar::{BusinessCalendar, Day};
use crate::lang::Text;
use crate::time::{instant, local};
use crate::words::words;

/// How many business days there are.
const BUSINESS_DAYS: u8 = 3;
/// End of a working day, in the strictest reading.
const CLOSE: NaiveTime = hms(17, 0, 0);
/// End of a half day.
const HALF_DAY_CLOSE: NaiveTime = hms(13, 0, 0);
/// End of a day, inclusive.
const END_OF_DAY: NaiveTime = hms(23, 59, 59);

const fn hms(hour: u32, minute: u32, second: u32) -> NaiveTime {
    match NaiveTime::from_hms_opt(hour, minute, second) {
        Some(time) => time,
        None => panic!("a valid time of day"),
    }
}

/// Which days of doubt count as business days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Policy {
    saturdays: bool,
    half_days: bool,
}

impl Policy {
    /// The strictest: the most days count, so the period ends first.
    const TARGET: Self = Self { saturdays: true, half_days: true };
    /// The usual reading of public bodies and banks.
    const LEGAL: Self = Self { saturdays: false, half_days: true };
    /// The most lenient.
    const LATEST: Self = Self { saturdays: false, half_days: false };
}

/// The three instants of one event. Each is monotone in the event, and `target ≤ legal ≤ latest`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Deadline {
    /// The strictest reading: what the scheduler works towards. Third business day with Saturdays
    /// and half days counted, at the event's time of day, 17:00 (half days 13:00) at most.
    #[serde(with = "crate::time::rfc3339")]
    pub target: DateTime<Utc>,
    /// The usual reading, shown to users: end of the third business day, half days counted.
    #[serde(with = "crate::time::rfc3339")]
    pub legal: DateTime<Utc>,
    /// The most lenient reading: end of the third full business day. After it an approval is lost.
    #[serde(with = "crate::time::rfc3339")]
    pub latest: DateTime<Utc>,
}

impl Deadline {
    /// The deadline of an event. Outside the calendar's years only weekends are skipped:
    /// [`BusinessCalendar::covers`] tells.
    pub fn of(event: DateTime<Utc>, calendar: &BusinessCalendar) -> Self {
        let day = local(event).date();
        let legal = third_day(day, Policy::LEGAL, calendar);
        let latest = third_day(day, Policy::LATEST, calendar);
        Self {
            target: target(event, calendar),
            legal: instant(legal, END_OF_DAY),
            latest: instant(latest, END_OF_DAY),
        }
    }

    /// The latest target that an event can have whose `latest` has passed: all three instants are monotone in the event, so
    /// what has a later target cannot have expired. A queue in the order of its targets need not be read beyond it.
    pub fn target_of_expired(now: DateTime<Utc>, calendar: &BusinessCalendar) -> DateTime<Utc> {
        let (mut expired, mut open) = (now - TimeDelta::days(60), now);
        while open - expired > TimeDelta::seconds(1) {
            let middle = expired + (open - expired) / 2;
            if Self::of(middle, calendar).latest < now { expired = middle } else { open = middle }
        }
        Self::of(expired, calendar).target
    }
}

fn target(event: DateTime<Utc>, calendar: &BusinessCalendar) -> DateTime<Utc> {
    let wall = local(event);
    let day = third_day(wall.date(), Policy::TARGET, calendar);
    let close = if calendar.day(day).is_half_holiday() { HALF_DAY_CLOSE } else { CLOSE };
    // On a day that does not count the clock has not begun to run: its time of day says nothing.
    let counts = classify(wall.date(), Policy::TARGET, calendar).counts();
    let time = if counts { close.min(wall.time()) } else { close };
    instant(day, time)
}

/// The strictest way the registry itself may count (design.md section 4.6): third business day,
/// Saturdays and holidays off, half days counted, to the same time of day; to the end of the day for
/// an event on a day that does not count. A rejection keeps its true date until then.
pub fn strictest_registry_reading(event: DateTime<Utc>, calendar: &BusinessCalendar) -> DateTime<Utc> {
    let wall = local(event);
    let day = third_day(wall.date(), Policy::LEGAL, calendar);
    let counts = classify(wall.date(), Policy::LEGAL, calendar).counts();
    instant(day, if counts { wall.time() } else { END_OF_DAY })
}

/// The third day after `day` that counts; the last day of time if there is none.
fn third_day(day: NaiveDate, policy: Policy, calendar: &BusinessCalendar) -> NaiveDate {
    let counting = following(day).filter(|day| classify(*day, policy, calendar).counts());
    counting.take(usize::from(BUSINESS_DAYS)).last().unwrap_or(day)
}

/// The days after `day`, to the end of time.
fn following(day: NaiveDate) -> impl Iterator<Item = NaiveDate> {
    std::iter::successors(day.succ_opt(), NaiveDate::succ_opt)
}

words! {
    /// Why a day counts as a business day, or does not.
    pub enum DayReason("day reason") {
        /// An ordinary working day: counts.
        WorkingDay = "working_day",
        /// A Saturday where Saturdays count.
        CountedSaturday = "counted_saturday",
        /// A day with the afternoon off, where its forenoon counts.
        CountedHalfDay = "counted_half_day",
        /// A Sunday: never counts.
        Sunday = "sunday",
        /// A public holiday: never counts.
        Holiday = "holiday",
        /// A Saturday after a Friday that was a holiday: off by law 2429.
        SaturdayAfterHoliday = "saturday_after_holiday",
        /// A Saturday where Saturdays do not count.
        Saturday = "saturday",
        /// A day with the afternoon off, where half days do not count.
        HalfDay = "half_day",
    }
}

impl DayReason {
    /// Whether the day is one of the three.
    pub const fn counts(self) -> bool {
        matches!(self, Self::WorkingDay | Self::CountedSaturday | Self::CountedHalfDay)
    }
}

fn classify(date: NaiveDate, policy: Policy, calendar: &BusinessCalendar) -> DayReason {
    let day = calendar.day(date);
    let weekday = date.weekday();
    if weekday == Weekday::Sun {
        DayReason::Sunday
    } else if day.is_full_holiday() {
        DayReason::Holiday
    } else if weekday == Weekday::Sat && !policy.saturdays {
        DayReason::Saturday
    } else if weekday == Weekday::Sat && friday_before(date, calendar).is_full_holiday() {
        DayReason::SaturdayAfterHoliday
    } else if day.is_half_holiday() {
        if policy.half_days { DayReason::CountedHalfDay } else { DayReason::HalfDay }
    } else if weekday == Weekday::Sat {
        DayReason::CountedSaturday
    } else {
        DayReason::WorkingDay
    }
}

fn friday_before(saturday: NaiveDate, calendar: &BusinessCalendar) -> Day<'_> {
    saturday.pred_opt().map_or(Day::Ordinary, |friday| calendar.day(friday))
}

/// One day on the way to an instant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DayStep {
    /// The day.
    pub date: NaiveDate,
    /// Which of the three business days it is; `None` if it was skipped.
    pub counted: Option<u8>,
    /// Why.
    pub reason: DayReason,
    /// The same for people.
    pub text: Text,
}

/// How one instant came about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct InstantExplanation {
    /// The instant.
    #[serde(with = "crate::time::rfc3339")]
    pub at: DateTime<Utc>,
    /// Every day after the event's, up to the last.
    pub days: Vec<DayStep>,
    /// How the time of day came about.
    pub text: Text,
}

/// How the three instants of an event came about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// The event.
    #[serde(with = "crate::time::rfc3339")]
    pub event: DateTime<Utc>,
    /// Version of the holiday table.
    pub calendar: String,
    /// Whether the table covers all days looked at; otherwise holidays may be missing.
    pub covered: bool,
    /// See [`Deadline::target`].
    pub target: InstantExplanation,
    /// See [`Deadline::legal`].
    pub legal: InstantExplanation,
    /// See [`Deadline::latest`].
    pub latest: InstantExplanation,
}

/// Explains the deadline of an event day by day.
pub fn explain(event: DateTime<Utc>, calendar: &BusinessCalendar) -> Explanation {
    let Deadline { target, legal, latest } = Deadline::of(event, calendar);
    let day = local(event).date();
    let steps = |at, policy, text| InstantExplanation { at, days: steps(day, policy, calendar), text };
    let end_of_day =
        Text::fixed("son günün sonu (23:59:59, dahil)", "the end of the last day (23:59:59, inclusive)");
    Explanation {
        event,
        calendar: calendar.version().to_owned(),
        covered: calendar.covers(day) && calendar.covers(local(latest).date()),
        target: steps(target, Policy::TARGET, target_text(event, calendar)),
        legal: steps(legal, Policy::LEGAL, end_of_day.clone()),
        latest: steps(latest, Policy::LATEST, end_of_day),
    }
}

fn target_text(event: DateTime<Utc>, calendar: &BusinessCalendar) -> Text {
    let wall = local(event);
    let last = third_day(wall.date(), Policy::TARGET, calendar);
    let half = calendar.day(last).is_half_holiday();
    let close = if half { HALF_DAY_CLOSE } else { CLOSE };
    if !classify(wall.date(), Policy::TARGET, calendar).counts() {
        return Text::new(
            format!("olay iş günü sayılmayan bir günde olduğundan son günün {}'i", close.format("%H:%M")),
            format!(
                "{} of the last day, because the event fell on a day that does not count",
                close.format("%H:%M")
            ),
        );
    }
    if wall.time() <= close {
        return Text::fixed(
            "son günde olayla aynı saat (en dar yorum)",
            "the event's time of day on the last day (the strictest reading)",
        );
    }
    Text::new(
        format!("son günün mesai bitimi ({})", close.format("%H:%M")),
        format!("the close of business on the last day ({})", close.format("%H:%M")),
    )
}

fn steps(event_day: NaiveDate, policy: Policy, calendar: &BusinessCalendar) -> Vec<DayStep> {
    let mut counted = 0;
    let mut steps = Vec::new();
    for date in following(event_day) {
        let reason = classify(date, policy, calendar);
        counted += u8::from(reason.counts());
        steps.push(DayStep {
            date,
            counted: reason.counts().then_some(counted),
            reason,
            text: day_text(date, reason, calendar),
        });
        if counted == BUSINESS_DAYS {
            break;
        }
    }
    steps
}

fn day_text(date: NaiveDate, reason: DayReason, calendar: &BusinessCalendar) -> Text {
    match (reason, calendar.day(date)) {
        (DayReason::Holiday, Day::Holiday { name_tr, name_en, .. }) => {
            Text::new(format!("resmî tatil: {name_tr}"), format!("public holiday: {name_en}"))
        }
        (DayReason::CountedHalfDay, Day::Holiday { name_tr, name_en, .. }) => Text::new(
            format!("yarım gün, öğleden öncesi sayılır: {name_tr}"),
            format!("half day, its forenoon counts: {name_en}"),
        ),
        (DayReason::HalfDay, Day::Holiday { name_tr, name_en, .. }) => Text::new(
            format!("yarım gün, sayılmaz: {name_tr}"),
            format!("half day, does not count: {name_en}"),
        ),
        (DayReason::Sunday, _) => Text::fixed("pazar", "Sunday"),
        (DayReason::Saturday, _) => Text::fixed("cumartesi, sayılmaz", "Saturday, does not count"),
        (DayReason::CountedSaturday, _) => Text::fixed("cumartesi, sayılır", "Saturday, counts"),
        (DayReason::SaturdayAfterHoliday, _) => Text::fixed(
            "cumartesi; cuma tatil olduğundan 2429 sayılı Kanuna göre tatil",
            "Saturday, off by law 2429 because Friday was a holiday",
        ),
        _ => Text::fixed("iş günü", "working day"),
    }
}
