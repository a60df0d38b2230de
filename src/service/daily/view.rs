//! Daily reports as they are shown.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};
use kopru_domain::time::format_rfc3339;
use kopru_domain::{Lang, Text};
use kopru_store::brands::BrandRow;
use kopru_store::consents::{self, ConsentRow};
use kopru_store::daily_differences::{self, DayOf, DifferenceKind};
use kopru_store::daily_reports::{self, DailyProblem, DailyRow, DailyState};
use kopru_store::submissions::SubmissionRow;
use kopru_store::{Priority, ProviderKeys};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::bootstrap::App;
use crate::service::consents::{Showing, note_shown};
use crate::service::daily::compare::Theirs;
use crate::service::daily::is_equal;
use crate::service::daily::repair::Case;
use crate::service::mirror::{self, KeyStates};
use crate::service::{Caller, Scope, ServiceError, ServiceResult, providers};

/// One day of a brand.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DailyReport {
    /// The provider's number at the registry.
    pub iys_code: i64,
    /// The brand's number at the registry.
    pub brand_code: i64,
    /// The day, by Turkey's calendar.
    #[schema(example = "2026-11-20")]
    pub date: String,
    /// `equal`, `different`, `awaited` (the registry has not made its file yet), `hash_mismatch`, `unreadable`, `failed`,
    /// `not_permitted` or `lapsed`.
    #[schema(value_type = String, example = "equal")]
    pub status: &'static str,
    /// What that means, in the language asked for.
    #[schema(value_type = String)]
    pub title: &'static str,
    /// What went wrong last; of `not_permitted` the registry's code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// When the registry is asked next, while there is something to ask.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_look_at: Option<String>,
    /// Rows of the registry's file that are read: all movements of the day, whoever made them.
    pub movements: i64,
    /// Of these, those that were known here as the file has them.
    pub matched: i64,
    /// Of these, those with words that this version does not know.
    pub unreadable: i64,
    /// Confirmed to this service by the registry, and not in its file.
    pub missing_there: i64,
    /// In the file, and not known here: filed by somebody else, or told of by neither pull nor push.
    pub missing_here: i64,
    /// On both sides, and not the same.
    pub different: i64,
    /// Differences that nothing was done about yet.
    pub unrepaired: i64,
    /// There are more differences than are kept.
    pub truncated: bool,
    /// When both sides had been compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compared_at: Option<String>,
    /// SHA-384 of the file, found equal to the registry's own; hexadecimal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha384: Option<String>,
    /// The registry has noted that the provider agrees to the day.
    pub agreed: bool,
    /// When this service told it so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agreed_at: Option<String>,
    /// The registry's time stamp of the file, where it is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_stamp: Option<TimeStampView>,
    /// The registry's own counts of the day by kind of recipient, as it gave them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub summary: Option<serde_json::Value>,
}

/// A time stamp that is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TimeStampView {
    /// When it says it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// Whether it is about this file: its hash is the file's.
    pub fits: bool,
}

/// A difference, with what is proposed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DifferenceView {
    /// Identity.
    pub id: Uuid,
    /// `missing_there`, `missing_here` or `different`.
    #[schema(value_type = String, example = "missing_here")]
    pub kind: &'static str,
    /// More exactly: `lost`, `filed_elsewhere`, `not_brought`, `outcome_unknown`; or the fields that differ.
    #[schema(example = "filed_elsewhere")]
    pub cause: String,
    /// The address, masked unless the key has `recipients:read`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recipient: Option<String>,
    /// `BIREYSEL` or `TACIR`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub recipient_type: Option<&'static str>,
    /// `ARAMA`, `MESAJ` or `EPOSTA`.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub channel: Option<&'static str>,
    /// The consent of ours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consent_id: Option<Uuid>,
    /// What was filed from here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ours: Option<MovementView>,
    /// What the file has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registry: Option<MovementView>,
    /// What a repair would do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proposal: Option<ProposalView>,
    /// When something was done about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repaired_at: Option<String>,
    /// The reason of what was done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
}

