//! The HTTP door: the native API, its description and documentation, and the health of the process.
//!
//! A request passes the edge (name, language, span, panic, problem), then, under `/v1`, authentication (key, rate), then its
//! handler, which only translates between JSON and the services.

pub mod auth;
mod body;
mod cache;
mod client;
mod cursor;
mod docs;
mod edge;
mod health;
pub mod hooks;
mod html;
mod idempotency;
mod items;
mod json;
mod language;
mod limits;
mod metrics;
mod openapi;
mod pages;
mod params;
pub mod path;
pub mod problem;
mod request_id;
mod state;
mod unread;
pub mod v1;

use std::net::SocketAddr;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use axum::serve::ListenerExt as _;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;

use crate::bootstrap::App;
use state::HttpState;

/// All routes of the API over a program.
pub fn router(app: App) -> Router {
    let state = HttpState::new(app);
    let (v1, _) = v1::routes().split_for_parts();
    Router::new()
        .merge(v1.route_layer(from_fn_with_state(state.clone(), auth::authenticate)))
        .merge(hooks::routes())
        .merge(pages::routes())
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/openapi.json", get(openapi::serve))
        .route("/docs", get(docs::serve))
        .fallback(edge::no_such_route)
        .method_not_allowed_fallback(edge::method_not_allowed)
        .layer(from_fn_with_state(state.clone(), edge::edge))
        .with_state(state)
}

/// Serves the API until the program stops; then takes nothing new and finishes what is in hand.
pub async fn serve(app: App, listener: TcpListener) -> std::io::Result<()> {
    let stopping = app.lifecycle.stopping();
    let listener = listener.tap_io(|stream| {
        // Answers are small and whole: waiting for more only costs time. It works without, too.
        drop(stream.set_nodelay(true));
    });
    axum::serve(listener, router(app).into_make_service_with_connect_info::<SocketAddr>())
        .with_graceful_shutdown(stopping)
        .await
}

/// The routes of the metrics port.
pub fn metrics_router(handle: PrometheusHandle) -> Router {
    metrics::router(handle)
}

/// The description of the API.
pub fn openapi() -> utoipa::openapi::OpenApi {
    openapi::document()
}

#[cfg(test)]
mod tests;
