//! Webhook endpoints.

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use kopru_domain::{BrandCode, IysCode};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::http::auth::Call;
use crate::http::body::JsonBody;
use crate::http::cursor::{List, Place};
use crate::http::idempotency::{Repeatable, Turn};
use crate::http::json::{self, Body, Field, Kind};
use crate::http::params::Params;
use crate::http::problem::{Problem, ProblemBody};
use crate::http::state::HttpState;
use crate::http::v1::Page;
use crate::service::endpoints::{
    self, Delivery, Endpoint, IssuedEndpoint, NewEndpoint, Replay, RotatedSecret, TestResult,
};

/// The most deliveries of a page: each brings its attempts along.
const MOST_DELIVERIES: i64 = 200;

/// An endpoint to be added.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EndpointBody {
    /// Where events go: https, or http, to a public address.
    #[schema(example = "https://crm.example.com/kopru")]
    pub url: String,
    /// Only this brand's events; left out: all brands of the provider.
    pub brand_code: Option<i64>,
    /// The provider; needed without `brandCode` where the key is for all providers.
    pub iys_code: Option<i64>,
    /// A note of your own.
    pub description: Option<String>,
}

impl Body for EndpointBody {
    const FIELDS: &'static [Field] = &[
        Field::required("url", Kind::Text).also(&["address", "endpoint", "uri"]),
        Field::optional("brandCode", Kind::Number).also(&["brand", "marka"]),
        Field::optional("iysCode", Kind::Number).also(&["provider"]),
        Field::optional("description", Kind::Text).also(&["name", "note", "aciklama"]),
    ];
}

type Id = Result<Path<Uuid>, PathRejection>;

fn known(id: Id) -> Result<Uuid, Problem> {
    id.map(|Path(id)| id).map_err(|_| Problem::NotFound("endpoint"))
}

/// Add an endpoint
///
/// Events that happen from now on are delivered to it, signed as Standard Webhooks (HMAC-SHA-256). The secret is in this
/// answer and nowhere else.
#[utoipa::path(
    post,
    path = "/v1/webhook-endpoints",
    operation_id = "addEndpoint",
    tag = "webhooks",
    params(("Idempotency-Key" = Option<String>, Header, description = "A new value for each piece of work, such as a UUID")),
    request_body(content = EndpointBody),
    responses(
        (status = 201, description = "The endpoint with its secret", body = IssuedEndpoint),
        (status = 422, description = "The URL cannot be used", body = ProblemBody, content_type = "application/problem+json"),
    ),
    extensions(
        ("x-summary-tr" = json!("Uç nokta ekle")),
        ("x-description-tr" = json!("Bundan sonraki olaylar Standard Webhooks biçiminde (HMAC-SHA-256) imzalanarak gönderilir. İmza sırrı yalnızca bu yanıtta görünür.")),
        ("x-scope" = json!("webhooks:manage")),
    ),
)]
pub async fn add(
    State(state): State<HttpState>,
    call: Call,
    repeatable: Repeatable,
    JsonBody(bytes): JsonBody,
) -> Result<Response, Problem> {
    let body: EndpointBody = json::read(&bytes)?;
    let mut turn = match repeatable.begin(&state, &bytes).await? {
        Turn::Repeat(answer) => return Ok(answer),
        Turn::First(turn) => turn,
    };
    let new = NewEndpoint {
        iys_code: body.iys_code.map(IysCode),
        brand_code: body.brand_code.map(BrandCode),
        url: body.url,
        description: body.description.unwrap_or_default(),
    };
    let issued = endpoints::add_in(&mut turn.tx, &state.app, &call, new).await?;
    turn.finish(StatusCode::CREATED, &issued).await
}

/// List endpoints
///
/// In order of their age, without secrets.
#[utoipa::path(
    get,
    path = "/v1/webhook-endpoints",
    operation_id = "listEndpoints",
    tag = "webhooks",
    params(
        ("iysCode" = Option<i64>, Query, description = "The provider, where the key is for all"),
        ("after" = Option<String>, Query, description = "Cursor from the page before"),
        ("limit" = Option<i64>, Query, description = "Entries of a page: 100, at most 1 000"),
    ),
    responses((status = 200, description = "A page", body = Page<Endpoint>)),
    extensions(
        ("x-summary-tr" = json!("Uç noktaları listele")),
        ("x-description-tr" = json!("Eskiden yeniye, sırları olmadan.")),
        ("x-scope" = json!("webhooks:manage")),
    ),
)]
pub async fn list(
    State(state): State<HttpState>,
    call: Call,
    uri: Uri,
) -> Result<Json<Page<Endpoint>>, Problem> {
    let mut params = Params::of(&uri, &["iysCode", "after", "limit"]);
    let provider = params.code("iysCode").map(IysCode);
    let after = params.cursor("after", List::Endpoints, List::id);
    let limit = params.limit(1_000);
    params.finish()?;
    let items = endpoints::list(&state.app, &call, provider, after, limit + 1).await?;
    Ok(Json(Page::cut(items, limit, List::Endpoints, |item| Place::Id(item.id))))
}

