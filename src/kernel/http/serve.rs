//! The server: TCP and Unix sockets, limits against slow and greedy clients, and a stop that breaks no request.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use futures_util::FutureExt;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use super::drain::Drained;
use crate::kernel::error::Result;

/// A client has this long to send its request's head.
const HEAD_TIME: Duration = Duration::from_secs(15);
/// Requests in work get this long when the process ends.
const GRACE: Duration = Duration::from_secs(30);
/// Bytes of a request's head.
const HEAD_BYTES: usize = 64 << 10;
const MAX_HEADERS: usize = 100;
/// Connections at once; more wait in the listener's queue.
const MAX_CONNECTIONS: usize = 8192;

/// Where connections come from.
pub enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener),
}

impl From<TcpListener> for Listener {
    fn from(listener: TcpListener) -> Self {
        Self::Tcp(listener)
    }
}
impl From<UnixListener> for Listener {
    fn from(listener: UnixListener) -> Self {
        Self::Unix(listener)
    }
}

enum Stream {
    Tcp(TcpStream, IpAddr),
    Unix(UnixStream),
}

impl Listener {
    async fn accept(&self) -> std::io::Result<Stream> {
        match self {
            Self::Tcp(listener) => {
                let (stream, peer) = listener.accept().await?;
                stream.set_nodelay(true)?;
                Ok(Stream::Tcp(stream, peer.ip()))
            }
            Self::Unix(listener) => Ok(Stream::Unix(listener.accept().await?.0)),
        }
    }
}

/// The address of the machine at the other end; none on a Unix socket.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub Option<IpAddr>);

/// Marks requests of the control socket: whoever reaches it is the operator of this machine.
#[derive(Clone, Copy, Debug)]
pub struct LocalOperator;

/// The router for the control socket: the same routes, the caller is the local operator.
pub fn local(router: Router) -> Router {
    router.layer(axum::middleware::map_request(|mut request: Request| async move {
        request.extensions_mut().insert(LocalOperator);
        request
    }))
}

/// Serves until `stop`, then takes what was connected already, lets requests in work end, and returns.
///
/// # Errors
/// None today: a connection that cannot be taken is logged and the next one awaited.
pub async fn serve(listener: impl Into<Listener>, router: Router, stop: CancellationToken) -> Result<()> {
    let listener = listener.into();
    let graceful = GracefulShutdown::new();
    let room = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let permit = tokio::select! {
            biased;
            () = stop.cancelled() => break,
            permit = room.clone().acquire_owned() => permit,
        };
        let Ok(permit) = permit else { break };
        let stream = tokio::select! {
            biased;
            () = stop.cancelled() => break,
            stream = listener.accept() => stream,
        };
        take(stream, permit, &router, graceful.watcher(), &stop).await;
    }
    // The system has accepted some connections for us that nobody has taken yet.
    while let Ok(permit) = room.clone().try_acquire_owned() {
        let Some(stream) = listener.accept().now_or_never() else {
            break;
        };
        take(stream, permit, &router, graceful.watcher(), &stop).await;
    }
    drop(listener);
    if tokio::time::timeout(GRACE, graceful.shutdown()).await.is_err() {
        tracing::warn!(
            seconds = GRACE.as_secs(),
            "some requests did not end in time and are cut off"
        );
    }
    Ok(())
}

async fn take(
    stream: std::io::Result<Stream>,
    permit: OwnedSemaphorePermit,
    router: &Router,
    watcher: Watcher,
    stop: &CancellationToken,
) {
    let router = router.clone();
    let stop = stop.clone();
    match stream {
        Ok(Stream::Tcp(stream, peer)) => {
            tokio::spawn(async move {
                let _permit = permit;
                if tokio::select! { biased; r = first_bytes(stream.readable()) => r, () = stop.cancelled() => false } {
                    connection(stream, Peer(Some(peer)), router, watcher).await;
                }
            });
        }
        Ok(Stream::Unix(stream)) => {
            tokio::spawn(async move {
                let _permit = permit;
                if tokio::select! { biased; r = first_bytes(stream.readable()) => r, () = stop.cancelled() => false } {
                    connection(stream, Peer(None), router, watcher).await;
                }
            });
        }
        Err(error) => {
            tracing::warn!(%error, "a connection could not be taken");
            // Out of file descriptors: others have to close first.
            pause(Duration::from_millis(50)).await;
        }
    }
}

/// Waits for the client to say something. Only then does the connection count as one with a request, so that a stop
/// neither waits for silent clients nor cuts off one that has spoken.
async fn first_bytes(readable: impl Future<Output = std::io::Result<()>>) -> bool {
    matches!(tokio::time::timeout(HEAD_TIME, readable).await, Ok(Ok(())))
}

async fn connection<I: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: I,
    peer: Peer,
    router: Router,
    watcher: Watcher,
) {
    let service = hyper::service::service_fn(move |request: hyper::Request<Incoming>| {
        let router = router.clone();
        async move {
            let mut request = Drained::of(request);
            request.extensions_mut().insert(peer);
            Ok::<_, Infallible>(router.oneshot(request).await.unwrap_or_else(|never| match never {}))
        }
    });
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_headers(MAX_HEADERS)
        .max_buf_size(HEAD_BYTES);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(HEAD_BYTES as u32)
        .max_concurrent_streams(200)
        .keep_alive_interval(HEAD_TIME)
        .keep_alive_timeout(HEAD_TIME);
    let connection = builder
        .serve_connection_with_upgrades(TokioIo::new(stream), service)
        .into_owned();
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(error, "a connection ended early");
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a pause between two tries to take a connection is real time"
)]
async fn pause(time: Duration) {
    tokio::time::sleep(time).await;
}
