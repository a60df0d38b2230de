//! Random histories of one key.

use std::sync::LazyLock;

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use kopru_domain::time::{instant, local, parse_consent_date};
use kopru_domain::{BusinessCalendar, Channel, ConsentStatus, ProviderSource, RecipientType};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json};

/// What a record of the registry is about, inside one brand.
#[derive(Clone, Debug)]
pub struct Key {
    /// A canonical address of a kind that both sides take.
    pub recipient: String,
    pub channel: Channel,
    pub recipient_type: RecipientType,
}

impl Key {
    /// The key in the registry's words.
    pub fn wire(&self) -> Value {
        json!({
            "recipient": self.recipient, "type": self.channel.as_str(),
            "recipientType": self.recipient_type.as_str(),
        })
    }
}

/// What happens to a key, on a clock that begins at `start`.
#[derive(Clone, Debug)]
pub struct History {
    pub key: Key,
    /// Where the registry's clock stands at the first step.
    pub start: DateTime<Utc>,
    /// Whether the registry was asked before, and said that it holds no record.
    pub asked: bool,
    /// Whether filings go by the idempotent method.
    pub v2: bool,
    /// Whether recipientType is left out where it is the default.
    pub terse: bool,
    pub steps: Vec<Step>,
}

/// One movement, and the time after it.
#[derive(Clone, Debug)]
pub struct Step {
    pub act: Act,
    pub wait: Wait,
}

