//! The change feed.

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::http::auth::Call;
use crate::http::cursor::{List, Place};
use crate::http::params::Params;
use crate::http::problem::{Problem, ProblemBody};
use crate::http::state::{Branded, HttpState};
use crate::service::changes::{self, LONGEST_WAIT, MOST};

/// A page of the feed.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChangesPage {
    /// Events, oldest first: the same objects that webhooks carry.
    #[schema(value_type = Vec<Event>)]
    pub items: Vec<Box<RawValue>>,
    /// Where to go on: send it as `after`. Always there, also on an empty page.
    pub next: String,
    /// Whether more was there already.
    pub has_more: bool,
}

/// An event, as the feed and webhooks carry it.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct Event {
    /// Identity; the `webhook-id` of its deliveries.
    pub id: uuid::Uuid,
    /// `permission.changed`, `consent.refused`, `consent.expired`, `consent.held`, `consent.filed_late`,
    /// `deadline.at_risk` or `notice.late` (the notice of a consent was not sent, or did not arrive, by 21:00 of its day).
    #[schema(rename = "type", example = "permission.changed")]
    pub kind: String,
    /// When it happened, RFC 3339 with +03:00.
    pub timestamp: String,
    /// What happened.
    pub data: EventData,
    /// `true` on a webhook that a replay sends once more; in the feed it is missing.
    pub replayed: Option<bool>,
}

/// What happened. For `permission.changed` the whole present state, so that one event is enough to be up to date.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct EventData {
    /// Version of this shape.
    pub schema_version: u32,
    /// The provider's number at the registry.
    pub iys_code: i64,
    /// The brand's number at the registry.
    pub brand_code: i64,
    /// The address in full.
    pub recipient: String,
    /// `BIREYSEL` or `TACIR`.
    pub recipient_type: String,
    /// `ARAMA`, `MESAJ` or `EPOSTA`.
    #[schema(rename = "type")]
    pub channel: String,
    /// The effective value now: `ONAY`, `RET`, or null while unknown.
    pub status: Option<String>,
    /// The effective value before.
    pub previous: Option<String>,
    /// What the registry holds, where that is known.
    pub registry: Option<crate::service::permissions::RegistryRecord>,
    /// A RET taken here that the registry does not show yet.
    pub local: Option<crate::service::permissions::LocalRecord>,
    /// When the person decided.
    pub consent_date: Option<String>,
    /// Where: `HS_…` or `IYS_…`.
    pub source: Option<String>,
    /// What led to it: `local_rejection`, `registered`, `registry_change`, `status_query`, `via` (approved at the
    /// registry on our request), `daily_file`, `lost` …
    pub cause: String,
    /// Place in the provider's feed: rises with every event. A receiver drops what is not above what it has for the address.
    pub sequence: i64,
    /// The client's own reference of the consent behind it.
    pub reference: Option<String>,
    /// The consent behind it, where one of ours is.
    pub consent_id: Option<uuid::Uuid>,
    /// The state of its filing.
    pub state: Option<String>,
    /// The code that explains the state.
    pub code: Option<String>,
    /// Its deadline.
    pub deadline: Option<crate::service::consents::DeadlineView>,
}

/// Read what changed
///
/// Every change of a permission, whoever caused it, in commit order and without gaps. Begin without `after`, keep `next`, and
/// ask again from there; with `wait` the answer comes as soon as there is something. Addresses stand in full.
#[utoipa::path(
    get,
    path = "/v1/brands/{brandCode}/changes",
    operation_id = "readChanges",
    tag = "changes",
    params(
        ("brandCode" = i64, Path, description = "The brand's number at the registry"),
        ("after" = Option<String>, Query, description = "Cursor from the page before; left out: from the beginning"),
        ("limit" = Option<i64>, Query, description = "Events of a page: 100, at most 1 000"),
        ("wait" = Option<String>, Query, description = "How long to wait for the first event, such as 30s; at most 30s"),
    ),
    responses(
        (status = 200, description = "A page, perhaps empty", body = ChangesPage),
        (status = 400, description = "The cursor belongs to another list", body = ProblemBody, content_type = "application/problem+json"),
    ),
    extensions(
        ("x-summary-tr" = json!("Değişiklikleri oku")),
        ("x-description-tr" = json!("Kim neden olursa olsun her izin değişikliği, kayıt sırasıyla ve boşluksuz. after olmadan başlayın, next değerini saklayın ve oradan sürdürün; wait ile yanıt yeni bir şey olur olmaz gelir. Adresler tam yazılır.")),
        ("x-scope" = json!("changes:read")),
    ),
)]
pub async fn read(
    State(state): State<HttpState>,
    call: Call,
    Branded(brand): Branded,
    uri: Uri,
) -> Result<Json<ChangesPage>, Problem> {
    let feed = List::Changes(brand.row.brand_code.0);
    let mut params = Params::of(&uri, &["after", "limit", "wait"]);
    let after = params.cursor("after", feed, List::number).unwrap_or_default();
    let limit = params.limit(MOST);
    let wait = params.duration("wait", LONGEST_WAIT).unwrap_or_default();
    params.finish()?;
    let page = changes::read(&state.app, &call, &brand.row, after, limit, wait).await?;
    Ok(Json(ChangesPage {
        items: page.items,
        next: feed.cursor(Place::Number(page.next)),
        has_more: page.has_more,
    }))
}
