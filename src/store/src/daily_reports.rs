//! Daily reconciliation, one row a brand and day. While a day is due, this table is the queue.

use chrono::{DateTime, NaiveDate, Utc};
use kopru_domain::{BrandCode, IysCode};

use crate::error::{Result, StoreError};
use crate::{Claim, Insert, Tx, args, sql::Row, statements};

/// The columns of [`DailyRow`], as [`read`] expects them.
macro_rules! row {
    () => {
        "iys_code, brand_code, day, state, problem, last_error, next_attempt_at, attempt, created_at, hash, movements, matched, \
         unreadable, missing_there, missing_here, differing, unrepaired, truncated, compared_at, summary, agreed, agreed_at, \
         time_stamp, stamped_at, stamp_fits"
    };
}

statements! {
    CLAIM = concat!("WITH due AS MATERIALIZED (
              SELECT r.iys_code AS p, r.brand_code AS b, r.day AS d FROM daily_reports r {by daily_reports_due}
              WHERE r.state = 'due' AND r.next_attempt_at <= $1 AND (r.lease_until IS NULL OR r.lease_until < $2)
                AND EXISTS (SELECT 1 FROM brands k WHERE k.iys_code = r.iys_code AND k.brand_code = r.brand_code AND k.state = 'active')
              ORDER BY r.next_attempt_at, r.day LIMIT 1 {skip_locked})
        UPDATE daily_reports SET claimed_by = $3, lease_until = $4, attempt = attempt + 1 FROM due
        WHERE iys_code = p AND brand_code = b AND day = d
        RETURNING ", row!());
    /// Once both sides are compared, repairs count down beside the work that is left.
    SAVE = "UPDATE daily_reports SET state = $5, problem = $6, last_error = $7, next_attempt_at = $8, attempt = $9, hash = $10, movements = $11,
            matched = $12, unreadable = $13, missing_there = $14, missing_here = $15, differing = $16, unrepaired = CASE WHEN compared_at IS NULL THEN $17 ELSE unrepaired END, truncated = $18,
            compared_at = $19, summary = $20, agreed = $21, agreed_at = $22, time_stamp = $23, stamped_at = $24, stamp_fits = $25,
            claimed_by = $26, lease_until = $27
        WHERE iys_code = $1 AND brand_code = $2 AND day = $3 AND claimed_by = $4";
    /// What nobody works on just now.
    REFUSE = "UPDATE daily_reports SET state = 'not_permitted', problem = NULL, last_error = $3
        WHERE iys_code = $1 AND brand_code = $2 AND state = 'due' AND claimed_by IS NULL AND compared_at IS NULL";
    REFUSED = "SELECT DISTINCT d.iys_code, d.brand_code FROM daily_reports d {by daily_reports_by_day}
        WHERE d.day >= $1 AND d.state = 'not_permitted' AND NOT EXISTS (SELECT 1 FROM brand_rights r
            WHERE r.iys_code = d.iys_code AND r.brand_code = d.brand_code AND r.agreement_control)";
    FIND = concat!("SELECT ", row!(), " FROM daily_reports WHERE iys_code = $1 AND brand_code = $2 AND day = $3");
    LIST = concat!("SELECT ", row!(), " FROM daily_reports WHERE iys_code = $1 AND brand_code = $2 AND day < $3 ORDER BY day DESC LIMIT $4");
    REPAIRED = "UPDATE daily_reports SET unrepaired = unrepaired - $4 WHERE iys_code = $1 AND brand_code = $2 AND day = $3";
    AGAIN = "UPDATE daily_reports SET state = 'due', problem = NULL, last_error = NULL, next_attempt_at = $4, attempt = 0, hash = NULL, movements = 0,
            matched = 0, unreadable = 0, missing_there = 0, missing_here = 0, differing = 0, unrepaired = 0, truncated = FALSE, compared_at = NULL
        WHERE iys_code = $1 AND brand_code = $2 AND day = $3 AND claimed_by IS NULL";
    STANDINGS = "SELECT state, coalesce(problem, ''), count(*), coalesce(sum(CASE WHEN unrepaired > 0 THEN 1 ELSE 0 END), 0)
        FROM daily_reports {by daily_reports_by_day} WHERE day >= $1 GROUP BY state, problem";
}

static ADD: Insert = Insert {
    head: "INSERT INTO daily_reports (iys_code, brand_code, day, state, next_attempt_at, attempt, created_at, movements, matched, unreadable, missing_there, missing_here, differing, unrepaired, truncated, agreed)",
    types: &[
        "bigint",
        "bigint",
        "text",
        "text",
        "timestamptz",
        "bigint",
        "timestamptz",
        "bigint",
        "bigint",
        "bigint",
        "bigint",
        "bigint",
        "bigint",
        "bigint",
        "boolean",
        "boolean",
    ],
    tail: "ON CONFLICT (iys_code, brand_code, day) DO NOTHING",
};

/// The bulk inserts of this module by name.
pub(crate) static INSERTS: &[(&str, &Insert)] = &[("ADD", &ADD)];

