//! How a brand uses the registry's own way: its approval forms, and whether its confirmations go that way by themselves.

use std::collections::BTreeMap;

use kopru_domain::time::format_rfc3339;
use kopru_domain::via::Verification;
use kopru_domain::{BrandCode, Text};
use kopru_store::brands::BrandRow;
use kopru_store::via::{self as rows, PackageRow, SettingsRow};
use kopru_store::{Priority, Tx, rights};
use serde::Serialize;
use utoipa::ToSchema;

use super::forms;
use super::holding::{self, Stop};
use crate::bootstrap::App;
use crate::service::consents::{Explanation, explain};
use crate::service::providers::{self, field_problem};
use crate::service::{Caller, Scope, ServiceError, ServiceResult, brands, onboarding};

/// How a brand is to use it.
#[derive(Debug, Clone, Default)]
pub struct NewSettings {
    /// Whether confirmations go this way where nothing else is said.
    pub by_default: bool,
    /// The registry's form by verification type.
    pub forms: BTreeMap<Verification, i64>,
}

/// How a brand uses the registry's own way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ViaSettings {
    /// The brand.
    pub brand_code: i64,
    /// Whether confirmations go this way where a form or a call says nothing else.
    pub by_default: bool,
    /// The registry's approval form by verification type.
    #[schema(value_type = Object, example = json!({"SMS_OTP": 12, "EPOSTA_APPROVALURL": 14}))]
    pub forms: BTreeMap<&'static str, i64>,
    /// Whether the brand has given the right (`viaControl`); missing: the registry was never asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permitted: Option<bool>,
    /// Why nothing is started at present, if so. It goes on by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped: Option<StopView>,
    /// The provider's package, as the registry said when it was last asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub package: Option<PackageView>,
    /// When it was set, RFC 3339 with +03:00.
    pub updated_at: String,
}

/// Why nothing is started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct StopView {
    /// The registry's code: `H1015` (no credit left), `H1092`, `H1093` (no active package), `H1104` (no right) …
    pub code: String,
    /// What it means and who must act.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explanation: Option<Explanation>,
    /// Since when, RFC 3339 with +03:00.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// When a start is tried again; missing: as soon as the registry tells that the right is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probe_at: Option<String>,
}

/// A provider's package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PackageView {
    /// `ACTIVE`, `PAUSED`, `EXPIRED`, `CLOSED`, or `NONE` where there is none.
    pub status: String,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Operations left, -1 without limit; missing: the registry does not tell partners.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credit: Option<i64>,
    /// Its last instant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// When the registry said so.
    pub synced_at: String,
}

impl From<PackageRow> for PackageView {
    fn from(row: PackageRow) -> Self {
        Self {
            status: row.status,
            name: row.package,
            credit: row.credit,
            expires_at: row.expires_at.map(format_rfc3339),
            synced_at: format_rfc3339(row.synced_at),
        }
    }
}

/// Sets how a brand uses it. The registry is asked for the right where it is not known; without it nothing is set. Needs `admin`.
pub async fn set(
    app: &App,
    caller: &Caller,
    brand: BrandCode,
    new: NewSettings,
) -> ServiceResult<ViaSettings> {
    caller.require(Scope::Admin)?;
    let row = brands::find(app, caller, brand).await?.row;
    if new.forms.is_empty() || new.forms.values().any(|form| *form <= 0) {
        let title = Text::fixed(
            "en az bir doğrulama türü için İYS panelinden onaylı formun numarasını yazın: {\"SMS_OTP\": 12}",
            "name the approved form's number from the registry's panel for at least one verification type: {\"SMS_OTP\": 12}",
        );
        return Err(ServiceError::Invalid(vec![field_problem("forms", "via_forms", title)]));
    }
    require_right(app, &row).await?;
    let mut tx = app.db.begin(Priority::Interactive).await?;
    let settings = SettingsRow {
        iys_code: row.iys_code,
        brand_code: brand,
        by_default: new.by_default,
        forms: serde_json::to_string(&new.forms).unwrap_or_default(),
        updated_at: app.clocks.wire(),
    };
    rows::save(&mut tx, &settings).await?;
    providers::note(&mut tx, app, caller, row.iys_code, "via.set", &format!("brand {brand}")).await?;
    tx.commit().await?;
    get(app, caller, brand).await
}

