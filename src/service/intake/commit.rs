//! The transaction of an intake: ledger rows, evidence, submissions, local rejections and their events, together or not at all.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, TimeDelta, Utc};
use kopru_domain::ledger::{Record, RecordKind, entry_hash};
use kopru_domain::{
    Admission, Admitted, Candidate, Code, ConsentStatus, Deadline, IysCode, Source, SubmissionState,
};
use kopru_store::acts;
use kopru_store::changes;
use kopru_store::consents::{self, ConsentRow};
use kopru_store::heads::{self, Head};
use kopru_store::idempotency::{self, PartRow};
use kopru_store::links::{self, LinkRow};
use kopru_store::messages::{self, MessageRow};
use kopru_store::permissions::{self, PermissionRow};
use kopru_store::retailers;
use kopru_store::submissions::{self, SubmissionRow};
use kopru_store::{Key, Priority, ProviderKeys, Step, StoreError, Tx, Unflushed};
use uuid::Uuid;

use crate::bootstrap::App;
use crate::service::events::{EventLog, Subject};
use crate::service::intake::prepare::{Part, Prepared};
use crate::service::intake::{Accepted, IDEMPOTENCY_LIFE, Idempotency, IntakeAnswer};
use crate::service::messages::notice::{self, Given};
use crate::service::mirror::{self, KeyStates};
use crate::service::{SLICE, ServiceError, ServiceResult};

const ANSWER: &str = "idempotency.answer";
/// A part with more items than this is bulk: interactive requests go before it.
const BULK: usize = 100;

/// The stored answers of the parts of a request, in order, as far as they go without a gap.
pub(super) async fn stored_parts(app: &App, idempotency: &Idempotency) -> ServiceResult<Vec<IntakeAnswer>> {
    let mut tx = app.db.read().await?;
    let mut answers = Vec::new();
    let rows = idempotency::parts(&mut tx, &idempotency.key, app.clocks.wire()).await?;
    if !rows.is_empty() {
        app.db.flushed().await?;
    }
    for row in rows {
        if row.body_hash != idempotency.body_hash {
            return Err(ServiceError::IdempotencyMismatch);
        }
        if usize::try_from(row.part).is_ok_and(|part| part == answers.len()) {
            answers.push(read_answer(app, &row)?);
        }
    }
    Ok(answers)
}

/// What became of each part of a group.
type Answers = Vec<ServiceResult<IntakeAnswer>>;

/// Commits parts together, on a thread that may block. Nobody may be answered before the commit is flushed. An error means that
/// nothing was committed.
pub(super) async fn commit_group(app: &App, parts: &[&Part]) -> ServiceResult<(Answers, Unflushed)> {
    let mut tx = if parts.iter().any(|part| part.items.len() > BULK) {
        app.db.begin(Priority::Bulk).await?
    } else {
        app.db.begin_here().await?
    };
    let mut answers: Vec<Option<ServiceResult<IntakeAnswer>>> = Vec::with_capacity(parts.len());
    for part in parts {
        answers.push(repeated(app, &mut tx, part).await?);
    }
    let replayed: Vec<bool> = answers.iter().map(Option::is_some).collect();
    let mut stages = Vec::new();
    for (provider, members) in by_provider(parts, &answers) {
        for steps in std::mem::take(&mut stages) {
            tx.run(steps).await?;
        }
        let (taken, writes) = take_provider(app, &mut tx, provider, &members).await?;
        stages = writes.stages();
        for ((place, _), answer) in members.into_iter().zip(taken) {
            answers[place] = Some(Ok(answer));
        }
    }
    for (place, part) in parts.iter().enumerate().filter(|(place, _)| !replayed[*place]) {
        remember(app, &mut tx, part, answers[place].as_ref()).await?;
    }
    let commit = tx.run_and_commit(stages).await?;
    Ok((answers.into_iter().map(|answer| answer.unwrap_or(Err(ServiceError::Overloaded))).collect(), commit))
}

/// Commits one part by itself, trying once more: the group's failure may have been its neighbour's.
pub(super) async fn commit_alone(app: &App, part: &Part) -> ServiceResult<IntakeAnswer> {
    let once = commit_group(app, &[part]).await;
    let (answers, commit) = match once {
        Err(_) => commit_group(app, &[part]).await?,
        Ok(done) => done,
    };
    commit.flushed().await?;
    answers.into_iter().next().unwrap_or(Err(ServiceError::Overloaded))
}

