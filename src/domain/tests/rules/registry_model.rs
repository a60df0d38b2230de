//! A small honest registry for one key: its rules are written from registry-protocol.md, not from the
//! domain, so that the two can disagree.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use kopru_domain::deadline::{Deadline, strictest_registry_reading};
use kopru_domain::{
    BusinessCalendar, Code, ConsentStatus, ProviderSource, RegistryAnswer, RegistrySide, Source,
};

/// The unknowns of the real registry, as one assumption each.
#[derive(Clone, Copy, Debug)]
pub struct Assumptions {
    /// How it reads three business days.
    pub reading: Reading,
    /// Whether a body sent again answers with the first transaction (v2), or is judged anew.
    pub remembers_bodies: bool,
    /// Whether age is judged before the state.
    pub age_first: bool,
}

/// A reading of three business days.
#[derive(Clone, Copy, Debug)]
pub enum Reading {
    /// To the same time of day.
    ExactTime,
    /// To the end of the third business day.
    EndOfDay,
    /// The most lenient.
    Lenient,
}

/// What is sent: the bytes.
pub type Body = (ConsentStatus, Option<ProviderSource>, DateTime<Utc>);

/// The registry's memory of one key.
#[derive(Debug)]
pub struct Registry {
    assumptions: Assumptions,
    /// Every movement in order of creation.
    pub movements: Vec<RegistrySide>,
    answered: HashMap<Body, usize>,
}

impl Registry {
    /// An empty registry.
    pub fn new(assumptions: Assumptions) -> Self {
        Self { assumptions, movements: Vec::new(), answered: HashMap::new() }
    }

    /// The current record.
    pub fn current(&self) -> Option<&RegistrySide> {
        self.movements.last()
    }

    /// A provider adds a consent.
    pub fn add(&mut self, body: Body, now: DateTime<Utc>) -> RegistryAnswer {
        let (status, source, date) = body;
        assert!(date <= now, "H162: {date} sent at {now}");
        if self.assumptions.remembers_bodies
            && let Some(index) = self.answered.get(&body)
        {
            return registered(&self.movements[*index]);
        }
        let by_age = self.is_too_old(date, now).then_some(RegistryAnswer::TooLate);
        let by_state = self.refused_by_state(status, date).map(RegistryAnswer::Already);
        let refusal = if self.assumptions.age_first { by_age.or(by_state) } else { by_state.or(by_age) };
        if let Some(refusal) = refusal {
            return refusal;
        }
        if let Some(last) = self.current() {
            assert!(last.creation_date < now, "two movements of one key in one second: {now}");
        }
        self.write(status, date, source.map(Source::Provider), now);
        self.answered.insert(body, self.movements.len() - 1);
        registered(&self.movements[self.movements.len() - 1])
    }

    /// The citizen acts at the registry itself.
    pub fn citizen(&mut self, status: ConsentStatus, now: DateTime<Utc>) {
        if self.current().is_none_or(|side| side.status != status) {
            self.write(status, now, "IYS_WEB".parse().ok(), now);
        }
    }

    /// The operator reports the line closed: a RET with the old date.
    pub fn close_line(&mut self, now: DateTime<Utc>) {
        let Some(side) = self.current() else { return };
        let date = side.consent_date.unwrap_or(now);
        if side.status == ConsentStatus::Approval {
            self.write(ConsentStatus::Rejection, date, Source::LINE_CLOSURE.parse().ok(), now);
        }
    }

    fn refused_by_state(&self, status: ConsentStatus, date: DateTime<Utc>) -> Option<Code> {
        match (self.current(), status) {
            (None, ConsentStatus::Rejection) => Some(Code::H175),
            (None, ConsentStatus::Approval) => None,
            (Some(side), ConsentStatus::Rejection) if side.status == status => Some(Code::H174),
            (Some(side), _) => side.consent_date.is_some_and(|stored| date <= stored).then_some(Code::H178),
        }
    }

    fn is_too_old(&self, date: DateTime<Utc>, now: DateTime<Utc>) -> bool {
        let calendar = BusinessCalendar::builtin();
        let limit = match self.assumptions.reading {
            Reading::ExactTime => strictest_registry_reading(date, calendar),
            Reading::EndOfDay => Deadline::of(date, calendar).legal,
            Reading::Lenient => Deadline::of(date, calendar).latest,
        };
        now > limit
    }

    fn write(
        &mut self,
        status: ConsentStatus,
        date: DateTime<Utc>,
        source: Option<Source>,
        now: DateTime<Utc>,
    ) {
        let transaction_id = format!("{:064x}", self.movements.len() + 1);
        let side =
            RegistrySide { status, consent_date: Some(date), source, creation_date: now, transaction_id };
        self.movements.push(side);
    }
}

fn registered(side: &RegistrySide) -> RegistryAnswer {
    RegistryAnswer::Registered {
        transaction_id: side.transaction_id.clone(),
        creation_date: side.creation_date,
    }
}