/// Who does what.
#[derive(Clone, Debug)]
pub enum Act {
    /// The provider files a consent. The source is a wire word, not always one of the 13.
    File { status: ConsentStatus, source: Option<&'static str>, date: When },
    /// The provider files again, to the letter, what it filed before in this history.
    FileAgain(Index),
    /// The citizen decides at the registry.
    Decide { status: ConsentStatus, source: &'static str, date: When },
    /// The operator reports the line closed: a RET that carries the date of the record it ends.
    CloseLine,
}

/// A consentDate.
#[derive(Clone, Copy, Debug)]
pub enum When {
    Missing,
    /// Seconds before the present; after it if negative.
    Ago(i64),
    /// Days before today, at an edge of the day.
    Day(i64, Edge),
    /// Seconds after the date of the record, or after the present where there is none.
    AfterRecord(i64),
    /// In Turkey's wall clock.
    At(&'static str),
}

/// Where the readings of "three business days" change their mind.
#[derive(Clone, Copy, Debug)]
pub enum Edge {
    FirstSecond,
    LastSecond,
    /// The present time of day, moved by some seconds.
    Now(i64),
}

impl When {
    /// The instant meant at `now`, in whole seconds.
    pub fn resolve(self, now: DateTime<Utc>, recorded: Option<DateTime<Utc>>) -> Option<DateTime<Utc>> {
        match self {
            Self::Missing => None,
            Self::Ago(seconds) => Some(now - TimeDelta::seconds(seconds)),
            Self::Day(days, edge) => {
                let then = local(now) - TimeDelta::days(days);
                Some(match edge {
                    Edge::FirstSecond => instant(then.date(), NaiveTime::MIN),
                    Edge::LastSecond => instant(then.date(), last_second()),
                    Edge::Now(shift) => instant(then.date(), then.time()) + TimeDelta::seconds(shift),
                })
            }
            Self::AfterRecord(seconds) => Some(recorded.unwrap_or(now) + TimeDelta::seconds(seconds)),
            Self::At(wall) => Some(parse_consent_date(wall).expect("a date")),
        }
    }
}

/// How long nothing happens. Never less than a second: two movements of a key that are written in one
/// second share a transactionId, and the bridge keeps them apart (design.md section 4.4).
#[derive(Clone, Copy, Debug)]
pub enum Wait {
    Seconds(i64),
    /// Until the day's last second.
    LastSecond,
}

impl Wait {
    pub fn after(self, now: DateTime<Utc>) -> DateTime<Utc> {
        let next = now + TimeDelta::seconds(1);
        match self {
            Self::Seconds(seconds) => now + TimeDelta::seconds(seconds),
            Self::LastSecond => instant(local(next).date(), last_second()),
        }
    }
}

fn last_second() -> NaiveTime {
    NaiveTime::from_hms_opt(23, 59, 59).expect("a time of day")
}

/// Every day of 2027 to 2034: ahead of the day this was written, because the sandbox's clock never
/// goes back, and within the holiday table.
fn days() -> impl Iterator<Item = NaiveDate> {
    NaiveDate::from_ymd_opt(2027, 1, 1).expect("a day").iter_days().take(8 * 365)
}

/// The days with a public holiday on them or within the six days after, so that three business days
/// from there meet it.
static BEFORE_HOLIDAYS: LazyLock<Vec<NaiveDate>> = LazyLock::new(|| {
    let calendar = BusinessCalendar::builtin();
    let off = |day: NaiveDate| calendar.day(day).is_full_holiday() || calendar.day(day).is_half_holiday();
    days().filter(|day| day.iter_days().take(7).any(off)).collect()
});

fn day() -> impl Strategy<Value = NaiveDate> {
    let before_holidays = any::<Index>().prop_map(|index| *index.get(&BEFORE_HOLIDAYS));
    prop_oneof![3 => before_holidays, 1 => select(days().collect::<Vec<_>>())]
}

fn start() -> impl Strategy<Value = DateTime<Utc>> {
    // The ends of the day, of half days and of working days, and any time at all.
    let edges = select(vec![0, 1, 46_799, 46_800, 61_200, 86_398, 86_399]);
    (day(), prop_oneof![1 => edges, 2 => 0..86_400_i64])
        .prop_map(|(day, second)| instant(day, NaiveTime::MIN) + TimeDelta::seconds(second))
}

fn key() -> impl Strategy<Value = Key> {
    let mobile = "\\+905[0-9]{9}".prop_map(|number| (number, Channel::Message));
    let called = "\\+90(5[0-9]{2}|212|312|392|484|850)[0-9]{7}".prop_map(|number| (number, Channel::Call));
    let email =
        "[a-z0-9]{1,12}[a-z0-9+_-]{0,6}(\\.[a-z0-9]{1,9})?@[a-z0-9]{2,12}\\.(com|net|com\\.tr|xn--p1ai)"
            .prop_map(|address| (address, Channel::Email));
    let recipient_type = prop_oneof![Just(RecipientType::Individual), Just(RecipientType::Merchant)];
    (prop_oneof![2 => mobile, 1 => called, 1 => email], recipient_type)
        .prop_map(|((recipient, channel), recipient_type)| Key { recipient, channel, recipient_type })
}

fn status() -> impl Strategy<Value = ConsentStatus> {
    prop_oneof![3 => Just(ConsentStatus::Approval), 2 => Just(ConsentStatus::Rejection)]
}

fn date() -> impl Strategy<Value = When> {
    let edge = prop_oneof![Just(Edge::FirstSecond), Just(Edge::LastSecond), (-1..=1_i64).prop_map(Edge::Now)];
    let old = select(vec![
        "2015-05-01 00:00:00",
        "2015-04-30 23:59:59",
        "2015-05-01 00:00:01",
        "1999-12-31 12:00:00",
        "2024-02-29 10:00:00",
    ]);
    prop_oneof![
        16 => (0..=3_600_i64).prop_map(When::Ago),
        4 => (0..=12 * 86_400_i64).prop_map(When::Ago),
        8 => (1..=8_i64, edge).prop_map(|(days, edge)| When::Day(days, edge)),
        4 => (-1..=2_i64).prop_map(When::AfterRecord),
        1 => (1..=172_800_i64).prop_map(|seconds| When::Ago(-seconds)),
        2 => old.prop_map(When::At),
        1 => Just(When::Missing),
    ]
}

/// Any of the 13 but HS_2015, which has acts of its own; sometimes a word that is none of them.
fn source() -> impl Strategy<Value = Option<&'static str>> {
    let words = ProviderSource::ALL.iter().filter(|source| **source != ProviderSource::Before2015);
    let words: Vec<&str> = words.map(|source| source.as_str()).collect();
    prop_oneof![20 => select(words), 1 => select(vec!["IYS_WEB", "HS_KAGIT", "hs_web"])].prop_map(Some)
}

fn file() -> impl Strategy<Value = Act> {
    let act = |(status, source, date)| Act::File { status, source, date };
    let one = (status(), source(), date()).prop_map(act);
    // A merchant's first record may lack both source and date; an update neither.
    let (none, missing) = (Just(None), Just(When::Missing));
    let bare = (status(), none, missing).prop_map(act);
    let sourceless = (status(), none, date()).prop_map(act);
    let dateless = (status(), source(), missing).prop_map(act);
    let own_decision = Just(Some(ProviderSource::OwnDecision.as_str()));
    let own_decision = (Just(ConsentStatus::Rejection), own_decision, date()).prop_map(act);
    // Consents from before 1 May 2015 have a source and a date that belong together.
    let dates = select(vec!["2015-05-01 00:00:00", "2015-05-01 00:00:01", "2014-01-01 00:00:00"]);
    let dates = prop_oneof![3 => dates.prop_map(When::At), 1 => date()];
    let old_stock = (status(), Just(Some(ProviderSource::Before2015.as_str())), dates).prop_map(act);
    let again = any::<Index>().prop_map(Act::FileAgain);
    prop_oneof![
        16 => one, 2 => bare, 2 => sourceless, 2 => dateless, 2 => own_decision, 1 => old_stock, 4 => again,
    ]
}

fn decide() -> impl Strategy<Value = Act> {
    let source = select(vec!["IYS_WEB", "IYS_KISAMESAJ", "IYS_MOBIL", "IYS_CM", "IYS_EPOSTA", "IYS_YARIN"]);
    let date = prop_oneof![
        2 => Just(When::Missing),
        2 => (0..=12 * 86_400_i64).prop_map(When::Ago),
        1 => (0..=1_i64).prop_map(When::AfterRecord),
    ];
    (status(), source, date).prop_map(|(status, source, date)| Act::Decide { status, source, date })
}

fn step() -> impl Strategy<Value = Step> {
    let wait = prop_oneof![
        4 => (1..=5_i64).prop_map(Wait::Seconds),
        4 => (60..=7_200_i64).prop_map(Wait::Seconds),
        2 => (7_200..=200_000_i64).prop_map(Wait::Seconds),
        1 => (200_000..=900_000_i64).prop_map(Wait::Seconds),
        2 => Just(Wait::LastSecond),
    ];
    let act = prop_oneof![16 => file(), 3 => decide(), 1 => Just(Act::CloseLine)];
    (act, wait).prop_map(|(act, wait)| Step { act, wait })
}

/// Up to a dozen movements of one key.
pub fn history() -> impl Strategy<Value = History> {
    let steps = proptest::collection::vec(step(), 1..=12);
    (key(), start(), prop::bool::weighted(0.7), prop::bool::weighted(0.5), any::<bool>(), steps)
        .prop_map(|(key, start, asked, v2, terse, steps)| History { key, start, asked, v2, terse, steps })
}
