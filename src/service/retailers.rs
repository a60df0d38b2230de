//! Retailers (bayi) of a brand: made, shown and deleted at the registry (registry-protocol section 4.14) and mirrored here, and
//! which of them may use which consents (4.15).
//!
//! The registry is asked with no transaction open. What it was asked to make and nobody heard of is looked for before it is
//! made again.

mod access;
mod refusal;
mod view;

use std::collections::HashSet;
use std::future::Future;

use chrono::TimeDelta;
use iys::codes;
use iys::wire::{self, RetailerRequest};
use kopru_domain::governor::CallClass;
use kopru_domain::{BrandCode, IysCode, RetailerCode, Text};
use kopru_store::brands::BrandRow;
use kopru_store::retailers::{self, RetailerRow};
use kopru_store::{Priority, ProviderKeys, StoreError, Tx, rights};

use crate::bootstrap::App;
use crate::registry::{codes as place, priority};
use crate::service::consents::{Showing, note_shown};
use crate::service::filing::counted;
use crate::service::permissions::account;
use crate::service::{Caller, Scope, ServiceError, ServiceResult, providers};
use refusal::refused;

pub use access::{Access, AccessReport, Change, MOST_CALLS, change, of_consent};
pub use view::{Place, Retailer};

const SEALED: &str = "retailers.sealed";
/// A consent that names a retailer unknown here has the registry asked, at most this often a brand.
const READ_AGAIN: TimeDelta = TimeDelta::minutes(5);

/// A page of a brand's retailers by number, from the mirror. It is read from the registry first where it never was, or on
/// request.
pub async fn list(
    app: &App,
    caller: &Caller,
    brand: &BrandRow,
    after: RetailerCode,
    limit: i64,
    fresh: bool,
) -> ServiceResult<Vec<Retailer>> {
    caller.require(Scope::ConsentsRead)?;
    let showing = Showing::to(caller);
    let read_at = {
        let mut tx = app.db.read().await?;
        rights::find(&mut tx, brand.iys_code, brand.brand_code).await?.and_then(|row| row.retailers_at)
    };
    if fresh || read_at.is_none() {
        asked(refresh(app, brand.iys_code, brand.brand_code)).await?;
    }
    let page = {
        let mut tx = app.db.read().await?;
        let keys = app.vault.keys(&mut tx, brand.iys_code).await?;
        let rows = retailers::list(&mut tx, brand.iys_code, brand.brand_code, after, limit).await?;
        rows.into_iter().map(|row| shown(&keys, row, showing)).collect::<ServiceResult<Vec<_>>>()?
    };
    if showing == Showing::Full && !page.is_empty() {
        let subject = format!("{} retailers of brand {}", page.len(), brand.brand_code);
        note_shown(app, caller, brand.iys_code, "retailer.shown", &subject).await?;
    }
    Ok(page)
}

/// One retailer as the registry has it now.
pub async fn get(
    app: &App,
    caller: &Caller,
    brand: &BrandRow,
    code: RetailerCode,
) -> ServiceResult<Retailer> {
    caller.require(Scope::ConsentsRead)?;
    let showing = Showing::to(caller);
    let account = account(app, brand.iys_code).await?;
    let answer = asked(account.retailer(place(brand.iys_code, brand.brand_code), code.0)).await;
    let told = counted("retailer", answer).map_err(|error| refused(error, 0))?;
    let mut tx = app.db.begin(Priority::Interactive).await?;
    let Some(told) = told else {
        retailers::remove(&mut tx, brand.iys_code, brand.brand_code, code).await?;
        tx.commit().await?;
        return Err(ServiceError::NotFound("retailer"));
    };
    let keys = app.vault.keys(&mut tx, brand.iys_code).await?;
    let row = row(app, &keys, code, &told)?;
    retailers::save(&mut tx, brand.iys_code, brand.brand_code, vec![row]).await?;
    if showing == Showing::Full {
        let subject = format!("retailer {code} of brand {}", brand.brand_code);
        providers::note(&mut tx, app, caller, brand.iys_code, "retailer.shown", &subject).await?;
    }
    tx.commit().await?;
    Ok(Retailer::new(code, told, showing))
}

