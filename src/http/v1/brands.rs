//! Brands.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use kopru_domain::{
    AfterCitizenRet, BrandCode, BrandPolicy, DailyAgreement, IysCode, OnayRefresh, ProviderSource,
};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::http::auth::Call;
use crate::http::body::JsonBody;
use crate::http::cursor::{List, Place};
use crate::http::idempotency::{Repeatable, Turn};
use crate::http::json::{self, Body, Field, Kind};
use crate::http::params::Params;
use crate::http::path::In;
use crate::http::problem::{Problem, ProblemBody};
use crate::http::state::HttpState;
use crate::http::v1::Page;
use crate::service::brands::{self, Brand, NewBrand};
use crate::service::{Scope, onboarding, providers};

/// A brand to be added.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BrandBody {
    /// The provider; may be left out where the key belongs to one.
    pub iys_code: Option<i64>,
    /// Its number at the registry.
    pub brand_code: i64,
    /// Name.
    pub name: String,
    /// What becomes of an ONAY of what is approved already: `never`, `source_change` (the default) or `always` filed.
    #[schema(value_type = Option<String>)]
    pub onay_refresh: Option<OnayRefresh>,
    /// What becomes of an ONAY after the citizen's own RET: `review`, `evidence` (the default) or `refuse`.
    #[schema(value_type = Option<String>)]
    pub after_citizen_ret: Option<AfterCitizenRet>,
    /// Sources that may be declared; left out: all.
    #[schema(value_type = Option<Vec<String>>)]
    pub allowed_sources: Option<Vec<ProviderSource>>,
    /// Whether days that are equal on both sides are agreed to at the registry: `off` (the default) or `when_equal`.
    #[schema(value_type = Option<String>)]
    pub daily_agreement: Option<DailyAgreement>,
}

/// What of a brand can be changed.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BrandChange {
    /// Whether days that are equal on both sides are agreed to at the registry: `off` or `when_equal`.
    #[schema(value_type = String, example = "when_equal")]
    pub daily_agreement: DailyAgreement,
}

const DAILY_AGREEMENTS: Kind = Kind::Word(&["off", "when_equal"]);

impl Body for BrandChange {
    const FIELDS: &'static [Field] = &[Field::required("dailyAgreement", DAILY_AGREEMENTS)];
}

const SOURCES: &[&str] = &[
    "HS_2015",
    "HS_KARAR",
    "HS_FIZIKSEL_ORTAM",
    "HS_ISLAK_IMZA",
    "HS_ETKINLIK",
    "HS_ATM",
    "HS_EORTAM",
    "HS_WEB",
    "HS_MOBIL",
    "HS_MESAJ",
    "HS_EPOSTA",
    "HS_CAGRI_MERKEZI",
    "HS_SOSYAL_MEDYA",
];

impl Body for BrandBody {
    const FIELDS: &'static [Field] = &[
        Field::optional("iysCode", Kind::Number).also(&["provider"]),
        Field::required("brandCode", Kind::Number).also(&["code", "brand"]),
        Field::required("name", Kind::Text).also(&["title", "ad"]),
        Field::optional("onayRefresh", Kind::Word(&["never", "source_change", "always"])),
        Field::optional("afterCitizenRet", Kind::Word(&["review", "evidence", "refuse"])),
        Field::optional("allowedSources", Kind::Words(SOURCES)).also(&["sources"]),
        Field::optional("dailyAgreement", DAILY_AGREEMENTS),
    ];
}

/// Add a brand
///
/// Its change feed at the registry is read from now on.
#[utoipa::path(
    post,
    path = "/v1/brands",
    operation_id = "addBrand",
    tag = "administration",
    params(("Idempotency-Key" = Option<String>, Header, description = "A new value for each piece of work, such as a UUID")),
    request_body(content = BrandBody),
    responses(
        (status = 201, description = "The brand", body = Brand),
        (status = 409, description = "It exists already", body = ProblemBody, content_type = "application/problem+json"),
    ),
    extensions(
        ("x-summary-tr" = json!("Marka ekle")),
        ("x-description-tr" = json!("İYS'deki değişiklik akışı bundan sonra okunur.")),
        ("x-scope" = json!("admin")),
    ),
)]
pub async fn add(
    State(state): State<HttpState>,
    call: Call,
    repeatable: Repeatable,
    JsonBody(bytes): JsonBody,
) -> Result<Response, Problem> {
    call.require(Scope::Admin)?;
    let body: BrandBody = json::read(&bytes)?;
    let new = NewBrand {
        iys_code: providers::meant(&call, body.iys_code.map(IysCode))?,
        brand_code: BrandCode(body.brand_code),
        name: body.name,
        policy: BrandPolicy {
            onay_refresh: body.onay_refresh.unwrap_or_default(),
            after_citizen_ret: body.after_citizen_ret.unwrap_or_default(),
        },
        allowed_sources: body.allowed_sources,
        daily_agreement: body.daily_agreement.unwrap_or_default(),
    };
    let mut turn = match repeatable.begin(&state, &bytes).await? {
        Turn::Repeat(answer) => return Ok(answer),
        Turn::First(turn) => turn,
    };
    let brand = brands::add_in(&mut turn.tx, &state.app, &call, new).await?;
    onboarding::enqueue(&mut turn.tx, &state.app, IysCode(brand.iys_code)).await?;
    let answer = turn.finish(StatusCode::CREATED, &brand).await?;
    state.brands.clear();
    state.app.wake.wake();
    Ok(answer)
}

