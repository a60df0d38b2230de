//! `/_sandbox/time-stamp-authority`: whom to trust who verifies time stamps.

use std::sync::Arc;

use axum::extract::State;
use axum::response::IntoResponse;
use http::header;

use super::problem::Problem;
use crate::http::App;
use crate::tsa::Authority;

/// The certificate as PEM.
pub(super) async fn certificate(State(app): State<Arc<App>>) -> Result<impl IntoResponse, Problem> {
    let pem = app.registry.run(|desk| Ok(Authority::open(desk.db)?.pem())).await?;
    Ok(([(header::CONTENT_TYPE, "application/x-pem-file")], pem))
}
