//! A service in miniature for one key: it takes consents in, claims, sends, loses answers, asks,
//! pulls, and lets the citizen act in between. It does what the real one does with the domain's
//! verdicts, and checks at every step what must always hold.

use chrono::{DateTime, TimeDelta, Utc};
use kopru_domain::outcome::{settle, settle_by_status};
use kopru_domain::{
    Admission, BrandPolicy, BusinessCalendar, Candidate, Channel, ClaimVerdict, Code, Confirmation,
    ConsentStatus, Effective, HeldCause, KeyState, OpenSubmission, Permission, ProviderSource, RecipientType,
    RegistryAnswer, RegistrySide, Settlement, Source, SubmissionFacts, SubmissionState,
};
use uuid::Uuid;

use crate::registry_model::{Body, Registry};

use SubmissionState::{Batched, Held, InFlight, Queued, Refused, Superseded, Unresolved};

/// What goes wrong on the way of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// The request is lost.
    LostRequest,
    /// The registry writes, its answer is lost.
    LostAnswer,
    /// The registry wants us to wait.
    Throttled,
    /// A right is missing.
    NoRight,
    /// It is taken into a batch whose result comes later.
    IntoBatch,
}

/// One submission.
#[derive(Debug)]
pub struct Row {
    pub candidate: Candidate,
    pub state: SubmissionState,
    pub code: Option<Code>,
    body: Option<Body>,
    /// Whether an earlier sending of the body had no known outcome.
    unresolved: bool,
    late: bool,
}

/// The service.
#[derive(Debug)]
pub struct Service {
    pub registry: Registry,
    pub permission: Permission,
    pub rows: Vec<Row>,
    pub now: DateTime<Utc>,
    pub policy: BrandPolicy,
    /// What a reviewer says.
    pub review_approves: bool,
}

impl Service {
    pub fn new(registry: Registry, policy: BrandPolicy, now: DateTime<Utc>) -> Self {
        Self {
            registry,
            permission: Permission::not_known(),
            rows: Vec::new(),
            now,
            policy,
            review_approves: true,
        }
    }

    fn key(&self) -> KeyState {
        let open = |row: &Row| OpenSubmission {
            consent_id: row.candidate.consent_id,
            status: row.candidate.status,
            source: row.candidate.source,
            consent_date: row.candidate.true_time(),
            wire_date: row.body.map(|(_, _, date)| date).or(row.candidate.consent_date),
            state: row.state,
        };
        let open = self.rows.iter().filter(|row| row.state.is_open()).map(open).collect();
        KeyState { permission: self.permission.clone(), open }
    }

    /// Time goes by. Every action takes at least a second.
    pub fn advance(&mut self, step: TimeDelta) {
        self.now += step.max(TimeDelta::seconds(1));
    }

    /// A client sends a consent of a given age. Returns its row, unless it is a duplicate.
    pub fn post(
        &mut self,
        status: ConsentStatus,
        age: TimeDelta,
        source: ProviderSource,
        own: bool,
    ) -> Option<usize> {
        let candidate = Candidate {
            consent_id: Uuid::from_u128(self.rows.len() as u128 + 1),
            recipient_type: RecipientType::Individual,
            channel: Channel::Message,
            status,
            source: Some(source),
            consent_date: Some(self.now - age),
            received_at: self.now,
            own_channel: own,
            reviewed_at: None,
        };
        let mut key = self.key();
        let admitted = match key.admit(&candidate, &self.policy, BusinessCalendar::builtin(), self.now) {
            Admission::Duplicate { consent_id } => {
                let twin = self
                    .rows
                    .iter()
                    .find(|row| row.candidate.consent_id == consent_id && row.state.is_open());
                assert!(twin.is_some_and(|twin| twin.candidate.true_time() == candidate.true_time()));
                return None;
            }
            Admission::Admitted(admitted) => admitted,
        };
        assert!(!admitted.state.has_left_the_house());
        self.permission = key.permission.clone();
        for id in &admitted.superseded {
            let victim =
                self.rows.iter().position(|row| row.candidate.consent_id == *id && row.state.is_open());
            self.become_(
                victim.expect("a superseded submission is open"),
                Superseded,
                Some(Code::OLDER_THAN_REJECTION),
            );
        }
        self.rows.push(Row {
            candidate,
            state: admitted.state,
            code: admitted.code,
            body: None,
            unresolved: false,
            late: false,
        });
        assert_eq!(self.key().open.len(), key.open.len(), "the key state and the rows agree");
        Some(self.rows.len() - 1)
    }

    fn become_(&mut self, index: usize, next: SubmissionState, code: Option<Code>) {
        let row = &mut self.rows[index];
        row.state = row.state.transition(next).unwrap_or_else(|error| panic!("{error}: {row:?}"));
        row.code = code;
        let abroad = self.rows.iter().filter(|row| row.state.has_left_the_house()).count();
        assert!(abroad <= 1, "one movement of a key at a time: {:?}", self.rows);
    }

