//! Looking at consents: one with everything that is known of it, or a brand's, page by page.

mod view;
mod waiting;

use std::collections::HashMap;

use kopru_domain::{Deadline, Evidence, IysCode};
use kopru_store::brands::BrandRow;
use kopru_store::consents::{self, ConsentRow};
use kopru_store::retailers;
use kopru_store::submissions::{self, ListFilter, SubmissionRow};
use kopru_store::{Priority, ProviderKeys, StoreError, Tx};
use uuid::Uuid;

use crate::bootstrap::App;
use crate::service::mirror;
use crate::service::{Caller, Scope, ServiceError, ServiceResult, providers};

use view::Filings;
pub use view::{
    Consent, ConsentSummary, DeadlineView, EvidenceView, Explanation, LedgerView, RegistryAnswerView,
    SubmissionView, explain, explain_filing,
};
use waiting::{Reach, Told, Waiting};

/// How addresses are shown to a caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Showing {
    /// `+90 532 *** ** 67`.
    Masked,
    /// In full, which leaves an audit row.
    Full,
}

impl Showing {
    /// What the caller's rights allow.
    pub fn to(caller: &Caller) -> Self {
        if caller.may(Scope::RecipientsRead) { Self::Full } else { Self::Masked }
    }

    /// A canonical address as it is shown.
    pub fn apply(self, recipient: &str) -> String {
        match self {
            Self::Full => recipient.to_owned(),
            Self::Masked => kopru_domain::Recipient::from_canonical(recipient)
                .map_or_else(|_| "***".to_owned(), |known| known.masked()),
        }
    }
}

/// Writes down that addresses were shown in full: one row a call.
pub(super) async fn note_shown(
    app: &App,
    caller: &Caller,
    provider: IysCode,
    action: &str,
    subject: &str,
) -> ServiceResult<()> {
    let mut tx = app.db.begin(Priority::Interactive).await?;
    providers::note(&mut tx, app, caller, provider, action, subject).await?;
    Ok(tx.commit().await?)
}

/// One consent: where its filing stands and why, what the registry answered, and a summary of its evidence.
pub async fn get(app: &App, caller: &Caller, id: Uuid) -> ServiceResult<Consent> {
    caller.require(Scope::ConsentsRead)?;
    let showing = Showing::to(caller);
    let reach = Reach::load(app).await?;
    let (provider, consent) = {
        let mut tx = app.db.read().await?;
        let (provider, row) = find(&mut tx, caller, id).await?;
        let consent = read(&mut tx, app, caller, provider, row, (reach, showing)).await?;
        (provider, consent)
    };
    if showing == Showing::Full {
        note_shown(app, caller, provider, "recipient.shown", &format!("consent {id}")).await?;
    }
    Ok(consent)
}

/// A page of a brand's consents with the state of their filings, oldest first, after an id. A consent that was filed again
/// stands there once for each filing that fits the filter.
pub async fn list(
    app: &App,
    caller: &Caller,
    brand: &BrandRow,
    filter: &ListFilter,
    after: Option<Uuid>,
    limit: i64,
) -> ServiceResult<Vec<ConsentSummary>> {
    caller.require(Scope::ConsentsRead)?;
    let showing = Showing::to(caller);
    let reach = Reach::load(app).await?;
    let page = {
        let mut tx = app.db.read().await?;
        let rows = submissions::list(
            &mut tx,
            brand.iys_code,
            brand.brand_code,
            filter,
            after.unwrap_or_default(),
            limit,
        )
        .await?;
        let waiting = Waiting::load(&mut tx, reach, brand.iys_code, brand.brand_code, &rows).await?;
        let rows: Vec<Told> = rows.into_iter().map(|row| waiting.told(row)).collect();
        let keys = app.vault.keys(&mut tx, brand.iys_code).await?;
        let ids = rows.iter().map(|told| told.row.consent_id).collect();
        let known: HashMap<Uuid, ConsentRow> = consents::find_many(&mut tx, brand.iys_code, ids)
            .await?
            .into_iter()
            .map(|row| (row.id, row))
            .collect();
        summaries(&keys, &rows, &known, caller, showing)?
    };
    if showing == Showing::Full && !page.is_empty() {
        let subject = format!("{} consents of brand {}", page.len(), brand.brand_code);
        note_shown(app, caller, brand.iys_code, "recipient.shown", &subject).await?;
    }
    Ok(page)
}

fn summaries(
    keys: &ProviderKeys,
    rows: &[Told],
    known: &HashMap<Uuid, ConsentRow>,
    caller: &Caller,
    showing: Showing,
) -> ServiceResult<Vec<ConsentSummary>> {
    let mut page = Vec::with_capacity(rows.len());
    for told in rows {
        let Some(consent) = known.get(&told.row.consent_id) else { continue };
        let opened = mirror::open_consent(keys, &consent.sealed)?;
        page.push(ConsentSummary::new(consent, &opened, told, caller.lang, showing));
    }
    Ok(page)
}

pub(super) async fn find(tx: &mut Tx, caller: &Caller, id: Uuid) -> ServiceResult<(IysCode, ConsentRow)> {
    for provider in providers::visible(tx, caller).await? {
        if let Some(row) = consents::find(tx, provider, id).await? {
            return Ok((provider, row));
        }
    }
    Err(ServiceError::NotFound("consent"))
}

async fn read(
    tx: &mut Tx,
    app: &App,
    caller: &Caller,
    provider: IysCode,
    row: ConsentRow,
    (reach, showing): (Reach, Showing),
) -> ServiceResult<Consent> {
    let keys = app.vault.keys(tx, provider).await?;
    let opened = mirror::open_consent(&keys, &row.sealed)?;
    let mut rows = submissions::find_many(tx, provider, vec![row.id]).await?;
    rows.sort_by_key(|filing| filing.generation);
    let waiting = Waiting::load(tx, reach, provider, row.brand_code, &rows).await?;
    let mut earlier: Vec<SubmissionView> =
        rows.into_iter().map(|filing| SubmissionView::new(waiting.told(filing), caller.lang)).collect();
    let missing = || StoreError::Corrupt { what: "submissions", detail: "missing".to_owned() };
    let retailers = retailers::access(tx, provider, vec![row.id]).await?.remove(&row.id).unwrap_or_default();
    let filings = Filings { present: earlier.pop().ok_or_else(missing)?, earlier, retailers };
    let evidence = row.evidence.as_ref().map(|sealed| open_evidence(&keys, sealed)).transpose()?;
    Ok(Consent::new(provider, row, &opened, filings, evidence.as_ref(), showing))
}

fn open_evidence(keys: &ProviderKeys, sealed: &[u8]) -> ServiceResult<Evidence> {
    let (_, json) = mirror::open_evidence(keys, sealed)?;
    let unreadable = |_| StoreError::Corrupt { what: "evidence", detail: "shape".to_owned() };
    Ok(serde_json::from_slice(&json).map_err(unreadable)?)
}

/// The three instants of a filing.
fn deadline(row: &SubmissionRow) -> Deadline {
    Deadline { target: row.target_at, legal: row.legal_at, latest: row.latest_at }
}