/// List brands
#[utoipa::path(
    get,
    path = "/v1/brands",
    operation_id = "listBrands",
    tag = "administration",
    params(
        ("iysCode" = Option<i64>, Query, description = "The provider, where the key is for all"),
        ("after" = Option<String>, Query, description = "Cursor from the page before"),
        ("limit" = Option<i64>, Query, description = "Entries of a page: 100, at most 999"),
    ),
    responses((status = 200, description = "A page, by number", body = Page<Brand>)),
    extensions(("x-summary-tr" = json!("Markaları listele")), ("x-scope" = json!("admin"))),
)]
pub async fn list(
    State(state): State<HttpState>,
    call: Call,
    uri: Uri,
) -> Result<Json<Page<Brand>>, Problem> {
    let mut params = Params::of(&uri, &["iysCode", "after", "limit"]);
    let provider = params.code("iysCode").map(IysCode);
    let after = params.cursor("after", List::Brands, List::number).unwrap_or_default();
    let limit = params.limit(999);
    params.finish()?;
    let items = brands::list(&state.app, &call, provider, BrandCode(after)).await?;
    Ok(Json(Page::cut(items, limit, List::Brands, |item| Place::Number(item.brand_code))))
}

/// Show one brand
///
/// With what it has authorised at the registry, channel by channel, its provider's subscription, and a warning for each
/// channel whose consents can be taken in but not filed.
#[utoipa::path(
    get,
    path = "/v1/brands/{brandCode}",
    operation_id = "getBrand",
    tag = "administration",
    params(("brandCode" = i64, Path, description = "The brand's number at the registry")),
    responses((status = 200, description = "The brand", body = Brand)),
    extensions(
        ("x-summary-tr" = json!("Markayı göster")),
        ("x-description-tr" = json!("İYS'de izin türü başına verdiği yetki, hizmet sağlayıcının aboneliği ve izinleri alınıp bildirilemeyen her tür için bir uyarı ile.")),
        ("x-scope" = json!("admin")),
    ),
)]
pub async fn get(
    State(state): State<HttpState>,
    call: Call,
    In(brand): In<BrandCode>,
) -> Result<Json<Brand>, Problem> {
    Ok(Json(brands::get(&state.app, &call, brand).await?))
}

/// Change a brand
///
/// A day that was agreed to stays so: the registry lets nobody take it back.
#[utoipa::path(
    patch,
    path = "/v1/brands/{brandCode}",
    operation_id = "changeBrand",
    tag = "administration",
    params(("brandCode" = i64, Path, description = "The brand's number at the registry")),
    request_body(content = BrandChange),
    responses((status = 200, description = "The brand", body = Brand)),
    extensions(
        ("x-summary-tr" = json!("Markayı değiştir")),
        ("x-description-tr" = json!("Sağlanmış bir mutabakat geri alınamaz: İYS buna izin vermez.")),
        ("x-scope" = json!("admin")),
    ),
)]
pub async fn change(
    State(state): State<HttpState>,
    call: Call,
    In(brand): In<BrandCode>,
    JsonBody(bytes): JsonBody,
) -> Result<Json<Brand>, Problem> {
    call.require(Scope::Admin)?;
    let body: BrandChange = json::read(&bytes)?;
    let brand = brands::set_daily_agreement(&state.app, &call, brand, body.daily_agreement).await?;
    state.brands.clear();
    Ok(Json(brand))
}

/// Disable a brand
///
/// For good: nothing is taken in for it and its changes are no longer read.
#[utoipa::path(
    delete,
    path = "/v1/brands/{brandCode}",
    operation_id = "disableBrand",
    tag = "administration",
    params(("brandCode" = i64, Path, description = "The brand's number at the registry")),
    responses((status = 204, description = "Disabled")),
    extensions(
        ("x-summary-tr" = json!("Markayı kapat")),
        ("x-description-tr" = json!("Kalıcıdır: marka için artık bir şey alınmaz ve değişiklikleri okunmaz.")),
        ("x-scope" = json!("admin")),
    ),
)]
pub async fn disable(
    State(state): State<HttpState>,
    call: Call,
    In(brand): In<BrandCode>,
) -> Result<StatusCode, Problem> {
    brands::disable(&state.app, &call, brand).await?;
    state.brands.clear();
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_sources_is_the_registrys() {
        let all: Vec<&str> = ProviderSource::ALL.iter().map(|source| source.as_str()).collect();
        assert_eq!(SOURCES, all);
    }
}
