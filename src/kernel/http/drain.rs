//! What a client still sends when its answer is decided is read and thrown away, within bounds.
//!
//! A connection that is closed while the client still writes is reset, and the reset may overtake the answer: instead of
//! "the body is too large" the client would see a broken pipe.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Bytes, HttpBody};
use http_body_util::BodyExt as _;
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::{Request, Version, header};

/// The most that is read for nothing.
const MAX_BYTES: usize = 16 << 20;
/// And for how long.
const MAX_TIME: Duration = Duration::from_secs(10);

/// The body of a request, whose rest is read away when nobody wants it any more.
pub(super) struct Drained(Option<Incoming>);

impl Drained {
    /// Wraps the body of a request of HTTP/1. HTTP/2 ends a single stream by itself, and a client that waits for
    /// `100 Continue` has not begun to send.
    pub(super) fn of(request: Request<Incoming>) -> Request<axum::body::Body> {
        let needed = request.version() < Version::HTTP_2 && !request.headers().contains_key(header::EXPECT);
        request.map(|body| {
            if needed && !body.is_end_stream() {
                axum::body::Body::new(Self(Some(body)))
            } else {
                axum::body::Body::new(body)
            }
        })
    }
}

impl HttpBody for Drained {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        match &mut self.0 {
            Some(body) => Pin::new(body).poll_frame(cx),
            None => Poll::Ready(None),
        }
    }
    fn is_end_stream(&self) -> bool {
        self.0.as_ref().is_none_or(HttpBody::is_end_stream)
    }
    fn size_hint(&self) -> SizeHint {
        self.0.as_ref().map_or_else(SizeHint::default, HttpBody::size_hint)
    }
}

impl Drop for Drained {
    fn drop(&mut self) {
        let Some(body) = self.0.take().filter(|body| !body.is_end_stream()) else {
            return;
        };
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(tokio::time::timeout(MAX_TIME, read_away(body)));
        }
    }
}

async fn read_away(mut body: Incoming) {
    let mut left = MAX_BYTES;
    while let Some(Ok(frame)) = body.frame().await {
        let bytes = frame.data_ref().map_or(0, Bytes::len);
        match left.checked_sub(bytes) {
            Some(rest) => left = rest,
            None => return,
        }
    }
}
