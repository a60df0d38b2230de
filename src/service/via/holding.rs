//! What stops starts: a right that is missing, a package without credit. What the registry refuses is held with its code, tried
//! again by one start after a pause, and released as soon as the registry tells otherwise.

use chrono::{DateTime, TimeDelta, Utc};
use iys::wire::Subscription;
use iys::{ErrorClass, IysError, PauseScope};
use kopru_domain::time::parse_registry;
use kopru_domain::{BrandCode, IysCode};
use kopru_store::brands::BrandRow;
use kopru_store::via::{self as rows, ALL_BRANDS, HoldRow, PackageRow};
use kopru_store::{Tx, rights};

use crate::bootstrap::App;
use crate::service::{ServiceResult, onboarding};

/// The user lacks the right.
pub(super) const NO_RIGHT: &str = "H1104";
/// The package has no credit, rests, or is missing: the provider's, whichever brand asks.
const OF_PACKAGE: [&str; 3] = ["H1015", "H1092", "H1093"];
/// With fewer operations left somebody should know.
pub const LOW: i64 = 100;

/// Why nothing is started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::service) struct Stop {
    /// The registry's code.
    pub code: String,
    /// Since when (business time), where that is known.
    pub since: Option<DateTime<Utc>>,
    /// When a start is tried again (business time); `None`: when the registry tells that the right is there.
    pub probe_at: Option<DateTime<Utc>>,
}

/// Why nothing is started for a brand now, if so.
pub(in crate::service) async fn stop(
    tx: &mut Tx,
    app: &App,
    brand: &BrandRow,
) -> ServiceResult<Option<Stop>> {
    let (provider, code) = (brand.iys_code, brand.brand_code);
    let rights = rights::find(tx, provider, code).await?;
    if let Some(row) = rights
        && !(row.rights.authorised && row.rights.via_control)
    {
        return Ok(Some(Stop { code: NO_RIGHT.to_owned(), since: None, probe_at: None }));
    }
    let package = rows::package(tx, provider).await?;
    let now = app.clocks.business();
    for hold in rows::holds(tx, provider, code).await? {
        let refused_at = hold.probe_at - pause(app);
        let mended = if hold.brand_code == ALL_BRANDS {
            package.as_ref().is_some_and(|package| package.synced_at > refused_at && has_credit(package))
        } else {
            rights.is_some_and(|rights| rights.synced_at > refused_at)
        };
        if !mended && hold.probe_at > now {
            return Ok(Some(Stop {
                code: hold.code,
                since: Some(hold.since),
                probe_at: Some(hold.probe_at),
            }));
        }
    }
    Ok(None)
}

fn has_credit(package: &PackageRow) -> bool {
    package.status == "ACTIVE" && package.credit.is_some_and(|credit| credit != 0)
}

/// How long what the registry refuses is left alone.
pub(super) fn pause(app: &App) -> TimeDelta {
    app.config.filing.probe_after()
}

/// The code of a refusal that concerns the brand or its provider, and not the one process.
pub(super) fn holds(error: &IysError) -> Option<String> {
    match error.class() {
        ErrorClass::Pause { scope: PauseScope::Quota | PauseScope::Type } => None,
        ErrorClass::Pause { .. } => Some(error.code().unwrap_or("no_code").to_owned()),
        _ => None,
    }
}

/// Holds what the registry has refused; returns until when.
pub(super) async fn hold(
    tx: &mut Tx,
    app: &App,
    (provider, brand): (IysCode, BrandCode),
    code: &str,
) -> ServiceResult<DateTime<Utc>> {
    let now = app.clocks.business();
    let brand_code = if OF_PACKAGE.contains(&code) { ALL_BRANDS } else { brand };
    let row = HoldRow {
        iys_code: provider,
        brand_code,
        code: code.to_owned(),
        since: now,
        probe_at: now + pause(app),
    };
    rows::hold(tx, &row).await?;
    tracing::error!(
        provider.code = provider.0,
        brand.code = brand.0,
        code,
        "the registry starts no confirmations; one is tried again after a pause"
    );
    metrics::counter!("via_held_total", "code" => code.to_owned()).increment(1);
    // What it says of rights and package may have changed.
    onboarding::enqueue(tx, app, provider).await?;
    Ok(row.probe_at)
}

/// A provider's package as its subscription tells it.
pub(in crate::service) fn packaged(
    provider: IysCode,
    told: &Subscription,
    synced_at: DateTime<Utc>,
) -> PackageRow {
    let package = told.via_subscription_package.as_ref();
    PackageRow {
        iys_code: provider,
        status: package.map_or("NONE", |package| &package.status).to_owned(),
        package: package.and_then(|package| package.via_subscription_package_name.clone()),
        credit: package.and_then(|package| package.via_credit),
        expires_at: package
            .and_then(|package| package.expiration_date.as_deref())
            .and_then(|date| parse_registry(date).ok()),
        synced_at,
    }
}

/// Keeps what the registry says of a provider's package; with credit again, what waited for it goes on.
pub(in crate::service) async fn told(tx: &mut Tx, package: &PackageRow) -> ServiceResult<()> {
    rows::save_package(tx, package).await?;
    if has_credit(package) {
        rows::lift(tx, package.iys_code, ALL_BRANDS).await?;
    }
    Ok(())
}

/// What an operator should know of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// Nothing is started for a brand, or for a provider's brands (0).
    Stopped {
        /// Provider.
        provider: i64,
        /// Brand; 0: all.
        brand: i64,
        /// The registry's code.
        code: String,
    },
    /// So few operations are left.
    Low {
        /// Provider.
        provider: i64,
        /// Operations.
        credit: i64,
    },
}

/// Everything that an operator should know of.
pub async fn findings(app: &App) -> ServiceResult<Vec<Finding>> {
    let mut tx = app.db.read().await?;
    let stopped = rows::all_holds(&mut tx).await?.into_iter().map(|hold| Finding::Stopped {
        provider: hold.iys_code.0,
        brand: hold.brand_code.0,
        code: hold.code,
    });
    let mut found: Vec<Finding> = stopped.collect();
    for package in rows::packages(&mut tx).await? {
        if let Some(credit) = package.credit.filter(|credit| (0..LOW).contains(credit)) {
            found.push(Finding::Low { provider: package.iys_code.0, credit });
        }
    }
    Ok(found)
}