    /// Claims a queued submission, if there is one, and brings it on its way.
    pub fn claim(&mut self, nth: usize) -> Option<usize> {
        let queued: Vec<_> = self.in_state(&[Queued]);
        let index = *queued.get(nth.checked_rem(queued.len())?)?;
        let mut confirm = Confirmation::None;
        if self.rows[index].late {
            self.ask_status();
            confirm = Confirmation::StatusJustAsked;
        }
        let mut verdict = self.review(index, confirm);
        if verdict == ClaimVerdict::AskStatusFirst {
            self.ask_status();
            verdict = self.review(index, Confirmation::StatusJustAsked);
        }
        match verdict {
            ClaimVerdict::Send { wire_date, late } => {
                let candidate = &self.rows[index].candidate;
                let date = wire_date.expect("a dated consent is filed with a date");
                assert!(
                    late || candidate.status == ConsentStatus::Rejection
                        || Some(date) == candidate.consent_date
                );
                let overtaken = self.permission.local.is_some_and(|local| local.at >= date);
                assert!(
                    candidate.status == ConsentStatus::Rejection || !overtaken,
                    "filed against a refusal"
                );
                let body = (candidate.status, candidate.source, date);
                self.rows[index].body = Some(body);
                self.become_(index, InFlight, None);
                return Some(index);
            }
            ClaimVerdict::End { state, code } => self.become_(index, state, Some(code)),
            ClaimVerdict::Hold { code, .. } => self.become_(index, Held, Some(code)),
            ClaimVerdict::Wait { .. } => {}
            ClaimVerdict::AskStatusFirst => panic!("asked for the status twice"),
        }
        None
    }

    fn review(&self, index: usize, confirm: Confirmation) -> ClaimVerdict {
        self.key().review(
            &self.rows[index].candidate,
            &self.policy,
            BusinessCalendar::builtin(),
            self.now,
            confirm,
        )
    }

    /// The answer to a request on its way comes, or does not.
    pub fn answer(&mut self, index: usize, fault: Fault) {
        let row = &self.rows[index];
        let body = row.body.expect("what is on its way has a body");
        if row.state == Unresolved {
            self.become_(index, InFlight, None);
        }
        let answer = match fault {
            Fault::None => self.registry.add(body, self.now),
            Fault::LostRequest => RegistryAnswer::Unknown,
            Fault::LostAnswer => {
                self.registry.add(body, self.now);
                RegistryAnswer::Unknown
            }
            Fault::Throttled => RegistryAnswer::Retry { code: None, after: None },
            Fault::NoRight => RegistryAnswer::Held(HeldCause::NotAuthorised, Code::new("H353")),
            Fault::IntoBatch if self.rows[index].state == InFlight && !self.rows[index].unresolved => {
                return self.become_(index, Batched, None);
            }
            Fault::IntoBatch => return self.answer(index, Fault::None),
        };
        self.learn(body, &answer);
        let row = &self.rows[index];
        match settle(body.0, row.unresolved, &answer) {
            Settlement::AskStatus => {
                self.ask_status();
                let refusal = match answer {
                    RegistryAnswer::Already(code) => Some(code),
                    RegistryAnswer::TooLate => Some(Code::H467),
                    other => panic!("{other:?} needs no question"),
                };
                let facts = SubmissionFacts { status: body.0, wire_date: Some(body.2), refusal };
                let settlement = settle_by_status(&facts, self.registry.current());
                self.apply(index, &settlement);
            }
            settlement => self.apply(index, &settlement),
        }
    }

    fn apply(&mut self, index: usize, settlement: &Settlement) {
        let next = settlement.state(self.rows[index].unresolved).expect("settled");
        let code = match settlement {
            Settlement::Become { code, .. } => code.clone(),
            Settlement::Hold { code, .. } => Some(code.clone()),
            _ => None,
        };
        self.become_(index, next, code);
        let row = &mut self.rows[index];
        row.unresolved |= next == Unresolved;
        if *settlement == Settlement::RetryRejectionLate {
            row.late = true;
        }
        if next == Queued {
            // The outcome is known: the next sending may have other bytes.
            row.unresolved = false;
            row.body = None;
        }
    }

    /// What an answer says about the registry's state goes into the permission.
    fn learn(&mut self, (status, source, date): Body, answer: &RegistryAnswer) {
        match answer {
            RegistryAnswer::Registered { transaction_id, creation_date } => {
                self.merge(RegistrySide {
                    status,
                    consent_date: Some(date),
                    source: source.map(Source::Provider),
                    creation_date: *creation_date,
                    transaction_id: transaction_id.clone(),
                });
            }
            RegistryAnswer::Already(code) => self.permission.learn_from_refusal(code, self.now),
            _ => {}
        }
    }

