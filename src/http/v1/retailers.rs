//! Retailers of a brand, and which consents they may use.

use std::fmt;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use iys::wire::RetailerRequest;
use kopru_domain::{Channel, RecipientType, RetailerCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::auth::Call;
use crate::http::body::JsonBody;
use crate::http::cursor::{List, Place};
use crate::http::idempotency::{Repeatable, Turn};
use crate::http::json::{self, Body, Field, Kind};
use crate::http::params::Params;
use crate::http::problem::{Problem, ProblemBody, ProblemField};
use crate::http::state::{Branded, HttpState};
use crate::http::v1::Page;
use crate::http::v1::permissions::{CHANNELS, RECIPIENT_TYPES};
use crate::service::Scope;
use crate::service::retailers::{self, Access, AccessReport, Change, Retailer};

/// A retailer to be made at the registry.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RetailerBody {
    /// Commercial title, at most 255 characters.
    pub title: String,
    /// First and last name of its responsible person. Kept sealed, shown masked.
    pub name: String,
    /// That person's citizen number, 11 digits. Kept sealed, shown masked.
    pub tckn: String,
    /// Tax number (10 digits) or citizen number (11).
    pub tin: String,
    /// Province.
    pub city: retailers::Place,
    /// District.
    pub town: retailers::Place,
    /// Number in the trade register, 16 digits.
    pub mersis: Option<String>,
    /// What its brand calls it.
    pub alias: Option<String>,
    /// The person's phone number, `+905321234567`. Kept sealed, shown masked.
    pub mobile: Option<String>,
    /// `active` (the default), `passive` or `suspended`.
    pub status: Option<String>,
}

/// Shows no person.
impl fmt::Debug for RetailerBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RetailerBody").field("title", &self.title).finish_non_exhaustive()
    }
}

const PLACE: &[Field] =
    &[Field::required("name", Kind::Text).also(&["ad"]), Field::required("code", Kind::Code).also(&["kod"])];

impl Body for RetailerBody {
    const FIELDS: &'static [Field] = &[
        Field::required("title", Kind::Text).also(&["unvan"]),
        Field::required("name", Kind::Text).also(&["ad", "adsoyad"]),
        Field::required("tckn", Kind::Text).also(&["kimlikno", "tcno"]),
        Field::required("tin", Kind::Text).also(&["vkn", "vergino"]),
        Field::required("city", Kind::Object(PLACE)).also(&["il", "sehir"]),
        Field::required("town", Kind::Object(PLACE)).also(&["ilce", "district"]),
        Field::optional("mersis", Kind::Text),
        Field::optional("alias", Kind::Text),
        Field::optional("mobile", Kind::Text).also(&["phone", "gsm", "telefon"]),
        Field::optional("status", Kind::Word(&["active", "passive", "suspended"])).also(&["durum"]),
    ];
}

impl From<RetailerBody> for RetailerRequest {
    fn from(body: RetailerBody) -> Self {
        let given = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
        Self {
            title: body.title,
            name: body.name,
            tckn: body.tckn,
            tin: body.tin,
            city: body.city.into(),
            town: body.town.into(),
            mersis: given(body.mersis),
            alias: given(body.alias),
            mobile: given(body.mobile),
            status: body.status,
        }
    }
}

/// Consents by their addresses, and retailers.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AccessBody {
    /// Addresses, as people write them. They stand in the body, because addresses never stand in a URL.
    pub recipients: Vec<String>,
    /// `BIREYSEL` (the default) or `TACIR`.
    #[schema(value_type = Option<String>)]
    pub recipient_type: Option<RecipientType>,
    /// `ARAMA`, `MESAJ` or `EPOSTA`.
    #[serde(rename = "type")]
    #[schema(value_type = String)]
    pub channel: Channel,
    /// Numbers of retailers, at most 3 000.
    #[serde(default)]
    pub retailers: Option<Vec<i64>>,
}

/// Shows no address.
impl fmt::Debug for AccessBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessBody").field("retailers", &self.retailers).finish_non_exhaustive()
    }
}

impl Body for AccessBody {
    const FIELDS: &'static [Field] = &[
        Field::required("recipients", Kind::Texts).also(&["recipient", "addresses"]),
        Field::optional("recipientType", Kind::Word(RECIPIENT_TYPES)),
        Field::required("type", Kind::Word(CHANNELS)).also(&["channel"]),
        Field::optional("retailers", Kind::Numbers).also(&["retaileraccess", "bayiler"]),
    ];
}

impl From<AccessBody> for Access {
    fn from(body: AccessBody) -> Self {
        Self {
            recipients: body.recipients,
            recipient_type: body.recipient_type.unwrap_or(RecipientType::Individual),
            channel: body.channel,
            retailers: body.retailers.unwrap_or_default(),
        }
    }
}

