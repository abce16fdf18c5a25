//! Whether a connection still does something: what the idle and the slow-sender limits are measured on.
//!
//! For: noticing, without a timer a request, a connection that asks nothing or dribbles its headers. [`Watched`] sits below hyper and
//! sees bytes come in; requests note their begin and end. Leaves to others: closing (`connection`), slow bodies (`call`).

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Times are milliseconds since the connection began; 0 in `head` means that none is on its way.
#[derive(Debug)]
pub(crate) struct Activity {
    began: Instant,
    open: AtomicU64,
    last: AtomicU64,
    head: AtomicU64,
}

impl Activity {
    pub(crate) fn new() -> Self {
        Self { began: Instant::now(), open: AtomicU64::new(0), last: AtomicU64::new(0), head: AtomicU64::new(0) }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX).max(1)
    }

    /// A request's headers are complete; the request is open until the guard is dropped.
    pub(crate) fn request(self: &Arc<Self>) -> OpenRequest {
        self.open.fetch_add(1, Relaxed);
        self.head.store(0, Relaxed);
        OpenRequest(Arc::clone(self))
    }

    fn bytes_came(&self) {
        if self.open.load(Relaxed) == 0 && self.head.load(Relaxed) == 0 {
            self.head.store(self.now(), Relaxed);
        }
    }

    /// True where no request is open and the next one's headers take longer than `headers`, or nothing was asked for longer than `idle`.
    pub(crate) fn is_overdue(&self, headers: Option<Duration>, idle: Duration) -> bool {
        if self.open.load(Relaxed) > 0 {
            return false;
        }
        let passed = |since: u64, limit: Duration| self.now().saturating_sub(since) >= u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
        let head = self.head.load(Relaxed);
        passed(self.last.load(Relaxed), idle) || headers.is_some_and(|limit| head > 0 && passed(head, limit))
    }
}

/// A request that is not yet answered.
#[derive(Debug)]
pub(crate) struct OpenRequest(Arc<Activity>);

impl Drop for OpenRequest {
    fn drop(&mut self) {
        self.0.last.store(self.0.now(), Relaxed);
        self.0.open.fetch_sub(1, Relaxed);
    }
}

/// A byte stream whose incoming bytes are noted.
pub(crate) struct Watched<S> {
    stream: S,
    activity: Arc<Activity>,
}

impl<S> Watched<S> {
    pub(crate) fn new(stream: S, activity: Arc<Activity>) -> Self {
        Self { stream, activity }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if buffer.filled().len() > before {
            self.activity.bytes_came();
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
    fn poll_write_vectored(mut self: Pin<&mut Self>, cx: &mut Context<'_>, slices: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }
    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
