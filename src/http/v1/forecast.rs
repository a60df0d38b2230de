//! The forecast of the queue.

use axum::Json;
use axum::extract::State;

use crate::http::auth::Call;
use crate::http::problem::Problem;
use crate::http::state::HttpState;
use crate::service::forecast::{self, QueueForecast};

/// Forecast the queue
///
/// When the queue would be empty at the present budget, and how many consents would miss their target. A key of one provider
/// sees its own part, brand by brand; a partner-wide key sees all of it, with the brands that are at risk.
#[utoipa::path(
    get,
    path = "/v1/forecast",
    operation_id = "getForecast",
    tag = "consents",
    responses((status = 200, description = "The forecast", body = QueueForecast)),
    extensions(
        ("x-summary-tr" = json!("Kuyruğun öngörüsü")),
        ("x-description-tr" = json!("Eldeki istek bütçesiyle kuyruk ne zaman boşalır, kaç kayıt hedefini kaçırır. Tek hizmet sağlayıcının anahtarı kendi payını marka marka görür; bütün sağlayıcılar için olan anahtar tümünü ve risk altındaki markaları görür.")),
        ("x-scope" = json!("consents:read")),
    ),
)]
pub async fn get(State(state): State<HttpState>, call: Call) -> Result<Json<QueueForecast>, Problem> {
    Ok(Json(forecast::get(&state.app, &call).await?))
}
