//! `/_sandbox/providers`, `/_sandbox/partners`, `/_sandbox/users`: what in the real registry is done in
//! its web panel. Posting creates, or changes what the body names.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Value, json};

use super::opt_in::{self, FormRequest, OptInRequest, PackageRequest, TemplateRequest};
use super::problem::{Problem, read};
use crate::error::Result;
use crate::http::App;
use crate::registry::Desk;
use crate::store::accounts::{self, Account, Family};
use crate::store::opt_in as store_opt_in;
use crate::store::providers::{self as store, Authorisation, Brand, Right, Subscription, SubscriptionStatus};
use crate::store::random_text;
use crate::store::retailers;
use crate::wire_time;
use crate::words::Product;

/// The first number given to a provider that asks for none.
const FIRST_IYS_CODE: i64 = 600_100;
/// The first number given to a partner that asks for none.
const FIRST_INTEGRATOR_CODE: i64 = 900_001;
/// How many addresses a new subscription allows.
const CONSENT_LIMIT: i64 = 1_000_000;
const YEAR: i64 = 365 * 24 * 60 * 60;

/// A provider to create or change.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(crate) struct ProviderRequest {
    pub(crate) iys_code: Option<i64>,
    pub(crate) title: Option<String>,
    /// As the registry writes dates; `null` means long past.
    pub(crate) activation_date: Named<String>,
    /// `null` takes the subscription away.
    pub(crate) subscription: Named<SubscriptionRequest>,
    pub(crate) brands: Vec<BrandRequest>,
    pub(crate) users: Vec<UserRequest>,
    pub(crate) authorisations: Vec<AuthorisationRequest>,
    /// The package of the opt-in service; `null` takes it away.
    pub(crate) via: Named<PackageRequest>,
    /// The package of the second-factor service; `null` takes it away.
    pub(crate) via_pass: Named<PackageRequest>,
    pub(crate) forms: Vec<FormRequest>,
    pub(crate) templates: Vec<TemplateRequest>,
}

impl ProviderRequest {
    /// The part about opt-in services.
    fn take_opt_in(&mut self) -> OptInRequest {
        let named = |brand: &mut BrandRequest| Some((brand.brand_code, brand.short_names.take()?));
        OptInRequest {
            via: std::mem::take(&mut self.via),
            via_pass: std::mem::take(&mut self.via_pass),
            forms: std::mem::take(&mut self.forms),
            templates: std::mem::take(&mut self.templates),
            short_names: self.brands.iter_mut().filter_map(named).collect(),
        }
    }
}

/// A key that may be absent, there with `null`, or there with a value.
#[derive(Debug, Default)]
pub(crate) enum Named<T> {
    #[default]
    Absent,
    Null,
    Value(T),
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Named<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(from)?.map_or(Self::Null, Self::Value))
    }
}

/// A brand to create or change.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct BrandRequest {
    pub(crate) brand_code: i64,
    #[serde(default)]
    pub(crate) name: Option<String>,
    /// Numbers of retailers to add.
    #[serde(default)]
    pub(crate) retailers: Vec<i64>,
    /// Names for text messages to 3338; they replace the old ones.
    #[serde(default)]
    pub(crate) short_names: Option<Vec<String>>,
}

/// A user to create or change.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct UserRequest {
    pub(crate) username: String,
    /// Generated when absent.
    #[serde(default)]
    pub(crate) password: Option<String>,
    /// An administrator, who cannot use the API.
    #[serde(default)]
    pub(crate) admin: bool,
}

/// What of a subscription is set; the rest stays, or begins with a generous package.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(crate) struct SubscriptionRequest {
    pub(crate) status: Option<String>,
    pub(crate) package: Option<String>,
    pub(crate) api_use: Option<bool>,
    pub(crate) consent_limit: Option<i64>,
    pub(crate) consent_limit_exceed: Option<bool>,
}

/// A partner's rights on a brand.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct AuthorisationRequest {
    pub(crate) integrator_code: i64,
    pub(crate) brand_code: i64,
    /// `write`, `read` or `none`.
    #[serde(rename = "MESAJ", default = "write")]
    pub(crate) message: String,
    #[serde(rename = "ARAMA", default = "write")]
    pub(crate) call: String,
    #[serde(rename = "EPOSTA", default = "write")]
    pub(crate) email: String,
    #[serde(default)]
    pub(crate) agreement_control: bool,
    #[serde(default)]
    pub(crate) via_control: bool,
    /// Takes all rights away instead.
    #[serde(default)]
    pub(crate) remove: bool,
}

fn write() -> String {
    Right::Write.as_str().to_owned()
}