/// A movement as one side has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MovementView {
    /// `ONAY` or `RET`.
    #[schema(value_type = String)]
    pub status: &'static str,
    /// When the person decided, RFC 3339 with +03:00.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consent_date: Option<String>,
    /// Where it was taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// When the registry recorded it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub creation_date: Option<String>,
    /// The registry's id of the movement.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transaction_id: Option<String>,
}

/// What a repair would do about a difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ProposalView {
    /// `redrive`, `ask_status`, `apply_movement`, `acknowledge` or `wait`.
    #[schema(value_type = String, example = "redrive")]
    pub action: &'static str,
    /// Why, in the language asked for.
    #[schema(value_type = String)]
    pub title: &'static str,
}

impl DailyReport {
    fn new(row: DailyRow, lang: Lang) -> Self {
        let (status, title) = status(&row);
        let date = |at: Option<DateTime<Utc>>| at.map(format_rfc3339);
        let stamped = row.time_stamp.is_some();
        Self {
            iys_code: row.iys_code.0,
            brand_code: row.brand_code.0,
            date: row.day.to_string(),
            status,
            title: if lang == Lang::Tr { title.0 } else { title.1 },
            error: row.last_error,
            next_look_at: (row.state == DailyState::Due).then(|| format_rfc3339(row.next_attempt_at)),
            movements: row.movements,
            matched: row.matched,
            unreadable: row.unreadable,
            missing_there: row.missing_there,
            missing_here: row.missing_here,
            different: row.differing,
            unrepaired: row.unrepaired,
            truncated: row.truncated,
            compared_at: date(row.compared_at),
            sha384: row.hash.map(hex::encode),
            agreed: row.agreed,
            agreed_at: date(row.agreed_at),
            time_stamp: stamped.then(|| TimeStampView {
                at: date(row.stamped_at),
                fits: row.stamp_fits.unwrap_or_default(),
            }),
            summary: row.summary.as_deref().and_then(|json| serde_json::from_str(json).ok()),
        }
    }
}

/// The status of a day, and what it means in both languages.
fn status(row: &DailyRow) -> (&'static str, (&'static str, &'static str)) {
    match (row.state, row.problem) {
        (DailyState::NotPermitted, _) => (
            "not_permitted",
            (
                "hesabın bu marka için mutabakat yetkisi yok; hizmet sağlayıcı İYS panelinde vermelidir",
                "the account may not read the brand's daily reports; the provider grants it in the registry's panel",
            ),
        ),
        (DailyState::Lapsed, _) => (
            "lapsed",
            (
                "gün karşılaştırılamadan İYS'nin süresi doldu",
                "the registry stopped telling of the day before it was compared",
            ),
        ),
        _ if row.compared_at.is_some() && is_equal(row) => {
            ("equal", ("iki taraf aynı", "both sides are the same"))
        }
        _ if row.compared_at.is_some() => ("different", ("iki taraf farklı", "the two sides differ")),
        (_, Some(DailyProblem::HashMismatch)) => (
            "hash_mismatch",
            (
                "dosyanın özeti İYS'nin bildirdiği özet değil; dosya kabul edilmedi",
                "the file does not have the hash that the registry names; it was refused",
            ),
        ),
        (_, Some(DailyProblem::Unreadable)) => {
            ("unreadable", ("İYS'nin dosyası okunamıyor", "the registry's file cannot be read"))
        }
        (_, Some(DailyProblem::Failed)) => {
            ("failed", ("okunamadı; yeniden denenecek", "could not be read; it is tried again"))
        }
        _ => ("awaited", ("İYS'nin dosyası bekleniyor", "the registry's file is awaited")),
    }
}

