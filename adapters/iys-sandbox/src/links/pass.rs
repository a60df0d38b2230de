//! Proving an address through a link (protocol 10.8).

use std::sync::Arc;

use axum::extract::{Path, State};
use http::StatusCode;
use maud::html;

use super::{Page, Visitor};
use crate::error::Result;
use crate::http::App;
use crate::registry::Desk;
use crate::registry::via_pass::{self, LINK_LIFE};
use crate::store::pass::{self as store, Process};

/// The process of a link, if it can still be answered.
fn find(desk: &Desk<'_>, token: &str) -> Result<Result<Process, Page>> {
    let Some(process) = store::find_by_short_url(desk.db, token)? else { return Ok(Err(Page::unknown())) };
    if process.completed_at.is_some() {
        return Ok(Err(Page::used()));
    }
    if desk.now_millis - process.started_at > LINK_LIFE {
        return Ok(Err(Page::expired()));
    }
    Ok(Ok(process))
}

/// Shows what the button will do.
pub(super) async fn show(State(app): State<Arc<App>>, Path(token): Path<String>) -> Result<Page, Page> {
    let process = app.registry.run(move |desk| find(desk, &token)).await??;
    let content = html! {
        p { (process.recipient) " adresinin size ait olduğunu doğruluyorsunuz." }
        form method="post" { button type="submit" { "Doğruluyorum" } }
    };
    Ok(Page { status: StatusCode::OK, heading: "Doğrulama", content })
}

/// Verifies.
pub(super) async fn answer(
    State(app): State<Arc<App>>,
    Path(token): Path<String>,
    Visitor(visitor): Visitor,
) -> Result<Page, Page> {
    let done = app.registry.run(move |desk| {
        let process = match find(desk, &token)? {
            Ok(process) => process,
            Err(page) => return Ok(page),
        };
        via_pass::complete(desk, process, visitor)?;
        Ok(Page::text(StatusCode::OK, "Doğrulandı", "Adresiniz doğrulandı."))
    });
    Ok(done.await?)
}
