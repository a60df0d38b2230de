//! What the domain says to a filing, what the registry answers, and whether the two agree.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use kopru_domain::deadline::strictest_registry_reading;
use kopru_domain::shape::{EARLIEST_CONSENT, check_shape};
use kopru_domain::time::{format_registry, truncate_seconds};
use kopru_domain::twin::{Movement, Projected, Verdict, judge};
use kopru_domain::{
    BusinessCalendar, Code, ConsentStatus, Deadline, RawConsent, RecipientType, RegistryKnowledge,
};
use serde_json::Value;

use super::history::{History, Key};

/// How the registry reads "three business days" (registry-protocol section 11, U6).
#[derive(Clone, Copy, Debug)]
pub enum Reading {
    /// To the same time of day on the third business day.
    Exact,
    /// To the end of the third business day.
    Legal,
    /// The same, and half days do not count.
    Latest,
}

impl Reading {
    /// The sandbox's setting `h467`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Legal => "legal",
            Self::Latest => "latest",
        }
    }

    /// The last second at which the registry takes a consent, by the domain's calendar.
    pub fn end(self, date: DateTime<Utc>) -> DateTime<Utc> {
        let calendar = BusinessCalendar::builtin();
        let deadline = Deadline::of(date, calendar);
        match self {
            Self::Exact => strictest_registry_reading(date, calendar),
            Self::Legal => deadline.legal,
            Self::Latest => deadline.latest,
        }
    }
}

/// A rule of the sandbox that is asked before others.
pub struct Mask {
    /// What it says.
    code: &'static str,
    /// Its name among [`iys_sandbox::rules`].
    pub rule: &'static str,
    /// What the twin may name instead.
    hides: &'static [&'static str],
}

/// Where the registry's order (registry-protocol section 7.16) is not the twin's.
const MASKS: &[Mask] = &[
    // The registry looks at the age of a date before it looks at its record. To the twin a newer record
    // is worth more than a missed deadline: nothing is lost.
    Mask { code: "H467", rule: "three_business_days", hides: &["H174", "H175", "H178", "H463"] },
    // The registry will not have HS_KARAR on a first record before it says that a first record may not
    // reject; to the twin there is nothing to reject either way.
    Mask { code: "H486", rule: "own_decision_on_first_record", hides: &["H175"] },
    // What a merchant's update lacks comes before what it would change. To the twin, a rejection of what
    // is rejected is done whatever it lacks. Where date and source both lack, it names the source.
    Mask { code: "H462", rule: "merchant_update_without_date", hides: &["H174", "H463"] },
    Mask { code: "H463", rule: "merchant_update_without_source", hides: &["H174"] },
];

/// Refusals that depend on what the registry holds.
const STATE_CODES: [&str; 6] = ["H174", "H175", "H178", "H462", "H463", "H486"];
/// Refusals of well-formedness. The shape names one of the dates' at a time, the first that fits.
const SHAPE_CODES: [&str; 6] = ["H112", "H113", "H119", "H155", "H156", "H162"];
const DATE_CODES: [&str; 3] = ["H155", "H156", "H162"];

/// A filing, as it stands once its date is known.
#[derive(Clone, Debug)]
pub struct Filing<'a> {
    key: &'a Key,
    /// Approval or rejection.
    pub status: ConsentStatus,
    /// A wire word, not always one of the 13.
    pub source: Option<&'static str>,
    /// The consentDate.
    pub date: Option<DateTime<Utc>>,
    wire_date: Option<String>,
    terse: bool,
}

impl<'a> Filing<'a> {
    /// A filing of a history's key.
    pub fn new(
        history: &'a History,
        status: ConsentStatus,
        source: Option<&'static str>,
        date: Option<DateTime<Utc>>,
    ) -> Self {
        let terse = history.terse && history.key.recipient_type == RecipientType::default();
        Self { key: &history.key, status, source, date, wire_date: date.map(format_registry), terse }
    }

    /// What is posted. An optional field that has no value is left out.
    pub fn body(&self) -> Value {
        let mut body = self.key.wire();
        body["status"] = self.status.as_str().into();
        if let Some(source) = self.source {
            body["source"] = source.into();
        }
        if let Some(date) = &self.wire_date {
            body["consentDate"] = date.as_str().into();
        }
        if self.terse {
            body.as_object_mut().expect("an object").remove("recipientType");
        }
        body
    }

    fn raw(&self) -> RawConsent<'_> {
        RawConsent {
            recipient: Some(&self.key.recipient),
            channel: Some(self.key.channel.as_str()),
            status: Some(self.status.as_str()),
            source: self.source,
            consent_date: self.wire_date.as_deref(),
            recipient_type: (!self.terse).then(|| self.key.recipient_type.as_str()),
        }
    }

    /// The same for the twin; `None` if the source is no word it has.
    fn movement(&self) -> Option<Movement> {
        Some(Movement {
            recipient_type: self.key.recipient_type,
            status: self.status,
            source: self.source.map(str::parse).transpose().ok()?,
            consent_date: self.date,
        })
    }
}

