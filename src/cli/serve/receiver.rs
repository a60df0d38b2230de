//! The demo's webhook receiver: what a client would write. It believes only calls that are signed with its secret, and
//! prints each.

use std::sync::Arc;
use std::time::Duration;

use anstyle::Style;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use kopru_domain::{Lang, Recipient};
use kopru_webhook::{Headers, Secret, verify};
use serde_json::json;

use crate::cli::Output;
use crate::cli::output::{BAD, DIM, GOOD, STRONG, paint};
use crate::clocks::Clocks;
use crate::service::events::Event;

/// How old a call may be, as the specification proposes.
const TOLERANCE: Duration = Duration::from_mins(5);

struct Receiver {
    secret: Secret,
    clocks: Clocks,
    output: Output,
}

/// The receiver under `/webhook`.
pub(super) fn router(secret: Secret, clocks: Clocks, output: Output) -> Router {
    Router::new().route("/webhook", post(receive)).with_state(Arc::new(Receiver { secret, clocks, output }))
}

async fn receive(State(receiver): State<Arc<Receiver>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let now = receiver.clocks.wire().timestamp();
    let verdict = Headers::from_map(&headers)
        .and_then(|headers| verify(headers, &body, std::slice::from_ref(&receiver.secret), now, TOLERANCE));
    if let Err(error) = verdict {
        let text = format!("{} webhook: {error}", paint(BAD, "✗"));
        receiver.print(&json!({"webhook": {"verified": false, "error": error.to_string()}}), &text);
        return StatusCode::UNAUTHORIZED;
    }
    match serde_json::from_slice::<Event>(&body) {
        Ok(event) => {
            receiver.print(
                &json!({"webhook": {"verified": true, "event": event}}),
                &line(&event, receiver.output.lang()),
            );
            StatusCode::NO_CONTENT
        }
        Err(error) => {
            let text = format!("{} webhook: {error}", paint(BAD, "✗"));
            receiver.print(&json!({"webhook": {"verified": true, "error": error.to_string()}}), &text);
            StatusCode::BAD_REQUEST
        }
    }
}

impl Receiver {
    /// The terminal may be gone; the call was received all the same.
    fn print(&self, object: &serde_json::Value, text: &str) {
        let outcome = if self.output.is_json() { self.output.object(object) } else { self.output.line(text) };
        drop(outcome);
    }
}

/// One event on one line; the address is masked, as everywhere where people read.
fn line(event: &Event, lang: Lang) -> String {
    let data = &event.data;
    let recipient = Recipient::from_canonical(&data.recipient).map(|it| it.masked()).unwrap_or_default();
    let unknown = if lang == Lang::Tr { "bilinmiyor" } else { "unknown" };
    let value = |status: &Option<String>| status.clone().unwrap_or_else(|| unknown.to_owned());
    let style = match data.status.as_deref() {
        Some("ONAY") => GOOD,
        Some("RET") => BAD,
        _ => Style::new(),
    };
    let change = format!("{} → {}", value(&data.previous), paint(style, value(&data.status)));
    let signature = if lang == Lang::Tr { "imza doğrulandı" } else { "signature verified" };
    let origin = [data.source.as_deref().unwrap_or_default(), &data.cause].join(" ");
    format!(
        "{} {} {}  {} {}  {change}  {}",
        paint(GOOD, "◀ webhook"),
        paint(DIM, format!("#{}", data.sequence)),
        paint(STRONG, &event.kind),
        recipient,
        data.channel,
        paint(DIM, format!("{} · {signature}", origin.trim())),
    )
}

#[cfg(test)]
mod tests {
    use kopru_webhook::{HEADER_ID, HEADER_SIGNATURE, HEADER_TIMESTAMP, sign};

    use super::*;

    fn event() -> serde_json::Value {
        json!({
            "id": "01939d4e-0000-7000-8000-000000000001",
            "type": "permission.changed",
            "timestamp": "2026-11-22T10:00:00+03:00",
            "data": {
                "recipient": "+905321234567", "type": "MESAJ", "status": "RET", "previous": "ONAY",
                "source": "IYS_WEB", "cause": "registry_change", "sequence": 7
            }
        })
    }

    async fn call(body: &str, signed_with: &Secret, secret: &Secret) -> StatusCode {
        let clocks = Clocks::default();
        let now = clocks.wire().timestamp();
        let mut headers = HeaderMap::new();
        headers.insert(HEADER_ID, "evt_1".parse().unwrap());
        headers.insert(HEADER_TIMESTAMP, now.into());
        let signature = sign("evt_1", now, body.as_bytes(), std::slice::from_ref(signed_with));
        headers.insert(HEADER_SIGNATURE, signature.parse().unwrap());
        let receiver = Receiver { secret: secret.clone(), clocks, output: Output::new(true, Lang::En) };
        receive(State(Arc::new(receiver)), headers, Bytes::from(body.to_owned())).await
    }

    #[tokio::test]
    async fn only_signed_calls_are_believed() {
        let (secret, other) = (Secret::generate().unwrap(), Secret::generate().unwrap());
        let body = event().to_string();
        assert_eq!(call(&body, &secret, &secret).await, StatusCode::NO_CONTENT);
        assert_eq!(call(&body, &other, &secret).await, StatusCode::UNAUTHORIZED);
        assert_eq!(call("[]", &secret, &secret).await, StatusCode::BAD_REQUEST);
    }

    #[test]
    fn an_event_is_one_line_without_the_full_address() {
        let event: Event = serde_json::from_value(event()).unwrap();
        let text = anstream::adapter::strip_str(&line(&event, Lang::En)).to_string();
        assert!(text.contains("permission.changed") && text.contains("ONAY → RET"), "{text}");
        assert!(!text.contains("5321234567") && !text.contains('\n'), "{text}");
    }
}
