//! Endpoints and their deliveries as they are shown.

use std::fmt;

use kopru_domain::time::format_rfc3339;
use kopru_store::deliveries::{AttemptRow, DeliveryRow, DeliveryState};
use kopru_store::endpoints::EndpointRow;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// An endpoint without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Endpoint {
    /// Identity.
    pub id: Uuid,
    /// The provider whose events it gets.
    pub iys_code: i64,
    /// Only this brand's events; missing = all brands of the provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub brand_code: Option<i64>,
    /// Where events go.
    pub url: String,
    /// The client's own words.
    pub description: String,
    /// Whether events are delivered to it.
    pub active: bool,
    /// Why it is disabled: `by_owner`, or by itself: `gone` (it answered 410) or `failing` (it took nothing for five days).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disabled_reason: Option<String>,
    /// Since when it has taken nothing, RFC 3339 with +03:00.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failing_since: Option<String>,
    /// Not called before this instant, after a failure; RFC 3339 with +03:00.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waits_until: Option<String>,
    /// Until when the secret before the present one signs as well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old_secret_valid_until: Option<String>,
    /// When it was added.
    pub created_at: String,
}

impl From<EndpointRow> for Endpoint {
    fn from(row: EndpointRow) -> Self {
        Self {
            id: row.id,
            iys_code: row.iys_code.0,
            brand_code: row.brand_code.map(|brand| brand.0),
            url: row.url,
            description: row.description,
            active: row.active,
            disabled_reason: row.disabled_reason,
            failing_since: row.failing_since.map(format_rfc3339),
            waits_until: row.wait_until.map(format_rfc3339),
            old_secret_valid_until: row.old_secret_until.map(format_rfc3339),
            created_at: format_rfc3339(row.created_at),
        }
    }
}

/// An endpoint that was added just now, with its secret: the only time it is shown.
#[derive(Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct IssuedEndpoint {
    /// The endpoint.
    #[serde(flatten)]
    pub details: Endpoint,
    /// The signing secret, `whsec_…`. Keep it: it is not shown again.
    pub secret: String,
}

/// Does not show the secret.
impl fmt::Debug for IssuedEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("IssuedEndpoint").field(&self.details.id).finish()
    }
}

/// A new signing secret.
#[derive(Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RotatedSecret {
    /// The endpoint.
    pub id: Uuid,
    /// The new secret, `whsec_…`. Keep it: it is not shown again.
    pub secret: String,
    /// Until then calls carry a signature of the old secret as well, RFC 3339 with +03:00.
    pub old_secret_valid_until: String,
}

/// Does not show the secret.
impl fmt::Debug for RotatedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RotatedSecret").field(&self.id).finish()
    }
}

/// What came back from a test call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TestResult {
    /// The `webhook-id` of the call.
    pub event_id: Uuid,
    /// Whether the endpoint took it (2xx).
    pub delivered: bool,
    /// HTTP status, if there was an answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// How long the endpoint took, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub elapsed_ms: Option<u64>,
    /// What went wrong without an answer: `blocked`, `dns`, `connect`, `timeout`, `tls` or `other`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The same for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// One event on its way to one endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Delivery {
    /// The event's place in the provider's feed.
    pub sequence: i64,
    /// The number of the endpoint's replay that it belongs to; missing for the delivery of the event itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replay: Option<i64>,
    /// `queued`, `in_flight`, `delivered` or `parked` (given up).
    #[schema(value_type = String)]
    pub state: &'static str,
    /// When it is tried next, while it is queued; RFC 3339 with +03:00.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_attempt_at: Option<String>,
    /// HTTP status of the last attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_status: Option<i64>,
    /// What went wrong then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// Last change of this record.
    pub updated_at: String,
    /// Every try so far.
    pub attempts: Vec<Attempt>,
}

/// One try.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Attempt {
    /// Its number, from 1.
    pub attempt: i64,
    /// When, RFC 3339 with +03:00.
    pub at: String,
    /// HTTP status, if there was an answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<i64>,
    /// What went wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// How long it took, in milliseconds.
    pub elapsed_ms: i64,
}

impl Delivery {
    pub(super) fn new(row: DeliveryRow, attempts: Vec<AttemptRow>) -> Self {
        let waits = row.state == DeliveryState::Queued;
        Self {
            sequence: row.change_seq,
            replay: (row.replay > 0).then_some(row.replay),
            state: row.state.as_str(),
            next_attempt_at: waits.then(|| format_rfc3339(row.next_attempt_at)),
            last_status: row.last_status,
            last_error: row.last_error,
            updated_at: format_rfc3339(row.updated_at),
            attempts: attempts.into_iter().map(Attempt::from).collect(),
        }
    }
}

impl From<AttemptRow> for Attempt {
    fn from(row: AttemptRow) -> Self {
        Self {
            attempt: row.attempt,
            at: format_rfc3339(row.at),
            status: row.status,
            error: row.error,
            elapsed_ms: row.elapsed_ms,
        }
    }
}