/// Makes a retailer at the registry and returns its number; [`record`] keeps it here. Where nobody heard the answer of an
/// earlier try (the call broke off, or this service did), what that try made is found instead of refused as there already.
pub async fn file(
    app: &App,
    caller: &Caller,
    brand: &BrandRow,
    new: &RetailerRequest,
) -> ServiceResult<RetailerCode> {
    caller.require(Scope::ConsentsWrite)?;
    let account = account(app, brand.iys_code).await?;
    let answer = asked(account.add_retailer(place(brand.iys_code, brand.brand_code), new)).await;
    match counted("add_retailer", answer) {
        Ok(added) => Ok(RetailerCode(added.retailer_code)),
        Err(error) if error.may_have_written() || matches!(error.code(), Some("H230" | "H231")) => {
            match unheard(app, brand, new).await? {
                Some(code) => Ok(code),
                None => Err(refused(error, 0)),
            }
        }
        Err(error) => Err(refused(error, 0)),
    }
}

/// A retailer at the registry that is just as the one asked for and not known here.
async fn unheard(app: &App, brand: &BrandRow, new: &RetailerRequest) -> ServiceResult<Option<RetailerCode>> {
    let all = asked(everything(app, brand.iys_code, brand.brand_code)).await?;
    let same = |told: &&wire::Retailer| {
        told.title == new.title
            && told.tckn.as_deref() == Some(&new.tckn)
            && told.tin.as_deref() == Some(&new.tin)
            && told.mersis == new.mersis
    };
    let Some(code) = all.iter().find(same).and_then(|told| told.retailer_code) else { return Ok(None) };
    let mut tx = app.db.read().await?;
    let known = retailers::find(&mut tx, brand.iys_code, brand.brand_code, RetailerCode(code)).await?;
    Ok(known.is_none().then_some(RetailerCode(code)))
}

/// Keeps a retailer that the registry has just made.
pub async fn record(
    tx: &mut Tx,
    app: &App,
    caller: &Caller,
    brand: &BrandRow,
    code: RetailerCode,
    new: RetailerRequest,
) -> ServiceResult<Retailer> {
    let told = wire::Retailer {
        retailer_code: Some(code.0),
        title: new.title,
        mersis: new.mersis,
        alias: new.alias,
        name: Some(new.name),
        tckn: Some(new.tckn),
        mobile: new.mobile,
        tin: Some(new.tin),
        city: Some(new.city),
        town: Some(new.town),
        status: new.status,
        retailer_access_count: Some(0),
        can_be_deleted: None,
    };
    let keys = app.vault.keys(tx, brand.iys_code).await?;
    let row = row(app, &keys, code, &told)?;
    retailers::save(tx, brand.iys_code, brand.brand_code, vec![row]).await?;
    let subject = format!("{code} of brand {}", brand.brand_code);
    providers::note(tx, app, caller, brand.iys_code, "retailer.added", &subject).await?;
    Ok(Retailer::new(code, told, Showing::to(caller)))
}

/// Deletes a retailer to which no consent refers, at the registry and here. Doing it twice is no failure where it was here.
pub async fn delete(app: &App, caller: &Caller, brand: &BrandRow, code: RetailerCode) -> ServiceResult<()> {
    caller.require(Scope::ConsentsWrite)?;
    let account = account(app, brand.iys_code).await?;
    let answer = asked(account.delete_retailer(place(brand.iys_code, brand.brand_code), code.0)).await;
    let gone = match counted("delete_retailer", answer) {
        Ok(()) => true,
        Err(error) if error.code() == Some("H058") => false,
        Err(error) if error.status() == Some(400) && error.code().and_then(codes::lookup).is_none() => {
            return Err(ServiceError::Conflict(Text::fixed(
                "bu bayiye bağlı izinler var; önce erişimlerini kaldırın (retailers/access/revoke)",
                "consents refer to this retailer; take its access away first (retailers/access/revoke)",
            )));
        }
        Err(error) => return Err(refused(error, 0)),
    };
    let mut tx = app.db.begin(Priority::Interactive).await?;
    let here = retailers::remove(&mut tx, brand.iys_code, brand.brand_code, code).await?;
    if gone || here {
        let subject = format!("{code} of brand {}", brand.brand_code);
        providers::note(&mut tx, app, caller, brand.iys_code, "retailer.deleted", &subject).await?;
    }
    tx.commit().await?;
    if gone || here { Ok(()) } else { Err(ServiceError::NotFound("retailer")) }
}