/// The answer of a part that was committed before under the same Idempotency-Key.
async fn repeated(app: &App, tx: &mut Tx, part: &Part) -> ServiceResult<Option<ServiceResult<IntakeAnswer>>> {
    let Some((idempotency, number)) = &part.idempotency else { return Ok(None) };
    for row in idempotency::parts(tx, &idempotency.key, app.clocks.wire()).await? {
        if row.body_hash != idempotency.body_hash {
            return Ok(Some(Err(ServiceError::IdempotencyMismatch)));
        }
        if usize::try_from(row.part).is_ok_and(|stored| stored == *number) {
            return Ok(Some(read_answer(app, &row)));
        }
    }
    Ok(None)
}

async fn remember(
    app: &App,
    tx: &mut Tx,
    part: &Part,
    answer: Option<&ServiceResult<IntakeAnswer>>,
) -> ServiceResult<()> {
    let (Some((idempotency, number)), Some(Ok(answer))) = (&part.idempotency, answer) else { return Ok(()) };
    let json = serde_json::to_vec(answer).unwrap_or_default();
    let row = PartRow {
        part: i64::try_from(*number).unwrap_or_default(),
        body_hash: idempotency.body_hash.to_vec(),
        status: None,
        answer: Some(app.vault.master().seal(ANSWER, &json)),
    };
    let now = app.clocks.wire();
    let life = TimeDelta::from_std(IDEMPOTENCY_LIFE).unwrap_or_default();
    // A part that another replica committed meanwhile undoes this transaction; alone, it is replayed.
    if idempotency::add(tx, &idempotency.key, &row, now, now + life).await? {
        Ok(())
    } else {
        Err(StoreError::Conflict { what: "idempotency" }.into())
    }
}

fn read_answer(app: &App, row: &PartRow) -> ServiceResult<IntakeAnswer> {
    let unreadable = || StoreError::Corrupt { what: "idempotency", detail: "answer".to_owned() };
    let sealed = row.answer.as_ref().ok_or_else(unreadable)?;
    let json = app.vault.master().open(ANSWER, sealed)?;
    serde_json::from_slice(&json).map_err(|_| unreadable().into())
}

type Members<'a> = Vec<(usize, &'a Part)>;

/// Parts to be committed, by provider in order of their codes: the order of the heads' locks.
fn by_provider<'a>(
    parts: &[&'a Part],
    answers: &[Option<ServiceResult<IntakeAnswer>>],
) -> BTreeMap<IysCode, Members<'a>> {
    let mut members: BTreeMap<IysCode, Members<'a>> = BTreeMap::new();
    for (place, part) in parts.iter().enumerate().filter(|(place, _)| answers[*place].is_none()) {
        members.entry(part.brand.iys_code).or_default().push((place, part));
    }
    members
}

/// What one provider's part of the transaction writes.
struct Writes {
    provider: IysCode,
    head: Head,
    now: DateTime<Utc>,
    consents: Vec<ConsentRow>,
    submissions: Vec<SubmissionRow>,
    /// Which retailers may use which consents, where that was said.
    access: Vec<(Uuid, Vec<i64>)>,
    superseded: Vec<Uuid>,
    acts: Vec<(Key, Uuid)>,
    permissions: BTreeMap<Key, PermissionRow>,
    events: EventLog,
    notices: Vec<MessageRow>,
    /// By which what the notices tell of may be refused.
    links: Vec<LinkRow>,
}

/// Decides on the members of one provider, under the lock of its head.
async fn take_provider(
    app: &App,
    tx: &mut Tx,
    provider: IysCode,
    members: &[(usize, &Part)],
) -> ServiceResult<(Vec<IntakeAnswer>, Writes)> {
    let keys = members.first().map(|(_, part)| part.keys.clone()).ok_or(ServiceError::Overloaded)?;
    let touched = members.iter().flat_map(|(_, part)| part.items.iter().map(|item| item.key)).collect();
    let (head, mut states) = KeyStates::lock(tx, provider, touched).await?;
    let now = app.clocks.business();
    let mut writes = Writes {
        provider,
        head,
        now,
        consents: Vec::new(),
        submissions: Vec::new(),
        access: Vec::new(),
        superseded: Vec::new(),
        acts: Vec::new(),
        permissions: BTreeMap::new(),
        events: EventLog::new(provider, keys.clone(), now),
        notices: Vec::new(),
        links: Vec::new(),
    };
    let mut told = told_before(tx, provider, members).await?;
    let mut answers: Vec<IntakeAnswer> = members.iter().map(|(_, part)| unanswered(part)).collect();
    let items: Vec<(usize, &Part, &Prepared)> = members
        .iter()
        .enumerate()
        .flat_map(|(place, (_, part))| part.items.iter().map(move |item| (place, *part, item)))
        .collect();
    for slice in items.chunks(SLICE) {
        let ready = writes.rows();
        let decide = async {
            for (place, part, item) in slice {
                let taken = match item.act.and_then(|act| told.get(&act)) {
                    Some(before) => {
                        Accepted { index: item.index, reference: item.reference.clone(), ..before.clone() }
                    }
                    None => admit(app, &keys, &mut states, part, item, &mut writes),
                };
                if let Some(act) = item.act.filter(|act| !told.contains_key(act)) {
                    writes.acts.push((act, taken.id));
                    told.insert(act, Accepted { code: Some(already_taken()), ..taken.clone() });
                }
                answers[*place].accepted.push(taken);
            }
        };
        // The order is sent with the first poll; only then is decided.
        let (written, ()) = futures::join!(tx.run(ready), decide);
        written?;
    }
    Ok((answers, writes))
}

