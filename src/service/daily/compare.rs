//! Both sides of a day side by side: the registry's file, in the order of its dates, and what is held here as registered,
//! in the same order. Whole seconds are compared, for the order inside one is the registry's own.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use iys::wire::Change;
use kopru_domain::daily::{differing, end, start};
use kopru_domain::time::parse_registry;
use kopru_domain::{
    Channel, ConsentStatus, Merge, OpenSubmission, ProviderSource, RecipientType, RegistrySide,
};
use kopru_store::daily_differences::{self, DifferenceKind, DifferenceRow};
use kopru_store::daily_reports::DailyRow;
use kopru_store::submissions::{self, SubmissionRow};
use kopru_store::{Claim, Key, Priority, ProviderKeys, Tx, consents};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::bootstrap::App;
use crate::registry::words::FeedMovement;
use crate::service::daily::{keep, of};
use crate::service::events::Subject;
use crate::service::filing::settling::Settling;
use crate::service::{ServiceError, ServiceResult, mirror, reconciliation};

/// Movements of one transaction.
const PART: usize = 1_000;
/// Differences of one kind that are kept of a day: beyond, the day is to be looked at as a whole.
const KEPT: i64 = 10_000;
/// The registry's dates have whole seconds.
const SECOND: TimeDelta = TimeDelta::seconds(1);

/// A movement of the file, as it is kept sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Theirs {
    pub recipient: String,
    pub recipient_type: RecipientType,
    #[serde(rename = "type")]
    pub channel: Channel,
    pub status: ConsentStatus,
    pub consent_date: Option<DateTime<Utc>>,
    pub source: Option<String>,
    pub creation_date: DateTime<Utc>,
    pub transaction_id: String,
}

impl Theirs {
    /// What the movement says.
    pub fn side(&self) -> RegistrySide {
        RegistrySide {
            status: self.status,
            consent_date: self.consent_date,
            source: self.source.as_deref().and_then(|source| source.parse().ok()),
            creation_date: self.creation_date,
            transaction_id: self.transaction_id.clone(),
        }
    }
}

/// A row of the file.
struct Line {
    at: DateTime<Utc>,
    /// `None`: a word of it is unknown.
    movement: Option<(Subject, FeedMovement)>,
}

/// What identifies a movement on both sides.
type Place = (String, Key);

/// Takes the file in, row by row.
pub(super) struct Comparison<'a> {
    app: &'a App,
    row: &'a mut DailyRow,
    claim: Claim,
    keys: Arc<ProviderKeys>,
    /// Rows of the seconds that are not compared yet.
    group: Vec<Line>,
    /// Rows of the file before the group.
    before: i64,
    /// The last second that is compared.
    low: DateTime<Utc>,
    /// Differences kept, by kind.
    kept: BTreeMap<DifferenceKind, i64>,
    /// The rows are not in the order of their dates: nothing can be said of what is missing, and no more is read.
    pub disordered: bool,
}

impl<'a> Comparison<'a> {
    /// Begins at the first row of the file; rows that an earlier look has done are passed over.
    pub async fn begin(app: &'a App, row: &'a mut DailyRow, claim: Claim) -> ServiceResult<Self> {
        let mut tx = app.db.read().await?;
        let keys = app.vault.keys(&mut tx, row.iys_code).await?;
        let counts = daily_differences::counts(&mut tx, of(row)).await?;
        let kept = counts.into_iter().map(|(kind, all, _)| (kind, all)).collect();
        let low = start(row.day) - SECOND;
        Ok(Self { app, row, claim, keys, group: Vec::new(), before: 0, low, kept, disordered: false })
    }

    /// Takes the next row of the file.
    pub async fn push(&mut self, change: Change) -> ServiceResult<()> {
        let last = self.group.last().map_or(self.low, |line| line.at);
        let at = parse_registry(&change.creation_date).unwrap_or(last);
        if at < last || self.disordered {
            self.disordered = true;
            return Ok(());
        }
        if self.group.len() >= PART && at > last {
            self.flush().await?;
        }
        let movement = reconciliation::read(&self.keys, self.row.brand_code, &change);
        self.group.push(Line { at, movement });
        Ok(())
    }

    /// The file has ended: what is left of the day on our side is not in it.
    pub async fn end(&mut self) -> ServiceResult<()> {
        if self.disordered {
            return Ok(());
        }
        self.flush().await?;
        let last_second = end(self.row.day) - SECOND;
        self.lost(last_second, &HashSet::new()).await
    }

    /// Compares the seconds taken in so far.
    async fn flush(&mut self) -> ServiceResult<()> {
        let group = std::mem::take(&mut self.group);
        let Some(last) = group.last().map(|line| line.at) else { return Ok(()) };
        let rows = group.len() as i64;
        if self.before + rows > self.row.movements {
            let places = group.iter().filter_map(Line::place).collect();
            self.lost(last, &places).await?;
            for part in group.chunks(PART) {
                self.before += part.len() as i64;
                if self.before > self.row.movements {
                    self.part(part).await?;
                }
            }
        } else {
            self.before += rows;
        }
        self.low = last;
        Ok(())
    }

