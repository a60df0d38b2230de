//! The rows of the queue: what they hold, and how they are written and read.

use chrono::{DateTime, Utc};
use kopru_domain::{Admitted, BrandCode, Channel, ConsentStatus, IysCode, ProviderSource, SubmissionState};
use uuid::Uuid;

use crate::consents::ConsentRow;
use crate::error::Result;
use crate::sql::{Row, Value};
use crate::{Claim, Insert, Key, args};

/// The columns of a filing that nobody has worked on.
macro_rules! fresh {
    () => {
        "iys_code, consent_id, generation, brand_code, key, channel, status, state, code, ordered_at, wire_date, target_at, legal_at, latest_at, calendar, late, at_risk, next_attempt_at, cause, updated_at"
    };
}

/// How many these are.
const FRESH: usize = 20;

/// The types of these and of the others.
const COLUMNS: &[&str] = &[
    "bigint",
    "uuid",
    "bigint",
    "bigint",
    "bytea",
    "text",
    "text",
    "text",
    "text",
    "timestamptz",
    "timestamptz",
    "timestamptz",
    "timestamptz",
    "timestamptz",
    "text",
    "boolean",
    "boolean",
    "timestamptz",
    "text",
    "timestamptz",
    // The others
    "bigint",
    "uuid",
    "timestamptz",
    "bytea",
    "uuid",
    "bigint",
    "text",
    "timestamptz",
];

pub(super) static ADD: Insert = Insert {
    head: concat!("INSERT INTO submissions (", fresh!(), ")"),
    types: COLUMNS.split_at(FRESH).0,
    tail: "",
};