/// Where a day stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DailyState {
    /// Something is still to be done.
    Due,
    /// Both sides were compared, and what belongs to it is kept.
    Done,
    /// The account may not read the brand's reports.
    NotPermitted,
    /// The registry does not tell of the day any more.
    Lapsed,
}

impl DailyState {
    /// The word in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Due => "due",
            Self::Done => "done",
            Self::NotPermitted => "not_permitted",
            Self::Lapsed => "lapsed",
        }
    }

    fn from_word(word: &str) -> Result<Self> {
        [Self::Due, Self::Done, Self::NotPermitted, Self::Lapsed]
            .into_iter()
            .find(|state| state.as_str() == word)
            .ok_or_else(|| StoreError::corrupt("daily_reports", word))
    }
}

/// Why a due day is not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DailyProblem {
    /// The registry has not made its file yet.
    Awaited,
    /// The file's hash is not the one that the registry names.
    HashMismatch,
    /// The file cannot be read.
    Unreadable,
    /// The registry, or this service, failed.
    Failed,
}

impl DailyProblem {
    /// The word in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Awaited => "awaited",
            Self::HashMismatch => "hash_mismatch",
            Self::Unreadable => "unreadable",
            Self::Failed => "failed",
        }
    }

    fn from_word(word: &str) -> Result<Self> {
        [Self::Awaited, Self::HashMismatch, Self::Unreadable, Self::Failed]
            .into_iter()
            .find(|problem| problem.as_str() == word)
            .ok_or_else(|| StoreError::corrupt("daily_reports", word))
    }
}

/// One day of one brand.
#[derive(Debug, Clone)]
pub struct DailyRow {
    /// Provider.
    pub iys_code: IysCode,
    /// Brand.
    pub brand_code: BrandCode,
    /// The day, by Turkey's calendar.
    pub day: NaiveDate,
    /// Where it stands.
    pub state: DailyState,
    /// What it waits for, or what is wrong.
    pub problem: Option<DailyProblem>,
    /// What went wrong last; of a refusal the registry's code.
    pub last_error: Option<String>,
    /// Not before (business time).
    pub next_attempt_at: DateTime<Utc>,
    /// Tries since something last went well.
    pub attempt: i64,
    /// When it was planned (business time).
    pub created_at: DateTime<Utc>,
    /// SHA-384 of the file, found equal to the registry's own.
    pub hash: Option<Vec<u8>>,
    /// Rows of the file that are done.
    pub movements: i64,
    /// Of these, those that were known here as the file has them.
    pub matched: i64,
    /// Of these, those with words that this version does not know.
    pub unreadable: i64,
    /// Held here as registered, and not in the file.
    pub missing_there: i64,
    /// In the file, and not known here.
    pub missing_here: i64,
    /// On both sides, and not the same.
    pub differing: i64,
    /// Differences that nothing was done about yet.
    pub unrepaired: i64,
    /// There are more differences than are kept.
    pub truncated: bool,
    /// When both sides had been compared (business time).
    pub compared_at: Option<DateTime<Utc>>,
    /// The registry's own counts, JSON.
    pub summary: Option<String>,
    /// The registry has noted that the provider agrees.
    pub agreed: bool,
    /// When this service told it so (business time); `None` where somebody else did.
    pub agreed_at: Option<DateTime<Utc>>,
    /// The RFC 3161 response as it came.
    pub time_stamp: Option<Vec<u8>>,
    /// When it says it was made.
    pub stamped_at: Option<DateTime<Utc>>,
    /// Whether it is about this file.
    pub stamp_fits: Option<bool>,
}

/// A day to be planned for a brand.
#[derive(Debug, Clone, Copy)]
pub struct NewDay {
    /// Provider.
    pub iys_code: IysCode,
    /// Brand.
    pub brand_code: BrandCode,
    /// The day.
    pub day: NaiveDate,
    /// Not before (business time).
    pub due_at: DateTime<Utc>,
}

/// Plans days; those that are planned already stay as they are. Returns how many were new.
pub async fn add(tx: &mut Tx, days: &[NewDay], now: DateTime<Utc>) -> Result<u64> {
    let rows = days.iter().map(|new| {
        let zero = 0_i64;
        args![
            new.iys_code,
            new.brand_code,
            new.day.to_string(),
            "due",
            new.due_at,
            zero,
            now,
            zero,
            zero,
            zero,
            zero,
            zero,
            zero,
            zero,
            false,
            false
        ]
    });
    tx.insert(&ADD, rows.collect()).await
}

/// Claims the day that is most overdue.
pub async fn claim(
    tx: &mut Tx,
    business_now: DateTime<Utc>,
    wire_now: DateTime<Utc>,
    claim: Claim,
) -> Result<Option<DailyRow>> {
    tx.row(&CLAIM, args![business_now, wire_now, claim.by, claim.until])
        .await?
        .map(|row| read(&row))
        .transpose()
}

