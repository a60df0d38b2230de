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
    /// Missing in a process that runs no workers.
    #[serde(skip_serializing_if = "Option::is_none")]
    workers: Option<String>,
}

/// The process lives: it answers.
pub async fn alive() -> &'static str {
    "ok\n"
}

/// The process is ready: its database answers and holds our schema, its workers look for work, and it is not stopping.
pub async fn ready(State(state): State<HttpState>) -> Response {
    let stopping = state.app.lifecycle.is_stopping();
    let database = match timeout(PATIENCE, schema(&state)).await {
        Ok(Ok(true)) => "ok",
        Ok(Ok(false)) => "no schema",
        Ok(Err(_)) => "does not answer",
        Err(_) => "too slow",
    };
    let readiness = judge(stopping, database, state.app.pulse.troubles());
    let status = if readiness.status == "ready" { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(readiness)).into_response()
}

/// `troubles` are those of the workers; `None` where there are none to be watched.
fn judge(stopping: bool, database: &'static str, troubles: Option<Vec<String>>) -> Readiness {
    let service = if stopping { "stopping" } else { "ok" };
    let working = troubles.as_ref().is_none_or(Vec::is_empty);
    let status = if database == "ok" && !stopping && working { "ready" } else { "not ready" };
    let workers = troubles.map(|troubles| if working { "ok".to_owned() } else { troubles.join("; ") });
    Readiness { status, database, service, workers }
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
        assert_eq!(judge(false, "ok", None).status, "ready");
        let stopping = Readiness { status: "not ready", database: "ok", service: "stopping", workers: None };
        assert_eq!(judge(true, "ok", None), stopping);
        assert_eq!(judge(false, "too slow", None).status, "not ready");
    }

    #[test]
    fn a_process_whose_workers_do_not_work_is_not_ready() {
        let well = judge(false, "ok", Some(Vec::new()));
        assert_eq!((well.status, well.workers.as_deref()), ("ready", Some("ok")));
        let ill = judge(false, "ok", Some(vec!["filing has ended".to_owned(), "pulls has ended".to_owned()]));
        assert_eq!(ill.status, "not ready");
        assert_eq!(ill.workers.as_deref(), Some("filing has ended; pulls has ended"));
    }
}