    fn merge(&mut self, side: RegistrySide) {
        self.permission.merge(side);
        self.redrive_unfiled();
    }

    /// A rejection that stands while the registry holds an older approval gets a new submission.
    fn redrive_unfiled(&mut self) {
        let Some(id) = self.key().unfiled_rejection() else { return };
        let consent = self.rows.iter().find(|row| row.candidate.consent_id == id);
        let candidate = consent.expect("the rejection is ours").candidate.clone();
        let open = self.rows.iter().any(|row| row.candidate.consent_id == id && row.state.is_open());
        assert!(!open, "at most one open submission of a consent");
        self.rows.push(Row {
            candidate,
            state: Queued,
            code: None,
            body: None,
            unresolved: false,
            late: false,
        });
    }

    /// The single status query.
    pub fn ask_status(&mut self) {
        self.permission.answer_status(self.now, self.registry.current().cloned());
        self.redrive_unfiled();
    }

    /// The change feed, which hides the last hour. Every movement is merged again, in either order.
    pub fn pull(&mut self, backwards: bool) {
        let horizon = self.now - TimeDelta::minutes(60);
        let mut seen: Vec<_> =
            self.registry.movements.iter().filter(|side| side.creation_date <= horizon).cloned().collect();
        if backwards {
            seen.reverse();
        }
        for side in seen {
            self.merge(side);
        }
    }

    /// A push: a rejection acts at once, an approval waits for the pull.
    pub fn push(&mut self) {
        if let Some(side) = self.registry.current().filter(|side| side.status == ConsentStatus::Rejection) {
            self.merge(side.clone());
        }
    }

    /// What is held goes on: by itself where a right came back, by the reviewer otherwise.
    pub fn release(&mut self) {
        for index in self.in_state(&[Held]) {
            let for_review = self.rows[index].code == Some(Code::REVIEW_AFTER_CITIZEN_RET);
            if for_review && !self.review_approves {
                self.become_(index, Refused, Some(Code::REVIEW_DECLINED));
                continue;
            }
            if for_review {
                self.rows[index].candidate.reviewed_at = Some(self.now);
            }
            self.become_(index, Queued, None);
        }
    }

    pub fn in_state(&self, states: &[SubmissionState]) -> Vec<usize> {
        (0..self.rows.len()).filter(|index| states.contains(&self.rows[*index].state)).collect()
    }

    /// Everything works from now on, until nothing is open and the feed has shown everything.
    pub fn drain(&mut self) {
        for _ in 0..60 {
            for _ in 0..self.rows.len() + 2 {
                for index in self.in_state(&[InFlight, Batched, Unresolved]) {
                    self.advance(TimeDelta::seconds(2));
                    self.answer(index, Fault::None);
                }
                for nth in 0..self.in_state(&[Queued]).len() {
                    self.advance(TimeDelta::seconds(2));
                    self.claim(nth);
                    if self.in_state(&[InFlight]).len() == 1 {
                        break;
                    }
                }
            }
            self.release();
            self.advance(TimeDelta::minutes(61));
            self.pull(false);
            if self.rows.iter().all(|row| row.state.is_terminal()) {
                return;
            }
        }
        panic!("not at an end: {self:#?}");
    }

    /// What must hold at the end, whatever happened.
    pub fn assert_lawful_end(&self) {
        assert!(self.rows.iter().all(|row| row.state.is_terminal()));
        let refusals = self.rows.iter().filter(|row| row.candidate.status == ConsentStatus::Rejection);
        let last_refusal = refusals.map(|row| row.candidate.true_time()).max();
        let current = self.registry.current();
        let approved_at =
            current.filter(|side| side.status == ConsentStatus::Approval).and_then(|side| side.consent_date);
        if let (Some(approved_at), Some(refused_at)) = (approved_at, last_refusal) {
            assert!(
                approved_at > refused_at,
                "an approval of {approved_at} outlives a rejection of {refused_at}: {self:#?}"
            );
        }
        for side in &self.registry.movements {
            let same = |other: &&RegistrySide| {
                (other.status, other.consent_date, &other.source)
                    == (side.status, side.consent_date, &side.source)
            };
            assert_eq!(
                self.registry.movements.iter().filter(same).count(),
                1,
                "filed twice with effect: {side:?}"
            );
        }
        let effective = self.permission.effective(RecipientType::Individual);
        match current.map(|side| side.status) {
            Some(ConsentStatus::Approval) => {}
            Some(ConsentStatus::Rejection) => assert_eq!(effective, Effective::Rejection, "{self:#?}"),
            None => assert_ne!(effective, Effective::Approval, "{self:#?}"),
        }
        if effective == Effective::Approval {
            assert!(approved_at.is_some(), "permission without an approval at the registry: {self:#?}");
        }
    }
}