/// One consent by its address.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AccessQuery {
    /// The address, as people write it.
    #[schema(example = "+905321234567")]
    pub recipient: String,
    /// `BIREYSEL` (the default) or `TACIR`.
    #[schema(value_type = Option<String>)]
    pub recipient_type: Option<RecipientType>,
    /// `ARAMA`, `MESAJ` or `EPOSTA`.
    #[serde(rename = "type")]
    #[schema(value_type = String)]
    pub channel: Channel,
}

/// Shows no address.
impl fmt::Debug for AccessQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessQuery").field("channel", &self.channel).finish_non_exhaustive()
    }
}

impl Body for AccessQuery {
    const FIELDS: &'static [Field] = &[
        Field::required("recipient", Kind::Text).also(&["phone", "gsm", "telefon", "email", "eposta"]),
        Field::optional("recipientType", Kind::Word(RECIPIENT_TYPES)),
        Field::required("type", Kind::Word(CHANNELS)).also(&["channel"]),
    ];
}

/// What became of a change of access.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AccessReceipt {
    /// Addresses for which the registry took the whole change.
    pub done: usize,
    /// What it refused, by place in the list sent.
    pub refused: Vec<ProblemField>,
}

type Code = Result<Path<(i64, i64)>, PathRejection>;

fn known(code: Code) -> Result<RetailerCode, Problem> {
    code.map(|Path((_, code))| RetailerCode(code)).map_err(|_| Problem::NotFound("retailer"))
}

/// Make a retailer
///
/// At the registry, which gives it its number, and here. Persons and their numbers are kept sealed and shown masked. The
/// registry's rules are checked by the registry: each field that it refuses is told with its code.
#[utoipa::path(
    post,
    path = "/v1/brands/{brandCode}/retailers",
    operation_id = "addRetailer",
    tag = "retailers",
    params(
        ("brandCode" = i64, Path, description = "The brand's number at the registry"),
        ("Idempotency-Key" = Option<String>, Header, description = "A new value for each piece of work, such as a UUID"),
    ),
    request_body(content = RetailerBody),
    responses(
        (status = 201, description = "The retailer", body = Retailer),
        (status = 422, description = "The registry refuses fields", body = ProblemBody, content_type = "application/problem+json"),
        (status = 502, description = "The registry could not be asked", body = ProblemBody, content_type = "application/problem+json"),
    ),
    extensions(
        ("x-summary-tr" = json!("Bayi oluştur")),
        ("x-description-tr" = json!("Numarayı veren İYS'de ve burada. Kişiler ve numaraları mühürlü saklanır, maskeli gösterilir. İYS'nin kurallarını İYS denetler: kabul etmediği her alan koduyla bildirilir.")),
        ("x-scope" = json!("consents:write")),
    ),
)]
pub async fn add(
    State(state): State<HttpState>,
    call: Call,
    Branded(brand): Branded,
    repeatable: Repeatable,
    JsonBody(bytes): JsonBody,
) -> Result<Response, Problem> {
    call.require(Scope::ConsentsWrite)?;
    brand.require_active()?;
    let new = RetailerRequest::from(json::read::<RetailerBody>(&bytes)?);
    let turn = match repeatable.begin(&state, &bytes).await? {
        Turn::Repeat(answer) => return Ok(answer),
        Turn::First(turn) => turn,
    };
    // No transaction stays open while the registry is asked.
    let pending = turn.pause();
    let code = retailers::file(&state.app, &call, &brand.row, &new).await?;
    let mut turn = pending.resume().await?;
    let retailer = retailers::record(&mut turn.tx, &state.app, &call, &brand.row, code, new).await?;
    turn.finish(StatusCode::CREATED, &retailer).await
}

