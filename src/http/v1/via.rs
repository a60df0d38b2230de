//! How a brand uses the registry's own way to confirm addresses (ViA).

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use kopru_domain::via::Verification;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::http::auth::Call;
use crate::http::body::JsonBody;
use crate::http::json::{self, Body, Field, Kind};
use crate::http::problem::{Problem, ProblemBody};
use crate::http::state::{Branded, HttpState};
use crate::service::via::settings::{self, NewSettings, ViaSettings};

/// How a brand is to use it.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ViaBody {
    /// The number of the approval form in the registry's panel, by verification type. The form must be published, and of the type's
    /// kind. Of several that reach an address the first counts, in the order `SMS_OTP`, `SMS_SHORTURL`, `EPOSTA_APPROVALURL`,
    /// `EPOSTA_SHORTURL`, `EPOSTA_OTP`.
    #[schema(value_type = Object, example = json!({"SMS_OTP": 12, "EPOSTA_APPROVALURL": 14}))]
    pub forms: BTreeMap<Verification, Option<i64>>,
    /// Whether confirmations go this way where a form or a call says nothing else; left out: not.
    pub by_default: Option<bool>,
}

const FORMS: &[Field] = &[
    Field::optional("SMS_OTP", Kind::Number),
    Field::optional("SMS_SHORTURL", Kind::Number),
    Field::optional("EPOSTA_OTP", Kind::Number),
    Field::optional("EPOSTA_SHORTURL", Kind::Number),
    Field::optional("EPOSTA_APPROVALURL", Kind::Number),
];

impl Body for ViaBody {
    const FIELDS: &'static [Field] = &[
        Field::required("forms", Kind::Object(FORMS)).also(&["formlar"]),
        Field::optional("byDefault", Kind::Flag).also(&["default", "varsayilan"]),
    ];
}

/// Let the registry confirm a brand's addresses (ViA)
///
/// The registry itself sends the code or link to the citizen, records what is approved and carries the burden of proof; nothing of it is
/// filed from here. Forms (`confirmation`) and `POST …/opt-ins` choose it, or the brand does for all of them (`byDefault`). The brand must
/// have given the right `viaControl`, for which the registry is asked if it is not known; each process uses one credit of the provider's
/// ViA package. All of it: what is left out is unset.
#[utoipa::path(
    put,
    path = "/v1/brands/{brandCode}/via",
    operation_id = "setVia",
    tag = "channels",
    params(("brandCode" = i64, Path, description = "The brand's number at the registry")),
    request_body(content = ViaBody),
    responses(
        (status = 200, description = "The settings", body = ViaSettings),
        (status = 409, description = "The brand has not given the right, or the registry could not be asked for it", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "Fields cannot be used", body = ProblemBody, content_type = "application/problem+json"),
    ),
    extensions(
        ("x-summary-tr" = json!("Markanın adreslerini İYS doğrulasın (ViA)")),
        ("x-description-tr" = json!("Kodu ya da bağlantıyı vatandaşa İYS gönderir, onayı İYS kaydeder, ispat yükü İYS'dedir; buradan ayrıca bildirim yapılmaz. Formlar (confirmation) ve POST …/opt-ins seçer ya da marka hepsi için belirler (byDefault). Marka viaControl yetkisini vermiş olmalıdır; bilinmiyorsa İYS'ye sorulur. Her işlem hizmet sağlayıcının ViA paketinden bir kontör harcar. Bütünüyle: gönderilmeyen boşaltılır.")),
        ("x-scope" = json!("admin")),
    ),
)]
pub async fn set(
    State(state): State<HttpState>,
    call: Call,
    Branded(brand): Branded,
    JsonBody(bytes): JsonBody,
) -> Result<Json<ViaSettings>, Problem> {
    let body: ViaBody = json::read(&bytes)?;
    let named = body.forms.into_iter();
    let new = NewSettings {
        by_default: body.by_default.unwrap_or_default(),
        forms: named.filter_map(|(verification, form)| Some((verification, form?))).collect(),
    };
    let set = settings::set(&state.app, &call, brand.row.brand_code, new).await?;
    state.brands.clear();
    Ok(Json(set))
}

/// Show how the registry confirms a brand's addresses
///
/// With the right, what stops it at present and who must act, and what is left of the package where the registry tells.
#[utoipa::path(
    get,
    path = "/v1/brands/{brandCode}/via",
    operation_id = "getVia",
    tag = "channels",
    params(("brandCode" = i64, Path, description = "The brand's number at the registry")),
    responses((status = 200, description = "The settings", body = ViaSettings)),
    extensions(
        ("x-summary-tr" = json!("İYS'nin markanın adreslerini nasıl doğruladığını göster")),
        ("x-description-tr" = json!("Yetkiyle, şu anda durduran nedenle ve kimin ne yapacağıyla, İYS bildiriyorsa kalan kontörle birlikte.")),
        ("x-scope" = json!("admin")),
    ),
)]
pub async fn get(
    State(state): State<HttpState>,
    call: Call,
    Branded(brand): Branded,
) -> Result<Json<ViaSettings>, Problem> {
    Ok(Json(settings::get(&state.app, &call, brand.row.brand_code).await?))
}

/// Stop using the registry's own way for a brand
///
/// What was started goes on to its end.
#[utoipa::path(
    delete,
    path = "/v1/brands/{brandCode}/via",
    operation_id = "removeVia",
    tag = "channels",
    params(("brandCode" = i64, Path, description = "The brand's number at the registry")),
    responses((status = 204, description = "It is used no more")),
    extensions(
        ("x-summary-tr" = json!("Markada ViA kullanımını bırak")),
        ("x-description-tr" = json!("Başlatılmış olanlar sonuna kadar sürer.")),
        ("x-scope" = json!("admin")),
    ),
)]
pub async fn remove(
    State(state): State<HttpState>,
    call: Call,
    Branded(brand): Branded,
) -> Result<StatusCode, Problem> {
    settings::remove(&state.app, &call, brand.row.brand_code).await?;
    Ok(StatusCode::NO_CONTENT)
}
