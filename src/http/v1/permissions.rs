//! What is known of one address.

use axum::Json;
use axum::extract::State;
use kopru_domain::{Channel, RecipientType};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::http::auth::Call;
use crate::http::body::JsonBody;
use crate::http::json::{self, Body, Field, Kind};
use crate::http::problem::{Problem, ProblemBody};
use crate::http::state::{Branded, HttpState};
use crate::service::permissions::{self, AddressPermissions, Query};

pub(super) const CHANNELS: &[&str] = &["ARAMA", "MESAJ", "EPOSTA"];
pub(super) const RECIPIENT_TYPES: &[&str] = &["BIREYSEL", "TACIR"];

/// The address asked about. It stands in the body, because addresses never stand in a URL.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PermissionQuery {
    /// Phone number or e-mail address, as people write it.
    #[schema(example = "+905321234567")]
    pub recipient: String,
    /// Only this capacity: `BIREYSEL` or `TACIR`. Both where it is left out.
    #[schema(value_type = Option<String>)]
    pub recipient_type: Option<RecipientType>,
    /// Only this channel: `ARAMA`, `MESAJ` or `EPOSTA`. All that the address can have where it is left out.
    #[serde(rename = "type")]
    #[schema(value_type = Option<String>)]
    pub channel: Option<Channel>,
    /// Also ask the registry for its movements of this address. It allows 100 such questions an hour; needs `type`.
    #[serde(default)]
    pub history: Option<bool>,
}

impl Body for PermissionQuery {
    const FIELDS: &'static [Field] = &[
        Field::required("recipient", Kind::Text)
            .also(&["phone", "gsm", "telefon", "email", "eposta", "address"]),
        Field::optional("recipientType", Kind::Word(RECIPIENT_TYPES)),
        Field::optional("type", Kind::Word(CHANNELS)).also(&["channel"]),
        Field::optional("history", Kind::Flag),
    ];
}

/// Look one address up
///
/// The state of each channel from both sides: what the registry holds, a withdrawal of ours that it does not show yet, and
/// what is under way; with `history` also the registry's own movements.
#[utoipa::path(
    post,
    path = "/v1/brands/{brandCode}/permissions/query",
    operation_id = "queryPermissions",
    tag = "permissions",
    params(("brandCode" = i64, Path, description = "The brand's number at the registry")),
    request_body(content = PermissionQuery),
    responses(
        (status = 200, description = "What is known", body = AddressPermissions),
        (status = 422, description = "The address cannot be used", body = ProblemBody, content_type = "application/problem+json"),
    ),
    extensions(
        ("x-summary-tr" = json!("Bir adresin izinlerini sorgula")),
        ("x-description-tr" = json!("Her kanalın iki taraftan durumu: İYS'deki kayıt, İYS'nin henüz göstermediği kendi reddimiz ve yolda olanlar; history ile İYS'deki hareketler de gelir.")),
        ("x-scope" = json!("permissions:read")),
    ),
)]
pub async fn query(
    State(state): State<HttpState>,
    call: Call,
    Branded(brand): Branded,
    JsonBody(body): JsonBody,
) -> Result<Json<AddressPermissions>, Problem> {
    let body: PermissionQuery = json::read(&body)?;
    let query = Query {
        recipient: body.recipient,
        recipient_type: body.recipient_type,
        channel: body.channel,
        history: body.history.unwrap_or_default(),
    };
    Ok(Json(permissions::query(&state.app, &call, &brand.row, query).await?))
}