/// List a brand's retailers
///
/// From the mirror, by number. It is read from the registry where it never was, with `refresh`, and with each sync from then
/// on. Persons are masked unless the key has `recipients:read`, which leaves an audit row.
#[utoipa::path(
    get,
    path = "/v1/brands/{brandCode}/retailers",
    operation_id = "listRetailers",
    tag = "retailers",
    params(
        ("brandCode" = i64, Path, description = "The brand's number at the registry"),
        ("refresh" = Option<bool>, Query, description = "Read them from the registry first"),
        ("after" = Option<String>, Query, description = "Cursor from the page before"),
        ("limit" = Option<i64>, Query, description = "Entries of a page: 100, at most 1 000"),
    ),
    responses((status = 200, description = "A page", body = Page<Retailer>)),
    extensions(
        ("x-summary-tr" = json!("Markanın bayilerini listele")),
        ("x-description-tr" = json!("Aynadan, numaraya göre. Hiç okunmamışsa, refresh ile ve sonraki her eşitlemede İYS'den okunur. Kişiler, anahtarda recipients:read yetkisi yoksa maskelidir; tam gösterim denetim kaydı bırakır.")),
        ("x-scope" = json!("consents:read")),
    ),
)]
pub async fn list(
    State(state): State<HttpState>,
    call: Call,
    Branded(brand): Branded,
    uri: Uri,
) -> Result<Json<Page<Retailer>>, Problem> {
    let pages = List::Retailers(brand.row.brand_code.0);
    let mut params = Params::of(&uri, &["refresh", "after", "limit"]);
    let fresh = params.word("refresh", &["true", "false"]).unwrap_or_default();
    let after = params.cursor("after", pages, List::number).unwrap_or_default();
    let limit = params.limit(1_000);
    params.finish()?;
    let items = retailers::list(&state.app, &call, &brand.row, RetailerCode(after), limit + 1, fresh).await?;
    Ok(Json(Page::cut(items, limit, pages, |item| Place::Number(item.retailer_code))))
}

/// Show one retailer
///
/// As the registry has it now, with whether it can be deleted.
#[utoipa::path(
    get,
    path = "/v1/brands/{brandCode}/retailers/{retailerCode}",
    operation_id = "getRetailer",
    tag = "retailers",
    params(
        ("brandCode" = i64, Path, description = "The brand's number at the registry"),
        ("retailerCode" = i64, Path, description = "The retailer's number at the registry"),
    ),
    responses(
        (status = 200, description = "The retailer", body = Retailer),
        (status = 404, description = "Not there, or not for this key", body = ProblemBody, content_type = "application/problem+json"),
    ),
    extensions(
        ("x-summary-tr" = json!("Bir bayiyi göster")),
        ("x-description-tr" = json!("İYS'deki şimdiki haliyle ve silinip silinemeyeceğiyle.")),
        ("x-scope" = json!("consents:read")),
    ),
)]
pub async fn get(
    State(state): State<HttpState>,
    call: Call,
    Branded(brand): Branded,
    code: Code,
) -> Result<Json<Retailer>, Problem> {
    Ok(Json(retailers::get(&state.app, &call, &brand.row, known(code)?).await?))
}

/// Delete a retailer
///
/// At the registry and here; only where no consent refers to it.
#[utoipa::path(
    delete,
    path = "/v1/brands/{brandCode}/retailers/{retailerCode}",
    operation_id = "deleteRetailer",
    tag = "retailers",
    params(
        ("brandCode" = i64, Path, description = "The brand's number at the registry"),
        ("retailerCode" = i64, Path, description = "The retailer's number at the registry"),
    ),
    responses(
        (status = 204, description = "Deleted"),
        (status = 409, description = "Consents refer to it", body = ProblemBody, content_type = "application/problem+json"),
    ),
    extensions(
        ("x-summary-tr" = json!("Bayiyi sil")),
        ("x-description-tr" = json!("İYS'de ve burada; yalnızca hiçbir izin ona bağlı değilse.")),
        ("x-scope" = json!("consents:write")),
    ),
)]
pub async fn delete(
    State(state): State<HttpState>,
    call: Call,
    Branded(brand): Branded,
    code: Code,
) -> Result<StatusCode, Problem> {
    retailers::delete(&state.app, &call, &brand.row, known(code)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Let retailers use consents
///
/// Besides those that may already. The registry takes one address and 100 retailers a call; longer lists are split, and one
/// request makes at most 100 calls. What the registry refuses is told by place and code, and the rest is done.
#[utoipa::path(
    post,
    path = "/v1/brands/{brandCode}/retailers/access/grant",
    operation_id = "grantRetailerAccess",
    tag = "retailers",
    params(("brandCode" = i64, Path, description = "The brand's number at the registry")),
    request_body(content = AccessBody),
    responses(
        (status = 200, description = "Done; `refused` may hold what was not", body = AccessReceipt),
        (status = 422, description = "Nothing was done", body = ProblemBody, content_type = "application/problem+json"),
    ),
    extensions(
        ("x-summary-tr" = json!("Bayilere izinleri aç")),
        ("x-description-tr" = json!("Zaten açık olanların yanına. İYS çağrı başına bir adres ve 100 bayi alır; uzun listeler bölünür, bir istek en çok 100 çağrı yapar. İYS'nin kabul etmediği, yeri ve koduyla bildirilir, gerisi yapılır.")),
        ("x-scope" = json!("consents:write")),
    ),
)]
pub async fn grant(
    state: State<HttpState>,
    call: Call,
    brand: Branded,
    body: JsonBody,
) -> Result<Response, Problem> {
    changed(state, call, brand, body, Change::Grant).await
}

