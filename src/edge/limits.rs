//! How much of each thing a client may have: connections, bytes, seconds, streams.
//!
//! For: the figures in one place, each with what happens beyond it. Leaves to others: their names and defaults in the settings file
//! (`settings`), and counting (`places`, `connection`, `request`).

use contactpoint_settings::Settings;
use std::time::Duration;

/// The limits of one listener. `Default` is what the shipped settings say.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Connections in all, handshakes included; beyond it a connection is closed before a byte of it is read.
    pub connections: usize,
    /// Connections of one organisation; beyond it `too_many_requests` and the connection closes.
    pub connections_per_organisation: usize,
    /// Threads that do nothing but handshakes, so that a slow HSM stalls handshakes only.
    pub handshake_threads: usize,
    /// From the first packet to the end of the handshake; beyond it the connection is closed.
    pub handshake: Duration,
    /// From the first byte of a request to the end of its headers; beyond it (looked at as often) the connection is closed.
    pub headers: Duration,
    /// From the end of the headers to the end of the body; beyond it `request_timeout` and the connection closes.
    pub body: Duration,
    /// From the end of the body to the answer; beyond it `unavailable`.
    pub answer: Duration,
    /// Between two requests; beyond it the connection is closed.
    pub idle: Duration,
    /// Bytes of all header fields of a request; beyond it `headers_too_large`.
    pub header_bytes: usize,
    /// Bytes of a request's address; beyond it `uri_too_long`.
    pub uri_bytes: usize,
    /// Bytes of a JSON body; beyond it `body_too_large`.
    pub json_bytes: usize,
    /// Bytes of a body of feed lines; beyond it `body_too_large`.
    pub lines_bytes: usize,
    /// Requests at once on one HTTP/2 connection; at most 64.
    pub streams: u32,
    /// For open requests to finish once a stop was asked for.
    pub stop: Duration,
    /// Between two looks at the list of revoked certificates.
    pub reload: Duration,
}

impl From<&Settings> for Limits {
    fn from(settings: &Settings) -> Self {
        let limits = &settings.limits;
        Self {
            connections: limits.connections_total.count(),
            connections_per_organisation: limits.connections_per_organisation.count(),
            handshake: limits.handshake_seconds.seconds(),
            headers: limits.header_seconds.seconds(),
            body: limits.body_seconds.seconds(),
            header_bytes: limits.header_bytes.count(),
            json_bytes: limits.body_bytes.count(),
            lines_bytes: limits.feed_body_bytes.count(),
            reload: settings.tls.reload_seconds.seconds(),
            ..Self::default()
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4096,
            connections_per_organisation: 128,
            handshake_threads: 2,
            handshake: Duration::from_secs(10),
            headers: Duration::from_secs(10),
            body: Duration::from_secs(20),
            answer: Duration::from_secs(30),
            idle: Duration::from_secs(60),
            header_bytes: 16 << 10,
            uri_bytes: 512,
            json_bytes: 64 << 10,
            lines_bytes: 1 << 20,
            streams: 64,
            stop: Duration::from_secs(10),
            reload: Duration::from_secs(10),
        }
    }
}