fn unanswered(part: &Part) -> IntakeAnswer {
    IntakeAnswer { accepted: Vec::with_capacity(part.items.len()), refused: part.refused.clone() }
}

fn already_taken() -> String {
    Code::ALREADY_TAKEN.as_str().to_owned()
}

/// What became of acts that were told before, by their marks. A group that names no acts costs nothing.
async fn told_before(
    tx: &mut Tx,
    provider: IysCode,
    members: &[(usize, &Part)],
) -> ServiceResult<HashMap<Key, Accepted>> {
    let marks: Vec<Key> =
        members.iter().flat_map(|(_, part)| part.items.iter().filter_map(|item| item.act)).collect();
    if marks.is_empty() {
        return Ok(HashMap::new());
    }
    let known = acts::find(tx, provider, marks).await?;
    let mut filings = submissions::find_many(tx, provider, known.iter().map(|(_, id)| *id).collect()).await?;
    filings.sort_by_key(|filing| filing.generation);
    let latest: HashMap<Uuid, SubmissionRow> =
        filings.into_iter().map(|filing| (filing.consent_id, filing)).collect();
    let answer = |(mark, id): (Key, Uuid)| {
        let filing = latest.get(&id)?;
        let deadline =
            Deadline { target: filing.target_at, legal: filing.legal_at, latest: filing.latest_at };
        let accepted = Accepted {
            index: 0,
            id,
            state: filing.state,
            deadline,
            reference: None,
            code: Some(already_taken()),
        };
        Some((mark, accepted))
    };
    Ok(known.into_iter().filter_map(answer).collect())
}

fn admit(
    app: &App,
    keys: &ProviderKeys,
    states: &mut KeyStates,
    part: &Part,
    item: &Prepared,
    writes: &mut Writes,
) -> Accepted {
    let state = states.of(item.key);
    let before = state.permission.effective(item.candidate.recipient_type);
    match state.admit(&item.candidate, &part.brand.policy, &app.calendar, writes.now) {
        Admission::Duplicate { consent_id } => {
            let open = state.open.iter().find(|open| open.consent_id == consent_id);
            Accepted {
                index: item.index,
                id: consent_id,
                state: open.map_or(SubmissionState::Queued, |open| open.state),
                deadline: Deadline::of(item.candidate.true_time(), &app.calendar),
                reference: item.reference.clone(),
                code: Some("already_open".to_owned()),
            }
        }
        Admission::Admitted(mut admitted) => {
            if let Some((cause, code)) = part.stops.on(item.candidate.channel) {
                state.stop(item.candidate.consent_id, &mut admitted, cause, code);
            }
            if admitted.local_rejection {
                let permission = state.permission.clone();
                let subject = subject(part, item);
                writes.events.permission_changed(
                    subject,
                    before,
                    &permission,
                    "local_rejection",
                    item.reference.clone(),
                );
                let candidate = &item.candidate;
                let recipient = mirror::seal_recipient(keys, &item.recipient);
                let row = states.permission_row(
                    item.key,
                    part.brand.brand_code,
                    candidate.recipient_type,
                    candidate.channel,
                    recipient,
                );
                writes.permissions.insert(item.key, row);
            }
            writes.add(app, part, item, &admitted);
            if let Some((notice, link)) = notice(app, keys, part, item, &admitted, writes.now) {
                writes.notices.push(notice);
                writes.links.extend(link);
            }
            Accepted {
                index: item.index,
                id: item.candidate.consent_id,
                state: admitted.state,
                deadline: admitted.deadline,
                reference: item.reference.clone(),
                code: admitted.code.map(|code| code.as_str().to_owned()),
            }
        }
    }
}