/// Reports of a brand before a day, the latest first.
pub async fn list(
    app: &App,
    caller: &Caller,
    brand: &BrandRow,
    before: Option<NaiveDate>,
    limit: i64,
) -> ServiceResult<Vec<DailyReport>> {
    caller.require(Scope::ConsentsRead)?;
    let mut tx = app.db.read().await?;
    // Days are compared as text, where the calendar's own last one, with its sign, would come before all.
    let before = before.or_else(|| NaiveDate::from_ymd_opt(9999, 12, 31)).unwrap_or_default();
    let rows = daily_reports::list(&mut tx, brand.iys_code, brand.brand_code, before, limit).await?;
    Ok(rows.into_iter().map(|row| DailyReport::new(row, caller.lang)).collect())
}

/// The report of a day.
pub async fn get(app: &App, caller: &Caller, brand: &BrandRow, day: NaiveDate) -> ServiceResult<DailyReport> {
    caller.require(Scope::ConsentsRead)?;
    Ok(DailyReport::new(find(app, brand, day).await?, caller.lang))
}

/// The time stamp of a day, as it came.
pub async fn time_stamp(
    app: &App,
    caller: &Caller,
    brand: &BrandRow,
    day: NaiveDate,
) -> ServiceResult<Vec<u8>> {
    caller.require(Scope::ConsentsRead)?;
    find(app, brand, day).await?.time_stamp.ok_or(ServiceError::NotFound("time stamp"))
}

async fn find(app: &App, brand: &BrandRow, day: NaiveDate) -> ServiceResult<DailyRow> {
    let mut tx = app.db.read().await?;
    let row = daily_reports::find(&mut tx, brand.iys_code, brand.brand_code, day).await?;
    row.ok_or(ServiceError::NotFound("report"))
}

/// Makes the registry's file of a day be read again from its beginning, such as after a right was given.
pub async fn again(
    app: &App,
    caller: &Caller,
    brand: &BrandRow,
    day: NaiveDate,
) -> ServiceResult<DailyReport> {
    caller.require(Scope::ConsentsWrite)?;
    let of = day_of(brand, day);
    let mut tx = app.db.begin(Priority::Interactive).await?;
    let row = daily_reports::find(&mut tx, of.iys_code, of.brand_code, day)
        .await?
        .ok_or(ServiceError::NotFound("report"))?;
    let now = app.clocks.business();
    if !kopru_domain::daily::reported(now).any(|reported| reported == day) {
        return Err(ServiceError::Conflict(Text::fixed(
            "İYS yalnızca son yedi günün dosyasını verir",
            "the registry has the files of the last seven days only",
        )));
    }
    if !daily_reports::again(&mut tx, of.iys_code, of.brand_code, day, now).await? {
        return Err(ServiceError::Conflict(Text::fixed(
            "gün şu anda okunuyor; bitmesini bekleyin",
            "the day is being read just now; wait until it has ended",
        )));
    }
    daily_differences::forget(&mut tx, of).await?;
    let subject = format!("brand {} {day}", of.brand_code);
    providers::note(&mut tx, app, caller, of.iys_code, "daily.read_again", &subject).await?;
    let found = daily_reports::find(&mut tx, of.iys_code, of.brand_code, day).await?.unwrap_or(row);
    tx.commit().await?;
    app.wake.wake();
    Ok(DailyReport::new(found, caller.lang))
}

