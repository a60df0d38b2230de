//! The forecast: at the present budget the queue is empty at this instant, and so many would miss their target.

use kopru_domain::schedule::{BrandForecast, Forecast};
use kopru_domain::time::format_rfc3339;
use serde::Serialize;
use utoipa::ToSchema;

use crate::bootstrap::App;
use crate::service::filing::{self, ITEMS_PER_REQUEST};
use crate::service::{Caller, Scope, ServiceResult};

/// Brands of one answer.
const MOST_BRANDS: usize = 1_000;

/// What the present budget can do for what is queued.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct QueueForecast {
    /// When it was made, RFC 3339 with +03:00.
    pub as_of: String,
    /// The budget: requests a second to the registry, over all replicas and providers.
    pub requests_per_second: f64,
    /// Consents of one brand that one request carries at most.
    pub items_per_request: u32,
    /// `comfortable`: every target would be met; `at_risk`: some would not.
    #[schema(value_type = String)]
    pub regime: &'static str,
    /// Consents in the queue.
    pub queued: u64,
    /// Requests that they take, and what is on its way one by one.
    pub requests: u64,
    /// When the last of them would be filed; missing where never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub empty_at: Option<String>,
    /// Consents that would be filed after their target.
    pub late: u64,
    /// The earliest target; missing where nothing is queued.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub earliest_target: Option<String>,
    /// For a key of one provider its brands; otherwise the brands of which some would be late, the worst first. At most 1 000.
    pub brands: Vec<BrandQueueForecast>,
}

/// A brand's part of it: the budget is shared with all others, the earliest target first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BrandQueueForecast {
    /// The provider's number at the registry.
    pub iys_code: i64,
    /// The brand's number at the registry.
    pub brand_code: i64,
    /// Consents in the queue.
    pub queued: u64,
    /// Requests that they take.
    pub requests: u64,
    /// When the last of them would be filed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub empty_at: Option<String>,
    /// Consents that would be filed after their target.
    pub late: u64,
    /// The earliest target.
    pub earliest_target: String,
}

impl From<&BrandForecast> for BrandQueueForecast {
    fn from(part: &BrandForecast) -> Self {
        Self {
            iys_code: part.iys_code.0,
            brand_code: part.brand_code.0,
            queued: part.queued,
            requests: part.requests,
            empty_at: part.empty_at.map(format_rfc3339),
            late: part.late,
            earliest_target: format_rfc3339(part.earliest_target),
        }
    }
}

/// Forecasts the queue: for a caller of one provider its own part of it.
pub async fn get(app: &App, caller: &Caller) -> ServiceResult<QueueForecast> {
    caller.require(Scope::ConsentsRead)?;
    let (whole, mut parts) = {
        let mut tx = app.db.read().await?;
        filing::forecast(app, &mut tx).await?
    };
    parts.retain(|part| caller.sees(part.iys_code));
    let whole = if caller.provider.is_some() { sum(whole, &parts) } else { whole };
    let queued = parts.iter().map(|part| part.queued).sum();
    let earliest = parts.iter().map(|part| part.earliest_target).min();
    if caller.provider.is_none() {
        parts.retain(|part| part.late > 0);
        parts.sort_by_key(|part| std::cmp::Reverse(part.late));
    }
    parts.truncate(MOST_BRANDS);
    Ok(QueueForecast {
        as_of: format_rfc3339(app.clocks.business()),
        requests_per_second: filing::requests_per_second(app),
        items_per_request: ITEMS_PER_REQUEST,
        regime: if whole.late == 0 { "comfortable" } else { "at_risk" },
        queued,
        requests: whole.requests,
        empty_at: whole.empty_at.map(format_rfc3339),
        late: whole.late,
        earliest_target: earliest.map(format_rfc3339),
        brands: parts.iter().map(BrandQueueForecast::from).collect(),
    })
}

/// One provider's part of the whole.
fn sum(whole: Forecast, parts: &[BrandForecast]) -> Forecast {
    Forecast {
        late: parts.iter().map(|part| part.late).sum(),
        requests: parts.iter().map(|part| part.requests).sum(),
        empty_at: parts
            .iter()
            .filter_map(|part| part.empty_at)
            .max()
            .or(whole.empty_at.filter(|_| parts.is_empty())),
        ..whole
    }
}
