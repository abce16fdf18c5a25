//! One connection: hyper in the version that ALPN chose, with the limits it can hold and those it cannot.
//!
//! For: HTTP/1.1 and 2 over any byte stream, one request after the other without a task or a timer of their own; ending a connection
//! when it is idle, dribbles, was told to end, or the daemon stops. hyper's own refusals (bytes that are no HTTP, headers beyond 64 KiB)
//! are bare statuses without a body. Leaves to others: what is answered (`exchange`).

use crate::activity::{Activity, Watched};
use crate::exchange::{exchange, Desk, Peer};
use crate::limits::Limits;
use crate::stop::Stop;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use std::convert::Infallible;
use std::future::Future;
use std::pin::{pin, Pin};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Notify;

/// Beyond our own limits, so that ours answer first and hyper's are the last resort.
const HYPER_HEADERS: usize = 64 << 10;
/// Header fields of one request.
const HYPER_FIELDS: usize = 64;
/// HTTP/2 streams that a client may reset before they are taken up, and that we reset for its faults (CVE-2023-44487 and its kin).
const RESETS: usize = 32;
/// For a connection that was told to end, to send what it still has.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// The HTTP version of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    Http1,
    Http2,
}

/// What every request of one connection shares.
struct Shared<D> {
    desk: Arc<D>,
    limits: Arc<Limits>,
    peer: Peer,
    activity: Arc<Activity>,
    end: Notify,
}

impl<D: Desk> Shared<D> {
    async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
        let _open = self.activity.request();
        let (response, closes) = exchange(&*self.desk, &self.limits, &self.peer, request).await;
        if closes {
            self.end.notify_one();
        }
        Ok(response)
    }
}

/// Serves a connection to its end.
pub(crate) async fn serve<D: Desk, S>(desk: Arc<D>, limits: Arc<Limits>, peer: Peer, stream: S, protocol: Protocol, stop: Stop)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let activity = Arc::new(Activity::new());
    let stream = TokioIo::new(Watched::new(stream, Arc::clone(&activity)));
    let shared = Arc::new(Shared { desk, limits, peer, activity, end: Notify::new() });
    let of_requests = Arc::clone(&shared);
    let service = service_fn(move |request| Arc::clone(&of_requests).answer(request));
    match protocol {
        Protocol::Http1 => {
            let connection = pin!(http1().serve_connection(stream, service));
            drive(connection, |connection| connection.graceful_shutdown(), &shared, Some(shared.limits.headers), stop).await;
        }
        // control frames are bytes too, so a late head is told by the idle limit alone
        Protocol::Http2 => {
            let connection = pin!(http2(&shared.limits).serve_connection(stream, service));
            drive(connection, |connection| connection.graceful_shutdown(), &shared, None, stop).await;
        }
    }
}

fn http1() -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder.max_header_size(HYPER_HEADERS).max_buf_size(2 * HYPER_HEADERS).max_headers(HYPER_FIELDS).header_read_timeout(None);
    builder
}

fn http2(limits: &Limits) -> http2::Builder<TokioExecutor> {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits.streams.min(64))
        .max_header_list_size(HYPER_HEADERS as u32)
        .max_pending_accept_reset_streams(RESETS)
        .max_local_error_reset_streams(RESETS)
        .initial_stream_window_size(64 << 10)
        .initial_connection_window_size(1 << 20)
        .max_send_buf_size(256 << 10)
        .keep_alive_interval(limits.idle)
        .keep_alive_timeout(limits.headers);
    builder
}

/// Polls a connection until it ends, or until it was asked to finish and did not within [`LAST_WORDS`].
async fn drive<C, D>(mut connection: Pin<&mut C>, finish: fn(Pin<&mut C>), shared: &Shared<D>, headers: Option<Duration>, mut stop: Stop)
where
    C: Future<Output = Result<(), hyper::Error>>,
{
    let limits = &shared.limits;
    let every = headers.map_or(limits.idle, |limit| limit.min(limits.idle)).max(Duration::from_millis(10));
    let mut look = pin!(tokio::time::sleep(every));
    loop {
        tokio::select! {
            biased;
            // how a connection ended is the client's affair
            _ = connection.as_mut() => return,
            () = shared.end.notified() => break,
            () = stop.asked() => break,
            () = look.as_mut() => {
                if shared.activity.is_overdue(headers, limits.idle) {
                    break;
                }
                look.as_mut().reset(tokio::time::Instant::now() + every);
            }
        }
    }
    finish(connection.as_mut());
    let most = if shared.activity.is_overdue(headers, limits.idle) { LAST_WORDS } else { limits.stop.max(LAST_WORDS) };
    drop(tokio::time::timeout(most, connection).await);
}
