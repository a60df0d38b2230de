//! What is left of a request's body when its answer is ready.
//!
//! To who is still sending when his connection ends, it is a broken connection: he never sees that his key is wrong or his body too
//! long. So the rest is taken in first and thrown away, as long as it is of moderate size and comes quickly.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::header;
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt as _;
use tokio::sync::oneshot;
use tokio::time::timeout;

/// Shorter ones have arrived with their head, or nearly.
const SHORT: u64 = 16 * 1024;
/// Bytes that are taken in only so that the answer is seen.
const MOST: usize = 64 * 1024 * 1024;
/// How long they may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// The rest of a body, once the request is done with.
pub struct Rest(oneshot::Receiver<Body>);

/// Watches what is read of a request's body.
pub fn watch(request: Request) -> (Request, Rest) {
    let (back, rest) = oneshot::channel();
    let short = request.body().size_hint().upper().is_some_and(|most| most <= SHORT);
    if short {
        return (request, Rest(rest));
    }
    // Who asks whether to send waits until somebody begins to read.
    let sends = !request.headers().contains_key(header::EXPECT);
    (request.map(|body| Body::new(Watched { body: Some(body), back: Some(back), sends })), Rest(rest))
}

impl Rest {
    /// Takes in what nobody has read.
    pub async fn throw_away(mut self) {
        if let Ok(body) = self.0.try_recv() {
            let _ = timeout(PATIENCE, throw_away(body)).await;
        }
    }
}

async fn throw_away(mut body: Body) {
    let mut taken = 0;
    while let Some(Ok(frame)) = body.frame().await
        && taken <= MOST
    {
        taken += frame.data_ref().map_or(0, Bytes::len);
    }
}

/// A body that gives its rest back when it is dropped.
struct Watched {
    /// Until its end.
    body: Option<Body>,
    back: Option<oneshot::Sender<Body>>,
    /// Whether it is on its way.
    sends: bool,
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.sends = true;
        let Some(body) = self.body.as_mut() else { return Poll::Ready(None) };
        let frame = Pin::new(body).poll_frame(context);
        if let Poll::Ready(None | Some(Err(_))) = frame {
            self.body = None;
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), HttpBody::size_hint)
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        if let (Some(body), Some(back)) = (self.body.take(), self.back.take())
            && self.sends
            && !body.is_end_stream()
            && body.size_hint().lower() <= MOST as u64
        {
            // Nobody waits for it where the request was given up.
            drop(back.send(body));
        }
    }
}