/// Show one endpoint
#[utoipa::path(
    get,
    path = "/v1/webhook-endpoints/{id}",
    operation_id = "getEndpoint",
    tag = "webhooks",
    params(("id" = Uuid, Path, description = "The endpoint's identity")),
    responses((status = 200, description = "The endpoint", body = Endpoint)),
    extensions(("x-summary-tr" = json!("Uç noktayı göster")), ("x-scope" = json!("webhooks:manage"))),
)]
pub async fn get(State(state): State<HttpState>, call: Call, id: Id) -> Result<Json<Endpoint>, Problem> {
    Ok(Json(endpoints::get(&state.app, &call, known(id)?).await?))
}

/// Disable an endpoint
///
/// Nothing more is delivered. What waits for it stays and goes out if it is enabled again.
#[utoipa::path(
    delete,
    path = "/v1/webhook-endpoints/{id}",
    operation_id = "disableEndpoint",
    tag = "webhooks",
    params(("id" = Uuid, Path, description = "The endpoint's identity")),
    responses((status = 204, description = "Disabled")),
    extensions(
        ("x-summary-tr" = json!("Uç noktayı kapat")),
        ("x-description-tr" = json!("Artık bir şey gönderilmez. Bekleyenler durur, yeniden açılırsa gönderilir.")),
        ("x-scope" = json!("webhooks:manage")),
    ),
)]
pub async fn disable(State(state): State<HttpState>, call: Call, id: Id) -> Result<StatusCode, Problem> {
    endpoints::disable(&state.app, &call, known(id)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Enable an endpoint again
///
/// Deliveries go on where they stopped. What happened while the endpoint was disabled was not queued for it: replay it.
#[utoipa::path(
    post,
    path = "/v1/webhook-endpoints/{id}/enable",
    operation_id = "enableEndpoint",
    tag = "webhooks",
    params(
        ("id" = Uuid, Path, description = "The endpoint's identity"),
        ("Idempotency-Key" = Option<String>, Header, description = "A new value for each piece of work, such as a UUID"),
    ),
    responses((status = 200, description = "The endpoint", body = Endpoint)),
    extensions(
        ("x-summary-tr" = json!("Uç noktayı yeniden aç")),
        ("x-description-tr" = json!("Gönderimler kaldığı yerden sürer. Uç nokta kapalıyken olanlar onun için sıraya alınmamıştır: onları yeniden gönderin.")),
        ("x-scope" = json!("webhooks:manage")),
    ),
)]
pub async fn enable(
    State(state): State<HttpState>,
    call: Call,
    id: Id,
    repeatable: Repeatable,
) -> Result<Response, Problem> {
    let id = known(id)?;
    let mut turn = match repeatable.begin(&state, b"").await? {
        Turn::Repeat(answer) => return Ok(answer),
        Turn::First(turn) => turn,
    };
    let endpoint = endpoints::enable_in(&mut turn.tx, &state.app, &call, id).await?;
    let answer = turn.finish(StatusCode::OK, &endpoint).await?;
    state.app.wake.wake();
    Ok(answer)
}

/// Rotate an endpoint's secret
///
/// For 24 hours every call carries a signature of the old secret and one of the new, so that the receiver can change over
/// without losing a call. The new secret is in this answer and nowhere else.
#[utoipa::path(
    post,
    path = "/v1/webhook-endpoints/{id}/secret/rotate",
    operation_id = "rotateEndpointSecret",
    tag = "webhooks",
    params(
        ("id" = Uuid, Path, description = "The endpoint's identity"),
        ("Idempotency-Key" = Option<String>, Header, description = "A new value for each piece of work, such as a UUID"),
    ),
    responses((status = 200, description = "The new secret", body = RotatedSecret)),
    extensions(
        ("x-summary-tr" = json!("İmza sırrını değiştir")),
        ("x-description-tr" = json!("24 saat boyunca her çağrı eski ve yeni sırla ayrı ayrı imzalanır; alıcı çağrı kaçırmadan geçiş yapar. Yeni sır yalnızca bu yanıtta görünür.")),
        ("x-scope" = json!("webhooks:manage")),
    ),
)]
pub async fn rotate(
    State(state): State<HttpState>,
    call: Call,
    id: Id,
    repeatable: Repeatable,
) -> Result<Response, Problem> {
    let id = known(id)?;
    let mut turn = match repeatable.begin(&state, b"").await? {
        Turn::Repeat(answer) => return Ok(answer),
        Turn::First(turn) => turn,
    };
    let rotated = endpoints::rotate_in(&mut turn.tx, &state.app, &call, id).await?;
    turn.finish(StatusCode::OK, &rotated).await
}

