//! The control interface under `/_sandbox`: what a person or a test does to the registry from outside.

mod authority;
mod citizen;
mod clock;
mod complaints;
pub(crate) mod faults;
pub(crate) mod opt_in;
mod outbox;
pub(crate) mod problem;
pub(crate) mod providers;
mod pushes;
mod records;
pub(crate) mod settings;
mod ways;

use std::net::IpAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use http::header;
use secrecy::ExposeSecret;
use subtle::ConstantTimeEq;

use self::problem::Problem;
use crate::http::App;
use crate::http::peer::Peer;

/// The routes of the control interface.
pub(crate) fn router(app: Arc<App>) -> Router<Arc<App>> {
    let routes = Router::new()
        .route("/consents", get(records::consents))
        .route("/movements", get(records::movements))
        .route("/movements/{transaction_id}", delete(records::lose))
        .route("/citizen/movements", post(citizen::add_movement))
        .route("/3338", post(ways::short_number))
        .route("/voice", post(ways::voice))
        .route("/line-closure", post(ways::line_closure))
        .route("/outbox", get(outbox::list))
        .route("/clock", get(clock::show).post(clock::advance))
        .route("/faults", get(faults::list).post(faults::add).delete(faults::clear))
        .route("/settings", get(settings::show).put(settings::change))
        .route("/stats", get(settings::stats))
        .route("/complaints", get(complaints::list).post(complaints::file))
        .route("/complaints/{id}", post(complaints::advance))
        .route("/pushes", get(pushes::list))
        .route("/providers", get(providers::list).post(providers::put))
        .route("/partners", get(providers::list_partners).post(providers::put_partner))
        .route("/users/{username}", delete(providers::remove_user))
        .route("/time-stamp-authority", get(authority::certificate))
        .layer(from_fn_with_state(app, guard));
    Router::new().nest("/_sandbox", routes)
}

/// Lets a request in that carries the token; without a configured token, one from this very machine.
async fn guard(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    match admit(&app, &request) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

fn admit(app: &App, request: &Request) -> Result<(), Problem> {
    if app.control_token.is_none() {
        return if is_private(app, request) { Ok(()) } else { Err(Problem::token_not_configured()) };
    }
    let given = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let given = given.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
    if token_matches(app, given) { Ok(()) } else { Err(Problem::token_wrong()) }
}

/// Whether a text is the configured token.
pub(crate) fn token_matches(app: &App, given: &str) -> bool {
    let Some(token) = &app.control_token else { return false };
    given.as_bytes().ct_eq(token.expose_secret().as_bytes()).into()
}

/// Whether a request came from this very machine to a simulator that listens on no other address.
pub(crate) fn is_private(app: &App, request: &Request) -> bool {
    let peer = request.extensions().get::<ConnectInfo<Peer>>().and_then(|info| info.0.remote);
    let remote = [app.bound.get().copied(), peer];
    remote.into_iter().flatten().all(|address| is_loopback(address.ip()))
}

/// Whether an address is this machine's own, also when IPv4 is written in IPv6.
fn is_loopback(ip: IpAddr) -> bool {
    ip.to_canonical().is_loopback()
}
