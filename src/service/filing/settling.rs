//! What changes together inside one provider: submissions, permissions, holds and their events, under the provider's head.

mod mirrored;
mod writing;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use kopru_domain::outcome::{settle, settle_by_status};
use kopru_domain::{
    BrandCode, Candidate, Channel, Code, ConsentStatus, Deadline, HeldCause, IysCode, RegistryAnswer,
    RegistrySide, Settlement, Source, SubmissionFacts, SubmissionState,
};
use kopru_store::consents::{self, TakenRow};
use kopru_store::heads::{self, Head};
use kopru_store::holds::HoldRow;
use kopru_store::permissions::PermissionRow;
use kopru_store::retailers;
use kopru_store::submissions::{self, SubmissionRow};
use kopru_store::{Key, ProviderKeys, StoreError, Tx};
use uuid::Uuid;

use crate::bootstrap::App;
use crate::service::ServiceResult;
use crate::service::events::{EventData, EventLog, Subject};
use crate::service::filing::retry_wait;
use crate::service::mirror::{self, KeyStates, SealedConsent};

/// However often a missing right has refused a submission whose outcome is unknown: every two hours.
const MOST_DOUBLINGS: i64 = 2;

/// Definite answers that are not believed of a submission in doubt before its status was asked.
pub const DOUBTED: [Code; 3] = [Code::H174, Code::H178, Code::H467];

/// The definite answer of a submission in doubt that waits for the status query, if it has one.
pub fn doubted(row: &SubmissionRow) -> Option<Code> {
    let code = Code::new(row.code.clone().filter(|_| row.state == SubmissionState::Unresolved)?);
    DOUBTED.contains(&code).then_some(code)
}

/// Ledger rows with their addresses, by id.
pub type Consents = HashMap<Uuid, (TakenRow, SealedConsent)>;

/// Reads ledger rows and opens what they keep sealed. They never change: read them before the transaction that needs them.
pub async fn consents_of(
    tx: &mut Tx,
    app: &App,
    provider: IysCode,
    ids: Vec<Uuid>,
) -> ServiceResult<Consents> {
    if ids.is_empty() {
        return Ok(Consents::new());
    }
    let keys = app.vault.keys(tx, provider).await?;
    let mut opened = Consents::with_capacity(ids.len());
    for row in consents::taken(tx, provider, ids).await? {
        let consent = mirror::open_consent(&keys, &row.sealed)?;
        opened.insert(row.id, (row, consent));
    }
    Ok(opened)
}

/// The provider's part of a transaction. Begins by locking the head; ends with [`Settling::finish`].
pub struct Settling<'a> {
    app: &'a App,
    provider: IysCode,
    /// The provider's keys.
    pub keys: Arc<ProviderKeys>,
    head: Head,
    /// Business time of the whole transaction.
    pub now: DateTime<Utc>,
    /// State of the keys concerned.
    pub states: KeyStates,
    consents: Consents,
    access: HashMap<Uuid, Vec<i64>>,
    saved: Vec<SubmissionRow>,
    permissions: BTreeMap<Key, PermissionRow>,
    events: EventLog,
    holds: Vec<HoldRow>,
    /// Where something was registered: whether an approval was, for only that shows that a quota is free again, and when the
    /// registry wrote the last of them.
    lifted: BTreeMap<(BrandCode, Channel), (bool, DateTime<Utc>)>,
    redriven: BTreeSet<Uuid>,
    warned: Vec<Uuid>,
}

impl<'a> Settling<'a> {
    /// Locks the provider's head. Everything that is read afterwards stays true until commit.
    pub async fn begin(app: &'a App, tx: &mut Tx, provider: IysCode) -> ServiceResult<Self> {
        let keys = app.vault.keys(tx, provider).await?;
        let head = heads::lock(tx, provider).await?;
        let now = app.clocks.business();
        Ok(Self {
            app,
            provider,
            events: EventLog::new(provider, keys.clone(), now),
            keys,
            head,
            now,
            states: KeyStates::default(),
            consents: Consents::new(),
            access: HashMap::new(),
            saved: Vec::new(),
            permissions: BTreeMap::new(),
            holds: Vec::new(),
            lifted: BTreeMap::new(),
            redriven: BTreeSet::new(),
            warned: Vec::new(),
        })
    }