/// A partner to create or change.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(crate) struct PartnerRequest {
    pub(crate) integrator_code: Option<i64>,
    pub(crate) title: Option<String>,
    pub(crate) subscription: Named<SubscriptionRequest>,
    /// `null` or absent makes one user for a new partner; an empty list makes none.
    pub(crate) users: Option<Vec<UserRequest>>,
}

pub(super) type Applied<T> = Result<Result<T, Refused>>;

/// Why a request about accounts was refused: a field and what it wants.
#[derive(Debug)]
pub(crate) struct Refused(pub(crate) &'static str, pub(super) &'static str);

impl From<Refused> for Problem {
    fn from(Refused(field, wanted): Refused) -> Self {
        Self::invalid(field, wanted)
    }
}

pub(super) async fn list(State(app): State<Arc<App>>) -> Result<Json<Value>, Problem> {
    let list = app
        .registry
        .run(|desk| {
            store::list(desk.db)?.into_iter().map(|p| view(desk, p.iys_code)).collect::<Result<Vec<_>>>()
        })
        .await?;
    Ok(Json(json!({ "list": list })))
}

pub(super) async fn put(State(app): State<Arc<App>>, body: Bytes) -> Result<Json<Value>, Problem> {
    let request: ProviderRequest = read(&body)?;
    let put = app
        .registry
        .run(move |desk| match put_provider(desk, request)? {
            Ok(iys_code) => view(desk, iys_code).map(Ok),
            Err(refused) => Ok(Err(refused)),
        })
        .await?;
    Ok(Json(put.map_err(Problem::from)?))
}

/// Creates or changes a provider; its number.
pub(crate) fn put_provider(desk: &Desk<'_>, mut request: ProviderRequest) -> Applied<i64> {
    if let Err(refused) = check(desk, &request)? {
        return Ok(Err(refused));
    }
    let opt_in = request.take_opt_in();
    if let Err(refused) = opt_in::check(desk, request.iys_code, &opt_in)? {
        return Ok(Err(refused));
    }
    let iys_code = match request.iys_code {
        Some(code) => code,
        None => store::list(desk.db)?.last().map_or(FIRST_IYS_CODE, |last| last.iys_code + 1_000),
    };
    let known = store::find(desk.db, iys_code)?;
    let activation_at = match &request.activation_date {
        Named::Value(date) => wire_time::read(date).ok(),
        Named::Null => None,
        Named::Absent => known.as_ref().and_then(|known| known.activation_at),
    };
    let title = request.title.or_else(|| known.as_ref().map(|known| known.title.clone()));
    let title = title.unwrap_or_else(|| format!("ÖRNEK {iys_code} TİCARET ANONİM ŞİRKETİ"));
    store::put(desk.db, iys_code, &title, activation_at)?;
    put_subscription(desk, iys_code, "İleti+", request.subscription, known.is_none())?;
    let mut brands = request.brands;
    if known.is_none() && brands.is_empty() {
        brands.push(BrandRequest { brand_code: iys_code, ..BrandRequest::default() });
    }
    for brand in brands {
        put_brand(desk, iys_code, brand)?;
    }
    let mut users = request.users;
    if known.is_none() && users.is_empty() {
        users.push(UserRequest { username: format!("api@{iys_code}.iys.test"), ..UserRequest::default() });
    }
    put_users(desk, Family::Provider, iys_code, users)?;
    for authorisation in &request.authorisations {
        put_authorisation(desk, authorisation)?;
    }
    opt_in::apply(desk, iys_code, opt_in)?;
    Ok(Ok(iys_code))
}

/// What must hold before anything is written.
fn check(desk: &Desk<'_>, request: &ProviderRequest) -> Applied<()> {
    if let Named::Value(date) = &request.activation_date
        && wire_time::read(date).is_err()
    {
        return Ok(Err(Refused("activationDate", "2026-11-20 10:05:00")));
    }
    let new_brand = |code: i64| {
        request.brands.iter().any(|brand| brand.brand_code == code)
            || (request.brands.is_empty() && request.iys_code == Some(code))
    };
    for wanted in &request.authorisations {
        let rights = [&wanted.message, &wanted.call, &wanted.email];
        if rights.into_iter().any(|right| Right::parse(right).is_none()) {
            return Ok(Err(Refused("authorisations", "write, read, none")));
        }
        if store::find_partner(desk.db, wanted.integrator_code)?.is_none() {
            return Ok(Err(Refused("integratorCode", "POST /_sandbox/partners")));
        }
        if !new_brand(wanted.brand_code) && store::find_brand(desk.db, wanted.brand_code)?.is_none() {
            return Ok(Err(Refused("brandCode", "brands[].brandCode")));
        }
    }
    for brand in &request.brands {
        let owner = store::find_brand(desk.db, brand.brand_code)?.map(|brand| brand.iys_code);
        if owner.is_some() && owner != request.iys_code {
            return Ok(Err(Refused("brandCode", "a brand of this provider")));
        }
    }
    Ok(check_subscription(&request.subscription))
}