/// Reads a brand's retailers from the registry and makes the mirror equal; returns how many there are.
pub async fn refresh(app: &App, provider: IysCode, brand: BrandCode) -> ServiceResult<usize> {
    let (asked_at, since) = (app.clocks.business(), app.clocks.wire());
    let all = everything(app, provider, brand).await?;
    let mut tx = app.db.begin(Priority::Bulk).await?;
    let keys = app.vault.keys(&mut tx, provider).await?;
    let mut rows = Vec::with_capacity(all.len());
    for told in &all {
        let Some(code) = told.retailer_code.map(RetailerCode) else { continue };
        rows.push(row(app, &keys, code, told)?);
    }
    let count = rows.len();
    let codes = rows.iter().map(|row| row.retailer_code.0).collect();
    retailers::keep_only(&mut tx, provider, brand, codes, since).await?;
    retailers::save(&mut tx, provider, brand, rows).await?;
    rights::retailers_read(&mut tx, provider, brand, asked_at).await?;
    tx.commit().await?;
    Ok(count)
}

/// Which of these numbers are certainly no retailers of a brand whose rights are known: neither here, nor at the registry,
/// which is asked where the mirror is some minutes old. Where it does not answer, nothing is certain.
pub(crate) async fn unknown(app: &App, brand: &BrandRow, codes: Vec<i64>) -> ServiceResult<HashSet<i64>> {
    let missing = async |codes: &[i64]| {
        let mut tx = app.db.read().await?;
        let known = retailers::known(&mut tx, brand.iys_code, brand.brand_code, codes.to_vec()).await?;
        Ok::<HashSet<i64>, ServiceError>(codes.iter().copied().filter(|code| !known.contains(code)).collect())
    };
    let read_at = {
        let mut tx = app.db.read().await?;
        match rights::find(&mut tx, brand.iys_code, brand.brand_code).await? {
            Some(row) if row.rights.authorised => row.retailers_at,
            _ => return Ok(HashSet::new()),
        }
    };
    let unknown = missing(&codes).await?;
    let now = app.clocks.business();
    if unknown.is_empty() || read_at.is_some_and(|at| now - at < READ_AGAIN) {
        return Ok(unknown);
    }
    if app.registry.silent_until().await?.is_some() {
        return Ok(HashSet::new());
    }
    match asked(refresh(app, brand.iys_code, brand.brand_code)).await {
        Ok(_) => missing(&codes).await,
        Err(ServiceError::Store(error)) => Err(error.into()),
        Err(error) => {
            tracing::warn!(error = &error as &dyn std::error::Error, "retailers could not be read");
            Ok(HashSet::new())
        }
    }
}

/// All retailers of a brand at the registry.
async fn everything(app: &App, provider: IysCode, brand: BrandCode) -> ServiceResult<Vec<wire::Retailer>> {
    let account = account(app, provider).await?;
    let answer = account.all_retailers(place(provider, brand)).await;
    counted("retailers", answer).map_err(|error| refused(error, 0))
}

fn row(
    app: &App,
    keys: &ProviderKeys,
    code: RetailerCode,
    told: &wire::Retailer,
) -> ServiceResult<RetailerRow> {
    use wire::retailer_status::{ACTIVE, PASSIVE, SUSPENDED};
    let state = told.status.as_deref().filter(|word| [ACTIVE, PASSIVE, SUSPENDED].contains(word));
    let json = serde_json::to_vec(told)
        .map_err(|_| StoreError::Corrupt { what: "retailers", detail: "not encodable".to_owned() })?;
    Ok(RetailerRow {
        retailer_code: code,
        title: told.title.clone(),
        state: state.unwrap_or(ACTIVE).to_owned(),
        sealed: Some(keys.seal(SEALED, &json)),
        created_at: app.clocks.wire(),
    })
}

fn shown(keys: &ProviderKeys, row: RetailerRow, showing: Showing) -> ServiceResult<Retailer> {
    let told = match &row.sealed {
        Some(sealed) => serde_json::from_slice(&keys.open(SEALED, sealed)?)
            .map_err(|_| StoreError::Corrupt { what: "retailers", detail: "shape".to_owned() })?,
        None => wire::Retailer { title: row.title, status: Some(row.state), ..wire::Retailer::default() },
    };
    Ok(Retailer::new(row.retailer_code, told, showing))
}

/// Asks the registry for somebody who waits.
async fn asked<F: Future>(question: F) -> F::Output {
    priority::run(CallClass::Person, question).await
}