    /// With ledger rows that were read before.
    pub fn with(self, consents: Consents) -> Self {
        Self { consents, ..self }
    }

    /// Loads consents and key states of these submissions.
    pub async fn load(&mut self, tx: &mut Tx, rows: &[SubmissionRow]) -> ServiceResult<()> {
        self.load_consents(tx, rows).await?;
        self.states = KeyStates::load(tx, self.provider, keys_of(rows)).await?;
        Ok(())
    }

    /// Consents that were not read before.
    pub async fn load_consents(&mut self, tx: &mut Tx, rows: &[SubmissionRow]) -> ServiceResult<()> {
        let ids =
            rows.iter().map(|row| row.consent_id).filter(|id| !self.consents.contains_key(id)).collect();
        self.consents.extend(consents_of(tx, self.app, self.provider, ids).await?);
        Ok(())
    }

    /// Loads which retailers may use the consents that were loaded: only who makes requests of them needs it.
    pub async fn load_access(&mut self, tx: &mut Tx) -> ServiceResult<()> {
        self.access = retailers::access(tx, self.provider, self.consents.keys().copied().collect()).await?;
        Ok(())
    }

    /// Which retailers may use a consent, as was said with it.
    pub fn access_of(&self, consent: Uuid) -> Vec<i64> {
        self.access.get(&consent).cloned().unwrap_or_default()
    }

    /// Those of the rows whose claim holds still: when a lease ran out, another works on the row now, and its word counts.
    pub async fn still_claimed(
        &self,
        tx: &mut Tx,
        rows: &[SubmissionRow],
    ) -> ServiceResult<HashSet<(Uuid, i64)>> {
        let ids = rows.iter().map(|row| row.consent_id).collect();
        let holders: HashMap<(Uuid, i64), Option<Uuid>> = submissions::claims(tx, self.provider, ids)
            .await?
            .into_iter()
            .map(|(consent, generation, holder)| ((consent, generation), holder))
            .collect();
        let place = |row: &SubmissionRow| (row.consent_id, row.generation);
        let ours = |row: &&SubmissionRow| match (holders.get(&place(row)), row.claim) {
            (Some(holder), Some(claim)) => *holder == Some(claim.by),
            // Items of a batch are claimed with it.
            (Some(_), None) => true,
            (None, _) => false,
        };
        Ok(rows.iter().filter(ours).map(place).collect())
    }

    /// Loads what merging the registry's movements into these keys asks for.
    pub async fn load_keys(&mut self, tx: &mut Tx, keys: Vec<Key>) -> ServiceResult<()> {
        self.states = KeyStates::load_to_merge(tx, self.provider, keys).await?;
        Ok(())
    }

    /// The consent of a submission, with its address.
    pub fn consent(&self, id: Uuid) -> ServiceResult<&(TakenRow, SealedConsent)> {
        let missing = || StoreError::Corrupt { what: "consents", detail: "missing".to_owned() };
        Ok(self.consents.get(&id).ok_or_else(missing)?)
    }