fn check_subscription(request: &Named<SubscriptionRequest>) -> Result<(), Refused> {
    let Named::Value(request) = request else { return Ok(()) };
    if request.status.as_deref().is_some_and(|status| SubscriptionStatus::parse(status).is_none()) {
        return Err(Refused("subscription.status", "ACTIVE, PAUSED, EXPIRED, CLOSED"));
    }
    if request.consent_limit.is_some_and(|limit| limit < 0) {
        return Err(Refused("subscription.consentLimit", "0 or more"));
    }
    Ok(())
}

fn put_brand(desk: &Desk<'_>, iys_code: i64, request: BrandRequest) -> Result<()> {
    let brand_code = request.brand_code;
    let known = store::find_brand(desk.db, brand_code)?;
    let name = request.name.or_else(|| known.map(|known| known.name));
    let name = name.unwrap_or_else(|| format!("Marka {brand_code}"));
    store::put_brand(desk.db, &Brand { code: brand_code, iys_code, name, master: brand_code == iys_code })?;
    for retailer_code in request.retailers {
        retailers::put(desk.db, retailer_code, brand_code, &format!("Bayi {retailer_code}"))?;
    }
    Ok(())
}

fn put_users(desk: &Desk<'_>, family: Family, code: i64, users: Vec<UserRequest>) -> Result<()> {
    for user in users {
        let password = match user.password {
            Some(password) => password,
            None => random_text(12)?,
        };
        let account = Account { username: user.username, password, family, code, admin: user.admin };
        accounts::put(desk.db, &account)?;
    }
    Ok(())
}

fn put_authorisation(desk: &Desk<'_>, request: &AuthorisationRequest) -> Result<()> {
    if request.remove {
        return store::remove_authorisation(desk.db, request.integrator_code, request.brand_code);
    }
    let right = |text: &str| Right::parse(text).unwrap_or(Right::None);
    let authorisation = Authorisation {
        message: right(&request.message),
        call: right(&request.call),
        email: right(&request.email),
        agreement_control: request.agreement_control,
        via_control: request.via_control,
    };
    store::put_authorisation(desk.db, request.integrator_code, request.brand_code, authorisation)
}

fn put_subscription(
    desk: &Desk<'_>,
    code: i64,
    package: &str,
    request: Named<SubscriptionRequest>,
    is_new: bool,
) -> Result<()> {
    let request = match request {
        Named::Absent if !is_new => return Ok(()),
        Named::Null => return store::remove_subscription(desk.db, code),
        Named::Absent => SubscriptionRequest::default(),
        Named::Value(request) => request,
    };
    let known = match store::find_subscription(desk.db, code)? {
        Some(known) => known,
        None => Subscription {
            code,
            id: random_text(8)?,
            package: package.to_owned(),
            status: SubscriptionStatus::Active,
            start_at: desk.now() - YEAR,
            expires_at: desk.now() + 10 * YEAR,
            api_use: true,
            consent_limit: CONSENT_LIMIT,
            consent_limit_exceed: true,
        },
    };
    let status = request.status.as_deref().and_then(SubscriptionStatus::parse);
    store::put_subscription(
        desk.db,
        &Subscription {
            status: status.unwrap_or(known.status),
            package: request.package.unwrap_or(known.package),
            api_use: request.api_use.unwrap_or(known.api_use),
            consent_limit: request.consent_limit.unwrap_or(known.consent_limit),
            consent_limit_exceed: request.consent_limit_exceed.unwrap_or(known.consent_limit_exceed),
            ..known
        },
    )
}

pub(super) async fn list_partners(State(app): State<Arc<App>>) -> Result<Json<Value>, Problem> {
    let list = app
        .registry
        .run(|desk| {
            let partners = store::list_partners(desk.db)?;
            partners.into_iter().map(|(code, _)| partner_view(desk, code)).collect::<Result<Vec<_>>>()
        })
        .await?;
    Ok(Json(json!({ "list": list })))
}

pub(super) async fn put_partner(State(app): State<Arc<App>>, body: Bytes) -> Result<Json<Value>, Problem> {
    let request: PartnerRequest = read(&body)?;
    check_partner(&request).map_err(Problem::from)?;
    let view = app
        .registry
        .run(move |desk| {
            let code = apply_partner(desk, request)?;
            partner_view(desk, code)
        })
        .await?;
    Ok(Json(view))
}

/// What must hold of a partner before anything is written.
pub(crate) fn check_partner(request: &PartnerRequest) -> Result<(), Refused> {
    check_subscription(&request.subscription)
}