/// A page of a day's differences, each with what is proposed.
pub async fn differences(
    app: &App,
    caller: &Caller,
    brand: &BrandRow,
    day: NaiveDate,
    after: Option<Uuid>,
    limit: i64,
) -> ServiceResult<Vec<DifferenceView>> {
    caller.require(Scope::ConsentsRead)?;
    let showing = Showing::to(caller);
    let of = day_of(brand, day);
    let now = app.clocks.business();
    let views: Vec<DifferenceView> = {
        let mut tx = app.db.read().await?;
        let keys = app.vault.keys(&mut tx, of.iys_code).await?;
        let rows = daily_differences::list(&mut tx, of, false, after.unwrap_or_default(), limit).await?;
        let cases = Case::load(&mut tx, of, &keys, rows).await?;
        let ids = cases.iter().filter_map(|case| case.difference.consent_id).collect();
        let known = consents::find_many(&mut tx, of.iys_code, ids).await?;
        let known: HashMap<Uuid, ConsentRow> = known.into_iter().map(|row| (row.id, row)).collect();
        let keys_of_cases = cases.iter().map(|case| case.difference.key).collect();
        let mut states = KeyStates::load(&mut tx, of.iys_code, keys_of_cases).await?;
        let mut views = Vec::with_capacity(cases.len());
        for case in cases {
            let proposal = case.difference.repaired_at.is_none().then(|| {
                let proposal = case.propose(states.of(case.difference.key), now);
                ProposalView { action: proposal.action.as_str(), title: proposal.text(caller.lang) }
            });
            let consent = case.difference.consent_id.and_then(|id| known.get(&id));
            views.push(DifferenceView { proposal, ..view(&keys, case, consent, showing)? });
        }
        views
    };
    if showing == Showing::Full && !views.is_empty() {
        let subject = format!("{} differences of brand {} {day}", views.len(), of.brand_code);
        note_shown(app, caller, of.iys_code, "recipient.shown", &subject).await?;
    }
    Ok(views)
}

fn view(
    keys: &ProviderKeys,
    case: Case,
    consent: Option<&ConsentRow>,
    showing: Showing,
) -> ServiceResult<DifferenceView> {
    let Case { difference, theirs, meant, .. } = case;
    let ledger = consent.map(|row| mirror::open_consent(keys, &row.sealed)).transpose()?;
    let recipient =
        theirs.as_ref().map(|theirs| &theirs.recipient).or(ledger.as_ref().map(|it| &it.recipient));
    let of_theirs = |theirs: &Theirs| (theirs.recipient_type.as_str(), theirs.channel.as_str());
    let kinds = theirs
        .as_ref()
        .map(of_theirs)
        .or(consent.map(|row| (row.recipient_type.as_str(), row.channel.as_str())));
    // A filing whose outcome is unknown is named, not shown as the other side of the comparison.
    let compared = difference.kind != DifferenceKind::MissingHere;
    Ok(DifferenceView {
        id: difference.id,
        kind: difference.kind.as_str(),
        cause: difference.cause,
        recipient: recipient.map(|recipient| showing.apply(recipient)),
        recipient_type: kinds.map(|(kind, _)| kind),
        channel: kinds.map(|(_, channel)| channel),
        consent_id: difference.consent_id,
        ours: meant.filter(|_| compared).map(|filing| ours(&filing, consent)),
        registry: theirs.map(registry),
        proposal: None,
        repaired_at: difference.repaired_at.map(format_rfc3339),
        outcome: difference.outcome,
    })
}

fn ours(filing: &SubmissionRow, consent: Option<&ConsentRow>) -> MovementView {
    MovementView {
        status: filing.status.as_str(),
        consent_date: filing.wire_date.map(format_rfc3339),
        source: consent.and_then(|row| row.source).map(|source| source.as_str().to_owned()),
        creation_date: filing.creation_date.map(format_rfc3339),
        transaction_id: filing.transaction_id.clone(),
    }
}

fn registry(theirs: Theirs) -> MovementView {
    MovementView {
        status: theirs.status.as_str(),
        consent_date: theirs.consent_date.map(format_rfc3339),
        source: theirs.source,
        creation_date: Some(format_rfc3339(theirs.creation_date)),
        transaction_id: Some(theirs.transaction_id),
    }
}

fn day_of(brand: &BrandRow, day: NaiveDate) -> DayOf {
    DayOf { iys_code: brand.iys_code, brand_code: brand.brand_code, day }
}