    /// Applies what the registry answered to a submission that was sent.
    pub fn answered(&mut self, row: SubmissionRow, answer: &RegistryAnswer) -> ServiceResult<()> {
        let was_unresolved = row.state == SubmissionState::Unresolved;
        if let RegistryAnswer::Registered { transaction_id, creation_date } = answer {
            return self.registered(row, transaction_id, *creation_date);
        }
        // A rejection by HS_KARAR on a first record: there is nothing to reject, as H175 says of other sources.
        let nothing_to_reject =
            row.status == ConsentStatus::Rejection && *answer == RegistryAnswer::Refused(Code::H486);
        let answer = if nothing_to_reject { &RegistryAnswer::Already(Code::H175) } else { answer };
        if let RegistryAnswer::Already(code) = answer {
            self.learn(&row, code)?;
        }
        let settlement = settle(row.status, was_unresolved, answer);
        let refusal = match answer {
            RegistryAnswer::Already(code) => Some(code.clone()),
            RegistryAnswer::TooLate => Some(Code::H467),
            _ => None,
        };
        let row = match answer {
            RegistryAnswer::Retry { code: Some(code), .. } => {
                SubmissionRow { code: Some(code.as_str().to_owned()), ..row }
            }
            RegistryAnswer::Held(cause, code) if was_unresolved => {
                if *cause != HeldCause::Review {
                    self.stop(row.brand_code, row.channel, *cause, code);
                }
                waiting_for(row, *cause, code)
            }
            _ => row,
        };
        self.settled(row, settlement, was_unresolved, refusal)
    }

    /// Applies what the status query said about a submission.
    pub fn status_answered(
        &mut self,
        row: SubmissionRow,
        side: Option<&RegistrySide>,
        asked_at: DateTime<Utc>,
    ) -> ServiceResult<()> {
        let refusal = doubted(&row);
        self.merge_status(&row, asked_at, side.cloned())?;
        let facts =
            SubmissionFacts { status: row.status, wire_date: row.wire_date, refusal: refusal.clone() };
        let settlement = settle_by_status(&facts, side);
        if let (Settlement::Become { state: SubmissionState::Registered, .. }, Some(side)) =
            (&settlement, side)
        {
            return self.registered(row, &side.transaction_id, side.creation_date);
        }
        self.settled(row, settlement, true, refusal)
    }

    /// Applies what a list query said of a submission whose address it does not tell as approved: a late rejection has
    /// nothing to reject, and an approval in doubt is not there, so that what was said of it stands.
    pub fn not_approved(&mut self, row: SubmissionRow) -> ServiceResult<()> {
        let Some(refusal) = doubted(&row) else {
            return self.end(row, SubmissionState::NotNeeded, Some(Code::NO_APPROVAL));
        };
        let facts =
            SubmissionFacts { status: row.status, wire_date: row.wire_date, refusal: Some(refusal.clone()) };
        self.settled(row, settle_by_status(&facts, None), true, Some(refusal))
    }

    fn settled(
        &mut self,
        row: SubmissionRow,
        settlement: Settlement,
        was_unresolved: bool,
        refusal: Option<Code>,
    ) -> ServiceResult<()> {
        match settlement {
            Settlement::Become { state: SubmissionState::Unresolved, .. } => {
                let next = self.now + delay(&row);
                self.save(SubmissionRow {
                    state: SubmissionState::Unresolved,
                    code: None,
                    cause: None,
                    next_attempt_at: next,
                    claim: None,
                    ..row
                });
            }
            Settlement::Become { state, code } => self.end(row, state, code)?,
            Settlement::AskStatus => {
                // The answer is remembered: who claims the question need not send the bytes again.
                let code = refusal.map(|code| code.as_str().to_owned()).or(row.code);
                let (state, next_attempt_at) = (SubmissionState::Unresolved, self.now);
                self.save(SubmissionRow { state, code, cause: None, next_attempt_at, claim: None, ..row });
            }
            Settlement::Requeue { after } => {
                let after =
                    after.and_then(|after| TimeDelta::from_std(after).ok()).unwrap_or_else(|| delay(&row));
                // What waits for others to act is tried ever more rarely.
                let waits = was_unresolved && row.cause.is_some();
                let rarely = if waits { 1 << row.attempt.clamp(0, MOST_DOUBLINGS) } else { 1 };
                let next_attempt_at = self.now + after * rarely;
                if was_unresolved {
                    let state = SubmissionState::Unresolved;
                    self.save(SubmissionRow { state, next_attempt_at, claim: None, ..row });
                } else {
                    self.requeue(row, next_attempt_at);
                }
            }
            Settlement::RetryRejectionLate => self.requeue(SubmissionRow { late: true, ..row }, self.now),
            Settlement::Hold { cause, code } => self.hold(row, cause, &code, true)?,
        }
        Ok(())
    }