    /// Notes what is held here as registered up to a second and is not among these movements.
    async fn lost(&mut self, until: DateTime<Utc>, places: &HashSet<Place>) -> ServiceResult<()> {
        let mut after = (self.low, Uuid::max());
        loop {
            let page = {
                let mut tx = self.app.db.read().await?;
                registered(&mut tx, self.row, after, until).await?
            };
            let Some(last) = page.last() else { return Ok(()) };
            after = (last.creation_date.unwrap_or(until), last.consent_id);
            let lost = page.iter().filter_map(|ours| {
                // Without the registry's id nothing can be said.
                let place = place(ours).filter(|place| !places.contains(place))?;
                let ours = Some((ours.consent_id, Some(ours.generation)));
                Some(Found::new(DifferenceKind::MissingThere, "lost", ours).row(place))
            });
            let lost: Vec<DifferenceRow> = lost.collect();
            if !lost.is_empty() {
                let mut tx = self.app.db.begin(Priority::Bulk).await?;
                self.row.truncated |= self.add(&mut tx, lost).await?;
                keep(&mut tx, self.app, self.row, self.claim).await?;
                tx.commit().await?;
            }
        }
    }

    /// Merges some movements into the mirror and compares each with what was filed from here, in one transaction.
    async fn part(&mut self, part: &[Line]) -> ServiceResult<()> {
        if self.app.lifecycle.is_stopping() {
            return Err(ServiceError::ShuttingDown);
        }
        let mut tx = self.app.db.begin(Priority::Bulk).await?;
        let mut settling = Settling::begin(self.app, &mut tx, self.row.iys_code).await?;
        let ours = Ours::load(&mut tx, self.row, part).await?;
        let movements: Vec<&(Subject, FeedMovement)> =
            part.iter().filter_map(|line| line.movement.as_ref()).collect();
        settling.load_keys(&mut tx, movements.iter().map(|(subject, _)| subject.key).collect()).await?;
        let mut differences = Vec::new();
        for (subject, movement) in &movements {
            let unresolved = unresolved(&mut settling, subject.key, &movement.side);
            let merge = settling.merge(subject.clone(), movement.side.clone(), "daily_file", None);
            if let Some(found) = ours.judge(subject.key, &movement.side, unresolved, merge) {
                let theirs = serde_json::to_vec(&theirs(subject, movement)).unwrap_or_default();
                let sealed = Some(mirror::seal_difference(&self.keys, &theirs));
                let row = found.row((movement.side.transaction_id.clone(), subject.key));
                differences.push(DifferenceRow { sealed, ..row });
            }
        }
        let mut next = self.row.clone();
        next.movements += part.len() as i64;
        next.unreadable += (part.len() - movements.len()) as i64;
        next.matched += (movements.len() - differences.len()) as i64;
        next.truncated |= self.add(&mut tx, differences).await?;
        settling.finish(&mut tx).await?;
        keep(&mut tx, self.app, &next, self.claim).await?;
        tx.commit().await?;
        *self.row = next;
        self.app.wake.wake();
        metrics::counter!("registry_movements_total", "feed" => "file").increment(part.len() as u64);
        Ok(())
    }

    /// Keeps differences; true where there was no room for all of their kind.
    async fn add(&mut self, tx: &mut Tx, rows: Vec<DifferenceRow>) -> ServiceResult<bool> {
        let mut by_kind: BTreeMap<DifferenceKind, Vec<DifferenceRow>> = BTreeMap::new();
        for row in rows {
            by_kind.entry(row.kind).or_default().push(row);
        }
        let mut truncated = false;
        for (kind, mut rows) in by_kind {
            let kept = self.kept.entry(kind).or_default();
            let room = usize::try_from(KEPT - *kept).unwrap_or_default();
            truncated |= rows.len() > room;
            rows.truncate(room);
            *kept += daily_differences::add(tx, of(self.row), rows).await? as i64;
        }
        Ok(truncated)
    }
}

impl Line {
    fn place(&self) -> Option<Place> {
        let (subject, movement) = self.movement.as_ref()?;
        Some((movement.side.transaction_id.clone(), subject.key))
    }
}

/// A difference without what is sealed of it.
#[derive(Debug, PartialEq, Eq)]
struct Found {
    kind: DifferenceKind,
    cause: String,
    /// The consent of ours, and which filing of it.
    ours: Option<(Uuid, Option<i64>)>,
}

