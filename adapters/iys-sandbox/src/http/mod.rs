//! The registry's methods over HTTP: limits and faults around each operation.

mod download;
pub(crate) mod faults;
pub(crate) mod limits;
pub(crate) mod peer;
pub(crate) mod stats;
pub(crate) mod success;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Path, Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, on};
use http::{HeaderMap, StatusCode, Uri, header};
use secrecy::SecretString;
use serde_json::{Value, json};
use url::form_urlencoded;
use uuid::Uuid;

use self::faults::{Fault, Faults, Kind};
use self::limits::Limits;
use self::peer::Peer;
use self::stats::{Stats, StatsView};
use self::success::SuccessRates;
use crate::error::Result;
use crate::panel::session::Sessions;
use crate::push::{self, Poster};
use crate::registry::Registry;
use crate::registry::access::{self, Access};
use crate::registry::answer::{self, Answer};
use crate::registry::operation::{Call, OPERATIONS, Operation};
use crate::registry::via_pass::shape;
use crate::rules::access::Scope;
use crate::rules::limit::LimitCase;
use crate::settings::Effective;

/// The largest body that is read: a list of 1000 consents with all their retailers fits.
const BODY_MAX: usize = 32 * 1024 * 1024;
/// How long a request that is never answered is kept waiting, in real time.
const HOLD: Duration = Duration::from_mins(1);

/// Everything a request needs.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) registry: Registry,
    pub(crate) faults: Faults,
    pub(crate) limits: Limits,
    pub(crate) stats: Stats,
    pub(crate) success: SuccessRates,
    /// Who is logged in at the pages.
    pub(crate) sessions: Sessions,
    /// Posts to push connections.
    pub(crate) poster: Poster,
    /// What the control interface asks for.
    pub(crate) control_token: Option<SecretString>,
    /// Where this simulator listens, once it does.
    pub(crate) bound: OnceLock<SocketAddr>,
}

impl App {
    /// Counts a request and says what it hits. One of an address that is refused reaches no other counter.
    fn count(&self, address: &str, operation: &Operation, settings: &Effective) -> LimitCase {
        let now = self.registry.clock.now_millis();
        if self.success.refuses(address, now.div_euclid(1000), &settings.settings) {
            return LimitCase { success_too_rare: true, ..LimitCase::default() };
        }
        self.limits.count(address, operation.name, now, settings)
    }

    /// Counts an answer; status 0 is a connection that was cut.
    fn record(&self, operation: &Operation, peer: &Peer, status: u16, codes: &[&'static str]) {
        self.stats.record(operation, status, codes);
        let settings = self.registry.settings.get();
        let now = self.registry.clock.now().timestamp();
        self.success.record(&peer.address(), status, now, &settings.settings);
    }

    /// What was counted.
    pub(crate) fn statistics(&self) -> StatsView {
        let settings = self.registry.settings.get();
        self.stats.view(self.success.view(self.registry.clock.now().timestamp(), &settings.settings))
    }
}

/// The routes of all operations.
pub(crate) fn router() -> Router<Arc<App>> {
    OPERATIONS.iter().fold(Router::new(), |router, operation| {
        // All methods of the registry are ones that axum can filter by.
        let Ok(filter) = MethodFilter::try_from(operation.method.clone()) else { return router };
        let handler =
            move |State(app): State<Arc<App>>,
                  Path(path): Path<HashMap<String, String>>,
                  request: Request| async move { serve(&app, operation, path, request).await };
        router.route(operation.path, on(filter, handler))
    })
}

/// What is answered to a method that a path does not have. Only the opt-in service has a code for it.
pub(crate) async fn wrong_method(uri: Uri) -> Response {
    if !uri.path().starts_with("/via/") {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    let body = Answer::Refused(faults::refusal(405, "H1044")).body(false);
    (StatusCode::METHOD_NOT_ALLOWED, axum::Json(body)).into_response()
}

/// What is answered on paths the registry does not have.
pub(crate) async fn unknown_path() -> Response {
    let body = json!({"status": 404, "message": "Böyle bir servis yok."});
    (StatusCode::NOT_FOUND, axum::Json(body)).into_response()
}

async fn serve(
    app: &Arc<App>,
    operation: &'static Operation,
    path: HashMap<String, String>,
    request: Request,
) -> Response {
    let _in_flight = app.stats.enter(operation);
    let (parts, body) = request.into_parts();
    let peer = parts.extensions.get::<ConnectInfo<Peer>>().map(|info| info.0.clone()).unwrap_or_default();
    let Ok(body) = to_bytes(body, BODY_MAX).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let call = Call {
        path,
        query: form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes())
            .into_owned()
            .collect(),
        bearer: bearer(&parts.headers),
        origin: origin(&parts.headers),
        client: peer.address(),
        media_type: media_type(&parts.headers),
        body,
    };
    let settings = app.registry.settings.get();
    let counted = app.count(&peer.address(), operation, &settings);
    if let Err(refusal) = settings.first(crate::rules::limit::LIMITS, |check| check(&counted)) {
        return respond(app, operation, &peer, Answer::Refused(refusal));
    }
    let fault = app.faults.take(operation.name);
    if let Some(response) = before(app, operation, &peer, fault.as_ref()).await {
        return response;
    }
    let answer = match run(app, operation, call).await {
        Ok(answer) => answer,
        Err(error) => {
            tracing::error!(operation = operation.name, error = &error as &dyn std::error::Error, "failed");
            Answer::Refused(faults::refusal(500, "H015"))
        }
    };
    match fault.map(|fault| fault.kind) {
        Some(Kind::TimeoutAfterWrite) => hold(app, operation, &peer).await,
        Some(Kind::CutAfterWrite) => cut(app, operation, &peer),
        _ => respond(app, operation, &peer, answer),
    }
}

/// Does the work of an operation: access first, then its own part, in one transaction. Other servers are
/// asked after its end.
async fn run(app: &Arc<App>, operation: &'static Operation, call: Call) -> Result<Answer> {
    let work = move |desk: &crate::registry::Desk<'_>| {
        let access = match operation.scope {
            None => Ok(Access::default()),
            Some(scope) => access::admit(desk, &call, scope),
        };
        answer::settle(access.and_then(|access| (operation.run)(desk, &call, &access)))
    };
    match app.registry.run(work).await? {
        Answer::Connect(wanted) => push::connect(app, wanted).await,
        answer => Ok(answer),
    }
}

