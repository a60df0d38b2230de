//! Answers that are files.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::stream;
use http::header;

use crate::error::Error;
use crate::registry::Registry;
use crate::registry::answer::{Content, Download};
use crate::registry::movement_file;
use crate::store::reports::Day;

/// A file as an answer. One with a name is to be saved.
pub(super) fn response(registry: &Registry, download: Download) -> Response {
    let Download { media_type, name, content } = download;
    let body = match content {
        Content::Bytes(bytes) => Body::from(bytes),
        Content::Movements(day) => movements(registry.clone(), day),
    };
    let mut response = ([(header::CONTENT_TYPE, media_type)], body).into_response();
    let disposition = name.map(|name| format!("attachment; filename=\"{name}\""));
    if let Some(Ok(disposition)) = disposition.map(|text| text.parse()) {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, disposition);
    }
    response
}

/// A day's movements. Others are served between its parts; a failure breaks the connection, so that
/// nobody takes half a file for a whole one.
fn movements(registry: Registry, day: Day) -> Body {
    let parts = stream::try_unfold((registry, None), move |(registry, after)| async move {
        let part = registry.run(move |desk| movement_file::part(desk.db, day, after)).await?;
        Ok::<_, Error>(part.map(|(text, last)| (Bytes::from(text), (registry, Some(last)))))
    });
    Body::from_stream(parts)
}
