//! Whether the process lives, and whether it should be sent requests.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use kopru_store::Vault;
use serde::Serialize;
use std::time::Duration;
use tokio::time::timeout;

use crate::http::state::HttpState;

/// A database that does not answer within this time does not count as there.
const PATIENCE: Duration = Duration::from_secs(3);

/// What the probe found; each entry `ok` or what is wrong.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Readiness {
    status: &'static str,
    database: &'static str,
    service: &'static str,
}

/// The process lives: it answers.
pub async fn alive() -> &'static str {
    "ok\n"
}

/// The process is ready: its database answers and holds our schema, and it is not stopping.
pub async fn ready(State(state): State<HttpState>) -> Response {
    let stopping = state.app.lifecycle.is_stopping();
    let database = match timeout(PATIENCE, schema(&state)).await {
        Ok(Ok(true)) => "ok",
        Ok(Ok(false)) => "no schema",
        Ok(Err(_)) => "does not answer",
        Err(_) => "too slow",
    };
    let readiness = judge(stopping, database);
    let status = if readiness.status == "ready" { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(readiness)).into_response()
}

fn judge(stopping: bool, database: &'static str) -> Readiness {
    let service = if stopping { "stopping" } else { "ok" };
    let status = if database == "ok" && !stopping { "ready" } else { "not ready" };
    Readiness { status, database, service }
}

/// Whether the database has our schema with its master key.
async fn schema(state: &HttpState) -> kopru_store::Result<bool> {
    let mut tx = state.app.db.read().await?;
    Ok(Vault::master_key_id(&mut tx).await?.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stopping_process_and_a_silent_database_are_not_ready() {
        assert_eq!(judge(false, "ok").status, "ready");
        assert_eq!(judge(true, "ok"), Readiness { status: "not ready", database: "ok", service: "stopping" });
        assert_eq!(judge(false, "too slow").status, "not ready");
    }
}