/// What the domain says to a filing.
#[derive(Debug, PartialEq, Eq)]
pub struct Opinion {
    /// The codes of everything that is not well-formed.
    shape: BTreeSet<&'static str>,
    /// `None` if there is nothing to judge.
    pub verdict: Option<Verdict>,
    /// Whether the registry's reading has passed.
    too_old: bool,
    /// Whether the most lenient one has, which alone the twin goes by.
    lost: bool,
    /// Whether anything is known of the registry's record.
    informed: bool,
}

impl Opinion {
    /// Asks the domain at an instant.
    pub fn of(
        filing: &Filing<'_>,
        registry: &RegistryKnowledge,
        now: DateTime<Utc>,
        reading: Reading,
    ) -> Self {
        let checked = check_shape(&filing.raw(), now);
        let shape = checked.err().into_iter().flatten().map(|error| error.h_code).collect();
        let projected = Projected { registry, open: &[] };
        let verdict =
            filing.movement().map(|movement| judge(&movement, &projected, now, BusinessCalendar::builtin()));
        // The registry says H156 of older dates, and no word about their age.
        let after = |reading: Reading| {
            let passed = |date| date >= EARLIEST_CONSENT && truncate_seconds(now) > reading.end(date);
            filing.date.is_some_and(passed)
        };
        let informed = *registry != RegistryKnowledge::NotKnown;
        Self { shape, verdict, too_old: after(reading), lost: after(Reading::Latest), informed }
    }
}

/// How an opinion and an answer go together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Agreement {
    /// They say the same.
    Same,
    /// The registry reads three business days more strictly.
    Gap,
    /// Nobody here knew the record that the registry refuses by.
    Uninformed,
    /// The registry named another rule first; it has to be asked again.
    Masked,
}

/// Compares an opinion with the codes of the answer (none: taken). The error says what is wrong.
pub fn compare(
    opinion: &Opinion,
    status: ConsentStatus,
    codes: &[String],
) -> Result<Agreement, &'static str> {
    let codes: BTreeSet<&str> = codes.iter().map(String::as_str).collect();
    if shape_of(&codes) != opinion.shape {
        return Err("they differ about what is well-formed");
    }
    if codes.contains("H467") != opinion.too_old {
        return Err("they differ about the end of three business days");
    }
    let by_rules = |code: &&str| *code != "H467" && !SHAPE_CODES.contains(code);
    let rest: BTreeSet<&str> = codes.iter().copied().filter(by_rules).collect();
    let late_approval = status == ConsentStatus::Approval && opinion.lost;
    match &opinion.verdict {
        None if rest.is_empty() && opinion.shape.contains("H119") => Ok(Agreement::Same),
        None => Err("there is nothing to judge, and yet the registry did"),
        Some(Verdict::File) if late_approval => Err("the twin files what no reading permits"),
        Some(Verdict::File) => compare_filed(opinion, &rest),
        Some(Verdict::Expired(_)) if rest.is_empty() && opinion.shape.is_empty() && late_approval => {
            Ok(Agreement::Same)
        }
        Some(Verdict::Expired(_)) => Err("the twin gives up what the registry does not call too late"),
        Some(Verdict::Refuse(code) | Verdict::NotNeeded(code)) => compare_stopped(code, &codes, &rest),
    }
}

/// The twin would file it. `rest`: what the registry has against it, but for its form and age.
fn compare_filed(opinion: &Opinion, rest: &BTreeSet<&str>) -> Result<Agreement, &'static str> {
    if !opinion.shape.is_empty() {
        Err("the twin files what is not well-formed")
    } else if rest.is_empty() {
        Ok(if opinion.too_old { Agreement::Gap } else { Agreement::Same })
    } else if !opinion.informed && rest.iter().all(|code| STATE_CODES.contains(code)) {
        Ok(Agreement::Uninformed)
    } else {
        Err("the twin files what the registry refuses")
    }
}

/// The twin would not file it, because of `code`.
fn compare_stopped(
    code: &Code,
    codes: &BTreeSet<&str>,
    rest: &BTreeSet<&str>,
) -> Result<Agreement, &'static str> {
    let code = code.as_str();
    if codes.contains(code) && rest.iter().all(|other| *other == code) {
        Ok(Agreement::Same)
    } else if !codes.is_empty() && codes.iter().all(|found| mask(found, code).is_some()) {
        Ok(Agreement::Masked)
    } else {
        Err("the twin stops what the registry takes, or refuses for another reason")
    }
}

/// What of an answer is about well-formedness, named as the shape does.
fn shape_of<'a>(codes: &BTreeSet<&'a str>) -> BTreeSet<&'a str> {
    let date = DATE_CODES.into_iter().find(|code| codes.contains(code));
    let named =
        |code: &&str| SHAPE_CODES.contains(code) && (!DATE_CODES.contains(code) || date == Some(code));
    codes.iter().copied().filter(named).collect()
}

/// The rule that said `found` where the twin wants `wanted`, if it is one that may.
pub fn mask(found: &str, wanted: &str) -> Option<&'static Mask> {
    MASKS.iter().find(|mask| mask.code == found && mask.hides.contains(&wanted))
}