/// Every column: an upsert is the one bulk update that is fast and the same on both databases.
pub(super) static SAVE: Insert = Insert {
    head: concat!("INSERT INTO submissions (", fresh!(), ", attempt, claimed_by, lease_until, wire, batch_id, batch_index, transaction_id, creation_date)"),
    types: COLUMNS,
    tail: concat!("ON CONFLICT (iys_code, consent_id, generation) DO UPDATE SET state = excluded.state, code = excluded.code,
        wire_date = excluded.wire_date, late = excluded.late, at_risk = (submissions.at_risk OR excluded.at_risk), attempt = excluded.attempt,
        next_attempt_at = excluded.next_attempt_at,
        claimed_by = excluded.claimed_by, lease_until = excluded.lease_until, wire = excluded.wire, batch_id = excluded.batch_id,
        batch_index = excluded.batch_index, transaction_id = excluded.transaction_id, creation_date = excluded.creation_date,
        cause = excluded.cause, updated_at = excluded.updated_at
        WHERE ", open!("submissions."), "
        RETURNING consent_id"),
};

/// An update from the rows of a WITH, named by whole keys: both databases look each up.
pub(super) static REGISTER: Insert = Insert {
    head: "WITH recorded (iys_code, consent_id, generation, transaction_id, creation_date, updated_at) AS (",
    types: &["bigint", "uuid", "bigint", "text", "timestamptz", "timestamptz"],
    tail: concat!(") UPDATE submissions SET state = 'registered', code = NULL, transaction_id = r.transaction_id, creation_date = r.creation_date,
        claimed_by = NULL, lease_until = NULL, wire = NULL, batch_id = NULL, batch_index = NULL, cause = NULL, updated_at = r.updated_at
        FROM recorded AS r
        WHERE submissions.iys_code = r.iys_code AND submissions.consent_id = r.consent_id AND submissions.generation = r.generation
            AND ", open!("")),
};

/// The bulk inserts of this module by name.
pub(crate) static INSERTS: &[(&str, &Insert)] = &[("ADD", &ADD), ("SAVE", &SAVE), ("REGISTER", &REGISTER)];

/// How much one claim takes, and whether as a batch.
#[derive(Debug, Clone, Copy)]
pub struct Portion {
    /// So many rows at most.
    pub limit: i64,
    /// Up to so many stay singles; more become the items of the batch.
    pub singles: i64,
    /// The id of the batch that they may become.
    pub batch: Uuid,
}

/// One filing.
#[derive(Debug, Clone)]
pub struct SubmissionRow {
    /// Provider.
    pub iys_code: IysCode,
    /// The consent that is filed.
    pub consent_id: Uuid,
    /// 1 for the first filing, one more for each redrive.
    pub generation: i64,
    /// Brand.
    pub brand_code: BrandCode,
    /// Blind name of the address.
    pub key: Key,
    /// Channel.
    pub channel: Channel,
    /// ONAY or RET.
    pub status: ConsentStatus,
    /// Where it stands.
    pub state: SubmissionState,
    /// H-code or a code of ours that explains the state.
    pub code: Option<String>,
    /// Place inside the key: true time, or arrival.
    pub ordered_at: DateTime<Utc>,
    /// The date told to the registry.
    pub wire_date: Option<DateTime<Utc>>,
    /// Strictest reading of the deadline.
    pub target_at: DateTime<Utc>,
    /// Its legal reading.
    pub legal_at: DateTime<Utc>,
    /// Its most lenient reading.
    pub latest_at: DateTime<Utc>,
    /// Version of the calendar behind the three.
    pub calendar: String,
    /// A RET that went with the present time because it was late.
    pub late: bool,
    /// `deadline.at_risk` was told.
    pub at_risk: bool,
    /// Tries so far.
    pub attempt: i64,
    /// Not before (business time).
    pub next_attempt_at: DateTime<Utc>,
    /// The exact bytes of a single add, sealed, until the outcome is known.
    pub wire: Option<Vec<u8>>,
    /// The batch it travels in.
    pub batch_id: Option<Uuid>,
    /// Its place there.
    pub batch_index: Option<i64>,
    /// The registry's id of the movement.
    pub transaction_id: Option<String>,
    /// When the registry recorded it.
    pub creation_date: Option<DateTime<Utc>>,
    /// Why it is held.
    pub cause: Option<String>,
    /// The claim, when somebody works on it.
    pub claim: Option<Claim>,
}

impl SubmissionRow {
    /// The first filing of a consent that the rules admitted; `ordered_at` is its true time, or its arrival.
    pub fn first(
        provider: IysCode,
        consent: &ConsentRow,
        ordered_at: DateTime<Utc>,
        admitted: &Admitted,
        calendar: &str,
    ) -> Self {
        Self {
            iys_code: provider,
            consent_id: consent.id,
            generation: 1,
            brand_code: consent.brand_code,
            key: consent.key,
            channel: consent.channel,
            status: consent.status,
            state: admitted.state,
            code: admitted.code.as_ref().map(|code| code.as_str().to_owned()),
            ordered_at,
            wire_date: admitted.wire_date,
            target_at: admitted.deadline.target,
            legal_at: admitted.deadline.legal,
            latest_at: admitted.deadline.latest,
            calendar: calendar.to_owned(),
            late: false,
            at_risk: false,
            attempt: 0,
            next_attempt_at: consent.recorded_at,
            wire: None,
            batch_id: None,
            batch_index: None,
            transaction_id: None,
            creation_date: None,
            cause: admitted.held.map(|cause| cause.as_str().to_owned()),
            claim: None,
        }
    }

    /// The next filing of a consent whose last one is this and has ended.
    pub fn again(self, wire_date: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Self {
        Self {
            generation: self.generation + 1,
            state: SubmissionState::Queued,
            code: None,
            wire_date,
            attempt: 0,
            next_attempt_at: now,
            wire: None,
            batch_id: None,
            batch_index: None,
            transaction_id: None,
            creation_date: None,
            cause: None,
            claim: None,
            ..self
        }
    }
}

/// Which ended filings are looked for.
#[derive(Debug, Clone)]
pub struct EndedFilter {
    /// Ended in these states; [`SubmissionState::Registered`] is never found.
    pub states: Vec<SubmissionState>,
    /// With one of these codes; empty = whatever the code.
    pub codes: Vec<String>,
    /// Ended at this instant or later (business time).
    pub from: Option<DateTime<Utc>>,
    /// Ended before this instant.
    pub to: Option<DateTime<Utc>>,
}

/// What of a key has not ended yet.
#[derive(Debug, Clone)]
pub struct OpenRow {
    /// Blind name of the address.
    pub key: Key,
    /// Consent.
    pub consent_id: Uuid,
    /// Generation.
    pub generation: i64,
    /// ONAY or RET.
    pub status: ConsentStatus,
    /// True time, or arrival.
    pub ordered_at: DateTime<Utc>,
    /// The date told to the registry.
    pub wire_date: Option<DateTime<Utc>>,
    /// State, never terminal.
    pub state: SubmissionState,
    /// Declared source.
    pub source: Option<ProviderSource>,
    /// Why it is held, or waits for others to act.
    pub cause: Option<String>,
    /// Why, in the registry's words or ours.
    pub code: Option<String>,
}

/// A filter of the list.
#[derive(Debug, Clone, Default)]
pub struct ListFilter {
    /// Only this state.
    pub state: Option<SubmissionState>,
    /// Only this code.
    pub code: Option<String>,
    /// Only targets up to here.
    pub due_until: Option<DateTime<Utc>>,
}

/// The values of [`ADD`].
pub(super) fn fresh(row: SubmissionRow, now: DateTime<Utc>) -> Vec<Value> {
    debug_assert!(
        row.attempt == 0 && row.claim.is_none() && row.wire.is_none() && row.batch_id.is_none(),
        "somebody has worked on it"
    );
    debug_assert!(row.transaction_id.is_none() && row.creation_date.is_none(), "it is registered");
    first_values(row, now)
}

/// The values of [`SAVE`].
pub(super) fn values(mut row: SubmissionRow, now: DateTime<Utc>) -> Vec<Value> {
    let (wire, transaction_id) = (row.wire.take(), row.transaction_id.take());
    let (by, until) = (row.claim.map(|claim| claim.by), row.claim.map(|claim| claim.until));
    let others =
        args![row.attempt, by, until, wire, row.batch_id, row.batch_index, transaction_id, row.creation_date];
    let mut values = first_values(row, now);
    values.extend(others);
    values
}

fn first_values(row: SubmissionRow, now: DateTime<Utc>) -> Vec<Value> {
    args![
        row.iys_code,
        row.consent_id,
        row.generation,
        row.brand_code,
        row.key,
        row.channel,
        row.status,
        row.state,
        row.code,
        row.ordered_at,
        row.wire_date,
        row.target_at,
        row.legal_at,
        row.latest_at,
        row.calendar,
        row.late,
        row.at_risk,
        row.next_attempt_at,
        row.cause,
        now
    ]
}

pub(super) fn recorded(row: SubmissionRow, now: DateTime<Utc>) -> Vec<Value> {
    args![row.iys_code, row.consent_id, row.generation, row.transaction_id, row.creation_date, now]
}

pub(crate) fn read_open(row: &Row) -> Result<OpenRow> {
    Ok(OpenRow {
        key: row.key(0)?,
        consent_id: row.get(1)?,
        generation: row.get(2)?,
        status: row.word(3)?,
        ordered_at: row.get(4)?,
        wire_date: row.get(5)?,
        state: row.word(6)?,
        source: row.word_opt(7)?,
        cause: row.get(8)?,
        code: row.get(9)?,
    })
}

pub(super) fn read(row: &Row) -> Result<SubmissionRow> {
    Ok(SubmissionRow {
        consent_id: row.get(0)?,
        generation: row.get(1)?,
        brand_code: BrandCode(row.get(2)?),
        key: row.key(3)?,
        channel: row.word(4)?,
        status: row.word(5)?,
        state: row.word(6)?,
        code: row.get(7)?,
        ordered_at: row.get(8)?,
        wire_date: row.get(9)?,
        target_at: row.get(10)?,
        legal_at: row.get(11)?,
        latest_at: row.get(12)?,
        calendar: row.get(13)?,
        late: row.get(14)?,
        at_risk: row.get(15)?,
        attempt: row.get(16)?,
        next_attempt_at: row.get(17)?,
        wire: row.get(18)?,
        batch_id: row.get(19)?,
        batch_index: row.get(20)?,
        transaction_id: row.get(21)?,
        creation_date: row.get(22)?,
        cause: row.get(23)?,
        iys_code: IysCode(row.get(24)?),
        claim: None,
    })
}