impl Found {
    fn new(kind: DifferenceKind, cause: impl Into<String>, ours: Option<(Uuid, Option<i64>)>) -> Self {
        Self { kind, cause: cause.into(), ours }
    }

    /// The id is made of what the difference is about, so that the same one is found again.
    fn row(self, (transaction_id, key): Place) -> DifferenceRow {
        let (consent_id, generation) =
            self.ours.map_or((None, None), |(id, generation)| (Some(id), generation));
        let mut hash = Sha256::new();
        for text in [self.kind.as_str(), self.cause.as_str(), transaction_id.as_str()] {
            hash.update(text.as_bytes());
            hash.update([0]);
        }
        hash.update(key.0);
        hash.update(consent_id.unwrap_or_default().as_bytes());
        hash.update(generation.unwrap_or_default().to_be_bytes());
        let mut id = [0; 16];
        id.copy_from_slice(&hash.finalize()[..16]);
        DifferenceRow {
            id: Uuid::from_bytes(id),
            kind: self.kind,
            cause: self.cause,
            key,
            consent_id,
            generation,
            sealed: None,
            repaired_at: None,
            outcome: None,
        }
    }
}

/// What was filed from here in the seconds of some movements.
#[derive(Default)]
struct Ours {
    filings: HashMap<Place, Vec<SubmissionRow>>,
    sources: HashMap<Uuid, Option<ProviderSource>>,
}

impl Ours {
    async fn load(tx: &mut Tx, row: &DailyRow, part: &[Line]) -> ServiceResult<Self> {
        let (Some(first), Some(last)) = (part.first(), part.last()) else { return Ok(Self::default()) };
        let places: HashSet<Place> = part.iter().filter_map(Line::place).collect();
        let mut ours = Self::default();
        let mut ids = Vec::new();
        let mut after = (first.at - SECOND, Uuid::max());
        loop {
            let page = registered(tx, row, after, last.at).await?;
            let Some(end) = page.last() else { break };
            after = (end.creation_date.unwrap_or(last.at), end.consent_id);
            for filing in page {
                if let Some(place) = place(&filing).filter(|place| places.contains(place)) {
                    ids.push(filing.consent_id);
                    ours.filings.entry(place).or_default().push(filing);
                }
            }
        }
        ours.sources = consents::sources(tx, row.iys_code, ids).await?.into_iter().collect();
        Ok(ours)
    }

    /// How a movement of the file differs from what is known here. `unresolved` is a filing of ours whose outcome is not
    /// known and which says the same.
    fn judge(&self, key: Key, side: &RegistrySide, unresolved: Option<Uuid>, merge: Merge) -> Option<Found> {
        let by_the_registry = side.source.as_ref().is_some_and(|source| source.provider().is_none());
        if by_the_registry {
            let new = merge == Merge::Applied;
            return new.then(|| Found::new(DifferenceKind::MissingHere, "not_brought", None));
        }
        let filings = self.filings.get(&(side.transaction_id.clone(), key));
        let nearest = filings.into_iter().flatten().map(|filing| {
            let source = self.sources.get(&filing.consent_id).copied().flatten();
            (differing(filing.status, filing.wire_date, source, side), filing)
        });
        match (nearest.min_by_key(|(fields, _)| fields.len()), unresolved) {
            (Some((fields, _)), _) if fields.is_empty() => None,
            (Some((fields, filing)), _) => {
                let ours = Some((filing.consent_id, Some(filing.generation)));
                Some(Found::new(DifferenceKind::Different, fields.join(","), ours))
            }
            (None, Some(consent)) => {
                Some(Found::new(DifferenceKind::MissingHere, "outcome_unknown", Some((consent, None))))
            }
            (None, None) => Some(Found::new(DifferenceKind::MissingHere, "filed_elsewhere", None)),
        }
    }
}

/// A filing of ours that has left the house and says what a movement says.
fn unresolved(settling: &mut Settling<'_>, key: Key, side: &RegistrySide) -> Option<Uuid> {
    let said = |open: &&OpenSubmission| {
        open.state.has_left_the_house() && (open.status, open.wire_date) == (side.status, side.consent_date)
    };
    settling.states.of(key).open.iter().find(said).map(|open| open.consent_id)
}

fn theirs(subject: &Subject, movement: &FeedMovement) -> Theirs {
    let side = &movement.side;
    Theirs {
        recipient: subject.recipient.clone(),
        recipient_type: subject.recipient_type,
        channel: subject.channel,
        status: side.status,
        consent_date: side.consent_date,
        source: side.source.as_ref().map(ToString::to_string),
        creation_date: side.creation_date,
        transaction_id: side.transaction_id.clone(),
    }
}

fn place(ours: &SubmissionRow) -> Option<Place> {
    let id = ours.transaction_id.as_ref().filter(|id| !id.is_empty())?;
    Some((id.clone(), ours.key))
}