/// Try an endpoint
///
/// Sends one signed call of type `endpoint.test` now, outside the queue, and tells what came back. Each request is one call:
/// an `Idempotency-Key` has no meaning here.
#[utoipa::path(
    post,
    path = "/v1/webhook-endpoints/{id}/test",
    operation_id = "testEndpoint",
    tag = "webhooks",
    params(("id" = Uuid, Path, description = "The endpoint's identity")),
    responses((status = 200, description = "What came back, also where that is a failure", body = TestResult)),
    extensions(
        ("x-summary-tr" = json!("Uç noktayı dene")),
        ("x-description-tr" = json!("Kuyruğun dışında hemen endpoint.test türünde imzalı bir çağrı yapar ve ne döndüğünü söyler. Her istek bir çağrıdır: Idempotency-Key burada anlamsızdır.")),
        ("x-scope" = json!("webhooks:manage")),
    ),
)]
pub async fn test(State(state): State<HttpState>, call: Call, id: Id) -> Result<Json<TestResult>, Problem> {
    Ok(Json(endpoints::test(&state.app, &call, known(id)?).await?))
}

/// Replay events to an endpoint
///
/// Delivers what has happened since an instant once more: with the same ids, marked `"replayed": true`, and outside the
/// order that other deliveries keep. Events that still wait for their first delivery are left out: they come by themselves.
/// One replay of an endpoint goes on at a time.
#[utoipa::path(
    post,
    path = "/v1/webhook-endpoints/{id}/replay",
    operation_id = "replayEvents",
    tag = "webhooks",
    params(
        ("id" = Uuid, Path, description = "The endpoint's identity"),
        ("since" = String, Query, description = "From when on: RFC 3339 with an offset, `YYYY-MM-DD HH:mm:ss` in Turkey time, or `YYYY-MM-DD`", example = "2026-11-20"),
        ("Idempotency-Key" = Option<String>, Header, description = "A new value for each piece of work, such as a UUID"),
    ),
    responses(
        (status = 202, description = "The replay has begun", body = Replay),
        (status = 409, description = "The endpoint is disabled, or another replay of it goes on", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`since` is to come", body = ProblemBody, content_type = "application/problem+json"),
    ),
    extensions(
        ("x-summary-tr" = json!("Olayları yeniden gönder")),
        ("x-description-tr" = json!("Verilen andan bu yana olanları bir kez daha gönderir: aynı kimliklerle, \"replayed\": true işaretiyle ve öteki gönderimlerin sırasına bağlı olmadan. İlk gönderimini hâlâ bekleyenler atlanır: onlar kendiliğinden gelir. Bir uç nokta için aynı anda tek bir yeniden gönderim yapılır.")),
        ("x-scope" = json!("webhooks:manage")),
    ),
)]
pub async fn replay(
    State(state): State<HttpState>,
    call: Call,
    id: Id,
    repeatable: Repeatable,
    uri: Uri,
) -> Result<Response, Problem> {
    let id = known(id)?;
    let mut params = Params::of(&uri, &["since"]);
    let since = params.since("since");
    let since = params.finish_with("since", since)?;
    // The parameter is what the request says: the path names the endpoint alone.
    let mut turn = match repeatable.begin(&state, since.to_rfc3339().as_bytes()).await? {
        Turn::Repeat(answer) => return Ok(answer),
        Turn::First(turn) => turn,
    };
    let replay = endpoints::replay_in(&mut turn.tx, &state.app, &call, id, since).await?;
    let answer = turn.finish(StatusCode::ACCEPTED, &replay).await?;
    state.app.wake.wake();
    Ok(answer)
}

/// List an endpoint's deliveries
///
/// Newest event first, each with all its attempts.
#[utoipa::path(
    get,
    path = "/v1/webhook-endpoints/{id}/deliveries",
    operation_id = "listDeliveries",
    tag = "webhooks",
    params(
        ("id" = Uuid, Path, description = "The endpoint's identity"),
        ("after" = Option<String>, Query, description = "Cursor from the page before"),
        ("limit" = Option<i64>, Query, description = "Entries of a page: 100, at most 200"),
    ),
    responses((status = 200, description = "A page", body = Page<Delivery>)),
    extensions(
        ("x-summary-tr" = json!("Gönderimleri listele")),
        ("x-description-tr" = json!("En yeni olaydan başlayarak, bütün denemeleriyle.")),
        ("x-scope" = json!("webhooks:manage")),
    ),
)]
pub async fn deliveries(
    State(state): State<HttpState>,
    call: Call,
    id: Id,
    uri: Uri,
) -> Result<Json<Page<Delivery>>, Problem> {
    let id = known(id)?;
    let pages = List::Deliveries(id);
    let mut params = Params::of(&uri, &["after", "limit"]);
    let before = params.cursor("after", pages, List::pair);
    let limit = params.limit(MOST_DELIVERIES);
    params.finish()?;
    let items = endpoints::deliveries(&state.app, &call, id, before, limit + 1).await?;
    Ok(Json(Page::cut(items, limit, pages, |item| {
        Place::Pair(item.sequence, item.replay.unwrap_or_default())
    })))
}