/// Set which retailers may use consents
///
/// These and no others, not even the one who took the consent. The registry takes 100 addresses a call and carries it out a
/// little later.
#[utoipa::path(
    post,
    path = "/v1/brands/{brandCode}/retailers/access/replace",
    operation_id = "replaceRetailerAccess",
    tag = "retailers",
    params(("brandCode" = i64, Path, description = "The brand's number at the registry")),
    request_body(content = AccessBody),
    responses(
        (status = 202, description = "Taken; `refused` may hold what was not", body = AccessReceipt),
        (status = 422, description = "Nothing was taken", body = ProblemBody, content_type = "application/problem+json"),
    ),
    extensions(
        ("x-summary-tr" = json!("İzinleri kullanabilecek bayileri belirle")),
        ("x-description-tr" = json!("Yalnızca bunlar; izni alan bayi bile dahil değildir. İYS çağrı başına 100 adres alır ve biraz sonra uygular.")),
        ("x-scope" = json!("consents:write")),
    ),
)]
pub async fn replace(
    state: State<HttpState>,
    call: Call,
    brand: Branded,
    body: JsonBody,
) -> Result<Response, Problem> {
    changed(state, call, brand, body, Change::Replace).await
}

/// Take consents away from retailers
///
/// From these, or without `retailers` from all. The registry takes 100 addresses and 100 retailers a call and carries it out a
/// little later.
#[utoipa::path(
    post,
    path = "/v1/brands/{brandCode}/retailers/access/revoke",
    operation_id = "revokeRetailerAccess",
    tag = "retailers",
    params(("brandCode" = i64, Path, description = "The brand's number at the registry")),
    request_body(content = AccessBody),
    responses(
        (status = 202, description = "Taken; `refused` may hold what was not", body = AccessReceipt),
        (status = 422, description = "Nothing was taken", body = ProblemBody, content_type = "application/problem+json"),
    ),
    extensions(
        ("x-summary-tr" = json!("Bayilerden izinleri geri al")),
        ("x-description-tr" = json!("Bunlardan, retailers yoksa hepsinden. İYS çağrı başına 100 adres ve 100 bayi alır ve biraz sonra uygular.")),
        ("x-scope" = json!("consents:write")),
    ),
)]
pub async fn revoke(
    state: State<HttpState>,
    call: Call,
    brand: Branded,
    body: JsonBody,
) -> Result<Response, Problem> {
    changed(state, call, brand, body, Change::Revoke).await
}

async fn changed(
    State(state): State<HttpState>,
    call: Call,
    Branded(brand): Branded,
    JsonBody(bytes): JsonBody,
    change: Change,
) -> Result<Response, Problem> {
    call.require(Scope::ConsentsWrite)?;
    brand.require_active()?;
    let access = Access::from(json::read::<AccessBody>(&bytes)?);
    let AccessReport { done, refused } =
        retailers::change(&state.app, &call, &brand.row, change, access).await?;
    let refused = refused.iter().map(|problem| ProblemField::new(problem, call.lang)).collect();
    let status = if change == Change::Grant { StatusCode::OK } else { StatusCode::ACCEPTED };
    Ok((status, Json(AccessReceipt { done, refused })).into_response())
}

/// Which retailers may use a consent
///
/// As the registry has it now.
#[utoipa::path(
    post,
    path = "/v1/brands/{brandCode}/retailers/access/query",
    operation_id = "queryRetailerAccess",
    tag = "retailers",
    params(("brandCode" = i64, Path, description = "The brand's number at the registry")),
    request_body(content = AccessQuery),
    responses((status = 200, description = "The retailers", body = Page<Retailer>)),
    extensions(
        ("x-summary-tr" = json!("Bir izni hangi bayiler kullanabilir")),
        ("x-description-tr" = json!("İYS'deki şimdiki haliyle.")),
        ("x-scope" = json!("consents:read")),
    ),
)]
pub async fn query(
    State(state): State<HttpState>,
    call: Call,
    Branded(brand): Branded,
    JsonBody(bytes): JsonBody,
) -> Result<Json<Page<Retailer>>, Problem> {
    let AccessQuery { recipient, recipient_type, channel } = json::read(&bytes)?;
    let recipient_type = recipient_type.unwrap_or(RecipientType::Individual);
    let items =
        retailers::of_consent(&state.app, &call, &brand.row, &recipient, recipient_type, channel).await?;
    Ok(Json(Page { items, next: None, has_more: false }))
}
