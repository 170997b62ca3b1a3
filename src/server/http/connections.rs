//! Connections: accepted, given timers, and brought to an end. Our own loop, since `axum::serve` sets no timers, and a
//! connection that never finishes its headers would stay for ever.

use std::time::Duration;

use axum::Router;
use http::Request;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto::Builder, graceful::GracefulShutdown},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    time,
};
use tower::ServiceExt as _;

use super::{middleware::Peer, patient::Patient};
use crate::config::HttpLimits;

/// How often an HTTP/2 client has to show that it lives, and how long it may take to.
const PING_EVERY: Duration = Duration::from_secs(30);
/// Requests at a time on one HTTP/2 connection.
const MOST_STREAMS: u32 = 256;
/// How long to wait when the system refuses to give another connection (no descriptors left, say).
const BREATH: Duration = Duration::from_millis(200);

/// How the end went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Drained {
    /// Every request was answered.
    Whole,
    /// Time was over before.
    Abandoned,
}

/// Serves `router` on `listener` until `shutdown` is over; then accepts nothing more, and waits for what is under way.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    limits: HttpLimits,
    shutdown: impl Future<Output = ()> + Send,
) -> Drained {
    let builder = builder(limits);
    let ending = GracefulShutdown::new();
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let (stream, peer) = tokio::select! {
            biased;
            () = &mut shutdown => break,
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "a connection was not accepted");
                    time::sleep(BREATH).await;
                    continue;
                }
            },
        };
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection was gone at once");
            continue;
        }
        let (builder, router, watcher) = (builder.clone(), router.clone(), ending.watcher());
        tokio::spawn(async move {
            if !speaks(&stream, limits.header_timeout).await {
                return;
            }
            let service = router.into_service().map_request(move |mut request: Request<_>| {
                request.extensions_mut().insert(Peer(peer.ip()));
                request
            });
            let service = TowerToHyperService::new(service);
            let stream = Patient::new(stream, limits.idle_timeout);
            let connection = builder.serve_connection(TokioIo::new(stream), service);
            if let Err(error) = watcher.watch(connection.into_owned()).await {
                tracing::debug!(error, "a connection ended early");
            }
        });
    }
    drop(listener);
    match time::timeout(limits.shutdown_grace, ending.shutdown()).await {
        Ok(()) => Drained::Whole,
        Err(_) => Drained::Abandoned,
    }
}

/// Waits for the first byte: until it is here, hyper does not know which protocol it is, and has no timer.
async fn speaks(stream: &TcpStream, patience: Duration) -> bool {
    matches!(time::timeout(patience, stream.peek(&mut [0])).await, Ok(Ok(1..)))
}

fn builder(limits: HttpLimits) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(limits.header_timeout);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(PING_EVERY)
        .max_concurrent_streams(MOST_STREAMS);
    builder
}