    fn registered(
        &mut self,
        row: SubmissionRow,
        transaction_id: &str,
        creation_date: DateTime<Utc>,
    ) -> ServiceResult<()> {
        let (consent, opened) = self.consent(row.consent_id)?;
        let reference = opened.reference.clone();
        let side = RegistrySide {
            status: row.status,
            consent_date: row.wire_date,
            source: consent.source.map(Source::Provider),
            creation_date,
            transaction_id: transaction_id.to_owned(),
        };
        let subject = subject(&row, consent, opened);
        let late = row.late.then(|| (subject.clone(), reference.clone()));
        self.merge(subject, side, "registered", reference);
        let shows = (row.status == ConsentStatus::Approval, creation_date);
        let lifted = self.lifted.entry((row.brand_code, row.channel)).or_insert(shows);
        *lifted = shows.max(*lifted);
        let ended = SubmissionRow {
            state: SubmissionState::Registered,
            code: None,
            transaction_id: Some(transaction_id.to_owned()),
            creation_date: Some(creation_date),
            ..ended(row)
        };
        if let Some((subject, reference)) = late {
            self.submission_event(&ended, subject, "consent.filed_late", reference);
        }
        self.save(ended);
        Ok(())
    }

    /// Ends a submission without the registry's record of it.
    pub fn end(
        &mut self,
        row: SubmissionRow,
        state: SubmissionState,
        code: Option<Code>,
    ) -> ServiceResult<()> {
        let row = SubmissionRow { state, code: code.map(|code| code.as_str().to_owned()), ..ended(row) };
        let kind = match state {
            SubmissionState::Refused => Some("consent.refused"),
            SubmissionState::Expired => Some("consent.expired"),
            _ => None,
        };
        if let Some(kind) = kind {
            self.event_of(&row, kind)?;
        }
        self.save(row);
        Ok(())
    }

    /// Puts a submission back into the queue; nothing of it has left the house, or certainly nothing was written.
    pub fn requeue(&mut self, row: SubmissionRow, at: DateTime<Utc>) {
        self.save(SubmissionRow {
            state: SubmissionState::Queued,
            next_attempt_at: at,
            wire: None,
            batch_id: None,
            batch_index: None,
            claim: None,
            ..row
        });
    }

    /// A claimed submission that goes by itself, and not with the batch that it was claimed into.
    pub fn alone(&mut self, row: SubmissionRow) -> SubmissionRow {
        if row.batch_id.is_none() {
            return row;
        }
        let row =
            SubmissionRow { state: SubmissionState::InFlight, batch_id: None, batch_index: None, ..row };
        self.save(row.clone());
        row
    }

    /// Puts a claimed submission back untried, into the queue or, where it is in doubt, to the others that are.
    pub fn put_back(&mut self, row: SubmissionRow, at: DateTime<Utc>) {
        let row = SubmissionRow { attempt: row.attempt - 1, next_attempt_at: at, claim: None, ..row };
        if row.state == SubmissionState::Unresolved { self.save(row) } else { self.requeue(row, at) }
    }

    /// Holds a submission. With `stop`, all but a review also stop the brand's channel until a probe passes.
    pub fn hold(
        &mut self,
        row: SubmissionRow,
        cause: HeldCause,
        code: &Code,
        stop: bool,
    ) -> ServiceResult<()> {
        let row = SubmissionRow {
            state: SubmissionState::Held,
            cause: Some(cause.as_str().to_owned()),
            code: Some(code.as_str().to_owned()),
            ..ended(row)
        };
        self.event_of(&row, "consent.held")?;
        if stop && cause != HeldCause::Review {
            self.stop(row.brand_code, row.channel, cause, code);
        }
        self.save(row);
        Ok(())
    }