/// What a fault does before the work; `None` lets the work go on.
async fn before(
    app: &App,
    operation: &'static Operation,
    peer: &Peer,
    fault: Option<&Fault>,
) -> Option<Response> {
    let fault = fault?;
    match fault.kind {
        Kind::Status(status) => {
            let code = fault.code.unwrap_or_else(|| faults::usual_code(status, operation.name));
            Some(respond(app, operation, peer, Answer::Refused(faults::refusal(status, code))))
        }
        Kind::Html => {
            app.record(operation, peer, 502, &[]);
            let page = "<html><body><h1>502 Bad Gateway</h1></body></html>";
            let headers = [(header::CONTENT_TYPE, "text/html; charset=utf-8")];
            Some((StatusCode::BAD_GATEWAY, headers, page).into_response())
        }
        Kind::Slow => {
            wait(peer, fault.delay).await;
            None
        }
        Kind::TimeoutBeforeWrite => Some(hold(app, operation, peer).await),
        Kind::Cut => Some(cut(app, operation, peer)),
        // The first two come after the work; the others are of deliveries and can be ordered for no request.
        Kind::TimeoutAfterWrite | Kind::CutAfterWrite | Kind::Drop | Kind::Duplicate | Kind::OutOfOrder => {
            None
        }
    }
}

/// Never answers: waits for a minute and then cuts. A client that goes away ends the wait, because the
/// server drops the request with its connection.
async fn hold(app: &App, operation: &'static Operation, peer: &Peer) -> Response {
    // Recorded first: of a request that is dropped nothing could be told afterwards.
    app.record(operation, peer, 0, &[]);
    wait(peer, HOLD).await;
    broken(peer)
}

/// Waits in real time, or until the server stops.
async fn wait(peer: &Peer, time: Duration) {
    // Running out of time is the ordinary end.
    let _elapsed = tokio::time::timeout(time, peer.stopped()).await;
}

/// Closes the socket without an answer.
fn cut(app: &App, operation: &'static Operation, peer: &Peer) -> Response {
    app.record(operation, peer, 0, &[]);
    broken(peer)
}

/// Breaks the connection: the answer that is returned is never written.
fn broken(peer: &Peer) -> Response {
    peer.cut();
    // Behind a foreign server the socket is out of reach, and this is the nearest to a broken one.
    StatusCode::BAD_GATEWAY.into_response()
}

fn respond(app: &App, operation: &'static Operation, peer: &Peer, answer: Answer) -> Response {
    let settings = &app.registry.settings.get().settings;
    let is_pass = operation.scope.is_some_and(Scope::is_pass);
    let status = match &answer {
        Answer::Refused(refusal) if is_pass => shape::status(refusal),
        answer => answer.status(),
    };
    app.record(operation, peer, status, &answer.codes());
    if let Answer::File(file) = answer {
        return download::response(&app.registry, file);
    }
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if is_pass && let Answer::Refused(refusal) = answer {
        let headers = [("trace_id", Uuid::new_v4().to_string())];
        return (status, headers, axum::Json(shape::body(refusal))).into_response();
    }
    let flat = operation.name == "token" && status == StatusCode::TOO_MANY_REQUESTS;
    match answer.body(settings.h353_colon_key) {
        None => status.into_response(),
        Some(mut body) => {
            if flat && settings.token_limit_flat_body {
                body = body.pointer_mut("/errors/0").map(Value::take).unwrap_or_default();
            }
            let headers = [(header::CONTENT_TYPE, "application/json; charset=utf-8")];
            (status, headers, Body::from(body.to_string())).into_response()
        }
    }
}

/// Where the client found the registry; links that begin with nothing are relative.
fn origin(headers: &HeaderMap) -> String {
    let host = headers.get(header::HOST).and_then(|value| value.to_str().ok());
    host.map(|host| format!("http://{host}")).unwrap_or_default()
}

fn bearer(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
}

fn media_type(headers: &HeaderMap) -> String {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}
