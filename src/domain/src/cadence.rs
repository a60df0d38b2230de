//! How often each change feed of a brand is read (design.md section 4.10).
//!
//! A feed that brings movements is read more often, one that brings none more rarely, between two settings. A brand in use,
//! which means that somebody has checked an address or sent to it within [`IN_USE_FOR`], is read so often that its mirror
//! never gets older than half the bound that checks allow. All of this shares a part of the registry's request budget: what
//! every feed must have comes first, and what is left is shared out in proportion to what each would like beyond it.

use chrono::{DateTime, TimeDelta, Utc};

/// How long a brand counts as in use after a check or a send.
pub const IN_USE_FOR: TimeDelta = TimeDelta::days(7);

/// The part of the request budget that pulls may plan with. The rest is for filings, and for pulls of many pages.
const SHARE: f64 = 0.5;

/// How long a pull that is due may have to wait for its turn, as a part of the bound: it is planned so much earlier.
const SLACK: i32 = 4;

/// Whether a brand that was last used then counts as in use.
pub fn in_use(used_at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> bool {
    used_at.is_some_and(|used_at| now - used_at <= IN_USE_FOR)
}

/// The settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cadence {
    /// The shortest time between two pulls of a feed.
    pub shortest: TimeDelta,
    /// The longest, for a brand that is not in use.
    pub longest: TimeDelta,
    /// How old the mirror may be for a check to be answered from it.
    pub freshness: TimeDelta,
}

/// What all feeds together ask of the registry.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Load {
    /// Feeds of brands in use.
    pub in_use: u64,
    /// All other feeds.
    pub others: u64,
    /// Requests a second if every feed were read as often as it would like.
    pub wished: f64,
    /// Requests a second that the registry takes from this installation; infinite where nothing limits them.
    pub per_second: f64,
}

/// When a feed is read next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// How long after the start of the last pull.
    pub next: TimeDelta,
    /// How long after it at the latest; of several pulls that are due the one with the earliest bound goes first.
    pub bound: TimeDelta,
}

impl Cadence {
    /// How long the feed would like to be left alone, after a pull that found so many movements. It aims at a little less
    /// than one movement a pull: nothing found doubles the time, n movements divide it by n + 1. `before` is the last
    /// answer, `None` for a feed that was never read.
    pub fn wish(&self, before: Option<TimeDelta>, found: u64, in_use: bool) -> TimeDelta {
        let before = before.unwrap_or(self.shortest);
        let wish = match i32::try_from(found.saturating_add(1)).unwrap_or(i32::MAX) {
            1 => before * 2,
            parts => before / parts,
        };
        wish.max(self.shortest).min(self.most(in_use))
    }

    /// The longest time between two pulls that keeps what is promised.
    fn most(&self, in_use: bool) -> TimeDelta {
        let half = self.freshness / 2;
        if in_use { (half - half / SLACK).min(self.longest) } else { self.longest }
    }

    /// How old a feed may get before it goes ahead of all others that are due.
    pub fn bound(&self, in_use: bool) -> TimeDelta {
        if in_use { self.freshness / 2 } else { self.longest + self.longest / SLACK }
    }

    /// Whether a feed of this age has waited for its turn so long that its promise is about to be broken.
    pub fn is_late(&self, in_use: bool, age: TimeDelta) -> bool {
        let half = self.freshness / 2;
        in_use && age > half - half / (2 * SLACK)
    }

    /// When a feed with this wish is read next.
    pub fn plan(&self, wish: TimeDelta, in_use: bool, load: &Load) -> Plan {
        let most = self.most(in_use);
        let (must, want) = (rate(most), rate(wish.min(most)));
        let next = seconds(1.0 / (must + self.granted(load) * (want - must)));
        Plan { next: next.min(most), bound: self.bound(in_use) }
    }

    /// Which part of what the feeds would like beyond what they must have can be granted.
    fn granted(&self, load: &Load) -> f64 {
        let must = load.in_use as f64 * rate(self.most(true)) + load.others as f64 * rate(self.most(false));
        let (spare, wanted) = (load.per_second * SHARE - must, load.wished - must);
        if wanted <= 0.0 || spare >= wanted { 1.0 } else { (spare / wanted).max(0.0) }
    }
}

fn rate(every: TimeDelta) -> f64 {
    1_000.0 / every.num_milliseconds().max(1) as f64
}

fn seconds(seconds: f64) -> TimeDelta {
    TimeDelta::milliseconds((seconds * 1_000.0) as i64)
}