/// How a brand uses it. Needs `admin`.
pub async fn get(app: &App, caller: &Caller, brand: BrandCode) -> ServiceResult<ViaSettings> {
    caller.require(Scope::Admin)?;
    let mut tx = app.db.read().await?;
    let row = brands::visible(&mut tx, caller, brand).await?;
    let settings = rows::find(&mut tx, row.iys_code, brand).await?.ok_or(ServiceError::NotFound("via"))?;
    let stop = holding::stop(&mut tx, app, &row).await?;
    let package = rows::package(&mut tx, row.iys_code).await?;
    let named = forms(&settings.forms)?.into_iter();
    Ok(ViaSettings {
        brand_code: brand.0,
        by_default: settings.by_default,
        forms: named.map(|(verification, form)| (verification.as_str(), form)).collect(),
        permitted: right(&mut tx, &row).await?,
        stopped: stop.map(|stop| StopView::new(stop, caller)),
        package: package.map(PackageView::from),
        updated_at: format_rfc3339(settings.updated_at),
    })
}

/// A brand uses it no more. What was started goes on. Needs `admin`.
pub async fn remove(app: &App, caller: &Caller, brand: BrandCode) -> ServiceResult<()> {
    caller.require(Scope::Admin)?;
    let mut tx = app.db.begin(Priority::Interactive).await?;
    let row = brands::visible(&mut tx, caller, brand).await?;
    if rows::remove(&mut tx, row.iys_code, brand).await? {
        let subject = format!("brand {brand}");
        providers::note(&mut tx, app, caller, row.iys_code, "via.removed", &subject).await?;
    }
    Ok(tx.commit().await?)
}

impl StopView {
    fn new(stop: Stop, caller: &Caller) -> Self {
        Self {
            explanation: explain(&stop.code, caller.lang),
            code: stop.code,
            since: stop.since.map(format_rfc3339),
            probe_at: stop.probe_at.map(format_rfc3339),
        }
    }
}

/// Whether the brand has given the right; `None`: the registry was never asked.
async fn right(tx: &mut Tx, row: &BrandRow) -> ServiceResult<Option<bool>> {
    let rights = rights::find(tx, row.iys_code, row.brand_code).await?;
    Ok(rights.map(|row| row.rights.authorised && row.rights.via_control))
}

/// Refuses a brand that has not given the right, by the registry's word of now.
async fn require_right(app: &App, row: &BrandRow) -> ServiceResult<()> {
    let known = async || {
        let mut tx = app.db.read().await?;
        right(&mut tx, row).await
    };
    let mut may = known().await?;
    if may != Some(true) {
        let asked = Box::pin(onboarding::look(app, &Caller::system("via"), row.iys_code)).await;
        if let Err(error) = &asked {
            tracing::warn!(
                error = error as &dyn std::error::Error,
                "the registry could not be asked for a brand's rights"
            );
        }
        may = known().await?;
    }
    match may {
        Some(true) => Ok(()),
        Some(false) => Err(ServiceError::Conflict(Text::fixed(
            "marka ViA yetkisini (viaControl) vermemiş (H1104): İYS panelinde İş Ortaklığı altında vermeli, sonra yeniden deneyin",
            "the brand has not given the ViA right (viaControl, H1104): it has to, in the registry's panel under İş Ortaklığı; then try again",
        ))),
        None => Err(ServiceError::Conflict(Text::fixed(
            "markanın ViA yetkisi İYS'ye sorulamadı; `kopru provider sync` çalıştırıp yeniden deneyin",
            "the registry could not be asked for the brand's ViA right; run `kopru provider sync` and try again",
        ))),
    }
}