/// The notice of an electronic approval that is to be filed, where the brand wants one, and the link that it tells of.
fn notice(
    app: &App,
    keys: &ProviderKeys,
    part: &Part,
    item: &Prepared,
    admitted: &Admitted,
    now: DateTime<Utc>,
) -> Option<(MessageRow, Option<LinkRow>)> {
    let notices = part.notices.as_ref()?;
    let Candidate { consent_id, channel, status, source, recipient_type, .. } = item.candidate;
    let given = status == ConsentStatus::Approval
        && matches!(admitted.state, SubmissionState::Queued | SubmissionState::Held)
        && source.is_some_and(notice::is_electronic);
    let at = item.candidate.true_time();
    given
        .then(|| Given { consent: consent_id, channel, recipient: &item.recipient, recipient_type, at })
        .and_then(|given| notice::of(app, keys, notices, given, now))
}

fn subject(part: &Part, item: &Prepared) -> Subject {
    Subject {
        brand_code: part.brand.brand_code,
        key: item.key,
        recipient: item.recipient.clone(),
        recipient_type: item.candidate.recipient_type,
        channel: item.candidate.channel,
    }
}

impl Writes {
    fn add(&mut self, app: &App, part: &Part, item: &Prepared, admitted: &Admitted) {
        self.superseded.extend(&admitted.superseded);
        // What a rejection of the same slice overtakes is not in the database yet.
        for row in self.submissions.iter_mut().filter(|row| admitted.superseded.contains(&row.consent_id)) {
            row.state = SubmissionState::Superseded;
            row.code = Some(Code::OLDER_THAN_REJECTION.as_str().to_owned());
        }
        if !item.retailer_access.is_empty() {
            self.access.push((item.candidate.consent_id, item.retailer_access.clone()));
        }
        let (consent, calendar) = (self.consent(part, item), app.calendar.version());
        let ordered_at = item.candidate.true_time();
        self.submissions.push(SubmissionRow::first(self.provider, &consent, ordered_at, admitted, calendar));
        self.consents.push(consent);
    }

    /// The rows of what was decided on since this was asked last.
    fn rows(&mut self) -> Vec<Step> {
        let (consents, filings) = (std::mem::take(&mut self.consents), std::mem::take(&mut self.submissions));
        vec![consents::append_step(self.provider, consents), submissions::add_step(filings, self.now)]
    }

    /// The other writes; the deliveries come after the events that they read.
    fn stages(mut self) -> Vec<Vec<Step>> {
        let mut steps = self.rows();
        let (provider, now) = (self.provider, self.now);
        let events = self.events.number(&mut self.head);
        if !self.superseded.is_empty() {
            let code = Code::OLDER_THAN_REJECTION;
            steps.push(submissions::supersede_step(provider, self.superseded, code.as_str(), now));
        }
        steps.push(heads::advance_step(provider, &self.head));
        steps.push(permissions::save_step(provider, self.permissions.into_values().collect(), now));
        steps.push(changes::append_step(provider, events.rows));
        steps.push(retailers::access_step(provider, self.access));
        steps.push(acts::add_step(provider, self.acts));
        steps.push(messages::add_step(self.notices));
        steps.push(links::add_step(self.links));
        let fan_out = events.numbers.map(|(first, last)| changes::fan_out_step(provider, first, last, now));
        vec![steps, fan_out.into_iter().collect()]
    }

    /// The next link of the chain.
    fn consent(&mut self, part: &Part, item: &Prepared) -> ConsentRow {
        let candidate = &item.candidate;
        self.head.ledger_seq += 1;
        let record = Record {
            number: self.head.ledger_seq,
            iys_code: self.provider,
            brand_code: part.brand.brand_code,
            consent_id: candidate.consent_id,
            kind: RecordKind::Consent,
            channel: candidate.channel,
            recipient_type: candidate.recipient_type,
            status: candidate.status,
            source: candidate.source.map(Source::Provider),
            consent_date: candidate.consent_date,
            received_at: candidate.received_at,
            recorded_at: self.now,
            retailer_code: item.retailer_code,
            recipient: item.recipient_hash,
            evidence: item.evidence_hash,
        };
        self.head.ledger_hash = entry_hash(&self.head.ledger_hash, &record);
        ConsentRow {
            id: candidate.consent_id,
            seq: self.head.ledger_seq,
            brand_code: part.brand.brand_code,
            key: item.key,
            recipient_type: candidate.recipient_type,
            channel: candidate.channel,
            status: candidate.status,
            source: candidate.source,
            consent_date: candidate.consent_date,
            retailer_code: item.retailer_code,
            door: part.door.to_owned(),
            received_at: candidate.received_at,
            recorded_at: self.now,
            sealed: item.sealed.clone(),
            recipient_hash: item.recipient_hash,
            evidence_hash: item.evidence_hash,
            hash: self.head.ledger_hash,
            evidence: Some(item.evidence.clone()),
        }
    }
}