/// Writes a claimed day back and keeps it until `lease_until`, or gives it back; false when the claim was lost.
pub async fn save(
    tx: &mut Tx,
    row: &DailyRow,
    claim: Claim,
    lease_until: Option<DateTime<Utc>>,
) -> Result<bool> {
    let args = args![
        row.iys_code,
        row.brand_code,
        row.day.to_string(),
        claim.by,
        row.state.as_str(),
        row.problem.map(DailyProblem::as_str),
        row.last_error.as_deref(),
        row.next_attempt_at,
        row.attempt,
        row.hash.clone(),
        row.movements,
        row.matched,
        row.unreadable,
        row.missing_there,
        row.missing_here,
        row.differing,
        row.unrepaired,
        row.truncated,
        row.compared_at,
        row.summary.as_deref(),
        row.agreed,
        row.agreed_at,
        row.time_stamp.clone(),
        row.stamped_at,
        row.stamp_fits,
        lease_until.map(|_| claim.by),
        lease_until
    ];
    Ok(tx.execute(&SAVE, args).await? == 1)
}

/// Ends the other due days of a brand whose reports may not be read; `code` says why.
pub async fn refuse(tx: &mut Tx, provider: IysCode, brand: BrandCode, code: &str) -> Result<u64> {
    tx.execute(&REFUSE, args![provider, brand, code]).await
}

/// The brands that were refused for a day since `since`.
pub async fn refused(tx: &mut Tx, since: NaiveDate) -> Result<Vec<(IysCode, BrandCode)>> {
    let rows = tx.rows(&REFUSED, args![since.to_string()]).await?;
    rows.iter().map(|row| Ok((IysCode(row.get(0)?), BrandCode(row.get(1)?)))).collect()
}

/// One day.
pub async fn find(
    tx: &mut Tx,
    provider: IysCode,
    brand: BrandCode,
    day: NaiveDate,
) -> Result<Option<DailyRow>> {
    tx.row(&FIND, args![provider, brand, day.to_string()]).await?.map(|row| read(&row)).transpose()
}

/// Days of a brand before a day, the latest first.
pub async fn list(
    tx: &mut Tx,
    provider: IysCode,
    brand: BrandCode,
    before: NaiveDate,
    limit: i64,
) -> Result<Vec<DailyRow>> {
    tx.rows(&LIST, args![provider, brand, before.to_string(), limit]).await?.iter().map(read).collect()
}

/// Notes that something was done about some of a day's differences.
pub async fn repaired(
    tx: &mut Tx,
    provider: IysCode,
    brand: BrandCode,
    day: NaiveDate,
    count: i64,
) -> Result<()> {
    tx.execute(&REPAIRED, args![provider, brand, day.to_string(), count]).await.map(drop)
}

/// Makes a day due as if nothing of it had been read; false where somebody works on it.
pub async fn again(
    tx: &mut Tx,
    provider: IysCode,
    brand: BrandCode,
    day: NaiveDate,
    now: DateTime<Utc>,
) -> Result<bool> {
    Ok(tx.execute(&AGAIN, args![provider, brand, day.to_string(), now]).await? == 1)
}

/// How many days stand how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// State.
    pub state: DailyState,
    /// Problem.
    pub problem: Option<DailyProblem>,
    /// Days.
    pub days: i64,
    /// Of these, those with differences that nothing was done about.
    pub unrepaired: i64,
}

/// How the days since `since` stand, over all brands.
pub async fn standings(tx: &mut Tx, since: NaiveDate) -> Result<Vec<Standing>> {
    let rows = tx.rows(&STANDINGS, args![since.to_string()]).await?;
    rows.iter()
        .map(|row| {
            let problem: String = row.get(1)?;
            Ok(Standing {
                state: DailyState::from_word(&row.get::<String>(0)?)?,
                problem: (!problem.is_empty()).then(|| DailyProblem::from_word(&problem)).transpose()?,
                days: row.get(2)?,
                unrepaired: row.get(3)?,
            })
        })
        .collect()
}

fn read(row: &Row) -> Result<DailyRow> {
    let day: String = row.get(2)?;
    let problem: Option<String> = row.get(4)?;
    Ok(DailyRow {
        iys_code: IysCode(row.get(0)?),
        brand_code: BrandCode(row.get(1)?),
        day: day.parse().map_err(|_| StoreError::corrupt("daily_reports", &day))?,
        state: DailyState::from_word(&row.get::<String>(3)?)?,
        problem: problem.as_deref().map(DailyProblem::from_word).transpose()?,
        last_error: row.get(5)?,
        next_attempt_at: row.get(6)?,
        attempt: row.get(7)?,
        created_at: row.get(8)?,
        hash: row.get(9)?,
        movements: row.get(10)?,
        matched: row.get(11)?,
        unreadable: row.get(12)?,
        missing_there: row.get(13)?,
        missing_here: row.get(14)?,
        differing: row.get(15)?,
        unrepaired: row.get(16)?,
        truncated: row.get(17)?,
        compared_at: row.get(18)?,
        summary: row.get(19)?,
        agreed: row.get(20)?,
        agreed_at: row.get(21)?,
        time_stamp: row.get(22)?,
        stamped_at: row.get(23)?,
        stamp_fits: row.get(24)?,
    })
}
