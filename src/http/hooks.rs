//! What others post to us without a key of ours: their address holds a token, which is checked before anything is read.

pub mod iys;
pub mod sms;

use axum::Router;
use axum::routing::{get, post};

use crate::http::state::HttpState;

/// All routes.
pub fn routes() -> Router<HttpState> {
    Router::new()
        .route("/hooks/iys/{token}", post(iys::receive))
        .route("/in/sms/{vendor}/{token}", get(sms::receive).post(sms::receive))
}