    /// Stops a brand's channel until a probe passes.
    fn stop(&mut self, brand_code: BrandCode, channel: Channel, cause: HeldCause, code: &Code) {
        self.holds.push(HoldRow {
            iys_code: self.provider,
            brand_code,
            channel,
            cause: cause.as_str().to_owned(),
            code: code.as_str().to_owned(),
            since: self.now,
            probe_at: self.now + self.app.config.filing.probe_after(),
            listed: false,
        });
    }

    /// Tells that a target is near or past, once.
    pub fn at_risk(&mut self, row: SubmissionRow) -> ServiceResult<()> {
        let row = SubmissionRow { at_risk: true, ..row };
        self.event_of(&row, "deadline.at_risk")?;
        self.warned.push(row.consent_id);
        Ok(())
    }

    fn event_of(&mut self, row: &SubmissionRow, kind: &str) -> ServiceResult<()> {
        let (consent, opened) = self.consent(row.consent_id)?;
        let (subject, reference) = (subject(row, consent, opened), opened.reference.clone());
        self.submission_event(row, subject, kind, reference);
        Ok(())
    }

    fn submission_event(
        &mut self,
        row: &SubmissionRow,
        subject: Subject,
        kind: &str,
        reference: Option<String>,
    ) {
        let data = EventData {
            status: Some(row.status.as_str().to_owned()),
            consent_date: Some(kopru_domain::time::format_rfc3339(row.ordered_at)),
            cause: kind.to_owned(),
            consent_id: Some(row.consent_id),
            state: Some(row.state.as_str().to_owned()),
            code: row.code.clone(),
            deadline: Some(Deadline { target: row.target_at, legal: row.legal_at, latest: row.latest_at }),
            reference,
            ..EventData::default()
        };
        self.events.consent(subject, kind, data);
    }

    /// Keeps a row to be written, and keeps the key's state in step with it.
    pub fn save(&mut self, row: SubmissionRow) {
        let open = &mut self.states.of(row.key).open;
        if row.state.is_terminal() {
            open.retain(|open| open.consent_id != row.consent_id);
        } else if let Some(open) = open.iter_mut().find(|open| open.consent_id == row.consent_id) {
            open.state = row.state;
        }
        self.saved.push(row);
    }
}

fn keys_of(rows: &[SubmissionRow]) -> Vec<Key> {
    rows.iter().map(|row| row.key).collect()
}

fn delay(row: &SubmissionRow) -> TimeDelta {
    TimeDelta::from_std(retry_wait(row.attempt, row.consent_id)).unwrap_or(TimeDelta::minutes(1))
}

/// A row whose outcome is unknown, and whose bytes the registry refuses for now: it cannot be held, but says why it waits.
pub(super) fn waiting_for(row: SubmissionRow, cause: HeldCause, code: &Code) -> SubmissionRow {
    SubmissionRow { cause: Some(cause.as_str().to_owned()), code: Some(code.as_str().to_owned()), ..row }
}

/// A row that nobody works on any more.
fn ended(row: SubmissionRow) -> SubmissionRow {
    SubmissionRow { wire: None, batch_id: None, batch_index: None, claim: None, cause: None, ..row }
}

/// Where the events of a submission belong.
pub fn subject(row: &SubmissionRow, consent: &TakenRow, opened: &SealedConsent) -> Subject {
    Subject {
        brand_code: row.brand_code,
        key: row.key,
        recipient: opened.recipient.clone(),
        recipient_type: consent.recipient_type,
        channel: consent.channel,
    }
}

/// The consent as the rules look at it.
pub fn candidate(consent: &TakenRow) -> Candidate {
    Candidate {
        consent_id: consent.id,
        recipient_type: consent.recipient_type,
        channel: consent.channel,
        status: consent.status,
        source: consent.source,
        consent_date: consent.consent_date,
        received_at: consent.received_at,
        own_channel: !matches!(consent.door.as_str(), "api" | "registry_api" | "import" | "cli"),
        reviewed_at: None,
    }
}
