//! Receivers of the registry's pushes.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use kopru_domain::{BrandCode, Channel};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::http::auth::Call;
use crate::http::body::JsonBody;
use crate::http::idempotency::{Repeatable, Turn};
use crate::http::json::{self, Body, Field, Kind};
use crate::http::path::{In, Within};
use crate::http::problem::{Problem, ProblemBody};
use crate::http::state::HttpState;
use crate::http::v1::permissions::CHANNELS;
use crate::service::push::{self, PushConnection};

/// A receiver to be added.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PushBody {
    /// `ARAMA`, `MESAJ` or `EPOSTA`.
    #[serde(rename = "type")]
    #[schema(value_type = String, example = "MESAJ")]
    pub channel: Channel,
}

impl Body for PushBody {
    const FIELDS: &'static [Field] =
        &[Field::required("type", Kind::Word(CHANNELS)).also(&["channel", "kanal"])];
}

/// The receivers of a brand.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PushConnections {
    /// By type and age; at most two of a type, and those that the registry refused.
    pub items: Vec<PushConnection>,
}

/// Add a push connection
///
/// The registry is told to push what citizens decide on this channel, and tries the address at once: `http.public_url` must be
/// https and reachable. Token and credentials are made here and shown to the registry alone. The answer comes before the registry
/// has been told: look at `state` a moment later. Push is a hint and the change feed the truth: a RET acts at once, an ONAY when
/// the feed confirms it.
#[utoipa::path(
    post,
    path = "/v1/brands/{brandCode}/push-connections",
    operation_id = "addPushConnection",
    tag = "administration",
    params(
        ("brandCode" = i64, Path, description = "The brand's number at the registry"),
        ("Idempotency-Key" = Option<String>, Header, description = "A new value for each piece of work, such as a UUID"),
    ),
    request_body(content = PushBody),
    responses(
        (status = 201, description = "The connection; the registry is being told", body = PushConnection),
        (status = 409, description = "There are two already, or http.public_url cannot be used", body = ProblemBody, content_type = "application/problem+json"),
    ),
    extensions(
        ("x-summary-tr" = json!("Push bağlantısı ekle")),
        ("x-description-tr" = json!("İYS'ye, vatandaşların bu kanaldaki kararlarını bize iletmesi bildirilir; İYS adresi hemen dener: http.public_url dışarıdan erişilebilen bir https adresi olmalıdır. Anahtar ve parola burada üretilir, yalnızca İYS'ye verilir. Yanıt, İYS'ye bildirilmeden önce gelir: az sonra state alanına bakın. İletim bir ipucudur, esas olan değişiklik akışıdır: ret hemen, onay akışta görününce geçerli olur.")),
        ("x-scope" = json!("admin")),
    ),
)]
pub async fn add(
    State(state): State<HttpState>,
    call: Call,
    In(brand): In<BrandCode>,
    repeatable: Repeatable,
    JsonBody(bytes): JsonBody,
) -> Result<Response, Problem> {
    let body: PushBody = json::read(&bytes)?;
    let mut turn = match repeatable.begin(&state, &bytes).await? {
        Turn::Repeat(answer) => return Ok(answer),
        Turn::First(turn) => turn,
    };
    let added = push::add_in(&mut turn.tx, &state.app, &call, brand, body.channel).await?;
    let answer = turn.finish(StatusCode::CREATED, &added).await?;
    state.app.wake.wake();
    Ok(answer)
}

/// List push connections
#[utoipa::path(
    get,
    path = "/v1/brands/{brandCode}/push-connections",
    operation_id = "listPushConnections",
    tag = "administration",
    params(("brandCode" = i64, Path, description = "The brand's number at the registry")),
    responses((status = 200, description = "The connections", body = PushConnections)),
    extensions(("x-summary-tr" = json!("Push bağlantılarını listele")), ("x-scope" = json!("admin"))),
)]
pub async fn list(
    State(state): State<HttpState>,
    call: Call,
    In(brand): In<BrandCode>,
) -> Result<Json<PushConnections>, Problem> {
    let items = push::list(&state.app, &call, brand).await?;
    Ok(Json(PushConnections { items }))
}

/// Show one push connection
#[utoipa::path(
    get,
    path = "/v1/brands/{brandCode}/push-connections/{id}",
    operation_id = "getPushConnection",
    tag = "administration",
    params(
        ("brandCode" = i64, Path, description = "The brand's number at the registry"),
        ("id" = Uuid, Path, description = "The connection's identity"),
    ),
    responses((status = 200, description = "The connection", body = PushConnection)),
    extensions(("x-summary-tr" = json!("Push bağlantısını göster")), ("x-scope" = json!("admin"))),
)]
pub async fn get(
    State(state): State<HttpState>,
    call: Call,
    at: Within<Uuid>,
) -> Result<Json<PushConnection>, Problem> {
    let (brand, id) = at.or_missing("push connection")?;
    Ok(Json(push::get(&state.app, &call, brand, id).await?))
}

/// Remove a push connection
///
/// The registry is told to push there no more; once it has been, the connection disappears. Until then pushes are taken.
#[utoipa::path(
    delete,
    path = "/v1/brands/{brandCode}/push-connections/{id}",
    operation_id = "removePushConnection",
    tag = "administration",
    params(
        ("brandCode" = i64, Path, description = "The brand's number at the registry"),
        ("id" = Uuid, Path, description = "The connection's identity"),
    ),
    responses((status = 202, description = "The registry is being told", body = PushConnection)),
    extensions(
        ("x-summary-tr" = json!("Push bağlantısını kaldır")),
        ("x-description-tr" = json!("İYS'ye artık oraya iletmemesi bildirilir; bildirilince bağlantı silinir. O zamana kadar gelenler alınır.")),
        ("x-scope" = json!("admin")),
    ),
)]
pub async fn remove(
    State(state): State<HttpState>,
    call: Call,
    at: Within<Uuid>,
) -> Result<(StatusCode, Json<PushConnection>), Problem> {
    let (brand, id) = at.or_missing("push connection")?;
    let removed = push::remove(&state.app, &call, brand, id).await?;
    Ok((StatusCode::ACCEPTED, Json(removed)))
}