/// Creates or changes a partner; its number.
pub(crate) fn apply_partner(desk: &Desk<'_>, request: PartnerRequest) -> Result<i64> {
    let code = match request.integrator_code {
        Some(code) => code,
        None => store::list_partners(desk.db)?.last().map_or(FIRST_INTEGRATOR_CODE, |(last, _)| last + 1),
    };
    let known = store::find_partner(desk.db, code)?;
    let is_new = known.is_none();
    let title = request.title.or(known).unwrap_or_else(|| format!("ÖRNEK {code} ENTEGRATÖR ANONİM ŞİRKETİ"));
    store::put_partner(desk.db, code, &title)?;
    put_subscription(desk, code, "İO - API Kullanımı", request.subscription, is_new)?;
    let users = request.users.unwrap_or_else(|| {
        let first = UserRequest { username: format!("api@{code}.entegrator.test"), ..UserRequest::default() };
        if is_new { vec![first] } else { Vec::new() }
    });
    put_users(desk, Family::Partner, code, users)?;
    Ok(code)
}

pub(super) async fn remove_user(
    State(app): State<Arc<App>>,
    Path(username): Path<String>,
) -> Result<Json<Value>, Problem> {
    let name = username.clone();
    let removed = app.registry.run(move |desk| accounts::remove(desk.db, &name)).await?;
    if removed { Ok(Json(json!({ "removed": username }))) } else { Err(Problem::not_found("username")) }
}

/// A provider as the control interface shows it.
fn view(desk: &Desk<'_>, iys_code: i64) -> Result<Value> {
    let provider = store::find(desk.db, iys_code)?;
    let partners = store::list_partners(desk.db)?;
    let (mut brands, mut authorisations) = (Vec::new(), Vec::new());
    for brand in store::list_brands(desk.db, iys_code)? {
        for (integrator_code, _) in &partners {
            let found = store::find_authorisation(desk.db, *integrator_code, brand.code)?;
            authorisations.extend(found.map(|a| {
                json!({
                    "integratorCode": integrator_code,
                    "brandCode": brand.code,
                    "MESAJ": a.message.as_str(),
                    "ARAMA": a.call.as_str(),
                    "EPOSTA": a.email.as_str(),
                    "agreementControl": a.agreement_control,
                    "viaControl": a.via_control,
                })
            }));
        }
        let retailers = retailers::count(desk.db, brand.code)?;
        brands.push(json!({
            "brandCode": brand.code,
            "name": brand.name,
            "master": brand.master,
            "retailers": retailers,
            "shortNames": store_opt_in::short_names(desk.db, brand.code)?,
        }));
    }
    Ok(json!({
        "iysCode": iys_code,
        "title": provider.as_ref().map(|provider| provider.title.as_str()),
        "activationDate": provider.as_ref().and_then(|p| p.activation_at).map(wire_time::write),
        "usedAddresses": provider.as_ref().map(|provider| provider.used_addresses),
        "subscription": subscription_view(desk, iys_code)?,
        "via": opt_in::package_view(desk, iys_code, Product::Via)?,
        "viaPass": opt_in::package_view(desk, iys_code, Product::Pass)?,
        "forms": opt_in::forms_view(desk, iys_code)?,
        "templates": opt_in::templates_view(desk, iys_code)?,
        "brands": brands,
        "users": users_view(desk, Family::Provider, iys_code)?,
        "authorisations": authorisations,
    }))
}

fn partner_view(desk: &Desk<'_>, integrator_code: i64) -> Result<Value> {
    Ok(json!({
        "integratorCode": integrator_code,
        "title": store::find_partner(desk.db, integrator_code)?,
        "subscription": subscription_view(desk, integrator_code)?,
        "users": users_view(desk, Family::Partner, integrator_code)?,
    }))
}

/// A user as the control interface shows it: the passwords of a simulator are no secrets.
#[derive(Debug, Serialize)]
struct UserView {
    username: String,
    password: String,
    admin: bool,
}

fn users_view(desk: &Desk<'_>, family: Family, code: i64) -> Result<Vec<UserView>> {
    let users = accounts::list(desk.db, family, code)?.into_iter().map(|account| UserView {
        username: account.username,
        password: account.password,
        admin: account.admin,
    });
    Ok(users.collect())
}

fn subscription_view(desk: &Desk<'_>, code: i64) -> Result<Value> {
    let Some(subscription) = store::find_subscription(desk.db, code)? else { return Ok(Value::Null) };
    Ok(json!({
        "id": subscription.id,
        "package": subscription.package,
        "status": subscription.status.as_str(),
        "startDate": wire_time::write(subscription.start_at),
        "expirationDate": wire_time::write(subscription.expires_at),
        "apiUse": subscription.api_use,
        "consentLimit": subscription.consent_limit,
        "consentLimitExceed": subscription.consent_limit_exceed,
    }))
}