async fn registered(
    tx: &mut Tx,
    row: &DailyRow,
    after: (DateTime<Utc>, Uuid),
    until: DateTime<Utc>,
) -> ServiceResult<Vec<SubmissionRow>> {
    Ok(submissions::registered(tx, row.iys_code, row.brand_code, after, until, PART as i64).await?)
}

/// Whether anything is held here as registered on a day.
pub(super) async fn any_registered(app: &App, row: &DailyRow) -> ServiceResult<bool> {
    let mut tx = app.db.read().await?;
    let after = (start(row.day) - SECOND, Uuid::max());
    Ok(!registered(&mut tx, row, after, end(row.day) - SECOND).await?.is_empty())
}

#[cfg(test)]
mod tests {
    use kopru_domain::{BrandCode, IysCode, SubmissionState};

    use super::*;

    const KEY: Key = Key([1; 16]);

    fn at() -> DateTime<Utc> {
        start("2026-11-20".parse().unwrap())
    }

    fn side(status: ConsentStatus, source: &str) -> RegistrySide {
        RegistrySide {
            status,
            consent_date: Some(at()),
            source: source.parse().ok(),
            creation_date: at(),
            transaction_id: "t".to_owned(),
        }
    }

    fn ours(rows: &[(ConsentStatus, &str)]) -> Ours {
        let mut ours = Ours::default();
        for (number, (status, source)) in rows.iter().enumerate() {
            let consent_id = Uuid::from_u128(number as u128);
            ours.sources.insert(consent_id, source.parse().ok());
            ours.filings.entry(("t".to_owned(), KEY)).or_default().push(SubmissionRow {
                iys_code: IysCode(1),
                consent_id,
                generation: 1,
                brand_code: BrandCode(1),
                key: KEY,
                channel: Channel::Message,
                status: *status,
                state: SubmissionState::Registered,
                code: None,
                ordered_at: at(),
                wire_date: Some(at()),
                target_at: at(),
                legal_at: at(),
                latest_at: at(),
                calendar: String::new(),
                late: false,
                at_risk: false,
                attempt: 1,
                next_attempt_at: at(),
                wire: None,
                batch_id: None,
                batch_index: None,
                transaction_id: Some("t".to_owned()),
                creation_date: Some(at()),
                cause: None,
                claim: None,
            });
        }
        ours
    }

    fn cause(ours: &Ours, side: &RegistrySide, unresolved: Option<Uuid>, merge: Merge) -> Option<String> {
        ours.judge(KEY, side, unresolved, merge).map(|found| found.cause)
    }

    #[test]
    fn what_was_filed_from_here_is_compared_field_by_field() {
        use ConsentStatus::{Approval, Rejection};
        let held = side(Approval, "HS_WEB");
        assert_eq!(cause(&ours(&[(Approval, "HS_WEB")]), &held, None, Merge::Same), None);
        let other = ours(&[(Approval, "HS_ATM")]);
        assert_eq!(cause(&other, &held, None, Merge::Same).as_deref(), Some("source"));
        assert_eq!(other.judge(KEY, &held, None, Merge::Same).unwrap().kind, DifferenceKind::Different);
        // Movements of one second share an id: the nearest filing is meant.
        let two = ours(&[(Rejection, "HS_WEB"), (Approval, "HS_WEB")]);
        assert_eq!(cause(&two, &held, None, Merge::Same), None);
        assert_eq!(cause(&two, &side(Rejection, "HS_WEB"), None, Merge::Stale), None);
    }

    #[test]
    fn what_nobody_filed_here_is_named_by_how_it_came() {
        let none = Ours::default();
        let held = side(ConsentStatus::Approval, "HS_WEB");
        assert_eq!(cause(&none, &held, None, Merge::Applied).as_deref(), Some("filed_elsewhere"));
        let unknown = Some(Uuid::nil());
        assert_eq!(cause(&none, &held, unknown, Merge::Applied).as_deref(), Some("outcome_unknown"));
        let citizen = side(ConsentStatus::Rejection, "IYS_WEB");
        assert_eq!(cause(&none, &citizen, None, Merge::Applied).as_deref(), Some("not_brought"));
        assert_eq!(cause(&none, &citizen, None, Merge::Same), None, "the pull has brought it");
        assert_eq!(cause(&none, &citizen, None, Merge::Stale), None, "and a later one");
    }

    #[test]
    fn the_same_difference_has_the_same_id() {
        let row = |cause: &str, key| {
            Found::new(DifferenceKind::MissingHere, cause, None).row(("t".to_owned(), key)).id
        };
        assert_eq!(row("not_brought", KEY), row("not_brought", KEY));
        assert_ne!(row("not_brought", KEY), row("filed_elsewhere", KEY));
        assert_ne!(row("not_brought", KEY), row("not_brought", Key([2; 16])));
    }
}
